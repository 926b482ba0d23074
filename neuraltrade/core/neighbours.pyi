"""What followed the situations nearest to one, weighted by nearness."""

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

def forecast(features: Numbers, outcomes: Numbers, asked: Numbers, k: int) -> Numbers: ...
