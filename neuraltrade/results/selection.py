"""How much of a Sharpe ratio is left once its length, its tails and the number of tries are taken into account.

Sharpe ratios here are per bar, not annualised: mean over standard deviation (ddof = 1) of simple returns less a
benchmark rate a bar. Skewness and kurtosis are those of the sample (population moments; 0 and 3 of a normal). Sources:
Bailey and Lopez de Prado, "The Sharpe ratio efficient frontier" (Journal of Risk 15(2), 2012) for the probabilistic
Sharpe ratio and the minimum track record; the same, "The deflated Sharpe ratio" (Journal of Portfolio Management 40(5),
2014), equation for E[max] after theirs in "The false strategy theorem".
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from ..errors import InputError
from .statistics import NAN

EULER = 0.5772156649015329
_NORMAL = NormalDist()


@dataclass(frozen=True)
class Moments:
    """count of returns, their mean, deviation (ddof = 1), skewness and kurtosis; `sharpe` is per bar."""

    count: int
    mean: float
    deviation: float
    skewness: float
    kurtosis: float

    @property
    def sharpe(self) -> float:
        """mean / deviation; NaN where nothing varied."""
        return self.mean / self.deviation if self.deviation > 0.0 else NAN


def moments(returns: Any, target: float = 0.0) -> Moments:
    """The moments of returns less `target`.

    returns : float64[n] simple returns a bar, finite, n >= 2. target : a rate a bar. O(n). Raises InputError for fewer,
    for another shape, and for a return that is not finite, with its row.

    >>> import neuraltrade as nt
    >>> nt.results.moments([0.01, -0.01, 0.02, 0.0]).sharpe.__round__(6)
    0.387298
    """
    values = _returns(returns) - target
    if values.min() == values.max():
        return Moments(len(values), float(values[0]), 0.0, NAN, NAN)
    mean = float(values.mean())
    centred = values - mean
    squares = centred * centred
    variance = float(squares.mean())
    third, fourth = float((squares * centred).mean()), float((squares * squares).mean())
    deviation = math.sqrt(float(squares.sum()) / (len(values) - 1))
    return Moments(len(values), mean, deviation, third / variance**1.5, fourth / variance**2)


def probabilistic_sharpe(returns: Any, benchmark: float = 0.0, *, target: float = 0.0) -> float:
    """Probability, 0..1, that the true Sharpe ratio a bar exceeds `benchmark` (Bailey and Lopez de Prado 2012).

    returns : float64[n] simple returns a bar, n >= 2. benchmark : a Sharpe ratio a bar (annual / sqrt(periods a year)).
    target : rate a bar that is subtracted. With S the ratio found, g3 and g4 its skewness and kurtosis:
    Phi((S - benchmark) sqrt(n - 1) / sqrt(1 - g3 S + (g4 - 1) / 4 S^2)). NaN where returns do not vary, or the
    expression under the root is not positive. Returns are taken as independent. Raises InputError as `moments`.

    >>> import neuraltrade as nt, numpy as np
    >>> returns = np.random.default_rng(1).normal(0.001, 0.01, 1000)
    >>> round(nt.results.probabilistic_sharpe(returns), 3)
    0.928
    """
    found = moments(returns, target)
    return _probability(found, _finite("benchmark", benchmark))


def expected_maximum_sharpe(trials: int, deviation: float) -> float:
    """The highest Sharpe ratio a bar to be expected of `trials` independent ones whose true ratios are all zero.

    deviation : standard deviation of the ratios across trials. With N trials and Euler's constant g:
    deviation x ((1 - g) Phi^-1(1 - 1 / N) + g Phi^-1(1 - 1 / (N e))); 0 of one trial. Raises InputError for trials < 1
    or a negative deviation.

    >>> import neuraltrade as nt
    >>> round(nt.results.expected_maximum_sharpe(1000, 1.0), 4)
    3.2551
    """
    if isinstance(trials, bool) or not isinstance(trials, (int, np.integer)) or trials < 1:
        raise InputError(f"trials must be an int >= 1, was {trials!r}")
    if not _finite("deviation", deviation) >= 0.0:
        raise InputError(f"deviation must be >= 0, was {deviation!r}")
    if trials == 1:
        return 0.0
    first = -_NORMAL.inv_cdf(1.0 / trials)
    second = -_NORMAL.inv_cdf(1.0 / (trials * math.e))
    return deviation * ((1.0 - EULER) * first + EULER * second)


def deflated_sharpe(returns: Any, *, trials: int, deviation: float, target: float = 0.0) -> float:
    """Probability, 0..1, that the true Sharpe ratio exceeds what the best of `trials` useless ones would have shown.

    The probabilistic Sharpe ratio against `expected_maximum_sharpe(trials, deviation)` (Bailey and Lopez de Prado
    2014). deviation : standard deviation across trials of the Sharpe ratios a bar. Trials that resemble each other
    count in full, so the answer errs on the careful side. Raises InputError as those two.

    >>> import neuraltrade as nt, numpy as np
    >>> returns = np.random.default_rng(1).normal(0.001, 0.01, 1000)
    >>> round(nt.results.deflated_sharpe(returns, trials=100, deviation=0.03), 3)
    0.175
    """
    return probabilistic_sharpe(returns, expected_maximum_sharpe(trials, deviation), target=target)


def minimum_track_record(returns: Any, benchmark: float = 0.0, *, confidence: float = 0.95) -> float:
    """How many bars a track record like this needs before its Sharpe ratio exceeds `benchmark` with `confidence`.

    1 + (1 - g3 S + (g4 - 1) / 4 S^2) (Phi^-1(confidence) / (S - benchmark))^2 (Bailey and Lopez de Prado 2012);
    infinite where S <= benchmark. Raises InputError for a confidence outside (0.5, 1), and as `moments`.

    >>> import neuraltrade as nt, numpy as np
    >>> returns = np.random.default_rng(1).normal(0.001, 0.01, 1000)
    >>> round(nt.results.minimum_track_record(returns))
    1261
    """
    if not 0.5 < _finite("confidence", confidence) < 1.0:
        raise InputError(f"confidence must be in (0.5, 1), was {confidence!r}")
    found = moments(returns)
    lead = found.sharpe - _finite("benchmark", benchmark)
    if math.isnan(lead):
        return NAN
    if lead <= 0.0:
        return math.inf
    return 1.0 + _spread(found) * (_NORMAL.inv_cdf(confidence) / lead) ** 2


def _probability(found: Moments, benchmark: float) -> float:
    spread = _spread(found)
    if not spread > 0.0:
        return NAN
    return _NORMAL.cdf((found.sharpe - benchmark) * math.sqrt(found.count - 1) / math.sqrt(spread))


def _spread(found: Moments) -> float:
    """Variance of the estimated Sharpe ratio, times n - 1."""
    ratio = found.sharpe
    return 1.0 - found.skewness * ratio + (found.kurtosis - 1.0) / 4.0 * ratio * ratio


def _returns(returns: Any) -> np.ndarray:
    try:
        values = np.asarray(returns, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"returns must be numbers, was {type(returns).__name__}") from error
    if values.ndim != 1 or len(values) < 2:
        raise InputError(f"returns must be float64[n] with n >= 2, had shape {values.shape}")
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values))[0])
        raise InputError(f"returns must be finite, was {values[row]} at row {row}")
    return values


def _finite(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise InputError(f"{name} must be a number, was {value!r}")
    if not math.isfinite(value):
        raise InputError(f"{name} must be finite, was {value!r}")
    return float(value)
