"""The `data` face that `init` receives: whole-array indicators, one column per symbol, named by handles."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ..core import indicators as _indicators
from ..core.engine import IndicatorHandle
from ..errors import InputError
from ..market.resampling import bucket_ends
from .base import nearest

COLUMNS = ("open", "high", "low", "close", "volume")
_SERIES = ("values", "x", "series", "prices", "real")  # first parameter of functions that take any one series

FloatArray = npt.NDArray[np.float64]


class Indicator(IndicatorHandle):
    """One indicator of a run, made in `init`: read it through `ctx.value`, `ctx.previous`, `ctx.crossed_above/below`.

    It stands for one column per symbol. `values` is the whole column, for use inside `init` (a panel has one per
    symbol: `columns`). It is no number: `self.sma > 3` raises TypeError.

    >>> import neuraltrade as nt
    >>> data = nt.strategy.StrategyData([nt.datasets.load("GOOG")])
    >>> sma = data.sma(20)
    >>> sma, len(sma.values)
    (<Indicator 0: sma(20)>, 2148)
    """

    columns: tuple[FloatArray, ...]
    name: str
    frame: tuple[Any, tuple[FloatArray, ...]] | None = None
    """Of one made over longer bars: the ResampledData it was made by, and its columns there."""

    def __init__(self, index: int, name: str, columns: Sequence[FloatArray]) -> None:
        super().__init__(index)
        self.name = name
        self.columns = tuple(columns)

    @property
    def values(self) -> FloatArray:
        """float64[n] of the only symbol; InputError for a panel."""
        if len(self.columns) != 1:
            raise InputError(f"{self.name} has {len(self.columns)} columns, one per symbol: use columns[slot]")
        return self.columns[0]

    def __bool__(self) -> bool:
        raise TypeError(f"{self.name} is an indicator, not a number: use ctx.value(...)")

    def __repr__(self) -> str:
        return f"<Indicator {self.index}: {self.name}>"


class StrategyData:
    """Bars of a run as `init` sees them, with every function of `neuraltrade.core.indicators` as a method.

    `data.sma(20)`, `data.rsi(14)`, `data.atr(14)`, `data.macd()` and so on compute over the whole history of each
    symbol and return Indicators, several as a named tuple (`data.macd().signal`). Functions of one series take the
    close, or `source=`: a column name or an Indicator (`data.sma(10, source=data.rsi(14))`). `data.indicator(...)`
    takes any array. An indicator may look only at its own row and before: the engine reads row i at bar i.

    bars : tuple of Bars, in panel order. symbols : their names. open, high, low, close, volume : float64[n] of the only
    symbol (a panel has `bars`).

    >>> import neuraltrade as nt
    >>> data = nt.strategy.StrategyData([nt.datasets.load("GOOG")])
    >>> upper, middle, lower = data.bbands(20)
    >>> data.macd().signal
    <Indicator 4: macd().signal>
    >>> data.sma(10, source=data.rsi(14)), data.indicator(data.close - data.open, "body")
    (<Indicator 7: sma(10)>, <Indicator 8: body>)
    """

    def __init__(self, bars: Sequence[Any]) -> None:
        self.bars = tuple(bars)
        self.symbols = tuple(one.symbol for one in self.bars)
        self._made: list[Indicator] = []

    def __len__(self) -> int:
        """Bars of the only symbol, or of the longest."""
        return max(len(one) for one in self.bars)

    def _only(self, column: str) -> FloatArray:
        if len(self.bars) != 1:
            raise InputError(f"data.{column}: the panel has {len(self.bars)} symbols; use data.bars[slot].{column}")
        found: FloatArray = getattr(self.bars[0], column)
        return found

    open = property(lambda self: self._only("open"))
    high = property(lambda self: self._only("high"))
    low = property(lambda self: self._only("low"))
    close = property(lambda self: self._only("close"))
    volume = property(lambda self: self._only("volume"))
    ts_ns = property(lambda self: self._only("ts_ns"))

    def indicator(self, values: Any, name: str = "indicator") -> Any:
        """An Indicator of your own.

        values : float64[n] for one symbol; a sequence of arrays, one per symbol, for a panel; or a callable(bars) that
        returns an array of len(bars), or a tuple of them for several Indicators at once. NaN means not known yet.
        Raises InputError if a length differs from the symbol's bars.
        """
        if callable(values):
            return self._collect([values(one) for one in self.bars], getattr(values, "__name__", name))
        if len(self.bars) == 1 and not (
            isinstance(values, (list, tuple)) and len(values) == 1 and np.ndim(values[0]) == 1
        ):
            values = [values]
        if len(values) != len(self.bars):
            raise InputError(f"values must hold one array per symbol ({len(self.bars)}), had {len(values)}")
        return self._collect(list(values), name)

    def _collect(self, per_symbol: list[Any], name: str, ours: bool = False) -> Any:
        """Per-symbol results as one Indicator, or a tuple of them where each result is a tuple, named as it is."""
        first = per_symbol[0]
        if isinstance(first, tuple):
            fields = getattr(type(first), "_fields", None)
            names = [f"{name}[{k}]" for k in range(len(first))] if fields is None else [f"{name}.{f}" for f in fields]
            lines = [self._add(one, [row[k] for row in per_symbol], ours) for k, one in enumerate(names)]
            made: Any = type(first)
            return tuple(lines) if fields is None else made(*lines)
        return self._add(name, per_symbol, ours)

    def _add(self, name: str, columns: Sequence[Any], ours: bool) -> Indicator:
        """A further Indicator; columns that are not ours to keep are copied, so that nobody changes them later."""
        checked = []
        for bars, column in zip(self.bars, columns, strict=True):
            try:
                if np.iscomplexobj(column):
                    raise TypeError("complex numbers have no order")
                array = np.ascontiguousarray(column, dtype=np.float64)
            except (TypeError, ValueError) as error:
                raise InputError(
                    f"{name} of {bars.symbol} must be an array of numbers, was {type(column).__name__}"
                ) from error
            if array.shape != (len(bars),):
                raise InputError(f"{name} of {bars.symbol} must have shape ({len(bars)},), had {array.shape}")
            if array is column and array.flags.writeable and not ours:
                array = array.copy()
            array.flags.writeable = False
            checked.append(array)
        return self._register(name, checked)

    def _register(self, name: str, columns: Sequence[FloatArray]) -> Indicator:
        """Give checked columns a handle."""
        made = Indicator(len(self._made), name, columns)
        self._made.append(made)
        return made

    def resample(self, rule: str) -> ResampledData:
        """The same data as longer bars ("1h", "1d", "1w", "1mo"), whose indicators are known once a bar has closed.

        Returns a `ResampledData`: `hourly = data.resample("1h")`, then `hourly.sma(20)` as here. Raises InputError for
        an unknown rule or one finer than the bars.
        """
        return ResampledData(self, rule)

    def _column(self, indicator: Indicator, slot: int) -> FloatArray:
        """What an Indicator is as a source for others."""
        return indicator.columns[slot]

    def columns(self) -> list[list[FloatArray]]:
        """[symbol][handle] -> column, as Engine.set_indicators takes them."""
        return [[one.columns[slot] for one in self._made] for slot in range(len(self.bars))]

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *_functions()})

    def __getattr__(self, name: str) -> Callable[..., Any]:
        function = None if name.startswith("_") else _functions().get(name)
        if function is None:
            raise AttributeError(f"data has no {name!r}; {nearest(name, [*_functions(), *COLUMNS, 'indicator'])}")

        def compute(*arguments: Any, source: Any = None, **keywords: Any) -> Any:
            results = self._computed(name, function, arguments, keywords, source)
            return self._collect(results, _label(name, arguments, keywords), ours=True)

        compute.__name__ = compute.__qualname__ = name
        compute.__doc__ = function.__doc__
        return compute

    def _computed(
        self, name: str, function: Callable[..., Any], arguments: tuple[Any, ...], keywords: dict[str, Any], source: Any
    ) -> list[Any]:
        """What `function` gives for each symbol."""
        results = []
        for slot in range(len(self.bars)):
            own = [self._column(a, slot) if isinstance(a, Indicator) else a for a in arguments]
            named = {k: self._column(a, slot) if isinstance(a, Indicator) else a for k, a in keywords.items()}
            inputs = self._inputs(name, slot, source)
            try:
                results.append(function(*inputs, *own, **named))
            except InputError as error:  # a window longer than the data, say: which of several indicators, of whom
                bars = self.bars[slot]
                asked = _label(name, arguments, keywords)
                raise InputError(f"data.{asked}: {error} ({bars.symbol} has {len(bars)} bars)") from error
        return results

    def _inputs(self, name: str, slot: int, source: Any) -> list[FloatArray]:
        """The leading array arguments of a function, for one symbol."""
        wanted = _inputs_of(name)
        if source is not None:
            if len(wanted) != 1:
                raise InputError(f"data.{name} reads {', '.join(wanted)}: it takes no source")
            return [self._source(source, slot)]
        return [getattr(self.bars[slot], column if column in COLUMNS else "close") for column in wanted]

    def _source(self, source: Any, slot: int) -> FloatArray:
        if isinstance(source, Indicator):
            return self._column(source, slot)
        if isinstance(source, str) and source in COLUMNS:
            column: FloatArray = getattr(self.bars[slot], source)
            return column
        raise InputError(f"source must be an Indicator or one of {', '.join(COLUMNS)}, was {source!r}")


def _label(name: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> str:
    return f"{name}({', '.join([*map(repr, arguments), *(f'{k}={v!r}' for k, v in keywords.items())])})"


@cache
def _functions() -> dict[str, Callable[..., Any]]:
    """Public functions of core.indicators whose first argument is a series."""
    named = {name: getattr(_indicators, name) for name in dir(_indicators) if not name.startswith("_")}
    usable = {name: value for name, value in named.items() if inspect.isroutine(value) or inspect.isfunction(value)}
    return {name: value for name, value in usable.items() if _leading(value)}


def _leading(function: Callable[..., Any]) -> tuple[str, ...]:
    """Names of the leading parameters that are series."""
    found = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name not in (*COLUMNS, *_SERIES):
            break
        found.append(parameter.name)
    return tuple(found)


@cache
def _inputs_of(name: str) -> tuple[str, ...]:
    return _leading(_functions()[name])


class ResampledData(StrategyData):
    """The data of a run as longer bars: what `data.resample("1h")` returns, with every indicator that `data` has.

    Arrays (`bars`, `close` and so on) are those of the longer bars, one row each. An Indicator made here is read at
    the run's own bars like any other: at each it is that of the last longer bar that has ended by then, NaN before the
    first, so it never sees inside a bar that is still forming. A longer bar ends where its bucket ends, not with the
    last trade in it: the week of daily bars that stop on Friday is known on Monday. (A bar stamped a nanosecond before,
    as a bare date is, ends its bucket.) The bucket that the data stops in is never known.

    >>> import neuraltrade as nt
    >>> data = nt.strategy.StrategyData([nt.datasets.load("GOOG")])
    >>> weekly = data.resample("1w")
    >>> trend = weekly.sma(10)
    >>> trend, len(weekly), len(trend.values) == len(data)
    (<Indicator 0: 1w sma(10)>, 446, True)
    """

    def __init__(self, base: StrategyData, rule: str) -> None:
        self._known: list[np.ndarray] = []
        longer = []
        for bars in base.bars:
            longer.append(bars.resample(rule))
            self._known.append(_rows_known(bars.ts_ns, rule))
        super().__init__(longer)
        self.base, self.rule = base, rule

    def resample(self, rule: str) -> ResampledData:
        """Another time frame, of the run's own bars."""
        return self.base.resample(rule)

    def _register(self, name: str, columns: Sequence[FloatArray]) -> Indicator:
        spread = []
        for column, rows in zip(columns, self._known, strict=True):
            wide = np.full(len(rows), np.nan)
            wide[rows >= 0] = column[rows[rows >= 0]]
            wide.flags.writeable = False
            spread.append(wide)
        made = self.base._register(f"{self.rule} {name}", spread)
        made.frame = (self, tuple(columns))
        return made

    def _column(self, indicator: Indicator, slot: int) -> FloatArray:
        if indicator.frame is None or indicator.frame[0] is not self:
            raise InputError(
                f"{indicator.name} is of another time frame: an indicator over {self.rule} bars takes a source made by "
                "the same resample"
            )
        column: FloatArray = indicator.frame[1][slot]
        return column


def _rows_known(ts_ns: np.ndarray, rule: str) -> Any:
    """int64[n]: for each bar the row of the last longer bar that has ended by its end; -1 for none."""
    if len(ts_ns) == 0:
        return np.zeros(0, np.int64)
    ends = bucket_ends(ts_ns, rule)
    starts = np.flatnonzero(np.concatenate(([True], ends[1:] != ends[:-1])))
    last = np.concatenate((starts[1:], [len(ts_ns)])) - 1
    since = np.maximum(np.searchsorted(ts_ns, ends[starts] - 1, side="left"), last)
    return np.searchsorted(since, np.arange(len(ts_ns)), side="right") - 1
