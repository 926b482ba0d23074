"""The engine's rows as users see them: symbol slots become names, and every table can become a DataFrame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DependencyMissing

if TYPE_CHECKING:
    import pandas


def name_symbols(rows: np.ndarray, symbols: tuple[str, ...]) -> np.ndarray:
    """The same rows, read-only, with the field `symbol` a unicode string instead of a slot."""
    names = np.array(symbols, dtype=np.str_)
    fields = [(name, names.dtype if name == "symbol" else rows.dtype[name]) for name in rows.dtype.names or ()]
    named = np.empty(len(rows), dtype=fields)
    for name, _ in fields:
        named[name] = names[rows["symbol"]] if name == "symbol" else rows[name]
    named.setflags(write=False)
    return named


def to_pandas(columns: dict[str, np.ndarray]) -> pandas.DataFrame:
    """A DataFrame of copies of the columns; each `*_ts_ns` gains a twin `*_time` of UTC datetimes before it."""
    pandas = load_pandas()
    frame: dict[str, Any] = {}
    for name, values in columns.items():
        if name == "ts_ns" or name.endswith("_ts_ns"):
            stamp = name.removesuffix("_ts_ns") + "_time" if name != "ts_ns" else "time"
            frame[stamp] = pandas.to_datetime(values, unit="ns", utc=True)
        frame[name] = np.ascontiguousarray(values)
    return pandas.DataFrame(frame)


def load_pandas() -> Any:
    try:
        import pandas  # noqa: PLC0415  (optional, and 0.4 s)
    except ImportError as error:
        raise DependencyMissing("to_frame needs pandas: pip install 'neuraltrade[frames]'") from error
    return pandas


def multipliers(symbols: tuple[str, ...], rows: np.ndarray, settings: Mapping[str, Any]) -> np.ndarray | None:
    """float64[len(rows)]: multiplier of each row's symbol, from settings["multipliers"]; None where all are one."""
    given = settings.get("multipliers") or {}
    table = np.array([float(given.get(symbol, 1.0)) for symbol in symbols])
    return None if (table == 1.0).all() else table[rows["symbol"]]
