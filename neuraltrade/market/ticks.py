"""Quotes, trades and depth changes of one symbol: read-only columns, checked once, sliced as views.

Every row has two times. `ts_ns` is the venue's: when it happened. `local_ns` is ours: when we heard of it. Without
`local_ns` both are one. Rows come in the order they were heard, so `local_ns` must not fall, while `ts_ns` may; without
`local_ns` it is `ts_ns` that must not fall. Equal times are fine.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .. import clock
from ..errors import InputError
from . import checks
from .tick_checks import CHECKS, whole_column

if TYPE_CHECKING:
    from typing import Self

TIMES = ("ts_ns", "local_ns")


class TickRows:
    """What Quotes, Trades and Depth share. `KIND` names the rows, `COLUMNS` their values beside the times."""

    KIND: ClassVar[str] = ""
    COLUMNS: ClassVar[tuple[str, ...]] = ()
    SIGNS: ClassVar[tuple[str, ...]] = ()
    """Of the columns those that hold -1, 0 or 1 (int8); the others are float64."""

    __slots__ = ("_columns", "_delayed", "_symbol")

    def __init__(self, symbol: str, ts_ns: Any, values: dict[str, Any], local_ns: Any) -> None:
        self._symbol = checks.symbol_name(symbol)
        stamps = checks.times(ts_ns)
        heard = stamps if local_ns is None else checks.times(local_ns, "local_ns")
        columns = {
            name: whole_column(given, name) if name in self.SIGNS else checks.column(given, name)
            for name, given in values.items()
        }
        for name, column in (("local_ns", heard), *columns.items()):
            if column.size != stamps.size:
                raise InputError(f"{name} has {column.size} rows, ts_ns has {stamps.size}: all columns need one length")
        if stamps.size == 0:
            raise InputError(f"ts_ns is empty: {self.KIND} need at least one row")
        _not_falling(heard, "ts_ns" if local_ns is None else "local_ns")
        columns = CHECKS[self.KIND](columns)
        self._delayed = local_ns is not None
        self._columns: tuple[np.ndarray, ...] = (stamps, heard, *columns.values())

    @classmethod
    def _view(cls, symbol: str, columns: tuple[np.ndarray, ...], delayed: bool) -> Self:
        """Rows over columns that are known to be valid and read-only."""
        self = cls.__new__(cls)
        self._symbol, self._columns, self._delayed = symbol, columns, delayed
        return self

    @classmethod
    def from_frame(cls, df: Any, *, symbol: str) -> Self:
        """Rows of a pandas or polars frame, a pyarrow table, or anything with `__arrow_c_stream__`.

        df : the columns of the constructor in any case, others are ignored; `local_ns` may be missing. The time is
            ts_ns, timestamp, datetime, date or time, or else the index; integers are nanoseconds.

        Needs pyarrow (extra `frames`). Raises InputError as the constructor does, DependencyMissing without pyarrow.
        """
        from . import frames, tick_frames  # noqa: PLC0415  (pyarrow costs 0.16 s to import)

        return cls(symbol, **tick_frames.columns_of(frames.table_of(df), cls.COLUMNS))

    @classmethod
    def read(cls, path: str | os.PathLike[str], *, symbol: str) -> Self:
        """Rows of a .parquet or .csv file; columns as in `from_frame`, errors too."""
        from . import frames, tick_frames  # noqa: PLC0415

        return cls(symbol, **tick_frames.columns_of(frames.read_table(path), cls.COLUMNS))

    @property
    def symbol(self) -> str:
        """Name of the instrument."""
        return self._symbol

    @property
    def ts_ns(self) -> np.ndarray:
        """int64[n], the venue's time of each row, nanoseconds UTC, read-only."""
        return self._columns[0]

    @property
    def local_ns(self) -> np.ndarray:
        """int64[n], when each row was heard, read-only; `ts_ns` itself where no other was given."""
        return self._columns[1]

    def columns(self) -> tuple[np.ndarray, ...]:
        """(ts_ns, local_ns, then COLUMNS): C-contiguous and read-only, not copied."""
        return self._columns

    def with_latency(self, floor_ns: int = 1_000_000) -> Self:
        """The same rows with a recorder's clock set right: `local_ns` less its least lead over `ts_ns`, plus a floor.

        floor_ns : latency of the fastest row, not negative. Rows without `local_ns` all get this latency.

        Several streams of one recorder share one clock: correct them together, `Ticks(...).with_latency()`.
        """
        return self._moved(shift_of([self], floor_ns))

    def _moved(self, shift: int) -> Self:
        """The rows heard `shift` later."""
        last = int(self.local_ns[-1]) + shift
        if not -(2**63) <= int(self.local_ns[0]) + shift <= last < 2**63:
            raise InputError(f"local_ns moved by {shift} leaves the range of int64 nanoseconds")
        heard = self.local_ns + shift
        heard.flags.writeable = False
        return self._view(self._symbol, (self._columns[0], heard, *self._columns[2:]), True)

    def __len__(self) -> int:
        return int(self._columns[0].size)

    def __getitem__(self, key: slice) -> Self:
        """`rows[start:stop]`, views."""
        if not isinstance(key, slice):
            raise InputError(f"{self.KIND}[...] takes start:stop, was {key!r}")
        start, stop, step = key.indices(len(self))
        if step != 1:
            raise InputError(f"{self.KIND}[{key.start}:{key.stop}:{key.step}]: the step must be 1")
        if stop <= start:
            raise InputError(f"{self.KIND}[{key.start}:{key.stop}] is empty; there are {len(self)} rows")
        return self._view(self._symbol, tuple(column[start:stop] for column in self._columns), self._delayed)

    def to_frame(self, library: str = "pandas") -> Any:
        """A copy as a "pandas" or "polars" DataFrame or a "pyarrow" Table: UTC times, then values.

        `from_frame(rows.to_frame(), symbol=...)` equals `rows`. Raises DependencyMissing if it is not installed.
        """
        from . import tick_frames  # noqa: PLC0415

        named = dict(zip((*TIMES, *self.COLUMNS), self._columns, strict=True))
        if not self._delayed:
            del named["local_ns"]
        return tick_frames.to_frame(named, library)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        assert isinstance(other, TickRows)
        pairs = zip(self._columns, other._columns, strict=True)
        return self._symbol == other._symbol and all(
            np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in pairs
        )

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self)._view, (self._symbol, self._columns, self._delayed)

    def __repr__(self) -> str:
        span = f"{clock.iso(int(self.ts_ns[0]))} .. {clock.iso(int(self.ts_ns[-1]))}"
        return f"{type(self).__name__}({self._symbol!r}, {len(self)} rows, {span})"


