"""Trade what a Forecaster expects: any model that learns from trailing windows."""

from __future__ import annotations

import copy
import math
from typing import Any, ClassVar

import numpy as np

from ...core.settings import RiskLimits
from ...errors import InputError
from ..base import Strategy
from ..forecasting import Forecaster, NearestNeighbours, features_of, walk
from ..indicators import StrategyData
from ..limits import BARS_MAX, check_parameters


class Forecast(Strategy):
    """Long while the return expected over the next `horizon` bars is beyond a threshold, out (or short) while it is
    not.

    The forecaster is k nearest neighbours in the symbol's own past, or what `Forecast.using(forecaster)` was given: it
    learns anew every `refit` bars from the last `window` situations whose outcome was known by then, never from a later
    one. Situations are described by nine numbers (`neuraltrade.strategy.forecasting.FEATURES`).

    horizon, window, refit : bars. least : situations below which it does not learn. neighbours : of the default
    forecaster. threshold : expected return, as a fraction, from which a position is opened; it is closed below
    `leave`. fraction : of equity, shared alike by the symbols. stop_rate : of the entry price. allow_short : whether
    an expected fall is sold.

    >>> import neuraltrade as nt
    >>> bars = nt.datasets.load("AAPL")[-800:]
    >>> made = nt.strategy.library.Forecast(window=300)
    >>> nt.backtest(bars, made).digest == nt.backtest(bars, nt.compiled(made)).digest
    True
    """

    horizon: int = 10
    window: int = 750
    refit: int = 20
    least: int = 200
    neighbours: int = 40
    threshold: float = 0.01
    leave: float = 0.0
    fraction: float = 0.9
    stop_rate: float = 0.10
    allow_short: bool = False

    risk_defaults: ClassVar[RiskLimits] = RiskLimits(max_leverage=1.0, max_drawdown=0.30)
    forecaster: ClassVar[Forecaster | None] = None

    @classmethod
    def using(cls, forecaster: Forecaster, **parameters: Any) -> Forecast:
        """An instance with a forecaster; each symbol of each run gets a copy of it. InputError unless it is one."""
        if isinstance(forecaster, type) or not isinstance(forecaster, Forecaster):
            raise InputError(f"forecaster must have fit(features, outcomes) and predict(features), was {forecaster!r}")
        made = cls(**parameters)
        object.__setattr__(made, "forecaster", forecaster)
        return made

    def init(self, data: StrategyData) -> None:
        for name in ("horizon", "window", "refit", "least", "neighbours"):
            check_parameters(self, **{name: (1, BARS_MAX)})
        check_parameters(self, threshold=(0.0, 1e9), leave=(-1e9, 1e9), fraction=(0.0, 1000.0))
        check_parameters(self, stop_rate=(1e-12, 0.999))
        self.expected = data.indicator([self._walked(bars) for bars in data.bars], "expected return")
        self.share = self.fraction / len(data.symbols)

    def _walked(self, bars: Any) -> np.ndarray:
        model = copy.deepcopy(self.forecaster) if self.forecaster is not None else NearestNeighbours(self.neighbours)
        if len(bars) <= self.horizon:
            return np.full(len(bars), np.nan)
        steps = {"horizon": self.horizon, "window": self.window, "refit": self.refit, "least": self.least}
        return walk(model, features_of(bars), bars.close, **steps)

    def on_bar(self, ctx: Any) -> None:
        expected = ctx.value(self.expected)
        if math.isnan(expected):
            return
        if ctx.position > 0.0 and expected < self.leave:
            ctx.signal(0, 0.6, reasoning="a rise is no longer expected")
            ctx.close_position()
        elif ctx.position < 0.0 and expected > -self.leave:
            ctx.signal(0, 0.6, reasoning="a fall is no longer expected")
            ctx.close_position()
        elif ctx.position == 0.0 and abs(expected) > self.threshold:
            units = self.share * ctx.equity / ctx.close // 1.0
            sure = min(0.95, 0.5 + 5.0 * abs(expected))
            if units >= 1.0 and expected > 0.0:
                ctx.signal(1, sure, reasoning="the forecaster expects a rise")
                ctx.buy(units, stop_loss_rate=self.stop_rate)
            elif units >= 1.0 and self.allow_short:
                ctx.signal(-1, sure, reasoning="the forecaster expects a fall")
                ctx.sell(units, stop_loss_rate=self.stop_rate)
