"""An on_bar that stays in a run of several strategies: each sees its own slots, whatever the others have."""

from __future__ import annotations

import importlib.util
import inspect
import sys
import traceback
from pathlib import Path

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.strategy import prepare

NEVER = sys.maxsize


def load(path: Path, name: str):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


bodies = load(Path(__file__).with_name("test_resident.py"), "bodies_of_a_resident_team")
GOOG, PANEL = bodies.GOOG[:400], bodies.PANEL
FLAGS = []


class Notes(nt.Strategy):
    """Notes whether the frame that runs it is a generator's."""

    def on_bar(self, ctx):
        FLAGS.append(bool(sys._getframe().f_code.co_flags & inspect.CO_GENERATOR))
        if ctx.close > ctx.open and ctx.position == 0:
            ctx.buy(1)
        elif ctx.close < ctx.open:
            ctx.close_position()


class Many(bodies.Base):
    """More indicators than the others have, and the last of them read."""

    def init(self, data):
        self.lines = tuple(data.sma(n) for n in range(3, 12))
        self.last = data.sma(40)

    def on_bar(self, ctx):
        if ctx.crossed_above(self.lines[1], self.last):
            ctx.buy(2)
        elif ctx.close < ctx.value(self.last):
            ctx.close_position()


class Raises(Many):
    def on_bar(self, ctx):
        if ctx.crossed_above(self.lines[0], self.last) and ctx.i > 100:
            raise ValueError("here")


class Stops(nt.Strategy):
    def on_bar(self, ctx):
        if ctx.i == 7:
            next(iter(()))


def both(monkeypatch, work):
    """What `work` gives with on_bar called, and where it stays."""
    made = []
    for least in (NEVER, 0):
        monkeypatch.setattr(prepare, "RESIDENT_BARS_MIN", least)
        monkeypatch.setitem(bodies.__dict__, "CALLS", 0)
        bodies.OnClass.level = 2.5
        made.append(work())
    return made


SIGNALS = nt.Signals(entries=np.arange(len(GOOG)) % 20 == 0, exits=np.arange(len(GOOG)) % 20 == 10)
TEAMS = [
    (PANEL, [Notes, Many, bodies.Levels, bodies.Conditions]),
    (GOOG, [Many, SIGNALS, *bodies.BODIES, Notes]),
    (GOOG, {"few": bodies.two_speeds.SmaCross, "fast": nt.compiled(bodies.two_speeds.SmaCross), "many": Many}),
]


@pytest.mark.parametrize(("data", "team"), TEAMS, ids=["panel", "one", "mixed"])
def test_a_team_decides_alike(monkeypatch, data, team):
    called, stayed = both(monkeypatch, lambda: nt.backtest(data, team, cash=1e6, fees=0.001))
    assert len(called.fills) > 10 and stayed.digest == called.digest
    np.testing.assert_array_equal(stayed.equity, called.equity)
    np.testing.assert_array_equal(stayed.contributions(), called.contributions())


def test_its_bodies_stay(monkeypatch):
    def work():
        FLAGS.clear()
        nt.backtest(GOOG[:50], [Many, Notes])
        return list(FLAGS)

    called, stayed = both(monkeypatch, work)
    assert called == [False] * 50 and stayed == [True] * 50


@pytest.mark.parametrize("bad", [Raises, Stops])
def test_errors_are_the_same(monkeypatch, bad):
    def work():
        with pytest.raises(nt.StrategyError) as caught:
            nt.backtest(GOOG, [Notes, bad, Many])
        error = caught.value
        told = [(line.name, line.lineno) for line in traceback.extract_tb(error.__cause__.__traceback__)]
        lines = [line for line in told if not line[0].startswith("neuraltrade.")]
        return str(error), error.bar, type(error.__cause__), lines, error.result.digest

    called, stayed = both(monkeypatch, work)
    assert stayed == called and bad.__name__ in called[0] and called[3][-1][0] == "on_bar"
