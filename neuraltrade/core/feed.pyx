"""Merged ticks as the engine reads them: one nt_tick_stream a stream, one nt_tick_events for their order. Nothing is copied.

What a run over them may have beside: the sessions of each symbol, and indicator columns that turn at some of the events.
"""

from libc.stdlib cimport calloc, free

import numpy as np

from ..errors import InputError
from . import convert, convert_ticks

from .context cimport Run
from .native cimport NT_OK, int8_t, int32_t, int64_t, nt_ticks_sessions, nt_ticks_turns


cdef class TickFeed:
    """Columns of `ticks` (an nt.Ticks) for a run over `symbols`, kept referenced.

    Raises InputError for an event that is heard before it happens, and for columns that are not what the core takes.
    """

    def __cinit__(self, ticks, symbols):
        convert_ticks.check_heard(ticks)
        self.borrowed = [ticks]
        self.stream_count = len(ticks.streams)
        self.streams = <nt_tick_stream*>calloc(self.stream_count, sizeof(nt_tick_stream))
        if self.streams == NULL:
            raise MemoryError(f"TickFeed: {self.stream_count} streams")
        for index, stream in enumerate(ticks.streams):
            self._add_stream(index, stream, symbols.index(stream.symbol))
        self._set_events(ticks.events())

    def __dealloc__(self):
        free(self.streams)

    def _add_stream(self, Py_ssize_t index, stream, int32_t slot):
        cdef nt_tick_stream* row = &self.streams[index]
        cdef const double[::1] values
        cdef const int8_t[::1] signs
        columns, sign = convert_ticks.stream_columns(stream)
        row.count = len(stream)
        row.kind = convert_ticks.KIND_CODES[stream.KIND]
        row.slot = slot
        for place, column in enumerate(columns):
            values = convert.column(column, np.float64, f"{stream.KIND} column {place}", row.count)
            row.columns[place] = &values[0]
        if sign is not None:
            signs = convert.column(sign, np.int8, f"{stream.KIND} sign", row.count)
            row.sign = &signs[0]
        self.borrowed.append((columns, sign))

    def _set_events(self, events):
        cdef Py_ssize_t count = len(events.local_ns)
        cdef const int64_t[::1] ts_ns = convert.column(events.ts_ns, np.int64, "events.ts_ns", count)
        cdef const int32_t[::1] stream = convert.column(events.stream, np.int32, "events.stream", count)
        cdef const int64_t[::1] first = convert.column(events.first, np.int64, "events.first", count)
        cdef const int32_t[::1] rows = convert.column(events.rows, np.int32, "events.rows", count)
        cdef const int64_t[::1] venue
        if count == 0:
            raise InputError("TickFeed: no events")
        self.events = nt_tick_events(&ts_ns[0], &stream[0], &first[0], &rows[0], NULL)
        if events.venue is not None:
            venue = convert.column(events.venue, np.int64, "events.venue", count)
            self.events.venue = &venue[0]
        self.event_count = count
        self.clock_ts_ns = events.local_ns
        self.borrowed.append(events)


cdef int give_sessions(Run run, object sessions) except -1:
    """sessions : for each symbol (open_ns, close_ns), int64[n] each, ascending, or None = always open."""
    cdef const int64_t[::1] opens, closes
    for symbol, both in enumerate(sessions or ()):
        if both is None:
            continue
        count = len(both[0])
        opens = convert.column(both[0], np.int64, "sessions.open_ns", count)
        closes = convert.column(both[1], np.int64, "sessions.close_ns", count)
        if nt_ticks_sessions(run.engine, symbol, &opens[0] if count else NULL, &closes[0] if count else NULL, count) != NT_OK:
            raise InputError("sessions: the run is not over ticks, or has begun")
        run.borrowed.append(both)
    return 0


cdef int give_turns(Run run, Py_ssize_t slot, object turns) except -1:
    """turns : int64[n], ascending, the events at which the columns of the slot turn to their next row: they have n + 1."""
    cdef Py_ssize_t count = len(turns)
    cdef const int64_t[::1] events = convert.column(turns, np.int64, "turns", count)
    cdef double[::1] marks = np.empty(count + 1)
    cdef double[::1] sizes = np.empty(count + 1)
    if nt_ticks_turns(run.engine, slot, &events[0] if count else NULL, count, &marks[0], &sizes[0]) != NT_OK:
        raise InputError("turns: the run is not over ticks, or has begun")
    run.borrowed.append((turns, marks.base, sizes.base))
    return 0
