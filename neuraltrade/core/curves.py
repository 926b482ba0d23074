"""What happened when on a curve of equity: calendar months, falls from a peak, risk over a trailing window.

Plain NumPy over whole curves, shared by results and reports. ts_ns : int64[n], ends of bars, nanoseconds UTC,
ascending. equity : float64[n], finite. NaN stands for what is not defined: a return from a value <= 0, a ratio over
zero, a window that is not full.
"""

from __future__ import annotations

import math

import numpy as np

from ..errors import InputError
from . import indicators

NAT = int(np.iinfo(np.int64).min)  # NumPy's and pandas' "not a time"
DAY_NS = 86_400_000_000_000
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

MONTHLY_DTYPE = np.dtype([("year", "<i8"), ("months", "<f8", (12,)), ("total", "<f8")])
DRAWDOWN_DTYPE = np.dtype(
    [
        ("depth", "<f8"),
        ("peak_bar", "<i8"),  # -1: the starting cash, before the first bar
        ("valley_bar", "<i8"),
        ("recovery_bar", "<i8"),  # -1 while it is open
        ("peak_ts_ns", "<i8"),
        ("valley_ts_ns", "<i8"),
        ("recovery_ts_ns", "<i8"),  # NAT while it is open
        ("bars", "<i8"),
        ("days", "<f8"),
        ("days_to_recover", "<f8"),
        ("open", "?"),
    ]
)
# Fewest bars a window needs for the number to be defined.
ROLLING = {"total_return": 1, "volatility": 2, "sharpe": 2, "sortino": 1, "drawdown": 1, "max_drawdown": 1,
           "beta": 2, "correlation": 2}  # fmt: skip
RELATIVE = ("beta", "correlation")


