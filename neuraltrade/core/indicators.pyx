# cython: boundscheck=False, wraparound=False
"""Technical indicators over whole series: one native pass each, the GIL released, NaN until warm.

Every function takes float64[n] series, oldest first (other real dtypes are converted), and returns new float64[n]
arrays; row i is computed from rows 0..i alone. A window folds blocks instead of adding and subtracting (see
csrc/nt_indicators.h), so nothing drifts over long histories, and a NaN leaves with its window. Formulas and warm-up
follow TA-Lib where it has the indicator. Raises InputError naming the argument, the value and the limit: wrong dtype or
shape, empty, series of different lengths, a window outside its range or longer than the series.
"""

import numpy as np

from ..errors import InputError

from libc.stdint cimport int64_t


cdef extern from "nt_indicators.h" nogil:
    void nt_sma_batch(const double*, int64_t, int64_t, double*, double*) noexcept
    void nt_sum_batch(const double*, int64_t, int64_t, double*, double*) noexcept
    void nt_wma_batch(const double*, int64_t, int64_t, double*, double*) noexcept
    void nt_ema_batch(const double*, int64_t, int64_t, double*) noexcept
    void nt_extreme_batch(const double*, int64_t, int64_t, double, double*, double*) noexcept
    void nt_stdev_batch(const double*, int64_t, int64_t, int64_t, double*, double*) noexcept
    void nt_zscore_batch(const double*, int64_t, int64_t, int64_t, double*, double*) noexcept
    void nt_bbands_batch(const double*, int64_t, int64_t, double, double*, double*, double*, double*) noexcept
    void nt_rsi_batch(const double*, int64_t, int64_t, double*) noexcept
    void nt_macd_batch(const double*, int64_t, int64_t, int64_t, int64_t, double*, double*, double*) noexcept
    void nt_atr_batch(const double*, const double*, const double*, int64_t, int64_t, double*) noexcept
    void nt_mom_batch(const double*, int64_t, int64_t, double*, double*) noexcept
    void nt_roc_batch(const double*, int64_t, int64_t, double*, double*) noexcept
    void nt_obv_batch(const double*, const double*, int64_t, double*) noexcept
    void nt_log_batch(const double*, int64_t, double*) noexcept
    void nt_log_returns_batch(const double*, int64_t, int64_t, double*, double*) noexcept
    void nt_realised_volatility_batch(const double*, int64_t, int64_t, double, double*, double*) noexcept
    void nt_correlation_batch(const double*, const double*, int64_t, int64_t, double*, double*) noexcept
    void nt_autocorrelation_batch(const double*, int64_t, int64_t, int64_t, double*, double*) noexcept
    void nt_expanding_zscore_batch(const double*, int64_t, int64_t, double, double*) noexcept


# Which columns of bars each indicator reads by default, and what it returns if more than one array.
INPUTS = {
    "sma": ("close",), "ema": ("close",), "wma": ("close",), "stdev": ("close",), "zscore": ("close",),
    "rolling_sum": ("close",), "rolling_min": ("close",), "rolling_max": ("close",), "rsi": ("close",), "macd": ("close",),
    "bbands": ("close",), "atr": ("high", "low", "close"), "roc": ("close",), "mom": ("close",), "obv": ("close", "volume"),
    "realised_volatility": ("close",), "donchian": ("high", "low"), "log_returns": ("close",),
}
OUTPUTS = {
    "macd": ("macd", "signal", "histogram"),
    "bbands": ("upper", "middle", "lower"),
    "donchian": ("upper", "lower"),
}


cdef _series(object values, str name):
    """`values` as a non-empty contiguous float64[n]; copied only if it is not that already."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise InputError(f"{name} must have one dimension, has shape {array.shape}")
    if array.dtype.kind not in "iuf" or array.dtype.itemsize > 8:
        raise InputError(f"{name} must hold real numbers, has dtype {array.dtype}")
    if array.size == 0:
        raise InputError(f"{name} is empty: an indicator needs at least one row")
    return np.ascontiguousarray(array, dtype=np.float64)


cdef _pair(object first, object second, str name_first, str name_second):
    one, two = _series(first, name_first), _series(second, name_second)
    if one.size != two.size:
        raise InputError(f"{name_second} has {two.size} rows, {name_first} has {one.size}: one length is needed")
    return one, two


cdef int64_t _whole(object value, str name, int64_t least, int64_t most) except? -1:
    """An integer argument within least..most."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise InputError(f"{name} must be an integer, was {type(value).__name__} {value!r}")
    if not least <= value <= most:
        raise InputError(f"{name} must be in {least}..{most} (the series' length bounds it), was {value}")
    return value


