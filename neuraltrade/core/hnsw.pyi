import os
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from neuraltrade.core.wal import Faults

CONNECTIVITY_MAX: int
EXPANSION_MAX: int
BUILD_STEP: int

class _Flag(Protocol):
    def is_set(self) -> bool: ...

class Graph:
    dimension: int
    connectivity: int
    memory_bytes: int
    @staticmethod
    def build(
        codes: NDArray[np.int8],
        inverse_norm: NDArray[np.float32],
        *,
        connectivity: int = 16,
        expansion: int = 200,
        cancel: _Flag | None = None,
        progress: Callable[[int], object] | None = None,
    ) -> Graph | None: ...
    def search(
        self,
        query_codes: NDArray[np.int8],
        query_inverse_norm: float,
        k: int,
        *,
        expansion: int = 64,
        mask: NDArray[np.uint8] | NDArray[np.bool_] | None = None,
        stop: int | None = None,
        visit_budget: int = 0,
    ) -> tuple[NDArray[np.int64], NDArray[np.float32], bool, int]: ...
    def save(self, path: str | os.PathLike[str], *, faults: Faults | None = None) -> None: ...
    @staticmethod
    def load(
        path: str | os.PathLike[str],
        codes: NDArray[np.int8],
        inverse_norm: NDArray[np.float32],
        *,
        mapped: bool = False,
        faults: Faults | None = None,
    ) -> Graph: ...
    def __len__(self) -> int: ...
