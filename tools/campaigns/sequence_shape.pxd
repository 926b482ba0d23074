cdef class Ask:
    cdef public long slot, side, changed, kind
    cdef public object quantity, limit, stop
    cdef public bint closes, may_be_short
