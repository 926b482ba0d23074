"""The store's write-ahead log: what each record says, and the numbered files it stands in.

Records of all collections share one log, in the order of their acknowledgement. A new file begins whenever a tail is
frozen, so "rows of this collection before file n are in segments" is one number in the manifest, and a file no
collection needs is removed.

A torn end is accepted in the last file only, where a killed process may have left one. An older file is synced in the
background after the next one began; once that is done, a CLOSED record says so, and from then on any damage to it is
corruption. Until then (power lost within that moment) the log ends where the older file tears, since nothing after it
was ever flushed.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from ..core import wal
from ..errors import LogCorrupt
from .spec import Batch, CollectionSpec, Texts, check_columns

ADD, UPDATE, DELETE, CLOSED = 1, 2, 3, 4
NAME = re.compile(r"wal-(\d{8})\.log")


class Rows(msgspec.Struct, array_like=True):
    """Body of ADD and UPDATE: whole rows, arrays as little-endian bytes."""

    collection: str
    ids: bytes
    ts_ns: bytes
    known_ns: bytes
    codes: bytes
    inverse_norm: bytes
    numbers: dict[str, bytes]
    texts: dict[str, tuple[list[str], bytes]]
    payload: list[bytes] | None


class Ids(msgspec.Struct, array_like=True):
    """Body of DELETE."""

    collection: str
    ids: bytes


class Closed(msgspec.Struct, array_like=True):
    """Body of CLOSED: file `number` is complete and durable."""

    number: int


_encoder = msgspec.msgpack.Encoder()
_rows_decoder = msgspec.msgpack.Decoder(Rows)
_ids_decoder = msgspec.msgpack.Decoder(Ids)
_closed_decoder = msgspec.msgpack.Decoder(Closed)


def encode_rows(collection: str, batch: Batch) -> bytes:
    """A batch as the body of ADD or UPDATE."""
    return _encoder.encode(
        Rows(
            collection, batch.ids.tobytes(), batch.ts_ns.tobytes(), batch.known_ns.tobytes(), batch.codes.tobytes(),
            batch.inverse_norm.tobytes(), {name: column.tobytes() for name, column in batch.numbers.items()},
            {name: (texts.values, texts.codes.tobytes()) for name, texts in batch.texts.items()}, batch.payload,
        )
    )  # fmt: skip


def encode_ids(collection: str, ids: np.ndarray) -> bytes:
    """The body of DELETE."""
    return _encoder.encode(Ids(collection, ids.tobytes()))


def batch_of(rows: Rows, spec: CollectionSpec, dtypes: Mapping[str, np.dtype]) -> Batch:
    """The batch of a decoded record; a field it does not have gets the default. Raises LogCorrupt, ValueError."""
    ids = np.frombuffer(rows.ids, "<u8")
    count = len(ids)
    numbers = {name: np.frombuffer(rows.numbers[name], dtype) for name, dtype in dtypes.items() if name in rows.numbers}
    names = {field.name for field in spec.fields if field.kind == "text"}
    held = {name: column for name, column in rows.texts.items() if name in names}
    texts = {name: Texts(values, np.frombuffer(codes, "<u4")) for name, (values, codes) in held.items()}
    for name, column in texts.items():
        if len(column.codes) and int(column.codes.max()) >= len(column.values):
            raise LogCorrupt(f"record of {rows.collection}: a code of {name} is beyond its {len(column.values)} texts")
    if len(numbers) + len(texts) < len(spec.fields):
        missing_numbers, missing_texts = check_columns(spec, {}, count)
        numbers, texts = {**missing_numbers, **numbers}, {**missing_texts, **texts}
    batch = Batch(
        ids, np.frombuffer(rows.ts_ns, "<i8"), np.frombuffer(rows.known_ns, "<i8"),
        np.frombuffer(rows.codes, np.int8).reshape(-1, spec.dimension), np.frombuffer(rows.inverse_norm, "<f4"),
        numbers, texts, rows.payload,
    )  # fmt: skip
    lengths = {len(batch.ts_ns), len(batch.known_ns), len(batch.codes), len(batch.inverse_norm)}
    lengths |= {len(column) for column in batch.numbers.values()} | {
        len(column.codes) for column in batch.texts.values()
    }
    if lengths != {count} or (rows.payload is not None and len(rows.payload) != count):
        raise LogCorrupt(f"record of {rows.collection}: columns of lengths {sorted(lengths)} for {count} ids")
    return batch


class Pending(NamedTuple):
    """Log files not known to be durable."""

    current: wal.Log
    older: tuple[tuple[int, wal.Log], ...]

    def sync(self) -> None:
        """Make them durable; appends may go on beside it."""
        for _, log in self.older:
            log.close()  # syncs
        self.current.sync()


class LogFiles:
    """The numbered files. The store's write lock is held around every call; `Pending.sync` alone runs beside
    appends.
    """

    def __init__(self, directory: Path, store: str, number: int, unsynced: Sequence[int] = ()) -> None:
        """Open file `number` for appending, cutting off a torn end; `unsynced` are earlier files not known to be
        durable. Every file is labelled with the store's name, so that no other store's is taken for it.
        """
        self.directory = directory
        self.store = store
        self.number = number
        self.current = wal.Log.open(path_of(directory, number), label=store)
        self._older = [
            (older, wal.Log.open(path_of(directory, older), create=False, label=store)) for older in unsynced
        ]
        self.torn_bytes: int = self.current.torn_bytes + sum(log.torn_bytes for _, log in self._older)  # dropped here

    def append(self, kind: int, body: bytes) -> None:
        """Append a record: it survives the death of this process."""
        self.current.append(kind, body)

    def roll(self) -> int:
        """Begin the next file, its sequences going on from this one's; return its number."""
        sequence = self.current.sequence
        path_of(self.directory, self.number + 1).unlink(missing_ok=True)  # of a roll that failed: its sequence is stale
        following = wal.Log.open(path_of(self.directory, self.number + 1), label=self.store, first_sequence=sequence)
        self._older.append((self.number, self.current))
        self.number += 1
        self.current = following
        return self.number

    def pending(self) -> Pending:
        """What a sync must cover to make everything appended so far durable. Taken under the write lock."""
        return Pending(self.current, tuple(self._older))

    def note_closed(self, pending: Pending) -> None:
        """Record that the older files of a finished sync are complete: from now on damage to them is corruption."""
        for number, log in pending.older:
            if (number, log) in self._older:
                self.append(CLOSED, _encoder.encode(Closed(number)))
                self._older.remove((number, log))

    def trim(self, first: int) -> None:
        """Remove the files before `first`."""
        for number, path in list_files(self.directory):
            if number < first:
                path.unlink(missing_ok=True)

    def close(self) -> None:
        """Sync and close every file; one that cannot be synced keeps none of the others open."""
        with contextlib.ExitStack() as closing:
            for log in (self.current, *(log for _, log in reversed(self._older))):
                closing.callback(log.close)
        self._older.clear()


