"""Point-in-time features of bars: row i is computed from bars[0..i] alone. Only + - * / sqrt and our own logarithm are
used, which round alike everywhere, so equal bars give equal bytes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..core import indicators as ta
from .series import Series

SHORT, MONTH, QUARTER, YEAR = 5, 21, 63, 252  # windows in bars, named as they are for daily ones
DAY_NS = 86_400_000_000_000
WEEK_NS = 7 * DAY_NS
YEAR_NS = 31_556_952 * 10**9  # the mean Gregorian year

# name -> weight in the distance between two states. Volatility and range weigh more because they persist and govern
# what can follow; where in its bar the close stands, the gap and the calendar weigh less.
WEIGHTS = {
    "return_1": 1.0, "return_5": 1.0, "return_21": 1.0, "return_63": 1.0,
    "volatility_5": 1.5, "volatility_21": 1.5, "volatility_63": 1.5, "volatility_ratio": 1.0,
    "range_1": 1.5, "range_5": 1.5, "range_21": 1.5, "shock": 1.0,
    "volume_score": 1.0, "volume_ratio": 1.0,
    "trend_21": 1.0, "trend_63": 1.0, "efficiency": 1.0, "rsi": 1.0, "macd": 1.0, "band": 1.0,
    "drawdown_63": 1.0, "drawdown_252": 1.0, "rise_252": 1.0, "autocorrelation": 1.0,
    "close_location": 0.5, "gap": 0.5,
    "day_sine": 0.25, "day_cosine": 0.25, "week_sine": 0.25, "week_cosine": 0.25,
    "year_sine": 0.25, "year_cosine": 0.25,
}  # fmt: skip


def log_positive(values: np.ndarray) -> np.ndarray:
    """Logarithm where positive, NaN elsewhere."""
    good = values > 0
    result = ta.log(np.where(good, values, 1.0))
    result[~good] = np.nan
    return result


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """above / below, NaN where below is 0 or either is NaN."""
    result = np.full(above.shape, np.nan)
    np.divide(above, below, out=result, where=(below != 0) & ~np.isnan(below))
    return result


def wave(phase: np.ndarray) -> np.ndarray:
    """A parabola's approximation of sin(2 pi phase), within 0.06, from exactly rounded operations."""
    p = phase - np.floor(phase)
    return np.where(p < 0.5, 16.0 * p * (0.5 - p), -16.0 * (p - 0.5) * (1.0 - p))


def compute(bars: Series) -> dict[str, np.ndarray]:
    """The features in the order of WEIGHTS, each float64[n], NaN where missing."""
    found = {
        **_returns_and_volatility(bars),
        **_volume(bars),
        **_trend(bars),
        **_bar_shape(bars),
        **_calendar(bars.ts_ns),
    }
    return {name: found[name] for name in WEIGHTS}


def _over(count: int, window: int, function: Callable[[], np.ndarray]) -> np.ndarray:
    """`function()` if the series is long enough for its window, else all NaN, as its first rows would be."""
    return function() if count >= window else np.full(count, np.nan)


def _past_return(close: np.ndarray, window: int) -> np.ndarray:
    return _over(close.size, window, lambda: ta.log_returns(close, window))


def _root_mean_square(returns: np.ndarray, window: int) -> np.ndarray:
    return _over(returns.size, window, lambda: np.sqrt(ta.sma(returns * returns, window)))


def _returns_and_volatility(bars: Series) -> dict[str, np.ndarray]:
    """Log returns in units of the month's volatility, log volatilities, log ranges (log high / low)."""
    n, close = bars.close.size, bars.close
    returns = ta.log_returns(close)
    volatility = {window: _root_mean_square(returns, window) for window in (SHORT, MONTH, QUARTER)}
    span = ta.log(bars.high / bars.low)
    found = {
        f"return_{window}": ratio(_past_return(close, window), volatility[MONTH] * window**0.5)
        for window in (1, SHORT, MONTH, QUARTER)
    }
    found |= {f"volatility_{window}": log_positive(values) for window, values in volatility.items()}
    found["volatility_ratio"] = found["volatility_5"] - found["volatility_63"]
    found["range_1"] = log_positive(span)
    found["range_5"] = log_positive(_over(n, SHORT, lambda: ta.sma(span, SHORT)))
    found["range_21"] = log_positive(_over(n, MONTH, lambda: ta.sma(span, MONTH)))
    found["shock"] = ratio(np.abs(returns), volatility[QUARTER])
    return found


def _volume(bars: Series) -> dict[str, np.ndarray]:
    n, volume = bars.volume.size, bars.volume
    logs = log_positive(volume)
    return {
        "volume_score": _over(n, QUARTER, lambda: ta.zscore(logs, QUARTER)),
        "volume_ratio": _over(n, QUARTER, lambda: log_positive(ratio(ta.sma(volume, SHORT), ta.sma(volume, QUARTER)))),
    }


def _trend(bars: Series) -> dict[str, np.ndarray]:
    """Correlation with time, net move per distance walked, oscillators, distance from extremes, memory of returns."""
    n, close = bars.close.size, bars.close
    logs, clock, returns = ta.log(close), np.arange(n, dtype=np.float64), ta.log_returns(close)
    histogram = _over(n, 26 + 9 - 1, lambda: ta.macd(close)[2])
    return {
        "trend_21": _over(n, MONTH, lambda: ta.correlation(logs, clock, MONTH)),
        "trend_63": _over(n, QUARTER, lambda: ta.correlation(logs, clock, QUARTER)),
        "efficiency": _over(
            n, MONTH, lambda: ratio(np.abs(ta.mom(logs, MONTH)), ta.rolling_sum(np.abs(returns), MONTH))
        ),
        "rsi": _over(n, 14, lambda: ta.rsi(close)),
        "macd": ratio(histogram, _over(n, 14, lambda: ta.atr(bars.high, bars.low, close))),
        "band": _over(n, 20, lambda: ta.zscore(close, 20)),
        "drawdown_63": _over(n, QUARTER, lambda: logs - ta.rolling_max(logs, QUARTER)),
        "drawdown_252": _over(n, YEAR, lambda: logs - ta.rolling_max(logs, YEAR)),
        "rise_252": _over(n, YEAR, lambda: logs - ta.rolling_min(logs, YEAR)),
        "autocorrelation": _over(n, QUARTER, lambda: ta.autocorrelation(returns, QUARTER)),
    }


def _bar_shape(bars: Series) -> dict[str, np.ndarray]:
    volatility = _root_mean_square(ta.log_returns(bars.close), MONTH)
    jump = np.full(bars.close.size, np.nan)
    if jump.size > 1:
        jump[1:] = ta.log(bars.open[1:] / bars.close[:-1])
    return {"close_location": ratio(bars.close - bars.low, bars.high - bars.low), "gap": ratio(jump, volatility)}


def _calendar(ts_ns: np.ndarray) -> dict[str, np.ndarray]:
    """Phases of the day, week and year at the end of the bar (UTC); constant ones stay neutral when standardised."""
    found = {}
    for name, length in (("day", DAY_NS), ("week", WEEK_NS), ("year", YEAR_NS)):
        phase = (ts_ns % length) / length
        found[f"{name}_sine"] = wave(phase)
        found[f"{name}_cosine"] = wave(phase + 0.25)
    return found
