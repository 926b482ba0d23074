"""A segment: immutable rows of one collection in one file, sorted by (known_ns, id), so that "as of" is a prefix.

The file is its arrays, one after another, each at a multiple of 4096 bytes, little-endian, then a footer (MessagePack)
that says what stands where, then the footer's length and a magic word. The manifest holds the checksum of the whole
file, verified over the very mapping that is served. What changes later (rows replaced or deleted) stands in a small
file beside it; the HNSW graph, when the segment is large enough for one, in another: a cache, checksummed too.
"""

from __future__ import annotations

import mmap
import struct
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from ..core import hnsw, quant
from ..core.cells import Cells
from ..errors import InputError, LogCorrupt, NeuralTradeError
from .block import BANISHED, Block, build_index
from .calibration import calibrate_cells
from .files import FileEntry, SegmentEntry, entry_of, map_checked, write_atomic
from .layout import arrays_of
from .spec import DEFAULTS, DTYPES, NEVER, CollectionSpec

PAGE = 4096
TRAILER = struct.Struct("<Q8s")
CELLS = "cells."  # arrays of core.cells.Cells, where the rows are many enough
CELL_SIZE, CELLS_MOST = 256, 2_048  # rows of a cell; beyond so many cells, each holds more
MAGIC = b"NTSEG\x00\x00\x01"


class Footer(msgspec.Struct):
    """What stands where in a segment file."""

    collection: str
    rows: int
    dimension: int
    arrays: dict[str, tuple[int, str, list[int]]]  # offset, dtype, shape
    vocabulary: dict[str, list[str]]


