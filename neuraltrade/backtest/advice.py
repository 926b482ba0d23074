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
    advisor: Advisor | None,
    symbols: Sequence[str],
    strategies: Sequence[str],
    texts: Sequence[Sequence[str]],
    reasoning: dict[int, str],
) -> Callable[[int, int, int, float, int, int], float]:
    """What the engine calls for each signal: (slot, ts_ns, direction, confidence, text index, signal id).

    symbols, strategies, texts : by slot.

    It returns the confidence after `advisor`, the same without one, and notes the signal's text in `reasoning` by id:
    events are numbers only. Raises InputError where the Advisor hands back a confidence outside 0..1.
    """

    def ask(symbol: int, ts_ns: int, direction: int, confidence: float, text: int, signal_id: int) -> float:
        reasoning[signal_id] = texts[symbol][text] if text >= 0 else ""
        if advisor is None:
            return confidence
        signal = Signal(
            id=signal_id,
            ts_ns=ts_ns,
            strategy=strategies[symbol],
            symbol=symbols[symbol],
            direction=_DIRECTIONS[direction],  # type: ignore[arg-type]
            confidence=confidence,
            reasoning=reasoning[signal_id],
        )
        enhanced = advisor.enhance(signal, as_of=ts_ns)
        if not isinstance(getattr(enhanced, "confidence", None), (int, float, np.number)):
            raise InputError(f"advisor: enhance must return the Signal, returned {enhanced!r}")
        after = float(enhanced.confidence)
        if not np.isfinite(after) or not 0.0 <= after <= 1.0:
            raise InputError(f"advisor: confidence must be in 0..1, was {after}")
        reasoning[signal_id] = enhanced.reasoning
        return after

    return ask
