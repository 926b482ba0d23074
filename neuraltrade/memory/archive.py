"""The cold tier (L3): what is kept for good, compressed, addressed by its content, checked before it is served.

    ARCHIVE                      format; made first
    catalogue/<blake3>.json      names, kinds, sizes: see archive_catalogue.py
    objects/ab/<id>.zst          bytes, one zstd frame
    objects/ab/<id>.parquet      a table
    objects/ab/<id>.result.zst   a saved result

The id is the BLAKE3 of kind and content, so equal content is stored once and a file's name tells whether it is whole.
Order of writing: object, then page. Killed in between, an object without an entry remains, which `collect` removes.

Why `collect` waits: another writer may just have found an object there and be about to name it. It refreshes the
object's time unless an entry names it, so what was neither written nor lost its last entry within `older_than_s` is
nobody's. Puts must not take longer than that, and clocks not be further apart.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any, ClassVar, NamedTuple, Self

import msgspec
from blake3 import blake3

from ..clock import Clock, SystemClock
from ..errors import FormatTooNew, InputError, LogCorrupt, StoreClosed
from ..vectors.files import hash_threads
from .archive_catalogue import FOLDER, Catalogue, Entry, Page, Removal
from .archive_files import SCRATCH, Files, open_files
from .archive_kinds import BYTES, TABLE, Kind, pack, unpack

MARKER, MAGIC, FORMAT = "ARCHIVE", b"neuraltrade-archive", 1
OBJECTS = "objects"
NAME_BYTES_MAX = 512
GRACE_S = 86_400.0
Entries = list[Entry]  # the class has a method of that name
_ID = re.compile(r"[0-9a-f]{64}\Z")


class _File(NamedTuple):
    """What an entry says of the file."""

    stored_bytes: int
    stored_blake3: str


class ObjectArchive:
    """Bytes and tables by content. `nt.Archive` is this with results."""

    kinds: ClassVar[tuple[Kind, ...]] = (BYTES, TABLE)

    def __init__(self, files: Files, read_only: bool, clock: Clock | None = None) -> None:
        self.files = files
        self.read_only = read_only
        self.clock: Clock = SystemClock() if clock is None else clock
        self._closed = False
        self._lock = threading.Lock()
        self._counts = {"puts": 0, "gets": 0, "bytes_written": 0, "bytes_read": 0}
        self._check_marker()
        self.catalogue = Catalogue(files)

    @classmethod
    def open(
        cls, url: str | os.PathLike[str], *, read_only: bool = False, clock: Clock | None = None, **options: Any
    ) -> Self:
        """Open the archive in a folder or at a URL, or make one there.

        url : a path, or what fsspec opens ("s3://bucket/cold", "sftp://...", "memory://cold", "zip://::cold.zip" with
        read_only=True). options : for fsspec, such as key= and secret=. Several processes may write at once. Raises
        InputError (a folder of something else; nothing to read), FormatTooNew, LogCorrupt, DependencyMissing, OSError.
        """
        return cls(open_files(url, options, make=not read_only), bool(read_only), clock)

    @property
    def url(self) -> str:
        """Where it lies, without a password."""
        return self.files.shown

    def put(self, name: str, content: Any, *, metadata: Mapping[str, Any] | None = None) -> str:
        """Keep content under a name; returns its id, 64 hexadecimal digits. Durable when it returns, where the place
        can be.

        name : 1..512 bytes of UTF-8, parts between slashes, none of them "." or ".."; the newest of a name is what
        `find` gives, older ones stay. content : bytes, or a table (anything with __arrow_c_stream__, a structured
        array). metadata : what JSON can hold, kept in the catalogue. Equal content under the same name adds nothing.
        Raises InputError, StoreClosed, DependencyMissing, OSError: the archive is as it was.
        """
        self._check_writable()
        check_name(name)
        extra = _check_metadata(metadata)
        kind = self._kind_of(content)
        body = kind.encode(content)
        id_ = content_id(kind.name, body)
        self.catalogue.refresh()
        named = [one for one in self.catalogue.entries() if one.id == id_]
        whole = bool(named) and self._is_whole(named)
        file = named[-1] if whole else self._store(kind, id_, body)
        entry = Entry(
            id=id_, name=name, kind=kind.name, bytes=len(body), stored_bytes=file.stored_bytes,
            stored_blake3=file.stored_blake3, created_ns=self.clock.now_ns(), metadata=extra,
        )  # fmt: skip
        if not any(entry.says_as_much_as(one) for one in named):
            self.catalogue.append(Page(entries=[entry]))
        self._count("puts", 1)
        return id_

    def get(self, id_: str) -> Any:
        """The content of an id: bytes, pyarrow.Table or nt.Result, checked whole before any of it is returned.

        Raises InputError for an id that is not held, LogCorrupt where the file was cut, changed or removed.
        """
        entries = self._entries(id_)
        content = self._kind(entries[-1].kind).decode(self._body(entries))
        self._count("gets", 1)
        return content

    def entry(self, id_: str) -> Entry:
        """What the catalogue says of an id: name, kind, bytes, stored_bytes, created_ns, metadata; of several names
        the newest.
        """
        return self._entries(id_)[-1]

    def find(self, name: str) -> Entry | None:
        """The newest entry of a name, None without one."""
        found = [one for one in self.list() if one.name == name]
        return found[-1] if found else None

    def list(self, prefix: str = "", kind: str | None = None) -> Entries:
        """Entries whose name begins with `prefix`, of one kind if given, oldest first; other writers' included. Raises
        LogCorrupt where part of the catalogue is damaged (`get` of what the rest names still works).
        """
        self._check_open()
        if not isinstance(prefix, str):
            raise InputError(f"prefix must be a text, was {prefix!r}")
        if kind is not None:
            self._kind(kind)
        self.catalogue.refresh()
        self.catalogue.refuse_damage()
        held = self.catalogue.entries()
        return [one for one in held if one.name.startswith(prefix) and kind in (None, one.kind)]

    def where(self, id_: str) -> str:
        """Path or URL of an id's file, for other programs: a table's is Parquet, the others' zstd frames."""
        entry = self.entry(id_)
        return self.files.where(path_of(self._kind(entry.kind), entry.id))

    def delete(self, id_: str, name: str | None = None) -> int:
        """Remove an id from the catalogue (only under one name, if given); returns how many entries that were. The
        file goes with `collect`.
        """
        self._check_writable()
        self.entry(id_)
        gone = [one for one in self.list() if one.id == id_ and name in (None, one.name)]
        if not gone:
            raise InputError(f"name {name!r} is not one of id {id_}")
        now = self.clock.now_ns()
        self.catalogue.append(Page(removals=[Removal(one.entry, one.id, now) for one in gone]))
        return len(gone)

    def collect(self, older_than_s: float = GRACE_S) -> dict[str, int]:
        """Remove files that no entry names, and merge the catalogue; returns {"objects", "bytes"} removed.

        older_than_s : spares what was written, or lost its last name, more recently. 0 spares nothing: only while
        nobody else writes. Raises LogCorrupt where a page is damaged, since what it names would go.
        """
        self._check_writable()
        if isinstance(older_than_s, bool) or not isinstance(older_than_s, int | float) or not older_than_s >= 0:
            raise InputError(f"older_than_s must be a number of seconds >= 0, was {older_than_s!r}")
        files = self.files.names(OBJECTS)  # first: what is written from here on is not looked at
        entries = self.list()
        named = {one.id for one in entries}
        before = self.clock.now_ns() - int(min(older_than_s, 1e9) * 1e9)
        lately = {one.id for one in self.catalogue.removals() if one.at_ns > before} if older_than_s else set()
        freed = {"objects": 0, "bytes": 0}
        leftovers = [one for one in self.files.names(FOLDER) if one.endswith(SCRATCH)]
        for name in [*files, *leftovers]:
            stem = name.rsplit("/", 1)[-1].split(".", 1)[0]
            if not name.endswith(SCRATCH) and (stem in named or stem in lately):
                continue
            size = self.files.size(name)
            if size is None or (older_than_s and self.files.modified_ns(name) > before):
                continue
            self.files.remove(name)
            freed["objects"] += 1
            freed["bytes"] += size
        self.catalogue.merge()
        return freed

    def verify(self) -> dict[str, int]:
        """Read and check every page and every object; returns {"pages", "entries", "objects", "bytes"}. Raises
        LogCorrupt naming the first bad file and how many more there are.
        """
        self._check_open()
        pages = self.catalogue.check()
        entries = self.catalogue.entries()
        checked, bad = 0, []
        objects: dict[str, Entries] = {}
        for entry in entries:
            objects.setdefault(entry.id, []).append(entry)
        for named in objects.values():
            try:
                checked += len(self._body(named))
            except LogCorrupt as error:
                bad.append(str(error))
        if bad:
            raise LogCorrupt(bad[0] + (f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""))
        return {"pages": pages, "entries": len(entries), "objects": len(objects), "bytes": checked}

    def stats(self) -> dict[str, Any]:
        """Entries, objects and bytes by kind; pages of the catalogue; what this object read and wrote."""
        self._check_open()
        self.catalogue.refresh()
        entries = self.catalogue.entries()
        objects = {one.id: one for one in entries}.values()
        kinds = {
            kind.name: {
                "objects": sum(one.kind == kind.name for one in objects),
                "bytes": sum(one.bytes for one in objects if one.kind == kind.name),
                "stored_bytes": sum(one.stored_bytes for one in objects if one.kind == kind.name),
            }
            for kind in self.kinds
        }
        totals = {name: sum(one[name] for one in kinds.values()) for name in ("objects", "bytes", "stored_bytes")}
        about = {"tier": "L3", "url": self.url, "read_only": self.read_only, "entries": len(entries)}
        pages = {"pages": len(self.catalogue.pages), "damaged_pages": len(self.catalogue.damaged)}
        return {**about, **totals, "kinds": kinds, **pages, **self._counts}

    def close(self) -> None:
        """Give it up: every call but this one raises StoreClosed from here on."""
        self._closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        held = "closed" if self._closed else f"{len(self.catalogue.entries())} entries"
        return f"<{type(self).__name__} {self.url}: {held}{', read-only' if self.read_only else ''}>"

    def _entries(self, id_: Any) -> Entries:
        """The entries of an id, oldest first; at least one."""
        self._check_open()
        if not isinstance(id_, str) or not _ID.match(id_):
            raise InputError(f"id must be 64 hexadecimal digits, as put returns them, was {id_!r}")
        found = [one for one in self.catalogue.entries() if one.id == id_]
        if not found:
            self.catalogue.refresh()
            found = [one for one in self.catalogue.entries() if one.id == id_]
        if not found:
            self.catalogue.refuse_damage()
            raise InputError(f"id {id_} is not in {self!r}")
        return found

    def _body(self, entries: Entries) -> bytes:
        """The checked body of what these entries, all of one id, name."""
        entry = entries[-1]
        kind = self._kind(entry.kind)
        path = path_of(kind, entry.id)
        where = self.files.where(path)
        try:
            stored = self.files.read(path)
        except FileNotFoundError as error:
            raise LogCorrupt(f"{where}: missing, though the catalogue names it ({entry.name!r})") from error
        self._count("bytes_read", len(stored))
        if checksum(stored) not in {one.stored_blake3 for one in entries}:
            raise LogCorrupt(f"{where}: the checksum of its {len(stored)} bytes differs from the catalogue's, for "
                             f"{entry.stored_bytes} bytes")  # fmt: skip
        body = unpack(stored, entry.bytes, where) if kind.packed else stored
        if content_id(kind.name, body) != entry.id:
            raise LogCorrupt(f"{where}: the content does not have the checksum that is its id")
        return body

    def _is_whole(self, entries: Entries) -> bool:
        try:
            self._body(entries)
        except LogCorrupt:
            return False
        return True

    def _store(self, kind: Kind, id_: str, body: bytes) -> _File:
        """Write an object, also over one that stands there as nobody's: fresh, it is not collected."""
        stored = pack(body) if kind.packed else body
        self.files.write(path_of(kind, id_), stored)
        self._count("bytes_written", len(stored))
        return _File(len(stored), checksum(stored))

    def _kind_of(self, content: Any) -> Kind:
        for kind in self.kinds:
            if kind.takes(content):
                return kind
        names = ", ".join(kind.name for kind in self.kinds)
        raise InputError(f"content must be one of {names}, was {type(content).__name__}")

    def _kind(self, name: str) -> Kind:
        for kind in self.kinds:
            if kind.name == name:
                return kind
        raise InputError(f"kind must be one of {', '.join(kind.name for kind in self.kinds)}, was {name!r}")

    def _check_open(self) -> None:
        if self._closed:
            raise StoreClosed(f"{self.url}: the archive was closed")

    def _check_writable(self) -> None:
        self._check_open()
        if self.read_only:
            raise InputError(f"{self.url} was opened with read_only=True: nothing can be written")

    def _count(self, name: str, count: int) -> None:
        with self._lock:
            self._counts[name] += count

    def _check_marker(self) -> None:
        body = b"%s %d\n" % (MAGIC, FORMAT)
        try:
            found = self.files.read(MARKER)
        except FileNotFoundError:
            found = self._make_marker(body)
        words = found.split()
        if len(words) == 2 and words[0] == MAGIC and words[1].isdigit() and int(words[1]) > FORMAT:
            raise FormatTooNew(
                f"{self.files.where(MARKER)}: format {int(words[1])} is newer than {FORMAT}, the newest this version "
                "reads; upgrade neuraltrade"
            )
        if found != body:
            raise LogCorrupt(f"{self.files.where(MARKER)}: not an archive of this package, or damaged")

    def _make_marker(self, body: bytes) -> bytes:
        """The marker of an archive that is made here, or that somebody has made since it was looked for."""
        others = [name for name in self.files.names("") if not name.endswith(SCRATCH)]
        if MARKER in others:
            return self.files.read(MARKER)
        if others:
            raise InputError(f"url holds no archive and is not empty: {self.url} has {others[0]!r} but no {MARKER}")
        if self.read_only:
            raise InputError(f"url holds no archive to read: {self.url}")
        self.files.write(MARKER, body)
        return body


