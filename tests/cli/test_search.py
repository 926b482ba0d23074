"""`neuraltrade sweep` and `walkforward`: what nt.sweep and nt.walk_forward give; wrong input in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import neuraltrade as nt

GRID = ["--grid", "lookback=20:100:40", "--grid", "max_fraction=0.5,1.0"]
SAME = {"lookback": range(20, 100, 40), "max_fraction": [0.5, 1.0]}


def test_sweep_is_nt_sweep(call: Callable[..., Any], tmp_path: Path) -> None:
    state = tmp_path / "state"
    status, text, _ = call("sweep", "IBM", *GRID, "--fees", "0.001", "--state", state, "--top", "2", "--json")
    found = json.loads(text)
    own = nt.sweep(nt.datasets.load("IBM"), nt.strategy.library.Momentum, SAME, fees=0.001)
    assert (status, found["digest"], found["best"]) == (0, own.digest, own.best)
    assert found["trials"] == 4 and len(found["top"]) == 2 and state.is_file()
    assert found["deflated_sharpe"] == own.deflated_sharpe()


def test_sweep_for_people(call: Callable[..., Any], tmp_path: Path) -> None:
    pytest.importorskip("plotly")
    page = tmp_path / "map.html"
    status, text, errors = call(
        "sweep", "IBM", *GRID, "--where", "lookback < 50", "--metric", "volatility", "--minimize",
        "--heatmap", page, "--interpreted",
    )  # fmt: skip
    assert (status, errors) == (0, [])
    assert "2 trials of lookback=..., max_fraction=... by volatility" in text
    assert "best: lookback=20" in text and page.stat().st_size > 1_000


def test_walkforward_is_nt_walk_forward(call: Callable[..., Any]) -> None:
    windows = ["--folds", "3", "--purge", "5", "--embargo", "2", "--anchored", "--train", "1000"]
    status, text, _ = call("walkforward", "IBM", *GRID, *windows, "--json")
    found = json.loads(text)
    own = nt.walk_forward(
        nt.datasets.load("IBM"), nt.compiled(nt.strategy.library.Momentum), SAME, 3, 5, 2, True, train=1000
    )
    assert (status, found["digest"]) == (0, own.result.digest)
    assert found["deflated_sharpe"] == own.deflated_sharpe and len(found["folds"]) == 3


def test_walkforward_for_people(call: Callable[..., Any]) -> None:
    drawn = ["--method", "random", "--trials", "3", "--seed", "4"]
    drawn += ["--param", "max_fraction=0.5", "--earlier-trials", "9"]
    status, text, _ = call("walkforward", "IBM", "--grid", "lookback=20,40,60,80", *drawn, "--folds", "2")
    assert status == 0
    assert "chosen before" in text and "the best of 12 useless candidates" in text
