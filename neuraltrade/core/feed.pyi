"""Types of neuraltrade.core.feed: merged ticks as the engine reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

class TickFeed:
    """Columns of `ticks` (an nt.Ticks) for a run over `symbols`.

    Raises InputError where an event is heard before it happens.
    """

    stream_count: int
    event_count: int
    clock_ts_ns: npt.NDArray[np.int64]
    def __init__(self, ticks: Any, symbols: Sequence[str]) -> None: ...
