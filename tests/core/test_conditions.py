"""A condition's truth is that of the expression it stands for, at every bar, for every symbol, NaN included."""

from __future__ import annotations

import operator

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.core.conditions import COLUMNS, FIELDS, KINDS, Condition, Reading

OPERATORS = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
SIDES = [
    *(("indicator", index) for index in range(3)),
    *(("column", name) for name in COLUMNS),
    *(("field", name) for name in FIELDS),
    ("constant", 0.0),
    ("constant", 3.0),
    ("constant", float("nan")),
]


def bars(symbol: str, rows: int, seed: int, start: int = 0) -> nt.Bars:
    """Prices of a few values, so that equal ones are met."""
    rng = np.random.default_rng(seed)
    close = rng.integers(1, 6, rows).astype(float)
    ts_ns = (start + np.arange(1, rows + 1)) * 60_000_000_000
    return nt.Bars(symbol, ts_ns, close, close + 1, close - 0.5, close, rng.integers(1, 6, rows).astype(float))


class Asked(nt.Strategy):
    """Compares every condition with the expression that Python evaluates."""

    def init(self, data):
        rng = np.random.default_rng(7)
        self.handles = tuple(
            data.indicator([self.column(rng, len(one)) for one in data.bars], f"n{index}") for index in range(3)
        )
        self.kept, self.truths, self.asked = {}, {}, []

    @staticmethod
    def column(rng, rows):
        values = rng.integers(1, 6, rows).astype(float)
        values[rng.random(rows) < 0.15] = np.nan
        return values

    def value(self, ctx, side):
        what, which = side
        if what == "indicator":
            return ctx.value(self.handles[which])
        return which if what == "constant" else getattr(ctx, which)

    def series(self, side):
        return self.handles[side[1]] if side[0] == "indicator" else side[1]

    def expected(self, ctx, kind, left, right):
        if kind in OPERATORS:
            return OPERATORS[kind](self.value(ctx, left), self.value(ctx, right))
        return getattr(ctx, kind)(self.series(left), self.series(right))

    def on_bar(self, ctx):
        for side in SIDES:
            number = ~Reading(ctx, side)
            assert type(number) is float and repr(number) == repr(self.value(ctx, side)), (ctx.i, ctx.symbol, side)
        for case in ((k, a, b) for k in KINDS for a in SIDES for b in SIDES):
            kind, left, right = case
            if kind not in OPERATORS and {left[0], right[0]} & {"column", "field"}:
                continue
            if left[0] == right[0] == "constant":
                continue
            if case not in self.kept:
                self.kept.update({case: Condition(ctx, *case)})
            condition = self.kept[case]
            truth = bool(condition)
            assert truth is self.expected(ctx, *case), (ctx.i, ctx.symbol, case)
            self.truths.setdefault(kind, set()).add(truth)
            self.asked.append(case)
        if ctx.i % 5 == 2:
            ctx.target(0.5)
        elif ctx.i % 5 == 4:
            ctx.close_position()


def asked(monkeypatch, data) -> Asked:
    """The strategy that the run made, after it."""
    made = []
    settled = Asked.init

    def init(self, data):
        settled(self, data)
        made.append(self)

    monkeypatch.setattr(Asked, "init", init)
    nt.backtest(data, Asked)
    return made[0]


def test_of_one_symbol(monkeypatch):
    found = asked(monkeypatch, bars("A", 40, 1))
    assert found.truths == {kind: {True, False} for kind in KINDS} and len(found.asked) > 20_000


def test_of_a_panel_whose_clocks_differ(monkeypatch):
    panel = nt.Panel([bars("A", 12, 2), bars("B", 9, 3, start=5), bars("C", 7, 4, start=2)])
    found = asked(monkeypatch, panel)
    assert found.truths == {kind: {True, False} for kind in KINDS}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("=", ("constant", 1.0), ("constant", 1.0)), "kind must be one of crossed_above.*was '='"),
        (("<", ("indicator", 3), ("constant", 1.0)), "has 3 indicators, index was 3"),
        (("<", ("indicator", -1), ("constant", 1.0)), "has 3 indicators, index was -1"),
        (("<", ("column", "ask"), ("constant", 1.0)), "columns are open.*was 'ask'"),
        (("<", ("constant", 1.0), ("field", "i")), "fields are position.*was 'i'"),
        (("<", ("constant", 1.0), ("price", "i")), "a side is .*was 'price'"),
    ],
)
def test_what_is_no_condition(arguments, message):
    caught = []

    class Wrong(nt.Strategy):
        def init(self, data):
            self.handles = tuple(data.sma(n) for n in (2, 3, 4))

        def on_bar(self, ctx):
            with pytest.raises(nt.InputError, match=message) as error:
                Condition(ctx, *arguments)
            caught.append(error)

            if arguments[2][0] == "constant":
                with pytest.raises(
                    nt.InputError, match=message.replace("kind must be one of crossed_above.*was '='", "side")
                ):
                    Reading(ctx, arguments[1] if arguments[0] == "<" else ("side", 1))

    nt.backtest(bars("A", 5, 1), Wrong)
    assert len(caught) == 5
