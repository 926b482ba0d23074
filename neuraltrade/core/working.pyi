"""Types of neuraltrade.core.working."""

import numpy as np
import numpy.typing as npt

from .engine import Engine

def working(engine: Engine) -> npt.NDArray[np.void]: ...
def end_where_it_failed(engine: Engine) -> None: ...
