"""Our side of each row, through public names only."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
import time
import timeit
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import neuraltrade as nt
from neuraltrade.core.indicators import sma

from environments import HERE, prepare
from inputs import FAST, SLOW, recall
from timing import latencies, repeat, repeat_each


class SmaCross(nt.Strategy):
    """Long while the fast average is above the slow one."""

    fast: int = FAST
    slow: int = SLOW

    def init(self, data):
        self.f = data.sma(self.fast)
        self.s = data.sma(self.slow)

    def on_bar(self, ctx):
        if ctx.crossed_above(self.f, self.s):
            ctx.buy()
        elif ctx.crossed_below(self.f, self.s):
            ctx.close_position()


def bars_of(columns: dict[str, np.ndarray], rows: int | None = None) -> nt.Bars:
    names = ("ts_ns", "open", "high", "low", "close", "volume")
    return nt.Bars("PEER", *(np.ascontiguousarray(columns[name][:rows]) for name in names))


def crossings(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Entry and exit arrays of the same rule, for a peer that takes signals: from our own averages."""
    close = np.array(columns["close"])
    fast, slow = sma(close, FAST), sma(close, SLOW)
    above, below = fast > slow, fast < slow
    entries, exits = np.zeros(len(fast), bool), np.zeros(len(fast), bool)
    known = ~np.isnan(slow[:-1])
    entries[1:] = above[1:] & ~above[:-1] & known
    exits[1:] = below[1:] & ~below[:-1] & known
    return {"entries": entries, "exits": exits}


def backtest(bars: nt.Bars, strategy: Any, times: int, fill: str) -> dict[str, Any]:
    """The whole call: indicators, every bar through the loop, the gate and the ledger, and the result's equity."""

    def run() -> nt.Result:
        result = nt.backtest(bars, strategy, cash=1_000_000.0, fill=fill)
        result.equity  # noqa: B018  (a lazy column would be left out otherwise)
        return result

    timed = repeat(run, times)
    result = run()
    return {
        **timed,
        "rows": len(bars),
        "fills": len(result.fills),
        "trades": int(np.count_nonzero(~result.trades["open"])),
        "final_equity": float(result.equity[-1]),
    }


def compiled(bars: nt.Bars, times: int) -> dict[str, Any]:
    return backtest(bars, nt.compiled(SmaCross), times, "vectorbt")


def interpreted(bars: nt.Bars, times: int) -> dict[str, Any]:
    return backtest(bars, SmaCross, times, "backtesting_py")


def every_statistic(bars: nt.Bars, times: int) -> dict[str, Any]:
    """All of result.stats, from a result that has computed none; and what else a reader of it asks for."""

    def finished() -> nt.Result:
        result = nt.backtest(bars, strategy, cash=1_000_000.0, fill="vectorbt")
        result.equity, result.digest  # noqa: B018  (lazy: so that the statistics alone are timed)
        return result

    strategy = nt.compiled(SmaCross)
    result = finished()
    further = {
        "benchmark_stats": lambda made: made.benchmark_stats,
        "trade_stats": lambda made: made.trade_stats(),
        "monthly": lambda made: made.monthly(),
        "drawdowns": lambda made: made.drawdowns(),
        "rolling sharpe": lambda made: made.rolling(1_440, "sharpe"),
    }
    return {
        "stats": repeat_each(finished, lambda made: dict(made.stats), times),
        "further": {name: repeat_each(finished, work, times) for name, work in further.items()},
        "values": dict(result.stats),
        "benchmark": dict(result.benchmark_stats),
        "trades": dict(result.trade_stats()["all"]),
        "fees": float(result.fills["fee"].sum()),
    }


def noop_module() -> ModuleType:
    """tools/peers/noop.pyx, compiled once in its own environment with the interpreter's own headers."""
    python = prepare("noop")
    built = list(python.parent.parent.glob("noop.*.so"))
    if not built:
        with tempfile.TemporaryDirectory() as scratch:
            source = Path(scratch) / "noop.pyx"
            source.write_bytes((HERE / "noop.pyx").read_bytes())
            command = [python, "-m", "Cython.Build.Cythonize", "-q", "-3", "-i", source]
            subprocess.run(command, check=True, cwd=scratch, stdout=subprocess.DEVNULL)
            for library in Path(scratch).glob("noop*.so"):
                (python.parent.parent / library.name).write_bytes(library.read_bytes())
        built = list(python.parent.parent.glob("noop.*.so"))
    spec = importlib.util.spec_from_file_location("noop", built[0])
    if spec is None or spec.loader is None:
        sys.exit(f"cannot load {built[0]}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def per_call_ns(statement: str, names: dict[str, Any], times: int = 7) -> dict[str, float]:
    """Nanoseconds of one call in a timeit loop, the loop included, as for the no-op it is compared with."""
    timer = timeit.Timer(statement, globals=names)
    count, _ = timer.autorange()
    taken = sorted(1e9 * seconds / count for seconds in timer.repeat(times, count))
    return {"median_ns": taken[times // 2], "min_ns": taken[0], "max_ns": taken[-1]}


SOME_ORDER = 1_007


def filled_session() -> nt.SessionMemory:
    """A session with 100 symbols held and observed, and 1,000 orders working."""
    session = nt.SessionMemory(cash=1e9)
    for number in range(100):
        session.apply_fill(f"S{number}", "buy", 10.0, 100.0 + number)
        for minute in range(200):
            session.observe(f"S{number}", (minute + 1) * 60_000_000_000, price=100.0 + minute)
    for order in range(1_000, 2_000):
        session.order_opened(order)
    return session


def session_calls(times: int) -> dict[str, dict[str, float]]:
    """Position lookup, order check, last 100 observations, and an empty Cython method in the same kind of loop."""
    session = filled_session()
    names = {"session": session, "noop": noop_module().NoOp()}
    return {
        "no-op": per_call_ns("noop.method('S7')", names, times),
        "position": per_call_ns("session.position('S7')", names, times),
        "is_active": per_call_ns("session.is_active(1_007)", names, times),
        "recent 100": per_call_ns("session.recent('S7', 100)", names, times),
    }


def knn(folder: Path, data: dict[str, np.ndarray], times: int) -> dict[str, Any]:
    """AgentDB on disk: add, optimize, then one query at a time and in a batch."""
    vectors, queries, truth = data["vectors"], np.array(data["queries"]), np.array(data["truth"])
    k = truth.shape[1]
    with nt.AgentDB.open(folder, cache_queries=0) as db:
        began = time.perf_counter()
        for start in range(0, len(vectors), 10_000):
            part = np.ascontiguousarray(vectors[start : start + 10_000])
            db.observations.add(part, symbol="PEER", ts_ns=np.arange(start, start + len(part), dtype=np.int64) + 1)
        add_s = time.perf_counter() - began
        began = time.perf_counter()
        db.optimize()
        optimize_s = time.perf_counter() - began
        found = np.array([db.observations.search(query, k=k).ids for query in queries], dtype=np.int64)
        first = int(db.observations.search(np.array(vectors[0]), k=1).ids[0])
        timed = latencies(lambda query: db.observations.search(query, k=k), queries)
        batch = repeat(lambda: db.observations.search_many(queries, k=k), times)
    return {
        "recall": recall(found - first, truth),
        **timed,
        "queries_per_s": len(queries) / batch["median_s"],
        "add_rows_per_s": len(vectors) / add_s,
        "optimize_s": optimize_s,
    }
