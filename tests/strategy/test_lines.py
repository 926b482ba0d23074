"""Indicators of several lines in a strategy: by name, by place and unpacked, alike at both speeds."""

from __future__ import annotations

import neuraltrade as nt


class Lines(nt.Strategy):
    def init(self, data):
        self.macd = data.macd(5, 20, 6)
        self.trend = data.supertrend(7, 1.5)
        self.upper, self.lower = data.donchian(10)

    def on_bar(self, ctx):
        up, down = self.macd[0], self.macd.signal
        if ctx.crossed_above(up, down) and ctx.value(self.trend.direction) > 0:
            ctx.buy()
        elif ctx.crossed_below(self.macd.line, self.macd.signal) or ctx.close < ctx.previous(self.lower):
            ctx.sell()


def test_lines_decide_alike_interpreted_and_compiled():
    for data in (nt.datasets.load("GOOG"), nt.Panel([nt.datasets.load(name) for name in ("AAPL", "MSFT")])):
        interpreted, compiled = nt.backtest(data, Lines), nt.backtest(data, nt.compiled(Lines))
        assert len(interpreted.fills) > 20
        assert interpreted.digest == compiled.digest
