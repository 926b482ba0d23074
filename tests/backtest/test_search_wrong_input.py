"""Every search meets every kind of wrong argument: it is refused by its name before a trial has run."""

from __future__ import annotations

import os

import numpy as np
import pytest

import neuraltrade as nt

SEARCHES = (nt.sweep, nt.walk_forward, nt.cross_validate)
CLOSE = 100.0 + np.abs(np.cumsum(np.random.default_rng(1).normal(0.0, 1.0, 120)))
DAYS = np.arange(1, 121) * 86_400_000_000_000
BARS = nt.Bars("X", DAYS, CLOSE, CLOSE + 1.0, CLOSE - 1.0, CLOSE, np.ones(120))


class Above(nt.Strategy):
    window: int = 3
    level: float = 1.0
    mode: str = "a"
    flag: bool = False

    def init(self, data):
        self.mean = data.sma(self.window)

    def on_bar(self, ctx):
        if ctx.close > ctx.value(self.mean):
            ctx.buy()
        else:
            ctx.close_position()


class Counted(Above):
    """Tells how often it ran."""

    runs = 0

    def init(self, data):
        type(self).runs += 1
        super().init(data)


GRIDS = [
    *((given, "grid must map names of parameters") for given in (None, [], {}, "window", 3)),
    ({"windw": [3]}, "did you mean 'window'"),
    ({3: [1]}, "grid 3: the strategy has no such parameter"),
    ({"window": []}, "grid 'window' has no values"),
    ({"window": range(5, 5)}, "grid 'window' has no values"),
    ({"window": 3}, "grid 'window' must list values"),
    ({"window": "34"}, "grid 'window' must list values"),
    ({"window": {3: 4}}, "grid 'window' must list values"),
    ({"window": [3, 3]}, "grid 'window' repeats 3"),
    ({"window": [2.5]}, "grid 'window' must be an int, was 2.5"),
    ({"window": [True]}, "grid 'window' must be an int, was True"),
    ({"window": [None]}, "grid 'window' must be an int, was None"),
    ({"window": [[3]]}, "grid 'window' must be an int"),
    ({"window": [10**30]}, "grid 'window' must be within"),
    ({"level": [float("nan")]}, "grid 'level' must hold finite numbers"),
    ({"level": ["1"]}, "grid 'level' must be a"),
    ({"mode": [1]}, "grid 'mode' must be"),
    ({"flag": [0]}, "grid 'flag' must be"),
    ({"window": nt.Between(2, 9)}, "is a range to draw from: use method='random'"),
    ({"window": range(1, 1_002), "level": range(1, 1_001)}, "grid has 1,001,000 combinations, more than 1,000,000"),
]
ARGUMENTS = {
    "data": [None, 3, "AAPL", [], nt.datasets],
    "strategy": [None, 3, "Above", object, nt.Strategy, nt.Signals(np.ones(120, bool), np.ones(120, bool))],
    "metric": ["sharp", "", None, 3],
    "method": ["gird", None, 3],
    "trials": [0, 3],  # of a grid
    "where": [3, lambda params: False],
    "search_seed": [-1, 1.5, None, True],
    "state": [3, True, b"x", "no/folder/s", "/proc/s", "."],
    "executor": [-1, 0, 10**9, "threads"],
    "earlier_trials": [-1, 1.5, None, True],
    "progress": [3, "yes"],
    "recall": [3],
    "advisor": [3],
    "benchmark": ["X", [1.0]],
    "cash": [0, -5, "much", float("nan")],
    "fees": [-0.1, None],
    "risk_free": ["none", float("inf")],
    "periods_per_year": [0, -1, "daily"],
    "journal": [None, object()],
    "bounds": [True],
    "params": [{"window": 3}],
    "workers": [0, -1, 10**9],
}
OWN = {
    nt.sweep: {"maximize": [1, None], "errors": ["ignore", None], "keep_returns": [1, None]},
    nt.walk_forward: {
        "folds": [0, -1, 119, 10**9, 1.5, True, None], "train": [0, 1, -4, 120, 10**9, 1.5],
        "purge": [-1, 60, 10**9, 1.5, None], "embargo": [-1, 60, 10**9, "3"], "anchored": [1, None],
        "maximize": [1], "errors": ["ignore"],
    },
    nt.cross_validate: {
        "groups": [0, 1, -3, 41, 10**9, 1.5, None], "test_groups": [0, -1, 8, 1.5, None],
        "purge": [-1, 119, 10**9, 1.5], "embargo": [-1, 120, 10**9, None],
    },
}  # fmt: skip
NAMES = {"where": "grid: `where`", "folds": "steps", "train": "tests in", "fees": "Fees: rate", "groups": "groups"}


