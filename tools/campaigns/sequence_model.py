"""The event log of one run against what was promised, event by event, in Python integers.

It knows the script, the bars and the settings, and takes the log's word for one thing only: that an order filled now.
Whether it may, for how much and near which price, what it costs, what it does to children, partners and siblings, which
limits it must keep and what has to end with it, all follows here. `Wrong` says what does not hold.
"""

from __future__ import annotations

from typing import Any

from campaigns.books import PICO, Wrong, half_even
from campaigns.sequence_changes import Changes
from campaigns.sequence_order import (
    CANCEL,
    CANCEL_ALL_ROWS,
    CANCELLED,
    CLOSE,
    CLOSING,
    DENIED,
    DENIED_STATE,
    ENTRY,
    EXPIRED,
    FILL,
    FILLED_STATE,
    HALT_ROW,
    HALTED,
    IOC,
    JOINED,
    LIMIT,
    MARKET,
    MODIFIED,
    ON_CLOSE,
    ON_OPEN,
    ORDER,
    PARTIAL,
    PLACE,
    REJECTED,
    RESUMED,
    SKIPPED,
    STOP,
    STOP_LOSS,
    TAKE_PROFIT,
    TARGET,
    TRADE,
    TRAIL,
    TRAIL_ROLE,
    TRAILING,
    Order,
)
from campaigns.sequence_prices import check_price
from campaigns.sequence_shape import shape_refusal, trail_level

POSITION = ("quantity", "basis", "realised", "fees", "entry_price", "entry_fees")


