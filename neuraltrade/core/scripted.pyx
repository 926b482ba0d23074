"""A strategy that does what an array says (csrc/nt_script.h): what campaigns run by the million. Not part of the public face."""

import numpy as np

from ..errors import InputError

from .native cimport int64_t

cdef extern from "nt_script.h" nogil:
    ctypedef struct nt_context:
        pass
    ctypedef struct nt_script_row:
        pass
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


cdef class Script:
    """The calls of one run, made by the loop itself: `bind` it to an engine over the same symbols.

    rows : SCRIPT_DTYPE[n], C-contiguous and writable, ascending by bar, then symbol; kept. The run writes the ids that `back`
    and `other_back` named and each call's answer into it. A script runs once. Raises InputError for rows out of order.
    """

    cdef nt_script script
    cdef readonly object rows

    def __cinit__(self, rows):
        if not isinstance(rows, np.ndarray) or rows.dtype != SCRIPT_DTYPE or rows.ndim != 1:
            raise InputError("Script: rows must be SCRIPT_DTYPE of one dimension")
        if not rows.flags.c_contiguous or not rows.flags.writeable:
            raise InputError("Script: rows must be contiguous and writable")
        if (np.diff(rows["bar"] * 65536 + rows["symbol"]) < 0).any():
            raise InputError("Script: rows must ascend by bar, then by symbol")
        cdef unsigned char[::1] view
        self.rows = rows
        self.script.count = rows.shape[0]
        if self.script.count:
            view = rows.view(np.uint8)
            self.script.rows = <nt_script_row*>&view[0]

    def bind(self, engine):
        """Make this the strategy of `engine`; it must outlive the run."""
        engine.bind_native(<size_t><void*>nt_script_on_bar, <size_t>&self.script)
