"""What users type, turned into what the rooms take: market data, parameters, times."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..market import Bars, Panel, datasets


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


def parameters(given: Sequence[str]) -> dict[str, Any]:
    """`name=value` pairs; a value is a whole number, a number, true or false, or text."""
    found: dict[str, Any] = {}
    for pair in given:
        name, equals, text = pair.partition("=")
        if not equals or not name.isidentifier():
            raise InputError(f"--param must look like name=value, was {pair!r}")
        found[name] = value_of(text)
    return found


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
