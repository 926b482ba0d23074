"""Twenty honest strategies pass, and so does every indicator of the package, bit by bit."""

from __future__ import annotations

import inspect
import math
import sys
from pathlib import Path

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.strategy.indicators import _functions, _leading

sys.path.insert(0, str(Path(__file__).parent))
from random_bars import HOUR_NS, made

CHEAP = {"cuts": 5, "decisions": 4}


DAILY, HOURLY = made(seed=5), made(seed=5, step_ns=HOUR_NS)
PANEL = nt.Panel([made("A", seed=1), made("B", seed=2, count=130)])


class Follows(nt.Strategy):
    def on_bar(self, ctx):
        value = ctx.value(self.signal)
        if value > 0.0:
            ctx.buy()
        elif value < 0.0:
            ctx.close_position()


class Cross(nt.Strategy):
    fast: int = 5
    slow: int = 20

    def init(self, data):
        self.f, self.s = data.sma(self.fast), data.sma(self.slow)

    def on_bar(self, ctx):
        if ctx.crossed_above(self.f, self.s):
            ctx.buy(stop_loss_rate=0.05, take_profit_rate=0.1)
        elif ctx.crossed_below(self.f, self.s):
            ctx.sell()


class Lagged(Follows):
    """shift(1) looks back."""

    def init(self, data):
        self.signal = data.indicator(data.close - np.concatenate(([np.nan], data.close[:-1])), "yesterday")


class Trailing(Follows):
    """A trailing mean by convolution."""

    def init(self, data):
        mean = np.convolve(data.close, np.ones(5) / 5.0)[: len(data)]
        self.signal = data.indicator(np.where(np.arange(len(data)) < 4, np.nan, data.close - mean), "trailing")


class Expanding(Follows):
    """Scaled by what was known at each bar."""

    def init(self, data):
        count = np.arange(1, len(data) + 1)
        mean = np.cumsum(data.close) / count
        deviation = np.sqrt(np.maximum(np.cumsum(data.close**2) / count - mean**2, 1e-12))
        self.signal = data.indicator((data.close - mean) / deviation, "expanding")


class ExpandingRank(Follows):
    def init(self, data):
        ranks = [np.mean(data.close[: i + 1] <= data.close[i]) for i in range(len(data))]
        self.signal = data.indicator(np.array(ranks) - 0.5, "rank so far")


class FilledForward(Follows):
    def init(self, data):
        moves = np.diff(data.close, prepend=data.close[0])
        rows = np.maximum.accumulate(np.where(np.abs(moves) > 1.5, np.arange(len(moves)), 0))
        self.signal = data.indicator(moves[rows], "last large move")


class ConfirmedPivots(Follows):
    """A low counts a bar later, when it is known for one."""

    def init(self, data):
        low, known = data.low, np.zeros(len(data))
        known[2:] = (low[1:-1] < low[:-2]) & (low[1:-1] < low[2:])
        self.signal = data.indicator(known, "pivot, confirmed")


class RollingFit(Follows):
    def init(self, data):
        slope = np.full(len(data), np.nan)
        for i in range(19, len(data)):
            slope[i] = np.polyfit(np.arange(20.0), data.close[i - 19 : i + 1], 1)[0]
        self.signal = data.indicator(slope, "slope of 20")


class DayBefore(Follows):
    """The day's high and low from the next day on."""

    def init(self, data):
        days = data.bars[0].resample("1d")
        at = np.searchsorted(days.ts_ns, data.ts_ns, side="left") - 1
        middle = np.where(at >= 0, 0.5 * (days.high + days.low)[np.maximum(at, 0)], np.nan)
        self.signal = data.indicator(middle - data.close, "middle of the day before")


class FirstOfTheMonth(Follows):
    def init(self, data):
        month = data.ts_ns.astype("datetime64[ns]").astype("datetime64[M]").astype(int)
        self.signal = data.indicator(np.where(np.diff(month, prepend=month[0]) != 0, 1.0, -1.0), "new month")


class SameBar(nt.Strategy):
    """The bar's own high, low and close: on_bar runs after it."""

    def on_bar(self, ctx):
        if ctx.close > 0.75 * ctx.high + 0.25 * ctx.low:
            ctx.buy(limit=ctx.low, stop_loss=ctx.low * 0.95, tif="day")
        elif ctx.close < 0.25 * ctx.high + 0.75 * ctx.low:
            ctx.close_position()


class LooksBack(nt.Strategy):
    def on_bar(self, ctx):
        if ctx.bar >= 10:
            ctx.target(0.9 if ctx.close > ctx.ago(10).close else 0.0)


class KeepsState(nt.Strategy):
    """A peak in ctx.state, sold off at a tenth below it."""

    def on_bar(self, ctx):
        ctx.state[0] = max(ctx.state[0], ctx.close)
        if ctx.position == 0.0 and ctx.i % 9 == 2:
            ctx.buy()
            ctx.state[0] = ctx.close
        elif ctx.close < 0.97 * ctx.state[0]:
            ctx.close_position()


