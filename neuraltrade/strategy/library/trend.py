"""Trend following: a Donchian channel and momentum over several horizons, sized to a target volatility."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from ...core import indicators
from ...core.settings import RiskLimits
from ..base import Strategy
from ..indicators import StrategyData
from ..limits import BARS_MAX, check_parameters


class Trend(Strategy):
    """The mean of four votes, sized so that the position's own volatility meets a target.

    Votes of -1, 0 or 1: the last breakout of the channel (close above the highest high, or below the lowest low, of the
    `channel` bars before), and the sign of the return over `short`, `medium` and `long` bars.

    channel, short, medium, long : bars. volatility_window, target_volatility, periods_per_year, max_fraction : the
    fraction of equity is mean vote x target / realised volatility, at most max_fraction. band : the fraction is changed
    only where it would move by more than this. allow_short : whether a negative mean goes short. rebalance : bars
    between decisions.

    Source: Donchian's four-week rule; Moskowitz, Ooi, Pedersen, JFE 104 (2012); Hurst, Ooi, Pedersen, "A century of
    evidence on trend-following investing", JPM 44 (2017), for mixed horizons and volatility targeting.

    >>> import neuraltrade as nt
    >>> panel = nt.Panel([nt.datasets.load(name) for name in ("AAPL", "MSFT")])
    >>> made = nt.strategy.library.Trend(max_fraction=0.45)
    >>> nt.backtest(panel, made).digest == nt.backtest(panel, nt.compiled(made)).digest
    True
    """

    channel: int = 55
    short: int = 21
    medium: int = 63
    long: int = 252
    volatility_window: int = 60
    target_volatility: float = 0.20
    max_fraction: float = 0.95
    band: float = 0.10
    allow_short: bool = False
    rebalance: int = 5
    periods_per_year: float = 252.0

    risk_defaults: ClassVar[RiskLimits] = RiskLimits(max_leverage=1.0, max_drawdown=0.35)

    def init(self, data: StrategyData) -> None:
        check_parameters(self, rebalance=(1, BARS_MAX), target_volatility=(0.0, 100.0), max_fraction=(0.0, 1000.0))
        check_parameters(self, band=(0.0, 1000.0), periods_per_year=(1e-9, 1e9))
        self.breakout = data.indicator([_breakout(bars, self.channel) for bars in data.bars], "breakout")
        self.horizons = tuple(data.log_returns(bars) for bars in (self.short, self.medium, self.long))
        self.volatility = data.realised_volatility(self.volatility_window, periods_per_year=self.periods_per_year)

    def on_bar(self, ctx: Any) -> None:
        if ctx.i % self.rebalance != 0:
            return
        volatility = ctx.value(self.volatility)
        votes = ctx.value(self.breakout)
        for horizon in self.horizons:
            past = ctx.value(horizon)
            votes += 1.0 if past > 0.0 else (-1.0 if past < 0.0 else past)
        if not volatility > 0.0 or math.isnan(votes):
            return
        mean = votes / 4.0
        if mean < 0.0 and not self.allow_short:
            mean = 0.0
        wanted = mean * min(self.max_fraction, self.target_volatility / volatility)
        held = ctx.position * ctx.close / ctx.equity if ctx.equity > 0.0 else 0.0
        if abs(wanted - held) > self.band or (wanted == 0.0 and held != 0.0):
            direction = 1 if wanted > 0.0 else (-1 if wanted < 0.0 else 0)
            ctx.signal(direction, 0.5 + 0.5 * abs(mean), reasoning="the mean vote of channel and horizons has moved")
            ctx.target(wanted)


def _breakout(bars: Any, channel: int) -> np.ndarray:
    """float64[n]: 1 since the last close above the channel of the bars before, -1 since the last below; NaN before."""
    upper = np.concatenate(([np.nan], indicators.rolling_max(bars.high, channel)[:-1]))
    lower = np.concatenate(([np.nan], indicators.rolling_min(bars.low, channel)[:-1]))
    side = np.where(bars.close > upper, 1.0, np.where(bars.close < lower, -1.0, np.nan))
    last = np.maximum.accumulate(np.where(np.isnan(side), -1, np.arange(len(side))))
    return np.where(last >= 0, side[np.maximum(last, 0)], np.nan)
