"""A strategy run on paper inside another's `init`: what it would have held, bar by bar."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.engine import Engine
from ..core.settings import Account, Fees, FillPolicy, Instrument, Size, Slippage
from ..errors import InputError
from .prepare import prepare

_CASH = 1e9


def held_sides(strategy: Any, bars: Sequence[Any]) -> list[np.ndarray]:
    """For each symbol float64[n]: 1 where `strategy` was long at the close of a bar, -1 short, 0 flat.

    It runs alone over all of `bars` with much cash and no costs, orders filled at the next open; row i depends on bars
    0..i alone. Raises what preparing and running it raise.
    """
    prepared = prepare(strategy, None, bars)
    symbols = [one.symbol for one in bars]
    engine = Engine(
        symbols,
        [one.columns() for one in bars],
        cash=_CASH,
        policy=FillPolicy(),
        fees=Fees(),
        slippage=Slippage(),
        size=Size.equity(0.9 / len(bars)),
        risk=None,
        instruments=[Instrument()] * len(bars),
        account=Account(),
    )
    engine.set_indicators(prepared.columns)
    engine.set_parameters(prepared.numbers)
    engine.set_state(prepared.state_size)
    engine.context.texts[:] = prepared.texts
    if prepared.native is not None:
        engine.bind_native(prepared.native.address, prepared.failure.address)
    elif prepared.on_bar is not None:
        engine.bind_python(prepared.on_bar, prepared.resident)
    else:
        raise InputError(f"{strategy!r} has nothing to call")
    engine.advance(engine.clock_count)
    engine.finish()
    fills = engine.fills()
    sides = []
    for slot, one in enumerate(bars):
        own = fills[fills["symbol"] == slot]
        change = np.zeros(engine.clock_count + 1)
        np.add.at(change, own["bar"], own["quantity"] * own["side"])
        held = np.cumsum(change[:-1])
        at = np.searchsorted(engine.clock_ts_ns, one.ts_ns)
        sides.append(np.sign(np.where(np.abs(held[at]) > 1e-6, held[at], 0.0)))
    return sides
