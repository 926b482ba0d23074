"""Segments that live in an archive: what stays here, how they come back, how they go there.

What stays is a line of the manifest: the file's size and checksum, the archive's id, and the ranges of id, times and
fields, which tell most questions that the segment need not be asked. Which of its rows were replaced or deleted stays
here too. The rest is fetched when it is first touched, checked against the manifest, and kept in memory within a bound;
answers are those of a segment on disk.

Order of leaving: into the archive, read back and compared, the manifest replaced, the file removed. Killed in between,
the store has the file or the archive has it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from blake3 import blake3

from ..core import quant
from ..errors import InputError, LogCorrupt
from ..ports import Archive
from .block import Block
from .files import ArchivedEntry, SegmentEntry, hash_threads
from .planner import Scope
from .query import Filter
from .segment import Segment, read_rows
from .spec import NEVER, CollectionSpec

if TYPE_CHECKING:
    from pathlib import Path

    from .collection import Collection
    from .store import Store

FETCHED_BYTES = 256 << 20  # of segments kept in memory once they were fetched
TEXTS_MAX = 256  # different texts of a field that the manifest names
FETCHED_SLOTS = (
    "codes", "finder", "grouped", "ids", "indexes", "inverse_norm", "known_ns", "numbers", "payload", "payloads",
    "signs", "texts", "ts_ns", "vocabulary",
)  # fmt: skip


class Fetcher:
    """Gets blocks from the archive, and lets the least recently fetched go again."""

    def __init__(self, archive: Archive | None, capacity_bytes: int = FETCHED_BYTES) -> None:
        if archive is not None and not isinstance(archive, Archive):
            raise InputError(f"archive must have put and get, as nt.Archive has, was {type(archive).__name__}")
        self.archive = archive
        self.capacity_bytes = capacity_bytes
        self.fetches = self.bytes = 0
        self.lock = threading.RLock()
        self._held: OrderedDict[str, ColdBlock] = OrderedDict()

    def content(self, entry: SegmentEntry) -> np.ndarray:
        """uint8[bytes] of a segment's file, aligned. Raises LogCorrupt where the archive gives other bytes."""
        assert entry.archived is not None
        if self.archive is None:
            raise InputError(
                f"{entry.rows:,} rows of {entry.data.file} were moved to an archive: open the store with archive="
            )
        found = self.archive.get(entry.archived.id)
        if not isinstance(found, bytes) or not is_of(found, entry):
            raise LogCorrupt(f"{entry.data.file}: the archive's {entry.archived.id} is not what was moved there")
        content = quant.aligned_empty((len(found),), np.uint8)
        content[:] = np.frombuffer(found, np.uint8)
        content.flags.writeable = False
        return content

    def fill(self, block: ColdBlock) -> None:
        """Fetch what a block lacks. Others beyond the bound let theirs go; who reads them fetches again."""
        with self.lock:
            if block.name not in self._held:
                rows = read_rows(block.spec, block.entry, self.content(block.entry).data)
                for name in FETCHED_SLOTS:
                    setattr(block, name, rows.find if name == "finder" else getattr(rows, name))
                self._held[block.name] = block
                self.fetches += 1
                self.bytes += block.entry.data.bytes
            self._held.move_to_end(block.name)
            while self.bytes > self.capacity_bytes and len(self._held) > 1:
                _, other = self._held.popitem(last=False)
                self.bytes -= other.entry.data.bytes
                other.empty()


class ColdBlock(Block):
    """A block that has its arrays once somebody reads one of them."""

    __slots__ = ("entry", "fetcher", "finder", "spec")

    finder: Callable[[int], Sequence[int]]

    def __init__(self, spec: CollectionSpec, entry: SegmentEntry, fetcher: Fetcher) -> None:
        assert entry.archived is not None
        self.spec, self.entry, self.fetcher = spec, entry, fetcher
        self.name, self.count = entry.data.file, entry.rows
        self.known_sorted, self.replaced = True, False
        self.graph, self.expansion, self.cells = None, 0, {}
        self.probe = entry.probe
        low, high = entry.archived.ids
        self.find = lambda id_: self.finder(id_) if low <= id_ <= high else ()

    def __getattr__(self, name: str) -> Any:
        """Called for a slot that is empty."""
        if name == "until_ns":
            with self.fetcher.lock:
                if not _is_set(self, name):
                    self.until_ns = np.full(self.count, NEVER, np.int64)
                return self.until_ns
        if name not in FETCHED_SLOTS:
            raise AttributeError(name)
        with self.fetcher.lock:  # nobody may let it go before it is read
            self.fetcher.fill(self)
            return object.__getattribute__(self, name)

    def may_hold(self, scope: Scope) -> bool:
        """Whether a row can answer, by what the manifest says of them all."""
        assert self.entry.archived is not None
        low, high = self.entry.archived.ts_ns
        if scope.as_of < self.entry.archived.known_ns[0] or scope.start_ns > high or scope.end_ns <= low:
            return False
        conditions = [] if scope.where is None else scope.where.conjuncts()
        return not any(_excludes(self.entry.archived, leaf) for leaf in conditions if not leaf.parts)

    def prefix(self, as_of: int) -> int:
        """Rows known by then; without fetching where that is all or none."""
        assert self.entry.archived is not None
        low, high = self.entry.archived.known_ns
        return self.count if as_of >= high else 0 if as_of < low else super().prefix(as_of)

    def empty(self) -> None:
        """Let the arrays go. Who holds one keeps it."""
        self.cells = {}
        for name in FETCHED_SLOTS:
            delattr(self, name)


