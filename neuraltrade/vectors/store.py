"""A store: one directory, one owner, several collections, one log. See files.py for what lies in the directory.

Life of a row: add -> log -> tail (searched by scanning) -> at `seal_rows` the tail is frozen -> segment -> merged with
its equals, with an HNSW graph from `graph_rows` on. What `add` acknowledged survives the death of the process, what
`flush` acknowledged survives the loss of power. After a failed write or sync of the log the store poisons itself:
reads go on, writes raise StoreClosed, and opening it again recovers what was acknowledged.
"""

from __future__ import annotations

import logging
import os
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, TypeVar

import msgspec
import numpy as np
from blake3 import blake3

from ..core import wal
from ..core.folders import make_folder
from ..errors import InputError, LogCorrupt, StoreClosed, StoreLocked
from ..ports import Archive
from . import log as wal_log
from .backup import check_target, copy_store, files_of
from .block import Block
from .builder import Builder
from .cache import CACHE_QUERIES
from .cold import ColdSegment, Fetcher
from .collection import Collection, State
from .files import (
    MANIFEST,
    CollectionEntry,
    FileEntry,
    Lock,
    Manifest,
    SegmentEntry,
    folder_path,
    is_fresh,
    map_checked,
    new_manifest,
    read_manifest,
    size_of,
    write_atomic,
    write_manifest,
)  # fmt: skip
from .recovery import read_store, remove_leftovers, replay
from .search import Plan
from .segment import Content, Segment, until_pairs
from .spec import Batch, CollectionSpec
from .tail import Tail

SEAL_ROWS = 65_536  # a two-stage scan of so many costs about 0.2 ms
GRAPH_ROWS = 524_288  # below it cells answer as well, and are made a dozen times faster
CELL_ROWS = 65_536  # from here on a segment's rows stand in cells
MERGE_FACTOR = 4
LOG_CHUNK_ROWS = 8_192  # rows of one log record: what a crash keeps or loses together
LAG_FILES = 8  # a quiet tail is sealed once it holds back so many log files
OPTIMIZE_ROWS = 1_024  # optimize() leaves smaller tails alone
Answer = TypeVar("Answer")
LOGGER = logging.getLogger("neuraltrade.vectors")


class Capture(NamedTuple):
    """What describes the store at one moment: write the sidecars, sync the log, write the manifest, then adopt it."""

    manifest: Manifest
    sidecars: list[tuple[Path, bytes]]
    saved: list[tuple[Segment, SegmentEntry, int]]


