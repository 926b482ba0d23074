"""Indicators against plain NumPy references and at their edges; test_talib.py holds them against TA-Lib."""

from __future__ import annotations

import math

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.core import indicators as ta

SEED = 20_240_301
NAN = float("nan")


def walk(count=700, seed=SEED):
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.02, count)))
    high = close * (1 + rng.uniform(0, 0.02, count))
    low = close * (1 - rng.uniform(0, 0.02, count))
    return high, low, close, rng.integers(1, 1000, count).astype(float)


HIGH, LOW, CLOSE, VOLUME = walk()


def windows(values, window):
    return np.lib.stride_tricks.sliding_window_view(values, window)


def padded(tail, count):
    return np.concatenate([np.full(count - len(tail), NAN), tail])


def ema_reference(values, window, alpha=None, start=0):
    """Seeded with the mean of `window` values ending at start + window - 1."""
    alpha = 2 / (window + 1) if alpha is None else alpha
    out = [NAN] * (start + window - 1) + [float(np.mean(values[start : start + window]))]
    for value in values[start + window :]:
        out.append(out[-1] + alpha * (value - out[-1]))
    return np.array(out)


def same(got, want, tolerance=1e-11):
    got, want = np.asarray(got), np.asarray(want)
    assert got.dtype == np.float64 and got.shape == want.shape
    assert np.array_equal(np.isnan(got), np.isnan(want))
    scale = np.nanmax(np.abs(want), initial=1e-300)
    assert np.nanmax(np.abs(got - want), initial=0.0) <= tolerance * scale


WINDOWS = [1, 2, 3, 5, 8, 14, 33, 64, 100, 255, 700]


@pytest.mark.parametrize("window", WINDOWS)
def test_plain_windows_against_numpy(window):
    view = windows(CLOSE, window)
    ramp = np.arange(1.0, window + 1)
    same(ta.sma(CLOSE, window), padded(view.mean(axis=1), 700))
    same(ta.rolling_sum(CLOSE, window), padded(view.sum(axis=1), 700))
    same(ta.wma(CLOSE, window), padded((view * ramp).sum(axis=1) / ramp.sum(), 700))
    assert np.array_equal(ta.rolling_min(CLOSE, window)[window - 1 :], view.min(axis=1))
    assert np.array_equal(ta.rolling_max(CLOSE, window)[window - 1 :], view.max(axis=1))
    same(ta.stdev(CLOSE, window), padded(view.std(axis=1), 700), 1e-10)
    upper, lower = ta.donchian(HIGH, LOW, window)
    assert np.array_equal(upper[window - 1 :], windows(HIGH, window).max(axis=1))
    assert np.array_equal(lower[window - 1 :], windows(LOW, window).min(axis=1))


@pytest.mark.parametrize("window", WINDOWS[1:])
def test_windows_of_two_and_more_against_numpy(window):
    view = windows(CLOSE, window)
    deviation = view.std(axis=1)
    same(ta.stdev(CLOSE, window, ddof=1), padded(view.std(axis=1, ddof=1), 700), 1e-10)
    same(ta.zscore(CLOSE, window), padded((CLOSE[window - 1 :] - view.mean(axis=1)) / deviation, 700), 1e-9)
    upper, middle, lower = ta.bbands(CLOSE, window, 2.5)
    same(middle, padded(view.mean(axis=1), 700))
    same(upper, padded(view.mean(axis=1) + 2.5 * deviation, 700))
    same(lower, padded(view.mean(axis=1) - 2.5 * deviation, 700))
    paired = [np.corrcoef(a, b)[0, 1] for a, b in zip(windows(CLOSE, window), windows(VOLUME, window), strict=True)]
    same(ta.correlation(CLOSE, VOLUME, window), padded(paired, 700), 1e-9)


@pytest.mark.parametrize(("window", "lag"), [(2, 1), (20, 1), (20, 5), (64, 3)])
def test_autocorrelation_is_correlation_with_the_past(window, lag):
    changes = np.diff(CLOSE)
    want = padded(ta.correlation(changes[lag:], changes[:-lag], window), 699)
    same(ta.autocorrelation(changes, window, lag), want, 1e-12)


