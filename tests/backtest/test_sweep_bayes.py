"""Bayesian search: trials that are distinct, admitted, counted, and the same for a seed; better than chance."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import neuraltrade as nt

DAYS = np.arange(1, 61) * 86_400_000_000_000
CLOSE = 100.0 + np.cumsum(np.random.default_rng(2).normal(0.0, 1.0, 60))
BARS = nt.Bars("X", DAYS, CLOSE, CLOSE + 1.0, CLOSE - 1.0, CLOSE, np.ones(60))


class Hill(nt.Strategy):
    """Parameters whose worth the metric below says; it trades once."""

    a: int = 0
    b: float = 0.0
    mode: str = "low"

    def on_bar(self, ctx):
        if ctx.i == 3:
            ctx.buy(1.0)
        if self.a == 13 and ctx.i == 5:
            raise RuntimeError("unlucky")


def height(result: nt.Result) -> float:
    params = result.settings["params"]
    return -((params["a"] - 40) ** 2) / 100 - (params["b"] - 0.3) ** 2 * 50 + (params["mode"] == "high")


GRID = {"a": range(100), "b": nt.Between(0.0, 1.0), "mode": ["low", "high"]}


def search(**change):
    pytest.importorskip("optuna")
    return nt.sweep(BARS, Hill, GRID, **({"metric": height, "method": "bayes", "trials": 48} | change))


def test_it_climbs_and_repeats() -> None:
    found = search(search_seed=4)
    assert found.trials == 48 == len({tuple(found.params(k).values()) for k in range(48)})
    assert found.digest == search(search_seed=4).digest != search(search_seed=5).digest
    drawn = nt.sweep(BARS, Hill, GRID, metric=height, method="random", trials=48, search_seed=4)
    assert np.nanmean(found.table["metric"]) > np.nanmean(drawn.table["metric"]) + 2.0
    assert found.best_metric > -1.0


def test_rules_failures_and_small_spaces() -> None:
    found = search(trials=16, where=lambda p: p["a"] < 20)
    assert found.trials == 16 and found.table["a"].max() < 20
    grid = {"a": [12, 13, 14], "mode": ["low", "high"]}
    small = nt.sweep(BARS, Hill, grid, metric="total_return", method="bayes", trials=50)
    lowest = nt.sweep(BARS, Hill, {"a": range(100)}, metric=height, maximize=False, method="bayes", trials=30)
    assert small.trials == 6 and (small.table["error"] != "").sum() == 2
    assert small.best["a"] != 13
    assert abs(lowest.best["a"] - 40) > 50


def test_progress_and_verbosity() -> None:
    optuna = pytest.importorskip("optuna")
    before = optuna.logging.get_verbosity()
    seen: list[tuple[int, int]] = []
    search(trials=9, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(8, 9), (9, 9)] and optuna.logging.get_verbosity() == before


def test_it_goes_on_from_its_file_and_further(tmp_path) -> None:
    path, ended = tmp_path / "s", []

    def stop(done: int, total: int) -> None:
        ended.append(done)
        if done >= 24:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(state=path, search_seed=4, trials=40, progress=stop)
    runs = []

    def counted(result: nt.Result) -> float:
        runs.append(result)
        return height(result)

    assert search(state=path, search_seed=4, trials=40).digest == search(search_seed=4, trials=40).digest
    kept = path.read_bytes()
    assert search(state=path, search_seed=4, trials=40).digest == search(search_seed=4, trials=40).digest
    assert path.read_bytes() == kept
    assert search(state=path, search_seed=4).digest == search(search_seed=4).digest  # 48 go on from 40
    others = ({"search_seed": 5}, {"maximize": False}, {"where": lambda p: p["a"] < 90}, {"metric": counted})
    for other in others:
        with pytest.raises(nt.InputError, match="belongs to another search"):
            search(**({"state": path, "search_seed": 4} | other))
    assert not runs


def test_without_optuna_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(nt.DependencyMissing, match=r"method='bayes' needs optuna: pip install 'neuraltrade\[learn\]'"):
        nt.sweep(BARS, Hill, GRID, method="bayes", trials=5)


def test_without_scipy_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy", None)
    monkeypatch.setitem(sys.modules, "scipy.stats", None)
    with pytest.raises(nt.DependencyMissing, match=r"method='sobol' needs scipy: pip install 'neuraltrade\[learn\]'"):
        nt.sweep(BARS, Hill, GRID, method="sobol", trials=5)
