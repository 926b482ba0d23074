"""Time: int64 nanoseconds since 1970-01-01 UTC everywhere, and the one door through which the present enters."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, Protocol, runtime_checkable

import numpy as np

from .errors import InputError

NS_MIN = -(2**63) + 1
NS_MAX = 2**63 - 1
NOT_A_TIME = -(2**63)  # numpy's NaT as an integer: "not given" in records
DAY_NS = 86_400_000_000_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_BARE_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z|\d{8}\Z")
_FRACTION = re.compile(r"(.*\d{2}:\d{2}:\d{2})[.,](\d{1,9})(\D.*)?\Z")
_UNIT_NS = {"h": 3600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6, "us": 1000, "ns": 1}


def as_ns(value: Any, argument: str = "ts_ns") -> int:
    """Nanoseconds since the epoch, UTC.

    value : int (taken as nanoseconds), datetime (naive means UTC), numpy.datetime64, or an ISO 8601 string. A bare date
        (date, datetime64[D], "2024-03-01") means the last nanosecond of that day.
    argument : name to put in the error.
    Raises InputError for anything else, NaT, and times outside int64 (1677-09-21 to 2262-04-11).

    >>> from neuraltrade.clock import as_ns, iso
    >>> as_ns("2024-03-01T12:00:00Z")
    1709294400000000000
    >>> iso(as_ns("2024-03-01"))
    '2024-03-01T23:59:59.999999999Z'
    """
    if isinstance(value, (int, np.integer)) and not isinstance(value, (bool, np.bool_, np.timedelta64)):
        ns = int(value)
    elif isinstance(value, np.datetime64):
        ns = _from_datetime64(value, argument)
    elif isinstance(value, datetime) and _is_time(value):
        ns = _from_datetime(value)
    elif isinstance(value, date) and _is_time(value):
        ns = (value.toordinal() - _EPOCH_DAY + 1) * DAY_NS - 1
    elif isinstance(value, str):
        ns = _from_text(value, argument)
    else:
        raise InputError(
            f"{argument} must be integer nanoseconds, a datetime, a numpy.datetime64 or an ISO 8601 string, "
            f"was {type(value).__name__} {value!r}"
        )
    if not NS_MIN <= ns <= NS_MAX:
        raise InputError(f"{argument} must be within int64 nanoseconds ({NS_MIN}..{NS_MAX}), was {value!r}")
    return ns


def _is_time(value: date) -> bool:
    return bool(value == value)  # noqa: PLR0124  (pandas.NaT is a datetime, and not equal to itself)


def _from_datetime(value: datetime) -> int:
    aware = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
    elapsed = aware - _EPOCH
    micros = (elapsed.days * 86_400 + elapsed.seconds) * 1_000_000 + elapsed.microseconds
    return micros * 1000 + int(getattr(value, "nanosecond", 0))  # pandas.Timestamp carries what datetime cannot


def _from_datetime64(value: np.datetime64, argument: str) -> int:
    unit, count = np.datetime_data(value.dtype)
    if np.isnat(value):
        raise InputError(f"{argument} must be a time, was NaT")
    ticks = int(value.astype(np.int64)) * count
    if unit == "D":
        return (ticks + 1) * DAY_NS - 1
    if unit not in _UNIT_NS:
        raise InputError(f"{argument} must have a resolution of D, h, m, s, ms, us or ns, was datetime64[{unit}]")
    return ticks * _UNIT_NS[unit]


def column_ns(times: np.ndarray, argument: str = "ts_ns") -> np.ndarray:
    """int64[n] nanoseconds of a datetime64[n] array, as as_ns reads each of them: days mean their last nanosecond.

    Raises InputError, with the row, for NaT and times outside int64; for resolutions other than D, h, m, s, ms, us, ns.

    >>> import numpy as np
    >>> from neuraltrade.clock import column_ns, iso
    >>> iso(column_ns(np.array(["2024-03-01"], "datetime64[D]"))[0])
    '2024-03-01T23:59:59.999999999Z'
    """
    unit, count = np.datetime_data(times.dtype)
    if unit != "D" and unit not in _UNIT_NS:
        raise InputError(f"{argument} must have a resolution of D, h, m, s, ms, us or ns, was datetime64[{unit}]")
    scale = count * (DAY_NS if unit == "D" else _UNIT_NS[unit])
    ticks = times.astype(np.int64)
    most = NS_MAX // scale - (unit == "D")
    bad = (ticks > most) | (ticks < -most)  # NaT is the least of all
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(f"{argument} must be times within int64 nanoseconds, row {row} was {times.flat[row]}")
    return (ticks + 1) * scale - 1 if unit == "D" and count == 1 else ticks * scale


def _from_text(text: str, argument: str) -> int:
    stripped = text.strip()
    try:
        if _BARE_DATE.match(stripped):
            return (date.fromisoformat(stripped).toordinal() - _EPOCH_DAY + 1) * DAY_NS - 1
        fraction = _FRACTION.match(stripped)
        if fraction:
            whole = datetime.fromisoformat(fraction[1] + (fraction[3] or "").strip())
            return _from_datetime(whole) + int(fraction[2].ljust(9, "0"))
        return _from_datetime(datetime.fromisoformat(stripped))
    except ValueError as error:
        raise InputError(f"{argument} must be an ISO 8601 time such as 2024-03-01T12:00:00Z, was {text!r}") from error


def iso(ts_ns: int) -> str:
    """ISO 8601 in UTC, with as many of the nine decimals as are needed.

    >>> from neuraltrade.clock import iso
    >>> iso(1_709_294_400_500_000_000)
    '2024-03-01T12:00:00.5Z'
    """
    seconds, fraction = divmod(as_ns(ts_ns), 10**9)
    text = np.datetime_as_string(np.datetime64(seconds, "s"))
    decimals = f"{fraction:09d}".rstrip("0")
    return f"{text}.{decimals}Z" if decimals else f"{text}Z"


def union(times: Sequence[np.ndarray]) -> np.ndarray:
    """int64[m]: every time of some array, ascending and once; the first array itself where none adds a time to it.

    times : at least one int64[n], each strictly ascending.

    >>> import numpy as np
    >>> from neuraltrade.clock import union
    >>> union([np.array([2, 4]), np.array([1, 2]), np.array([2, 4])]).tolist()
    [1, 2, 4]
    """
    first = times[0]
    others = list({id(own): own for own in times if own is not first and not np.array_equal(own, first)}.values())
    if not others:
        return first
    merged = np.concatenate([first, *others])
    merged.sort(kind="stable")  # which merges what ascends already; np.unique hashes each time
    return merged[np.concatenate(([True], merged[1:] != merged[:-1]))]


@runtime_checkable
class Clock(Protocol):
    """Where the present comes from; everything that needs it takes one, so that a test or a replay decides."""

    def now_ns(self) -> int:
        """Nanoseconds since the epoch, UTC."""
        ...


class SystemClock:
    """The machine's clock.

    >>> from neuraltrade.clock import SystemClock
    >>> SystemClock().now_ns() > 1_700_000_000_000_000_000
    True
    """

    def now_ns(self) -> int:
        return time.time_ns()


class FixedClock:
    """Stands still until told otherwise.

    >>> from neuraltrade.clock import FixedClock
    >>> clock = FixedClock("2024-03-01T12:00:00Z")
    >>> clock.advance(1_000)
    >>> clock.now_ns()
    1709294400000001000
    """

    def __init__(self, ts_ns: Any) -> None:
        self._ts_ns = as_ns(ts_ns)

    def now_ns(self) -> int:
        return self._ts_ns

    def set(self, ts_ns: Any) -> None:
        self._ts_ns = as_ns(ts_ns)

    def advance(self, delta_ns: int) -> None:
        self._ts_ns = as_ns(self._ts_ns + delta_ns)
