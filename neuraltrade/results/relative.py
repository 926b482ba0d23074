"""A run beside its benchmark: what each number is, and the pass that computes them."""

from __future__ import annotations

import math

import numpy as np

from .statistics import BLOCK, NAN, Statistics, simple_returns

# name -> (unit, definition); r are returns of equity, b of the benchmark, on the bars where both are known.
DEFINITIONS: dict[str, tuple[str, str]] = {
    "benchmark_return": ("fraction", "product of 1 + b, less one"),
    "excess_return": ("fraction", "product of 1 + r less product of 1 + b, over the same bars"),
    "alpha": ("fraction per year", "(1 + mean(r - risk_free) - beta x mean(b - risk_free)) ^ periods_per_year - 1"),
    "beta": ("ratio", "covariance of r and b over the variance of b"),
    "correlation": ("ratio", "Pearson correlation of r and b, -1 to 1"),
    "tracking_error": ("fraction per year", "standard deviation of r - b x sqrt(periods_per_year)"),
    "information_ratio": ("per year", "mean of r - b / standard deviation of r - b x sqrt(periods_per_year)"),
    "up_capture": ("ratio", "geometric mean of r over that of b, on the bars with b > 0"),
    "down_capture": ("ratio", "geometric mean of r over that of b, on the bars with b < 0"),
}


def compute(equity: np.ndarray, benchmark: np.ndarray, *, periods_per_year: float, risk_free: float) -> Statistics:
    """All numbers of DEFINITIONS; NaN where fewer than two bars are known to both, or a denominator is zero.

    equity, benchmark : float64[n], the benchmark NaN where it has no value yet. risk_free : rate per year.
    """
    returns, theirs = simple_returns(equity), simple_returns(benchmark)
    known = np.isfinite(theirs) & np.isfinite(returns)
    if not known.all():
        returns, theirs = returns[known], theirs[known]
    count = len(returns)
    if count < 2:
        return Statistics(dict.fromkeys(DEFINITIONS, NAN), DEFINITIONS)
    annual = math.sqrt(periods_per_year)
    target = math.expm1(math.log1p(risk_free) / periods_per_year) if periods_per_year > 0.0 else NAN
    mean, mean_theirs = float(returns.mean()), float(theirs.mean())
    lead = mean - mean_theirs
    mine, other, both, active = _products(returns, theirs, mean, mean_theirs)
    beta = _ratio(both, other)
    deviation = math.sqrt(active / (count - 1))
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):  # a return of -1 and below
        logs, their_logs = np.log1p(returns), np.log1p(theirs)
        grown, theirs_grown = float(np.prod(1.0 + returns)), float(np.prod(1.0 + theirs))  # logs have no debt
        alpha = float(np.float64(1.0 + mean - target - beta * (mean_theirs - target)) ** periods_per_year) - 1.0
    values = {
        "benchmark_return": theirs_grown - 1.0,
        "excess_return": grown - theirs_grown,
        "alpha": alpha,
        "beta": beta,
        "correlation": _ratio(both, math.sqrt(mine) * math.sqrt(other)),
        "tracking_error": deviation * annual,
        "information_ratio": _ratio(lead, deviation) * annual,
        "up_capture": _capture(logs, their_logs, theirs > 0.0),
        "down_capture": _capture(logs, their_logs, theirs < 0.0),
    }
    return Statistics(values, DEFINITIONS)


def _products(r: np.ndarray, b: np.ndarray, mean: float, mean_b: float) -> tuple[float, float, float, float]:
    """Sums of products of deviations: r with r, b with b, r with b, and r - b with itself; in blocks that stay cached.

    Exactly zero where a series does not vary, whatever rounding made of its mean.
    """
    rr = bb = rb = aa = 0.0
    varies, varies_b = r.min() < r.max(), b.min() < b.max()
    for start in range(0, len(r), BLOCK):
        part, other = r[start : start + BLOCK], b[start : start + BLOCK]
        part = part - mean if varies else np.zeros(len(part))
        other = other - mean_b if varies_b else np.zeros(len(other))
        active = part - other
        rr, bb = rr + float(part @ part), bb + float(other @ other)
        rb, aa = rb + float(part @ other), aa + float(active @ active)
    return rr, bb, rb, aa


def _capture(logs: np.ndarray, their_logs: np.ndarray, chosen: np.ndarray) -> float:
    if not chosen.any():
        return NAN
    return _ratio(_geometric_mean(logs, chosen), _geometric_mean(their_logs, chosen))


def _geometric_mean(logs: np.ndarray, chosen: np.ndarray) -> float:
    """Growth a bar that compounds to the whole; NaN where a return takes more than everything."""
    return math.expm1(float(np.mean(logs, where=chosen)))


def _ratio(numerator: float, denominator: float) -> float:
    return NAN if denominator == 0.0 else numerator / denominator
