"""Frames in and out, through Arrow: pandas, polars, pyarrow, .parquet, .csv. Imported on first use (0.16 s)."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DependencyMissing, InputError
from . import checks
from .resampling import typical_step

try:
    import pyarrow as pa
    import pyarrow.compute as pc
except ImportError as error:
    raise DependencyMissing("frames need pyarrow: pip install 'neuraltrade[frames]'") from error

DAY_NS = 86_400_000_000_000
TIME_NAMES = ("ts_ns", "timestamp", "datetime", "date", "time")
VALUE_NAMES = ("open", "high", "low", "close", "volume")
NANOSECONDS_MIN = 10**17  # 1973; epoch seconds, milliseconds and microseconds of our time all lie below


def table_of(df: Any) -> pa.Table:
    """A pyarrow Table of any frame that speaks the Arrow stream protocol; a pandas index becomes a column."""
    if isinstance(df, pa.Table):
        return df
    if type(df).__module__.partition(".")[0] == "pandas" and hasattr(df, "columns"):
        return table_of_pandas(df)
    if not hasattr(df, "__arrow_c_stream__"):
        raise InputError(f"df must have __arrow_c_stream__ (pandas, polars, pyarrow ...), was {type(df).__name__}")
    try:
        return pa.table(df)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise InputError(f"df cannot be read as Arrow columns: {error}") from error


def table_of_pandas(df: Any) -> pa.Table:
    """pandas keeps its time in the index as a rule; Arrow would drop or rename it, so it is made a column here."""
    flat = df.copy(deep=False)
    if flat.columns.nlevels > 1:
        raise InputError(f"df has {flat.columns.nlevels} levels of column names: select one symbol first")
    flat.columns = [str(name) for name in flat.columns]
    if len(set(flat.columns)) != len(flat.columns):
        raise InputError(f"df has repeated column names: {list(flat.columns)}")
    index = flat.index
    if index.nlevels > 1:
        raise InputError(f"df has an index of {index.nlevels} levels: select one symbol first")
    is_time = index.dtype.kind in "mM" or hasattr(index, "tz") or str(index.name).lower() in TIME_NAMES
    lower = {name.lower() for name in flat.columns}
    if is_time or (not lower & set(TIME_NAMES) and index.dtype.kind not in "iu"):
        name = str(index.name).lower() if str(index.name).lower() in TIME_NAMES else "timestamp"
        if name not in lower:
            flat.insert(0, name, index)
    try:
        return pa.Table.from_pandas(flat, preserve_index=False)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise InputError(f"df cannot be read as Arrow columns: {error}") from error


def read_table(path: str | os.PathLike[str]) -> pa.Table:
    """A .parquet or .csv file as a Table."""
    if not isinstance(path, (str, os.PathLike)):
        raise InputError(f"path must be a str or Path, was {type(path).__name__}")
    file = Path(path)
    suffix = file.suffix.lower()
    if suffix not in (".parquet", ".csv"):
        raise InputError(f"path must end in .parquet or .csv, was {str(file)!r}")
    if not file.is_file():
        raise InputError(f"path {str(file)!r}: no such file")
    try:
        if suffix == ".parquet":
            parquet = importlib.import_module("pyarrow.parquet")
            return parquet.read_table(file)
        return importlib.import_module("pyarrow.csv").read_csv(file)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputError(f"path {str(file)!r} cannot be read as {suffix[1:]}: {error}") from error


def find_columns(table: pa.Table) -> tuple[str, dict[str, str]]:
    """(name of the time column, value name -> column name), matched without regard to case."""
    found: dict[str, str] = {}
    for name in table.column_names:
        lower = name.strip().lower()
        if lower not in (*TIME_NAMES, *VALUE_NAMES):
            continue
        if lower in found:
            raise InputError(f"df has two columns for {lower!r}: {found[lower]!r} and {name!r}")
        found[lower] = name
    missing = [name for name in VALUE_NAMES if name not in found]
    if missing:
        hint = "; add a column of zeros if volume is not known" if missing == ["volume"] else ""
        raise InputError(f"df lacks the columns {', '.join(missing)}; it has {', '.join(table.column_names)}{hint}")
    time = next((found[name] for name in TIME_NAMES if name in found), None)
    if time is None:
        raise InputError(f"df has no time: name a column one of {', '.join(TIME_NAMES)}, or make the time the index")
    if "date" in found and "time" in found and time == found["date"]:
        raise InputError("df has both 'date' and 'time': join them into one column 'timestamp'")
    return time, {name: found[name] for name in VALUE_NAMES}


def columns_of(table: pa.Table, stamp: str) -> tuple[np.ndarray, ...]:
    """(ts_ns, open, high, low, close, volume), not validated yet beyond types."""
    if stamp not in ("start", "end"):
        raise InputError(f"stamp must be 'start' or 'end', was {stamp!r}")
    time, values = find_columns(table)
    stamps, dates = times_of(table[time], time)
    if stamp == "start" and not dates:
        if stamps.size < 2:
            raise InputError("stamp='start' needs two rows to know how long a bar is")
        checks.increasing(stamps, time)
        stamps = stamps + typical_step(stamps)
    return stamps, *(numbers_of(table[name], name) for name in values.values())


def numbers_of(column: pa.ChunkedArray, name: str) -> np.ndarray:
    """float64[n]; nulls become NaN, which validation names by row."""
    kind = column.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        raise InputError(f"column {name!r} must hold numbers, has type {kind}")
    return column.cast(pa.float64(), safe=False).to_numpy()


def times_of(column: pa.ChunkedArray, name: str) -> tuple[np.ndarray, bool]:
    """(int64[n] nanoseconds UTC, whether they were dates, already moved to the end of their day)."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return times_of(column.cast(kind.value_type), name)
    if column.null_count:
        raise InputError(f"column {name!r} row {checks.first(np.asarray(column.is_null()))}: the time is missing")
    if pa.types.is_date(kind):
        return checks.end_of_days(column.cast(pa.date32()).cast(pa.int32()).to_numpy().astype(np.int64)), True
    if pa.types.is_timestamp(kind):
        return timestamps_of(column, exact=name.strip().lower() == "ts_ns")
    if pa.types.is_integer(kind):
        stamps = column.cast(pa.int64()).to_numpy()
        if name.strip().lower() != "ts_ns" and stamps.size and abs(int(stamps[-1])) < NANOSECONDS_MIN:
            raise InputError(f"column {name!r} holds {int(stamps[-1])}: integer times must be nanoseconds since 1970")
        return stamps, False
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or str(kind) == "string_view":
        texts = column.to_pylist()
        return checks.times(texts, f"column {name!r}"), bool(texts) and all(
            len(text.strip()) in (8, 10) for text in texts
        )
    raise InputError(f"column {name!r} must hold times, has type {kind}")


