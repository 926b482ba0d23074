"""What an on_bar that stays must not keep, and the bodies that are called because they could tell."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.strategy import prepare

GOOG = nt.datasets.load("GOOG")
NEVER = sys.maxsize
CALLS = 5


def stays(strategy):
    return prepare.prepare(strategy, None, [GOOG]).resident is not None


class Base(nt.Strategy):
    level: float = 2.5

    def init(self, data):
        self.f, self.s = data.sma(5), data.sma(20)


class Comprehends(Base):
    """From Python 3.12 on `CALLS` would be a local of the body that stays."""

    def on_bar(self, ctx):
        few = [CALLS for CALLS in (1, 2)]
        ctx.state[0] += CALLS + len(few)


class Rebinds(Base):
    def on_bar(self, ctx):
        try:
            if ctx.i == 3:
                raise KeyError
            ctx.state[0] += ctx.close
        except KeyError as ctx:  # noqa: PLR1704
            pass


class Captures(Base):
    def on_bar(self, ctx):
        match ctx.i:
            case 5 as ctx:
                return
        ctx.state[0] += ctx.close


class SetsByName(Base):
    def on_bar(self, ctx):
        setattr(type(self), "pace", 100.0 + ctx.i % 3)  # noqa: B010
        ctx.state[0] += ctx.close > self.pace


class SetsThroughItsClass(Base):
    @classmethod
    def quicken(cls, pace):
        setattr(cls, "pace", pace)  # noqa: B010

    def on_bar(self, ctx):
        self.quicken(100.0 + ctx.i % 3)
        ctx.state[0] += ctx.close > self.pace


@pytest.mark.parametrize("strategy", [Comprehends, Rebinds, Captures, SetsByName, SetsThroughItsClass])
def test_what_could_change_unseen_is_called(monkeypatch, strategy):
    monkeypatch.setattr(strategy, "pace", 2.5, raising=False)
    monkeypatch.setattr(prepare, "RESIDENT_BARS_MIN", 0)
    assert not stays(strategy)
    assert len(nt.backtest(GOOG[:30], strategy).equity) == 30


class Imports(Base):
    """Calls of an imported module's functions, which Python compiles unlike a method's."""

    def on_bar(self, ctx):
        if math.floor(ctx.close) % 2 and not np.isnan(ctx.value(self.s)) and ctx.position == 0:
            ctx.buy(math.ceil(ctx.close / 100.0))
        elif ctx.crossed_below(self.f, self.s):
            ctx.close_position()


def test_functions_of_imported_modules_do_not_keep_a_body_from_staying(monkeypatch):
    assert stays(Imports)
    whole = nt.backtest(GOOG, Imports, cash=1e6)
    monkeypatch.setattr(prepare, "RESIDENT_BARS_MIN", NEVER)
    assert whole.digest == nt.backtest(GOOG, Imports, cash=1e6).digest
    assert len(whole.fills) > 20


@pytest.mark.parametrize("name", ["Momentum", "MeanReversion", "Trend", "Pairs", "Ensemble"])
def test_the_library_stays(name):
    made = getattr(nt.strategy.library, name)
    strategy = made.of([nt.strategy.library.Momentum]) if name == "Ensemble" else made()
    data = [nt.datasets.load(symbol)[-2_000:] for symbol in ("AAPL", "MSFT")]
    assert prepare.prepare(strategy, None, data).resident is not None


class Still(Base):
    pace = 80.0  # of the class: no parameter

    def act(self, ctx, x):
        return x

    def on_bar(self, ctx):
        self.act(ctx, 1)
        if ctx.close > self.pace:
            ctx.buy(1)
        else:
            ctx.close_position()


class Drifts(Still):
    def act(self, ctx, x):
        type(self).pace += 10.0
        return x


def test_a_number_that_a_helper_changes_is_read_anew(monkeypatch):
    """Also where the same on_bar has run with a helper that changes nothing."""
    digests = []
    for least in (NEVER, 0):
        monkeypatch.setattr(prepare, "RESIDENT_BARS_MIN", least)
        nt.backtest(GOOG[:200], Still)
        monkeypatch.setattr(Drifts, "pace", 80.0)
        assert stays(Drifts) is (least == 0)
        result = nt.backtest(GOOG[:200], Drifts)
        digests.append(result.digest)
        assert len(result.fills) > 1
    assert digests[0] == digests[1]


def test_code_that_a_reload_replaces_runs(monkeypatch):
    class Old(Base):
        def on_bar(self, ctx):
            if ctx.crossed_above(self.f, self.s):
                ctx.buy(1)

    class New(Base):
        def on_bar(self, ctx):
            if ctx.crossed_above(self.f, self.s):
                ctx.sell(2)

    monkeypatch.setattr(prepare, "RESIDENT_BARS_MIN", 0)
    before = nt.backtest(GOOG[:400], Old).digest
    Old.on_bar.__code__ = New.on_bar.__code__
    assert before != nt.backtest(GOOG[:400], Old).digest == nt.backtest(GOOG[:400], New).digest


def test_an_object_in_a_leading_local_is_let_go(monkeypatch):
    counts = []

    class Held:
        alive = 0

        def __init__(self):
            Held.alive += 1
            counts.append(Held.alive)

        def __del__(self):
            Held.alive -= 1

    class Holds(nt.Strategy):
        def on_bar(self, ctx):
            held = Held()
            ctx.state[0] += held is not None

    monkeypatch.setattr(prepare, "RESIDENT_BARS_MIN", 0)
    assert stays(Holds)
    nt.backtest(GOOG[:20], Holds)
    assert counts == [1] * 20
