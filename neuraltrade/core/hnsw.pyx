"""HNSW graphs over int8 codes: built once, then immutable. The layout stands in csrc/nt_graph.h."""

import os

import numpy as np

from cpython.exc cimport PyErr_CheckSignals
from libc.errno cimport errno
from libc.stdint cimport uint8_t, uint32_t, uint64_t, uintptr_t
from libc.stdlib cimport free, malloc

from neuraltrade.core.quant cimport (
    aligned_query, checked_count, codes_matrix, current_kernels, mask_vector, near_arrays, norms_vector, take_query,
)
from neuraltrade.core.wal cimport Faults, nt_io_faulty, nt_io_posix
from neuraltrade.core.wal cimport NT_CORRUPT, NT_INVALID, NT_IO, NT_NO_MEMORY, NT_OK, NT_TOO_NEW

from neuraltrade.errors import FormatTooNew, IndexStale, InputError, LogCorrupt

CONNECTIVITY_MAX = NT_GRAPH_CONNECTIVITY_MAX
EXPANSION_MAX = 1 << 20
BUILD_STEP = 256        # rows between two looks at `cancel`


cdef bytes raw_path(path):
    if isinstance(path, (bytes, bytearray)) or not isinstance(path, (str, os.PathLike)):
        raise InputError(f"path must be a str or os.PathLike, was {type(path).__name__}")
    raw = os.fsencode(path)
    if not raw or b"\0" in raw:
        raise InputError(f"path must be a non-empty file name without NUL, was {path!r}")
    return raw


cdef object failure(nt_status status, int error, str path):
    if status == NT_IO:
        return OSError(error, os.strerror(error), path)
    if status == NT_TOO_NEW:
        return FormatTooNew(f"{path} is a graph written by a newer version")
    if status == NT_INVALID:
        return LogCorrupt(f"{path} is not a neuraltrade graph (its first bytes are foreign)")
    if status == NT_CORRUPT:
        return LogCorrupt(f"{path}: the graph's bytes do not check; rebuild it from the vectors")
    return MemoryError(f"{path}: no memory for the graph")


