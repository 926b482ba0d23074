"""What an encoder needs of bars: the six columns that `nt.Bars.columns()` hands out, already validated."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..errors import InputError


class Series(NamedTuple):
    """Columns of one symbol: int64 nanoseconds UTC at the end of each bar, float64 prices and volume."""

    ts_ns: np.ndarray
    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    volume: np.ndarray


def series_of(bars: object) -> Series:
    """The columns of `bars`: anything with the `symbol` and `columns()` of nt.Bars, which this floor may not import."""
    columns = getattr(bars, "columns", None)
    if not callable(columns) or not isinstance(getattr(bars, "symbol", None), str):
        raise InputError(f"bars must be Bars (of one symbol), was {type(bars).__name__}")
    return Series(*columns())
