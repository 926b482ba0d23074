"""The command line: help with examples, one line for wrong input, JSON that parses, statuses that tell."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import neuraltrade as nt
from neuraltrade.cli.app import COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(call: Callable[..., Any], command: str) -> None:
    status, text, errors = call(command, "--help")
    assert (status, errors) == (0, [])
    assert f"Example: neuraltrade {command}" in text


def test_without_a_command_shows_help_and_exits_2(call: Callable[..., Any]) -> None:
    status, text, _ = call()
    assert status == 2
    assert all(command in text for command in COMMANDS)


def test_version(call: Callable[..., Any]) -> None:
    assert call("--version")[1].split()[-1] == nt.__version__


def test_module_is_the_same_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "neuraltrade", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.split()[-1] == nt.__version__


GRID = ["--grid", "lookback=20:100:40", "--grid", "max_fraction=0.5,1.0"]
WRONG = [
    (["fly"], "No such command 'fly'."),
    (["backtest"], "Missing argument 'DATA...'."),
    (["backtest", "AAPLE"], "data must be one of AAPL, GOOG, IBM, MSFT, or a .parquet or .csv file, was 'AAPLE'"),
    (["backtest", "none.csv"], "data: no file 'none.csv'"),
    (["backtest", "AAPL", "--cash", "much"], "Invalid value for '--cash': 'much' is not a valid float."),
    (["backtest", "AAPL", "--cash", "-5"], "cash must be"),
    (["backtest", "AAPL", "--strategy", "momentun"], "did you mean 'momentum'?"),
    (["backtest", "AAPL", "--strategy", "none.py:Mine"], "--strategy: no file 'none.py'"),
    (["backtest", "AAPL", "--param", "lookback"], "--param must look like name=value, was 'lookback'"),
    (["backtest", "AAPL", "--param", "lookbak=3"], "lookback"),
    (["backtest", "AAPL", "--param", "lookback=3", "--param", "lookback=4"], "--param 'lookback' is given twice"),
    (["backtest", "AAPL", "--strategy", "momentum(lookback=60"], "name or name(parameter=value, ...), was 'momentum("),
    (["backtest", "AAPL", "--strategy", "momentum(60)"], "a parameter must look like name=value, was '60'"),
    (["backtest", "AAPL", "--strategy", "momentum(lokback=60)"], "did you mean 'lookback'?"),
    (["backtest", "AAPL", "--strategy", "momentum(lookback=6)", "--param", "hold=1"], "are in its brackets"),
    (["backtest", "AAPL", "--strategy", "trend", "--strategy", "pairs", "--param", "a=1"], "is of one strategy"),
    (["backtest", "AAPL", "--benchmark", "APL"], "data must be one of AAPL"),
    (["sweep", "IBM", *GRID, "--trials", "3"], "trials must be None for method='grid'"),
    (["walkforward", "IBM", *GRID, "--method", "bayes", "--trials", "3"], "each fold tries the same candidates"),
    (["backtest", "AAPL", "--fill", "perfect"], "perfect"),
    (["verify", "nowhere"], "path must be a folder with an audit log, a store or an archive, was 'nowhere'"),
    (
        ["similar", "nowhere", "--symbol", "AAPL"],
        "path must be a folder with an audit log, a store or an archive, was 'nowhere'",
    ),
    (["similar", ".", "-k", "0", "--symbol", "AAPL"], "Invalid value for '-k'"),
    (["sweep", "IBM"], "Missing option '--grid'"),
    (["sweep", "IBM", "--grid", "lookback"], "--grid must look like name=2:50:4 or name=1,2,3, was 'lookback'"),
    (["sweep", "IBM", "--grid", "lookback=1:2:3:4"], "a range is start:stop or start:stop:step of whole numbers"),
    (["sweep", "IBM", "--grid", "lookback=0.1:0.5"], "a range is start:stop"),
    (["sweep", "IBM", "--grid", "lookbak=20,40"], "did you mean 'lookback'?"),
    (["sweep", "IBM", *GRID, "--where", "lookback"], "--where must look like 'fast < slow', was 'lookback'"),
    (["sweep", "IBM", *GRID, "--where", "lookbac > 3"], "'lookbac' is not searched; did you mean 'lookback'?"),
    (["sweep", "IBM", *GRID, "--where", "lookback < 3"], "lets none of 4 combinations through"),
    (["sweep", "IBM", *GRID, "--metric", "sharp"], "did you mean 'sharpe'?"),
    (["sweep", "IBM", *GRID, "--state", "no/where"], "state: no folder"),
    (["sweep", "IBM", *GRID, "--top", "0"], "Invalid value for '--top'"),
    (["walkforward", "IBM", *GRID, "--folds", "0"], "folds must be an int in 1..3270, was 0"),
    (["walkforward", "IBM", *GRID, "--purge", "9999"], "purge must be an int in 0..3270, was 9999"),
    (["walkforward", "IBM", *GRID, "--method", "random", "--trials", "0"], "trials must be an int >= 1"),
]


@pytest.mark.parametrize(("arguments", "words"), WRONG, ids=[" ".join(arguments) for arguments, _ in WRONG])
def test_wrong_input_is_one_line_and_exits_2(
    call: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    status, text, errors = call(*arguments)
    assert (status, text, len(errors)) == (2, "", 1)
    assert errors[0].startswith("neuraltrade: ")
    assert words in errors[0]


def test_doctor_finds_nothing_wrong(call: Callable[..., Any]) -> None:
    status, text, _ = call("doctor")
    assert status == 0
    assert text.rstrip().endswith("everything fits")


def test_doctor_as_json(call: Callable[..., Any]) -> None:
    found = json.loads(call("doctor", "--json")[1])
    assert found["version"] == nt.__version__
    assert found["build"]["march"]
    assert found["kernels"] in ("serial", "avx2", "avx512")
    assert found["packages"]["numpy"]
    assert found["problems"] == []


def test_backtest_as_json_is_the_run_itself(call: Callable[..., Any]) -> None:
    status, text, _ = call("backtest", "AAPL", "--param", "lookback=60", "--fees", "0.001", "--json")
    result = nt.backtest(nt.datasets.load("AAPL"), nt.strategy.library.Momentum, fees=0.001, params={"lookback": 60})
    found = json.loads(text)
    assert status == 0
    assert found["digest"] == result.digest
    assert found["stats"]["final_equity"] == result.equity[-1]


def test_backtest_interpreted_decides_alike(call: Callable[..., Any]) -> None:
    answers = [call("backtest", "IBM", "--json", *more)[1] for more in ([], ["--interpreted"])]
    assert json.loads(answers[0])["digest"] == json.loads(answers[1])["digest"]


def test_backtest_of_a_file_with_a_strategy_of_a_file(call: Callable[..., Any], tmp_path: Path) -> None:
    bars = nt.datasets.load("MSFT")
    rows = zip(bars.ts_ns, bars.open, bars.high, bars.low, bars.close, bars.volume, strict=True)
    lines = ["ts_ns,open,high,low,close,volume", *(",".join(repr(value.item()) for value in row) for row in rows)]
    (tmp_path / "msft.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "mine.py").write_text(
        "import neuraltrade as nt\n\nclass Hold(nt.Strategy):\n    def on_bar(self, ctx):\n        ctx.buy()\n"
    )
    strategy = f"{tmp_path / 'mine.py'}:Hold"
    page = tmp_path / "out.html"
    status, text, _ = call("backtest", tmp_path / "msft.csv", "--strategy", strategy, "--report", page)
    assert status == 0
    assert "Hold on" in text
    assert page.stat().st_size > 100_000


def test_a_strategy_file_that_does_not_parse_exits_2(call: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("x = 1\nclass Mine(:\n")
    status, _, errors = call("backtest", "AAPL", "--strategy", f"{tmp_path / 'mine.py'}:Mine")
    assert (status, len(errors)) == (2, 1)
    assert "mine.py:2: " in errors[0]


def test_a_strategy_that_raises_exits_1_with_its_bar(call: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import neuraltrade as nt\n\nclass Mine(nt.Strategy):\n    def on_bar(self, ctx):\n        ctx.buy(1 / 0)\n"
    )
    status, _, errors = call("backtest", "AAPL", "--strategy", f"{tmp_path / 'mine.py'}:Mine")
    assert (status, len(errors)) == (1, 1)
    assert "ZeroDivisionError" in errors[0]
    assert "bar 0" in errors[0]


def test_several_strategies_are_one_run_beside_a_benchmark(call: Callable[..., Any]) -> None:
    several = ["--strategy", "momentum(lookback=60, max_fraction=0.5)", "--strategy", "trend()", "--interpreted"]
    status, text, _ = call("backtest", "AAPL", *several, "--benchmark", "IBM", "--json")
    found = json.loads(text)
    library, bars = nt.strategy.library, nt.datasets.load("AAPL")
    members = [library.Momentum(lookback=60, max_fraction=0.5), library.Trend]
    own = nt.backtest(bars, members, benchmark=nt.datasets.load("IBM"))
    assert (status, found["digest"], found["strategy"]) == (0, own.digest, "Momentum + Trend")
    assert found["benchmark_stats"]["beta"] == own.benchmark_stats["beta"]
    assert [row["strategy"] for row in found["by_strategy"]] == own.by_strategy()["strategy"].tolist()
    status, text, _ = call("backtest", "AAPL", *several, "--benchmark", "IBM")
    assert status == 0 and "against IBM:" in text and "Trend" in text
