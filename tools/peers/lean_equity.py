"""A slow model of LEAN's documented equity fill model on trade bars, to hold the preset `lean_equity` to.

Written from the public documentation alone, rule by rule:

- https://www.quantconnect.com/docs/v2/writing-algorithms/reality-modeling/trade-fills/supported-models/equity-model
  Limit orders: a buy fills once low < limit, at min(open, limit); a sell once high > limit, at max(open, limit).
  Stop market orders: a buy fills once high >= stop, at max(open, stop); a sell once low <= stop, at min(open, stop).
  Trailing stops: the same with their moving stop; while it is not met, the stop follows the bar: a sell's to
  high - amount (high x (1 - rate)), a buy's to low + amount (low x (1 + rate)), where that is tighter.
  Market-on-open orders: the open of the bar. With bars a market order placed after one close is that.
- https://www.quantconnect.com/docs/v2/writing-algorithms/reality-modeling/trade-fills/key-concepts
  No order fills on data that was there when it was placed: the first bar for an order is the one after.
- https://www.quantconnect.com/docs/v2/writing-algorithms/trading-and-orders/order-types/trailing-stop-orders
  A new trailing stop stands at its distance from the price at that time.
- https://www.quantconnect.com/docs/v2/writing-algorithms/reality-modeling/buying-power
  An order that the account cannot pay is invalid.

LEAN has no bracket and no OCO order: users place the exits when the entry's fill is reported, which is after its bar,
and cancel one when the other fills. So does this model; where one bar holds both, it takes the stop, as the preset's
path says. The documentation's table states the update of a trailing stop as "high - stop <= amount"; a stop that moved
then would move away from the price, so the model takes the other side, as the page on trailing stop orders describes.

Not modelled, as the documentation gives it no price that OHLC bars bear out: stop-limit orders (a buy fills at
min(high, limit) once the close is below the limit) and market-on-close orders (documented as the open price).
"""

from __future__ import annotations

from typing import Any

from player import Player, UnableError, rows


class Model:
    """Orders are the script's dicts with `key`, `from` (bar), `filled` and `mates` (keys that end with them)."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.bars, self.cash, self.rate = case["bars"], case["cash"], case["rate"]
        self.held = 0
        self.bar = -1
        self.working: list[dict[str, Any]] = []
        self.found: list[tuple[int, str, int, float, float]] = []

    # ---- what a player calls

    def position(self) -> int:
        return self.held

    def is_active(self, key: str) -> bool:
        return any(order["key"] == key for order in self.working)

    def met_price(self, bar: int) -> bool:
        raise UnableError(f"bar {bar}: LEAN's scripts have no pause")

    def place(self, key: str, order: dict[str, Any]) -> None:
        sent = dict(order) | {"key": key, "from": self.bar + 1, "mates": order.get("mates", [])}
        if order["kind"] == "trail":
            sent["stop"] = self.trailed(sent, self.bars["close"][self.bar])
        self.working.append(sent)

    def bracket(self, key: str, order: dict[str, Any]) -> None:
        self.place(key, order)

    def oco(self, keys: list[str], orders: list[dict[str, Any]]) -> None:
        for key, mate, order in zip(keys, reversed(keys), orders, strict=True):
            self.place(key, dict(order) | {"mates": [mate]})

    def cancel(self, key: str) -> None:
        gone = next(order for order in self.working if order["key"] == key)
        self.end(gone)

    def cancel_all(self) -> None:
        self.working = []

    def modify(self, key: str, change: dict[str, Any]) -> None:
        next(order for order in self.working if order["key"] == key).update(change)

    # ---- a bar

    def end(self, order: dict[str, Any]) -> None:
        self.working = [one for one in self.working if one is not order and one["key"] not in order["mates"]]

    @staticmethod
    def trailed(order: dict[str, Any], price: float) -> float:
        distance = order["trail"] if order.get("trail") is not None else price * order["trail_rate"]
        return round(price + order["side"] * distance, 9)

    def price_of(self, order: dict[str, Any]) -> float | None:
        """Where the order fills in this bar, by its documented rule."""
        open_, high, low = (self.bars[name][self.bar] for name in ("open", "high", "low"))
        buys = order["side"] > 0
        if order["kind"] == "market":
            return open_
        if order["kind"] == "limit":
            met = low < order["limit"] if buys else high > order["limit"]
            return (min if buys else max)(open_, order["limit"]) if met else None
        met = high >= order["stop"] if buys else low <= order["stop"]
        return (max if buys else min)(open_, order["stop"]) if met else None

    def rank(self, order: dict[str, Any]) -> int:
        """Market orders at the open, then of orders that end each other the stop before the limit."""
        return 0 if order["kind"] == "market" else 2 if order["kind"] == "limit" else 1

    def step(self, bar: int) -> None:
        self.bar = bar
        now = self.bars["ts_ns"][bar]
        for order in list(self.working):
            if order.get("tif") == "gtd" and now > order["till"] and order in self.working:
                self.end(order)
        for order in sorted(self.working, key=self.rank):
            price = self.price_of(order)
            if order in self.working and price is not None:
                self.fill(order, price)
        for order in self.working:
            if order["kind"] == "trail" and order["from"] <= bar:
                tighter = self.trailed(order, self.bars["high" if order["side"] < 0 else "low"][bar])
                order["stop"] = (max if order["side"] < 0 else min)(order["stop"], tighter)

    def fill(self, order: dict[str, Any], price: float) -> None:
        self.end(order)
        side, quantity = order["side"], order["quantity"]
        closing = min(quantity, abs(self.held)) if self.held * side < 0 else 0
        opening = quantity - closing
        held_after = self.held + side * quantity
        equity = self.cash + self.held * price
        if opening and abs(held_after) * price + quantity * price * self.rate > equity:
            quantity = closing  # what opens cannot be paid
        if not quantity:
            return
        fee = quantity * price * self.rate
        self.cash -= side * quantity * price + fee
        self.held += side * quantity
        self.found.append((self.bar, order["key"], side * quantity, price, fee))
        if "stop_loss" in order and quantity == order["quantity"]:
            names = (order["key"] + "/sl", order["key"] + "/tp")
            exits = ({"kind": "stop", "stop": order["stop_loss"]}, {"kind": "limit", "limit": order["take_profit"]})
            for name, mate, one in zip(names, reversed(names), exits, strict=True):
                self.place(name, one | {"side": -side, "quantity": quantity, "mates": [mate]})


def fills(case: dict[str, Any]) -> list[list[Any]]:
    model = Model(case)
    player = Player(case, model)
    for bar in range(len(case["script"])):
        model.step(bar)
        player.on_bar(bar)
    return rows(model.found)
