"""The slow, obvious venue: what nt_tick does, over dicts and lists of Python integers, one event after another."""

from __future__ import annotations

import importlib.util
import math
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_spec = importlib.util.spec_from_file_location("tick_book_model", Path(__file__).with_name("tick_book_model.py"))
_module = sys.modules["tick_book_model"] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
Book, Level, nano = _module.Book, _module.Level, _module.nano

NANO = 10**9
DAY = 86_400 * NANO
UNKNOWN = None


@dataclass
class Order:
    id: int
    symbol: int
    side: int
    quantity: int
    limit: int = 0
    stop: int = 0
    trail: int = 0
    peak: int = 0
    tif: str = "gtc"
    good_till: int = 0
    trailing: bool = False
    filled: int = 0
    status: str = "submitted"
    arrived: bool = False
    rests: bool = False
    leaving: bool = False
    ahead: int | None = 0
    printed: int = 0
    matched: int = -1
    day: int = 0
    role: str = "entry"
    parent: int = 0
    member: int = 0
    bracket: dict[str, int] = field(default_factory=dict)

    @property
    def active(self) -> bool:
        return self.status in ("submitted", "partially_filled")


@dataclass
class Market:
    has_depth: bool = False
    has_quotes: bool = False
    book: Book = field(default_factory=Book)
    heard_book: Book = field(default_factory=Book)
    top: dict[int, Level | None] = field(default_factory=lambda: {1: None, -1: None})
    last: int = 0
    print: Level | None = None
    bid: float = math.nan
    ask: float = math.nan
    last_heard: float = math.nan
    marks: list[float] = field(default_factory=list)
    held: list[int] = field(default_factory=list)


