"""Bars made of ticks, and schedules over ticks: known when they are known, against a slow count, at both speeds."""

from __future__ import annotations

import math

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.strategy import scheduled

SECOND = 10**9
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
START = 28_000_000 * MINUTE


def stream(symbol: str, seed: int, count: int = 600, step: int = 400_000_000) -> list:
    """Quotes and prints with gaps, heard up to two seconds after they happened, some at equal moments."""
    rng = np.random.default_rng(seed)
    ts = START + np.cumsum(rng.integers(0, step, count) // 10**8 * 10**8)
    ts = ts + np.cumsum(rng.random(count) < 0.01) * 7 * SECOND
    heard = np.maximum.accumulate(ts + rng.integers(0, 20, count) * 10**8)
    middle = 100 + np.cumsum(rng.choice([-0.5, 0.0, 0.5], count))
    kind = rng.random(count) < 0.5
    sizes = rng.integers(0, 4, (2, count))
    quotes = nt.Quotes(symbol, ts[kind], middle[kind] - 0.5, sizes[0][kind], middle[kind] + 0.5, sizes[1][kind],
                       local_ns=heard[kind])  # fmt: skip
    prints = ~kind
    trades = nt.Trades(symbol, ts[prints], middle[prints], 1.0 + sizes[0][prints], rng.choice([1, -1], prints.sum()),
                       local_ns=heard[prints])  # fmt: skip
    return [quotes, trades]


TICKS = nt.Ticks([*stream("A", 1), *stream("B", 2)])


def slow_bars(ticks: nt.Ticks, symbol: str, width: int, price: str) -> list[list]:
    """[end, open, high, low, close, volume] of each bucket, one row after another in the order heard."""
    rows: list[list] = []
    for at in range(len(ticks)):
        one = ticks.streams[int(ticks.events().stream[at])]
        row = int(ticks.events().first[at])
        if one.symbol != symbol or ("trades" if price == "last" else "quotes") != one.KIND:
            continue
        if price == "last":
            value, size = float(one.price[row]), float(one.quantity[row])
        else:
            bid, ask = float(one.bid[row]), float(one.ask[row])
            value, size = {"mid": (bid + ask) * 0.5, "bid": bid, "ask": ask}[price], 0.0
        if math.isnan(value):
            continue
        end = (int(one.local_ns[row]) // width + 1) * width
        if rows and rows[-1][0] == end:
            rows[-1][2], rows[-1][3] = max(rows[-1][2], value), min(rows[-1][3], value)
            rows[-1][4], rows[-1][5] = value, rows[-1][5] + size
        else:
            rows.append([end, value, value, value, value, size])
    return rows


@pytest.mark.parametrize("price", ["last", "mid", "bid", "ask"])
def test_bars_of_ticks_against_a_slow_count(price):
    panel = TICKS.bars("5s", price)
    for symbol in "AB":
        rows = slow_bars(TICKS, symbol, 5 * SECOND, price)
        assert len(rows) > 10
        assert [list(map(float, column)) for column in panel[symbol].columns()] == [
            list(map(float, column)) for column in zip(*rows, strict=True)
        ]


def test_bars_of_one_symbol_and_what_they_are_made_of():
    quotes, trades = stream("A", 3)
    assert isinstance(nt.Ticks([quotes]).bars("10s"), nt.Bars)
    assert nt.Ticks([quotes]).bars("10s") == nt.Ticks([quotes, trades]).bars("10s", "mid")
    assert nt.Ticks([trades]).bars("10s") == nt.Ticks([quotes, trades]).bars("10s")
    halves = nt.Ticks([trades[:100], trades[100:], quotes])
    assert halves.bars("10s") == nt.Ticks([trades]).bars("10s")
    depth = nt.Depth("A", [1], [1], [9.0], [1.0])
    with pytest.raises(nt.InputError, match="price 'mid' is of quotes, and it has depth alone"):
        nt.Ticks([depth]).bars("1s")
    with pytest.raises(nt.InputError, match="price 'last' is of trades, and it has quotes alone"):
        nt.Ticks([quotes]).bars("1s", "last")
    with pytest.raises(nt.InputError, match="price must be one of last, mid, bid, ask, was 'close'"):
        nt.Ticks([quotes]).bars("1s", "close")
    with pytest.raises(nt.InputError, match="rule must be"):
        nt.Ticks([quotes]).bars("soon")
    with pytest.raises(nt.InputError, match="no mid in 1 quotes"):
        nt.Ticks([nt.Quotes("A", [1], [9.0], [0.0], [10.0], [1.0])]).bars("1s")


class Reads(nt.Strategy):
    """Tells at every event what it reads, in the confidence of a signal."""

    def init(self, data):
        short, long = data.resample("3s"), data.resample("10s", price="mid")
        self.close = short.indicator([bars.close for bars in short.bars], "close")
        self.mean = long.sma(2)
        self.smooth = short.sma(2, source=short.rsi(2))

    def told(self, ctx, x):
        if math.isnan(x):
            ctx.signal(0, 1.0, reasoning="nothing")
        else:
            ctx.signal(1, x / 1000.0, reasoning="read")

    def on_quote(self, ctx):
        self.told(ctx, ctx.value(self.close))
        self.told(ctx, ctx.value(self.mean))
        if ctx.crossed_above(self.close, self.mean):
            ctx.buy(1.0)
        if ctx.crossed_below(self.close, 100.0):
            ctx.sell(1.0)

    def on_trade(self, ctx):
        self.told(ctx, ctx.value(self.close))
        self.told(ctx, ctx.value(self.smooth))


class QuotesOnly(Reads):
    on_trade = nt.Strategy.on_trade


def closes_by(heard: int, rows: list[list]) -> list[float]:
    """Closes of the bars that have ended by then."""
    return [row[4] for row in rows if row[0] <= heard]


@pytest.mark.parametrize("strategy", [Reads, QuotesOnly])
def test_a_bar_is_read_from_its_end_on(strategy):
    run = nt.backtest(TICKS, strategy, cash=1e6)
    rows = {symbol: slow_bars(TICKS, symbol, 3 * SECOND, "last") for symbol in "AB"}
    mids = {symbol: slow_bars(TICKS, symbol, 10 * SECOND, "mid") for symbol in "AB"}
    before = {symbol: (math.nan, math.nan) for symbol in "AB"}
    wanted, crossings = [], []
    for at in range(len(TICKS)):
        one = TICKS.streams[int(TICKS.events().stream[at])]
        if one.KIND == "trades" and strategy is QuotesOnly:
            continue
        heard = int(TICKS.local_ns[at])
        closes, means = (closes_by(heard, known[one.symbol]) for known in (rows, mids))
        close = closes[-1] if closes else math.nan
        mean = (means[-1] + means[-2]) * 0.5 if len(means) > 1 else math.nan
        if one.KIND == "quotes":
            wanted += [(at, close), (at, mean)]
            last_close, last_mean = before[one.symbol]
            if last_close <= last_mean and close > mean:
                crossings.append((at, 1))
            if last_close >= 100.0 and close < 100.0:
                crossings.append((at, -1))
        else:
            wanted.append((at, close))
        before[one.symbol] = (close, mean)
    told = {}
    for row in run.signals:
        value = math.nan if row["direction"] == 0 else float(row["confidence"]) * 1000.0
        told.setdefault(int(row["bar"]), []).append(value)
    found = [(at, value) for at in sorted(told) for value in told[at][: 2 if TICKS.kind(at) == "quotes" else 1]]
    assert [at for at, _ in found] == [at for at, _ in wanted]
    values, expected = (np.array([value for _, value in pairs]) for pairs in (found, wanted))
    assert np.allclose(values, expected, rtol=1e-12, atol=0, equal_nan=True)
    orders = [(int(row["created_ts_ns"]), int(row["side"])) for row in run.orders]
    assert orders == [(int(TICKS.local_ns[at]), side) for at, side in crossings]
    assert len(crossings) >= 3
    assert run.digest == nt.backtest(TICKS, nt.compiled(strategy), cash=1e6).digest
    assert run.digest == nt.backtest(TICKS, [strategy], cash=1e6).digest


class Hooked(nt.Strategy):
    """Every kind of schedule, told by signals."""

    def on_open(self, ctx):
        ctx.signal(1, 0.9, reasoning="open")

    @nt.schedule(every="10min")
    def often(self, ctx):
        ctx.signal(1, 0.8, reasoning="every")

    @nt.schedule(after_open="15min")
    def settled(self, ctx):
        ctx.buy(1)
        ctx.signal(1, 0.7, reasoning="after")

    @nt.schedule(before_close="20min")
    def flatten(self, ctx):
        ctx.close_position()
        ctx.signal(0, 0.6, reasoning="before")

    def on_close(self, ctx):
        ctx.signal(-1, 0.5, reasoning="close")


class HookedQuotes(Hooked):
    def init(self, data):
        self.mean = data.resample("5min", price="mid").sma(2)

    def on_quote(self, ctx):
        if ctx.value(self.mean) > 0.0:
            ctx.signal(0, 0.1, reasoning="quote")


SPARSE = nt.Ticks([*stream("A", 5, 500, 60 * SECOND), *stream("B", 6, 300, 90 * SECOND)])
OPENS = START + np.array([30, 200, 300]) * MINUTE
EXCHANGE = {"A": nt.Instrument(calendar=nt.Sessions(OPENS, OPENS + 90 * MINUTE))}


def slow_calls(ticks: nt.Ticks, symbol: str, kinds: tuple, sessions: nt.Sessions) -> dict[str, list[int]]:
    """Events at which each hook is called, one event after another."""
    calls: dict[str, list[int]] = {name: [] for name in ("open", "every", "after", "before", "close")}
    done: set = set()
    latest, within = None, None
    for at in range(len(ticks)):
        one = ticks.streams[int(ticks.events().stream[at])]
        if one.symbol != symbol or one.KIND not in kinds:
            continue
        now = int(ticks.local_ns[at])
        if within is not None and now >= sessions.close_ns[within]:
            calls["close"].append(at)
            within = None
        if now % (10 * MINUTE) == 0 if latest is None else now // (10 * MINUTE) > latest // (10 * MINUTE):
            calls["every"].append(at)
        for number in range(len(sessions)):
            opens, closes = int(sessions.open_ns[number]), int(sessions.close_ns[number])
            if opens <= now < closes:
                within = number
                due = {"open": opens, "after": opens + 15 * MINUTE, "before": closes - 20 * MINUTE}
                for name, when in due.items():
                    if now >= when and (name, number) not in done:
                        done.add((name, number))
                        calls[name].append(at)
        latest = now
    return calls


@pytest.mark.parametrize("strategy", [Hooked, HookedQuotes])
def test_schedules_against_a_slow_count(strategy):
    run = nt.backtest(SPARSE, strategy, cash=1e6, instruments=EXCHANGE)
    kinds = ("quotes",) if strategy is HookedQuotes else ("quotes", "trades")
    days = [np.arange(START // (24 * HOUR), START // (24 * HOUR) + 3) * 24 * HOUR]
    calendars = {"A": EXCHANGE["A"].calendar, "B": nt.Sessions(days[0], days[0] + 24 * HOUR)}
    for symbol, sessions in calendars.items():
        wanted = slow_calls(SPARSE, symbol, kinds, sessions)
        mine = run.signals[run.signals["symbol"] == symbol]
        found = {name: mine["bar"][mine["reasoning"] == run.reasoning.index(name)].tolist() for name in wanted
                 if name in run.reasoning}  # fmt: skip
        assert found == {name: wanted[name] for name in found}
        assert all(name in found or not events for name, events in wanted.items())
    assert len(wanted["every"]) > 10
    runs = [nt.backtest(SPARSE, each, cash=1e6, instruments=EXCHANGE) for each in
            (nt.compiled(strategy), [strategy], [nt.compiled(strategy)])]  # fmt: skip
    assert {run.digest for run in runs} == {run.digest}
    assert len(run.fills) >= 2


def test_hooks_and_columns_of_each_strategy_are_its_own():
    alone = [nt.backtest(SPARSE, one, cash=1e6, instruments=EXCHANGE) for one in (Hooked, HookedQuotes)]
    for listed in ([Hooked, HookedQuotes], [nt.compiled(Hooked), nt.compiled(HookedQuotes)]):
        run = nt.backtest(SPARSE, listed, cash=1e6, instruments=EXCHANGE)
        for name, one in zip(("Hooked", "HookedQuotes"), alone, strict=True):
            mine = run.signals[run.signals["strategy"] == name]
            assert mine["bar"].tolist() == one.signals["bar"].tolist()
            assert mine["confidence"].tolist() == one.signals["confidence"].tolist()


def test_the_close_of_a_session_comes_before_the_open_of_the_next():
    sessions = nt.Sessions([START, START + HOUR], [START + HOUR, START + 2 * HOUR])
    prints = nt.Trades("X", [START + MINUTE, START + HOUR], [9.0, 9.0], [1, 1], [1, 1])
    for speed in (lambda s: s, nt.compiled):
        run = nt.backtest(prints, speed(Hooked), instruments=nt.Instrument(calendar=sessions))
        told = [(int(row["bar"]), run.reasoning[row["reasoning"]]) for row in run.signals]
        assert told == [(0, "open"), (1, "close"), (1, "open"), (1, "every")]


def test_called_at_takes_no_events():
    hook = scheduled.Hook("often", "every", "1min")
    assert scheduled.called_at(hook, np.zeros(0, np.int64), None).tolist() == []
    opened = scheduled.Hook("on_open", "open")
    assert scheduled.called_at(opened, np.array([1, 2]), nt.Sessions([], [])).tolist() == [False, False]


class Looks(nt.Strategy):
    def init(self, data):
        self.mean = data.resample("1s").sma(2)

    def on_trade(self, ctx):
        ctx.state[0] = ctx.previous(self.mean)


class Mixes(nt.Strategy):
    def init(self, data):
        self.mean = data.resample("1s").sma(2, source=data.resample("2s").rsi(2))

    def on_trade(self, ctx):
        pass


class Wide(nt.Strategy):
    def init(self, data):
        self.mean = data.resample("1min").sma(500)

    def on_trade(self, ctx):
        pass


def test_what_such_columns_are_not():
    prints = nt.Trades("X", np.arange(1, 9) * SECOND, [9.0] * 8, [1.0] * 8, [1] * 8)
    with pytest.raises(nt.StrategyError, match=r"ctx.previous: a run over ticks has no bars"):
        nt.backtest(prints, Looks)
    with pytest.raises(nt.CompileError, match=r"test_tick_bars.py:\d+: ctx.previous in a run over ticks"):
        nt.backtest(prints, nt.compiled(Looks))
    with pytest.raises(nt.InputError, match="is of another time frame"):
        nt.backtest(prints, Mixes)
    with pytest.raises(nt.InputError, match=r"data.sma\(500\).*X has 1 bars"):
        nt.backtest(prints, Wide)


def test_the_mark_stays_the_close_and_the_end_closes_at_the_quote():
    seen = []

    class Marks(nt.Strategy):
        def init(self, data):
            self.mean = data.resample("1s", price="mid").sma(1)

        def on_quote(self, ctx):
            seen.append((ctx.close, ctx.mid, ctx.volume))
            if ctx.i == 0:
                ctx.buy(1)

    count = 30
    bid = 100.0 + np.arange(count)
    quotes = nt.Quotes("X", np.arange(1, count + 1) * SECOND, bid, [5.0] * count, bid + 1.0, [5.0] * count)
    run = nt.backtest(quotes, Marks, cash=1e6, close_at_end=True)
    assert all(close == mid for close, mid, _ in seen)
    assert run.fills["price"].tolist() == [101.0, 129.0]