def timestamps_of(column: pa.ChunkedArray, *, exact: bool) -> tuple[np.ndarray, bool]:
    """Arrow timestamps; all on midnight of their zone (or of UTC without one) means dates, unless `exact`."""
    zone = column.type.tz
    try:
        nanos = column.cast(pa.timestamp("ns", zone))
        stamps = nanos.cast(pa.int64()).to_numpy()
        local = pc.local_timestamp(nanos).cast(pa.int64()).to_numpy() if zone else stamps
        if exact or not local.size or (local % DAY_NS).any():
            return stamps, False
        ends = pa.array(local + DAY_NS).cast(pa.timestamp("ns"))
        if zone:
            ends = pc.assume_timezone(ends, zone, ambiguous="earliest", nonexistent="latest")
        return ends.cast(pa.int64()).to_numpy() - 1, True
    except pa.ArrowException as error:
        raise InputError(f"times cannot be read as nanoseconds: {error}") from error


def to_frame(columns: tuple[np.ndarray, ...], library: str) -> Any:
    """A frame of `library` ("pandas", "polars", "pyarrow") with the six columns; data are copied."""
    if library not in ("pandas", "polars", "pyarrow"):
        raise InputError(f"library must be 'pandas', 'polars' or 'pyarrow', was {library!r}")
    stamps, *values = columns
    table = pa.table(
        {
            "ts_ns": pa.array(stamps.copy()).cast(pa.timestamp("ns", "UTC")),
            **{name: pa.array(column.copy()) for name, column in zip(VALUE_NAMES, values, strict=True)},
        }
    )
    if library == "pyarrow":
        return table
    try:
        module = importlib.import_module(library)
    except ImportError as error:
        raise DependencyMissing(f"to_frame({library!r}) needs {library}: pip install {library}") from error
    return module.from_arrow(table) if library == "polars" else table.to_pandas().set_index("ts_ns")
