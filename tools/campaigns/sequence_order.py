"""One order as the event log tells of it, one as the gate sees it, and the codes of log and script."""

from __future__ import annotations

from campaigns.books import NANO

PLACE, TRADE, TARGET, CLOSE, TRAIL, CANCEL, CANCEL_ALL_ROWS, MODIFY, JOIN, HALT_ROW = range(10)
ORDER, DENIED, FILL, CANCELLED, EXPIRED, REJECTED, HALTED, RESUMED, MODIFIED, JOINED = range(2, 12)
MARKET, LIMIT, STOP, STOP_LIMIT, TRAILING, ON_OPEN, ON_CLOSE = range(7)
SUBMITTED, PARTIAL, FILLED_STATE, CANCELLED_STATE, REJECTED_STATE, EXPIRED_STATE, DENIED_STATE = range(1, 8)
GTC, DAY, IOC, FOK, GTD = range(5)
ENTRY, CLOSING, STOP_LOSS, TAKE_PROFIT, TRAIL_ROLE = range(5)
NS_DAY = 86_400 * NANO
SKIPPED = -9999
NOTHING_FITS = 2**62


class Order:
    """One order as the log tells of it. quantity 0: found at its fill."""

    def __init__(
        self, id: int, slot: int, side: int, kind: int, role: int, quantity: int, limit: int, stop: int
    ) -> None:
        self.id, self.slot, self.side, self.kind, self.role = id, slot, side, kind, role
        self.quantity, self.limit, self.stop = quantity, limit, stop
        self.filled = self.parent = self.partner = self.good_till = self.tif = 0
        self.status = SUBMITTED
        self.created = self.created_ns = 0
        self.modified = -1
        self.peaks: tuple[int, ...] = ()  # of a trailing stop: what the highest (lowest) price since may be
        self.trail = self.trail_rate = 0
        self.bracket: tuple[int, ...] = (0, 0, 0, 0, 0, 0)
        self.is_fired = self.may_have_fired = self.at_once = False
        self.born_late = self.parent_waits = False  # a child: at the close; by an entry that waited for its price

    @property
    def may_be_spent(self) -> bool:
        """Whether the stop may have been reached without an event that says so."""
        return self.may_have_fired or self.kind == STOP_LIMIT


class Ask:
    """An order as the gate sees it. quantity None: found at its fill."""

    def __init__(
        self, slot: int, side: int, quantity: int | None, limit: int, stop: int, closes: bool, changed: int
    ) -> None:
        self.slot, self.side, self.quantity = slot, side, quantity
        self.limit, self.stop, self.closes, self.changed = limit, stop, closes, changed
        self.kind = MARKET
        self.may_be_short = False  # where shorting is off and the size is found at the fill

    def __repr__(self) -> str:
        return f"Ask({vars(self)})"
