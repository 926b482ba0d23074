"""What an account is told beside its numbers, handed to the core: what will fall due to each symbol, rates, sessions."""

import numpy as np

from ..errors import InputError
from .layouts import DUE_DTYPE, RATES_DTYPE

from .context cimport Run
from .native cimport int32_t, int64_t, nt_due, nt_rate_series

if sizeof(nt_due) != DUE_DTYPE.itemsize:
    raise ImportError("neuraltrade.core.layouts does not match csrc: rebuild the package")


cdef int attach(Run run, object dues, object rates, object sessions) except -1:
    """Point each market at its rows, at the rates of its currency and at its sessions; None = there are none."""
    cdef Py_ssize_t slot
    cdef const unsigned char[::1] view
    cdef const int64_t[::1] times, values
    cdef const int32_t[::1] codes
    for slot, rows in enumerate(given(dues, "dues", DUE_DTYPE, run.market_count)):
        if rows is None or len(rows) == 0:
            continue
        view = rows.view("u1")
        run.markets[slot].dues = <const nt_due*>&view[0]
        run.markets[slot].due_count = len(rows)
        run.borrowed.append(rows)
    for slot, rows in enumerate(given(rates, "rates", RATES_DTYPE, run.market_count)):
        if rows is None:
            continue
        times, values = np.ascontiguousarray(rows["ts_ns"]), np.ascontiguousarray(rows["rate"])
        if len(rows) == 0 or np.min(values) <= 0 or np.any(np.diff(times) <= 0):
            raise InputError(f"rates[{slot}] must be rates above 0 at ascending times, at least one")
        run.markets[slot].rates = nt_rate_series(&times[0], &values[0], len(rows), 0)
        run.borrowed.append((times.base, values.base))
    for slot, column in enumerate(given(sessions, "sessions", np.dtype(np.int32), run.market_count)):
        if column is None or run.markets[slot].series.count == 0:
            continue
        if len(column) != run.markets[slot].series.count:
            raise InputError(f"sessions[{slot}] must have {run.markets[slot].series.count} rows, has {len(column)}")
        codes = column
        run.markets[slot].sessions = &codes[0]
        run.borrowed.append(column)
    return 0


cdef list given(object arrays, str name, object dtype, Py_ssize_t count):
    """For each symbol its array, checked, or None."""
    if arrays is None:
        return [None] * count
    if len(arrays) != count:
        raise InputError(f"{name}: one for each of {count} symbols, got {len(arrays)}")
    for slot, rows in enumerate(arrays):
        if rows is not None and (rows.dtype != dtype or rows.ndim != 1 or not rows.flags.c_contiguous):
            kind = {"dues": "DUE_DTYPE", "rates": "RATES_DTYPE"}.get(name, "int32")
            raise InputError(f"{name}[{slot}] must be a contiguous {kind}[n], was {rows.dtype}[{rows.ndim}-d]")
    return list(arrays)
