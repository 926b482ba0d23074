"""Fixed matrices from a name: BLAKE3 in extendable-output mode, then exact arithmetic: the same for ever.

numpy's generators may change their streams between versions, and LAPACK's QR differs between machines; a stored vector
must be comparable with one computed years later elsewhere.
"""

from __future__ import annotations

import math

import blake3
import numpy as np

_UNIFORMS = 12  # their sum has variance 1: an Irwin-Hall approximation of the normal, exact in binary


def normals(name: str, rows: int, columns: int) -> np.ndarray:
    """float64[rows, columns] of mean 0 and variance 1: sums of twelve 32-bit words of BLAKE3(name), less 6. A matrix of
    more rows begins with the rows of a smaller one."""
    count = rows * columns * _UNIFORMS
    words = np.frombuffer(blake3.blake3(name.encode()).digest(length=4 * count), dtype="<u4")
    total = words.reshape(rows, columns, _UNIFORMS).astype(np.uint64).sum(axis=2)  # integers: any order, one result
    return (total.astype(np.float64) - 6.0 * 2.0**32 + 6.0) / 2.0**32


def uniforms(name: str, count: int) -> np.ndarray:
    """float64[count] in [0, 1): 32-bit words of BLAKE3(name) / 2^32."""
    words = np.frombuffer(blake3.blake3(name.encode()).digest(length=4 * count), dtype="<u4")
    return words.astype(np.float64) / 2.0**32


def orthonormal(name: str, rows: int, columns: int) -> np.ndarray:
    """float64[rows, columns], rows <= columns, orthonormal rows: Gram-Schmidt, twice, exactly rounded dot products."""
    basis: list[np.ndarray] = []
    for row in normals(name, rows, columns):
        for _ in range(2):
            for known in basis:
                row = row - known * math.fsum((row * known).tolist())  # noqa: PLW2901
        basis.append(row / math.sqrt(math.fsum((row * row).tolist())))
    return np.array(basis)
