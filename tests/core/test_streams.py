"""Streaming indicators equal the batch functions bit for bit, and refuse what they cannot take."""

from __future__ import annotations

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.core import indicators as ta
from neuraltrade.core.streams import Stream

BARS = nt.datasets.load("GOOG")[:900]  # crosses three passes of 256 rows
WINDOWED = "sma wma ema rolling_sum rolling_min rolling_max stdev zscore bbands rsi mom roc autocorrelation log_returns"
CASES = [
    *[(name, {"window": window}, ("close",)) for window in (2, 20, 255, 256, 300) for name in WINDOWED.split()],
    ("sma", {"window": 1}, ("close",)),
    ("stdev", {"window": 9, "ddof": 1}, ("close",)),
    ("bbands", {"window": 9, "width": 1.5}, ("close",)),
    ("autocorrelation", {"window": 9, "lag": 4}, ("close",)),
    ("correlation", {"window": 33}, ("close", "volume")),
    ("macd", {"fast": 3, "slow": 8, "signal": 4}, ("close",)),
    ("macd", {}, ("close",)),
    ("atr", {"window": 14}, ("high", "low", "close")),
    ("obv", {}, ("close", "volume")),
    ("expanding_zscore", {"least": 5, "limit": 2.0}, ("close",)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "parameters", "columns"), CASES, ids=str)
def test_streaming_equals_batch_bit_for_bit(name, parameters, columns):
    inputs = [getattr(BARS, column) for column in columns]
    stream = Stream(name, **parameters)
    got = np.array([stream.push(*row) for row in zip(*inputs, strict=True)]).T
    want = np.array(getattr(ta, name)(*inputs, **parameters))
    assert np.ascontiguousarray(got).tobytes() == want.tobytes()
    assert not np.isnan(want[..., -1]).any()


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
    ("", {}, "there are sma, wma"),
    ("sma", {}, "sma needs window="),
    ("sma", {"windw": 5}, "sma has no parameter 'windw'; did you mean 'window'"),
    ("sma", {"window": 0}, r"window must be in 1..16777216, was 0"),
    ("sma", {"window": 2**40}, "window must be in 1..16777216"),
    ("sma", {"window": 5.0}, "window must be an integer, was 5.0"),
    ("sma", {"window": True}, "window must be an integer, was True"),
    ("stdev", {"window": 5, "ddof": 2}, "ddof must be in 0..1, was 2"),
    ("bbands", {"width": float("nan")}, "width must be finite and above 0, was nan"),
    ("bbands", {"width": "wide"}, "width must be a number, was 'wide'"),
    ("macd", {"fast": 26, "slow": 12}, "fast must be below slow 12, was 26"),
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
