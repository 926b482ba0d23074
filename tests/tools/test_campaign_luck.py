"""Noise worlds: no edge in them, different from each other, the same for a seed; what is there is found."""

import sys
from pathlib import Path

import numpy as np

import neuraltrade as nt

TOOLS = Path(__file__).resolve().parents[2] / "tools"
sys.path.insert(0, str(TOOLS))

import campaign as tool  # noqa: E402  (tools is no package)
from campaigns import luck  # noqa: E402


def test_worlds_differ_and_repeat():
    worlds = [luck.world(1, number) for number in range(3)]
    assert worlds[0] == luck.world(1, 0) != luck.world(2, 0)
    tails = [float(np.mean((bars.returns()[1:] / bars.returns()[1:].std()) ** 4)) for bars in worlds]
    assert tails[0] < 3.5 < min(tails[1:])
    returns = np.concatenate([luck.world(1, number).returns()[1:] for number in range(30)])
    assert abs(returns.mean()) < 3 * returns.std() / np.sqrt(len(returns))


def test_an_edge_is_counted_as_a_mismatch(monkeypatch):
    def trending(seed, number):
        ups = np.where(np.arange(luck.BARS) // 60 % 2 == 0, 0.004, -0.004)
        close = 100.0 * np.cumprod(1.0 + ups + np.random.default_rng(seed).normal(0.0, 0.004, luck.BARS))
        times = np.arange(1, luck.BARS + 1) * luck.DAY_NS
        return nt.Bars("EDGE", times, close, close * 1.001, close * 0.999, close, np.ones(luck.BARS))

    monkeypatch.setattr(luck, "world", trending)
    monkeypatch.setattr(luck, "CHUNK", 1)
    found = luck.run_chunk(1, 0)
    assert [failure.number for failure in found.failures] == [0] and found.tallies["passed"] == 1
    assert luck.reproduce(1, 0).startswith("world 0 of seed 1: fooled passed, ")


def test_chance_may_pass_as_often_as_it_was_given():
    assert (tool.allowed(luck, 200), tool.allowed(luck, 5), tool.allowed(object(), 200)) == (10, 0, 0)
    assert luck.check_inputs_vary({"best of the sweep, probabilistic Sharpe": 5}, 200)
    assert not luck.check_inputs_vary({"best of the sweep, probabilistic Sharpe": 65}, 200)
