"""What was held after each bar, and what each symbol had earned by then, from fills, flows and closes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..core.layouts import FLOW_KINDS
from . import checks, storage, tables

if TYPE_CHECKING:
    from .result import Result

_SPLIT = FLOW_KINDS.index("split")


@dataclass(frozen=True)
class Holdings:
    """Per symbol and bar of the run's clock, float64[k, n]: value of the position (negative = short) and profit so far,
    both in cash at the close. Profit is net of fees and holds dividends, funding and borrowing; interest is of no
    symbol. equity : float64[n].

    long, short, net, gross : float64[n], fractions of equity (short is zero or negative); NaN where equity is not > 0.
    """

    value: np.ndarray
    pnl: np.ndarray
    equity: np.ndarray

    @property
    def long(self) -> np.ndarray:
        return self._share(np.maximum(self.value, 0.0).sum(axis=0))

    @property
    def short(self) -> np.ndarray:
        return self._share(np.minimum(self.value, 0.0).sum(axis=0))

    @property
    def net(self) -> np.ndarray:
        return self._share(self.value.sum(axis=0))

    @property
    def gross(self) -> np.ndarray:
        return self._share(np.abs(self.value).sum(axis=0))

    def _share(self, cash: np.ndarray) -> np.ndarray:
        return np.where(self.equity > 0.0, cash / np.where(self.equity > 0.0, self.equity, 1.0), np.nan)


def holdings(result: Result) -> Holdings:
    """The holdings of a run. O(symbols x bars). Other currencies are valued at the rate of the last fill."""
    count = len(result.ts_ns)
    fills, flows = result.slots["fills"], result.slots["flows"]
    value = np.zeros((len(result.symbols), count))
    pnl = np.zeros_like(value)
    scale = tables.multipliers(result, fills)
    scale = np.ones(len(fills)) if scale is None else scale
    for slot, bars in enumerate(storage.each_bars(result.data)):
        mine, own = fills["symbol"] == slot, flows[flows["symbol"] == slot]
        rows = fills[mine]
        units = np.bincount(rows["bar"], weights=rows["side"] * rows["quantity"], minlength=count)
        spent = rows["side"] * rows["quantity"] * rows["price"] * scale[mine] + rows["fee"]
        cash = -np.bincount(rows["bar"], weights=spent, minlength=count)
        cash += np.bincount(own["bar"], weights=own["amount"], minlength=count)
        held = _position(units, own[own["kind"] == _SPLIT], rows)
        close = np.nan_to_num(checks.aligned(bars.ts_ns, bars.close, result.ts_ns))
        value[slot] = held * close * _worth(result, slot, count)
        pnl[slot] = np.cumsum(cash) + value[slot]
    return Holdings(value, pnl, np.asarray(result.equity))


def _position(units: np.ndarray, splits: np.ndarray, fills: np.ndarray) -> np.ndarray:
    """Units after each bar. A split says what came of the position, before the fills of its bar."""
    held = np.cumsum(units)
    for row in splits:
        bar = int(row["bar"])
        before = held[bar - 1] if bar else 0.0
        held[bar:] += np.copysign(abs(float(row["quantity"])), before) - before
    held[np.abs(held) < 1e-9 * max(1.0, float(np.abs(units).max(initial=0.0)))] = 0.0  # what sums of floats leave
    return held


def _worth(result: Result, slot: int, count: int) -> np.ndarray:
    """float64[count] or float64[1]: account currency per point and unit of the symbol, bar by bar."""
    rows = np.zeros(count, dtype=[("symbol", "<i4"), ("bar", "<i8")])
    rows["symbol"], rows["bar"] = slot, np.arange(count)
    made = tables.multipliers(result, rows)
    return np.ones(1) if made is None else made
