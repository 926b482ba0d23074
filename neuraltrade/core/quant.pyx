"""Vectors as int8 codes and sign bits, and exact scans over them. Kernels and their contract stand in csrc/nt_quant.h.

The kernels are chosen once at import: the best that the processor runs, or the one named by NEURALTRADE_KERNELS
(serial, avx2, avx512). All give the same results to the last bit.
"""

import os

import numpy as np

from libc.stdint cimport uintptr_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from neuraltrade.errors import InputError

VARIANTS = ("serial", "avx2", "avx512")
DIMENSION_MAX = NT_DIMENSION_MAX
ROWS_MAX = 2**32 - 2

cdef const nt_kernels* kernels = NULL


cdef const nt_kernels* current_kernels() noexcept nogil:
    return kernels


def variant() -> str:
    """Name of the kernels in use: "serial", "avx2" or "avx512"."""
    return kernels.name.decode()


def variants() -> tuple:
    """Names of the kernels that this processor can run."""
    return tuple(name for name in VARIANTS if nt_kernels_find(name.encode()) != NULL)


def use(str name not None) -> str:
    """Switch all kernels, for tests and comparisons; returns the name of those used before.

    Raises InputError for an unknown name or one that this processor cannot run. Not while other threads search.
    """
    global kernels
    before = variant() if kernels != NULL else ""
    cdef const nt_kernels* found = nt_kernels_find(name.encode())
    if name not in VARIANTS or found == NULL:
        raise InputError(f"kernels must be one of {', '.join(variants())} on this processor, was {name!r}")
    kernels = found
    return before


kernels = nt_kernels_best()
if os.environ.get("NEURALTRADE_KERNELS"):
    use(os.environ["NEURALTRADE_KERNELS"])


def aligned_empty(shape, dtype) -> np.ndarray:
    """An uninitialised C-contiguous array whose first byte lies at a multiple of 64: full cache lines for the kernels.

    >>> from neuraltrade.core import quant
    >>> quant.aligned_empty((1000, 512), "i1").ctypes.data % 64
    0
    """
    dtype = np.dtype(dtype)
    if dtype.hasobject:
        raise InputError(f"dtype must hold no Python objects, was {dtype}")
    shape = tuple(int(n) for n in (shape if isinstance(shape, (tuple, list)) else (shape,)))
    if any(n < 0 for n in shape):
        raise InputError(f"shape must be non-negative, was {shape}")
    size = dtype.itemsize
    for n in shape:
        size *= n
    block = np.empty(size + 64, np.uint8)
    start = -block.ctypes.data % 64
    return block[start:start + size].view(dtype).reshape(shape)


# ---- arguments ----

cdef str described(value):
    if isinstance(value, np.ndarray):
        layout = "" if value.flags.c_contiguous else ", not C-contiguous"
        layout += "" if value.flags.aligned else ", misaligned"
        layout += "" if value.flags.writeable else ", read-only"
        return f"{value.dtype}{list(value.shape)}{layout}"
    return type(value).__name__


cdef int checked_dimension(Py_ssize_t dimension, str name) except -1:
    if dimension % NT_DIMENSION_STEP != 0 or not NT_DIMENSION_STEP <= dimension <= NT_DIMENSION_MAX:
        raise InputError(f"{name} must have a dimension that is a multiple of {NT_DIMENSION_STEP} "
                         f"up to {NT_DIMENSION_MAX}, was {dimension}")
    return 0


cdef Py_ssize_t checked_count(value, str name, Py_ssize_t low, Py_ssize_t high) except -1:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not low <= value <= high:
        raise InputError(f"{name} must be an int in {low}..{high}, was {value!r}")
    return value


cdef const int8_t[:, ::1] codes_matrix(value, str name):
    cdef const int8_t[:, ::1] view
    try:
        view = value
    except (TypeError, ValueError, BufferError):
        view = None
    if view is None:
        raise InputError(f"{name} must be a C-contiguous int8[rows, dimension] array, was {described(value)}")
    checked_dimension(view.shape[1], name)
    if view.shape[0] > ROWS_MAX:
        raise InputError(f"{name} must have at most {ROWS_MAX} rows, has {view.shape[0]}")
    return view


cdef const float[::1] norms_vector(value, str name, Py_ssize_t count):
    cdef const float[::1] view
    try:
        view = value
    except (TypeError, ValueError, BufferError):
        view = None
    if view is None or view.shape[0] != count:
        raise InputError(f"{name} must be a C-contiguous float32[{count}] array, one per row, was {described(value)}")
    return view


