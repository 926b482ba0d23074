"""Runs over history. The package is callable: `nt.backtest` is the function, however the package was first imported."""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING, Any

from .run import backtest

if TYPE_CHECKING:
    from .leaks import Leak, LookaheadReport
    from .lookahead import check_lookahead

__all__ = ["Leak", "LookaheadReport", "backtest", "check_lookahead"]


def __getattr__(name: str) -> Any:
    """What a run does not need is imported when it is asked for."""
    if name in ("Leak", "LookaheadReport"):
        from . import leaks  # noqa: PLC0415

        return getattr(leaks, name)
    if name == "check_lookahead":
        from .lookahead import check_lookahead  # noqa: PLC0415

        return check_lookahead
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class _CallableModule(types.ModuleType):
    """Importing a submodule binds the package to `neuraltrade.backtest`, over the function of that name."""

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return backtest(*arguments, **keywords)


sys.modules[__name__].__class__ = _CallableModule
sys.modules[__name__].__doc__ = backtest.__doc__
