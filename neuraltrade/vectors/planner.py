"""Which rows of a block may answer a query, counted exactly before anything is scanned.

Every comparison that must hold and has an index gives an exact count by bisection; the smallest slice is gathered and
the rest of the conditions is tested on it alone. Where no slice is small, conditions become a mask over the rows known
by then. The count then chooses how to search (`search.py`), and `Step` says what was chosen.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .block import LATEST, Block, matches
from .query import Filter
from .spec import NEVER

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
    best = _smallest_slice(block, scope, conditions)
    if best is not None and best[2] - best[1] <= gather_max:
        name, low, high = best
        rows = block.visible_rows(block.indexes[name][low:high], scope.as_of)
        for condition in conditions:
            if not len(rows):
                break
            rows = rows[matches(condition, block, rows)]
        rows = np.sort(rows)
        return Candidates(len(rows), stop, None, rows)
    mask = block.visible(scope.as_of, stop)
    for condition in conditions:
        found = matches(condition, block, slice(0, stop))
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


def _smallest_slice(block: Block, scope: Scope, conditions: list[Filter]) -> tuple[str, int, int] | None:
    best = None
    for condition in conditions:
        found = block.slice_of(condition) if not condition.parts else None
        if found is None:
            continue
        name, low, high = found
        if condition.op == "eq" and name != "ts_ns" and scope.has_interval and high > low:
            low, high = block.narrow(name, low, high, scope.start_ns, scope.end_ns)
        if best is None or high - low < best[2] - best[1]:
            best = (name, low, high)
    if scope.start_ns != FOREVER[0] and scope.end_ns != FOREVER[1] and "ts_ns" in block.indexes:
        low, high = block.narrow("ts_ns", 0, block.count, scope.start_ns, scope.end_ns)
        if best is None or high - low < best[2] - best[1]:
            best = ("ts_ns", low, high)
    return best
