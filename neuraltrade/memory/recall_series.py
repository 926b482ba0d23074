"""One symbol's observations in order of time, with every version, as Recall walks them. Grows at its end without being
copied, since a session adds one observation a bar and asks after each.
"""

from __future__ import annotations

import numpy as np

ROW_DTYPE = np.dtype([("id", "<u8"), ("ts_ns", "<i8"), ("known_ns", "<i8"), ("price", "<f8"), ("symbol", object)])
_NAMES = ("id", "ts_ns", "known_ns", "price")


class Series:
    """Versions ascending by (ts_ns, id, known_ns); an observation is a run of versions with one id."""

    def __init__(self, rows: np.ndarray) -> None:
        """rows : ROW_DTYPE[n], n > 0, of one symbol, in any order. Copies."""
        rows = rows[np.lexsort((rows["known_ns"], rows["id"], rows["ts_ns"]))]
        self._versions = {name: rows[name].copy() for name in _NAMES}
        self._version_count = len(rows)
        ids = self._versions["id"]
        starts = np.flatnonzero(np.concatenate(([True], ids[1:] != ids[:-1])))
        self._first = np.append(starts, len(rows))  # of each observation its first version; one more at the end
        self._count = len(starts)
        self._in_order = bool((np.diff(self._versions["known_ns"][starts]) >= 0).all())

    def append(self, rows: np.ndarray) -> bool:
        """Whether the rows could be put at the end: each of a new observation, after the last in (ts_ns, id), and not
        known before it. If not, nothing has changed.
        """
        last = self._count - 1
        before = (self._at("ts_ns", last), self._at("id", last), self._at("known_ns", last))
        for ts_ns, id_, known in zip(*(rows[name].tolist() for name in ("ts_ns", "id", "known_ns")), strict=True):
            if (ts_ns, id_) <= before[:2] or known < before[2]:
                return False
            before = (ts_ns, id_, known)
        start, stop = self._version_count, self._version_count + len(rows)
        for name in _NAMES:
            self._versions[name] = _grown(self._versions[name], stop)
            self._versions[name][start:stop] = rows[name]
        self._first = _grown(self._first, self._count + len(rows) + 1)
        self._first[self._count : self._count + len(rows) + 1] = np.arange(start, stop + 1)
        self._version_count, self._count = stop, self._count + len(rows)
        return True

    def rows(self, symbol: str) -> np.ndarray:
        """ROW_DTYPE[n]: every version."""
        found = np.empty(self._version_count, ROW_DTYPE)
        for name in _NAMES:
            found[name] = self._versions[name][: self._version_count]
        found["symbol"] = symbol
        return found

    def known_by(self, as_of: int) -> range | np.ndarray:
        """Observations that had a version by `as_of`, ascending by time."""
        if self._in_order:
            low, high = 0, self._count
            while low < high:
                middle = (low + high) // 2
                low, high = (middle + 1, high) if self._at("known_ns", middle) <= as_of else (low, middle)
            return range(low)
        known = self._versions["known_ns"][self._first[: self._count]]
        return np.flatnonzero(known <= as_of)

    def place(self, ts_ns: int, id_: int = 0) -> int:
        """Which observation stands at a time (the one with that id, if several); -1 if none does."""
        at = int(np.searchsorted(self._versions["ts_ns"][: self._version_count], ts_ns))
        at = int(np.searchsorted(self._first[: self._count + 1], at))  # the first version of an observation
        while at < self._count and self._at("ts_ns", at) == ts_ns:
            if id_ in (0, self.id_of(at)):
                return at
            at += 1
        return -1

    def id_of(self, observation: int) -> int:
        """The id of an observation."""
        return self._at("id", observation)

    def outcomes(
        self, known: range | np.ndarray, ids: np.ndarray, ts_ns: np.ndarray, as_of: int, horizon: int
    ) -> np.ndarray:
        """float64[m]: return from each of these observations to the one `horizon` later among those known, by prices
        known at `as_of`; NaN while that is open.
        """
        at = self._places(ids, ts_ns)
        after = (at if isinstance(known, range) else np.searchsorted(known, at)) + horizon
        told = np.flatnonzero(after < len(known))
        later = after[told] if isinstance(known, range) else known[after[told]]
        found = np.full(len(at), np.nan)
        found[told] = self._prices(later, as_of) / self._prices(at[told], as_of) - 1.0
        return found

    def _places(self, ids: np.ndarray, ts_ns: np.ndarray) -> np.ndarray:
        """Which observations have these ids and times; all are there."""
        at = np.searchsorted(self._versions["ts_ns"][: self._version_count], ts_ns)
        at = np.searchsorted(self._first[: self._count + 1], at)
        for i in np.flatnonzero(self._versions["id"][self._first[at]] != ids).tolist():  # others stand at its time
            at[i] = self.place(int(ts_ns[i]), int(ids[i]))
        return at

    def _prices(self, observations: np.ndarray, as_of: int) -> np.ndarray:
        """The price each had by `as_of`."""
        newest = self._first[observations + 1] - 1
        found: np.ndarray = self._versions["price"][newest]
        for i in np.flatnonzero(self._versions["known_ns"][newest] > as_of).tolist():  # it has changed since
            found[i] = self._price_of(int(observations[i]), as_of)
        return found

    def _price_of(self, observation: int, as_of: int) -> float:
        """The price an observation had by `as_of`: that of its newest version then."""
        start, stop = int(self._first[observation]), int(self._first[observation + 1])
        known, price = self._versions["known_ns"], self._versions["price"]
        while stop > start and known[stop - 1] > as_of:
            stop -= 1
        return float(price[stop - 1]) if stop > start else float("nan")

    def _at(self, name: str, observation: int) -> int:
        return int(self._versions[name][self._first[observation]])


def _grown(array: np.ndarray, count: int) -> np.ndarray:
    """The array with room for `count` values; doubled where it had too little."""
    if count <= len(array):
        return array
    larger = np.empty(max(count, 2 * len(array)), array.dtype)
    larger[: len(array)] = array
    return larger
