"""Our side of the row of indicators: the same calls as with_talib.py, by the same names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from neuraltrade.core import indicators as ta

from timing import SHORT_WARMUPS, repeat, thousandth


def calls(folder: Path) -> dict[str, Callable[[], Any]]:
    h, low, c, v = (np.load(folder / f"{name}.npy") for name in ("high", "low", "close", "volume"))
    m = np.load(folder / "open.npy")
    return {
        "sma": lambda: ta.sma(c, 20), "rolling_sum": lambda: ta.rolling_sum(c, 20), "wma": lambda: ta.wma(c, 20),
        "ema": lambda: ta.ema(c, 20), "dema": lambda: ta.dema(c, 20), "tema": lambda: ta.tema(c, 20),
        "kama": lambda: ta.kama(c, 10), "rsi": lambda: ta.rsi(c, 14), "macd": lambda: ta.macd(c),
        "bbands": lambda: ta.bbands(c, 20), "atr": lambda: ta.atr(h, low, c), "natr": lambda: ta.natr(h, low, c),
        "adx": lambda: ta.adx(h, low, c), "cci": lambda: ta.cci(h, low, c), "roc": lambda: ta.roc(c, 10),
        "mom": lambda: ta.mom(c, 10), "stoch": lambda: ta.stoch(h, low, c),
        "stochrsi": lambda: ta.stochrsi(c, 14, 14, 1, 3), "williams_r": lambda: ta.williams_r(h, low, c),
        "obv": lambda: ta.obv(c, v), "mfi": lambda: ta.mfi(h, low, c, v), "stdev": lambda: ta.stdev(c, 20),
        "rolling_min": lambda: ta.rolling_min(c, 20), "rolling_max": lambda: ta.rolling_max(c, 20),
        "correlation": lambda: ta.correlation(c, m, 20), "beta": lambda: ta.beta(c, m, 20),
        "linreg_slope": lambda: ta.linreg_slope(c, 20), "donchian": lambda: ta.donchian(h, low, 20),
        "rolling_median": lambda: ta.rolling_median(c, 20), "rolling_rank": lambda: ta.rolling_rank(c, 20),
        "zscore": lambda: ta.zscore(c, 20),
    }  # fmt: skip


def apart(ours: list[float | None], theirs: list[float | None]) -> float:
    """The largest difference, relative to their value or, where that is smaller, to their mean magnitude."""
    both = [(a, b) for a, b in zip(ours, theirs, strict=True) if a is not None and b is not None]
    scale = sum(abs(b) for _, b in both) / len(both)
    return max(abs(a - b) / max(abs(b), scale) for a, b in both)


def timed(folder: Path, times: int) -> dict[str, Any]:
    """Seconds of each, and a thousand rows of its first line."""
    found = {}
    for name, call in calls(folder).items():
        lines = call()
        rows = thousandth(np.atleast_2d(np.array(lines))[0])
        del lines
        found[name] = {**repeat(call, times, SHORT_WARMUPS), "rows": rows}
    return found
