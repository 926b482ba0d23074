"""What users type, turned into what the rooms take: market data, parameters, times."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..market import Bars, Panel, datasets
from ..strategy.base import nearest


def market_data(names: Sequence[str]) -> Bars | Panel:
    """Bundled names or files (.parquet, .csv; the symbol is the file's name), one as Bars, several as a Panel."""
    found = [one_series(name) for name in names]
    return found[0] if len(found) == 1 else Panel(found)


def one_series(name: str) -> Bars:
    """One symbol's bars from a bundled name or a file."""
    if Path(name).suffix.lower() in (".parquet", ".csv"):
        if not Path(name).is_file():
            raise InputError(f"data: no file {name!r}")
        return Bars.read(name, symbol=Path(name).stem.upper())
    if name.upper() not in datasets.names():
        known = ", ".join(datasets.names())
        raise InputError(f"data must be one of {known}, or a .parquet or .csv file, was {name!r}")
    return datasets.load(name)


def parameters(given: Sequence[str], option: str = "--param") -> dict[str, Any]:
    """`name=value` pairs of an option; a value is a whole number, a number, true or false, or text."""
    found: dict[str, Any] = {}
    for pair in given:
        name, equals, text = pair.partition("=")
        if not equals or not name.isidentifier():
            raise InputError(f"{option} must look like name=value, was {pair!r}")
        if name in found:
            raise InputError(f"{option} {name!r} is given twice")
        found[name] = value_of(text)
    return found


def grid(given: Sequence[str]) -> dict[str, Any]:
    """`name=2:50:4` (like range: 2, 6 ... 46), `name=0.1,0.2` or `name=a,b` pairs, as nt.sweep takes them."""
    found: dict[str, Any] = {}
    for pair in given:
        name, equals, text = pair.partition("=")
        if not equals or not name.isidentifier() or not text:
            raise InputError(f"--grid must look like name=2:50:4 or name=1,2,3, was {pair!r}")
        parts = [value_of(part) for part in text.split(":" if ":" in text else ",")]
        if ":" not in text:
            found[name] = parts
            continue
        whole = [part for part in parts if isinstance(part, int) and not isinstance(part, bool)]
        if len(whole) != len(parts) or len(parts) not in (2, 3) or parts[-1] == 0:
            raise InputError(f"--grid: a range is start:stop or start:stop:step of whole numbers, was {pair!r}")
        found[name] = range(*whole)
    return found


_COMPARISONS = {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt, "!=": operator.ne}


def condition(texts: Sequence[str]) -> Callable[[dict[str, Any]], bool] | None:
    """`fast < slow` and the like, all of which must hold; None without any."""
    rules = []
    for text in texts:
        sign = next((sign for sign in _COMPARISONS if sign in text), None)
        left, _, right = (part.strip() for part in text.partition(sign or "<"))
        if sign is None or not left.isidentifier() or not right:
            raise InputError(f"--where must look like 'fast < slow', was {text!r}")
        rules.append((left, _COMPARISONS[sign], right))

    def holds(params: dict[str, Any]) -> bool:
        for left, compare, right in rules:
            if left not in params:
                raise InputError(f"--where: {left!r} is not searched; {nearest(left, params)}")
            if not compare(params[left], params.get(right, value_of(right))):
                return False
        return True

    return holds if rules else None


def value_of(text: str) -> int | float | bool | str:
    """The plainest reading of one value."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
