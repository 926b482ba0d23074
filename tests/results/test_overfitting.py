"""PBO and the reality check against loops in plain Python, and on worlds whose answer is known."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import neuraltrade as nt

R = nt.results


def plain_pbo(returns, groups):
    """CSCV as the paper tells it: halves of the rows, the best of one ranked in the other."""
    edges = np.linspace(0, len(returns), groups + 1).astype(int)
    parts = [list(range(edges[k], edges[k + 1])) for k in range(groups)]

    def ratios(rows):
        found = []
        for column in range(returns.shape[1]):
            own = returns[rows, column]
            found.append(float(own.mean() / own.std(ddof=1)) if own.min() < own.max() else 0.0)
        return found

    logits = []
    for chosen in itertools.combinations(range(groups), groups // 2):
        inside = ratios([row for k in chosen for row in parts[k]])
        outside = ratios([row for k in range(groups) if k not in chosen for row in parts[k]])
        own = outside[inside.index(max(inside))]
        rank = sum(other < own for other in outside) + (sum(other == own for other in outside) + 1) / 2
        share = rank / (len(outside) + 1)
        logits.append(math.log(share / (1 - share)))
    return logits


@pytest.mark.parametrize(("count", "trials", "groups"), [(60, 5, 4), (101, 7, 6), (64, 2, 2)])
def test_logits_equal_those_of_plain_loops(count, trials, groups) -> None:
    returns = np.random.default_rng(count).normal(0.0, 0.01, (count, trials))
    found = R.probability_of_overfitting(returns, groups)
    wanted = plain_pbo(returns, groups)
    assert found.logits == pytest.approx(wanted, abs=1e-12)
    assert found.probability == sum(one <= 0 for one in wanted) / len(wanted)
    assert found.splits == math.comb(groups, groups // 2)


def test_skill_is_not_overfitting_and_a_mirror_of_the_past_is() -> None:
    rng = np.random.default_rng(2)
    skilled = rng.normal(0.0, 0.01, (400, 30))
    skilled[:, 7] += 0.005
    assert R.probability_of_overfitting(skilled, 8).probability == 0.0
    # every trial makes in one half what it loses in the other
    half = rng.normal(0.0, 0.01, (200, 30))
    mirrored = np.concatenate([half, -half])
    assert R.probability_of_overfitting(mirrored, 2).probability == 1.0
    assert R.probability_of_overfitting(mirrored, 2).slope < -0.99


def test_trials_that_do_nothing_are_left_out() -> None:
    returns = np.random.default_rng(3).normal(0.0, 0.01, (80, 4))
    idle = np.insert(returns, [1, 3], 0.0, axis=1)
    assert R.probability_of_overfitting(idle, 4).trials == 4
    assert np.array_equal(R.probability_of_overfitting(idle, 4).logits, R.probability_of_overfitting(returns, 4).logits)


def test_many_trials_are_judged_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    returns = np.random.default_rng(4).normal(0.0, 0.01, (100, 11))
    whole = R.probability_of_overfitting(returns, 8)
    monkeypatch.setattr("neuraltrade.results.overfitting._CELLS", 50)
    assert np.array_equal(R.probability_of_overfitting(returns, 8).logits, whole.logits)


def test_resampled_histories_run_on_and_start_anew_as_often_as_asked() -> None:
    rows = R.stationary_indices(1000, 10.0, 200, np.random.default_rng(1))
    assert rows.min() == 0 and rows.max() == 999
    steps = (np.diff(rows, axis=1) % 1000) == 1
    assert steps.mean() == pytest.approx(0.9 + 0.1 / 1000, abs=0.003)
    lengths = np.diff(np.flatnonzero(~steps.ravel()))
    assert lengths.mean() == pytest.approx(10.0, rel=0.05)
    assert np.bincount(rows.ravel(), minlength=1000).min() > 100  # every row as likely as any
    single = R.stationary_indices(50, 1.0, 3, np.random.default_rng(2))
    assert ((np.diff(single, axis=1) % 50) == 1).mean() < 0.1


def plain_reality_check(returns, samples, block, seed):
    """White's p-value from whole resampled histories."""
    count = len(returns)
    rows = R.stationary_indices(count, block, samples, np.random.default_rng(seed))
    means = returns.mean(axis=0)
    statistic = math.sqrt(count) * max(means)
    lucky = [math.sqrt(count) * max(returns[row].mean(axis=0) - means) for row in rows]
    return statistic, lucky