class ReadsItsOwnRow(nt.Strategy):
    """An array on self, read at the current bar and the one before."""

    def init(self, data):
        self.closes = data.close

    def on_bar(self, ctx):
        if ctx.i > 0 and self.closes[ctx.i] > self.closes[ctx.i - 1]:
            ctx.buy()
        else:
            ctx.close_position()


class Seeded(nt.Strategy):
    """Random, and the same every time: the seed is set in init."""

    def init(self, data):
        draws = np.random.default_rng(7).normal(size=100_000)[: len(data)]
        self.draw = data.indicator(draws, "draw")

    def on_bar(self, ctx):
        if ctx.value(self.draw) > 1.0:
            ctx.buy()
        elif ctx.value(self.draw) < -1.0:
            ctx.close_position()


class Trails(nt.Strategy):
    def init(self, data):
        self.atr = data.atr(10)

    def on_bar(self, ctx):
        if ctx.position == 0.0 and ctx.i % 12 == 11:
            ctx.buy(trail=2.0 * ctx.value(self.atr))


class Rotates(nt.Strategy):
    def init(self, data):
        self.past = data.log_returns(10)

    def on_bar(self, ctx):
        if ctx.i % 10 == 0 and not math.isnan(ctx.value(self.past)):
            ctx.target(0.4 if ctx.value(self.past) > 0.0 else 0.0)


def breakout(bars):
    high = np.array([bars.high[max(0, i - 20) : i].max() if i else np.inf for i in range(len(bars))])
    low = np.array([bars.low[max(0, i - 10) : i].min() if i else 0.0 for i in range(len(bars))])
    return nt.Signals(entries=bars.close > high, exits=bars.close < low, stop_loss=0.08)


def sized(bars):
    returns = np.diff(np.log(bars.close), prepend=np.log(bars.close[0]))
    spread = np.array([returns[max(0, i - 15) : i + 1].std() + 0.005 for i in range(len(bars))])
    return nt.Signals(entries=returns > 0.01, exits=returns < -0.01, size=0.1 / spread)


CLEAN = {
    "crossing with a bracket": (DAILY, Cross),
    "crossing, compiled": (DAILY, nt.compiled(Cross)),
    "shift(1)": (DAILY, Lagged),
    "trailing window": (DAILY, Trailing),
    "expanding z-score": (DAILY, Expanding),
    "expanding rank": (DAILY, ExpandingRank),
    "forward fill": (DAILY, FilledForward),
    "pivot, confirmed": (DAILY, ConfirmedPivots),
    "rolling regression": (DAILY, RollingFit),
    "resampled to the day before": (HOURLY, DayBefore),
    "first bar of the month": (DAILY, FirstOfTheMonth),
    "the bar's own high and low": (DAILY, SameBar),
    "ten bars back": (DAILY, LooksBack),
    "kept in ctx.state": (DAILY, KeepsState),
    "array read at its own row": (DAILY, ReadsItsOwnRow),
    "random with a seed": (DAILY, Seeded),
    "trailing stop by ATR": (DAILY, Trails),
    "panel": (PANEL, Rotates),
    "breakout signals": (DAILY, breakout),
    "sized signals": (DAILY, sized),
}


@pytest.mark.parametrize("name", CLEAN)
def test_an_honest_strategy_passes(name):
    data, strategy = CLEAN[name]
    found = nt.check_lookahead(data, strategy, tolerance=0.0, fees=0.001, **CHEAP)
    assert found.passed and found and found.leaks == (), found
    assert found.decisions > 0 and found.runs >= 2 * CHEAP["cuts"] and found.skipped <= 1
    assert found.verdict == "passed" and "passed" in repr(found)


def test_there_are_twenty():
    assert len(CLEAN) == 20


def test_every_indicator_of_the_package_keeps_its_bits():
    """Whatever data.* offers: no value up to a bar changes with what follows it."""
    made_of = {}

    class All(nt.Strategy):
        def init(self, data):
            for name, function in sorted(_functions().items()):
                needed = [
                    p
                    for p in list(inspect.signature(function).parameters.values())[len(_leading(function)) :]
                    if p.default is inspect.Parameter.empty
                ]
                if all(p.name in ("window", "period", "n", "length", "bars") for p in needed):
                    made_of[name] = getattr(data, name)(*([7] * len(needed)))

        def on_bar(self, ctx):
            pass

    found = nt.check_lookahead(DAILY, All, cuts=6, tolerance=0.0)
    assert found.passed, found
    assert len(made_of) >= 12 and {"sma", "ema", "rsi", "macd", "atr", "bbands"} <= made_of.keys()
    assert "nothing was decided" in found.notes[-1] or any("nothing was decided" in note for note in found.notes)


@pytest.mark.parametrize("name", ["Momentum", "MeanReversion", "Trend", "Pairs"])
def test_the_library_passes(name):
    one = nt.datasets.load("IBM")[:400]
    data = nt.Panel([one, nt.datasets.load("AAPL")[:400]]) if name == "Pairs" else one
    found = nt.check_lookahead(data, getattr(nt.strategy.library, name), cuts=3, decisions=2)
    assert found.passed and found.decisions > 0, found
