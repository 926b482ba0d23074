"""What an engine run remembers: situations similar to a bar, as known at that bar, with what followed each of them.

Every search is a stable one (`search(stable=True)`) and every outcome is computed from prices known by then, so equal
content gives equal answers whatever has been indexed, in a backtest and live.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import InputError
from ..ports import SIMILAR_DTYPE
from ..vectors.block import BANISHED, Block
from .agentdb import AgentDB
from .recall_series import ROW_DTYPE, Series
from .typed import TypedCollection

HORIZON_MAX = 100_000


class Recall:
    """A ports.Recall over an AgentDB's observations: `nt.backtest(..., recall=Recall(db))`, then `ctx.similar(k)`.

    db : observed already (`db.observe(bars)`): the bar asked about must be there. horizon : the outcome of a situation
    is the return of its symbol over that many of its observations. settled : leave out situations whose outcome was
    not known yet (False: keep them, outcome NaN). same_symbol : look among the bar's own symbol only.
    exact : compare with every observation however many there are, which takes 2 ms for 100,000 rather than 0.4.

    >>> import tempfile
    >>> import neuraltrade as nt
    >>> bars = nt.datasets.load("AAPL")[-300:]
    >>> with tempfile.TemporaryDirectory() as folder, nt.AgentDB.open(folder + "/memory") as db:
    ...     _ = db.observe(bars)
    ...     found = nt.memory.Recall(db, horizon=5).similar("AAPL", int(bars.ts_ns[200]), 3)
    >>> bool(found["ts_ns"].max() <= bars.ts_ns[195])
    True
    """

    def __init__(
        self, db: AgentDB, horizon: int = 5, *, settled: bool = True, same_symbol: bool = False, exact: bool = False
    ) -> None:
        if isinstance(horizon, bool) or not isinstance(horizon, int | np.integer) or not 1 <= horizon <= HORIZON_MAX:
            raise InputError(f"horizon must be an int in 1..{HORIZON_MAX}, was {horizon!r}")
        self.observations: TypedCollection = db.observations
        self.horizon = int(horizon)
        self.settled = bool(settled)
        self.same_symbol = bool(same_symbol)
        self.exact = bool(exact)
        self._version: tuple[int, int] | None = None
        self._series: dict[str, Series] = {}

    def similar(self, symbol: str, ts_ns: int, k: int) -> np.ndarray:
        """SIMILAR_DTYPE[m], m <= k, nearest first: what was known at ts_ns, the bar's own observation left out.

        outcome : return over `horizon` observations after it. Raises InputError where the bar was not observed.
        """
        series = self._read().get(symbol)
        at = -1 if series is None else series.place(ts_ns)
        if series is None or at < 0:
            raise InputError(f"no observation of {symbol!r} at {ts_ns}: call db.observe(bars) with its bars first")
        own = int(series.id_of(at))
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
            vector, k + 1 + spare, symbol=symbol if self.same_symbol else None, as_of=as_of,
            exact=self.exact, stable=not self.exact,
        )  # fmt: skip
        outcomes = np.full(len(hits), np.nan)
        names = hits.column("symbol")
        for name in set(names.tolist()):
            mine = np.flatnonzero(names == name)
            outcomes[mine] = self._series[name].outcomes(
                known[name], hits.ids[mine], hits.ts_ns[mine], as_of, self.horizon
            )
        taken = (hits.ids != own) if not self.settled else (hits.ids != own) & ~np.isnan(outcomes)
        chosen = np.flatnonzero(taken)[:k]
        found = np.zeros(len(chosen), SIMILAR_DTYPE)
        for field, values in (("id", hits.ids), ("ts_ns", hits.ts_ns), ("distance", hits.distances)):
            found[field] = values[chosen]
        found["outcome"] = outcomes[chosen]
        return found

    def _read(self) -> dict[str, Series]:
        """The observations by symbol. Rows added since the last reading are read; all of them, where some were
        replaced, deleted or moved.
        """
        collection = self.observations.collection
        blocks, version = collection.consistent(
            lambda blocks: (collection.revision, sum(block.count for block in blocks))
        )
        if version == self._version:
            return self._series
        grown = self._version is not None and self._version[0] == version[0]
        rows = _columns(blocks, self._version[1] if grown and self._version is not None else 0)
        if not grown:
            self._series = {}
        for symbol in sorted(set(rows["symbol"].tolist())):
            mine = rows[rows["symbol"] == symbol]
            series = self._series.get(symbol)
            if series is None:
                self._series[symbol] = Series(mine)
            elif not series.append(mine):
                self._series[symbol] = Series(np.concatenate((series.rows(symbol), mine)))
        self._version = version
        return self._series


def _columns(blocks: Sequence[Block], start: int) -> np.ndarray:
    """ROW_DTYPE[n]: rows of the blocks from the start-th on, without those deleted."""
    parts = []
    for block in blocks:
        begin = min(start, block.count)
        start -= begin
        alive = np.flatnonzero(block.until_ns[begin:] != BANISHED) + begin
        if not len(alive):
            continue
        rows = np.empty(len(alive), ROW_DTYPE)
        for name in ("id", "ts_ns", "known_ns", "price"):
            rows[name] = block.column(name)[alive]
        rows["symbol"] = np.array(block.vocabulary["symbol"][0], object)[block.texts["symbol"][alive]]
        parts.append(rows)
    return np.concatenate([np.empty(0, ROW_DTYPE), *parts])
