"""A collection: add, update, delete; search, range, count, get. Many readers, one writer.

State is a tuple replaced whole: segments (oldest first), frozen tails on their way to become segments, and the tail. A
reader takes it once and answers from it. Updates and deletes change `until_ns` of rows already there; they keep
`revision` odd while they do, and a reader that saw it odd or changed asks again, under the write lock after three
tries.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from ..clock import as_ns
from ..errors import InputError
from . import log as wal_log
from .block import BANISHED, LATEST, Block, check_filter
from .cache import Kept, ResultCache, Version
from .change import current_rows, find_version, replacement
from .explain import Explanation
from .planner import FOREVER, Scope, candidates, ordered_rows
from .query import Filter, Query
from .rows import Hits, Maker, Rows
from .search import Found, Request, request_signs, search_blocks
from .segment import Segment
from .spec import Batch, CollectionSpec, as_array, check_columns, check_payload, check_times, quantise, unknown
from .tail import Tail

if TYPE_CHECKING:
    from .store import Store

RANGE_MAX = 10_000
CELLS_MAX = 1 << 27  # k x queries of one search_many: 1.6 GB of answer
Answer = TypeVar("Answer")


class State(NamedTuple):
    """What the collection holds at one moment."""

    segments: tuple[Segment, ...]
    frozen: tuple[Tail, ...]
    tail: Tail

    def blocks(self) -> list[Block]:
        """Everything, oldest first."""
        return [segment.block for segment in self.segments] + [tail.view() for tail in (*self.frozen, self.tail)]

    def here(self) -> tuple[Segment, ...]:
        """Segments on disk, not in the archive."""
        return tuple(segment for segment in self.segments if segment.entry.archived is None)

    def replaced(self, tails: Sequence[Tail], segments: Sequence[Segment], fresh: Segment | None) -> State:
        """The same with `fresh`, if any, in place of tails and segments."""
        kept = [segment for segment in self.segments if segment not in segments]
        if fresh is not None:
            kept.append(fresh)
        return State(tuple(kept), tuple(tail for tail in self.frozen if tail not in tails), self.tail)

    def owners(self) -> list[Segment | Tail]:
        """The same order as blocks()."""
        return [*self.segments, *self.frozen, self.tail]


class Collection:
    """Vectors with fields and payload bytes. Made by Store; every method raises StoreClosed once the store is
    closed.
    """

    def __init__(self, store: Store, spec: CollectionSpec, state: State) -> None:
        self.store = store
        self.spec = spec
        self.name = spec.name
        self.state = state
        self.revision = 0
        self.make: Maker = self.as_dict
        self.cache = ResultCache(store.cache_queries)
        self._texts = frozenset(field.name for field in spec.fields if field.kind == "text")
        self._numbers = frozenset(field.name for field in spec.fields if field.kind != "text") | {
            "id",
            "ts_ns",
            "known_ns",
        }

    # Writing

    def add(
        self, vectors: Any, *, ts_ns: Any, known_ns: Any = None, payload: Sequence[bytes] | None = None, **fields: Any
    ) -> np.ndarray:
        """Append rows; returns their ids, uint64[n]. Acknowledged into the log and visible to the next search.

        vectors : float32[n, dimension], finite, non-zero. ts_ns, known_ns : int64[n] or one int; known_ns defaults to
        ts_ns and must not precede it. payload : one bytes a row. fields : columns of the spec; a scalar is repeated.
        Raises InputError (nothing added), StoreClosed, OSError (the disk is full: what a note on it does not name was
        not added).
        """
        self.store.check_writable()
        codes, inverse_norm = quantise(vectors, self.spec.dimension)
        count = len(codes)
        times = check_times("ts_ns", ts_ns, count)
        known = times if known_ns is None else check_times("known_ns", known_ns, count)
        if count and bool((known < times).any()):
            row = int(np.argmax(known < times))
            raise InputError(f"known_ns must not be before ts_ns: row {row} has {known[row]} < {times[row]}")
        numbers, texts = check_columns(self.spec, fields, count)
        bodies = check_payload(payload, count)
        return self.store.append(
            self, Batch(np.empty(0, np.uint64), times, known, codes, inverse_norm, numbers, texts, bodies)
        )

    def update(
        self, ids: Any, *, known_ns: Any, vectors: Any = None, payload: Sequence[bytes] | None = None, **fields: Any
    ) -> None:
        """Add a version of each id with its own known_ns: searches as of an earlier time go on seeing the older one.

        ids : one id or a sequence without repeats. known_ns : not before that of the newest version. What is not given
        is kept.
        """
        self.store.check_writable()
        wanted = check_ids(ids)
        known = check_times("known_ns", known_ns, len(wanted))
        fresh = None if vectors is None else quantise(vectors, self.spec.dimension)
        if fresh is not None and len(fresh[0]) != len(wanted):
            raise InputError(f"vectors must have one row an id ({len(wanted)}), had {len(fresh[0])}")
        for name in fields:
            self.spec.field(name)
        numbers, texts = check_columns(self.spec, fields, len(wanted))
        bodies = check_payload(payload, len(wanted))
        with self.store.lock:
            self.store.check_writable()
            blocks = self.state.blocks()
            places = current_rows(self.name, blocks, wanted)
            batch = replacement(self.spec, blocks, places, wanted, known, fresh, fields.keys(), numbers, texts, bodies)
            self.state.tail.reserve(len(batch))
            self.store.log_record(self, wal_log.UPDATE, wal_log.encode_rows(self.name, batch))
            self.apply_update(batch, places)
            self.store.after_append(self)

    def delete(self, ids: Any) -> int:
        """Remove rows, every version of them, from every view of the past as well; returns how many ids that were."""
        self.store.check_writable()
        wanted = check_ids(ids)
        with self.store.lock:
            self.store.check_writable()
            current_rows(self.name, self.state.blocks(), wanted)
            if len(wanted):
                self.store.log_record(self, wal_log.DELETE, wal_log.encode_ids(self.name, wanted))
                self.apply_delete(wanted)
        return len(wanted)

    def retain(self, *, max_age_ns: int | None = None, max_rows: int | None = None) -> int:
        """Delete what is older than the newest ts_ns by more than max_age_ns, and beyond the newest max_rows; returns
        how many.
        """
        for name, limit in (("max_age_ns", max_age_ns), ("max_rows", max_rows)):
            if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int | np.integer) or limit < 0):
                raise InputError(f"{name} must be an int >= 0, was {limit!r}")
        if max_age_ns is None and max_rows is None:
            raise InputError("retain needs max_age_ns or max_rows")
        with self.store.lock:
            self.store.check_writable()
            rows = self.range(limit=None)
            ids, ts_ns = rows.ids, rows.ts_ns
            drop = np.zeros(len(ids), bool)
            if max_rows is not None and len(ids) > max_rows:
                drop[: len(ids) - int(max_rows)] = True
            if max_age_ns is not None and len(ids):
                drop |= ts_ns[-1] - ts_ns > max_age_ns
            return self.delete(ids[drop])

    def apply_update(self, batch: Batch, places: Sequence[tuple[int, int]]) -> None:
        """Replace rows at (block, row) by the batch. The write lock is held."""
        owners = self.state.owners()
        self.revision += 1
        for (owner, row), known in zip(places, batch.known_ns.tolist(), strict=True):
            owners[owner].mark(row, known)
        self.state.tail.append(batch)
        self.revision += 1

    def apply_delete(self, ids: np.ndarray) -> None:
        """Banish every version of the ids. The write lock is held."""
        owners, blocks = self.state.owners(), self.state.blocks()
        self.revision += 1
        for id_ in ids.tolist():
            for owner, block in zip(owners, blocks, strict=True):
                for row in block.find(id_):
                    owner.mark(row, BANISHED)
        self.revision += 1

    # Reading

    def search(
        self,
        vector: Any,
        k: int = 10,
        *,
        where: Filter | None = None,
        start: Any = None,
        end: Any = None,
        as_of: Any = None,
        exact: bool = False,
        timeout_s: float | None = None,
        expansion: int | None = None,
        explain: bool = False,
        stable: bool = False,
    ) -> Hits:
        """The k rows nearest by cosine distance, among those that match and were known by `as_of`; ties by id.

        vector : float32[dimension], or a Query that carries everything. start, end : half-open on ts_ns. exact : scan
        all that may answer. timeout_s : DeadlineExceeded when it passes. expansion : HNSW's ef for this
        search; by default what each graph was calibrated to. stable : let the answer depend on the rows alone, whatever
        has been indexed: exact up to 16,384 of them, beyond it the nearest of those with the fewest differing signs
        over all. explain : say in `hits.explanation` what was done.
        """
        if isinstance(vector, Query):
            return self.search(vector.vector, **vector.plain_terms())
        began = time.perf_counter()
        array = as_array(vector, "vector")
        codes, inverse_norm = self._encode(array[None, :] if array.ndim == 1 else array, "vector", 1)
        scope = self.scope(where, start, end, as_of)
        request = self._request(codes[0], inverse_norm[0], self._enough(k), scope, exact, timeout_s, expansion)
        request = request._replace(stable=bool(stable)) if stable else request
        kept, cached = self._answer(request)
        hits = self._hits(*kept)
        if explain:
            hits.explanation = Explanation(kept.found.steps, scope, int(k), time.perf_counter() - began, cached)
        return hits

    def _answer(self, request: Request) -> tuple[Kept, bool]:
        """The answer, and whether it was kept from before. While an update is under way nothing is kept."""
        self.store.check_open()
        key, before = request.key, self.version()
        kept = self.cache.get(key, before)
        if kept is not None:
            return kept, True
        kept = Kept(*self.consistent(lambda blocks: search_blocks(blocks, request, self.store.plan)))
        if not before[0] & 1 and self.version() == before:
            self.cache.put(key, before, kept)
        return kept, False

    def version(self) -> Version:
        """Differs wherever a search could see something else: rows added (the count), replaced or deleted (the
        revision, odd while that is under way), moved to segments.
        """
        revision, state = self.revision, self.state
        return revision, state.segments, state.tail.count + sum(tail.count for tail in state.frozen)

    def search_many(
        self,
        vectors: Any,
        k: int = 10,
        *,
        where: Filter | None = None,
        start: Any = None,
        end: Any = None,
        as_of: Any = None,
        exact: bool = False,
        timeout_s: float | None = None,
        expansion: int | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """(ids uint64[q, k], distances float32[q, k]) of many queries, on all cores; short rows are padded with 0 and
        inf.
        """
        check_k(k)
        codes, inverse_norm = self._encode(as_array(vectors, "vectors"), "vectors", None)
        scope = self.scope(where, start, end, as_of)
        if int(k) * max(len(codes), 1) > CELLS_MAX:
            raise InputError(f"k times the number of vectors must be at most {CELLS_MAX}, was {k} x {len(codes)}")
        ids = np.zeros((len(codes), k), np.uint64)
        distances = np.full(ids.shape, np.inf, np.float32)
        least = self._enough(k)
        requests = [
            self._request(codes[q], inverse_norm[q], least, scope, exact, timeout_s, expansion)
            for q in range(len(codes))
        ]

        def answer_all(blocks: list[Block]) -> None:
            def answer(queries: range) -> None:
                for q in queries:
                    self.store.check_open()  # close() need not wait for the rest
                    found = search_blocks(blocks, requests[q], self.store.plan)
                    ids[q, : len(found.ids)] = found.ids
                    distances[q, : len(found.ids)] = found.distances

            ids.fill(0)
            distances.fill(np.inf)
            workers = min(os.cpu_count() or 1, max(len(requests) // 8, 1))
            if workers == 1:
                answer(range(len(requests)))
            else:
                with ThreadPoolExecutor(workers) as pool:
                    list(pool.map(answer, [range(part, len(requests), workers) for part in range(workers)]))

        self.consistent(answer_all)
        return ids, distances

    def range(
        self,
        *,
        where: Filter | None = None,
        start: Any = None,
        end: Any = None,
        as_of: Any = None,
        limit: int | None = RANGE_MAX,
    ) -> Rows:
        """Rows with start <= ts_ns < end that match, ascending by (ts_ns, id): the first `limit` of them (None:
        all).
        """
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int | np.integer) or limit < 1):
            raise InputError(f"limit must be an int >= 1 or None, was {limit!r}")
        scope = self.scope(where, start, end, as_of)

        def find(blocks: list[Block]) -> tuple[np.ndarray, np.ndarray]:
            rows = [ordered_rows(block, scope, self.store.plan.gather_rows)[:limit] for block in blocks]
            owners = np.repeat(np.arange(len(blocks)), [len(part) for part in rows])
            held = [(block, part) for block, part in zip(blocks, rows, strict=True) if len(part)]
            ts_ns = np.concatenate([np.empty(0, np.int64), *(block.ts_ns[part] for block, part in held)])
            ids = np.concatenate([np.empty(0, np.uint64), *(block.ids[part] for block, part in held)])
            order = np.lexsort((ids, ts_ns))[:limit]
            return owners[order], np.concatenate(rows)[order].astype(np.int64)

        blocks, (owners, rows) = self.consistent(find)
        return Rows(blocks, owners, rows, self.make)

    def count(self, *, where: Filter | None = None, start: Any = None, end: Any = None, as_of: Any = None) -> int:
        """How many rows match and were known by `as_of`."""
        scope = self.scope(where, start, end, as_of)
        gather = self.store.plan.gather_rows
        return self.consistent(lambda blocks: sum(candidates(block, scope, gather).total for block in blocks))[1]

    def locate(self, id_: Any, as_of: Any = None) -> tuple[Block, int]:
        """Block and row of the version of an id that `as_of` sees. Raises InputError for an id it does not see."""
        if isinstance(id_, bool) or not isinstance(id_, int | np.integer) or not 0 < id_ < 1 << 64:
            raise InputError(f"id must be an int in 1..2**64-1, was {id_!r}")
        wanted, moment = int(id_), self._as_of(as_of)
        found = self.consistent(lambda blocks: find_version(blocks, wanted, moment))[1]
        if found is None:
            known = "" if as_of is None else f" that was known at {moment}"
            raise InputError(f"id {wanted} is not in {self.name}{known}")
        return found

    def get(self, id_: Any, as_of: Any = None) -> Any:
        """The newest version of an id, or the one `as_of` sees, as `make` builds it."""
        return self.make(*self.locate(id_, as_of))

    def as_dict(self, block: Block, row: int) -> dict[str, Any]:
        """A row as plain values: fixed columns, fields, payload (bytes) and vector (float32, unit length)."""
        names = ("id", "ts_ns", "known_ns", *(field.name for field in self.spec.fields))
        values: dict[str, Any] = {name: block.value(name, row) for name in names}
        return {**values, "payload": block.payload(row), "vector": vector_of(block, row)}

    def __len__(self) -> int:
        return self.count()

    def consistent(self, ask: Callable[[list[Block]], Answer]) -> tuple[list[Block], Answer]:
        """The blocks and what `ask` makes of them, without an update half seen."""
        self.store.check_open()
        for _ in range(3):
            before = self.revision
            if before & 1:
                continue
            blocks = self.state.blocks()
            answer = ask(blocks)
            if self.revision == before:
                return blocks, answer
        with self.store.lock:
            blocks = self.state.blocks()
            return blocks, ask(blocks)

    def scope(self, where: Filter | None, start: Any, end: Any, as_of: Any) -> Scope:
        """Checked conditions of a query."""
        if where is not None:
            if not isinstance(where, Filter):
                raise InputError(f"where must be a Filter, was {type(where).__name__}")
            for leaf in where.leaves():
                if leaf.field not in self._texts and leaf.field not in self._numbers:
                    raise InputError(unknown(f"field of {self.name}", leaf.field, sorted(self._texts | self._numbers)))
            check_filter(where, self._texts, self._numbers)
        start_ns = FOREVER[0] if start is None else as_ns(start, "start")
        end_ns = FOREVER[1] if end is None else as_ns(end, "end")
        if start_ns > end_ns:
            raise InputError(f"end must not be before start: {end_ns} < {start_ns}")
        return Scope(where, start_ns, end_ns, self._as_of(as_of))

    def _as_of(self, as_of: Any) -> int:
        return LATEST if as_of is None else min(as_ns(as_of, "as_of"), LATEST)

    def _encode(self, array: np.ndarray, argument: str, rows: int | None) -> tuple[np.ndarray, np.ndarray]:
        dimension = self.spec.dimension
        if array.ndim != 2 or array.shape[1] != dimension or (rows is not None and len(array) != rows):
            shape = f"[{dimension}]" if rows == 1 else f"[q, {dimension}]"
            raise InputError(
                f"{argument} must be float32{shape}, shape was {array.shape[-1:] if rows == 1 else array.shape}"
            )
        return quantise(array, dimension, argument)

    def _enough(self, k: Any) -> int:
        """k, or one more than the rows there are: what is asked of a block need not hold every int."""
        check_k(k)
        return min(int(k), 1 + sum(block.count for block in self.state.blocks()))

    def _request(
        self, codes: np.ndarray, inverse_norm: Any, k: int, scope: Scope, exact: bool, timeout_s: Any, expansion: Any
    ) -> Request:
        if timeout_s is not None and not (isinstance(timeout_s, int | float) and timeout_s > 0):
            raise InputError(f"timeout_s must be a number of seconds > 0, was {timeout_s!r}")
        if expansion is not None and (not isinstance(expansion, int | np.integer) or expansion < 1):
            raise InputError(f"expansion must be an int >= 1, was {expansion!r}")
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        wanted = 0 if expansion is None else int(expansion)
        return Request(codes, float(inverse_norm), request_signs(codes), k, scope, bool(exact), wanted, deadline)

    def _hits(self, blocks: list[Block], found: Found) -> Hits:
        return Hits(blocks, found.blocks, found.rows, self.make, found.ids.copy(), found.distances.copy(), found.steps)

    def stats(self) -> dict[str, Any]:
        """Rows, where they stand, and bytes."""
        state = self.state
        tails = (*state.frozen, state.tail)
        return {
            "rows": self.count(),
            "versions": sum(block.count for block in state.blocks()),
            "segments": len(state.segments),
            "segment_rows": [segment.block.count for segment in state.segments],
            "graphs": sum(segment.block.graph is not None for segment in state.segments),
            "expansions": [segment.block.expansion for segment in state.segments if segment.block.graph is not None],
            "graphs_lost": [one.graph_lost for one in state.segments if one.graph_lost is not None],
            "tail_rows": sum(tail.count for tail in tails),
            "bytes_memory": sum(tail.memory_bytes() for tail in tails),
            "bytes_disk": sum(one.entry.data.bytes for one in state.segments if one.entry.archived is None),
            "archived_segments": sum(one.entry.archived is not None for one in state.segments),
            "archived_rows": sum(one.entry.rows for one in state.segments if one.entry.archived is not None),
            "bytes_archived": sum(one.entry.data.bytes for one in state.segments if one.entry.archived is not None),
            "cache": self.cache.stats(),
        }


def check_k(k: Any) -> None:
    """Raises InputError for anything but a positive int."""
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise InputError(f"k must be an int >= 1, was {k!r}")


def vector_of(block: Block, row: int) -> np.ndarray:
    """float32[d], unit length: the stored codes of a row."""
    return block.codes[row].astype(np.float32) * block.inverse_norm[row]


def check_ids(ids: Any) -> np.ndarray:
    """uint64[n] of one id or several different ones."""
    array = np.asarray(ids)
    if array.size == 0:
        return np.empty(0, np.uint64)
    if array.dtype.kind not in "iu" or array.ndim > 1 or (array.dtype.kind == "i" and int(array.min()) < 0):
        raise InputError(f"ids must be uint64[n] or one id, dtype was {array.dtype}, shape {array.shape}")
    wanted = np.atleast_1d(array).astype(np.uint64)
    if len(np.unique(wanted)) != len(wanted):
        raise InputError("ids must not repeat")
    return wanted
