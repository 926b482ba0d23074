"""What an account is told beside its numbers, handed to the core: for each symbol what will fall due to it."""

from ..errors import InputError
from .layouts import DUE_DTYPE

from .context cimport Run
from .native cimport nt_due

if sizeof(nt_due) != DUE_DTYPE.itemsize:
    raise ImportError("neuraltrade.core.layouts does not match csrc: rebuild the package")


cdef int attach(Run run, object dues) except -1:
    """Point each market at its rows; None = there is nothing."""
    cdef Py_ssize_t slot
    cdef const unsigned char[::1] view
    if dues is None:
        return 0
    if len(dues) != run.market_count:
        raise InputError(f"dues: one for each of {run.market_count} symbols, got {len(dues)}")
    for slot in range(run.market_count):
        rows = dues[slot]
        if rows is None or len(rows) == 0:
            continue
        if rows.dtype != DUE_DTYPE or rows.ndim != 1 or not rows.flags.c_contiguous:
            raise InputError(f"dues[{slot}] must be a contiguous DUE_DTYPE[n], was {rows.dtype}[{rows.ndim}-d]")
        view = rows.view("u1")
        run.markets[slot].dues = <const nt_due*>&view[0]
        run.markets[slot].due_count = len(rows)
        run.borrowed.append(rows)
    return 0
