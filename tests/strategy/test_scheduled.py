"""on_open, on_close and nt.schedule: called at the right bars, by both speeds, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.strategy import scheduled

MINUTE = 60 * 10**9
HOUR = 60 * MINUTE
# Two sessions of 6.5 hours, a holiday, and a half day; UTC.
SESSIONS = nt.Sessions(
    ["2024-03-04T14:30Z", "2024-03-05T14:30Z", "2024-03-07T14:30Z"],
    ["2024-03-04T21:00Z", "2024-03-05T21:00Z", "2024-03-07T18:00Z"],
)
STOCK = {"X": nt.Instrument(calendar=SESSIONS)}


def bars_of(sessions: nt.Sessions = SESSIONS, step: int = 15 * MINUTE, extra: int = 2) -> nt.Bars:
    """Bars of each session, and a few before and after it."""
    ts = [
        np.arange(open_ns + step * (1 - extra), close_ns + step * (extra + 1), step)
        for open_ns, close_ns in zip(sessions.open_ns, sessions.close_ns, strict=True)
    ]
    times = np.concatenate(ts)
    price = 50.0 + np.sin(np.arange(len(times)))
    return nt.Bars("X", times, price, price + 1, price - 1, price, np.full(len(times), 1e6))


class Tally(nt.Strategy):
    """Notes the bar of each call in the state, and trades, so that the digest tells the order of calls."""

    def on_open(self, ctx):
        ctx.signal(1, 0.9, reasoning="open")

    @nt.schedule(every="1h")
    def hourly(self, ctx):
        ctx.signal(1, 0.8, reasoning="hour")

    @nt.schedule(after_open="45min")
    def settled(self, ctx):
        ctx.buy(1)
        ctx.signal(1, 0.7, reasoning="after")

    @nt.schedule(before_close="30min")
    def flatten(self, ctx):
        ctx.close_position()
        ctx.signal(0, 0.6, reasoning="before")

    def on_bar(self, ctx):
        ctx.signal(0, 0.1, reasoning="bar")

    def on_close(self, ctx):
        ctx.signal(-1, 0.5, reasoning="close")


class OnlyHooks(nt.Strategy):
    units: float = 2.0

    def _trade(self, ctx):
        ctx.buy(self.units)

    def on_open(self, ctx):
        self._trade(ctx)

    def on_close(self, ctx):
        ctx.close_position()


class Daily(nt.Strategy):
    @nt.schedule(after_open="6h")
    def once(self, ctx):
        ctx.buy(1)


def calls(run, name):
    code = run.reasoning.index(name)
    return run.signals["ts_ns"][run.signals["reasoning"] == code]


def test_called_at_these_bars():
    bars = bars_of()
    run = nt.backtest(bars, Tally, instruments=STOCK)
    opens, closes = SESSIONS.open_ns, SESSIONS.close_ns
    assert calls(run, "open").tolist() == [ns + 15 * MINUTE for ns in opens]
    assert calls(run, "close").tolist() == closes.tolist()
    assert calls(run, "after").tolist() == [ns + 45 * MINUTE for ns in opens]
    assert calls(run, "before").tolist() == [ns - 30 * MINUTE for ns in closes]
    hours = np.diff((bars.ts_ns + 1) // HOUR, prepend=(bars.ts_ns[0] - 1) // HOUR) > 0
    assert calls(run, "hour").tolist() == bars.ts_ns[hours].tolist()
    assert len(calls(run, "bar")) == len(bars)


def test_the_order_of_calls_within_a_bar():
    run = nt.backtest(bars_of(), Tally, instruments=STOCK)
    order = ["open", "hour", "after", "before", "bar", "close"]
    for bar in np.unique(run.signals["bar"]):
        named = [order.index(run.reasoning[row["reasoning"]]) for row in run.signals[run.signals["bar"] == bar]]
        assert named == sorted(named)


@pytest.mark.parametrize("strategy", [Tally, OnlyHooks])
def test_both_speeds_and_company_agree(strategy):
    bars = bars_of()
    runs = [nt.backtest(bars, each, instruments=STOCK) for each in (strategy, nt.compiled(strategy), [strategy])]
    assert len(runs[0].fills) >= 4
    assert len({run.digest for run in runs}) == 1


def test_a_calendar_by_name_knows_holidays_and_half_days():
    pytest.importorskip("exchange_calendars")
    found = nt.Sessions.of("XNYS", "2023-11-21", "2023-11-28")
    run = nt.backtest(bars_of(found), OnlyHooks, instruments={"X": nt.Instrument(calendar="XNYS")})
    days = run.orders["created_ts_ns"][run.orders["role"] == "close"].astype("datetime64[ns]")
    friday = days[days.astype("datetime64[D]") == np.datetime64("2023-11-24")]
    assert not (days.astype("datetime64[D]") == np.datetime64("2023-11-23")).any(), "Thanksgiving"
    assert friday.tolist() == [np.datetime64("2023-11-24T18:00", "ns").astype(int)], "closes at one in New York"


def test_without_a_calendar_sessions_are_days_of_utc():
    ts = np.arange(1, 24 * 4 + 1) * HOUR
    price = np.full(len(ts), 10.0)
    run = nt.backtest(nt.Bars("X", ts, price, price, price, price, price), Tally)
    assert calls(run, "open").tolist() == [HOUR + day * 24 * HOUR for day in range(4)]
    assert calls(run, "close").tolist() == [(day + 1) * 24 * HOUR for day in range(4)]
    daily = nt.backtest(nt.datasets.load("IBM")[:30], [OnlyHooks, Daily])
    assert daily.orders["strategy"].tolist().count("Daily") == 30
    assert daily.orders["strategy"].tolist().count("OnlyHooks") > 30


def test_a_close_that_never_comes_is_refused():
    ts = np.arange(14, 21) * HOUR
    price = np.full(len(ts), 10.0)
    bars = nt.Bars("X", ts, price, price, price, price, price)
    with pytest.raises(nt.InputError, match=r"on_close: no bar of X ends with a day of UTC.*calendar"):
        nt.backtest(bars, OnlyHooks)


def test_periods_against_a_slow_count():
    rng = np.random.default_rng(3)
    ts = np.cumsum(1 + rng.integers(1, 55, 400) ** 2 // 9) * MINUTE
    for rule, width in (("1h", HOUR), ("4h", 4 * HOUR), ("1d", 24 * HOUR)):
        hook = scheduled.Hook("hook", "every", rule)
        bars = nt.Bars("X", ts, *[np.full(len(ts), 9.0)] * 5)
        (mask,) = scheduled.masks([hook], [bars], None)
        due, before = [], int(ts[0]) - 1
        for now in ts.tolist():
            due.append(any(multiple % width == 0 for multiple in (now // width * width,) if before < multiple <= now))
            before = now
        assert mask.astype(bool).tolist() == due
        assert 0 < sum(due) < len(due)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "takes one of every, after_open and before_close"),
        ({"every": "1h", "after_open": "1h"}, "takes one of"),
        ({"every": "hourly"}, "every: rule must be"),
        ({"before_close": "1d"}, "before_close must be a time within a session"),
    ],
)
def test_wrong_schedules(given, words):
    with pytest.raises(nt.InputError, match=words):
        nt.schedule(**given)


def test_a_period_finer_than_the_bars():
    with pytest.raises(nt.InputError, match=r"hourly, every='1h': .* finer than the bars"):
        nt.backtest(nt.datasets.load("IBM")[:30], type("Fine", (Tally,), {}), periods_per_year=252)


def test_a_hook_that_does_not_compile_is_named():
    class Wrong(nt.Strategy):
        def on_open(self, ctx):
            ctx.state[0] = [1, 2][0]

    with pytest.raises(nt.CompileError, match=r"test_scheduled.py:\d+: a list in Wrong.on_open"):
        nt.backtest(nt.datasets.load("IBM")[:30], nt.compiled(Wrong))
