"""Time-series momentum: follow the sign of the past return, sized to a target volatility."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from ...core.settings import RiskLimits
from ..base import Strategy
from ..indicators import StrategyData
from ..limits import BARS_MAX, check_parameters


class Momentum(Strategy):
    """Long what rose over `lookback` bars, short (or flat) what fell, the position scaled to a target volatility.

    lookback : bars over which the past return is measured. volatility_window : returns of the volatility estimate.
    target_volatility : per year, of one position; the fraction of equity is target / realised, at most `max_fraction`.
    threshold : the past return, in standard deviations of a `lookback`-bar return, below which nothing is held.
    rebalance : bars between decisions.
    allow_short : whether falling symbols are sold short. periods_per_year : of the bars, for the volatility.

    Each decision that changes the position is recorded through `ctx.signal`: its confidence grows from 0.5 with the
    strength of the move (a logistic of the standardised return). With several symbols in one account, give each a share
    through `max_fraction`. Source: Moskowitz, Ooi, Pedersen, "Time series momentum", JFE 104 (2012).

    >>> import neuraltrade as nt
    >>> bars = nt.datasets.load("AAPL")
    >>> result = nt.backtest(bars, nt.compiled(nt.strategy.library.Momentum), params={"lookback": 126})
    >>> len(result.signals) > 0, result.settings["strategy"]
    (True, 'Momentum')
    """

    lookback: int = 120
    volatility_window: int = 60
    target_volatility: float = 0.20
    max_fraction: float = 0.95
    threshold: float = 0.25
    rebalance: int = 5
    allow_short: bool = False
    periods_per_year: float = 252.0

    risk_defaults: ClassVar[RiskLimits] = RiskLimits(max_leverage=1.0, max_drawdown=0.35)

    def init(self, data: StrategyData) -> None:
        check_parameters(self, rebalance=(1, BARS_MAX), threshold=(0.0, 1e9), target_volatility=(0.0, 100.0))
        check_parameters(self, max_fraction=(0.0, 1000.0), periods_per_year=(1e-9, 1e9))
        self.past = data.log_returns(self.lookback)
        self.volatility = data.realised_volatility(self.volatility_window, periods_per_year=self.periods_per_year)
        self.horizon = self.lookback / self.periods_per_year

    def on_bar(self, ctx: Any) -> None:
        if ctx.i % self.rebalance != 0:
            return
        volatility = ctx.value(self.volatility)
        past = ctx.value(self.past)
        if not volatility > 0.0 or math.isnan(past):
            return
        strength = past / (volatility * self.horizon**0.5)
        wanted = 0
        if strength > self.threshold:
            wanted = 1
        elif strength < -self.threshold and self.allow_short:
            wanted = -1
        held = 1 if ctx.position > 0.0 else (-1 if ctx.position < 0.0 else 0)
        if wanted == held:
            return
        confidence = 1.0 / (1.0 + math.exp(-abs(strength)))
        if wanted == 1:
            ctx.signal(1, confidence, reasoning="the past return is positive beyond its noise: follow it up")
        elif wanted == -1:
            ctx.signal(-1, confidence, reasoning="the past return is negative beyond its noise: follow it down")
        else:
            ctx.signal(0, confidence, reasoning="the past return no longer exceeds its noise: stand aside")
        ctx.target(wanted * min(self.max_fraction, self.target_volatility / volatility))
