"""One file for one run: a JSON header and raw columns, each under its own BLAKE3. Nothing in it is ever executed.

    bytes 0..8     b"NTRESULT"
    bytes 8..12    format version, u32
    bytes 12..16   reserved, zero
    bytes 16..24   header length H, u64
    bytes 24..56   BLAKE3 of bytes 0..24 and of the header
    bytes 56..56+H header, JSON in UTF-8: {"meta": {...}, "arrays": [{name, dtype, shape, offset, bytes, blake3}]}
    then           the arrays, little-endian, each at a multiple of 64 counted from the start of the file

The file is written beside its place, fsynced and renamed: under its name it is whole or absent.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from blake3 import blake3

from ..errors import FormatTooNew, InputError, LogCorrupt

MAGIC = b"NTRESULT"
VERSION = 1
_PREFIX = struct.Struct("<8sIIQ")
_HEADER_AT = _PREFIX.size + 32
_ALIGN = 64
_HEADER_MAX = 1 << 30


def pieces(meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> Iterator[bytes | memoryview]:
    """The file of `meta` (JSON-able) and `arrays` (no objects), piece by piece."""
    blocks = {
        name: np.ascontiguousarray(array.astype(_packed(array.dtype), copy=False)) for name, array in arrays.items()
    }
    entries = [
        {"name": name, "dtype": _describe(block.dtype), "shape": list(block.shape), "offset": 0, "bytes": block.nbytes,
         "blake3": blake3(_bytes(block)).hexdigest()}
        for name, block in blocks.items()
    ]  # fmt: skip
    header = _encode(meta, entries)
    while True:  # offsets are decimal numbers inside the header whose length decides them: settle in a step or two
        at = _align(_HEADER_AT + len(header))
        for entry in entries:
            entry["offset"] = at
            at = _align(at + int(entry["bytes"]))
        settled = _encode(meta, entries)
        if len(settled) == len(header):
            break
        header = settled
    prefix = _PREFIX.pack(MAGIC, VERSION, 0, len(settled))
    yield prefix + blake3(prefix + settled).digest() + settled
    at = _HEADER_AT + len(settled)
    for entry, block in zip(entries, blocks.values(), strict=True):
        yield bytes(int(entry["offset"]) - at)
        yield _bytes(block)
        at = int(entry["offset"]) + int(entry["bytes"])


def write(path: str | os.PathLike[str], meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Write `meta` and `arrays` to `path`, replacing what stands there."""
    target = Path(path)
    scratch = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with open(scratch, "wb") as file:
            file.writelines(pieces(meta, arrays))
            file.flush()
            os.fsync(file.fileno())
        os.replace(scratch, target)
    finally:
        scratch.unlink(missing_ok=True)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """(meta, arrays) of a file that `write` made; arrays are read-only views of one buffer.

    Raises InputError if the file is absent or of another kind, FormatTooNew for a later version, LogCorrupt (with the
    part that does not check) for anything cut or changed.
    """
    try:
        content = Path(path).read_bytes()
    except (FileNotFoundError, IsADirectoryError) as error:
        raise InputError(f"path must be a saved result, was {str(path)!r}: {error.strerror}") from error
    return parse(content, path)


def parse(content: bytes, path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """(meta, arrays) of a file's bytes; `path` is for messages. Raises as `read` does."""
    if content[: len(MAGIC)] != MAGIC:
        raise InputError(f"path must be a saved result, was {str(path)!r}: it does not begin with {MAGIC.decode()}")
    if len(content) < _HEADER_AT:
        raise LogCorrupt(f"{path}: cut at byte {len(content)}, inside the prefix")
    _, version, _, length = _PREFIX.unpack_from(content)
    header = content[_HEADER_AT : _HEADER_AT + length] if length <= _HEADER_MAX else b""
    checked = (
        len(header) == length
        and blake3(content[: _PREFIX.size] + header).digest() == content[_PREFIX.size : _HEADER_AT]
    )
    if not checked:
        raise LogCorrupt(f"{path}: the header does not check")
    if version > VERSION:
        raise FormatTooNew(f"{path}: format {version}, this package reads up to {VERSION}")
    fields = json.loads(header)
    return fields["meta"], {entry["name"]: _array(path, content, entry) for entry in fields["arrays"]}


def _array(path: Any, content: bytes, entry: dict[str, Any]) -> np.ndarray:
    part = memoryview(content)[entry["offset"] : entry["offset"] + entry["bytes"]]
    if len(part) != entry["bytes"] or blake3(part).hexdigest() != entry["blake3"]:
        raise LogCorrupt(f"{path}: array {entry['name']!r} at byte {entry['offset']} does not check")
    described = entry["dtype"]
    fields = (
        [(name, base, tuple(shape)) for name, base, shape in described] if isinstance(described, list) else described
    )
    dtype = np.dtype(fields)
    return np.frombuffer(part, dtype=dtype).reshape(entry["shape"])


def _packed(dtype: np.dtype) -> np.dtype:
    """The dtype without padding, little-endian: what stands in the file."""
    if dtype.hasobject:
        raise InputError(f"an array of dtype {dtype} cannot be saved: it holds Python objects")
    if dtype.names is None:
        return dtype.newbyteorder("<")
    return np.dtype([(name, dtype[name].newbyteorder("<")) for name in dtype.names])


def _describe(dtype: np.dtype) -> Any:
    if dtype.names is None:
        return dtype.str
    return [[name, dtype[name].base.str, list(dtype[name].shape)] for name in dtype.names]


def _bytes(block: np.ndarray) -> memoryview:
    return block.reshape(-1).view(np.uint8).data if block.size else memoryview(b"")


def _encode(meta: dict[str, Any], entries: list[dict[str, Any]]) -> bytes:
    return json.dumps({"meta": meta, "arrays": entries}, separators=(",", ":"), allow_nan=True).encode()


def _align(offset: int) -> int:
    return -(-offset // _ALIGN) * _ALIGN
