"""However rows are cut, and whatever stands in them, a state yields the same bits."""

from __future__ import annotations

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.core.indicators.checks import parameters, state_of
from neuraltrade.core.indicators.table import TABLE

SEED = 20_261_124
ROWS = 1500
FOLDED = ("rolling_sum", "sma", "wma", "rolling_min", "rolling_max", "stdev", "zscore", "linreg_slope", "vwap",
          "correlation", "rolling_median", "rolling_rank")  # fmt: skip


def series(name, rows, rng, kind):
    """Prices for every series of an indicator; "holed" with NaN, "endless" with infinities besides."""
    made = []
    for _ in TABLE[name].series:
        column = 100 * np.exp(np.cumsum(rng.normal(0, 0.02, rows)))
        if kind != "plain" and not TABLE[name].positive:
            column[rng.integers(0, rows, 6)] = np.nan
        if kind == "endless" and not TABLE[name].positive:
            column[rng.integers(rows // 2, rows, 2)] = [np.inf, -np.inf]
        made.append(column)
    return tuple(made)


def fed(name, given, columns, sizes):
    """All lines, the rows fed in runs of the sizes, over and over."""
    entry = TABLE[name]
    state = state_of(entry, parameters(entry, given, columns[0].size))
    parts, at, turn = [], 0, 0
    while at < columns[0].size:
        end = at + int(sizes[turn % len(sizes)])
        parts.append(np.array(state.feed(tuple(np.ascontiguousarray(one[at:end]) for one in columns))))
        at, turn = end, turn + 1
    return np.concatenate(parts, axis=1)


def same(a, b):
    """The same bits, any NaN being any other."""
    return np.array_equal(np.isnan(a), np.isnan(b)) and a[~np.isnan(a)].tobytes() == b[~np.isnan(b)].tobytes()


@pytest.mark.parametrize("kind", ["plain", "holed", "endless"])
@pytest.mark.parametrize("name", list(TABLE))
def test_cuts_change_nothing(name, kind):
    rng = np.random.default_rng([SEED, list(TABLE).index(name)])
    columns = series(name, ROWS, rng, kind)
    given = {one.name: 20 if one.default is None else one.default for one in TABLE[name].parameters}
    whole = fed(name, given, columns, [ROWS])
    assert np.isfinite(whole).any()
    for sizes in ([256], [8, 3, 500], rng.integers(1, 400, 20)):
        assert same(whole, fed(name, given, columns, sizes)), (SEED, sizes)


@pytest.mark.parametrize("name", FOLDED)
def test_windows_of_every_shape_are_the_streams(name):
    """Windows of one binary digit and of many, in and out of reach of registers."""
    rng = np.random.default_rng(SEED)
    columns = series(name, 400, rng, "plain")
    for window in (2, 3, 4, 5, 7, 8, 12, 15, 16, 17, 24, 31, 32, 33, 48, 64, 77, 128, 150):
        given = {one.name: window if one.default is None else one.default for one in TABLE[name].parameters}
        given["window"] = window
        stream = nt.indicators.Stream(name, **given)
        rows = np.array([[stream.push(*row) for row in zip(*(one.tolist() for one in columns), strict=True)]])
        assert same(fed(name, given, columns, [400]), rows), window
