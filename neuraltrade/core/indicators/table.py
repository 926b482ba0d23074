"""Every indicator once: its inputs, parameters with ranges, lines, first known row, formula, and TA-Lib's name for it.

Functions, streams, tests and the table of docs/indicators.md all read it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import lines

Bound = int | Callable[[Mapping[str, Any]], int]


@dataclass(frozen=True)
class Parameter:
    """default None: must be given. An int is in least..most, most None being the number of rows (a bound may depend on
    parameters that come before it in `Entry.checks`); a float is finite and above 0."""

    name: str
    default: int | float | None = None
    least: Bound = 1
    most: Bound | None = None

    @property
    def real(self) -> bool:
        return isinstance(self.default, float)


@dataclass(frozen=True)
class Entry:
    """series: names of the arrays it reads, in order; `values` and `close` mean any one series, by default the close.
    first: parameters -> row of each line's first number. positive: whether the series must be positive prices.
    nans: "window": NaN while the window holds one; "skipped": NaN on that row, which no average takes in."""

    name: str
    series: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    first: Callable[..., tuple[int, ...]]
    formula: str
    warm_up: str
    result: type | None = None
    talib: str = ""
    positive: bool = False
    nans: str = "window"
    checks: tuple[str, ...] = ()
    per_year: bool = False  # the float parameter counts bars in a year; its root scales the result

    @property
    def lines(self) -> tuple[str, ...]:
        """Names of the outputs; empty for one."""
        return getattr(self.result, "_fields", ())


VALUES, HIGH_LOW = ("values",), ("high", "low")
BAR, OHLC = ("high", "low", "close"), ("open", "high", "low", "close")
BAR_VOLUME = ("high", "low", "close", "volume")
WINDOW, WINDOW_2 = Parameter("window"), Parameter("window", least=2)
PER_YEAR = Parameter("periods_per_year", 252.0)
DDOF = Parameter("ddof", 0, 0, 1)


def window_of(default: int, least: int = 1) -> Parameter:
    return Parameter("window", default, least)


def full(window: int, *_: Any, **__: Any) -> tuple[int, ...]:
    """A window that is full."""
    return (window - 1,)


def after(window: int, *_: Any, **__: Any) -> tuple[int, ...]:
    """A window of changes."""
    return (window,)


def _ichimoku(conversion: int, base: int, span: int, displacement: int) -> tuple[int, ...]:
    return conversion - 1, base - 1, max(conversion, base) - 1 + displacement, span - 1 + displacement


_ENTRIES = (
    Entry("sma", VALUES, (WINDOW,), full, "mean of the window", "window - 1", talib="SMA"),
    Entry("rolling_sum", VALUES, (WINDOW,), full, "sum of the window", "window - 1", talib="SUM"),
    Entry("wma", VALUES, (WINDOW,), full, "mean weighted 1 (oldest) .. window (newest)", "window - 1", talib="WMA"),
    Entry("ema", VALUES, (WINDOW,), full, "e += (x - e) * 2 / (window + 1), begun with the mean of `window` values",
          "window - 1", talib="EMA", nans="skipped"),
    Entry("dema", VALUES, (WINDOW,), lambda window: (2 * (window - 1),), "2 e1 - e2, e2 = ema of e1 = ema",
          "2 (window - 1)", talib="DEMA", nans="skipped"),
    Entry("tema", VALUES, (WINDOW,), lambda window: (3 * (window - 1),), "3 e1 - 3 e2 + e3, each the ema of the last",
          "3 (window - 1)", talib="TEMA", nans="skipped"),
    Entry("kama", VALUES, (window_of(10),), after,
          "k += (x - k) * (r (2/3 - 2/31) + 2/31)^2, r = net change / distance walked over the window", "window",
          talib="KAMA"),
    Entry("rsi", VALUES, (window_of(14),), after,
          "100 gain / (gain + loss), averages with alpha 1 / window", "window", talib="RSI", nans="skipped"),
    Entry("macd", VALUES,
          (Parameter("fast", 12, 1, lambda p: p["slow"] - 1), Parameter("slow", 26, 2), Parameter("signal", 9)),
          lambda fast, slow, signal: (slow + signal - 2,) * 3,
          "ema(fast) - ema(slow); its ema(signal); their difference", "slow + signal - 2", lines.Macd,
          "MACD", nans="skipped", checks=("slow", "fast", "signal")),
    Entry("bbands", VALUES, (window_of(20, 2), Parameter("width", 2.0)),
          lambda window, width: (window - 1,) * 3, "mean +- width x population deviation", "window - 1", lines.Bands,
          "BBANDS"),
    Entry("mom", VALUES, (window_of(10),), after, "x - x `window` rows before", "window", talib="MOM", nans="row"),
    Entry("roc", VALUES, (window_of(10),), after, "100 (x / x `window` rows before - 1)", "window", talib="ROC",
          nans="row"),
    Entry("log_returns", ("close",), (window_of(1),), after, "log(x / x `window` rows before)", "window",
          positive=True, nans="row"),
    Entry("atr", BAR, (window_of(14),), after, "average with alpha 1 / window of the true range", "window",
          talib="ATR", nans="skipped"),
    Entry("natr", BAR, (window_of(14),), after, "100 atr / close", "window", talib="NATR", nans="skipped"),
    Entry("adx", BAR, (window_of(14, 2),), lambda window: (2 * window - 1, window, window),
          "average of 100 |+DI - -DI| / (+DI + -DI); +DI = 100 average(up move) / average(true range)",
          "2 window - 1; +DI, -DI: window", lines.Direction, "ADX, PLUS_DI, MINUS_DI", nans="skipped"),
    Entry("cci", BAR, (window_of(20, 2),), full,
          "(t - mean t) / (0.015 mean |t - mean t|), t = (high + low + close) / 3",
          "window - 1", talib="CCI"),
    Entry("stoch", BAR, (window_of(14), Parameter("smooth", 3), Parameter("signal", 3)),
          lambda window, smooth, signal: (window + smooth + signal - 3,) * 2,
          "k = sma(100 (close - lowest) / (highest - lowest), smooth); d = sma(k, signal)",
          "window + smooth + signal - 3", lines.Stochastic, "STOCH"),
    Entry("stochrsi", VALUES, (window_of(14), Parameter("stoch_window", 14), Parameter("smooth", 3),
                               Parameter("signal", 3)),
          lambda window, stoch_window, smooth, signal: (window + stoch_window + smooth + signal - 3,) * 2,
          "stoch of rsi(window) in its own range over stoch_window", "window + stoch_window + smooth + signal - 3",
          lines.Stochastic, "STOCHRSI (smooth=1)"),
    Entry("williams_r", BAR, (window_of(14),), full, "-100 (highest - close) / (highest - lowest)", "window - 1",
          talib="WILLR"),
    Entry("obv", ("close", "volume"), (), lambda: (0,), "volume added on a higher close, subtracted on a lower one",
          "0", talib="OBV", nans="skipped"),
    Entry("mfi", BAR_VOLUME, (window_of(14),), after,
          "100 p / (p + n): t volume where t = (high + low + close) / 3 rose, and where it fell", "window",
          talib="MFI"),
    Entry("vwap", BAR_VOLUME, (window_of(20),), full, "sum(t volume) / sum(volume), t = (high + low + close) / 3",
          "window - 1"),
    Entry("donchian", HIGH_LOW, (window_of(20),), lambda window: (window - 1,) * 2, "highest high, lowest low",
          "window - 1", lines.Channel, "MAX, MIN"),
    Entry("keltner", BAR, (window_of(20), Parameter("atr_window", 10), Parameter("width", 2.0)),
          lambda window, atr_window, width: (max(window - 1, atr_window),) * 3, "ema(close) +- width x atr(atr_window)",
          "max(window - 1, atr_window)", lines.Bands, nans="skipped"),
    Entry("supertrend", BAR, (window_of(10), Parameter("factor", 3.0)), lambda window, factor: (window,) * 2,
          "(high + low) / 2 -+ factor x atr, moving with the trend only; +1 above, -1 below", "window",
          lines.Supertrend, nans="skipped"),
    Entry("ichimoku", HIGH_LOW, (Parameter("conversion", 9), Parameter("base", 26), Parameter("span", 52),
                                 Parameter("displacement", 26)), _ichimoku,
          "m(n) = (highest + lowest) / 2: m(conversion), m(base), their mean and m(span) of `displacement` rows before",
          "conversion - 1; base - 1; max(conversion, base) - 1 + displacement; span - 1 + displacement",
          lines.Ichimoku),
    Entry("stdev", VALUES, (Parameter("window", least=lambda p: p["ddof"] + 1), DDOF), full,
          "sqrt(sum((x - mean)^2) / (window - ddof))", "window - 1", talib="STDDEV (ddof=0)",
          checks=("ddof", "window")),
    Entry("zscore", VALUES, (WINDOW_2, DDOF), full, "(x - mean) / stdev", "window - 1", checks=("ddof", "window")),
    Entry("rolling_min", VALUES, (WINDOW,), full, "smallest of the window", "window - 1", talib="MIN"),
    Entry("rolling_max", VALUES, (WINDOW,), full, "largest of the window", "window - 1", talib="MAX"),
    Entry("rolling_median", VALUES, (WINDOW,), full, "median of the window", "window - 1"),
    Entry("rolling_rank", VALUES, (WINDOW,), full, "place of the newest among the window, 1 .. window, ties their mean",
          "window - 1"),
    Entry("correlation", ("x", "y"), (WINDOW_2,), full, "Pearson correlation over the window", "window - 1",
          talib="CORREL"),
    Entry("autocorrelation", VALUES, (WINDOW_2, Parameter("lag", 1)), lambda window, lag: (window + lag - 1,),
          "correlation of x with x `lag` rows before", "window + lag - 1"),
    Entry("beta", ("values", "market"), (WINDOW_2,), after,
          "cov(r, r_market) / var(r_market), r: change from one row to the next", "window",
          talib="BETA (market first)"),
    Entry("linreg_slope", VALUES, (WINDOW_2,), full, "least squares slope of x on the row number", "window - 1",
          talib="LINEARREG_SLOPE"),
    Entry("hurst", ("close",), (Parameter("window", 100, lambda p: 2 ** p["scales"]), Parameter("scales", 5, 2, 16)),
          full,
          "least squares slope of log deviation(log x - log x `lag` before) on log lag, lag 1, 2, 4 .. 2^(scales - 1)",
          "window - 1", positive=True, checks=("scales", "window")),
    Entry("half_life", VALUES, (window_of(100, 3),), after,
          "-log 2 / b, b of x - x' = a + b x' + noise, x' the row before; infinite where b >= 0", "window"),
    Entry("realised_volatility", ("close",), (WINDOW_2, PER_YEAR), after,
          "stdev(log returns, ddof=1) sqrt(periods_per_year)", "window", positive=True, per_year=True),
    Entry("garman_klass", OHLC, (WINDOW, PER_YEAR), full,
          "sqrt(periods_per_year mean(log(high / low)^2 / 2 - (2 log 2 - 1) log(close / open)^2))", "window - 1",
          positive=True, per_year=True),
    Entry("parkinson", HIGH_LOW, (WINDOW, PER_YEAR), full,
          "sqrt(periods_per_year mean(log(high / low)^2) / (4 log 2))", "window - 1", positive=True, per_year=True),
    Entry("expanding_zscore", VALUES, (Parameter("least", 20, 2, 2**62), Parameter("limit", 4.0)),
          lambda least, limit: (0,), "(x - mean) / population deviation of all values so far, clipped to +-limit",
          "0; 0 until `least` values", nans="zero"),
)  # fmt: skip
TABLE: dict[str, Entry] = {entry.name: entry for entry in _ENTRIES}
