"""Strategies that place one order of a kind, over bars and over ticks, for the denials campaign."""

from __future__ import annotations

import neuraltrade as nt

FAR = 978_307_200_000_000_000  # 2001-01-01


class OnBars(nt.Strategy):
    """At call `at_call`: `before` small orders of the kind, then the one that is judged."""

    kind: int = 0
    at_call: int = 2
    before: int = 0
    quantity: float = 1.0
    limit: float = 0.0
    stop: float = 0.0
    state_size = 1

    def place(self, ctx, kind, quantity):  # noqa: PLR0912
        if kind == 0:  # market
            ctx.buy(quantity)
        elif kind == 1:  # limit
            ctx.buy(quantity, limit=self.limit)
        elif kind == 2:  # stop
            ctx.buy(quantity, stop=self.stop)
        elif kind == 3:  # stop_limit
            ctx.buy(quantity, stop=self.stop, limit=self.limit)
        elif kind == 4:  # day
            ctx.buy(quantity, limit=self.limit, tif="day")
        elif kind == 5:  # bracket
            ctx.buy(quantity, stop_loss=90.0, take_profit=120.0)
        elif kind == 6:  # trail
            ctx.buy(quantity, trail=5.0)
        elif kind == 7:  # gtd
            ctx.buy(quantity, limit=self.limit, tif="gtd", good_till=FAR)
        elif kind == 8:  # trailing_stop
            ctx.trailing_stop(quantity, trail=self.stop - 100.0, side=1)
        elif kind == 9:  # sell
            ctx.sell(quantity)
        elif kind == 10:  # sell_limit
            ctx.sell(quantity, limit=self.limit)
        elif kind == 11:  # sell_stop
            ctx.sell(quantity, stop=self.stop)
        elif kind == 12:  # sell_stop_limit
            ctx.sell(quantity, stop=self.stop, limit=self.limit)
        elif kind == 13:  # sell_bracket
            ctx.sell(quantity, stop_loss=110.0, take_profit=80.0)
        elif kind == 14:  # sell_trailing_stop
            ctx.trailing_stop(quantity, trail=100.0 - self.stop, side=-1)
        elif kind == 15:  # at_open
            ctx.buy(quantity, at="open")
        elif kind == 16:  # at_close
            ctx.buy(quantity, at="close")
        elif kind == 17:  # sell_at_open
            ctx.sell(quantity, at="open")

    def on_bar(self, ctx):
        ctx.state[0] += 1.0
        if ctx.state[0] == self.at_call:
            for index in range(self.before):
                self.place(ctx, self.kind, 1.0 + index)
            self.place(ctx, self.kind, self.quantity)


class OnTicks(nt.Strategy):
    """The same over ticks, which know no open and no close."""

    kind: int = 0
    at_call: int = 2
    before: int = 0
    quantity: float = 1.0
    limit: float = 0.0
    stop: float = 0.0
    state_size = 1

    def place(self, ctx, kind, quantity):  # noqa: PLR0912
        if kind == 0:  # market
            ctx.buy(quantity)
        elif kind == 1:  # limit
            ctx.buy(quantity, limit=self.limit)
        elif kind == 2:  # stop
            ctx.buy(quantity, stop=self.stop)
        elif kind == 3:  # stop_limit
            ctx.buy(quantity, stop=self.stop, limit=self.limit)
        elif kind == 4:  # day
            ctx.buy(quantity, limit=self.limit, tif="day")
        elif kind == 5:  # bracket
            ctx.buy(quantity, stop_loss=90.0, take_profit=120.0)
        elif kind == 6:  # trail
            ctx.buy(quantity, trail=5.0)
        elif kind == 7:  # gtd
            ctx.buy(quantity, limit=self.limit, tif="gtd", good_till=FAR)
        elif kind == 8:  # trailing_stop
            ctx.trailing_stop(quantity, trail=self.stop - 100.0, side=1)
        elif kind == 9:  # sell
            ctx.sell(quantity)
        elif kind == 10:  # sell_limit
            ctx.sell(quantity, limit=self.limit)
        elif kind == 11:  # sell_stop
            ctx.sell(quantity, stop=self.stop)
        elif kind == 12:  # sell_stop_limit
            ctx.sell(quantity, stop=self.stop, limit=self.limit)
        elif kind == 13:  # sell_bracket
            ctx.sell(quantity, stop_loss=110.0, take_profit=80.0)
        elif kind == 14:  # sell_trailing_stop
            ctx.trailing_stop(quantity, trail=100.0 - self.stop, side=-1)

    def decide(self, ctx):
        ctx.state[0] += 1.0
        if ctx.state[0] == self.at_call:
            for index in range(self.before):
                self.place(ctx, self.kind, 1.0 + index)
            self.place(ctx, self.kind, self.quantity)

    def on_quote(self, ctx):
        self.decide(ctx)

    def on_trade(self, ctx):
        self.decide(ctx)

    def on_depth(self, ctx):
        self.decide(ctx)
