"""The same market again, with other actions: every script of actions is one slot of one engine run.

Slots share the bars, fees, slippage and fill policy and nothing else, so one pass over the window plays all
alternatives against the same bars, to the same bit. Cash is made large enough that one script never starves another;
whether the account may go short is the run's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from ..core.engine import Engine
from ..core.layouts import FILL_DTYPE, ORDER_STATES
from ..core.settings import Size
from ..market import Bars
from .context import RunContext

_DENIED = ORDER_STATES.index("denied")


@dataclass(frozen=True)
class Move:
    """At the close of window bar `bar`, bring the position to `target` signed units; 0 closes and cancels what works.

    limit, stop : prices of the order, None for none. stop_loss, take_profit : fractions of what the policy's stop_base
    says, as in nt.Signals. trail : distance.
    """

    bar: int
    target: float
    limit: float | None = None
    stop: float | None = None
    stop_loss: float | None = None
    take_profit: float | None = None
    trail: float | None = None


@dataclass(frozen=True)
class Replay:
    """profit : float64[scripts, n], profit since the window's start, marked to each close, net of fees. position :
    float64[scripts, n], signed units after each bar. refused : the first refusal of each script, 0 for none. fills :
    FILL_DTYPE, `symbol` is the script."""

    profit: np.ndarray
    position: np.ndarray
    refused: tuple[int, ...]
    fills: np.ndarray
    ambiguous_bars: int


class _Player:
    """The strategy: looks up what the script of this slot does at this bar."""

    def __init__(self, scripts: Sequence[Sequence[Move]]) -> None:
        self.plans = [{move.bar: move for move in script} for script in scripts]
        self.refused = [0] * len(scripts)

    def __call__(self, ctx: Any) -> None:
        move = self.plans[ctx.slot].get(ctx.i)
        if move is not None:
            answer = self.act(ctx, move)
            if answer < 0 and not self.refused[ctx.slot]:
                self.refused[ctx.slot] = int(answer)

    @staticmethod
    def act(ctx: Any, move: Move) -> int:
        if move.target == 0.0:
            ctx.cancel_all()
            return ctx.close_position() if ctx.position else 0
        # Decimal quantities are kept at 1e-9; a difference of two of them must be brought back to that grid.
        change = round(move.target - ctx.position, 9)
        if change == 0.0:
            return 0
        place = ctx.buy if change > 0 else ctx.sell
        return place(
            quantity=abs(change),
            limit=move.limit,
            stop=move.stop,
            stop_loss_rate=move.stop_loss,
            take_profit_rate=move.take_profit,
            trail=move.trail,
        )


def _as_arrays(scripts: Sequence[Sequence[Move]], length: int) -> dict[str, np.ndarray] | None:
    """The scripts as entry and exit arrays [length, scripts], which the engine reads without Python; None if an order
    has a price, trails, adds to a position or enters after a guarded one, which arrays cannot say."""
    shape = (length, len(scripts))
    long, short, leave = (np.zeros(shape, np.uint8) for _ in range(3))
    size, stop_loss, take_profit = (np.full(shape, np.nan) for _ in range(3))
    for column, script in enumerate(scripts):
        held, guarded = 0.0, False
        for move in sorted(script, key=lambda move: move.bar):
            priced = (move.limit, move.stop, move.trail)
            if held * move.target > 0 or (guarded and move.target) or any(price is not None for price in priced):
                return None
            if move.bar < length:
                which = long if move.target > 0 else short if move.target < 0 else leave
                which[move.bar, column] = 1
                size[move.bar, column] = abs(move.target) or np.nan
                stop_loss[move.bar, column] = move.stop_loss or np.nan
                take_profit[move.bar, column] = move.take_profit or np.nan
            held = move.target
            guarded = guarded or move.stop_loss is not None or move.take_profit is not None
    orders = {"entries": long, "exits": leave, "short_entries": short, "short_exits": leave}
    return {**orders, "size": size, "stop_loss": stop_loss, "take_profit": take_profit}


def _run(bars: Bars, scripts: Sequence[Sequence[Move]], context: RunContext, path: str) -> tuple[Engine, list[int]]:
    """An engine that has played the scripts, and their refusals."""
    count, length = len(scripts), len(bars)
    largest = max((abs(move.target) for script in scripts for move in script), default=0.0)
    instrument = context.instrument(bars.symbol)
    notional = largest * float(bars.high.max()) * instrument.multiplier
    engine = Engine(
        [str(index) for index in range(count)],
        [bars.columns()] * count,
        cash=min(max(context.cash, 8.0 * count * notional), 9e9),
        policy=msgspec.structs.replace(context.fill, path=path),
        fees=context.fees,
        slippage=context.slippage,
        size=Size("units", 1.0),
        risk=None,
        instruments=[instrument] * count,
        account=context.account,
        record_events=False,
    )
    arrays = _as_arrays(scripts, length)
    if arrays is None:
        player = _Player(scripts)
        engine.bind_python(player)
        engine.advance(length)
        engine.finish()
        return engine, player.refused
    engine.bind_signals(**arrays)
    engine.advance(length)
    engine.finish()
    refused = [0] * count
    orders = engine.orders()
    for order in orders[orders["status"] == _DENIED]:
        refused[order["symbol"]] = refused[order["symbol"]] or int(order["reason"])
    return engine, refused


def replay(bars: Bars, scripts: Sequence[Sequence[Move]], context: RunContext, path: str) -> Replay:
    """Play the scripts over `bars` (the window) with the intrabar `path` ("worst" or "best"). See Replay.

    Cost: one pass; about 20 ns a bar and script where all entries are at the market and none adds to a position, else
    0.2 us. A script without moves costs nothing.
    """
    count, length = len(scripts), len(bars)
    busy = [index for index in range(count) if scripts[index]]
    change, flow = np.zeros((count, length)), np.zeros((count, length))
    refused = [0] * count
    fills, ambiguous = np.empty(0, FILL_DTYPE), 0
    multiplier = context.instrument(bars.symbol).multiplier
    if busy:
        engine, answers = _run(bars, [scripts[index] for index in busy], context, path)
        fills, ambiguous = engine.fills().copy(), engine.ambiguous_bars
        fills["symbol"] = np.array(busy)[fills["symbol"]]
        for index, answer in zip(busy, answers, strict=True):
            refused[index] = answer
        signed = fills["side"] * fills["quantity"]
        where = (fills["symbol"], fills["bar"])
        np.add.at(change, where, signed)
        np.add.at(flow, where, -signed * fills["price"] * multiplier - fills["fee"])
    position = np.cumsum(change, axis=1)
    position[np.abs(position) < 5e-10] = 0.0
    profit = np.cumsum(flow, axis=1) + position * bars.close * multiplier
    return Replay(profit, position, tuple(refused), fills, ambiguous)
