"""csrc/nt_quant.h and csrc/nt_scan.h, and what other modules share with quant.pyx."""

from libc.stdint cimport int8_t, int32_t, uint8_t, uint16_t, uint32_t, uint64_t


cdef extern from "nt_quant.h" nogil:
    ctypedef int32_t nt_status
    int NT_OK
    int NT_DIMENSION_STEP, NT_DIMENSION_MAX
    float NT_MAGNITUDE_MIN
    ctypedef struct nt_kernels:
        const char* name
        nt_status (*quantize)(const float* vector, size_t dimension, int8_t* codes) noexcept nogil
        void (*signs)(const int8_t* codes, size_t dimension, uint64_t* signs) noexcept nogil
        void (*differences)(const uint64_t* signs, size_t count, size_t words, const uint64_t* query,
                            uint16_t* bits) noexcept nogil
    const nt_kernels* nt_kernels_find(const char* name) noexcept
    const nt_kernels* nt_kernels_best() noexcept
    int32_t nt_bias_of(const int8_t* codes, size_t dimension) noexcept
    float nt_inverse_norm(const nt_kernels* kernels, const int8_t* codes, size_t dimension) noexcept


cdef extern from "nt_scan.h" nogil:
    ctypedef struct nt_vectors:
        const int8_t* codes
        const float* inverse_norm
        const uint64_t* signs
        uint32_t count
        uint32_t dimension
    ctypedef struct nt_query:
        const int8_t* codes
        const uint64_t* signs
        float inverse_norm
        int32_t bias
    ctypedef struct nt_choice:
        uint32_t stop
        const uint8_t* mask
        const uint32_t* rows
        size_t row_count
    ctypedef struct nt_near:
        float distance
        uint32_t row
    int NT_SCAN_SLACK
    void nt_scan(const nt_kernels* kernels, const nt_vectors* vectors, const nt_query* query, const nt_choice* choice,
                 size_t k, nt_near* near, size_t* found) noexcept
    void nt_scan_signs(const nt_kernels* kernels, const nt_vectors* vectors, const nt_query* query,
                       const nt_choice* choice, size_t keep, uint32_t* candidates, uint16_t* bits, size_t k,
                       nt_near* near, size_t* found) noexcept
    void nt_scan_distances(const nt_kernels* kernels, const nt_vectors* vectors, const nt_query* query,
                           const uint32_t* rows, size_t count, float* distances) noexcept


# A query copied to where vector loads do not straddle cache lines.
cdef struct aligned_query:
    nt_query query
    int8_t codes[4096 + 64]
    uint64_t signs[64 + 8]


cdef const nt_kernels* current_kernels() noexcept nogil
cdef nt_vectors vectors_of(const int8_t[:, ::1] codes, const float[::1] inverse_norm) noexcept
cdef const int8_t[:, ::1] codes_matrix(value, str name)
cdef const float[::1] norms_vector(value, str name, Py_ssize_t count)
cdef const uint8_t[::1] mask_vector(value, Py_ssize_t count)
cdef const uint32_t[::1] rows_vector(value, Py_ssize_t count)
cdef const uint64_t[:, ::1] signs_matrix(value, Py_ssize_t count, Py_ssize_t dimension)
cdef int take_query(aligned_query* to, codes, inverse_norm, Py_ssize_t dimension) except -1
cdef int take_query_signs(aligned_query* to, signs, Py_ssize_t dimension) except -1
cdef Py_ssize_t checked_count(value, str name, Py_ssize_t low, Py_ssize_t high) except -1
cdef tuple near_arrays(const nt_near* near, size_t count)
