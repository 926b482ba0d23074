"""White's reality check: is the best of many strategies better than chance, by resampling their common history.

White, "A reality check for data snooping" (Econometrica 68(5), 2000), with the stationary bootstrap of Politis and
Romano (Journal of the American Statistical Association 89, 1994): blocks of geometric length, wrapped around the end.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import InputError
from .overfitting import matrix_of

SAMPLES_MAX = 1_000_000
_CELLS = 4_000_000  # indices held at a time: 32 MB


@dataclass(frozen=True, eq=False)
class RealityCheck:
    """p_value : share of resampled histories whose luckiest trial leads by as much as the best did, itself counted.

    best : index of the trial with the highest mean return. statistic : sqrt(n) x that mean. samples : float64[b], the
    same of each resampled history, its trials centred on their means. block : mean length of a block, bars.
    """

    p_value: float
    best: int
    statistic: float
    block: float
    trials: int
    samples: np.ndarray

    def __repr__(self) -> str:
        return (
            f"RealityCheck(p_value={self.p_value:.4f}, best={self.best}, {self.trials} trials, "
            f"{len(self.samples):,} samples, blocks of {self.block:g})"
        )


def stationary_indices(count: int, block: float, samples: int, rng: np.random.Generator) -> np.ndarray:
    """int64[samples, count]: rows of resampled histories (Politis and Romano 1994).

    Each row starts anywhere; every next index follows the one before it (the first follows the last), or with
    probability 1 / block is drawn anew. Raises InputError unless count >= 1, 1 <= block <= count, samples >= 1.

    >>> import neuraltrade as nt, numpy as np
    >>> nt.results.stationary_indices(6, 3.0, 2, np.random.default_rng(1)).shape
    (2, 6)
    """
    for name, value in (("count", count), ("samples", samples)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
            raise InputError(f"{name} must be an int >= 1, was {value!r}")
    if not 1.0 <= block <= count:
        raise InputError(f"block must be in 1..{count} bars, was {block!r}")
    anew = rng.random((samples, count)) < 1.0 / block
    anew[:, 0] = True
    drawn = rng.integers(0, count, (samples, count))
    place = np.arange(count)
    since = np.maximum.accumulate(np.where(anew, place, 0), axis=1)  # where the running block began
    found: np.ndarray = (np.take_along_axis(drawn, since, axis=1) + place - since) % count
    return found


def reality_check(
    returns: Any, *, benchmark: Any = None, samples: int = 1_000, block: float | None = None, seed: int = 0
) -> RealityCheck:
    """White's reality check of the trial with the highest mean return.

    returns : float64[n, trials], simple returns a bar, a column for each trial. benchmark : float64[n] of what it must
    beat, None for holding nothing. samples : resampled histories, 1..1,000,000. block : mean length of a block in bars,
    None for n^(1/3), at least 1. The null: no trial's expected return exceeds the benchmark's. Deterministic for a
    seed. O(samples x n x trials). Raises InputError naming the argument.

    >>> import neuraltrade as nt, numpy as np
    >>> noise = np.random.default_rng(3).normal(0.0, 0.01, (500, 20))
    >>> nt.results.reality_check(noise, samples=200)
    RealityCheck(p_value=0.3134, best=18, 20 trials, 200 samples, blocks of 7.93701)
    """
    matrix = matrix_of(returns)
    count, trials = matrix.shape
    if benchmark is not None:
        own = matrix_of(np.asarray(benchmark)[:, None] if np.ndim(benchmark) == 1 else benchmark)
        if own.shape != (count, 1):
            raise InputError(f"benchmark must be float64[{count}], had shape {np.shape(benchmark)}")
        matrix = matrix - own
    if isinstance(samples, bool) or not isinstance(samples, (int, np.integer)) or not 1 <= samples <= SAMPLES_MAX:
        raise InputError(f"samples must be an int in 1..{SAMPLES_MAX:,}, was {samples!r}")
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InputError(f"seed must be an int >= 0, was {seed!r}")
    length = max(1.0, count ** (1.0 / 3.0)) if block is None else block
    means = matrix.mean(axis=0)
    best = int(means.argmax())
    statistic = math.sqrt(count) * float(means[best])
    found = _lucky(matrix - means, int(samples), float(length), int(seed))
    return RealityCheck(
        p_value=(1 + int((found >= statistic).sum())) / (samples + 1),
        best=best,
        statistic=statistic,
        block=float(length),
        trials=trials,
        samples=found,
    )


def _lucky(centred: np.ndarray, samples: int, block: float, seed: int) -> np.ndarray:
    """float64[samples]: sqrt(n) x the highest mean of any trial in each resampled history."""
    count = len(centred)
    rng = np.random.default_rng(seed)
    step = max(1, _CELLS // count)
    found = []
    for first in range(0, samples, step):
        indices = stationary_indices(count, block, min(step, samples - first), rng)
        offset = np.arange(len(indices))[:, None] * count
        weights = np.bincount((indices + offset).ravel(), minlength=indices.size).reshape(indices.shape)
        found.append((weights.astype(np.float64) @ centred).max(axis=1) / math.sqrt(count))
    return np.concatenate(found)
