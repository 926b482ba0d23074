"""Equal to TA-Lib, warm-up included: 1e-9 of the value, or of the series' scale near zero."""

from __future__ import annotations

import numpy as np
import pytest

import neuraltrade as nt

ta = nt.indicators
talib = pytest.importorskip("talib")

GOOG, AAPL = nt.datasets.load("GOOG"), nt.datasets.load("AAPL")
HIGH, LOW, CLOSE, VOLUME = (np.array(column) for column in (GOOG.high, GOOG.low, GOOG.close, GOOG.volume))
MARKET = np.array(AAPL.close[-len(GOOG) :])
WINDOWS = pytest.mark.parametrize("window", [2, 5, 14, 33, 100, 400])


def same(got, want):
    got, want = (value if isinstance(value, tuple) else (value,) for value in (got, want))
    for line, other in zip(got, want, strict=True):
        assert np.array_equal(np.isnan(line), np.isnan(other))
        scale = np.nanmax(np.abs(other))
        assert np.nanmax(np.abs(line - other) / np.maximum(np.abs(other), scale)) <= 1e-9


ONE_SERIES = {"SUM": "rolling_sum", "MIN": "rolling_min", "MAX": "rolling_max", "LINEARREG_SLOPE": "linreg_slope"}
ONE_SERIES |= {name: name.lower() for name in ("SMA", "EMA", "WMA", "DEMA", "TEMA", "KAMA", "RSI", "MOM", "ROC")}


@WINDOWS
@pytest.mark.parametrize("name", ONE_SERIES)
def test_one_series(name, window):
    same(getattr(ta, ONE_SERIES[name])(CLOSE, window), getattr(talib, name)(CLOSE, window))


@WINDOWS
def test_bars(window):
    for name, ours in (("ATR", "atr"), ("NATR", "natr"), ("CCI", "cci"), ("WILLR", "williams_r")):
        same(getattr(ta, ours)(HIGH, LOW, CLOSE, window), getattr(talib, name)(HIGH, LOW, CLOSE, window))
    theirs = (talib.ADX(HIGH, LOW, CLOSE, window), talib.PLUS_DI(HIGH, LOW, CLOSE, window),
              talib.MINUS_DI(HIGH, LOW, CLOSE, window))  # fmt: skip
    same(tuple(ta.adx(HIGH, LOW, CLOSE, window)), theirs)
    same(ta.mfi(HIGH, LOW, CLOSE, VOLUME, window), talib.MFI(HIGH, LOW, CLOSE, VOLUME, window))
    same(tuple(ta.donchian(HIGH, LOW, window)), (talib.MAX(HIGH, window), talib.MIN(LOW, window)))


@WINDOWS
def test_deviations_and_regressions(window):
    same(ta.stdev(CLOSE, window), talib.STDDEV(CLOSE, window, 1))
    same(tuple(ta.bbands(CLOSE, window, 1.5)), talib.BBANDS(CLOSE, window, 1.5, 1.5))
    if window > 2:  # theirs subtracts sums of squares, which over two rows leaves 1e-9, and is 0 where ours is NaN
        same(ta.correlation(CLOSE, MARKET, window), talib.CORREL(CLOSE, MARKET, window))
        same(ta.beta(CLOSE, MARKET, window), talib.BETA(MARKET, CLOSE, window))


@pytest.mark.parametrize(("window", "smooth", "signal"), [(14, 3, 3), (5, 1, 1), (9, 4, 6), (33, 2, 20)])
def test_stochastics(window, smooth, signal):
    theirs = talib.STOCH(HIGH, LOW, CLOSE, window, smooth, 0, signal, 0)
    same(tuple(ta.stoch(HIGH, LOW, CLOSE, window, smooth, signal)), theirs)
    same(tuple(ta.stochrsi(CLOSE, 14, window, 1, signal)), talib.STOCHRSI(CLOSE, 14, window, signal, 0))


def test_macd_and_obv():
    same(tuple(ta.macd(CLOSE)), talib.MACD(CLOSE))
    same(tuple(ta.macd(CLOSE, 5, 34, 5)), talib.MACD(CLOSE, 5, 34, 5))
    same(ta.obv(CLOSE, VOLUME), talib.OBV(CLOSE, VOLUME))


def test_prices_that_do_not_move():
    """Zero ranges, zero deviations, ties: the answers that TA-Lib gives by convention."""
    still, volume = np.r_[np.full(60, 5.0), CLOSE[:60], np.full(60, 7.0)], np.full(180, 1e3)
    bars = (still, still, still)
    for name, ours in (("ATR", "atr"), ("NATR", "natr"), ("CCI", "cci"), ("WILLR", "williams_r"), ("PLUS_DI", "adx")):
        got = getattr(ta, ours)(*bars, 10)
        same(got.plus_di if ours == "adx" else got, getattr(talib, name)(*bars, 10))
    same(ta.adx(*bars, 10).adx, talib.ADX(*bars, 10))
    same(ta.mfi(*bars, volume, 10), talib.MFI(*bars, volume, 10))
    same(tuple(ta.stoch(*bars, 10, 3, 3)), talib.STOCH(*bars, 10, 3, 0, 3, 0))
    same(ta.kama(still, 10), talib.KAMA(still, 10))
    same(ta.rsi(still, 10), talib.RSI(still, 10))
    same(ta.stdev(still, 10), talib.STDDEV(still, 10, 1))
    same(ta.obv(still, volume), talib.OBV(still, volume))


def test_only_gains():
    """Without a loss the index is 100, not the next double: its place in a range of nothing is 0, as theirs."""
    step = np.r_[np.full(60, 1.0), np.full(240, 1000.0)]
    for window in (2, 5, 14):
        index = ta.rsi(step, window)
        assert np.all(index[60:] == 100.0)
        same(index, talib.RSI(step, window))
        same(tuple(ta.stochrsi(step, window, 14, 1, 3)), talib.STOCHRSI(step, window, 14, 3, 0))
