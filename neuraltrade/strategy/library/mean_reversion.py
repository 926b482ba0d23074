"""Mean reversion: buy what fell out of its band while oversold, sell it back at the middle."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from ...core.settings import RiskLimits
from ..base import Strategy
from ..indicators import StrategyData
from ..limits import BARS_MAX, check_parameters


class MeanReversion(Strategy):
    """Long below the lower Bollinger band with a low RSI, out at the middle band; mirrored where shorts are allowed.

    window, width : of the bands, in bars and standard deviations. rsi_window, oversold, overbought : of Wilder's RSI.
    trend_window : a long is only opened above, a short below, this simple average; 0 = whatever the trend.
    fraction : of equity, shared alike by the symbols. stop_rate : protective stop, a fraction of the entry price.
    max_bars : bars after which a position that has not reverted is closed.

    Source: Bollinger, "Bollinger on Bollinger Bands" (2001); Wilder, "New Concepts in Technical Trading Systems"
    (1978); short-term reversal: Lehmann, "Fads, martingales, and market efficiency", QJE 105 (1990).

    >>> import neuraltrade as nt
    >>> bars = nt.datasets.load("MSFT")
    >>> result = nt.backtest(bars, nt.compiled(nt.strategy.library.MeanReversion), fees=0.0005)
    >>> bool(len(result.trades) > 20)
    True
    """

    window: int = 20
    width: float = 2.0
    rsi_window: int = 14
    oversold: float = 35.0
    overbought: float = 65.0
    trend_window: int = 0
    fraction: float = 0.9
    stop_rate: float = 0.08
    max_bars: int = 20
    allow_short: bool = False

    risk_defaults: ClassVar[RiskLimits] = RiskLimits(max_leverage=1.0, max_drawdown=0.25)

    def init(self, data: StrategyData) -> None:
        check_parameters(self, width=(0.0, 1e9), oversold=(0.0, 100.0), overbought=(0.0, 100.0), fraction=(0.0, 1000.0))
        check_parameters(self, trend_window=(0, BARS_MAX), stop_rate=(1e-12, 0.999), max_bars=(1, BARS_MAX))
        self.upper, self.middle, self.lower = data.bbands(self.window, self.width)
        self.rsi = data.rsi(self.rsi_window)
        self.trend = data.sma(max(self.trend_window, 1))
        self.symbols = len(data.symbols)

    def on_bar(self, ctx: Any) -> None:
        middle, rsi = ctx.value(self.middle), ctx.value(self.rsi)
        if math.isnan(middle) or math.isnan(rsi):
            return
        if ctx.position != 0.0:
            ctx.state[ctx.slot] += 1.0
            reverted = ctx.close >= middle if ctx.position > 0.0 else ctx.close <= middle
            if reverted or ctx.state[ctx.slot] >= self.max_bars:
                ctx.close_position()
            return
        ctx.state[ctx.slot] = 0.0
        rising = self.trend_window == 0 or ctx.close > ctx.value(self.trend)
        falling = self.trend_window == 0 or ctx.close < ctx.value(self.trend)
        units = self.fraction * ctx.equity / self.symbols / ctx.close // 1.0
        if units < 1.0:
            return
        if ctx.close < ctx.value(self.lower) and rsi < self.oversold and rising:
            sure = 0.5 + 0.5 * (self.oversold - rsi) / 100.0
            ctx.signal(1, sure, reasoning="below its band and oversold: back to the middle")
            ctx.buy(units, stop_loss_rate=self.stop_rate)
        elif self.allow_short and ctx.close > ctx.value(self.upper) and rsi > self.overbought and falling:
            ctx.signal(-1, 0.5 + 0.5 * (rsi - self.overbought) / 100.0, reasoning="above its band and overbought")
            ctx.sell(units, stop_loss_rate=self.stop_rate)
