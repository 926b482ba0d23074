"""What was seen, what was decided, what was ordered: Observation, Signal, Order."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np

from ..clock import NOT_A_TIME
from ..errors import InputError
from .base import (
    Record,
    as_vector,
    check_choice,
    check_id,
    check_metadata,
    check_number,
    check_numbers,
    check_rows,
    check_symbol,
    settle_times,
    stamp,
)
from .state import Provenance

Direction = Literal["long", "short", "neutral", "close"]
Side = Literal["buy", "sell"]
OrderType = Literal["market", "limit", "stop", "stop_limit", "trailing_stop", "market_on_open", "market_on_close"]
TimeInForce = Literal["GTC", "DAY", "IOC", "FOK", "GTD"]
OrderStatus = Literal[
    "pending", "submitted", "partially_filled", "filled", "cancelled", "rejected", "expired", "denied"
]

DIRECTIONS: tuple[str, ...] = get_args(Direction)
SIDES: tuple[str, ...] = get_args(Side)
ORDER_TYPES: tuple[str, ...] = get_args(OrderType)
TIMES_IN_FORCE: tuple[str, ...] = get_args(TimeInForce)
ORDER_STATUSES: tuple[str, ...] = get_args(OrderStatus)

BOOK_LEVELS_MAX = 5


class Observation(Record, tag=True, tag_field="record"):
    """The market of one symbol at one time, as it was seen.

    id : 0 until stored. ts_ns : when it happened; known_ns : when its content could be known (default: ts_ns). Both
    take an int, datetime, numpy.datetime64 or ISO string. price > 0; volume, spread >= 0. bids, asks : up to 5
    (price, size), best first. metadata : anything MessagePack can hold. vector : float32[d] or None. Raises
    InputError naming the field.

    >>> import neuraltrade as nt
    >>> seen = nt.Observation(ts_ns="2024-03-01T12:00:00Z", symbol="AAPL", price=101.5, bids=[(101.4, 200.0)])
    >>> seen.known_ns == seen.ts_ns
    True
    """

    ts_ns: int
    symbol: str
    id: int = 0
    known_ns: int = NOT_A_TIME
    price: float | None = None
    volume: float | None = None
    spread: float | None = None
    bids: list[tuple[float, float]] = []
    asks: list[tuple[float, float]] = []
    metadata: dict[str, Any] = {}
    provenance: Provenance | None = None
    vector: np.ndarray | None = None

    def __post_init__(self) -> None:
        self.id = check_id(self.id)
        check_symbol(self.symbol)
        settle_times(self)
        if self.price is not None:
            self.price = check_number(self.price, "price", 0.0, above=True)
        if self.volume is not None:
            self.volume = check_number(self.volume, "volume", 0.0)
        if self.spread is not None:
            self.spread = check_number(self.spread, "spread", 0.0)
        if type(self.bids) is not list or type(self.asks) is not list or self.bids or self.asks:
            self.bids, self.asks = _check_book("bids", self.bids, -1), _check_book("asks", self.asks, 1)
        self.metadata = check_metadata(self.metadata)
        if self.vector is not None:
            self.vector = as_vector(self.vector)


def _check_book(name: str, given: Any, sign: int) -> list[tuple[float, float]]:
    levels = check_rows(given, name)
    if len(levels) > BOOK_LEVELS_MAX:
        raise InputError(f"{name} must have at most {BOOK_LEVELS_MAX} levels, has {len(levels)}")
    checked: list[tuple[float, float]] = []
    for index, level in enumerate(levels):
        if not isinstance(level, tuple | list | np.ndarray) or len(level) != 2:
            raise InputError(f"{name}[{index}] must be (price, size), was {level!r}")
        price, size = level
        price = check_number(price, f"{name}[{index}] price", 0.0, above=True)
        if checked and (price - checked[-1][0]) * sign <= 0:
            raise InputError(f"{name} must be best price first, level {index} is {price!r} after {checked[-1][0]!r}")
        checked.append((price, check_number(size, f"{name}[{index}] size", 0.0)))
    return checked


class Signal(Record, tag=True, tag_field="record"):
    """A strategy's decision, with what it rests on.

    direction : long, short, neutral, close. confidence : 0..1. features : numbers it was taken on. causal_links : ids
    of the observations behind it. propensity : probability with which the policy takes this action, (0, 1], None if
    unknown. metadata : run settings and whatever else must be kept with the decision. Raises InputError naming the
    field.

    >>> import neuraltrade as nt
    >>> signal = nt.Signal(ts_ns=0, symbol="AAPL", direction="long", confidence=0.8, causal_links=[17])
    >>> nt.Signal(ts_ns=0, symbol="AAPL", direction="lon")
    Traceback (most recent call last):
        ...
    neuraltrade.errors.InputError: direction must be one of long, short, neutral, close, was 'lon'; did you mean 'long'?
    """

    ts_ns: int
    symbol: str
    direction: Direction
    id: int = 0
    known_ns: int = NOT_A_TIME
    strategy: str = ""
    confidence: float = 1.0
    features: list[float] = []
    reasoning: str = ""
    causal_links: list[int] = []
    propensity: float | None = None
    entry_price: float | None = None
    stop_loss: float | None = None
    take_profit: float | None = None
    quantity: float | None = None
    metadata: dict[str, Any] = {}
    provenance: Provenance | None = None
    vector: np.ndarray | None = None

    def __post_init__(self) -> None:
        self.id = check_id(self.id)
        check_symbol(self.symbol)
        settle_times(self)
        if self.direction not in DIRECTIONS:
            check_choice(self.direction, DIRECTIONS, "direction")
        self.confidence = check_number(self.confidence, "confidence", 0.0, 1.0)
        if self.propensity is not None:
            self.propensity = check_number(self.propensity, "propensity", 0.0, 1.0, above=True)
        if self.entry_price is not None:
            self.entry_price = check_number(self.entry_price, "entry_price", 0.0, above=True)
        if self.stop_loss is not None:
            self.stop_loss = check_number(self.stop_loss, "stop_loss", 0.0, above=True)
        if self.take_profit is not None:
            self.take_profit = check_number(self.take_profit, "take_profit", 0.0, above=True)
        if self.quantity is not None:
            self.quantity = check_number(self.quantity, "quantity", 0.0, above=True)
        self.causal_links = [check_id(link, "causal_links") for link in check_rows(self.causal_links, "causal_links")]
        if type(self.features) is not list or self.features:
            self.features = check_numbers(self.features, "features")
        self.metadata = check_metadata(self.metadata)
        if self.vector is not None:
            self.vector = as_vector(self.vector)


class OrderFill(Record, tag=True, tag_field="record", gc=False):
    """One execution of an order. quantity > 0 (the order's side gives the sign), price > 0, fee in the account's
    currency.

    >>> import neuraltrade as nt
    >>> nt.OrderFill(ts_ns=0, quantity=10, price=101.0, fee=1.0).price
    101.0
    """

    ts_ns: int
    quantity: float
    price: float
    fee: float = 0.0

    def __post_init__(self) -> None:
        self.ts_ns = stamp(self.ts_ns, "ts_ns")
        self.quantity = check_number(self.quantity, "quantity", 0.0, above=True)
        self.price = check_number(self.price, "price", 0.0, above=True)
        self.fee = check_number(self.fee, "fee")


def _check_fills(given: Any) -> list[OrderFill]:
    fills = check_rows(given, "fills")
    for fill in fills:
        if not isinstance(fill, OrderFill):
            raise InputError(f"fills must hold OrderFill records, had {type(fill).__name__}")
    return fills


class Order(Record, tag=True, tag_field="record"):
    """An order through its life. ts_ns is when it was made (created_ns defaults to it).

    quantity > 0; prices > 0 or None. known_ns : when this state of it was known (default: the latest time in it).
    reason : why it was denied, rejected or cancelled. Raises InputError naming the field.

    >>> import neuraltrade as nt
    >>> order = nt.Order(ts_ns=0, symbol="AAPL", side="buy", quantity=10, signal_id=3, status="filled",
    ...                  fills=[nt.OrderFill(ts_ns=5, quantity=10, price=101.0)])
    >>> order.filled_quantity, order.average_fill_price, order.known_ns
    (10.0, 101.0, 5)
    """

    ts_ns: int
    symbol: str
    side: Side
    quantity: float
    id: int = 0
    known_ns: int = NOT_A_TIME
    signal_id: int = 0
    type: OrderType = "market"
    limit_price: float | None = None
    stop_price: float | None = None
    tif: TimeInForce = "GTC"
    status: OrderStatus = "pending"
    created_ns: int = NOT_A_TIME
    submitted_ns: int | None = None
    first_fill_ns: int | None = None
    completed_ns: int | None = None
    fills: list[OrderFill] = []
    reason: str = ""
    strategy: str = ""
    metadata: dict[str, Any] = {}
    provenance: Provenance | None = None
    vector: np.ndarray | None = None

    def __post_init__(self) -> None:
        self.id = check_id(self.id)
        self.signal_id = check_id(self.signal_id, "signal_id")
        check_symbol(self.symbol)
        if self.side not in SIDES:
            check_choice(self.side, SIDES, "side")
        if self.type not in ORDER_TYPES:
            check_choice(self.type, ORDER_TYPES, "type")
        if self.tif not in TIMES_IN_FORCE:
            check_choice(self.tif, TIMES_IN_FORCE, "tif")
        if self.status not in ORDER_STATUSES:
            check_choice(self.status, ORDER_STATUSES, "status")
        self.quantity = check_number(self.quantity, "quantity", 0.0, above=True)
        for name in ("limit_price", "stop_price"):
            if getattr(self, name) is not None:
                setattr(self, name, check_number(getattr(self, name), name, 0.0, above=True))
        self.ts_ns = stamp(self.ts_ns, "ts_ns")
        self.created_ns = stamp(self.created_ns, "created_ns", self.ts_ns)
        latest = self.ts_ns
        for name in ("submitted_ns", "first_fill_ns", "completed_ns"):
            if getattr(self, name) is not None:
                setattr(self, name, stamp(getattr(self, name), name))
                latest = max(latest, getattr(self, name))
        self.fills = _check_fills(self.fills)
        latest = max([latest, *(fill.ts_ns for fill in self.fills)])
        if self.known_ns == NOT_A_TIME:
            self.known_ns = latest
        settle_times(self)
        if self.known_ns < latest:
            raise InputError(f"known_ns must not be before the latest time of it ({latest}), was {self.known_ns}")
        self.metadata = check_metadata(self.metadata)
        if self.vector is not None:
            self.vector = as_vector(self.vector)

    @property
    def filled_quantity(self) -> float:
        """Units executed so far."""
        return float(sum(fill.quantity for fill in self.fills))

    @property
    def average_fill_price(self) -> float | None:
        """Quantity-weighted price of the fills, None without any."""
        filled = self.filled_quantity
        return sum(fill.quantity * fill.price for fill in self.fills) / filled if filled else None