cdef class Graph:
    """An immutable HNSW graph over int8 codes that stay the caller's. Made by `Graph.build` or `Graph.load`.

    `search` may run in any number of threads at once, and releases the GIL. The arrays given are kept, never copied; they
    must not change. len(graph) is the count of rows; row r of the codes is node r.

    >>> import numpy as np
    >>> from neuraltrade.core import hnsw, quant
    >>> vectors = np.random.default_rng(1).standard_normal((1000, 64)).astype(np.float32)
    >>> codes, inverse_norm = quant.quantize(vectors)
    >>> graph = hnsw.Graph.build(codes, inverse_norm, connectivity=8, expansion=64)
    >>> rows, distances, complete, visited = graph.search(codes[5], inverse_norm[5], k=3)
    >>> int(rows[0]), complete
    (5, True)
    """

    def __init__(self):
        raise TypeError("Graph is made by Graph.build(codes, inverse_norm) or Graph.load(path, codes, inverse_norm)")

    def __dealloc__(self):
        nt_graph_free(self.graph)

    cdef int attach(self, codes, inverse_norm) except -1:
        self.codes = codes_matrix(codes, "codes")
        cdef Py_ssize_t count = self.codes.shape[0]
        self.inverse_norm = norms_vector(inverse_norm, "inverse_norm", count)
        self.vectors.count = <uint32_t>count
        self.vectors.dimension = <uint32_t>self.codes.shape[1]
        if count > 0:
            self.vectors.codes = &self.codes[0, 0]
            self.vectors.inverse_norm = &self.inverse_norm[0]
            if <uintptr_t>self.vectors.codes % 64 != 0:
                raise InputError("codes must start at a multiple of 64 bytes: take the array from quant.aligned_empty")
        return 0

    @staticmethod
    def build(codes, inverse_norm, *, connectivity=16, expansion=200, cancel=None, progress=None):
        """A graph over all rows of `codes`.

        codes : int8[n, d], C-contiguous, 64-byte aligned (`quant.aligned_empty`). inverse_norm : float32[n].
        connectivity : links per node and upper level, 2..256; the base level has twice as many (the paper's M and M0).
        expansion : width of the beam while inserting (efConstruction). cancel : something with `is_set()`, such as
        threading.Event, looked at every 256 rows; then None is returned. progress : called with the rows done so far.
        One thread, deterministic: equal codes give equal graphs in any process. 5-9k rows/s at 512 dimensions,
        connectivity 16, expansion 100. Raises InputError, MemoryError.
        """
        cdef Graph self = Graph.__new__(Graph)
        self.attach(codes, inverse_norm)
        cdef uint32_t links = checked_count(connectivity, "connectivity", 2, NT_GRAPH_CONNECTIVITY_MAX)
        cdef uint32_t beam = checked_count(expansion, "expansion", 1, EXPANSION_MAX)
        cdef nt_hnsw_builder* builder = NULL
        cdef const nt_kernels* kernels = current_kernels()
        cdef nt_status status
        cdef uint32_t done = 0
        if cancel is not None and not hasattr(cancel, "is_set"):
            raise InputError(f"cancel must have is_set(), as threading.Event has, was {type(cancel).__name__}")
        if progress is not None and not callable(progress):
            raise InputError(f"progress must be callable, was {type(progress).__name__}")
        try:
            with nogil:
                status = nt_hnsw_begin(kernels, &self.vectors, links, beam, &builder)
            while status == NT_OK and done < self.vectors.count:
                if cancel is not None and cancel.is_set():
                    return None
                done = min(done + <uint32_t>BUILD_STEP, self.vectors.count)
                with nogil:
                    status = nt_hnsw_add(builder, done)
                PyErr_CheckSignals()
                if progress is not None:
                    progress(done)
            if status == NT_OK:
                with nogil:
                    status = nt_hnsw_finish(builder, &self.graph)
        finally:
            nt_hnsw_free(builder)
        if status != NT_OK:
            raise MemoryError(f"no memory for a graph of {self.vectors.count} rows")
        return self

    def search(self, query_codes, query_inverse_norm, k, *, expansion=64, mask=None, stop=None, visit_budget=0):
        """The nearest rows that the graph leads to.

        query_codes : int8[d]; query_inverse_norm : float, of `quant.quantize`. expansion : width of the beam (ef); at
        least k is used; more finds more. mask : uint8[n] or bool[n], rows with 0 are passed through, not returned.
        stop : only rows below it are returned. visit_budget : give up after about so many distances, 0 for never; a
        filter that lets few rows pass makes a search visit expansion / selectivity nodes.
        Returns (rows int64[k'], distances float32[k'] ascending, complete bool, visited int): with complete False the
        budget ran out, and rows are only the best met so far. Ties go to the lower row.
        Raises InputError for wrong shapes, types or ranges.
        """
        cdef aligned_query query
        cdef nt_choice choice
        cdef nt_graph_report report
        cdef nt_status status
        cdef const uint8_t[::1] mask_view = None
        cdef Py_ssize_t count = self.vectors.count
        take_query(&query, query_codes, query_inverse_norm, self.vectors.dimension)
        cdef size_t wanted = min(checked_count(k, "k", 1, (<Py_ssize_t>1) << 32), count)
        cdef size_t beam = checked_count(expansion, "expansion", 1, EXPANSION_MAX)
        cdef size_t budget = checked_count(visit_budget, "visit_budget", 0, (<Py_ssize_t>1) << 62)
        choice.stop = count if stop is None else min(count, checked_count(stop, "stop", 0, (<Py_ssize_t>1) << 32))
        choice.mask = NULL
        choice.rows = NULL
        choice.row_count = 0
        if mask is not None:
            mask_view = mask_vector(mask, count)
            if count > 0:
                choice.mask = &mask_view[0]
        cdef nt_near* near = <nt_near*>malloc((wanted + 1) * sizeof(nt_near))
        if near == NULL:
            raise MemoryError(f"search: k={wanted}")
        try:
            with nogil:
                status = nt_graph_search(self.graph, current_kernels(), &self.vectors, &query.query, &choice, wanted,
                                         beam, budget, near, &report)
            if status != NT_OK:
                raise MemoryError(f"search: expansion={beam}")
            rows, distances = near_arrays(near, report.found)
            return rows, distances, report.complete != 0, report.visited
        finally:
            free(near)

    def save(self, path, *, Faults faults=None):
        """Write the graph to `path`, durably and whole or not at all: temporary file, fsync, rename.

        The vectors are not in the file, their checksum is. Raises OSError; the file that stood there is left as it was.
        """
        cdef bytes raw = raw_path(path)
        cdef const char* name = raw
        cdef nt_io io = nt_io_posix if faults is None else nt_io_faulty(&faults.faults)
        cdef nt_status status
        cdef int error
        with nogil:
            status = nt_graph_save(self.graph, nt_graph_vectors_crc(&self.vectors), &io, name)
            error = errno
        if status != NT_OK:
            raise failure(status, error, os.fsdecode(raw))

    @staticmethod
    def load(path, codes, inverse_norm, *, bint mapped=False, Faults faults=None):
        """The graph saved at `path`, over the same vectors.

        mapped : map the file instead of reading it, so that its pages are shared and can be dropped; it must not change
        while the graph lives. Every byte is checked either way (about 5 GB/s), and so is every link.
        Raises LogCorrupt (damaged or foreign file), FormatTooNew, IndexStale (other vectors), OSError, InputError.
        """
        cdef bytes raw = raw_path(path)
        cdef const char* name = raw
        cdef nt_io io = nt_io_posix if faults is None else nt_io_faulty(&faults.faults)
        cdef Graph self = Graph.__new__(Graph)
        cdef uint32_t crc = 0
        cdef nt_status status
        cdef int error
        self.attach(codes, inverse_norm)
        with nogil:
            status = nt_graph_load(&io, name, mapped, &self.graph, &crc)
            error = errno
        if status != NT_OK:
            raise failure(status, error, os.fsdecode(raw))
        cdef bint same = (nt_graph_count(self.graph) == self.vectors.count
                          and nt_graph_dimension(self.graph) == self.vectors.dimension)
        if same:
            with nogil:
                same = crc == nt_graph_vectors_crc(&self.vectors)
        if not same:
            raise IndexStale(f"{os.fsdecode(raw)} belongs to other vectors than the {self.vectors.count} x "
                             f"{self.vectors.dimension} given: rebuild it")
        return self

    def __len__(self):
        return self.vectors.count

    @property
    def dimension(self):
        return self.vectors.dimension

    @property
    def connectivity(self):
        return nt_graph_connectivity(self.graph)

    @property
    def memory_bytes(self):
        """Bytes of the links, the vectors left out."""
        return nt_graph_bytes(self.graph)

    def __repr__(self):
        return f"Graph({len(self)} rows x {self.dimension}, connectivity={self.connectivity})"
