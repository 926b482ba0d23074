"""Runs in the environment of vectorbt: signals from a JSON file, filled orders to another.

Left out: slippage together with stops (its stop exits are not slipped by default, ours are), value sizes with costs
(in vectorbt they come on top of the value, here out of it), and what signals have no words for: accumulation, order
directions, sizes by the percentage, several columns that share cash.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")
import vectorbt  # noqa: E402


def fills(case: dict[str, Any]) -> list[list[float]]:
    bars, flags = case["bars"], np.array(case["flags"])
    index = pd.date_range("2020-01-01", periods=len(flags))
    columns = {name: pd.Series(values, index=index) for name, values in bars.items()}
    given: dict[str, Any] = {"fees": case["rate"], "fixed_fees": case["fixed"], "init_cash": 10_000.0}
    if case["short"]:
        given["short_entries"] = pd.Series(flags == 3, index=index)
        given["short_exits"] = pd.Series(flags == 4, index=index)
    for name, ours in (("size", "size"), ("sl_stop", "stop_loss"), ("tp_stop", "take_profit")):
        if case[ours] is not None:
            given[name] = pd.Series(case[ours], index=index) if isinstance(case[ours], list) else case[ours]
    if case["value"]:
        given |= {"size": 1000.0, "size_type": "value"}
    given |= {"sl_trail": case["trail"], "slippage": case["slippage"]}
    entries, exits = pd.Series(flags == 1, index=index), pd.Series(flags == 2, index=index)
    portfolio = vectorbt.Portfolio.from_signals(
        columns["close"],
        entries,
        exits,
        open=columns["open"],
        high=columns["high"],
        low=columns["low"],
        freq="1D",
        **given,
    )
    found = portfolio.orders.records
    sides = np.where(found["side"] == 0, 1, -1)
    rows = zip(found["idx"], found["idx"], sides * found["size"], found["price"], found["fees"], strict=True)
    return [[int(bar), int(again), float(size), float(price), float(fee)] for bar, again, size, price, fee in rows]


def main(source: Path, target: Path) -> None:
    cases = json.loads(source.read_text())
    target.write_text(json.dumps([fills(case) for case in cases]))
    print(json.dumps({"cases": len(cases)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
