"""Momentum, strength and direction."""

from __future__ import annotations

import numpy.typing as npt

from .checks import compute
from .lines import Direction, Series, Stochastic


def mom(values: npt.ArrayLike, window: int = 10) -> Series:
    """Momentum: value - value `window` rows before. window : 1..n. float64[n]; the first `window` are NaN.

    >>> from neuraltrade.core import indicators
    >>> indicators.mom([1.0, 2.0, 4.0], 1)
    array([nan,  1.,  2.])
    """
    return compute("mom", (values,), window)


def roc(values: npt.ArrayLike, window: int = 10) -> Series:
    """Rate of change in percent: (value / value `window` rows before - 1) x 100. float64[n]; first `window` NaN.

    >>> from neuraltrade.core import indicators
    >>> indicators.roc([1.0, 2.0, 3.0], 1)
    array([ nan, 100.,  50.])
    """
    return compute("roc", (values,), window)


def log_returns(close: npt.ArrayLike, window: int = 1) -> Series:
    """log(close / close `window` rows before), equal bits on every machine (csrc/nt_math.h).

    close : positive prices. float64[n]; the first `window` are NaN. Raises InputError naming the row of a price <= 0.

    >>> from neuraltrade.core import indicators
    >>> indicators.log_returns([1.0, 2.0])
    array([       nan, 0.69314718])
    """
    return compute("log_returns", (close,), window)


def rsi(values: npt.ArrayLike, window: int = 14) -> Series:
    """Relative strength index, 0..100 (Wilder 1978): averages of gains and losses with alpha = 1 / window.

    window : 1..n. float64[n]; the first `window` are NaN. 0 where nothing moved, as in TA-Lib.

    >>> from neuraltrade.core import indicators
    >>> indicators.rsi([1.0, 2.0, 1.0, 2.0], 2)
    array([nan, nan, 50., 75.])
    """
    return compute("rsi", (values,), window)


def stoch(
    high: npt.ArrayLike,
    low: npt.ArrayLike,
    close: npt.ArrayLike,
    window: int = 14,
    smooth: int = 3,
    signal: int = 3,
) -> Stochastic:
    """Stochastic oscillator (Lane 1984): (k, d), where the close stands in the range of `window` bars, 0..100.

    k = sma(100 (close - lowest low) / (highest high - lowest low), smooth); d = sma(k, signal). smooth=1 is the fast
    one. 0 where the range is nothing, as in TA-Lib. Two float64[n]; the first window + smooth + signal - 3 are NaN.

    >>> from neuraltrade.core import indicators
    >>> indicators.stoch([3.0, 5.0], [1.0, 3.0], [2.0, 4.0], 2, 1, 1)
    Stochastic(k=array([nan, 75.]), d=array([nan, 75.]))
    """
    return compute("stoch", (high, low, close), window, smooth, signal)


def stochrsi(
    values: npt.ArrayLike, window: int = 14, stoch_window: int = 14, smooth: int = 3, signal: int = 3
) -> Stochastic:
    """Where rsi(window) stands in its own range of `stoch_window` rows (Chande and Kroll 1994): (k, d), 0..100.

    smooth and signal as in `stoch`; TA-Lib's has smooth=1. Two float64[n]; the first
    window + stoch_window + smooth + signal - 3 are NaN.

    >>> from neuraltrade.core import indicators
    >>> indicators.stochrsi([1.0, 2.0, 1.0, 2.0], 2, 2, 1, 1)
    Stochastic(k=array([ nan,  nan,  nan, 100.]), d=array([ nan,  nan,  nan, 100.]))
    """
    return compute("stochrsi", (values,), window, stoch_window, smooth, signal)


def williams_r(high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike, window: int = 14) -> Series:
    """Williams' %R (1973), -100..0: how far the close is below the highest high, in percent of the range.

    window : 1..n. float64[n]; the first window - 1 are NaN. 0 where the range is nothing, as in TA-Lib.

    >>> from neuraltrade.core import indicators
    >>> indicators.williams_r([3.0, 5.0], [1.0, 3.0], [2.0, 4.0], 2)
    array([ nan, -25.])
    """
    return compute("williams_r", (high, low, close), window)


def cci(high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike, window: int = 20) -> Series:
    """Commodity channel index (Lambert 1980): (t - mean) / (0.015 mean deviation), t = (high + low + close) / 3.

    window : 2..n. float64[n]; the first window - 1 are NaN. 0 where all are equal, as in TA-Lib. O(n window), over
    eight rows at a time.

    >>> from neuraltrade.core import indicators
    >>> indicators.cci([1.0, 3.0], [1.0, 3.0], [1.0, 3.0], 2).round(4)
    array([    nan, 66.6667])
    """
    return compute("cci", (high, low, close), window)


def adx(high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike, window: int = 14) -> Direction:
    """Directional movement (Wilder 1978): (adx, plus_di, minus_di), each 0..100.

    plus_di = 100 average(up moves) / average(true range), minus_di of down moves; adx the average of
    100 |plus_di - minus_di| / (plus_di + minus_di), averages with alpha 1 / window begun as TA-Lib does.
    window : 2..n. Three float64[n]; the first 2 window - 1 of adx and `window` of the others are NaN.

    >>> from neuraltrade.core import indicators
    >>> indicators.adx([2.0, 3.0, 4.0, 5.0], [1.0, 2.0, 3.0, 4.0], [2.0, 3.0, 4.0, 5.0], 2).plus_di
    array([ nan,  nan, 100., 100.])
    """
    return compute("adx", (high, low, close), window)


def obv(close: npt.ArrayLike, volume: npt.ArrayLike) -> Series:
    """On-balance volume (Granville 1963): volume added on a higher close, subtracted on a lower one.

    Starts at the first volume. float64[n] without warm-up. A NaN gives NaN on its row and the next and is left out.

    >>> from neuraltrade.core import indicators
    >>> indicators.obv([1.0, 2.0, 1.0], [10.0, 5.0, 3.0])
    array([10., 15., 12.])
    """
    return compute("obv", (close, volume))


def mfi(
    high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike, volume: npt.ArrayLike, window: int = 14
) -> Series:
    """Money flow index (Quong and Soudack 1989), 0..100: turnover of bars whose typical price rose, in percent of that
    of bars whose typical price changed.

    window : 1..n. float64[n]; the first `window` are NaN. 0 where nothing flowed (TA-Lib: less than 1 in all).

    >>> from neuraltrade.core import indicators
    >>> one = [1.0, 2.0, 1.0]
    >>> indicators.mfi(one, one, one, [1.0, 3.0, 2.0], 2)
    array([nan, nan, 75.])
    """
    return compute("mfi", (high, low, close, volume), window)
