"""Row P15: each strategy of the library over a million generated one-minute bars, compiled and in Python, whole path.

Counted: bars judged, each of which asks the strategy for a decision (of a MarketMaker quotes, of Pairs the bars of both
symbols); beside them what it recorded through `ctx.signal` and the orders it sent. Timed: the whole of `nt.backtest`
and the equity, that is the strategy's preparation, `init` with its indicators, every bar, gate, ledger, equity.
Mirror asks memory and stands apart: one decision with what 100,000 observations add to it.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import neuraltrade as nt

import inputs
import ours
import timing

MEMORY_ROWS, ASKED, NEIGHBOURS = 100_000, 200, 25
SLOW_S = 5.0  # what takes longer is timed twice only
TICK = 0.01

library = nt.strategy.library
Case = tuple[Any, Any, Any]  # data, the strategy to compile, the strategy for Python


def spread_panel(rows: int) -> nt.Panel:
    """Two symbols of rows / 2 bars each, the second away from the first by a spread that reverts."""
    first = ours.bars_of(inputs.minute_bars(rows // 2))
    ts_ns, prices, volume = first.ts_ns, [first.open, first.high, first.low, first.close], first.volume
    steps = np.random.default_rng(3).normal(0.0, 2e-4, len(first)).tolist()
    away, spread = 0.0, np.empty(len(first))
    for row, step in enumerate(steps):
        away = 0.98 * away + step
        spread[row] = away
    return nt.Panel([first, nt.Bars("OTHER", ts_ns, *(column * np.exp(spread) for column in prices), volume)])


def quotes(bars: nt.Bars) -> nt.Quotes:
    """A quote a bar, two ticks wide."""
    middle, size = np.round(bars.close / TICK) * TICK, np.full(len(bars), 5.0)
    return nt.Quotes("PEER", bars.ts_ns, np.round(middle - TICK, 2), size, np.round(middle + TICK, 2), size)


def same(data: Any, strategy: Any) -> Case:
    return data, strategy, strategy


def cases(rows: int) -> dict[str, Callable[[], Case]]:
    """How each is set: thresholds for minutes where a default would never trade on them, else as it comes."""
    bars = ours.bars_of(inputs.minute_bars(rows))
    scores = {"PEER": (bars.ts_ns[::1_000], np.sin(np.arange(len(bars.ts_ns[::1_000]))))}
    members = [library.Momentum, library.MeanReversion]
    return {
        "Momentum": lambda: same(bars, library.Momentum()),
        "EnhancedMomentum": lambda: same(bars, library.EnhancedMomentum.scored(scores)),
        "MeanReversion": lambda: same(bars, library.MeanReversion()),
        "Trend": lambda: same(bars, library.Trend()),
        "Pairs": lambda: same(spread_panel(rows), library.Pairs()),
        "Ensemble": lambda: (
            bars,
            library.Ensemble.of([nt.compiled(one) for one in members]),
            library.Ensemble.of(members),
        ),
        "Forecast": lambda: same(bars, library.Forecast(threshold=0.0002)),
        "MarketMaker": lambda: same(quotes(bars), library.MarketMaker(tick=TICK, size=1.0, max_inventory=5.0)),
    }


def timed(data: Any, strategy: Any, times: int) -> tuple[dict[str, Any], nt.Result]:
    """CPU seconds of the whole call, and its last result."""
    kept: list[nt.Result] = []

    def run() -> None:
        kept[:] = [nt.backtest(data, strategy, cash=1_000_000.0)]
        kept[0].equity  # noqa: B018  (a lazy column would be left out otherwise)

    began = time.process_time()
    run()
    slow = time.process_time() - began > SLOW_S
    return timing.repeat(run, 2 if slow else times, warmups=0), kept[0]


def measured(data: Any, compiled: Any, plain: Any, times: int) -> dict[str, Any]:
    judged = sum(len(one) for one in data.bars) if isinstance(data, nt.Panel) else len(data)
    fast, result = timed(data, nt.compiled(compiled), times)
    slow, other = timed(data, plain, times)
    return {
        "judged": judged,
        "bars_per_s": judged / fast["cpu_s"],
        "python_bars_per_s": judged / slow["cpu_s"],
        "signals": len(result.signals),
        "signals_per_s": len(result.signals) / fast["cpu_s"],
        "orders": len(result.orders),
        "orders_per_s": len(result.orders) / fast["cpu_s"],
        "fills": len(result.fills),
        "same_digest": result.digest == other.digest,
        "compiled": fast,
        "python": slow,
    }


def strategy_row(name: str, found: dict[str, Any]) -> dict[str, Any]:
    unit = "quotes" if name == "MarketMaker" else "bars"
    return {
        "row": "P15",
        "work": f"{name}, {found['judged']:,} {unit}, compiled",
        "ours": f"{found['bars_per_s'] / 1e6:.2f}M {unit} judged/s; recorded signals "
        f"{found['signals_per_s'] / 1e3:.1f}k/s, orders {found['orders_per_s'] / 1e3:.1f}k/s",
        "peer": f"the same in Python: {found['python_bars_per_s'] / 1e6:.2f}M {unit}/s",
        "ratio": f"{found['bars_per_s'] / found['python_bars_per_s']:.1f}x",
        "accuracy": f"{found['signals']:,} signals, {found['orders']:,} orders, {found['fills']:,} fills; "
        + ("equal digest" if found["same_digest"] else "DIGESTS DIFFER"),
        "detail": found,
    }


def from_memory(rows: int) -> dict[str, Any]:
    """Mirror's question of each bar, of what was known then; and the answer of the index for the same."""
    bars = ours.bars_of(inputs.minute_bars(rows))
    asked = bars.ts_ns[-ASKED * 5 :: 5].tolist()
    with tempfile.TemporaryDirectory() as folder, nt.AgentDB.open(folder, cache_queries=0) as db:
        db.observe(bars)
        db.optimize()
        recall = nt.memory.Recall(db, horizon=10)
        exact = timing.latencies(lambda ts_ns: recall.similar("PEER", ts_ns, NEIGHBOURS), asked)
        vectors = {ts_ns: db.observations.range("PEER", ts_ns, ts_ns + 1).vectors()[0] for ts_ns in asked}
        search = db.observations.search
        index = timing.latencies(lambda ts_ns: search(vectors[ts_ns], NEIGHBOURS, as_of=ts_ns), asked)
    return {"exact": exact, "index": index, "enhance": hasattr(nt.ReasoningBank, "enhance")}


def memory_row(rows: int) -> dict[str, Any]:
    rows = min(rows, MEMORY_ROWS)
    found = from_memory(rows)
    exact, index = found["exact"], found["index"]
    bank = "is there and not in this row" if found["enhance"] else "is not there"
    return {
        "row": "P15",
        "work": f"one signal with {NEIGHBOURS} situations of {rows:,} remembered: what Mirror asks (ctx.similar)",
        "ours": f"p50 {1e3 * exact['p50_ms']:.0f} us, p99 {1e3 * exact['p99_ms']:.0f} us",
        "peer": f"the search of an index alone, as known then: p50 {1e3 * index['p50_ms']:.0f} us, "
        f"p99 {1e3 * index['p99_ms']:.0f} us",
        "ratio": f"{index['p50_ms'] / exact['p50_ms']:.2f}x",
        "accuracy": f"a stable search, with the outcomes known then; nt.ReasoningBank.enhance {bank}",
        "detail": found,
    }


def rows_of(rows: int, times: int) -> list[dict[str, Any]]:
    """The rows of the table: one for each strategy, and memory's."""
    found = [strategy_row(name, measured(*case(), times)) for name, case in cases(rows).items()]
    return [*found, memory_row(rows)]
