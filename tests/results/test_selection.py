"""Sharpe ratios after length, tails and tries, against the published numbers and plain sums of Python floats."""

from __future__ import annotations

import doctest
import importlib
import math
from statistics import NormalDist

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.results.selection import _probability

R = nt.results


def plain_moments(returns):
    n = len(returns)
    mean = math.fsum(returns) / n
    m2, m3, m4 = (math.fsum((r - mean) ** k for r in returns) / n for k in (2, 3, 4))
    return mean, math.sqrt(m2 * n / (n - 1)), m3 / m2**1.5, m4 / m2**2


def plain_psr(returns, benchmark):
    mean, deviation, skewness, kurtosis = plain_moments(returns)
    ratio = mean / deviation
    variance = (1 - skewness * ratio + (kurtosis - 1) / 4 * ratio**2) / (len(returns) - 1)
    return NormalDist().cdf((ratio - benchmark) / math.sqrt(variance))


RNG = np.random.default_rng(11)
SAMPLES = [
    RNG.normal(0.001, 0.01, 500),
    RNG.standard_t(4, 300) * 0.01 + 0.0005,
    RNG.exponential(0.01, 50) - 0.012,
    np.array([0.01, -0.02]),
]


@pytest.mark.parametrize("returns", SAMPLES, ids=["normal", "fat tails", "skewed", "two"])
def test_moments_and_probability_equal_plain_sums(returns) -> None:
    found = R.moments(returns)
    mean, deviation, skewness, kurtosis = plain_moments(returns.tolist())
    assert (found.mean, found.deviation) == pytest.approx((mean, deviation), rel=1e-12)
    assert (found.skewness, found.kurtosis) == pytest.approx((skewness, kurtosis), rel=1e-9, abs=1e-9)
    for benchmark in (0.0, 0.05, -0.1):
        wanted = plain_psr(returns.tolist(), benchmark)
        assert R.probabilistic_sharpe(returns, benchmark) == pytest.approx(wanted, rel=1e-9, abs=1e-12)
    shifted = plain_psr([r - 0.0002 for r in returns.tolist()], 0.0)
    assert R.probabilistic_sharpe(returns, target=0.0002) == pytest.approx(shifted, rel=1e-9)


def test_the_paper_s_own_example() -> None:
    """Bailey and Lopez de Prado 2014, section "A numerical example": 100 trials, variance 1/2 (annual), 1,250 days of a
    Sharpe ratio of 2.5, skewness -3, kurtosis 10: the threshold is 0.1132 a day, the deflated ratio 0.9004."""
    deviation = math.sqrt(0.5 / 250)
    threshold = R.expected_maximum_sharpe(100, deviation)
    assert threshold == pytest.approx(0.1132, abs=5e-5)
    daily = R.Moments(1250, 2.5 / math.sqrt(250), 1.0, -3.0, 10.0)
    assert _probability(daily, threshold) == pytest.approx(0.9004, abs=5e-5)


def test_the_expected_maximum_is_that_of_many_draws() -> None:
    draws = np.random.default_rng(5).normal(0.0, 0.3, (4000, 50)).max(axis=1)
    assert R.expected_maximum_sharpe(50, 0.3) == pytest.approx(
        draws.mean(), abs=4 * draws.std() / math.sqrt(4000) + 0.006
    )
    assert R.expected_maximum_sharpe(1, 0.3) == 0.0
    found = [R.expected_maximum_sharpe(10**k, 1.0) for k in range(1, 9)]
    assert found == sorted(found) and found[-1] < 6.0


def test_more_trials_and_more_spread_deflate_more() -> None:
    returns = SAMPLES[0]
    assert R.deflated_sharpe(returns, trials=1, deviation=0.1) == R.probabilistic_sharpe(returns)
    found = [R.deflated_sharpe(returns, trials=n, deviation=0.05) for n in (1, 2, 10, 100, 1000)]
    assert found == sorted(found, reverse=True) and len(set(found)) == 5
    threshold = R.expected_maximum_sharpe(10, 0.05)
    assert R.deflated_sharpe(returns, trials=10, deviation=0.05) == R.probabilistic_sharpe(returns, threshold)


def test_a_track_record_as_long_as_asked_reaches_the_confidence() -> None:
    found = R.moments(SAMPLES[0])
    needed = R.minimum_track_record(SAMPLES[0], 0.01, confidence=0.9)
    exact = R.Moments(math.ceil(needed), found.mean, found.deviation, found.skewness, found.kurtosis)
    short = R.Moments(math.ceil(needed) - 1, found.mean, found.deviation, found.skewness, found.kurtosis)
    assert _probability(exact, 0.01) >= 0.9 > _probability(short, 0.01)
    assert R.minimum_track_record(-SAMPLES[0]) == math.inf
    assert math.isnan(R.minimum_track_record([0.0, 0.0, 0.0]))


def test_returns_that_do_not_vary_have_no_ratio() -> None:
    assert math.isnan(R.probabilistic_sharpe([0.1] * 7))
    assert math.isnan(R.deflated_sharpe([0.0, 0.0], trials=5, deviation=1.0))
    assert math.isnan(R.moments([0.1] * 7).sharpe)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: R.moments([0.1]), r"returns must be float64\[n\] with n >= 2, had shape \(1,\)"),
        (lambda: R.moments(np.zeros((3, 2))), r"had shape \(3, 2\)"),
        (lambda: R.moments("abc"), "returns must be numbers, was str"),
        (lambda: R.probabilistic_sharpe([0.1, math.nan]), "returns must be finite, was nan at row 1"),
        (lambda: R.probabilistic_sharpe([0.1, 0.2], math.inf), "benchmark must be finite, was inf"),
        (lambda: R.probabilistic_sharpe([0.1, 0.2], "0"), "benchmark must be a number, was '0'"),
        (lambda: R.deflated_sharpe([0.1, 0.2], trials=0, deviation=1.0), "trials must be an int >= 1, was 0"),
        (lambda: R.deflated_sharpe([0.1, 0.2], trials=2.0, deviation=1.0), "trials must be an int >= 1, was 2.0"),
        (lambda: R.deflated_sharpe([0.1, 0.2], trials=2, deviation=-1.0), "deviation must be >= 0, was -1.0"),
        (lambda: R.minimum_track_record([0.1, 0.2], confidence=0.5), r"confidence must be in \(0.5, 1\), was 0.5"),
    ],
)
def test_wrong_input_is_named(call, message) -> None:
    with pytest.raises(nt.InputError, match=message):
        call()


@pytest.mark.parametrize("module", ["selection", "overfitting", "bootstrap"])
def test_examples_run(module) -> None:
    flags = doctest.NORMALIZE_WHITESPACE
    found = doctest.testmod(importlib.import_module(f"neuraltrade.results.{module}"), optionflags=flags)
    assert found.failed == 0 and found.attempted > 2
