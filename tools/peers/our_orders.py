"""Plays an order script through us, and tells of what kind each fill was."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import numpy as np
from player import Player, rows

import neuraltrade as nt
from neuraltrade.core.engine import Context, Engine
from neuraltrade.core.layouts import ORDER_ROLES, ORDER_STATES, ORDER_TYPES

CHILDREN = {"stop_loss": "/sl", "take_profit": "/tp"}


class Broker:
    """A context as a player calls it."""

    def __init__(self) -> None:
        self.ctx: Any = None
        self.run: Any = None
        self.seen = 0
        self.met_bar = -1
        self.ids: dict[str, int] = {}
        self.kinds: dict[str, str] = {}

    def send(self, key: str, order: dict[str, Any], **bracket: float) -> None:
        tif = order.get("tif", "gtc")
        given: dict[str, Any] = {"tif": tif, **bracket}
        if tif == "gtd":
            given["good_till"] = order["till"]
        if order["kind"] == "trail":
            found = self.ctx.trailing_stop(
                order["quantity"], order.get("trail"), order.get("trail_rate"), side=order["side"], **given
            )
        else:
            given |= {name: order[name] for name in ("limit", "stop") if name in order}
            found = (self.ctx.buy if order["side"] > 0 else self.ctx.sell)(order["quantity"], **given)
        self.ids[key] = found
        self.kinds[key] = order["kind"]

    def position(self) -> int:
        return round(self.ctx.position)

    def is_active(self, key: str) -> bool:
        return nt.accepted(self.ids[key]) and self.ctx.is_active(self.ids[key])

    def met_price(self, bar: int) -> bool:
        fills = self.run.fills()[self.seen :]
        self.seen += len(fills)
        types = self.run.orders()["type"]
        for fill in fills:
            if types[fill["order_id"] - 1] != ORDER_TYPES.index("market"):
                self.met_bar = int(fill["bar"])
        return self.met_bar == bar

    def place(self, key: str, order: dict[str, Any]) -> None:
        self.send(key, order)

    def bracket(self, key: str, order: dict[str, Any]) -> None:
        self.send(key, order, stop_loss=order["stop_loss"], take_profit=order["take_profit"])

    def oco(self, keys: list[str], orders: list[dict[str, Any]]) -> None:
        for key, order in zip(keys, orders, strict=True):
            self.send(key, order)
            self.kinds[key] = "oco " + order["kind"]
        self.ctx.oco(self.ids[keys[0]], self.ids[keys[1]])

    def cancel(self, key: str) -> None:
        self.ctx.cancel(self.ids[key])

    def cancel_all(self) -> None:
        self.ctx.cancel_all()

    def modify(self, key: str, change: dict[str, Any]) -> None:
        self.ctx.modify(self.ids[key], **change)


def columns(bars: dict[str, Any]) -> tuple[Any, ...]:
    names = ("open", "high", "low", "close", "volume")
    return (np.array(bars["ts_ns"], dtype=np.int64), *(np.array(bars[name], dtype=np.float64) for name in names))


def play(case: dict[str, Any], preset: str) -> tuple[list[list[Any]], Counter[str]]:
    """Fills of the script as `player.rows` has them, and how many of each kind there were."""
    policy = nt.FillPolicy.preset(preset)
    if case["volume_cap"]:
        policy = msgspec.structs.replace(policy, volume_cap=case["volume_cap"])
    run = Engine(
        ["X"],
        [columns(case["bars"])],
        cash=case["cash"],
        policy=policy,
        fees=nt.Fees(rate=case["rate"]),
        slippage=nt.Slippage(),
        size=nt.Size.all_in(),
        risk=None,
        instruments=[nt.Instrument(tick=case["tick"], lot=1.0)],
        account=nt.Account(cash_digits=9),
    )
    broker = Broker()
    player = Player(case, broker)

    def on_bar(ctx: Context) -> None:
        broker.ctx = ctx
        player.on_bar(ctx.i)

    broker.run = run
    run.bind_python(on_bar)
    run.advance(run.clock_count)
    run.finish()
    orders, names = run.orders(), {found: key for key, found in broker.ids.items()}

    def key_of(order_id: int) -> str:
        role = ORDER_ROLES[orders[order_id - 1]["role"]]
        return names[int(orders[order_id - 1]["parent_id"])] + CHILDREN[role] if role in CHILDREN else names[order_id]

    found = [
        (
            int(f["bar"]),
            key_of(f["order_id"]),
            int(f["side"]) * round(f["quantity"]),
            float(f["price"]),
            float(f["fee"]),
        )
        for f in run.fills()
    ]
    counts = Counter({"act " + name: number for name, number in player.counts.items()})
    counts += kinds(case, broker.kinds, found)
    counts += Counter("ended " + ORDER_STATES[order["status"]] for order in orders)
    counts["ambiguous bar"] += run.ambiguous_bars
    return rows(found), counts


def kinds(case: dict[str, Any], sent: dict[str, str], found: list[tuple[int, str, int, float, float]]) -> Counter[str]:
    """Every fill under what it was: its order's kind, and how its price came about."""
    counts: Counter[str] = Counter()
    bars, filled, held = case["bars"], Counter(), 0
    for bar, key, quantity, price, _ in found:
        kind = "stop-loss" if key.endswith("/sl") else "take-profit" if key.endswith("/tp") else sent[key]
        at_open = price == bars["open"][bar]
        touched = price in (bars["high"][bar], bars["low"][bar])
        if kind == "market":
            counts["market"] += 1
        else:
            counts[f"{kind}, {'at the open' if at_open else 'touched exactly' if touched else 'inside'}"] += 1
        counts["part of an order"] += filled[key] > 0
        filled[key] += 1
        counts["short"] += held <= 0 and quantity < 0
        counts["reversal"] += held * (held + quantity) < 0
        counts["bar without volume"] += bars["volume"][bar] == 0
        held += quantity
    return counts