@pytest.mark.parametrize("window", [1, 2, 14, 100, 700])
def test_exponential_averages(window):
    same(ta.ema(CLOSE, window), ema_reference(CLOSE, window))
    if window < 700:
        change = np.diff(CLOSE)
        gain = ema_reference(np.maximum(change, 0), window, 1 / window)
        loss = ema_reference(np.maximum(-change, 0), window, 1 / window)
        same(ta.rsi(CLOSE, window), padded(100 * gain / (gain + loss), 700), 1e-9)
        reach = np.maximum(HIGH, np.r_[NAN, CLOSE[:-1]]) - np.minimum(LOW, np.r_[NAN, CLOSE[:-1]])
        same(ta.atr(HIGH, LOW, CLOSE, window), padded(ema_reference(reach[1:], window, 1 / window), 700), 1e-10)


def test_macd():
    line = ema_reference(CLOSE, 12, start=14) - ema_reference(CLOSE, 26)
    signal = padded(ema_reference(line[25:], 9), 700)
    got = ta.macd(CLOSE)
    same(got[1], signal, 1e-9)
    same(got[0], np.where(np.isnan(signal), NAN, line), 1e-9)
    same(got[2], line - signal, 1e-9)
    assert np.isnan(got[0]).sum() == 26 + 9 - 2


def test_differences():
    same(ta.mom(CLOSE, 7), padded(CLOSE[7:] - CLOSE[:-7], 700))
    same(ta.roc(CLOSE, 7), padded((CLOSE[7:] / CLOSE[:-7] - 1) * 100, 700))
    same(ta.log_returns(CLOSE, 7), padded(np.log(CLOSE[7:] / CLOSE[:-7]), 700))
    want = np.cumsum(np.r_[VOLUME[0], np.sign(np.diff(CLOSE)) * VOLUME[1:]])
    assert np.array_equal(ta.obv(CLOSE, VOLUME), want)


@pytest.mark.parametrize("window", [2, 21, 699])
def test_realised_volatility(window):
    returns = np.diff(np.log(CLOSE))
    want = padded(windows(returns, window).std(axis=1, ddof=1) * math.sqrt(252), 700)
    same(ta.realised_volatility(CLOSE, window), want, 1e-10)
    same(ta.realised_volatility(CLOSE, window, periods_per_year=1), want / math.sqrt(252), 1e-10)


def test_log_is_right_over_the_whole_range():
    rng = np.random.default_rng(SEED)
    values = np.concatenate(
        [np.exp(rng.normal(0, 100, 10_000)), 1 + rng.normal(0, 1e-3, 10_000), [1.0, 5e-308, 1.7e308]]
    )
    want = np.log(values)
    error = np.abs(ta.log(values) - want)
    assert (error <= 2 * np.spacing(np.abs(want))).all()
    assert ta.log([1.0])[0] == 0.0


def test_expanding_zscore():
    values = np.r_[NAN, NAN, CLOSE[:100], NAN, CLOSE[100:200]]
    got = ta.expanding_zscore(values, least=5, limit=1.5)
    for row in range(len(values)):
        seen = values[: row + 1][~np.isnan(values[: row + 1])]
        if np.isnan(values[row]) or len(seen) < 5:
            assert got[row] == 0.0
        else:
            assert math.isclose(got[row], np.clip((seen[-1] - seen.mean()) / seen.std(), -1.5, 1.5), rel_tol=1e-9)


def test_crossings():
    a, b = np.array([1.0, 3, 2, 2, 1, NAN, 3]), np.full(7, 2.0)
    assert ta.crossed_above(a, b).tolist() == [False, True, False, False, False, False, False]
    assert ta.crossed_below(a, b).tolist() == [False, False, False, False, True, False, False]
    assert ta.crossed_above([1.0], [2.0]).tolist() == [False]


@pytest.mark.parametrize("name", ["sma", "wma", "stdev", "rolling_min", "rolling_max", "rolling_sum"])
def test_constant_and_huge_values(name):
    function = getattr(ta, name)
    flat = function(np.full(1000, 0.1), 37)[36:]
    assert (flat == flat[0]).all()
    # A spike must leave no trace once it has left the window.
    spiked = CLOSE.copy()
    spiked[100] = 1e300
    assert np.array_equal(function(spiked, 20)[120:], function(CLOSE, 20)[120:])


