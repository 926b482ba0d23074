"""What a recorded signal came to: read off the orders and fills that followed it."""

from __future__ import annotations

import bisect
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..clock import iso
from ..errors import InputError
from ..market import Bars
from ..schema import Order, Signal


@dataclass(frozen=True)
class Decision:
    """A decision in terms of its symbol's bars.

    bar : index at whose close it was taken. before, after : signed units held without and with it. exit_bar : index at
    whose close the position was given up, or in which its stop, limit or trail filled (contingent_exit); None where
    it was still held at the last bar, or where there is none. fill_price, fill_bar : of its first fill, as
    journalled, if any.
    limit ... take_profit : prices of its orders; trail : distance. direction : of a signal whose order was refused or
    never filled, +1 or -1; else 0.
    """

    symbol: str
    bar: int
    before: float
    after: float
    exit_bar: int | None
    fill_price: float | None = None
    fill_bar: int | None = None
    limit: float | None = None
    stop: float | None = None
    stop_loss: float | None = None
    take_profit: float | None = None
    trail: float | None = None
    contingent_exit: bool = False
    direction: int = 0

    @property
    def contingent(self) -> bool:
        """Whether the path inside a bar can matter."""
        orders = (self.limit, self.stop, self.stop_loss, self.take_profit, self.trail)
        return any(price is not None for price in orders)

    @property
    def traded(self) -> bool:
        return self.after != self.before


@dataclass(frozen=True)
class _Execution:
    ts_ns: int
    quantity: float  # signed
    price: float
    order: Order


class Tape:
    """Orders and fills of one symbol in one run, in the order of time, with the position after each fill."""

    def __init__(self, orders: Iterable[Order]) -> None:
        self.orders = sorted(orders, key=lambda order: order.id)
        self.by_signal: dict[int, list[Order]] = {}
        fills: list[tuple[int, int, _Execution]] = []
        for order in self.orders:
            self.by_signal.setdefault(order.signal_id, []).append(order)
            sign = 1 if order.side == "buy" else -1
            fills += [
                (fill.ts_ns, order.id, _Execution(fill.ts_ns, sign * fill.quantity, fill.price, order))
                for fill in order.fills
            ]
        fills.sort(key=lambda row: row[:2])
        self.fills = [row[2] for row in fills]
        self.times = [row[0] for row in fills]
        # Quantities are multiples of 1e-9; rounding keeps sums of them on that grid.
        self.position = [0.0]
        for execution in self.fills:
            self.position.append(round(self.position[-1] + execution.quantity, 9))

    @staticmethod
    def of_signal(orders: Iterable[Order], signal: Signal) -> Tape:
        """The tape of the run that `signal` belongs to, out of the orders of several runs one after another.

        Ids increase with arrival and times with ids, so a new run begins where time falls back.
        """
        rows = sorted(orders, key=lambda order: order.id)
        cuts = [0, *(index + 1 for index, (one, two) in enumerate(pairwise(rows)) if two.ts_ns < one.ts_ns), len(rows)]
        runs = [rows[start:stop] for start, stop in pairwise(cuts) if stop > start]
        own = [run for run in runs if run[-1].id > signal.id]
        return Tape(own[0] if own else runs[-1] if runs else [])


def bar_of(bars: Bars, ts_ns: int) -> int:
    """Index of the bar that ends at `ts_ns`; InputError if there is none."""
    index = int(np.searchsorted(bars.ts_ns, ts_ns))
    if index == len(bars) or bars.ts_ns[index] != ts_ns:
        raise InputError(f"market must hold the bar of {bars.symbol} that ends at {iso(ts_ns)}, it does not")
    return index


def decision_of(signal: Signal, tape: Tape, bars: Bars) -> Decision:
    """Read a decision off its run's tape.

    Fills before the signal make the position it found; fills of its entry the one it made; the first later fill that
    brings this to zero or through it ends it. Raises InputError if `bars` do not hold the decision's bar.
    """
    bar = bar_of(bars, signal.ts_ns)
    own = tape.by_signal.get(signal.id, [])
    entry = next((order for order in own if order.ts_ns == signal.ts_ns), None)
    seen = bisect.bisect_right(tape.times, signal.ts_ns)
    before = tape.position[seen]
    if entry is None or not entry.fills:
        meant = {"long": 1, "short": -1}.get(signal.direction, 0) if entry is not None else 0
        return Decision(signal.symbol, bar, before, before, None, direction=meant)
    sign = 1 if entry.side == "buy" else -1
    # A fill at the decision's own close is already in the position.
    early = sign * sum(fill.quantity for fill in entry.fills if fill.ts_ns <= signal.ts_ns)
    before = round(before - early, 9)
    after = round(before + sign * entry.filled_quantity, 9)
    exit_bar, contingent = None, False
    if after not in (before, 0.0):
        exit_bar, contingent = _exit(tape, entry, after, bars)
    guards = [order for order in own if order is not entry and order.side != entry.side]
    stops, trails, limits = (
        [order.stop_price or order.limit_price or 0.0 for order in guards if order.type == kind]
        for kind in ("stop", "trailing_stop", "limit")
    )
    price = entry.fills[0].price
    return Decision(
        symbol=signal.symbol,
        bar=bar,
        before=before,
        after=after,
        exit_bar=exit_bar,
        fill_price=price,
        fill_bar=int(np.searchsorted(bars.ts_ns, entry.fills[0].ts_ns)),
        limit=entry.limit_price,
        stop=entry.stop_price,
        stop_loss=stops[0] if stops else None,
        take_profit=limits[0] if limits else None,
        trail=abs(price - trails[0]) if trails else None,
        contingent_exit=contingent,
    )


def _exit(tape: Tape, entry: Order, after: float, bars: Bars) -> tuple[int | None, bool]:
    """Bar in which the position `after` was given up, and whether by a stop, limit or trail."""
    last = entry.fills[-1].ts_ns
    for index in range(bisect.bisect_left(tape.times, entry.fills[0].ts_ns), len(tape.fills)):
        execution = tape.fills[index]
        if execution.order is entry or (execution.ts_ns == last and execution.order.id < entry.id):
            continue
        if execution.ts_ns > bars.ts_ns[-1]:
            break  # the market given ends before: as far as it tells, the position is held
        if tape.position[index + 1] * after <= 0:
            market = execution.order.type == "market"
            return bar_of(bars, execution.order.ts_ns if market else execution.ts_ns), not market
    return None, False
