# cython: boundscheck=False, wraparound=False
"""The native states behind the indicators (csrc/nt_indicators.h), for callers that have checked names and ranges."""

import numpy as np

from .. import blocks

from libc.stdint cimport int64_t, uintptr_t
from libc.stdlib cimport calloc, free

cdef extern from "nt_math.h" nogil:
    double nt_log(double) noexcept


cdef class State:
    """A fresh state of the kind of that name; `whole`: window, second .. of nt_indicator_parameters."""

    def __cinit__(self, str name, tuple whole, double real):
        self.kind = nt_indicator_find(name.encode())
        if self.kind == NULL or len(whole) > 4:
            raise ValueError(f"no indicator {name!r} of {len(whole)} whole parameters")
        filled = (*whole, 0, 0, 0, 0)
        cdef nt_indicator_parameters p = nt_indicator_parameters(filled[0], filled[1], filled[2], filled[3], real)
        cdef int64_t size = self.kind.open(self.kind, NULL, &p)
        self.memory = <char*>calloc(size + NT_CARVE_ALIGN, 1)
        if self.memory == NULL:
            raise MemoryError(f"{name}: a state of {size} bytes")
        self.block = self.memory + (-<uintptr_t>self.memory & (NT_CARVE_ALIGN - 1))
        self.kind.open(self.kind, self.block, &p)

    def __dealloc__(self):
        free(self.memory)

    @property
    def inputs(self):
        return self.kind.inputs

    @property
    def outputs(self):
        return self.kind.outputs

    def feed(self, tuple inputs):
        """Outputs, a tuple of new float64[n], of the next n >= 1 rows: `inputs` are contiguous float64[n]."""
        cdef const double* in_[NT_INDICATOR_SERIES]
        cdef double* out[NT_INDICATOR_SERIES]
        cdef const double[::1] column
        cdef double[::1] target
        cdef int64_t k, n = inputs[0].size
        results = tuple([blocks.empty(n) for _ in range(self.kind.outputs)])
        for k in range(self.kind.inputs):
            column = inputs[k]
            in_[k] = &column[0]
        for k in range(self.kind.outputs):
            target = results[k]
            out[k] = &target[0]
        with nogil:
            nt_indicator_feed(self.kind, self.block, in_, n, out)
        return results


def log_of(const double[::1] x):
    """Natural logarithm of positive finite values."""
    cdef int64_t i, n = x.shape[0]
    result = np.empty(n)
    cdef double[::1] out = result
    with nogil:
        for i in range(n):
            out[i] = nt_log(x[i])
    return result
