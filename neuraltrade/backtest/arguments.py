"""Arguments of a run, checked and brought to one form: InputError names the one that is wrong."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..core.settings import Instrument, RiskLimits, Slippage
from ..errors import InputError
from ..strategy.base import nearest


def check_flag(name: str, value: Any) -> None:
    if not isinstance(value, (bool, np.bool_)):
        raise InputError(f"{name} must be True or False, was {value!r}")


def check_port(name: str, port: Any, method: str) -> None:
    if port is not None and not callable(getattr(port, method, None)):
        raise InputError(f"{name} must be None or have a method {method} (neuraltrade.ports), was {port!r}")


def number(name: str, value: Any, alternative: str = "") -> float:
    """`value` as a finite float, positive where it is cash."""
    wanted = f"a finite number{' > 0' if name == 'cash' else ''}{' or ' + alternative if alternative else ''}"
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise InputError(f"{name} must be {wanted}, was {value!r}")
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if not math.isfinite(found) or (name == "cash" and found <= 0.0):
        raise InputError(f"{name} must be {wanted}, was {value!r}")
    return found


def whole(name: str, value: Any) -> int:
    """`value` as an int that the core can hold and that is not negative."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not 0 <= value < 2**63:
        raise InputError(f"{name} must be an int in 0..2**63 - 1, was {value!r}")
    return int(value)


def slippage_of(value: Any) -> Slippage:
    return value if isinstance(value, Slippage) else Slippage(rate=number("slippage", value, "nt.Slippage"))


def instance(name: str, value: Any, kind: type, wanted: str) -> Any:
    if not isinstance(value, kind):
        raise InputError(f"{name} must be {wanted}, was {value!r}")
    return value


def risk_of(given: Any, symbols: Sequence[str]) -> RiskLimits | None:
    limits = None if given is None else instance("risk", given, RiskLimits, "None or nt.RiskLimits")
    for name in () if limits is None else limits.restricted:
        if name not in symbols:  # a house's list may name what this run has not; one spelt otherwise would stop nothing
            meant = next((one for one in symbols if one.strip().casefold() == name.strip().casefold()), None)
            if meant is not None:
                raise InputError(f"RiskLimits: restricted names {name!r}, the data has {meant!r}: spell it alike")
    return limits


def _refuse_strangers(owner: str, named: Iterable[Any], symbols: Sequence[str]) -> None:
    for symbol in named:
        if symbol not in symbols:
            raise InputError(f"{owner} names {symbol!r}, which the data has not; {nearest(str(symbol), symbols)}")


def instruments_of(given: Any, symbols: Sequence[str]) -> tuple[Instrument, ...]:
    if given is None:
        given = {}
    if isinstance(given, Instrument):
        return (given,) * len(symbols)
    if not isinstance(given, Mapping):
        raise InputError(f"instruments must map symbols to nt.Instrument, was {given!r}")
    _refuse_strangers("instruments", given, symbols)
    for symbol, one in given.items():
        instance(f"instruments[{symbol!r}]", one, Instrument, "nt.Instrument")
    return tuple(given.get(symbol, Instrument()) for symbol in symbols)
