"""Ed25519 keys and signatures (RFC 8032). A private key lives in a file only its owner can read, and is never shown."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import NoReturn

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ..errors import InputError, VerificationFailed

KEY_BYTES = 32
SIGNATURE_BYTES = 64


class Signer:
    """Signs audit-log checkpoints with one Ed25519 key. About 31 us a signature.

    >>> import tempfile, pathlib, neuraltrade as nt
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "key.pem"
    >>> signer = nt.Signer.generate(path)
    >>> oct(path.stat().st_mode & 0o777)
    '0o600'
    >>> nt.Signer.load(path).public_key == signer.public_key
    True
    """

    __slots__ = ("_key", "public_key")

    def __init__(self, key: Ed25519PrivateKey) -> None:
        if not isinstance(key, Ed25519PrivateKey):
            raise InputError(f"key must be an Ed25519 private key, was {type(key).__name__}")
        self._key = key
        self.public_key: bytes = key.public_key().public_bytes_raw()

    @classmethod
    def generate(cls, path: str | os.PathLike[str]) -> Signer:
        """Make a key, write it to a new file of mode 0600 as unencrypted PKCS #8 PEM, and return its signer.

        Raises InputError if the file exists (a key is never overwritten) or cannot be made.
        """
        key = Ed25519PrivateKey.generate()
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
        except FileExistsError:
            raise InputError(
                f"path must name a new file, {os.fspath(path)!r} exists (keys are not overwritten)"
            ) from None
        except OSError as error:
            raise InputError(f"path must be writable, {os.fspath(path)!r} is not: {error.strerror}") from error
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), 0o600)  # whatever the umask took away
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        return cls(key)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Signer:
        """The signer of a key file.

        Raises InputError if it is missing, open to others than its owner, or does not hold an unencrypted Ed25519 key.
        """
        name = os.fspath(path)
        try:
            with open(path, "rb") as file:
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode):
                    raise InputError(f"path must be a regular file, {name!r} is not")
                mode = stat.S_IMODE(status.st_mode)
                if mode & 0o077:
                    raise InputError(f"path must have mode 0600 (chmod 600), {name!r} has {mode:04o}")
                pem = file.read()
        except OSError as error:
            raise InputError(f"path must be a readable key file, {name!r} is not: {error.strerror}") from error
        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            # The cause is dropped: nothing read from a key file may end up in a traceback.
            raise InputError(f"path must hold an unencrypted PEM private key, {name!r} does not") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise InputError(f"path must hold an Ed25519 key, {name!r} holds another kind")
        return cls(key)

    def sign(self, message: bytes) -> bytes:
        """64 bytes; equal messages give equal signatures."""
        return self._key.sign(message)

    def public_pem(self) -> bytes:
        """The public key as PEM, to hand to whoever verifies."""
        return self._key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def export_public_key(self, path: str | os.PathLike[str]) -> None:
        """Write public_pem() to `path`."""
        Path(path).write_bytes(self.public_pem())

    def __repr__(self) -> str:
        return f"Signer(public_key={self.public_key.hex()})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Signer cannot be pickled or copied: it holds a private key")


def as_public_key(value: bytes | str | Signer) -> bytes:
    """The 32 raw bytes of a public key given as such, in hex, as PEM, or by its Signer. Raises InputError."""
    if isinstance(value, Signer):
        return value.public_key
    data = value.strip().encode() if isinstance(value, str) else value
    if isinstance(data, bytes):
        if data.lstrip().startswith(b"-----BEGIN"):
            try:
                key = serialization.load_pem_public_key(data)
            except (ValueError, UnsupportedAlgorithm) as error:
                raise InputError("public_key must be a PEM public key, could not be read") from error
            if isinstance(key, Ed25519PublicKey):
                return key.public_bytes_raw()
            raise InputError(f"public_key must be an Ed25519 key, was {type(key).__name__}")
        if len(data) == KEY_BYTES:
            return bytes(data)
        if len(data) == 2 * KEY_BYTES:
            try:
                return bytes.fromhex(data.decode())
            except ValueError:
                pass
    raise InputError(f"public_key must be {KEY_BYTES} bytes, their hex, or PEM, was {type(value).__name__}")


def verify_signature(public_key: bytes, signature: bytes, message: bytes) -> None:
    """Raise VerificationFailed unless `signature` over `message` is of `public_key` (32 raw bytes). About 104 us."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise VerificationFailed(f"the signature is not of key {public_key.hex()}") from None
