"""Types of neuraltrade.core.engine: one run of the native loop, and what a strategy sees of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..ports import Recall
from .records import Records
from .settings import Account, Fees, FillPolicy, Instrument, RiskLimits, Size, Slippage

FILL_DTYPE: np.dtype[np.void]
ORDER_DTYPE: np.dtype[np.void]
TRADE_DTYPE: np.dtype[np.void]
SIGNAL_DTYPE: np.dtype[np.void]
EVENT_DTYPE: np.dtype[np.void]
CONTEXT_DTYPE: np.dtype[np.void]
API_NAMES: tuple[str, ...]
EVENT_KINDS: tuple[str, ...]
CONTROLS: tuple[str, ...]
GATE_MODES: tuple[str, ...]
DENIAL_DTYPE: np.dtype[np.void]
ORDER_ROLES: tuple[str, ...]
ORDER_TYPES: tuple[str, ...]
ORDER_STATES: tuple[str, ...]
TIMES_IN_FORCE: tuple[str, ...]

class IndicatorHandle:
    """Names one indicator column of the engine: `index` into what `Engine.set_indicators` got. May be subclassed."""

    index: int
    def __init__(self, index: int) -> None: ...

class Bar:
    """One finished bar, as `ctx.ago(k)` returns it."""

    ts_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float

class Context:
    """What a strategy sees at one bar, and how it acts; see CONTRACT. Made by `Engine`, valid inside `on_bar`."""

    i: int
    bar: int
    ts_ns: int
    slot: int
    symbol: str
    open: float
    high: float
    low: float
    close: float
    volume: float
    event: str
    bid: float
    bid_size: float
    ask: float
    ask_size: float
    mid: float
    last: float
    last_size: float
    aggressor: int
    position: float
    entry_price: float
    cash: float
    equity: float
    state: memoryview
    parameters: memoryview
    texts: list[str]
    def ago(self, k: int) -> Bar: ...
    def value(self, indicator: IndicatorHandle) -> float: ...
    def previous(self, indicator: IndicatorHandle, k: int = 1) -> float: ...
    def crossed_above(self, a: IndicatorHandle | float, b: IndicatorHandle | float) -> bool: ...
    def crossed_below(self, a: IndicatorHandle | float, b: IndicatorHandle | float) -> bool: ...
    def buy(
        self,
        quantity: float | None = None,
        limit: float | None = None,
        stop: float | None = None,
        stop_loss: float | None = None,
        take_profit: float | None = None,
        trail: float | None = None,
        tif: str = "gtc",
        *,
        stop_loss_rate: float | None = None,
        take_profit_rate: float | None = None,
        trail_rate: float | None = None,
        at: str | None = None,
        good_till: Any = None,
    ) -> int: ...
    def sell(
        self,
        quantity: float | None = None,
        limit: float | None = None,
        stop: float | None = None,
        stop_loss: float | None = None,
        take_profit: float | None = None,
        trail: float | None = None,
        tif: str = "gtc",
        *,
        stop_loss_rate: float | None = None,
        take_profit_rate: float | None = None,
        trail_rate: float | None = None,
        at: str | None = None,
        good_till: Any = None,
    ) -> int: ...
    def close_position(self) -> int: ...
    def target(self, fraction_of_equity: float) -> int: ...
    def trailing_stop(
        self,
        quantity: float | None = None,
        trail: float | None = None,
        trail_rate: float | None = None,
        side: int = 0,
        tif: str = "gtc",
        good_till: Any = None,
    ) -> int: ...
    def modify(
        self, order_id: int, quantity: float | None = None, limit: float | None = None, stop: float | None = None
    ) -> int: ...
    def oco(self, order_id: int, other_id: int) -> int: ...
    def depth_price(self, side: int, level: int = 0) -> float: ...
    def depth_size(self, side: int, level: int = 0) -> float: ...
    def queue_ahead(self, order_id: int) -> float: ...
    def cancel(self, order_id: int) -> int: ...
    def cancel_all(self) -> int: ...
    def halt(self, mode: str = "halt") -> int: ...
    def is_active(self, order_id: int) -> bool: ...
    def signal(self, direction: int | str, confidence: float, reasoning: str | None = None) -> float: ...
    def similar(self, k: int = 10) -> npt.NDArray[np.void]: ...

class Engine(Records):
    """One run over bars of one or more symbols."""

    context: Context
    context_address: int
    api_address: int
    gate_mode: str
    def __init__(
        self,
        symbols: Sequence[str],
        bars: Sequence[tuple[npt.NDArray[Any], ...]] | None = None,
        *,
        cash: float,
        policy: FillPolicy,
        fees: Fees,
        slippage: Slippage,
        size: Size,
        risk: RiskLimits | None,
        instruments: Sequence[Instrument],
        account: Account,
        path: str | None = None,
        record_events: bool = True,
        latency_ns: int = 0,
        ticks: Any = None,
        calls: Sequence[str] = (),
        dues: Sequence[npt.NDArray[np.void] | None] | None = None,
        rates: Sequence[npt.NDArray[np.void] | None] | None = None,
        sessions: Sequence[npt.NDArray[np.int32] | tuple[npt.NDArray[np.int64], ...] | None] | None = None,
        strategies: int = 1,
    ) -> None: ...
    def set_indicators(
        self,
        columns: Sequence[Sequence[npt.NDArray[np.float64]]],
        turns: Sequence[npt.NDArray[np.int64] | None] | None = None,
    ) -> None: ...
    def set_parameters(self, values: npt.NDArray[np.float64]) -> None: ...
    def set_state(self, count: int) -> None: ...
    def set_recall(self, recall: Recall | None, symbols: Sequence[str] | None = None) -> None: ...
    def set_advisor(self, advisor: Callable[[int, int, int, float, int, int], float] | None) -> None: ...
    def set_journal(self, journal: Callable[[npt.NDArray[np.void]], None] | None) -> None: ...
    def bind_python(
        self, on_bar: Callable[[Context], Any], start: Callable[[Context], Iterator[None]] | None = None
    ) -> None: ...
    def bind_events(self, on_event: Mapping[str, Callable[[Context], Any]]) -> None: ...
    def bind_native(self, address: int, user: int = 0) -> None: ...
    def bind_signals(
        self,
        entries: npt.NDArray[np.uint8],
        exits: npt.NDArray[np.uint8] | None = None,
        short_entries: npt.NDArray[np.uint8] | None = None,
        short_exits: npt.NDArray[np.uint8] | None = None,
        stop_loss: npt.NDArray[np.float64] | None = None,
        take_profit: npt.NDArray[np.float64] | None = None,
        size: npt.NDArray[np.float64] | None = None,
    ) -> None: ...
    def advance(self, count: int) -> int: ...
    def finish(self, close_open: bool = False) -> None: ...
    def halt(self, mode: str = "halt") -> int: ...
    def resume(self) -> None: ...