class ColdSegment(Segment):
    """A segment whose file is in the archive."""

    def __init__(self, directory: Path, spec: CollectionSpec, entry: SegmentEntry, fetcher: Fetcher) -> None:
        self.entry, self.graph_lost = entry, None
        self.block: Block = ColdBlock(spec, entry, fetcher)
        self.marks = self.saved_marks = 0
        if entry.until is not None:
            self._read_until(directory, entry.until)

    def take_over(self, other: Segment) -> None:
        """Have the marks of the segment on disk, those to come until it is gone included. The write lock is held."""
        self.block.until_ns, self.block.replaced = other.block.until_ns, other.block.replaced
        self.marks, self.saved_marks = other.marks, other.saved_marks


def open_segment(directory: Path, spec: CollectionSpec, entry: SegmentEntry, fetcher: Fetcher) -> Segment:
    """A segment, wherever it lies."""
    if entry.archived is None:
        return Segment(directory, spec, entry)
    return ColdSegment(directory, spec, entry, fetcher)


def demote(store: Store, collection: Collection, before_ns: int) -> int:
    """Move the segments whose every row happened and was known before a time to the archive; returns their rows."""
    store.check_writable()
    archive = store.fetcher.archive
    if archive is None:
        raise InputError("demote needs an archive: open the store with archive=")
    moved: dict[Segment, ColdSegment] = {}
    with store.layout_lock:  # no merge under way
        for segment in collection.state.segments:
            block = segment.block
            if segment.entry.archived is None and block.count:
                newest = max(int(block.ts_ns.max()), int(block.known_ns[-1]))
                if newest < before_ns:
                    moved[segment] = _moved(store, collection.spec, segment, archive)
        if moved:
            store.exchange(collection, moved)
    return sum(segment.entry.rows for segment in moved)


def is_of(content: bytes, entry: SegmentEntry) -> bool:
    """Whether these are the bytes of a segment's file."""
    if len(content) != entry.data.bytes:
        return False
    return bool(blake3(content, max_threads=hash_threads(len(content))).hexdigest() == entry.data.blake3)


def _moved(store: Store, spec: CollectionSpec, segment: Segment, archive: Archive) -> ColdSegment:
    content, block = (store.path / segment.entry.data.file).read_bytes(), segment.block
    if not is_of(content, segment.entry):
        raise LogCorrupt(f"{store.path / segment.entry.data.file}: the bytes are not what the manifest names")
    id_ = archive.put(f"stores/{store.manifest.store}/{segment.entry.data.file}", content)
    back = archive.get(id_)
    if not isinstance(back, bytes) or not is_of(back, segment.entry):
        raise LogCorrupt(f"{segment.entry.data.file}: what the archive gives back is not what the manifest names")
    ids, ts_ns, known_ns = (_limits(column) for column in (block.ids, block.ts_ns, block.known_ns))
    archived = ArchivedEntry(id_, ids, ts_ns, known_ns, _few_texts(block), _finite_limits(block))
    data, rows = segment.entry.data, segment.entry.rows
    entry = SegmentEntry(data, rows, until=segment.entry.until, probe=segment.entry.probe, archived=archived)
    return ColdSegment(store.path, spec, entry, store.fetcher)


def _excludes(archived: ArchivedEntry, leaf: Filter) -> bool:
    """Whether no row can satisfy a comparison. Numbers are compared as the columns are, in float64."""
    texts, limits = archived.texts.get(leaf.field), archived.numbers.get(leaf.field)
    if texts is not None and leaf.op in ("eq", "in_"):
        return not {leaf.value} & {*texts} if leaf.op == "eq" else not {*leaf.value} & {*texts}
    if limits is None or leaf.op not in ("eq", "gt", "gte", "lt", "lte"):
        return False
    try:
        value, (low, high) = float(leaf.value), limits
    except OverflowError:
        return False
    below, above = {"gt": high <= value, "gte": high < value}, {"lt": low >= value, "lte": low > value}
    return {**below, **above, "eq": not low <= value <= high}[leaf.op]


def _limits(column: np.ndarray) -> tuple[int, int]:
    return int(column.min()), int(column.max())


def _few_texts(block: Block) -> dict[str, list[str]]:
    found = {
        name: sorted(block.vocabulary[name][0][code] for code in np.unique(codes).tolist())
        for name, codes in block.texts.items()
    }
    return {name: texts for name, texts in found.items() if len(texts) <= TEXTS_MAX}


def _finite_limits(block: Block) -> dict[str, tuple[float, float]]:
    """Of number columns that have a number, and nothing infinite: JSON holds no infinity."""
    limits = {}
    for name, column in block.numbers.items():
        known = column[~np.isnan(column)] if column.dtype.kind == "f" else column[:0]
        if len(known) and np.isfinite(known).all():
            limits[name] = (float(known.min()), float(known.max()))
    return limits


def _is_set(block: ColdBlock, name: str) -> bool:
    try:
        object.__getattribute__(block, name)
    except AttributeError:
        return False
    return True
