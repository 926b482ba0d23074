"""What happened when: returns by calendar month, the deepest drawdowns, risk over a moving window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core import curves
from .series import stamp


@dataclass(frozen=True, slots=True)
class Year:
    """One calendar year (UTC): twelve monthly returns, None where the run has no bar, and the year's own."""

    year: int
    months: tuple[float | None, ...]
    total: float


@dataclass(frozen=True, slots=True)
class Drawdown:
    """One fall: depth (fraction < 0), when it left its peak, was lowest and was regained (None: not yet), length."""

    depth: float
    peak: str
    lowest: str
    regained: str | None
    bars: int


def deepest_drawdowns(
    ts_ns: np.ndarray, equity: np.ndarray, start: float, days: bool, count: int = 10
) -> list[Drawdown]:
    """The `count` deepest falls of equity below its running peak, which starts at `start`; deepest first."""
    return [
        Drawdown(
            depth=float(row["depth"]),
            peak=stamp(row["peak_ts_ns"], days),
            lowest=stamp(row["valley_ts_ns"], days),
            regained=None if row["open"] else stamp(row["recovery_ts_ns"], days),
            bars=int(row["bars"]),
        )
        for row in curves.drawdown_periods(ts_ns, equity, start, count)
    ]


def monthly_returns(ts_ns: np.ndarray, equity: np.ndarray, start: float) -> list[Year]:
    """Simple returns of equity by calendar month (UTC), the first from `start`, for each year of the run."""
    rows, has = curves.monthly(ts_ns, equity, start)
    return [
        Year(
            year=int(row["year"]),
            months=tuple(float(value) if bar else None for value, bar in zip(row["months"], bars, strict=True)),
            total=float(row["total"]),
        )
        for row, bars in zip(rows, has, strict=True)
    ]


def rolling_risk(equity: np.ndarray, periods_per_year: float) -> tuple[int, np.ndarray, np.ndarray]:
    """(window, volatility, Sharpe ratio) of simple returns over a trailing window, both per year.

    The window is half a year of bars, or an eighth of the run if that is shorter; 0 and empty arrays where it would
    hold fewer than 20 bars or where returns are not defined. Arrays are float64[n], NaN until the window is full; the
    ratio is NaN where nothing varied.
    """
    count = len(equity) - 1
    window = int(min(periods_per_year / 2.0, count / 8.0)) if periods_per_year > 0.0 else 0
    if window < 20 or not (equity > 0.0).all():
        return 0, np.empty(0), np.empty(0)
    volatility, sharpe = (curves.rolling(equity, window, name, periods_per_year) for name in ("volatility", "sharpe"))
    return window, volatility, sharpe
