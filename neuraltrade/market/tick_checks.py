"""What makes columns valid quotes, trades or depth. Every refusal names the column, the row and the rule."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..errors import InputError
from .checks import PRICE_MAX, PRICE_MIN, first

SIZE_MAX = 9.0e9  # units, int64 at 1e-9 inside
SIZE_MIN = 1.0e-9

Columns = dict[str, np.ndarray]


def whole_column(values: object, name: str) -> np.ndarray:
    """A read-only int8[n] of -1, 0 and 1."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise InputError(f"{name} must have one dimension, has shape {array.shape}")
    if array.dtype.kind not in "iuf":
        raise InputError(f"{name} must hold -1, 0 or 1, has dtype {array.dtype}")
    row = None if array.size == 0 else first(~((array == -1) | (array == 0) | (array == 1)))
    if row is not None:
        raise InputError(f"{name} row {row}: {array[row]} is not -1, 0 or 1")
    signs = array.astype(np.int8)
    signs.flags.writeable = False
    return signs


def _need_prices(values: np.ndarray, name: str, where: np.ndarray | None = None) -> None:
    bad = ~((values >= PRICE_MIN) & (values <= PRICE_MAX))  # NaN fails both comparisons
    row = first(bad if where is None else bad & where)
    if row is not None:
        raise InputError(f"{name} row {row}: {values[row]} is not a price in {PRICE_MIN:g}..{PRICE_MAX:g}")


def _need_sizes(values: np.ndarray, name: str, *, zero: bool) -> None:
    good = (values >= SIZE_MIN) & (values <= SIZE_MAX)
    row = first(~(good | (values == 0)) if zero else ~good)
    if row is not None:
        wanted = f"{'0, or ' if zero else ''}units in {SIZE_MIN:g}..{SIZE_MAX:g}"
        raise InputError(f"{name} row {row}: {values[row]} must be {wanted}")


def _replaced(values: np.ndarray, where: np.ndarray, by: float) -> np.ndarray:
    """`values` with `by` at the rows of `where`, read-only."""
    if not where.any():
        return values
    changed = np.where(where, by, values)
    changed.flags.writeable = False
    return changed


def _quotes(columns: Columns) -> Columns:
    for side in ("bid", "ask"):
        size = columns[f"{side}_size"]
        _need_sizes(size, f"{side}_size", zero=True)
        _need_prices(columns[side], side, size > 0)
        columns[side] = _replaced(columns[side], size == 0, np.nan)
    return columns


def _trades(columns: Columns) -> Columns:
    _need_prices(columns["price"], "price")
    _need_sizes(columns["quantity"], "quantity", zero=False)
    return columns


def _depth(columns: Columns) -> Columns:
    clears = columns["side"] == 0
    columns["price"] = _replaced(columns["price"], clears, PRICE_MIN)
    columns["quantity"] = _replaced(columns["quantity"], clears, 0.0)
    _need_prices(columns["price"], "price")
    _need_sizes(columns["quantity"], "quantity", zero=True)
    return columns


CHECKS: dict[str, Callable[[Columns], Columns]] = {"quotes": _quotes, "trades": _trades, "depth": _depth}
