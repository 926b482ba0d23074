"""Runs in the environment of nautilus_trader: order scripts from a JSON file, fills to another.

Left out, because of what its matching engine does with bars there (measured on 1.221.0):

- Several resting orders at once: a fill moves its market to the fill's price until the next trade, so that others
  which the same trade has reached are passed over. Decisions in a bar with such a fill: they would be filled at that
  price, not at the close ("pause").
- Stop-limits: after their trigger they fill at the price of a later trade. Trailing stops: they follow the trade before
  the last. Good-till-date: an order may fill on the first trade after its date.
- Children of brackets and pairs beyond a quarter of the volume: the rest of the order is lost.
- Stops behind the market when they arrive are refused by default; here they fill (reject_stop_orders=False), and the
  scripts send none but as children. Brackets with a stop entry, which its order factory has not.
- Fees, which are rounded to cents, and its margin account.
"""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.data import Bar, BarType
from nautilus_trader.model.enums import (
    AccountType,
    ContingencyType,
    OmsType,
    OrderSide,
    OrderStatus,
    OrderType,
    TimeInForce,
)
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import InstrumentId, OrderListId, Symbol, Venue
from nautilus_trader.model.instruments import Equity
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.model.orders import LimitOrder, Order, OrderList, StopMarketOrder
from nautilus_trader.trading.strategy import Strategy
from player import Player, rows

VENUE = Venue("SIM")
SYMBOL = Symbol("X")
EQUITY = Equity(InstrumentId(SYMBOL, VENUE), SYMBOL, USD, 2, Price.from_str("0.01"), Quantity.from_int(1), 0, 0)
BARS = BarType.from_str("X.SIM-1-MINUTE-LAST-EXTERNAL")
TIMES = {"gtc": TimeInForce.GTC, "gtd": TimeInForce.GTD, "ioc": TimeInForce.IOC, "day": TimeInForce.DAY}


def price(value: float) -> Price:
    return Price(value, 2)


