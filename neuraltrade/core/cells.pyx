"""Cells: rows around k-means centres, searched by the signs of the nearest cells. Contract in csrc/nt_cells.h."""

import numpy as np

from libc.stdint cimport int8_t, int32_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc

from neuraltrade.core.quant cimport (
    NT_SCAN_SLACK, aligned_query, checked_count, codes_matrix, current_kernels, mask_vector, near_arrays, norms_vector,
    rows_vector, signs_matrix, take_query, take_query_signs, vectors_of,
)

from neuraltrade.core import quant
from neuraltrade.errors import InputError

CELLS_MAX = 1 << 16
ASSIGN_STEP = 4_096      # rows between two looks at `cancel`
SAMPLED = 32             # rows of the sample for each cell


def assign(centres, centre_norms, codes, rows, cancel=None):
    """uint32[m]: the centre nearest to each listed row, the lower of two as near; None once `cancel` is set.

    centres, codes : int8[cells, d] and int8[n, d]; centre_norms : float32[cells]; rows : uint32[m].
    """
    cdef const int8_t[:, ::1] centre_view = codes_matrix(centres, "centres")
    cdef const int8_t[:, ::1] codes_view = codes_matrix(codes, "codes")
    cdef Py_ssize_t cells = centre_view.shape[0], done = 0, step
    cdef const float[::1] norms = norms_vector(centre_norms, "centre_norms", cells)
    if cells == 0 or codes_view.shape[1] != centre_view.shape[1]:
        raise InputError(f"centres must be int8[1 or more, {codes_view.shape[1]}], shape was {np.shape(centres)}")
    cdef const uint32_t[::1] listed = rows_vector(rows, codes_view.shape[0])
    cdef Py_ssize_t count = listed.shape[0]
    result = np.empty(count, np.uint32)
    cdef uint32_t[::1] out = result
    cdef int32_t[::1] dots = np.empty(cells, np.int32)
    cdef nt_vectors middle = vectors_of(centre_view, norms), vectors
    vectors.count = <uint32_t>codes_view.shape[0]
    vectors.dimension = <uint32_t>codes_view.shape[1]
    vectors.codes = &codes_view[0, 0] if vectors.count else NULL
    vectors.inverse_norm = NULL
    vectors.signs = NULL
    while done < count:
        if cancel is not None and cancel.is_set():
            return None
        step = min(count - done, <Py_ssize_t>ASSIGN_STEP)
        with nogil:
            nt_cells_assign(current_kernels(), &middle, &vectors, &listed[done], step, &dots[0], &out[done])
        done += step
    return result


def train(codes, inverse_norm, cells, *, iterations=4, cancel=None):
    """Centres (int8[cells, d], float32[cells]) by k-means on evenly spaced rows; None once `cancel` is set.

    codes : int8[n, d] with n >= cells. Starts from evenly spaced rows; a centre nobody is nearest to stays where it is.
    Sums are integers and centres are quantised, so equal rows give equal centres with any kernels.
    """
    cdef const int8_t[:, ::1] view = codes_matrix(codes, "codes")
    cdef Py_ssize_t count = view.shape[0]
    norms_vector(inverse_norm, "inverse_norm", count)
    wanted = checked_count(cells, "cells", 1, min(count, CELLS_MAX))
    cdef const uint32_t[::1] sample = np.linspace(0, count - 1, min(count, SAMPLED * wanted)).astype(np.uint32)
    first = np.linspace(0, count - 1, wanted).astype(np.int64)
    centres, norms = quant.aligned_empty((wanted, view.shape[1]), np.int8), np.asarray(inverse_norm)[first]
    centres[:] = np.asarray(codes)[first]
    cdef nt_vectors vectors
    cdef int32_t[:, ::1] sums
    cdef const uint32_t[::1] nearest
    vectors.count = <uint32_t>count
    vectors.dimension = <uint32_t>view.shape[1]
    vectors.codes = &view[0, 0]
    vectors.inverse_norm = NULL
    vectors.signs = NULL
    for _ in range(iterations):
        held = assign(centres, norms, codes, np.asarray(sample), cancel)
        if held is None:
            return None
        nearest = held
        total = np.zeros((wanted, view.shape[1]), np.int32)
        sums = total
        with nogil:
            nt_cells_sum(&vectors, &sample[0], sample.shape[0], &nearest[0], &sums[0, 0])
        moved = np.flatnonzero(total.any(axis=1))
        centres[moved], norms[moved] = quant.quantize(np.ascontiguousarray(total[moved], np.float32))
    return centres, norms


