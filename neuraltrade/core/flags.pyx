"""Signal arrays handed to the core: flags and numbers of [clock, symbols], checked and kept alive."""

import numpy as np

from . import convert

from .native cimport int64_t, nt_signal_arrays, uint8_t

_FLAGS = ("entries", "exits", "short_entries", "short_exits")
_NUMBERS = ("stop_loss", "take_profit", "size")


cdef int signal_arrays(nt_signal_arrays* out, list borrowed, int64_t rows, int64_t symbols, int64_t first_slot, dict columns) except -1:
    """Point `out` at the columns: uint8 or bool flags, float64 rates and units, None for none."""
    cdef const unsigned char[::1] flags
    cdef const double[::1] numbers
    cdef const uint8_t* flag_pointers[4]
    cdef const double* number_pointers[3]
    cdef Py_ssize_t index, count = rows * symbols
    for index, name in enumerate(_FLAGS):
        flag_pointers[index] = NULL
        if columns.get(name) is not None and count:
            flags = convert.flat(columns[name], np.uint8, name, count)
            flag_pointers[index] = &flags[0]
            borrowed.append(flags.base)
    for index, name in enumerate(_NUMBERS):
        number_pointers[index] = NULL
        if columns.get(name) is not None and count:
            numbers = convert.flat(columns[name], np.float64, name, count)
            number_pointers[index] = &numbers[0]
            borrowed.append(numbers.base)
    out[0] = nt_signal_arrays(flag_pointers[0], flag_pointers[1], flag_pointers[2], flag_pointers[3],
                              number_pointers[0], number_pointers[1], number_pointers[2], symbols, first_slot)
    return 0