@pytest.mark.parametrize("search", SEARCHES)
def test_grids(search) -> None:
    for grid, message in GRIDS:
        with pytest.raises(nt.InputError, match=message):
            search(BARS, Above, grid)


@pytest.mark.parametrize("search", SEARCHES)
def test_every_argument_is_refused_by_its_name_before_a_run(search, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Counted.runs = 0
    for name, values in (ARGUMENTS | OWN[search]).items():
        for value in values:
            given = {"data": BARS, "strategy": Counted, "grid": {"window": [2, 3]}} | {name: value}
            with pytest.raises(nt.InputError) as caught:
                search(**given)
            assert name in str(caught.value) or NAMES.get(name, name) in str(caught.value), (name, value, caught.value)
    assert Counted.runs == 0 and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("trials", [None, 0, -1, 1.5, True, "3"])
def test_counts_of_trials(search, trials) -> None:
    with pytest.raises(nt.InputError, match="trials must be an int >= 1 for method='random'"):
        search(BARS, Above, {"window": [2, 3]}, method="random", trials=trials)


def test_what_a_search_does_not_take_is_told_with_what_to_do() -> None:
    for name, words in {"journal": "params=found.best", "bounds": "three runs", "workers": "executor="}.items():
        with pytest.raises(nt.UnknownArgument, match=words):
            nt.sweep(BARS, Above, {"window": [2]}, **{name: None})
    with pytest.raises(nt.UnknownArgument, match=r"did you mean 'metric'"):
        nt.sweep(BARS, Above, {"window": [2]}, metrics="sharpe")


@pytest.mark.parametrize("search", SEARCHES)
def test_windows_that_fit_nowhere_and_strategies_that_always_raise(search) -> None:
    class Raises(Above):
        def on_bar(self, ctx):
            raise KeyError("always")

    for strategy, grid, words in [
        (Above, {"window": [0]}, "window must be in 1.., was 0"),
        (Above, {"window": [121, 500]}, "window must be in 1.., was (121|500)"),
        (Raises, {"window": [2]}, "KeyError"),
    ]:
        with pytest.raises(nt.StrategyError, match=words.replace("1..,", r"1\.\..*,")):
            search(BARS, strategy, grid)


def test_a_metric_that_raises_fails_its_trial_alone() -> None:
    def own(result: nt.Result) -> float:
        window = result.settings["params"]["window"]
        if window == 3:
            raise ValueError("not three")
        return float(window)

    found = nt.sweep(BARS, Above, {"window": [2, 3, 5]}, metric=own)
    assert found.best == {"window": 5} and found.best_metric == 5.0
    assert found.table["error"][1] == "StrategyError: metric raised ValueError: not three"
    with pytest.raises(
        nt.StrategyError, match="all 1 trials failed; the first: StrategyError: metric"
    ):
        nt.sweep(BARS, Above, {"window": [3]}, metric=own)
    with pytest.raises(nt.StrategyError, match=r"trial 1 with \{'window': 3\}: StrategyError: metric raised"):
        nt.sweep(BARS, Above, {"window": [2, 3]}, metric=own, errors="raise")


@pytest.mark.parametrize("search", SEARCHES)
def test_a_state_that_cannot_be_kept_is_told_first(search, tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, words in ((tmp_path / "pipe", "is no plain file"), ("/proc/s", "cannot be written")):
        with pytest.raises(nt.InputError, match=f"state: .*{words}"):
            search(BARS, Above, {"window": [2]}, state=path)


@pytest.mark.parametrize("count", [1, 2])
def test_hardly_any_data(count) -> None:
    for search in (nt.walk_forward, nt.cross_validate):
        with pytest.raises(nt.InputError, match=r"folds must be|groups must be"):
            search(BARS[:count], Above, {"window": [1]})
    with pytest.raises(nt.NeuralTradeError, match=r"metric is NaN in all 1 trials|all 1 trials failed"):
        nt.sweep(BARS[:count], Above, {"window": [1]})
    with pytest.raises(nt.InputError):
        BARS[:0]