def shift_of(streams: list[TickRows], floor_ns: int) -> int:
    """What to add to `local_ns` so that the fastest row of all streams has the latency `floor_ns`."""
    if isinstance(floor_ns, bool) or not isinstance(floor_ns, (int, np.integer)) or not 0 <= floor_ns < 2**62:
        raise InputError(f"floor_ns must be an int in 0..2**62 - 1, was {floor_ns!r}")
    return int(floor_ns) - min(least_lead(one) for one in streams)


def least_lead(stream: TickRows) -> int:
    """The smallest local_ns - ts_ns of its rows, without wrapping."""
    if stream.local_ns is stream.ts_ns:
        return 0
    apart = stream.local_ns.astype(object) - stream.ts_ns if _is_far(stream) else stream.local_ns - stream.ts_ns
    return int(apart.min())


def _is_far(stream: TickRows) -> bool:
    """Whether a difference of the two times might not fit in int64."""
    ends = [int(edge) for column in (stream.ts_ns, stream.local_ns) for edge in (column.min(), column.max())]
    return max(ends) - min(ends) >= 2**63


def _not_falling(stamps: np.ndarray, name: str) -> None:
    if stamps.size < 2:
        return
    row = checks.first(stamps[1:] < stamps[:-1])
    if row is not None:
        before, here = int(stamps[row]), int(stamps[row + 1])
        raise InputError(
            f"{name} row {row + 1}: {clock.iso(here)} ({here}) is earlier than row {row}: {clock.iso(before)}; "
            f"rows come in the order they were heard{'' if name == 'local_ns' else ': give local_ns if ts_ns is not'}"
        )


