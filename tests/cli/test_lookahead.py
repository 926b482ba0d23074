"""`neuraltrade lookahead`: what nt.check_lookahead finds, and a status to build on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

LEAK = """
import numpy as np
import neuraltrade as nt

class Peeks(nt.Strategy):
    sign: int = 1

    def init(self, data):
        self.next = data.indicator(np.append(np.diff(data.close), np.nan), "tomorrow")

    def on_bar(self, ctx):
        if self.sign * ctx.value(self.next) > 0.0:
            ctx.buy()
        else:
            ctx.close_position()
"""


def test_a_leak_is_status_1_with_its_name(call: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(LEAK, encoding="utf-8")
    few = ["--cuts", "3", "--decisions", "2", "--interpreted"]
    status, text, errors = call("lookahead", "GOOG", "--strategy", f"{file}:Peeks", "--param", "sign=-1", *few)
    assert (status, errors) == (1, [])
    assert text.startswith("Peeks over GOOG (2148 bars): leaks\n") and "indicator 'tomorrow'" in text
    status, text, _ = call("lookahead", "GOOG", "--strategy", f"{file}:Peeks", *few, "--json")
    found = json.loads(text)
    assert (status, found["verdict"], found["leaks"][0]["name"]) == (1, "leaks", "tomorrow")


def test_an_honest_strategy_is_status_0(call: Callable[..., Any]) -> None:
    status, text, _ = call("lookahead", "GOOG", "--cuts", "2", "--decisions", "0", "--interpreted", "--json")
    assert status == 0 and json.loads(text)["verdict"] == "passed" and json.loads(text)["leaks"] == []


def test_wrong_input_is_status_2(call: Callable[..., Any]) -> None:
    status, _, errors = call("lookahead", "GOOG", "--cuts", "0")
    assert status == 2 and errors == ["neuraltrade: cuts must be an int in 1..1000000, was 0"]
