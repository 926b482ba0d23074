"""What an account meets in time without trading: dividends, splits, funding. Each is times and values.

Times ascend, each once: int64 nanoseconds, datetimes, numpy.datetime64 or ISO strings. An ex date given as a bare date
is the start of that day, so that the day's first bar is the first without the dividend; of funding it is the end.
Arrays are copied and read-only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np

from .. import clock
from ..core.layouts import DUE_DTYPE, FLOW_KINDS
from ..errors import InputError
from . import checks

RATIO_MAX = 1_000_000  # of a split's numerator and denominator
_BARE_DATE = re.compile(r"\s*(\d{4}-\d{2}-\d{2}|\d{8})\s*\Z")


def ascending_times(owner: str, values: Any, *, name: str = "ts_ns", dates_start: bool = False) -> np.ndarray:
    """int64[n], ascending, each once. dates_start: a bare date is the start of its day, not its end."""
    found = checks.times(values, f"{owner}: {name}")
    if dates_start:
        found = np.where(_bare_dates(values), found - (clock.DAY_NS - 1), found)
        found.setflags(write=False)
    behind = np.flatnonzero(found[1:] <= found[:-1])
    if len(behind):
        row = int(behind[0]) + 1
        raise InputError(f"{owner}: {name} must ascend, row {row} was {found[row]} after {found[row - 1]}")
    return found


def _bare_dates(values: Any) -> Any:
    array = np.asarray(values)
    if array.dtype.kind == "M":
        return np.datetime_data(array.dtype)[0] in ("Y", "M", "W", "D")
    if array.dtype.kind in "iu":
        return False
    return np.array([_is_bare_date(value) for value in values], dtype=bool)


def _is_bare_date(value: Any) -> bool:
    if isinstance(value, np.datetime64):
        return np.datetime_data(value.dtype) == ("D", 1)
    if isinstance(value, str):
        return _BARE_DATE.match(value) is not None
    return isinstance(value, date) and not isinstance(value, datetime)


def matching_column(owner: str, name: str, values: Any, count: int, low: float, high: float) -> np.ndarray:
    """float64[count] of finite numbers within low..high, read-only."""
    found = checks.column(values, f"{owner}: {name}")
    if len(found) != count:
        raise InputError(f"{owner}: {name} must have a value for each of {count} times, had {len(found)}")
    bad = np.flatnonzero(~((found >= low) & (found <= high)))
    if len(bad):
        row = int(bad[0])
        raise InputError(f"{owner}: {name} must be {low:g}..{high:g}, row {row} was {found[row]:g}")
    return found


class Funding:
    """Funding of a perpetual: at each time, a position pays quantity x last close x rate (shorts get it).

    ts_ns : when. rate : float64[n] in -1..1; with a positive rate longs pay shorts.

    >>> import neuraltrade as nt
    >>> len(nt.Funding(["2024-08-08T08:00:00Z", "2024-08-08T16:00:00Z"], [0.0001, -0.00005]))
    2
    """

    kind: ClassVar[str] = "funding"

    def __init__(self, ts_ns: Any, rate: Any) -> None:
        self.ts_ns = ascending_times("Funding", ts_ns)
        self.rate = matching_column("Funding", "rate", rate, len(self.ts_ns), -1.0, 1.0)

    def __len__(self) -> int:
        return len(self.ts_ns)

    def __repr__(self) -> str:
        return f"<Funding: {len(self)} times>"

    def dues(self) -> np.ndarray:
        return _dues(self.kind, self.ts_ns, np.rint(self.rate * 1e12).astype(np.int64))


class Dividends:
    """Cash dividends: who holds when the ex date begins gets amount x quantity, who is short pays it, on that date.

    ts_ns : the ex dates; bars that end later are without it. amount : float64[n] per unit, in the symbol's currency,
    above 0 and at most 9e9. For prices that are not adjusted for dividends: adjusted ones have them already.

    >>> import neuraltrade as nt
    >>> nt.Dividends(["2012-08-09", "2012-11-07"], [2.65, 2.65]).amount
    array([2.65, 2.65])
    """

    kind: ClassVar[str] = "dividend"

    def __init__(self, ts_ns: Any, amount: Any) -> None:
        self.ts_ns = ascending_times("Dividends", ts_ns, dates_start=True)
        self.amount = matching_column("Dividends", "amount", amount, len(self.ts_ns), 1e-9, checks.PRICE_MAX)

    def __len__(self) -> int:
        return len(self.ts_ns)

    def __repr__(self) -> str:
        return f"<Dividends: {len(self)} ex dates>"

    def dues(self) -> np.ndarray:
        return _dues(self.kind, self.ts_ns, np.rint(self.amount * 1e9).astype(np.int64))


class Splits:
    """Splits: new units for one old unit, at the start of each ex date. For prices that are not adjusted for them.

    ts_ns : the ex dates; bars that end later quote the new unit. ratio : new units per old one, 7 or 1.5 or "3/2" or a
    Fraction; 0.1 is a reverse split. A ratio of whole numbers up to 1,000,000, taken exactly.
    Quantities x ratio, kept to 1e-9 (there is no cash in lieu); prices of positions, lots and working orders / ratio.

    >>> import neuraltrade as nt
    >>> nt.Splits(["2014-06-09", "2020-08-31"], [7, "4/1"]).ratio
    (Fraction(7, 1), Fraction(4, 1))
    """

    kind: ClassVar[str] = "split"

    def __init__(self, ts_ns: Any, ratio: Any) -> None:
        self.ts_ns = ascending_times("Splits", ts_ns, dates_start=True)
        if isinstance(ratio, (str, bytes)) or not isinstance(ratio, (Sequence, np.ndarray)):
            raise InputError(f"Splits: ratio must be a sequence of ratios, was {ratio!r}")
        self.ratio = tuple(_ratio(value, row) for row, value in enumerate(ratio))
        if len(self.ratio) != len(self.ts_ns):
            raise InputError(
                f"Splits: ratio must have a value for each of {len(self.ts_ns)} times, had {len(self.ratio)}"
            )

    def __len__(self) -> int:
        return len(self.ts_ns)

    def __repr__(self) -> str:
        return f"<Splits: {len(self)} ex dates>"

    def dues(self) -> np.ndarray:
        rows = _dues(self.kind, self.ts_ns, np.array([ratio.numerator for ratio in self.ratio], dtype=np.int64))
        rows["denominator"] = [ratio.denominator for ratio in self.ratio]
        return rows


def _ratio(value: Any, row: int) -> Fraction:
    wanted = f"Splits: ratio must be above 0, of whole numbers up to {RATIO_MAX:,}, row {row} was {value!r}"
    if isinstance(value, (bool, np.bool_)):
        raise InputError(wanted)
    try:
        exact = Fraction(value.item() if isinstance(value, np.generic) else value)
    except (TypeError, ValueError, OverflowError, ZeroDivisionError) as error:
        raise InputError(wanted) from error
    near = exact.limit_denominator(RATIO_MAX)
    tolerance = Fraction(1, 10**12) if isinstance(value, (float, np.floating)) else 0
    if near <= 0 or near.numerator > RATIO_MAX or abs(near - exact) > tolerance * exact:
        raise InputError(wanted)
    return near


def _dues(kind: str, ts_ns: np.ndarray, values: np.ndarray) -> np.ndarray:
    rows = np.zeros(len(ts_ns), DUE_DTYPE)
    rows["ts_ns"], rows["value"], rows["denominator"], rows["kind"] = ts_ns, values, 1, FLOW_KINDS.index(kind)
    return rows


Action = Funding | Dividends | Splits
_ORDER = ("split", "dividend", "funding")  # of what is due together


def actions_of(given: Any, symbols: Sequence[str]) -> tuple[tuple[Action, ...], ...]:
    """For each symbol what was given to `actions=`: a mapping of symbols, or for one symbol itself."""
    if given is None:
        return ((),) * len(symbols)
    if not isinstance(given, Mapping):
        if len(symbols) != 1:
            raise InputError(f"actions must map symbols to nt.Dividends, nt.Splits or nt.Funding, was {given!r}")
        given = {symbols[0]: given}
    for symbol in given:
        if symbol not in symbols:
            raise InputError(f"actions names {symbol!r}, which the data has not; it has {', '.join(symbols)}")
    return tuple(_actions(symbol, given.get(symbol, ())) for symbol in symbols)


def _actions(symbol: str, given: Any) -> tuple[Action, ...]:
    found = (given,) if isinstance(given, Action) else given
    if isinstance(found, (str, bytes, Mapping)) or not isinstance(found, Sequence):
        raise InputError(
            f"actions[{symbol!r}] must be nt.Dividends, nt.Splits or nt.Funding, or several, was {given!r}"
        )
    for one in found:
        if not isinstance(one, Action):
            raise InputError(f"actions[{symbol!r}] must be nt.Dividends, nt.Splits or nt.Funding, was {one!r}")
    kinds = [one.kind for one in found]
    for kind in kinds:
        if kinds.count(kind) > 1:
            raise InputError(f"actions[{symbol!r}] must have one of each kind, had {kinds.count(kind)} of {kind}")
    return tuple(found)


def dues_of(actions: Sequence[Action]) -> np.ndarray | None:
    """DUE_DTYPE[n] in the order in which they fall due; None where there are none."""
    if not sum(map(len, actions)):
        return None
    rows = np.concatenate([one.dues() for one in sorted(actions, key=lambda one: _ORDER.index(one.kind))])
    return np.ascontiguousarray(rows[np.argsort(rows["ts_ns"], kind="stable")])


def check_ticks(actions: Sequence[Sequence[Action]]) -> None:
    """InputError where a run over ticks is given what only bars can follow."""
    if any(isinstance(one, Splits) for own in actions for one in own):
        raise InputError("actions: splits need bars: over ticks, orders rest in a line that a split does not keep")


def told(symbols: Sequence[str], actions: Sequence[Sequence[Action]]) -> dict[str, dict[str, int]]:
    """How many of what, for a run's settings."""
    return {
        symbol: {one.kind: len(one) for one in own} for symbol, own in zip(symbols, actions, strict=False) if len(own)
    }
