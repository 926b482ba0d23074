from libc.stdint cimport int64_t


cdef extern from "nt_indicators.h" nogil:
    enum: NT_INDICATOR_SERIES
    ctypedef struct nt_indicator_parameters:
        int64_t window
        int64_t second
        int64_t third
        int64_t fourth
        double real
    ctypedef struct nt_indicator_kind:
        const char* name
        int inputs
        int outputs
        int64_t (*open)(const nt_indicator_kind*, void*, const nt_indicator_parameters*) noexcept nogil
        void (*feed)(void*, const double* const*, int64_t, double* const*) noexcept nogil
    void nt_indicator_feed(const nt_indicator_kind*, void*, const double* const*, int64_t, double* const*) noexcept
    const nt_indicator_kind* nt_indicator_find(const char*) noexcept

cdef extern from "nt_carve.h" nogil:
    enum: NT_CARVE_ALIGN


cdef class State:
    """One indicator's state and the memory it lies in."""
    cdef const nt_indicator_kind* kind
    cdef char* memory
    cdef void* block
