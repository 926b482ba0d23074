"""Runs over history. The package is callable: `nt.backtest` is the function, however the package was first imported."""

from __future__ import annotations

import sys
import types
from typing import Any

from .leaks import Leak, LookaheadReport
from .lookahead import check_lookahead
from .run import backtest

__all__ = ["Leak", "LookaheadReport", "backtest", "check_lookahead"]


class _CallableModule(types.ModuleType):
    """Importing a submodule binds the package to `neuraltrade.backtest`, over the function of that name."""

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return backtest(*arguments, **keywords)


sys.modules[__name__].__class__ = _CallableModule
sys.modules[__name__].__doc__ = backtest.__doc__
