"""What a collection answers with: `Rows` (of a range) and `Hits` (of a search). Columns at once, records when asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..errors import InputError
from .block import Block
from .explain import Explanation
from .planner import Step
from .spec import unknown

Maker = Callable[[Block, int], Any]


class Rows:
    """Rows found, as columns; `records()` makes objects of them. Keeps what was visible when it was asked for."""

    def __init__(self, blocks: Sequence[Block], owners: np.ndarray, rows: np.ndarray, make: Maker) -> None:
        self._blocks, self._owners, self._rows, self._make = blocks, owners, rows, make

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Any]:
        for owner, row in zip(self._owners.tolist(), self._rows.tolist(), strict=True):
            yield self._make(self._blocks[owner], row)

    @property
    def ids(self) -> np.ndarray:
        """uint64[n]."""
        return self.column("id")

    @property
    def ts_ns(self) -> np.ndarray:
        """int64[n], when each happened."""
        return self.column("ts_ns")

    @property
    def known_ns(self) -> np.ndarray:
        """int64[n], when the version found could be known."""
        return self.column("known_ns")

    def column(self, name: str) -> np.ndarray:
        """One field: float64, int64, uint64, or an array of str. Raises InputError for an unknown name."""
        for block in self._blocks[-1:]:  # the tail, which is in memory
            if name not in block.numbers and name not in block.texts and name not in ("id", "ts_ns", "known_ns"):
                raise InputError(unknown("column", name, ("id", "ts_ns", "known_ns", *block.numbers, *block.texts)))
        is_text = bool(self._blocks) and name in self._blocks[-1].texts
        dtype: Any = object if is_text else {"id": np.uint64, "ts_ns": np.int64, "known_ns": np.int64}.get(name)
        if dtype is None:
            dtype = self._blocks[-1].numbers[name].dtype if self._blocks else np.float64
        column = np.empty(len(self), dtype)
        for owner in np.unique(self._owners).tolist():
            block, at = self._blocks[owner], self._owners == owner
            values = block.column(name)[self._rows[at]]
            column[at] = np.array(block.vocabulary[name][0], object)[values] if is_text else values
        return column.astype(str) if is_text else column

    def vectors(self) -> np.ndarray:
        """float32[n, d]: the stored vectors, unit length, at int8 precision."""
        parts = [
            self._blocks[owner].codes[row].astype(np.float32) * self._blocks[owner].inverse_norm[row]
            for owner, row in zip(self._owners.tolist(), self._rows.tolist(), strict=True)
        ]
        dimension = self._blocks[-1].codes.shape[1] if self._blocks else 0
        return np.array(parts, np.float32).reshape(-1, dimension)

    def records(self) -> list[Any]:
        """One record a row, in order."""
        return list(self)

    def take(self, order: np.ndarray) -> Rows:
        """Some of the rows, in the order given."""
        return Rows(self._blocks, self._owners[order], self._rows[order], self._make)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self)} rows>"


class Hits(Rows):
    """Nearest rows, ascending by (distance, id)."""

    def __init__(
        self, blocks: Sequence[Block], owners: np.ndarray, rows: np.ndarray, make: Maker, ids: np.ndarray,
        distances: np.ndarray, plan: tuple[Step, ...],
    ) -> None:  # fmt: skip
        super().__init__(blocks, owners, rows, make)
        self._ids = ids
        self.distances = distances
        self.plan = plan
        self.explanation: Explanation | None = None  # where search was asked with explain=True

    @property
    def ids(self) -> np.ndarray:
        """uint64[n]."""
        return self._ids
