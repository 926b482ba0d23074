"""The native passes over a curve of equity against sums in plain Python."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from neuraltrade import InputError
from neuraltrade.core.equity import lower_tail, measure


def slow(equity, start, target):
    returns = [b / a - 1.0 if a else math.nan for a, b in itertools.pairwise(equity)]
    mean = math.fsum(returns) / len(returns)
    peak, peak_bar, deepest, longest = start, -1, 0.0, 0
    for bar, value in enumerate(equity):
        if value >= peak:
            longest = max(longest, bar - peak_bar if bar - peak_bar > 1 else 0)
            peak, peak_bar = value, bar
        deepest = min(deepest, value / peak - 1.0)
    return returns, {
        "mean": mean,
        "squares": math.fsum((r - mean) ** 2 for r in returns),
        "below": math.fsum(min(r - target, 0.0) ** 2 for r in returns),
        "mean_equity": math.fsum(equity) / len(equity),
        "deepest": deepest,
        "longest": max(longest, len(equity) - 1 - peak_bar),
    }


@pytest.mark.parametrize("count", [2, 3, 9, 17, 1023, 1024, 1025, 1026, 5000])
@pytest.mark.parametrize("seed", range(3))
def test_measures_equal_plain_sums(count, seed):
    rng = np.random.default_rng(seed)
    equity = 1e4 * np.exp(np.cumsum(rng.normal(0.0, 0.01, count)))
    returns, facts = measure(equity, 1e4, 1e-4)
    expected_returns, expected = slow(equity.tolist(), 1e4, 1e-4)
    assert returns.tolist() == expected_returns
    assert list(facts) == list(expected)
    for name, value in expected.items():
        assert facts[name] == pytest.approx(value, rel=1e-12, abs=1e-16), name
    again, other = measure(equity.copy(), 1e4, 1e-4)
    assert again.tobytes() == returns.tobytes() and other == facts


@pytest.mark.parametrize("seed", range(20))
def test_falls_among_ties(seed):
    equity = np.round(100.0 + np.cumsum(np.random.default_rng(seed).integers(-3, 4, 80)), 0)
    _, facts = measure(equity, 101.0, 0.0)
    _, expected = slow(equity.tolist(), 101.0, 0.0)
    assert (facts["deepest"], facts["longest"]) == (expected["deepest"], expected["longest"])


def test_what_does_not_vary_has_no_deviation():
    growing = 0.1 * 1.5 ** np.arange(200)
    returns, facts = measure(growing, 0.1, 0.0)
    assert (facts["squares"] == 0.0) == (len(set(returns.tolist())) == 1)
    assert measure(np.full(3000, 0.3), 0.3, 0.0)[1]["squares"] == 0.0


def test_edges():
    returns, facts = measure(np.array([7.0]), 8.0, 0.0)
    assert len(returns) == 0 and math.isnan(facts["mean"])
    assert (facts["deepest"], facts["longest"]) == (7.0 / 8.0 - 1.0, 1)
    assert measure(np.array([8.0]), 8.0, 0.0)[1]["deepest"] == 0.0
    returns, facts = measure(np.array([5.0, 0.0, 3.0, 3.0]), 5.0, 0.0)
    assert returns[0] == -1.0 and math.isnan(returns[1]) and returns[2] == 0.0
    assert all(math.isnan(facts[name]) for name in ("mean", "squares", "below")) and facts["deepest"] == -1.0
    assert measure(np.array([5.0, -5.0]), 5.0, 0.0)[1]["deepest"] == -2.0
    strided = np.arange(1.0, 21.0)[::2]
    assert measure(strided, 1.0, 0.0)[1] == measure(strided.copy(), 1.0, 0.0)[1]


@pytest.mark.parametrize(
    ("equity", "start", "message"),
    [
        (np.zeros(0), 1.0, "equity must be a float64 column of at least one, was float64"),
        (np.zeros((2, 2)), 1.0, r"was float64 of shape \(2, 2\)"),
        (np.arange(3), 1.0, "was int64"),
        (np.ones(3), 0.0, "start must be > 0, was 0.0"),
        (np.ones(3), math.nan, "start must be > 0, was nan"),
    ],
)
def test_bad_input_is_named(equity, start, message):
    with pytest.raises(InputError, match=message):
        measure(equity, start, 0.0)


def shapes(count, seed):
    """Columns in which an order statistic is easily missed: ties, runs, a period that a sample falls in step with."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(0.0, 1e-4, count)
    mostly_flat = np.where(rng.random(count) < 0.9, 0.0, noise)
    misled = noise.copy()
    misled[:: count // 2048 | 1] -= 1e-2
    misled_high = noise.copy()
    misled_high[:: count // 2048 | 1] += 1e-2
    missing = np.where(rng.random(count) < 0.3, np.nan, noise)
    whole = rng.integers(-3, 4, count).astype(float)
    return [noise, mostly_flat, misled, misled_high, missing, whole, np.sort(noise), -np.sort(noise), np.zeros(count)]


@pytest.mark.parametrize("count", [1, 2, 3, 20, 21, 22, 1000, 8191, 8192, 8193, 40_000])
@pytest.mark.parametrize("share", [0.0, 0.05, 0.5])
def test_the_lower_tail_equals_a_full_sort(count, share):
    for column in shapes(count, count):
        ordered = sorted(value for value in column.tolist() if not math.isnan(value))
        place = share * (count - 1)
        rank = math.floor(place)
        quantile, mean = lower_tail(column, share)
        if rank >= len(ordered):
            assert math.isnan(quantile) and math.isnan(mean)
            continue
        assert mean == pytest.approx(math.fsum(ordered[: rank + 1]) / (rank + 1), rel=1e-12, abs=1e-18)
        if place == rank:
            assert quantile == ordered[rank]
        elif rank + 1 < len(ordered):
            assert quantile == ordered[rank] + (place - rank) * (ordered[rank + 1] - ordered[rank])
        else:
            assert math.isnan(quantile)


def test_the_lower_tail_of_all_missing_and_wrong_arguments():
    assert all(map(math.isnan, lower_tail(np.full(9000, np.nan), 0.05)))
    for values in (np.zeros(0), np.zeros((2, 2)), np.zeros(3, np.float32)):
        with pytest.raises(InputError, match="values must be a float64 column"):
            lower_tail(values, 0.05)
    for share in (-0.1, 0.6, math.nan):
        with pytest.raises(InputError, match=r"share must be in 0\.\.0\.5"):
            lower_tail(np.zeros(3), share)


@pytest.mark.parametrize("seed", range(6))
def test_long_falls_and_rises(seed):
    rng = np.random.default_rng(seed)
    drift = np.repeat(rng.choice([-0.3, 0.0, 0.3], 30), rng.integers(1, 60, 30))
    equity = 500.0 + np.cumsum(np.round(rng.normal(0.0, 0.6, len(drift)) + drift))
    _, facts = measure(equity, 500.0, 0.0)
    _, expected = slow(equity.tolist(), 500.0, 0.0)
    assert (facts["deepest"], facts["longest"]) == (expected["deepest"], expected["longest"])
