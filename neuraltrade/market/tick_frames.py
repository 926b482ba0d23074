"""Ticks from frames and files, and back, through Arrow. Imported on first use."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from ..errors import DependencyMissing, InputError
from .frames import TIME_NAMES, numbers_of, times_of


def columns_of(table: pa.Table, wanted: Sequence[str]) -> dict[str, Any]:
    """Arguments of a constructor of `market.ticks`: ts_ns, local_ns (None where there is none) and `wanted`."""
    found: dict[str, str] = {}
    for name in table.column_names:
        lower = name.strip().lower()
        if lower not in (*TIME_NAMES, "local_ns", *wanted):
            continue
        if lower in found:
            raise InputError(f"df has two columns for {lower!r}: {found[lower]!r} and {name!r}")
        found[lower] = name
    missing = [name for name in wanted if name not in found]
    if missing:
        raise InputError(f"df lacks the columns {', '.join(missing)}; it has {', '.join(table.column_names)}")
    time = next((found[name] for name in TIME_NAMES if name in found), None)
    if time is None:
        raise InputError(f"df has no time: name a column one of {', '.join(TIME_NAMES)}, or make the time the index")
    columns: dict[str, Any] = {"ts_ns": _stamps(table, time)}
    columns["local_ns"] = _stamps(table, found["local_ns"]) if "local_ns" in found else None
    return columns | {name: numbers_of(table[found[name]], found[name]) for name in wanted}


def _stamps(table: pa.Table, name: str) -> np.ndarray:
    """Times of a column exactly as they are: midnight is midnight here, not a day."""
    kind = table[name].type
    if pa.types.is_timestamp(kind) and not table[name].null_count:
        return table[name].cast(pa.timestamp("ns", kind.tz)).cast(pa.int64()).to_numpy()
    return times_of(table[name], name)[0]


def to_frame(columns: dict[str, np.ndarray], library: str) -> Any:
    """A frame of `library` ("pandas", "polars", "pyarrow"): times as UTC timestamps, then values, all copied."""
    if library not in ("pandas", "polars", "pyarrow"):
        raise InputError(f"library must be 'pandas', 'polars' or 'pyarrow', was {library!r}")
    made = {}
    for name, column in columns.items():
        array = pa.array(column.copy())
        made[name] = array.cast(pa.timestamp("ns", "UTC")) if name in ("ts_ns", "local_ns") else array
    table = pa.table(made)
    if library == "pyarrow":
        return table
    try:
        module = importlib.import_module(library)
    except ImportError as error:
        raise DependencyMissing(f"to_frame({library!r}) needs {library}: pip install {library}") from error
    return module.from_arrow(table) if library == "polars" else table.to_pandas()
