from .context cimport Context as RunContext, Run
from .feed cimport TickFeed
from .native cimport nt_ticks_config

cdef class Engine:
    cdef readonly RunContext context
    cdef readonly object clock_ts_ns
    cdef readonly tuple symbols
    cdef Run run
    cdef object equity_array
    cdef object on_bar
    cdef tuple on_event
    cdef TickFeed feed
    cdef object _open_ticks(self, nt_ticks_config config)
    cdef object journal
    cdef object advisor
    cdef object recall
    cdef tuple recall_symbols
    cdef object similar_rows
    cdef object error
    cdef bint from_strategy
    cdef bint needs_gil
    cdef bint running
