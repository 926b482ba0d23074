"""What all records share: construction checks, equality that understands vectors, and the rules of the format.

Every record is a mutable msgspec struct with keyword-only fields. Values are checked when a record is made or
decoded, not when an attribute is assigned later. Defaults are left out of the encoding, so a default is part of the
format: add fields, never change the default of one.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import numpy as np

from ..clock import NOT_A_TIME, NS_MAX, NS_MIN, as_ns
from ..errors import InputError

ID_MAX = 2**64 - 1


class Record(msgspec.Struct, kw_only=True, omit_defaults=True, eq=False):
    """Base of every record."""

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        for name in self.__struct_fields__:
            mine, theirs = getattr(self, name), getattr(other, name)
            if isinstance(mine, np.ndarray) or isinstance(theirs, np.ndarray):
                if mine is None or theirs is None or not np.array_equal(mine, theirs):
                    return False
            elif mine != theirs:
                return False
        return True

    def __ne__(self, other: object) -> bool:  # msgspec's own, inherited, would compare identities
        return not self == other

    __hash__ = None  # type: ignore[assignment]  # mutable


def check_choice(value: Any, choices: tuple[str, ...], argument: str) -> None:
    """InputError, with the nearest choice, unless `value` is one of `choices`."""
    if value not in choices:
        near = difflib.get_close_matches(str(value), choices, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise InputError(f"{argument} must be one of {', '.join(choices)}, was {value!r}{hint}")


def check_number(
    value: Any, argument: str, low: float = -math.inf, high: float = math.inf, *, above: bool = False
) -> float:
    """`value` as a float; InputError unless it is finite and in [low, high], or in (low, high] with `above`."""
    if type(value) is float and low <= value <= high and -math.inf < value < math.inf and (not above or value > low):
        return value
    real = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not real or not math.isfinite(value):
        raise InputError(f"{argument} must be a finite number, was {value!r}")
    if not low <= value <= high or (above and value == low):
        limit = f"> {low:g}" if above else f">= {low:g}"
        raise InputError(f"{argument} must be {limit}{'' if high == math.inf else f' and <= {high:g}'}, was {value!r}")
    return float(value)


def check_symbol(value: Any, argument: str = "symbol") -> None:
    if not isinstance(value, str) or not value:
        raise InputError(f"{argument} must be a non-empty string, was {value!r}")


def check_id(value: Any, argument: str = "id") -> int:
    """`value` as an int; ids come out of stores as numpy.uint64."""
    if type(value) is int and 0 <= value <= ID_MAX:
        return value
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 0 <= value <= ID_MAX:
        raise InputError(f"{argument} must be an integer in 0..2**64-1, was {value!r}")
    return int(value)


def check_rows(values: Any, argument: str) -> list[Any]:
    """`values` as a list; InputError for a text or what has no rows at all."""
    if type(values) is list:
        return values
    if isinstance(values, str | bytes | dict) or not isinstance(values, Iterable):
        raise InputError(f"{argument} must be a sequence, was {type(values).__name__}")
    return list(values)


def check_metadata(value: Any) -> dict[str, Any]:
    """`value` as a dict."""
    if type(value) is dict:
        return value
    if not isinstance(value, Mapping):
        raise InputError(f"metadata must be a mapping, was {type(value).__name__}")
    return dict(value)


def stamp(value: Any, argument: str, default: int | None = None) -> int:
    """`value` as nanoseconds; NOT_A_TIME becomes `default` where there is one."""
    if type(value) is int:
        if NS_MIN <= value <= NS_MAX:
            return value
        if value == NOT_A_TIME and default is not None:
            return default
    return as_ns(value, argument)


def check_numbers(values: Any, argument: str) -> list[float]:
    """`values` as floats; InputError, with the index, unless every one is a finite number."""
    return [
        value if type(value) is float and -math.inf < value < math.inf else check_number(value, f"{argument}[{index}]")
        for index, value in enumerate(check_rows(values, argument))
    ]


def settle_times(record: Any) -> None:
    """Bring ts_ns and known_ns of a record to integers; known_ns defaults to ts_ns and may not precede it."""
    ts_ns, known_ns = record.ts_ns, record.known_ns
    if type(ts_ns) is not int or not NS_MIN <= ts_ns <= NS_MAX:
        ts_ns = record.ts_ns = as_ns(ts_ns, "ts_ns")
    if known_ns == NOT_A_TIME:
        record.known_ns = ts_ns
    else:
        known_ns = record.known_ns = stamp(known_ns, "known_ns")
        if known_ns < ts_ns:
            raise InputError(f"known_ns must not be before ts_ns ({ts_ns}), was {known_ns}")


def as_vector(value: Any, argument: str = "vector") -> np.ndarray:
    """`value` as a contiguous float32[d], d >= 1, finite; copied only if it is not one already."""
    try:
        vector = np.ascontiguousarray(value, dtype="<f4")
    except (TypeError, ValueError) as error:
        raise InputError(f"{argument} must be a sequence of numbers, was {type(value).__name__}") from error
    if vector.ndim != 1 or vector.size == 0 or np.ndim(value) != 1:
        raise InputError(f"{argument} must have one dimension and at least one number, has shape {np.shape(value)}")
    if not np.isfinite(vector).all():
        index = int(np.argmin(np.isfinite(vector)))
        raise InputError(f"{argument} must be finite, has {vector[index]} at {index}")
    return vector
