"""Every order type and every change to an order, interpreted and compiled: the same digest, the same refusals."""

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.core.engine import ORDER_TYPES
from neuraltrade.core.layouts import EVENT_DTYPE, EVENT_KINDS, TIMES_IN_FORCE

GOOG = nt.datasets.load("GOOG")
PANEL = nt.Panel([nt.datasets.load(name)[:900] for name in ("AAPL", "GOOG", "MSFT")])
DAY_NS = 86_400 * 10**9


class Everything(nt.Strategy):
    """Places, joins, moves and dates orders; keeps the answers in its state, refusals included."""

    size: float = 4.0
    state_size = 8

    def on_bar(self, ctx):
        turn = ctx.i % 11
        if turn == 0:
            ctx.buy(self.size, at="open", stop_loss_rate=0.05, take_profit_rate=0.08)
        elif turn == 1:
            ctx.state[0] = ctx.trailing_stop(trail_rate=0.03)
            ctx.state[1] += ctx.trailing_stop(2, trail=ctx.close * 0.02 if ctx.i % 2 else None)
        elif turn == 2:
            a = ctx.buy(3, stop=ctx.high * 1.01, tif="gtd", good_till=ctx.ts_ns + 4 * DAY_NS)
            b = ctx.buy(3, limit=ctx.low * 0.99, tif="gtd", good_till=ctx.ts_ns + 6 * DAY_NS)
            ctx.state[2] += ctx.oco(a, b)
            ctx.state[3] = b
        elif turn == 3:
            ctx.state[4] += ctx.modify(int(ctx.state[3]), limit=ctx.close * 0.995)
            ctx.state[4] += ctx.modify(int(ctx.state[3]), 2, stop=None)
            ctx.state[4] += ctx.modify(int(ctx.state[3]), stop=ctx.close)
        elif turn == 5:
            ctx.sell(1, at="close", trail=ctx.close * 0.1)
            ctx.sell(at="close", tif="day")
        elif turn == 6:
            ctx.state[5] = ctx.trailing_stop(5, trail_rate=0.02, side=1 if ctx.i % 2 else -1, tif="day")
            ctx.buy(1, limit=ctx.close, at="open")
            ctx.buy(1, tif="gtd", good_till="2004-09-01")
        elif turn == 8:
            ctx.modify(12345678, limit=1.0)
            ctx.oco(1, 1)
            ctx.trailing_stop(trail=float("nan"))
            ctx.sell(2, stop=ctx.close * 0.98, limit=ctx.close * 0.97, good_till=None, at=None)
        elif turn == 10 and ctx.i % 3 == 0:
            ctx.close_position()
        ctx.state[6] += ctx.is_active(int(ctx.state[5])) + 0.5 * ctx.is_active(int(ctx.state[0]))


@pytest.mark.parametrize("fill", [*nt.FillPolicy.presets(), nt.FillPolicy(volume_cap=1e-6, path="ohlc")])
@pytest.mark.parametrize("data", [GOOG, PANEL], ids=["GOOG", "panel"])
def test_both_speeds_decide_alike(data, fill):
    given = {"cash": 100_000.0, "fill": fill, "risk": nt.RiskLimits(max_position=40.0, price_collar=0.5)}
    slow = nt.backtest(data, Everything, **given)
    fast = nt.backtest(data, nt.compiled(Everything), **given)
    assert slow.digest == fast.digest
    np.testing.assert_array_equal(slow.equity, fast.equity)
    orders = slow.orders
    assert set(orders["type"]) == set(ORDER_TYPES)
    assert {"gtc", "day", "gtd"} <= set(orders["tif"]) <= set(TIMES_IN_FORCE)
    assert {"filled", "cancelled", "expired", "denied"} <= set(orders["status"])
    kinds = np.frombuffer(slow.events, EVENT_DTYPE)["kind"]
    assert {EVENT_KINDS.index("modified"), EVENT_KINDS.index("joined")} <= set(kinds.tolist())


class Dated(nt.Strategy):
    def on_bar(self, ctx):
        ctx.buy(1, limit=1.0, tif="gtd", good_till=ctx.close)


def test_a_date_is_an_integer_in_both():
    with pytest.raises(nt.NeuralTradeError, match="good_till"):
        nt.backtest(GOOG[:5], Dated)
    with pytest.raises(nt.CompileError, match="good_till"):
        nt.backtest(GOOG[:5], nt.compiled(Dated))


class NoDate(nt.Strategy):
    def on_bar(self, ctx):
        ctx.buy(1, tif="gtd")


class DateWithoutTif(nt.Strategy):
    def on_bar(self, ctx):
        ctx.trailing_stop(1, trail=1, side=1, good_till=5)


class Noon(nt.Strategy):
    def on_bar(self, ctx):
        ctx.buy(1, at="noon")


class Misspelt(nt.Strategy):
    def on_bar(self, ctx):
        ctx.modify(1, limits=3)


class NoTime(nt.Strategy):
    def on_bar(self, ctx):
        ctx.buy(1, tif="gtd", good_till="soon")


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        (NoDate, "good_till"),
        (DateWithoutTif, "good_till"),
        (Noon, "open"),
        (Misspelt, "limit"),
        (NoTime, "good_till"),
    ],
)
def test_what_neither_speed_takes(strategy, message):
    with pytest.raises(nt.NeuralTradeError, match=message):
        nt.backtest(GOOG[:5], strategy)
    with pytest.raises(nt.CompileError, match=message):
        nt.backtest(GOOG[:5], nt.compiled(strategy))
