"""What leaves an audit log and can be checked without it: checkpoints, proofs, and the canonical leaf of a record."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from ..errors import InputError, VerificationFailed
from ..schema import Record, encode
from .merkle import HASH_BYTES, leaf_hash, verify_consistency, verify_inclusion
from .signer import KEY_BYTES, SIGNATURE_BYTES, Signer, as_public_key, verify_signature

T = TypeVar("T", bound="_Portable")


class _Portable(msgspec.Struct, kw_only=True, frozen=True):
    """Shared: JSON out and in, hashes in base64."""

    def to_json(self) -> str:
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_json(cls: type[T], text: str | bytes) -> T:
        """Raises InputError if the text does not hold one."""
        try:
            return msgspec.json.decode(text, type=cls)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InputError(f"text does not hold a {cls.__name__}: {error}") from error


class Checkpoint(_Portable, kw_only=True, frozen=True):
    """A signed statement: at `ts_ns`, the log `origin` held `size` records with this Merkle root.

    >>> from neuraltrade.provenance import Checkpoint
    >>> Checkpoint(origin="desk", size=0, root=b"r" * 32, ts_ns=5, public_key=b"k" * 32, signature=b"").message()[:5]
    b'neura'
    """

    origin: str
    size: int
    root: bytes
    ts_ns: int
    public_key: bytes
    signature: bytes

    def message(self) -> bytes:
        """The bytes that are signed. The first line keeps a signature from being valid for anything else."""
        return (
            f"neuraltrade audit checkpoint v1\n{self.origin}\n{self.size}\n{self.root.hex()}\n{self.ts_ns}\n".encode()
        )

    def check(self, public_key: bytes | str | Signer | None = None) -> None:
        """Raise VerificationFailed unless the signature is valid, and of `public_key` if one is given."""
        if len(self.root) != HASH_BYTES or len(self.public_key) != KEY_BYTES or len(self.signature) != SIGNATURE_BYTES:
            raise VerificationFailed("the checkpoint has a root, key or signature of a wrong length")
        if public_key is not None and as_public_key(public_key) != self.public_key:
            raise VerificationFailed(
                f"the checkpoint is signed by {self.public_key.hex()}, not by {as_public_key(public_key).hex()}"
            )
        verify_signature(self.public_key, self.signature, self.message())


class InclusionProof(_Portable, kw_only=True, frozen=True):
    """That a record is number `sequence` in the tree of `size` records: the hashes from its leaf up to the root.

    >>> from neuraltrade.provenance import InclusionProof
    >>> InclusionProof.from_json(InclusionProof(sequence=0, size=1, path=[]).to_json()).size
    1
    """

    sequence: int
    size: int
    path: list[bytes]


class ConsistencyProof(_Portable, kw_only=True, frozen=True):
    """That the first `old_size` of `size` records are what an older checkpoint signed.

    >>> from neuraltrade.provenance import ConsistencyProof
    >>> ConsistencyProof(old_size=1, size=1, path=[]).path
    []
    """

    old_size: int
    size: int
    path: list[bytes]


def leaf_bytes(record: Record) -> bytes:
    """What of a record goes into the log: its canonical MessagePack, without its vector (derived, and stored rounded)
    and without the provenance fields that the log itself fills in (hash, sequence, checkpoint)."""
    if not isinstance(record, Record):
        raise InputError(f"record must be a neuraltrade record, was {type(record).__name__}")
    changes: dict[str, Any] = {}
    if getattr(record, "vector", None) is not None:
        changes["vector"] = None
    provenance = getattr(record, "provenance", None)
    if provenance is not None and (provenance.hash or provenance.sequence != -1 or provenance.checkpoint):
        changes["provenance"] = msgspec.structs.replace(provenance, hash="", sequence=-1, checkpoint=0)
    return encode(msgspec.structs.replace(record, **changes) if changes else record)


def verify_proof(
    checkpoint: Checkpoint, proof: InclusionProof, record: Record, public_key: bytes | str | Signer | None = None
) -> bool:
    """Check, without the log, that `record` stands in it where `proof` says, under the signature of `checkpoint`.

    public_key : the key to trust: 32 bytes, hex, PEM, or a Signer. Without it the signature is checked against the key
    that the checkpoint names, which shows that it is intact but not who made it.
    Returns True. Raises VerificationFailed, saying what does not check; InputError for arguments of a wrong type.

    >>> import tempfile, pathlib, neuraltrade as nt
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> signer = nt.Signer.generate(folder / "key.pem")
    >>> record = nt.Signal(id=1, ts_ns=0, symbol="AAPL", direction="long")
    >>> with nt.AuditLog.open(folder / "audit", signer=signer) as log:
    ...     seq = log.append(record)
    ...     checkpoint, proof = log.checkpoint(), log.prove(seq)
    >>> nt.verify_proof(checkpoint, proof, record, signer.public_key)
    True
    >>> record.direction = "short"
    >>> nt.verify_proof(checkpoint, proof, record)
    Traceback (most recent call last):
        ...
    neuraltrade.errors.VerificationFailed: the proof of leaf 0 does not lead to the root of 1 leaves
    """
    for argument, value, kind in (("checkpoint", checkpoint, Checkpoint), ("proof", proof, InclusionProof)):
        if not isinstance(value, kind):
            raise InputError(f"{argument} must be a {kind.__name__}, was {type(value).__name__}")
    leaf = leaf_hash(leaf_bytes(record))
    checkpoint.check(public_key)
    if proof.size != checkpoint.size:
        raise VerificationFailed(f"the proof is for {proof.size} records, the checkpoint for {checkpoint.size}")
    verify_inclusion(checkpoint.root, proof.size, proof.sequence, leaf, proof.path)
    return True


def verify_extension(
    old: Checkpoint, new: Checkpoint, proof: ConsistencyProof, public_key: bytes | str | Signer | None = None
) -> bool:
    """Check, without the log, that the log of `new` begins with everything that `old` signed.

    Both must be of one origin and one key. Returns True; raises VerificationFailed, saying what does not check.
    """
    old.check(public_key)
    new.check(old.public_key)
    if old.origin != new.origin:
        raise VerificationFailed(f"the checkpoints are of two logs, {old.origin!r} and {new.origin!r}")
    if (proof.old_size, proof.size) != (old.size, new.size):
        raise VerificationFailed(
            f"the proof is from {proof.old_size} to {proof.size} records, the checkpoints from {old.size} to {new.size}"
        )
    verify_consistency(old.root, old.size, new.root, new.size, proof.path)
    return True
