"""Technical indicators over whole series: one native pass each, the GIL released, NaN until warm.

Every function takes float64[n] series, oldest first (other real dtypes are converted), and returns new float64[n]
arrays, several as a named tuple; row i is computed from rows 0..i alone. Windows are folded as trees of their own
values (csrc/nt_window.h), so nothing drifts over long histories, a NaN leaves with its window, and a row's bits do not
depend on where the series started. Formulas and warm-up follow TA-Lib where it has the indicator; `TABLE` and
docs/indicators.md list them all. `Stream` computes the same, bit for bit, as rows arrive. Raises InputError naming the
argument, the value and the limit: wrong dtype or shape, empty, series of different lengths, a window outside its range
or longer than the series.
"""

from .averages import bbands, dema, ema, kama, keltner, macd, sma, tema, vwap, wma
from .lines import Bands, Channel, Direction, Ichimoku, Macd, Stochastic, Supertrend
from .oscillators import adx, cci, log_returns, mfi, mom, obv, roc, rsi, stoch, stochrsi, williams_r
from .ranges import atr, donchian, garman_klass, ichimoku, natr, parkinson, realised_volatility, supertrend
from .rolling import (
    autocorrelation,
    beta,
    correlation,
    crossed_above,
    crossed_below,
    expanding_zscore,
    half_life,
    hurst,
    linreg_slope,
    log,
    rolling_beta,
    rolling_corr,
    rolling_max,
    rolling_median,
    rolling_min,
    rolling_rank,
    rolling_std,
    rolling_sum,
    stdev,
    zscore,
)
from .streams import Stream
from .table import TABLE

__all__ = [
    "TABLE", "Bands", "Channel", "Direction", "Ichimoku", "Macd", "Stochastic", "Stream", "Supertrend",
    "adx", "atr", "autocorrelation", "bbands", "beta", "cci", "correlation", "crossed_above", "crossed_below",
    "dema", "donchian", "ema", "expanding_zscore", "garman_klass", "half_life", "hurst", "ichimoku", "kama",
    "keltner", "linreg_slope", "log", "log_returns", "macd", "mfi", "mom", "natr", "obv", "parkinson",
    "realised_volatility", "roc", "rolling_beta", "rolling_corr", "rolling_max", "rolling_median", "rolling_min",
    "rolling_rank", "rolling_std", "rolling_sum", "rsi", "sma", "stdev", "stoch", "stochrsi", "supertrend", "tema",
    "vwap", "williams_r", "wma", "zscore",
]  # fmt: skip
