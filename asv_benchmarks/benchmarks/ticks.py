"""The loop over quotes and over depth: a strategy that is called for every event and does nothing; a market maker."""

from __future__ import annotations

import numpy as np

import neuraltrade as nt

ROWS = 500_000


class Idle(nt.Strategy):
    def on_quote(self, ctx):
        if ctx.i < 0:
            ctx.buy(1)

    def on_depth(self, ctx):
        if ctx.i < 0:
            ctx.buy(1)


class Maker(nt.Strategy):
    def on_quote(self, ctx):
        if ctx.i % 10 == 0:
            ctx.cancel_all()
            ctx.buy(0.01, limit=ctx.bid)
            ctx.sell(0.01, limit=ctx.ask)


def quotes() -> nt.Quotes:
    rng = np.random.default_rng(1)
    middle = np.round(60_000 + np.cumsum(rng.integers(-1, 2, ROWS)) * 0.1, 1)
    ts = np.cumsum(rng.integers(0, 10_000_000, ROWS))
    return nt.Quotes("X", ts, middle - 0.1, rng.random(ROWS) + 0.01, middle, rng.random(ROWS) + 0.01)


def depth() -> nt.Depth:
    """Changes around a price that walks: most near the best, a fifth of them deletions; about 1,000 levels a side."""
    rng = np.random.default_rng(2)
    middle = 600_000 + np.cumsum(rng.integers(-1, 2, ROWS) * (rng.random(ROWS) < 0.1))
    side = rng.choice(np.array([1, -1]), ROWS)
    away = 1 + np.minimum(rng.geometric(0.01, ROWS), 2_000)
    quantity = np.where(rng.random(ROWS) < 0.2, 0.0, np.round(rng.random(ROWS) + 0.001, 3))
    ts = np.repeat(np.arange(ROWS // 50 + 1), 50)[:ROWS] * 50_000_000
    return nt.Depth("X", ts, side, (middle - side * away) / 10, quantity)


class Ticks:
    params = ("quotes", "depth")
    param_names = ("stream",)
    timeout = 300

    def setup(self, stream: str) -> None:
        self.ticks = nt.Ticks([quotes() if stream == "quotes" else depth()])
        self.ticks.events()
        self.idle, self.maker = nt.compiled(Idle), nt.compiled(Maker)
        nt.backtest(self.ticks[:1000], self.idle)

    def time_idle(self, stream: str) -> None:
        nt.backtest(self.ticks, self.idle)

    def track_rows_a_second(self, stream: str) -> float:
        import time  # noqa: PLC0415

        begun = time.perf_counter()
        nt.backtest(self.ticks, self.idle)
        return ROWS / (time.perf_counter() - begun)


class MarketMaker:
    timeout = 300

    def setup(self) -> None:
        self.ticks = nt.Ticks([quotes()])
        self.maker = nt.compiled(Maker)
        nt.backtest(self.ticks[:1000], self.maker)

    def time_compiled(self) -> None:
        nt.backtest(self.ticks, self.maker, cash=1e6)

    def time_interpreted(self) -> None:
        nt.backtest(self.ticks[:50_000], Maker, cash=1e6)

    def track_fills(self) -> int:
        return len(nt.backtest(self.ticks, self.maker, cash=1e6).fills)
