"""The columnar twin of records, for bulk: one array per field instead of one object per row."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from types import UnionType
from typing import Any, TypeVar, get_args, get_type_hints

import numpy as np

from ..errors import InputError
from .base import Record, check_choice
from .codec import RECORD_TYPES

R = TypeVar("R", bound=Record)

_DTYPES = {int: np.int64, float: np.float64, bool: np.bool_}


def _column(name: str, hint: Any, values: list[Any]) -> np.ndarray:
    kinds = set(get_args(hint)) if isinstance(hint, UnionType) else {hint}
    optional = type(None) in kinds
    plain = kinds - {type(None)}
    if name == "vector":
        if any(value is None for value in values):
            if any(value is not None for value in values):
                raise InputError("records must all have a vector or none of them")
            return np.empty((len(values), 0), dtype=np.float32)
        if len({value.shape for value in values}) > 1:
            raise InputError(f"vectors must have one length, have {sorted({value.size for value in values})}")
        return np.ascontiguousarray(values, dtype=np.float32)
    if plain == {float}:
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    if not optional and len(plain) == 1 and plain <= _DTYPES.keys():
        return np.array(values, dtype=np.uint64 if name.endswith("id") else _DTYPES[plain.pop()])
    if all(isinstance(value, str) for value in values):
        return np.array(values, dtype=np.str_)
    column = np.empty(len(values), dtype=object)
    column[:] = values if len(values) != 1 else [None]
    if len(values) == 1:
        column[0] = values[0]
    return column


def to_columns(records: Iterable[Record]) -> dict[str, np.ndarray]:
    """Field name -> array over records of one type.

    Integers become int64 (ids uint64), numbers float64 with NaN for None, strings unicode arrays, vectors float32[n,
    d] ([n, 0] when there are none); everything nested stays in object arrays. Raises InputError for an empty or mixed
    input.

    >>> import neuraltrade as nt
    >>> rows = [nt.Observation(ts_ns=t, symbol="AAPL", price=100.0 + t) for t in range(3)]
    >>> columns = nt.schema.to_columns(rows)
    >>> columns["price"]
    array([100., 101., 102.])
    >>> nt.schema.from_columns(nt.Observation, columns) == rows
    True
    """
    rows = list(records)
    if not rows:
        raise InputError("records must not be empty")
    kind = type(rows[0])
    if not isinstance(rows[0], Record) or any(type(row) is not kind for row in rows):
        raise InputError(f"records must be of one record type, have {sorted({type(row).__name__ for row in rows})}")
    hints = get_type_hints(kind)
    return {name: _column(name, hints[name], [getattr(row, name) for row in rows]) for name in kind.__struct_fields__}


def from_columns(kind: type[R], columns: Mapping[str, Any]) -> list[R]:
    """Records of type `kind`, the inverse of to_columns; columns left out take the field's default.

    Raises InputError for an unknown column (the nearest name is suggested), unequal lengths, or a value a field
    refuses.
    """
    if RECORD_TYPES.get(getattr(kind, "__name__", "")) is not kind:
        raise InputError(f"kind must be a record type ({', '.join(RECORD_TYPES)}), was {kind!r}")
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise InputError(f"columns must have one length, have {lengths}")
    hints = get_type_hints(kind)
    plain: dict[str, list[Any]] = {}
    for name, column in columns.items():
        check_choice(name, kind.__struct_fields__, "column")
        if name == "vector":
            plain[name] = [row if row.size else None for row in np.asarray(column, dtype=np.float32)]
            continue
        values = column.tolist() if isinstance(column, np.ndarray) else list(column)
        if type(None) in get_args(hints[name]):
            values = [None if isinstance(value, float) and math.isnan(value) else value for value in values]
        plain[name] = values
    return [kind(**dict(zip(plain, row, strict=True))) for row in zip(*plain.values(), strict=True)]
