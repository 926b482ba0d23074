"""Between the engine's signals and an Advisor: a row of numbers becomes a Signal, its confidence comes back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..schema import Signal

if TYPE_CHECKING:
    from ..ports import Advisor

_DIRECTIONS = {1: "long", -1: "short", 0: "neutral"}


def advice(
    advisor: Advisor, symbols: Sequence[str], strategy: str, texts: Sequence[str]
) -> Callable[[int, int, int, float, int, int], float]:
    """What the engine calls per signal: (symbol slot, ts_ns, direction, confidence, text index, signal id) ->
    confidence.

    Raises InputError where the Advisor hands back a confidence outside 0..1.
    """

    def ask(symbol: int, ts_ns: int, direction: int, confidence: float, text: int, signal_id: int) -> float:
        signal = Signal(
            id=signal_id,
            ts_ns=ts_ns,
            strategy=strategy,
            symbol=symbols[symbol],
            direction=_DIRECTIONS[direction],  # type: ignore[arg-type]
            confidence=confidence,
            reasoning=texts[text] if text >= 0 else "",
        )
        enhanced = float(advisor.enhance(signal, as_of=ts_ns).confidence)
        if not np.isfinite(enhanced) or not 0.0 <= enhanced <= 1.0:
            raise InputError(f"advisor: confidence must be in 0..1, was {enhanced}")
        return enhanced

    return ask
