"""Indicators as rows arrive: the same states that the batch functions feed at once, so the same bits."""

import difflib

from ...errors import InputError
from .checks import parameters, state_of
from .table import TABLE

from .native cimport NT_INDICATOR_SERIES, State


def _near(name, known):
    close = difflib.get_close_matches(str(name), list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(known)}"


cdef class Stream:
    """One indicator fed as rows arrive; equals the batch function of that name bit for bit, however rows are cut.

    name : a key of `indicators.TABLE`; parameters as of the function, by keyword. NaN until warm.
    Memory: about 8 windows of float64, times what a row is folded into. Not safe to push from two threads at once.
    Raises InputError for an unknown name or parameter (with the nearest) and a value out of range; a window is at
    most 2^24.

    >>> import neuraltrade as nt
    >>> mean = nt.indicators.Stream("sma", window=2)
    >>> [mean.push(price) for price in (1.0, 2.0, 4.0)]
    [nan, 1.5, 3.0]
    """

    cdef State _state
    cdef readonly str name
    cdef object _result
    cdef bint _positive

    def __cinit__(self, str name, **given):
        if name not in TABLE:
            raise InputError(f"name {name!r} is not a streaming indicator{_near(name, TABLE)}")
        entry = TABLE[name]
        known = [one.name for one in entry.parameters]
        for one in given:
            if one not in known:
                raise InputError(f"{name} has no parameter {one!r}{_near(one, known)}")
        for one in entry.parameters:
            if one.name not in given and one.default is None:
                raise InputError(f"{name} needs {one.name}=")
        named = {one.name: given.get(one.name, one.default) for one in entry.parameters}
        self.name = name
        self._result = entry.result
        self._positive = entry.positive
        self._state = state_of(entry, parameters(entry, named, None))

    def push(self, *values):
        """The next row: one number for each input. Returns a float, or a named tuple of them."""
        cdef double row[NT_INDICATOR_SERIES]
        cdef double result[NT_INDICATOR_SERIES]
        cdef const double* in_[NT_INDICATOR_SERIES]
        cdef double* out[NT_INDICATOR_SERIES]
        cdef int k
        if len(values) != self._state.kind.inputs:
            raise InputError(f"{self.name} takes {self._state.kind.inputs} numbers a row, was given {len(values)}")
        for k in range(self._state.kind.inputs):
            try:
                row[k] = values[k]
            except TypeError as error:
                raise InputError(f"{self.name} takes numbers, was given {values[k]!r}") from error
            if self._positive and not 0.0 < row[k] < float("inf"):
                raise InputError(f"price {row[k]} is not a positive price")
        for k in range(NT_INDICATOR_SERIES):
            in_[k] = &row[k]
            out[k] = &result[k]
        with nogil:
            self._state.kind.feed(self._state.block, in_, 1, out)
        if self._result is None:
            return result[0]
        return self._result(*[result[k] for k in range(self._state.kind.outputs)])

    def __repr__(self):
        return f"Stream({self.name!r})"
