"""A session out of an AgentDB: what its orders and their fills, its signals and its observations come to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..vectors import Filter
from .agentdb import AgentDB
from .session_parts import WorkingOrder

if TYPE_CHECKING:
    from .session import SessionMemory

WORKING = ("submitted", "partially_filled")


def rebuild(session: SessionMemory, db: AgentDB, strategy: str | None, start: Any, as_of: Any) -> None:
    """Bring an empty session to where the records say it stood; see SessionMemory.from_db."""
    where = None if strategy is None else Filter.eq("strategy", strategy)
    orders = db.orders.range(start=start, where=where, as_of=as_of, limit=None).records()
    fills = [(fill.ts_ns, order.id, j, order, fill) for order in orders for j, fill in enumerate(order.fills)]
    for _, _, _, order, fill in sorted(fills, key=lambda row: row[:3]):
        session.apply_fill(order.symbol, order.side, fill.quantity, fill.price, fill.fee)
    for order in orders:
        if order.status in WORKING:
            session.open_order(
                WorkingOrder(
                    id=order.id, symbol=order.symbol, side=order.side, type=order.type, ts_ns=order.ts_ns,
                    quantity=0.0 if "sized_at_fill" in order.metadata else order.quantity,
                    filled=order.filled_quantity, limit_price=order.limit_price, stop_price=order.stop_price,
                )
            )  # fmt: skip
    for signal in db.signals.range(start=start, where=where, as_of=as_of, limit=None).records():
        session.note_signal(signal.symbol, signal.ts_ns, signal.direction, signal.confidence, id=signal.id)
    _observations(session, db, as_of)


def _observations(session: SessionMemory, db: AgentDB, as_of: Any) -> None:
    """The last of each symbol, in order of time, and its market state from the newest."""
    rows = db.observations.range(as_of=as_of, limit=None)
    symbols = rows.column("symbol")
    for symbol in sorted(set(symbols.tolist())):
        mine = np.flatnonzero(symbols == symbol)[-session.ring :]
        for record in rows.take(mine).records():
            best = {name: levels[0][0] for name, levels in (("bid", record.bids), ("ask", record.asks)) if levels}
            session.observe(
                symbol, record.ts_ns, record.price, record.volume, record.spread,
                known_ns=record.known_ns, id=record.id, **best,
            )  # fmt: skip
        if record.price is not None:
            session.update_market(symbol, record.ts_ns, last=record.price, volume=record.volume, **best)