class Content:
    """Rows gathered in memory, on their way to a file."""

    def __init__(self, spec: CollectionSpec, blocks: Sequence[Block]) -> None:
        """Take the rows of all blocks that are not deleted, sorted by (known_ns, id). Copies.

        `sources[i]` gives, for block i, the rows taken; `order` maps the sorted rows back to their concatenation.
        """
        self.spec = spec
        self.sources = [np.flatnonzero(block.until_ns != BANISHED) for block in blocks]
        known = _gather([block.known_ns for block in blocks], self.sources)
        ids = _gather([block.ids for block in blocks], self.sources)
        self.order = order = np.lexsort((ids, known))
        self.rows = len(order)
        ts_ns = _gather([block.ts_ns for block in blocks], self.sources)[order]
        codes = quant.aligned_empty((self.rows, spec.dimension), np.int8)
        np.take(_gather([block.codes for block in blocks], self.sources), order, axis=0, out=codes)
        self.arrays: dict[str, np.ndarray] = {
            "codes": codes,
            "inverse_norm": _gather([block.inverse_norm for block in blocks], self.sources)[order],
            "signs": _gather([block.signs for block in blocks], self.sources)[order],
            "ids": ids[order],
            "ts_ns": ts_ns,
            "known_ns": known[order],
        }
        self.vocabulary: dict[str, list[str]] = {}
        self._take_fields(blocks)
        self._take_payload(blocks)
        self._build_indexes()

    def until(self, blocks: Sequence[Block]) -> np.ndarray:
        """until_ns of the sorted rows as the blocks stand now."""
        return _gather([block.until_ns for block in blocks], self.sources)[self.order]

    def write(self, path: Path) -> FileEntry:
        """Write the segment file whole; fsync, rename, fsync the directory."""
        write_atomic(path, self._chunks())
        return entry_of(path)

    def build_cells(self, cancel: Any) -> int:
        """Sort these rows into cells, for the file to hold; how many rows of the nearest to look at. 0: cancelled."""
        arrays = self.arrays
        codes, inverse_norm, signs = arrays["codes"], arrays["inverse_norm"], arrays["signs"]
        wanted = min(max(self.rows // CELL_SIZE, 1), CELLS_MOST)
        cells = Cells.build(codes, inverse_norm, signs, wanted, cancel=cancel)
        if cells is None:
            return 0
        self.arrays |= {CELLS + name: array for name, array in cells.arrays.items()}
        return calibrate_cells(cells, codes, inverse_norm, cancel)

    def build_graph(self, cancel: Any) -> hnsw.Graph | None:
        """The HNSW graph of these rows; None once `cancel` is set. One thread, deterministic."""
        return hnsw.Graph.build(
            self.arrays["codes"], self.arrays["inverse_norm"],
            connectivity=self.spec.connectivity, expansion=self.spec.expansion, cancel=cancel,
        )  # fmt: skip

    def _take_fields(self, blocks: Sequence[Block]) -> None:
        for field in self.spec.fields:
            if field.kind != "text":
                column = _gather([block.numbers[field.name] for block in blocks], self.sources)
            else:
                table: dict[str, int] = {}
                parts = []
                for block, rows in zip(blocks, self.sources, strict=True):
                    codes = block.texts[field.name][rows]
                    values = block.vocabulary[field.name][0]
                    used = np.unique(codes)
                    remap = np.zeros(int(used[-1]) + 1 if len(used) else 0, np.uint32)
                    for code in used.tolist():
                        remap[code] = table.setdefault(values[code], len(table))
                    parts.append(remap[codes])
                column = np.concatenate(parts)
                self.vocabulary[field.name] = list(table)
            self.arrays["field." + field.name] = column[self.order]

    def _take_payload(self, blocks: Sequence[Block]) -> None:
        lengths, starts, blobs, before = [], [], [], 0
        for block, rows in zip(blocks, self.sources, strict=True):
            every, blob = block.payloads()
            begin = np.cumsum(every) - every + np.uint64(before)
            lengths.append(every[rows])
            starts.append(begin[rows])
            blobs.append(blob)
            before += len(blob)
        length, start = np.concatenate(lengths)[self.order], np.concatenate(starts)[self.order]
        offsets = np.zeros(self.rows + 1, np.uint64)
        np.cumsum(length, out=offsets[1:])
        # byte j of row r comes from start[r] + j: one gather, since a loop over rows would hold the interpreter
        shift = np.repeat(start - offsets[:-1], length.astype(np.int64))
        place = shift + np.arange(int(offsets[-1]), dtype=np.uint64)
        self.arrays["payload.offsets"] = offsets
        self.arrays["payload.bytes"] = np.concatenate(blobs)[place]

    def _build_indexes(self) -> None:
        ts_ns = self.arrays["ts_ns"]
        self.arrays["index.ts_ns"] = build_index(ts_ns, ts_ns)
        self.arrays["index.id"] = build_index(self.arrays["ids"], self.arrays["known_ns"])
        for field in self.spec.fields:
            if field.indexed:
                self.arrays["index." + field.name] = build_index(self.arrays["field." + field.name], ts_ns)

    def _chunks(self) -> Iterator[Any]:
        table: dict[str, tuple[int, str, list[int]]] = {}
        offset = 0
        for name, array in self.arrays.items():
            table[name] = (offset, array.dtype.str, list(array.shape))
            yield array.reshape(-1).view(np.uint8).data
            padding = -array.nbytes % PAGE
            yield bytes(padding)
            offset += array.nbytes + padding
        footer = msgspec.msgpack.encode(Footer(self.spec.name, self.rows, self.spec.dimension, table, self.vocabulary))
        yield footer
        yield TRAILER.pack(len(footer), MAGIC)


class Segment:
    """An opened segment: a Block over its mapping, and what the manifest says of it."""

    def __init__(self, directory: Path, spec: CollectionSpec, entry: SegmentEntry) -> None:
        """Map and verify. Raises LogCorrupt where any byte differs from what was written."""
        self.entry = entry
        self.mapping = map_checked(directory, entry.data)
        self.block = read_rows(spec, entry, self.mapping)
        self.marks = 0  # changes of until_ns since it was opened
        self.saved_marks = 0  # how many of them the manifest's file holds
        if entry.until is not None:
            self._read_until(directory, entry.until)
        self.graph_lost: str | None = None  # why the graph that the manifest names is not there
        if entry.graph is not None:
            self._open_graph(directory, entry.graph)

    def mark(self, row: int, until_ns: int) -> None:
        """Say that a row was replaced at `until_ns`, or deleted (BANISHED)."""
        until = self.block.until_ns
        if until[row] != BANISHED:
            until[row] = until_ns
        self.block.replaced = True
        self.marks += 1

    def set_until(self, until: np.ndarray) -> None:
        """Bring a segment that nobody sees yet to what its sources say now."""
        if not np.array_equal(self.block.until_ns, until):
            self.block.until_ns[:] = until
            self.block.replaced = bool((until != NEVER).any())
            self.marks += 1

    def _open_graph(self, directory: Path, entry: FileEntry) -> None:
        """Map the graph. It is a cache of the rows: without it they are scanned, until the builder has made another."""
        try:
            map_checked(directory, entry)
            path = directory / entry.file
            self.block.graph = hnsw.Graph.load(path, self.block.codes, self.block.inverse_norm, mapped=True)
        except (NeuralTradeError, OSError) as error:
            self.graph_lost = str(error)

    def _read_until(self, directory: Path, entry: FileEntry) -> None:
        mapping = map_checked(directory, entry)
        pairs = np.frombuffer(mapping, "<i8").reshape(-1, 2)
        if len(pairs) and not (pairs[:, 0].min() >= 0 and pairs[:, 0].max() < self.block.count):
            raise LogCorrupt(f"{directory / entry.file}: names a row outside 0..{self.block.count - 1}")
        self.block.until_ns[pairs[:, 0]] = pairs[:, 1]
        self.block.replaced = True


def read_rows(spec: CollectionSpec, entry: SegmentEntry, content: mmap.mmap | memoryview) -> Block:
    """The block of a segment's bytes, which were checked. Raises LogCorrupt where they are of something else."""
    footer = _read_footer(content, entry.data.file)
    rows = footer.rows
    if footer.collection != spec.name or footer.dimension != spec.dimension or rows != entry.rows:
        raise LogCorrupt(f"{entry.data.file}: holds {rows} rows of {footer.collection}[{footer.dimension}], "
                         f"the manifest says {entry.rows} of {spec.name}[{spec.dimension}]")  # fmt: skip
    try:
        arrays = arrays_of(content, footer.arrays, footer.vocabulary, spec, rows)
    except LogCorrupt as error:
        raise LogCorrupt(f"{entry.data.file}: {error}") from error
    block = Block()
    block.name, block.count = entry.data.file, rows
    for name in ("codes", "inverse_norm", "signs", "ids", "ts_ns", "known_ns"):
        setattr(block, name, arrays[name])
    block.until_ns = np.full(rows, NEVER, np.int64)
    block.known_sorted, block.replaced = True, False
    block.graph, block.expansion = None, entry.expansion
    block.grouped, block.probe = _cells_of(arrays, entry), entry.probe
    block.numbers, block.texts, block.vocabulary = {}, {}, {}
    for field in spec.fields:  # a field younger than the segment reads as its default
        column = arrays.get("field." + field.name)
        if field.kind == "text":
            values = footer.vocabulary.get(field.name, [""])
            block.texts[field.name] = np.zeros(rows, np.uint32) if column is None else column
            block.vocabulary[field.name] = (values, {text: code for code, text in enumerate(values)})
        else:
            missing = np.full(rows if column is None else 0, DEFAULTS[field.kind], DTYPES[field.kind])
            block.numbers[field.name] = missing if column is None else column
    block.indexes = {name[6:]: array for name, array in arrays.items() if name.startswith("index.")}
    offsets, blob = arrays["payload.offsets"].data, arrays["payload.bytes"].data
    block.payload = lambda row: bytes(blob[offsets[row] : offsets[row + 1]])
    block.payloads = lambda: (np.diff(arrays["payload.offsets"]), arrays["payload.bytes"])
    block.cells = {}
    block.find = _finder(block)
    return block


def _cells_of(arrays: dict[str, np.ndarray], entry: SegmentEntry) -> Cells | None:
    """The cells of a segment that has some. Raises LogCorrupt where they are not of its rows."""
    held = {name.removeprefix(CELLS): array for name, array in arrays.items() if name.startswith(CELLS)}
    if not held or not entry.probe:
        return None
    try:
        return Cells(arrays["codes"], arrays["inverse_norm"], **held)
    except (InputError, TypeError) as error:
        raise LogCorrupt(f"{entry.data.file}: cells: {error}") from error


def until_pairs(until: np.ndarray) -> bytes:
    """The rows that something replaced or deleted, as (row, until_ns) pairs of i8."""
    rows = np.flatnonzero(until != NEVER)
    return np.stack((rows.astype("<i8"), until[rows]), axis=1).tobytes() if len(rows) else b""


def _finder(block: Block) -> Any:
    order = block.indexes["id"]
    ids = block.ids
    low, high = (int(ids[order[0]]), int(ids[order[-1]])) if block.count else (1, 0)
    key, place = ids.data, order.data

    def find(id_: int) -> Sequence[int]:
        if not low <= id_ <= high:
            return ()
        start = stop = bisect_left(place, id_, key=key.__getitem__)
        while stop < len(place) and key[place[stop]] == id_:
            stop += 1
        return place[start:stop].tolist()

    return find


def _gather(columns: Sequence[np.ndarray], sources: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([column[rows] for column, rows in zip(columns, sources, strict=True)])


def _read_footer(mapping: mmap.mmap | memoryview, path: str) -> Footer:
    if len(mapping) < TRAILER.size:
        raise LogCorrupt(f"{path}: {len(mapping)} bytes are too few for a segment")
    length, magic = TRAILER.unpack_from(mapping, len(mapping) - TRAILER.size)
    if magic != MAGIC or length > len(mapping) - TRAILER.size:
        raise LogCorrupt(f"{path}: not a segment of this package")
    end = len(mapping) - TRAILER.size
    try:
        return msgspec.msgpack.decode(mapping[end - length : end], type=Footer)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise LogCorrupt(f"{path}: footer: {error}") from error
