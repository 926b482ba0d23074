import numpy as np
from numpy.typing import NDArray

def differences(
    signs: NDArray[np.uint64],
    query_signs: NDArray[np.uint64],
    mask: NDArray[np.uint8] | NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.uint16], NDArray[np.int64]]: ...
