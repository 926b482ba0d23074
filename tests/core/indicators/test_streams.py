"""Streaming indicators equal the batch functions bit for bit, and refuse what they cannot take."""

from __future__ import annotations

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.core import indicators as ta
from neuraltrade.core.indicators import Stream

BARS = nt.datasets.load("GOOG")[:900]  # crosses three passes of 256 rows


@pytest.mark.parametrize("start", [1, 7, 255, 256, 257])
@pytest.mark.parametrize("name", ["sma", "wma", "stdev", "rolling_min", "rolling_max", "zscore", "autocorrelation"])
def test_a_window_does_not_know_where_its_series_began(name, start):
    window = 37
    whole, part = getattr(ta, name)(BARS.close, window), getattr(ta, name)(BARS.close[start:], window)
    assert part[window:].tobytes() == whole[start + window :].tobytes()


def test_nans_are_treated_as_in_batch():
    values = BARS.close.copy()
    values[[0, 1, 50, 51, 400]] = np.nan
    for name in ("sma", "ema", "rsi", "stdev", "rolling_max", "expanding_zscore", "macd"):
        parameters = {"window": 10} if name in ("sma", "ema", "stdev", "rolling_max") else {}
        stream = Stream(name, **parameters)
        got = np.array([stream.push(value) for value in values]).T
        assert np.array_equal(got, np.array(getattr(ta, name)(values, **parameters)), equal_nan=True), name


@pytest.mark.parametrize(("name", "parameters", "message"), [
    ("smma", {"window": 5}, "name 'smma' is not a streaming indicator; did you mean 'sma'"),
    ("", {}, "there are sma, rolling_sum"),
    ("sma", {}, "sma needs window="),
    ("sma", {"windw": 5}, "sma has no parameter 'windw'; did you mean 'window'"),
    ("sma", {"window": 0}, r"window must be in 1..16777216, was 0"),
    ("sma", {"window": 2**40}, "window must be in 1..16777216"),
    ("sma", {"window": 5.0}, "window must be an integer, was float 5.0"),
    ("sma", {"window": True}, "window must be an integer, was bool True"),
    ("stdev", {"window": 5, "ddof": 2}, "ddof must be in 0..1, was 2"),
    ("bbands", {"width": float("nan")}, "width must be finite and above 0, was nan"),
    ("bbands", {"width": "wide"}, "width must be a number, was str 'wide'"),
    ("macd", {"fast": 26, "slow": 12}, "fast must be in 1..11, was 26"),
])  # fmt: skip
def test_wrong_parameters(name, parameters, message):
    with pytest.raises(nt.InputError, match=message):
        Stream(name, **parameters)


def test_wrong_rows():
    with pytest.raises(nt.InputError, match="atr takes 3 numbers a row, was given 1"):
        Stream("atr").push(1.0)
    with pytest.raises(nt.InputError, match=r"price 0\.0 is not a positive price"):
        Stream("log_returns").push(0.0)
    with pytest.raises(nt.InputError, match="rsi takes numbers, was given 'x'"):
        Stream("rsi").push("x")
