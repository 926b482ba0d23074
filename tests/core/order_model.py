"""The order book again, slow and plain, for test_order_model: a bar is walked one whole price at a time.

It knows prices on a grid of one, whole quantities, fills without cost and the paths that have an order. What the engine
computes from triggers and extremes, this finds by standing on each price and asking every order.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

ACTIVE = ("submitted", "partially_filled")


@dataclass
class Order:
    id: int
    side: int
    quantity: int
    kind: str
    role: str
    tif: str = "gtc"
    limit: int = 0
    stop: int = 0
    trail: int = 0
    peak: int = 0
    bracket: dict[str, int] = field(default_factory=dict)
    from_bar: int = 0
    good_till: int = 0
    parent: int = 0
    partner: int = 0
    born: tuple[int, bool] = (-1, False)
    fired: bool = False
    filled: int = 0
    status: str = "submitted"

    @property
    def is_market(self) -> bool:
        return self.kind in ("market", "open", "close")


class Book:
    def __init__(self, policy: Any, bars: Any) -> None:
        self.policy, self.bars = policy, bars
        self.orders: list[Order] = []
        self.live: list[Order] = []  # of these, whatever has not ended
        self.fills: list[tuple[int, int, int, int, int]] = []
        self.held, self.i, self.room = 0, 0, 10**12

    # ---- what a script asks

    def last(self) -> int:
        return int(self.bars[4][self.i])

    def add(self, **given: Any) -> Order:
        order = Order(id=len(self.orders) + 1, **given)
        self.orders.append(order)
        self.live.append(order)
        return order

    def refuse(self) -> int:
        self.add(side=1, quantity=0, kind="market", role="entry").status = "denied"
        return -1

    def place(self, side: int, quantity: int, limit: int = 0, stop: int = 0, at: str = "", tif: str = "gtc",
              good_till: int = 0, **bracket: int) -> int:  # fmt: skip
        reference = limit or stop or self.last()
        loss, profit = bracket.get("stop_loss"), bracket.get("take_profit")
        if (loss and side * (reference - loss) <= 0) or (profit and side * (profit - reference) <= 0):
            return self.refuse()
        if bracket.get("trail", 0) >= reference:
            return self.refuse()
        kind = ("stop_limit" if limit else "stop") if stop else "limit" if limit else at or "market"
        now = kind == "market" and self.policy.market_at == "same_close"
        return self.add(side=side, quantity=quantity, kind=kind, role="entry", tif=tif, limit=limit, stop=stop,
                        bracket=bracket, from_bar=self.i + (not now), good_till=good_till).id  # fmt: skip

    def trailing_stop(self, quantity: int, trail: int, side: int) -> int:
        way = side or -((self.held > 0) - (self.held < 0))
        if way == 0:
            return 0
        if self.last() + way * trail <= 0:
            return self.refuse()
        quantity = quantity if side else min(quantity, abs(self.held))
        return self.add(side=way, quantity=quantity, kind="trailing", role="entry" if side else "trail", trail=trail,
                        peak=self.last(), stop=self.last() + way * trail, from_bar=self.i + 1).id  # fmt: skip

    def close_position(self) -> int:
        side = -1 if self.held > 0 else 1
        if self.held == 0 or any(o.role == "close" and o.side == side for o in self.active()):
            return 0
        now = self.policy.market_at == "same_close"
        return self.add(side=side, quantity=abs(self.held), kind="market", role="close", from_bar=self.i + (not now)).id

    def find(self, order_id: int) -> Order | None:
        order = self.orders[order_id - 1] if 1 <= order_id <= len(self.orders) else None
        return order if order is not None and order.status in ACTIVE else None

    def cancel(self, order_id: int) -> int:
        order = self.find(order_id)
        if order is None:
            return -1
        self.end(order, "cancelled")
        return 1

    def end(self, order: Order, status: str) -> None:
        """A final status; of two that are joined the other ends with it."""
        if order.status not in ACTIVE:
            return
        order.status = status
        partner = self.find(order.partner)
        if partner is not None:
            self.end(partner, "cancelled")

    def oco(self, a: int, b: int) -> int:
        one, two = self.find(a), self.find(b)
        if (
            one is None
            or two is None
            or one is two
            or one.parent
            or two.parent
            or self.find(one.partner)
            or self.find(two.partner)
        ):
            return -1
        one.partner, two.partner = b, a
        return 1

    def modify(self, order_id: int, quantity: int, limit: int, stop: int) -> int:  # noqa: PLR0911
        order = self.find(order_id)
        if order is None:
            return -1
        if not (quantity or limit or stop):
            return 0
        child = order.role in ("stop_loss", "take_profit", "trail")
        if (
            (quantity and child)
            or (limit and not order.limit)
            or (stop and (not order.stop or order.kind == "trailing"))
        ):
            return -1
        if quantity and quantity <= order.filled:
            return -1
        if order.parent:
            others = [o for o in self.active() if o.parent == order.parent and o is not order and not o.fired]
            gaps = [
                o.limit - stop if order.kind == "stop" else limit - o.stop
                for o in others
                if (o.limit != 0) != (order.limit != 0)
            ]
            if any(-order.side * gap <= 0 for gap in gaps):
                return -1
        elif order.role == "entry":
            price, bracket = limit or order.limit or stop or order.stop or self.last(), order.bracket
            loss, profit = bracket.get("stop_loss"), bracket.get("take_profit")
            if (loss and order.side * (price - loss) <= 0) or (profit and order.side * (profit - price) <= 0):
                return -1
            if bracket.get("trail", 0) >= price:
                return -1
        order.quantity = quantity or order.quantity
        order.limit, order.stop = limit or order.limit, stop or order.stop
        return 1

    # ---- what a bar does

    def active(self) -> list[Order]:
        self.live = [order for order in self.live if order.status in ACTIVE]
        return self.live

    def eligible(self) -> list[Order]:
        return [order for order in self.active() if order.from_bar <= self.i]

    def fill(self, order: Order, price: int, inside: bool) -> None:
        wanted = order.quantity - order.filled
        closable = abs(self.held) if self.held * order.side < 0 else 0
        if order.role != "entry":
            wanted = min(wanted, closable)
        if wanted <= 0:
            self.end(order, "cancelled")
            return
        capped = wanted > self.room
        if capped and order.tif == "fok":
            self.end(order, "cancelled")
            return
        if capped and order.kind in ("stop", "trailing"):
            order.fired, order.stop = True, 0
        quantity = min(wanted, self.room)
        if quantity <= 0:
            return
        if order.role != "entry":
            order.quantity = order.filled + wanted
        self.room -= quantity
        opened = quantity - min(quantity, closable)
        self.held += order.side * quantity
        order.filled += quantity
        self.fills.append((self.i, order.side, quantity, price, order.id))
        if opened and order.role == "entry":
            self.spawn(order, opened, price, inside)
        order.status = "filled" if order.filled >= order.quantity else "partially_filled"
        if order.status != "filled" and order.tif == "ioc":
            self.end(order, "cancelled")
        self.settle(order, quantity)

    def spawn(self, entry: Order, opened: int, price: int, inside: bool) -> None:
        children = [o for o in self.active() if o.parent == entry.id]
        if entry.filled > opened and children:
            for child in children:
                child.quantity += opened
            return
        choice = self.policy.contingent_from if entry.is_market else self.policy.contingent_from_working
        late = (
            choice == "next_bar"
            or entry.kind == "close"
            or (entry.kind == "market" and self.policy.market_at == "same_close")
        )
        same = {
            "side": -entry.side,
            "quantity": opened,
            "from_bar": self.i + late,
            "parent": entry.id,
            "born": (self.i, inside),
        }
        bracket = entry.bracket
        if bracket.get("stop_loss"):
            self.add(kind="stop", role="stop_loss", stop=bracket["stop_loss"], **same)
        if bracket.get("trail"):
            self.add(kind="trailing", role="trail", trail=bracket["trail"], peak=price,
                     stop=max(0, price - entry.side * bracket["trail"]), **same)  # fmt: skip
        if bracket.get("take_profit"):
            self.add(kind="limit", role="take_profit", limit=bracket["take_profit"], **same)

    def settle(self, filled: Order, quantity: int) -> None:
        partner = self.find(filled.partner)
        if partner is not None:
            partner.quantity -= quantity
            if filled.status == "filled" or partner.quantity <= partner.filled:
                partner.status = "cancelled"
        for order in self.active():
            if order is filled or order.role == "entry":
                continue
            sibling = filled.parent != 0 and order.parent == filled.parent
            if sibling:
                order.quantity -= quantity
            useless = sibling and (filled.status == "filled" or order.quantity <= order.filled)
            if self.held * order.side >= 0 or useless:
                self.end(order, "cancelled")

    def price_at(self, order: Order, price: int, first: bool) -> int | None:
        """Where the order fills with the market at `price`; None if it does not. `first`: the price is the open."""
        if order.is_market or order.fired:
            now = (
                order.fired or order.kind == "open" or (order.kind == "market" and self.policy.market_at == "next_open")
            )
            return price if first and now else None
        if order.stop:
            if order.side * (price - order.stop) < 0:
                return None
            trigger = order.stop if first and self.policy.stop_gap == "at_stop" else price
            if not order.limit:
                return trigger
            order.stop = 0
            return trigger if order.side * (order.limit - price) >= 0 else None
        if not order.limit or order.side * (order.limit - price) < 0:
            return None
        return price if self.policy.limit_gap == "improve" else order.limit

    def meet(self, price: int, first: bool, inside: bool) -> None:
        """Fill whatever `price` reaches, the earliest order first, children of fills included."""
        asked: set[int] = set()
        while True:
            for order in self.eligible():
                if order.id in asked:
                    continue
                found = self.price_at(order, price, first)
                if found is not None:
                    asked.add(order.id)
                    self.fill(order, found, inside)
                    if order.status in ACTIVE and not first:
                        order.from_bar = self.i + 1
                        if order.tif in ("ioc", "fok"):
                            self.end(order, "cancelled")
                    break
            else:
                return

    def move_trails(self, high: int, low: int, close: int) -> None:
        for order in self.active():
            if order.kind != "trailing" or order.fired:
                continue
            extreme = close if order.born == (self.i, True) else high if order.side < 0 else low
            order.peak = max(order.peak, extreme) if order.side < 0 else min(order.peak, extreme)
            order.stop = max(0, order.peak + order.side * order.trail)

    def expire(self) -> None:
        for order in self.active():
            late = order.tif == "day" and order.from_bar <= self.i and order.good_till
            if late or (order.tif == "gtd" and int(self.bars[0][self.i]) > order.good_till):
                self.end(order, "expired")
            elif order.tif == "day" and order.from_bar <= self.i:
                order.good_till = 1  # it has had its day

    def legs(self) -> list[int]:
        o, h, lo, c = (int(self.bars[k][self.i]) for k in (1, 2, 3, 4))
        up_first = self.policy.path == "ohlc" or (self.policy.path == "nearest" and h - o < o - lo)
        return [o, h, lo, c] if up_first else [o, lo, h, c]

    def step(self, i: int) -> None:
        """Match bar i."""
        self.i = i
        cap = self.policy.volume_cap
        self.room = int(self.bars[5][i] * cap) if cap else 10**12
        high, low, close = (int(self.bars[k][i]) for k in (2, 3, 4))
        self.expire()
        path = self.legs()
        self.meet(path[0], True, False)
        if self.policy.trail_update == "before_check":
            self.move_trails(high, low, close)
        for start, end in itertools.pairwise(path):
            way = 1 if end >= start else -1
            for price in range(start, end + way, way):
                self.meet(price, False, True)
        self.move_trails(high, low, close)
        self.at_close("close")
        for order in self.eligible():
            if order.tif in ("ioc", "fok"):
                self.end(order, "cancelled")

    def at_close(self, kind: str) -> None:
        for order in self.eligible():
            if order.kind == kind and order.status in ACTIVE:
                self.fill(order, self.last(), False)