def monthly(ts_ns: np.ndarray, equity: np.ndarray, start: float) -> tuple[np.ndarray, np.ndarray]:
    """(rows of MONTHLY_DTYPE, one per calendar year from the first bar's to the last's; bool[years, 12] has a bar).

    A month's return is simple, from the equity at the end of the last month that had a bar (`start` before the first)
    to its own last bar's. Months are UTC, and a bar that ends at midnight belongs to the day it closes. `total` is the
    year's. O(months x log n).
    """
    first, last = (np.datetime64(int(ts) - 1, "ns").astype("datetime64[Y]") for ts in (ts_ns[0], ts_ns[-1]))
    edges = np.arange(first, last + np.timedelta64(2, "Y"), dtype="datetime64[Y]").astype("datetime64[M]")
    months = np.arange(edges[0], edges[-1] + np.timedelta64(1, "M"), dtype="datetime64[M]")
    edges = months.astype("datetime64[ns]").astype(np.int64)
    ends = np.searchsorted(ts_ns, edges, side="right")  # bars up to each edge
    levels = np.where(ends > 0, equity[np.maximum(ends - 1, 0)], start)
    has = np.diff(ends) > 0
    rows = np.zeros(len(has) // 12, MONTHLY_DTYPE)
    rows["year"] = np.arange(len(rows)) + first.astype(np.int64) + 1970
    rows["months"] = np.where(has, _change(levels[1:], levels[:-1]), np.nan).reshape(-1, 12)
    rows["total"] = _change(levels[12::12], levels[:-12:12])
    return rows, has.reshape(-1, 12)


def drawdown_periods(ts_ns: np.ndarray, equity: np.ndarray, start: float, top: int | None = None) -> np.ndarray:
    """Rows of DRAWDOWN_DTYPE: falls below the running peak, deepest first, at most `top` of them.

    The peak starts at `start`. A fall runs from the last bar at its peak to the first bar back at it or above.
    """
    peak = np.maximum(np.maximum.accumulate(equity), start)
    under = np.concatenate(([False], equity < peak, [False]))
    edges = np.flatnonzero(under[1:] != under[:-1])
    first, back = edges[::2], edges[1::2]  # first bar below the peak; first bar at it again, n if there is none
    if len(first) == 0:
        return np.zeros(0, DRAWDOWN_DTYPE)
    curve = np.append(equity / peak - 1.0, 0.0)
    depths = np.minimum.reduceat(curve, edges)[::2]
    chosen = np.argsort(depths, kind="stable")[:top]
    rows = np.zeros(len(chosen), DRAWDOWN_DTYPE)
    first, back = first[chosen], back[chosen]
    rows["depth"] = depths[chosen]
    rows["peak_bar"] = first - 1
    rows["valley_bar"] = [begin + int(curve[begin:end].argmin()) for begin, end in zip(first, back, strict=True)]
    rows["open"] = is_open = back == len(equity)
    rows["recovery_bar"] = np.where(is_open, -1, back)
    last = np.minimum(back, len(equity) - 1)
    rows["bars"] = last - (first - 1)
    rows["peak_ts_ns"] = ts_ns[np.maximum(first - 1, 0)]
    rows["valley_ts_ns"] = ts_ns[rows["valley_bar"]]
    rows["recovery_ts_ns"] = np.where(is_open, NAT, ts_ns[last])
    rows["days"] = (ts_ns[last] - rows["peak_ts_ns"]) / DAY_NS
    rows["days_to_recover"] = np.where(is_open, np.nan, (ts_ns[last] - rows["valley_ts_ns"]) / DAY_NS)
    return rows


def rolling(
    equity: np.ndarray, window: int, metric: str, periods: float, target: float = 0.0, other: np.ndarray | None = None
) -> np.ndarray:
    """float64[n]: one of ROLLING over the last `window` returns, NaN until there are as many.

    periods : bars per year. target : risk-free rate per bar. other : float64[n], what beta and correlation are taken
    against. Falls are NaN in a window that holds an equity <= 0. Windows are folded as trees of their own values
    (`core.indicators`), so nothing drifts.
    """
    count = len(equity)
    if window > count - 1:
        return np.full(count, np.nan)
    if metric == "total_return":
        return np.concatenate((np.full(window, np.nan), _change(equity[window:], equity[:-window])))
    if metric not in ("drawdown", "max_drawdown"):
        return np.concatenate(([np.nan], _moments(_returns(equity), window, metric, periods, target, other)))
    if metric == "max_drawdown":
        falls = _deepest(equity, window + 1)
    else:
        falls = equity / np.where(equity > 0.0, indicators.rolling_max(equity, window + 1), np.nan) - 1.0
    return np.where(indicators.rolling_min(equity, window + 1) > 0.0, falls, np.nan)


def range_extremes(low: np.ndarray, high: np.ndarray, first: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, ...]:
    """(min of low, max of high) over rows first..last, both included, of each range; inf and -inf where it is empty.

    A range is two halves of a power of two, so ranges may overlap as they like: O(n log longest).
    """
    lowest, highest = np.full(len(first), np.inf), np.full(len(first), -np.inf)
    length = last - first + 1
    size = 1
    longest = int(length.max(initial=0))
    while longest >= size:
        mine = np.flatnonzero((length >= size) & (length < 2 * size))
        one, two = first[mine], last[mine] + 1 - size
        lowest[mine] = np.minimum(low[one], low[two])
        highest[mine] = np.maximum(high[one], high[two])
        if longest >= 2 * size:
            low = np.minimum(low[:-size], low[size:])
            high = np.maximum(high[:-size], high[size:])
        size *= 2
    return lowest, highest


def check_rolling(window: int, metric: str, count: int) -> None:
    """InputError where `window` or `metric` is none for a curve of `count` bars."""
    if metric not in ROLLING:
        raise InputError(f"metric must be one of {', '.join(ROLLING)}, was {metric!r}")
    if isinstance(window, bool) or not isinstance(window, (int, np.integer)) or window < ROLLING[metric]:
        raise InputError(f"window must be an int >= {ROLLING[metric]} for {metric}, was {window!r}")
    if window > max(count - 1, 0):
        raise InputError(f"window must be at most the run's {count - 1} returns, was {window}")


def _change(value: np.ndarray, before: np.ndarray) -> np.ndarray:
    known = before > 0.0
    return np.where(known, value / np.where(known, before, 1.0) - 1.0, np.nan)


def _returns(equity: np.ndarray) -> np.ndarray:
    return np.where(equity[:-1] != 0.0, equity[1:] / np.where(equity[:-1] != 0.0, equity[:-1], 1.0) - 1.0, np.nan)


def _moments(
    returns: np.ndarray, window: int, metric: str, periods: float, target: float, other: np.ndarray | None
) -> np.ndarray:
    annual = math.sqrt(periods) if periods > 0.0 else math.nan
    if metric in RELATIVE:
        assert other is not None
        theirs = _returns(other)
        ratio = indicators.correlation(returns, theirs, window)
        if metric == "correlation":
            return ratio
        return ratio * _over(indicators.stdev(returns, window, 1), indicators.stdev(theirs, window, 1))
    if metric == "volatility":
        return indicators.stdev(returns, window, 1) * annual
    if metric == "sharpe":
        risk = indicators.stdev(returns, window, 1)
    else:
        short = np.minimum(returns - target, 0.0)
        risk = np.sqrt(np.maximum(indicators.sma(short * short, window), 0.0))
    return _over(indicators.sma(returns, window) - target, risk) * annual


def _over(value: np.ndarray, risk: np.ndarray) -> np.ndarray:
    return np.where(risk > 0.0, value / np.where(risk > 0.0, risk, 1.0), np.nan)


def _deepest(values: np.ndarray, window: int) -> np.ndarray:
    """float64[n]: lowest value over an earlier-or-equal one, less one, inside each trailing window of `window` values.

    Blocks of one window: each window is the end of one block and the beginning of the next, and its deepest fall lies
    in the one, in the other, or from the one's peak to the other's low. O(n). Rows before the first window are NaN.
    """
    count = len(values)
    blocks = -(-count // window)
    table = np.append(values, np.full(blocks * window - count, values[-1])).reshape(blocks, window)
    with np.errstate(divide="ignore", invalid="ignore"):
        head = np.minimum.accumulate(table / np.maximum.accumulate(table, axis=1), axis=1).reshape(-1)
        lowest = np.minimum.accumulate(table, axis=1).reshape(-1)
        turned = table[:, ::-1]
        tail = np.minimum.accumulate(np.minimum.accumulate(turned, axis=1) / turned, axis=1)[:, ::-1].reshape(-1)
        highest = np.maximum.accumulate(turned, axis=1)[:, ::-1].reshape(-1)
        out = np.full(count, np.nan)
        ends = np.arange(window - 1, count)
        begins = ends - window + 1
        across = np.where(begins % window > 0, lowest[ends] / highest[begins], np.inf)  # two blocks, not one whole
        out[ends] = np.minimum(np.minimum(tail[begins], head[ends]), across)
    return out - 1.0