def test_a_mean_does_not_drift_over_a_long_history():
    rng = np.random.default_rng(SEED)
    values = 1e9 + rng.normal(0, 1e-3, 1_000_000)
    got = ta.sma(values, 17)
    for row in rng.integers(999_000, 1_000_000, 200):
        exact = math.fsum(values[row - 16 : row + 1]) / 17
        assert abs(got[row] - exact) <= 3 * np.spacing(exact)


def test_stdev_of_equal_values_is_exactly_zero():
    assert (ta.stdev(np.full(500, 1 / 3), 20)[19:] == 0).all()
    assert np.isnan(ta.zscore(np.full(500, 1 / 3), 20)).all()
    assert np.isnan(ta.correlation(np.full(50, 1 / 3), CLOSE[:50], 20)).all()
    assert (ta.rsi(np.full(50, 1 / 3))[14:] == 0).all()


def test_a_nan_leaves_with_its_window():
    holed = CLOSE.copy()
    holed[300] = NAN
    for function in (ta.sma, ta.wma, ta.stdev, ta.zscore, ta.rolling_min, ta.rolling_max):
        got, want = function(holed, 20), function(CLOSE, 20)
        assert np.isnan(got[300:320]).all()
        assert np.array_equal(got[19:300], want[19:300]) and np.array_equal(got[320:], want[320:])


def test_leading_nans_are_skipped():
    stacked = ta.sma(ta.rsi(CLOSE), 10)
    assert np.isnan(stacked[:23]).all() and not np.isnan(stacked[23:]).any()
    same(stacked[23:], windows(ta.rsi(CLOSE)[14:], 10).mean(axis=1))
    same(ta.ema(np.r_[NAN, NAN, CLOSE], 9)[2:], ta.ema(CLOSE, 9), 1e-14)  # in other blocks of eight rows


WINDOWED = "sma ema wma stdev zscore rolling_sum rolling_min rolling_max rsi bbands roc mom log_returns autocorrelation"


def every_indicator():
    for name in [*WINDOWED.split(), "realised_volatility"]:
        yield name, lambda part, name=name: getattr(ta, name)(part[2], 9)
    yield "macd", lambda part: ta.macd(part[2], 3, 7, 4)
    yield "atr", lambda part: ta.atr(part[0], part[1], part[2], 5)
    yield "donchian", lambda part: ta.donchian(part[0], part[1], 5)
    yield "obv", lambda part: ta.obv(part[2], part[3])
    yield "correlation", lambda part: ta.correlation(part[2], part[3], 9)
    yield "expanding_zscore", lambda part: ta.expanding_zscore(part[2])


