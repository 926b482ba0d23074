"""Two strategies with parameters to fit; compiled, so they live in a file."""

from __future__ import annotations

from typing import Any

import neuraltrade as nt


class Cross(nt.Strategy):
    """In the direction of the faster average."""

    fast: int = 10
    slow: int = 50

    def init(self, data: Any) -> None:
        self.f, self.s = data.sma(self.fast), data.sma(self.slow)

    def on_bar(self, ctx: Any) -> None:
        if ctx.crossed_above(self.f, self.s):
            ctx.buy()
        elif ctx.crossed_below(self.f, self.s):
            ctx.sell()


class Reversion(nt.Strategy):
    """Against moves beyond a band, until the price is back at its average."""

    window: int = 20
    width: float = 2.0

    def init(self, data: Any) -> None:
        self.upper, self.middle, self.lower = data.bbands(self.window, self.width)

    def on_bar(self, ctx: Any) -> None:
        if ctx.close < ctx.value(self.lower) and ctx.position <= 0.0:
            ctx.buy()
        elif ctx.close > ctx.value(self.upper) and ctx.position >= 0.0:
            ctx.sell()
        elif (ctx.position > 0.0 and ctx.close > ctx.value(self.middle)) or (
            ctx.position < 0.0 and ctx.close < ctx.value(self.middle)
        ):
            ctx.close_position()
