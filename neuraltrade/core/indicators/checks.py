"""Arguments of indicators, checked against the table before any native work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...errors import InputError
from .native import State
from .table import TABLE, Entry, Parameter

STREAM_WINDOW_MAX = 2**24  # the longest window or lag that a stream keeps in memory


def series(values: Any, name: str) -> np.ndarray:
    """`values` as a non-empty contiguous float64[n]; copied only if it is not that already."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise InputError(f"{name} must have one dimension, has shape {array.shape}")
    if array.dtype.kind not in "iuf" or array.dtype.itemsize > 8:
        raise InputError(f"{name} must hold real numbers, has dtype {array.dtype}")
    if array.size == 0:
        raise InputError(f"{name} is empty: an indicator needs at least one row")
    return np.ascontiguousarray(array, dtype=np.float64)


def all_series(names: Sequence[str], given: Sequence[Any]) -> tuple[np.ndarray, ...]:
    """Each as `series`, all of one length."""
    found = tuple(series(values, name) for name, values in zip(names, given, strict=True))
    for name, array in zip(names[1:], found[1:], strict=True):
        if array.size != found[0].size:
            raise InputError(f"{name} has {array.size} rows, {names[0]} has {found[0].size}: one length is needed")
    return found


def positive(array: np.ndarray, name: str) -> None:
    """Raise at the first price that is not positive and finite."""
    bad = ~((array > 0) & (array < np.inf))
    if bad.any():
        row = int(bad.argmax())
        raise InputError(f"{name} row {row}: {array[row]} is not a positive price")


def parameters(entry: Entry, given: Mapping[str, Any], rows: int | None) -> dict[str, Any]:
    """The parameters of one indicator, checked, in the table's order. rows: of the series; None for a stream."""
    checked: dict[str, Any] = {}
    by_name = {one.name: one for one in entry.parameters}
    for name in entry.checks or by_name:
        one, value = by_name[name], given[name]
        checked[name] = _real(one, value) if one.real else _whole(one, value, checked, rows)
    return {name: checked[name] for name in by_name}


def _real(wanted: Parameter, value: Any) -> float:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise InputError(f"{wanted.name} must be a number, was {type(value).__name__} {value!r}")
    if not 0.0 < value < float("inf"):
        raise InputError(f"{wanted.name} must be finite and above 0, was {value!r}")
    return float(value)


def _whole(wanted: Parameter, value: Any, before: Mapping[str, Any], rows: int | None) -> int:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise InputError(f"{wanted.name} must be an integer, was {type(value).__name__} {value!r}")
    least = wanted.least(before) if callable(wanted.least) else wanted.least
    most = wanted.most(before) if callable(wanted.most) else wanted.most
    why = " (the series' length bounds it)" if most is None and rows is not None else ""
    if most is None:
        most = STREAM_WINDOW_MAX if rows is None else rows
    if not least <= value <= most:
        raise InputError(f"{wanted.name} must be in {least}..{most}{why}, was {value}")
    return int(value)


def warm_up(entry: Entry, checked: Mapping[str, Any], rows: int) -> None:
    """Raise where every window fits but all of them, one after the other, leave the first line without a number."""
    first = entry.first(**checked)[0]
    if first >= rows and first > max(checked.values(), default=first):
        given = ", ".join(f"{name}={value}" for name, value in checked.items())
        raise InputError(
            f"{entry.name}({given}) has its first number in row {first} (from 0: {entry.warm_up.split(';')[0]}), "
            f"the series has {rows} rows"
        )


def state_of(entry: Entry, checked: Mapping[str, Any]) -> State:
    """A fresh native state for checked parameters."""
    real = next((checked[one.name] for one in entry.parameters if one.real), 0.0)
    whole = tuple(checked[one.name] for one in entry.parameters if not one.real)
    return State(entry.name, whole, real**0.5 if entry.per_year else real)


def compute(name: str, given: Sequence[Any], *values: Any) -> Any:
    """An indicator over whole series: one float64[n], or the table's named tuple of them."""
    entry = TABLE[name]
    inputs = all_series(entry.series, given)
    if entry.positive:
        for array, one in zip(inputs, entry.series, strict=True):
            positive(array, one)
    named = {one.name: value for one, value in zip(entry.parameters, values, strict=True)}
    checked = parameters(entry, named, inputs[0].size)
    warm_up(entry, checked, inputs[0].size)
    lines = state_of(entry, checked).feed(inputs)
    return entry.result(*lines) if entry.result else lines[0]
