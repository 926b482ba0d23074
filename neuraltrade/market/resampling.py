"""Longer bars from shorter ones, stamped at the end of their bucket."""

from __future__ import annotations

import re

import numpy as np

from ..errors import InputError

_NS = {"s": 10**9, "min": 60 * 10**9, "h": 3600 * 10**9, "d": 86_400 * 10**9, "w": 7 * 86_400 * 10**9}
_NAMES = {"s": "s", "m": "min", "min": "min", "h": "h", "d": "d", "w": "w", "mo": "mo"}
_MONDAY = 4 * 86_400 * 10**9  # 1970-01-01 was a Thursday; weeks start on Monday


def parse_rule(rule: object) -> tuple[int, str]:
    """("5min") -> (5, "min"). Units: s, min (m), h, d, w, mo."""
    match = re.fullmatch(r"\s*(\d{0,6})\s*([a-zA-Z]+)\s*", rule) if isinstance(rule, str) else None
    unit = _NAMES.get(match[2].lower()) if match else None
    if match is None or unit is None or match[2] == "M":
        raise InputError(f"rule must be a count and one of s, min, h, d, w, mo, such as '1h' or '5min'; was {rule!r}")
    count = int(match[1] or 1)
    if count < 1:
        raise InputError(f"rule must have a count of at least 1, was {rule!r}")
    return count, unit


def bucket_ends(ts_ns: np.ndarray, rule: str) -> np.ndarray:
    """int64[n]: the end of the bucket (start, end] that each time falls in."""
    count, unit = parse_rule(rule)
    if unit != "mo" and ts_ns.size > 1 and count * _NS[unit] < typical_step(ts_ns):
        raise InputError(f"rule {rule!r} is finer than the bars, which are {typical_step(ts_ns) / 1e9:g} s apart")
    return ends_after(ts_ns - 1, rule)


def ends_after(ts_ns: np.ndarray, rule: str) -> np.ndarray:
    """int64[n]: the end of the bucket [start, end) that each moment falls in."""
    count, unit = parse_rule(rule)
    if unit == "mo":
        months = ts_ns.view("datetime64[ns]").astype("datetime64[M]").astype(np.int64)
        ends = (months // count + 1) * count
        return ends.astype("datetime64[M]").astype("datetime64[ns]").astype(np.int64)
    width = count * _NS[unit]
    origin = _MONDAY if unit == "w" else 0
    return ((ts_ns - origin) // width + 1) * width + origin


def typical_step(ts_ns: np.ndarray) -> int:
    """The most frequent distance between neighbours, the smallest of equals. Needs two rows."""
    steps, counts = np.unique(np.diff(ts_ns), return_counts=True)
    return int(steps[counts.argmax()])


def resample(columns: tuple[np.ndarray, ...], rule: str) -> tuple[np.ndarray, ...]:
    """(ts_ns, open, high, low, close, volume) of the longer bars."""
    ts_ns, o, h, low, c, volume = columns
    ends = bucket_ends(ts_ns, rule)
    starts = np.flatnonzero(np.concatenate(([True], ends[1:] != ends[:-1])))
    last = np.concatenate((starts[1:], [ts_ns.size])) - 1
    return (
        ends[starts],
        o[starts],
        np.maximum.reduceat(h, starts),
        np.minimum.reduceat(low, starts),
        c[last],
        np.add.reduceat(volume, starts),
    )
