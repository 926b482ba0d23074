"""The strategy whose runs the determinism campaign compares, in a file of its own: compiling reads it."""

from __future__ import annotations

import math

import neuraltrade as nt


class Wanderer(nt.Strategy):
    """Crossings, brackets, limits, targets and shared maths, to have something of each in the log."""

    fast: int = 5
    slow: int = 20
    loss: float = 0.02
    gain: float = 0.03
    pace: int = 17

    def init(self, data):
        self.f = data.sma(self.fast)
        self.s = data.ema(self.slow)

    def on_bar(self, ctx):
        if ctx.crossed_above(self.f, self.s):
            ctx.buy(stop_loss_rate=self.loss, take_profit_rate=self.gain)
        elif ctx.crossed_below(self.f, self.s):
            ctx.sell(7.0, limit=ctx.close * 1.001, stop_loss_rate=self.loss)
        elif ctx.i % self.pace == 3:
            ctx.close_position()
        elif ctx.close > ctx.open * 1.005:
            ctx.target(math.tanh((ctx.close / ctx.open - 1.0) * 10.0) + math.log(ctx.close) ** 0.5 / 10.0)
        elif ctx.i % self.pace == 5:
            ctx.buy(3.0, stop=ctx.close * 1.01, trail=ctx.close * self.loss)