cdef const uint64_t[:, ::1] signs_matrix(value, Py_ssize_t count, Py_ssize_t dimension):
    cdef const uint64_t[:, ::1] view
    try:
        view = value
    except (TypeError, ValueError, BufferError):
        view = None
    if view is None or view.shape[0] != count or view.shape[1] * 64 != dimension:
        raise InputError(f"signs must be a C-contiguous uint64[{count}, {dimension // 64}] array, was {described(value)}")
    return view


cdef const uint8_t[::1] mask_vector(value, Py_ssize_t count):
    cdef const uint8_t[::1] view
    if isinstance(value, np.ndarray) and value.dtype == np.bool_:
        value = value.view(np.uint8)
    try:
        view = value
    except (TypeError, ValueError, BufferError):
        view = None
    if view is None or view.shape[0] != count:
        raise InputError(f"mask must be a C-contiguous uint8[{count}] or bool[{count}] array, was {described(value)}")
    return view


cdef const uint32_t[::1] rows_vector(value, Py_ssize_t count):
    cdef const uint32_t[::1] view
    cdef uint32_t largest = 0
    cdef Py_ssize_t i
    rows = np.asarray(value)
    if rows.ndim != 1 or (rows.dtype.kind not in "iu" and rows.size > 0):
        raise InputError(f"rows must be a one-dimensional integer array, was {described(rows)}")
    if rows.dtype != np.uint32:
        if rows.size and not 0 <= rows.min() <= rows.max() < count:
            raise InputError(f"rows must be in 0..{count - 1}, spans {rows.min()}..{rows.max()}")
        rows = rows.astype(np.uint32)
    view = np.ascontiguousarray(rows)
    with nogil:
        for i in range(view.shape[0]):
            largest = max(largest, view[i])
    if view.shape[0] and largest >= count:
        raise InputError(f"rows must be in 0..{count - 1}, has {largest}")
    return view


cdef int take_query(aligned_query* to, codes, inverse_norm, Py_ssize_t dimension) except -1:
    cdef const int8_t[::1] view
    cdef int8_t* start = <int8_t*>((<uintptr_t>to.codes + 63) & ~<uintptr_t>63)
    try:
        view = codes
    except (TypeError, ValueError, BufferError):
        view = None
    if view is None or view.shape[0] != dimension:
        raise InputError(f"query_codes must be a C-contiguous int8[{dimension}] array, was {described(codes)}")
    cdef double inverse
    try:
        inverse = inverse_norm
    except TypeError:
        inverse = -1.0
    if not 0.0 < inverse <= 1.0:
        raise InputError(f"query_inverse_norm must be a number in (0, 1], was {inverse_norm!r}")
    memcpy(start, &view[0], dimension)
    to.query.codes = start
    to.query.signs = NULL
    to.query.inverse_norm = <float>inverse
    to.query.bias = nt_bias_of(start, dimension)
    return 0


