"""Median and rank over windows too long to move as one array: against sorting each window anew."""

from __future__ import annotations

import numpy as np
import pytest

from neuraltrade.core import indicators as ta

SEED = 20_261_125
ROWS = 9_000


def prices(kind):
    rng = np.random.default_rng(SEED)
    walk = np.cumsum(rng.normal(size=ROWS))
    return {
        "walk": walk, "few values": np.round(walk / 20.0), "one value": np.ones(ROWS), "rising": np.arange(ROWS) * 1.0,
        "falling": -np.arange(ROWS) * 1.0, "saw": np.arange(ROWS) * 7.0 % 1013,
        "holed": np.where(rng.uniform(size=ROWS) < 0.0003, np.nan, walk),
    }[kind]  # fmt: skip


@pytest.mark.parametrize("window", [2048, 2049, 4000])
@pytest.mark.parametrize("kind", ["walk", "few values", "one value", "rising", "falling", "saw", "holed"])
def test_a_window_is_as_if_sorted_anew(kind, window):
    values = prices(kind)
    median, rank = ta.rolling_median(values, window), ta.rolling_rank(values, window)
    assert np.isnan(median[: window - 1]).all() and np.isnan(rank[: window - 1]).all()
    known = 0
    for row in range(window - 1, ROWS, 97):
        held = values[row - window + 1 : row + 1]
        if np.isnan(held).any():
            assert np.isnan(median[row]) and np.isnan(rank[row])
            continue
        ordered = np.sort(held)
        lower, upper = ordered[(window - 1) // 2], ordered[window // 2]
        middle = upper if window % 2 else 0.5 * lower + 0.5 * upper
        below, equal = (held < values[row]).sum(), (held == values[row]).sum()
        assert median[row] == middle
        assert rank[row] == below + 0.5 * (equal + 1)
        known += 1
    assert known > 5


def test_rows_as_they_arrive_are_those_of_the_whole():
    values = prices("few values")[:3000]
    for name in ("rolling_median", "rolling_rank"):
        stream = ta.Stream(name, window=2100)
        assert np.array([stream.push(one) for one in values]).tobytes() == getattr(ta, name)(values, 2100).tobytes()
