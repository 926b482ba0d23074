"""What an engine run remembers: situations similar to a bar, as known at that bar, with what followed each of them.

Every search is exact and every outcome is computed from prices known by then, so equal content gives equal answers
whatever has been indexed, in a backtest and live.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..errors import InputError
from ..ports import SIMILAR_DTYPE
from .agentdb import AgentDB
from .typed import TypedCollection

HORIZON_MAX = 100_000


class Series(NamedTuple):
    """One symbol's observations: every version, ascending by (ts_ns, id), then known_ns."""

    ids: np.ndarray
    ts_ns: np.ndarray
    known_ns: np.ndarray
    price: np.ndarray
    first: np.ndarray  # for each observation, the place of its first version; one more at the end
    in_order: bool  # whether first versions became known in order of ts_ns

    def known_by(self, as_of: int) -> np.ndarray:
        """Observations that had a version by `as_of`, ascending by time."""
        known = self.known_ns[self.first[:-1]]
        if self.in_order:
            return np.arange(np.searchsorted(known, as_of, side="right"))
        return np.flatnonzero(known <= as_of)

    def price_of(self, observation: int, as_of: int) -> float:
        """The price an observation had by `as_of`: that of its newest version then."""
        start, stop = int(self.first[observation]), int(self.first[observation + 1])
        while stop > start and self.known_ns[stop - 1] > as_of:
            stop -= 1
        return float(self.price[stop - 1]) if stop > start else float("nan")


class Recall:
    """A ports.Recall over an AgentDB's observations: `nt.backtest(..., recall=Recall(db))`, then `ctx.similar(k)`.

    db : observed already (`db.observe(bars)`): the bar asked about must be there. horizon : the outcome of a situation
    is the return of its symbol over that many of its observations. settled : leave out situations whose outcome was
    not known yet (False: keep them, outcome NaN). same_symbol : look among the bar's own symbol only.

    >>> import tempfile
    >>> import neuraltrade as nt
    >>> bars = nt.datasets.load("AAPL")[-300:]
    >>> with tempfile.TemporaryDirectory() as folder, nt.AgentDB.open(folder + "/memory") as db:
    ...     _ = db.observe(bars)
    ...     found = nt.memory.Recall(db, horizon=5).similar("AAPL", int(bars.ts_ns[200]), 3)
    >>> bool(found["ts_ns"].max() <= bars.ts_ns[195])
    True
    """

    def __init__(self, db: AgentDB, horizon: int = 5, *, settled: bool = True, same_symbol: bool = False) -> None:
        if isinstance(horizon, bool) or not isinstance(horizon, int | np.integer) or not 1 <= horizon <= HORIZON_MAX:
            raise InputError(f"horizon must be an int in 1..{HORIZON_MAX}, was {horizon!r}")
        self.observations: TypedCollection = db.observations
        self.horizon = int(horizon)
        self.settled = bool(settled)
        self.same_symbol = bool(same_symbol)
        self._version: tuple[int, int] | None = None
        self._series: dict[str, Series] = {}

    def similar(self, symbol: str, ts_ns: int, k: int) -> np.ndarray:
        """SIMILAR_DTYPE[m], m <= k, nearest first: what was known at ts_ns, the bar's own observation left out.

        outcome : return over `horizon` observations after it. Raises InputError where the bar was not observed.
        """
        series = self._read().get(symbol)
        at = -1 if series is None else self._place(series, ts_ns)
        if series is None or at < 0:
            raise InputError(f"no observation of {symbol!r} at {ts_ns}: call db.observe(bars) with its bars first")
        own = int(series.ids[series.first[at]])
        block, row = self.observations.collection.locate(own, ts_ns)
        return self._nearest(own, block.codes[row].astype(np.float32), symbol, ts_ns, k)

    def similar_to(self, vector: np.ndarray, ts_ns: int, k: int, symbol: str | None = None) -> np.ndarray:
        """The same for a vector that is not (yet) among the observations. float32[512]; as known at ts_ns."""
        self._read()
        return self._nearest(0, vector, symbol, ts_ns, k)

    def _nearest(self, own: int, vector: np.ndarray, symbol: str | None, as_of: int, k: int) -> np.ndarray:
        known = {name: one.known_by(as_of) for name, one in self._series.items()}
        spare = sum(min(self.horizon, len(rows)) for rows in known.values()) if self.settled else 0
        hits = self.observations.search(
            vector, k + 1 + spare, symbol=symbol if self.same_symbol else None, as_of=as_of, exact=True
        )
        found = np.zeros(min(k, len(hits)), SIMILAR_DTYPE)
        count = 0
        columns = zip(
            hits.ids.tolist(), hits.ts_ns.tolist(), hits.distances.tolist(), hits.column("symbol").tolist(), strict=True
        )
        for id_, ts_ns, distance, name in columns:
            outcome = self._outcome(self._series[name], known[name], id_, ts_ns, as_of)
            if id_ == own or (self.settled and np.isnan(outcome)):
                continue
            found[count] = (id_, ts_ns, distance, outcome)
            count += 1
            if count == len(found):
                break
        return found[:count]

    def _outcome(self, series: Series, known: np.ndarray, id_: int, ts_ns: int, as_of: int) -> float:
        """Return over the horizon from an observation on, by the prices known at `as_of`; NaN while that is open."""
        at = self._place(series, ts_ns, id_)
        after = int(np.searchsorted(known, at)) + self.horizon
        if after >= len(known):
            return float("nan")
        return series.price_of(int(known[after]), as_of) / series.price_of(at, as_of) - 1.0

    def _place(self, series: Series, ts_ns: int, id_: int = 0) -> int:
        """Which observation of a series stands at a time (the one with that id, if several); -1 if none does."""
        times, ids = series.ts_ns[series.first[:-1]], series.ids[series.first[:-1]]
        at = int(np.searchsorted(times, ts_ns))
        while at < len(times) and times[at] == ts_ns:
            if id_ in (0, int(ids[at])):
                return at
            at += 1
        return -1

    def _read(self) -> dict[str, Series]:
        """The observations by symbol, read again when there are new ones."""
        blocks, version = self.observations.collection.consistent(
            lambda blocks: (self.observations.collection.revision, sum(block.count for block in blocks))
        )
        if version == self._version:
            return self._series
        columns: dict[str, list[Any]] = {"id": [], "ts_ns": [], "known_ns": [], "price": [], "symbol": []}
        for block in blocks:
            alive = block.until_ns > np.iinfo(np.int64).min
            for name in ("id", "ts_ns", "known_ns", "price"):
                columns[name].append(block.column(name)[alive])
            columns["symbol"].append(np.array(block.vocabulary["symbol"][0], object)[block.texts["symbol"][alive]])
        whole = {name: np.concatenate(parts) for name, parts in columns.items()}
        self._series = {symbol: _series(whole, symbol) for symbol in sorted(set(whole["symbol"].tolist()))}
        self._version = version
        return self._series


def _series(columns: dict[str, np.ndarray], symbol: str) -> Series:
    rows = np.flatnonzero(columns["symbol"] == symbol)
    ids, ts_ns, known = columns["id"][rows], columns["ts_ns"][rows], columns["known_ns"][rows]
    order = np.lexsort((known, ids, ts_ns))
    ids, ts_ns, known = ids[order], ts_ns[order], known[order]
    starts = np.flatnonzero(np.concatenate(([True], ids[1:] != ids[:-1])))
    first = np.append(starts, len(ids))
    in_order = bool((np.diff(known[starts]) >= 0).all())
    return Series(ids, ts_ns, known, columns["price"][rows][order], first, in_order)
