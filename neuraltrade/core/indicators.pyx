# cython: boundscheck=False, wraparound=False
"""Technical indicators over whole series: one native pass each, the GIL released, NaN until warm.

Every function takes float64[n] series, oldest first (other real dtypes are converted), and returns new float64[n]
arrays; row i is computed from rows 0..i alone. Windows are folded as trees of their own values (csrc/nt_window.h), so
nothing drifts over long histories, a NaN leaves with its window, and a row's bits do not depend on where the series
started. Formulas and warm-up follow TA-Lib where it has the indicator. `streams.Stream` computes the same, bit for bit,
as rows arrive. Raises InputError naming the argument, the value and the limit: wrong dtype or shape, empty, series of
different lengths, a window outside its range or longer than the series.
"""

import numpy as np

from ..errors import InputError
from . import blocks

from libc.stdint cimport int64_t

# Which columns of bars each indicator reads by default, and what it returns if more than one array.
INPUTS = {
    "sma": ("close",), "ema": ("close",), "wma": ("close",), "stdev": ("close",), "zscore": ("close",),
    "rolling_sum": ("close",), "rolling_min": ("close",), "rolling_max": ("close",), "rsi": ("close",),
    "macd": ("close",), "bbands": ("close",), "roc": ("close",), "mom": ("close",), "log_returns": ("close",),
    "realised_volatility": ("close",), "atr": ("high", "low", "close"), "donchian": ("high", "low"),
    "obv": ("close", "volume"),
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


cdef _run(nt_indicator_kind kind, tuple inputs, int outputs, int64_t window, int64_t second=0, int64_t third=0,
          double real=0.0):
    """One feed of everything: the output, or a tuple of them."""
    cdef nt_indicator_parameters parameters = nt_indicator_parameters(window, second, third, real)
    cdef double[::1] slots = np.zeros(nt_indicator_slots(kind, &parameters))
    cdef nt_indicator state
    nt_indicator_init(&state, kind, &parameters, &slots[0])
    return _feed(&state, inputs, outputs)


cdef _feed(nt_indicator* state, tuple inputs, int outputs):
    cdef const double* in_[SERIES_MAX]
    cdef double* out[SERIES_MAX]
    cdef const double[::1] column
    cdef double[::1] target
    cdef int64_t k, n = inputs[0].size
    results = tuple([blocks.empty(n) for _ in range(outputs)])
    for k in range(len(inputs)):
        column = inputs[k]
        in_[k] = &column[0]
    for k in range(outputs):
        target = results[k]
        out[k] = &target[0]
    with nogil:
        nt_indicator_feed(state, in_, n, out)
    return results[0] if outputs == 1 else results


def sma(values, window):
    """Simple moving average of `window` values, 1..n. float64[n]; the first window - 1 are NaN.

    Honest over any length: the error is that of adding up the window in pairs. About 1 ns a row.

    >>> from neuraltrade.core import indicators
    >>> indicators.sma([1.0, 2.0, 3.0, 4.0], 2)
    array([nan, 1.5, 2.5, 3.5])
    """
    x = _series(values, "values")
    return _run(NT_SMA, (x,), 1, _whole(window, "window", 1, x.size))


def rolling_sum(values, window):
    """Sum of the last `window` values, 1..n. float64[n]; the first window - 1 are NaN. As `sma`.

    >>> from neuraltrade.core import indicators
    >>> indicators.rolling_sum([1.0, 2.0, 3.0], 2)
    array([nan,  3.,  5.])
    """
    x = _series(values, "values")
    return _run(NT_SUM, (x,), 1, _whole(window, "window", 1, x.size))


def wma(values, window):
    """Moving average with weights 1 (oldest) .. `window` (newest). float64[n]; the first window - 1 are NaN.

    >>> from neuraltrade.core import indicators
    >>> indicators.wma([3.0, 6.0, 9.0], 2)
    array([nan,  5.,  8.])
    """
    x = _series(values, "values")
    return _run(NT_WMA, (x,), 1, _whole(window, "window", 1, x.size))


def ema(values, window):
    """Exponential moving average, alpha = 2 / (window + 1), started with the mean of the first `window` values.

    float64[n]; the first window - 1 are NaN. A NaN after the start gives NaN on its row and is otherwise skipped.

    >>> from neuraltrade.core import indicators
    >>> indicators.ema([1.0, 2.0, 3.0, 4.0], 3)
    array([nan, nan,  2.,  3.])
    """
    x = _series(values, "values")
    return _run(NT_EMA, (x,), 1, _whole(window, "window", 1, x.size))


def rolling_min(values, window):
    """Smallest of the last `window` values. float64[n]; the first window - 1 are NaN. O(n log window).

    >>> from neuraltrade.core import indicators
    >>> indicators.rolling_min([3.0, 1.0, 2.0], 2)
    array([nan,  1.,  1.])
    """
    x = _series(values, "values")
    return _run(NT_MINIMUM, (x,), 1, _whole(window, "window", 1, x.size))


def rolling_max(values, window):
    """Largest of the last `window` values. float64[n]; the first window - 1 are NaN. O(n log window).

    >>> from neuraltrade.core import indicators
    >>> indicators.rolling_max([3.0, 1.0, 2.0], 2)
    array([nan,  3.,  2.])
    """
    x = _series(values, "values")
    return _run(NT_MAXIMUM, (x,), 1, _whole(window, "window", 1, x.size))


def donchian(high, low, window=20):
    """Donchian channel: (highest high, lowest low) of the last `window` bars, the present one included.

    Two float64[n]; the first window - 1 are NaN.

    >>> from neuraltrade.core import indicators
    >>> indicators.donchian([3.0, 4.0], [1.0, 2.0], 2)
    (array([nan,  4.]), array([nan,  1.]))
    """
    h, lo = _pair(high, low, "high", "low")
    w = _whole(window, "window", 1, h.size)
    return _run(NT_MAXIMUM, (h,), 1, w), _run(NT_MINIMUM, (lo,), 1, w)


def stdev(values, window, ddof=0):
    """Standard deviation of the last `window` values, divisor window - ddof: 0 population (TA-Lib), 1 sample.

    window : ddof + 1 .. n. float64[n]; the first window - 1 are NaN. Exactly 0 over equal values.

    >>> from neuraltrade.core import indicators
    >>> indicators.stdev([1.0, 3.0, 3.0], 2)
    array([nan,  1.,  0.])
    """
    x, freedom = _series(values, "values"), _whole(ddof, "ddof", 0, 1)
    return _run(NT_STDEV, (x,), 1, _whole(window, "window", freedom + 1, x.size), freedom)


def zscore(values, window, ddof=0):
    """(value - mean) / standard deviation over the last `window` values, the present one included.

    window : max(2, ddof + 1) .. n. float64[n]; NaN for the first window - 1 and where all values are equal.

    >>> from neuraltrade.core import indicators
    >>> indicators.zscore([1.0, 3.0, 3.0], 2)
    array([nan,  1., nan])
    """
    x, freedom = _series(values, "values"), _whole(ddof, "ddof", 0, 1)
    return _run(NT_ZSCORE, (x,), 1, _whole(window, "window", 2, x.size), freedom)


def bbands(values, window=20, width=2.0):
    """Bollinger bands: (upper, middle, lower) = mean + width x population deviation, mean, mean - width x deviation.

    window : 2..n; width > 0. Three float64[n]; the first window - 1 are NaN.

    >>> from neuraltrade.core import indicators
    >>> indicators.bbands([1.0, 3.0], 2, 2.0)
    (array([nan,  4.]), array([nan,  2.]), array([nan,  0.]))
    """
    x = _series(values, "values")
    return _run(NT_BBANDS, (x,), 3, _whole(window, "window", 2, x.size), 0, 0, _number(width, "width", 0.0))


def rsi(values, window=14):
    """Relative strength index, 0..100 (Wilder 1978): averages of gains and losses with alpha = 1 / window.

    window : 1..n. float64[n]; the first `window` are NaN. 0 where nothing moved, as in TA-Lib.

    >>> from neuraltrade.core import indicators
    >>> indicators.rsi([1.0, 2.0, 1.0, 2.0], 2)
    array([nan, nan, 50., 75.])
    """
    x = _series(values, "values")
    return _run(NT_RSI, (x,), 1, _whole(window, "window", 1, x.size))


def macd(values, fast=12, slow=26, signal=9):
    """Moving average convergence divergence: (macd, signal, histogram), macd = ema(fast) - ema(slow), signal its ema.

    1 <= fast < slow <= n, 1 <= signal <= n. Three float64[n]; the first slow + signal - 2 are NaN in all three.

    >>> from neuraltrade.core import indicators
    >>> [line.round(3).tolist() for line in indicators.macd([1.0, 2.0, 4.0, 8.0], 1, 2, 2)]
    [[nan, nan, 0.833, 1.611], [nan, nan, 0.667, 1.296], [nan, nan, 0.167, 0.315]]
    """
    x = _series(values, "values")
    s = _whole(slow, "slow", 2, x.size)
    return _run(NT_MACD, (x,), 3, _whole(fast, "fast", 1, s - 1), s, _whole(signal, "signal", 1, x.size))


def atr(high, low, close, window=14):
    """Average true range (Wilder 1978), in units of price. window : 1..n. float64[n]; the first `window` are NaN.

    >>> from neuraltrade.core import indicators
    >>> indicators.atr([3.0, 5.0], [1.0, 4.0], [2.0, 5.0], 1)
    array([nan,  3.])
    """
    h, lo = _pair(high, low, "high", "low")
    h, c = _pair(h, close, "high", "close")
    return _run(NT_ATR, (h, lo, c), 1, _whole(window, "window", 1, h.size))


def mom(values, window=10):
    """Momentum: value - value `window` rows before. window : 1..n. float64[n]; the first `window` are NaN.

    >>> from neuraltrade.core import indicators
    >>> indicators.mom([1.0, 2.0, 4.0], 1)
    array([nan,  1.,  2.])
    """
    x = _series(values, "values")
    return _run(NT_MOMENTUM, (x,), 1, _whole(window, "window", 1, x.size))


def roc(values, window=10):
    """Rate of change in percent: (value / value `window` rows before - 1) x 100. float64[n]; first `window` NaN.

    >>> from neuraltrade.core import indicators
    >>> indicators.roc([1.0, 2.0, 3.0], 1)
    array([ nan, 100.,  50.])
    """
    x = _series(values, "values")
    return _run(NT_RATE, (x,), 1, _whole(window, "window", 1, x.size))


def obv(close, volume):
    """On-balance volume: volume added on a higher close, subtracted on a lower one; starts at the first volume.

    >>> from neuraltrade.core import indicators
    >>> indicators.obv([1.0, 2.0, 1.0], [10.0, 5.0, 3.0])
    array([10., 15., 12.])
    """
    return _run(NT_OBV, _pair(close, volume, "close", "volume"), 1, 1)


def log_returns(close, window=1):
    """log(close / close `window` rows before), equal bits on every machine (csrc/nt_math.h).

    close : positive prices. float64[n]; the first `window` are NaN. Raises InputError naming the row of a price <= 0.

    >>> from neuraltrade.core import indicators
    >>> indicators.log_returns([1.0, 2.0])
    array([       nan, 0.69314718])
    """
    x = _series(close, "close")
    _positive(x, "close")
    return _run(NT_LOG_RETURN, (x,), 1, _whole(window, "window", 1, x.size))


def log(values):
    """Natural logarithm, equal bits on every machine (csrc/nt_math.h). InputError names the row of a value <= 0.

    >>> from neuraltrade.core import indicators
    >>> indicators.log([1.0, 2.0])
    array([0.        , 0.69314718])
    """
    array = _series(values, "values")
    _positive(array, "values")
    cdef const double[::1] x = array
    cdef int64_t i, n = x.shape[0]
    result = np.empty(n)
    cdef double[::1] out = result
    with nogil:
        for i in range(n):
            out[i] = nt_log(x[i])
    return result


def realised_volatility(close, window, periods_per_year=252.0):
    """Annualised standard deviation (ddof 1) of log returns over a trailing window.

    close : positive prices. window : number of returns, 2..n. periods_per_year > 0: bars in a year; 1 for per bar.
    Returns float64[n]; the first `window` values are NaN. O(n log window), one pass.
    Raises InputError if close has a non-positive price (with its row) or window is out of range.

    >>> from neuraltrade.core import indicators
    >>> indicators.realised_volatility([1.0, 2.0, 1.0], 2, periods_per_year=1).round(4)
    array([   nan,    nan, 0.9803])
    """
    x = _series(close, "close")
    _positive(x, "close")
    scale = _number(periods_per_year, "periods_per_year", 0.0) ** 0.5
    return _run(NT_VOLATILITY, (x,), 1, _whole(window, "window", 2, x.size), 0, 0, scale)


def correlation(x, y, window):
    """Pearson correlation of two series over the last `window` rows, 2..n. float64[n] in [-1, 1].

    NaN for the first window - 1 and where either series was constant.

    >>> from neuraltrade.core import indicators
    >>> indicators.correlation([1.0, 2.0, 3.0], [3.0, 2.0, 1.0], 3)
    array([nan, nan, -1.])
    """
    one, two = _pair(x, y, "x", "y")
    return _run(NT_CORRELATION, (one, two), 1, _whole(window, "window", 2, one.size))


def autocorrelation(values, window, lag=1):
    """Correlation of a series with itself `lag` rows before, over `window` pairs. First window + lag - 1 are NaN.

    window : 2..n; lag : 1..n. NaN also where the values were constant.

    >>> from neuraltrade.core import indicators
    >>> indicators.autocorrelation([1.0, 2.0, 1.0, 2.0, 1.0], 3)[-1].round(6)
    np.float64(-1.0)
    """
    x = _series(values, "values")
    return _run(NT_AUTOCORRELATION, (x,), 1, _whole(window, "window", 2, x.size), _whole(lag, "lag", 1, x.size))


def expanding_zscore(values, least=20, limit=4.0):
    """(value - mean) / population deviation over all values so far, the present one included, clipped to +-limit.

    float64[n] without NaN: 0 where the value is NaN, before `least` values were seen, or while all were equal.

    >>> from neuraltrade.core import indicators
    >>> indicators.expanding_zscore([1.0, 3.0, float("nan")], least=2)
    array([0., 1., 0.])
    """
    x = _series(values, "values")
    return _run(NT_EXPANDING, (x,), 1, _whole(least, "least", 2, 2**62), 0, 0, _number(limit, "limit", 0.0))


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
