"""Several strategies over ticks: one venue, one purse, each its own positions, and the parts add up to the whole."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.core.engine import EVENT_DTYPE, EVENT_KINDS


def stream(symbol: str, seed: int, count: int = 1500) -> list:
    """Quotes and prints around a walk of cents, heard a little later."""
    rng = np.random.default_rng(seed)
    ts = 10**18 + np.cumsum(rng.integers(1, 40_000_000, count))
    middle = 100 + np.cumsum(rng.choice([-0.01, 0.0, 0.01], count)).round(2)
    heard = np.maximum.accumulate(ts + rng.integers(1_000_000, 9_000_000, count))
    side = rng.choice([1, -1], count)
    sizes = rng.integers(1, 9, (3, count))
    bid, ask = (middle - 0.01).round(2), (middle + 0.01).round(2)
    quotes = nt.Quotes(symbol, ts, bid, sizes[0], ask, sizes[1], local_ns=heard)
    return [quotes, nt.Trades(symbol, ts, (middle + 0.01 * side).round(2), sizes[2], side, local_ns=heard)]


TICKS = nt.Ticks([*stream("A", 1), *stream("B", 2)])
COSTS = {"cash": 100_000.0, "fees": nt.Fees(rate=0.0002, fixed=0.01), "latency_ns": 3_000_000}


class Joins(nt.Strategy):
    """Rests at the best prices; the state keeps what it sent."""

    size: float = 2.0
    most: float = 6.0

    def on_quote(self, ctx):
        at = ctx.slot * 4
        bid_id, ask_id = int(ctx.state[at]), int(ctx.state[at + 1])
        if bid_id > 0 and ctx.is_active(bid_id):
            if ctx.state[at + 2] != ctx.bid:
                ctx.cancel(bid_id)
        elif ctx.position < self.most:
            ctx.state[at] = ctx.buy(self.size, limit=ctx.bid)
            ctx.state[at + 2] = ctx.bid
        if ask_id > 0 and ctx.is_active(ask_id):
            if ctx.state[at + 3] != ctx.ask:
                ctx.cancel(ask_id)
        elif ctx.position > -self.most:
            ctx.state[at + 1] = ctx.sell(self.size, limit=ctx.ask)
            ctx.state[at + 3] = ctx.ask


class Follows(nt.Strategy):
    """Of prints alone; takes with the aggressor and protects it."""

    units: float = 3.0

    def on_trade(self, ctx):
        if ctx.last_size >= 7.0 and ctx.position == 0.0:
            if ctx.aggressor > 0:
                ctx.signal(1, 0.6, reasoning="a large buyer")
                ctx.buy(self.units, trail=0.03)
            else:
                ctx.signal(-1, 0.6, reasoning="a large seller")
                ctx.sell(self.units, trail=0.03)


class Once(nt.Strategy):
    """One order at the first quote."""

    units: float = 3.0
    limit: float = 0.0

    def on_quote(self, ctx):
        if ctx.state[0] == 0.0:
            ctx.state[0] = 1.0
            if self.limit > 0.0:
                ctx.buy(self.units, limit=self.limit)
            else:
                ctx.buy(self.units)


class Breaks(nt.Strategy):
    def on_trade(self, ctx):
        if ctx.i > 20:
            raise ValueError("enough")


THREE = [Joins, Follows, Joins(size=1.0, most=3.0)]


def test_the_same_at_both_speeds_and_mixed():
    fast = [nt.compiled(one) for one in THREE]
    runs = [nt.backtest(TICKS, each, **COSTS) for each in (THREE, fast, [THREE[0], fast[1], THREE[2]])]
    assert [set(run.fills["strategy"]) for run in runs] == [{"Joins", "Follows", "Joins 2"}] * 3
    assert len(runs[0].fills) > 100
    assert len({run.digest for run in runs}) == 1
    assert [run.settings["mode"] for run in runs] == ["interpreted", "compiled", "mixed"]
    assert len({run.reasoning for run in runs}) == 1
    assert sorted(runs[0].reasoning) == ["a large buyer", "a large seller"]
    for run in runs[1:]:
        for table in ("fills", "trades", "orders", "signals"):
            assert getattr(run, table).tobytes() == getattr(runs[0], table).tobytes(), table


def test_a_list_of_one_is_the_run_of_one():
    for strategy in (Joins, Follows):
        alone, listed = nt.backtest(TICKS, strategy, **COSTS), nt.backtest(TICKS, [strategy], **COSTS)
        assert listed.digest == alone.digest
        assert np.array_equal(listed.equity, alone.equity)


def test_contributions_add_up_to_the_last_unit():
    """From the log alone, in Fractions."""
    funding = nt.Funding([int(TICKS.local_ns[len(TICKS) // 2])], [0.0001])
    account = nt.Account(leverage=4, borrow_rate=0.05, lots="fifo")
    run = nt.backtest(TICKS, THREE, account=account, actions={"A": funding}, close_at_end=False, **COSTS)
    totals, held = [0, 0, 0], [[Fraction(0)] * 2 for _ in THREE]
    for event in run.events.view(EVENT_DTYPE):
        owner, symbol = divmod(int(event["symbol"]), 2)
        kind = EVENT_KINDS[event["kind"]]
        if kind == "fill":
            signed = Fraction(int(event["side"]) * int(event["quantity"]), 10**9)
            held[owner][symbol] += signed
            worth = signed * Fraction(int(event["price"]), 10**3)
            assert worth.denominator == 1
            totals[owner] -= int(worth) + int(event["extra"])
        elif kind == "flow":
            totals[owner] += int(event["value"])
    marks = [Fraction(round(float(stream.bid[-1] + stream.ask[-1]) * 500_000)) for stream in TICKS.streams[::2]]
    for owner, units in enumerate(held):
        totals[owner] += int(sum(a * b for a, b in zip(units, marks, strict=True)))
    rows = run.by_strategy()
    assert rows["contribution_minor"].tolist()[:3] == totals
    assert len(run.flows) > 1
    assert round(run.equity[-1] * 10**6) == 100_000 * 10**6 + sum(rows["contribution_minor"].tolist())
    assert np.allclose(run.equity, 100_000.0 + run.contributions().sum(axis=1), rtol=0, atol=1e-6)
    assert run.contributions().shape == (len(TICKS), 3)


def test_with_size_enough_each_does_what_it_does_alone():
    """Deep prints and quotes: nobody takes what another needs."""
    quotes, trades = stream("A", 5)
    deep = nt.Quotes("A", quotes.ts_ns, quotes.bid, [500.0] * len(quotes), quotes.ask, [500.0] * len(quotes))
    ticks = nt.Ticks([deep, nt.Trades("A", trades.ts_ns, trades.price, trades.quantity, trades.aggressor)])
    given = {"cash": 100_000.0, "latency_ns": 1000}
    together = nt.backtest(ticks, {"large": Follows(units=5.0), "small": Follows(units=2.0)}, **given)
    for index, one in enumerate((Follows(units=5.0), Follows(units=2.0))):
        alone = nt.backtest(ticks, one, **given)
        mine = together.fills[together.fills["strategy"] == together.strategies[index]]
        assert len(alone.fills) > 20
        for name in ("bar", "ts_ns", "side", "quantity", "price", "fee"):
            assert np.array_equal(mine[name], alone.fills[name]), name
        assert np.allclose(together.contributions()[:, index], alone.equity - alone.cash, rtol=0, atol=1e-8)


def still(count: int = 6, size: float = 4.0) -> nt.Quotes:
    ts = np.arange(10, 10 * count + 10, 10)
    return nt.Quotes("X", ts, [99.0] * count, [5.0] * count, [101.0] * count, [size] * count)


def test_a_shown_size_is_taken_once():
    run = nt.backtest(still(), [Once, Once, Once], cash=1e6)
    got = {name: run.fills["quantity"][run.fills["strategy"] == name].sum() for name in run.strategies}
    assert got == {"Once": 3.0, "Once 2": 1.0, "Once 3": 0.0}
    assert run.orders["status"].tolist() == ["filled", "partially_filled", "submitted"]


def test_price_comes_before_the_order_of_the_list_and_time_before_nothing_else():
    """A print of six: the better bid first, then the earlier of two equal ones; six are ahead of both at 99."""
    quotes = still()
    prints = nt.Trades("X", [25, 35], [98.0, 98.0], [4.0, 6.0], [-1, -1])
    three = {"low": Once(limit=98.5), "high": Once(limit=99.0), "late": Once(limit=98.5)}
    run = nt.backtest(nt.Ticks([quotes, prints]), three, cash=1e6)
    told = [(str(f["strategy"]), int(f["ts_ns"]), float(f["quantity"]), float(f["price"])) for f in run.fills]
    assert told == [("high", 25, 3.0, 99.0), ("low", 25, 1.0, 98.5), ("low", 35, 2.0, 98.5), ("late", 35, 3.0, 98.5)]


def test_cash_is_one():
    run = nt.backtest(still(size=500.0), [Once(units=60.0), Once(units=60.0)], cash=10_000.0)
    assert run.orders["status"].tolist() == ["filled", "rejected"]
    assert run.orders["reason"].tolist() == ["", "no_cash"]
    assert run.fills["strategy"].tolist() == ["Once"]


def test_strategies_do_not_trade_with_one_another_where_that_is_forbidden():
    class Sells(nt.Strategy):
        def on_quote(self, ctx):
            if ctx.i == 1:
                ctx.sell(1.0, limit=99.5)

    both = [Once(limit=100.0), Sells]
    run = nt.backtest(still(), both, cash=1e6, risk=nt.RiskLimits(prevent_self_trade=True))
    assert run.denials["strategy"].tolist() == ["Sells"]
    assert run.orders["reason"].tolist()[1] == "self_trade"
    assert len(nt.backtest(still(), both, cash=1e6).denials) == 0


def test_each_position_is_closed_at_its_own_side():
    class Shorts(nt.Strategy):
        def on_quote(self, ctx):
            if ctx.i == 0:
                ctx.sell(2.0)

    run = nt.backtest(still(), [Once, Shorts], cash=1e6, close_at_end=True)
    closing = run.fills[-2:]
    assert [(str(f["strategy"]), float(f["price"])) for f in closing] == [("Once", 99.0), ("Shorts", 101.0)]
    assert run.contributions()[-1].tolist() == [-6.0, -4.0]


def test_an_error_names_the_strategy():
    for broken in (Breaks, nt.compiled(Breaks)):
        with pytest.raises(nt.StrategyError, match=r"^Breaks: .*enough") as caught:
            nt.backtest(TICKS, [Joins, broken], **COSTS)
        assert isinstance(caught.value.__cause__, ValueError)
        assert len(caught.value.result.equity) == caught.value.bar + 1


def test_saved_and_read(tmp_path):
    run = nt.backtest(TICKS[:900], THREE, **COSTS)
    run.save(tmp_path / "run.ntr")
    read = nt.Result.load(tmp_path / "run.ntr")
    assert read.digest == run.digest
    assert np.array_equal(read.by_strategy(), run.by_strategy())


def test_wrong_lists_are_refused():
    signals = nt.Signals([True], [False])
    with pytest.raises(nt.InputError, match=r"strategy 'Signals' must be an nt.Strategy over ticks"):
        nt.backtest(TICKS, [Joins, signals])
    with pytest.raises(nt.InputError, match=r"has no on_quote or on_trade or on_depth"):
        nt.backtest(TICKS, [Joins, nt.strategy.library.Momentum])
