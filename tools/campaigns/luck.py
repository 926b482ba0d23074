"""Noise worlds: markets without an edge, searched and walked forward as a user would; how often each test is fooled.

Prices follow a random walk without drift whose returns are normal, fat-tailed, or come in calm and wild spells; fills
cost nothing, so that no candidate is worse than chance. A case does not hold where the walk-forward passes at 5 %
(`WalkForward.passes`); at most 5 % of them may. The tallies say how often each test alone was fooled.
"""

from __future__ import annotations

import numpy as np

import neuraltrade as nt

from campaigns import Failure, Outcome
from campaigns.luck_strategies import Cross, Reversion

VERSION = 1
UNIT = "noise worlds"
CHUNK = 5
CI_COUNT, FULL_COUNT = 5, 200
BARS = 1_250
ALPHA = 0.05
SAMPLES = 500
DAY_NS = 86_400_000_000_000
GRIDS = (
    (Cross, {"fast": range(2, 26, 4), "slow": range(30, 90, 12)}),
    (Reversion, {"window": range(5, 45, 8), "width": [0.5, 1.0, 1.5, 2.0, 2.5, 3.0]}),
)


def world(seed: int, number: int) -> nt.Bars:
    """Bars of one market; the kind of its returns goes round with the number."""
    rng = np.random.default_rng([seed, number])
    shocks = rng.standard_normal(BARS)
    if number % 3 == 1:
        shocks = rng.standard_t(4, BARS) / np.sqrt(2.0)
    elif number % 3 == 2:
        shocks = shocks * np.where(np.arange(BARS) // 125 % 2 == 0, 0.5, 1.6)
    returns = 0.01 * shocks
    close = 100.0 * np.cumprod(1.0 + np.clip(returns, -0.5, 0.5))
    opened = np.concatenate(([100.0], close[:-1]))
    high, low = np.maximum(opened, close) * 1.001, np.minimum(opened, close) * 0.999
    return nt.Bars("NOISE", np.arange(1, BARS + 1) * DAY_NS, opened, high, low, close, np.full(BARS, 1e6))


def judged(seed: int, number: int) -> dict[str, bool]:
    """Which tests say that there is something in this world."""
    strategy, grid = GRIDS[number // 3 % 2]
    bars, run = world(seed, number), nt.compiled(strategy)
    walked = nt.walk_forward(bars, run, grid, folds=5, purge=5, cash=100_000.0)
    whole = nt.sweep(bars, run, grid, cash=100_000.0, keep_returns=True)
    best = nt.results.probabilistic_sharpe(whole.result().returns)
    return {
        "passed": walked.passes(ALPHA),
        "walk-forward, probabilistic Sharpe": walked.probabilistic_sharpe >= 1.0 - ALPHA,
        "walk-forward, deflated Sharpe": walked.deflated_sharpe >= 1.0 - ALPHA,
        "best of the sweep, probabilistic Sharpe": best >= 1.0 - ALPHA,
        "best of the sweep, deflated Sharpe": whole.deflated_sharpe() >= 1.0 - ALPHA,
        "best of the sweep, reality check": whole.reality_check(samples=SAMPLES).p_value <= ALPHA,
        "overfitting at least even": whole.overfitting(10).probability >= 0.5,
    }


def run_chunk(seed: int, index: int) -> Outcome:
    tallies: dict[str, int] = {}
    failures = []
    for number in range(index * CHUNK, (index + 1) * CHUNK):
        found = judged(seed, number)
        for name, fooled in found.items():
            tallies[name] = tallies.get(name, 0) + int(fooled)
        if found["passed"]:
            failures.append(Failure(number, "a strategy passed where there is nothing to find"))
    return Outcome(CHUNK, tallies, failures)


def allowed(cases: int) -> int:
    """Chance may pass as often as it was said it would."""
    return int(ALPHA * cases)


def reproduce(seed: int, number: int) -> str:
    found = judged(seed, number)
    told = ", ".join(name for name, fooled in found.items() if fooled) or "nothing"
    return f"world {number} of seed {seed}: fooled {told}{'' if found['passed'] else '; it holds'}"


def check_inputs_vary(tallies: dict[str, int], cases: int) -> str:
    """Uncorrected, the best of thirty must look good far more often, or there was nothing to be fooled by."""
    naive = tallies.get("best of the sweep, probabilistic Sharpe", 0)
    return "" if cases < 50 or naive > 2 * ALPHA * cases else "the best of each sweep hardly ever looks good"
