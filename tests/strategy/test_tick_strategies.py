"""Strategies over ticks: one source, two speeds, and what is refused."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from typing import Any

import pytest

import neuraltrade as nt

_path = Path(__file__).parents[1] / "core" / "test_tick_model.py"
_spec = importlib.util.spec_from_file_location("test_tick_model_for_speeds", _path)
_cases = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_cases)


class Everything(nt.Strategy):
    """Uses every name of ctx that ticks have, and every order."""

    size: float = 3.0
    state_size = 16

    def near(self, ctx, price):
        return round(price * 2.0) / 2.0

    def on_quote(self, ctx):
        ctx.state[0] += 1
        if ctx.event != "quote" or ctx.bid_size + ctx.ask_size < 0:
            raise ValueError("not a quote")
        if math.isnan(ctx.mid):
            return
        if ctx.bid_size > ctx.ask_size and ctx.position <= 0:
            ctx.state[1] = ctx.buy(self.size, limit=self.near(ctx, ctx.bid), stop_loss=self.near(ctx, ctx.bid) - 4.0)
        elif ctx.ask_size > ctx.bid_size and ctx.position >= 0:
            ctx.state[1] = ctx.sell(self.size, limit=self.near(ctx, ctx.ask), take_profit=self.near(ctx, ctx.ask) - 3.0)
        order_id = int(ctx.state[1])
        if order_id > 0 and ctx.is_active(order_id):
            ahead = ctx.queue_ahead(order_id)
            if not math.isnan(ahead) and ahead > 4.0:
                ctx.modify(order_id, limit=self.near(ctx, ctx.mid))

    def on_trade(self, ctx):
        if ctx.event == "trade" and ctx.aggressor > 0 and ctx.last_size > 2.0:
            ctx.buy(1.0, tif="ioc")
        elif ctx.last > 100.0 and ctx.position > 2.0:
            ctx.trailing_stop(trail=1.0)
        if ctx.i % 7 == 0:
            ctx.cancel_all()

    def on_depth(self, ctx):
        total = 0.0
        for level in range(3):
            total += ctx.depth_size(1, level) - ctx.depth_size(-1, level)
        if total > 3.0 and ctx.depth_price(1) > 0.0:
            ctx.sell(2.0, limit=ctx.depth_price(1), tif="fok")
        elif total < -3.0 and ctx.depth_price(-1, 0) > 0.0:
            ctx.buy(2.0, limit=ctx.depth_price(-1), stop=ctx.depth_price(-1))
        if abs(ctx.position) > 8.0:
            ctx.close_position()


class Printed(nt.Strategy):
    def on_trade(self, ctx):
        ctx.state[0] += 1
        if ctx.state[0] == 2:
            ctx.buy(1)


class Barred(nt.Strategy):
    def on_bar(self, ctx):
        ctx.buy(1)


class Past(nt.Strategy):
    def on_trade(self, ctx):
        ctx.state[0] = ctx.ago(0).close


class Averages(nt.Strategy):
    def init(self, data):
        self.mean = data.sma(3)

    def on_trade(self, ctx):
        pass


class Unknown(nt.Strategy):
    def on_trade(self, ctx):
        if ctx.event == "candle":
            ctx.buy(1)


class Fails(nt.Strategy):
    def on_trade(self, ctx):
        if ctx.i == 1:
            raise ValueError("enough")


class Assigns(nt.Strategy):
    def on_trade(self, ctx):
        self.count = ctx.i


PRINTS = nt.Trades("X", [10, 20, 30], [100.0, 101.0, 102.0], [1, 2, 3], [1, -1, 1])


@pytest.mark.parametrize("block", range(4))
def test_two_speeds_decide_alike(block):
    fills = 0
    for seed in range(block * 50, block * 50 + 50):
        ticks, how, _ = _cases.case(seed)
        settings: dict[str, Any] = {
            "cash": 1e6,
            "latency_ns": how["latency"],
            "fill": nt.FillPolicy(queue=how["queue"]),
        }
        slow = nt.backtest(ticks, Everything, **settings)
        fast = nt.backtest(ticks, nt.compiled(Everything), **settings)
        assert slow.digest == fast.digest, f"seed {seed}"
        assert slow.equity.tolist() == fast.equity.tolist()
        fills += len(slow.fills)
    assert fills > 100


def test_only_what_is_written_is_called():
    quotes = nt.Quotes("X", [5, 15], [99.0, 99.0], [1, 1], [101.0, 101.0], [1, 1])
    for strategy in (Printed, nt.compiled(Printed)):
        result = nt.backtest(nt.Ticks([quotes, PRINTS]), strategy)
        assert result.orders["created_ts_ns"].tolist() == [20] and result.fills["ts_ns"].tolist() == [20]
        assert len(result.equity) == 5


def test_a_stream_alone_is_taken():
    assert nt.backtest(PRINTS, Printed).digest == nt.backtest(nt.Ticks([PRINTS]), Printed).digest


@pytest.mark.parametrize(
    ("strategy", "message"),
    [(Barred, "Barred has no on_quote or on_trade or on_depth: it has on_bar, so it runs over bars, or write"),
     (Averages, r"data.sma: a run over ticks has no bars of its own; make some, data.resample"),
     (nt.Signals([True], [False]), "strategy must be an nt.Strategy over ticks"), (Assigns, "self.count is assigned")],
)  # fmt: skip
def test_strategies_that_need_bars_are_refused(strategy, message):
    with pytest.raises(nt.InputError, match=message):
        nt.backtest(PRINTS, strategy)


def test_strategies_of_ticks_need_ticks():
    with pytest.raises(nt.InputError, match=r"Printed has no on_bar: it has on_trade, so it runs over quotes, "):
        nt.backtest(nt.datasets.load("GOOG"), Printed)


def test_there_is_no_bar_back():
    with pytest.raises(
        nt.StrategyError, match=r"on_trade raised InputError at bar 0: ctx.ago: a run over ticks has no bars"
    ):
        nt.backtest(PRINTS, Past)
    with pytest.raises(nt.CompileError, match=r"test_tick_strategies.py:\d+: ctx.ago in a run over ticks"):
        nt.backtest(PRINTS, nt.compiled(Past))


def test_unknown_events_do_not_compile():
    assert len(nt.backtest(PRINTS, Unknown).orders) == 0
    with pytest.raises(nt.CompileError, match="'bar', 'quote', 'trade', 'depth'"):
        nt.backtest(PRINTS, nt.compiled(Unknown))


@pytest.mark.parametrize("speed", [lambda s: s, nt.compiled])
def test_what_a_strategy_raises_is_told_with_its_event(speed):
    with pytest.raises(nt.StrategyError, match="enough") as caught:
        nt.backtest(PRINTS, speed(Fails))
    assert caught.value.bar == 1 and caught.value.ts_ns == 20 and isinstance(caught.value.__cause__, ValueError)


def test_bars_show_no_ticks():
    seen = []

    class Look(nt.Strategy):
        def on_bar(self, ctx):
            seen.append(
                (
                    ctx.event,
                    ctx.bid,
                    ctx.mid,
                    ctx.last,
                    ctx.bid_size,
                    ctx.depth_price(1),
                    ctx.depth_size(1),
                    ctx.queue_ahead(1),
                )
            )

    nt.backtest(nt.datasets.load("GOOG")[:1], Look)
    event, *numbers = seen[0]
    assert event == "bar" and numbers[3] == numbers[5] == 0.0
    assert all(math.isnan(x) for x in [*numbers[:3], numbers[4], numbers[6]])


@pytest.mark.parametrize("speed", [lambda strategy: strategy, nt.compiled])
def test_a_strategy_that_would_never_be_called_is_refused(speed):
    class Prints(nt.Strategy):
        def on_trade(self, ctx):
            ctx.buy()

    quotes = nt.Quotes("X", [10, 20], [99.0] * 2, [5.0] * 2, [101.0] * 2, [5.0] * 2)
    said = r"Prints has only on_trade \(nt\.Trades\), and the data holds quotes alone"
    with pytest.raises(nt.InputError, match=said):
        nt.backtest(quotes, speed(Prints))
    prints = nt.Trades("X", [15], [100.0], [1.0], [1])
    assert len(nt.backtest(nt.Ticks([quotes, prints]), Prints).orders) == 1


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda ctx: ctx.depth_size(1, math.nan), "level must be a whole number, was nan"),
        (lambda ctx: ctx.depth_price(0.5), "side must be a whole number, was 0.5"),
        (lambda ctx: ctx.queue_ahead(math.inf), "order_id must be a whole number, was inf"),
        (lambda ctx: ctx.queue_ahead(None), "order_id must be a whole number, was None"),
    ],
)
def test_what_is_no_level_or_order_is_named(ask, message):
    class Asking(nt.Strategy):
        def on_quote(self, ctx):
            assert ctx.depth_price(1) == ctx.depth_price(1.0, 0) == 99.0
            assert math.isnan(ctx.depth_price(1, 1 << 70)) and ctx.depth_size(1, -(1 << 70)) == 0.0
            with pytest.raises(nt.InputError, match=message):
                ask(ctx)
            ctx.buy(1)

    quotes = nt.Quotes("X", [10], [99.0], [5.0], [101.0], [5.0])
    assert len(nt.backtest(quotes, Asking).orders) == 1