@pytest.mark.parametrize(
    ("name", "function"), list(every_indicator()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_no_row_sees_a_later_one(name, function):
    whole = np.array(function((HIGH, LOW, CLOSE, VOLUME)))
    for stop in (10, 11, 31, 64, 65, 500, 699):
        part = np.array(function((HIGH[:stop], LOW[:stop], CLOSE[:stop], VOLUME[:stop])))
        assert part.tobytes() == np.ascontiguousarray(whole[..., :stop]).tobytes(), name


@pytest.mark.parametrize(
    ("name", "function"), list(every_indicator()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_input_is_left_alone_and_output_is_new(name, function):
    columns = tuple(column.copy() for column in (HIGH, LOW, CLOSE, VOLUME))
    for column in columns:
        column.flags.writeable = False
    got = function(columns)
    for line in got if isinstance(got, tuple) else (got,):
        assert line.flags.writeable and line.flags.c_contiguous and line.shape == (700,), name


def test_other_real_dtypes_and_strides_are_converted():
    want = ta.sma(np.arange(10.0), 3)
    for given in (
        np.arange(10),
        np.arange(10, dtype=np.float32),
        list(range(10)),
        np.arange(20.0)[::2] / 2,
        np.arange(10, dtype=np.uint8),
    ):
        assert np.array_equal(ta.sma(given, 3), want, equal_nan=True)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: ta.sma(CLOSE, 0), r"window must be in 1..700 \(the series' length bounds it\), was 0"),
    (lambda: ta.sma(CLOSE, -3), "was -3"),
    (lambda: ta.sma(CLOSE, 701), r"window must be in 1..700 .*, was 701"),
    (lambda: ta.sma(CLOSE, 10**30), "window must be in 1..700"),
    (lambda: ta.sma(CLOSE, 2.0), "window must be an integer, was float 2.0"),
    (lambda: ta.sma(CLOSE, True), "window must be an integer, was bool True"),
    (lambda: ta.sma(CLOSE, None), "window must be an integer, was NoneType"),
    (lambda: ta.sma([], 1), "values is empty"),
    (lambda: ta.sma([[1.0]], 1), r"values must have one dimension, has shape \(1, 1\)"),
    (lambda: ta.sma(5.0, 1), r"values must have one dimension, has shape \(\)"),
    (lambda: ta.sma(["a"], 1), "values must hold real numbers, has dtype <U1"),
    (lambda: ta.sma(None, 1), "values must have one dimension"),
    (lambda: ta.sma([True], 1), "values must hold real numbers, has dtype bool"),
    (lambda: ta.sma([1j], 1), "values must hold real numbers, has dtype complex128"),
    (lambda: ta.stdev(CLOSE, 1, ddof=1), "window must be in 2..700"),
    (lambda: ta.stdev(CLOSE, 5, ddof=2), "ddof must be in 0..1"),
    (lambda: ta.zscore(CLOSE, 1), "window must be in 2..700"),
    (lambda: ta.bbands(CLOSE, 20, 0.0), "width must be finite and above 0, was 0.0"),
    (lambda: ta.bbands(CLOSE, 20, NAN), "width must be finite and above 0, was nan"),
    (lambda: ta.bbands(CLOSE, 20, "2"), "width must be a number, was str '2'"),
    (lambda: ta.macd(CLOSE, 26, 12), "fast must be in 1..11"),
    (lambda: ta.macd(CLOSE, 12, 12), "fast must be in 1..11"),
    (lambda: ta.macd(CLOSE, 12, 701), "slow must be in 2..700"),
    (lambda: ta.macd(CLOSE, 12, 26, 0), "signal must be in 1..700"),
    (lambda: ta.atr(HIGH, LOW[1:], CLOSE), "low has 699 rows, high has 700"),
    (lambda: ta.atr(HIGH, LOW, CLOSE[1:]), "close has 699 rows, high has 700"),
    (lambda: ta.obv(CLOSE, VOLUME[:5]), "volume has 5 rows, close has 700"),
    (lambda: ta.correlation(CLOSE, VOLUME[:5], 2), "y has 5 rows, x has 700"),
    (lambda: ta.donchian(HIGH, LOW, 0), "window must be in 1..700"),
    (lambda: ta.log_returns([1.0, 0.0]), "close row 1: 0.0 is not a positive price"),
    (lambda: ta.log([1.0, NAN]), "values row 1: nan is not a positive price"),
    (lambda: ta.log([math.inf]), "values row 0: inf"),
    (lambda: ta.realised_volatility([1.0, 2.0, -1.0], 2), "close row 2: -1.0 is not a positive price"),
    (lambda: ta.realised_volatility(CLOSE, 1), "window must be in 2..700"),
    (lambda: ta.realised_volatility(CLOSE, 5, periods_per_year=0), "periods_per_year must be finite and above 0"),
    (lambda: ta.autocorrelation(CLOSE, 5, lag=0), "lag must be in 1..700"),
    (lambda: ta.expanding_zscore(CLOSE, least=1), "least must be in 2.."),
    (lambda: ta.expanding_zscore(CLOSE, limit=-1.0), "limit must be finite and above 0"),
    (lambda: ta.crossed_above(CLOSE, CLOSE[1:]), "b has 699 rows, a has 700"),
])  # fmt: skip
def test_wrong_input(call, message):
    with pytest.raises(nt.InputError, match=message):
        call()
