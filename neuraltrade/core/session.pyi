"""Types of neuraltrade.core.session: the tables of the session tier."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ..clock import Clock
from ..schema import MarketState
from .live_position import LivePosition
from .settings import Denial

RECENT_DTYPE: np.dtype[np.void]
CAPACITY_MAX: int
RING_MAX: int

class Tables:
    cash_digits: int
    clock: Clock
    hits: int
    misses: int
    expired: int
    ring: int
    position_hits: int
    position_misses: int
    recent_hits: int
    recent_misses: int
    order_hits: int
    order_misses: int
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
    ) -> None: ...
    def position(self, symbol: str) -> LivePosition | None: ...
    def is_active(self, order_id: int) -> bool: ...
    def recent(self, symbol: str, n: int = 100) -> npt.NDArray[np.void]: ...
    def market_state(self, symbol: str) -> MarketState | None: ...
    def update_market(
        self,
        symbol: str,
        ts_ns: Any,
        last: float | None = None,
        bid: float | None = None,
        ask: float | None = None,
        volume: float | None = None,
    ) -> None: ...
    def observe(
        self,
        symbol: str,
        ts_ns: Any,
        price: float | None = None,
        volume: float | None = None,
        spread: float | None = None,
        bid: float | None = None,
        ask: float | None = None,
        *,
        known_ns: Any = None,
        id: int = 0,
    ) -> None: ...
    def update_position(
        self, symbol: str, quantity: float, average_price: float = 0.0, realised: float = 0.0
    ) -> None: ...
    def apply_fill(
        self, symbol: str, side: Literal["buy", "sell", 1, -1], quantity: float, price: float, fee: float = 0.0
    ) -> None: ...
    def apply_exact(self, symbol: str, quantity_nano: int, price_nano: int, fee_minor: int) -> None: ...
    def apply_flow(self, symbol: str, kind: str, amount: int, ratio: int = 0) -> None: ...
    def apply_rate(self, symbol: str, rate_pico: int) -> None: ...
    def set_multiplier(self, symbol: str, multiplier: float) -> None: ...
    def order_opened(self, order_id: int) -> bool | Denial: ...
    def order_closed(self, order_id: int) -> bool: ...
    def _know(self, symbol: str) -> None: ...
    @property
    def capacity(self) -> int: ...
    @property
    def symbols(self) -> tuple[str, ...]: ...
    @property
    def active_orders(self) -> list[int]: ...
    @property
    def active_count(self) -> int: ...
    @property
    def cash(self) -> float: ...
    @property
    def balance(self) -> int: ...
