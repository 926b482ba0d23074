"""Bundled data: names, spans, adjustment, and the figures others compute on GOOG."""

from __future__ import annotations

import numpy as np
import pytest

import neuraltrade as nt


@pytest.mark.parametrize(("name", "count"), [("AAPL", 3270), ("GOOG", 2148), ("IBM", 3270), ("MSFT", 3270)])
def test_every_name_loads(name, count):
    bars = nt.datasets.load(name)
    assert bars.symbol == name and len(bars) == count
    assert bars.ts_ns[-1] == np.datetime64("2013-03-02", "ns").astype(np.int64) - 1
    assert nt.datasets.load(name.lower()) is bars


def test_names():
    assert nt.datasets.names() == ("AAPL", "GOOG", "IBM", "MSFT")


def test_google_is_the_series_of_backtesting_py():
    bars = nt.datasets.load("GOOG")
    assert bars[0][1:] == (100.0, 104.06, 95.96, 100.34, 22351900.0)
    assert bars[-1][1:] == (797.8, 807.14, 796.15, 806.19, 2175400.0)
    for column in (bars.open, bars.high, bars.low, bars.close):
        assert np.array_equal(column, np.round(column, 2))


def test_last_prices_are_as_traded_and_splits_make_no_jump():
    assert [nt.datasets.load(name).close[-1] for name in ("AAPL", "IBM", "MSFT")] == [430.47, 202.91, 27.95]
    for name, dates in {"AAPL": ["2000-06-21", "2005-02-28"], "MSFT": ["2003-02-18"]}.items():
        bars = nt.datasets.load(name)
        for date in dates:
            split = bars.between(date)
            row = len(bars) - len(split)
            assert 0.9 < bars.close[row] / bars.close[row - 1] < 1.1
            assert 0.2 < bars.volume[row - 5 : row].mean() / bars.volume[row : row + 5].mean() < 5


@pytest.mark.parametrize("name", ["GOOGL", "", None, 3, "../GOOG"])
def test_unknown_names(name):
    with pytest.raises(nt.InputError, match="name must be one of AAPL, GOOG, IBM, MSFT"):
        nt.datasets.load(name)
    with pytest.raises(nt.InputError, match="did you mean 'GOOG'"):
        nt.datasets.load("GOOGL")
