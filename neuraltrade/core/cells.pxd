"""csrc/nt_cells.h, and the class over it."""

from libc.stdint cimport int8_t, int32_t, uint16_t, uint32_t, uint64_t

from neuraltrade.core.quant cimport nt_choice, nt_kernels, nt_near, nt_query, nt_vectors


cdef extern from "nt_cells.h" nogil:
    ctypedef struct nt_cells:
        nt_vectors centres
        const uint32_t* start
        const uint32_t* order
        const uint64_t* signs
    void nt_cells_assign(const nt_kernels* kernels, const nt_vectors* centres, const nt_vectors* vectors,
                         const uint32_t* rows, size_t count, int32_t* dots, uint32_t* cells) noexcept
    void nt_cells_sum(const nt_vectors* vectors, const uint32_t* rows, size_t count, const uint32_t* cells,
                      int32_t* sums) noexcept
    size_t nt_scan_cells(const nt_kernels* kernels, const nt_cells* cells, const nt_vectors* vectors,
                         const nt_query* query, const nt_choice* choice, size_t probe, size_t keep,
                         nt_near* nearest_cells, uint32_t* candidates, uint16_t* bits, size_t k, nt_near* near,
                         size_t* found) noexcept


cdef class Cells:
    cdef nt_cells cells
    cdef nt_vectors vectors
    cdef const int8_t[:, ::1] codes             # kept alive: the structs point into them
    cdef const float[::1] inverse_norm
    cdef const int8_t[:, ::1] centres
    cdef const float[::1] centre_norms
    cdef const uint32_t[::1] start
    cdef const uint32_t[::1] order
    cdef const uint64_t[:, ::1] signs
    cdef dict held
