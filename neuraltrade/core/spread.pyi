"""The spread of two series, bar by bar: a Kalman filter of its hedge ratio, and the side that its score asks for."""

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float64]

def kalman(y: Column, x: Column, delta: float) -> tuple[Column, Column]: ...
def sides(z: Column, allowed: NDArray[np.bool_], entry: float, leave: float, stop: float) -> Column: ...
