"""Checks that every setting shares."""

from __future__ import annotations

import difflib
import math
from typing import Any

from ...errors import InputError

PRICE_MAX = 9_223_372_036.0  # int64 at 1e-9, in whole units


def number(owner: str, name: str, value: Any, low: float, high: float, *, above: bool = False) -> float:
    """`value` as a float in [low, high] (above: in (low, high]), or InputError."""
    bounds = f"{'above' if above else 'at least'} {low:g} and at most {high:g}"
    if isinstance(value, bool) or (not isinstance(value, (int, float)) and not hasattr(value, "__float__")):
        raise InputError(f"{owner}: {name} must be a number {bounds}, was {value!r}")
    found = float(value)
    if not math.isfinite(found) or found < low or found > high or (above and found == low):
        raise InputError(f"{owner}: {name} must be {bounds}, was {value!r}")
    return found


def choice(owner: str, name: str, value: Any, allowed: tuple[str, ...]) -> None:
    if value in allowed:
        return
    close = difflib.get_close_matches(str(value), allowed, 1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise InputError(f"{owner}: {name} must be one of {', '.join(allowed)}, was {value!r}{hint}")
