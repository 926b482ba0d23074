"""What a Result does with ticks instead of bars: prices to draw and to hold against, columns to save."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class PriceLine:
    """The price of one symbol as it was heard, in the form the report draws bars in."""

    symbol: str
    ts_ns: np.ndarray
    close: np.ndarray

    def columns(self) -> tuple[np.ndarray, ...]:
        """(ts_ns, open, high, low, close): all four the price."""
        return self.ts_ns, self.close, self.close, self.close, self.close


def is_ticks(data: Any) -> bool:
    return hasattr(data, "streams")


def price_line(ticks: Any, symbol: str) -> PriceLine:
    """The middle of each quote of a symbol, else its prints; empty with depth alone. Of equal times the last."""
    own = [one for one in ticks.streams if one.symbol == symbol]
    quotes = [one for one in own if one.KIND == "quotes"]
    chosen = quotes or [one for one in own if one.KIND == "trades"]
    if not chosen:
        return PriceLine(symbol, np.zeros(0, np.int64), np.zeros(0))
    heard = np.concatenate([one.local_ns for one in chosen])
    price = np.concatenate([(one.bid + one.ask) * 0.5 if quotes else one.price for one in chosen])
    order = np.argsort(heard, kind="stable")
    heard, price = heard[order], price[order]
    kept = np.isfinite(price)
    heard, price = heard[kept], price[kept]
    last = np.append(heard[1:] != heard[:-1], True)[: len(heard)]
    return PriceLine(symbol, heard[last], price[last])


def saved(ticks: Any) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """(meta, arrays) of the streams."""
    meta: list[dict[str, Any]] = []
    arrays: dict[str, np.ndarray] = {}
    for i, one in enumerate(ticks.streams):
        meta.append({"kind": one.KIND, "symbol": one.symbol, "delayed": one.local_ns is not one.ts_ns})
        names = ("ts_ns", "local_ns", *one.COLUMNS)
        arrays |= {f"ticks/{i}/{name}": column for name, column in zip(names, one.columns(), strict=True)}
    return meta, arrays


def loaded(meta: list[dict[str, Any]], arrays: dict[str, np.ndarray]) -> Any:
    """The Ticks that `saved` took apart."""
    from ..market import Depth, Quotes, Ticks, Trades  # noqa: PLC0415  (only a load needs the room below)

    kinds = {kind.KIND: kind for kind in (Quotes, Trades, Depth)}
    streams = []
    for i, one in enumerate(meta):
        kind = kinds[one["kind"]]
        columns = {name: arrays[f"ticks/{i}/{name}"] for name in ("ts_ns", *kind.COLUMNS)}
        heard = arrays[f"ticks/{i}/local_ns"] if one["delayed"] else None
        streams.append(kind(one["symbol"], **columns, local_ns=heard))
    return Ticks(streams)