def test_the_reality_check_equals_plain_loops() -> None:
    returns = np.random.default_rng(6).normal(0.0002, 0.01, (120, 9))
    found = R.reality_check(returns, samples=40, block=5.0, seed=3)
    statistic, lucky = plain_reality_check(returns, 40, 5.0, 3)
    assert found.statistic == pytest.approx(statistic, rel=1e-12)
    assert found.samples == pytest.approx(lucky, rel=1e-9, abs=1e-12)
    assert found.p_value == (1 + sum(one >= statistic for one in lucky)) / 41
    assert found.best == int(returns.mean(axis=0).argmax())


def test_the_reality_check_knows_skill_from_luck() -> None:
    rng = np.random.default_rng(8)
    noise = rng.normal(0.0, 0.01, (300, 40))
    skilled = noise.copy()
    skilled[:, 3] += 0.004
    assert R.reality_check(skilled, samples=200).p_value == 1 / 201
    assert R.reality_check(noise, samples=200).p_value > 0.05
    losing = noise - 0.005
    assert R.reality_check(losing, samples=200).p_value > 0.9
    market = rng.normal(0.004, 0.01, 300)
    assert R.reality_check(noise + market[:, None], samples=200).p_value < 0.05
    assert R.reality_check(noise + market[:, None], benchmark=market, samples=200).p_value > 0.05


def test_under_chance_p_values_are_even() -> None:
    rng = np.random.default_rng(9)
    found = [R.reality_check(rng.normal(0.0, 0.01, (100, 5)), samples=99, seed=k).p_value for k in range(120)]
    assert 0.38 < np.mean(found) < 0.62
    assert np.mean(np.array(found) <= 0.05) < 0.12


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda n: R.probability_of_overfitting(n, 3), "groups must be an even int in 2..20, was 3"),
        (lambda n: R.probability_of_overfitting(n, 22), "groups must be an even int in 2..20, was 22"),
        (lambda n: R.probability_of_overfitting(n[:10], 6), "groups must be at most half the 10 returns, was 6"),
        (lambda n: R.probability_of_overfitting(n * 0.0, 4), "two trials that vary, had 0 of 3"),
        (lambda n: R.probability_of_overfitting(n[:, 0], 4), r"float64\[n, trials\] with n >= 2 and a trial"),
        (lambda n: R.probability_of_overfitting("x", 4), "returns must be numbers, was str"),
        (lambda n: R.reality_check(np.where(n == n[5, 1], np.nan, n)), "was nan at row 5 of trial 1"),
        (lambda n: R.reality_check(n, samples=0), "samples must be an int in 1..1,000,000, was 0"),
        (lambda n: R.reality_check(n, block=0.5), r"block must be in 1..40 bars, was 0.5"),
        (lambda n: R.reality_check(n, seed=-1), "seed must be an int >= 0, was -1"),
        (lambda n: R.reality_check(n, benchmark=n[:5, 0]), r"benchmark must be float64\[40\], had shape \(5,\)"),
        (lambda n: R.stationary_indices(0, 1.0, 1, np.random.default_rng(0)), "count must be an int >= 1, was 0"),
    ],
)
def test_wrong_input_is_named(call, message) -> None:
    noise = np.random.default_rng(1).normal(0.0, 0.01, (40, 3))
    with pytest.raises(nt.InputError, match=message):
        call(noise)
