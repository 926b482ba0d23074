"""What happened when: returns by calendar month, the deepest drawdowns, risk over a moving window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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


def deepest_drawdowns(ts_ns: np.ndarray, drawdown: np.ndarray, days: bool, count: int = 10) -> list[Drawdown]:
    """The `count` deepest falls of a drawdown curve (float64[n], 0 at a peak), deepest first.

    A fall runs from the last bar at the peak (the first bar of all where there is none) to the bar that regains it.
    """
    under = np.concatenate(([False], drawdown < 0.0, [False]))
    starts = np.flatnonzero(~under[:-1] & under[1:])  # first bar below the peak
    ends = np.flatnonzero(under[:-1] & ~under[1:])  # first bar back at it, n if never
    if len(starts) == 0:
        return []
    depths = np.minimum.reduceat(np.append(drawdown, 0.0), np.stack([starts, ends], axis=1).reshape(-1))[::2]
    falls = []
    for i in np.argsort(depths, kind="stable")[:count]:
        start, end = int(starts[i]), int(ends[i])
        peak, lowest = max(start - 1, 0), start + int(drawdown[start:end].argmin())
        back = stamp(ts_ns[end], days) if end < len(ts_ns) else None
        bars = min(end, len(ts_ns) - 1) - (start - 1)
        falls.append(Drawdown(float(depths[i]), stamp(ts_ns[peak], days), stamp(ts_ns[lowest], days), back, bars))
    return falls


def monthly_returns(ts_ns: np.ndarray, equity: np.ndarray, start: float) -> list[Year]:
    """Simple returns of equity from the last bar of each month to the last of the next; the first starts at `start`.

    ts_ns : int64[n] ascending. equity : float64[n]. Years run from the first bar's to the last's, months by UTC date.
    """
    months = ts_ns.astype("datetime64[ns]").astype("datetime64[M]").astype(np.int64)  # since 1970-01
    last = np.append(np.flatnonzero(np.diff(months)), len(months) - 1)
    ends = dict(zip(months[last].tolist(), equity[last].tolist(), strict=True))
    years: list[Year] = []
    before = start
    for year in range(int(months[0]) // 12, int(months[-1]) // 12 + 1):
        opening, row = before, []
        for month in range(12 * year, 12 * year + 12):
            value = ends.get(month)
            row.append(None if value is None else _change(value, before))
            before = before if value is None else value
        years.append(Year(1970 + year, tuple(row), _change(before, opening)))
    return years


def rolling_risk(equity: np.ndarray, periods_per_year: float) -> tuple[int, np.ndarray, np.ndarray]:
    """(window, volatility, Sharpe ratio) of simple returns over a trailing window, both per year.

    The window is half a year of bars, or an eighth of the run if that is shorter; 0 and empty arrays where it would
    hold fewer than 20 bars or where returns are not defined. Arrays are float64[n], NaN until the window is full; the
    ratio is NaN where nothing varied. O(n) by running sums of returns less their mean.
    """
    count = len(equity) - 1
    window = int(min(periods_per_year / 2.0, count / 8.0)) if periods_per_year > 0.0 else 0
    if window < 20 or not (equity > 0.0).all():
        return 0, np.empty(0), np.empty(0)
    returns = equity[1:] / equity[:-1] - 1.0
    centre = float(returns.mean())
    centred = returns - centre
    sums, squares = (np.concatenate(([0.0], np.cumsum(values))) for values in (centred, centred * centred))
    total = sums[window:] - sums[:-window]
    spread = squares[window:] - squares[:-window] - total * total / window
    deviation = np.sqrt(np.maximum(spread, 0.0) / (window - 1))
    deviation[deviation <= 1e-7 * centred.std()] = 0.0  # what is left of the sums' rounding
    annual = np.sqrt(periods_per_year)
    with np.errstate(divide="ignore", invalid="ignore"):
        sharpe = np.where(deviation > 0.0, (total / window + centre) / deviation, np.nan) * annual
    warm = np.full(window, np.nan)
    return window, np.concatenate((warm, deviation * annual)), np.concatenate((warm, sharpe))


def _change(value: float, before: float) -> float:
    return value / before - 1.0 if before > 0.0 else float("nan")
