"""Bars made of ticks: what was heard in each stretch of time."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import InputError
from .bars import Bars
from .resampling import ends_after

PRICES = ("last", "mid", "bid", "ask")


def bars_of(streams: Any, symbol: str, rule: str, price: str | None = None) -> Bars:
    """Bars of one symbol, of what was heard in [start, end) of each bucket; none where nothing was.

    price : of PRICES; None = "last" where the symbol has prints, else "mid". Volume is what was printed, 0 of quotes.
    """
    own = [one for one in streams if one.symbol == symbol]
    if price is None:
        price = "last" if any(one.KIND == "trades" for one in own) else "mid"
    if price not in PRICES:
        raise InputError(f"price must be one of {', '.join(PRICES)}, was {price!r}")
    kind = "trades" if price == "last" else "quotes"
    rows = [_priced(one, price) for one in own if kind == one.KIND]
    if not rows:
        has = " and ".join(sorted({one.KIND for one in own}))
        raise InputError(f"bars of {symbol}: price {price!r} is of {kind}, and it has {has} alone")
    heard, prices, sizes = (np.concatenate(column) for column in zip(*rows, strict=True))
    if len(rows) > 1:
        order = np.argsort(heard, kind="stable")
        heard, prices, sizes = heard[order], prices[order], sizes[order]
    if len(heard) == 0:
        raise InputError(f"bars of {symbol}: no {price} in {sum(len(one) for one in own if kind == one.KIND)} {kind}")
    ends = ends_after(heard, rule)
    starts = np.flatnonzero(np.concatenate(([True], ends[1:] != ends[:-1])))
    last = np.concatenate((starts[1:], [len(heard)])) - 1
    high, low = np.maximum.reduceat(prices, starts), np.minimum.reduceat(prices, starts)
    return Bars(symbol, ends[starts], prices[starts], high, low, prices[last], np.add.reduceat(sizes, starts))


def _priced(stream: Any, price: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(local_ns, price, what traded) of the rows that have that price."""
    if price == "last":
        return stream.local_ns, stream.price, stream.quantity
    prices = (stream.bid + stream.ask) * 0.5 if price == "mid" else getattr(stream, price)
    there = np.isfinite(prices)
    return stream.local_ns[there], prices[there], np.zeros(int(there.sum()))
