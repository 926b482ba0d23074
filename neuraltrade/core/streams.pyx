"""Indicators as rows arrive: the same states that the batch functions feed at once, so the same bits."""

import difflib

import numpy as np

from ..errors import InputError

from libc.stdint cimport int64_t

from .indicators cimport (
    NT_ATR, NT_AUTOCORRELATION, NT_BBANDS, NT_CORRELATION, NT_EMA, NT_EXPANDING, NT_LOG_RETURN, NT_MACD, NT_MAXIMUM,
    NT_MINIMUM, NT_MOMENTUM, NT_OBV, NT_RATE, NT_RSI, NT_SMA, NT_STDEV, NT_SUM, NT_WMA, NT_ZSCORE, SERIES_MAX,
    nt_indicator, nt_indicator_feed, nt_indicator_init, nt_indicator_kind, nt_indicator_parameters, nt_indicator_slots,
)

WINDOW_MAX = 2**24  # the longest window or lag a stream keeps in memory

# name -> kind, inputs, outputs, parameters in the order of nt_indicator_parameters with default and least; a float
# parameter must be above its least.
_WINDOW = ("window", None, 1)
_KINDS = {
    "sma": (NT_SMA, 1, 1, (_WINDOW,)),
    "wma": (NT_WMA, 1, 1, (_WINDOW,)),
    "ema": (NT_EMA, 1, 1, (_WINDOW,)),
    "rolling_sum": (NT_SUM, 1, 1, (_WINDOW,)),
    "rolling_min": (NT_MINIMUM, 1, 1, (_WINDOW,)),
    "rolling_max": (NT_MAXIMUM, 1, 1, (_WINDOW,)),
    "stdev": (NT_STDEV, 1, 1, (("window", None, 2), ("ddof", 0, 0))),
    "zscore": (NT_ZSCORE, 1, 1, (("window", None, 2), ("ddof", 0, 0))),
    "bbands": (NT_BBANDS, 1, 3, (("window", 20, 2), ("width", 2.0, 0.0))),
    "correlation": (NT_CORRELATION, 2, 1, (("window", None, 2),)),
    "autocorrelation": (NT_AUTOCORRELATION, 1, 1, (("window", None, 2), ("lag", 1, 1))),
    "rsi": (NT_RSI, 1, 1, (("window", 14, 1),)),
    "macd": (NT_MACD, 1, 3, (("fast", 12, 1), ("slow", 26, 2), ("signal", 9, 1))),
    "atr": (NT_ATR, 3, 1, (("window", 14, 1),)),
    "mom": (NT_MOMENTUM, 1, 1, (("window", 10, 1),)),
    "roc": (NT_RATE, 1, 1, (("window", 10, 1),)),
    "log_returns": (NT_LOG_RETURN, 1, 1, (("window", 1, 1),)),
    "obv": (NT_OBV, 2, 1, ()),
    "expanding_zscore": (NT_EXPANDING, 1, 1, (("least", 20, 2), ("limit", 4.0, 0.0))),
}


def _near(name, known):
    close = difflib.get_close_matches(str(name), list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(known)}"


def _parameter(name, value, default, least):
    """`value` checked against the kind of its default: an integer of least..WINDOW_MAX, or a float above least."""
    wanted = (int, np.integer) if not isinstance(default, float) else (int, float, np.integer, np.floating)
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, wanted):
        raise InputError(f"{name} must be {'a number' if isinstance(default, float) else 'an integer'}, was {value!r}")
    if isinstance(default, float):
        if not least < value < float("inf"):
            raise InputError(f"{name} must be finite and above {least:g}, was {value!r}")
    elif not least <= value <= (1 if name == "ddof" else WINDOW_MAX):
        raise InputError(f"{name} must be in {least}..{1 if name == 'ddof' else WINDOW_MAX}, was {value}")
    return value


cdef class Stream:
    """One indicator fed as rows arrive; equals the batch function of that name bit for bit, however rows are cut.

    name : a function of `core.indicators`; parameters as there, by keyword. NaN until warm.
    Memory: about 4 windows of float64. Not safe to push from two threads at once.
    Raises InputError for an unknown name or parameter (with the nearest) and a value out of range.

    >>> from neuraltrade.core.streams import Stream
    >>> mean = Stream("sma", window=2)
    >>> [mean.push(price) for price in (1.0, 2.0, 4.0)]
    [nan, 1.5, 3.0]
    """

    cdef nt_indicator _state
    cdef double[::1] _slots
    cdef readonly str name
    cdef int _inputs, _outputs

    def __cinit__(self, str name, **parameters):
        if name not in _KINDS:
            raise InputError(f"name {name!r} is not a streaming indicator{_near(name, _KINDS)}")
        kind, self._inputs, self._outputs, wanted = _KINDS[name]
        for given in parameters:
            if given not in [one for one, _, _ in wanted]:
                raise InputError(f"{name} has no parameter {given!r}{_near(given, [one for one, _, _ in wanted])}")
        numbers, real = [], 0.0
        for one, default, least in wanted:
            if default is None and one not in parameters:
                raise InputError(f"{name} needs {one}=")
            value = _parameter(one, parameters.get(one, default), default, least)
            if isinstance(default, float):
                real = value
            else:
                numbers.append(value)
        if name == "macd" and numbers[0] >= numbers[1]:
            raise InputError(f"fast must be below slow {numbers[1]}, was {numbers[0]}")
        numbers = [*numbers, 0, 0, 0]
        cdef nt_indicator_parameters p = nt_indicator_parameters(numbers[0] or 1, numbers[1], numbers[2], real)
        cdef nt_indicator_kind which = kind
        self.name = name
        self._slots = np.zeros(nt_indicator_slots(which, &p))
        nt_indicator_init(&self._state, which, &p, &self._slots[0])

    def push(self, *values):
        """The next row: one number for each input. Returns a float, or a tuple of them (macd, bbands)."""
        cdef double row[SERIES_MAX]
        cdef double result[SERIES_MAX]
        cdef const double* in_[SERIES_MAX]
        cdef double* out[SERIES_MAX]
        cdef int k
        if len(values) != self._inputs:
            raise InputError(f"{self.name} takes {self._inputs} numbers a row, was given {len(values)}")
        for k in range(self._inputs):
            try:
                row[k] = values[k]
            except TypeError as error:
                raise InputError(f"{self.name} takes numbers, was given {values[k]!r}") from error
            if self.name == "log_returns" and not 0.0 < row[k] < float("inf"):
                raise InputError(f"price {row[k]} is not a positive price")
        for k in range(SERIES_MAX):
            in_[k] = &row[k]
            out[k] = &result[k]
        nt_indicator_feed(&self._state, in_, 1, out)
        return result[0] if self._outputs == 1 else tuple([result[k] for k in range(self._outputs)])

    def __repr__(self):
        return f"Stream({self.name!r})"
