"""How orders end and change: the half of the sequence model that handles every event but orders and fills."""

from __future__ import annotations

from typing import Any

from campaigns.books import Wrong
from campaigns.gate_model import CANCEL_ALL, HALT
from campaigns.sequence_fills import FillChecks
from campaigns.sequence_order import (
    CANCEL,
    CANCEL_ALL_ROWS,
    CANCELLED,
    CANCELLED_STATE,
    DAY,
    ENTRY,
    EXPIRED,
    EXPIRED_STATE,
    FOK,
    GTD,
    HALT_ROW,
    IOC,
    JOIN,
    MODIFY,
    NS_DAY,
    PARTIAL,
    REJECTED,
    REJECTED_STATE,
    SKIPPED,
    STOP_LOSS,
    TRAILING,
    Ask,
    Order,
)


class Changes(FillChecks):
    """A floor of SequenceModel."""

    def end(self, order: Order, status: int) -> None:
        order.status = status
        self.active[order.slot].remove(order)

    def on_end(self, event: tuple[int, ...]) -> None:
        order, kind, reason = self.orders[event[2] - 1], event[9], event[8]
        if order.status > PARTIAL:
            raise Wrong(f"order {order.id} ended in state {order.status}")
        if kind == REJECTED and order.status == PARTIAL:
            raise Wrong(f"order {order.id} was rejected after it filled")
        if kind == REJECTED and not reason:
            raise Wrong(f"order {order.id} was rejected and the log does not say why")
        if event[3] != order.filled:
            raise Wrong(f"order {order.id} ended with {event[3]} filled, {order.filled} was")
        if kind == EXPIRED:
            if order.tif == GTD:
                fair = self.now > order.good_till
            else:
                fair = order.tif == DAY and (self.now - 1) // NS_DAY != self.first_eligible_day(order)
            if not fair:
                raise Wrong(f"order {order.id} expired before its time")
        elif order.id not in self.due and not self.may_end(order, kind, reason):
            raise Wrong(f"order {order.id} ended ({kind}, {reason}) for no reason")
        self.due.discard(order.id)
        self.end(order, {CANCELLED: CANCELLED_STATE, EXPIRED: EXPIRED_STATE, REJECTED: REJECTED_STATE}[kind])
        partner = self.orders[order.partner - 1] if order.partner else None
        if partner is not None and partner.status <= PARTIAL and not self.may_end_alone(order, kind):
            self.due.add(partner.id)  # however one of two ends, the other ends with it

    def may_end_alone(self, order: Order, kind: int) -> bool:
        """Whether the fill just before may have been for all that a joined order of unknown size still had to fill."""
        if order.id not in self.may_be_due or kind != CANCELLED:
            return False
        return (self.step, order.id) not in self.scripted_cancels  # by hand it ended later, and its partner with it

    def may_end(self, order: Order, kind: int, reason: int) -> bool:
        if (self.step, order.id) in self.scripted_cancels or (self.step, order.slot) in self.scripted_sweeps:
            return True
        if not self.is_finishing and not self.has_bar[order.slot]:
            return False
        if reason in (-110, -111) or (reason <= -120 and (self.gate.is_on or kind == REJECTED)):
            return True  # cash, shorting or a limit left nothing of it
        return order.quantity == 0 or order.tif in (IOC, FOK) or order.id in self.may_be_due

    def on_halted(self, event: tuple[int, ...]) -> None:
        self.settle()
        self.enter_strategy()
        gate = self.gate
        if event[8]:
            self.due_halt = self.due_halt or gate.watch(self.now)
            if event[8] != self.due_halt or event[5] != gate.loss_mode:
                raise Wrong(f"halted by {event[8]}, due was {self.due_halt}")
            self.due_halt = 0
        elif not self.settings.resume_at or self.step != self.settings.resume_at - 1 or not self.is_outside():
            row = self.expect_rows_without_events((HALT_ROW,))
            if row[3] != event[5]:
                raise Wrong(f"the call {row} led to mode {event[5]}")
        if event[5] <= gate.mode:
            raise Wrong(f"mode {gate.mode} was loosened to {event[5]}")
        gate.mode = event[5]
        for slot in self.slots:
            held = self.books.positions[slot].quantity
            for order in self.active[slot]:
                ends = order.role == ENTRY and (gate.mode == HALT or held * order.side >= 0)
                if gate.mode == CANCEL_ALL or ends:
                    self.due.add(order.id)

    def is_outside(self) -> bool:
        """Whether every call of this step has been made: what comes now comes from between two calls of `advance`."""
        silent = (CANCEL, CANCEL_ALL_ROWS, HALT_ROW)
        left = self.rows[self.next_row :]
        return all(row[0] > self.step or row[20] in (SKIPPED, 0) or row[2] in silent for row in left)

    def on_resumed(self, event: tuple[int, ...]) -> None:
        self.settle()
        self.enter_strategy()
        self.gate.resume()

    def on_modified(self, event: tuple[int, ...]) -> None:
        self.settle()
        self.enter_strategy()
        row = self.expect_rows_without_events((MODIFY,))
        order = self.orders[event[2] - 1] if 1 <= event[2] <= len(self.orders) else None
        if row[18] != event[2] or row[20] != (event[8] or 1):
            raise Wrong(f"the call {row} changed order {event[2]} with {event[8]}")
        is_active = order is not None and order.status <= PARTIAL
        if event[8] in (-106, -107):
            if is_active or (order is None) != (event[8] == -106):
                raise Wrong(f"order {event[2]} could be changed and was refused with {event[8]}")
            self.denials += 1
            return
        if not is_active:
            raise Wrong(f"order {event[2]} was changed after its end")
        quantity, limit, stop = row[4], row[5], row[6]
        left = (quantity or order.quantity) - order.filled if quantity or order.quantity else None
        stops = (stop,) if stop else self.standing(order)
        ask = Ask(order.slot, order.side, left, limit or order.limit, stops[0], order.role != ENTRY, order.id)
        if event[8]:
            self.denials += 1
            if event[8] <= -120:
                self.judge(ask, event[8], stops)
            return
        if order.kind == TRAILING and event[5] not in stops and not order.is_fired and not order.may_have_fired:
            raise Wrong(f"order {order.id} stands at {event[5]}, due was one of {stops}")
        if quantity and (order.role >= STOP_LOSS or quantity <= order.filled or quantity % self.lot):
            raise Wrong(f"order {order.id} took the quantity {quantity}")
        if (limit and not order.limit) or (stop and (not order.stop or order.kind == TRAILING)):
            raise Wrong(f"order {order.id} took a price of a kind that it has not")
        if limit % self.tick or stop % self.tick:
            raise Wrong(f"order {order.id} took a price off the tick")
        self.judge(ask, 0, stops)
        order.quantity, order.limit = quantity or order.quantity, limit or order.limit
        order.stop, order.modified = stop or order.stop, self.step
        if order.quantity and order.quantity != event[3]:
            raise Wrong(f"order {order.id} is for {event[3]} now, due was {order.quantity}")

    def on_joined(self, event: tuple[int, ...]) -> None:
        self.settle()
        self.enter_strategy()
        row = self.expect_rows_without_events((JOIN,))
        known = [self.orders[i - 1] if 1 <= i <= len(self.orders) else None for i in (row[18], row[19])]
        if row[20] != (event[8] or 1) or (event[2], event[5]) != (row[18], row[19]):
            raise Wrong(f"the call {row} joined {event[2]} and {event[5]} with {event[8]}")
        fair = self.may_join(*known)
        if (event[8] == 0) != fair:
            raise Wrong(f"orders {row[18]} and {row[19]} were answered {event[8]}")
        if fair:
            known[0].partner, known[1].partner = known[1].id, known[0].id
        else:
            self.denials += 1

    def may_join(self, one: Any, two: Any) -> bool:
        if one is None or two is None or one is two or one.status > PARTIAL or two.status > PARTIAL:
            return False
        if one.slot != two.slot or one.parent or two.parent:
            return False
        return not any(o.partner and self.orders[o.partner - 1].status <= PARTIAL for o in (one, two))
