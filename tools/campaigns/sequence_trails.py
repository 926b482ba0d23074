"""Where a trailing stop stands: the peak that it follows, bar by bar, and the level that hangs on it."""

from __future__ import annotations

from campaigns.sequence_order import STOP, TRAILING, Order
from campaigns.sequence_prices import passes
from campaigns.sequence_shape import trail_level
from campaigns.sequence_state import SequenceState


class Trails(SequenceState):
    """A floor of SequenceModel."""

    def levels(self, order: Order) -> tuple[int, ...]:
        """The stops that a trailing stop may have: one, but for a child whose birth the log does not time."""
        peaks = order.peaks
        found = [trail_level(self.tick, peak, order.side, order.trail, order.trail_rate) for peak in peaks]
        return tuple(found) if len(found) < 2 or found[0] != found[1] else (found[0],)

    def standing(self, order: Order) -> tuple[int, ...]:
        """The stops that an order may wait for; 0 = none any more, which not every spent stop tells."""
        if order.is_fired or not order.stop:
            return (0,)
        found = self.levels(order) if order.kind == TRAILING else (order.stop,)
        return (*found, 0) if order.may_be_spent else found

    def moved_peaks(self, order: Order, high: int, low: int, close: int) -> tuple[int, ...]:
        """The peaks once the bar is over. A child born inside it saw the close, no more."""
        extreme = high if order.side < 0 else low
        by_close = self.policy.trail_by == "closes"
        seen = (close,) if by_close else (extreme, close) if self.may_be_inside(order) else (extreme,)
        better = max if order.side < 0 else min
        found = sorted({better(peak, price) for peak in order.peaks for price in seen})
        return tuple(found)

    def may_be_inside(self, order: Order) -> bool:
        """Whether the order was born in this bar by an entry that may have filled at the open, or later in it."""
        return order.parent != 0 and order.created == self.step and order.parent_waits

    def move_trails(self, slot: int, high: int, low: int, close: int) -> None:
        """At the end of a bar. What was born at its close is not there yet."""
        reached = self.is_scarce
        for order in self.active[slot]:
            if order.kind == TRAILING and not order.is_fired and not order.born_late:
                before = self.levels(order) if reached else ()
                order.peaks = self.moved_peaks(order, high, low, close)
                if reached and any([passes(order.side, stop, high, low) for stop in (*before, *self.levels(order))]):
                    order.may_have_fired = True
            elif reached and order.kind == STOP and passes(order.side, order.stop, high, low):
                order.may_have_fired = True  # in a bar whose volume left it nothing, which leaves no event
            order.born_late = False
