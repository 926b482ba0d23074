"""The situations most like one remembered bar, as known at a time, and how they turned out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..clock import iso
from ..errors import InputError
from ..market import Bars
from ..memory import AgentDB
from ..report import Neighbour, SimilarSection
from ..vectors import Filter
from .output import Output

WINDOW = 60  # bars shown before a situation
CANDIDATES = 40  # rows asked for each situation wanted, before neighbouring days are joined
DAY_NS = 86_400_000_000_000


@dataclass(frozen=True)
class Situations:
    """One remembered bar and its neighbours, nearest first: ids, symbols, times, distances, and the returns that
    followed."""

    symbol: str
    ts_ns: int
    as_of_ns: int
    ids: np.ndarray
    symbols: list[str]
    times: np.ndarray
    distances: np.ndarray
    outcomes: np.ndarray

    def rows(self) -> list[dict[str, object]]:
        """One mapping a neighbour, nearest first."""
        columns = zip(self.ids, self.symbols, self.times, self.distances, self.outcomes, strict=True)
        return [
            {"id": int(i), "symbol": s, "time": iso(int(t)), "distance": float(d), "outcome": float(o)}
            for i, s, t, d, o in columns
        ]


def find_similar(db: AgentDB, symbol: str, as_of_ns: int | None, k: int, apart_days: float = 30.0) -> Situations:
    """The k observations nearest to the symbol's last one known at `as_of_ns`, of those whose outcome was known then.

    Only what was known then counts: later rows and later outcomes do not show. Neighbouring days look alike and share
    their outcomes, so of situations of one symbol less than `apart_days` apart the nearest stands for all. Fewer than
    k where there are not so many. Raises InputError where the store has no observation of that symbol by then.
    """
    own = db.observations.range(symbol, as_of=as_of_ns, limit=None)
    if not len(own):
        raise InputError(f"--symbol: the store has no observation of {symbol!r} known by then")
    query = db.observations.get(int(own.ids[-1]), as_of=as_of_ns)
    moment = int(query.known_ns if as_of_ns is None else as_of_ns)
    finished = Filter.gte("outcome", -1.0)  # a return; NaN, not known yet, is not >= anything
    hits = db.observations.search(query.vector, k=CANDIDATES * k, end=query.ts_ns, as_of=moment, where=finished)
    symbols = [str(name) for name in hits.column("symbol")] if len(hits) else []
    kept = spread_out(symbols, hits.ts_ns, int(apart_days * DAY_NS))[:k]
    return Situations(
        symbol=symbol,
        ts_ns=int(query.ts_ns),
        as_of_ns=moment,
        ids=hits.ids[kept],
        symbols=[symbols[row] for row in kept],
        times=hits.ts_ns[kept],
        distances=hits.distances[kept],
        outcomes=np.asarray(hits.column("outcome"), np.float64)[kept] if len(hits) else np.empty(0),
    )


def spread_out(symbols: Sequence[str], times: np.ndarray, apart_ns: int) -> list[int]:
    """Rows in their order, without those closer than `apart_ns` to an earlier one of the same symbol."""
    kept: list[int] = []
    for row, (symbol, ts_ns) in enumerate(zip(symbols, times.tolist(), strict=True)):
        if all(symbols[other] != symbol or abs(int(times[other]) - ts_ns) >= apart_ns for other in kept):
            kept.append(row)
    return kept


def tell(out: Output, found: Situations) -> None:
    """The neighbours as a table and their outcomes in one line."""
    out.say(f"most similar to {found.symbol} on {iso(found.ts_ns)[:10]}, as known on {iso(found.as_of_ns)[:10]}:")
    columns = zip(found.symbols, found.times, found.distances, found.outcomes, strict=True)
    rows = [
        [symbol, iso(int(ts))[:10], f"{distance:.3f}", f"{outcome:+.2%}"] for symbol, ts, distance, outcome in columns
    ]
    out.table(["symbol", "day", "distance", "followed by"], rows)
    if rows:
        rose, worst, best = int(np.count_nonzero(found.outcomes > 0)), found.outcomes.min(), found.outcomes.max()
        out.say(f"{rose} of {len(rows)} rose: median {np.median(found.outcomes):+.2%}, {worst:+.2%} to {best:+.2%}")


def section(found: Situations, bars: Mapping[str, Bars], horizon: int) -> SimilarSection:
    """The same for a page: windows of closes around the query and around each neighbour."""
    neighbours = []
    for symbol, ts, distance, outcome in zip(found.symbols, found.times, found.distances, found.outcomes, strict=True):
        before, after = window(bars[symbol], int(ts), horizon)
        neighbours.append(Neighbour(symbol, int(ts), float(distance), before, after, float(outcome)))
    query, _ = window(bars[found.symbol], found.ts_ns, horizon)
    return SimilarSection(found.symbol, found.ts_ns, query, neighbours, horizon, as_of_ns=found.as_of_ns)


def window(bars: Bars, ts_ns: int, horizon: int) -> tuple[np.ndarray, np.ndarray]:
    """Closes up to the bar at `ts_ns`, and those of the `horizon` bars after it."""
    row = int(np.searchsorted(bars.ts_ns, ts_ns))
    return bars.close[max(0, row + 1 - WINDOW) : row + 1], bars.close[row + 1 : row + 1 + horizon]
