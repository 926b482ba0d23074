"""Which symbol the run traded, held and earned from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import tables
from .statistics import exposure

if TYPE_CHECKING:
    from .result import Result

BY_SYMBOL_COLUMNS = ("fills", "trades", "exposure", "long_exposure", "short_exposure", "notional", "turnover", "fees",
                     "pnl", "open_pnl", "flows")  # fmt: skip


def by_symbol(result: Result) -> np.ndarray:
    """Structured rows, one per symbol in the run's order; see `Result.by_symbol`."""
    fills, trades = result.slots["fills"], result.slots["trades"]
    notional = np.abs(fills["quantity"] * fills["price"])
    scale = tables.multipliers(result, fills)
    notional = notional if scale is None else notional * scale
    bars, mean = len(result.equity), float(result.equity.mean())
    count = len(result.symbols)
    kinds = {name: "<i8" if name in ("fills", "trades") else "<f8" for name in BY_SYMBOL_COLUMNS}
    rows = np.zeros(count, dtype=[("symbol", np.array(result.symbols, np.str_).dtype), *kinds.items()])
    rows["symbol"] = result.symbols
    rows["fills"] = np.bincount(fills["symbol"], minlength=count)
    rows["notional"] = np.bincount(fills["symbol"], weights=notional, minlength=count)
    rows["fees"] = np.bincount(fills["symbol"], weights=fills["fee"], minlength=count)
    rows["turnover"] = rows["notional"] / mean if mean != 0.0 else np.nan
    is_open = trades["open"].astype(bool)
    for name, pick in (("pnl", ~is_open), ("open_pnl", is_open)):
        rows[name] = np.bincount(trades["symbol"][pick], weights=trades["pnl"][pick], minlength=count)
    flows = result.slots["flows"]
    flows = flows[flows["symbol"] >= 0]  # interest is of no symbol
    rows["flows"] = np.bincount(flows["symbol"], weights=flows["amount"], minlength=count)
    rows["trades"] = np.bincount(trades["symbol"][~is_open], minlength=count)
    for slot in range(count):
        mine = trades[trades["symbol"] == slot]
        for name, pick in (("exposure", mine["direction"] != 0), ("long_exposure", mine["direction"] > 0),
                           ("short_exposure", mine["direction"] < 0)):  # fmt: skip
            rows[name][slot] = exposure(mine[pick], bars)
    rows.setflags(write=False)
    return rows
