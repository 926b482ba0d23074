"""The BTCUSDT perpetual of 2024-08-08: 531k rows of quotes, prints and depth with the venue's time and a recorder's."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.backtest import run as run_module
from neuraltrade.core.engine import Engine

SHARED = Path(os.environ.get("NEURALTRADE_SHARED_DATA", Path(__file__).parents[2] / "../shared/data"))
FILES = {kind: SHARED / f"btcusdt_perp_{kind}_2024-08-08.parquet" for kind in ("quotes", "trades", "depth")}
pytestmark = pytest.mark.skipif(not all(f.is_file() for f in FILES.values()), reason="needs the shared BTCUSDT files")


class Maker(nt.Strategy):
    """A bid and an ask at the best prices, moved when those move."""

    size: float = 0.01
    most: float = 0.05

    def on_quote(self, ctx):
        bid_id, ask_id = int(ctx.state[0]), int(ctx.state[1])
        if bid_id > 0 and ctx.is_active(bid_id):
            if ctx.state[2] != ctx.bid:
                ctx.cancel(bid_id)
        elif ctx.position < self.most and ctx.bid > 0.0:
            ctx.state[0] = ctx.buy(self.size, limit=ctx.bid)
            ctx.state[2] = ctx.bid
        if ask_id > 0 and ctx.is_active(ask_id):
            if ctx.state[3] != ctx.ask:
                ctx.cancel(ask_id)
        elif ctx.position > -self.most and ctx.ask > 0.0:
            ctx.state[1] = ctx.sell(self.size, limit=ctx.ask)
            ctx.state[3] = ctx.ask


class Compare(nt.Strategy):
    """How often the best of the book is the quote, each time the book changes."""

    def on_depth(self, ctx):
        bid, ask = ctx.depth_price(1), ctx.depth_price(-1)
        ctx.state[0] += 1
        if not bid < ask:
            ctx.state[1] += 1
        if bid == ctx.bid and ask == ctx.ask:
            ctx.state[2] += 1


class Ladder(nt.Strategy):
    """Orders that depend on nothing that fills: one a side, at or behind the best, every 50 quotes."""

    state_size = 64

    def on_quote(self, ctx):
        ctx.state[60] += 1
        if ctx.state[60] % 50 == 0:
            slot = int(ctx.state[61]) % 16
            ctx.state[61] += 1
            for side in range(2):
                at = 2 * slot + side
                if ctx.state[at] > 0:
                    ctx.cancel(int(ctx.state[at]))
                back = 0.1 * (slot % 3)
                ctx.state[at] = (
                    ctx.buy(0.05, limit=ctx.bid - back) if side == 0 else ctx.sell(0.05, limit=ctx.ask + back)
                )


@pytest.fixture(scope="module")
def ticks() -> nt.Ticks:
    kinds = {"quotes": nt.Quotes, "trades": nt.Trades, "depth": nt.Depth}
    return nt.Ticks([kind.read(FILES[name], symbol="BTCUSDT") for name, kind in kinds.items()]).with_latency()


INSTRUMENT = nt.Instrument(tick=0.1, lot=0.001)


def engine_of(ticks: nt.Ticks, strategy: Any) -> Engine:
    """An engine that has run `strategy` over the ticks, its books and state to look at."""
    setup = run_module._setup(ticks, 1e6, 0.0, 0.0, "conservative", None, None, INSTRUMENT, None, 0, 0)
    prepared = run_module.prepare(strategy, None, (), ticks)
    engine = setup.engine(setup.policy, prepared.calls)
    run_module._bind(engine, setup, None, prepared)
    engine.advance(engine.clock_count)
    engine.finish()
    return engine


def test_the_recorders_clock_is_set_right(ticks: nt.Ticks) -> None:
    late = np.concatenate([one.local_ns - one.ts_ns for one in ticks.streams])
    assert late.min() == 1_000_000 and 1e6 < np.median(late) < 50e6
    assert [len(one) for one in ticks.streams] == [66_089, 21_313, 443_521] and len(ticks) == 93_953


def test_the_best_of_the_book_is_the_quote(ticks: nt.Ticks) -> None:
    engine = engine_of(ticks, nt.compiled(Compare))
    messages, crossed, equal = list(engine.context.state)[:3]
    assert messages == 6551 and crossed == 0
    assert equal / messages > 0.99  # 6,514 of 6,551: 99.4 %
    assert engine.counters()["stale_levels"] < 50


def test_a_market_maker_over_the_whole_stream(ticks: nt.Ticks) -> None:
    result = nt.backtest(
        ticks, nt.compiled(Maker), cash=100_000.0, latency_ns=5_000_000, instruments=INSTRUMENT, fees=0.0001
    )
    assert len(result.fills) > 500 and abs(result.fills["quantity"] * result.fills["side"]).max() <= 0.01 + 1e-12
    assert abs(np.cumsum(result.fills["quantity"] * result.fills["side"])).max() <= 0.06 + 1e-9
    cash = (
        100_000.0
        - (result.fills["side"] * result.fills["quantity"] * result.fills["price"] + result.fills["fee"]).sum()
    )
    held = (result.fills["quantity"] * result.fills["side"]).sum()
    quotes = ticks.streams[0]
    assert result.equity[-1] == pytest.approx(cash + held * (quotes.bid[-1] + quotes.ask[-1]) / 2, abs=1e-6)
    assert np.isfinite(result.equity).all()
    slow = nt.backtest(ticks[:20_000], Maker, cash=100_000.0, latency_ns=5_000_000, instruments=INSTRUMENT)
    fast = nt.backtest(ticks[:20_000], nt.compiled(Maker), cash=100_000.0, latency_ns=5_000_000, instruments=INSTRUMENT)
    assert slow.digest == fast.digest and len(slow.fills) > 50


def test_nobody_buys_below_the_market(ticks: nt.Ticks) -> None:
    """A resting order never fills at a price the venue has not traded or shown within a few seconds."""
    result = nt.backtest(ticks, nt.compiled(Maker), cash=100_000.0, latency_ns=5_000_000, instruments=INSTRUMENT)
    quotes = ticks.streams[0]
    for fill in result.fills[::7]:
        near = slice(*np.searchsorted(quotes.ts_ns, [fill["ts_ns"] - 2 * 10**9, fill["ts_ns"] + 2 * 10**9]))
        assert quotes.bid[near].min() - 1e-9 <= fill["price"] <= quotes.ask[near].max() + 1e-9


def test_queue_models_are_bounds(ticks: nt.Ticks) -> None:
    filled = {}
    for name, model in (
        ("behind", nt.QueueModel()),
        ("power", nt.QueueModel("probability")),
        ("log", nt.QueueModel("probability", share="log")),
    ):
        result = nt.backtest(
            ticks,
            nt.compiled(Ladder),
            cash=1e9,
            latency_ns=2_000_000,
            instruments=INSTRUMENT,
            fill=nt.FillPolicy(queue=model),
        )
        filled[name] = result.orders["filled"]
    assert len(filled["behind"]) == len(filled["power"]) > 2000
    for model in ("power", "log"):
        assert filled["behind"].sum() < filled[model].sum()
        assert (filled["behind"] <= filled[model] + 1e-12).mean() > 0.99, (
            "order by order, but for orders that share a print"
        )


def test_the_ledger_balances(ticks: nt.Ticks) -> None:
    engine = engine_of(ticks, nt.compiled(Maker))
    assert engine.ledger()["balance"] == 0 and engine.counters()["fills"] > 500
