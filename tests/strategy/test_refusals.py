"""What does not compile is refused with the user's file, line, the construct, and what to write instead."""

from __future__ import annotations

import importlib.util
import inspect
import math

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.strategy.prepare import prepare

BARS = nt.datasets.load("GOOG")[:50]
LIMIT = 3
TABLE = {"a": 1}


def helper_with_list(x):
    return [x]


def recursive(n):
    return recursive(n - 1)


class Base(nt.Strategy):
    fast: int = 3

    def init(self, data):
        self.f = data.sma(self.fast)
        self.array = data.close
        self.table = {"a": 1}


class SelfAssigned(Base):
    def on_bar(self, ctx):
        self.count = 1  # HERE


class MethodAsValue(Base):
    def on_bar(self, ctx):
        buy = ctx.buy  # HERE
        buy(1)


class MixedTuple(Base):
    def on_bar(self, ctx):
        sizes = (1, 2.5)
        ctx.buy(sizes[ctx.i % 2])  # HERE


class BoolIndex(Base):
    def on_bar(self, ctx):
        sizes = (1.0, 2.5)
        ctx.buy(sizes[ctx.close > ctx.open])  # HERE


class SelfItem(Base):
    def on_bar(self, ctx):
        self.array[0] += 1  # HERE


class ListMade(Base):
    def on_bar(self, ctx):
        x = [1, 2]  # HERE
        ctx.state[0] = x[0]


class Try(Base):
    def on_bar(self, ctx):
        try:  # noqa: SIM105  HERE
            ctx.buy()
        except ValueError:
            pass


class FString(Base):
    def on_bar(self, ctx):
        ctx.signal(1, 0.5, reasoning=f"close {ctx.close}")  # HERE


class Printing(Base):
    def on_bar(self, ctx):
        print(ctx.close)  # HERE


class Atan(Base):
    def on_bar(self, ctx):
        ctx.state[0] = math.atan(ctx.close)  # HERE


class NumpySum(Base):
    def on_bar(self, ctx):
        ctx.state[0] = np.sum(ctx.close)  # HERE


class RoundDigits(Base):
    def on_bar(self, ctx):
        ctx.state[0] = round(ctx.close, 2)  # HERE


class IndicatorAsNumber(Base):
    def on_bar(self, ctx):
        if self.f > 3:  # HERE
            ctx.buy()


class LineAsNumber(Base):
    def init(self, data):
        self.m = data.macd()

    def on_bar(self, ctx):
        if self.m.signal > 3:  # HERE
            ctx.buy()


class NoSuchLine(LineAsNumber):
    def on_bar(self, ctx):
        ctx.state[0] = ctx.value(self.m.singal)  # HERE


class LineOfOne(Base):
    def on_bar(self, ctx):
        ctx.state[0] = ctx.value(self.f.line)  # HERE


class ArrayOnSelf(Base):
    def on_bar(self, ctx):
        ctx.state[0] = self.array[ctx.i]  # HERE


class DictOnSelf(Base):
    def on_bar(self, ctx):
        ctx.state[0] = self.table["a"]  # HERE


class MissingAttribute(Base):
    def on_bar(self, ctx):
        ctx.state[0] = self.fsat  # HERE


class UnknownField(Base):
    def on_bar(self, ctx):
        ctx.state[0] = ctx.clsoe  # HERE


class UnknownMethod(Base):
    def on_bar(self, ctx):
        ctx.bye()  # HERE


class UnknownKeyword(Base):
    def on_bar(self, ctx):
        ctx.buy(stoploss=3.0)  # HERE


class BadTif(Base):
    def on_bar(self, ctx):
        ctx.buy(quantity=1, tif="forever")  # HERE


class SymbolAlone(Base):
    def on_bar(self, ctx):
        name = ctx.symbol  # HERE
        ctx.state[0] = len(name)


class ContextAlone(Base):
    def on_bar(self, ctx):
        alias = ctx  # HERE
        alias.buy()


class UndefinedName(Base):
    def on_bar(self, ctx):
        ctx.state[0] = undefined_name  # noqa: F821  HERE


class GlobalDict(Base):
    def on_bar(self, ctx):
        ctx.state[0] = TABLE["a"]  # HERE


class ListInHelper(Base):
    def on_bar(self, ctx):
        ctx.state[0] = helper_with_list(1)[0]


class Recursion(Base):
    def on_bar(self, ctx):
        ctx.state[0] = recursive(3)


class Walrus(Base):
    def on_bar(self, ctx):
        if (day := ctx.i % 5) == 1:  # HERE
            ctx.state[0] = day


class TwoTypes(Base):
    def on_bar(self, ctx):
        x = 1.0
        if ctx.i > 3:
            x = (1, 2)
        ctx.state[0] = x  # the types of x disagree


class WrongArgument(Base):
    def on_bar(self, ctx):
        ctx.state[0] = ctx.value(3)  # HERE


