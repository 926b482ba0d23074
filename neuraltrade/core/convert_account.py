"""The account's settings in fixed point, and what must hold between them and the instruments."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import InputError
from .settings import Account, Instrument

_INT64_MAX = 2**63 - 1
_PICO = 10**12


def fixed(value: float, scale: int, name: str) -> int:
    """`value` in units of 1 / scale, to the nearest; InputError where int64 cannot hold it."""
    scaled = value * scale if isinstance(value, int) else round(float(value) * scale)
    if abs(scaled) > _INT64_MAX:
        raise InputError(f"{name} must be below {_INT64_MAX / scale:g}, was {value!r}")
    return scaled


def account_codes(account: Account) -> dict[str, int]:
    """nt_account."""
    watched = account.maintenance is not None
    return {
        "leverage": fixed(account.leverage, 10**9, "leverage"),
        "shorting": int(account.shorting),
        "maintenance": fixed(account.maintenance or 0.0, _PICO, "maintenance") if watched else -1,
        "borrow_rate": fixed(account.borrow_rate, _PICO, "borrow_rate"),
        "interest_rate": fixed(account.interest_rate, _PICO, "interest_rate"),
        "fifo": int(account.lots == "fifo"),
        "at_extremes": int(account.margin_at == "extreme"),
    }


def margin(instrument: Instrument) -> int:
    """nt_market.margin: pico, 0 = by the account's leverage."""
    return 0 if instrument.margin is None else max(1, fixed(instrument.margin, _PICO, "margin"))


def check_account(account: Account, symbols: Sequence[str], instruments: Sequence[Instrument]) -> None:
    """InputError where the account and an instrument contradict each other."""
    for symbol, instrument in zip(symbols, instruments, strict=True):
        initial = 1.0 / account.leverage if instrument.margin is None else instrument.margin
        if account.maintenance is not None and account.maintenance >= initial and account.maintenance > 0.0:
            raise InputError(
                f"Account: maintenance must be below the initial margin of every symbol ({symbol}: {initial:g}), "
                f"was {account.maintenance!r}"
            )
