"""What a run is told: how orders fill, what trading costs, how large orders are, what the gate allows.

Every class here is frozen and checked when it is made, so that the engine below never meets a wrong value. Prices,
quantities and money are floats at this face; the engine turns them into fixed point once.
"""

from __future__ import annotations

import difflib
import enum
import math
from typing import Any, ClassVar

import msgspec

from ..errors import InputError

PRICE_MAX = 9_223_372_036.0  # int64 at 1e-9, in whole units
_CASH_DIGITS = range(10)


class Denial(enum.IntEnum):
    """Why an order was refused. Orders return an id above 0, 0 where nothing was to be done, or one of these.

    >>> import neuraltrade as nt
    >>> nt.Denial(-121).name
    'MAX_NOTIONAL'
    >>> nt.accepted(nt.Denial.HALTED), nt.accepted(17)
    (False, True)
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


def accepted(order_id: int) -> bool:
    """Whether what an order call returned is an order's id, rather than 0 (nothing to do) or a `Denial`.

    >>> import neuraltrade as nt
    >>> nt.accepted(3), nt.accepted(0), nt.accepted(-110)
    (True, False, False)
    """
    return order_id > 0


def _number(owner: str, name: str, value: Any, low: float, high: float, *, above: bool = False) -> float:
    """`value` as a float in [low, high] (above: in (low, high]), or InputError."""
    bounds = f"{'above' if above else 'at least'} {low:g} and at most {high:g}"
    if isinstance(value, bool) or (not isinstance(value, (int, float)) and not hasattr(value, "__float__")):
        raise InputError(f"{owner}: {name} must be a number {bounds}, was {value!r}")
    number = float(value)
    if not math.isfinite(number) or number < low or number > high or (above and number == low):
        raise InputError(f"{owner}: {name} must be {bounds}, was {value!r}")
    return number


def _choice(owner: str, name: str, value: Any, allowed: tuple[str, ...]) -> None:
    if value in allowed:
        return
    close = difflib.get_close_matches(str(value), allowed, 1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise InputError(f"{owner}: {name} must be one of {', '.join(allowed)}, was {value!r}{hint}")


class FillPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How working orders meet a bar: eight choices, and what surrounds them.

    market_at : "next_open" | "same_close". Where a market order fills.
    limit_fill : "touch" (the bar's low reaches a buy limit) | "penetrate" (it goes beyond); mirrored for sells.
    limit_gap : "improve" (the open is beyond the limit: fill at the open) | "at_limit".
    stop_gap : "at_open" (the open is beyond the stop: fill at the open) | "at_stop".
    path : which trigger comes first in a bar. "worst" (stops before profits) | "best" | "ohlc" | "olhc" | "nearest"
        (the extreme nearer to the open first, a tie is the low).
    contingent_from : stop-losses, take-profits and trails may fire on the "entry_bar" | from the "next_bar".
    contingent_from_working : the same where the entry was a limit or stop order; None = as contingent_from;
        "certain_profit" = from the next bar, but the take-profit of a stop entry may fire in a bar that leaves the
        stop-loss alone.
    stop_base : fractions of a bracket are of the "fill_price" | of the "entry_close" (close of the bar of the fill).
    trail_update : a trailing stop's peak moves "after_check" | "before_check".
    volume_cap : fraction of a bar's volume that our orders may take, the rest stays working; None = no cap.
    reject_on_cash : an order that cash does not cover is a "reject" | a "shrink" to what cash allows.
    default_lot : grid of default order sizes where the instrument names no lot; None = 1e-9.

    >>> import neuraltrade as nt
    >>> nt.FillPolicy.preset("vectorbt").market_at
    'same_close'
    >>> nt.FillPolicy(limit_fill="touch").path
    'worst'
    """

    market_at: str = "next_open"
    limit_fill: str = "penetrate"
    limit_gap: str = "improve"
    stop_gap: str = "at_open"
    path: str = "worst"
    contingent_from: str = "entry_bar"
    contingent_from_working: str | None = None
    stop_base: str = "fill_price"
    trail_update: str = "after_check"
    volume_cap: float | None = None
    reject_on_cash: str = "reject"
    default_lot: float | None = None

    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {
        "market_at": ("next_open", "same_close"),
        "limit_fill": ("touch", "penetrate"),
        "limit_gap": ("improve", "at_limit"),
        "stop_gap": ("at_open", "at_stop"),
        "path": ("worst", "best", "ohlc", "olhc", "nearest"),
        "contingent_from": ("entry_bar", "next_bar"),
        "contingent_from_working": ("entry_bar", "next_bar", "certain_profit"),
        "stop_base": ("fill_price", "entry_close"),
        "trail_update": ("after_check", "before_check"),
        "reject_on_cash": ("reject", "shrink"),
    }

    def __post_init__(self) -> None:
        for name, allowed in self.CHOICES.items():
            value = getattr(self, name)
            if not (name == "contingent_from_working" and value is None):
                _choice("FillPolicy", name, value, allowed)
        if self.volume_cap is not None:
            _number("FillPolicy", "volume_cap", self.volume_cap, 0.0, 1.0, above=True)
        if self.default_lot is not None:
            _number("FillPolicy", "default_lot", self.default_lot, 1e-9, 1e9)

    @classmethod
    def preset(cls, name: str) -> FillPolicy:
        """The policy of that name: "conservative", "backtesting_py" (0.6.6) or "vectorbt" (1.2.0, from_signals).

        InputError names the presets where `name` is none of them.
        """
        _choice("FillPolicy.preset", "name", name, tuple(_PRESETS))
        return _PRESETS[name]

    @staticmethod
    def presets() -> tuple[str, ...]:
        """Names that `preset` takes."""
        return tuple(_PRESETS)


