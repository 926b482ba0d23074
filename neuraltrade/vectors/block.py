"""A block: rows of one collection as arrays, the face that search, range and get read. Tails and segments both are
blocks.

A row is visible at `as_of` when known_ns <= as_of < until_ns. `until_ns` is the known_ns of the version that replaced
the row, NEVER while it is the newest, and BANISHED once it was deleted (then no as_of sees it). Only `until_ns` ever
changes, by the one writer, under the collection's revision counter.

An index of a field is its rows (u4) sorted by (value, ts_ns, row): equality and ranges of values are slices of it,
found by bisection, with exact counts; inside one value, so are time ranges.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.cells import Cells
from ..errors import InputError
from .query import Filter
from .spec import NEVER

if TYPE_CHECKING:
    from .planner import Scope

BANISHED = np.iinfo(np.int64).min
LATEST = NEVER - 1  # the as_of that sees the newest version of every row


class Block:
    """Rows as arrays. Arrays are owned by the tail or mapped from a segment and must not be written, `until_ns`
    excepted.
    """

    __slots__ = (
        "cells", "codes", "count", "expansion", "find", "graph", "grouped", "ids", "indexes", "inverse_norm",
        "known_ns", "known_sorted", "name", "numbers", "payload", "payloads", "probe", "replaced", "signs",
        "texts", "ts_ns", "until_ns", "vocabulary",
    )  # fmt: skip

    name: str
    count: int
    codes: np.ndarray  # i1[n, d]
    inverse_norm: np.ndarray  # f4[n]
    signs: np.ndarray  # u8[n, d / 64]
    ids: np.ndarray  # u8[n]
    ts_ns: np.ndarray  # i8[n]
    known_ns: np.ndarray  # i8[n]
    until_ns: np.ndarray  # i8[n]
    known_sorted: bool
    replaced: bool  # whether any until_ns is not NEVER
    numbers: dict[str, np.ndarray]
    texts: dict[str, np.ndarray]  # u4[n] codes into vocabulary
    vocabulary: dict[str, tuple[Sequence[str], dict[str, int]]]
    payload: Callable[[int], bytes]
    payloads: Callable[[], tuple[np.ndarray, np.ndarray]]  # u8[n] lengths, and u1 bytes one row after the other
    cells: dict[str, memoryview]  # columns as Python scalars, made when first asked for
    find: Callable[[int], Sequence[int]]  # rows of an id, oldest version first
    indexes: dict[str, np.ndarray]
    graph: object | None
    expansion: int  # to search the graph with
    grouped: Cells | None  # the rows in cells
    probe: int  # rows of the nearest cells to look at

    def column(self, name: str) -> np.ndarray:
        """A number column, or the codes of a text column."""
        if name in self.numbers:
            return self.numbers[name]
        if name in self.texts:
            return self.texts[name]
        return {"id": self.ids, "ts_ns": self.ts_ns, "known_ns": self.known_ns}[name]

    def value(self, name: str, row: int) -> str | float | int:
        """One field of one row as a Python value."""
        cell = self.cells.get(name)
        if cell is None:
            cell = self.cells[name] = self.column(name).data
        return self.vocabulary[name][0][cell[row]] if name in self.texts else cell[row]

    def prefix(self, as_of: int) -> int:
        """Rows 0..prefix are all that can be known at `as_of`, where rows are sorted by known_ns; else all rows."""
        if not self.known_sorted:
            return self.count
        return int(np.searchsorted(self.known_ns, as_of, side="right"))

    def may_hold(self, scope: Scope) -> bool:
        """False where no row can answer, as far as that can be told without reading any."""
        del scope
        return True

    def known_count(self, as_of: int) -> int:
        """How many rows had come to be known by `as_of`."""
        stop = self.prefix(as_of)
        return stop if self.known_sorted or as_of >= LATEST else int(np.count_nonzero(self.known_ns <= as_of))

    def visible(self, as_of: int, stop: int) -> np.ndarray | None:
        """bool[stop]: rows of the prefix that `as_of` sees; None when it sees them all."""
        mask = None if self.known_sorted else self.known_ns[:stop] <= as_of
        if self.replaced:
            current = self.until_ns[:stop] > as_of
            mask = current if mask is None else mask & current
        return mask

    def visible_rows(self, rows: np.ndarray, as_of: int) -> np.ndarray:
        """The rows among `rows` that `as_of` sees."""
        if self.known_sorted:
            stop = self.prefix(as_of)
            rows = rows if stop == self.count else rows[rows < stop]
        else:
            rows = rows[self.known_ns[rows] <= as_of]
        return rows[self.until_ns[rows] > as_of] if self.replaced else rows

    def slice_of(self, leaf: Filter) -> tuple[str, int, int] | None:
        """(index, start, stop) holding exactly the rows that match a comparison; None when no index can tell."""
        index = self.indexes.get(leaf.field)
        if index is None or leaf.op not in ("eq", "gt", "gte", "lt", "lte"):
            return None
        column = self.column(leaf.field)
        value = leaf.value
        if leaf.field in self.texts:
            code = self.vocabulary[leaf.field][1].get(value)
            if code is None:
                return (leaf.field, 0, 0)
            value = code
        key, order = column.data, index.data
        size = self.count
        if column.dtype.kind == "f":  # NaN sorts last and matches nothing
            size = bisect_left(range(size), 1, key=lambda j: int(key[order[j]] != key[order[j]]))
        positions = range(size)
        low, high = 0, size
        if leaf.op in ("eq", "gte"):
            low = bisect_left(positions, value, key=lambda j: key[order[j]])
        elif leaf.op == "gt":
            low = bisect_right(positions, value, key=lambda j: key[order[j]])
        if leaf.op in ("eq", "lte"):
            high = bisect_right(positions, value, key=lambda j: key[order[j]])
        elif leaf.op == "lt":
            high = bisect_left(positions, value, key=lambda j: key[order[j]])
        return (leaf.field, low, max(low, high))

    def narrow(self, index: str, start: int, stop: int, begin_ns: int, end_ns: int) -> tuple[int, int]:
        """The part of one value's slice with begin_ns <= ts_ns < end_ns."""
        key, order = self.ts_ns.data, self.indexes[index].data
        positions = range(stop)
        low = bisect_left(positions, begin_ns, lo=start, key=lambda j: key[order[j]])
        return low, bisect_left(positions, end_ns, lo=low, key=lambda j: key[order[j]])


