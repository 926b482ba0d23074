"""Momentum that listens to a score from outside: sentiment, analysts' revisions, anything with a time it was known."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from ...clock import DAY_NS, as_ns
from ...core.settings import RiskLimits
from ...errors import InputError
from ..base import Strategy
from ..indicators import StrategyData
from ..limits import BARS_MAX, check_parameters


class EnhancedMomentum(Strategy):
    """Time-series momentum whose strength is shifted by an external score, and stopped by a bad one.

    Made by `EnhancedMomentum.scored(scores, ...)`. At each bar counts the last score known by the bar's end, while it
    is no older than `max_age_days`; without one the score is 0 and momentum alone decides.

    lookback, volatility_window : bars of the past return and of its volatility. score_weight : standard deviations of
    momentum that a score of 1 is worth. veto : a score at or below -veto closes a long and lets none open.
    threshold : combined strength from which a position is held. target_volatility, max_fraction, periods_per_year,
    rebalance : as in Momentum. stop_rate : of the entry price, below which a long is closed at a rebalance.

    Long only. Source: Moskowitz, Ooi, Pedersen, "Time series momentum", JFE 104 (2012), for the momentum; Tetlock,
    "Giving content to investor sentiment", JF 62 (2007), for text scores that precede returns.

    >>> import numpy as np
    >>> import neuraltrade as nt
    >>> bars = nt.datasets.load("AAPL")
    >>> moods = {"AAPL": (bars.ts_ns[::20], np.sin(np.arange(len(bars.ts_ns[::20]))))}
    >>> made = nt.strategy.library.EnhancedMomentum.scored(moods, score_weight=0.5)
    >>> nt.backtest(bars, made).digest == nt.backtest(bars, nt.compiled(made)).digest
    True
    """

    lookback: int = 120
    volatility_window: int = 60
    score_weight: float = 0.5
    veto: float = 0.8
    max_age_days: float = 30.0
    threshold: float = 0.25
    target_volatility: float = 0.20
    max_fraction: float = 0.95
    stop_rate: float = 0.15
    rebalance: int = 5
    periods_per_year: float = 252.0

    risk_defaults: ClassVar[RiskLimits] = RiskLimits(max_leverage=1.0, max_drawdown=0.35)
    scores: ClassVar[Mapping[str, Any] | None] = None

    @classmethod
    def scored(cls, scores: Mapping[str, Any], **parameters: Any) -> EnhancedMomentum:
        """An instance with scores: symbol -> (times they were known at, ascending; scores, finite, usually -1..1).

        Times are ns or what times are made of elsewhere. Raises InputError for another form.
        """
        if not isinstance(scores, Mapping):
            raise InputError(f"scores must map symbols to (times, scores), was {scores!r}")
        checked = {}
        for symbol, pair in scores.items():
            try:
                times, values = pair
                known = np.array([as_ns(t) for t in np.asarray(times).tolist()], np.int64)
                numbers = np.asarray(values, np.float64)
            except (TypeError, ValueError) as error:
                raise InputError(f"scores[{symbol!r}] must be (times, scores): {error}") from error
            if known.shape != numbers.shape or not np.isfinite(numbers).all() or (np.diff(known) <= 0).any():
                raise InputError(f"scores[{symbol!r}] must be as many finite scores as times, and these must ascend")
            checked[str(symbol)] = (known, numbers)
        made = cls(**parameters)
        object.__setattr__(made, "scores", checked)
        return made

    def init(self, data: StrategyData) -> None:
        if self.scores is None:
            raise InputError("EnhancedMomentum has no scores: use EnhancedMomentum.scored({symbol: (times, scores)})")
        check_parameters(self, rebalance=(1, BARS_MAX), score_weight=(-1e9, 1e9), veto=(0.0, 1e9))
        check_parameters(self, max_age_days=(0.0, 1e5), threshold=(-1e9, 1e9), target_volatility=(0.0, 100.0))
        check_parameters(self, max_fraction=(0.0, 1000.0), stop_rate=(0.0, 1.0), periods_per_year=(1e-9, 1e9))
        self.past = data.log_returns(self.lookback)
        self.volatility = data.realised_volatility(self.volatility_window, periods_per_year=self.periods_per_year)
        self.horizon = self.lookback / self.periods_per_year
        self.score = data.indicator([self._known(bars) for bars in data.bars], "score")

    def _known(self, bars: Any) -> np.ndarray:
        """float64[n]: the last score known at each bar's end, 0 where there is none or it is too old."""
        known, values = (self.scores or {}).get(bars.symbol, (np.zeros(0, np.int64), np.zeros(0)))
        at = np.searchsorted(known, bars.ts_ns, side="right") - 1
        found = np.zeros(len(bars))
        has = at >= 0
        found[has] = values[at[has]]
        age = bars.ts_ns[has] - known[at[has]]
        found[has] = np.where(age <= self.max_age_days * DAY_NS, found[has], 0.0)
        return found

    def on_bar(self, ctx: Any) -> None:
        score = ctx.value(self.score)
        vetoed = score <= -self.veto
        if vetoed and ctx.position > 0.0:
            ctx.signal(0, min(1.0, 0.5 + 0.5 * abs(score)), reasoning="the score is bad enough to stand aside")
            ctx.close_position()
            return
        if ctx.i % self.rebalance != 0:
            return
        volatility = ctx.value(self.volatility)
        past = ctx.value(self.past)
        if not volatility > 0.0 or math.isnan(past):
            return
        strength = past / (volatility * self.horizon**0.5) + self.score_weight * score
        stopped = ctx.position > 0.0 and ctx.close < ctx.entry_price * (1.0 - self.stop_rate)
        if ctx.position > 0.0 and (stopped or strength <= self.threshold):
            ctx.signal(0, 0.6, reasoning="momentum and score no longer carry the position")
            ctx.close_position()
        elif ctx.position == 0.0 and strength > self.threshold and not vetoed:
            ctx.signal(1, 1.0 / (1.0 + math.exp(-strength)), reasoning="momentum and score agree on a rise")
            ctx.target(min(self.max_fraction, self.target_volatility / volatility))
