"""Rows of numbers to unit vectors, bit for bit the same in any batch and on any machine (csrc/nt_project.h)."""

import numpy as np

from ..errors import InputError

from libc.stdint cimport int64_t


cdef extern from "nt_project.h" nogil:
    void nt_project_rows(const float*, int64_t, int64_t, const float*, int64_t, const float*, const float*, int64_t,
                         float, float*) noexcept
    void nt_unit_rows(float*, int64_t, int64_t) noexcept


cdef _matrix(object values, str name):
    array = np.asarray(values)
    if array.ndim != 2 or array.dtype != np.float32:
        raise InputError(f"{name} must be a float32 matrix, has dtype {array.dtype} and shape {array.shape}")
    return np.ascontiguousarray(array)


def project(rows, linear, turns, phase, gain):
    """unit([rows @ linear, gain * cos(2 pi (rows @ turns + phase))]) as float32[n, linear + cosine columns].

    rows : float32[n, f], finite. linear : float32[f, a]. turns : float32[f, b], in turns. phase : float32[b], in turns.
    gain : weight of the cosines. a + b a multiple of 16. Releases the GIL.
    Raises InputError on other dtypes and shapes, or a row that is not finite.

    >>> import numpy as np
    >>> from neuraltrade.core import projection
    >>> one = np.ones((1, 8), dtype=np.float32)
    >>> projection.project(np.ones((1, 1), dtype=np.float32), one, 0 * one, one[0], 1.0)[0, ::8]
    array([0.25, 0.25], dtype=float32)
    """
    cdef const float[:, ::1] x = _matrix(rows, "rows"), a = _matrix(linear, "linear"), b = _matrix(turns, "turns")
    cdef const float[:, ::1] p = _matrix(np.asarray(phase)[None, :], "phase")
    cdef int64_t n = x.shape[0], f = x.shape[1], width = a.shape[1] + b.shape[1]
    if a.shape[0] != f or b.shape[0] != f or p.shape[1] != b.shape[1]:
        raise InputError(
            f"rows have {f} columns, linear {a.shape[0]} rows, turns {b.shape[0]}; "
            f"phase {p.shape[1]}, cosines {b.shape[1]}"
        )
    if width % 16 or a.shape[1] < 1 or b.shape[1] < 1:
        raise InputError(
            f"linear and turns must have a multiple of 16 columns together, have {a.shape[1]} and {b.shape[1]}"
        )
    if n == 0 or f == 0:
        raise InputError(f"rows must not be empty, has shape {(n, f)}")
    if not np.isfinite(np.asarray(x).ravel()).all():
        finite = np.isfinite(np.asarray(x)).all(axis=1)
        raise InputError(f"rows row {int(finite.argmin())}: not finite")
    out = np.empty((n, width), dtype=np.float32)
    cdef float[:, ::1] o = out
    cdef float weight = gain
    with nogil:
        nt_project_rows(&x[0, 0], n, f, &a[0, 0], a.shape[1], &b[0, 0], &p[0, 0], b.shape[1], weight, &o[0, 0])
    return out


def unit(rows):
    """float32[n, d] with each row scaled to length 1 (a row of zeros stays), d a multiple of 16. A copy.

    >>> import numpy as np
    >>> from neuraltrade.core import projection
    >>> float(projection.unit(np.full((1, 16), 3.0, dtype=np.float32))[0, 0])
    0.25
    """
    cdef const float[:, ::1] x = _matrix(rows, "rows")
    if x.shape[0] == 0 or x.shape[1] == 0 or x.shape[1] % 16:
        raise InputError(f"rows must have a multiple of 16 columns and a row, has shape {(x.shape[0], x.shape[1])}")
    out = np.array(x, dtype=np.float32)
    cdef float[:, ::1] o = out
    with nogil:
        nt_unit_rows(&o[0, 0], o.shape[0], o.shape[1])
    return out
