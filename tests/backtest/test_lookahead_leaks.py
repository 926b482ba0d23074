"""Twenty planted leaks, each caught, with the indicator or the decision that gives it away and how far it sees."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import neuraltrade as nt

sys.path.insert(0, str(Path(__file__).parent))
from random_bars import DAY_NS, HOUR_NS, made

CHEAP = {"cuts": 5, "decisions": 4}


DAILY = made(seed=3)
HOURLY = made(seed=3, step_ns=HOUR_NS)


def ahead(values, k=1):
    """values[i + k], NaN at the end: what shift(-k) of a frame gives."""
    return np.concatenate((values[k:], np.full(k, np.nan)))


class Follows(nt.Strategy):
    """Buys while an indicator is above zero, sells while it is below."""

    def on_bar(self, ctx):
        value = ctx.value(self.signal)
        if value > 0.0:
            ctx.buy()
        elif value < 0.0:
            ctx.close_position()


class Shifted(Follows):
    def init(self, data):
        self.signal = data.indicator(ahead(data.close) - data.close, "tomorrow")


class ShiftedByFive(Follows):
    def init(self, data):
        self.signal = data.indicator(ahead(data.close, 5) / data.close - 1.0, "next week")


class Rolled(Follows):
    def init(self, data):
        self.signal = data.indicator(np.roll(data.close, -1) - data.close, "rolled")


class Centred(Follows):
    def init(self, data):
        mean = np.convolve(data.close, np.ones(5) / 5.0, mode="same")
        self.signal = data.indicator(data.close - mean, "centred")


class FullSampleScaled(Follows):
    def init(self, data):
        self.signal = data.indicator((data.close - data.close.mean()) / data.close.std(), "zscore")


class FullSampleRange(Follows):
    def init(self, data):
        scaled = (data.close - data.close.min()) / (data.close.max() - data.close.min())
        self.signal = data.indicator(scaled - 0.5, "minmax")


class FullSampleRank(Follows):
    def init(self, data):
        ranks = np.argsort(np.argsort(data.close)) / len(data.close)
        self.signal = data.indicator(0.5 - ranks, "rank")


class FilledBackwards(Follows):
    def init(self, data):
        moved = np.abs(np.diff(data.close, prepend=data.close[0])) > 1.5
        known = np.where(moved, np.diff(data.close, prepend=data.close[0]), np.nan)
        later = np.where(np.isfinite(known), np.arange(len(known)), len(known) - 1)
        self.signal = data.indicator(known[np.minimum.accumulate(later[::-1])[::-1]], "backfilled")


class Interpolated(Follows):
    def init(self, data):
        rows = np.arange(0, len(data), 10)
        line = np.interp(np.arange(len(data)), rows, data.close[rows])
        self.signal = data.indicator(line - data.close, "interpolated")


class Pivots(Follows):
    """A low is a pivot once a higher one has followed: at its own bar nobody knows."""

    def init(self, data):
        low = data.low
        pivot = np.zeros(len(low))
        pivot[1:-1] = (low[1:-1] < low[:-2]) & (low[1:-1] < low[2:])
        self.signal = data.indicator(pivot, "pivot")


class Regressed(Follows):
    """One line fitted through all of the prices."""

    def init(self, data):
        rows = np.arange(len(data), dtype=float)
        slope, start = np.polyfit(rows, data.close, 1)
        self.signal = data.indicator(start + slope * rows - data.close, "fit")


class DayTotals(Follows):
    """The day's high and low at every hour of that day: the same bar, one size larger."""

    def init(self, data):
        day = (data.ts_ns - 1) // DAY_NS
        high = np.array([data.high[day == one].max() for one in day])
        low = np.array([data.low[day == one].min() for one in day])
        self.signal = data.indicator(0.5 * (high + low) - data.close, "middle of the day")


class ResampledByStart(Follows):
    """Daily bars put at the time their day begins, as a frame's resample labels them."""

    def init(self, data):
        days = data.bars[0].resample("1d")
        starts = days.ts_ns - DAY_NS
        at = np.maximum(np.searchsorted(starts, data.ts_ns, side="left") - 1, 0)
        self.signal = data.indicator(days.close[at] - data.close, "daily close")


class LastOfTheMonth(Follows):
    """The last bar of a month is known only by the first of the next."""

    def init(self, data):
        month = data.ts_ns.astype("datetime64[ns]").astype("datetime64[M]").astype(int)
        last = np.append(month[1:] != month[:-1], True)
        self.signal = data.indicator(np.where(last, 1.0, -1.0), "month end")


class NextBarLow(nt.Strategy):
    """A limit at the low of the bar in which it is to fill."""

    def init(self, data):
        self.low = data.indicator(ahead(data.low), "low to come")

    def on_bar(self, ctx):
        if ctx.i % 7 == 0 and ctx.position == 0.0:
            ctx.buy(limit=ctx.value(self.low) * 1.001)
        elif ctx.i % 7 == 4:
            ctx.close_position()


class StopOutOfReach(nt.Strategy):
    """The entry is honest, the stop lies below all that is to come."""

    def init(self, data):
        self.floor = data.indicator(np.minimum.accumulate(data.low[::-1])[::-1], "floor")

    def on_bar(self, ctx):
        if ctx.i % 15 == 3:
            ctx.buy(stop_loss=ctx.value(self.floor) * 0.999)
        elif ctx.i % 15 == 13:
            ctx.close_position()


