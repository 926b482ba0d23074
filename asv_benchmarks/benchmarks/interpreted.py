"""P2 on more than one body: what a bar costs where `on_bar` is Python, by the way it is written."""

from __future__ import annotations

import neuraltrade as nt

import inputs
import ours

ROWS = 200_000


class Empty(nt.Strategy):
    def on_bar(self, ctx):
        pass


class Brackets(nt.Strategy):
    """Tests where they are needed, and orders with stops."""

    low: float = 30.0
    high: float = 70.0

    def init(self, data):
        self.rsi, self.trend = data.rsi(14), data.sma(100)

    def on_bar(self, ctx):
        if ctx.position == 0:
            if ctx.value(self.rsi) < self.low and ctx.close > ctx.value(self.trend):
                ctx.buy(stop_loss=ctx.close * 0.98, take_profit=ctx.close * 1.04)
        elif ctx.value(self.rsi) > self.high:
            ctx.close_position()


class Locals(Brackets):
    """The same, its numbers taken first, and a way out in the middle."""

    def on_bar(self, ctx):
        rsi = ctx.value(self.rsi)
        if ctx.position:
            if rsi > self.high:
                ctx.close_position()
            return
        price = ctx.close
        if rsi < self.low and price > ctx.value(self.trend):
            ctx.buy(stop_loss=price * 0.98, take_profit=price * 1.04)


class Called(Brackets):
    """Makes a function at every bar, which keeps it from staying: what entering it costs."""

    def on_bar(self, ctx):
        oversold = lambda: ctx.value(self.rsi) < self.low  # noqa: E731
        if ctx.position == 0:
            if oversold() and ctx.close > ctx.value(self.trend):
                ctx.buy(stop_loss=ctx.close * 0.98, take_profit=ctx.close * 1.04)
        elif ctx.value(self.rsi) > self.high:
            ctx.close_position()


BODIES = {"sma cross": ours.SmaCross, "empty": Empty, "brackets": Brackets, "locals": Locals, "called": Called}


class Bodies:
    params = tuple(BODIES)
    param_names = ("body",)
    timeout = 300

    def setup(self, body: str) -> None:
        self.bars = ours.bars_of(inputs.minute_bars(ROWS))
        self.strategy = BODIES[body]

    def run(self) -> nt.Result:
        return nt.backtest(self.bars, self.strategy, cash=1_000_000.0, fill="backtesting_py")

    def time_p2_interpreted(self, body: str) -> None:
        self.run()

    def track_fills(self, body: str) -> int:
        return len(self.run().fills)