class SequenceModel(Changes):
    # ---- time

    def run(self, events: list[tuple[int, ...]], rows: list[tuple[int, ...]], last_step: int) -> None:
        """rows: the script's, with the ids and answers that the run wrote into them."""
        self.rows = rows
        for row in rows:
            if row[2] == CANCEL and row[20] == 1:
                self.scripted_cancels.add((row[0], row[18]))
            elif row[2] == CANCEL_ALL_ROWS and row[20] > 0:
                self.scripted_sweeps.add((row[0], row[1]))
        for event in events:
            if event[0] != self.step:
                self.advance(event[0])
            if event[1] != self.now:
                raise Wrong(f"event of step {event[0]} says it is {event[1]}, the clock {self.now}")
            self.handle(event, event[9])
        self.advance(last_step + 1)
        self.expect_rows_without_events(None)

    def handle(self, event: tuple[int, ...], kind: int) -> None:
        if kind == FILL:
            self.on_fill(event)
        elif kind == ORDER:
            self.on_order(event)
        elif kind == DENIED:
            self.on_denied(event)
        elif kind in (CANCELLED, EXPIRED, REJECTED):
            self.on_end(event)
        elif kind == HALTED:
            self.on_halted(event)
        elif kind == RESUMED:
            self.on_resumed(event)
        elif kind == MODIFIED:
            self.on_modified(event)
        elif kind == JOINED:
            self.on_joined(event)
        else:
            raise Wrong(f"an event of kind {kind}")

    def advance(self, step: int) -> None:
        if step < self.step:
            raise Wrong(f"step {step} after step {self.step}")
        while self.step < step:
            if self.step >= 0:
                self.end_step()
            self.step += 1
            self.begin_step()

    # ---- the script

    def expect_rows_without_events(self, actions: Any) -> tuple[int, ...]:
        """Go on to the next call that leaves an event (of `actions`), past those that leave none or only cancel."""
        rows = self.rows
        while self.next_row < len(rows):
            row = rows[self.next_row]
            if row[20] == SKIPPED or row[2] in (CANCEL, CANCEL_ALL_ROWS):
                self.next_row += 1
                continue
            if row[2] == HALT_ROW and not self.halts(row):
                self.next_row += 1
                continue
            if row[20] == 0 and row[2] != HALT_ROW:
                self.next_row += 1
                continue
            break
        else:
            if actions is None:
                return ()
            raise Wrong("an event that no call of the script explains")
        if actions is None:
            raise Wrong(f"the call {row} was answered and left no event")
        if row[2] not in actions or row[0] != self.step:
            raise Wrong(f"an event at step {self.step} where the call {row} comes next")
        self.next_row += 1
        return row

    def halts(self, row: tuple[int, ...]) -> bool:
        return row[0] == self.step and row[3] > self.gate.mode

    def is_scripted(self, event: tuple[int, ...]) -> bool:
        """Whether the next placing call answered with this id."""
        for row in self.rows[self.next_row :]:
            if row[20] == event[2] and row[2] <= TRAIL:
                return True
            if row[2] <= TRAIL and row[20] != SKIPPED and row[20] > 0:
                return False
        return False

    # ---- events

    def add(self, event: tuple[int, ...], role: int) -> Order:
        order = Order(event[2], event[7], event[10], event[8], role, event[3], event[4], event[5])
        if order.id != len(self.orders) + 1:
            raise Wrong(f"order {order.id} is number {len(self.orders) + 1}")
        order.created, order.created_ns = self.step, self.now
        self.orders.append(order)
        return order

    def on_order(self, event: tuple[int, ...]) -> None:
        if self.expected_children:
            self.on_child(event)
        elif self.is_scripted(event):
            self.on_placed(event)
        else:
            self.on_finish(event)

    def on_placed(self, event: tuple[int, ...]) -> None:
        self.settle()
        self.enter_strategy()
        row = self.expect_rows_without_events((PLACE, TRADE, TARGET, CLOSE, TRAIL))
        if row[20] != event[2]:
            raise Wrong(f"the call {row} was answered {row[20]}, the order is {event[2]}")
        ask, refusal = shape_refusal(self, row)
        if refusal:
            raise Wrong(f"order {event[2]} passed where {refusal} was due")
        role = CLOSING if row[2] == CLOSE else TRAIL_ROLE if row[2] == TRAIL and row[3] == 0 else ENTRY
        if ask.quantity is not None and event[3] != ask.quantity:
            raise Wrong(f"order {event[2]} is for {event[3]}, asked was {ask.quantity}")
        if ask.quantity is None and event[3] != 0:
            raise Wrong(f"order {event[2]} has the quantity {event[3]} before its fill")
        if (event[7], event[8], event[4], event[5]) != (ask.slot, ask.kind, ask.limit, ask.stop):
            raise Wrong(f"order {event[2]} is {event}, asked was {row}")
        if row[2] != TARGET and event[10] != ask.side:
            raise Wrong(f"order {event[2]} is on side {event[10]}")
        ask.side = event[10]
        self.judge(ask, 0)
        order = self.add(event, role)
        self.active[order.slot].append(order)
        if row[2] in (PLACE, TRAIL):
            order.tif, order.good_till = row[13], row[14]
        if row[2] == PLACE:
            order.bracket = row[7:13]
        elif row[2] == TRAIL:
            order.trail, order.trail_rate, order.peaks = row[9], row[12], (self.closes[order.slot],)

    def on_denied(self, event: tuple[int, ...]) -> None:
        self.settle()
        self.enter_strategy()
        row = self.expect_rows_without_events((PLACE, TRADE, TARGET, CLOSE, TRAIL))
        if row[20] != event[8]:
            raise Wrong(f"the call {row} was answered {row[20]}, the log says {event[8]}")
        ask, refusal = shape_refusal(self, row)
        if refusal or event[8] > -120:
            if refusal != event[8] and not (ask.may_be_short and event[8] == -111):
                raise Wrong(f"{ask} was refused with {event[8]}, due was {refusal}")
        else:
            if row[2] == TARGET:
                ask.side = event[10]
            self.judge(ask, event[8])
        self.add(event, ENTRY).status = DENIED_STATE
        self.denials += 1

    def on_child(self, event: tuple[int, ...]) -> None:
        parent = self.family
        role, quantity, price = self.expected_children.pop(0)
        order = self.add(event, role)
        kind = LIMIT if role == TAKE_PROFIT else TRAILING if role == TRAIL_ROLE else STOP
        shown = order.limit if role == TAKE_PROFIT else order.stop
        found = (order.slot, order.side, order.kind, order.quantity, shown)
        due = (parent.slot, -parent.side, kind, quantity, shown if price is None else price)
        if found != due:
            raise Wrong(f"child {order.id} of order {parent.id} is {found}, due was {due}")
        order.parent, order.parent_waits = parent.id, parent.kind not in (MARKET, ON_OPEN, ON_CLOSE)
        order.born_late = parent.kind == ON_CLOSE
        if role == TRAIL_ROLE:
            order.trail, order.trail_rate, order.peaks = parent.bracket[2], parent.bracket[5], (self.family_base,)
        choice = self.policy.contingent_from
        if order.parent_waits:
            choice = self.policy.contingent_from_working or choice
        late = parent.kind == ON_CLOSE or (parent.kind == MARKET and self.fills_at_close)
        order.at_once = choice != "next_bar" and (choice == "entry_bar" or role == TAKE_PROFIT) and not late
        self.active[order.slot].append(order)

    def on_finish(self, event: tuple[int, ...]) -> None:
        """The engine's own closing order, after the last step."""
        self.settle()
        held = self.books.positions[event[7]].quantity
        if not self.settings.close_open or held == 0 or (event[10] > 0) == (held > 0) or event[3] != abs(held):
            raise Wrong(f"order {event[2]} came from nowhere")
        self.enter_strategy()
        self.is_finishing = True
        order = self.add(event, CLOSING)
        self.active[order.slot].append(order)

    def on_fill(self, event: tuple[int, ...]) -> None:
        self.settle()
        order = self.orders[event[2] - 1]
        if order.status > PARTIAL:
            raise Wrong(f"order {order.id} filled in state {order.status}")
        at_close = not self.is_finishing and order.kind == MARKET and self.fills_at_close
        if order.kind == LIMIT and order.role == ENTRY and self.limits_at_once:
            at_close = self.step in (order.created, order.modified)
        if at_close:
            self.enter_strategy()
            self.expect_no_halt()
        slot, quantity, price = order.slot, event[3], event[4]
        if not self.is_finishing:
            if not self.has_bar[slot] or not self.is_eligible(order, at_close):
                raise Wrong(f"order {order.id} of step {order.created} may not fill in step {self.step}")
            self.check_time(order)
            check_price(self, order, price, at_close)
            self.check_volume(order, quantity)
        opened = self.check_size(order, quantity, price, event[8])
        if opened:
            self.check_opening(order, quantity - opened, opened, price)
        if order.role == ENTRY and order.filled == 0:
            self.gate.executions += 1
        order.filled += quantity
        fee = self.books.fill(slot, order.side * quantity, price)
        if (fee, self.books.cash) != (event[6], event[5]):
            raise Wrong(f"fill of order {order.id}: fee {event[6]}, cash {event[5]}; due were {fee}, {self.books.cash}")
        self.fills += 1
        self.after_fill(order, quantity, opened, price, event[8])

    # ---- what a fill brings about

    def after_fill(self, order: Order, quantity: int, opened: int, price: int, after: int) -> None:
        slot = order.slot
        if after == FILLED_STATE:
            self.end(order, FILLED_STATE)
        else:
            order.status = PARTIAL
            order.is_fired = order.is_fired or order.kind in (STOP, TRAILING)
            if not self.is_scarce or order.tif == IOC:
                self.due.add(order.id)
        if opened and order.role == ENTRY:
            self.expect_children(order, opened, price)
        partner = self.orders[order.partner - 1] if order.partner else None
        if partner is not None and partner.status <= PARTIAL:
            if partner.quantity == 0 and partner.filled and after != FILLED_STATE:
                self.may_be_due.add(partner.id)  # the size it found is not in the log
            elif after == FILLED_STATE or partner.quantity - quantity <= partner.filled:
                self.due.add(partner.id)
                partner.partner = 0  # it ends alone
            else:
                partner.quantity -= quantity
        held = self.books.positions[slot].quantity
        for other in self.active[slot]:
            if other is order or other.role == ENTRY:
                continue
            sibling = order.parent != 0 and other.parent == order.parent
            is_spent = sibling and (after == FILLED_STATE or other.quantity - quantity <= other.filled)
            if held * other.side >= 0 or is_spent:
                self.due.add(other.id)
            elif sibling:
                other.quantity -= quantity

    def expect_children(self, order: Order, opened: int, price: int) -> None:
        loss, profit, trail, loss_rate, profit_rate, trail_rate = order.bracket
        children = [other for other in self.active[order.slot] if other.parent == order.id]
        if order.filled > opened and children:
            for child in children:
                child.quantity += opened
            return
        base = price if self.policy.stop_base == "fill_price" else self.prices[order.slot][self.bars[order.slot]][4]
        self.family, self.family_base = order, base
        if loss or loss_rate:
            level = loss or self.moved(base, loss_rate, -order.side)
            self.expected_children.append((STOP_LOSS, opened, level))
        if trail or trail_rate:
            self.expected_children.append(
                (TRAIL_ROLE, opened, trail_level(self.tick, base, -order.side, trail, trail_rate))
            )
        if profit or profit_rate:
            self.expected_children.append((TAKE_PROFIT, opened, profit or self.moved(base, profit_rate, order.side)))

    def moved(self, base: int, rate: int, way: int) -> int:
        tick = self.tick
        level = base + way * half_even(base * rate, PICO)
        return max(tick, half_even(level, tick) * tick if tick > 1 else level)

    # ---- what is left at the end

    def check_end(self, orders: Any, ledger: dict[str, Any], counters: dict[str, Any]) -> None:
        """The order table and the ledger that the run left behind."""
        columns = [orders[name].tolist() for name in ("status", "side", "parent_id", "role", "filled", "quantity")]
        for order, status, side, parent, role, filled, quantity in zip(self.orders, *columns, strict=True):
            known, due = (status, side, parent), (order.status, order.side, order.parent)
            if known != due or filled != order.filled / 1e9:
                raise Wrong(f"order {order.id} ended as {known}, {filled} filled; due was {due}, {order.filled}")
            if role != order.role and status != DENIED_STATE:
                raise Wrong(f"order {order.id} has the role {role}, due was {order.role}")
            if filled > quantity:  # NaN where it never found its size
                raise Wrong(f"order {order.id} filled {filled} of {quantity}")
        for symbol, position in zip(self.settings.symbols, self.books.positions, strict=True):
            found = ledger["positions"][symbol]
            if tuple([found[name] for name in POSITION]) != position.state():
                raise Wrong(f"{symbol}: the ledger holds {found}, due is {position.state()}")
        if (ledger["cash"], ledger["balance"], ledger["deposits"]) != (self.books.cash, 0, self.books.deposits):
            raise Wrong(f"cash {ledger['cash']}, balance {ledger['balance']}; due is {self.books.cash}")
        if (counters["fills"], counters["denials"], counters["orders"]) != (self.fills, self.denials, len(self.orders)):
            raise Wrong(
                f"counters {counters}; due are {self.fills} fills, {self.denials} denials, {len(self.orders)} orders"
            )
