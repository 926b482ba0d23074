"""Signal arrays: decisions made beforehand, executed by the engine without a call per bar."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError

_FLAGS = ("entries", "exits", "short_entries", "short_exits")
# name -> (least, limit, how the message states it); less would be nothing in fixed point
_NUMBERS = {
    "stop_loss": (1e-12, 1.0, "fractions of the entry price, 1e-12 or more and below 1"),
    "take_profit": (1e-12, 1e6, "fractions of the entry price, 1e-12 or more"),
    "size": (1e-9, 9.2e9, "units, 1e-9 or more"),
}


class Signals:
    """Entries and exits as boolean arrays, one row per bar.

    entries, exits : bool[n], or bool[n, symbols] for a panel: open a long, close a long.
    short_entries, short_exits : the same for shorts; None = long only.
    stop_loss, take_profit : fraction of the entry price, a number or float64 of the arrays' shape, NaN = none;
        taken from the bar of the decision.
    size : units of each entry, likewise; None = the run's default size.

    Exits come before entries; an entry while already in that direction does nothing, against an open position it
    reverses; where both entries are true, neither counts. Arrays are copied. Raises InputError naming the array, its
    shape or the first wrong row.

    >>> import neuraltrade as nt
    >>> bars = nt.datasets.load("GOOG")
    >>> up = bars.close > bars.open
    >>> result = nt.backtest(bars, nt.Signals(entries=up, exits=~up, stop_loss=0.05))
    >>> len(result.equity) == len(bars)
    True
    """

    __slots__ = ("_columns", "shape")

    def __init__(
        self, entries: Any, exits: Any, short_entries: Any = None, short_exits: Any = None,
        stop_loss: Any = None, take_profit: Any = None, size: Any = None,
    ) -> None:  # fmt: skip
        given = {"entries": entries, "exits": exits, "short_entries": short_entries, "short_exits": short_exits}
        for name in ("entries", "exits"):
            if given[name] is None:
                raise InputError(f"{name} must be a boolean array, was None (np.zeros(n, bool) for none at all)")
        self._columns: dict[str, np.ndarray | None] = {name: _flags(name, value) for name, value in given.items()}
        first = self._columns["entries"]
        assert first is not None
        self.shape: tuple[int, ...] = first.shape
        for name in _FLAGS:
            column = self._columns[name]
            if column is not None and column.shape != self.shape:
                raise InputError(f"{name} has shape {column.shape}, entries has {self.shape}: they must agree")
        for name, value in (("stop_loss", stop_loss), ("take_profit", take_profit), ("size", size)):
            self._columns[name] = None if value is None else _numbers(name, value, self.shape)

    def bound(self, count: int, symbols: int) -> dict[str, npt.NDArray[Any] | None]:
        """Columns as the engine takes them: uint8 or float64 [count, symbols], C-contiguous.

        Raises InputError where the shape is not that of the data.
        """
        if self.shape not in ((count, symbols), (count,) if symbols == 1 else (count, symbols)):
            wanted = (
                f"({count},)"
                if symbols == 1
                else f"({count}, {symbols}): one row per bar of the clock, one column per symbol"
            )
            raise InputError(f"signals have shape {self.shape}, the data needs {wanted}")
        shaped: dict[str, npt.NDArray[Any] | None] = {}
        for name, column in self._columns.items():
            shaped[name] = None if column is None else np.ascontiguousarray(column.reshape(count, symbols))
        return shaped

    def __repr__(self) -> str:
        named = ", ".join(name for name, column in self._columns.items() if column is not None)
        return f"Signals({named}; shape {self.shape})"


def _flags(name: str, value: Any) -> np.ndarray | None:
    if value is None:
        return None
    array = np.asarray(value)
    if array.dtype != np.bool_ and not (array.dtype.kind in "iu" and bool(np.isin(array, (0, 1)).all())):
        raise InputError(
            f"{name} must be a boolean array, was {array.dtype} (comparing with NaN gives False: fillna first)"
        )
    if array.ndim not in (1, 2) or array.size == 0:
        raise InputError(f"{name} must have shape (n,) or (n, symbols) with n >= 1, had {array.shape}")
    return np.array(array, dtype=np.uint8, order="C")


def _numbers(name: str, value: Any, shape: tuple[int, ...]) -> np.ndarray:
    least, limit, meaning = _NUMBERS[name]
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must be a number or an array of them, was {type(value).__name__}") from error
    if array.shape not in ((), shape):
        raise InputError(f"{name} has shape {array.shape}, entries has {shape}: give one number or one per bar")
    wrong = ~np.isnan(array) & ~((array >= least) & (array < limit))
    if wrong.any() or (array.ndim == 0 and np.isnan(array)):
        row = f" at row {int(np.argwhere(wrong)[0][0])}" if array.ndim else ""
        bad = array[tuple(np.argwhere(wrong)[0])] if array.ndim else array
        raise InputError(f"{name} holds {meaning}, or NaN for none; was {float(bad)}{row}")
    return np.array(np.broadcast_to(array, shape), order="C")
