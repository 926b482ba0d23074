"""Pairs: trade the spread of two symbols against its own recent past, the hedge ratio followed by a Kalman filter."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from ...core import indicators, spread
from ...core.settings import RiskLimits
from ...errors import DependencyMissing, InputError
from ..base import Strategy
from ..indicators import StrategyData
from ..limits import BARS_MAX, check_parameters


class Pairs(Strategy):
    """Short the spread of the panel's first two symbols when it is dear, long when it is cheap, flat at its middle.

    The spread is log(first) - alpha - beta log(second); alpha and beta follow a random walk and are filtered bar by
    bar, so its surprise and the variance expected of it are known before the bar is added. z is the surprise summed
    over the last `window` bars, in standard deviations of its own past `lookback` sums.

    window, lookback : bars. entry, exit, stop : |z| at which the spread is traded, left, and given up until it has
    crossed `exit` again. delta : how fast the hedge ratio may move (variance of its step over that of the surprise).
    fraction : of equity in the first leg; the second has beta times as much, at most max_hedge. significance : an
    Engle-Granger test over the last `lookback` bars, taken anew every `test_every`, must have a p-value at or below it
    for the spread to be traded (extra `pairs`, statsmodels); 0 = no test.

    One leg is short: it needs an account that allows it. Source: Gatev, Goetzmann, Rouwenhorst, "Pairs trading", RFS 19
    (2006); Engle, Granger, Econometrica 55 (1987); the filter as in Chan, "Algorithmic Trading" (2013), chapter 3.

    >>> import neuraltrade as nt
    >>> panel = nt.Panel([nt.datasets.load(name) for name in ("IBM", "MSFT")])
    >>> result = nt.backtest(panel, nt.compiled(nt.strategy.library.Pairs), fees=0.0005)
    >>> sorted({str(symbol) for symbol in result.fills["symbol"]})
    ['IBM', 'MSFT']
    """

    window: int = 10
    lookback: int = 120
    entry: float = 2.0
    exit: float = 0.5
    stop: float = 4.0
    delta: float = 1e-5
    fraction: float = 0.4
    max_hedge: float = 1.5
    significance: float = 0.0
    test_every: int = 20

    risk_defaults: ClassVar[RiskLimits] = RiskLimits(max_leverage=2.0, max_drawdown=0.2)

    def init(self, data: StrategyData) -> None:
        if len(data.bars) < 2:
            raise InputError(f"Pairs needs a panel of two symbols, the data has {len(data.bars)}")
        check_parameters(self, window=(1, BARS_MAX), lookback=(2, BARS_MAX), test_every=(1, BARS_MAX), delta=(0.0, 1e3))
        check_parameters(self, exit=(0.0, self.entry), entry=(0.0, self.stop), stop=(1e-9, 1e9))
        check_parameters(self, fraction=(0.0, 1000.0), max_hedge=(0.0, 1000.0), significance=(0.0, 1.0))
        first, second = data.bars[:2]
        common, mine, theirs = np.intersect1d(first.ts_ns, second.ts_ns, assume_unique=True, return_indices=True)
        y, x = np.log(first.close[mine]), np.log(second.close[theirs])
        surprise, beta = spread.kalman(y, x, self.delta)
        z = self._score(surprise)
        allowed = self._tested(y, x) if self.significance > 0.0 else np.ones(len(common), bool)
        side = spread.sides(z, allowed, self.entry, self.exit, self.stop)
        hedge = np.clip(beta, 0.0, self.max_hedge)
        # The hedge of a trade is the one it was opened with.
        opened = np.maximum.accumulate(np.where(np.diff(side, prepend=0.0) != 0.0, np.arange(len(side)), 0))
        weights = [np.zeros(len(bars)) * np.nan for bars in data.bars]
        weights[0][mine] = side * self.fraction
        weights[1][theirs] = -side * self.fraction * hedge[opened]
        self.weight = data.indicator(weights, "weight")

    def _score(self, surprise: np.ndarray) -> np.ndarray:
        """float64[n]: the sum of the last surprises over the deviation of such sums before; NaN until known."""
        total = np.concatenate(([0.0], np.cumsum(surprise)))
        sums = np.full(len(surprise), np.nan)
        sums[self.window - 1 :] = total[self.window :] - total[: -self.window]
        z = np.full(len(sums), np.nan)
        first = self.window + self.lookback  # the first row that has as many sums before it
        if first < len(sums):
            deviation = indicators.stdev(sums[self.window - 1 :], self.lookback)[self.lookback : -1]
            z[first:] = sums[first:] / np.where(deviation > 0.0, deviation, np.nan)
        return z

    def _tested(self, y: np.ndarray, x: np.ndarray) -> np.ndarray:
        """bool[n]: whether the latest Engle-Granger test, over bars before, found the two cointegrated."""
        try:
            from statsmodels.tsa.stattools import coint  # noqa: PLC0415  (optional, and 2 s)
        except ImportError as error:
            wanted = "Pairs(significance=) needs statsmodels: pip install 'neuraltrade[pairs]'"
            raise DependencyMissing(wanted) from error
        passed = np.zeros(len(y), bool)
        for i in range(self.lookback, len(y), self.test_every):
            window = slice(i - self.lookback, i)
            _, p_value, _ = coint(y[window], x[window], maxlag=1, autolag=None)
            passed[i : i + self.test_every] = p_value <= self.significance
        return passed

    def on_bar(self, ctx: Any) -> None:
        weight = ctx.value(self.weight)
        before = ctx.previous(self.weight)
        if math.isnan(weight) or ctx.slot > 1:
            return
        if math.isnan(before):
            before = 0.0
        held = 1.0 if ctx.position > 0.0 else (-1.0 if ctx.position < 0.0 else 0.0)
        if weight == 0.0:
            if held != 0.0:
                ctx.signal(0, 0.6, reasoning="the spread is back, or lost: close both legs")
                ctx.close_position()
        elif weight != before:
            direction = 1 if weight > 0.0 else -1
            ctx.signal(direction, 0.6, reasoning="the spread has left its range: trade it back")
            ctx.target(weight)
