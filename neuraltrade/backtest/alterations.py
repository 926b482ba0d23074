"""Other futures: bars whose rows up to a point stay as they are and whose later rows are changed; valid bars each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..market import Bars, Panel, Ticks
from .alterations_ticks import altered_ticks

PRICE_RANGE = (1e-6, 1e9)  # of altered prices: inside what Bars takes, with room for fixed point
_SCALE, _VOLUME_SCALE = 1.37, 2.0

Columns = tuple[np.ndarray, ...]  # ts_ns, open, high, low, close, volume of the rows to change


def altered(
    data: Bars | Panel | Ticks, kind: str, cut_ns: int, rng: np.random.Generator
) -> Bars | Panel | Ticks | None:
    """`data` with every row later than `cut_ns` altered as `kind` (of KINDS) says; None where that leaves no bars.

    Ticks are later where they are heard later. Rows up to `cut_ns` keep every bit. Equal arguments and generators give
    equal bars.
    """
    if isinstance(data, Ticks):
        return altered_ticks(data, kind, cut_ns, rng)
    changed = []
    for bars in (data,) if isinstance(data, Bars) else data.bars:
        keep = int(np.searchsorted(bars.ts_ns, cut_ns, side="right"))
        columns = KINDS[kind](bars, keep, rng)
        rows = [np.concatenate((old[:keep], new)) for old, new in zip(bars.columns(), columns, strict=True)]
        if len(rows[0]) == 0:
            return None
        changed.append(Bars(bars.symbol, *rows))
    return changed[0] if isinstance(data, Bars) else Panel(changed)


def _truncated(bars: Bars, keep: int, rng: np.random.Generator) -> Columns:
    """Nothing follows."""
    return tuple(column[:0] for column in bars.columns())


def _raised(bars: Bars, keep: int, rng: np.random.Generator) -> Columns:
    """All prices times 1.37, all volumes doubled."""
    return _scaled(bars, keep, _SCALE, _VOLUME_SCALE)


def _lowered(bars: Bars, keep: int, rng: np.random.Generator) -> Columns:
    """All prices divided by 1.37, all volumes halved."""
    return _scaled(bars, keep, 1.0 / _SCALE, 1.0 / _VOLUME_SCALE)


def _scaled(bars: Bars, keep: int, of_prices: float, of_volume: float) -> Columns:
    ts_ns, *prices, volume = (column[keep:] for column in bars.columns())
    return (ts_ns, *(_inside(of_prices * price) for price in prices), of_volume * volume + 1.0)


def _inverted(bars: Bars, keep: int, rng: np.random.Generator) -> Columns:
    """Each price p becomes base^2 / p, base the last close before: what rose falls as much."""
    ts_ns, opened, high, low, close, volume = (column[keep:] for column in bars.columns())
    base = _base(bars, keep)
    mirrored = [_inside(base * (base / price)) for price in (opened, low, high, close)]
    return (ts_ns, *mirrored, volume[::-1] + 1.0)


def _reversed(bars: Bars, keep: int, rng: np.random.Generator) -> Columns:
    """The rows in the opposite order, on the same times."""
    ts_ns, *rest = (column[keep:] for column in bars.columns())
    return (ts_ns, *(column[::-1] for column in rest))


def _noise(bars: Bars, keep: int, rng: np.random.Generator) -> Columns:
    """A random walk from the last close, with the volatility of the bars (1% a bar at least)."""
    ts_ns, count = bars.ts_ns[keep:], len(bars) - keep
    steps = np.diff(np.log(bars.close))
    deviation = max(float(steps.std()) if len(steps) else 0.0, 0.01)
    base = _base(bars, keep)
    close = _inside(base * np.exp(np.clip(np.cumsum(rng.normal(0.0, deviation, count)), -12.0, 12.0)))
    opened = _inside(np.concatenate(([base], close[:-1])) * np.exp(rng.normal(0.0, 0.2 * deviation, count)))
    reach = np.exp(np.abs(rng.normal(0.0, deviation, (2, count))))
    high = _inside(np.maximum(opened, close) * reach[0])
    low = _inside(np.minimum(opened, close) / reach[1])
    volume = bars.volume[keep:][rng.permutation(count)] * rng.uniform(0.5, 2.0, count) + 1.0
    return ts_ns, opened, high, low, close, volume


def _thinned(bars: Bars, keep: int, rng: np.random.Generator) -> Columns:
    """The next bar is missing, and about half of those after it."""
    kept = rng.random(len(bars) - keep) < 0.5
    kept[:1] = False
    return tuple(column[keep:][kept] for column in bars.columns())


def _base(bars: Bars, keep: int) -> float:
    return float(bars.close[keep - 1] if keep else bars.open[0])


def _inside(prices: np.ndarray) -> np.ndarray:
    """Monotone, so that high stays above low."""
    return np.clip(prices, *PRICE_RANGE)


KINDS: dict[str, Callable[[Bars, int, np.random.Generator], Columns]] = {
    "truncated": _truncated,
    "raised": _raised,
    "lowered": _lowered,
    "inverted": _inverted,
    "reversed": _reversed,
    "noise": _noise,
    "thinned": _thinned,
}
SAME_TIMES = frozenset({"raised", "lowered", "inverted", "reversed", "noise"})
"""Kinds that leave the times, and so the number of rows, as they are."""
