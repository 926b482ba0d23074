"""The one background thread of a store: freezes become segments, segments merge, graphs are built. Work is chosen by
row counts alone, so the same rows in the same batches give the same segments.

Publication: build the files; under the write lock, capture which rows were replaced so far; make the log durable up to
here (so that no row is hidden by a replacement that could still be lost); write the manifest; under the lock again,
swap the state. What a failure leaves behind is searchable as before, kept in `error`, and raised by the next
optimize() or close().
"""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..errors import LogCorrupt, NeuralTradeError, StoreClosed
from .calibration import calibrate
from .files import FileEntry, SegmentEntry, entry_of
from .segment import Content, Segment
from .tail import Tail

if TYPE_CHECKING:
    from .collection import Collection
    from .store import Store

LOGGER = logging.getLogger("neuraltrade.vectors")


class Task(NamedTuple):
    """Parts of one collection that become one segment."""

    collection: Collection
    tails: tuple[Tail, ...]
    segments: tuple[Segment, ...]


class Builder:
    """Owns the thread. `notify` when there may be work, `wait` until there is none, `stop` to cancel and join.

    It holds the store only while it builds: a store that nobody holds any more ends its builder and gives up its lock.
    """

    def __init__(self, store: Store) -> None:
        self._store = weakref.ref(store)
        self._path = store.path
        self.error: BaseException | None = None
        self.cancel = threading.Event()
        self.built_segments = 0
        self._wake = threading.Condition()
        self._pending = False
        self._idle = True
        self._ended = False
        self._compact: set[str] = set()
        self._thread = threading.Thread(target=self._run, name=f"neuraltrade-builder-{store.path.name}", daemon=True)
        self._thread.start()

    @property
    def store(self) -> Store:
        """The store, which somebody else must hold."""
        store = self._store()
        if store is None:
            raise StoreClosed(f"{self._path}: the store was dropped")
        return store

    def notify(self) -> None:
        """There may be work."""
        with self._wake:
            self._pending = True
            self._wake.notify_all()

    def wait(self, compact: Sequence[str] = ()) -> None:
        """Return when nothing is left to do; `compact` names collections whose segments become one. Raises what went
        wrong.
        """
        with self._wake:
            self._compact.update(compact)
            self._pending = True
            self._wake.notify_all()
            self._wake.wait_for(lambda: (self._idle and not self._pending) or self._ended)
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        if self._ended:
            raise StoreClosed(f"{self._path}: background indexing has ended; close the store and open it again")

    def stop(self) -> None:
        """Cancel the work under way and end the thread."""
        self.cancel.set()
        with self._wake:
            self._wake.notify_all()
        if self._thread is not threading.current_thread():  # which may be the last to have held the store
            self._thread.join()

    def _run(self) -> None:
        try:
            self._work()
        finally:
            with self._wake:
                self._ended = True
                self._wake.notify_all()

    def _work(self) -> None:
        while True:
            with self._wake:
                self._idle = True
                self._wake.notify_all()
                self._wake.wait_for(lambda: self._pending or self.cancel.is_set())
                if self.cancel.is_set():
                    return
                self._pending, self._idle = False, False
            try:
                while not self.cancel.is_set() and self._step():
                    pass
            except (NeuralTradeError, OSError, MemoryError) as error:
                if not self.cancel.is_set():
                    self.error = without_frames(error)
                    LOGGER.error("background indexing of %s failed: %s", self._path, error)

    def _step(self) -> bool:
        """Do one thing; False where nothing is left, or nobody holds the store."""
        store = self._store()
        if store is None:
            return False
        with store.layout_lock:
            task = self._choose()
            if task is not None:
                self._build(task)
        return task is not None

    def _choose(self) -> Task | None:
        """The next thing to do: the oldest frozen tail, then compaction, then a merge of equals."""
        factor = self.store.merge_factor
        for collection in self.store.collections.values():
            state = collection.state
            if state.frozen:
                return Task(collection, state.frozen[:1], ())
        for collection in self.store.collections.values():
            for segment in collection.state.segments:
                if segment.graph_lost is not None:  # found damaged when the store was opened
                    return Task(collection, (), (segment,))
        for name in sorted(self._compact):
            segments = self.store.collections[name].state.here()
            if len(segments) > 1:
                return Task(self.store.collections[name], (), segments)
            self._compact.discard(name)
        for collection in self.store.collections.values():
            tiers: dict[int, list[Segment]] = {}
            for segment in collection.state.here():
                tiers.setdefault(self._tier(segment.block.count), []).append(segment)
            for tier in sorted(tiers):
                if len(tiers[tier]) >= factor:
                    return Task(collection, (), tuple(tiers[tier][:factor]))
        return None

    def _tier(self, rows: int) -> int:
        tier, size = 0, self.store.seal_rows * self.store.merge_factor // 2
        while rows >= size:
            tier, size = tier + 1, size * self.store.merge_factor
        return tier

    def _build(self, task: Task) -> None:
        store, collection = self.store, task.collection
        sources = [segment.block for segment in task.segments] + [tail.view() for tail in task.tails]
        content = Content(collection.spec, sources)
        fresh: Segment | None = None
        entry: SegmentEntry | None = None
        if content.rows:
            stem = f"{collection.name}-{store.take_file_number(collection.name):08d}"
            probe = content.build_cells(self.cancel) if content.rows >= store.cell_rows else 0
            if self.cancel.is_set():
                return
            data = content.write(store.path / f"{stem}.seg")
            graph, expansion = self._build_graph(content, stem)
            if self.cancel.is_set():
                return
            entry = SegmentEntry(data, content.rows, graph, expansion=expansion, probe=probe)
            fresh = Segment(store.path, collection.spec, entry)
            if fresh.graph_lost is not None:
                raise LogCorrupt(fresh.graph_lost)
        store.publish(collection, task.tails, task.segments, fresh, content, sources)
        self.built_segments += fresh is not None

    def _build_graph(self, content: Content, stem: str) -> tuple[FileEntry | None, int]:
        if content.rows < self.store.graph_rows:
            return None, 0
        graph = content.build_graph(self.cancel)
        if graph is None:
            return None, 0
        arrays = content.arrays
        start = content.spec.search_expansion
        expansion = calibrate(graph, arrays["codes"], arrays["inverse_norm"], start, self.cancel)
        path = self.store.path / f"{stem}.graph"
        graph.save(path)
        return entry_of(path), expansion


def without_frames(error: BaseException) -> BaseException:
    """The same error, its frames let go: they hold the store."""
    link: BaseException | None = error
    while link is not None:
        link.__traceback__ = None
        link = link.__context__
    return error
