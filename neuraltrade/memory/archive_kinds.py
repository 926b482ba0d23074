"""What an archive keeps, and in which form: bytes as a zstd frame, tables as Parquet. Heavy imports are late."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from ..errors import DependencyMissing, InputError, LogCorrupt

LEVEL = 3  # of zstd: 10 MB of float columns in 30 ms, read back in 8


class Kind(Protocol):
    """One kind of content."""

    name: str
    suffix: str  # of the file
    packed: bool  # whether the file is a zstd frame of the body

    def takes(self, content: Any) -> bool:
        """Whether content is of this kind."""
        ...

    def encode(self, content: Any) -> bytes:
        """The body: what the id is the checksum of. Raises InputError for what cannot be kept."""
        ...

    def decode(self, body: bytes) -> Any:
        """The content of a body that was checked."""
        ...


class BytesKind:
    """bytes, bytearray, memoryview; read as bytes."""

    name, suffix, packed = "bytes", "zst", True

    def takes(self, content: Any) -> bool:
        """Whether it is a buffer of bytes."""
        return isinstance(content, bytes | bytearray | memoryview)

    def encode(self, content: Any) -> bytes:
        """A copy, unless it is bytes already."""
        return bytes(content)

    def decode(self, body: bytes) -> bytes:
        """As it is."""
        return body


class TableKind:
    """Anything with __arrow_c_stream__ (pyarrow, polars, pandas, duckdb) and structured arrays; read as pyarrow.Table.

    The file is plain Parquet, its columns under zstd: other programs read it in place.
    """

    name, suffix, packed = "table", "parquet", False

    def takes(self, content: Any) -> bool:
        """Whether it is a table."""
        structured = isinstance(content, np.ndarray) and content.dtype.names is not None
        return structured or hasattr(content, "__arrow_c_stream__")

    def encode(self, content: Any) -> bytes:
        """Parquet. Raises InputError for column types it does not know."""
        arrow, parquet = _arrow()
        sink = arrow.BufferOutputStream()
        try:
            table = _from_array(arrow, content) if isinstance(content, np.ndarray) else arrow.table(content)
            parquet.write_table(table, sink, compression="zstd", version="2.6")
        except (arrow.ArrowException, TypeError) as error:
            raise InputError(f"content must be a table that Parquet can hold: {error}") from error
        return bytes(sink.getvalue())

    def decode(self, body: bytes) -> Any:
        """pyarrow.Table."""
        arrow, parquet = _arrow()
        return parquet.read_table(arrow.BufferReader(body))


BYTES, TABLE = BytesKind(), TableKind()


def pack(body: bytes) -> bytes:
    """One zstd frame that says how long its content is."""
    zstandard = _zstandard()
    return bytes(zstandard.ZstdCompressor(level=LEVEL, write_content_size=True).compress(body))


def unpack(stored: bytes, size: int, where: str) -> bytes:
    """The body of a frame, which must be `size` bytes long. Raises LogCorrupt before memory is taken for another."""
    zstandard = _zstandard()
    try:
        if zstandard.frame_content_size(stored) != size:
            raise LogCorrupt(f"{where}: does not hold the {size} bytes that the catalogue names")
        return bytes(zstandard.ZstdDecompressor().decompress(stored)) if size else b""
    except zstandard.ZstdError as error:
        raise LogCorrupt(f"{where}: {error}") from error


def _from_array(arrow: Any, array: np.ndarray) -> Any:
    if array.ndim != 1:
        raise InputError(f"content must be a structured array of one dimension, shape was {array.shape}")
    names = array.dtype.names or ()
    return arrow.table({name: np.ascontiguousarray(array[name]) for name in names})


def _zstandard() -> Any:
    try:
        import zstandard  # noqa: PLC0415  (an extra)
    except ImportError as error:
        raise DependencyMissing("an archive needs zstandard: pip install 'neuraltrade[cold]'") from error
    return zstandard


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow  # noqa: PLC0415  (an extra, and slow to import)
        import pyarrow.parquet  # noqa: PLC0415
    except ImportError as error:
        raise DependencyMissing("tables in an archive need pyarrow: pip install 'neuraltrade[cold]'") from error
    return pyarrow, pyarrow.parquet
