"""nt.cross_validate against plain loops over the returns of nt.backtest."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.backtest.walk_folds import group_edges


class Above(nt.Strategy):
    window: int = 10
    start: int = 0

    def init(self, data):
        self.mean = data.sma(self.window)

    def on_bar(self, ctx):
        if ctx.i < self.start:
            return
        if ctx.close > ctx.value(self.mean):
            ctx.buy()
        else:
            ctx.close_position()


RNG = np.random.default_rng(4)
CLOSE = 50.0 * np.exp(np.cumsum(RNG.normal(0.0003, 0.01, 240)))
BARS = nt.Bars("X", np.arange(1, 241) * 86_400_000_000_000, CLOSE, CLOSE * 1.003, CLOSE * 0.997, CLOSE, np.ones(240))
WINDOWS = [3, 6, 12, 24]


def plain(groups, test_groups, purge, embargo):
    """(chosen of each split, returns of each path), by the book."""
    edges = group_edges(240, groups)
    returns = np.empty((240, len(WINDOWS)))
    for group in range(groups):
        start, stop = edges[group], edges[group + 1]
        for column, window in enumerate(WINDOWS):
            params = {"window": window, "start": start}
            run = nt.backtest(BARS[:stop], Above, params=params, cash=10_000.0, close_at_end=True)
            curve = np.concatenate(([10_000.0], run.equity[start:]))
            returns[start:stop, column] = curve[1:] / curve[:-1] - 1.0
    chosen, tested = [], {group: [] for group in range(groups)}
    for number, test in enumerate(itertools.combinations(range(groups), test_groups)):
        keep = []
        for step in range(240):
            out = any(edges[g] - purge <= step < edges[g + 1] + purge + embargo for g in test)
            if not out:
                keep.append(step)
        ratios = [returns[keep, c].mean() / returns[keep, c].std(ddof=1) for c in range(len(WINDOWS))]
        chosen.append(int(np.argmax(ratios)))
        for group in test:
            tested[group].append(number)
    paths = [
        np.concatenate([returns[edges[g] : edges[g + 1], chosen[tested[g][path]]] for g in range(groups)])
        for path in range(len(tested[0]))
    ]
    return chosen, np.array(paths), returns


@pytest.mark.parametrize(("groups", "test_groups", "purge", "embargo"), [(6, 2, 0, 0), (5, 3, 4, 2)])
def test_paths_equal_those_of_plain_loops(groups, test_groups, purge, embargo) -> None:
    found = nt.cross_validate(BARS, Above, {"window": WINDOWS}, groups, test_groups, purge, embargo)
    chosen, paths, returns = plain(groups, test_groups, purge, embargo)
    assert found.splits["window"].tolist() == [WINDOWS[one] for one in chosen] and len(set(chosen)) > 1
    assert np.array_equal(found.paths, paths)
    ratios = paths.mean(axis=1) / paths.std(axis=1, ddof=1) * math.sqrt(365)
    assert found.sharpe_ratios == pytest.approx(ratios, rel=1e-12)
    assert found.probability_of_loss == np.mean(np.prod(1 + paths, axis=1) < 1)
    middle = paths[found.median_path]
    spread = (returns.mean(axis=0) / returns.std(axis=0, ddof=1)).std(ddof=1)
    wanted = nt.results.deflated_sharpe(middle, trials=4, deviation=float(spread))
    assert found.deflated_sharpe == pytest.approx(wanted, rel=1e-9)
    assert found.probabilistic_sharpe >= found.deflated_sharpe
    assert sorted(found.sharpe_ratios)[(len(paths) - 1) // 2] == found.sharpe_ratios[found.median_path]


def test_metrics_choose_by_their_own_lights() -> None:
    by = {
        m: nt.cross_validate(BARS, Above, {"window": WINDOWS}, metric=m) for m in ("sharpe", "sortino", "total_return")
    }
    _, _, returns = plain(8, 2, 0, 0)
    edges = group_edges(240, 8)
    train = np.ones(240, bool)
    train[: edges[2]] = False  # the first split tests groups 0 and 1
    grown = np.prod(1.0 + returns[train], axis=0) - 1.0
    assert by["total_return"].splits["window"][0] == WINDOWS[int(grown.argmax())]
    assert by["total_return"].splits["train_metric"][0] == grown.max()
    below = np.sqrt((np.minimum(returns[train], 0.0) ** 2).mean(axis=0))
    assert by["sortino"].splits["window"][0] == WINDOWS[int((returns[train].mean(axis=0) / below).argmax())]
    assert len({tuple(one.splits["train_metric"]) for one in by.values()}) == 3


def test_texts_progress_and_counts() -> None:
    seen: list[tuple[int, int]] = []
    found = nt.cross_validate(
        BARS,
        Above,
        {"window": WINDOWS},
        4,
        1,
        earlier_trials=7,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen[0] == (0, 16) and seen[-1] == (16, 16)
    assert repr(found).startswith("CrossValidation: 4 splits of 4 candidates, 1 paths; Sharpe ")
    assert (found.trials, found.earlier_trials) == (4, 7)
    assert not found.paths.flags.writeable and not found.splits.flags.writeable


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": [1]}, "data must be nt.Bars or nt.Panel, was list"),
        ({"groups": 1}, "groups must be an int in 2..40, was 1"),
        ({"groups": 4, "test_groups": 4}, "test_groups must be an int in 1..3, was 4"),
        ({"purge": 300}, "purge must be an int in 0..240, was 300"),
        ({"purge": 200}, r"purge \(200\) and embargo \(0\) leave fewer than 2 steps"),
        ({"metric": "calmar"}, "metric must be one of sharpe, sortino, total_return, was 'calmar'"),
        ({"method": "bayes", "trials": 4}, "was 'bayes': each split chooses among the same"),
        ({"group": 5}, "cross_validate has no argument 'group'; did you mean 'groups'?"),
        ({"grid": {"windw": [1]}}, "did you mean 'window'?"),
    ],
)
def test_wrong_input_is_named(change, message) -> None:
    given = {"data": BARS, "grid": {"window": WINDOWS}} | change
    with pytest.raises(nt.InputError, match=message):
        nt.cross_validate(given.pop("data"), Above, given.pop("grid"), **given)


def test_a_candidate_that_fails_is_named() -> None:
    class Fails(Above):
        def on_bar(self, ctx):
            if self.window == 6 and ctx.i == 100:
                raise RuntimeError("no")

    with pytest.raises(
        nt.StrategyError, match=r"group 3 with \{'window': 6\}: StrategyError: on_bar raised RuntimeError"
    ):
        nt.cross_validate(BARS, Fails, {"window": WINDOWS})
