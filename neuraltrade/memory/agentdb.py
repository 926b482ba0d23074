"""AgentDB: what the agent saw, decided, ordered and learned, in one directory, found again by similarity as it was
known then.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from types import TracebackType
from typing import Any

import numpy as np

from ..embedding import CachedEncoder, MarketState
from ..errors import InputError
from ..market import Bars, Panel
from ..ports import Archive, Encoder
from ..vectors import Filter, Store
from ..vectors.cache import CACHE_QUERIES
from ..vectors.store import GRAPH_ROWS, SEAL_ROWS
from .kinds import KINDS
from .observing import observe
from .questions import Decision, Standing, lineage, similar_decisions, standings
from .tiers import TIERS, tier_stats
from .typed import TypedCollection


class AgentDB:
    """Four collections of typed records over one embedded vector store: observations, signals, orders, traces.

    Open with `AgentDB.open`; close it, or use it as a context manager. One process owns a store; others may open it
    with read_only=True beside it. Many threads may search while one writes.

    >>> import tempfile
    >>> import neuraltrade as nt
    >>> bars = nt.datasets.load("AAPL")[-300:]
    >>> with tempfile.TemporaryDirectory() as folder, nt.AgentDB.open(folder + "/memory") as db:
    ...     ids = db.observe(bars)
    ...     today = db.observations.get(ids[-1])
    ...     hits = db.observations.search(today.vector, k=3, end=today.ts_ns, as_of=today.ts_ns)
    >>> len(ids), len(hits), bool(hits.ts_ns.max() < today.ts_ns)
    (300, 3, True)
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        named = {kind.spec.name: TypedCollection(store.collections[kind.spec.name], kind) for kind in KINDS}
        self.observations = named["observations"]
        self.signals = named["signals"]
        self.orders = named["orders"]
        self.traces = named["traces"]
        self.collections = named
        self.encoder = CachedEncoder(MarketState())

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        read_only: bool = False,
        seal_rows: int = SEAL_ROWS,
        graph_rows: int = GRAPH_ROWS,
        cache_queries: int = CACHE_QUERIES,
        archive: Archive | None = None,
    ) -> AgentDB:
        """Open the store in a directory, or make one there.

        read_only : beside an owner, or on a read-only disk; sees what was acknowledged when it was opened. seal_rows :
        rows that a collection's tail holds before it becomes an immutable segment. graph_rows : rows from which a
        segment has an HNSW graph; smaller ones are scanned in two stages. cache_queries : answers that each collection
        keeps for when the same is asked again before anything changed; 0: none. archive :
        where `demote` moves old segments to and where they are read from, as nt.Archive.open("cold/").

        Raises StoreLocked (naming the owner), LogCorrupt, FormatTooNew, InputError (a directory of something else),
        OSError.
        """
        return cls(
            Store(
                path,
                [kind.spec for kind in KINDS],
                read_only=read_only,
                seal_rows=seal_rows,
                graph_rows=graph_rows,
                cache_queries=cache_queries,
                archive=archive,
            )
        )

    @property
    def path(self) -> str:
        """The directory."""
        return str(self.store.path)

    @property
    def read_only(self) -> bool:
        """Whether it was opened with read_only=True."""
        return self.store.read_only

    def observe(
        self, bars: Bars | Panel, encoder: Encoder | None = None, progress: bool | Callable[[int, int], None] = False
    ) -> np.ndarray:
        """Embed every bar and remember it; returns uint64[len(bars)] ids in bar order (a panel: symbol after symbol).

        A bar whose symbol and time are remembered already is not added again; its id is returned. encoder :
        ports.Encoder of dimension 512, by default `self.encoder`, a MarketState that keeps what it encoded
        last. known_ns is the bar's ts_ns, its end.
        progress : True for a bar on the terminal, or a callable(done, total).
        """
        return observe(self.observations, bars, self.encoder if encoder is None else encoder, progress)

    def get(self, id_: int, as_of: Any = None) -> Any:
        """The record of an id, whatever its kind: ids are unique in a store."""
        for collection in self.collections.values():
            if id_ in collection:
                return collection.get(id_, as_of)
        raise InputError(f"id {id_!r} is not in this store")

    def signals_above(self, strategy: str, confidence: float, limit: int = 100, as_of: Any = None) -> list[Any]:
        """Signals of a strategy with at least this confidence, most confident first, then newest."""
        where = Filter.eq("strategy", strategy) & Filter.gte("confidence", confidence)
        rows = self.signals.range(where=where, as_of=as_of, limit=None)
        order = np.lexsort((-rows.ts_ns, -rows.column("confidence")))[:limit]
        return rows.take(order).records()

    def similar_decisions(
        self, vector: Any, k: int = 10, *, strategy: str | None = None, as_of: Any = None
    ) -> list[Decision]:
        """The k nearest signals, each with its distance, its outcome and its verdict where they were known by
        `as_of`.
        """
        return similar_decisions(self.signals, self.traces, vector, k, strategy, as_of)

    def rank_strategies(self, as_of: Any = None) -> list[Standing]:
        """Strategies by the mean score of their verdicts, best first; unjudged and inconclusive ones are counted
        apart.
        """
        return standings(self.traces, as_of)

    def lineage(self, id_: int, depth: int = 10) -> list[tuple[int, Any]]:
        """(level, record) of a record and everything it rests on: order -> signal -> observations, trace -> decision,
        and provenance.parent_id; breadth first, at most `depth` levels, each record once.
        """
        return lineage(self, id_, depth)

    def flush(self) -> None:
        """Everything acknowledged so far survives the loss of power."""
        self.store.flush()

    def optimize(self) -> None:
        """Bring what was added into segments, merge them, build graphs, and wait until that is done."""
        self.store.optimize()

    def stats(self, tier: str | None = None) -> dict[str, Any]:
        """Rows, segments, bytes, log files; `cache` of each collection and `embedding_cache` with their hit rates.

        tier : "L2", what is in the folder, or "L3", what was moved to the archive: rows, segments and bytes of that
        alone, by collection. (SessionMemory.stats() is that of L1.) Without it, all, and `tiers` with both totals.
        """
        whole = self.store.stats()
        tiers = {name: tier_stats(name, whole) for name in TIERS}
        if tier is None:
            totals = {name: {key: one[key] for key in ("rows", "segments", "bytes")} for name, one in tiers.items()}
            return {**whole, "tiers": totals, "embedding_cache": self.encoder.stats()}
        if tier not in tiers:
            raise InputError(f"tier must be one of {', '.join(TIERS)}, was {tier!r}")
        return tiers[tier]

    def verify(self) -> dict[str, int]:
        """Read and check every byte on disk; returns what was checked. Raises LogCorrupt naming the file."""
        return self.store.verify()

    def backup(self, path: str | os.PathLike[str]) -> None:
        """A durable copy at a path that does not exist yet; it opens like the original."""
        self.store.backup(path)

    def close(self) -> None:
        """Cancel background work, make the log durable, let the directory go. Calling it again does nothing."""
        self.store.close()

    def __enter__(self) -> AgentDB:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        held = ["closed"] if self.store.closed else [f"{len(one)} {name}" for name, one in self.collections.items()]
        return f"<AgentDB {self.path}: {', '.join(held)}>"
