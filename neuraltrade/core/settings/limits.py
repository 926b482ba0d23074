"""What the gate allows, and what it says where it does not."""

from __future__ import annotations

import enum
from typing import ClassVar

from ...errors import InputError
from .checks import PRICE_MAX, Setting, choice, number
from .meanings import MEANINGS


class Denial(enum.IntEnum):
    """Why an order was refused. Orders return an id above 0, 0 where nothing was to be done, or one of these.

    >>> import neuraltrade as nt
    >>> nt.Denial(-121).name
    'MAX_NOTIONAL'
    >>> nt.accepted(nt.Denial.HALTED), nt.accepted(17)
    (False, True)
    >>> nt.Denial["LOT"].meaning
    "the quantity is off the instrument's lot"
    """

    QUANTITY_RANGE = -100
    PRICE_RANGE = -101
    LOT = -102
    TICK = -103
    UNKNOWN_SYMBOL = -104
    TABLE_FULL = -105
    UNKNOWN_ORDER = -106
    ORDER_DONE = -107
    TRANSITION = -108
    BRACKET = -109
    NO_CASH = -110
    SHORTING = -111
    TIME_IN_FORCE = -112
    CONFLICT = -113
    MAX_QUANTITY = -120
    MAX_NOTIONAL = -121
    NO_REFERENCE = -122
    COLLAR = -123
    MAX_POSITION = -124
    HALTED = -125
    REDUCE_ONLY = -126
    MAX_EXPOSURE = -127
    MAX_LEVERAGE = -128
    RATE = -129
    RESTRICTED = -130
    LOSS = -131
    MAX_NET_EXPOSURE = -132
    DUPLICATE = -133
    REPEATED = -134
    SELF_TRADE = -135
    DRAWDOWN = -136
    LIQUIDATION = -140
    BANKRUPT = -141
    NO_RATE = -142
    SESSION_CLOSED = -143

    @property
    def meaning(self) -> str:
        """What was wrong, in words; docs/risk.md has them all."""
        return MEANINGS[self.name][0]

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return MEANINGS[self.name][1]


def accepted(order_id: int) -> bool:
    """Whether what an order call returned is an order's id, rather than 0 (nothing to do) or a `Denial`.

    >>> import neuraltrade as nt
    >>> nt.accepted(3), nt.accepted(0), nt.accepted(-110)
    (True, False, False)
    """
    return order_id > 0


class RiskLimits(Setting, frozen=True, kw_only=True):
    """What the gate allows. None = that control is off; with a RiskLimits at all, no reference price means no order.

    max_order_quantity : units of one order. max_order_notional : currency; a buy at its limit, else at the higher of
        its own price and the last close.
    price_collar : how far a limit or stop price may lie from the last close, as a fraction of it.
    max_position : units of one symbol, either side, working orders counted; orders that reduce a position pass. Of
        several strategies in one run each has its own position; the limits below hold for all of them together.
    max_gross_exposure, max_net_exposure : currency, at the last closes, all symbols and working orders counted.
    max_leverage : gross exposure over equity.
    max_orders_per_second : orders that pass in one second of event time: of the bars' own clock.
    duplicate_window_ns : an order like one that passed less than this ago (symbol, side, quantity, prices) is refused;
        1 = only in the same bar.
    max_executions : entries that may trade before `Engine.resume` enables the gate again; reducing goes on.
    prevent_self_trade : refuse an order that could trade with an own working order of the other side, brackets aside.
    restricted : symbols that are not traded at all; a house's whole list will do, whatever of it the run has.
    max_daily_loss : currency below the last close of the day before (UTC). max_drawdown : fraction below the peak of
        equity. Both are looked at on each close and at each order; beyond them the gate enters `on_loss`.
    on_loss : "reduce_only" | "halt" | "cancel_all". kill_switch : start halted. reduce_only : start in that mode.

    >>> import neuraltrade as nt
    >>> nt.RiskLimits(max_position=500, max_drawdown=0.2).on_loss
    'halt'
    """

    max_order_quantity: float | None = None
    max_order_notional: float | None = None
    price_collar: float | None = None
    max_position: float | None = None
    kill_switch: bool = False
    max_gross_exposure: float | None = None
    max_net_exposure: float | None = None
    max_leverage: float | None = None
    max_orders_per_second: int | None = None
    duplicate_window_ns: int | None = None
    max_executions: int | None = None
    prevent_self_trade: bool = False
    restricted: tuple[str, ...] = ()
    max_daily_loss: float | None = None
    max_drawdown: float | None = None
    on_loss: str = "halt"
    reduce_only: bool = False

    AMOUNTS: ClassVar[tuple[str, ...]] = (
        "max_order_quantity",
        "max_order_notional",
        "price_collar",
        "max_position",
        "max_gross_exposure",
        "max_net_exposure",
        "max_leverage",
        "max_daily_loss",
    )
    COUNTS: ClassVar[tuple[str, ...]] = ("max_orders_per_second", "duplicate_window_ns", "max_executions")
    MODES: ClassVar[tuple[str, ...]] = ("reduce_only", "halt", "cancel_all")

    def __post_init__(self) -> None:
        for name in self.AMOUNTS:
            if getattr(self, name) is not None:
                number("RiskLimits", name, getattr(self, name), 0.0, PRICE_MAX, above=True)
        if self.max_drawdown is not None:
            number("RiskLimits", "max_drawdown", self.max_drawdown, 0.0, 1.0, above=True)
        for name in self.COUNTS:
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**62):
                raise InputError(f"RiskLimits: {name} must be a whole number in 1..2**62 - 1, was {value!r}")
        for name in ("kill_switch", "prevent_self_trade", "reduce_only"):
            if not isinstance(getattr(self, name), bool):
                raise InputError(f"RiskLimits: {name} must be True or False, was {getattr(self, name)!r}")
        if not isinstance(self.restricted, tuple) or not all(isinstance(name, str) for name in self.restricted):
            raise InputError(f"RiskLimits: restricted must be a tuple of symbols, was {self.restricted!r}")
        choice("RiskLimits", "on_loss", self.on_loss, self.MODES)
