"""What one unit of a currency is worth in the account's, over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..core.layouts import RATES_DTYPE
from ..core.settings import Account, Instrument
from ..errors import InputError
from .schedules import ascending_times, matching_column

RATE_MIN, RATE_MAX = 1e-9, 9e6


class Rates:
    """A series of exchange rates: units of the account's currency for one unit of another one.

    ts_ns : when each rate became known, ascending, each once; a bare date is the end of its day. rate : float64[n],
    1e-9..9e6, kept to 1e-12. A rate holds until the next; before the first there is none, and orders are denied.

    >>> import neuraltrade as nt
    >>> nt.Rates(["2024-03-01", "2024-03-04"], [1.0834, 1.0857])
    <Rates: 2 times, 1.0834..1.0857>
    """

    def __init__(self, ts_ns: Any, rate: Any) -> None:
        self.ts_ns = ascending_times("Rates", ts_ns)
        self.rate = matching_column("Rates", "rate", rate, len(self.ts_ns), RATE_MIN, RATE_MAX)
        if not len(self.ts_ns):
            raise InputError("Rates: rate must have at least one value, had 0")

    def __len__(self) -> int:
        return len(self.ts_ns)

    def __repr__(self) -> str:
        return f"<Rates: {len(self)} times, {self.rate.min():g}..{self.rate.max():g}>"

    def rows(self) -> np.ndarray:
        """RATES_DTYPE[n], as the engine takes them."""
        found = np.empty(len(self), RATES_DTYPE)
        found["ts_ns"], found["rate"] = self.ts_ns, np.rint(self.rate * 1e12)
        return found


def check_rates(given: Any) -> dict[str, Rates]:
    """currency -> Rates as they were given to `rates=`."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise InputError(f"rates must map currencies to nt.Rates, was {given!r}")
    for currency, series in given.items():
        if not isinstance(currency, str) or not isinstance(series, Rates):
            raise InputError(f"rates[{currency!r}] must be nt.Rates, was {series!r}")
    return dict(given)


def rates_of(
    given: Mapping[str, Rates], account: Account, symbols: Sequence[str], instruments: Sequence[Instrument]
) -> list[np.ndarray | None]:
    """For each symbol the rates of its currency, None where that is the account's. InputError names a currency that has
    no rates, and rates that nothing needs."""
    rows: list[np.ndarray | None] = []
    currencies = [instrument.currency or account.currency for instrument in instruments]
    for currency in given:
        if currency not in currencies or currency == account.currency:
            used = ", ".join(sorted(set(currencies) - {account.currency})) or "none but the account's"
            raise InputError(f"rates names {currency!r}, which no symbol is in; they are in {used}")
    made = {currency: series.rows() for currency, series in given.items()}
    for symbol, currency in zip(symbols, currencies, strict=True):
        if currency != account.currency and currency not in given:
            raise InputError(
                f"rates must have {currency!r}, the currency of {symbol!r}: the account is in {account.currency!r}"
            )
        rows.append(made.get(currency))
    return rows
