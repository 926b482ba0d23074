"""Runs in the environment of TA-Lib: each indicator over the same arrays; pandas' rolling where TA-Lib has none."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import talib

from timing import SHORT_WARMUPS, repeat, thousandth


def main(folder: Path, times: int) -> dict[str, object]:
    h, low, c, v = (np.load(folder / f"{name}.npy") for name in ("high", "low", "close", "volume"))
    m = np.load(folder / "open.npy")
    rolling = pd.Series(c).rolling(20)
    of_pandas = {
        "rolling_median": rolling.median, "rolling_rank": rolling.rank,
        "zscore": lambda: (c - rolling.mean()) / rolling.std(ddof=0),
    }  # fmt: skip
    calls = {
        "sma": lambda: talib.SMA(c, 20), "rolling_sum": lambda: talib.SUM(c, 20), "wma": lambda: talib.WMA(c, 20),
        "ema": lambda: talib.EMA(c, 20), "dema": lambda: talib.DEMA(c, 20), "tema": lambda: talib.TEMA(c, 20),
        "kama": lambda: talib.KAMA(c, 10), "rsi": lambda: talib.RSI(c, 14), "macd": lambda: talib.MACD(c),
        "bbands": lambda: talib.BBANDS(c, 20, 2, 2), "atr": lambda: talib.ATR(h, low, c),
        "natr": lambda: talib.NATR(h, low, c),
        "adx": lambda: (talib.ADX(h, low, c), talib.PLUS_DI(h, low, c), talib.MINUS_DI(h, low, c)),
        "cci": lambda: talib.CCI(h, low, c, 20), "roc": lambda: talib.ROC(c, 10), "mom": lambda: talib.MOM(c, 10),
        "stoch": lambda: talib.STOCH(h, low, c, 14, 3, 0, 3, 0),
        "stochrsi": lambda: talib.STOCHRSI(c, 14, 14, 3, 0), "williams_r": lambda: talib.WILLR(h, low, c),
        "obv": lambda: talib.OBV(c, v), "mfi": lambda: talib.MFI(h, low, c, v), "stdev": lambda: talib.STDDEV(c, 20),
        "rolling_min": lambda: talib.MIN(c, 20), "rolling_max": lambda: talib.MAX(c, 20),
        "correlation": lambda: talib.CORREL(c, m, 20), "beta": lambda: talib.BETA(m, c, 20),
        "linreg_slope": lambda: talib.LINEARREG_SLOPE(c, 20),
        "donchian": lambda: (talib.MAX(h, 20), talib.MIN(low, 20)), **of_pandas,
    }  # fmt: skip
    timed = {}
    for name, call in calls.items():
        rows = thousandth(np.atleast_2d(np.array(call()))[0])
        timed[name] = {**repeat(call, times, SHORT_WARMUPS), "rows": rows}
    return {"timed": timed, "version": talib.__version__, "pandas": pd.__version__, "of_pandas": list(of_pandas)}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]))))
