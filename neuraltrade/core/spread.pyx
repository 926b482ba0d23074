# cython: boundscheck=False, wraparound=False, cdivision=True
"""The spread of two series, bar by bar: a Kalman filter of its hedge ratio, and the side that its score asks for."""

import numpy as np

from ..errors import InputError

from libc.math cimport fabs, isnan, sqrt
from libc.stdint cimport int64_t, uint8_t


cdef const double[::1] _column(object values, str name) except *:
    array = np.asarray(values)
    if array.ndim != 1 or array.dtype != np.float64:
        raise InputError(f"{name} must be a float64 column, was {array.dtype} of shape {array.shape}")
    return np.ascontiguousarray(array)


def kalman(y, x, double delta):
    """(surprise, beta): y less what alpha + beta x was expected to be, over its expected deviation; beta after the bar.

    y, x : float64[n] each. alpha and beta follow a random walk whose step has `delta` times 1,000 the variance of the
    noise, 1e-3. float64[n] each; row i depends on rows 0..i alone. O(n), releases the GIL. Source: Chan, "Algorithmic
    Trading" (2013), chapter 3. Raises InputError for other dtypes, shapes or lengths.

    >>> import numpy as np
    >>> from neuraltrade.core import spread
    >>> surprise, beta = spread.kalman(np.arange(4.0), np.arange(4.0), 0.0)
    >>> surprise.tolist(), beta.tolist()
    ([0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0])
    """
    cdef const double[::1] now = _column(y, "y"), other = _column(x, "x")
    cdef int64_t n = now.shape[0], i
    if other.shape[0] != n:
        raise InputError(f"x must have {n} rows as y has, has {other.shape[0]}")
    surprises, betas = np.zeros(n), np.zeros(n)
    cdef double[::1] surprise = surprises, found = betas
    cdef double alpha = now[0] - other[0] if n else 0.0, beta = 1.0, noise = 1e-3
    cdef double p_aa = 1.0, p_ab = 0.0, p_bb = 1.0, error, variance, gain_a, gain_b, first, second
    with nogil:
        for i in range(n):
            p_aa += delta
            p_bb += delta
            error = now[i] - alpha - beta * other[i]
            variance = p_aa + 2.0 * other[i] * p_ab + other[i] * other[i] * p_bb + noise
            first = p_aa + other[i] * p_ab
            second = p_ab + other[i] * p_bb
            gain_a = first / variance
            gain_b = second / variance
            surprise[i] = error / sqrt(variance)
            alpha += gain_a * error
            beta += gain_b * error
            p_aa -= gain_a * first
            p_ab -= gain_a * second
            p_bb -= gain_b * second
            found[i] = beta
    return surprises, betas


def sides(z, allowed, double entry, double leave, double stop):
    """float64[n]: 1 long the spread, -1 short, 0 flat, decided at each row from z up to it.

    z : float64[n], NaN = the side stays. allowed : bool[n], whether a side may be taken. |z| >= entry opens against it,
    z back at `leave` closes, |z| >= stop closes and waits until |z| <= leave. Releases the GIL.
    Raises InputError for other dtypes, shapes or lengths.

    >>> import numpy as np
    >>> from neuraltrade.core import spread
    >>> z = np.array([0.0, 2.5, 1.0, 0.4, -4.5, -3.0, -0.2, -2.5])
    >>> spread.sides(z, np.ones(8, bool), 2.0, 0.5, 4.0).tolist()
    [0.0, -1.0, -1.0, 0.0, 0.0, 1.0, 0.0, 1.0]
    """
    cdef const double[::1] scores = _column(z, "z")
    given = np.asarray(allowed)
    cdef int64_t n = scores.shape[0], i
    if given.dtype != np.bool_ or given.shape != (n,):
        raise InputError(f"allowed must be bool[{n}], was {given.dtype} of shape {given.shape}")
    cdef const uint8_t[::1] may = np.ascontiguousarray(given).view(np.uint8)
    out = np.zeros(n)
    cdef double[::1] found = out
    cdef double side = 0.0, score
    cdef bint waiting = False
    with nogil:
        for i in range(n):
            score = scores[i]
            if not isnan(score):
                waiting = waiting and fabs(score) > leave
                if side != 0.0 and (fabs(score) >= stop or side * score >= -leave):
                    waiting = fabs(score) >= stop
                    side = 0.0
                elif side == 0.0 and not waiting and may[i] and entry <= fabs(score) < stop:
                    side = -1.0 if score > 0.0 else 1.0
            found[i] = side
    return out