class Model:
    """events : in the order heard, each (local_ns, ts_ns, symbol, kind, rows); venue : indices as they happened."""

    def __init__(self, events: list[tuple], venue: list[int], *, symbols: int, latency: int, queue: Any,
                 stop_on_last: bool, lot: int = 1, members: int = 1,
                 sessions: list[list[tuple[int, int]]] | None = None) -> None:  # fmt: skip
        self.sessions = sessions
        self.events, self.venue, self.latency, self.queue = events, venue, latency, queue
        self.stop_on_last, self.lot = stop_on_last, lot
        self.markets = [Market(marks=[math.nan] * members, held=[0] * members) for _ in range(symbols)]
        for event in events:
            self.markets[event[2]].has_depth |= event[3] == "depth"
            self.markets[event[2]].has_quotes |= event[3] == "quotes"
        self.orders: list[Order] = []
        self.made: list[Order] = []
        self.plain: list[Order] = []
        self.sent: list[tuple[int, str, Order, dict]] = []
        self.fills: list[tuple] = []
        self.now, self.number, self.step, self.next = 0, 0, 0, 0

    # ---- what the strategy does

    def submit(self, symbol: int, side: int, quantity: int, **how: Any) -> Order:
        order = Order(len(self.orders) + 1, symbol, side, quantity, **how)
        self.orders.append(order)
        if not self.session(symbol)[0]:
            order.status = "denied"
            return order
        if order.role == "entry":
            self.made.append(order)
            self.plain += [] if order.bracket else [order]
        self.sent.append((self.now + self.latency, "order", order, {}))
        return order

    def cancel(self, order: Order) -> int:
        if not order.active or order.leaving:
            return 0
        order.leaving = True
        self.sent.append((self.now + self.latency, "cancel", order, {}))
        return 1

    def close(self, symbol: int, member: int = 0) -> None:
        held = self.markets[symbol].held[member]
        side = -1 if held > 0 else 1
        if held and not any(o.role == "close" and o.side == side for o in self.working(symbol, member)):
            self.submit(symbol, side, abs(held), role="close", member=member)

    def modify(self, order: Order, **to: int) -> None:
        if not self.session(order.symbol)[0]:
            return
        self.sent.append((self.now + self.latency, "change", order, to))

    # ---- steps

    def hear(self, step: int) -> None:
        self.step = step
        while self.next < len(self.events) and self.venue[self.next] <= step:
            self.happens(self.events[self.venue[self.next]])
            self.next += 1
        local, _, symbol, kind, rows = self.events[step]
        market = self.markets[symbol]
        if kind == "quotes":
            bid, bid_size, ask, ask_size = rows[0]
            market.bid, market.ask = bid if bid_size else math.nan, ask if ask_size else math.nan
        elif kind == "trades":
            market.last_heard = rows[0][0]
        else:
            market.heard_book.write(rows)
            if not market.has_quotes:
                bids, asks = market.heard_book.best_first(1), market.heard_book.best_first(-1)
                market.bid = bids[0].price / 1e9 if bids else math.nan
                market.ask = asks[0].price / 1e9 if asks else math.nan
        for mark in ((market.bid + market.ask) * 0.5, market.last_heard, market.bid, market.ask):
            if not math.isnan(mark):
                market.marks = [mark] * len(market.marks)
                break
        self.now = local

    def happens(self, event: tuple) -> None:
        _, ts, symbol, kind, rows = event
        while self.sent and self.sent[0][0] < ts:
            at, what, order, to = self.sent.pop(0)
            self.now, self.number = at, self.number + 1
            self.arrives(what, order, to)
            self.take_in(order.symbol)
        self.now, self.number = ts, self.number + 1
        market = self.markets[symbol]
        for order in self.working(symbol):
            gtd_over = order.tif == "gtd" and ts > order.good_till
            if order.arrived and (gtd_over or (order.tif == "day" and self.session(symbol)[1] != order.day)):
                order.status = "expired"
        if kind == "depth":
            market.book.write(rows, lambda *change: self.level_changed(symbol, *change))
            self.meet(symbol)
        elif kind == "quotes":
            self.quote(symbol, rows[0])
        else:
            self.print(symbol, *rows[0])

    def session(self, symbol: int) -> tuple[bool, int]:
        """Whether the exchange is open now, and the day that an order is good for that arrives now."""
        if self.sessions is None:
            return True, self.now // DAY
        begun = sum(opens <= self.now for opens, _ in self.sessions[symbol]) - 1
        is_open = begun >= 0 and self.now < self.sessions[symbol][begun][1]
        return is_open, begun + (not is_open)

    def working(self, symbol: int, member: int | None = None) -> list[Order]:
        return [o for o in self.orders if o.symbol == symbol and o.active and member in (None, o.member)]

    def resting(self, symbol: int, side: int = 0) -> list[Order]:
        return [o for o in self.working(symbol) if o.rests and side in (0, o.side)]

    # ---- what arrives

    def arrives(self, what: str, order: Order, to: dict) -> None:
        if not order.active:
            return
        if what == "cancel":
            order.status = "cancelled"
        elif what == "change":
            self.change(order, **to)
        else:
            is_open, order.day = self.session(order.symbol)
            order.arrived = True
            if order.tif == "gtd" and self.now > order.good_till:
                order.status = "expired"
                return
            if is_open:
                self.act(order)
            if order.active and order.tif in ("ioc", "fok"):
                order.status = "cancelled"

    def change(self, order: Order, quantity: int = 0, limit: int = 0, stop: int = 0) -> None:
        if (quantity and quantity <= order.filled) or (stop and not order.stop):
            return
        before = order.quantity, order.limit, order.stop
        order.quantity = quantity or order.quantity
        order.limit = limit or order.limit
        order.stop = stop or order.stop
        if order.quantity > before[0] or (order.limit, order.stop) != before[1:]:
            order.rests = False
            if self.session(order.symbol)[0]:
                self.act(order)

    def far(self, symbol: int, side: int) -> list[Level]:
        market = self.markets[symbol]
        if market.has_depth:
            return market.book.best_first(-side)
        level = market.top[-side] if market.has_quotes else market.print
        return [level] if level else []

    def room(self, level: Level) -> int:
        room = level.quantity - level.taken
        return max(room, 0) // self.lot * self.lot

    def fill(self, order: Order, price: int, room: int) -> int:
        market = self.markets[order.symbol]
        wanted = order.quantity - order.filled
        held, mark = market.held[order.member], market.marks[order.member]
        closable = abs(held) if held * order.side < 0 else 0
        if order.role != "entry":
            wanted = min(wanted, closable)
            if wanted <= 0:
                order.status = "cancelled"
                return 0
            order.quantity = order.filled + wanted
        quantity = min(room, wanted)
        order.filled += quantity
        market.held[order.member] += order.side * quantity
        order.status = "filled" if order.filled == order.quantity else "partially_filled"
        market.marks[order.member] = price / 1e9 if math.isnan(mark) else mark
        self.fills.append((self.step, self.now, order.symbol, order.side, quantity, price, order.id))
        if order.role == "entry" and order.bracket and quantity > closable:
            self.spawn(order, quantity - closable, price)
        self.settle(order, quantity)
        return quantity

    def spawn(self, parent: Order, opened: int, price: int) -> None:
        """Children for what was opened; a further part makes them grow."""
        family = [o for o in self.working(parent.symbol) if o.parent == parent.id]
        if parent.filled > opened and family:
            for child in family:
                child.quantity += opened
            return
        side = -parent.side
        for role, how in (
            ("stop_loss", {"stop": parent.bracket.get("stop_loss", 0)}),
            ("trail", {"trail": parent.bracket.get("trail", 0), "peak": price, "trailing": True}),
            ("take_profit", {"limit": parent.bracket.get("take_profit", 0)}),
        ):
            if not next(iter(how.values())):
                continue
            child = Order(len(self.orders) + 1, parent.symbol, side, opened, role=role, parent=parent.id,
                          member=parent.member, **how)  # fmt: skip
            if child.trailing:
                child.stop = price + side * child.trail
            self.orders.append(child)

    def settle(self, filled: Order, quantity: int) -> None:
        """One child ends the other, and no exit outlives what it would close."""
        held, done = self.markets[filled.symbol].held[filled.member], filled.status == "filled"
        for order in self.working(filled.symbol, filled.member):
            if order is filled or order.role == "entry":
                continue
            sibling = filled.parent != 0 and order.parent == filled.parent
            if sibling and not done:
                order.quantity -= quantity
            over = sibling and (done or order.quantity <= order.filled)
            if held == 0 or (held > 0) == (order.side > 0) or over:
                order.status = "cancelled"

    def take_in(self, symbol: int) -> None:
        """Children stand at the venue at once."""
        while True:
            new = [o for o in self.working(symbol) if o.parent and not o.arrived]
            if not new:
                return
            new[0].arrived, new[0].day = True, self.session(symbol)[1]
            self.act(new[0])

    def take(self, order: Order, own: int = 0) -> None:
        for level in self.far(order.symbol, order.side):
            if order.limit and order.side * (level.price - order.limit) > 0:
                break
            room = self.room(level)
            if room and order.active:
                level.taken += self.fill(order, own or level.price, room)

    def act(self, order: Order) -> None:
        if order.stop:
            market, levels = self.markets[order.symbol], self.far(order.symbol, order.side)
            price = levels[0].price if levels else 0
            if self.stop_on_last or not (market.has_depth or market.has_quotes):
                price = market.last
            if not price:
                return
            if order.trailing:
                order.peak = max(order.peak, price) if order.side < 0 else min(order.peak, price)
                order.stop = order.peak + order.side * order.trail
            if order.side * (price - order.stop) < 0:
                return
            order.stop = 0
            if levels and levels[0] is market.print:  # it has traded already
                order.matched = self.number
                if order.limit:
                    order.rests, order.printed, order.ahead = True, 0, self.line(order)
                return
        if order.tif == "fok":
            levels = [
                v
                for v in self.far(order.symbol, order.side)
                if not order.limit or order.side * (v.price - order.limit) <= 0
            ]
            if sum(map(self.room, levels)) < order.quantity:
                return
        self.take(order)
        if order.limit and order.active:
            order.rests, order.printed, order.ahead = True, 0, self.line(order)

    def line(self, order: Order) -> int | None:
        market = self.markets[order.symbol]
        if market.has_depth:
            level = market.book.sides[order.side].get(order.limit)
            return level.quantity if level else 0
        if not market.has_quotes:
            return UNKNOWN
        top = market.top[order.side]
        if top is None or order.side * (order.limit - top.price) > 0:
            return 0
        return top.quantity if top.price == order.limit else UNKNOWN

    # ---- what happens

    def act_all(self, symbol: int) -> None:
        self.take_in(symbol)
        last = 0
        while True:
            todo = [
                o
                for o in self.working(symbol)
                if o.id > last and o.arrived and not o.rests and o.matched != self.number
            ]
            if not todo:
                return
            last, todo[0].matched = todo[0].id, self.number
            self.act(todo[0])
            self.take_in(symbol)

    def meet_far_side(self, symbol: int) -> None:
        for side in (1, -1):
            while True:
                levels = self.far(symbol, side)
                reached = [o for o in self.resting(symbol, side)
                           if levels and o.matched != self.number
                           and side * (o.limit - levels[0].price) >= 0]  # fmt: skip
                if not reached:
                    break
                order = min(reached, key=lambda o: (-side * o.limit, o.id))
                order.matched, order.ahead = self.number, 0
                self.take(order, own=order.limit)
                self.take_in(symbol)

    def quote(self, symbol: int, row: tuple) -> None:
        market = self.markets[symbol]
        before = dict(market.top)
        for side, price, size in ((1, row[0], row[1]), (-1, row[2], row[3])):
            old = before[side]
            now = (nano(price), nano(size)) if size else None
            if now != (old and (old.price, old.quantity)):
                market.top[side] = Level(*now) if now else None
        if market.has_depth:
            return
        for order in self.resting(symbol):
            top, old = market.top[order.side], before[order.side]
            if top is old:
                continue
            if top is None or order.side * (order.limit - top.price) > 0:
                order.ahead = order.printed = 0
            elif top.price == order.limit:
                known = old is not None and old.price == order.limit
                self.shrink(order, old.quantity if known else top.quantity, top.quantity, order.printed if known else 0)
                order.printed = 0
        self.meet(symbol)

    def meet(self, symbol: int) -> None:
        if self.session(symbol)[0]:
            self.act_all(symbol)
            self.meet_far_side(symbol)

    def level_changed(self, symbol: int, side: int, price: int, before: int, after: int) -> None:
        for order in self.resting(symbol, side):
            if order.limit == price:
                self.shrink(order, before, after, order.printed)
                order.printed = 0

    def shrink(self, order: Order, before: int, after: int, printed: int) -> None:
        """Somebody left the line, or joined it."""
        if after == 0 or order.ahead is UNKNOWN:
            order.ahead = after
            return
        left, behind = before - after - printed, before - printed - order.ahead
        if self.queue.kind == "probability" and left > 0 and order.ahead > 0:
            gone = left
            if behind > 0:
                front, back = (self.weight(x / 1e9) for x in (order.ahead, behind))
                gone = math.floor(front / (front + back) * float(left)) if front + back > 0 else 0
                gone = max(gone, left - behind)
            order.ahead = max(order.ahead - gone, 0)
        order.ahead = min(order.ahead, after)

    def weight(self, units: float) -> float:
        return math.log1p(units) if self.queue.share == "log" else math.pow(units, self.queue.exponent)

    def print(self, symbol: int, price: float, quantity: float, aggressor: int) -> None:
        market, at, left = self.markets[symbol], nano(price), nano(quantity)
        if not self.session(symbol)[0]:
            return
        market.last = at
        market.print = Level(at, left)
        self.act_all(symbol)
        left -= market.print.taken
        market.print = None
        while left > 0:
            served = [o for o in self.resting(symbol) if o.matched != self.number and (
                o.side * (o.limit - at) > 0 or (o.limit == at and aggressor != o.side))]  # fmt: skip
            if not served:
                return
            order = min(served, key=lambda o: (-o.side * (o.limit - at), o.id))
            order.matched = self.number
            room = left
            if order.limit != at:
                order.ahead = 0
            elif order.ahead is UNKNOWN:
                continue
            else:
                room = max(left - order.ahead, 0)
                order.ahead = max(order.ahead - left, 0)
                order.printed += left
            room = room // self.lot * self.lot
            if room:
                left -= self.fill(order, order.limit, room)
                self.take_in(symbol)
