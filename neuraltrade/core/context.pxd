from .native cimport int64_t, nt_context, nt_engine, nt_market, nt_position, nt_signal_arrays

# Owns the C side of one run and keeps alive what it borrows. Shared by the Engine and its Context, so neither outlives it.
cdef class Run:
    cdef nt_engine* engine
    cdef nt_market* markets
    cdef nt_position* positions
    cdef nt_signal_arrays arrays
    cdef void (*close)(nt_engine*) noexcept nogil  # of the module that opened it, whose blocks it took; NULL before
    cdef int market_count
    cdef list borrowed
    cdef tuple symbols

cdef class IndicatorHandle:
    cdef public Py_ssize_t index

cdef class Bar:
    cdef readonly int64_t ts_ns
    cdef readonly double open
    cdef readonly double high
    cdef readonly double low
    cdef readonly double close
    cdef readonly double volume

cdef class Context:
    cdef Run run
    cdef nt_context* c
    cdef Py_ssize_t first_slot
    cdef object state_view
    cdef object parameter_view
    cdef public list texts
    cdef dict text_index
    cdef const double* column(self, object series) noexcept
    cdef nt_context* acting(self) except NULL
    cdef int look(self, object series, double* now, double* before) except -1
    cdef object order(self, int64_t side, object quantity, object limit, object stop, object stop_loss, object take_profit,
                      object trail, object tif, object stop_loss_rate, object take_profit_rate, object trail_rate, object at,
                      object good_till)