cdef double _number(object value, str name, double above) except? -1.0:
    """A finite real argument greater than `above`."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise InputError(f"{name} must be a number, was {type(value).__name__} {value!r}")
    if not above < value < float("inf"):
        raise InputError(f"{name} must be finite and above {above:g}, was {value!r}")
    return value


cdef _positive(object array, str name):
    """Raise at the first price that is not positive and finite."""
    bad = ~((array > 0) & (array < np.inf))
    if bad.any():
        row = int(bad.argmax())
        raise InputError(f"{name} row {row}: {array[row]} is not a positive price")


def sma(values, window):
    """Simple moving average of `window` values, 1..n. float64[n]; the first window - 1 are NaN.

    Honest over any length: no running sum is ever subtracted from. About 2.5 ns a row.

    >>> from neuraltrade.core import indicators
    >>> indicators.sma([1.0, 2.0, 3.0, 4.0], 2)
    array([nan, 1.5, 2.5, 3.5])
    """
    cdef const double[::1] x = _series(values, "values")
    cdef int64_t n = x.shape[0], w = _whole(window, "window", 1, n)
    cdef double[::1] slots = np.empty(w + 1), out = np.empty(n)
    with nogil:
        nt_sma_batch(&x[0], n, w, &slots[0], &out[0])
    return np.asarray(out)


def rolling_sum(values, window):
    """Sum of the last `window` values, 1..n. float64[n]; the first window - 1 are NaN. As `sma`.

    >>> from neuraltrade.core import indicators
    >>> indicators.rolling_sum([1.0, 2.0, 3.0], 2)
    array([nan,  3.,  5.])
    """
    cdef const double[::1] x = _series(values, "values")
    cdef int64_t n = x.shape[0], w = _whole(window, "window", 1, n)
    cdef double[::1] slots = np.empty(w + 1), out = np.empty(n)
    with nogil:
        nt_sum_batch(&x[0], n, w, &slots[0], &out[0])
    return np.asarray(out)


def wma(values, window):
    """Moving average with weights 1 (oldest) .. `window` (newest). float64[n]; the first window - 1 are NaN.

    >>> from neuraltrade.core import indicators
    >>> indicators.wma([3.0, 6.0, 9.0], 2)
    array([nan,  5.,  8.])
    """
    cdef const double[::1] x = _series(values, "values")
    cdef int64_t n = x.shape[0], w = _whole(window, "window", 1, n)
    cdef double[::1] slots = np.empty(2 * (w + 1)), out = np.empty(n)
    with nogil:
        nt_wma_batch(&x[0], n, w, &slots[0], &out[0])
    return np.asarray(out)


def ema(values, window):
    """Exponential moving average, alpha = 2 / (window + 1), started with the mean of the first `window` values (TA-Lib).

    float64[n]; the first window - 1 are NaN. A NaN after the start gives NaN on its row and is otherwise skipped.

    >>> from neuraltrade.core import indicators
    >>> indicators.ema([1.0, 2.0, 3.0, 4.0], 3)
    array([nan, nan,  2.,  3.])
    """
    cdef const double[::1] x = _series(values, "values")
    cdef int64_t n = x.shape[0], w = _whole(window, "window", 1, n)
    cdef double[::1] out = np.empty(n)
    with nogil:
        nt_ema_batch(&x[0], n, w, &out[0])
    return np.asarray(out)


cdef _extreme(object values, object window, double sign):
    cdef const double[::1] x = values
    cdef int64_t n = x.shape[0], w = _whole(window, "window", 1, n)
    cdef double[::1] slots = np.empty(w + 1), out = np.empty(n)
    with nogil:
        nt_extreme_batch(&x[0], n, w, sign, &slots[0], &out[0])
    return np.asarray(out)


def rolling_min(values, window):
    """Smallest of the last `window` values. float64[n]; the first window - 1 are NaN. O(n) whatever the window.

    >>> from neuraltrade.core import indicators
    >>> indicators.rolling_min([3.0, 1.0, 2.0], 2)
    array([nan,  1.,  1.])
    """
    return _extreme(_series(values, "values"), window, -1.0)


def rolling_max(values, window):
    """Largest of the last `window` values. float64[n]; the first window - 1 are NaN. O(n) whatever the window.

    >>> from neuraltrade.core import indicators
    >>> indicators.rolling_max([3.0, 1.0, 2.0], 2)
    array([nan,  3.,  2.])
    """
    return _extreme(_series(values, "values"), window, 1.0)


def donchian(high, low, window=20):
    """Donchian channel: (highest high, lowest low) of the last `window` bars, the present one included.

    Two float64[n]; the first window - 1 are NaN.

    >>> from neuraltrade.core import indicators
    >>> indicators.donchian([3.0, 4.0], [1.0, 2.0], 2)
    (array([nan,  4.]), array([nan,  1.]))
    """
    h, lo = _pair(high, low, "high", "low")
    return _extreme(h, window, 1.0), _extreme(lo, window, -1.0)


def stdev(values, window, ddof=0):
    """Standard deviation of the last `window` values, divisor window - ddof: 0 is the population's (TA-Lib), 1 the sample's.

    window : ddof + 1 .. n. float64[n]; the first window - 1 are NaN. Exactly 0 over equal values. Welford 1962.

    >>> from neuraltrade.core import indicators
    >>> indicators.stdev([1.0, 3.0, 3.0], 2)
    array([nan,  1.,  0.])
    """
    cdef const double[::1] x = _series(values, "values")
    cdef int64_t freedom = _whole(ddof, "ddof", 0, 1), n = x.shape[0], w = _whole(window, "window", freedom + 1, n)
    cdef double[::1] slots = np.empty(3 * (w + 1)), out = np.empty(n)
    with nogil:
        nt_stdev_batch(&x[0], n, w, freedom, &slots[0], &out[0])
    return np.asarray(out)


def zscore(values, window, ddof=0):
    """(value - mean) / standard deviation over the last `window` values, the present one included.

    window : max(2, ddof + 1) .. n. float64[n]; NaN for the first window - 1 and where all values are equal.

    >>> from neuraltrade.core import indicators
    >>> indicators.zscore([1.0, 3.0, 3.0], 2)
    array([nan,  1., nan])
    """
    cdef const double[::1] x = _series(values, "values")
    cdef int64_t freedom = _whole(ddof, "ddof", 0, 1), n = x.shape[0], w = _whole(window, "window", 2, n)
    cdef double[::1] slots = np.empty(3 * (w + 1)), out = np.empty(n)
    with nogil:
        nt_zscore_batch(&x[0], n, w, freedom, &slots[0], &out[0])
    return np.asarray(out)


def bbands(values, window=20, width=2.0):
    """Bollinger bands: (upper, middle, lower) = mean + width x population deviation, mean, mean - width x deviation.

    window : 2..n; width > 0. Three float64[n]; the first window - 1 are NaN.

    >>> from neuraltrade.core import indicators
    >>> indicators.bbands([1.0, 3.0], 2, 2.0)
    (array([nan,  4.]), array([nan,  2.]), array([nan,  0.]))
    """
    cdef const double[::1] x = _series(values, "values")
    cdef int64_t n = x.shape[0], w = _whole(window, "window", 2, n)
    cdef double reach = _number(width, "width", 0.0)
    cdef double[::1] slots = np.empty(3 * (w + 1)), upper = np.empty(n), middle = np.empty(n), lower = np.empty(n)
    with nogil:
        nt_bbands_batch(&x[0], n, w, reach, &slots[0], &upper[0], &middle[0], &lower[0])
    return np.asarray(upper), np.asarray(middle), np.asarray(lower)


def rsi(values, window=14):
    """Relative strength index, 0..100 (Wilder 1978): averages of gains and losses with alpha = 1 / window.

    window : 1..n. float64[n]; the first `window` are NaN. 0 where nothing moved, as in TA-Lib.

    >>> from neuraltrade.core import indicators
    >>> indicators.rsi([1.0, 2.0, 1.0, 2.0], 2)
    array([nan, nan, 50., 75.])
    """
    cdef const double[::1] x = _series(values, "values")
    cdef int64_t n = x.shape[0], w = _whole(window, "window", 1, n)
    cdef double[::1] out = np.empty(n)
    with nogil:
        nt_rsi_batch(&x[0], n, w, &out[0])
    return np.asarray(out)


def macd(values, fast=12, slow=26, signal=9):
    """Moving average convergence divergence: (macd, signal, histogram), macd = ema(fast) - ema(slow), signal its ema.

    1 <= fast < slow <= n, 1 <= signal <= n. Three float64[n]; the first slow + signal - 2 are NaN (all three, as TA-Lib).

    >>> from neuraltrade.core import indicators
    >>> [line.round(3).tolist() for line in indicators.macd([1.0, 2.0, 4.0, 8.0], 1, 2, 2)]
    [[nan, nan, 0.833, 1.611], [nan, nan, 0.667, 1.296], [nan, nan, 0.167, 0.315]]
    """
    cdef const double[::1] x = _series(values, "values")
    cdef int64_t n = x.shape[0], s = _whole(slow, "slow", 2, n)
    cdef int64_t f = _whole(fast, "fast", 1, s - 1), g = _whole(signal, "signal", 1, n)
    cdef double[::1] line = np.empty(n), average = np.empty(n), rest = np.empty(n)
    with nogil:
        nt_macd_batch(&x[0], n, f, s, g, &line[0], &average[0], &rest[0])
    return np.asarray(line), np.asarray(average), np.asarray(rest)


def atr(high, low, close, window=14):
    """Average true range (Wilder 1978), in units of price. window : 1..n. float64[n]; the first `window` are NaN.

    >>> from neuraltrade.core import indicators
    >>> indicators.atr([3.0, 5.0], [1.0, 4.0], [2.0, 5.0], 1)
    array([nan,  3.])
    """
    h, lo = _pair(high, low, "high", "low")
    h, c = _pair(h, close, "high", "close")
    cdef const double[::1] hv = h, lv = lo, cv = c
    cdef int64_t n = hv.shape[0], w = _whole(window, "window", 1, n)
    cdef double[::1] out = np.empty(n)
    with nogil:
        nt_atr_batch(&hv[0], &lv[0], &cv[0], n, w, &out[0])
    return np.asarray(out)


def mom(values, window=10):
    """Momentum: value - value `window` rows before. window : 1..n. float64[n]; the first `window` are NaN.

    >>> from neuraltrade.core import indicators
    >>> indicators.mom([1.0, 2.0, 4.0], 1)
    array([nan,  1.,  2.])
    """
    cdef const double[::1] x = _series(values, "values")
    cdef int64_t n = x.shape[0], w = _whole(window, "window", 1, n)
    cdef double[::1] slots = np.empty(w), out = np.empty(n)
    with nogil:
        nt_mom_batch(&x[0], n, w, &slots[0], &out[0])
    return np.asarray(out)


def roc(values, window=10):
    """Rate of change in percent: (value / value `window` rows before - 1) x 100. float64[n]; the first `window` are NaN.

    >>> from neuraltrade.core import indicators
    >>> indicators.roc([1.0, 2.0, 3.0], 1)
    array([ nan, 100.,  50.])
    """
    cdef const double[::1] x = _series(values, "values")
    cdef int64_t n = x.shape[0], w = _whole(window, "window", 1, n)
    cdef double[::1] slots = np.empty(w), out = np.empty(n)
    with nogil:
        nt_roc_batch(&x[0], n, w, &slots[0], &out[0])
    return np.asarray(out)


def obv(close, volume):
    """On-balance volume: volume added on a higher close, subtracted on a lower one; starts at the first volume (TA-Lib).

    >>> from neuraltrade.core import indicators
    >>> indicators.obv([1.0, 2.0, 1.0], [10.0, 5.0, 3.0])
    array([10., 15., 12.])
    """
    c, v = _pair(close, volume, "close", "volume")
    cdef const double[::1] cv = c, vv = v
    cdef int64_t n = cv.shape[0]
    cdef double[::1] out = np.empty(n)
    with nogil:
        nt_obv_batch(&cv[0], &vv[0], n, &out[0])
    return np.asarray(out)


def log_returns(close, window=1):
    """log(close / close `window` rows before), equal bits on every machine (csrc/nt_math.h).

    close : positive prices. float64[n]; the first `window` are NaN. Raises InputError naming the row of a price <= 0.

    >>> from neuraltrade.core import indicators
    >>> indicators.log_returns([1.0, 2.0])
    array([       nan, 0.69314718])
    """
    array = _series(close, "close")
    _positive(array, "close")
    cdef const double[::1] x = array
    cdef int64_t n = x.shape[0], w = _whole(window, "window", 1, n)
    cdef double[::1] slots = np.empty(w), out = np.empty(n)
    with nogil:
        nt_log_returns_batch(&x[0], n, w, &slots[0], &out[0])
    return np.asarray(out)


def log(values):
    """Natural logarithm, equal bits on every machine (csrc/nt_math.h). Raises InputError naming the row of a value <= 0.

    >>> from neuraltrade.core import indicators
    >>> indicators.log([1.0, 2.0])
    array([0.        , 0.69314718])
    """
    array = _series(values, "values")
    _positive(array, "values")
    cdef const double[::1] x = array
    cdef int64_t n = x.shape[0]
    cdef double[::1] out = np.empty(n)
    with nogil:
        nt_log_batch(&x[0], n, &out[0])
    return np.asarray(out)


def realised_volatility(close, window, periods_per_year=252.0):
    """Annualised standard deviation (ddof 1) of log returns over a trailing window.

    close : positive prices. window : number of returns, 2..n. periods_per_year > 0: bars in a year; 1 for per-bar units.
    Returns float64[n]; the first `window` values are NaN. O(n), one pass (Welford 1962).
    Raises InputError if close has a non-positive price (with its row) or window is out of range.

    >>> from neuraltrade.core import indicators
    >>> indicators.realised_volatility([1.0, 2.0, 1.0], 2, periods_per_year=1).round(4)
    array([   nan,    nan, 0.9803])
    """
    array = _series(close, "close")
    _positive(array, "close")
    cdef const double[::1] x = array
    cdef int64_t n = x.shape[0], w = _whole(window, "window", 2, n)
    cdef double scale = _number(periods_per_year, "periods_per_year", 0.0) ** 0.5
    cdef double[::1] slots = np.empty(3 * (w + 1)), out = np.empty(n)
    with nogil:
        nt_realised_volatility_batch(&x[0], n, w, scale, &slots[0], &out[0])
    return np.asarray(out)


def correlation(x, y, window):
    """Pearson correlation of two series over the last `window` rows, 2..n. float64[n] in [-1, 1].

    NaN for the first window - 1 and where either series was constant.

    >>> from neuraltrade.core import indicators
    >>> indicators.correlation([1.0, 2.0, 3.0], [3.0, 2.0, 1.0], 3)
    array([nan, nan, -1.])
    """
    one, two = _pair(x, y, "x", "y")
    cdef const double[::1] xv = one, yv = two
    cdef int64_t n = xv.shape[0], w = _whole(window, "window", 2, n)
    cdef double[::1] slots = np.empty(6 * (w + 1)), out = np.empty(n)
    with nogil:
        nt_correlation_batch(&xv[0], &yv[0], n, w, &slots[0], &out[0])
    return np.asarray(out)


def autocorrelation(values, window, lag=1):
    """Correlation of a series with itself `lag` rows before, over `window` pairs. float64[n]; the first window + lag - 1 NaN.

    window : 2..n; lag : 1..n. NaN also where the values were constant.

    >>> from neuraltrade.core import indicators
    >>> indicators.autocorrelation([1.0, 2.0, 1.0, 2.0, 1.0], 3)[-1].round(6)
    np.float64(-1.0)
    """
    cdef const double[::1] x = _series(values, "values")
    cdef int64_t n = x.shape[0], w = _whole(window, "window", 2, n), back = _whole(lag, "lag", 1, n)
    cdef double[::1] slots = np.empty(6 * (w + 1) + back), out = np.empty(n)
    with nogil:
        nt_autocorrelation_batch(&x[0], n, w, back, &slots[0], &out[0])
    return np.asarray(out)


def expanding_zscore(values, least=20, limit=4.0):
    """(value - mean) / population deviation over all values so far, the present one included, clipped to +-limit.

    float64[n] without NaN: 0 where the value is NaN, before `least` values were seen, or while all were equal.

    >>> from neuraltrade.core import indicators
    >>> indicators.expanding_zscore([1.0, 3.0, float("nan")], least=2)
    array([0., 1., 0.])
    """
    cdef const double[::1] x = _series(values, "values")
    cdef int64_t n = x.shape[0], first = _whole(least, "least", 2, 2**62)
    cdef double bound = _number(limit, "limit", 0.0)
    cdef double[::1] out = np.empty(n)
    with nogil:
        nt_expanding_zscore_batch(&x[0], n, first, bound, &out[0])
    return np.asarray(out)


def crossed_above(a, b):
    """bool[n]: a is above b now and was not on the row before. False on the first row and wherever a NaN takes part.

    >>> from neuraltrade.core import indicators
    >>> indicators.crossed_above([1.0, 3.0, 4.0], [2.0, 2.0, 2.0])
    array([False,  True, False])
    """
    one, two = _pair(a, b, "a", "b")
    out = np.zeros(one.size, dtype=bool)
    np.logical_and(one[1:] > two[1:], one[:one.size - 1] <= two[:two.size - 1], out=out[1:])
    return out


def crossed_below(a, b):
    """bool[n]: a is below b now and was not on the row before. False on the first row and wherever a NaN takes part.

    >>> from neuraltrade.core import indicators
    >>> indicators.crossed_below([3.0, 1.0, 0.0], [2.0, 2.0, 2.0])
    array([False,  True, False])
    """
    return crossed_above(b, a)
