"""P14 and the indicators: seconds over a million rows, and what a neighbour is worth beside it."""

from __future__ import annotations

import numpy as np

import neuraltrade as nt
from neuraltrade.core import indicators

ROWS = 1_000_000
CALLS = {
    "sma": lambda x: indicators.sma(x, 20),
    "rolling_sum": lambda x: indicators.rolling_sum(x, 20),
    "wma": lambda x: indicators.wma(x, 20),
    "ema": lambda x: indicators.ema(x, 20),
    "dema": lambda x: indicators.dema(x, 20),
    "tema": lambda x: indicators.tema(x, 20),
    "kama": indicators.kama,
    "rsi": indicators.rsi,
    "macd": indicators.macd,
    "bbands": indicators.bbands,
    "atr": lambda x: indicators.atr(x, x, x),
    "natr": lambda x: indicators.natr(x, x, x),
    "adx": lambda x: indicators.adx(x, x, x),
    "cci": lambda x: indicators.cci(x, x, x),
    "roc": indicators.roc,
    "mom": indicators.mom,
    "log_returns": indicators.log_returns,
    "stoch": lambda x: indicators.stoch(x, x, x),
    "stochrsi": indicators.stochrsi,
    "williams_r": lambda x: indicators.williams_r(x, x, x),
    "obv": lambda x: indicators.obv(x, x),
    "mfi": lambda x: indicators.mfi(x, x, x, x),
    "vwap": lambda x: indicators.vwap(x, x, x, x),
    "donchian": lambda x: indicators.donchian(x, x),
    "keltner": lambda x: indicators.keltner(x, x, x),
    "supertrend": lambda x: indicators.supertrend(x, x, x),
    "ichimoku": lambda x: indicators.ichimoku(x, x),
    "stdev": lambda x: indicators.stdev(x, 20),
    "zscore": lambda x: indicators.zscore(x, 20),
    "rolling_min": lambda x: indicators.rolling_min(x, 20),
    "rolling_max": lambda x: indicators.rolling_max(x, 20),
    "rolling_median": lambda x: indicators.rolling_median(x, 20),
    "rolling_median of 100,000": lambda x: indicators.rolling_median(x, 100_000),
    "rolling_rank": lambda x: indicators.rolling_rank(x, 20),
    "correlation": lambda x: indicators.correlation(x, x, 20),
    "autocorrelation": lambda x: indicators.autocorrelation(x, 20),
    "beta": lambda x: indicators.beta(x, x, 20),
    "linreg_slope": lambda x: indicators.linreg_slope(x, 20),
    "hurst": indicators.hurst,
    "half_life": indicators.half_life,
    "realised_volatility": lambda x: indicators.realised_volatility(x, 20),
    "garman_klass": lambda x: indicators.garman_klass(x, x, x, x, 20),
    "parkinson": lambda x: indicators.parkinson(x, x, 20),
    "expanding_zscore": indicators.expanding_zscore,
}


class Indicators:
    params = tuple(CALLS)
    param_names = ("indicator",)

    def setup(self, name: str) -> None:
        self.close = 100.0 * np.exp(np.cumsum(np.random.default_rng(1).normal(0.0, 1e-4, ROWS)))

    def time_million_rows(self, name: str) -> None:
        CALLS[name](self.close)


class Embedding:
    """P14: 100,000 bars to 512 numbers; and how much nearer a bar is to its neighbour in time than to a random one."""

    def setup(self) -> None:
        close = 100.0 * np.exp(np.cumsum(np.random.default_rng(1).normal(0.0, 1e-3, 100_000)))
        volume = np.random.default_rng(2).uniform(1.0, 9.0, 100_000)
        stamps = (np.arange(100_000) + 1) * 60_000_000_000
        self.bars = nt.Bars("X", stamps, close, close * 1.001, close * 0.999, close, volume)
        self.encoder = nt.embedding.MarketState()

    def time_p14_encode_100k(self) -> None:
        self.encoder.encode(self.bars)

    def track_neighbour_margin(self) -> float:
        vectors = self.encoder.encode(self.bars)[1_000:]
        strangers = np.random.default_rng(3).permutation(len(vectors) - 1)
        return float(
            ((vectors[:-1] * vectors[1:]).sum(axis=1) - (vectors[:-1] * vectors[strangers]).sum(axis=1)).mean()
        )


class Loading:
    def setup(self) -> None:
        self.columns = nt.datasets.load("AAPL").columns()

    def time_validate_a_million_rows(self) -> None:
        close = np.full(ROWS, 5.0)
        nt.Bars("X", np.arange(ROWS), close, close, close, close, close)

    def time_validate_3270_rows(self) -> None:
        nt.Bars("AAPL", *self.columns)
