"""What a fill costs, and how large an order is that names no quantity."""

from __future__ import annotations

from typing import ClassVar

from ...errors import InputError
from .checks import PRICE_MAX, Setting, choice, number


class Fees(Setting, frozen=True, kw_only=True):
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
        number("Fees", "rate", self.rate, 0.0, 1.0)
        for name in ("fixed", "per_unit", "minimum"):
            number("Fees", name, getattr(self, name), 0.0, 1e9)


class Slippage(Setting, frozen=True, kw_only=True):
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
        number("Slippage", "rate", self.rate, 0.0, 1.0)
        if number("Slippage", "ticks", self.ticks, 0, 1e6) != int(self.ticks):
            raise InputError(f"Slippage: ticks must be a whole number, was {self.ticks!r}")
        if not isinstance(self.cap_to_bar, bool):
            raise InputError(f"Slippage: cap_to_bar must be True or False, was {self.cap_to_bar!r}")


class Size(Setting, frozen=True):
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
        choice("Size", "kind", self.kind, self.KINDS)
        limit = 1000.0 if self.kind in ("equity", "all_in") else PRICE_MAX
        number("Size", "value", self.value, 0.0, limit, above=True)

    @classmethod
    def units(cls, quantity: float) -> Size:
        """`quantity` units of every symbol."""
        return cls("units", float(number("Size.units", "quantity", quantity, 0.0, PRICE_MAX, above=True)))

    @classmethod
    def cash(cls, amount: float) -> Size:
        """As many units as `amount` of the account's currency buys."""
        return cls("cash", float(number("Size.cash", "amount", amount, 0.0, PRICE_MAX, above=True)))

    @classmethod
    def equity(cls, fraction: float) -> Size:
        """As many units as that fraction of equity buys."""
        return cls("equity", float(number("Size.equity", "fraction", fraction, 0.0, 1000.0, above=True)))

    @classmethod
    def all_in(cls) -> Size:
        """As many units as cash, and leverage where the account has it, allow."""
        return cls("all_in", 1.0)