_PRESETS = {
    "conservative": FillPolicy(),
    # Relative orders are floored to whole units; a stop or limit entry's bracket waits for the next bar, but for the
    # one case that backtesting.py sees as certain: the price goes on from the entry's stop to its profit.
    "backtesting_py": FillPolicy(limit_fill="touch", contingent_from_working="certain_profit", default_lot=1.0),
    "vectorbt": FillPolicy(
        market_at="same_close",
        limit_fill="touch",
        contingent_from="next_bar",
        stop_base="entry_close",
        reject_on_cash="shrink",
    ),
}


class Fees(msgspec.Struct, frozen=True, kw_only=True):
    """Cost of one fill: max(minimum, rate x notional + fixed + per_unit x quantity), in the account's currency.

    rate : fraction of notional, 0..1, kept to 1e-12. fixed, per_unit, minimum : currency, not negative.

    >>> import neuraltrade as nt
    >>> nt.Fees(rate=0.001, fixed=1.0).fixed
    1.0
    """

    rate: float = 0.0
    fixed: float = 0.0
    per_unit: float = 0.0
    minimum: float = 0.0

    def __post_init__(self) -> None:
        _number("Fees", "rate", self.rate, 0.0, 1.0)
        for name in ("fixed", "per_unit", "minimum"):
            _number("Fees", name, getattr(self, name), 0.0, 1e9)


class Slippage(msgspec.Struct, frozen=True, kw_only=True):
    """How much worse than the market's price market and stop orders fill; limit orders never do.

    rate : fraction of the price, 0..1. ticks : whole ticks of the instrument, which must then name one.
    cap_to_bar : never beyond the bar's high or low.

    >>> import neuraltrade as nt
    >>> nt.Slippage(rate=0.0005).cap_to_bar
    False
    """

    rate: float = 0.0
    ticks: int = 0
    cap_to_bar: bool = False

    def __post_init__(self) -> None:
        _number("Slippage", "rate", self.rate, 0.0, 1.0)
        if _number("Slippage", "ticks", self.ticks, 0, 1e6) != int(self.ticks):
            raise InputError(f"Slippage: ticks must be a whole number, was {self.ticks!r}")
        if not isinstance(self.cap_to_bar, bool):
            raise InputError(f"Slippage: cap_to_bar must be True or False, was {self.cap_to_bar!r}")


class Size(msgspec.Struct, frozen=True):
    """Size of an order that names no quantity, found at its fill price and rounded down to the lot.

    `Size.units(q)` trades q units; `Size.cash(x)` spends x and `Size.equity(f)` the fraction f of equity, fee and
    slippage included; `Size.all_in()` spends everything that is free. None trades more than 9.2e9 units.

    >>> import neuraltrade as nt
    >>> nt.Size.equity(0.95)
    Size(kind='equity', value=0.95)
    """

    kind: str
    value: float = 1.0

    KINDS: ClassVar[tuple[str, ...]] = ("units", "cash", "equity", "all_in")

    def __post_init__(self) -> None:
        _choice("Size", "kind", self.kind, self.KINDS)
        limit = 1000.0 if self.kind in ("equity", "all_in") else PRICE_MAX
        _number("Size", "value", self.value, 0.0, limit, above=True)

    @classmethod
    def units(cls, quantity: float) -> Size:
        """`quantity` units of every symbol."""
        return cls("units", float(_number("Size.units", "quantity", quantity, 0.0, PRICE_MAX, above=True)))

    @classmethod
    def cash(cls, amount: float) -> Size:
        """As many units as `amount` of the account's currency buys."""
        return cls("cash", float(_number("Size.cash", "amount", amount, 0.0, PRICE_MAX, above=True)))

    @classmethod
    def equity(cls, fraction: float) -> Size:
        """As many units as that fraction of equity buys."""
        return cls("equity", float(_number("Size.equity", "fraction", fraction, 0.0, 1000.0, above=True)))

    @classmethod
    def all_in(cls) -> Size:
        """As many units as cash, and leverage where the account has it, allow."""
        return cls("all_in", 1.0)


class RiskLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What the gate allows. None = that control is off; with a RiskLimits at all, no reference price means no order.

    max_order_quantity : units of one order. max_order_notional : currency; a buy at its limit, else at the higher of
        its own price and the last close.
    price_collar : how far a limit or stop price may lie from the last close, as a fraction of it.
    max_position : units of one symbol, either side, working orders counted; orders that reduce a position pass.
    max_gross_exposure, max_net_exposure : currency, at the last closes, all symbols and working orders counted.
    max_leverage : gross exposure over equity.
    max_orders_per_second : orders that pass in one second of event time: of the bars' own clock.
    duplicate_window_ns : an order like one that passed less than this ago (symbol, side, quantity, prices) is refused;
        1 = only in the same bar.
    max_executions : entries that may trade before `Engine.resume` enables the gate again; reducing goes on.
    prevent_self_trade : refuse an order that could trade with an own working order of the other side, brackets aside.
    restricted : symbols that are not traded at all.
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
                _number("RiskLimits", name, getattr(self, name), 0.0, PRICE_MAX, above=True)
        if self.max_drawdown is not None:
            _number("RiskLimits", "max_drawdown", self.max_drawdown, 0.0, 1.0, above=True)
        for name in self.COUNTS:
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**62):
                raise InputError(f"RiskLimits: {name} must be a whole number in 1..2**62 - 1, was {value!r}")
        for name in ("kill_switch", "prevent_self_trade", "reduce_only"):
            if not isinstance(getattr(self, name), bool):
                raise InputError(f"RiskLimits: {name} must be True or False, was {getattr(self, name)!r}")
        if not isinstance(self.restricted, tuple) or not all(isinstance(name, str) for name in self.restricted):
            raise InputError(f"RiskLimits: restricted must be a tuple of symbols, was {self.restricted!r}")
        _choice("RiskLimits", "on_loss", self.on_loss, self.MODES)


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What the account may do, and how finely it counts.

    currency : code. cash_digits : decimal places of cash, 0..9; 6 suits money, 9 coins and parity runs.
    leverage : exposure over equity, 1..1000. shorting : whether a position may go below zero.

    >>> import neuraltrade as nt
    >>> nt.Account(cash_digits=9).leverage
    1.0
    """

    currency: str = "USD"
    cash_digits: int = 6
    leverage: float = 1.0
    shorting: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.currency, str) or not self.currency:
            raise InputError(f"Account: currency must be a code such as 'USD', was {self.currency!r}")
        if type(self.cash_digits) is not int or self.cash_digits not in _CASH_DIGITS:
            raise InputError(f"Account: cash_digits must be 0..9, was {self.cash_digits!r}")
        _number("Account", "leverage", self.leverage, 1.0, 1000.0)
        if not isinstance(self.shorting, bool):
            raise InputError(f"Account: shorting must be True or False, was {self.shorting!r}")


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """The contract of one symbol.

    tick : grid of prices given by orders, None = 1e-9. lot : grid of quantities, None = 1e-9.
    currency : code. multiplier : currency per unit and point of price.

    >>> import neuraltrade as nt
    >>> nt.Instrument(tick=0.01, lot=1).multiplier
    1.0
    """

    tick: float | None = None
    lot: float | None = None
    currency: str = "USD"
    multiplier: float = 1.0

    def __post_init__(self) -> None:
        for name in ("tick", "lot"):
            value = getattr(self, name)
            if value is not None:
                _number("Instrument", name, value, 1e-9, 1e9)
        _number("Instrument", "multiplier", self.multiplier, 1e-9, 1e9)
        if not isinstance(self.currency, str) or not self.currency:
            raise InputError(f"Instrument: currency must be a code such as 'USD', was {self.currency!r}")
