"""Probability of backtest overfitting: how often the best of the past is below the middle of the future.

Bailey, Borwein, Lopez de Prado and Zhu, "The probability of backtest overfitting" (Journal of Computational Finance
20(4), 2017): combinatorially symmetric cross-validation. Time is cut into an even number of groups; each half of them
in turn is the past; the trial that is best there is ranked among all in the other half.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import InputError

GROUPS_MAX = 20
_CELLS = 4_000_000  # Sharpe ratios held at a time: 32 MB an array


@dataclass(frozen=True, eq=False)
class Overfitting:
    """probability : share of splits in which the best of one half is at or below the median of the other (logit <= 0).

    splits : how many there were. logits : float64[splits], log(w / (1 - w)) of the relative rank w, rank / (trials +
    1). slope : of the best's Sharpe ratio out of sample on that in sample, by least squares; NaN where one does not
    vary. loss : share of splits in which the best loses out of sample. inside, outside : float64[splits], Sharpe
    ratios a bar of the best in either half. trials : how many were ranked (those that vary).
    """

    probability: float
    splits: int
    slope: float
    loss: float
    trials: int
    logits: np.ndarray
    inside: np.ndarray
    outside: np.ndarray

    def __repr__(self) -> str:
        return (
            f"Overfitting(probability={self.probability:.3f}, slope={self.slope:.3f}, loss={self.loss:.3f}, "
            f"{self.trials} trials, {self.splits:,} splits)"
        )


def probability_of_overfitting(returns: Any, groups: int = 16) -> Overfitting:
    """The PBO of a matrix of returns by combinatorially symmetric cross-validation.

    returns : float64[n, trials], simple returns a bar, a column for each trial, at least two that vary. groups : even,
    2..20; n is cut into as many parts, lengths as equal as can be. Performance is the Sharpe ratio a bar; where all
    returns of a half are equal it is 0. Ties: the first trial is the best, equal ratios share the mean of their ranks.
    O(C(groups, groups / 2) x trials) beyond one pass over the returns. Raises InputError for another shape, fewer than
    two trials that vary, groups that are odd or more than n / 2, and a return that is not finite.

    >>> import neuraltrade as nt, numpy as np
    >>> noise = np.random.default_rng(3).normal(0.0, 0.01, (1000, 40))
    >>> nt.results.probability_of_overfitting(noise, groups=8)
    Overfitting(probability=0.743, slope=-0.561, loss=0.643, 40 trials, 70 splits)
    """
    matrix = matrix_of(returns)
    count = len(matrix)
    if isinstance(groups, bool) or not isinstance(groups, (int, np.integer)) or groups % 2 or not 2 <= groups <= 20:
        raise InputError(f"groups must be an even int in 2..{GROUPS_MAX}, was {groups!r}")
    if count < 2 * groups:
        raise InputError(f"groups must be at most half the {count} returns, was {groups}")
    varies = matrix.min(axis=0) < matrix.max(axis=0)
    if int(varies.sum()) < 2:
        raise InputError(f"returns must have two trials that vary, had {int(varies.sum())} of {matrix.shape[1]}")
    matrix = matrix[:, varies]
    edges = np.linspace(0, count, groups + 1).astype(np.int64)
    sums = np.add.reduceat(matrix, edges[:-1], axis=0)
    squares = np.add.reduceat(matrix * matrix, edges[:-1], axis=0)
    return _judged(sums, squares, np.diff(edges))


def _judged(sums: np.ndarray, squares: np.ndarray, lengths: np.ndarray) -> Overfitting:
    groups, trials = sums.shape
    halves = np.array(list(itertools.combinations(range(groups), groups // 2)))
    chosen = np.zeros((len(halves), groups))
    chosen[np.arange(len(halves))[:, None], halves] = 1.0
    step = max(1, _CELLS // trials)
    parts = []
    for first in range(0, len(chosen), step):
        inside = _ratios(chosen[first : first + step], sums, squares, lengths)
        outside = _ratios(1.0 - chosen[first : first + step], sums, squares, lengths)
        rows = np.arange(len(inside))
        best = inside.argmax(axis=1)
        own = outside[rows, best][:, None]
        rank = (outside < own).sum(axis=1) + ((outside == own).sum(axis=1) + 1) / 2
        parts.append((rank / (trials + 1), inside[rows, best], outside[rows, best]))
    share, inside, outside = (np.concatenate(column) for column in zip(*parts, strict=True))
    logits = np.log(share / (1.0 - share))
    return Overfitting(
        probability=float((logits <= 0.0).mean()),
        splits=len(halves),
        slope=_slope(inside, outside),
        loss=float((outside < 0.0).mean()),
        trials=trials,
        logits=logits,
        inside=inside,
        outside=outside,
    )


def _ratios(chosen: np.ndarray, sums: np.ndarray, squares: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """float64[splits, trials]: Sharpe ratios of the returns of the chosen groups."""
    counts = (chosen @ lengths)[:, None]
    totals = chosen @ sums
    about = chosen @ squares - totals * totals / counts
    noise = 1e-14 * (chosen @ squares)  # what rounding leaves where nothing varies
    deviation = np.sqrt(np.maximum(about, 0.0) / (counts - 1))
    return np.divide(totals / counts, deviation, out=np.zeros_like(totals), where=about > noise)


def _slope(x: np.ndarray, y: np.ndarray) -> float:
    centred = x - x.mean()
    squares = float(centred @ centred)
    return float(centred @ (y - y.mean())) / squares if squares > 1e-18 * len(x) else math.nan


def matrix_of(returns: Any) -> np.ndarray:
    """float64[n, trials], finite. Raises InputError."""
    try:
        matrix = np.asarray(returns, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"returns must be numbers, was {type(returns).__name__}") from error
    if matrix.ndim != 2 or matrix.shape[0] < 2 or matrix.shape[1] < 1:
        raise InputError(f"returns must be float64[n, trials] with n >= 2 and a trial, had shape {matrix.shape}")
    if not np.isfinite(matrix.sum(axis=0)).all() and not np.isfinite(matrix).all():
        row, trial = (int(one) for one in np.argwhere(~np.isfinite(matrix))[0])
        raise InputError(f"returns must be finite, was {matrix[row, trial]} at row {row} of trial {trial}")
    return matrix
