"""What a session holds beside the C tables: what working orders ask for, and the last signals of each symbol."""

from __future__ import annotations

import math
from typing import Any, Literal

import msgspec
import numpy as np

from ..clock import as_ns
from ..errors import InputError
from ..schema.decisions import DIRECTIONS

# One remembered signal; direction as in the event log: 1 long, -1 short, 0 neutral, 2 close.
SIGNAL_DTYPE = np.dtype([("ts_ns", "<i8"), ("id", "<u8"), ("confidence", "<f8"), ("direction", "<i8")])
DIRECTION_CODES = {"long": 1, "short": -1, "neutral": 0, "close": 2}
assert DIRECTION_CODES.keys() == set(DIRECTIONS)


class WorkingOrder(msgspec.Struct, kw_only=True):
    """A working order as it stands now. quantity 0: it finds its size at its fill. None: it has no such price."""

    id: int
    symbol: str
    side: Literal["buy", "sell"]
    quantity: float = 0.0
    filled: float = 0.0
    limit_price: float | None = None
    stop_price: float | None = None
    type: str = "market"
    ts_ns: int = 0


class SignalRings:
    """The last `ring` signals of each symbol. Rows stand twice, `ring` apart, so that the last n are always a slice."""

    def __init__(self, ring: int) -> None:
        self.ring = ring
        self._rings: dict[str, np.ndarray] = {}
        self._views: dict[str, np.ndarray] = {}
        self._counts: dict[str, int] = {}

    def add(self, symbol: str, row: tuple[int, int, float, int]) -> None:
        """Remember one, over the oldest once there are `ring`."""
        ring = self._rings.get(symbol)
        if ring is None:
            ring = self._rings[symbol] = np.zeros(2 * self.ring, SIGNAL_DTYPE)
            self._views[symbol] = view = ring.view()
            view.flags.writeable = False
        at = self._counts.get(symbol, 0)
        ring[at % self.ring] = ring[at % self.ring + self.ring] = row
        self._counts[symbol] = at + 1

    def last(self, symbol: str, count: int) -> np.ndarray:
        """The last m <= count, oldest first: a read-only view."""
        have = self._counts.get(symbol, 0)
        if not have:
            return np.empty(0, SIGNAL_DTYPE)
        count = min(count, have)
        end = (have - 1) % self.ring + 1 + (self.ring if have > self.ring else 0)
        return self._views[symbol][end - count : end]


def signal_row(ts_ns: Any, direction: Any, confidence: Any, id_: Any) -> tuple[int, int, float, int]:
    """A checked row of SIGNAL_DTYPE."""
    if direction not in DIRECTION_CODES:
        raise InputError(f"direction must be one of {', '.join(DIRECTION_CODES)}, was {direction!r}")
    number = isinstance(confidence, int | float | np.integer | np.floating) and not isinstance(confidence, bool)
    if not number or not 0.0 <= confidence <= 1.0:
        raise InputError(f"confidence must be in 0..1, was {confidence!r}")
    if isinstance(id_, bool) or not isinstance(id_, int | np.integer) or not 0 <= id_ < 2**64:
        raise InputError(f"id must be an integer in 0..2**64-1, was {id_!r}")
    return as_ns(ts_ns), int(id_), float(confidence), DIRECTION_CODES[direction]


def rate(hits: int, misses: int) -> dict[str, Any]:
    """Counts and what they come to."""
    asked = hits + misses
    return {"hits": hits, "misses": misses, "hit_rate": hits / asked if asked else math.nan}
