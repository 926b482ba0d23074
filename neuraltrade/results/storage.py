"""A Result as header and columns of a container, and back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from . import container, tick_data
from .team import TeamRecord

if TYPE_CHECKING:
    from .result import Result

COLUMNS = ("ts_ns", "open", "high", "low", "close", "volume")


def each_bars(data: Any) -> tuple[Any, ...]:
    """The Bars of a Bars or Panel, in order; of ticks the price of each symbol."""
    if tick_data.is_ticks(data):
        return tuple(tick_data.price_line(data, symbol) for symbol in data.symbols)
    return tuple(data.bars) if hasattr(data, "bars") else (data,)


def save(result: Result, path: str | os.PathLike[str]) -> None:
    """The run, its bounds (of which one may be the run itself) and the market they share."""
    if not isinstance(path, (str, os.PathLike)) or Path(path).is_dir():
        raise InputError(f"path must be a file's, was {path!r}")
    folder = Path(path).parent
    if not folder.is_dir():
        raise InputError(f"path must lie in an existing folder, {str(folder)!r} is none")
    container.write(path, *parts(result))


def load(kind: type[Result], path: str | os.PathLike[str]) -> Result:
    """What `save` wrote; the bounds of a bound were not kept."""
    if not isinstance(path, (str, os.PathLike)):
        raise InputError(f"path must be a file's, was {path!r}")
    return whole(kind, *container.read(path))


def parts(result: Result) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """A result as numbers and columns."""
    runs = [result]
    runs += [bound for bound in result.bounds or () if bound is not result]
    over_ticks = tick_data.is_ticks(result.data)
    series = () if over_ticks else each_bars(result.data)
    meta: dict[str, Any] = {
        "panel": hasattr(result.data, "bars"),
        "bars": [bars.symbol for bars in series],
        "runs": [_numbers(run) for run in runs],
        "bounds": None if result.bounds is None else [runs.index(bound) for bound in result.bounds],
    }
    arrays: dict[str, np.ndarray] = {}
    if over_ticks:
        meta["ticks"], arrays = tick_data.saved(result.data)
    for i, bars in enumerate(series):
        arrays |= {f"bars/{i}/{name}": column for name, column in zip(COLUMNS, bars.columns(), strict=True)}
    for i, run in enumerate(runs):
        arrays |= {f"runs/{i}/{name}": column for name, column in _columns(run).items()}
    return meta, arrays


def whole(kind: type[Result], meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> Result:
    """What `parts` took apart."""
    data = _market(meta, arrays)
    runs = [_run(kind, data, numbers, f"runs/{i}/", arrays) for i, numbers in enumerate(meta["runs"])]
    if meta["bounds"] is not None:
        worst, best = meta["bounds"]
        runs[0].bounds = (runs[worst], runs[best])
    return runs[0]


def _numbers(result: Result) -> dict[str, Any]:
    names = ("cash", "settings", "ambiguous_bars", "risk_free", "periods_per_year", "controls")
    numbers = {name: getattr(result, name) for name in names}
    numbers |= {"symbols": list(result.symbols), "reasoning": list(result.reasoning)}
    return numbers if result.team is None else numbers | {"team": result.team.numbers()}


def _columns(result: Result) -> dict[str, np.ndarray]:
    columns = {"clock_ts_ns": result.ts_ns, "equity": result.equity, "events": result.events, **result.slots}
    if result.team is not None:
        columns |= result.team.columns()
    return columns if result.given_benchmark is None else columns | {"benchmark": result.given_benchmark}


def _run(kind: type[Result], data: Any, numbers: dict[str, Any], prefix: str, arrays: dict[str, np.ndarray]) -> Result:
    columns: dict[str, Any] = {
        name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)
    }
    if "team" in numbers:
        names = [name for name in columns if name.startswith("owner_") or name == "contributions"]
        own = {name: columns.pop(name) for name in names}
        numbers = numbers | {"team": TeamRecord.from_parts(numbers["team"], own)}
    if np.isnan(numbers["periods_per_year"]):
        numbers = numbers | {"periods_per_year": None}
    return kind(data=data, **numbers, **columns)


def _market(meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> Any:
    from ..market import Bars, Panel  # noqa: PLC0415  (only a load needs the room below)

    if "ticks" in meta:
        return tick_data.loaded(meta["ticks"], arrays)
    series = [Bars(symbol, *(arrays[f"bars/{i}/{name}"] for name in COLUMNS)) for i, symbol in enumerate(meta["bars"])]
    return Panel(series) if meta["panel"] else series[0]
