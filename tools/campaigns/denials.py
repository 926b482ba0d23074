"""The matrix of denials: every control x kind of order x account x kind of data x speed.

At its limit exactly an order passes, one nano above it is denied: with the control's code, its limit and the value
beyond it in `result.denials`, and with nothing else changed. A case is a cell; the seed shuffles them, no more.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

import numpy as np

import neuraltrade as nt

from campaigns import Failure, Outcome
from campaigns.denials_strategies import OnBars, OnTicks

VERSION = 1
UNIT = "denials"
CHUNK = 200
NANO = 1e-9
CASH = 1e6
NS_DAY = 86_400 * 10**9
COUNT = 4  # bars, or events

# In the order of denials_strategies: limit and stop of each kind, where the last price is 100 and none of them is met.
KINDS: dict[str, tuple[float, float]] = {
    "market": (0, 0),
    "limit": (99.5, 0),
    "stop": (0, 101.0),
    "stop_limit": (101.5, 101.0),
    "day": (99.5, 0),
    "bracket": (0, 0),
    "trail": (0, 0),
    "gtd": (99.5, 0),
    "trailing_stop": (0, 102.0),
    "sell": (0, 0),
    "sell_limit": (101.0, 0),
    "sell_stop": (0, 99.0),
    "sell_stop_limit": (98.5, 99.0),
    "sell_bracket": (0, 0),
    "sell_trailing_stop": (0, 98.0),
    "at_open": (0, 0),
    "at_close": (0, 0),
    "sell_at_open": (0, 0),
}
ACCOUNTS = {
    "cash": nt.Account(cash_digits=9, shorting=False),
    "leverage": nt.Account(cash_digits=9, leverage=4.0),
    "maintenance": nt.Account(cash_digits=9, leverage=4.0, maintenance=0.05),
    "first lots": nt.Account(cash_digits=9, leverage=2.0, lots="fifo"),
    "interest": nt.Account(cash_digits=9, leverage=2.0, borrow_rate=0.02, interest_rate=0.03),
}
DATA = ("bars", "panel", "quotes", "prints", "depth")
SPEEDS = ("interpreted", "compiled")


@dataclass(frozen=True)
class Control:
    """Limits that an order of `quantity` (and prices) meets exactly, and how the one beyond them differs."""

    code: nt.Denial
    limits: dict[str, Any]
    has_amounts: bool = True
    quantity: float = 100.0
    before: int = 0
    bad_quantity: float = 100.0 + NANO
    good_limits: dict[str, Any] | None = None  # where it is the limit that has to go
    moves_price: bool = False


def amount(code: nt.Denial, name: str, limit: float) -> Control:
    return Control(code, {name: limit})


def closed(code: nt.Denial, **limits: Any) -> Control:
    return Control(code, limits, has_amounts=False, bad_quantity=100.0, good_limits={})


def controls(kind: str) -> dict[str, Control]:
    """Every control, set to what 100 units of the kind come to."""
    limit, stop = KINDS[kind]
    dearest = limit if limit and not kind.startswith("sell") else max(100.0, limit, stop)
    exposed = max(100.0, limit, stop)
    found = {
        "max_order_quantity": amount(nt.Denial.MAX_QUANTITY, "max_order_quantity", 100.0),
        "max_order_notional": amount(nt.Denial.MAX_NOTIONAL, "max_order_notional", 100 * dearest),
        "max_position": amount(nt.Denial.MAX_POSITION, "max_position", 100.0),
        "max_gross_exposure": amount(nt.Denial.MAX_EXPOSURE, "max_gross_exposure", 100 * exposed),
        "max_net_exposure": amount(nt.Denial.MAX_NET_EXPOSURE, "max_net_exposure", 100 * exposed),
        "max_leverage": amount(nt.Denial.MAX_LEVERAGE, "max_leverage", 100 * exposed / CASH),
        "kill_switch": closed(nt.Denial.HALTED, kill_switch=True),
        "reduce_only": closed(nt.Denial.REDUCE_ONLY, reduce_only=True),
        "restricted": closed(nt.Denial.RESTRICTED, restricted=("A", "B")),
        "max_orders_per_second": Control(nt.Denial.RATE, {"max_orders_per_second": 2}, True, 3.0, 2, 3.0,
                                         {"max_orders_per_second": 3}),
        "max_executions": Control(nt.Denial.REPEATED, {"max_executions": 2}, True, 3.0, 2, 3.0, {"max_executions": 3}),
        "duplicate_window_ns": Control(nt.Denial.DUPLICATE, {"duplicate_window_ns": 1}, False, 1.0 + NANO, 1, 1.0),
    }  # fmt: skip
    if limit or stop:
        far = max(abs(price - 100.0) for price in (limit, stop) if price)
        found["price_collar"] = Control(
            nt.Denial.COLLAR, {"price_collar": far / 100}, True, 1.0, 0, 1.0, moves_price=True
        )
    return found


@dataclass(frozen=True)
class Cell:
    control: str
    kind: str
    account: str
    data: str
    speed: str


@cache
def cells() -> list[Cell]:
    found = []
    for kind, account, data, speed in product(KINDS, ACCOUNTS, DATA, SPEEDS):
        if account == "cash" and kind.startswith("sell"):
            continue  # it holds nothing to sell
        if data not in ("bars", "panel") and kind.endswith(("at_open", "at_close")):
            continue  # ticks have no open and no close
        found += [Cell(control, kind, account, data, speed) for control in controls(kind)]
    for account, control in product(ACCOUNTS, controls("market")):
        if controls("market")[control].before == 0:
            found.append(Cell(control, "market", account, "signals", "native"))
    return found


@cache
def data_of(name: str) -> Any:
    ts_ns = np.arange(1, COUNT + 1, dtype=np.int64) * NS_DAY
    full = [np.full(COUNT, price) for price in (100.0, 100.25, 99.75, 100.0, 1e6)]
    if name in ("bars", "signals"):
        return nt.Bars("A", ts_ns, *full)
    if name == "panel":
        return nt.Panel([nt.Bars("A", ts_ns, *full), nt.Bars("B", ts_ns, *full)])
    size = np.full(COUNT, 1e5)
    if name == "quotes":
        return nt.Quotes("A", ts_ns, np.full(COUNT, 99.75), size, np.full(COUNT, 100.25), size)
    if name == "prints":
        return nt.Trades("A", ts_ns, np.full(COUNT, 100.0), size, np.zeros(COUNT, np.int64))
    sides, prices = np.tile([1, -1], COUNT), np.tile([99.75, 100.25], COUNT)
    return nt.Depth("A", np.repeat(ts_ns, 2), sides, prices, np.arange(1, 2 * COUNT + 1) + 1e5)


def run(cell: Cell, quantity: float, limit: float, stop: float, before: int, limits: dict[str, Any]) -> nt.Result:
    if "restricted" in limits and cell.data != "panel":
        limits = limits | {"restricted": ("A",)}  # a list may name only what the data has
    given: dict[str, Any] = {"cash": CASH, "risk": nt.RiskLimits(**limits), "account": ACCOUNTS[cell.account]}
    if cell.data == "signals":
        at = np.arange(COUNT) == 1
        sizes = np.where(at, quantity, np.nan)
        return nt.backtest(data_of("signals"), nt.Signals(at, np.zeros(COUNT, bool), size=sizes), **given)
    strategy: Any = OnBars if cell.data in ("bars", "panel") else OnTicks
    parameters = {"kind": list(KINDS).index(cell.kind), "at_call": 4 if cell.data == "panel" else 2, "before": before,
                  "quantity": quantity, "limit": float(limit), "stop": float(stop)}  # fmt: skip
    return nt.backtest(
        data_of(cell.data), nt.compiled(strategy) if cell.speed == "compiled" else strategy, params=parameters, **given
    )


def beyond(kind: str) -> tuple[float, float]:
    """The prices of the kind, the farther one moved a nano away from the market."""
    prices = list(KINDS[kind])
    index = max((0, 1), key=lambda k: abs(prices[k] - 100.0) if prices[k] else 0.0)
    prices[index] += NANO if prices[index] > 100 else -NANO
    return prices[0], prices[1]


def judge(cell: Cell) -> str:  # noqa: PLR0911
    """What does not hold in the cell; "" where all does."""
    control = controls(cell.kind)[cell.control]
    limit, stop = KINDS[cell.kind]
    good_limits = control.limits if control.good_limits is None else control.good_limits
    good = run(cell, control.quantity, limit, stop, control.before, good_limits)
    if len(good.denials) or len(good.orders) < 1 + control.before:
        return f"at the limit: {len(good.orders)} orders, denials {good.denials.tolist()}"
    far_limit, far_stop = beyond(cell.kind) if control.moves_price else (limit, stop)
    bad = run(cell, control.bad_quantity, far_limit, far_stop, control.before, control.limits)
    if len(bad.denials) != 1:
        return f"beyond the limit: denials {bad.denials.tolist()}"
    denial, order = bad.denials[0], bad.orders[control.before]
    if (str(denial["reason"]), int(denial["order_id"])) != (control.code.name.lower(), control.before + 1):
        return f"denied as {denial}"
    if (str(order["status"]), float(order["filled"])) != ("denied", 0.0):
        return f"the order is {order}"
    if control.has_amounts and not denial["value"] > denial["limit"]:
        return f"limit {denial['limit']} and value {denial['value']}"
    if any(int(fill["order_id"]) == int(order["order_id"]) for fill in bad.fills):
        return "the denied order filled"
    if control.before == 0 and (len(bad.fills) or float(bad.equity[-1]) != CASH):
        return f"equity {float(bad.equity[-1])} after {len(bad.fills)} fills"
    return ""


def shuffled(seed: int) -> list[int]:
    return np.random.default_rng(seed).permutation(len(cells())).tolist()


def run_chunk(seed: int, index: int) -> Outcome:
    chosen = [cells()[at] for at in shuffled(seed)[index * CHUNK : (index + 1) * CHUNK]]
    tallies = {f"over {data}": sum(cell.data == data for cell in chosen) for data in (*DATA, "signals")}
    told = [(index * CHUNK + at, cell, judge(cell)) for at, cell in enumerate(chosen)]
    return Outcome(len(chosen), tallies, [Failure(number, f"{cell}: {wrong}") for number, cell, wrong in told if wrong])


def reproduce(seed: int, number: int) -> str:
    cell = cells()[shuffled(seed)[number]]
    return f"cell {number}, {cell}: {judge(cell) or 'it holds'}"


CI_COUNT, FULL_COUNT = 400, len(cells())
