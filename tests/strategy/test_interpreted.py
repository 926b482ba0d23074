"""Interpreted strategies stay the user's own functions; only powers and transcendental functions are routed."""

from __future__ import annotations

import math
import traceback
from math import exp

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.strategy import interpreted, shared_math

BARS = nt.datasets.load("GOOG")[:30]


def outer(scale):
    """A strategy class with a closure, defaults and super()."""

    class Base(nt.Strategy):
        def score(self, x, power=2.5):
            return x**power

    class Inner(Base):
        def score(self, x, power=1.5):
            return super().score(x, power) * scale

        def on_bar(self, ctx):
            ctx.state[0] = (
                self.score(ctx.close) + math.log(ctx.close) + exp(1.0) + np.tanh(0.5) + pow(2.0, 0.3) + helper(3.0)
            )
            if ctx.i == 5:
                raise ValueError("here")  # HERE

    return Inner


def helper(x):
    return x**0.3


def descend(n, x):
    return math.sqrt(x) if n <= 0 else descend(n - 1, x + 1.0) ** 0.3 / 3.0


def even(n, x):
    return x if n == 0 else odd(n - 1, x) ** 0.7


def odd(n, x):
    return x if n == 0 else even(n - 1, x) ** 1.1


def count_down(n):
    return 0 if n <= 0 else count_down(n - 1)


class Recursive(nt.Strategy):
    def on_bar(self, ctx):
        ctx.state[0] = descend(2, ctx.close) + even(3, ctx.close) + count_down(4)


class Plain(nt.Strategy):
    def on_bar(self, ctx):
        ctx.state[0] = math.sqrt(ctx.close) * 2


class Context:
    """Enough of ctx for one call."""

    def __init__(self, close):
        self.close, self.i, self.state = close, 0, [0.0]


def test_a_body_without_powers_is_left_alone():
    instance = Plain()
    assert interpreted.bind(instance).__func__ is Plain.on_bar


def test_powers_and_math_take_the_shared_functions():
    scale = 3.0
    instance = outer(scale)()
    ctx = Context(17.25)
    interpreted.bind(instance)(ctx)
    expected = (
        shared_math.pow(17.25, 1.5) * scale
        + shared_math.log(17.25)
        + shared_math.exp(1.0)
        + shared_math.tanh(0.5)
        + shared_math.pow(2.0, 0.3)
        + shared_math.pow(3.0, 0.3)
    )
    assert ctx.state[0] == expected


def test_helpers_that_call_themselves_take_the_shared_functions_all_the_way():
    power, context = shared_math.pow, Context(37.3)
    instance = Recursive()
    interpreted.bind(instance)(context)
    descended = power(power(math.sqrt(39.3), 0.3) / 3.0, 0.3) / 3.0
    turned = power(power(power(37.3, 0.7), 1.1), 0.7)
    assert context.state[0] == descended + turned
    routed = interpreted.route(descend, Recursive, {})
    assert (routed.__name__, routed.__qualname__, routed.__code__.co_name) == ("descend",) * 3
    assert interpreted.route(count_down, Recursive, {}) is count_down
    assert nt.backtest(BARS, Recursive).digest == nt.backtest(BARS, Plain).digest
    with pytest.raises(nt.CompileError, match=r"test_interpreted\.py:\d+: recursion through descend"):
        nt.backtest(BARS, nt.compiled(Recursive))


def test_tracebacks_show_the_users_line():
    with pytest.raises(nt.StrategyError, match="on_bar raised ValueError at bar 5: here") as caught:
        nt.backtest(BARS, outer(1.0))
    shown = traceback.extract_tb(caught.value.__cause__.__traceback__)[-1]
    assert shown.filename == __file__ and shown.name == "on_bar" and shown.line.endswith("# HERE")


def test_constants_fold_and_squares_multiply():
    class Powers(nt.Strategy):
        def on_bar(self, ctx):
            ctx.state[0] = 10**9 + ctx.close**2
            x = 2.0
            x **= 3
            ctx.state[0] += x

    ctx = Context(1.1)
    interpreted.bind(Powers())(ctx)
    assert ctx.state[0] == 10**9 + 1.1 * 1.1 + 8.0


def test_domains_follow_c_not_python():
    class Odd(nt.Strategy):
        def on_bar(self, ctx):
            ctx.state[0] = math.log(-ctx.close)

    ctx = Context(2.0)
    interpreted.bind(Odd())(ctx)
    assert math.isnan(ctx.state[0])


def test_code_without_source_runs_as_it_is():
    namespace = {"nt": nt}
    exec("class Made(nt.Strategy):\n    def on_bar(self, ctx):\n        ctx.state[0] = ctx.close**0.5\n", namespace)
    ctx = Context(4.0)
    interpreted.bind(namespace["Made"]())(ctx)
    assert ctx.state[0] == 2.0


def test_plain_turns_numpy_scalars_into_python_numbers():
    assert [type(interpreted.plain(x)) for x in (np.float64(1), np.int32(1), np.bool_(True), 1.5)] == [
        float,
        int,
        bool,
        float,
    ]
    assert [type(x) for x in interpreted.plain((np.float64(1), 2))] == [float, int]
    rows = np.zeros(2)
    assert interpreted.plain(rows) is rows
