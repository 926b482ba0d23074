"""A strategy that does what an array says (csrc/nt_script.h): what campaigns run by the million. Not part of the public face."""

import numpy as np

from ..errors import InputError

from .native cimport int64_t

cdef extern from "nt_script.h" nogil:
    ctypedef struct nt_context:
        pass
    ctypedef struct nt_script_row:
        int64_t bar
        int64_t symbol
        int64_t order_id
        int64_t other_id
        int64_t answer
    ctypedef struct nt_script:
        nt_script_row* rows
        int64_t count
        int64_t next
    int64_t nt_script_on_bar(nt_context* context, void* user)

# In the order of NT_DO_*.
ACTIONS = ("place", "trade", "target", "close", "trail", "cancel", "cancel_all", "modify", "join", "halt")
SCRIPT_DTYPE = np.dtype(
    [(name, "<i8") for name in ("bar", "symbol", "action", "side")]
    + [(name, "<f8") for name in ("quantity", "limit", "stop", "stop_loss", "take_profit", "trail", "stop_loss_rate",
                                  "take_profit_rate", "trail_rate")]
    + [(name, "<i8") for name in ("tif", "good_till", "at", "back", "other_back", "order_id", "other_id", "answer")]
)
if sizeof(nt_script_row) != SCRIPT_DTYPE.itemsize:
    raise ImportError("neuraltrade.core.scripted does not match csrc: rebuild the package")


cdef bint follows(const nt_script_row* one, const nt_script_row* other) noexcept nogil:
    """Whether the first belongs after the second."""
    return one.bar > other.bar or (one.bar == other.bar and one.symbol > other.symbol)


cdef class Script:
    """The calls of one run, made by the loop itself: `bind` it to an engine over the same symbols.

    rows : SCRIPT_DTYPE[n], C-contiguous and writable, ascending by bar, then symbol; kept. The run writes the ids that `back`
    and `other_back` named and each call's answer into it. A script runs once. Raises InputError for rows out of order.
    """

    cdef nt_script script
    cdef readonly object rows

    def __cinit__(self, rows):
        if not isinstance(rows, np.ndarray) or (rows.dtype is not SCRIPT_DTYPE and rows.dtype != SCRIPT_DTYPE) or rows.ndim != 1:
            raise InputError("Script: rows must be SCRIPT_DTYPE of one dimension")
        if not rows.flags.c_contiguous or not rows.flags.writeable:
            raise InputError("Script: rows must be contiguous and writable")
        cdef unsigned char[::1] view
        cdef int64_t index
        self.rows = rows
        self.script.count = rows.shape[0]
        if self.script.count:
            view = rows.view(np.uint8)
            self.script.rows = <nt_script_row*>&view[0]
        for index in range(1, self.script.count):
            if follows(&self.script.rows[index - 1], &self.script.rows[index]):
                raise InputError("Script: rows must ascend by bar, then by symbol")

    def answers(self):
        """[(order_id, other_id, answer), ...] of the rows, in Python's integers: what the run has written into them so far."""
        cdef int64_t index
        return [(self.script.rows[index].order_id, self.script.rows[index].other_id, self.script.rows[index].answer)
                for index in range(self.script.count)]

    def bind(self, engine):
        """Make this the strategy of `engine`; it must outlive the run."""
        engine.bind_native(<size_t><void*>nt_script_on_bar, <size_t>&self.script)
