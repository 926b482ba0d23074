"""Moving averages, and what is made of them."""

from __future__ import annotations

import numpy.typing as npt

from .checks import compute
from .lines import Bands, Macd, Series


def sma(values: npt.ArrayLike, window: int) -> Series:
    """Simple moving average of `window` values, 1..n. float64[n]; the first window - 1 are NaN.

    Honest over any length: the error is that of adding up the window in pairs. About 1 ns a row.

    >>> from neuraltrade.core import indicators
    >>> indicators.sma([1.0, 2.0, 3.0, 4.0], 2)
    array([nan, 1.5, 2.5, 3.5])
    """
    return compute("sma", (values,), window)


def wma(values: npt.ArrayLike, window: int) -> Series:
    """Moving average with weights 1 (oldest) .. `window` (newest). float64[n]; the first window - 1 are NaN.

    >>> from neuraltrade.core import indicators
    >>> indicators.wma([3.0, 6.0, 9.0], 2)
    array([nan,  5.,  8.])
    """
    return compute("wma", (values,), window)


def ema(values: npt.ArrayLike, window: int) -> Series:
    """Exponential moving average, alpha = 2 / (window + 1), started with the mean of the first `window` values.

    float64[n]; the first window - 1 are NaN. A NaN after the start gives NaN on its row and is otherwise skipped.

    >>> from neuraltrade.core import indicators
    >>> indicators.ema([1.0, 2.0, 3.0, 4.0], 3)
    array([nan, nan,  2.,  3.])
    """
    return compute("ema", (values,), window)


def dema(values: npt.ArrayLike, window: int) -> Series:
    """Double exponential average, 2 e1 - e2 with e2 the ema of e1 (Mulloy 1994): less lag, some overshoot.

    float64[n]; the first 2 (window - 1) are NaN. A NaN gives NaN on its row and is otherwise skipped.

    >>> from neuraltrade.core import indicators
    >>> indicators.dema([1.0, 2.0, 3.0, 4.0], 2)
    array([nan, nan,  3.,  4.])
    """
    return compute("dema", (values,), window)


def tema(values: npt.ArrayLike, window: int) -> Series:
    """Triple exponential average, 3 e1 - 3 e2 + e3, each the ema of the last (Mulloy 1994).

    float64[n]; the first 3 (window - 1) are NaN. A NaN gives NaN on its row and is otherwise skipped.

    >>> from neuraltrade.core import indicators
    >>> indicators.tema([1.0, 2.0, 3.0, 4.0, 5.0], 2)
    array([nan, nan, nan,  4.,  5.])
    """
    return compute("tema", (values,), window)


def kama(values: npt.ArrayLike, window: int = 10) -> Series:
    """Adaptive average (Kaufman 1995): fast (2 / 3) where the price goes straight, slow (2 / 31) where it wanders.

    k += (x - k) (r (2/3 - 2/31) + 2/31)^2, r = net change / distance walked over `window` changes, k starting at the
    value before. window : 1..n. float64[n]; the first `window` are NaN, as are rows whose window holds a NaN.

    >>> from neuraltrade.core import indicators
    >>> indicators.kama([1.0, 2.0, 3.0, 4.0], 2).round(4)
    array([   nan,    nan, 2.4444, 3.1358])
    """
    return compute("kama", (values,), window)


def macd(values: npt.ArrayLike, fast: int = 12, slow: int = 26, signal: int = 9) -> Macd:
    """Moving average convergence divergence (Appel 1979): (line, signal, histogram) = (ema(fast) - ema(slow), the
    line's ema, their difference).

    1 <= fast < slow <= n, 1 <= signal <= n. Three float64[n]; the first slow + signal - 2 are NaN in all three.

    >>> from neuraltrade.core import indicators
    >>> [line.round(3).tolist() for line in indicators.macd([1.0, 2.0, 4.0, 8.0], 1, 2, 2)]
    [[nan, nan, 0.833, 1.611], [nan, nan, 0.667, 1.296], [nan, nan, 0.167, 0.315]]
    """
    return compute("macd", (values,), fast, slow, signal)


def bbands(values: npt.ArrayLike, window: int = 20, width: float = 2.0) -> Bands:
    """Bollinger bands (2001): (upper, middle, lower) = mean + width x population deviation, mean, mean - the same.

    window : 2..n; width > 0. Three float64[n]; the first window - 1 are NaN.

    >>> from neuraltrade.core import indicators
    >>> indicators.bbands([1.0, 3.0], 2, 2.0)
    Bands(upper=array([nan,  4.]), middle=array([nan,  2.]), lower=array([nan,  0.]))
    """
    return compute("bbands", (values,), window, width)


def keltner(
    high: npt.ArrayLike,
    low: npt.ArrayLike,
    close: npt.ArrayLike,
    window: int = 20,
    atr_window: int = 10,
    width: float = 2.0,
) -> Bands:
    """Keltner bands in Raschke's form: (upper, middle, lower), ema(close, window) +- width x atr(atr_window).

    Three float64[n]; the first max(window - 1, atr_window) are NaN.

    >>> from neuraltrade.core import indicators
    >>> indicators.keltner([3.0, 5.0], [1.0, 4.0], [2.0, 5.0], 1, 1, 2.0)
    Bands(upper=array([nan, 11.]), middle=array([nan,  5.]), lower=array([nan, -1.]))
    """
    return compute("keltner", (high, low, close), window, atr_window, width)


def vwap(
    high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike, volume: npt.ArrayLike, window: int = 20
) -> Series:
    """Volume-weighted average of the typical price (high + low + close) / 3 over the last `window` bars, 1..n.

    float64[n]; the first window - 1 are NaN, as are windows without volume.

    >>> from neuraltrade.core import indicators
    >>> indicators.vwap([1.0, 4.0], [1.0, 4.0], [1.0, 4.0], [2.0, 1.0], 2)
    array([nan,  2.])
    """
    return compute("vwap", (high, low, close, volume), window)
