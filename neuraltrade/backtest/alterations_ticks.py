"""Other futures over ticks: rows heard up to a point stay as they are, later ones are changed; valid ticks each.

The kinds are those of bars (backtest/alterations). A row says where the market is (prices), how much there is (sizes)
and which way (sides); each kind changes what it names in quotes, prints and depth alike.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..market import Ticks
from ..market.tick_checks import SIZE_MAX, SIZE_MIN

PRICE_RANGE = (1e-6, 1e9)
_SCALE, _SIZE_SCALE, _DEVIATION = 1.37, 2.0, 2e-4

Rows = dict[str, np.ndarray]  # the columns of the rows to change, times included


def altered_ticks(data: Ticks, kind: str, cut_ns: int, rng: np.random.Generator) -> Ticks | None:
    """`data` with every row heard later than `cut_ns` altered as `kind` says; None where a stream begins later.

    Rows heard by then keep every bit. Equal arguments and generators give equal ticks.
    """
    changed = []
    for one in data.streams:
        keep = int(np.searchsorted(one.local_ns, cut_ns, side="right"))
        if keep == 0:
            return None
        if kind == "truncated":
            changed.append(one[:keep])
            continue
        names = ("ts_ns", "local_ns", *one.COLUMNS)
        later = dict(zip(names, (column[keep:] for column in one.columns()), strict=True))
        made = KINDS[kind](later, _base(one, keep), rng) if len(one) > keep else later
        rows: dict[str, Any] = {
            name: np.concatenate((old[:keep], made[name])) for name, old in zip(names, one.columns(), strict=True)
        }
        if one.local_ns is one.ts_ns:
            rows["local_ns"] = None
        changed.append(type(one)(one.symbol, **rows))
    return Ticks(changed)


def _base(stream: Any, keep: int) -> float:
    """Where the stream's market stood at its last row that stays."""
    columns = [getattr(stream, name)[:keep] for name in ("bid", "ask", "price") if name in stream.COLUMNS]
    known = np.concatenate([column[np.isfinite(column)][-1:] for column in columns])
    return float(known.mean()) if len(known) else 1.0


def _moved(rows: Rows, by: np.ndarray | float) -> Rows:
    """Every price times `by`."""
    return rows | {name: np.clip(rows[name] * by, *PRICE_RANGE) for name in ("bid", "ask", "price") if name in rows}


def _sized(rows: Rows, by: np.ndarray | float) -> Rows:
    """Every size times `by`; nobody stays nobody."""
    sizes = [name for name in ("bid_size", "ask_size", "quantity") if name in rows]
    return rows | {n: np.where(rows[n] > 0, np.clip(rows[n] * by, SIZE_MIN, SIZE_MAX), 0.0) for n in sizes}


def _raised(rows: Rows, base: float, rng: np.random.Generator) -> Rows:
    """All prices times 1.37, all sizes doubled."""
    return _sized(_moved(rows, _SCALE), _SIZE_SCALE)


def _lowered(rows: Rows, base: float, rng: np.random.Generator) -> Rows:
    """All prices divided by 1.37, all sizes halved."""
    return _sized(_moved(rows, 1.0 / _SCALE), 1.0 / _SIZE_SCALE)


def _inverted(rows: Rows, base: float, rng: np.random.Generator) -> Rows:
    """Each price p becomes base^2 / p, and sides change places: what rose falls as much."""
    other = {"bid": "ask", "ask": "bid", "bid_size": "ask_size", "ask_size": "bid_size"}
    made = {name: rows[other.get(name, name)] for name in rows}
    for name in ("bid", "ask", "price"):
        if name in made:
            made[name] = np.clip(base * (base / made[name]), *PRICE_RANGE)
    for name in ("side", "aggressor"):
        if name in made:
            made[name] = -made[name]
    return _sized(made, 1.5)


def _reversed(rows: Rows, base: float, rng: np.random.Generator) -> Rows:
    """The rows in the opposite order, on the same times."""
    return {name: column if name in ("ts_ns", "local_ns") else column[::-1] for name, column in rows.items()}


def _noise(rows: Rows, base: float, rng: np.random.Generator) -> Rows:
    """A random walk away from what there is, sizes and aggressors at random."""
    count = len(rows["ts_ns"])
    walk = np.exp(np.clip(np.cumsum(rng.normal(0.0, _DEVIATION, count)), -3.0, 3.0))
    made = _sized(_moved(rows, walk), rng.uniform(0.5, 2.0, count))
    if "aggressor" in made:
        made["aggressor"] = rng.choice([1, -1], count)
    return made


def _thinned(rows: Rows, base: float, rng: np.random.Generator) -> Rows:
    """The next row is missing, and about half of those after it."""
    kept = rng.random(len(rows["ts_ns"])) < 0.5
    kept[:1] = False
    return {name: column[kept] for name, column in rows.items()}


KINDS: dict[str, Callable[[Rows, float, np.random.Generator], Rows]] = {
    "raised": _raised,
    "lowered": _lowered,
    "inverted": _inverted,
    "reversed": _reversed,
    "noise": _noise,
    "thinned": _thinned,
}
