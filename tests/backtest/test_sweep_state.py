"""A search that was stopped or killed goes on from its file; a file of another search, or a damaged one, is refused."""

from __future__ import annotations

import signal
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.backtest import sweep_state
from neuraltrade.backtest.sweep_identity import code_of
from neuraltrade.backtest.sweep_job import STATISTICS, Trial
from neuraltrade.backtest.sweep_state import State

sys.path.insert(0, str(Path(__file__).parent))
import sweep_child

BARS = sweep_child.bars_of()


def renamed(data, window):
    return sweep_child.above(data, window)


def search(path, progress=False, **change):
    given = {"data": BARS, "strategy": sweep_child.above, "grid": sweep_child.GRID} | change
    return nt.sweep(given.pop("data"), given.pop("strategy"), given.pop("grid"), state=path, progress=progress, **given)


def counted(path, **change) -> tuple[int, nt.Sweep]:
    """How many trials were left to run, and what came out."""
    seen: list[int] = []
    found = search(path, progress=lambda done, total: seen.append(done), **change)
    return found.trials - seen[0], found


def test_a_search_goes_on_where_it_was_interrupted(tmp_path: Path) -> None:
    path = tmp_path / "search.state"

    def stop(done: int, total: int) -> None:
        if done > 50:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(path, progress=stop)
    left, found = counted(path)
    assert 0 < left < 150
    assert found.digest == nt.sweep(BARS, sweep_child.above, sweep_child.GRID).digest
    assert counted(path)[0] == 0
    assert list(tmp_path.iterdir()) == [path]


def killed(way: str, path: Path) -> None:
    """Let another process search until 60 trials have ended, and kill it."""
    child = subprocess.Popen(
        [sys.executable, sweep_child.__file__, way, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None and child.stdin is not None
    reached = 0
    while reached <= 60:
        line = child.stdout.readline()
        assert line, "the child ended early"
        reached = int(line.split()[0])
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    child.stdin.close()


def test_a_killed_process_loses_no_finished_file(tmp_path: Path) -> None:
    path = tmp_path / "search.state"
    killed("sweep", path)
    left, found = counted(path)
    assert 0 < left < 180
    assert found.digest == nt.sweep(BARS, sweep_child.above, sweep_child.GRID).digest


@pytest.mark.parametrize("way", ["walk_forward", "cross_validate"])
def test_a_killed_walk_goes_on(tmp_path: Path, way: str) -> None:
    path = tmp_path / "walk.state"
    killed(way, path)
    search_through = getattr(nt, way)
    seen: list[int] = []

    def told(done: int, total: int) -> None:
        seen.append(done)

    found = search_through(BARS, sweep_child.above, sweep_child.FEW, state=path, progress=told)
    whole = search_through(BARS, sweep_child.above, sweep_child.FEW)
    for name in ("paths", "splits") if way == "cross_validate" else ("folds",):
        assert getattr(found, name).tobytes() == getattr(whole, name).tobytes()
    if way == "walk_forward":
        assert found.result.digest == whole.result.digest
        assert found.deflated_sharpe == whole.deflated_sharpe
    assert 0 < seen[0] < seen[-1]
    kept = path.read_bytes()
    with pytest.raises(nt.InputError, match="belongs to another search"):
        search_through(BARS, sweep_child.above, sweep_child.FEW, 6, state=path)
    with pytest.raises(nt.InputError, match="belongs to another search"):
        search_through(BARS, sweep_child.above, sweep_child.FEW, state=path, fees=0.001)
    assert path.read_bytes() == kept


def test_kept_returns_and_errors_come_back(tmp_path: Path) -> None:
    def some(data, window):
        if window == 3:
            raise ValueError("three")
        return sweep_child.above(data, window)

    grid = {"window": [2, 3, 4]}
    first = search(tmp_path / "s", strategy=some, grid=grid, keep_returns=True)
    left, again = counted(tmp_path / "s", strategy=some, grid=grid, keep_returns=True)
    assert left == 0 and again.digest == first.digest
    assert np.array_equal(again.returns, first.returns)
    assert again.table["error"][1] == "StrategyError: some raised ValueError: three"


def test_a_file_of_another_search_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "search.state"
    grid = {"window": [2, 3]}
    search(path, grid=grid)
    before = path.read_bytes()
    others = [
        {"data": BARS[:-1]},
        {"grid": {"window": [3, 2]}},
        {"fees": 0.001},
        {"metric": "sortino"},
        {"strategy": renamed},
        {"risk_free": 0.01},
        {"rates": {"EUR": nt.Rates([1], [1.1])}},
    ]
    for change in others:
        with pytest.raises(nt.InputError, match="belongs to another search"):
            search(path, **({"grid": grid} | change))
    assert path.read_bytes() == before


def test_a_damaged_or_foreign_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "search.state"
    search(path, grid={"window": [2, 3]})
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    with pytest.raises(nt.LogCorrupt, match="the checksum does not match"):
        search(path, grid={"window": [2, 3]})
    for at in range(8, len(content), 13):
        path.write_bytes(content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :])
        with pytest.raises(nt.LogCorrupt):
            search(path, grid={"window": [2, 3]})
    path.write_text("something else")
    with pytest.raises(nt.InputError, match="is not the state of a search"):
        search(path)
    assert path.read_text() == "something else"


def test_places_that_will_not_do(tmp_path: Path) -> None:
    with pytest.raises(nt.InputError, match="state: no folder"):
        search(tmp_path / "missing" / "s")
    with pytest.raises(nt.InputError, match="is a folder"):
        search(tmp_path)


def test_saving_replaces_the_file_in_one_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = State(tmp_path / "s", "what")
    trials = [Trial(0, 1.5, tuple(float(k) for k in range(len(STATISTICS))), first=0.25)]
    state.save(trials)

    def fail(*_: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="no space"):
        state.save(trials * 2)
    monkeypatch.undo()
    assert state.load() == trials
    assert [one.name for one in tmp_path.iterdir()] == ["s"]


def test_workers_in_other_processes_get_a_copy() -> None:
    def local(data, window):
        return sweep_child.above(data, window)

    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        there = nt.sweep(BARS, sweep_child.above, {"window": range(2, 40)}, executor=pool)
        assert there.digest == nt.sweep(BARS, sweep_child.above, {"window": range(2, 40)}).digest
        momentum = nt.compiled(nt.strategy.library.Momentum(max_fraction=0.5))
        spread = nt.sweep(BARS, momentum, {"lookback": [5, 10, 20]}, executor=pool)
        assert spread.digest == nt.sweep(BARS, momentum, {"lookback": [5, 10, 20]}).digest
        with pytest.raises(nt.InputError, match="executor: data, strategy or metric cannot be sent to its workers"):
            nt.sweep(BARS, local, {"window": [2, 3]}, executor=pool)


def test_code_tells_strategies_apart() -> None:
    class One(nt.Strategy):
        level: float = 1.0

        def on_bar(self, ctx):
            ctx.buy(self.level)

    class Two(One):
        level: float = 2.0

    texts = {code_of(One), code_of(Two), code_of(One(level=3.0)), code_of(sweep_child.above)}
    assert len(texts) == 4
    assert code_of(nt.compiled(One)) == code_of(One)
    assert sweep_state.SAVE_SECONDS > 0.0
