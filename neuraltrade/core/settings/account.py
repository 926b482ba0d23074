"""The account and the contracts it trades."""

from __future__ import annotations

from typing import Any

from ...errors import InputError
from .checks import Setting, choice, number

_CASH_DIGITS = range(10)


class Account(Setting, frozen=True, kw_only=True):
    """What the account may do, and how finely it counts.

    currency : code. cash_digits : decimal places of cash, 0..9; 6 suits money, 9 coins and parity runs.
    leverage : exposure over equity, 1..1000, for what has no margin of its own. shorting : whether a position may go
        below zero.
    maintenance : equity over gross exposure below which the account is called after a bar: working entries are
        cancelled, the engine closes everything at the next market fill (role "liquidation") and no order passes until
        it has. Equity below zero ends trading for good. 0..1, below every initial margin; None = never looked at.
    lots : "average" closes at the average cost of what is held, one row of `result.trades` a closing fill; "fifo"
        closes the oldest lot first, one row for each lot it takes from.
    borrow_rate, interest_rate : yearly, 0..10, on what is short and on cash below zero, for each midnight UTC.
    margin_at : "extreme" judges each position at its bar's worst price, high or low; "close" at the close.

    >>> import neuraltrade as nt
    >>> nt.Account(cash_digits=9).leverage
    1.0
    >>> nt.Account(leverage=4, maintenance=0.1).margin_at
    'extreme'
    """

    currency: str = "USD"
    cash_digits: int = 6
    leverage: float = 1.0
    shorting: bool = True
    maintenance: float | None = None
    margin_at: str = "extreme"
    lots: str = "average"
    borrow_rate: float = 0.0
    interest_rate: float = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.currency, str) or not self.currency:
            raise InputError(f"Account: currency must be a code such as 'USD', was {self.currency!r}")
        if type(self.cash_digits) is not int or self.cash_digits not in _CASH_DIGITS:
            raise InputError(f"Account: cash_digits must be 0..9, was {self.cash_digits!r}")
        number("Account", "leverage", self.leverage, 1.0, 1000.0)
        if not isinstance(self.shorting, bool):
            raise InputError(f"Account: shorting must be True or False, was {self.shorting!r}")
        if self.maintenance is not None:
            number("Account", "maintenance", self.maintenance, 0.0, 1.0)
        for name in ("borrow_rate", "interest_rate"):
            number("Account", name, getattr(self, name), 0.0, 10.0)
        choice("Account", "lots", self.lots, ("average", "fifo"))
        choice("Account", "margin_at", self.margin_at, ("extreme", "close"))


class Instrument(Setting, frozen=True, kw_only=True):
    """The contract of one symbol.

    tick : grid of prices given by orders, None = 1e-9. lot : grid of quantities, None = 1e-9.
    currency : code, None = the account's; another one needs `rates` of the run.
    multiplier : currency per unit and point of price.
    calendar : nt.Sessions, or a name that exchange-calendars knows ("XNYS"); None = always open.
    margin : fraction of notional that opening it binds, above 0 and at most 1; None = 1 / Account.leverage.

    >>> import neuraltrade as nt
    >>> nt.Instrument(tick=0.01, lot=1).multiplier
    1.0
    """

    tick: float | None = None
    lot: float | None = None
    currency: str | None = None
    multiplier: float = 1.0
    margin: float | None = None
    calendar: Any = None

    def __post_init__(self) -> None:
        for name in ("tick", "lot"):
            value = getattr(self, name)
            if value is not None:
                number("Instrument", name, value, 1e-9, 1e9)
        number("Instrument", "multiplier", self.multiplier, 1e-9, 1e9)
        if self.margin is not None:
            number("Instrument", "margin", self.margin, 1e-12, 1.0)
        named = isinstance(self.calendar, str) and self.calendar
        if self.calendar is not None and not named and not hasattr(self.calendar, "codes"):
            raise InputError(
                f"Instrument: calendar must be None, a name such as 'XNYS' or nt.Sessions, was {self.calendar!r}"
            )
        if self.currency is not None and (not isinstance(self.currency, str) or not self.currency):
            raise InputError(f"Instrument: currency must be None or a code such as 'USD', was {self.currency!r}")