cdef int take_query_signs(aligned_query* to, signs, Py_ssize_t dimension) except -1:
    cdef const uint64_t[::1] view
    cdef uint64_t* start = <uint64_t*>((<uintptr_t>to.signs + 63) & ~<uintptr_t>63)
    try:
        view = signs
    except (TypeError, ValueError, BufferError):
        view = None
    if view is None or view.shape[0] * 64 != dimension:
        raise InputError(f"query_signs must be a C-contiguous uint64[{dimension // 64}] array, was {described(signs)}")
    memcpy(start, &view[0], dimension // 8)
    to.query.signs = start
    return 0


cdef int take_choice(nt_choice* to, Py_ssize_t count, stop, const uint8_t[::1] mask, const uint32_t[::1] rows) except -1:
    to.stop = count if stop is None else min(count, checked_count(stop, "stop", 0, ROWS_MAX))
    to.mask = NULL
    if mask is not None and count > 0:
        to.mask = &mask[0]
    to.rows = NULL
    to.row_count = 0
    if rows is not None:
        to.row_count = rows.shape[0]
        if to.row_count == 0:
            to.stop = 0
        else:
            to.rows = &rows[0]
    return 0


cdef tuple near_arrays(const nt_near* near, size_t count):
    """(rows int64[count], distances float32[count])."""
    rows = np.empty(count, np.int64)
    distances = np.empty(count, np.float32)
    cdef long long[::1] rows_out = rows
    cdef float[::1] distances_out = distances
    cdef size_t i
    for i in range(count):
        rows_out[i] = near[i].row
        distances_out[i] = near[i].distance
    return rows, distances


# ---- codes ----

cdef object into(value, str name, tuple shape, dtype):
    """The caller's output array, or a new aligned one."""
    if value is None:
        return aligned_empty(shape, dtype)
    if not isinstance(value, np.ndarray) or value.dtype != np.dtype(dtype) or value.shape != shape \
            or not value.flags.c_contiguous or not value.flags.writeable:
        raise InputError(f"{name} must be a writable C-contiguous {np.dtype(dtype)}{list(shape)} array, was {described(value)}")
    return value


def quantize(vectors, codes=None, inverse_norm=None):
    """int8 codes of float32 vectors, by their largest magnitude: code = round_half_even(v * 127 / max|v|).

    vectors : float32[n, d] or float32[d], C-contiguous; d a multiple of 64 up to 4,096. codes, inverse_norm : where to
    write, int8[n, d] and float32[n]; new ones (64-byte aligned) by default.
    Returns (codes, inverse_norm): int8[n, d] and float32[n] = 1 / |codes|; for one vector int8[d] and a float32.
    Cosine distance needs nothing else. About 0.15 us a vector of 512.
    Raises InputError naming the row for a NaN, an infinity, or a vector without a magnitude above 1e-30 (zero).

    >>> import numpy as np
    >>> from neuraltrade.core import quant
    >>> codes, inverse_norm = quant.quantize(np.linspace(-1, 1, 64, dtype=np.float32))
    >>> int(codes[0]), int(codes[-1]), round(float(inverse_norm), 6)
    (-127, 127, 0.001677)
    """
    single = isinstance(vectors, np.ndarray) and vectors.ndim == 1
    if single:
        if codes is not None or inverse_norm is not None:
            raise InputError("codes and inverse_norm can be given for float32[n, d] only, vectors has one dimension")
        vectors = vectors.reshape(1, -1)
    cdef const float[:, ::1] source
    try:
        source = vectors
    except (TypeError, ValueError, BufferError):
        source = None
    if source is None:
        raise InputError(f"vectors must be a C-contiguous float32[n, dimension] array, was {described(vectors)}")
    cdef Py_ssize_t count = source.shape[0], dimension = source.shape[1], row, bad = -1
    checked_dimension(dimension, "vectors")
    codes = into(codes, "codes", (count, dimension), np.int8)
    inverse_norm = into(inverse_norm, "inverse_norm", (count,), np.float32)
    cdef int8_t[:, ::1] codes_out = codes
    cdef float[::1] norms_out = inverse_norm
    with nogil:
        for row in range(count):
            if kernels.quantize(&source[row, 0], dimension, &codes_out[row, 0]) != NT_OK:
                bad = row
                break
            norms_out[row] = nt_inverse_norm(kernels, &codes_out[row, 0], dimension)
    if bad >= 0:
        vector = np.asarray(vectors[bad])
        what = "a NaN" if np.isnan(vector).any() else "an infinity" if np.isinf(vector).any() else \
            f"no magnitude of {NT_MAGNITUDE_MIN:g} or more, so no direction"
        raise InputError(f"vectors[{bad}] has {what}")
    return (codes[0], inverse_norm[0]) if single else (codes, inverse_norm)


def dequantize(codes, inverse_norm) -> np.ndarray:
    """Unit vectors float32[n, d] that the codes stand for: codes * inverse_norm. For one row, float32[d]."""
    codes = np.asarray(codes)
    if codes.dtype != np.int8:
        raise InputError(f"codes must be int8, was {described(codes)}")
    inverse_norm = np.asarray(inverse_norm, np.float32)
    expected = codes.shape[:max(codes.ndim - 1, 0)]
    if inverse_norm.shape != expected or codes.ndim == 0:
        raise InputError(f"inverse_norm must be float32{list(expected)}, was {described(inverse_norm)}")
    return codes.astype(np.float32) * inverse_norm[..., None]


def signs(vectors, out=None) -> np.ndarray:
    """Sign bits: bit j of a row is set where code j is negative, 64 to a uint64.

    vectors : int8 codes [n, d] or [d]; float32 vectors are quantised first, so that both give the same bits.
    Returns uint64[n, d / 64], or uint64[d / 64] for one.

    >>> import numpy as np
    >>> from neuraltrade.core import quant
    >>> [hex(word) for word in quant.signs(np.array([-1, 1] * 64, dtype=np.float32))]
    ['0x5555555555555555', '0x5555555555555555']
    """
    if isinstance(vectors, np.ndarray) and vectors.dtype == np.float32:
        vectors = quantize(vectors)[0]
    single = isinstance(vectors, np.ndarray) and vectors.ndim == 1
    cdef const int8_t[:, ::1] codes = codes_matrix(vectors.reshape(1, -1) if single else vectors, "vectors")
    cdef Py_ssize_t count = codes.shape[0], dimension = codes.shape[1], row
    result = into(out, "out", (count, dimension // 64), np.uint64)
    cdef uint64_t[:, ::1] to = result
    with nogil:
        for row in range(count):
            kernels.signs(&codes[row, 0], dimension, &to[row, 0])
    return result[0] if single else result


def mark_rows(mask, rows, bint value=True):
    """Set mask[row] = value for each listed row below len(mask); others are passed over.

    mask : bool[n], writeable; rows : uint32[m], in any order. Releases the GIL; about 1 ns a row within the cache.

    >>> import numpy as np
    >>> from neuraltrade.core import quant
    >>> mask = np.zeros(4, bool)
    >>> quant.mark_rows(mask, np.array([3, 1, 7], np.uint32))
    >>> mask.tolist()
    [False, True, False, True]
    """
    if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_ or mask.ndim != 1:
        raise InputError(f"mask must be bool[n], was {described(mask)}")
    cdef uint8_t[::1] to
    cdef const uint32_t[::1] listed
    try:
        to = mask.view(np.uint8)
        listed = rows
    except (TypeError, ValueError, BufferError):
        raise InputError(f"mask must be writeable and rows a C-contiguous uint32[m], were {described(mask)} and "
                         f"{described(rows)}") from None
    cdef Py_ssize_t count = to.shape[0], i
    with nogil:
        for i in range(listed.shape[0]):
            if listed[i] < count:
                to[listed[i]] = value


# ---- scans ----

cdef nt_vectors vectors_of(const int8_t[:, ::1] codes, const float[::1] inverse_norm) noexcept:
    cdef nt_vectors vectors
    vectors.count = <uint32_t>codes.shape[0]
    vectors.dimension = <uint32_t>codes.shape[1]
    vectors.codes = &codes[0, 0] if vectors.count else NULL
    vectors.inverse_norm = &inverse_norm[0] if vectors.count else NULL
    vectors.signs = NULL
    return vectors


def distances(codes, inverse_norm, query_codes, query_inverse_norm, rows=None) -> np.ndarray:
    """Cosine distances float32[n] of one query to all rows, or to the listed ones in their order.

    Arguments as `scan`. 1 - dot * inverse_norm * query_inverse_norm, the dot exact.
    """
    cdef const int8_t[:, ::1] codes_view = codes_matrix(codes, "codes")
    cdef Py_ssize_t count = codes_view.shape[0]
    cdef const float[::1] norms = norms_vector(inverse_norm, "inverse_norm", count)
    cdef const uint32_t[::1] listed = None if rows is None else rows_vector(rows, count)
    cdef aligned_query query
    take_query(&query, query_codes, query_inverse_norm, codes_view.shape[1])
    cdef nt_vectors vectors = vectors_of(codes_view, norms)
    cdef size_t wanted = count if rows is None else listed.shape[0]
    result = np.empty(wanted, np.float32)
    cdef float[::1] out = result
    cdef const uint32_t* index = NULL
    if wanted == 0:
        return result
    if rows is not None:
        index = &listed[0]
    with nogil:
        nt_scan_distances(kernels, &vectors, &query.query, index, wanted, &out[0])
    return result


def scan(codes, inverse_norm, query_codes, query_inverse_norm, k, *, stop=None, mask=None, rows=None):
    """The k rows nearest to a query, exactly.

    codes : int8[n, d], C-contiguous; inverse_norm : float32[n]. query_codes : int8[d]; query_inverse_norm : float.
    stop : only rows below it. mask : uint8[n] or bool[n], rows with 0 take no part. rows : integer[m], only these
    (each as often as listed).
    Returns (rows int64[k'], distances float32[k']), ascending by (distance, row); k' <= k rows take part. The GIL is
    released. About 8 ns a row of 512 from cache, 18 from memory.
    Raises InputError for wrong shapes, types, k < 1 or rows out of range.

    >>> import numpy as np
    >>> from neuraltrade.core import quant
    >>> vectors = np.eye(64, dtype=np.float32) + 0.1
    >>> codes, inverse_norm = quant.quantize(vectors)
    >>> rows, distances = quant.scan(codes, inverse_norm, codes[7], inverse_norm[7], k=1)
    >>> int(rows[0]), bool(abs(distances[0]) < 1e-6)
    (7, True)
    """
    cdef const int8_t[:, ::1] codes_view = codes_matrix(codes, "codes")
    cdef Py_ssize_t count = codes_view.shape[0]
    cdef const float[::1] norms = norms_vector(inverse_norm, "inverse_norm", count)
    cdef const uint8_t[::1] mask_view = None if mask is None else mask_vector(mask, count)
    cdef const uint32_t[::1] listed = None if rows is None else rows_vector(rows, count)
    cdef aligned_query query
    cdef nt_choice choice
    take_query(&query, query_codes, query_inverse_norm, codes_view.shape[1])
    take_choice(&choice, count, stop, mask_view, listed)
    cdef nt_vectors vectors = vectors_of(codes_view, norms)
    cdef size_t found = 0
    cdef size_t wanted = min(checked_count(k, "k", 1, ROWS_MAX), max(count, <Py_ssize_t>choice.row_count))
    cdef nt_near* near = <nt_near*>malloc((wanted + 1) * sizeof(nt_near))
    if near == NULL:
        raise MemoryError(f"scan: k={wanted}")
    try:
        with nogil:
            nt_scan(kernels, &vectors, &query.query, &choice, wanted, near, &found)
        return near_arrays(near, found)
    finally:
        free(near)


def scan_signs(signs, codes, inverse_norm, query_signs, query_codes, query_inverse_norm, k, *, rerank=200,
               stop=None, mask=None, rows=None):
    """The k rows nearest to a query, in two stages: the `rerank` rows with the fewest differing sign bits, then the
    nearest of those by their codes. Nearly exact where `rerank` is some ten times k; deterministic.

    signs : uint64[n, d / 64] of `signs(codes)`; query_signs : uint64[d / 64]. rerank : at least k is taken.
    The rest, the result and the errors as `scan`. About 1.3 ns a row of 512 bits from cache.
    """
    cdef const int8_t[:, ::1] codes_view = codes_matrix(codes, "codes")
    cdef Py_ssize_t count = codes_view.shape[0], dimension = codes_view.shape[1]
    cdef const float[::1] norms = norms_vector(inverse_norm, "inverse_norm", count)
    cdef const uint64_t[:, ::1] signs_view = signs_matrix(signs, count, dimension)
    cdef const uint8_t[::1] mask_view = None if mask is None else mask_vector(mask, count)
    cdef const uint32_t[::1] listed = None if rows is None else rows_vector(rows, count)
    cdef aligned_query query
    cdef nt_choice choice
    take_query(&query, query_codes, query_inverse_norm, dimension)
    take_query_signs(&query, query_signs, dimension)
    take_choice(&choice, count, stop, mask_view, listed)
    cdef nt_vectors vectors = vectors_of(codes_view, norms)
    vectors.signs = &signs_view[0, 0] if count else NULL
    cdef size_t limit = max(count, <Py_ssize_t>choice.row_count)
    cdef size_t wanted = min(checked_count(k, "k", 1, ROWS_MAX), limit)
    cdef size_t keep = max(1, wanted, min(checked_count(rerank, "rerank", 1, ROWS_MAX), limit))
    cdef size_t found = 0
    cdef nt_near* near = <nt_near*>malloc((wanted + 1) * sizeof(nt_near))
    cdef uint32_t* candidates = <uint32_t*>malloc((keep + NT_SCAN_SLACK) * sizeof(uint32_t))
    cdef uint16_t* bits = <uint16_t*>malloc((keep + NT_SCAN_SLACK) * sizeof(uint16_t))
    try:
        if near == NULL or candidates == NULL or bits == NULL:
            raise MemoryError(f"scan_signs: k={wanted}, rerank={keep}")
        with nogil:
            nt_scan_signs(kernels, &vectors, &query.query, &choice, keep, candidates, bits, wanted, near, &found)
        return near_arrays(near, found)
    finally:
        free(near)
        free(candidates)
        free(bits)
