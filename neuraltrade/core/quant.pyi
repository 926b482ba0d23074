from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

VARIANTS: tuple[str, ...]
DIMENSION_MAX: int
ROWS_MAX: int

def variant() -> str: ...
def variants() -> tuple[str, ...]: ...
def use(name: str) -> str: ...
def aligned_empty(shape: int | Sequence[int], dtype: DTypeLike) -> NDArray[Any]: ...
def quantize(
    vectors: NDArray[np.float32],
    codes: NDArray[np.int8] | None = None,
    inverse_norm: NDArray[np.float32] | None = None,
) -> tuple[NDArray[np.int8], Any]: ...
def dequantize(codes: NDArray[np.int8], inverse_norm: Any) -> NDArray[np.float32]: ...
def signs(
    vectors: NDArray[np.float32] | NDArray[np.int8], out: NDArray[np.uint64] | None = None
) -> NDArray[np.uint64]: ...
def mark_rows(mask: NDArray[np.bool_], rows: NDArray[np.uint32], value: bool = True) -> None: ...
def distances(
    codes: NDArray[np.int8],
    inverse_norm: NDArray[np.float32],
    query_codes: NDArray[np.int8],
    query_inverse_norm: float,
    rows: Any = None,
) -> NDArray[np.float32]: ...
def scan(
    codes: NDArray[np.int8],
    inverse_norm: NDArray[np.float32],
    query_codes: NDArray[np.int8],
    query_inverse_norm: float,
    k: int,
    *,
    stop: int | None = None,
    mask: NDArray[np.uint8] | NDArray[np.bool_] | None = None,
    rows: Any = None,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]: ...
def scan_signs(
    signs: NDArray[np.uint64],
    codes: NDArray[np.int8],
    inverse_norm: NDArray[np.float32],
    query_signs: NDArray[np.uint64],
    query_codes: NDArray[np.int8],
    query_inverse_norm: float,
    k: int,
    *,
    rerank: int = 200,
    stop: int | None = None,
    mask: NDArray[np.uint8] | NDArray[np.bool_] | None = None,
    rows: Any = None,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]: ...
