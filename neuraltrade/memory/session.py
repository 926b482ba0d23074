"""The session tier (L1): positions, working orders, signals, market state, recent observations; bounded, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from ..clock import Clock
from ..core.layouts import EVENT_DTYPE, EVENT_KINDS, FLOW_KINDS, ORDER_STATES, ORDER_TYPES
from ..core.session import Tables
from ..core.settings import Denial
from ..errors import InputError
from .agentdb import AgentDB
from .session_parts import SignalRings, WorkingOrder, rate, signal_row
from .session_rebuild import rebuild

_ORDER, _FILL = EVENT_KINDS.index("order"), EVENT_KINDS.index("fill")
_SIGNAL, _MODIFIED = EVENT_KINDS.index("signal"), EVENT_KINDS.index("modified")
_FLOW, _RATE = EVENT_KINDS.index("flow"), EVENT_KINDS.index("rate")
_DONE = frozenset(EVENT_KINDS.index(kind) for kind in ("cancelled", "expired", "rejected"))
_FILLED = ORDER_STATES.index("filled")


class SessionMemory(Tables):
    """What a running session must know within nanoseconds. A cache: it is rebuilt from a log of events.

    capacity : how many orders may be active, 1..2**24. ring : observations kept per symbol, 1..2**20. ttl_s : seconds
    after which market state counts as unknown. symbols : how many symbols. cash : what the account starts with,
    cash_digits : its decimals. clock : has `now_ns()`; default: the machine's. multipliers : symbol -> money per point
    and unit, where it is not 1.
    A full table refuses and stays as it was: one order too many is nt.Denial.TABLE_FULL, one symbol too many an
    InputError naming the limit. Memory is taken at once, but for the rings: 128 bytes x ring at the first observation
    of a symbol, 64 bytes x ring at its first signal.

    Threads: each call is atomic under the interpreter's lock, so any thread may call anything; views (`position`,
    `recent`) show later changes, and their reader must take a copy to have a consistent picture beside a writer.

    Cost from Python: position 26 ns, is_active 27 ns (an empty method 21), recent 0.25 us.

    >>> import neuraltrade as nt
    >>> session = nt.SessionMemory(cash=10_000.0)
    >>> session.apply_fill("AAPL", "buy", 10, 101.0, fee=1.0)
    >>> held = session.position("AAPL")
    >>> session.observe("AAPL", "2024-03-01T21:00:00Z", price=103.0)
    >>> held.quantity, held.unrealised, session.cash
    (10.0, 20.0, 8989.0)
    >>> session.order_opened(7), session.is_active(7), session.is_active(8)
    (True, True, False)
    >>> session.recent("AAPL", 100)["price"]
    array([103.])
    >>> session.position("IBM") is None
    True
    """

    def __init__(
        self,
        capacity: int = 65_536,
        ring: int = 1_024,
        ttl_s: float = 300.0,
        *,
        symbols: int = 4_096,
        cash: float = 0.0,
        cash_digits: int = 6,
        clock: Clock | None = None,
        multipliers: Mapping[str, float] | None = None,
    ) -> None:
        del capacity, ring, ttl_s, symbols, cash, cash_digits, clock, multipliers  # the tables took and checked them
        self._signals = SignalRings(self.ring)
        self._orders: dict[int, WorkingOrder] = {}

    def __repr__(self) -> str:
        return f"<SessionMemory: {len(self.symbols)} symbols, {self.active_count} active orders, cash {self.cash:g}>"

    @classmethod
    def from_events(cls, events: Any, symbols: Sequence[str], **settings: Any) -> Self:
        """A session as it stood after these events of an engine run.

        events, symbols : as for apply_events. settings : of the session; give `cash` and `cash_digits` of the run.
        """
        session = cls(**settings)
        session.apply_events(events, symbols)
        return session

    @classmethod
    def from_db(
        cls, db: AgentDB, *, strategy: str | None = None, start: Any = None, as_of: Any = None, **settings: Any
    ) -> Self:
        """A session as the records of a Journal say it stood: fills booked, orders that work, signals, the last
        observations and what they say of the market.

        strategy, start : only its orders and signals, only those from then on: one run, where a store holds several.
        as_of : only what was known then. settings : of the session; cash is
        what the account started with, and what moved it without a trade (dividends, interest) is not in the records.
        Ids are those of the records. Fills of one moment are booked in the order of their orders. Reads every record.
        """
        session = cls(**settings)
        rebuild(session, db, strategy, start, as_of)
        return session

    def order(self, order_id: int) -> WorkingOrder | None:
        """What an active order asks for, None if it is not active or was opened by its id alone."""
        return self._orders.get(order_id) if self.is_active(order_id) else None

    def orders(self, symbol: str | None = None) -> list[WorkingOrder]:
        """Active orders with what they ask for, of one symbol if given, by id."""
        return [one for _, one in sorted(self._orders.items()) if symbol in (None, one.symbol)]

    def open_order(self, order: WorkingOrder) -> bool | Denial:
        """Note an order that works and what it asks for; answers as order_opened does."""
        if not isinstance(order, WorkingOrder):
            raise InputError(f"order must be a WorkingOrder, was {type(order).__name__}")
        noted = self.order_opened(order.id)
        if noted is True:
            self._orders[order.id] = order
        return noted

    def order_closed(self, order_id: int) -> bool:
        """Note that an order is done. False if it was not active."""
        closed = super().order_closed(order_id)
        self._orders.pop(order_id, None)
        return closed

    def note_signal(self, symbol: str, ts_ns: Any, direction: str, confidence: float, *, id: int = 0) -> None:
        """Remember a signal for `signals`, over the symbol's oldest once `ring` are held. direction : long, short,
        neutral or close; confidence : 0..1.
        """
        row = signal_row(ts_ns, direction, confidence, id)
        self._know(symbol)
        self._signals.add(symbol, row)

    def signals(self, symbol: str, n: int = 1) -> np.ndarray:
        """SIGNAL_DTYPE[m], the last m <= n signals of a symbol, oldest first: ts_ns, id, confidence, direction (1 long,
        -1 short, 0 neutral, 2 close). A read-only view, as `recent` gives.
        """
        if isinstance(n, bool) or not isinstance(n, int | np.integer) or not 1 <= n <= self.ring:
            raise InputError(f"n must be an integer in 1..{self.ring} (ring=), was {n!r}")
        return self._signals.last(symbol, int(n))

    def stats(self) -> dict[str, Any]:
        """What is held of what there is room for, and how often each lookup found something."""
        return {
            "tier": "L1",
            "symbols": len(self.symbols),
            "active_orders": self.active_count,
            "order_capacity": self.capacity,
            "ring": self.ring,
            "position": rate(self.position_hits, self.position_misses),
            "is_active": rate(self.order_hits, self.order_misses),
            "recent": rate(self.recent_hits, self.recent_misses),
            "market_state": {**rate(self.hits, self.misses + self.expired), "expired": self.expired},
        }

    def apply_events(self, events: Any, symbols: Sequence[str]) -> None:  # noqa: PLR0912  (one branch a kind)
        """Follow an engine's events: orders open, change and close, signals are noted, fills, flows and splits are
        booked to the last unit.

        events : EVENT_DTYPE[n] (neuraltrade.core.layouts), or its bytes as uint8[64 n], oldest first. symbols : name of
        each slot. Denials change nothing here. About 2 us an event. Raises InputError for another dtype or a slot
        without a name, before anything is applied; for an order beyond `capacity` where it stands.
        """
        rows = np.asarray(events)
        if rows.dtype == np.uint8 and rows.ndim == 1 and rows.size % EVENT_DTYPE.itemsize == 0:
            rows = np.ascontiguousarray(rows).view(EVENT_DTYPE)
        if rows.dtype != EVENT_DTYPE or rows.ndim != 1:
            raise InputError(f"events must be EVENT_DTYPE[n], was {rows.dtype} of shape {rows.shape}")
        if rows.size and not 0 <= rows["symbol"].min() <= rows["symbol"].max() < len(symbols):
            raise InputError(
                f"events must name slots in 0..{len(symbols) - 1} (symbols), have "
                f"{rows['symbol'].min()}..{rows['symbol'].max()}"
            )
        names = ("kind", "id", "symbol", "side", "quantity", "price", "extra", "code", "value", "ts_ns")
        columns = (rows[name].tolist() for name in names)
        for kind, order_id, slot, side, quantity, price, extra, code, value, ts_ns in zip(*columns, strict=True):
            if kind == _FILL:
                self.apply_exact(symbols[slot], side * quantity, price, extra)
                if code == _FILLED:
                    self.order_closed(order_id)
                elif order_id in self._orders:
                    self._orders[order_id].filled += quantity / 1e9
            elif kind == _ORDER:
                self._follow_order(order_id, symbols[slot], side, ORDER_TYPES[code], ts_ns)
                self._follow_change(order_id, quantity, price, value)
            elif kind == _MODIFIED and not code:
                self._follow_change(order_id, quantity, price, value)
            elif kind in _DONE:
                self.order_closed(order_id)
            elif kind == _SIGNAL:
                confidence = float(np.int64(value).view(np.float64))
                self._signals.add(symbols[slot], (ts_ns, order_id, confidence, side))
            elif kind == _FLOW:
                self.apply_flow(symbols[slot], FLOW_KINDS[code], value, price)
            elif kind == _RATE:
                self.apply_rate(symbols[slot], value)

    def _follow_order(self, order_id: int, symbol: str, side: int, type_: str, ts_ns: int) -> None:
        order = WorkingOrder(id=order_id, symbol=symbol, side="buy" if side > 0 else "sell", type=type_, ts_ns=ts_ns)
        if self.open_order(order) is Denial.TABLE_FULL:
            raise InputError(
                f"order {order_id} finds no room: {self.active_count} orders are active, the limit (capacity=)"
            )

    def _follow_change(self, order_id: int, quantity: int, limit: int, stop: int) -> None:
        order = self._orders.get(order_id)
        if order is not None:
            order.quantity, order.limit_price, order.stop_price = (
                quantity / 1e9,
                limit / 1e9 or None,
                stop / 1e9 or None,
            )
