"""The `data` face that `init` receives where a run is over ticks: no bars, hence no indicator columns."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from ..errors import InputError


class TickData:
    """Ticks of a run as `init` sees them. symbols : their names. There are no columns over bars, so no indicators:
    what changes from event to event lives in `ctx.state[k]`.

    >>> import neuraltrade as nt
    >>> nt.strategy.TickData(nt.Ticks([nt.Trades("X", [1], [10.0], [1], [1])])).symbols
    ('X',)
    """

    def __init__(self, ticks: Any) -> None:
        self.symbols: tuple[str, ...] = ticks.symbols
        self.bars: tuple[Any, ...] = ()

    def columns(self) -> list[list[np.ndarray]]:
        """No indicator columns, for each symbol."""
        return [[] for _ in self.symbols]

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        raise InputError(
            f"data.{name}: a run over ticks has no bars, hence no indicators; keep what changes in ctx.state[k]"
        )
