from .context cimport Run
from .native cimport int64_t, nt_tick_events, nt_tick_stream

# The columns of merged ticks as the core reads them; keeps them alive.
cdef class TickFeed:
    cdef nt_tick_stream* streams
    cdef nt_tick_events events
    cdef readonly Py_ssize_t stream_count
    cdef readonly Py_ssize_t event_count
    cdef readonly object clock_ts_ns
    cdef list borrowed

cdef int give_sessions(Run run, object sessions) except -1
cdef int give_turns(Run run, Py_ssize_t slot, object turns) except -1
