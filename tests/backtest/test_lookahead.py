"""nt.check_lookahead beside the planted leaks: what does not repeat itself or cannot be altered, memory, refusals."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.backtest.alterations import KINDS, SAME_TIMES, altered
from neuraltrade.ports import SIMILAR_DTYPE

CHEAP = {"cuts": 4, "decisions": 3}
GOOG = nt.datasets.load("GOOG")[:140]


class Idle(nt.Strategy):
    def on_bar(self, ctx):
        pass


def nothing(bars):
    return nt.Signals(entries=np.zeros(len(bars), bool), exits=np.zeros(len(bars), bool))


class Unseeded(nt.Strategy):
    def init(self, data):
        self.draw = data.indicator(np.random.default_rng().normal(size=len(data)), "draw")

    def on_bar(self, ctx):
        if ctx.value(self.draw) > 1.0:
            ctx.buy()


class UnseededInTheBar(nt.Strategy):
    def on_bar(self, ctx):
        if DRAWS.random() > 0.5:
            ctx.buy()
        else:
            ctx.close_position()


DRAWS = np.random.default_rng(3)  # goes on from run to run
SEEN = []


class CountsRuns(nt.Strategy):
    """Another size from the fourth run on: nothing differs until other runs have been."""

    def init(self, data):
        self.number = next(type(self).runs)

    def on_bar(self, ctx):
        if ctx.i == 20:
            ctx.buy(quantity=1.0 if self.number < 3 else 2.0)


class KeepsAList(nt.Strategy):
    """What was seen in the first run is read in the later ones."""

    def on_bar(self, ctx):
        SEEN.append(ctx.close)
        if ctx.close > SEEN[0] and len(SEEN) < 2 * len(GOOG):
            ctx.buy()


@pytest.mark.parametrize(
    ("strategy", "words"),
    [
        (Unseeded, "two runs over the same data differ in indicator 'draw' of GOOG"),
        (UnseededInTheBar, "two runs over the same data differ in the decision at bar"),
        (KeepsAList, "differs in the decision at bar"),
        (CountsRuns, "a run after others over the same data differs in the decision at bar 20, buy 1 market or buy 2"),
    ],
)
def test_what_does_not_repeat_itself_is_no_leak(strategy, words):
    SEEN.clear()
    CountsRuns.runs = itertools.count()
    found = nt.check_lookahead(GOOG, strategy, **CHEAP)
    assert found.verdict == "not repeatable" and not found.passed and found.leaks == ()
    assert words in found.reason and words in repr(found)


def test_arrays_made_before_are_told():
    known = np.append(GOOG.close[1:] - GOOG.close[:-1], 0.0)

    class Outside(nt.Strategy):
        def init(self, data):
            self.signal = data.indicator(known, "from elsewhere")

        def on_bar(self, ctx):
            if ctx.value(self.signal) > 0.0:
                ctx.buy()

    def outside(bars):
        return nt.Signals(entries=known > 0.0, exits=known < 0.0)

    for strategy in (Outside, outside):
        found = nt.check_lookahead(GOOG, strategy, **CHEAP)
        assert found.verdict == "outside" and not found
        (leak,) = found.leaks
        assert leak.kind == "outside" and "cannot run over fewer bars" in leak.was and "made" in str(leak)


def test_a_series_read_by_time_passes_with_a_note():
    scores = dict(zip(GOOG.ts_ns.tolist(), np.sin(np.arange(len(GOOG))), strict=True))

    class Sentiment(nt.Strategy):
        def init(self, data):
            self.score = data.indicator(np.array([scores[at] for at in data.ts_ns.tolist()]), "sentiment")

        def on_bar(self, ctx):
            ctx.target(0.5 if ctx.value(self.score) > 0.0 else 0.0)

    found = nt.check_lookahead(GOOG, Sentiment, **CHEAP)
    assert found.passed
    assert any("'sentiment': no price or volume moved it" in note for note in found.notes)


class FakeMemory:
    """Answers with the bar `ahead` bars on."""

    def __init__(self, bars, ahead):
        self.bars, self.ahead = bars, ahead

    def similar(self, symbol, ts_ns, k):
        at = int(np.searchsorted(self.bars.ts_ns, ts_ns)) + self.ahead
        rows = np.zeros(1 if 0 <= at < len(self.bars) else 0, SIMILAR_DTYPE)
        if len(rows):
            rows[0] = (at + 1, self.bars.ts_ns[at], 0.1, self.bars.close[at])
        return rows


class Asks(nt.Strategy):
    def on_bar(self, ctx):
        hits = ctx.similar(1)
        if len(hits) and hits[0]["outcome"] > ctx.close:
            ctx.buy()
        else:
            ctx.close_position()


def test_a_memory_may_not_hand_out_the_future():
    assert nt.check_lookahead(GOOG, Asks, recall=FakeMemory(GOOG, -3), **CHEAP).passed
    found = nt.check_lookahead(GOOG, Asks, recall=FakeMemory(GOOG, 2), **CHEAP)
    (leak,) = found.leaks
    assert (leak.kind, leak.bar, leak.symbol, leak.ahead) == ("memory", 0, "GOOG", 2)
    assert "row 3 of GOOG was handed out, which lies in the future: bar 2" in str(leak)


def test_a_memory_built_anew_shows_an_outcome_of_later():
    """Rows of the past whose outcome was not known yet: only a memory made of each altered market shows it."""

    def remembered(bars):
        later = np.append(bars.close[3:], np.full(3, bars.close[-1]))

        class Outcomes(FakeMemory):
            def similar(self, symbol, ts_ns, k):
                rows = super().similar(symbol, ts_ns, k)
                rows["outcome"] = later[rows["id"].astype(int) - 1]
                return rows

        return Outcomes(bars, -1)

    assert nt.check_lookahead(GOOG, Asks, recall=remembered(GOOG), **CHEAP).passed
    found = nt.check_lookahead(GOOG, Asks, recall=remembered, cuts=8, decisions=8)
    assert {leak.kind for leak in found.leaks} == {"decision"}


def test_the_real_memory_passes(tmp_path):
    bars = GOOG[:90]
    with nt.AgentDB.open(tmp_path / "memory") as db:
        db.observe(bars)
        found = nt.check_lookahead(bars, Asks, recall=nt.memory.Recall(db, horizon=2), cuts=2, decisions=1)
    assert found.passed, found


def test_the_report_as_a_frame_and_in_words():
    pandas = pytest.importorskip("pandas")

    def tomorrow(bars):
        up = np.append(bars.close[1:] > bars.close[:-1], False)
        return nt.Signals(entries=up, exits=~up)

    found = nt.check_lookahead(GOOG, tomorrow, cuts=12, decisions=12)
    frame = found.to_frame()
    assert isinstance(frame, pandas.DataFrame) and len(frame) == len(found.leaks) > 5
    assert list(frame["kind"])[:2] == ["signals", "signals"] and frame["time"].dt.tz is not None
    assert frame["bar"].is_monotonic_increasing
    words = repr(found)
    assert words.startswith("tomorrow over GOOG (140 bars): leaks\n")
    assert "sees 1 bar ahead; moved by 'entries', 'exits'" in words and "see .leaks" in words
    assert len(nt.check_lookahead(GOOG, Idle, **CHEAP).to_frame()) == 0


def test_equal_seeds_find_equal_things():
    def tomorrow(bars):
        return nt.Signals(entries=np.append(np.diff(bars.close) > 0, False), exits=np.zeros(len(bars), bool))

    one, two = (nt.check_lookahead(GOOG, tomorrow, seed=4, **CHEAP) for _ in range(2))
    assert repr(one) == repr(two) and one.leaks == two.leaks
    assert nt.check_lookahead(GOOG, tomorrow, seed=5, **CHEAP).cuts != one.cuts


def test_notes_tell_what_was_let_pass():
    def rounds(bars):
        """Scaled and scaled back by the mean of all: equal but for the last bits."""
        scale = bars.close.mean()
        return nt.Signals(
            entries=bars.close > 1e9, exits=bars.close < bars.open, size=np.maximum(bars.close / scale * scale, 1e-9)
        )

    found = nt.check_lookahead(GOOG, rounds, fill="vectorbt", **CHEAP)
    assert found.passed
    assert any("'size' depends on later bars by rounding" in note for note in found.notes)
    assert any("same_close" in note for note in found.notes)
    assert not nt.check_lookahead(GOOG, rounds, tolerance=0.0, **CHEAP).passed

    class Long(nt.Strategy):
        def init(self, data):
            if len(data) < 100:
                raise ValueError(f"100 bars at least, had {len(data)}")

        def on_bar(self, ctx):
            pass

    found = nt.check_lookahead(GOOG, Long, **CHEAP)
    assert found.passed and found.skipped > 0
    assert any("could not be made" in note and "100 bars at least" in note for note in found.notes)


def test_progress_is_told():
    told = []
    found = nt.check_lookahead(GOOG, Idle, progress=lambda done, total: told.append((done, total)), **CHEAP)
    assert told[-1][0] == told[-1][1] == found.runs >= 2 * len(found.cuts)
    assert [done for done, _ in told] == sorted({done for done, _ in told})


def test_a_strategy_that_raises_raises():
    class Raises(nt.Strategy):
        def on_bar(self, ctx):
            if ctx.i == 7:
                raise KeyError("x")

    with pytest.raises(nt.StrategyError, match="bar 7"):
        nt.check_lookahead(GOOG, Raises)
    with pytest.raises(nt.StrategyError, match="nothing raised ZeroDivisionError"):
        nt.check_lookahead(GOOG, raising)


def raising(bars):
    return 1 / 0


raising.__name__ = "nothing"


@pytest.mark.parametrize(
    ("data", "strategy", "given", "words"),
    [
        (GOOG, nothing(GOOG), {}, "strategy must be a function that makes nt.Signals"),
        (GOOG, lambda bars: 3, {}, "strategy must return nt.Signals when called with the data"),
        (GOOG, 3, {}, "strategy must be"),
        (GOOG, nothing, {"params": {"a": 1}}, "params must be None for a function"),
        (GOOG, Idle, {"params": {"a": 1}}, "no such parameter"),
        (GOOG, Idle, {"cuts": 0}, "cuts must be an int in 1..1000000, was 0"),
        (GOOG, Idle, {"decisions": -1}, "decisions must be an int"),
        (GOOG, Idle, {"tolerance": 1.0}, "tolerance must be at least 0 and below 1, was 1.0"),
        (GOOG, Idle, {"tolerance": float("nan")}, "tolerance must be"),
        (GOOG, Idle, {"recall": 3}, "recall must be None, have a method similar, or be a function"),
        (GOOG, Idle, {"advisor": 3}, "advisor must be None or have a method enhance"),
        (GOOG, Idle, {"progress": 3}, "progress must be True, False or a callable"),
        (GOOG, Idle, {"cut": 3}, "did you mean 'cuts'?"),
        (GOOG[:2], Idle, {}, "data must have at least 3 bars"),
        (GOOG.close, Idle, {}, "data must be nt.Bars, nt.Panel"),
    ],
)
def test_wrong_input_names_the_argument(data, strategy, given, words):
    with pytest.raises(nt.InputError, match=words.replace("(", r"\(").replace("?", r"\?")):
        nt.check_lookahead(data, strategy, **given)


@pytest.mark.parametrize("kind", KINDS)
def test_alterations_keep_the_past_and_change_the_next_bar(kind):
    panel = nt.Panel([GOOG, nt.Bars("B", *(column[3:] for column in GOOG[:60].columns()))])
    cut = 30
    made = altered(panel, kind, int(GOOG.ts_ns[cut]), np.random.default_rng(1))
    again = altered(panel, kind, int(GOOG.ts_ns[cut]), np.random.default_rng(1))
    assert made == again
    for before, after in zip(panel, made, strict=True):
        keep = int(np.searchsorted(before.ts_ns, GOOG.ts_ns[cut], side="right"))
        assert before[:keep] == after[:keep]
        assert (len(after) == len(before)) == (kind in SAME_TIMES)
        if kind == "truncated":
            assert len(after) == keep
        else:
            assert after.close[keep] != before.close[keep] and after.volume[keep] != before.volume[keep]
            assert not np.array_equal(after.high[keep:], before.high[keep : len(after)])
    assert altered(GOOG, "truncated", int(GOOG.ts_ns[0]) - 1, np.random.default_rng(1)) is None


class Steady(nt.Strategy):
    def init(self, data):
        self.past = data.roc(5)

    def on_bar(self, ctx):
        ctx.state[0] = ctx.close
        ctx.target(0.4 if ctx.value(self.past) > 0.0 else 0.0)


class Peeks(Steady):
    def init(self, data):
        self.past = data.indicator(np.append(np.diff(data.close), 0.0), "tomorrow")
        self.mean = data.close.mean()

    def on_bar(self, ctx):
        ctx.state[1] = self.mean
        ctx.target(0.4 if ctx.value(self.past) > 0.0 else 0.0)


def test_several_strategies_are_told_apart():
    found = nt.check_lookahead(GOOG, {"honest": Steady, "sly": Peeks}, **CHEAP)
    assert {leak.name for leak in found.leaks if leak.kind == "indicator"} == {"sly: tomorrow"}
    assert {leak.name for leak in found.leaks if leak.kind == "state"} == {"sly: ctx.state[1]"}
    assert all(leak.because[0] == "'sly: tomorrow'" for leak in found.leaks if leak.kind == "decision")
    assert repr(found).startswith("honest, sly over GOOG (140 bars): leaks")
    assert nt.check_lookahead(GOOG, [Steady, nt.compiled(Steady)], **CHEAP).passed
    with pytest.raises(nt.InputError, match=r"'kept' must be an nt.Strategy here"):
        nt.check_lookahead(GOOG, {"kept": nothing(GOOG), "honest": Steady})


class OnSchedule(nt.Strategy):
    """Longer bars and a schedule, as the package offers them."""

    def init(self, data):
        self.weekly = data.resample("1w").sma(2)

    @nt.schedule(every="1w")
    def rebalance(self, ctx):
        ctx.target(0.5 if ctx.close > ctx.value(self.weekly) else 0.0)

    def on_close(self, ctx):
        ctx.state[0] += 1.0


def test_longer_bars_and_schedules_pass():
    found = nt.check_lookahead(GOOG, OnSchedule, tolerance=0.0, cuts=6, decisions=4)
    assert found.passed and found.decisions > 3, found
