from .context cimport Run

cdef class Records:
    cdef Run run
    cdef readonly object clock_ts_ns
    cdef readonly tuple symbols
    cdef object equity_array
