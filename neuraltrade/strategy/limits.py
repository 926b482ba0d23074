"""What a strategy's parameters may be, checked before anything is computed from them."""

from __future__ import annotations

from typing import Any

from ..errors import InputError

BARS_MAX = 10**9


def check_parameters(strategy: Any, **limits: tuple[float, float]) -> None:
    """InputError naming the first parameter outside its (least, most), both included; NaN is outside of any."""
    for name, (least, most) in limits.items():
        value = getattr(strategy, name)
        if not least <= value <= most:
            raise InputError(f"{type(strategy).__name__}.{name} must be in {least:g}..{most:g}, was {value!r}")
