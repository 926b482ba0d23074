#!/usr/bin/env python3
"""Runs random order scripts through us and through the system a fill preset is named after, and compares every fill.

Usage: tools/parity.py [PRESET ...] [--series 1000] [--first 0]

backtesting_py  closed trades of market, limit and stop entries with brackets, closes and cancels: bars, size, prices
vectorbt        orders of Portfolio.from_signals, all cash, fixed size or value, fees, slippage, stops, trailing or not,
                the same or others at each bar: bar, size, price and the fee
backtrader      every fill, by order: market, limit, stop, stop-limit and trailing orders, brackets, pairs that cancel
                each other, cancels, good-till-date and day orders, volume caps, fees, cash that runs short
nautilus_1_221  every fill, by order: market, limit and stop orders, immediate-or-cancel, brackets, pairs, cancels,
                modifies, orders beyond a quarter of a bar's volume
lean_equity     every fill, by order, beside a slow model of LEAN's documented rules (tools/peers/lean_equity.py)

What is left out of a peer's scripts, and why, stands at the head of tools/peers/parity_PEER.py. Numbers agree when they
are within 1e-9 relative; cash is kept with nine digits. A series is reproduced by its seed, which is its number. Each
peer runs in an environment of its own (tools/compare_peers.py says where). After the counts comes what the scripts
covered: how many fills there were of each kind. Exits 1 where a series differs, printing the first difference of each,
or where a kind that the scripts are made to reach never came up.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools" / "peers"))
import lean_equity  # noqa: E402
import order_scripts  # noqa: E402
import our_orders  # noqa: E402
import scripts  # noqa: E402

import neuraltrade as nt  # noqa: E402
from neuraltrade.core.engine import Context, Engine  # noqa: E402
from neuraltrade.core.layouts import ORDER_ROLES, ORDER_TYPES  # noqa: E402

import environments  # noqa: E402

DAY_NS = 86_400 * 10**9
RELATIVE = 1e-9


def engine(case: dict[str, Any], preset: str, cash: float, fees: nt.Fees, size: nt.Size | None = None) -> Engine:
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
        slippage=nt.Slippage(rate=case.get("slippage", 0.0)),
        size=size or nt.Size.all_in(),
        risk=None,
        instruments=[nt.Instrument()],
        account=nt.Account(cash_digits=9),
    )


def covered(run: Engine) -> Counter[str]:
    """Fills by the type and role of their order."""
    orders = run.orders()
    counts: Counter[str] = Counter()
    for fill in run.fills():
        order = orders[fill["order_id"] - 1]
        counts[f"{ORDER_TYPES[order['type']]} as {ORDER_ROLES[order['role']]}"] += 1
    counts["ambiguous bar"] += run.ambiguous_bars
    return counts


def our_trades(case: dict[str, Any]) -> tuple[list[list[Any]], Counter[str]]:
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
    rows = [
        [
            int(t["entry_bar"]),
            int(t["exit_bar"]),
            float(t["direction"] * t["quantity"]),
            t["entry_price"],
            t["exit_price"],
        ]
        for t in closed
    ]
    return rows, covered(run)


def trailing(case: dict[str, Any], run: Engine) -> Callable[[Context], None]:
    """What nt.Signals means, with stops that trail: a bar in which one fired decides nothing more."""

    def on_bar(ctx: Context) -> None:
        flag, held, fills = case["flags"][ctx.i], ctx.position, run.fills()
        if not case["short"] and flag > 2:
            return
        if len(fills) and fills[-1]["bar"] == ctx.i:
            return
        bracket = {"trail_rate": case["stop_loss"], "take_profit_rate": case["take_profit"]}
        if flag == 1 and held <= 0:
            ctx.buy(**bracket)
        elif flag == 3 and held >= 0:
            ctx.sell(**bracket)
        elif (flag == 2 and held > 0) or (flag == 4 and held < 0):
            ctx.close_position()

    return on_bar


def our_fills(case: dict[str, Any]) -> tuple[list[list[Any]], Counter[str]]:
    """Fills of signal arrays: bar twice, signed size, price, fee."""
    flags = np.array(case["flags"])
    size = nt.Size.cash(1000.0) if case["value"] else nt.Size.units(case["size"]) if case["size"] else None
    run = engine(case, "vectorbt", 10_000.0, nt.Fees(rate=case["rate"], fixed=case["fixed"]), size)
    numbers = {
        name: None if case[name] is None else np.broadcast_to(case[name], len(flags)).copy()
        for name in ("stop_loss", "take_profit")
    }
    if case["trail"]:
        run.bind_python(trailing(case, run))
    else:
        short = {"short_entries": flags == 3, "short_exits": flags == 4} if case["short"] else {}
        run.bind_signals(flags == 1, flags == 2, **short, **numbers)
    run.advance(run.clock_count)
    run.finish()
    rows = [
        [int(f["bar"]), int(f["bar"]), float(f["side"] * f["quantity"]), float(f["price"]), float(f["fee"])]
        for f in run.fills()
    ]
    return rows, covered(run)


Fills = list[list[Any]]
Counts = Counter[str]


@dataclass(frozen=True)
class Parity:
    """One preset's comparison. `peer` and `script`: its environment and what runs there; without, `model` runs here."""

    make: Callable[[int], dict[str, Any]]
    ours: Callable[[dict[str, Any]], tuple[Fills, Counts]]
    kinds: tuple[str, ...] = ()  # what must come up
    peer: str = ""
    script: str = ""
    model: Callable[[dict[str, Any]], Fills] | None = None


