"""A Result as header and columns of a container, and back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from . import container

if TYPE_CHECKING:
    from .result import Result

COLUMNS = ("ts_ns", "open", "high", "low", "close", "volume")


def each_bars(data: Any) -> tuple[Any, ...]:
    """The Bars of a Bars or Panel, in order."""
    return tuple(data.bars) if hasattr(data, "bars") else (data,)


def save(result: Result, path: str | os.PathLike[str]) -> None:
    folder = Path(path).parent
    if not folder.is_dir():
        raise InputError(f"path must lie in an existing folder, {str(folder)!r} is none")
    meta: dict[str, Any] = {}
    arrays: dict[str, np.ndarray] = {}
    _pack(result, "", meta, arrays)
    container.write(path, meta, arrays)


def load(kind: type[Result], path: str | os.PathLike[str]) -> Result:
    meta, arrays = container.read(path)
    return _unpack(kind, "", meta, arrays, None)


def _pack(result: Result, prefix: str, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    meta |= {
        "symbols": list(result.symbols),
        "cash": result.cash,
        "settings": result.settings,
        "ambiguous_bars": result.ambiguous_bars,
        "risk_free": result.risk_free,
        "periods_per_year": result.periods_per_year,
        "reasoning": list(result.reasoning),
        "has_benchmark": result.given_benchmark is not None,
    }
    if not prefix:
        series = each_bars(result.data)
        meta["panel"] = hasattr(result.data, "bars")
        meta["bars"] = [bars.symbol for bars in series]
        for i, bars in enumerate(series):
            arrays |= {f"bars/{i}/{name}": column for name, column in zip(COLUMNS, bars.columns(), strict=True)}
    arrays |= {f"{prefix}clock_ts_ns": result.ts_ns, f"{prefix}equity": result.equity, f"{prefix}events": result.events}
    arrays |= {f"{prefix}{name}": rows for name, rows in result.slots.items()}
    if result.given_benchmark is not None:
        arrays[f"{prefix}benchmark"] = result.given_benchmark
    if result.bounds is not None:
        for name, bound in zip(("worst", "best"), result.bounds, strict=True):
            meta[name] = {}
            _pack(bound, f"{prefix}{name}/", meta[name], arrays)


def _unpack(kind: type[Result], prefix: str, meta: dict[str, Any], arrays: dict[str, np.ndarray], data: Any) -> Result:
    data = data if data is not None else _market(meta, arrays)
    bounds = None
    if "worst" in meta:
        bounds = (
            _unpack(kind, f"{prefix}worst/", meta["worst"], arrays, data),
            _unpack(kind, f"{prefix}best/", meta["best"], arrays, data),
        )
    periods = meta["periods_per_year"]
    return kind(
        data=data,
        symbols=meta["symbols"],
        clock_ts_ns=arrays[f"{prefix}clock_ts_ns"],
        equity=arrays[f"{prefix}equity"],
        fills=arrays[f"{prefix}fills"],
        trades=arrays[f"{prefix}trades"],
        orders=arrays[f"{prefix}orders"],
        signals=arrays[f"{prefix}signals"],
        events=arrays[f"{prefix}events"],
        cash=meta["cash"],
        settings=meta["settings"],
        ambiguous_bars=meta["ambiguous_bars"],
        benchmark=arrays[f"{prefix}benchmark"] if meta["has_benchmark"] else None,
        risk_free=meta["risk_free"],
        periods_per_year=None if np.isnan(periods) else periods,
        reasoning=meta["reasoning"],
        bounds=bounds,
    )


def _market(meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> Any:
    from ..market import Bars, Panel  # noqa: PLC0415  (only a load needs the room below)

    series = [Bars(symbol, *(arrays[f"bars/{i}/{name}"] for name in COLUMNS)) for i, symbol in enumerate(meta["bars"])]
    return Panel(series) if meta["panel"] else series[0]