def checksum(body: bytes) -> str:
    """BLAKE3 in hexadecimal."""
    return str(blake3(body, max_threads=hash_threads(len(body))).hexdigest())


def content_id(kind: str, body: bytes) -> str:
    """BLAKE3 of kind, a zero byte, and content, in hexadecimal."""
    hasher = blake3(kind.encode() + b"\0", max_threads=hash_threads(len(body)))
    hasher.update(body)
    return str(hasher.hexdigest())


def path_of(kind: Kind, id_: str) -> str:
    """Where an object lies. The id comes from a page that was checked, yet may say anything."""
    if not _ID.match(id_):
        raise LogCorrupt(f"{FOLDER}: {id_!r} is no id")
    return f"{OBJECTS}/{id_[:2]}/{id_}.{kind.suffix}"


def check_name(name: Any) -> None:
    """Raises InputError for what is no name."""
    if not isinstance(name, str) or not name:
        raise InputError(f"name must be a non-empty text, was {name!r}")
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        raise InputError(f"name must be text that UTF-8 can hold, was {name!r}") from None
    if size > NAME_BYTES_MAX:
        raise InputError(f"name must have at most {NAME_BYTES_MAX} bytes, had {size}")
    parts = name.split("/")
    if any(part in ("", ".", "..") for part in parts) or "\\" in name or not name.isprintable():
        raise InputError(f"name must be parts between single slashes, none of them '.' or '..', was {name!r}")


def _check_metadata(metadata: Any) -> dict[str, Any]:
    if metadata is None:
        return {}
    if not isinstance(metadata, Mapping) or not all(isinstance(key, str) for key in metadata):
        raise InputError(f"metadata must be a mapping with text keys, was {metadata!r}")
    try:
        return dict(msgspec.json.decode(msgspec.json.encode(dict(metadata))))
    except (TypeError, ValueError) as error:
        raise InputError(f"metadata must be what JSON can hold: {error}") from error
