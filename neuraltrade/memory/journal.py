"""What an engine run did, as records: signals with the observation they rest on, orders with their fills, and how
decisions ended.

A decision is written before it acts. An order without a signal that opens or turns a position gets one of its own, so
that it can be found and judged like the others. When a position is flat again, the signal that opened it gets its
outcome, known from then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.layouts import EVENT_KINDS, FLOW_KINDS, ORDER_STATES, ORDER_TYPES
from ..core.settings import Denial
from ..embedding import order_vector, signal_vector
from ..errors import InputError
from ..schema import Order, OrderFill, Signal
from .agentdb import AgentDB

NANO = 1e-9  # smallest quantity and price step
DIRECTIONS = {1: "long", -1: "short", 0: "neutral", 2: "close"}
ENDED = {"cancelled": "cancelled", "expired": "expired", "rejected": "rejected"}


@dataclass
class Holding:
    """A position while it is open: what it cost, what closing brought, and the signal that opened it."""

    quantity_nano: int = 0
    entry_notional: float = 0.0
    cash: float = 0.0
    signal_id: int = 0


class Journal:
    """A ports.Journal that writes an engine's events into an AgentDB: `nt.backtest(..., journal=Journal(db))`.

    db : with the run's bars observed, since every signal is stored with the market state it was taken in. strategy :
    name for the signals. settings : the run's settings (as result.settings), kept in every signal's metadata["run"],
    so that the decision can be replayed. `begin` gives symbols, strategy and settings; a run calls it before the first
    event. signal_ids, order_ids : the engine's id -> the record's.
    """

    def __init__(
        self, db: AgentDB, symbols: Sequence[str] = (), *, strategy: str = "", settings: Mapping[str, Any] | None = None
    ) -> None:
        self.db = db
        self.begin(symbols, strategy, settings or {})

    def begin(
        self,
        symbols: Sequence[str],
        strategy: str,
        settings: Mapping[str, Any],
        reasoning: Mapping[int, str] | None = None,
    ) -> None:
        """A run starts: its symbols in slot order, its name, its settings. Forgets the ids of the run before.

        reasoning : engine's id of a signal -> its text, filled by the run before the signal's event comes.
        """
        self.reasoning: Mapping[int, str] = {} if reasoning is None else reasoning
        self.symbols = tuple(symbols)
        self.strategy = strategy
        self.settings = dict(settings)
        several = [one["name"] for one in self.settings.get("strategies") or ()] or [strategy]
        self._names = [several[slot * len(several) // len(self.symbols)] for slot in range(len(self.symbols))]
        self.signal_ids: dict[int, int] = {}
        self.order_ids: dict[int, int] = {}
        self._cash_unit = 10.0 ** -int(self.settings.get("account", {}).get("cash_digits", 6))
        self._multipliers: Mapping[str, float] = self.settings.get("multipliers") or {}
        self._rates: dict[int, float] = {}
        self._holdings: dict[int, Holding] = {}
        self._orders: dict[int, int] = {}  # engine's id of an order -> its signal's record
        self._states: dict[tuple[int, int], tuple[int, np.ndarray, float]] = {}

    def append(self, events: np.ndarray) -> None:
        """EVENT_DTYPE[n], in order. Raises InputError where a bar was not observed, StoreClosed, OSError: the run
        stops.
        """
        for event in events:
            kind = EVENT_KINDS[int(event["kind"])]
            if int(event["symbol"]) >= len(self.symbols):
                raise InputError(
                    f"symbols must name every slot of the run: slot {int(event['symbol'])} of {len(self.symbols)}"
                )
            if kind == "signal":
                self._signal(event)
            elif kind in ("order", "denied"):
                self._order(event, denied=kind == "denied")
            elif kind == "fill":
                self._fill(event)
            elif kind in ENDED:
                self._ended(event, ENDED[kind])
            elif kind == "modified":
                self._modified(event)
            elif kind == "flow" and FLOW_KINDS[int(event["code"])] == "split":
                if int(event["symbol"]) in self._holdings:
                    self._holdings[int(event["symbol"])].quantity_nano = int(event["quantity"])
            elif kind == "rate":
                self._rates[int(event["symbol"])] = int(event["value"]) / 1e12

    def _signal(self, event: np.void) -> None:
        confidence = float(event["value"].view(np.float64))
        self.signal_ids[int(event["id"])] = self._add_signal(
            event,
            DIRECTIONS[int(event["side"])],
            confidence,
            {"raw_confidence": float(event["price"].view(np.float64))},
            self.reasoning.get(int(event["id"]), ""),
        )

    def _add_signal(
        self, event: np.void, direction: Any, confidence: float, metadata: dict[str, Any], reasoning: str = ""
    ) -> int:
        ts_ns, slot = int(event["ts_ns"]), int(event["symbol"])
        seen, state, price = self._state(slot, ts_ns)
        signal = Signal(
            ts_ns=ts_ns, symbol=self.symbols[slot], direction=direction, strategy=self._names[slot],
            confidence=confidence, reasoning=reasoning,
            causal_links=[seen], entry_price=price, vector=signal_vector(state, direction, confidence),
            metadata={"bar": int(event["bar"]), "engine_id": int(event["id"]), **metadata, "run": self.settings},
        )  # fmt: skip
        return int(self.db.signals.add(signal))

    def _order(self, event: np.void, denied: bool) -> None:
        ts_ns, slot, side = int(event["ts_ns"]), int(event["symbol"]), int(event["side"])
        type_: Any = "market" if denied else ORDER_TYPES[int(event["code"])]
        _, state, price = self._state(slot, ts_ns)
        signal_id = self._signal_of(event, denied)
        units = _units(event["quantity"])
        limit, stop = (_units(event[name]) or None for name in ("price", "value"))
        vector = order_vector(state, side, type_, units, np.nan if limit is None else limit, price)
        metadata: dict[str, Any] = {"bar": int(event["bar"]), "engine_id": int(event["id"])}
        if not units:
            metadata["sized_at_fill"] = True
        order = Order(
            ts_ns=ts_ns, symbol=self.symbols[slot], side="buy" if side > 0 else "sell", quantity=units or NANO,
            signal_id=signal_id, type=type_, limit_price=limit, stop_price=stop, strategy=self._names[slot],
            vector=vector,
            status="denied" if denied else "submitted", reason=_reason(event) if denied else "",
            submitted_ns=None if denied else ts_ns, completed_ns=ts_ns if denied else None,
            metadata=metadata,
        )  # fmt: skip
        stored = int(self.db.orders.add(order))
        if not denied:
            self.order_ids[int(event["id"])] = stored
            self._orders[int(event["id"])] = signal_id

    def _signal_of(self, event: np.void, denied: bool) -> int:
        """The record of an order's signal; one made for it where it opens or turns a position without one."""
        given = int(event["extra"])
        if given:
            return self.signal_ids[given]
        holding = self._holdings.get(int(event["symbol"]), Holding())
        side = int(event["side"])
        if denied or holding.quantity_nano * side > 0:
            return holding.signal_id
        if 0 < int(event["quantity"]) <= abs(holding.quantity_nano):
            return holding.signal_id  # an exit belongs to the decision that opened the position
        return self._add_signal(event, "long" if side > 0 else "short", 1.0, {"implied": True})

    def _fill(self, event: np.void) -> None:
        engine_id, ts_ns = int(event["id"]), int(event["ts_ns"])
        quantity, price = _units(event["quantity"]), _units(event["price"])
        fee = int(event["extra"]) * self._cash_unit
        signal_id = self._orders[engine_id]
        order = self.db.orders.get(self.order_ids[engine_id])
        fills = [*order.fills, OrderFill(ts_ns=ts_ns, quantity=quantity, price=price, fee=fee)]
        status = ORDER_STATES[int(event["code"])]
        sized = "sized_at_fill" in order.metadata
        self.db.orders.update(
            order.id, known_ns=ts_ns, status=status, fills=fills, first_fill_ns=fills[0].ts_ns,
            quantity=sum(fill.quantity for fill in fills) if sized else order.quantity,
            completed_ns=ts_ns if status == "filled" else None,
        )  # fmt: skip
        self._settle(event, price, fee, signal_id)

    def _ended(self, event: np.void, status: str) -> None:
        stored, ts_ns = self.order_ids.get(int(event["id"])), int(event["ts_ns"])
        if stored is not None:
            self.db.orders.update(stored, known_ns=ts_ns, status=status, reason=_reason(event), completed_ns=ts_ns)

    def _modified(self, event: np.void) -> None:
        """A change of an order, or the refusal of one: the order keeps them all in metadata["changes"]."""
        stored, ts_ns = self.order_ids.get(int(event["id"])), int(event["ts_ns"])
        if stored is None:
            return  # refused: no order of this run
        order = self.db.orders.get(stored)
        metadata = dict(order.metadata)
        if event["code"]:
            change: dict[str, Any] = {"ts_ns": ts_ns, "refused": _reason(event)}
            taken: dict[str, Any] = {}
        else:
            units, limit, stop = (_units(event[name]) for name in ("quantity", "price", "value"))
            if units:
                metadata.pop("sized_at_fill", None)
            taken = {"quantity": units or order.quantity, "limit_price": limit or None, "stop_price": stop or None}
            change = {"ts_ns": ts_ns, **taken}
        metadata["changes"] = [*metadata.get("changes", ()), change]
        self.db.orders.update(stored, known_ns=ts_ns, metadata=metadata, **taken)

    def _settle(self, event: np.void, price: float, fee: float, signal_id: int) -> None:
        """Follow the position; when it is flat, the signal that opened it learns its return on what was paid in."""
        slot, side, whole = int(event["symbol"]), int(event["side"]), int(event["quantity"])
        price *= self._multipliers.get(self.symbols[slot], 1.0) * self._rates.get(slot, 1.0)  # as fees: account's money
        holding = self._holdings.setdefault(slot, Holding())
        closing = min(whole, abs(holding.quantity_nano)) if holding.quantity_nano * side < 0 else 0
        if closing:
            holding.quantity_nano += side * closing
            holding.cash -= side * closing / 1e9 * price + fee * closing / whole
            if not holding.quantity_nano:
                outcome = holding.cash / holding.entry_notional
                self.db.signals.update(holding.signal_id, known_ns=int(event["ts_ns"]), outcome=outcome)
                self._holdings[slot] = holding = Holding()
        opening = whole - closing
        if opening:
            if not holding.quantity_nano:
                holding.signal_id = signal_id
            holding.quantity_nano += side * opening
            holding.entry_notional += opening / 1e9 * price
            holding.cash -= side * opening / 1e9 * price + fee * opening / whole

    def _state(self, slot: int, ts_ns: int) -> tuple[int, np.ndarray, float]:
        """Id, vector and price of the observation of a bar."""
        found = self._states.get((slot, ts_ns))
        if found is None:
            rows = self.db.observations.range(self.symbols[slot], ts_ns, ts_ns + 1, as_of=ts_ns, limit=1)
            if not len(rows):
                raise InputError(
                    f"no observation of {self.symbols[slot]!r} at {ts_ns}: call db.observe(bars) with its bars first"
                )
            self._states.clear()
            found = self._states[slot, ts_ns] = (int(rows.ids[0]), rows.vectors()[0], float(rows.column("price")[0]))
        return found


def _units(nano: np.int64) -> float:
    return int(nano) / 1e9


def _reason(event: np.void) -> str:
    code = int(event["code"])
    return Denial(code).name.lower() if code in Denial.__members__.values() else str(code)
