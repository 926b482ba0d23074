"""Statistics over trailing windows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .checks import all_series, compute, positive, series
from .lines import Series
from .native import log_of


def rolling_sum(values: npt.ArrayLike, window: int) -> Series:
    """Sum of the last `window` values, 1..n. float64[n]; the first window - 1 are NaN. As `sma`.

    >>> from neuraltrade.core import indicators
    >>> indicators.rolling_sum([1.0, 2.0, 3.0], 2)
    array([nan,  3.,  5.])
    """
    return compute("rolling_sum", (values,), window)


def rolling_min(values: npt.ArrayLike, window: int) -> Series:
    """Smallest of the last `window` values. float64[n]; the first window - 1 are NaN. O(n log window).

    >>> from neuraltrade.core import indicators
    >>> indicators.rolling_min([3.0, 1.0, 2.0], 2)
    array([nan,  1.,  1.])
    """
    return compute("rolling_min", (values,), window)


def rolling_max(values: npt.ArrayLike, window: int) -> Series:
    """Largest of the last `window` values. float64[n]; the first window - 1 are NaN. O(n log window).

    >>> from neuraltrade.core import indicators
    >>> indicators.rolling_max([3.0, 1.0, 2.0], 2)
    array([nan,  3.,  2.])
    """
    return compute("rolling_max", (values,), window)


def rolling_median(values: npt.ArrayLike, window: int) -> Series:
    """Median of the last `window` values, the mean of the middle two where `window` is even.

    float64[n]; the first window - 1 are NaN. The window is kept sorted, a long one in runs: 0.04 us a row over a window
    of 20, 0.2 from 2,000 to a million.

    >>> from neuraltrade.core import indicators
    >>> indicators.rolling_median([3.0, 1.0, 2.0, 8.0], 3)
    array([nan, nan,  2.,  2.])
    """
    return compute("rolling_median", (values,), window)


def rolling_rank(values: npt.ArrayLike, window: int) -> Series:
    """Place of the newest value among the last `window`, 1 (smallest) .. window; equal values share the mean place.

    float64[n]; the first window - 1 are NaN. Divide by `window` for a percentile. Cost as rolling_median.

    >>> from neuraltrade.core import indicators
    >>> indicators.rolling_rank([3.0, 1.0, 2.0, 2.0], 3)
    array([nan, nan, 2. , 2.5])
    """
    return compute("rolling_rank", (values,), window)


def stdev(values: npt.ArrayLike, window: int, ddof: int = 0) -> Series:
    """Standard deviation of the last `window` values, divisor window - ddof: 0 population (TA-Lib), 1 sample.

    window : ddof + 1 .. n. float64[n]; the first window - 1 are NaN. Exactly 0 over equal values.

    >>> from neuraltrade.core import indicators
    >>> indicators.stdev([1.0, 3.0, 3.0], 2)
    array([nan,  1.,  0.])
    """
    return compute("stdev", (values,), window, ddof)


def zscore(values: npt.ArrayLike, window: int, ddof: int = 0) -> Series:
    """(value - mean) / standard deviation over the last `window` values, the present one included.

    window : 2..n. float64[n]; NaN for the first window - 1 and where all values are equal.

    >>> from neuraltrade.core import indicators
    >>> indicators.zscore([1.0, 3.0, 3.0], 2)
    array([nan,  1., nan])
    """
    return compute("zscore", (values,), window, ddof)


def expanding_zscore(values: npt.ArrayLike, least: int = 20, limit: float = 4.0) -> Series:
    """(value - mean) / population deviation over all values so far, the present one included, clipped to +-limit.

    float64[n] without NaN: 0 where the value is NaN, before `least` values were seen, or while all were equal.

    >>> from neuraltrade.core import indicators
    >>> indicators.expanding_zscore([1.0, 3.0, float("nan")], least=2)
    array([0., 1., 0.])
    """
    return compute("expanding_zscore", (values,), least, limit)


def correlation(x: npt.ArrayLike, y: npt.ArrayLike, window: int) -> Series:
    """Pearson correlation of two series over the last `window` rows, 2..n. float64[n] in [-1, 1].

    NaN for the first window - 1 and where either series was constant (TA-Lib: 0).

    >>> from neuraltrade.core import indicators
    >>> indicators.correlation([1.0, 2.0, 3.0], [3.0, 2.0, 1.0], 3)
    array([nan, nan, -1.])
    """
    return compute("correlation", (x, y), window)


def autocorrelation(values: npt.ArrayLike, window: int, lag: int = 1) -> Series:
    """Correlation of a series with itself `lag` rows before, over `window` pairs. First window + lag - 1 are NaN.

    window : 2..n; lag : 1..n. NaN also where the values were constant.

    >>> from neuraltrade.core import indicators
    >>> indicators.autocorrelation([1.0, 2.0, 1.0, 2.0, 1.0], 3)[-1].round(6)
    np.float64(-1.0)
    """
    return compute("autocorrelation", (values,), window, lag)


def beta(values: npt.ArrayLike, market: npt.ArrayLike, window: int) -> Series:
    """Slope of the relative changes of `values` on those of `market` over the last `window` changes, 2..n.

    float64[n]; the first `window` are NaN, as are windows in which the market's changes were all equal (TA-Lib: 0).

    >>> from neuraltrade.core import indicators
    >>> indicators.beta([100.0, 120.0, 108.0], [100.0, 110.0, 104.5], 2).round(6)
    array([nan, nan,  2.])
    """
    return compute("beta", (values, market), window)


def linreg_slope(values: npt.ArrayLike, window: int) -> Series:
    """Least squares slope of the last `window` values on their row number: change per row. window : 2..n.

    float64[n]; the first window - 1 are NaN. Folded about the means, so nothing cancels far from zero.

    >>> from neuraltrade.core import indicators
    >>> indicators.linreg_slope([1.0, 3.0, 5.0], 3)
    array([nan, nan,  2.])
    """
    return compute("linreg_slope", (values,), window)


def half_life(values: npt.ArrayLike, window: int = 100) -> Series:
    """Rows in which half of a gap to the mean is gone (Chan 2013, Ornstein-Uhlenbeck): -log 2 / b.

    b : least squares slope of the change on the value before, over the last `window` changes, 3..n. float64[n]; inf
    where b >= 0 (nothing reverts), NaN for the first `window` and where the values were constant.

    >>> from neuraltrade.core import indicators
    >>> indicators.half_life([8.0, 4.0, 2.0, 1.0], 3).round(4)
    array([   nan,    nan,    nan, 1.3863])
    """
    return compute("half_life", (values,), window)


def hurst(close: npt.ArrayLike, window: int = 100, scales: int = 5) -> Series:
    """Hurst exponent of log prices over a trailing window: 0.5 for a random walk, above it trends, below it reverts.

    The least squares slope of log deviation(log x - log x `lag` rows before) on log lag, over lags
    1, 2, 4 .. 2^(scales - 1) within the last `window` prices (Di Matteo, Aste and Dacorogna 2003, second order).
    Noisy: of a random walk and window 100 its own deviation is about 0.1. close : positive prices. scales : 2..16;
    window : 2^scales .. n. float64[n]; the first window - 1 are NaN, as are windows without change.

    >>> import numpy as np
    >>> from neuraltrade.core import indicators
    >>> indicators.hurst(np.exp(np.arange(8.0) ** 2 / 8), 8, 2)[-1].round(3)
    np.float64(0.772)
    """
    return compute("hurst", (close,), window, scales)


def log(values: npt.ArrayLike) -> Series:
    """Natural logarithm, equal bits on every machine (csrc/nt_math.h). InputError names the row of a value <= 0.

    >>> from neuraltrade.core import indicators
    >>> indicators.log([1.0, 2.0])
    array([0.        , 0.69314718])
    """
    array = series(values, "values")
    positive(array, "values")
    return log_of(array)


def crossed_above(a: npt.ArrayLike, b: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """bool[n]: a is above b now and was not on the row before. False on the first row and wherever a NaN takes part.

    >>> from neuraltrade.core import indicators
    >>> indicators.crossed_above([1.0, 3.0, 4.0], [2.0, 2.0, 2.0])
    array([False,  True, False])
    """
    one, two = all_series(("a", "b"), (a, b))
    out = np.zeros(one.size, dtype=bool)
    np.logical_and(one[1:] > two[1:], one[:-1] <= two[:-1], out=out[1:])
    return out


def crossed_below(a: npt.ArrayLike, b: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """bool[n]: a is below b now and was not on the row before. False on the first row and wherever a NaN takes part.

    >>> from neuraltrade.core import indicators
    >>> indicators.crossed_below([3.0, 1.0, 0.0], [2.0, 2.0, 2.0])
    array([False,  True, False])
    """
    return crossed_above(b, a)


rolling_std, rolling_corr, rolling_beta = stdev, correlation, beta  # by the names that readers of pandas look for
