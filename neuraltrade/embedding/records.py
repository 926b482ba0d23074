"""Vectors of signals, orders and traces: the market situation they were taken in, beside what was decided.

Each is a weighted concatenation of unit parts, so the cosine of two records is the weighted mean of the cosines of
their parts. Numbers become cosine features: alike numbers give alike vectors, distant ones nearly orthogonal vectors.
A missing number (NaN) is neutral (0). All functions take one record or n (arrays with a first axis of n).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core import projection
from ..errors import InputError
from . import stream

NUMBERS_MAX = 256
DIRECTIONS = {"long": 1.0, "short": -1.0, "neutral": 0.0, "close": 0.5}
SIDES = {"buy": 1.0, "sell": -1.0}
ORDER_TYPES = {
    "market": 0.0, "limit": 1.0, "stop": 2.0, "stop_limit": 3.0, "trailing_stop": 4.0, "market_on_open": 5.0,
    "market_on_close": 6.0,
}  # fmt: skip


@functools.lru_cache(maxsize=16)
def _maps(name: str, numbers: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """(turns float32[numbers, width], phase float32[width])."""
    turns = stream.normals(f"neuraltrade numbers-v1 {name}", numbers, width) * (0.5 / 6.283185307179586)
    return turns.astype(np.float32), stream.uniforms(f"neuraltrade numbers-v1 {name} phase", width).astype(np.float32)


@functools.cache
def _signs() -> np.ndarray:
    """float32[512] of -1 and 1, by which a market state is folded to 128."""
    return np.where(stream.uniforms("neuraltrade order-v1 signs", 512) < 0.5, np.float32(-1), np.float32(1))


def _numbers(name: str, numbers: np.ndarray, width: int) -> np.ndarray:
    """float32[n, width] unit rows of cosine features; numbers float64[n, k] are squashed to -2..2 by 2x / (1 + |x|)."""
    clean = np.where(np.isfinite(numbers), numbers, 0.0)
    squashed = (2.0 * clean / (1.0 + np.abs(clean))).astype(np.float32)
    turns, phase = _maps(name, squashed.shape[1], width)
    nothing = np.zeros((squashed.shape[1], 16), dtype=np.float32)
    return projection.project(squashed, nothing, turns, phase, 1.0)[:, 16:]


def _base(vectors: Any, argument: str, dimension: int) -> tuple[np.ndarray, bool]:
    """float32[n, dimension], and whether one vector was given."""
    array = np.asarray(vectors)
    if array.dtype.kind != "f" or array.ndim not in (1, 2) or array.shape[-1] != dimension or array.size == 0:
        raise InputError(
            f"{argument} must be float32[{dimension}] or [n, {dimension}], is {array.dtype}{list(array.shape)}"
        )
    if not np.isfinite(array).all():
        raise InputError(f"{argument} must be finite")
    single = array.ndim == 1
    return np.ascontiguousarray(np.atleast_2d(array), dtype=np.float32), single


def _column(values: Any, argument: str, count: int, names: dict[str, float] | None = None) -> np.ndarray:
    """float64[count] from one value or `count`; names are looked up, unknown ones refused."""
    if names is not None:
        given = [values] * count if isinstance(values, str) else values
        if isinstance(given, (list, tuple)) or (isinstance(given, np.ndarray) and given.dtype.kind == "U"):
            unknown = [name for name in given if name not in names]
            if unknown:
                raise InputError(f"{argument} must be one of {', '.join(names)}, was {unknown[0]!r}")
            values = [names[name] for name in given]
    array = np.asarray(values)
    if array.dtype.kind not in "iuf" or array.ndim > 1 or array.size not in (1, count):
        raise InputError(f"{argument} must be one number or {count}, was {values!r}")
    return np.broadcast_to(array.astype(np.float64).reshape(-1), (count,))


def _join(single: bool, *weighted: tuple[float, np.ndarray]) -> np.ndarray:
    joined = np.hstack([projection.unit(part) * np.float32(weight**0.5) for weight, part in weighted])
    return projection.unit(joined)[0] if single else projection.unit(joined)


def signal_vector(
    market: Any, direction: Any, confidence: Any, features: Sequence[float] | np.ndarray | None = None
) -> np.ndarray:
    """float32[768] (or [n, 768]), unit length: 512 of the market state (weight 0.7), 128 of direction and confidence
    (0.2), 128 of the strategy's features (0.1).

    market : float32[512] or [n, 512], from MarketState. direction : "long", "short", "neutral", "close" or a number in
    -1..1. confidence : 0..1. features : up to 256 numbers a signal, in the strategy's own order and scale (order 1).

    >>> import numpy as np, neuraltrade as nt
    >>> state = nt.embedding.MarketState().encode(nt.datasets.load("GOOG"))[-1]
    >>> long, short = (nt.embedding.signal_vector(state, side, 0.8) for side in ("long", "short"))
    >>> long.shape, bool(long @ short < 0.95)
    ((768,), True)
    """
    base, single = _base(market, "market", 512)
    count = len(base)
    side = _column(direction, "direction", count, DIRECTIONS)
    trust = _column(confidence, "confidence", count)
    if not ((np.abs(side) <= 1) & (trust >= 0) & (trust <= 1)).all():
        raise InputError("direction must be in -1..1 and confidence in 0..1")
    decision = _numbers("decision", np.column_stack([3.0 * side, 3.0 * side * trust, trust]), 128)
    return _join(single, (0.7, base), (0.2, decision), (0.1, _feature_part(features, count)))


def _feature_part(features: Any, count: int) -> np.ndarray:
    if features is None or np.size(features) == 0:
        return _numbers("features", np.zeros((count, 1)), 128)
    array = np.asarray(features)
    if array.dtype.kind not in "iuf" or array.ndim > 2:
        raise InputError(f"features must be numbers, [k] or [n, k], is {array.dtype}{list(array.shape)}")
    rows = np.broadcast_to(np.atleast_2d(array.astype(np.float64)), (count, array.shape[-1]))
    if rows.shape[1] > NUMBERS_MAX:
        raise InputError(f"features must be at most {NUMBERS_MAX} numbers a signal, was {rows.shape[1]}")
    return _numbers("features", rows, 128)


def order_vector(
    market: Any, side: Any, order_type: Any, quantity: Any, price: Any, reference_price: Any, equity: Any = np.nan
) -> np.ndarray:
    """float32[256] (or [n, 256]), unit length: 128 of the market state (512 folded by fixed signs, weight 0.6), 128 of
    the order (0.4): side, type, distance of its price from the reference in percent, notional as a share of equity.

    market : float32[512] or [n, 512]. side : "buy", "sell" or +1 / -1. order_type : "market", "limit", "stop",
    "stop_limit", "trailing_stop" or a number. price : limit or stop price, NaN for market orders. reference_price :
    last close, > 0. equity : NaN if not known.

    >>> import neuraltrade as nt
    >>> state = nt.embedding.MarketState().encode(nt.datasets.load("GOOG"))[-1]
    >>> nt.embedding.order_vector(state, "buy", "limit", 10, 800.0, 806.19, equity=100_000).shape
    (256,)
    """
    base, single = _base(market, "market", 512)
    count = len(base)
    names = ("quantity", "price", "reference_price", "equity")
    units, limit, last, worth = (
        _column(v, n, count) for v, n in zip((quantity, price, reference_price, equity), names, strict=True)
    )
    if not (last > 0).all():
        raise InputError("reference_price must be positive")
    numbers = [
        3.0 * _column(side, "side", count, SIDES),
        _column(order_type, "order_type", count, ORDER_TYPES),
        100.0 * (limit / last - 1.0),
        3.0 * np.abs(units) * last / np.where(worth > 0, worth, np.nan),
    ]
    signed = (base * _signs()).reshape(count, 4, 128)
    folded = (signed[:, 0] + signed[:, 1]) + (signed[:, 2] + signed[:, 3])
    return _join(single, (0.6, folded), (0.4, _numbers("order", np.column_stack(numbers), 128)))


def trace_vector(signal: Any, score: Any, regret: Any, roi: Any) -> np.ndarray:
    """float32[1024] (or [n, 1024]), unit length: the decision's 768 (weight 0.75) and 256 of how it ended (0.25).

    signal : float32[768] or [n, 768], from signal_vector. score : verdict, -1..1. regret, roi : fractions of the
    capital at stake; NaN if not known.

    >>> import neuraltrade as nt
    >>> state = nt.embedding.MarketState().encode(nt.datasets.load("GOOG"))[-1]
    >>> decision = nt.embedding.signal_vector(state, "long", 0.8)
    >>> nt.embedding.trace_vector(decision, score=0.4, regret=0.01, roi=0.03).shape
    (1024,)
    """
    base, single = _base(signal, "signal", 768)
    count = len(base)
    numbers = [
        3.0 * _column(score, "score", count),
        20.0 * _column(regret, "regret", count),
        20.0 * _column(roi, "roi", count),
    ]
    return _join(single, (0.75, base), (0.25, _numbers("outcome", np.column_stack(numbers), 256)))
