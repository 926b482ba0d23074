"""Whether a fill may be: in time, within the volume, for no more than is left, within limits and cash."""

from __future__ import annotations

from campaigns.books import NANO, Wrong
from campaigns.gate_model import OPEN
from campaigns.sequence_clock import Clock
from campaigns.sequence_order import DAY, ENTRY, FILLED_STATE, FOK, GTD, NOTHING_FITS, NS_DAY, Order


class FillChecks(Clock):
    """A floor of SequenceModel."""

    def check_time(self, order: Order) -> None:
        if order.tif == GTD and self.now > order.good_till:
            raise Wrong(f"order {order.id} was good till {order.good_till} and filled at {self.now}")
        if order.tif == DAY:
            day = (self.now - 1) // NS_DAY
            first = self.first_eligible_day(order)
            if first is not None and day != first:
                raise Wrong(f"order {order.id} was good for day {first} and filled on day {day}")

    def first_eligible_day(self, order: Order) -> int | None:
        """The day of the first bar that could have filled the order."""
        own = self.prices[order.slot]
        for bar in range(1, self.bars[order.slot] + 1):
            started = own[bar - 1][0] >= order.created_ns + self.latency_ns
            if own[bar][0] > order.created_ns and started:
                return (own[bar][0] - 1) // NS_DAY
        return None

    def check_volume(self, order: Order, quantity: int) -> None:
        if self.volume_cap:
            self.room[order.slot] -= quantity
            if self.room[order.slot] < 0:
                raise Wrong(f"order {order.id} took {-self.room[order.slot]} more than the bar's volume allows")

    def check_size(self, order: Order, quantity: int, price: int, after: int) -> int:
        """Nothing above what is left, exits never beyond what is held. Returns what the fill opens."""
        held = self.books.positions[order.slot].quantity
        closable = abs(held) if held * order.side < 0 else 0
        left = order.quantity - order.filled if order.quantity else NOTHING_FITS
        wanted = left if order.role == ENTRY else min(left, closable)
        if not 0 < quantity <= wanted:
            raise Wrong(f"order {order.id} filled {quantity}, {wanted} is what it may")
        if order.quantity and (after == FILLED_STATE) != (quantity == wanted):
            raise Wrong(f"order {order.id} filled {quantity} of {wanted} and says {after}")
        if order.tif == FOK and order.quantity and quantity != wanted:
            raise Wrong(f"order {order.id} is fill or kill and filled {quantity} of {wanted}")
        if order.role != ENTRY:
            order.quantity = order.filled + wanted  # an exit is for what there is to close
        return quantity - min(quantity, closable)

    def check_opening(self, order: Order, closed: int, opened: int, price: int) -> None:
        """What enlarges a position: allowed by the mode, within the limits and covered by cash."""
        gate, slot, books = self.gate, order.slot, self.books
        held = books.positions[slot].quantity
        after = held + order.side * (closed + opened)
        if gate.mode != OPEN:
            raise Wrong(f"order {order.id} opened {opened} in mode {gate.mode}")
        if after < 0 and not self.shorting:
            raise Wrong(f"order {order.id} sold short")
        is_sized = order.quantity == 0 and order.filled == 0
        if gate.max_position and abs(after) > gate.max_position:
            raise Wrong(f"order {order.id}: position {after} beyond its limit {gate.max_position}")
        if is_sized and gate.max_quantity and closed + opened > gate.max_quantity:
            raise Wrong(f"order {order.id}: quantity {closed + opened} beyond its limit {gate.max_quantity}")
        if is_sized and gate.max_notional and books.notional(slot, closed + opened, price) > gate.max_notional:
            raise Wrong(f"order {order.id}: notional beyond its limit {gate.max_notional}")
        self.check_exposure(order, after, price if is_sized or not self.closes[slot] else self.closes[slot])
        kept = held + order.side * closed
        needed = books.margin(slot, opened, price) + books.fee(slot, closed + opened, price)
        free = books.free(slot, kept, price, self.closes)
        if needed > free:
            raise Wrong(f"order {order.id} needed {needed}, {free} was free")

    def check_exposure(self, order: Order, after: int, mark: int) -> None:
        gate, books = self.gate, self.books
        if not (gate.max_gross or gate.max_net or gate.max_leverage):
            return
        gross = books.notional(order.slot, abs(after), mark)
        net = gross if after * order.side > 0 else -gross
        for slot, position in enumerate(books.positions):
            if slot != order.slot and position.quantity:
                worth = books.notional(slot, abs(position.quantity), self.closes[slot])
                gross += worth
                net += worth if position.quantity * order.side > 0 else -worth
        if gate.max_gross and gross > gate.max_gross:
            raise Wrong(f"order {order.id}: gross exposure {gross} beyond its limit {gate.max_gross}")
        if gate.max_net and net > gate.max_net:
            raise Wrong(f"order {order.id}: net exposure {net} beyond its limit {gate.max_net}")
        if gate.max_leverage and gross * NANO > self.equity() * gate.max_leverage:
            raise Wrong(f"order {order.id}: leverage beyond its limit {gate.max_leverage}")
