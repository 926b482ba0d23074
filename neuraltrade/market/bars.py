"""Bars of one symbol: six read-only columns, checked once, sliced as views."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .. import clock
from ..errors import InputError
from . import checks, resampling

if TYPE_CHECKING:
    from typing import Self


class Bar(NamedTuple):
    """One row of `Bars`: `ts_ns` (end of the bar, nanoseconds UTC) and its prices and volume.

    >>> import neuraltrade as nt
    >>> nt.datasets.load("GOOG")[0].close
    100.34
    """

    ts_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class Bars:
    """Open, high, low, close and volume of one symbol, oldest first.

    symbol : name, 1..64 bytes.
    ts_ns : int64[n] nanoseconds UTC, strictly increasing: the END of each bar, when its content could first be known.
        Also datetime64 arrays and sequences of datetime or ISO strings; a bare date is the end of that day.
    open, high, low, close : float64[n], finite, 1e-9..9e9, high >= max(open, close, low), low <= min(open, close).
    volume : float64[n], finite, >= 0.

    Arrays are copied and then read-only; slices are views. Raises InputError naming the column, the row and the
    rule. Cost: about 20 ms a million rows.

    >>> import neuraltrade as nt
    >>> bars = nt.Bars("X", ["2024-01-02", "2024-01-03"], [10, 11], [12, 12], [9, 10], [11, 12], [100, 50])
    >>> len(bars), bars.close, bars[1:].open
    (2, array([11., 12.]), array([11.]))
    >>> bars
    Bars('X', 2 bars, 2024-01-02T23:59:59.999999999Z .. 2024-01-03T23:59:59.999999999Z)
    """

    __slots__ = ("_columns", "_symbol")

    def __init__(self, symbol: str, ts_ns: Any, open: Any, high: Any, low: Any, close: Any, volume: Any) -> None:
        self._symbol = checks.symbol_name(symbol)
        given = {"open": open, "high": high, "low": low, "close": close, "volume": volume}
        stamps = checks.times(ts_ns)
        columns = {name: checks.column(values, name) for name, values in given.items()}
        checks.validate(stamps, columns)
        self._columns: tuple[np.ndarray, ...] = (stamps, *columns.values())

    @classmethod
    def _view(cls, symbol: str, columns: tuple[np.ndarray, ...]) -> Self:
        """Bars over columns that are known to be valid and read-only."""
        self = cls.__new__(cls)
        self._symbol = symbol
        self._columns = columns
        return self

    @classmethod
    def from_frame(cls, df: Any, *, symbol: str, stamp: str = "end") -> Self:
        """Bars from a pandas or polars frame, a pyarrow table, or anything with `__arrow_c_stream__`.

        df : columns open, high, low, close, volume in any case; others are ignored. The time is the first of the
            columns ts_ns, timestamp, datetime, date, time, or else the index.
        stamp : "end" if a row's time is the end of its bar; "start" shifts every time by one bar, the most frequent
            distance between rows.

        Dates, and times that all fall on midnight of their zone (the form daily files take), mean the end of that day,
        with either stamp; a column named ts_ns is taken exactly as it is. Integer times are nanoseconds.
        Needs pyarrow (extra `frames`). Raises InputError as the constructor does, DependencyMissing without pyarrow.

        >>> import neuraltrade as nt, pyarrow as pa
        >>> table = pa.table({"Date": ["2024-01-02"], "Open": [1.0], "High": [2.0], "Low": [1.0], "Close": [2.0],
        ...                   "Volume": [5]})
        >>> nt.Bars.from_frame(table, symbol="X").ts_ns
        array([1704239999999999999])
        """
        from . import frames  # noqa: PLC0415  (pyarrow costs 0.16 s to import)

        return cls(symbol, *frames.columns_of(frames.table_of(df), stamp))

    @classmethod
    def read(cls, path: str | os.PathLike[str], *, symbol: str, stamp: str = "end") -> Self:
        """Bars from a .parquet or .csv file; columns and `stamp` as in `from_frame`.

        Raises InputError if the file is missing, truncated or of another kind. Needs pyarrow (extra `frames`).

        >>> import neuraltrade as nt, tempfile, os
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "x.csv")
        ...     with open(path, "w") as file:
        ...         _ = file.write("date,open,high,low,close,volume\\n2024-01-02,1,2,1,2,5\\n")
        ...     nt.Bars.read(path, symbol="X").close
        array([2.])
        """
        from . import frames  # noqa: PLC0415

        return cls(symbol, *frames.columns_of(frames.read_table(path), stamp))

    @property
    def symbol(self) -> str:
        """Name of the instrument."""
        return self._symbol

    @property
    def ts_ns(self) -> np.ndarray:
        """int64[n], end of each bar, nanoseconds UTC, read-only."""
        return self._columns[0]

    @property
    def open(self) -> np.ndarray:
        """float64[n], read-only."""
        return self._columns[1]

    @property
    def high(self) -> np.ndarray:
        """float64[n], read-only."""
        return self._columns[2]

    @property
    def low(self) -> np.ndarray:
        """float64[n], read-only."""
        return self._columns[3]

    @property
    def close(self) -> np.ndarray:
        """float64[n], read-only."""
        return self._columns[4]

    @property
    def volume(self) -> np.ndarray:
        """float64[n], read-only."""
        return self._columns[5]

    def columns(self) -> tuple[np.ndarray, ...]:
        """(ts_ns, open, high, low, close, volume): C-contiguous and read-only, not copied."""
        return self._columns

    def returns(self) -> np.ndarray:
        """float64[n] simple returns close to close; the first is NaN.

        >>> import neuraltrade as nt
        >>> nt.datasets.load("GOOG").returns()[1].round(4)
        np.float64(0.0794)
        """
        result = np.full(len(self), np.nan)
        np.divide(self.close[1:], self.close[:-1], out=result[1:])
        result[1:] -= 1.0
        return result

    def __len__(self) -> int:
        return int(self._columns[0].size)

    def __getitem__(self, key: slice | int) -> Any:
        """`bars[start:stop]` is Bars over views; `bars[i]` is one `Bar`."""
        if isinstance(key, slice):
            start, stop, step = key.indices(len(self))
            if step != 1:
                raise InputError(
                    f"bars[{key.start}:{key.stop}:{key.step}]: the step must be 1; resample() makes longer bars"
                )
            if stop <= start:
                raise InputError(f"bars[{key.start}:{key.stop}] is empty; there are {len(self)} bars")
            return self._view(self._symbol, tuple(values[start:stop] for values in self._columns))
        if isinstance(key, (int, np.integer)) and not isinstance(key, bool):
            if not -len(self) <= key < len(self):
                raise IndexError(f"bars[{key}]: there are {len(self)} bars")
            stamps, *values = self._columns
            return Bar(int(stamps[key]), *(float(column[key]) for column in values))
        raise InputError(f"bars[...] takes a position or start:stop, was {key!r}; between(start, end) takes times")

    def __iter__(self) -> Iterator[Bar]:
        return map(Bar, *(values.tolist() for values in self._columns))

    def between(self, start: Any = None, end: Any = None) -> Self:
        """Bars with start <= ts_ns < end, as views. Times as int nanoseconds, datetime, datetime64 or ISO string; a
        bare date is the end of that day, where daily bars are stamped.

        >>> import neuraltrade as nt
        >>> len(nt.datasets.load("IBM").between("2012-01-03", "2013-01-02"))
        250
        """
        low = 0 if start is None else int(np.searchsorted(self.ts_ns, clock.as_ns(start, "start")))
        high = len(self) if end is None else int(np.searchsorted(self.ts_ns, clock.as_ns(end, "end")))
        if high <= low:
            raise InputError(f"no bars of {self._symbol} in [{start}, {end}); they run {self._span()}")
        return self[low:high]

    def resample(self, rule: str) -> Self:
        """Longer bars: "5min", "1h", "1d", "1w" (from Monday), "1mo"; buckets start at multiples of the rule, UTC.

        A bar belongs to the bucket (start, end] its own end falls in; the new bar is stamped at the END of the bucket,
        so it is never known early. Empty buckets give no bar. The last bucket may be incomplete: it holds the bars
        so far. Raises InputError for an unknown rule or one finer than the bars. O(n).

        >>> import neuraltrade as nt
        >>> nt.datasets.load("GOOG").resample("1mo")[0].volume
        66870300.0
        """
        return type(self)(self._symbol, *resampling.resample(self._columns, rule))

    def to_frame(self, library: str = "pandas") -> Any:
        """A copy as a "pandas" DataFrame (UTC index named ts_ns), "polars" DataFrame or "pyarrow" Table.

        `Bars.from_frame(bars.to_frame(), symbol=...)` equals `bars`. Raises DependencyMissing if it is not installed.

        >>> import neuraltrade as nt
        >>> nt.datasets.load("GOOG").to_frame().columns.tolist()
        ['open', 'high', 'low', 'close', 'volume']
        """
        from . import frames  # noqa: PLC0415

        return frames.to_frame(self._columns, library)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The Arrow stream protocol: `pyarrow.table(bars)` and `polars.DataFrame(bars)` work."""
        from . import frames  # noqa: PLC0415

        return frames.to_frame(self._columns, "pyarrow").__arrow_c_stream__(requested_schema)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Bars):
            return NotImplemented
        return self._symbol == other._symbol and all(map(np.array_equal, self._columns, other._columns))

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._symbol, *self._columns)

    def _span(self) -> str:
        return f"{clock.iso(int(self.ts_ns[0]))} .. {clock.iso(int(self.ts_ns[-1]))}"

    def __repr__(self) -> str:
        return f"Bars({self._symbol!r}, {len(self)} bars, {self._span()})"
