"""Ensemble: what several strategies hold, fused into one position by weight, vote or stacking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from ...core.settings import RiskLimits
from ...errors import InputError
from ..base import Strategy
from ..indicators import StrategyData
from ..limits import BARS_MAX, check_parameters
from ..shadow import held_sides

METHODS = ("weight", "vote", "stack")


class Ensemble(Strategy):
    """One position from the positions of others, whose own runs stay on paper: `Ensemble.of([A, B], method="vote")`.

    In `init` each member runs by itself over the same bars, without costs and with cash enough; what it holds at a
    bar's close (long 1, flat 0, short -1) is its opinion there. "weight": the mean of opinions by the members' weights.
    "vote": the side that more than half of them (by weight) are on, else flat. "stack": the opinions' weights are
    learned, every `refit` bars, by ridge regression of the next bar's return on them over the last `window` bars, and
    the position is long or short by the sign of what they expect.

    method : as above. window, refit : bars. ridge : penalty, as a share of the window. band : the position is changed
    only where the fused opinion moves by more than this. fraction : of equity for a whole opinion, shared alike by the
    symbols. allow_short : whether a negative opinion is followed.

    Source: Clemen, "Combining forecasts", IJF 5 (1989), for means; Wolpert, "Stacked generalization", Neural Networks 5
    (1992).

    >>> import neuraltrade as nt
    >>> library = nt.strategy.library
    >>> bars = nt.datasets.load("AAPL")[-800:]
    >>> made = library.Ensemble.of([library.Momentum, library.MeanReversion(oversold=45.0)])
    >>> nt.backtest(bars, made).digest == nt.backtest(bars, nt.compiled(made)).digest
    True
    """

    method: str = "weight"
    window: int = 500
    refit: int = 20
    ridge: float = 0.05
    band: float = 0.2
    fraction: float = 0.9
    allow_short: bool = False

    risk_defaults: ClassVar[RiskLimits] = RiskLimits(max_leverage=1.0, max_drawdown=0.30)
    members: ClassVar[tuple[tuple[Any, float], ...]] = ()

    @classmethod
    def of(cls, members: Sequence[Any], weights: Sequence[float] | None = None, **parameters: Any) -> Ensemble:
        """An instance of these strategies (classes, instances, compiled or not) with their weights, equal by default.

        Raises InputError without members, for another count of weights, or for weights that are not above 0.
        """
        if isinstance(members, (str, Mapping)) or not isinstance(members, Sequence) or not members:
            raise InputError(f"members must be a list of strategies, was {members!r}")
        given = [1.0] * len(members) if weights is None else [float(weight) for weight in weights]
        if len(given) != len(members) or not all(0.0 < weight < float("inf") for weight in given):
            raise InputError(f"weights must be {len(members)} numbers above 0, were {weights!r}")
        made = cls(**parameters)
        if made.method not in METHODS:
            raise InputError(f"method must be one of {', '.join(METHODS)}, was {made.method!r}")
        object.__setattr__(made, "members", tuple(zip(members, given, strict=True)))
        return made

    def init(self, data: StrategyData) -> None:
        if not self.members or self.method not in METHODS:
            raise InputError('Ensemble has no members: use Ensemble.of([A, B], method="weight" | "vote" | "stack")')
        check_parameters(self, window=(2, BARS_MAX), refit=(1, BARS_MAX), ridge=(1e-9, 1e9), band=(0.0, 2.0))
        check_parameters(self, fraction=(0.0, 1000.0))
        sides = [held_sides(member, data.bars) for member, _ in self.members]
        weights = np.array([weight for _, weight in self.members])
        weights /= weights.sum()
        fused = []
        for slot, bars in enumerate(data.bars):
            opinions = np.column_stack([side[slot] for side in sides])
            fused.append(self._fused(opinions, weights, bars.close))
        self.opinion = data.indicator(fused, self.method)
        self.share = self.fraction / len(data.symbols)

    def _fused(self, opinions: np.ndarray, weights: np.ndarray, close: np.ndarray) -> np.ndarray:
        """float64[n], -1..1: row i from rows 0..i alone."""
        if self.method == "weight":
            fused = (opinions * weights).sum(axis=1)
        elif self.method == "vote":
            longs, shorts = ((opinions == side) * weights for side in (1.0, -1.0))
            fused = (longs.sum(axis=1) > 0.5).astype(float) - (shorts.sum(axis=1) > 0.5)
        else:
            fused = self._stacked(opinions, close)
        return fused if self.allow_short else np.maximum(fused, 0.0)

    def _stacked(self, opinions: np.ndarray, close: np.ndarray) -> np.ndarray:
        """The sign of what ridge regression over the trailing window expects; 0 until the first fit."""
        gains = np.zeros(len(close))
        gains[:-1] = np.log(close[1:] / close[:-1])
        rows = np.column_stack([opinions, np.ones(len(close))])
        out = np.zeros(len(close))
        for start in range(self.window, len(close), self.refit):
            past = slice(start - self.window, start)  # the gain of row start - 1 was known at `start`
            known, gained = rows[past], gains[past]
            square = (known[:, :, None] * known[:, None, :]).sum(axis=0)
            square += np.eye(rows.shape[1]) * self.ridge * self.window
            learned = np.linalg.solve(square, (known * gained[:, None]).sum(axis=0))
            stop = min(start + self.refit, len(close))
            expected = (rows[start:stop] * learned).sum(axis=1)
            out[start:stop] = np.sign(np.where(np.abs(expected) > 1e-9, expected, 0.0))
        return out

    def on_bar(self, ctx: Any) -> None:
        opinion = ctx.value(self.opinion)
        held = ctx.state[ctx.slot]
        if abs(opinion - held) > self.band or (opinion == 0.0 and held != 0.0):
            direction = 1 if opinion > 0.0 else (-1 if opinion < 0.0 else 0)
            ctx.signal(direction, 0.5 + 0.5 * min(abs(opinion), 1.0), reasoning="the members' fused opinion has moved")
            ctx.target(self.share * opinion)
            ctx.state[ctx.slot] = opinion