cdef class Cells:
    """Rows in cells. `Cells.build` makes them; `arrays` are what a file needs to hold, and `Cells(**arrays)` takes back.

    `search` may run in any number of threads at once and releases the GIL. Arrays given are kept, never copied.

    >>> import numpy as np
    >>> from neuraltrade.core import quant
    >>> from neuraltrade.core.cells import Cells
    >>> codes, norms = quant.quantize(np.random.default_rng(1).standard_normal((1000, 64)).astype(np.float32))
    >>> cells = Cells.build(codes, norms, quant.signs(codes), 16)
    >>> rows, distances, looked = cells.search(codes[5], norms[5], quant.signs(codes[5]), k=3, probe=200)
    >>> int(rows[0]), 200 <= looked < 1000
    (5, True)
    """

    def __init__(self, codes, inverse_norm, centres, centre_norms, start, order, signs):
        """codes int8[n, d], inverse_norm float32[n]; centres int8[cells, d], centre_norms float32[cells]; start
        uint32[cells + 1]; order uint32[n]; signs uint64[n, d / 64] in that order. Raises InputError.
        """
        self.codes = codes_matrix(codes, "codes")
        cdef Py_ssize_t count = self.codes.shape[0], dimension = self.codes.shape[1], cells, i
        self.inverse_norm = norms_vector(inverse_norm, "inverse_norm", count)
        self.centres = codes_matrix(centres, "centres")
        cells = self.centres.shape[0]
        if not 1 <= cells <= CELLS_MAX or self.centres.shape[1] != dimension:
            raise InputError(f"centres must be int8[1..{CELLS_MAX}, {dimension}], shape was {np.shape(centres)}")
        self.centre_norms = norms_vector(centre_norms, "centre_norms", cells)
        self.start, self.order = rows_vector(start, count + 1), rows_vector(order, count)
        self.signs = signs_matrix(signs, count, dimension)
        if self.order.shape[0] != count or self.start.shape[0] != cells + 1:
            raise InputError(f"order must have {count} rows and start {cells + 1}, were {self.order.shape[0]} and "
                             f"{self.start.shape[0]}")
        for i in range(cells):
            if self.start[i] > self.start[i + 1]:
                raise InputError(f"start must ascend, but start[{i}] > start[{i + 1}]")
        if self.start[0] != 0 or self.start[cells] != count:
            raise InputError(f"start must begin with 0 and end with {count}")
        self.vectors = vectors_of(self.codes, self.inverse_norm)
        self.cells.centres = vectors_of(self.centres, self.centre_norms)
        self.cells.start = &self.start[0]
        self.cells.order = &self.order[0] if count else NULL
        self.cells.signs = &self.signs[0, 0] if count else NULL
        self.held = {"centres": centres, "centre_norms": centre_norms, "start": start, "order": order, "signs": signs}

    @staticmethod
    def build(codes, inverse_norm, signs, cells, *, iterations=4, cancel=None):
        """Cells of all rows; None once `cancel` is set. signs : uint64[n, d / 64] in the order of rows.

        One thread, deterministic. 512 cells of 512 dimensions: about 200,000 rows a second.
        """
        trained = train(codes, inverse_norm, cells, iterations=iterations, cancel=cancel)
        if trained is None:
            return None
        held = assign(*trained, codes, np.arange(len(codes), dtype=np.uint32), cancel)
        if held is None:
            return None
        order = np.argsort(held, kind="stable").astype(np.uint32)
        start = np.zeros(len(trained[0]) + 1, np.uint32)
        np.cumsum(np.bincount(held, minlength=len(trained[0])), out=start[1:])
        sorted_signs = quant.aligned_empty(np.shape(signs), np.uint64)
        np.take(signs, order, axis=0, out=sorted_signs)
        return Cells(codes, inverse_norm, *trained, start, order, sorted_signs)

    def search(self, query_codes, query_inverse_norm, query_signs, k, *, probe, rerank=200, mask=None, stop=None):
        """The k nearest rows of the cells nearest to the query, ascending by (distance, row).

        query_codes, query_inverse_norm, query_signs, mask, stop : as `quant.scan_signs`. probe : whole cells are looked
        at until they held so many rows that may answer. rerank : rows compared by codes, at least k.
        Returns (rows int64[k'], distances float32[k'], looked int). Raises InputError.
        """
        cdef aligned_query query
        cdef nt_choice choice
        cdef const uint8_t[::1] mask_view = None
        cdef size_t count = self.vectors.count, found = 0, looked = 0
        take_query(&query, query_codes, query_inverse_norm, self.vectors.dimension)
        take_query_signs(&query, query_signs, self.vectors.dimension)
        cdef size_t wanted = min(<size_t>checked_count(k, "k", 1, (<Py_ssize_t>1) << 32), count)
        cdef size_t rows = checked_count(probe, "probe", 1, (<Py_ssize_t>1) << 32)
        cdef size_t keep = max(<size_t>1, wanted, min(<size_t>checked_count(rerank, "rerank", 1, (<Py_ssize_t>1) << 32), count))
        choice.stop = count if stop is None else min(<Py_ssize_t>count, checked_count(stop, "stop", 0, (<Py_ssize_t>1) << 32))
        choice.mask = NULL
        choice.rows = NULL
        choice.row_count = 0
        if mask is not None:
            mask_view = mask_vector(mask, count)
            if count > 0:
                choice.mask = &mask_view[0]
        cdef nt_near* near = <nt_near*>malloc((wanted + 1) * sizeof(nt_near))
        cdef nt_near* nearest_cells = <nt_near*>malloc((<size_t>self.cells.centres.count + 1) * sizeof(nt_near))
        cdef uint32_t* candidates = <uint32_t*>malloc((keep + NT_SCAN_SLACK) * sizeof(uint32_t))
        cdef uint16_t* bits = <uint16_t*>malloc((keep + NT_SCAN_SLACK) * sizeof(uint16_t))
        try:
            if near == NULL or nearest_cells == NULL or candidates == NULL or bits == NULL:
                raise MemoryError(f"search: k={wanted}, rerank={keep}")
            with nogil:
                looked = nt_scan_cells(current_kernels(), &self.cells, &self.vectors, &query.query, &choice, rows, keep,
                                       nearest_cells, candidates, bits, wanted, near, &found)
            found_rows, distances = near_arrays(near, found)
            return found_rows, distances, looked
        finally:
            free(near)
            free(nearest_cells)
            free(candidates)
            free(bits)

    def __len__(self):
        return self.vectors.count

    @property
    def count(self):
        """How many cells there are."""
        return self.cells.centres.count

    @property
    def arrays(self):
        """centres, centre_norms, start, order, signs: what `Cells(codes, inverse_norm, **arrays)` takes."""
        return dict(self.held)

    def __repr__(self):
        return f"Cells({len(self)} rows in {self.count})"
