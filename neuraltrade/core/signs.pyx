"""How far rows lie from a query by their sign bits alone. Kernels in csrc/nt_quant.h."""

import numpy as np

from libc.stdint cimport UINT16_MAX, int64_t, uint8_t, uint16_t, uint64_t

from neuraltrade.core.quant cimport (
    aligned_query, current_kernels, mask_vector, signs_matrix, take_query_signs,
)


def differences(signs, query_signs, mask=None) -> tuple[np.ndarray, np.ndarray]:
    """How many sign bits of each row differ from a query's, and how many rows differ in 0, 1 ... d of them.

    signs : uint64[n, d / 64]; query_signs : uint64[d / 64]; mask : uint8 or bool[n], rows that count (None: all).
    Returns (uint16[n], 65535 where the mask is 0; int64[d + 1]). Releases the GIL; about 2 ns a row of 512 bits.

    >>> import numpy as np
    >>> from neuraltrade.core.signs import differences
    >>> rows = np.array([[0b1011], [0b0001], [0b0000]], np.uint64)
    >>> apart, counts = differences(rows, np.array([0b0011], np.uint64))
    >>> apart.tolist(), counts[:3].tolist()
    ([1, 1, 2], [0, 2, 1])
    """
    cdef Py_ssize_t count = len(signs), dimension = 64 * len(query_signs), row
    cdef const uint64_t[:, ::1] view = signs_matrix(signs, count, dimension)
    cdef const uint8_t[::1] mask_view = None if mask is None else mask_vector(mask, count)
    cdef aligned_query query
    take_query_signs(&query, query_signs, dimension)
    apart = np.empty(count, np.uint16)
    counts = np.zeros(dimension + 1, np.int64)
    cdef uint16_t[::1] to = apart
    cdef int64_t[::1] totals = counts
    cdef bint masked = mask_view is not None
    with nogil:
        if count:
            current_kernels().differences(&view[0, 0], count, dimension // 64, query.query.signs, &to[0])
        for row in range(count):
            if masked and not mask_view[row]:
                to[row] = UINT16_MAX
            else:
                totals[to[row]] += 1
    return apart, counts
