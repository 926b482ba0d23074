"""The native states behind the indicators, for callers that have checked names and ranges."""

import numpy as np
from numpy.typing import NDArray

class State:
    inputs: int
    outputs: int
    def __init__(self, name: str, whole: tuple[int, ...], real: float) -> None: ...
    def feed(self, inputs: tuple[NDArray[np.float64], ...]) -> tuple[NDArray[np.float64], ...]: ...

def log_of(x: NDArray[np.float64]) -> NDArray[np.float64]: ...
