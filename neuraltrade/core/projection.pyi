"""Rows of numbers to unit vectors, bit for bit the same in any batch and on any machine."""

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]

def project(rows: Matrix, linear: Matrix, turns: Matrix, phase: NDArray[np.float32], gain: float) -> Matrix: ...
def unit(rows: Matrix) -> Matrix: ...
