"""How many bars make a year, read off the times of a run."""

from __future__ import annotations

import numpy as np

YEAR_NS = 31_557_600_000_000_000  # 365.25 days
SNAP = 0.02

_SESSION_DAYS = 252
_WEEKDAYS = 260
_ALL_DAYS = 365
# Bars a day: an exchange session of 6.5 hours in minutes, and the whole day in minutes.
_SESSION_BARS = (390, 195, 130, 78, 39, 26, 13, 6.5)
_WHOLE_DAY_BARS = (86_400, 1440, 480, 288, 144, 96, 48, 24, 12, 6, 3, 2)

CALENDARS: tuple[float, ...] = tuple(
    sorted(
        {1.0, 2.0, 4.0, 12.0, 52.0, float(_SESSION_DAYS), float(_ALL_DAYS)}
        | {_SESSION_DAYS * bars for bars in _SESSION_BARS}
        | {float(_ALL_DAYS * bars) for bars in _WHOLE_DAY_BARS}
        | {float(_WEEKDAYS * bars) for bars in _WHOLE_DAY_BARS}
    )
)


def infer_periods_per_year(ts_ns: np.ndarray) -> float:
    """Bars per year of a clock, snapped to a calendar people use.

    ts_ns : int64[n], ends of bars, nanoseconds UTC, ascending.
    Returns (n - 1) bars over the elapsed years of 365.25 days, replaced by the nearest entry of CALENDARS when that is
    within 2 % of it: 1, 2, 4, 12, 52, 252, 365; 252 exchange sessions of 390, 195, 130, 78, 39, 26, 13 or 6.5 bars
    (1, 2, 3, 5, 10, 15, 30, 60 minutes); 365 whole days, or 260 weekdays, of 86400, 1440, 480, 288, 144, 96, 48, 24,
    12, 6, 3 or 2 bars. NaN below two bars or where no time elapsed. O(1).
    """
    if len(ts_ns) < 2 or ts_ns[-1] <= ts_ns[0]:
        return float("nan")
    raw = (len(ts_ns) - 1) * YEAR_NS / float(int(ts_ns[-1]) - int(ts_ns[0]))
    nearest = min(CALENDARS, key=lambda calendar: abs(raw / calendar - 1.0))
    return nearest if abs(raw / nearest - 1.0) <= SNAP else raw
