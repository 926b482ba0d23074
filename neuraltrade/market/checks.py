"""What makes six arrays a valid series of bars. Every refusal names the argument, the row and the rule."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .. import clock
from ..errors import InputError

PRICE_MAX = 9.0e9  # prices are int64 at 1e-9 inside: 9.22e9 is the end of that range
PRICE_MIN = 1.0e-9
SYMBOL_MAX_BYTES = 64
PRICES = ("open", "high", "low", "close")


def symbol_name(symbol: object) -> str:
    """The symbol as given, if it is a printable name of 1..64 bytes without surrounding space."""
    if not isinstance(symbol, str):
        raise InputError(f"symbol must be a str, was {type(symbol).__name__}")
    if not symbol or symbol != symbol.strip() or not symbol.isprintable():
        raise InputError(f"symbol must be a printable name without surrounding space, was {symbol!r}")
    if len(symbol.encode()) > SYMBOL_MAX_BYTES:
        raise InputError(
            f"symbol must be at most {SYMBOL_MAX_BYTES} bytes, was {len(symbol.encode())}: {symbol[:20]!r}..."
        )
    return symbol


def frozen(array: np.ndarray, given: object) -> np.ndarray:
    """`array` read-only, copied first if the caller could still write to it through `given`."""
    if array is given or array.base is not None:
        array = array.copy()
    array.flags.writeable = False
    return array


def column(values: object, name: str) -> np.ndarray:
    """One column as a read-only float64[n] of our own."""
    if np.ma.is_masked(values):
        row = int(np.ma.getmaskarray(np.ma.asarray(values)).argmax())
        raise InputError(f"{name} row {row}: masked; bars have no gaps")
    array = np.asarray(values)
    if array.ndim != 1:
        raise InputError(f"{name} must have one dimension, has shape {array.shape}")
    if array.dtype.kind not in "iuf" or array.dtype.itemsize > 8:
        raise InputError(f"{name} must hold real numbers, has dtype {array.dtype}")
    return frozen(np.ascontiguousarray(array, dtype=np.float64), values)


def times(values: object, name: str = "ts_ns") -> np.ndarray:
    """Times as a read-only int64[n] of nanoseconds UTC. Takes integers, datetime64 of any unit (of unit D: the end of
    that day) and sequences of datetime, date, datetime64 or ISO strings (through clock.as_ns)."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise InputError(f"{name} must have one dimension, has shape {array.shape}")
    if array.size == 0:  # of no type to complain about: the caller says what is missing
        return frozen(np.empty(0, np.int64), None)
    if array.dtype.kind == "M":
        if np.isnat(array).any():
            raise InputError(f"{name} row {int(np.isnat(array).argmax())}: not a time (NaT)")
        years = array.astype("datetime64[Y]").astype(np.int64) + 1970
        if ((years < 1678) | (years > 2261)).any():
            row = int(((years < 1678) | (years > 2261)).argmax())
            raise InputError(f"{name} row {row}: the year {years[row]} is outside 1678..2261, the range of nanoseconds")
        if np.datetime_data(array.dtype)[0] in ("Y", "M", "W", "D"):
            return frozen(end_of_days(array.astype("datetime64[D]").astype(np.int64)), None)
        return frozen(array.astype("datetime64[ns]").astype(np.int64), None)
    if array.dtype.kind in "iu":
        if array.dtype == np.uint64 and array.size and int(array.max()) > np.iinfo(np.int64).max:
            raise InputError(f"{name} row {int(array.argmax())}: {int(array.max())} is beyond int64 nanoseconds")
        return frozen(np.ascontiguousarray(array, dtype=np.int64), values)
    if array.dtype.kind in "OU" and isinstance(values, (Sequence, np.ndarray)):
        stamps = [clock.as_ns(value, f"{name} row {row}") for row, value in enumerate(values)]
        return frozen(np.array(stamps, dtype=np.int64), None)
    raise InputError(f"{name} must hold int64 nanoseconds, datetimes or ISO strings, has dtype {array.dtype}")


def end_of_days(days: np.ndarray) -> np.ndarray:
    """Last nanosecond of each day, days since 1970-01-01."""
    return (days + 1) * 86_400_000_000_000 - 1


def first(bad: np.ndarray) -> int | None:
    """Index of the first true element, or None."""
    row = int(bad.argmax())
    return row if bad[row] else None


def increasing(ts_ns: np.ndarray, name: str = "ts_ns") -> None:
    """Raise at the first row that is not later than the row before it."""
    if ts_ns.size < 2:
        return
    row = first(ts_ns[1:] <= ts_ns[:-1])
    if row is not None:
        before, here = int(ts_ns[row]), int(ts_ns[row + 1])
        what = "repeats" if here == before else "is earlier than"
        raise InputError(
            f"{name} row {row + 1}: {clock.iso(here)} ({here}) {what} row {row}: {clock.iso(before)}; "
            "times must strictly increase"
        )


def validate(ts_ns: np.ndarray, columns: dict[str, np.ndarray]) -> None:
    """Raise InputError at the first row that breaks a rule. Cost: about 6 passes over the columns."""
    for name, values in columns.items():
        if values.size != ts_ns.size:
            raise InputError(f"{name} has {values.size} rows, ts_ns has {ts_ns.size}: all columns need one length")
    if ts_ns.size == 0:
        raise InputError("ts_ns is empty: bars need at least one row")
    increasing(ts_ns)
    for name in PRICES:
        prices = columns[name]
        row = first(~((prices >= PRICE_MIN) & (prices <= PRICE_MAX)))  # NaN fails both comparisons
        if row is not None:
            raise InputError(f"{name} row {row}: {prices[row]} is not a price in {PRICE_MIN:g}..{PRICE_MAX:g}")
    o, h, low, c, volume = (columns[name] for name in (*PRICES, "volume"))
    row = first((h < o) | (h < c) | (h < low))
    if row is not None:
        raise InputError(f"high row {row}: {h[row]} is below max(open {o[row]}, close {c[row]}, low {low[row]})")
    row = first((low > o) | (low > c))
    if row is not None:
        raise InputError(f"low row {row}: {low[row]} is above min(open {o[row]}, close {c[row]}, high {h[row]})")
    row = first(~((volume >= 0) & (volume < np.inf)))
    if row is not None:
        raise InputError(f"volume row {row}: {volume[row]} is not a finite number >= 0")
