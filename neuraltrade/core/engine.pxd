from .context cimport Context as RunContext
from .feed cimport TickFeed
from .native cimport nt_ticks_config
from .records cimport Records

cdef class Engine(Records):
    cdef readonly RunContext context
    cdef object on_bar
    cdef object resident
    cdef tuple on_event
    cdef TickFeed feed
    cdef object _open_ticks(self, nt_ticks_config config)
    cdef object journal
    cdef object advisor
    cdef object recall
    cdef object team
    cdef tuple recall_symbols
    cdef object similar_rows
    cdef object error
    cdef bint from_strategy
    cdef bint needs_gil
    cdef bint running

cdef int caught(Engine engine, object error) noexcept
cdef object unwrapped(object error)