class Broker:
    """The strategy's methods as a player calls them."""

    def __init__(self, strategy: Strategy) -> None:
        self.strategy = strategy
        self.orders: dict[str, Order] = {}
        self.names: dict[Any, str] = {}
        self.lists = 0
        self.met_bar = -1

    def note(self, key: str, order: Order) -> Order:
        self.orders[key] = order
        self.names[order.client_order_id] = key
        return order

    def make(self, order: dict[str, Any]) -> Order:
        factory, kind = self.strategy.order_factory, order["kind"]
        side = OrderSide.BUY if order["side"] > 0 else OrderSide.SELL
        given: dict[str, Any] = {"time_in_force": TIMES[order.get("tif", "gtc")]}
        if order.get("tif") == "gtd":
            given["expire_time"] = pd.Timestamp(order["till"], tz="UTC")
        shape = (EQUITY.id, side, Quantity.from_int(order["quantity"]))
        if kind == "market":
            return factory.market(*shape)
        if kind == "limit":
            return factory.limit(*shape, price(order["limit"]), **given)
        if kind == "stop":
            return factory.stop_market(*shape, price(order["stop"]), **given)
        return factory.stop_limit(*shape, price(order["limit"]), price(order["stop"]), **given)

    def position(self) -> int:
        return int(self.strategy.portfolio.net_position(EQUITY.id))

    def is_active(self, key: str) -> bool:
        order = self.orders[key]
        return not order.is_closed and order.status != OrderStatus.INITIALIZED

    def met_price(self, bar: int) -> bool:
        return self.met_bar == bar

    def place(self, key: str, order: dict[str, Any]) -> None:
        self.strategy.submit_order(self.note(key, self.make(order)))

    def bracket(self, key: str, order: dict[str, Any]) -> None:
        limit = order["kind"] == "limit"
        given = {"entry_order_type": OrderType.LIMIT, "entry_price": price(order["limit"])} if limit else {}
        orders = self.strategy.order_factory.bracket(
            EQUITY.id,
            OrderSide.BUY if order["side"] > 0 else OrderSide.SELL,
            Quantity.from_int(order["quantity"]),
            sl_trigger_price=price(order["stop_loss"]),
            tp_price=price(order["take_profit"]),
            **given,
        )
        for name, one in zip((key, key + "/sl", key + "/tp"), orders.orders, strict=True):
            self.note(name, one)
        self.strategy.submit_order_list(orders)

    def oco(self, keys: list[str], orders: list[dict[str, Any]]) -> None:
        self.lists += 1
        strategy = self.strategy
        ids = [strategy.order_factory.generate_client_order_id() for _ in keys]
        list_id = OrderListId(f"OL-{self.lists}")
        made = []
        for index, order in enumerate(orders):
            side = OrderSide.BUY if order["side"] > 0 else OrderSide.SELL
            head = (strategy.trader_id, strategy.id, EQUITY.id, ids[index], side, Quantity.from_int(order["quantity"]))
            family = {
                "contingency_type": ContingencyType.OCO,
                "order_list_id": list_id,
                "linked_order_ids": [ids[1 - index]],
            }
            now = strategy.clock.timestamp_ns()
            if order["kind"] == "limit":
                made.append(LimitOrder(*head, price(order["limit"]), UUID4(), now, **family))
            else:
                kind = strategy.order_factory.stop_market(*head[2:3], side, head[5], price(order["stop"])).trigger_type
                made.append(StopMarketOrder(*head, price(order["stop"]), kind, UUID4(), now, **family))
            self.note(keys[index], made[-1])
        strategy.submit_order_list(OrderList(list_id, made))

    def cancel(self, key: str) -> None:
        self.strategy.cancel_order(self.orders[key])

    def cancel_all(self) -> None:
        for order in self.orders.values():
            if not order.is_closed and order.status != OrderStatus.INITIALIZED:
                self.strategy.cancel_order(order)

    def modify(self, key: str, change: dict[str, Any]) -> None:
        quantity = Quantity.from_int(change["quantity"]) if "quantity" in change else None
        limit = price(change["limit"]) if "limit" in change else None
        trigger = price(change["stop"]) if "stop" in change else None
        self.strategy.modify_order(self.orders[key], quantity, limit, trigger)


def fills(case: dict[str, Any]) -> list[list[Any]]:
    bars = case["bars"]
    at = {ts_ns: bar for bar, ts_ns in enumerate(bars["ts_ns"])}
    found: list[tuple[int, str, int, float, float]] = []

    class Script(Strategy):
        def on_start(self) -> None:
            self.mine = Broker(self)
            self.player = Player(case, self.mine)
            self.subscribe_bars(BARS)

        def on_bar(self, bar: Bar) -> None:
            self.player.on_bar(at[bar.ts_event])

        def on_order_filled(self, event: OrderFilled) -> None:
            side = 1 if event.order_side == OrderSide.BUY else -1
            if event.order_type != OrderType.MARKET:
                self.mine.met_bar = at[event.ts_event]
            key = self.mine.names[event.client_order_id]
            found.append((at[event.ts_event], key, side * int(event.last_qty), float(event.last_px), 0.0))

    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    engine.add_venue(
        VENUE,
        OmsType.NETTING,
        AccountType.MARGIN,
        [Money(case["cash"], USD)],
        base_currency=USD,
        default_leverage=Decimal(1),
        reject_stop_orders=False,
    )
    engine.add_instrument(EQUITY)
    columns = zip(*(bars[name] for name in ("open", "high", "low", "close", "volume", "ts_ns")), strict=True)
    engine.add_data(
        [Bar(BARS, *map(price, row[:4]), Quantity.from_int(int(row[4])), row[5], row[5]) for row in columns]
    )
    engine.add_strategy(Script())
    engine.run()
    engine.dispose()
    return rows(found)


def main(source: Path, target: Path) -> None:
    cases = json.loads(source.read_text())
    target.write_text(json.dumps([fills(case) for case in cases]))
    print(json.dumps({"cases": len(cases)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
