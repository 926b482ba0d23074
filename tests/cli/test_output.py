"""What commands print."""

from __future__ import annotations

import contextlib
import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest

from neuraltrade.cli.output import Output, plain


def test_plain_unpacks_arrays_and_hides_what_json_lacks() -> None:
    value = {"a": np.arange(2), "b": np.float64(0.5), 3: (math.nan, math.inf, True), "c": {"d": None}}
    expected = {"a": [0, 1], "b": 0.5, "3": [None, None, True], "c": {"d": None}}
    assert plain(value) == expected
    assert json.loads(json.dumps(plain(value), allow_nan=False)) == expected


def test_json_is_all_there_is_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output(as_json=True)
    out.say("words")
    out.rows({"name": 1})
    out.table(["a"], [["1"]])
    out.answer({"x": 1})
    assert json.loads(capsys.readouterr().out) == {"x": 1}


def test_text_has_no_json(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output(as_json=False)
    out.rows({"name": 1, "longer": "two"})
    out.table(["symbol", "n"], [["A", "10"]])
    out.answer({"x": 1})
    assert capsys.readouterr().out.splitlines() == ["name    1", "longer  two", "symbol   n", "     A  10"]


def test_no_progress_bar_off_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with Output(as_json=False).progress("work") as advance:
        advance(1, 2)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_progress_bar_on_a_terminal() -> None:
    code = (
        "from neuraltrade.cli.output import Output\n"
        "with Output(False).progress('counting sheep') as advance:\n    advance(1, 2)\n"
    )
    ours, theirs = os.openpty()
    subprocess.run([sys.executable, "-c", code], stderr=theirs, check=True, env={**os.environ, "TERM": "xterm"})
    os.close(theirs)
    shown = ""
    with contextlib.suppress(OSError):  # EIO: all was read, and the other end is closed
        while part := os.read(ours, 65_536):
            shown += part.decode()
    os.close(ours)
    assert "counting sheep" in shown
    assert "50%" in shown
