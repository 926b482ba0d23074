# cython: boundscheck=False, wraparound=False
"""What the statistics of a run take from its equity, measured natively (csrc/nt_curve.h)."""

import numpy as np

from ..errors import InputError

from libc.stdint cimport int64_t


cdef extern from "nt_curve.h" nogil:
    ctypedef struct nt_curve_facts:
        double mean
        double squares
        double below
        double mean_equity
        double deepest
        int64_t longest

    void nt_curve_measure(const double*, int64_t, double, double, double*, nt_curve_facts*) noexcept
    void nt_curve_tail(const double*, int64_t, double, double*, double*, double*) noexcept


def measure(equity, double start, double target):
    """(returns, facts) of a curve of equity.

    equity : float64[n], n >= 1, finite. start : cash it began with, > 0. target : rate a bar, for `below`.
    returns : float64[n - 1], simple, NaN from zero. facts : dict of mean, squares (sum about the mean), below (sum of
    min(return - target, 0)^2), mean_equity, deepest (fall from the running peak, <= 0), longest (bars).
    Releases the GIL. Raises InputError for another dtype or shape, an empty curve, or a start that is not above 0.

    >>> import numpy as np
    >>> from neuraltrade.core import equity
    >>> returns, facts = equity.measure(np.array([100.0, 110.0, 99.0]), 100.0, 0.0)
    >>> returns.round(12).tolist(), round(facts["deepest"], 12), facts["longest"]
    ([0.1, -0.1], -0.1, 1)
    """
    array = np.asarray(equity)
    if array.ndim != 1 or array.dtype != np.float64 or array.size == 0:
        raise InputError(f"equity must be a float64 column of at least one, was {array.dtype} of shape {array.shape}")
    if not start > 0.0:
        raise InputError(f"start must be > 0, was {start}")
    array = np.ascontiguousarray(array)
    cdef const double[::1] given = array
    returns = np.empty(array.size - 1)
    room = returns if returns.size else np.empty(1)
    cdef double[::1] out = room
    cdef nt_curve_facts facts
    with nogil:
        nt_curve_measure(&given[0], given.shape[0], start, target, &out[0], &facts)
    return returns, {
        "mean": facts.mean,
        "squares": facts.squares,
        "below": facts.below,
        "mean_equity": facts.mean_equity,
        "deepest": facts.deepest,
        "longest": facts.longest,
    }


def lower_tail(values, double share):
    """(order statistic at share * (n - 1), linear between two; mean of those up to the lower of the two).

    values : float64[n], n >= 1; NaNs come last. share : 0 to 1/2. Equal values give equal bits. Releases the GIL; about
    1 ns a value. Raises InputError for another dtype or shape, an empty column, or another share.

    >>> import numpy as np
    >>> from neuraltrade.core import equity
    >>> equity.lower_tail(np.array([4.0, 1.0, 2.0, 3.0]), 0.5)
    (2.5, 1.5)
    """
    array = np.asarray(values)
    if array.ndim != 1 or array.dtype != np.float64 or array.size == 0:
        raise InputError(f"values must be a float64 column of at least one, was {array.dtype} of shape {array.shape}")
    if not 0.0 <= share <= 0.5:
        raise InputError(f"share must be in 0..0.5, was {share}")
    array = np.ascontiguousarray(array)
    cdef const double[::1] given = array
    cdef double[::1] room = np.empty(array.size)
    cdef double quantile, mean
    with nogil:
        nt_curve_tail(&given[0], given.shape[0], share, &room[0], &quantile, &mean)
    return quantile, mean