class Quotes(TickRows):
    """The best bid and ask of one symbol, a row for each change.

    symbol : name, 1..64 bytes. ts_ns : int64[n], the venue's time, nanoseconds UTC (or what `Bars` takes).
    bid, ask : float64[n], 1e-9..9e9. bid_size, ask_size : float64[n] units, 0..9e9; 0 = nobody there, and the price of
        that side, which may be NaN, is then ignored and read back as NaN. A crossed row (bid above ask) is taken.
    local_ns : int64[n], when each row was heard, not falling; None = with `ts_ns`, which then must not fall.

    Arrays are copied and then read-only; slices are views. Raises InputError naming the column, the row and the rule.

    >>> import neuraltrade as nt
    >>> quotes = nt.Quotes("X", [1, 2], [99.0, 99.5], [5, 3], [101.0, 100.5], [4, 0])
    >>> len(quotes), quotes.bid, quotes.ask
    (2, array([99. , 99.5]), array([101.,  nan]))
    >>> quotes.with_latency(5).local_ns
    array([6, 7])
    """

    KIND = "quotes"
    COLUMNS = ("bid", "bid_size", "ask", "ask_size")
    __slots__ = ()

    def __init__(
        self, symbol: str, ts_ns: Any, bid: Any, bid_size: Any, ask: Any, ask_size: Any, local_ns: Any = None
    ) -> None:
        super().__init__(symbol, ts_ns, {"bid": bid, "bid_size": bid_size, "ask": ask, "ask_size": ask_size}, local_ns)

    @property
    def bid(self) -> np.ndarray:
        """float64[n], NaN where nobody bids, read-only."""
        return self._columns[2]

    @property
    def bid_size(self) -> np.ndarray:
        """float64[n] units, read-only."""
        return self._columns[3]

    @property
    def ask(self) -> np.ndarray:
        """float64[n], NaN where nobody offers, read-only."""
        return self._columns[4]

    @property
    def ask_size(self) -> np.ndarray:
        """float64[n] units, read-only."""
        return self._columns[5]


class Trades(TickRows):
    """Prints: what traded, at which price, and who came to take it.

    price : float64[n], 1e-9..9e9. quantity : float64[n] units, 1e-9..9e9. aggressor : +1 a buyer took an offer, -1 a
    seller hit a bid, 0 not known. The rest as in `Quotes`.

    >>> import neuraltrade as nt
    >>> nt.Trades("X", [1, 2], [100.0, 99.0], [2, 1], [1, -1]).aggressor
    array([ 1, -1], dtype=int8)
    """

    KIND = "trades"
    COLUMNS = ("price", "quantity", "aggressor")
    SIGNS = ("aggressor",)
    __slots__ = ()

    def __init__(
        self, symbol: str, ts_ns: Any, price: Any, quantity: Any, aggressor: Any, local_ns: Any = None
    ) -> None:
        super().__init__(symbol, ts_ns, {"price": price, "quantity": quantity, "aggressor": aggressor}, local_ns)

    @property
    def price(self) -> np.ndarray:
        """float64[n], read-only."""
        return self._columns[2]

    @property
    def quantity(self) -> np.ndarray:
        """float64[n] units, read-only."""
        return self._columns[3]

    @property
    def aggressor(self) -> np.ndarray:
        """int8[n]: +1 buyer, -1 seller, 0 not known, read-only."""
        return self._columns[4]


class Depth(TickRows):
    """Changes of the book: the whole quantity that stands at a price from this row on.

    side : +1 bid, -1 ask; 0 = both sides are empty from here on (a snapshot follows), price and quantity
        are ignored.
    price : float64[n], 1e-9..9e9. quantity : float64[n] units, 0..9e9; 0 = the level is gone. The rest as in `Quotes`.

    Rows next to each other with equal times are one message: they take effect together and are heard together.

    >>> import neuraltrade as nt
    >>> depth = nt.Depth("X", [1, 1, 2], [1, -1, 1], [99.0, 101.0, 99.0], [5, 4, 0])
    >>> depth
    Depth('X', 3 rows, 1970-01-01T00:00:00.000000001Z .. 1970-01-01T00:00:00.000000002Z)
    """

    KIND = "depth"
    COLUMNS = ("side", "price", "quantity")
    SIGNS = ("side",)
    __slots__ = ()

    def __init__(self, symbol: str, ts_ns: Any, side: Any, price: Any, quantity: Any, local_ns: Any = None) -> None:
        super().__init__(symbol, ts_ns, {"side": side, "price": price, "quantity": quantity}, local_ns)

    @property
    def side(self) -> np.ndarray:
        """int8[n]: +1 bid, -1 ask, 0 everything gone, read-only."""
        return self._columns[2]

    @property
    def price(self) -> np.ndarray:
        """float64[n], read-only."""
        return self._columns[3]

    @property
    def quantity(self) -> np.ndarray:
        """float64[n] units, read-only."""
        return self._columns[4]
