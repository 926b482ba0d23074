"""The tail: rows that arrived last, in order of arrival, in arrays that grow. Searched by scanning, from the next
query on.

One writer appends past `count` and only then publishes the new count; readers hold a view that ends at the count they
took. Growing copies to larger arrays and leaves the old ones to the readers that still hold them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core import quant
from .block import BANISHED, Block
from .spec import DTYPES, NEVER, Batch, CollectionSpec, Texts

ROWS_MIN = 1_024


class Tail:
    """Growing rows of one collection. Not thread-safe for writers: the store's write lock is held."""

    def __init__(self, spec: CollectionSpec, name: str, wal_start: int) -> None:
        self.spec = spec
        self.name = name
        self.wal_start = wal_start  # the first log file that may hold its rows
        self.count = 0
        self.capacity = 0
        self.known_sorted = True
        self.replaced = False
        self._arrays: dict[str, np.ndarray] = {}
        self._payload: list[bytes] = []
        self._rows: dict[int, int | list[int]] = {}
        self._vocabulary: dict[str, tuple[list[str], dict[str, int]]] = {
            field.name: ([], {}) for field in spec.fields if field.kind == "text"
        }
        self._numbers = [field.name for field in spec.fields if field.kind != "text"]
        self._grow(ROWS_MIN)
        self._marks = 0
        self._view: tuple[int, Block] | None = None

    def append(self, batch: Batch) -> None:
        """Add rows at the end; they are visible when this returns."""
        count, rows = self.count, len(batch)
        self.reserve(rows)
        into = slice(count, count + rows)
        arrays = self._arrays
        arrays["codes"][into] = batch.codes
        arrays["inverse_norm"][into] = batch.inverse_norm
        arrays["signs"][into] = quant.signs(batch.codes)
        arrays["ids"][into] = batch.ids
        arrays["ts_ns"][into] = batch.ts_ns
        arrays["known_ns"][into] = batch.known_ns
        for name in self._numbers:
            arrays["field." + name][into] = batch.numbers[name]
        for name in self._vocabulary:
            arrays["field." + name][into] = self._encode(name, batch.texts[name])
        self._payload.extend(batch.payload if batch.payload is not None else [b""] * rows)
        self._remember(batch.ids, count)
        if self.known_sorted:
            known = arrays["known_ns"][max(count - 1, 0) : count + rows]
            self.known_sorted = bool((known[1:] >= known[:-1]).all())
        self.count = count + rows

    def reserve(self, rows: int) -> None:
        """Make room for so many more rows. Raises MemoryError, the tail as it was."""
        if self.count + rows > self.capacity:
            self._grow(max(2 * self.capacity, self.count + rows))

    def mark(self, row: int, until_ns: int) -> None:
        """Say that a row was replaced at `until_ns`, or deleted (BANISHED)."""
        until = self._arrays["until_ns"]
        if until[row] != BANISHED:
            until[row] = until_ns
        self.replaced = True
        self._marks += 1

    def view(self) -> Block:
        """The rows so far as a block; the same object until something is appended or marked."""
        count, marks, held = self.count, self._marks, self._view
        if held is None or held[0] != marks or held[1].count != count:
            held = self._view = (marks, self._make_view(count))
        return held[1]

    def find(self, id_: int) -> Sequence[int]:
        """Rows of an id, oldest version first."""
        rows = self._rows.get(id_)
        if rows is None:
            return ()
        return (rows,) if isinstance(rows, int) else rows

    def memory_bytes(self) -> int:
        """Bytes of the arrays, payload apart."""
        return sum(array.nbytes for array in self._arrays.values())

    def _grow(self, capacity: int) -> None:
        dimension = self.spec.dimension
        fresh: dict[str, np.ndarray] = {
            "codes": quant.aligned_empty((capacity, dimension), np.int8),
            "inverse_norm": quant.aligned_empty((capacity,), np.float32),
            "signs": quant.aligned_empty((capacity, dimension // 64), np.uint64),
            "ids": np.empty(capacity, np.uint64),
            "ts_ns": np.empty(capacity, np.int64),
            "known_ns": np.empty(capacity, np.int64),
            "until_ns": np.full(capacity, NEVER, np.int64),
        }
        for field in self.spec.fields:
            dtype = np.dtype(np.uint32) if field.kind == "text" else DTYPES[field.kind]
            fresh["field." + field.name] = np.empty(capacity, dtype)
        for name, array in self._arrays.items():
            fresh[name][: self.count] = array[: self.count]
        self._arrays = fresh
        self.capacity = capacity

    def _encode(self, name: str, texts: Texts) -> np.ndarray:
        values, table = self._vocabulary[name]
        codes = np.empty(len(texts.values), np.uint32)
        for j, text in enumerate(texts.values):
            code = table.get(text)
            if code is None:
                code = table[text] = len(values)
                values.append(text)
            codes[j] = code
        return codes[texts.codes]

    def _remember(self, ids: np.ndarray, start: int) -> None:
        rows = self._rows
        for row, id_ in enumerate(ids.tolist(), start):
            held = rows.get(id_)
            if held is None:
                rows[id_] = row
            else:
                rows[id_] = [held, row] if isinstance(held, int) else [*held, row]

    def _payloads(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        bodies = self._payload[:count]
        return np.fromiter(map(len, bodies), np.uint64, count), np.frombuffer(b"".join(bodies), np.uint8)

    def _make_view(self, count: int) -> Block:
        arrays: dict[str, Any] = {name: array[:count] for name, array in self._arrays.items()}
        block = Block()
        block.name, block.count = self.name, count
        for name in ("codes", "inverse_norm", "signs", "ids", "ts_ns", "known_ns", "until_ns"):
            setattr(block, name, arrays[name])
        block.known_sorted, block.replaced = self.known_sorted, self.replaced
        block.numbers = {name: arrays["field." + name] for name in self._numbers}
        block.texts = {name: arrays["field." + name] for name in self._vocabulary}
        block.vocabulary = dict(self._vocabulary)
        block.payload = self._payload.__getitem__
        block.payloads = lambda: self._payloads(count)
        block.cells = {}
        block.find = self.find
        block.indexes, block.graph, block.expansion = {}, None, 0
        block.grouped, block.probe = None, 0
        return block
