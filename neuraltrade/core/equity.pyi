"""What the statistics of a run take from its equity, measured natively."""

import numpy as np
from numpy.typing import NDArray

def measure(
    equity: NDArray[np.float64], start: float, target: float
) -> tuple[NDArray[np.float64], dict[str, float]]: ...
def lower_tail(values: NDArray[np.float64], share: float) -> tuple[float, float]: ...
