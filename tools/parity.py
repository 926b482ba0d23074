#!/usr/bin/env python3
"""Runs random order scripts through us and through the system a fill preset is named after, and compares every fill.

Usage: tools/parity.py [backtesting_py] [vectorbt] [--series 1000] [--first 0]

backtesting_py  closed trades of market, limit and stop entries with brackets, closes and cancels: bars, size, prices
vectorbt        orders of Portfolio.from_signals, all cash or fixed size, fees, stops: the same, and the fee

Numbers agree when they are within 1e-9 relative; cash is kept with nine digits. A series is reproduced by its seed,
which is its number. Exits 1 where a series differs, printing the first difference of each. Each peer runs in an
environment of its own (tools/compare_peers.py says where).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools" / "peers"), str(ROOT)]
import scripts  # noqa: E402

import neuraltrade as nt  # noqa: E402
from neuraltrade.core.engine import Context, Engine  # noqa: E402

import environments  # noqa: E402

DAY_NS = 86_400 * 10**9
RELATIVE = 1e-9


def engine(case: dict[str, Any], preset: str, cash: float, fees: nt.Fees) -> Engine:
    bars = {name: np.array(values) for name, values in case["bars"].items()}
    count = len(bars["open"])
    times = np.arange(1, count + 1, dtype=np.int64) * DAY_NS
    columns = (times, bars["open"], bars["high"], bars["low"], bars["close"], np.full(count, 1000.0))
    return Engine(
        ["X"],
        [columns],
        cash=cash,
        policy=nt.FillPolicy.preset(preset),
        fees=fees,
        slippage=nt.Slippage(),
        size=nt.Size.all_in(),
        risk=None,
        instruments=[nt.Instrument()],
        account=nt.Account(cash_digits=9),
    )


def our_trades(case: dict[str, Any]) -> list[list[float]]:
    """Closed trades of an order script: entry bar, exit bar, signed size, entry price, exit price."""
    script, placed = case["script"], []

    def on_bar(ctx: Context) -> None:
        step = script[ctx.i]
        if step is None:
            return
        if step["act"] == "close":
            ctx.close_position()
        elif step["act"] == "cancel":
            for order_id in placed:
                ctx.cancel(order_id)
        elif ctx.position == 0 and not any(ctx.is_active(order_id) for order_id in placed):
            given = {name: step[name] for name in ("limit", "stop", "stop_loss", "take_profit") if name in step}
            placed.append((ctx.buy if step["side"] > 0 else ctx.sell)(step["quantity"], **given))

    run = engine(case, "backtesting_py", 100_000.0, nt.Fees())
    run.bind_python(on_bar)
    run.advance(run.clock_count)
    run.finish()
    closed = run.trades()[~run.trades()["open"]]
    return [
        [
            int(t["entry_bar"]),
            int(t["exit_bar"]),
            float(t["direction"] * t["quantity"]),
            t["entry_price"],
            t["exit_price"],
        ]
        for t in closed
    ]


def our_fills(case: dict[str, Any]) -> list[list[float]]:
    """Fills of signal arrays: bar twice, signed size, price, fee."""
    flags = np.array(case["flags"])
    run = engine(case, "vectorbt", 10_000.0, nt.Fees(rate=case["rate"], fixed=case["fixed"]))
    numbers = {
        name: None if case[name] is None else np.full(len(flags), case[name])
        for name in ("stop_loss", "take_profit", "size")
    }
    short = {"short_entries": flags == 3, "short_exits": flags == 4} if case["short"] else {}
    run.bind_signals(flags == 1, flags == 2, **short, **numbers)
    run.advance(run.clock_count)
    run.finish()
    return [
        [int(f["bar"]), int(f["bar"]), float(f["side"] * f["quantity"]), float(f["price"]), float(f["fee"])]
        for f in run.fills()
    ]


PRESETS = {
    "backtesting_py": ("backtesting", "parity_backtesting.py", scripts.orders, our_trades),
    "vectorbt": ("vectorbt", "parity_vectorbt.py", scripts.signals, our_fills),
}


def difference(ours: list[list[float]], theirs: list[list[float]]) -> str:
    """The first row in which the two differ, or nothing."""
    for row in range(max(len(ours), len(theirs))):
        pair = [side[row] if row < len(side) else None for side in (ours, theirs)]
        if None in pair or not np.allclose(pair[0], pair[1], rtol=RELATIVE, atol=1e-8):
            return f"row {row}: ours {pair[0]}, theirs {pair[1]}"
    return ""


def compare(preset: str, first: int, count: int) -> tuple[int, int]:
    """How many series differ, and how many rows the peer had."""
    peer, script, make, ours = PRESETS[preset]
    cases = [make(seed) for seed in range(first, first + count)]
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "cases.json", Path(folder) / "found.json"
        source.write_text(json.dumps(cases))
        environments.call(peer, script, source, target)
        theirs = json.loads(target.read_text())
    wrong = 0
    for seed, (case, found) in enumerate(zip(cases, theirs, strict=True), first):
        told = difference(ours(case), found)
        wrong += bool(told)
        if told:
            print(f"{preset} series {seed}, {told}")
    return wrong, sum(map(len, theirs))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("presets", nargs="*", choices=[*PRESETS, []], help="default: all")
    parser.add_argument("--series", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    given = parser.parse_args()
    failed = 0
    for preset in given.presets or PRESETS:
        wrong, rows = compare(preset, given.first, given.series)
        print(f"{preset}: {given.series} series, {rows} rows, {wrong} differ")
        failed += wrong
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
