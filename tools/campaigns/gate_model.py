"""The gate's promises in Python integers: which limit an order meets first, by the words of nt.RiskLimits.

An order that finds its size at its fill has no quantity here, and what depends on it is unknown: then any later answer
will do, and the fill itself is held to the limits instead.
"""

from __future__ import annotations

from typing import Any

from campaigns.books import Books
from campaigns.sequence_order import Ask, Order

NANO, PICO = 10**9, 10**12
OPEN, REDUCE_ONLY, HALT, CANCEL_ALL = range(4)
UNKNOWN = None
MAX_QUANTITY, MAX_NOTIONAL, COLLAR, MAX_POSITION, HALTED, REDUCING = -120, -121, -123, -124, -125, -126
MAX_EXPOSURE, MAX_LEVERAGE, RATE, RESTRICTED, LOSS, NET = -127, -128, -129, -130, -131, -132
DUPLICATE, REPEATED, SELF_TRADE, DRAWDOWN = -133, -134, -135, -136
NS_DAY = 86_400 * NANO


def willing(side: int, limit: int, stop: int) -> tuple[int, int]:
    """The lowest and the highest price at which an order may trade."""
    low, high = (stop, limit) if side > 0 else (limit, stop)
    return low, high or 2**63


class Gate:
    """Mode, losses and memory of the gate, over the books, last closes and working orders of the sequence model."""

    def __init__(self, settings: Any, books: Books, closes: list[int], active: list[list[Order]]) -> None:
        self.books, self.closes, self.active = books, closes, active
        self.enabled = settings.limits is not None
        limit = settings.limit
        self.max_quantity, self.max_notional = limit("max_order_quantity"), limit("max_order_notional")
        self.collar, self.max_position = limit("price_collar"), limit("max_position")
        self.max_gross, self.max_net = limit("max_gross_exposure"), limit("max_net_exposure")
        self.max_leverage, self.max_rate = limit("max_leverage"), limit("max_orders_per_second")
        self.duplicate_ns, self.max_executions = limit("duplicate_window_ns"), limit("max_executions")
        self.max_loss, self.max_drawdown = limit("max_daily_loss"), limit("max_drawdown")
        given = settings.limits or {}
        self.self_trade = given.get("prevent_self_trade", False)
        self.restricted = [name in given.get("restricted", ()) for name in settings.symbols]
        self.mode = HALT if given.get("kill_switch") else REDUCE_ONLY if given.get("reduce_only") else OPEN
        self.loss_mode = {"reduce_only": REDUCE_ONLY, "halt": HALT, "cancel_all": CANCEL_ALL}[
            given.get("on_loss", "halt")
        ]
        self.cause = 0
        self.day: int | None = None
        self.day_equity = self.peak = self.seen = settings.cash
        self.executions = 0
        self.recent: list[tuple[int, int, int, int | None, int, int | None]] = []

    # ---- losses

    def watch(self, now: int) -> int:
        """Look at equity; the cause that the engine has to announce (LOSS, DRAWDOWN), or 0."""
        if not (self.max_loss or self.max_drawdown):
            return 0
        equity, day = self.books.equity(self.closes), (now - 1) // NS_DAY
        if day != self.day:
            self.day, self.day_equity = day, self.seen
        self.seen = equity
        self.peak = max(self.peak, equity)
        if self.cause:
            return 0
        if self.max_loss and self.day_equity - equity > self.max_loss:
            self.cause = LOSS
        elif self.max_drawdown and (self.peak - equity) * PICO > self.max_drawdown * self.peak:
            self.cause = DRAWDOWN
        return self.cause if self.cause and self.loss_mode > self.mode else 0

    def resume(self) -> None:
        self.mode, self.cause, self.executions = OPEN, 0, 0
        self.seen = self.day_equity = self.peak = self.books.equity(self.closes)

    # ---- what works

    def working(self, slot: int, side: int, but: int) -> int | None:
        """Quantity of working entries of one side, UNKNOWN where one of them has no size yet."""
        total = 0
        for order in self.active[slot]:
            if order.role == 0 and order.side == side and order.id != but:
                if order.quantity == 0:
                    return UNKNOWN
                total += order.quantity - order.filled
        return total

    def worst(self, slot: int, up: int, down: int, price: int) -> int:
        books = self.books
        return max(
            books.notional(slot, up, price) if up > 0 else 0, books.notional(slot, -down, price) if down < 0 else 0
        )

    def towards(self, slot: int, quantity: int, price: int) -> int:
        amount = self.books.notional(slot, abs(quantity), price)
        return amount if quantity > 0 else -amount

    def exposures(self, ask: Any) -> tuple[int, int, int] | None:
        """Gross before and after, and net towards the order's side after; UNKNOWN with a size that is not known."""
        gross = net = 0
        ups: list[tuple[int, int]] = []
        for slot, position in enumerate(self.books.positions):
            more = [self.working(slot, side, ask.changed) for side in (1, -1)]
            if more[0] is None or more[1] is None:
                return UNKNOWN
            ups.append((position.quantity + more[0], position.quantity - more[1]))
            if slot != ask.slot and (position.quantity or self.active[slot]):
                price = self.closes[slot]
                gross += self.worst(slot, *ups[slot], price)
                net += self.towards(slot, ups[slot][0] if ask.side > 0 else -ups[slot][1], price)
        up, down = ups[ask.slot]
        price = max(ask.limit, ask.stop, self.closes[ask.slot])
        before = gross + self.worst(ask.slot, up, down, price)
        up, down = (up + ask.quantity, down) if ask.side > 0 else (up, down - ask.quantity)
        after = gross + self.worst(ask.slot, up, down, price)
        return before, after, net + self.towards(ask.slot, up if ask.side > 0 else -down, price)

    def crosses(self, ask: Ask, model: Any) -> bool | None:
        """Whether an own order of the other side would trade there; UNKNOWN where that hangs on a stop."""

        low, high = willing(ask.side, ask.limit, ask.stop)
        found: bool | None = False
        for order in self.active[ask.slot]:
            if order.side == ask.side or order.role >= 2:
                continue
            ways = []
            for stop in model.standing(order):
                other_low, other_high = willing(order.side, order.limit, stop)
                ways.append(other_low <= high and low <= other_high)
            if all(ways):
                return True
            if any(ways):
                found = UNKNOWN
        return found

    # ---- the verdict

    def expected(self, ask: Ask, now: int, model: Any) -> set[int]:
        """The answers that the gate may give: 0 = it passes, else a refusal. Several where something is unknown."""
        found: set[int] = set()
        for code, verdict in self.rules(ask, now, model):
            if verdict is UNKNOWN:
                found.add(code)
            elif verdict:
                return found | {code}
        return found | {0}

    def rules(self, ask: Ask, now: int, model: Any) -> Any:
        """(code, whether it refuses or UNKNOWN), in the order in which the gate asks."""
        held, quantity, side = self.books.positions[ask.slot].quantity, ask.quantity, ask.side
        working = self.working(ask.slot, side, ask.changed)
        reduces: bool | None = ask.closes
        if not ask.closes:
            known = quantity is not None and working is not None
            reduces = (
                (held * side < 0 and quantity + working <= abs(held))
                if known
                else UNKNOWN
                if held * side < 0
                else False
            )
        code = self.cause or (REDUCING if self.mode == REDUCE_ONLY else HALTED)
        refuses_mode = self.mode != OPEN and (self.mode != REDUCE_ONLY or not reduces)
        yield code, UNKNOWN if self.mode == REDUCE_ONLY and reduces is UNKNOWN else refuses_mode
        if not self.enabled:
            return
        close = self.closes[ask.slot]
        yield RESTRICTED, self.restricted[ask.slot]
        if self.max_quantity:
            yield MAX_QUANTITY, UNKNOWN if quantity is None else quantity > self.max_quantity
        if self.max_notional:
            price = ask.limit if side > 0 and ask.limit else max(ask.limit, ask.stop, close)
            over = UNKNOWN if quantity is None else self.books.notional(ask.slot, quantity, price) > self.max_notional
            yield MAX_NOTIONAL, over
        if self.collar:
            far = max([abs(price - close) for price in (ask.limit, ask.stop) if price], default=0)
            yield COLLAR, far * PICO > self.collar * close
        if self.max_position and not ask.closes:
            known = quantity is not None and working is not None
            after = abs(held + side * (quantity + working)) if known else 0
            yield MAX_POSITION, after > abs(held) and after > self.max_position if known else UNKNOWN
        yield from self.exposure_rules(ask, reduces)
        if self.self_trade:
            yield SELF_TRADE, self.crosses(ask, model)
        yield from self.history_rules(ask, reduces, now)

    def exposure_rules(self, ask: Any, reduces: bool | None) -> Any:
        if not (self.max_gross or self.max_net or self.max_leverage):
            return
        found = None if ask.quantity is None else self.exposures(ask)
        if found is None:
            yield from [(code, UNKNOWN) for code in (MAX_EXPOSURE, NET, MAX_LEVERAGE)]
            return
        before, after, net = found
        adds = not ask.closes and after > before
        if self.max_gross:
            yield MAX_EXPOSURE, adds and after > self.max_gross
        if self.max_net:
            yield NET, UNKNOWN if reduces is UNKNOWN else not reduces and net > self.max_net
        if self.max_leverage:
            equity = self.books.equity(self.closes)
            yield MAX_LEVERAGE, adds and (equity <= 0 or after * NANO > equity * self.max_leverage)

    def history_rules(self, ask: Any, reduces: bool | None, now: int) -> Any:
        if self.duplicate_ns:
            like: bool | None = False
            for ts_ns, slot, side, quantity, limit, stop in self.recent:
                if now - ts_ns >= self.duplicate_ns or (slot, side, limit) != (ask.slot, ask.side, ask.limit):
                    continue
                differs = stop not in (UNKNOWN, ask.stop) or (
                    UNKNOWN not in (quantity, ask.quantity) and quantity != ask.quantity
                )
                if not differs:
                    like = like or (UNKNOWN if UNKNOWN in (stop, quantity, ask.quantity) else True)
            yield DUPLICATE, like
        if self.max_executions:
            count = self.executions + 1
            for orders in self.active:
                for order in orders:
                    if order.role == 0:
                        count += (order.filled == 0) - (order.id == ask.changed)
            yield REPEATED, UNKNOWN if reduces is UNKNOWN else not reduces and count > self.max_executions
        if self.max_rate:
            yield RATE, sum([now - row[0] < NANO for row in self.recent]) + 1 > self.max_rate

    def passed(self, ask: Any, now: int, is_stop_known: bool) -> None:
        if self.max_rate or self.duplicate_ns:
            stop = ask.stop if is_stop_known else UNKNOWN
            self.recent.append((now, ask.slot, ask.side, ask.quantity, ask.limit, stop))

    @property
    def is_on(self) -> bool:
        return self.enabled or self.mode != OPEN
