"""Where a run over an altered future parts from the run over the data as given, before that future begins."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .trial import Trial, told


class Move(NamedTuple):
    """The first value that moved. times : how many did. bar : where, if it is known; else the first at that time."""

    kind: str
    name: str
    symbol: str
    ts_ns: int
    was: Any
    became: Any
    times: int = 1
    because: tuple[str, ...] = ()
    bar: int = -1


def moved_columns(base: Trial, other: Trial, cut_ns: int, tolerance: float) -> tuple[list[Move], dict[str, float]]:
    """Columns with a row up to `cut_ns` that moved, and those that moved by rounding only: name -> of its scale."""
    moves: list[Move] = []
    rounded: dict[str, float] = {}
    for name, own in base.columns.items():
        theirs = other.columns.get(name)
        for slot, symbol in enumerate(base.symbols):
            known_ns = base.known_ns(name, slot)
            keep = int(np.searchsorted(known_ns, cut_ns, side="right"))
            a = own[slot][:keep]
            if theirs is None:  # init took another way
                at = int(min(known_ns[0], cut_ns)) if len(known_ns) else cut_ns
                moves.append(Move("indicator", name, symbol, at, "made", "not made"))
                break
            b = theirs[slot][:keep]
            unequal = np.flatnonzero(~((a == b) | (np.isnan(a) & np.isnan(b))))
            if len(unequal) == 0:
                continue
            finite = np.abs(a[np.isfinite(a)])
            scale = float(finite.max()) if len(finite) else 0.0
            with np.errstate(invalid="ignore"):
                apart = np.abs(a[unequal] - b[unequal])
            beyond = unequal[~(apart <= tolerance * scale)]
            if len(beyond) == 0:
                rounded[name] = max(rounded.get(name, 0.0), float(apart.max()) / scale)
                continue
            row = int(beyond[0])
            of = symbol if len(base.symbols) > 1 else ""
            moves.append(Move(base.made, name, of, int(known_ns[row]), float(a[row]), float(b[row]), len(beyond)))
    return moves, rounded


def moved_decision(base: Trial, other: Trial, until: int, columns: list[Move]) -> Move | None:
    """The first decision within `until` times that moved: in the event log, in what works, or by raising."""
    symbols = base.symbols
    mine = base.events[: base.stands[until].event_count]
    theirs = other.events
    both = min(len(mine), len(theirs))
    unequal = np.flatnonzero(mine[:both] != theirs[:both])
    at = int(unequal[0]) if len(unequal) else both
    was: Any = mine[at] if at < len(mine) else None
    became: Any = theirs[at] if at < len(theirs) else None
    if other.error is not None and at == len(theirs):
        bar, after = other.error.bar, f"raised {type(other.error.__cause__ or other.error).__name__}"
        before = told(was, symbols) if was is not None and was["bar"] == bar else "went on"
        return _decided(base, other, bar, before, after, columns, -1)
    if was is None and became is None:
        return _moved_order(base, other, until, columns)
    bar = min(int(row["bar"]) for row in (was, became) if row is not None)
    was, became = (row if row is not None and int(row["bar"]) == bar else None for row in (was, became))
    slot = int((became if was is None else was)["symbol"])
    return _decided(base, other, bar, told(was, symbols), told(became, symbols), columns, slot)


def _moved_order(base: Trial, other: Trial, until: int, columns: list[Move]) -> Move | None:
    """A working order of which something moved that the log does not tell: its size, its stops to come."""
    mine, theirs = base.stands[until].working, other.stands[until].working
    for row, twin in zip(mine, theirs, strict=False):
        if row != twin:
            names = [name for name in mine.dtype.names or () if row[name] != twin[name]]
            was, became = (
                f"order {one['order_id']} with {', '.join(f'{name} {_plain(name, one[name])}' for name in names)}"
                for one in (row, twin)
            )
            return _decided(base, other, int(row["created_bar"]), was, became, columns, -1)
    return None


def _plain(name: str, value: Any) -> str:
    if name in ("size_kind", "target_side", "good_till", "partner", "order_id", "created_bar"):
        return str(value)
    return f"{value * (1e-12 if name.endswith('_rate') else 1e-9):.9g}"


def moved_state(base: Trial, other: Trial, until: int, cut_ns: int) -> list[Move]:
    """Slots of ctx.state that differ after `until` times."""
    if until not in other.stands:
        return []
    moves = []
    for name, a in base.stands[until].state.items():
        b = other.stands[until].state[name]
        unequal = np.flatnonzero(~((a == b) | (np.isnan(a) & np.isnan(b))))
        for k in unequal[:8].tolist():
            moves.append(Move("state", f"{name}ctx.state[{k}]", "", cut_ns, float(a[k]), float(b[k])))
    return moves


def _decided(base: Trial, other: Trial, bar: int, was: str, became: str, columns: list[Move], slot: int) -> Move:
    ts_ns = int(base.clock_ns[bar])
    because = [move for move in columns if move.ts_ns <= ts_ns]
    because.sort(key=lambda move: move.ts_ns)
    names = tuple(dict.fromkeys(repr(move.name) for move in because)) or moved_attributes(base, other)
    symbol = base.symbols[slot % len(base.symbols)] if slot >= 0 and len(base.symbols) > 1 else ""
    return Move("decision", was, symbol, ts_ns, was, became, 1, names, bar)


def moved_attributes(base: Trial, other: Trial) -> tuple[str, ...]:
    """What `init` put on self that is not what it was: numbers first, then arrays, read beyond the bar it may be."""
    numbers: list[str] = []
    arrays: list[str] = []
    for name, value in base.attributes.items():
        twin = other.attributes.get(name)
        a, b = _array(value), _array(twin)
        if a is None or b is None:
            if hasattr(value, "bars") and hasattr(value, "symbols"):
                arrays.append(f"self.{name} (the data itself, read beyond the bar)")
        elif a.shape != b.shape or not np.array_equal(a, b, equal_nan=True):
            (numbers if a.ndim == 0 else arrays).append(
                f"self.{name} ({a[()]!s} -> {b[()]!s})" if a.ndim == 0 else f"self.{name} (read beyond the bar)"
            )
    return tuple(numbers) or tuple(arrays)


def _array(value: Any) -> np.ndarray | None:
    """Numbers as float64, else None."""
    if isinstance(value, (str, bytes)) or value is None:
        return None
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        return None


def first_difference(one: Trial, two: Trial) -> str:
    """Where two runs over equal data differ, in words; "" where they do not."""
    for name, own in one.columns.items():
        for slot, symbol in enumerate(one.symbols):
            other = two.columns[name][slot] if name in two.columns else None
            if other is None or not np.array_equal(own[slot], other, equal_nan=True):
                return f"indicator {name!r} of {symbol}"
    if one.columns.keys() != two.columns.keys():
        return "the indicators that init makes"
    stop = max(one.stands, default=None)
    move = None if stop is None else moved_decision(one, two, stop, [])
    if move is not None:
        return f"the decision at {one.unit} {move.bar}, {move.was} or {move.became}"
    for until in one.stands:
        slots = moved_state(one, two, until, 0)
        if slots:
            return f"{slots[0].name} by {one.unit} {until - 1}"
    return ""
