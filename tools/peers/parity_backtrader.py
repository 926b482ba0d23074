"""Runs in the environment of backtrader: order scripts from a JSON file, fills to another.

Left out, because of what its broker does there (measured on 1.9.78.123):

- Stop-limits whose limit lies before their stop: in the bar of their trigger they fill only if that bar closes against
  its own direction. Day orders of a day's last bar: they never work.
- Under a volume cap stops, whose rest waits for the stop's price again, brackets, whose children wait for the whole
  parent, and several orders at once: each has the whole cap to itself.
- Pairs submitted limit first: of two that a bar reaches the first submitted fills. The scripts submit the stop first,
  as its own brackets do.
- Its check of cash at submission, against prices that are not the fill's: set_checksubmit(False). Shorts beyond the
  equity, which it lets pass; leverage; slippage, which it takes from limit orders too; Order.Close, which waits for the
  end of the session; fixed fees, which it takes twice of a reversal. It has no modify.
"""

from __future__ import annotations

import datetime
import json
import sys
from pathlib import Path
from typing import Any

import backtrader
from player import Player, UnableError, rows

KINDS = {
    "market": backtrader.Order.Market,
    "limit": backtrader.Order.Limit,
    "stop": backtrader.Order.Stop,
    "stop_limit": backtrader.Order.StopLimit,
    "trail": backtrader.Order.StopTrail,
}


def moment(ts_ns: int) -> datetime.datetime:
    return datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=ts_ns // 1000)


class Bars(backtrader.feed.DataBase):
    params = (("bars", None),)

    def start(self) -> None:
        super().start()
        self.row = 0

    def _load(self) -> bool:
        bars = self.p.bars
        if self.row >= len(bars["ts_ns"]):
            return False
        self.lines.datetime[0] = backtrader.date2num(moment(bars["ts_ns"][self.row]))
        for name in ("open", "high", "low", "close", "volume"):
            getattr(self.lines, name)[0] = float(bars[name][self.row])
        self.lines.openinterest[0] = 0.0
        self.row += 1
        return True


class Broker:
    """The strategy's methods as a player calls them."""

    def __init__(self, strategy: backtrader.Strategy) -> None:
        self.strategy = strategy
        self.orders: dict[str, backtrader.Order] = {}
        self.names: dict[int, str] = {}

    def send(self, key: str, order: dict[str, Any], **family: Any) -> backtrader.Order:
        kind = order["kind"]
        given: dict[str, Any] = {"size": order["quantity"], "exectype": KINDS[kind], **family}
        if kind in ("limit", "stop", "stop_limit"):
            given["price"] = order["stop"] if kind != "limit" else order["limit"]
        if kind == "stop_limit":
            given["plimit"] = order["limit"]
        if kind == "trail":
            given |= {"trailamount": order.get("trail"), "trailpercent": order.get("trail_rate")}
        if order.get("tif") == "gtd":
            given["valid"] = moment(order["till"])
        elif order.get("tif") == "day":
            given["valid"] = backtrader.Order.DAY
        send = self.strategy.buy if order["side"] > 0 else self.strategy.sell
        self.orders[key] = sent = send(**given)
        self.names[sent.ref] = key
        return sent

    def position(self) -> int:
        return int(self.strategy.position.size)

    def is_active(self, key: str) -> bool:
        return self.orders[key].alive()

    def met_price(self, bar: int) -> bool:
        raise UnableError(f"bar {bar}: backtrader's scripts have no pause")

    def place(self, key: str, order: dict[str, Any]) -> None:
        self.send(key, order)

    def bracket(self, key: str, order: dict[str, Any]) -> None:
        exits = {"side": -order["side"], "quantity": order["quantity"]}
        entry = self.send(key, order, transmit=False)
        self.send(key + "/sl", exits | {"kind": "stop", "stop": order["stop_loss"]}, parent=entry, transmit=False)
        self.send(key + "/tp", exits | {"kind": "limit", "limit": order["take_profit"]}, parent=entry, transmit=True)

    def oco(self, keys: list[str], orders: list[dict[str, Any]]) -> None:
        first = self.send(keys[0], orders[0])
        self.send(keys[1], orders[1], oco=first)

    def cancel(self, key: str) -> None:
        self.strategy.cancel(self.orders[key])

    def cancel_all(self) -> None:
        for order in self.orders.values():
            if order.alive():
                self.strategy.cancel(order)

    def modify(self, key: str, change: dict[str, Any]) -> None:
        raise UnableError(f"order {key}: backtrader changes no order, a script for it must not")


def fills(case: dict[str, Any]) -> list[list[Any]]:
    found: list[tuple[int, str, int, float, float]] = []

    class Script(backtrader.Strategy):
        def __init__(self) -> None:
            self.mine = Broker(self)
            self.player = Player(case, self.mine)
            self.seen: dict[int, int] = {}

        def next(self) -> None:
            self.player.on_bar(len(self) - 1)

        def notify_order(self, order: backtrader.Order) -> None:
            bits = list(order.executed.exbits)
            for bit in bits[self.seen.get(order.ref, 0) :]:
                fee = bit.closedcomm + bit.openedcomm
                found.append((len(self) - 1, self.mine.names[order.ref], int(bit.size), float(bit.price), fee))
            self.seen[order.ref] = len(bits)

    cerebro = backtrader.Cerebro(stdstats=False)
    cerebro.adddata(Bars(bars=case["bars"]))
    cerebro.addstrategy(Script)
    cerebro.broker.setcash(case["cash"])
    cerebro.broker.setcommission(commission=case["rate"])
    cerebro.broker.set_checksubmit(False)
    if case["volume_cap"]:
        cerebro.broker.set_filler(backtrader.fillers.FixedBarPerc(perc=100 * case["volume_cap"]))
    cerebro.run()
    return rows(found)


def main(source: Path, target: Path) -> None:
    cases = json.loads(source.read_text())
    target.write_text(json.dumps([fills(case) for case in cases]))
    print(json.dumps({"cases": len(cases)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
