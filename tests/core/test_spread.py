"""The filter and the sides of a spread against the same written in plain Python, to the last bit."""

from __future__ import annotations

import math

import numpy as np
import pytest

from neuraltrade import InputError
from neuraltrade.core import spread


def slow_kalman(y, x, delta):
    surprise, betas = [], []
    alpha, beta = (y[0] - x[0] if y else 0.0), 1.0
    p_aa, p_ab, p_bb, noise = 1.0, 0.0, 1.0, 1e-3
    for now, other in zip(y, x, strict=True):
        p_aa, p_bb = p_aa + delta, p_bb + delta
        error = now - alpha - beta * other
        variance = p_aa + 2.0 * other * p_ab + other * other * p_bb + noise
        gain_a, gain_b = (p_aa + other * p_ab) / variance, (p_ab + other * p_bb) / variance
        surprise.append(error / math.sqrt(variance))
        alpha, beta = alpha + gain_a * error, beta + gain_b * error
        p_aa, p_ab, p_bb = (
            p_aa - gain_a * (p_aa + other * p_ab),
            p_ab - gain_a * (p_ab + other * p_bb),
            p_bb - gain_b * (p_ab + other * p_bb),
        )
        betas.append(beta)
    return surprise, betas


def slow_sides(z, allowed, entry, leave, stop):
    side, waiting, found = 0.0, False, []
    for score, may in zip(z, allowed, strict=True):
        if not math.isnan(score):
            waiting = waiting and abs(score) > leave
            if side != 0.0 and (abs(score) >= stop or side * score >= -leave):
                waiting, side = abs(score) >= stop, 0.0
            elif side == 0.0 and not waiting and may and entry <= abs(score) < stop:
                side = -1.0 if score > 0.0 else 1.0
        found.append(side)
    return found


@pytest.mark.parametrize("count", [0, 1, 2, 700])
@pytest.mark.parametrize("delta", [0.0, 1e-5, 0.3])
def test_the_filter_equals_plain_python(count, delta):
    rng = np.random.default_rng(count)
    x = 4.0 + np.cumsum(rng.normal(0.0, 0.02, count))
    y = 0.3 + 0.7 * x + rng.normal(0.0, 0.01, count)
    surprise, beta = spread.kalman(y, x, delta)
    assert (surprise.tolist(), beta.tolist()) == slow_kalman(y.tolist(), x.tolist(), delta)
    before = spread.kalman(y[: count // 2], x[: count // 2], delta)
    assert np.array_equal(surprise[: count // 2], before[0]) and np.array_equal(beta[: count // 2], before[1])


@pytest.mark.parametrize("seed", range(6))
def test_sides_equal_plain_python(seed):
    rng = np.random.default_rng(seed)
    z = np.round(np.cumsum(rng.normal(0.0, 1.0, 2_000)) % 12.0 - 6.0, 1)
    z[rng.random(2_000) < 0.1] = np.nan
    allowed = rng.random(2_000) < 0.8
    found = spread.sides(z, allowed, 2.0, 0.5, 4.0)
    assert found.tolist() == slow_sides(z.tolist(), allowed.tolist(), 2.0, 0.5, 4.0)
    assert set(found.tolist()) == {-1.0, 0.0, 1.0}


def test_wrong_columns():
    one = np.zeros(3)
    for y, x, words in ((one, one[:2], "x must have 3 rows"), (one.astype(int), one, "y must be a float64 column")):
        with pytest.raises(InputError, match=words):
            spread.kalman(y, x, 0.0)
    for z, allowed, words in (
        (one, np.ones(2, bool), r"allowed must be bool\[3\]"),
        (one, one, r"allowed must be bool\[3\]"),
        (np.zeros((2, 2)), np.ones(2, bool), "z must be a float64 column"),
    ):
        with pytest.raises(InputError, match=words):
            spread.sides(z, allowed, 2.0, 0.5, 4.0)
