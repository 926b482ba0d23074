"""Searches whose runs ask a memory, and that are compared with a benchmark: each trial is still the backtest of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.ports import SIMILAR_DTYPE

DAYS = np.arange(1, 241) * 86_400_000_000_000
CLOSE = 100.0 + np.cumsum(np.random.default_rng(3).normal(0.0, 1.0, 240))
BARS = nt.Bars("X", DAYS, CLOSE, CLOSE + 1.0, CLOSE - 1.0, CLOSE, np.full(240, 1e6))
GRID = {"k": [1, 2, 5]}


class Asks(nt.Strategy):
    """Long where what it is reminded of went up."""

    k: int = 1

    def on_bar(self, ctx):
        found = ctx.similar(self.k)
        if len(found) and found["outcome"].mean() > 0.0:
            ctx.signal(1, 0.5, reasoning="as before")
            ctx.buy()
        else:
            ctx.close_position()


@dataclass
class Remembers:
    """A Recall whose answers are a function of the moment."""

    asked: list[int] = field(default_factory=list)

    def similar(self, symbol: str, ts_ns: int, k: int) -> np.ndarray:
        self.asked.append(ts_ns)
        found = np.zeros(k, SIMILAR_DTYPE)
        found["ts_ns"] = ts_ns - 86_400_000_000_000 * np.arange(1, k + 1)
        found["outcome"] = np.sin(found["ts_ns"] / 86_400_000_000_000)
        return found


class Doubts:
    """An Advisor that takes away from every confidence."""

    def enhance(self, signal, as_of):
        signal.confidence *= 0.5
        return signal


def test_each_trial_is_the_backtest_that_asks_the_same() -> None:
    given = {"recall": Remembers(), "advisor": Doubts(), "close_at_end": True}
    found = nt.sweep(BARS, Asks, GRID, metric="total_return", **given)
    alone = [nt.backtest(BARS, Asks, params={"k": k}, **given) for k in GRID["k"]]
    assert [one.stats["total_return"] for one in alone] == found.table["metric"].tolist()
    assert len(set(found.table["metric"].tolist())) == 3
    best = found.result()
    assert best.digest in {one.digest for one in alone} and set(best.signals["enhanced"].tolist()) == {0.25}


def test_a_walk_asks_only_as_of_its_own_bars() -> None:
    recall = Remembers()
    walked = nt.walk_forward(BARS, Asks, GRID, folds=3, recall=recall)
    assert len(walked.result.trades) > 3 and set(recall.asked) == set(DAYS.tolist())
    crossed = nt.cross_validate(BARS, Asks, GRID, groups=4, test_groups=1, recall=recall)
    assert np.isfinite(crossed.sharpe_ratios).all()


def test_a_benchmark_goes_along() -> None:
    market = 50.0 + np.arange(240.0)
    given = {"recall": Remembers(), "benchmark": market}

    def beaten(result: nt.Result) -> float:
        return float(result.benchmark_stats["information_ratio"])

    found = nt.sweep(BARS, Asks, GRID, metric=beaten, **given)
    alone = [nt.backtest(BARS, Asks, params={"k": k}, **given).benchmark_stats["information_ratio"] for k in GRID["k"]]
    assert found.table["metric"].tolist() == alone
    walked = nt.walk_forward(BARS, Asks, GRID, folds=3, **given).result
    first = int(np.searchsorted(DAYS, walked.ts_ns[0]))
    assert walked.benchmark_stats["benchmark_return"] == pytest.approx(market[-1] / market[first] - 1.0)
    against = nt.Bars("M", DAYS, market, market, market, market, np.ones(240))
    same = nt.walk_forward(BARS, Asks, GRID, folds=3, recall=Remembers(), benchmark=against).result
    assert same.benchmark_stats["benchmark_return"] == walked.benchmark_stats["benchmark_return"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"recall": 1}, "recall must be None or have a method similar"),
        ({"advisor": Remembers()}, "advisor must be None or have a method enhance"),
        ({"benchmark": np.ones(5)}, r"benchmark must have one value per bar \(240\)"),
        ({"benchmark": -CLOSE}, "benchmark must hold finite values > 0"),
        ({"journal": []}, "has no argument 'journal'"),
    ],
)
@pytest.mark.parametrize("search", [nt.sweep, nt.walk_forward, nt.cross_validate])
def test_wrong_ports_are_named(search, change, message) -> None:
    with pytest.raises(nt.InputError, match=message):
        search(BARS, Asks, GRID, **({"recall": Remembers()} | change))


def test_what_a_memory_answers_cannot_be_gone_on_from_or_shared(tmp_path: Path) -> None:
    with pytest.raises(nt.InputError, match="state must be None with recall="):
        nt.sweep(BARS, Asks, GRID, recall=Remembers(), state=tmp_path / "s")
    assert not list(tmp_path.iterdir())
    with ThreadPoolExecutor(1) as pool, pytest.raises(nt.InputError, match="executor must be None with recall="):
        nt.sweep(BARS, Asks, GRID, recall=Remembers(), executor=pool)
