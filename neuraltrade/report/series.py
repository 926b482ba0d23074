"""Long series made short without losing their extremes, and packed for a page."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

DAY_NS = 86_400_000_000_000
_MS_NS = 1_000_000


def dates_only(ts_ns: np.ndarray) -> bool:
    """Whether bars are so far apart (20 hours and more, typically) that a time of day would be noise."""
    return len(ts_ns) < 2 or float(np.median(np.diff(ts_ns))) >= 20 * 3_600_000_000_000


def stamp(ts_ns: int, days: bool) -> str:
    """A time as a person reads it, UTC: "2024-05-01", or with hours and minutes."""
    text = str(np.datetime64(int(ts_ns), "ns").astype("datetime64[m]"))
    return text[:10] if days else text.replace("T", " ")


def milliseconds(ts_ns: np.ndarray, days: bool) -> np.ndarray:
    """float64[n] for a date axis: whole milliseconds, rounded down; whole days where only dates matter.

    Rounding up would move the end of a day, 23:59:59.999999999, to the next date.
    """
    unit = DAY_NS if days else _MS_NS
    return np.asarray(ts_ns, dtype=np.int64) // unit * float(unit // _MS_NS)


def extremes(values: np.ndarray, buckets: int) -> np.ndarray:
    """int64[m] rows to draw: the lowest and highest of each of at most `buckets` equal runs, and both ends, ascending.

    All finite rows if there are no more than 2 x buckets. O(n), one pass.
    """
    rows = np.flatnonzero(np.isfinite(values))
    if len(rows) <= 2 * buckets:
        return rows
    finite = values[rows]
    size = -(-len(rows) // buckets)
    whole = len(rows) // size * size
    table = finite[:whole].reshape(-1, size)
    start = np.arange(0, whole, size)
    chosen = [start + table.argmin(axis=1), start + table.argmax(axis=1), [0, len(rows) - 1]]
    if whole < len(rows):
        chosen.append([whole + int(finite[whole:].argmin()), whole + int(finite[whole:].argmax())])
    return rows[np.unique(np.concatenate(chosen).astype(np.int64))]


def candles(columns: tuple[np.ndarray, ...], limit: int) -> tuple[tuple[np.ndarray, ...], int]:
    """(ts_ns, open, high, low, close) joined so that at most `limit` remain, and how many bars each holds."""
    ts_ns, opened, high, low, close = columns
    count = len(ts_ns)
    size = max(1, -(-count // limit))
    if size == 1:
        return columns, 1
    first = np.arange(0, count, size)
    last = np.minimum(first + size, count) - 1
    joined = (
        ts_ns[last],
        opened[first],
        np.maximum.reduceat(high, first),
        np.minimum.reduceat(low, first),
        close[last],
    )
    return joined, size


def packed(values: np.ndarray, dtype: str = "<f4") -> dict[str, Any]:
    """A typed array for the page: {"type", "data"} with little-endian bytes in base64."""
    block = np.ascontiguousarray(values, dtype=dtype)
    return {"type": block.dtype.str[1:], "data": base64.b64encode(block.tobytes()).decode("ascii")}
