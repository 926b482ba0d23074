"""csrc/nt_graph.h and csrc/nt_hnsw.hpp, and the class over them."""

from libc.stdint cimport int8_t, uint32_t

from neuraltrade.core.quant cimport nt_choice, nt_kernels, nt_near, nt_query, nt_status, nt_vectors
from neuraltrade.core.wal cimport nt_io


cdef extern from "nt_graph.h" nogil:
    int NT_GRAPH_CONNECTIVITY_MAX
    ctypedef struct nt_graph:
        pass
    ctypedef struct nt_graph_report:
        size_t found
        size_t visited
        int complete
    void nt_graph_free(nt_graph* graph) noexcept
    uint32_t nt_graph_count(const nt_graph* graph) noexcept
    uint32_t nt_graph_dimension(const nt_graph* graph) noexcept
    uint32_t nt_graph_connectivity(const nt_graph* graph) noexcept
    size_t nt_graph_bytes(const nt_graph* graph) noexcept
    nt_status nt_graph_search(const nt_graph* graph, const nt_kernels* kernels, const nt_vectors* vectors,
                              const nt_query* query, const nt_choice* choice, size_t k, size_t expansion,
                              size_t visit_budget, nt_near* near, nt_graph_report* report) noexcept
    uint32_t nt_graph_vectors_crc(const nt_vectors* vectors) noexcept
    nt_status nt_graph_save(const nt_graph* graph, uint32_t vectors_crc, const nt_io* io, const char* path) noexcept
    nt_status nt_graph_load(const nt_io* io, const char* path, int mapped, nt_graph** graph, uint32_t* crc) noexcept


cdef extern from "nt_hnsw.hpp" nogil:
    ctypedef struct nt_hnsw_builder:
        pass
    nt_status nt_hnsw_begin(const nt_kernels* kernels, const nt_vectors* vectors, uint32_t connectivity,
                            uint32_t expansion, nt_hnsw_builder** builder) noexcept
    nt_status nt_hnsw_add(nt_hnsw_builder* builder, uint32_t stop) noexcept
    nt_status nt_hnsw_finish(nt_hnsw_builder* builder, nt_graph** graph) noexcept
    void nt_hnsw_free(nt_hnsw_builder* builder) noexcept


cdef class Graph:
    cdef nt_graph* graph
    cdef nt_vectors vectors
    cdef const int8_t[:, ::1] codes             # kept alive: vectors points into them
    cdef const float[::1] inverse_norm
    cdef int attach(self, codes, inverse_norm) except -1
