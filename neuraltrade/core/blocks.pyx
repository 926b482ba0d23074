"""Arrays whose memory is kept for the next run: warm pages instead of a fault each (csrc/nt_blocks.h).

What is told and released here are the arrays of this module; an engine's own tables wait apart, up to as much again.
"""

import numpy as np

from libc.stdint cimport int64_t
from cpython.buffer cimport PyBuffer_FillInfo

cdef extern from "nt_blocks.h" nogil:
    const int64_t NT_BLOCKS_LEAST
    void* nt_blocks_take(int64_t)
    void nt_blocks_give(void*, int64_t)
    int64_t nt_blocks_waiting()
    void nt_blocks_release()


cdef class Block:
    """Owns one block and gives it back; arrays made by `empty` are views of it."""
    cdef void* data
    cdef int64_t bytes

    def __cinit__(self, int64_t count):
        self.data = nt_blocks_take(count)
        if self.data == NULL:
            raise MemoryError(f"a block of {count} bytes")
        self.bytes = count

    def __getbuffer__(self, Py_buffer* view, int flags):
        PyBuffer_FillInfo(view, self, self.data, self.bytes, 0, flags)

    def __dealloc__(self):
        nt_blocks_give(self.data, self.bytes)


def empty(Py_ssize_t count, dtype=np.float64):
    """An uninitialised array[count] of `dtype`, as np.empty; from 1 MiB on in memory that a run before it may have left.

    >>> from neuraltrade.core import blocks
    >>> array = blocks.empty(1_000_000)
    >>> array.shape, array.dtype, array.flags.writeable
    ((1000000,), dtype('float64'), True)
    """
    kind = np.dtype(dtype)
    if count < 0 or kind.hasobject or count * kind.itemsize < NT_BLOCKS_LEAST:
        return np.empty(count, kind)
    return np.frombuffer(Block(count * kind.itemsize), kind)


def waiting():
    """How many bytes wait to be taken, at most 64 MiB."""
    return nt_blocks_waiting()


def release():
    """Hand what waits to the system."""
    nt_blocks_release()
