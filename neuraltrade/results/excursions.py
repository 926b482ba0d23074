"""How far the market went against a trade and with it while it was held."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..core import curves
from ..core.layouts import FLOW_KINDS, ORDER_TYPES
from . import storage

if TYPE_CHECKING:
    from .result import Result


def of_trades(result: Result) -> tuple[np.ndarray, np.ndarray]:
    """(mae, mfe): float64[trades], worst and best price seen while held, as fractions of the entry price.

    mae <= 0 <= mfe. What counts is what was surely seen: the exit price; closes from the entry bar and opens up to the
    exit bar while the trade was on; high and low of the bars in between, of the entry bar where the entry was at its
    open, and of the exit bar where the exit was at its close. A trade that is open counts to the last bar. Prices
    before a split that it was held through are restated in the unit after it.
    """
    trades = result.slots["trades"]
    mae, mfe = np.zeros(len(trades)), np.zeros(len(trades))
    at_open, at_close = _certain_ends(result, trades)
    for slot, bars in enumerate(storage.each_bars(result.data)):
        mine = np.flatnonzero(trades["symbol"] == slot)
        if len(mine):
            columns, scale = _in_one_unit(result, slot, bars)
            held = _Held(trades[mine], columns[0], scale)
            low, high = _seen(held, columns, at_open[mine], at_close[mine])
            entry, long = held.entry, trades["direction"][mine] > 0
            mae[mine] = np.minimum(np.where(long, low - entry, entry - high) / entry, 0.0)
            mfe[mine] = np.maximum(np.where(long, high - entry, entry - low) / entry, 0.0)
    return mae, mfe


class _Held:
    """Trades of one symbol: rows of entry and exit in its bars, and their prices in the unit of the bars."""

    def __init__(self, trades: np.ndarray, ts_ns: np.ndarray, scale: np.ndarray) -> None:
        self.open = trades["open"].astype(bool)
        last = max(len(ts_ns) - 1, 0)
        self.first, self.end = (
            np.minimum(np.searchsorted(ts_ns, trades[name]), last) for name in ("entry_ts_ns", "exit_ts_ns")
        )
        # A split restates what is held, so both prices of a trade are in the unit of its exit.
        unit = scale[self.end] if len(scale) else 1.0
        self.entry, self.exit = trades["entry_price"] * unit, trades["exit_price"] * unit


def _in_one_unit(result: Result, slot: int, bars: Any) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """((ts_ns, open, high, low, close), factor of each bar): prices before a split in the unit after it.

    No factors where nothing was split.
    """
    ts_ns, *prices = bars.columns()[:5]
    flows = result.slots["flows"]
    splits = flows[(flows["symbol"] == slot) & (flows["kind"] == FLOW_KINDS.index("split"))]
    if len(splits) == 0:
        return (ts_ns, *prices), np.ones(0)
    splits = np.unique(splits[["bar", "ts_ns", "rate"]])  # several strategies may have held through one
    scale = np.ones(len(ts_ns))
    for split in splits:
        scale[ts_ns < result.ts_ns[split["bar"]]] /= split["rate"]
    return (ts_ns, *(column * scale for column in prices)), scale


def _seen(
    held: _Held, columns: tuple[np.ndarray, ...], at_open: np.ndarray, at_close: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(lowest, highest) price of the symbol between entry and exit."""
    ts_ns, opened, tops, bottoms, close = columns
    if len(ts_ns) == 0:  # depth alone: nothing but the trade's own prices was seen
        return held.exit.copy(), held.exit.copy()
    first, end = held.first, held.end
    at_open = at_open | (held.entry == opened[first])
    at_close = at_close | held.open | (held.exit == close[end])
    across = end > first  # held over a close
    leave = np.where(held.open, close[end], held.exit)
    low, high = leave.copy(), leave.copy()
    for values, counts in ((close[first], across), (opened[end], across)):
        low = np.where(counts, np.minimum(low, values), low)
        high = np.where(counts, np.maximum(high, values), high)
    # Whole bars: those in between, and each end whose extremes fell inside the trade.
    whole_first = first + ~np.where(across, at_open, at_open & at_close)
    whole_last = end - ~np.where(across, at_close, at_open & at_close)
    lowest, highest = curves.range_extremes(bottoms, tops, whole_first, whole_last)
    return np.minimum(low, lowest), np.maximum(high, highest)


def _certain_ends(result: Result, trades: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether the entry order fills at the open of its bar, and the exit order at the close, by what kind they are.

    Prices alone do not tell under slippage.
    """
    orders = result.slots["orders"]
    next_open = (result.settings.get("fill") or {}).get("market_at", "next_open") == "next_open"
    opens = ("market", "market_on_open") if next_open else ("market_on_open",)
    closes = ("market_on_close",) if next_open else ("market", "market_on_close")
    ends = []
    for name, kinds in (("entry_order_id", opens), ("exit_order_id", closes)):
        codes = [ORDER_TYPES.index(kind) for kind in kinds]
        ids = orders["order_id"][np.isin(orders["type"], codes)]
        ends.append(np.isin(trades[name], ids))
    return ends[0], ends[1]
