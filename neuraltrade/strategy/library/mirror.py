"""Mirror: do again what paid in remembered situations that look like this one."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from ...core.settings import RiskLimits
from ..base import Strategy
from ..indicators import StrategyData
from ..limits import BARS_MAX, check_parameters


class Mirror(Strategy):
    """Repeats the decision that the nearest remembered situations would have rewarded, and holds it as long as they
    did.

    Every `rebalance` bars it asks `ctx.similar(k)` for situations like this bar, as known now, each with what followed
    it. Their outcomes, weighted by nearness (1 - distance, at least 0), have a mean and a standard error; beyond
    `confidence` standard errors the decision is repeated.

    k : situations asked for. least : fewer with a known outcome are no basis. max_distance : cosine distance beyond
    which a situation does not resemble this one. confidence : standard errors the mean must lie from 0. fraction : of
    equity. hold : bars, as the horizon of the memory (`nt.memory.Recall(db, horizon=hold)`). stop_rate : of the entry
    price. allow_short : whether a fall is repeated too. rebalance : bars between questions.

    Without a recall there is nothing to mirror, and it never trades. Source: Lo, Mamaysky, Wang, "Foundations of
    technical analysis", JF 55 (2000), for nearest patterns; Farmer, Sidorowich, PRL 59 (1987), for forecasts by
    analogy.

    >>> import tempfile
    >>> import neuraltrade as nt
    >>> bars = nt.datasets.load("AAPL")[-400:]
    >>> with tempfile.TemporaryDirectory() as folder, nt.AgentDB.open(folder + "/memory") as db:
    ...     _ = db.observe(bars)
    ...     recall = nt.memory.Recall(db, horizon=10)
    ...     result = nt.backtest(bars, nt.strategy.library.Mirror(hold=10), recall=recall)
    >>> result.settings["strategy"]
    'Mirror'
    """

    k: int = 25
    least: int = 8
    max_distance: float = 1.0
    confidence: float = 1.0
    fraction: float = 0.9
    hold: int = 10
    stop_rate: float = 0.10
    allow_short: bool = False
    rebalance: int = 2

    risk_defaults: ClassVar[RiskLimits] = RiskLimits(max_leverage=1.0, max_drawdown=0.25)

    def init(self, data: StrategyData) -> None:
        check_parameters(self, k=(1, BARS_MAX), least=(1, BARS_MAX), max_distance=(0.0, 2.0), confidence=(0.0, 1e9))
        check_parameters(self, fraction=(0.0, 1000.0), hold=(1, BARS_MAX), rebalance=(1, BARS_MAX))
        check_parameters(self, stop_rate=(1e-12, 0.999))

    def on_bar(self, ctx: Any) -> None:
        if ctx.position != 0.0:
            ctx.state[ctx.slot] += 1.0
            if ctx.state[ctx.slot] >= self.hold:
                ctx.close_position()
            return
        ctx.state[ctx.slot] = 0.0
        if ctx.i % self.rebalance != 0:
            return
        count, weights, squares, total, spread = 0, 0.0, 0.0, 0.0, 0.0
        for hit in ctx.similar(self.k):
            if hit["distance"] <= self.max_distance and not math.isnan(hit["outcome"]):
                weight = max(0.0, 1.0 - hit["distance"])
                count += 1
                weights += weight
                squares += weight * weight
                total += weight * hit["outcome"]
                spread += weight * hit["outcome"] * hit["outcome"]
        if count < self.least or not weights > 0.0:
            return
        mean = total / weights
        variance = max(0.0, spread / weights - mean * mean)
        error = math.sqrt(variance * squares) / weights
        if not abs(mean) > self.confidence * error:
            return
        sure = min(0.99, 0.5 + 0.1 * abs(mean) / error) if error > 0.0 else 0.99
        units = self.fraction * ctx.equity / ctx.close // 1.0
        if units < 1.0:
            return
        if mean > 0.0:
            ctx.signal(1, sure, reasoning="situations like this one were followed by a rise")
            ctx.buy(units, stop_loss_rate=self.stop_rate)
        elif self.allow_short:
            ctx.signal(-1, sure, reasoning="situations like this one were followed by a fall")
            ctx.sell(units, stop_loss_rate=self.stop_rate)
