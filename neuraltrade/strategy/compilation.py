"""nt.compiled: the same strategy, its `on_bar` as machine code."""

from __future__ import annotations

from typing import Any

from ..errors import InputError
from .base import Strategy


class CompiledStrategy:
    """A strategy that is to run compiled; made by `nt.compiled`."""

    __slots__ = ("strategy",)

    def __init__(self, strategy: type[Strategy] | Strategy) -> None:
        self.strategy = strategy

    def __repr__(self) -> str:
        inner = self.strategy.__name__ if isinstance(self.strategy, type) else repr(self.strategy)
        return f"compiled({inner})"


def compiled(strategy: Any) -> CompiledStrategy:
    """The strategy with `on_bar` compiled by numba: the same decisions, at native speed.

    strategy : a subclass of nt.Strategy, or an instance. `init` stays Python; `on_bar`, and the methods and functions
    it calls, become machine code when a run starts. Numbers set on `self` are handed over per run, so changing a
    parameter does not compile again. The code is cached on disk (NEURALTRADE_CACHE_DIR, else the user's cache folder).

    In `on_bar`: arithmetic, comparisons, if / for / while, tuples, math.exp log sin cos tan tanh sqrt floor ceil trunc
    fabs, abs min max round int float, everything on `ctx`, indicators and numbers on `self`. Not: lists, dicts, texts,
    try, printing, numpy. What does not compile raises nt.CompileError at the start of the run, with file, line and a
    way out. Raises InputError for anything but a strategy.

    Two rules of machine code: integers are 64 bits wide (beyond, OverflowError), and a name that is an int on one path
    and a float on another is a float on both, exact up to 2**53 (times in nanoseconds are larger: keep them apart).

    >>> import neuraltrade as nt
    >>> nt.compiled(nt.strategy.library.Momentum)
    compiled(Momentum)
    """
    if isinstance(strategy, CompiledStrategy):
        return strategy
    if isinstance(strategy, Strategy) or (
        isinstance(strategy, type) and issubclass(strategy, Strategy) and strategy is not Strategy
    ):
        return CompiledStrategy(strategy)
    raise InputError(f"strategy must be a subclass or an instance of nt.Strategy, was {strategy!r}")