class SizedByTheFuture(nt.Strategy):
    """Buys as an honest strategy would, and more of what is going to rise."""

    def init(self, data):
        self.best = data.close.max()

    def on_bar(self, ctx):
        if ctx.i % 10 == 5:
            ctx.target(min(0.9, ctx.close / self.best))


class ReadsOn(nt.Strategy):
    """No indicator at all: the array lies on self, and on_bar reads one row further."""

    def init(self, data):
        self.closes = data.close

    def on_bar(self, ctx):
        after = min(ctx.i + 1, len(self.closes) - 1)
        if self.closes[after] > ctx.close:
            ctx.buy()
        else:
            ctx.close_position()


class Remembers(nt.Strategy):
    """The future goes to ctx.state first, and is used much later."""

    def init(self, data):
        self.mean = float(data.close.mean())

    def on_bar(self, ctx):
        if ctx.i == 20:
            ctx.state[3] = self.mean
        if ctx.i == 110 and ctx.state[3] > 1.0:
            ctx.buy()


def entries_of_tomorrow(bars):
    up = np.append(bars.close[1:] > bars.close[:-1], False)
    return nt.Signals(entries=up, exits=~up)


# name: (strategy, kind, what is named, bars it sees ahead at least)
LEAKS = {
    "shift(-1)": (Shifted, "indicator", "tomorrow", 1),
    "shift(-5)": (ShiftedByFive, "indicator", "next week", 5),
    "roll(-1)": (Rolled, "indicator", "rolled", 1),
    "centred window": (Centred, "indicator", "centred", 2),
    "full-sample z-score": (FullSampleScaled, "indicator", "zscore", 50),
    "full-sample min and max": (FullSampleRange, "indicator", "minmax", 20),
    "full-sample rank": (FullSampleRank, "indicator", "rank", 50),
    "back-fill": (FilledBackwards, "indicator", "backfilled", 1),
    "interpolation": (Interpolated, "indicator", "interpolated", 5),
    "pivot at its own bar": (Pivots, "indicator", "pivot", 1),
    "full-sample regression": (Regressed, "indicator", "fit", 50),
    "the day's high and low within the day": (DayTotals, "indicator", "middle of the day", 5),
    "resample labelled by its start": (ResampledByStart, "indicator", "daily close", 5),
    "last bar of the month": (LastOfTheMonth, "indicator", "month end", 1),
    "limit at the low to come": (NextBarLow, "indicator", "low to come", 1),
    "stop below what is to come": (StopOutOfReach, "indicator", "floor", 5),
    "size by the highest close of all": (SizedByTheFuture, "decision", "self.best", 50),
    "array read beyond the bar": (ReadsOn, "decision", "self.closes", 1),
    "kept in ctx.state": (Remembers, "state", "ctx.state[3]", 1),
    "signal arrays": (entries_of_tomorrow, "signals", "entries", 1),
}  # fmt: skip


@pytest.mark.parametrize("name", LEAKS)
def test_a_planted_leak_is_caught_and_named(name):
    strategy, kind, wanted, distance = LEAKS[name]
    bars = HOURLY if strategy in (DayTotals, ResampledByStart) else DAILY
    found = nt.check_lookahead(bars, strategy, **CHEAP)
    assert found.verdict == "leaks" and not found.passed and not found
    named = [leak for leak in found.leaks if leak.kind == kind and wanted in (leak.name, *_stems(leak.because))]
    assert named, found
    assert max(leak.ahead for leak in named) >= distance
    decisions = [leak for leak in found.leaks if leak.kind == "decision"]
    assert decisions or strategy in (Remembers,), found
    for leak in decisions:
        assert leak.was != leak.became and leak.bar <= leak.cut_bar
        assert strategy in (Remembers, SizedByTheFuture, ReadsOn) or leak.because, leak


def _stems(because):
    return [reason.strip("'").split(" ")[0] if reason.startswith("self.") else reason.strip("'") for reason in because]


def test_there_are_twenty():
    assert len(LEAKS) == 20


@pytest.mark.parametrize("strategy", [NextBarLow, SizedByTheFuture, Remembers])
def test_compiled_code_leaks_the_same(strategy):
    interpreted = nt.check_lookahead(DAILY, strategy, **CHEAP)
    compiled = nt.check_lookahead(DAILY, nt.compiled(strategy), **CHEAP)
    assert str(compiled.leaks) == str(interpreted.leaks)  # NaN differs from itself


def test_a_panel_names_the_symbol():
    panel = nt.Panel([made("A", seed=1), made("B", seed=2, count=120)])

    class OneLeaks(Follows):
        def init(self, data):
            columns = [one.close - one.open for one in data.bars]
            columns[1] = ahead(data.bars[1].close) - data.bars[1].close
            self.signal = data.indicator(columns, "body")

    found = nt.check_lookahead(panel, OneLeaks, size=1.0, **CHEAP)
    assert {leak.symbol for leak in found.leaks} == {"B"}
    assert {leak.kind for leak in found.leaks} == {"indicator", "decision"}


def test_what_raises_over_another_future_is_a_decision_that_moved():
    class Raises(nt.Strategy):
        def init(self, data):
            self.closes = tuple(data.close[: len(data) // 2 * 2])

        def on_bar(self, ctx):
            if ctx.i == 40 and self.closes[41] > 0.0:
                ctx.buy()

    leak = next(one for one in nt.check_lookahead(DAILY, Raises, **CHEAP).leaks if one.bar == 40)
    assert (leak.kind, leak.was, leak.became) == ("decision", "buy market", "raised IndexError")
