"""When an exchange is open: pairs of times, given or taken from a calendar."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..clock import DAY_NS, iso
from ..errors import DependencyMissing, InputError
from .schedules import ascending_times

_FIRST, _LAST, _CLOSED = 1, 2, -1  # csrc/nt_sessions.h


class Sessions:
    """The sessions of an exchange: for each when it opens and when it closes, ascending, none within another.

    open_ns, close_ns : int64[n] or what times are made of elsewhere. name : shown, and kept with a run.
    A bar is in session where its time, from one shortest bar before its end to its end, meets one. In any other bar
    orders and changes are denied (SESSION_CLOSED) and nothing fills; orders good for the day end with the session,
    at="open" waits for a session's first bar and at="close" for the bar its close lies in. A tick is in session from
    the moment of its open until before that of its close: see docs/ticks.md.

    >>> import neuraltrade as nt
    >>> days = nt.Sessions(["2024-03-01T14:30Z", "2024-03-04T14:30Z"], ["2024-03-01T21:00Z", "2024-03-04T21:00Z"])
    >>> days.is_open(["2024-03-01T14:31Z", "2024-03-02T15:00Z"])
    array([ True, False])
    """

    def __init__(self, open_ns: Any, close_ns: Any, name: str = "sessions") -> None:
        self.open_ns = ascending_times("Sessions", open_ns, name="open_ns")
        self.close_ns = ascending_times("Sessions", close_ns, name="close_ns")
        self.name = str(name)
        if len(self.open_ns) != len(self.close_ns):
            raise InputError(f"Sessions: close_ns must have {len(self.open_ns)} rows, had {len(self.close_ns)}")
        for row in np.flatnonzero(self.close_ns <= self.open_ns)[:1]:
            raise InputError(f"Sessions: row {row} must close after it opens, did from {_span(self, row)}")
        for row in np.flatnonzero(self.open_ns[1:] < self.close_ns[:-1])[:1]:
            raise InputError(f"Sessions: row {row + 1} must open after row {row} closes: {_span(self, row + 1)}")

    @classmethod
    def of(cls, calendar: str, start: Any, end: Any) -> Sessions:
        """The sessions of a calendar of the package exchange-calendars ("XNYS", "XLON", ...) from `start` to `end`.

        Breaks within a session count as open. Raises InputError for a calendar or a time it does not have, and
        DependencyMissing without the package (extra `calendars`).
        """
        times = ascending_times("Sessions.of", [start, end], name="start, end")
        try:
            import exchange_calendars  # noqa: PLC0415  (optional, and a second)
        except ImportError as error:
            raise DependencyMissing("calendars need exchange-calendars: pip install neuraltrade[calendars]") from error
        names = exchange_calendars.get_calendar_names()
        if calendar not in names:
            close = difflib.get_close_matches(str(calendar).upper(), names, 1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise InputError(f"calendar must be one of exchange-calendars, was {calendar!r}{hint}")
        first, last = (np.datetime64(int(ns), "ns").astype("datetime64[D]") for ns in times)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the package's own, of what pandas is going to change
                found = exchange_calendars.get_calendar(calendar, start=str(first - 7), end=str(last + 7))
        except ValueError as error:
            raise InputError(f"calendar {calendar!r} has no sessions from {first} to {last}: {error}") from error
        both = [found.schedule[name].dt.tz_convert(None).to_numpy("datetime64[ns]") for name in ("open", "close")]
        return cls(both[0].astype(np.int64), both[1].astype(np.int64), calendar)

    @classmethod
    def from_frame(cls, frame: Any, open: str = "open", close: str = "close", name: str = "sessions") -> Sessions:
        """From the columns of a table (pandas, polars, anything with columns by name) that hold the two times."""
        columns = []
        for column in (open, close):
            try:
                values = frame[column]
            except (KeyError, IndexError, TypeError, ValueError) as error:
                raise InputError(f"Sessions.from_frame: the table has no column {column!r}") from error
            array = np.asarray(values.to_numpy() if hasattr(values, "to_numpy") else values)
            columns.append(array if array.dtype.kind != "O" else list(array))
        return cls(columns[0], columns[1], name)

    def __len__(self) -> int:
        return len(self.open_ns)

    def __repr__(self) -> str:
        return f"<Sessions {self.name}: {len(self)}>"

    def codes(self, ts_ns: np.ndarray) -> np.ndarray:
        """int32[n]: for bars that end at `ts_ns` the session's number x 4, + 1 in its first bar, + 2 in the bar of its
        close; -1 where there is none. A bar reaches back as far as the shortest step between two of them."""
        ends = np.asarray(ts_ns, dtype=np.int64)
        length = max(1, int(np.diff(ends).min())) if len(ends) > 1 else 1
        at = np.searchsorted(self.open_ns, ends, side="left") - 1
        number = np.maximum(at, 0)
        closes = self.close_ns[number] if len(self) else np.zeros(len(ends), np.int64)
        inside = (at >= 0) & (closes > ends - length)
        number = np.where(inside, number, -1)
        # The first that a session has in these bars, whatever closed bars lie between.
        before = np.maximum.accumulate(np.concatenate(([-1], number[:-1])))
        first = inside & (number > before)
        codes = np.where(inside, number * 4 + _FIRST * first + _LAST * (ends >= closes), _CLOSED)
        return np.ascontiguousarray(codes, dtype=np.int32)

    def is_open(self, ts_ns: Any) -> np.ndarray:
        """bool[n]: whether a session is on at each time: after its open, up to its close."""
        times = ascending_times("Sessions.is_open", ts_ns)
        at = np.searchsorted(self.open_ns, times, side="left") - 1
        return (at >= 0) & (times <= self.close_ns[np.maximum(at, 0)]) if len(self) else np.zeros(len(times), bool)


def _span(sessions: Sessions, row: int) -> str:
    return f"{iso(int(sessions.open_ns[row]))} to {iso(int(sessions.close_ns[row]))}"


def sessions_of(instruments: Sequence[Any], bars: Sequence[Any]) -> list[np.ndarray | None]:
    """What the engine takes of each instrument's calendar: a code for each bar of its symbol, or None = always open."""
    return [_codes(instrument.calendar, one.ts_ns) for instrument, one in zip(instruments, bars, strict=True)]


