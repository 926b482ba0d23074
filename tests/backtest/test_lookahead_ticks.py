"""nt.check_lookahead over ticks: planted leaks are caught and named, honest strategies pass."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.backtest.alterations import KINDS, SAME_TIMES, altered

SHARED = Path(os.environ.get("NEURALTRADE_SHARED_DATA", Path(__file__).parents[2] / "../shared/data"))
SECOND = 10**9
START = 28_000_000 * 60 * SECOND
CHEAP = {"cuts": 5, "decisions": 5, "cash": 1e6}


def streams(symbol: str = "X", seed: int = 4, count: int = 400) -> list:
    """Quotes, prints and depth of one walk, heard a little later, some at one moment."""
    rng = np.random.default_rng(seed)
    ts = START + np.cumsum(rng.integers(0, 8, count)) * 10**8
    heard = np.maximum.accumulate(ts + rng.integers(0, 6, count) * 10**8)
    middle = 100 + np.cumsum(rng.choice([-0.5, 0.0, 0.5], count))
    sizes = rng.integers(1, 9, (4, count)).astype(float)
    sizes[0][::17] = 0.0
    quotes = nt.Quotes(symbol, ts, middle - 0.5, sizes[0], middle + 0.5, sizes[1], local_ns=heard)
    trades = nt.Trades(symbol, ts, middle, sizes[2], rng.choice([1, -1], count), local_ns=heard)
    side = rng.choice([1, -1], count)
    depth = nt.Depth(symbol, ts, side, middle - side * rng.integers(1, 4, count), sizes[3], local_ns=heard)
    return [quotes, trades, depth]


QUOTES, TRADES, DEPTH = streams()
BOTH = nt.Ticks([QUOTES, TRADES])
ALL = nt.Ticks([*streams("A", 1), *streams("B", 2)[:2]])


class Follows(nt.Strategy):
    """Buys while an indicator is above zero, sells while it is below."""

    def on_quote(self, ctx):
        value = ctx.value(self.signal)
        if value > 0.0:
            ctx.buy(1)
        elif value < 0.0:
            ctx.close_position()


class Tomorrow(Follows):
    """shift(-1) of the bars: what the next second closes at."""

    def init(self, data):
        bars = data.resample("1s")
        self.signal = bars.indicator(np.append(bars.close[1:], np.nan) - bars.close, "next")


class Scaled(Follows):
    """Divided by the deviation of all of it."""

    def init(self, data):
        bars = data.resample("2s", price="mid")
        apart = bars.close - bars.sma(5).values
        self.signal = bars.indicator(apart / np.nanstd(apart), "z")


class Centred(Follows):
    def init(self, data):
        bars = data.resample("1s")
        smooth = np.convolve(bars.close, np.ones(5) / 5, "same")
        self.signal = bars.indicator(bars.close - smooth, "centred")


class Reads(nt.Strategy):
    """The quotes themselves, twenty rows on."""

    def init(self, data):
        self.ask = data.ticks.streams[0].ask

    def on_quote(self, ctx):
        at = int(ctx.state[0])
        ctx.state[0] = at + 1.0
        if at + 20 < len(self.ask) and self.ask[at + 20] > ctx.ask + 1.0:
            ctx.buy(1)
        elif at % 30 == 29:
            ctx.close_position()


class Target(nt.Strategy):
    """Where the day ends, as one number."""

    def init(self, data):
        self.last = float(data.ticks.streams[-1].price[-1])

    def on_trade(self, ctx):
        if ctx.last < self.last - 1.0:
            ctx.buy(1)
        elif ctx.last > self.last + 1.0:
            ctx.close_position()


class Counts(nt.Strategy):
    """Into the state alone: how much is going to be printed."""

    def init(self, data):
        self.total = float(data.ticks.streams[1].quantity.sum())

    def on_trade(self, ctx):
        ctx.state[3] = ctx.last_size / self.total


class Forming(nt.Strategy):
    """The last whole bar as of a clock that runs ahead: the one that is still forming."""

    def init(self, data):
        bars = data.resample("2s", price="mid")
        self.ends, self.closes = bars.bars[0].ts_ns, bars.close

    def on_quote(self, ctx):
        row = int(np.searchsorted(self.ends, ctx.ts_ns))
        if row < len(self.closes) and self.closes[row] > ctx.mid:
            ctx.buy(1)
        else:
            ctx.close_position()


@pytest.mark.parametrize(
    ("strategy", "kind", "name"),
    [(Tomorrow, "indicator", "1s next"), (Scaled, "indicator", "2s z"), (Centred, "indicator", "1s centred"),
     (Reads, "decision", "self.ask"), (Target, "decision", "self.last"), (Counts, "state", "ctx.state[3]"),
     (Forming, "decision", "self.closes")],
)  # fmt: skip
def test_planted_leaks_are_caught(strategy, kind, name):
    found = nt.check_lookahead(BOTH, strategy, **CHEAP)
    assert found.verdict == "leaks"
    caught = [leak for leak in found.leaks if leak.kind == kind]
    assert any(name in leak.name or any(name in cause for cause in leak.because) for leak in caught)
    for leak in found.leaks:
        assert leak.ahead >= 1
        assert leak.cut_bar in found.cuts
        assert int(BOTH.local_ns[leak.bar]) <= int(BOTH.local_ns[leak.cut_bar])
    assert "events after" in str(found)
    assert "bars" not in repr(found).replace(strategy.__name__, "").split("\n")[0]


@pytest.mark.parametrize("strategy", [Tomorrow, Scaled])
def test_a_leak_is_caught_in_compiled_code_and_in_company(strategy):
    assert nt.check_lookahead(BOTH, nt.compiled(strategy), **CHEAP).verdict == "leaks"
    found = nt.check_lookahead(BOTH, {"sees": strategy, "makes": made()}, **CHEAP)
    assert {leak.name.split(":")[0] for leak in found.leaks if leak.kind == "indicator"} == {"sees"}


def made() -> nt.Strategy:
    return nt.strategy.library.MarketMaker(tick=0.5, size=1.0, max_inventory=4.0, patience_ns=0)


class Bars(nt.Strategy):
    def init(self, data):
        fast, slow = data.resample("1s", price="mid"), data.resample("3s", price="mid")
        self.fast, self.slow = fast.ema(3), slow.sma(4)
        self.wide = slow.rolling_std(4)

    def on_quote(self, ctx):
        if ctx.crossed_above(self.fast, self.slow):
            ctx.buy(1, stop_loss_rate=0.01)
        elif ctx.crossed_below(self.fast, self.slow) and ctx.value(self.wide) > 0.0:
            ctx.close_position()


class Hours(Bars):
    """Schedules within sessions."""

    def on_open(self, ctx):
        ctx.state[0] += 1.0

    @nt.schedule(every="15s")
    def often(self, ctx):
        ctx.buy(1)

    @nt.schedule(before_close="10s")
    def flat(self, ctx):
        ctx.close_position()

    def on_close(self, ctx):
        ctx.state[1] = ctx.equity


class Levels(nt.Strategy):
    def on_depth(self, ctx):
        apart = ctx.depth_size(1, 0) + ctx.depth_size(1, 1) - ctx.depth_size(-1, 0) - ctx.depth_size(-1, 1)
        if apart > 3.0 and ctx.position <= 0.0:
            ctx.buy(1, limit=ctx.depth_price(1, 0))
        elif apart < -3.0 and ctx.position >= 0.0:
            ctx.sell(1, limit=ctx.depth_price(-1, 0))


HOURS = nt.Sessions([START + 10 * SECOND, START + 80 * SECOND], [START + 60 * SECOND, START + 120 * SECOND])


@pytest.mark.parametrize(
    ("data", "strategy", "given"),
    [
        (BOTH, made(), {}),
        (BOTH, nt.compiled(made()), {"latency_ns": SECOND, "fees": 0.0002}),
        (BOTH, Bars, {}),
        (ALL, Levels, {"latency_ns": 10**8}),
        (ALL, [made(), Levels, nt.compiled(Levels)], {}),
        (BOTH, Hours, {"instruments": nt.Instrument(calendar=HOURS)}),
        (nt.Ticks([DEPTH, TRADES]), Levels, {"fill": nt.FillPolicy(queue="probability", stop_trigger="last")}),
    ],
)
def test_honest_strategies_pass(data, strategy, given):
    found = nt.check_lookahead(data, strategy, **CHEAP, **given)
    assert found.passed, found
    assert found.decisions > 4
    assert found.runs > 8
    assert found.unit == "event"


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the shared BTCUSDT files")
def test_the_library_market_maker_passes_over_real_quotes():
    quotes = nt.Quotes.read(SHARED / "btcusdt_perp_quotes_2024-08-08.parquet", symbol="BTC")[:4000]
    prints = nt.Trades.read(SHARED / "btcusdt_perp_trades_2024-08-08.parquet", symbol="BTC")[:1500]
    ticks = nt.Ticks([quotes, prints]).with_latency()
    maker = nt.strategy.library.MarketMaker
    found = nt.check_lookahead(ticks, maker, cuts=4, decisions=6, cash=1e5, fees=0.0002, latency_ns=5_000_000)
    assert found.passed, found
    assert found.decisions > 20


CALLS: list[int] = []


class Drifts(nt.Strategy):
    """Keeps count from one run to the next."""

    def on_quote(self, ctx):
        CALLS.append(1)
        if len(CALLS) % 7 == 0:
            ctx.buy(1)


def test_what_does_not_repeat_is_told_apart():
    found = nt.check_lookahead(QUOTES, Drifts, **CHEAP)
    assert found.verdict == "not repeatable"
    assert "the decision at event" in found.reason


@pytest.mark.parametrize("kind", KINDS)
def test_alterations_keep_what_was_heard_and_change_the_rest(kind):
    ticks = nt.Ticks([QUOTES, TRADES, DEPTH])
    cut_ns = int(ticks.local_ns[700])
    made_ticks = altered(ticks, kind, cut_ns, np.random.default_rng(1))
    assert made_ticks == altered(ticks, kind, cut_ns, np.random.default_rng(1))
    for before, after in zip(ticks.streams, made_ticks.streams, strict=True):
        keep = int(np.searchsorted(before.local_ns, cut_ns, side="right"))
        assert before[:keep] == after[:keep]
        assert (len(after) == len(before)) == (kind in SAME_TIMES)
        if kind in SAME_TIMES:
            assert np.array_equal(before.local_ns, after.local_ns)
            changed = [not np.array_equal(a[keep:], b[keep:], equal_nan=a.dtype.kind == "f")
                       for a, b in zip(before.columns()[2:], after.columns()[2:], strict=True)]  # fmt: skip
            assert sum(changed) >= 2
        elif kind == "thinned":
            assert keep < len(after) < len(before) or after.ts_ns[keep] != before.ts_ns[keep]
    assert len(made_ticks.events().local_ns[made_ticks.local_ns <= cut_ns]) == int(
        np.searchsorted(ticks.local_ns, cut_ns, side="right")
    )


def test_a_stream_that_begins_later_is_waited_for():
    late = nt.Ticks([QUOTES, TRADES[200:]])
    assert altered(late, "truncated", int(late.local_ns[0]), np.random.default_rng(1)) is None
    found = nt.check_lookahead(late, made(), **CHEAP)
    assert found.passed
    assert min(int(late.local_ns[cut]) for cut in found.cuts) >= int(TRADES.local_ns[200])


@pytest.mark.parametrize(
    ("data", "strategy", "words"),
    [
        (BOTH, lambda ticks: nt.Signals([True], [False]), "strategy must be an nt.Strategy over ticks"),
        (BOTH, nt.Signals([True], [False]), "strategy must be an nt.Strategy over ticks"),
        (QUOTES[:1], made(), "data must have at least 3 events"),
        (nt.Quotes("X", [7] * 4, [9.0] * 4, [1] * 4, [10.0] * 4, [1] * 4), made(), "all of it is heard at once"),
    ],
)
def test_wrong_input_names_the_argument(data, strategy, words):
    with pytest.raises(nt.InputError, match=words):
        nt.check_lookahead(data, strategy)
