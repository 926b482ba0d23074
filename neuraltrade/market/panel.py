"""Several symbols on one clock."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from .. import clock
from ..errors import InputError
from .bars import Bars


class Panel:
    """Bars of several symbols on the union of their clocks; each symbol keeps its own rows.

    bars : Bars of distinct symbols, at least one; their order is the panel's order. Not copied.

    `len(panel)` is the number of symbols, iteration gives their Bars, `panel["AAPL"]` one of them.
    Raises InputError if empty, not Bars, or a symbol repeats.

    >>> import neuraltrade as nt
    >>> panel = nt.Panel([nt.datasets.load("AAPL"), nt.datasets.load("GOOG")])
    >>> panel.symbols, len(panel.ts_ns), len(panel["GOOG"])
    (('AAPL', 'GOOG'), 3270, 2148)
    """

    __slots__ = ("_bars", "_ts_ns")

    def __init__(self, bars: Iterable[Bars]) -> None:
        if isinstance(bars, Bars) or not isinstance(bars, Iterable):
            raise InputError(f"bars must be a list of Bars, was {type(bars).__name__}")
        self._bars = tuple(bars)
        if not self._bars:
            raise InputError("bars is empty: a panel needs at least one symbol")
        seen: set[str] = set()
        for position, one in enumerate(self._bars):
            if not isinstance(one, Bars):
                raise InputError(f"bars[{position}] must be Bars, was {type(one).__name__}")
            if one.symbol in seen:
                raise InputError(f"bars[{position}] repeats the symbol {one.symbol!r}")
            seen.add(one.symbol)
        self._ts_ns = union_clock(self._bars)

    @property
    def bars(self) -> tuple[Bars, ...]:
        """The Bars, in panel order."""
        return self._bars

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols, in panel order."""
        return tuple(one.symbol for one in self._bars)

    @property
    def ts_ns(self) -> np.ndarray:
        """int64[m], every time at which some symbol has a bar, ascending, read-only."""
        return self._ts_ns

    def __getitem__(self, symbol: str) -> Bars:
        for one in self._bars:
            if one.symbol == symbol:
                return one
        near = difflib.get_close_matches(str(symbol), self.symbols, n=1, cutoff=0.4)
        hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(self.symbols)}"
        raise InputError(f"symbol {symbol!r} is not in the panel{hint}")

    def __contains__(self, symbol: object) -> bool:
        return symbol in self.symbols

    def __iter__(self) -> Iterator[Bars]:
        return iter(self._bars)

    def __len__(self) -> int:
        return len(self._bars)

    def between(self, start: Any = None, end: Any = None) -> Panel:
        """The panel with start <= ts_ns < end, as views (see Bars.between). A symbol without bars there is an error.

        >>> import neuraltrade as nt
        >>> panel = nt.Panel([nt.datasets.load("AAPL"), nt.datasets.load("IBM")])
        >>> len(panel.between("2012-01-03", "2013-01-02").ts_ns)
        250
        """
        return Panel([one.between(start, end) for one in self._bars])

    def rows(self, symbol: str) -> np.ndarray:
        """int64[len(panel[symbol])]: the position of each of the symbol's bars on the panel's clock.

        >>> import neuraltrade as nt
        >>> panel = nt.Panel([nt.datasets.load("AAPL"), nt.datasets.load("GOOG")])
        >>> panel.rows("GOOG")[0]
        np.int64(1122)
        """
        return np.searchsorted(self._ts_ns, self[symbol].ts_ns)

    def __eq__(self, other: object) -> bool:
        return self._bars == other._bars if isinstance(other, Panel) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return Panel, (list(self._bars),)

    def __repr__(self) -> str:
        span = f"{clock.iso(int(self._ts_ns[0]))} .. {clock.iso(int(self._ts_ns[-1]))}"
        return f"Panel([{', '.join(self.symbols)}], {len(self._ts_ns)} times, {span})"


def union_clock(bars: tuple[Bars, ...]) -> np.ndarray:
    """Sorted distinct times of all; the first symbol's own array if all share it."""
    union = clock.union([one.ts_ns for one in bars])
    if union is not bars[0].ts_ns:
        union.flags.writeable = False
    return union
