"""How far prices reach: ranges, channels, volatility."""

from __future__ import annotations

import numpy.typing as npt

from .checks import compute
from .lines import Channel, Ichimoku, Series, Supertrend


def atr(high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike, window: int = 14) -> Series:
    """Average true range (Wilder 1978), in units of price. window : 1..n. float64[n]; the first `window` are NaN.

    >>> from neuraltrade.core import indicators
    >>> indicators.atr([3.0, 5.0], [1.0, 4.0], [2.0, 5.0], 1)
    array([nan,  3.])
    """
    return compute("atr", (high, low, close), window)


def natr(high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike, window: int = 14) -> Series:
    """Average true range in percent of the close. window : 1..n. float64[n]; the first `window` are NaN.

    >>> from neuraltrade.core import indicators
    >>> indicators.natr([3.0, 5.0], [1.0, 4.0], [2.0, 5.0], 1)
    array([nan, 60.])
    """
    return compute("natr", (high, low, close), window)


def donchian(high: npt.ArrayLike, low: npt.ArrayLike, window: int = 20) -> Channel:
    """Donchian channel: (upper, lower), highest high and lowest low of the last `window` bars, this one included.

    To trade a breakout compare with the channel of the bar before (`ctx.previous`). Two float64[n]; the first
    window - 1 are NaN.

    >>> from neuraltrade.core import indicators
    >>> indicators.donchian([3.0, 4.0], [1.0, 2.0], 2)
    Channel(upper=array([nan,  4.]), lower=array([nan,  1.]))
    """
    return compute("donchian", (high, low), window)


def supertrend(
    high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike, window: int = 10, factor: float = 3.0
) -> Supertrend:
    """Supertrend (Seban): (line, direction), a stop at (high + low) / 2 -+ factor x atr(window) that moves with the
    trend only; direction +1 (line below the price) or -1 (above), from the close beyond the line. Begins with -1.

    Two float64[n]; the first `window` are NaN.

    >>> from neuraltrade.core import indicators
    >>> indicators.supertrend([3.0, 5.0, 9.0], [1.0, 4.0, 8.0], [2.0, 5.0, 9.0], 1, 1.0)
    Supertrend(line=array([nan, 7.5, 4.5]), direction=array([nan, -1.,  1.]))
    """
    return compute("supertrend", (high, low, close), window, factor)


def ichimoku(
    high: npt.ArrayLike,
    low: npt.ArrayLike,
    conversion: int = 9,
    base: int = 26,
    span: int = 52,
    displacement: int = 26,
) -> Ichimoku:
    """Ichimoku (Hosoda 1969): (conversion, base, span_a, span_b), with m(n) = (highest + lowest of n bars) / 2.

    conversion = m(conversion); base = m(base); at a row the spans are what stood `displacement` rows before:
    span_a = (conversion + base) / 2, span_b = m(span). So the cloud is the one a chart shows under the present bar, and
    nothing looks ahead. The lagging line is the close; compare it with the close `displacement` rows before.
    Four float64[n]; the first conversion - 1, base - 1, max(conversion, base) - 1 + displacement,
    span - 1 + displacement are NaN.

    >>> from neuraltrade.core import indicators
    >>> indicators.ichimoku([3.0, 5.0], [1.0, 4.0], 1, 1, 1, 1).span_a
    array([nan,  2.])
    """
    return compute("ichimoku", (high, low), conversion, base, span, displacement)


def realised_volatility(close: npt.ArrayLike, window: int, periods_per_year: float = 252.0) -> Series:
    """Annualised standard deviation (ddof 1) of log returns over a trailing window.

    close : positive prices. window : number of returns, 2..n. periods_per_year > 0: bars in a year; 1 for per bar.
    Returns float64[n]; the first `window` values are NaN. O(n log window), one pass.
    Raises InputError if close has a non-positive price (with its row) or window is out of range.

    >>> from neuraltrade.core import indicators
    >>> indicators.realised_volatility([1.0, 2.0, 1.0], 2, periods_per_year=1).round(4)
    array([   nan,    nan, 0.9803])
    """
    return compute("realised_volatility", (close,), window, periods_per_year)


def parkinson(high: npt.ArrayLike, low: npt.ArrayLike, window: int, periods_per_year: float = 252.0) -> Series:
    """Annualised volatility from ranges (Parkinson 1980): sqrt(periods_per_year mean(log(high / low)^2) / (4 log 2)).

    high, low : positive prices. window : 1..n. float64[n]; the first window - 1 are NaN. Five times as efficient as
    closes where prices move continuously; too low where they gap. Errors as `realised_volatility`.

    >>> from neuraltrade.core import indicators
    >>> indicators.parkinson([2.0, 1.0], [1.0, 1.0], 1, periods_per_year=1).round(4)
    array([0.4163, 0.    ])
    """
    return compute("parkinson", (high, low), window, periods_per_year)


def garman_klass(
    open: npt.ArrayLike,
    high: npt.ArrayLike,
    low: npt.ArrayLike,
    close: npt.ArrayLike,
    window: int,
    periods_per_year: float = 252.0,
) -> Series:
    """Annualised volatility from whole bars (Garman and Klass 1980):
    sqrt(periods_per_year mean(log(high / low)^2 / 2 - (2 log 2 - 1) log(close / open)^2)).

    Positive prices. window : 1..n. float64[n]; the first window - 1 are NaN. Leaves out gaps between bars. Errors as
    `realised_volatility`.

    >>> from neuraltrade.core import indicators
    >>> indicators.garman_klass([1.0], [2.0], [1.0], [1.0], 1, periods_per_year=1).round(4)
    array([0.4901])
    """
    return compute("garman_klass", (open, high, low, close), window, periods_per_year)