class Store:
    """Collections on disk. Use as a context manager, or call close().

    path : directory, made if missing. specs : the collections it must have. read_only : beside an owner, or on a
    read-only disk; sees what was acknowledged when it was opened. The thresholds are rows. Raises StoreLocked,
    LogCorrupt, FormatTooNew, InputError (a directory of something else), OSError.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        specs: Iterable[CollectionSpec],
        *,
        read_only: bool = False,
        seal_rows: int = SEAL_ROWS,
        graph_rows: int = GRAPH_ROWS,
        cell_rows: int = CELL_ROWS,
        merge_factor: int = MERGE_FACTOR,
        cache_queries: int = CACHE_QUERIES,
        archive: Archive | None = None,
        plan: Plan | None = None,
    ) -> None:
        for name, value, least in (
            ("seal_rows", seal_rows, 1),
            ("graph_rows", graph_rows, 1),
            ("cell_rows", cell_rows, 1),
            ("merge_factor", merge_factor, 2),
            ("cache_queries", cache_queries, 0),
        ):
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise InputError(f"{name} must be an int >= {least}, was {value!r}")
        self.path = folder_path(path)
        self.read_only = read_only
        self.seal_rows, self.graph_rows, self.merge_factor = seal_rows, graph_rows, merge_factor
        self.cell_rows = cell_rows
        self.plan = plan or Plan()
        self.cache_queries = cache_queries  # answers each collection keeps for the next time the same is asked
        self.fetcher = Fetcher(archive)
        self.lock = threading.RLock()
        self.layout_lock = threading.Lock()  # held while segments are made, merged or moved; taken before the others
        self.collections: dict[str, Collection] = {}
        self._closed: str | None = None
        self._process = os.getpid()
        self._poisoned: str | None = None
        self._sync_lock = threading.Lock()
        self._manifest_lock = threading.Lock()
        self._log: wal_log.LogFiles | None = None
        self._owner: Lock | None = None
        self._builder: Builder | None = None
        self._dropped: weakref.finalize[..., Store] | None = None
        self._open(tuple(specs))

    @property
    def closed(self) -> bool:
        """Whether close() was called."""
        return self._closed is not None

    # What collections call

    def check_open(self) -> None:
        """Raises StoreClosed after close()."""
        if self._closed is not None:
            raise StoreClosed(f"{self.path}: {self._closed}")

    def check_writable(self) -> None:
        """Raises StoreClosed or, for a read-only store, InputError."""
        self.check_open()
        if os.getpid() != self._process:  # a forked child knows nothing of what its parent writes
            raise StoreLocked(f"{self.path} belongs to process {self._process}, which this one was forked from; "
                              "open it with read_only=True here")  # fmt: skip
        if self.read_only:
            raise InputError(f"{self.path} was opened with read_only=True: nothing can be written")
        if self._poisoned is not None:
            raise StoreClosed(f"{self.path}: {self._poisoned}; close it and open it again to recover")

    def append(self, collection: Collection, batch: Batch) -> np.ndarray:
        """Give ids, log, show. In records of LOG_CHUNK_ROWS rows: a crash keeps whole records."""
        count = len(batch.ts_ns)
        with self.lock:
            self.check_writable()
            ids = np.arange(self.next_id, self.next_id + count, dtype=np.uint64)
            whole = msgspec.structs.replace(batch, ids=ids)
            chunk = min(LOG_CHUNK_ROWS, self.seal_rows)
            for start in range(0, count, chunk):
                part = whole.part(start, min(start + chunk, count))
                collection.state.tail.reserve(len(part))  # what is logged must be shown: no memory is told before
                try:
                    self.log_record(collection, wal_log.ADD, wal_log.encode_rows(collection.name, part))
                except OSError as error:
                    if start:
                        error.add_note(f"the first {start} of {count} rows were added, ids {ids[0]}..{ids[start - 1]}")
                    raise
                self.next_id += len(part)
                collection.state.tail.append(part)
                self.after_append(collection)
        return ids

    def log_record(self, collection: Collection, kind: int, body: bytes) -> None:
        """Append to the log; a failure poisons the store, a full disk alone does not. The write lock is held."""
        assert self._log is not None
        tail = collection.state.tail
        if tail.count == 0:
            tail.wal_start = self._log.number  # what stood here while it was empty may be gone
        try:
            self._log.append(kind, body)
        except OSError as error:
            if self._log.current.poisoned:
                self._poisoned = f"a write to the log failed ({error})"
            raise

    def after_append(self, collection: Collection) -> None:
        """Freeze the tail once it is large enough, and tails that hold back the log. The write lock is held."""
        assert self._log is not None
        if collection.state.tail.count < self.seal_rows:
            return
        try:
            self.freeze([collection])
            lagging = [
                other for other in self.collections.values()
                if other.state.tail.count and self._log.number - other.state.tail.wal_start > LAG_FILES
            ]  # fmt: skip
            if lagging:
                self.freeze(lagging)
        except (OSError, MemoryError) as error:  # what was added is logged and shown; the next row tries again
            LOGGER.warning("%s: a tail could not be sealed: %s", self.path, error)

    def freeze(self, collections: Sequence[Collection]) -> None:
        """Begin new tails in a new log file; the builder takes the old ones. The write lock is held."""
        assert self._log is not None and self._builder is not None
        number = self._log.roll()
        for collection in collections:
            state = collection.state
            fresh = Tail(collection.spec, f"{collection.name}-tail-{number}", number)
            collection.state = state._replace(frozen=(*state.frozen, state.tail), tail=fresh)
        self._builder.notify()

    # What the builder calls

    def take_file_number(self, name: str) -> int:
        """A number no file of the collection had."""
        with self.lock:
            entry = self.manifest.collections[name]
            entry.next_file += 1
            return entry.next_file - 1

    def publish(
        self,
        collection: Collection,
        tails: Sequence[Tail],
        segments: Sequence[Segment],
        fresh: Segment | None,
        content: Content,
        sources: Sequence[Block],
    ) -> None:
        """Replace tails and segments by `fresh`."""

        def follow() -> None:
            if fresh is not None:
                fresh.set_until(content.until(sources))

        self._put(collection, lambda state: state.replaced(tails, segments, fresh), follow)

    def exchange(self, collection: Collection, moved: Mapping[Segment, ColdSegment]) -> None:
        """Put segments in the archive in the place of the same on disk."""

        def follow() -> None:
            for segment, cold in moved.items():
                cold.take_over(segment)

        def layout(state: State) -> State:
            return state._replace(segments=tuple(moved.get(one, one) for one in state.segments))

        self._put(collection, layout, follow)

    def _put(self, collection: Collection, change: Callable[[State], State], follow: Callable[[], None]) -> None:
        """Change what a collection is made of, on disk and then in memory; remove what nobody needs. `follow` brings
        the new parts to what has been replaced and deleted by then.
        """
        with self._manifest_lock:
            with self.lock:
                layout = change(collection.state)
                follow()
                captured = self._capture({collection.name: layout})
            for path, body in captured.sidecars:
                write_atomic(path, (body,))
            self.flush()  # before a manifest may hide a row that was replaced
            write_manifest(self.path, captured.manifest)
            with self.lock:
                follow()
                collection.state = change(collection.state)
                collection.revision += 2
                self._adopt(captured)
                assert self._log is not None
                self._log.trim(captured.manifest.wal_first)
            remove_leftovers(self.path, captured.manifest)

    # What users call

    def flush(self) -> None:
        """Make everything acknowledged so far durable (fdatasync)."""
        self.check_writable()
        assert self._log is not None
        with self._sync_lock:
            with self.lock:
                pending = self._log.pending()
            try:
                pending.sync()
            except OSError as error:
                self._poisoned = f"a sync of the log failed ({error})"
                raise
            with self.lock:
                try:
                    self._log.note_closed(pending)
                except OSError as error:
                    if self._log.current.poisoned:
                        self._poisoned = f"a write to the log failed ({error})"
                        raise
                    LOGGER.warning("%s: the log is durable, but not noted as such: %s", self.path, error)

    def optimize(self) -> None:
        """Seal tails of 1,024 rows and more, merge each collection into one segment, and wait until that is done."""
        self.check_writable()
        assert self._builder is not None
        with self.lock:
            large = [one for one in self.collections.values() if one.state.tail.count >= OPTIMIZE_ROWS]
            if large:
                self.freeze(large)
        self._builder.wait(compact=list(self.collections))
        self.check_open()

    def stats(self) -> dict[str, Any]:
        """Rows, segments and bytes by collection; log files, bytes of a torn end that opening dropped; the builder."""
        self.check_open()
        builder = self._builder
        return {
            "path": str(self.path),
            "read_only": self.read_only,
            "poisoned": self._poisoned,
            "next_id": self.next_id,
            "torn_bytes": 0 if self._log is None else self._log.torn_bytes,
            "log_files": len(wal_log.list_files(self.path)),
            "log_bytes": sum(map(size_of, wal_log.list_files(self.path))),
            "built_segments": 0 if builder is None else builder.built_segments,
            "builder_error": None if builder is None or builder.error is None else str(builder.error),
            "archive_fetches": self.fetcher.fetches,
            "bytes_fetched": self.fetcher.bytes,
            "collections": {name: collection.stats() for name, collection in self.collections.items()},
        }

    def verify(self) -> dict[str, int]:
        """Read every byte of the store again and check it; returns what was checked. Raises LogCorrupt with the
        file.
        """
        self.check_open()
        with self._manifest_lock:
            return self._beside_an_owner(self._verify)

    def _verify(self) -> dict[str, int]:
        manifest = read_manifest(self.path)
        files = files_of(manifest)
        for entry in files:
            map_checked(self.path, entry)
        for segment in (one for entry in manifest.collections.values() for one in entry.segments if one.archived):
            self.fetcher.content(segment)
        with self.lock:
            records = sum(1 for _ in wal_log.Replay(self.path, manifest.store, manifest.wal_first))
        return {"files": len(files) + 1, "bytes": sum(entry.bytes for entry in files), "log_records": records}

    def backup(self, path: str | os.PathLike[str]) -> None:
        """A durable copy that opens like the original; segments are linked where the disk allows. `path` must not
        exist.
        """
        target = folder_path(path)
        check_target(target)
        self.flush()
        with self._manifest_lock, self.lock:
            copy_store(self.path, read_manifest(self.path), target)

    def close(self) -> None:
        """Cancel background work, make the log durable, give the store up. Calling it again does nothing."""
        if self._closed is not None:
            return
        if os.getpid() != self._process:  # a forked child owns nothing, and has no thread to wait for
            self._closed = "the store was closed"
            return
        if self._dropped is not None:
            self._dropped.detach()
        if self._builder is not None:
            self._builder.stop()
        with self.lock:
            self._closed = "the store was closed"
            for collection in self.collections.values():
                collection.cache.clear()
            try:
                if self._log is not None:
                    self._log.close()
            finally:
                if self._owner is not None:
                    self._owner.release()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Opening

    def _open(self, specs: tuple[CollectionSpec, ...]) -> None:
        fresh = is_fresh(self.path)
        if self.read_only and fresh:
            raise InputError(f"path holds no store to read: {self.path}")
        try:
            if not self.read_only:
                make_folder(self.path)
                self._owner = Lock(self.path)
                if is_fresh(self.path):
                    self._make(new_manifest(specs))
            self._load(specs)
        except BaseException:
            try:
                if self._log is not None:
                    self._log.close()
            finally:
                if self._owner is not None:
                    self._owner.release()
            raise

    def _make(self, manifest: Manifest) -> None:
        """The log, then the manifest. A process killed in between has left a log that names the store already."""
        log = wal_log.path_of(self.path, 1)
        if log.exists():
            manifest.store = wal.scan(log).label.decode("ascii", "replace")
        wal_log.LogFiles(self.path, manifest.store, 1).close()
        write_manifest(self.path, manifest)

    def _load(self, specs: tuple[CollectionSpec, ...]) -> None:
        if self.read_only:
            self._beside_an_owner(lambda: self._read(specs))
            return
        records = self._read(specs)
        records.drop_rest()
        if self.manifest != read_manifest(
            self.path
        ):  # a collection or field is new: older versions must refuse from now on
            write_manifest(self.path, self.manifest)
        self._log = wal_log.LogFiles(self.path, self.manifest.store, records.last, records.unsynced)
        remove_leftovers(self.path, self.manifest)
        self._builder = Builder(self)
        held = (self.path, self._process, self._builder, self._log, self._owner)
        self._dropped = weakref.finalize(self, _give_up, *held)
        self._builder.notify()

    def _read(self, specs: tuple[CollectionSpec, ...]) -> wal_log.Replay:
        self.manifest, segments, records = read_store(self.path, specs, self.fetcher)
        for name, entry in self.manifest.collections.items():
            tail = Tail(entry.spec, f"{name}-tail-{entry.wal_start}", entry.wal_start)
            self.collections[name] = Collection(self, entry.spec, State(tuple(segments[name]), (), tail))
            for lost in filter(None, (segment.graph_lost for segment in segments[name])):
                LOGGER.warning("a graph is lost; its rows are scanned until it is built again: %s", lost)
        self.next_id = replay(self.collections, self.manifest, records, self.seal_rows)
        return records

    def _beside_an_owner(self, read: Callable[[], Answer]) -> Answer:
        """Read; again where a file was missing or odd because the owner replaced the manifest meanwhile."""
        while True:
            before = (self.path / MANIFEST).read_bytes()
            try:
                return read()
            except (LogCorrupt, FileNotFoundError):
                if (self.path / MANIFEST).read_bytes() == before:
                    raise

    def _capture(self, layouts: Mapping[str, State]) -> Capture:
        """The store as it is now, with `layouts` in place of some states. The write lock is held."""
        assert self._log is not None
        sidecars: list[tuple[Path, bytes]] = []
        saved: list[tuple[Segment, SegmentEntry, int]] = []
        entries = {}
        for name, collection in self.collections.items():
            held, state = self.manifest.collections[name], layouts.get(name, collection.state)
            starts = [tail.wal_start for tail in (*state.frozen, state.tail) if tail.count]
            entry = CollectionEntry(held.spec, min(starts, default=self._log.number), held.next_file, [])
            for segment in state.segments:
                segment_entry = segment.entry
                if segment.marks != segment.saved_marks:
                    body = until_pairs(segment.block.until_ns)
                    path = self.path / f"{segment_entry.data.file.removesuffix('.seg')}.until-{entry.next_file}"
                    entry.next_file += 1
                    sidecars.append((path, body))
                    until = FileEntry(path.name, len(body), blake3(body).hexdigest())
                    segment_entry = msgspec.structs.replace(segment_entry, until=until)
                    saved.append((segment, segment_entry, segment.marks))
                entry.segments.append(segment_entry)
            entries[name] = entry
        return Capture(Manifest(self.manifest.store, self.next_id, entries), sidecars, saved)

    def _adopt(self, captured: Capture) -> None:
        """Take what is on disk now as the manifest, but no file number that was given away meanwhile."""
        for name, entry in captured.manifest.collections.items():
            entry.next_file = max(entry.next_file, self.manifest.collections[name].next_file)
        self.manifest = captured.manifest
        for segment, segment_entry, marks in captured.saved:
            segment.entry, segment.saved_marks = segment_entry, marks


def _give_up(path: Path, process: int, builder: Builder, log: wal_log.LogFiles, owner: Lock | None) -> None:
    """End what a store held that was dropped without close()."""
    if os.getpid() != process:
        return
    builder.stop()
    try:
        log.close()
    except OSError as error:
        LOGGER.error("%s was dropped without close(), and its log could not be synced: %s", path, error)
    finally:
        if owner is not None:
            owner.release()
