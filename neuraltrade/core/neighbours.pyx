# cython: boundscheck=False, wraparound=False
"""What followed the situations nearest to one, weighted by nearness (csrc/nt_neighbours.h)."""

import numpy as np

from ..errors import InputError

from libc.stdint cimport int64_t


cdef extern from "nt_neighbours.h" nogil:
    double nt_neighbours_forecast(const double*, int64_t, int64_t, const double*, const double*, int64_t,
                                  double*) noexcept


def forecast(features, outcomes, asked, int64_t k):
    """float64[q]: for each row asked about, the mean outcome of the k nearest rows, nearer ones counting more.

    features : float64[d, m], a column of m rows for each feature, oldest row first. outcomes : float64[m]. asked :
    float64[q, d]. All finite. Weights are 1 / (distance + the median distance of the k); ties go to the older row.
    Equal input gives equal bits. About 4 us a row for m = 750, d = 9. Releases the GIL.
    Raises InputError for other dtypes or shapes, or k outside 1..m.

    >>> import numpy as np
    >>> from neuraltrade.core import neighbours
    >>> neighbours.forecast(np.array([[0.0, 1.0, 10.0]]), np.array([1.0, 3.0, 9.0]), np.array([[0.5]]), 2).tolist()
    [2.0]
    """
    columns, followed, rows = (np.ascontiguousarray(one) for one in (features, outcomes, asked))
    if any(one.dtype != np.float64 for one in (columns, followed, rows)):
        raise InputError("features, outcomes and asked must be float64")
    if columns.ndim != 2 or rows.ndim != 2 or followed.shape != columns.shape[1:] or rows.shape[1:] != columns.shape[:1]:
        raise InputError(
            "features must be [d, m], outcomes [m], asked [q, d], were "
            f"{columns.shape}, {followed.shape}, {rows.shape}"
        )
    if not 1 <= k <= columns.shape[1]:
        raise InputError(f"k must be in 1..{columns.shape[1]}, was {k}")
    out = np.empty(rows.shape[0])
    if rows.size == 0:
        return np.full(rows.shape[0], np.nan)
    cdef const double[:, ::1] x = columns, a = rows
    cdef const double[::1] y = followed
    cdef double[::1] found = out, room = np.empty(2 * columns.shape[1])
    cdef int64_t i
    with nogil:
        for i in range(a.shape[0]):
            found[i] = nt_neighbours_forecast(&x[0, 0], x.shape[1], x.shape[0], &y[0], &a[i, 0], k, &room[0])
    return out
