"""From merged streams of ticks to the columns the core reads, and what must hold of them and other settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import InputError
from .layouts import EVENT_CALLS
from .settings import FillPolicy, Slippage

KIND_CODES = {"quotes": 1, "trades": 2, "depth": 3}
"""NT_HEARD_* of csrc/nt_tick.h by the name of the stream's kind."""


def stream_columns(stream: Any) -> tuple[tuple[np.ndarray, ...], np.ndarray | None]:
    """(float64 columns, int8 signs or None) of a stream, as nt_tick_stream has them."""
    _, _, *values = stream.columns()
    if stream.KIND == "quotes":
        return tuple(values), None
    price, quantity, sign = values if stream.KIND == "trades" else (values[1], values[2], values[0])
    return (price, quantity), sign


def check_heard(ticks: Any) -> None:
    """InputError where an event is heard before it happens."""
    events = ticks.events()
    early = np.flatnonzero(events.local_ns < events.ts_ns)
    if len(early):
        at = int(early[0])
        stream, row = ticks.streams[int(events.stream[at])], int(events.first[at])
        raise InputError(
            f"data: {stream.KIND} of {stream.symbol} row {row} is heard at {int(events.local_ns[at])}, "
            f"before it happens at {int(events.ts_ns[at])}: set the recorder's clock right, data.with_latency()"
        )


def check_policy(policy: FillPolicy, slippage: Slippage) -> None:
    """InputError for what has no meaning without bars."""
    if policy.volume_cap is not None:
        raise InputError(f"fill: volume_cap is of bars, ticks have sizes of their own; was {policy.volume_cap!r}")
    if slippage.cap_to_bar:
        raise InputError("slippage: cap_to_bar is of bars, ticks have none")


def called(calls: Sequence[str]) -> int:
    """Bit 1 << index for each of EVENT_CALLS that a strategy has."""
    return sum(1 << EVENT_CALLS.index(name) for name in calls)


def ticks_config(policy: FillPolicy, calls: Sequence[str], symbol_count: int) -> dict[str, Any]:
    """nt_ticks_config. calls : of EVENT_CALLS, those the strategy has."""
    queue = policy.queue
    return {
        "queue": {
            "kind": queue.KINDS.index(queue.kind),
            "share": queue.SHARES.index(queue.share),
            "exponent": float(queue.exponent),
        },
        "stop_trigger": policy.STOP_TRIGGERS.index(policy.stop_trigger),
        "called": called(calls),
        "symbol_count": symbol_count,
    }