def build_index(values: np.ndarray, ts_ns: np.ndarray) -> np.ndarray:
    """u4[n]: rows sorted by (value, ts_ns, row); NaN last. O(n log n)."""
    return np.lexsort((ts_ns, values)).astype(np.uint32)


def matches(node: Filter, block: Block, rows: np.ndarray | slice) -> np.ndarray:
    """bool per row of `rows`: whether it satisfies the filter."""
    if node.op == "not_":
        return ~matches(node.parts[0], block, rows)
    if node.op in ("and_", "or_"):
        mask = matches(node.parts[0], block, rows)
        for part in node.parts[1:]:
            other = matches(part, block, rows)
            mask = mask & other if node.op == "and_" else mask | other
        return mask
    column = block.column(node.field)[rows]
    return _compare(column, node.op, *_operand(node, block))


def check_filter(node: Filter, texts: frozenset[str], numbers: frozenset[str]) -> None:
    """Raises InputError where a comparison does not fit its field's kind; names are checked before."""
    for leaf in node.leaves():
        values = leaf.value if leaf.op == "in_" else (leaf.value,)
        if leaf.field in texts:
            if leaf.op not in ("eq", "ne", "in_"):
                raise InputError(f"{leaf.op}({leaf.field!r}): a text field takes eq, ne and in_")
            wrong = [value for value in values if not isinstance(value, str)]
        elif leaf.field in numbers:
            wrong = [value for value in values if isinstance(value, str)]
        else:
            raise InputError(f"unknown field: {leaf.field!r}")
        if wrong:
            kind = "a text" if leaf.field in texts else "a number"
            raise InputError(f"{leaf.op}({leaf.field!r}): value must be {kind}, was {wrong[0]!r}")


def _operand(node: Filter, block: Block) -> tuple[object, bool]:
    """The value to compare a column with, and whether it exists at all (a text this block never saw does not)."""
    if node.field not in block.texts:
        return (list(node.value) if node.op == "in_" else node.value), True
    table = block.vocabulary[node.field][1]
    if node.op == "in_":
        return [table[text] for text in node.value if text in table], True
    return table.get(node.value, 0), node.value in table


def _compare(column: np.ndarray, op: str, value: Any, exists: bool) -> np.ndarray:
    if not exists:
        return np.full(len(column), op == "ne")
    if op == "in_":
        found = np.zeros(len(column), bool)
        for one in value:
            found |= _compare(column, "eq", one, True)
        return found
    if column.dtype.kind in "iu" and isinstance(value, int):
        bounds = np.iinfo(column.dtype)
        if not bounds.min <= value <= bounds.max:  # numpy refuses to compare what does not fit
            above = value > bounds.max
            return np.full(
                len(column), op == "ne" or (above and op in ("lt", "lte")) or (not above and op in ("gt", "gte"))
            )
    compare = {
        "eq": np.equal,
        "ne": np.not_equal,
        "gt": np.greater,
        "gte": np.greater_equal,
        "lt": np.less,
        "lte": np.less_equal,
    }
    return compare[op](column, value)