def path_of(directory: Path, number: int) -> Path:
    """Path of log file `number`."""
    return directory / f"wal-{number:08d}.log"


def list_files(directory: Path) -> list[tuple[int, Path]]:
    """(number, path) of the log files there, ascending."""
    found = []
    for path in directory.iterdir():
        match = NAME.fullmatch(path.name)
        if match:
            found.append((int(match[1]), path))
    return sorted(found)


class Replay:
    """Everything the log holds from file `first` on, in order.

    After iteration: `last` is the file the log ends in, `unsynced` the earlier ones not known to be durable.
    Raises LogCorrupt for damage, a missing file, or a record that cannot be read.
    """

    def __init__(self, directory: Path, store: str, first: int) -> None:
        self.directory = directory
        self.store = store
        self.files = [(number, path) for number, path in list_files(directory) if number >= first]
        numbers = [number for number, _ in self.files]
        if not numbers or numbers != list(range(first, first + len(numbers))):
            raise LogCorrupt(f"{directory}: log files from {first} on are not all there, found {numbers}")
        self.last = numbers[-1]
        self._closed: set[int] = set()
        for _, path in self.files[1:]:
            for _, kind, body in wal.scan(path):
                if kind == CLOSED:
                    self._closed.add(_decode(_closed_decoder, body, path, 0).number)
        self.unsynced = [number for number in numbers[:-1] if number not in self._closed]

    def __iter__(self) -> Iterator[tuple[int, int, Rows | Ids]]:
        expected = None
        for number, path in self.files:
            reader = wal.scan(path, sealed=number in self._closed)
            if reader.label != self.store.encode():
                raise LogCorrupt(f"{path}: a log of something else ({reader.label!r}), this store is {self.store}")
            if expected is not None and reader.sequence != expected:
                self._end_at(number - 1, path)
                return
            for offset, kind, body in reader:
                if kind in (ADD, UPDATE):
                    yield number, kind, _decode(_rows_decoder, body, path, offset)
                elif kind == DELETE:
                    yield number, kind, _decode(_ids_decoder, body, path, offset)
                elif kind != CLOSED:
                    raise LogCorrupt(f"{path}: record of unknown kind {kind} at {offset}")
            expected = reader.sequence

    def drop_rest(self) -> None:
        """Remove the files after the one the log ends in, and what a killed process had begun of a new one."""
        for scratch in self.directory.glob("wal-*.log.*.new"):
            scratch.unlink(missing_ok=True)
        for number, path in self.files:
            if number > self.last:
                path.unlink()

    def _end_at(self, number: int, following: Path) -> None:
        if number in self._closed:
            raise LogCorrupt(f"{path_of(self.directory, number)}: records are missing before {following.name}")
        self.last = number
        self.unsynced = [older for older in self.unsynced if older < number]


def _decode(decoder: msgspec.msgpack.Decoder, body: bytes, path: Path, offset: int) -> Any:
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise LogCorrupt(f"{path}: record at {offset}: {error}") from error
