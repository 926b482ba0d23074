"""CachedEncoder: an encoder that remembers what it encoded."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any, NamedTuple

import numpy as np

from ..errors import InputError
from ..ports import Encoder
from .series import series_of

CAPACITY_BYTES = 64 << 20  # 30,000 bars at 512 dimensions


class History(NamedTuple):
    """Bars that were encoded, and their vectors."""

    columns: tuple[np.ndarray, ...]
    vectors: np.ndarray

    @property
    def bytes(self) -> int:
        """Memory of it."""
        return self.vectors.nbytes + sum(column.nbytes for column in self.columns)


class CachedEncoder:
    """A ports.Encoder that keeps the vectors of the histories asked for last, one for each symbol and first time.

    Since row i of an encoder's answer rests on bars 0..i alone, a history answers for each of its beginnings too. The
    rows handed out are read-only. encoder : what computes them. capacity_bytes : least recently used histories go
    beyond it; one larger than that is not kept. Any thread may call it.

    >>> import neuraltrade as nt
    >>> bars = nt.datasets.load("IBM")
    >>> encoder = nt.embedding.CachedEncoder(nt.embedding.MarketState())
    >>> whole, part = encoder.encode(bars), encoder.encode(bars[:100])
    >>> bool((part == whole[:100]).all()), encoder.hits, encoder.misses
    (True, 1, 1)
    """

    def __init__(self, encoder: Encoder, capacity_bytes: int = CAPACITY_BYTES) -> None:
        if not isinstance(encoder, Encoder):
            raise InputError(f"encoder must be a ports.Encoder, was {type(encoder).__name__}")
        if isinstance(capacity_bytes, bool) or not isinstance(capacity_bytes, int) or capacity_bytes < 0:
            raise InputError(f"capacity_bytes must be an integer >= 0, was {capacity_bytes!r}")
        self.encoder = encoder
        self.name, self.dimension = encoder.name, encoder.dimension
        self.capacity_bytes = capacity_bytes
        self.hits = self.misses = 0
        self._kept: OrderedDict[tuple[str, int], History] = OrderedDict()
        self._lock = threading.Lock()

    def encode(self, bars: Any) -> np.ndarray:
        """float32[n, dimension], read-only. Raises InputError if `bars` is not Bars."""
        columns = tuple(series_of(bars))
        key = (bars.symbol, int(bars.ts_ns[0]) if len(bars) else 0)
        with self._lock:
            held = self._kept.get(key)
            if held is not None and _begins_with(held.columns, columns):
                self._kept.move_to_end(key)
                self.hits += 1
                return held.vectors[: len(bars)]
            self.misses += 1
        vectors = self.encoder.encode(bars)
        vectors.flags.writeable = False
        self._keep(key, History(columns, vectors))
        return vectors

    def stats(self) -> dict[str, Any]:
        """Histories asked for, how many were answered from here, what is kept."""
        asked = self.hits + self.misses
        with self._lock:
            kept = list(self._kept.values())
        return {
            "histories": len(kept),
            "bytes": sum(one.bytes for one in kept),
            "hits": self.hits,
            "misses": self.misses,
            "hit_rate": self.hits / asked if asked else float("nan"),
        }

    def _keep(self, key: tuple[str, int], history: History) -> None:
        if history.bytes > self.capacity_bytes:
            return
        with self._lock:
            self._kept[key] = history
            self._kept.move_to_end(key)
            while sum(one.bytes for one in self._kept.values()) > self.capacity_bytes:
                self._kept.popitem(last=False)

    def __repr__(self) -> str:
        return f"CachedEncoder({self.encoder!r})"


def _begins_with(held: tuple[np.ndarray, ...], asked: tuple[np.ndarray, ...]) -> bool:
    return all(
        len(one) >= len(other) and np.array_equal(one[: len(other)], other)
        for one, other in zip(held, asked, strict=True)
    )