def sessions_from(calendar: Any, ts_ns: np.ndarray) -> Sessions:
    """An instrument's calendar as Sessions: those given, or the named calendar's around the times of its bars."""
    if isinstance(calendar, str):
        return Sessions.of(calendar, int(ts_ns[0]) - DAY_NS, int(ts_ns[-1]) + DAY_NS)
    given: Sessions = calendar
    return given


def tick_sessions_of(instruments: Sequence[Any], ticks: Any) -> list[tuple[np.ndarray, np.ndarray] | None]:
    """The same over ticks, where times are moments: (open_ns, close_ns) of each symbol's sessions, or None."""
    found: list[tuple[np.ndarray, np.ndarray] | None] = []
    for instrument, symbol in zip(instruments, ticks.symbols, strict=True):
        if instrument.calendar is None:
            found.append(None)
            continue
        sessions = tick_sessions(instrument.calendar, ticks, symbol)
        found.append((np.ascontiguousarray(sessions.open_ns), np.ascontiguousarray(sessions.close_ns)))
    return found


def tick_sessions(calendar: Any, ticks: Any, symbol: str) -> Sessions:
    """A calendar as Sessions around the times of a symbol's ticks; without one the days of UTC they lie in."""
    own = [one for one in ticks.streams if one.symbol == symbol]
    first = min(int(one.ts_ns.min()) for one in own)
    last = max(int(one.local_ns[-1]) for one in own)
    if calendar is not None:
        return sessions_from(calendar, np.array([first, max(first, last)]))
    opens = np.arange(first // DAY_NS, last // DAY_NS + 1, dtype=np.int64) * DAY_NS
    return Sessions(opens, opens + DAY_NS, "days of UTC")


def _codes(calendar: Any, ts_ns: np.ndarray) -> np.ndarray | None:
    return None if calendar is None else sessions_from(calendar, ts_ns).codes(ts_ns)
