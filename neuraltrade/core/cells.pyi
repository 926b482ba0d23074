from typing import Protocol

import numpy as np
from numpy.typing import NDArray

CELLS_MAX: int
ASSIGN_STEP: int
SAMPLED: int

class _Flag(Protocol):
    def is_set(self) -> bool: ...

def assign(
    centres: NDArray[np.int8],
    centre_norms: NDArray[np.float32],
    codes: NDArray[np.int8],
    rows: NDArray[np.integer],
    cancel: _Flag | None = None,
) -> NDArray[np.uint32] | None: ...
def train(
    codes: NDArray[np.int8],
    inverse_norm: NDArray[np.float32],
    cells: int,
    *,
    iterations: int = 4,
    cancel: _Flag | None = None,
) -> tuple[NDArray[np.int8], NDArray[np.float32]] | None: ...

class Cells:
    count: int
    arrays: dict[str, np.ndarray]
    def __init__(
        self,
        codes: NDArray[np.int8],
        inverse_norm: NDArray[np.float32],
        centres: NDArray[np.int8],
        centre_norms: NDArray[np.float32],
        start: NDArray[np.uint32],
        order: NDArray[np.uint32],
        signs: NDArray[np.uint64],
    ) -> None: ...
    @staticmethod
    def build(
        codes: NDArray[np.int8],
        inverse_norm: NDArray[np.float32],
        signs: NDArray[np.uint64],
        cells: int,
        *,
        iterations: int = 4,
        cancel: _Flag | None = None,
    ) -> Cells | None: ...
    def search(
        self,
        query_codes: NDArray[np.int8],
        query_inverse_norm: float,
        query_signs: NDArray[np.uint64],
        k: int,
        *,
        probe: int,
        rerank: int = 200,
        mask: NDArray[np.uint8] | NDArray[np.bool_] | None = None,
        stop: int | None = None,
    ) -> tuple[NDArray[np.int64], NDArray[np.float32], int]: ...
    def __len__(self) -> int: ...
