"""Answers kept for the next time the same is asked.

Keyed by everything that decides an answer: codes of the vector, k, scope, how to look. Valid for one version of the
collection, which any change of what a search could see alters; the first search of a new version drops all that is
kept, and with it the last hold on segments that were merged. Small answers only: what is kept has a bound.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, NamedTuple

from .block import Block
from .search import Found

CACHE_QUERIES = 1_024
HITS_MAX = 1_024  # answers with more are not kept
Version = tuple[int, Hashable, int]


class Kept(NamedTuple):
    """An answer and the blocks it points into."""

    blocks: list[Block]
    found: Found


class ResultCache:
    """The last `capacity` different questions of one version; 0 keeps nothing and counts nothing."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.hits = self.misses = 0
        self._kept: OrderedDict[Hashable, Kept] = OrderedDict()
        self._version: Version = (-1, (), 0)
        self._lock = threading.Lock()

    def get(self, key: Hashable, version: Version) -> Kept | None:
        """The answer kept for this version, None without one."""
        if not self.capacity:
            return None
        with self._lock:
            if version != self._version:
                self._kept.clear()
                self._version = version
            found = self._kept.get(key)
            if found is None:
                self.misses += 1
                return None
            self._kept.move_to_end(key)
            self.hits += 1
            return found

    def put(self, key: Hashable, version: Version, kept: Kept) -> None:
        """Keep an answer that was found at a version; one of another version is let go."""
        if not self.capacity or len(kept.found.ids) > HITS_MAX:
            return
        with self._lock:
            if version != self._version:
                return
            self._kept[key] = kept
            if len(self._kept) > self.capacity:
                self._kept.popitem(last=False)

    def clear(self) -> None:
        """Let everything go."""
        with self._lock:
            self._kept.clear()

    def stats(self) -> dict[str, Any]:
        """Questions asked, how many were answered from here, how many answers are kept."""
        asked = self.hits + self.misses
        return {
            "capacity": self.capacity,
            "entries": len(self._kept),
            "hits": self.hits,
            "misses": self.misses,
            "hit_rate": self.hits / asked if asked else float("nan"),
        }
