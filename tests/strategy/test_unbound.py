"""A local name read before it has a value raises at both speeds, at the same bar and line; numba gives it zero."""

from __future__ import annotations

import numpy as np
import pytest

import neuraltrade as nt

BARS = nt.datasets.load("GOOG")[:30]
NARROW = np.float32(1.1)


class Branch(nt.Strategy):
    def on_bar(self, ctx):
        if ctx.i < 8:
            size, more = 2, 1
        ctx.buy(1)
        if ctx.i != 9:
            ctx.buy(size + more)  # HERE


class LoopOfNone(nt.Strategy):
    def on_bar(self, ctx):
        for k in range(8 - ctx.i):
            ctx.state[0] = k
        ctx.buy(k + 1)  # HERE


class Added(nt.Strategy):
    def on_bar(self, ctx):
        if ctx.i < 8:
            size = 1
        size += 1  # HERE
        ctx.buy(size)


class InMethod(nt.Strategy):
    def size(self, n):
        if n < 8:
            found = n + 1
        return found  # HERE

    def on_bar(self, ctx):
        ctx.buy(self.size(ctx.i))


class Shift(nt.Strategy):
    def on_bar(self, ctx):
        ctx.buy((255 >> (7 - ctx.i)) + 1)  # HERE


def left(strategy):
    with pytest.raises(nt.StrategyError) as caught:
        nt.backtest(BARS, strategy)
    return caught.value


@pytest.mark.parametrize("strategy", [Branch, LoopOfNone, Added, InMethod, Shift])
def test_raises_at_the_same_bar(strategy):
    error = "ValueError" if strategy is Shift else "UnboundLocalError"
    slow, fast = left(strategy), left(nt.compiled(strategy))
    assert f"{error} at bar 8" in str(slow)
    assert f"{error}:" in str(fast)
    assert "(on_bar at bar 8)" in str(fast)
    with open(__file__, encoding="utf-8") as file:
        line = file.read().splitlines()[int(str(fast).split(":")[1]) - 1]
    assert line.endswith("# HERE")
    assert slow.result.digest == fast.result.digest


class Always(nt.Strategy):
    """Every name has its value when it is read, though no branch tells."""

    def on_bar(self, ctx):
        for k in range(3):
            if k == ctx.i % 5:
                found = k
                break
        else:
            found = 9
        while True:
            size = found + 1
            if size > 0:
                break
        if ctx.i % 2:
            odd = 2.5
        ctx.buy((size + odd if ctx.i % 2 else size) + (ctx.i >> 3 * ctx.i) + (-5 >> 70) + 1)


def test_names_that_have_a_value_are_read():
    slow, fast = nt.backtest(BARS, Always), nt.backtest(BARS, nt.compiled(Always))
    assert len(slow.fills) > 10
    assert slow.digest == fast.digest


class Narrow(nt.Strategy):
    def on_bar(self, ctx):
        ctx.buy(ctx.close * NARROW)


def test_narrow_numbers_are_refused():
    """float32 times a float is a float32 in Python: compiled it would be another number."""
    with pytest.raises(nt.CompileError, match=r"NARROW, a numpy\.float32, .*write float\(\.\.\.\)"):
        nt.backtest(BARS, nt.compiled(Narrow))
