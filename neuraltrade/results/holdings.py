"""What was held after each bar, and what each symbol had earned by then, from fills, flows and closes.

Of several strategies in one account, positions of a symbol are one: what one holds long and another short, nets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..core.layouts import FLOW_KINDS
from . import checks, storage, tables

if TYPE_CHECKING:
    from .result import Result

_SPLIT = FLOW_KINDS.index("split")


CELLS_MAX = 20_000_000  # of profits by symbol and bar that are kept: 160 MB


@dataclass(frozen=True)
class Holdings:
    """What was held after each bar, at its close, in cash: float64[n].

    long_value, short_value : sums over symbols (short is zero or negative). equity : of the run. pnl : float64[k, n],
    profit of each symbol so far, net of fees and with dividends, funding and borrowing (interest is of no symbol); None
    where that would be more than CELLS_MAX numbers.

    long, short, net, gross : fractions of equity, NaN where equity is not > 0.
    """

    long_value: np.ndarray
    short_value: np.ndarray
    equity: np.ndarray
    pnl: np.ndarray | None

    @property
    def long(self) -> np.ndarray:
        return self._share(self.long_value)

    @property
    def short(self) -> np.ndarray:
        return self._share(self.short_value)

    @property
    def net(self) -> np.ndarray:
        return self._share(self.long_value + self.short_value)

    @property
    def gross(self) -> np.ndarray:
        return self._share(self.long_value - self.short_value)

    def _share(self, cash: np.ndarray) -> np.ndarray:
        return np.where(self.equity > 0.0, cash / np.where(self.equity > 0.0, self.equity, 1.0), np.nan)


def holdings(result: Result) -> Holdings:
    """The holdings of a run. O(symbols x bars). Other currencies are valued at the rate of the last fill."""
    count = len(result.ts_ns)
    fills, flows = result.slots["fills"], result.slots["flows"]
    long, short = np.zeros(count), np.zeros(count)
    pnl = np.zeros((len(result.symbols), count)) if len(result.symbols) * count <= CELLS_MAX else None
    scale = tables.multipliers(result, fills)
    scale = np.ones(len(fills)) if scale is None else scale
    for slot, bars in enumerate(storage.each_bars(result.data)):
        mine, own = fills["symbol"] == slot, flows[flows["symbol"] == slot]
        rows = fills[mine]
        if len(rows) == 0 and len(own) == 0:
            continue
        units = np.bincount(rows["bar"], weights=rows["side"] * rows["quantity"], minlength=count)
        held = _position(units, own[own["kind"] == _SPLIT])
        close = np.nan_to_num(checks.aligned(bars.ts_ns, bars.close, result.ts_ns))
        value = held * close * _worth(result, slot, count)
        long += np.maximum(value, 0.0)
        short += np.minimum(value, 0.0)
        if pnl is not None:
            spent = rows["side"] * rows["quantity"] * rows["price"] * scale[mine] + rows["fee"]
            cash = -np.bincount(rows["bar"], weights=spent, minlength=count)
            cash += np.bincount(own["bar"], weights=own["amount"], minlength=count)
            pnl[slot] = np.cumsum(cash) + value
    return Holdings(long, short, np.asarray(result.equity), pnl)


def _position(units: np.ndarray, splits: np.ndarray) -> np.ndarray:
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
