"""Runs over windows that follow one another, joined to one Result: bars counted from the first window, ids anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..core.engine import Engine
from ..core.layouts import EVENT_DTYPE, EVENT_KINDS
from ..core.team import Team
from ..results import Result
from ..results.team import TeamRecord
from .run import _in_order_of_use
from .team import Members, unified

_BARS = ("bar", "entry_bar", "exit_bar", "created_bar", "done_bar")
_ORDERS = ("order_id", "entry_order_id", "exit_order_id", "parent_id")
_TABLES = ("fills", "trades", "orders", "signals", "denials", "margin_calls", "flows")


class Piece:
    """What a finished engine leaves of the steps from `start` on."""

    team: TeamRecord | None = None

    def __init__(self, engine: Engine, start: int, members: Members | None = None, team: Team | None = None) -> None:
        self.start = start
        self.equity = engine.equity()[start:].copy()
        self.clock_ts_ns = engine.clock_ts_ns[start:]
        self.slots = {name: getattr(engine, name)() for name in _TABLES}
        texts: Sequence[str] = engine.context.texts
        if members is not None and team is not None:
            owned = {name: rows for name, rows in self.slots.items() if name != "margin_calls"}
            self.team = members.record(engine, team, owned)
            self.team.contributions = self.team.contributions[start:]
            each = [team.context(index).texts for index in range(len(members))]
            self.slots["signals"], texts = unified(self.slots["signals"], self.team.owners["signals"], each)
        self.slots["signals"], self.texts = _in_order_of_use(self.slots["signals"], texts)
        self.events = engine.events().view(EVENT_DTYPE)
        self.controls = engine.counters()["controls"]
        self.ambiguous_bars = engine.ambiguous_bars


def joined(pieces: Sequence[Piece], data: Any, symbols: Sequence[str], **told: Any) -> Result:
    """One Result over `data`, which begins with the first piece; each piece begins where the one before it ends.

    told : cash, settings and what else Result takes about the run as a whole.
    """
    origin, orders, signals = pieces[0].start, 0, 0
    tables: dict[str, list[np.ndarray]] = {name: [] for name in _TABLES}
    events, texts = [], dict[str, int]()
    for piece in pieces:
        numbers = np.array([texts.setdefault(text, len(texts)) for text in piece.texts] + [-1], np.int64)
        for name, rows in piece.slots.items():
            tables[name].append(_moved(rows, origin, orders, signals))
        if len(piece.texts):
            tables["signals"][-1]["reasoning"] = numbers[piece.slots["signals"]["reasoning"]]
        events.append(_moved_events(piece.events, origin, orders, signals))
        orders += len(piece.slots["orders"])
        signals += len(piece.slots["signals"])
    whole: dict[str, Any] = {name: np.concatenate(rows) for name, rows in tables.items()}
    return Result(
        data=data,
        symbols=symbols,
        clock_ts_ns=np.concatenate([piece.clock_ts_ns for piece in pieces]),
        equity=np.concatenate([piece.equity for piece in pieces]),
        events=np.concatenate(events).view(np.uint8),
        ambiguous_bars=sum(piece.ambiguous_bars for piece in pieces),
        controls=_summed([piece.controls for piece in pieces]),
        reasoning=tuple(texts),
        is_checked=True,
        team=_together(pieces),
        **whole,
        **told,
    )


def _together(pieces: Sequence[Piece]) -> TeamRecord | None:
    """Whose is what over all pieces; in one without a team nothing happened. None where none has one."""
    known = next((piece.team for piece in pieces if piece.team is not None), None)
    if known is None:
        return None
    before = np.zeros(len(known.names))
    owners: dict[str, list[np.ndarray]] = {name: [] for name in known.owners}
    earned, books, interest = [], [[dict.fromkeys(book, 0) for book in own] for own in known.books], 0
    for piece in pieces:
        if piece.team is None:
            earned.append(np.tile(before, (len(piece.equity), 1)))
            continue
        for name, rows in piece.team.owners.items():
            owners[name].append(rows)
        earned.append(piece.team.contributions + before)
        before = earned[-1][-1]
        interest += piece.team.interest
        for total, own in zip(books, piece.team.books, strict=True):
            for sums, book in zip(total, own, strict=True):
                for key, value in book.items():
                    sums[key] += value
    whole = {name: np.concatenate(rows) for name, rows in owners.items()}
    return TeamRecord(known.names, whole, np.concatenate(earned), books, interest, known.scale)


def _moved(rows: np.ndarray, origin: int, orders: int, signals: int) -> np.ndarray:
    """A copy with bars counted from `origin` and ids after those that went before; -1 and 0 stay what they are."""
    out = rows.copy()
    for names, step in ((_BARS, -origin), (_ORDERS, orders), (("signal_id",), signals)):
        for name in names:
            if step and name in (rows.dtype.names or ()):
                told = rows[name] >= 0 if names is _BARS else rows[name] > 0
                out[name] = np.where(told, rows[name] + step, rows[name])
    return out


def _moved_events(rows: np.ndarray, origin: int, orders: int, signals: int) -> np.ndarray:
    out = rows.copy()
    out["bar"] -= origin
    is_signal = rows["kind"] == EVENT_KINDS.index("signal")
    out["id"] += np.where(rows["id"] > 0, np.where(is_signal, signals, orders), 0)
    ordered = np.isin(rows["kind"], [EVENT_KINDS.index("order"), EVENT_KINDS.index("denied")]) & (rows["extra"] > 0)
    out["extra"] += np.where(ordered, signals, 0)
    paired = (rows["kind"] == EVENT_KINDS.index("joined")) & (rows["value"] > 0)
    out["value"] += np.where(paired, orders, 0)
    return out


def _summed(controls: Sequence[Mapping[str, Mapping[str, int]]]) -> dict[str, dict[str, int]]:
    names = controls[0]
    return {name: {key: sum(one[name][key] for one in controls) for key in names[name]} for name in names}


def idle(like: Piece, cash: float) -> Piece:
    """The same steps as of `like`, in which nothing happens: there is no cash to trade with, or nothing to trade."""
    piece: Piece = object.__new__(Piece)
    piece.start, piece.clock_ts_ns, piece.texts, piece.ambiguous_bars = like.start, like.clock_ts_ns, (), 0
    piece.equity = np.full(len(like.equity), cash)
    piece.slots = {name: rows[:0] for name, rows in like.slots.items()}
    piece.events = like.events[:0]
    piece.controls = {name: dict.fromkeys(counts, 0) for name, counts in like.controls.items()}
    return piece
