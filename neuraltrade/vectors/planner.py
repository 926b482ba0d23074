"""Which rows of a block may answer a query, counted exactly before anything is scanned.

Every comparison that must hold and has an index gives an exact count by bisection, those of one field together; the
smallest slice is gathered and the rest of the conditions is tested on it alone. Where no slice is small, conditions
become a mask over the rows known by then, drawn from the indexes or compared. The count then chooses how to search
(`search.py`), and `Step` says what was chosen.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..core import quant
from .block import LATEST, Block, matches
from .query import Filter
from .spec import NEVER

Slice = tuple[str, int, int]  # of an index: its name, and from where to where
FOREVER = (-NEVER, NEVER)


class Scope(NamedTuple):
    """Who may answer: a filter, a half-open interval of ts_ns, a point of knowledge."""

    where: Filter | None = None
    start_ns: int = FOREVER[0]
    end_ns: int = FOREVER[1]
    as_of: int = LATEST

    @property
    def has_interval(self) -> bool:
        """Whether start or end is given."""
        return self.start_ns != FOREVER[0] or self.end_ns != FOREVER[1]

    def conjuncts(self) -> list[Filter]:
        """Everything that must hold, the interval included."""
        parts = [] if self.where is None else list(self.where.conjuncts())
        if self.start_ns != FOREVER[0]:
            parts.append(Filter.gte("ts_ns", self.start_ns))
        if self.end_ns != FOREVER[1]:
            parts.append(Filter.lt("ts_ns", self.end_ns))
        return parts


class Candidates(NamedTuple):
    """Rows that may answer: the prefix `stop`, narrowed by `mask` or replaced by `rows` (ascending)."""

    total: int
    stop: int
    mask: np.ndarray | None = None  # bool[stop]
    rows: np.ndarray | None = None  # u4[count]


class Step(NamedTuple):
    """What was done in one block. A block of which nothing was known yet has no step."""

    block: str
    rows: int  # known by then
    candidates: int
    how: str  # none, exact, gather, signs, cells, graph


def candidates(block: Block, scope: Scope, gather_max: int) -> Candidates:
    """The exact set of rows of a block that may answer. Slices of up to `gather_max` rows are gathered."""
    stop = block.prefix(scope.as_of) if block.may_hold(scope) else 0
    if stop == 0 or scope.start_ns >= scope.end_ns:
        return Candidates(0, 0)
    conditions = scope.conjuncts()
    if not conditions:
        mask = block.visible(scope.as_of, stop)
        return Candidates(stop if mask is None else int(np.count_nonzero(mask)), stop, mask)
    slices, rest = _slices(block, scope, conditions)
    best = min(slices, key=lambda one: one[2] - one[1], default=None)
    if best is not None and best[2] - best[1] <= gather_max:
        name, low, high = best
        rows = block.visible_rows(block.indexes[name][low:high], scope.as_of)
        for condition in conditions if len(slices) > 1 else rest:
            if not len(rows):
                break
            rows = rows[matches(condition, block, rows)]
        rows = np.sort(rows)
        return Candidates(len(rows), stop, None, rows)
    mask = block.visible(scope.as_of, stop)
    for found in (*(_mask_of_slice(block, one, stop) for one in slices), *(_mask(block, one, stop) for one in rest)):
        mask = found if mask is None else mask & found
    assert mask is not None
    return Candidates(int(np.count_nonzero(mask)), stop, mask)


def ordered_rows(block: Block, scope: Scope, gather_max: int) -> np.ndarray:
    """Rows of a block that may answer, by (ts_ns, id). Used by range."""
    found = candidates(block, scope, gather_max)
    if not found.total:
        return np.empty(0, np.int64)
    if found.rows is not None:
        rows = found.rows
    elif found.mask is not None:
        rows = np.flatnonzero(found.mask)
    else:
        rows = np.arange(found.stop)
    return rows[np.lexsort((block.ids[rows], block.ts_ns[rows]))]


def _slices(block: Block, scope: Scope, conditions: list[Filter]) -> tuple[list[Slice], list[Filter]]:
    """What indexes say of the conditions, one slice a field: comparisons of one field meet in one slice. And the
    conditions no index can tell.
    """
    held: dict[str, tuple[int, int]] = {}
    rest, equal = [], set()
    for condition in conditions:
        found = block.slice_of(condition) if not condition.parts else None
        if found is None:
            rest.append(condition)
            continue
        name, low, high = found
        before = held.get(name, (0, block.count))
        held[name] = (max(low, before[0]), min(high, before[1]))
        if condition.op == "eq":
            equal.add(name)
    if scope.has_interval:
        for name in equal - {"ts_ns"}:
            low, high = held[name]
            if high > low:
                held[name] = block.narrow(name, low, high, scope.start_ns, scope.end_ns)
    return [(name, low, max(low, high)) for name, (low, high) in held.items()], rest


def _mask(block: Block, node: Filter, stop: int) -> np.ndarray:
    """bool[stop]: rows that match. Through the indexes where that touches fewer rows than comparing each."""
    if node.op == "not_":
        return ~_mask(block, node.parts[0], stop)
    if node.op == "and_":
        slices, rest = _slices(block, Scope(), list(node.conjuncts()))
        masks = [_mask_of_slice(block, one, stop) for one in slices] + [_mask(block, one, stop) for one in rest]
        return np.logical_and.reduce(masks) if len(masks) > 1 else masks[0]
    if node.op == "or_":
        return np.logical_or.reduce([_mask(block, part, stop) for part in node.parts])
    if node.op == "in_" and node.field in block.indexes:
        mask = np.zeros(stop, bool)
        for value in node.value:
            found = block.slice_of(Filter.eq(node.field, value))
            assert found is not None
            _scatter(block, found, mask)
        return mask
    found = block.slice_of(node)
    return matches(node, block, slice(0, stop)) if found is None else _mask_of_slice(block, found, stop)


def _mask_of_slice(block: Block, one: Slice, stop: int) -> np.ndarray:
    """bool[stop]: the rows of a slice; of a wide one, those not beside it."""
    name, low, high = one
    wide = high - low > block.count // 2
    mask = np.full(stop, wide)
    if wide:
        _scatter(block, (name, 0, low), mask, False)
        _scatter(block, (name, high, block.count), mask, False)
    else:
        _scatter(block, one, mask)
    return mask


def _scatter(block: Block, one: Slice, mask: np.ndarray, value: bool = True) -> None:
    quant.mark_rows(mask, block.indexes[one[0]][one[1] : one[2]], value)