def orders_of(preset: str) -> Callable[[dict[str, Any]], tuple[Fills, Counts]]:
    return lambda case: our_orders.play(case, preset)


EXITS = ("limit as take_profit", "stop as stop_loss", "market as close", "ambiguous bar")
ENTRIES = (*EXITS, "market as entry", "limit as entry", "stop as entry")
SIGNALS = (*EXITS, "market as entry", "trailing_stop as trail")

PRESETS = {
    "backtesting_py": Parity(scripts.orders, our_trades, ENTRIES, "backtesting", "parity_backtesting.py"),
    "vectorbt": Parity(scripts.signals, our_fills, SIGNALS, "vectorbt", "parity_vectorbt.py"),
    "backtrader": Parity(
        order_scripts.backtrader,
        orders_of("backtrader"),
        order_scripts.kinds("backtrader"),
        "backtrader",
        "parity_backtrader.py",
    ),
    "nautilus_1_221": Parity(
        order_scripts.nautilus,
        orders_of("nautilus_1_221"),
        order_scripts.kinds("nautilus"),
        "nautilus",
        "parity_nautilus.py",
    ),
    "lean_equity": Parity(
        order_scripts.lean, orders_of("lean_equity"), order_scripts.kinds("lean"), model=lean_equity.fills
    ),
}


def difference(ours: Fills, theirs: Fills) -> str:
    """The first row in which the two differ, or nothing."""
    for row in range(max(len(ours), len(theirs))):
        pair = [side[row] if row < len(side) else None for side in (ours, theirs)]
        if None in pair or not agree(*pair):
            return f"row {row}: ours {pair[0]}, theirs {pair[1]}"
    return ""


def agree(ours: list[Any], theirs: list[Any]) -> bool:
    if len(ours) != len(theirs):
        return False
    for a, b in zip(ours, theirs, strict=True):
        if isinstance(a, str) or isinstance(b, str):
            if a != b:
                return False
        elif not np.isclose(a, b, rtol=RELATIVE, atol=1e-8):
            return False
    return True


def answers(parity: Parity, cases: list[dict[str, Any]]) -> list[Fills]:
    """What the peer makes of the scripts."""
    if parity.model is not None:
        return [parity.model(case) for case in cases]
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "cases.json", Path(folder) / "found.json"
        source.write_text(json.dumps(cases))
        environments.call(parity.peer, parity.script, source, target)
        return json.loads(target.read_text())


def compare(preset: str, first: int, count: int) -> tuple[int, int, Counts]:
    """How many series differ, how many rows the peer had, and what the scripts covered."""
    parity = PRESETS[preset]
    cases = [parity.make(seed) for seed in range(first, first + count)]
    theirs, counts, wrong = answers(parity, cases), Counter(), 0
    for seed, (case, found) in enumerate(zip(cases, theirs, strict=True), first):
        mine, covered = parity.ours(case)
        counts.update(covered)
        told = difference(mine, found)
        wrong += bool(told)
        if told:
            print(f"{preset} series {seed}, {told}")
    return wrong, sum(map(len, theirs)), counts


def missing(preset: str, counts: Counts) -> list[str]:
    """Kinds that the scripts are made to reach and did not."""
    return [kind for kind in PRESETS[preset].kinds if not counts[kind]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("presets", nargs="*", choices=[*PRESETS, []], help="default: all")
    parser.add_argument("--series", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    given = parser.parse_args()
    failed = 0
    for preset in given.presets or PRESETS:
        wrong, rows, counts = compare(preset, given.first, given.series)
        print(f"{preset}: {given.series:,} series, {rows:,} rows, {wrong} differ")
        for kind, number in sorted(counts.items()):
            if number:
                print(f"    {kind}: {number:,}")
        absent = missing(preset, counts)
        if absent:
            print(f"{preset}: never came up: {', '.join(absent)}")
        failed += wrong + len(absent)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
