"""The directory of a store: its lock, its manifest, and how a file appears whole or not at all.

    LOCK                        who owns the store (flock, so it is released by the kernel when the owner dies)
    MANIFEST                    what the store holds; replaced atomically; checked before anything else is read
    wal-00000007.log            what was acknowledged since the segments were written
    signals-00000003.seg        immutable rows of one collection, arrays as raw little-endian bytes
    signals-00000003.graph      its HNSW graph (a cache of the segment)
    signals-00000003.until-5    which of its rows were replaced or deleted, and when

Caveats. The lock is advisory and does not work across hosts on network file systems that ignore flock. A file not
named by the manifest is a leftover of a killed process and is removed by the next owner.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import json
import mmap
import os
import socket
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
from blake3 import blake3

from ..core.folders import sync_folder
from ..errors import FormatTooNew, InputError, LogCorrupt, StoreLocked
from .spec import CollectionSpec

FORMAT = 2  # 1: every segment is here; the newest that is needed is written
MAGIC = "neuraltrade-store"
MANIFEST = "MANIFEST"
LOCK = "LOCK"
HASH_ALONE_BYTES = 1 << 20  # sharing costs more than it saves
MANIFEST_BYTES_MAX = 64 << 20


class FileEntry(msgspec.Struct, frozen=True):
    """A file as the manifest knows it."""

    file: str
    bytes: int
    blake3: str


class ArchivedEntry(msgspec.Struct, frozen=True):
    """Where in the archive a segment's file lies, the least and greatest id, ts_ns and known_ns of its rows, and of its
    fields what tells that a condition cannot hold: the texts, if few, and the least and greatest number.
    """

    id: str
    ids: tuple[int, int]
    ts_ns: tuple[int, int]
    known_ns: tuple[int, int]
    texts: dict[str, list[str]] = {}
    numbers: dict[str, tuple[float, float]] = {}


class SegmentEntry(msgspec.Struct, frozen=True):
    """A segment and the files beside it."""

    data: FileEntry
    rows: int
    graph: FileEntry | None = None
    until: FileEntry | None = None
    expansion: int = 0  # to search the graph with
    probe: int = 0  # rows of the nearest cells to look at; 0: it has no cells
    archived: ArchivedEntry | None = None  # None: the file is in the folder

    @property
    def files(self) -> list[FileEntry]:
        """What of it is in the folder."""
        here = (self.data if self.archived is None else None, self.graph, self.until)
        return [file for file in here if file is not None]


class CollectionEntry(msgspec.Struct):
    """A collection: rows in log files before `wal_start` are in its segments."""

    spec: CollectionSpec
    wal_start: int
    next_file: int = 1
    segments: list[SegmentEntry] = []


class Manifest(msgspec.Struct):
    """Everything needed to open a store. `store` names it, at random: its log files carry the name."""

    store: str
    next_id: int
    collections: dict[str, CollectionEntry]

    @property
    def wal_first(self) -> int:
        """The oldest log file still needed."""
        return min((entry.wal_start for entry in self.collections.values()), default=1)


def new_manifest(specs: Iterable[CollectionSpec]) -> Manifest:
    """A store without rows."""
    return Manifest(uuid.uuid4().hex[:16], 1, {spec.name: CollectionEntry(spec, 1) for spec in specs})


def size_of(numbered: tuple[int, Path]) -> int:
    """Bytes of a log file; 0 for one that was removed meanwhile."""
    try:
        return numbered[1].stat().st_size
    except FileNotFoundError:
        return 0


def folder_path(path: Any) -> Path:
    """`path` as a Path that a later chdir does not move. Raises InputError for what is none."""
    if not isinstance(path, str | os.PathLike) or "\0" in os.fspath(path):
        raise InputError(f"path must name a directory, was {path!r}")
    return Path(path).absolute()


def hash_threads(size: int) -> int:
    """Threads to hash so many bytes with. The pool that BLAKE3 shares its work with is a process's own: one that was
    forked has the pool without its threads, and would wait for them for ever.
    """
    return 1 if size < HASH_ALONE_BYTES or _forked else int(blake3.AUTO)


_forked: list[int] = []  # in a child of fork: its pid
os.register_at_fork(after_in_child=lambda: _forked.append(os.getpid()))


def entry_of(path: Path) -> FileEntry:
    """Size and BLAKE3 of a file just written."""
    hasher = blake3(max_threads=hash_threads(path.stat().st_size)).update_mmap(path)
    return FileEntry(path.name, path.stat().st_size, hasher.hexdigest())


def map_checked(directory: Path, entry: FileEntry) -> mmap.mmap:
    """A read-only mapping of a file whose bytes are those the manifest names. Raises LogCorrupt; reads it whole."""
    path = directory / entry.file
    if Path(entry.file).name != entry.file:
        raise LogCorrupt(f"{directory / MANIFEST}: file name {entry.file!r} leaves the store")
    try:
        with open(path, "rb") as handle:
            size = os.fstat(handle.fileno()).st_size
            if size != entry.bytes or size == 0:
                raise LogCorrupt(f"{path}: {size} bytes, the manifest says {entry.bytes}")
            mapping = mmap.mmap(handle.fileno(), size, flags=mmap.MAP_SHARED | mmap.MAP_POPULATE, prot=mmap.PROT_READ)
    except FileNotFoundError as error:
        raise LogCorrupt(f"{path}: named by the manifest, but missing") from error
    if blake3(mapping, max_threads=hash_threads(size)).hexdigest() != entry.blake3:
        raise LogCorrupt(f"{path}: checksum differs from the manifest's; restore the file from a backup")
    return mapping


def write_atomic(path: Path, chunks: Iterable[Any]) -> None:
    """Write chunks to a temporary file, fsync, rename over `path`, fsync the directory. On failure the old file
    stays.
    """
    scratch = path.with_name(path.name + ".tmp")
    try:
        with open(scratch, "wb") as handle:
            for chunk in chunks:
                handle.write(chunk)
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(scratch, path)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_manifest(directory: Path, manifest: Manifest) -> None:
    """Replace the manifest: one header line with format and checksum, then JSON."""
    body = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    archived = any(one.archived for entry in manifest.collections.values() for one in entry.segments)
    header = f"{MAGIC} {2 if archived else 1} {blake3(body).hexdigest()}\n".encode()
    write_atomic(directory / MANIFEST, (header, body))


def read_manifest(directory: Path) -> Manifest:
    """The checked manifest. Raises LogCorrupt, FormatTooNew; InputError where the directory holds something else."""
    path = directory / MANIFEST
    with open(path, "rb") as handle:
        raw = handle.read(MANIFEST_BYTES_MAX + 1)
    header, _, body = raw.partition(b"\n")
    words = header.decode("ascii", "replace").split(" ")
    if len(raw) > MANIFEST_BYTES_MAX or len(words) != 3 or words[0] != MAGIC or not words[1].isdigit():
        raise LogCorrupt(f"{path}: not a manifest of this package, or its header is damaged")
    if int(words[1]) > FORMAT and len(words[2]) == 64:
        raise FormatTooNew(
            f"{path}: format {words[1]} is newer than {FORMAT}, the newest this version reads; upgrade neuraltrade"
        )
    if blake3(body).hexdigest() != words[2] or int(words[1]) not in (1, FORMAT):
        raise LogCorrupt(f"{path}: checksum differs; restore the manifest from a backup")
    try:
        return msgspec.json.decode(body, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, InputError) as error:
        raise LogCorrupt(f"{path}: {error}") from error


def is_fresh(directory: Path) -> bool:
    """Whether a store may be made here: nothing there, or what a process killed while making one leaves behind.

    Raises InputError for a directory that holds anything else.
    """
    if not directory.exists():
        return True
    if not directory.is_dir():
        raise InputError(f"path must be a directory, was a file: {directory}")
    if (directory / MANIFEST).exists():
        return False
    names = {entry.name for entry in directory.iterdir()}
    if any(name.endswith((".seg", ".graph")) for name in names):
        raise LogCorrupt(f"{directory / MANIFEST}: missing, though segments are there; restore it from a backup")
    foreign = sorted(name for name in names if not name.startswith((LOCK, MANIFEST + ".tmp", "wal-00000001.log")))
    if foreign:
        raise InputError(f"path holds no store and is not empty: {directory} has {foreign[0]!r} but no {MANIFEST}")
    return True


class Lock:
    """One owner at a time, in this process or another. Released by `release`, or by the kernel when the process
    ends.
    """

    def __init__(self, directory: Path) -> None:
        self._handle = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            if not self._take():
                gc.collect()  # one that was dropped without close() may wait to be collected
                if not self._take():
                    owner = os.pread(self._handle, 512, 0).decode("utf-8", "replace").strip() or "unknown"
                    raise StoreLocked(
                        f"{directory} is owned by another store object ({owner}); close it, or open with read_only=True"
                    )
            owner_text = json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode()
            with contextlib.suppress(OSError):  # a full disk can still be read; the text only helps a person
                os.ftruncate(self._handle, 0)
                os.pwrite(self._handle, owner_text, 0)
        except BaseException:
            os.close(self._handle)
            self._handle = -1
            raise

    def _take(self) -> bool:
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        """Give the store up; calling it again does nothing."""
        if self._handle >= 0:
            with contextlib.suppress(OSError):
                os.ftruncate(self._handle, 0)
            fcntl.flock(self._handle, fcntl.LOCK_UN)  # also where a forked child still holds the handle
            os.close(self._handle)
            self._handle = -1
