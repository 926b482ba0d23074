"""HashEncoder: a vector that only equal bars share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import blake3
import numpy as np

from ..core import projection
from ..errors import InputError
from .series import series_of

DIMENSION_MAX = 65_536


class HashEncoder:
    """Unit vectors from BLAKE3: equal content gives equal vectors, anything else is unrelated (cosine near 0).

    For finding exact duplicates; it has no neighbourhoods, see MarketState for those. A ports.Encoder.
    dimension : a multiple of 16, 16..65,536.

    >>> import neuraltrade as nt
    >>> encoder = nt.embedding.HashEncoder(64)
    >>> a, b, c = encoder.encode_bytes([b"one", b"one", b"two"])
    >>> bool((a == b).all()), bool(abs(a @ c) < 0.5)
    (True, True)
    """

    def __init__(self, dimension: int = 512) -> None:
        if isinstance(dimension, bool) or not isinstance(dimension, int):
            raise InputError(f"dimension must be an integer, was {dimension!r}")
        if not 16 <= dimension <= DIMENSION_MAX or dimension % 16:
            raise InputError(f"dimension must be a multiple of 16 in 16..{DIMENSION_MAX}, was {dimension}")
        self.dimension = dimension
        self.name = f"hash-v1-{dimension}"

    def encode(self, bars: Any) -> np.ndarray:
        """float32[n, dimension]: one row a bar, from its symbol, time, prices and volume. About 5 us a bar.

        >>> import neuraltrade as nt
        >>> nt.embedding.HashEncoder(16).encode(nt.datasets.load("GOOG")).shape
        (2148, 16)
        """
        words = np.column_stack([column.view(np.int64) for column in series_of(bars)]).astype("<i8")
        head = bars.symbol.encode() + b"\0"
        return self.encode_bytes(head + row.tobytes() for row in words)

    def encode_bytes(self, contents: Iterable[bytes]) -> np.ndarray:
        """float32[n, dimension], one row for each bytes object; at least one.

        >>> import neuraltrade as nt
        >>> nt.embedding.HashEncoder(16).encode_bytes([b"x"]).shape
        (1, 16)
        """
        if isinstance(contents, (bytes, str)):
            raise InputError(f"contents must be several bytes objects, was one {type(contents).__name__}")
        try:
            packed = b"".join(blake3.blake3(content).digest(length=2 * self.dimension) for content in contents)
        except TypeError as error:
            raise InputError(f"contents must be bytes objects: {error}") from error
        if not packed:
            raise InputError("contents is empty: at least one bytes object is needed")
        words = np.frombuffer(packed, dtype="<i2").reshape(-1, self.dimension)
        return projection.unit(words.astype(np.float32) + np.float32(0.5))

    def __repr__(self) -> str:
        return f"HashEncoder({self.dimension})"