REFUSED = [
    (MethodAsValue, "ctx.buy in", "did you mean ctx.buy(...)?"),
    (MixedTuple, "an index into what is no tuple of one type", "make all values of the tuple floats"),
    (BoolIndex, "an index that is no integer", "the index an int"),
    (SelfAssigned, "self.count is assigned", "ctx.state[k]"),
    (SelfItem, "self.array is assigned", "ctx.state[k]"),
    (ListMade, "a list", "use a tuple"),
    (Try, "try/except", "test the condition before"),
    (FString, "an f-string", "give a literal text"),
    (Printing, "calling print", "these compile: abs"),
    (Atan, "calling math.atan", "exp, log"),
    (NumpySum, "calling np.sum", "whole-array work belongs in init"),
    (RoundDigits, "round with 2 arguments", "scale back"),
    (IndicatorAsNumber, "self.f, an indicator, as a number", "ctx.value(self.f)"),
    (LineAsNumber, "self.m.signal, an indicator, as a number", "ctx.value(self.m.signal)"),
    (NoSuchLine, "self.m.singal", "its lines are line, signal, histogram"),
    (LineOfOne, "self.f.line", "its lines are not named: it has one"),
    (ArrayOnSelf, "self.array", "data.indicator"),
    (DictOnSelf, "self.table", "use numbers"),
    (MissingAttribute, "self.fsat", "did you mean self.fast?"),
    (UnknownField, "ctx.clsoe", "did you mean ctx.close?"),
    (UnknownMethod, "ctx.bye", "ctx.buy"),
    (UnknownKeyword, "ctx.buy(stoploss=...)", "did you mean stop_loss=?"),
    (BadTif, "tif='forever'", "'gtc'"),
    (SymbolAlone, "ctx.symbol", 'ctx.symbol == "AAPL"'),
    (ContextAlone, "'ctx' on its own", "directly"),
    (UndefinedName, "'undefined_name'", "not defined"),
    (GlobalDict, "TABLE, a dict", "use numbers"),
    (ListInHelper, "a list in helper_with_list", "use a tuple"),
    (Recursion, "recursion through recursive", "write a loop"),
    (Walrus, ":= inside an expression", "a line of its own"),
    (TwoTypes, "cannot be compiled", "one type throughout"),
    (WrongArgument, "ctx.value: indicator must be an indicator made in init", ""),
]


@pytest.mark.parametrize(("strategy", "construct", "instead"), REFUSED, ids=lambda v: getattr(v, "__name__", None))
def test_refused_with_line_construct_and_a_way_out(strategy, construct, instead):
    with pytest.raises(nt.CompileError) as caught:
        prepare(nt.compiled(strategy), None, (BARS,))
    message = str(caught.value)
    assert construct in message and instead in message
    lines, first = inspect.getsourcelines(strategy)
    marked = [first + k for k, line in enumerate(lines) if "HERE" in line]
    if marked:
        assert message.startswith(f"{__file__}:{marked[0]}: "), message
    else:
        assert message.startswith(__file__)


@pytest.mark.parametrize("strategy", [SelfAssigned, SelfItem])
def test_assigning_to_self_is_refused_interpreted_too(strategy):
    lines, first = inspect.getsourcelines(strategy)
    line = next(first + k for k, text in enumerate(lines) if "HERE" in text)
    with pytest.raises(nt.InputError, match=rf"test_refusals\.py:{line}: self\.\w+ is assigned"):
        prepare(strategy, None, (BARS,))


def test_assigning_behind_the_back_is_refused_when_it_happens():
    class Sneaky(Base):
        def on_bar(self, ctx):
            setattr(self, "count", 1)  # noqa: B010

    made = prepare(Sneaky, None, (BARS,))
    with pytest.raises(AttributeError, match=r"self\.count may not be assigned"):
        made.on_bar(None)


def test_code_without_source_cannot_be_compiled():
    namespace = {"nt": nt}
    exec("class Made(nt.Strategy):\n    def on_bar(self, ctx):\n        pass\n", namespace)
    with pytest.raises(nt.CompileError, match=r"source of Made\.on_bar.* not available"):
        prepare(nt.compiled(namespace["Made"]), None, (BARS,))


@pytest.mark.parametrize("wrong", [3, None, "SmaCross", nt.Strategy, dict])
def test_only_strategies_are_compiled(wrong):
    with pytest.raises(nt.InputError, match="strategy must be"):
        nt.compiled(wrong)


def test_compiling_twice_is_compiling_once():
    once = nt.compiled(SelfAssigned)
    assert nt.compiled(once) is once and repr(once) == "compiled(SelfAssigned)"


@pytest.mark.parametrize(("count", "speeds"), [(400, [nt.compiled]), (1_500, [nt.compiled, lambda strategy: strategy])])
def test_branches_that_nest_too_deeply_are_refused_with_the_last_line(tmp_path, count, speeds):
    """An elif is an if inside the else before it. Interpreted more of them go than compiled."""
    lines = ["import neuraltrade as nt", "class Many(nt.Strategy):", "    def on_bar(self, ctx):"]
    for number in range(count):
        lines += [f"        {'elif' if number else 'if'} ctx.i == {number}:", "            ctx.buy()"]
    path = tmp_path / "many.py"
    path.write_text("\n".join(lines))
    spec = importlib.util.spec_from_file_location("many", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    said = rf"many\.py:{2 * count + 2}: Many\.on_bar nests its branches too deeply"
    for speed in speeds:
        with pytest.raises(nt.CompileError, match=said):
            nt.backtest(BARS, speed(module.Many))
