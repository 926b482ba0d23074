"""The audit log: records in an append-only file, a Merkle tree over them, and signed checkpoints.

Files of a log's folder: `audit.wal`, a write-ahead log (csrc/nt_wal.h) with three kinds of entry: 1 the header (JSON:
format, origin), 2 a record (canonical MessagePack, see proofs.leaf_bytes), 3 a checkpoint (JSON). The tree is rebuilt
from it when the log is opened, 2-3 us a record, and held against the checkpoints: 64 bytes of memory a record.

What protects what: checksums show damage; the tree and the signatures show a rewrite by somebody without the key; a
checkpoint that was handed out shows a rewrite or a truncation even by somebody with it. Records after the last
checkpoint are protected by checksums only.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any

import msgspec
import numpy as np

from ..clock import Clock, SystemClock
from ..core import wal
from ..core.folders import make_folder
from ..errors import FormatTooNew, InputError, LogCorrupt, StoreClosed, VerificationFailed
from ..schema import Order, Record, ReflexionTrace, Signal, decode
from .merkle import MerkleTree, leaf_hash
from .proofs import Checkpoint, ConsistencyProof, InclusionProof, leaf_bytes, verify_extension
from .signer import Signer

FILE_NAME = "audit.wal"
FORMAT = 1
KIND_HEADER, KIND_RECORD, KIND_CHECKPOINT = 1, 2, 3


class _Header(msgspec.Struct):
    format: int
    origin: str


class _Identity(msgspec.Struct):
    """Reads the id of any record without building the record."""

    id: int = 0


_identify = msgspec.msgpack.Decoder(_Identity)


class AuditReport(msgspec.Struct, frozen=True, kw_only=True):
    """What AuditLog.verify found in order. `unsigned` records stand after the last checkpoint.

    >>> from neuraltrade.provenance import AuditReport
    >>> AuditReport(origin="desk", records=3, checkpoints=1, unsigned=0, root="00", public_key="11").records
    3
    """

    origin: str
    records: int
    checkpoints: int
    unsigned: int
    root: str
    public_key: str | None


class LineageStep(msgspec.Struct, frozen=True, kw_only=True):
    """One record on the way from a decision to its causes.

    depth : 0 for the decision itself. cause_of : id of the record that rests on this one, 0 for the decision. sequence,
    record : -1 and None where the log has no record of that id.

    >>> from neuraltrade.provenance import LineageStep
    >>> LineageStep(depth=1, id=7, cause_of=8, sequence=-1, record=None).id
    7
    """

    depth: int
    id: int
    cause_of: int
    sequence: int
    record: Any


def causes(record: Record) -> list[int]:
    """Ids of the records that this one rests on, in the order in which it names them."""
    links: list[int] = []
    if isinstance(record, Signal):
        links += record.causal_links
    elif isinstance(record, Order):
        links.append(record.signal_id)
    elif isinstance(record, ReflexionTrace):
        links.append(record.decision_id)
    provenance = getattr(record, "provenance", None)
    if provenance is not None:
        links.append(provenance.parent_id)
    return [link for link in dict.fromkeys(links) if link]


class AuditLog:
    """An append-only, signed log of records; made by `AuditLog.open`. A context manager. Safe to use from several
    threads; one process may write, others may read.

    >>> import tempfile, pathlib, neuraltrade as nt
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> signer = nt.Signer.generate(folder / "key.pem")
    >>> with nt.AuditLog.open(folder / "audit", signer=signer) as log:
    ...     seen = log.append(nt.Observation(id=1, ts_ns=0, symbol="AAPL", price=101.0))
    ...     done = log.append(nt.Signal(id=2, ts_ns=0, symbol="AAPL", direction="long", causal_links=[1]))
    ...     checkpoint = log.checkpoint()
    ...     [(step.depth, step.id) for step in log.lineage(2)], log.verify().records
    ([(0, 2), (1, 1)], 2)
    """

    _lock: threading.RLock
    _signer: Signer | None
    _clock: Clock
    _wal: wal.Log
    _file: str
    _tree: MerkleTree
    _offsets: list[int]
    _sequences: dict[int, int]  # record id -> sequence of its latest version
    _checkpoints: list[Checkpoint]
    origin: str

    def __init__(self) -> None:
        raise TypeError("AuditLog is made by AuditLog.open(path)")

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        signer: Signer | None = None,
        origin: str | None = None,
        read_only: bool = False,
        clock: Clock | None = None,
    ) -> AuditLog:
        """Open the log in folder `path`, or create it.

        signer : signs checkpoints; its key must be that of the checkpoints already there. origin : name of the log,
        part of what is signed; given at creation (default: made of the file's random identity), checked later. clock
        : stamps checkpoints. A torn tail left by a crash is cut off: every acknowledged record stays. Raises
        InputError, LogCorrupt (damaged or foreign file), VerificationFailed (records do not agree with a checkpoint),
        FormatTooNew, StoreLocked, OSError.
        """
        if signer is not None and not isinstance(signer, Signer):
            raise InputError(f"signer must be an nt.Signer, was {type(signer).__name__}")
        if origin is not None and (not isinstance(origin, str) or not origin or "\n" in origin or len(origin) > 200):
            raise InputError(f"origin must be one line of 1..200 characters, was {origin!r}")
        if not isinstance(path, (str, os.PathLike)) or not os.fspath(path):
            raise InputError(f"path must name a folder, was {path!r}")
        folder = os.path.abspath(os.fsdecode(path))  # where it is, whatever chdir follows
        file = os.path.join(folder, FILE_NAME)
        if read_only and not os.path.isfile(file):
            raise InputError(f"path must be the folder of an audit log, {folder!r} has no {FILE_NAME}")
        if os.path.exists(folder) and not os.path.isdir(folder):
            raise InputError(f"path must name a folder, {folder!r} is a file")
        if not read_only:
            make_folder(folder)
        self = object.__new__(cls)
        self._lock = threading.RLock()
        self._signer = signer
        self._clock = SystemClock() if clock is None else clock
        self._wal = wal.Log.open(file, read_only=read_only, label="audit")
        try:
            self._start(file, origin)
        except BaseException:
            self._wal.close()
            raise
        return self

    def _start(self, file: str, origin: str | None) -> None:
        self._file = file
        self._tree = MerkleTree()
        self._offsets, self._sequences, self._checkpoints = [], {}, []
        header: _Header | None = None
        for offset, kind, body in wal.scan(file):
            if kind == KIND_RECORD and header is not None:
                self._take(offset, body)
            elif kind == KIND_CHECKPOINT and header is not None:
                self._checkpoints.append(self._agreeing(body, self._tree))
            elif kind == KIND_HEADER and header is None:
                header = self._read_header(body)
            else:
                raise LogCorrupt(f"{file}: entry of kind {kind} at offset {offset} has no place there")
        if header is None:
            header = _Header(format=FORMAT, origin=origin or f"neuraltrade-{self._wal.identity.hex()}")
            if not self._wal.read_only:
                self._wal.append(KIND_HEADER, msgspec.json.encode(header))
                self._wal.sync()
        if origin is not None and origin != header.origin:
            raise InputError(f"origin must be {header.origin!r}, that of the log, was {origin!r}")
        self.origin = header.origin
        known = self.public_key
        if self._signer is not None and known is not None and known != self._signer.public_key:
            raise InputError(f"signer must have the key of the log, {known.hex()}, has {self._signer.public_key.hex()}")
        if self._checkpoints:
            self._checkpoints[-1].check(known)

    def _read_header(self, body: bytes) -> _Header:
        try:
            header = msgspec.json.decode(body, type=_Header)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise LogCorrupt(f"{self._file}: the header does not read: {error}") from error
        if header.format > FORMAT:
            raise FormatTooNew(f"{self._file} has format {header.format}, this version reads {FORMAT} and older")
        return header

    def _agreeing(self, body: bytes, tree: MerkleTree) -> Checkpoint:
        """The checkpoint in `body`, its root held against the records before it."""
        try:
            checkpoint = Checkpoint.from_json(body)
        except InputError as error:
            raise LogCorrupt(f"{self._file}: a checkpoint does not read: {error}") from error
        if checkpoint.size > len(tree):
            raise VerificationFailed(
                f"{self._file}: a checkpoint covers {checkpoint.size} records, {len(tree)} precede it"
            )
        if tree.root(checkpoint.size) != checkpoint.root:
            raise VerificationFailed(
                f"{self._file}: the first {checkpoint.size} records are not those that were signed"
            )
        return checkpoint

    def _take(self, offset: int, body: bytes) -> int:
        try:
            identity = _identify.decode(body).id
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise LogCorrupt(f"{self._file}: the record at offset {offset} does not read: {error}") from error
        sequence = self._tree.append(leaf_hash(body))
        self._offsets.append(offset)
        if identity:
            self._sequences[identity] = sequence
        return sequence

    def __len__(self) -> int:
        """Number of records."""
        return len(self._offsets)

    @property
    def closed(self) -> bool:
        return bool(self._wal.closed)

    @property
    def torn_bytes(self) -> int:
        """Bytes after the last whole record that opening found, and dropped: what a crash left of an append."""
        return int(self._wal.torn_bytes)

    @property
    def checkpoints(self) -> tuple[Checkpoint, ...]:
        """All checkpoints, oldest first."""
        return tuple(self._checkpoints)

    @property
    def public_key(self) -> bytes | None:
        """Key of the checkpoints; None while there are none."""
        return self._checkpoints[0].public_key if self._checkpoints else None

    def append(self, record: Record) -> int:
        """Append a record; returns its sequence, 0 for the first. It survives the death of the process at once, the
        loss of power after checkpoint() or flush(). If the record has a provenance, its hash and sequence are filled
        in.

        About 10 us, a checkpoint 2-4 ms (two fsyncs). Raises InputError (not a record, not encodable), StoreClosed,
        OSError.
        """
        body = _leaf(record)
        with self._lock:
            self._open()
            sequence = self._take(self._wal.append(KIND_RECORD, body), body)
            self._fill(record, sequence)
        return sequence

    def append_many(self, records: Iterable[Record]) -> range:
        """Append records in one write, all or none; returns their sequences."""
        rows = list(records)
        bodies = [_leaf(record) for record in rows]
        with self._lock:
            self._open()
            first = len(self)
            for record, body, offset in zip(rows, bodies, self._wal.append_many(KIND_RECORD, bodies), strict=True):
                self._fill(record, self._take(offset, body))
        return range(first, first + len(rows))

    def _fill(self, record: Record, sequence: int) -> None:
        provenance = getattr(record, "provenance", None)
        if provenance is not None:
            provenance.hash = self._tree.leaf(sequence).hex()
            provenance.sequence = sequence

    def flush(self) -> None:
        """Make everything appended durable."""
        with self._lock:
            self._open()
            self._wal.sync()

    def checkpoint(self) -> Checkpoint:
        """Make everything durable, sign its size and root, store the checkpoint and return it.

        Hand it to somebody else: what they hold cannot be rewritten any more. Raises InputError without a signer.
        """
        with self._lock:
            self._open()
            if self._signer is None:
                raise InputError("signer must be given to AuditLog.open to make checkpoints, was None")
            self._wal.sync()
            unsigned = Checkpoint(
                origin=self.origin,
                size=len(self),
                root=self._tree.root(),
                ts_ns=self._clock.now_ns(),
                public_key=self._signer.public_key,
                signature=b"",
            )
            checkpoint = msgspec.structs.replace(unsigned, signature=self._signer.sign(unsigned.message()))
            self._wal.append(KIND_CHECKPOINT, checkpoint.to_json().encode())
            self._wal.sync()
            self._checkpoints.append(checkpoint)
            return checkpoint

    def prove(self, sequence: int, checkpoint: Checkpoint | None = None) -> InclusionProof:
        """Proof that record `sequence` is under `checkpoint` (default: the latest one). O(log n).

        Raises InputError if the checkpoint does not cover it.
        """
        with self._lock:
            self._open(writing=False)
            size = self._covered(checkpoint)
            if isinstance(sequence, bool) or not isinstance(sequence, int) or not 0 <= sequence < size:
                raise InputError(f"sequence must be in 0..{size - 1}, what the checkpoint covers, was {sequence!r}")
            return InclusionProof(sequence=sequence, size=size, path=self._tree.inclusion(sequence, size))

    def _covered(self, checkpoint: Checkpoint | None) -> int:
        if checkpoint is None:
            if not self._checkpoints:
                raise InputError("checkpoint must exist before a proof: call checkpoint() first")
            return self._checkpoints[-1].size
        if not isinstance(checkpoint, Checkpoint):
            raise InputError(f"checkpoint must be a Checkpoint, was {type(checkpoint).__name__}")
        if checkpoint.size > len(self):
            raise InputError(f"checkpoint must be of this log with {len(self)} records, covers {checkpoint.size}")
        return checkpoint.size

    def consistency(self, old_checkpoint: Checkpoint) -> ConsistencyProof:
        """Check that the log still begins with what `old_checkpoint` signed, and return the proof up to the latest one.

        The proof can be checked elsewhere with provenance.verify_extension(old, latest, proof). Raises
        VerificationFailed if records were removed or rewritten since, or the checkpoint is of another log or key.
        """
        if not isinstance(old_checkpoint, Checkpoint):
            raise InputError(f"old_checkpoint must be a Checkpoint, was {type(old_checkpoint).__name__}")
        with self._lock:
            self._open(writing=False)
            if not self._checkpoints:
                raise VerificationFailed(f"a checkpoint of {old_checkpoint.size} records was given, the log has none")
            latest = self._checkpoints[-1]
            if old_checkpoint.size > latest.size:
                raise VerificationFailed(
                    f"the log was truncated: {old_checkpoint.size} records were signed, "
                    f"its latest checkpoint has {latest.size}"
                )
            path = self._tree.consistency(old_checkpoint.size, latest.size)
            proof = ConsistencyProof(old_size=old_checkpoint.size, size=latest.size, path=path)
            verify_extension(old_checkpoint, latest, proof)
            return proof

    def get(self, sequence: int) -> Any:
        """The record with that sequence, read from the file and held against the tree."""
        with self._lock:
            self._open(writing=False)
            if isinstance(sequence, bool) or not isinstance(sequence, int) or not 0 <= sequence < len(self):
                raise InputError(f"sequence must be in 0..{len(self) - 1}, was {sequence!r}")
            _, _, body = next(wal.scan(self._file, self._offsets[sequence]))
            if leaf_hash(body) != self._tree.leaf(sequence):
                raise VerificationFailed(f"{self._file}: record {sequence} was changed since the log was opened")
        return _record(body, self._file)

    def __iter__(self) -> Iterator[Any]:
        """All records, oldest first."""
        for sequence in range(len(self)):
            yield self.get(sequence)

    def lineage(self, record_id: int, depth: int = 100) -> list[LineageStep]:
        """The record and everything it rests on, nearest causes first, back to records that name no cause.

        Follows Order.signal_id, Signal.causal_links, ReflexionTrace.decision_id and Provenance.parent_id, `depth`
        levels at most; every record appears once. Where the log holds several versions of an id, the latest. A cause
        that is not in the log is a step without record. about 35 us a step. Raises InputError if `record_id` is not
        in the log.
        """
        if not isinstance(record_id, int | np.integer) or record_id not in self._sequences:
            raise InputError(f"record_id must be the id of a record in the log, was {record_id!r}")
        if isinstance(depth, bool) or not isinstance(depth, int) or depth < 0:
            raise InputError(f"depth must be an integer >= 0, was {depth!r}")
        steps: list[LineageStep] = []
        seen = {record_id}
        level = [(record_id, 0)]
        for distance in range(depth + 1):
            following: list[tuple[int, int]] = []
            for identity, cause_of in level:
                sequence = self._sequences.get(identity, -1)
                record = self.get(sequence) if sequence >= 0 else None
                steps.append(
                    LineageStep(depth=distance, id=identity, cause_of=cause_of, sequence=sequence, record=record)
                )
                for link in causes(record) if record is not None else ():
                    if link not in seen:
                        seen.add(link)
                        following.append((link, identity))
            level = following
        return steps

    def verify(self, public_key: bytes | str | Signer | None = None) -> AuditReport:
        """Read everything again from the file and check checksums, records, roots and signatures.

        public_key : the key to trust; default: that of the first checkpoint. Raises LogCorrupt, or VerificationFailed;
        also where a key was given and the log holds records but no checkpoint at all.
        """
        with self._lock:
            self._open(writing=False)
            tree, checkpoints = MerkleTree(), 0
            trusted = public_key if public_key is not None else self.public_key
            for _, kind, body in wal.scan(self._file):
                if kind == KIND_RECORD:
                    _record(body, self._file)
                    tree.append(leaf_hash(body))
                elif kind == KIND_CHECKPOINT:
                    checkpoint = self._agreeing(body, tree)
                    checkpoint.check(trusted)
                    if checkpoint.origin != self.origin:
                        raise VerificationFailed(f"{self._file}: a checkpoint is of {checkpoint.origin!r}")
                    checkpoints += 1
            if checkpoints < len(self._checkpoints) or len(tree) < len(self):
                raise VerificationFailed(
                    f"{self._file} was truncated while open: {len(tree)} of {len(self)} records, "
                    f"{checkpoints} of {len(self._checkpoints)} checkpoints are left"
                )
            if public_key is not None and len(tree) and not checkpoints:
                raise VerificationFailed(
                    f"{self._file}: none of its {len(tree)} records is under a signature of the key"
                )
            if tree.root(len(self)) != self._tree.root():
                raise VerificationFailed(f"{self._file} was rewritten while open")
            key = self.public_key
            return AuditReport(
                origin=self.origin,
                records=len(self),
                checkpoints=checkpoints,
                unsigned=len(self) - (self._checkpoints[-1].size if self._checkpoints else 0),
                root=self._tree.root().hex(),
                public_key=key.hex() if key else None,
            )

    def close(self) -> None:
        """Make everything durable and let go of the file. Repeating it does nothing."""
        with self._lock:
            self._wal.close()

    def _open(self, *, writing: bool = True) -> None:
        if self._wal.closed:
            raise StoreClosed(f"{self._file} is closed")
        if writing and self._wal.read_only:
            raise InputError(f"{self._file} was opened with read_only=True, so nothing can be written to it")

    def __enter__(self) -> AuditLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"AuditLog({self._file!r}, records={len(self)}, checkpoints={len(self._checkpoints)})"


def _leaf(record: Record) -> bytes:
    """The leaf of a record that reads back: what the log took can never make verify() fail."""
    body = leaf_bytes(record)
    decode(body)
    return body


def _record(body: bytes, file: str) -> Any:
    try:
        return decode(body)
    except InputError as error:
        raise LogCorrupt(f"{file}: a record does not read: {error}") from error
