"""Each indicator against the slow and obvious: its textbook formula, row by row, in plain Python."""

from __future__ import annotations

import itertools
import math
import statistics

import numpy as np
import pytest

import neuraltrade as nt

ta = nt.indicators
NAN = float("nan")
ROWS = 300
BARS = nt.datasets.load("IBM")[700 : 700 + ROWS]
OPEN, HIGH, LOW, CLOSE, VOLUME = (
    np.array(getattr(BARS, c)).tolist() for c in ("open", "high", "low", "close", "volume")
)
MARKET = np.array(nt.datasets.load("MSFT").close[700 : 700 + ROWS]).tolist()
TYPICAL = [(h + low + c) / 3 for h, low, c in zip(HIGH, LOW, CLOSE, strict=True)]
WINDOWS = pytest.mark.parametrize("window", [2, 3, 14, 50])


def same(got, want, tolerance=1e-10):
    want = np.array(want)
    assert got.shape == want.shape and np.array_equal(np.isnan(got), np.isnan(want))
    assert np.nanmax(np.abs(got - want)) <= tolerance * max(np.nanmax(np.abs(want)), 1e-300)


def rolling(function, window, *series):
    """function over the last `window` values of each series; NaN where one of them is."""
    out = []
    for row in range(len(series[0])):
        parts = [one[row - window + 1 : row + 1] for one in series] if row >= window - 1 else [[NAN]]
        out.append(NAN if any(math.isnan(v) for part in parts for v in part) else function(*parts))
    return out


def mean(values):
    return math.fsum(values) / len(values)


def average(values, window, alpha):
    """value += alpha (x - value), started with the mean of the first `window` numbers."""
    out, seen, value = [], [], NAN
    for x in values:
        if not math.isnan(x):
            seen.append(x)
            value = mean(seen) if len(seen) == window else value + alpha * (x - value)
        out.append(value if len(seen) >= window and not math.isnan(x) else NAN)
    return out


def ema(values, window):
    return average(values, window, 2 / (window + 1))


def true_range():
    return [NAN] + [max(h, c) - min(low, c) for h, low, c in zip(HIGH[1:], LOW[1:], CLOSE[:-1], strict=True)]


def changes(values):
    return [NAN] + [b / a - 1 for a, b in itertools.pairwise(values)]


def slope(x, y):
    centre, level = mean(x), mean(y)
    return sum((a - centre) * (b - level) for a, b in zip(x, y, strict=True)) / sum((a - centre) ** 2 for a in x)


@WINDOWS
def test_nested_averages(window):
    one = ema(CLOSE, window)
    two = ema(one, window)
    three = ema(two, window)
    same(ta.ema(CLOSE, window), one)
    same(ta.dema(CLOSE, window), [2 * a - b for a, b in zip(one, two, strict=True)])
    same(ta.tema(CLOSE, window), [3 * a - 3 * b + c for a, b, c in zip(one, two, three, strict=True)])


@WINDOWS
def test_kama(window):
    out, value = [NAN] * window, CLOSE[window - 1]
    for row in range(window, ROWS):
        walked = sum(abs(CLOSE[k] - CLOSE[k - 1]) for k in range(row - window + 1, row + 1))
        ratio = abs(CLOSE[row] - CLOSE[row - window]) / walked if walked else 1.0
        value += (CLOSE[row] - value) * (ratio * (2 / 3 - 2 / 31) + 2 / 31) ** 2
        out.append(value)
    same(ta.kama(CLOSE, window), out)


@WINDOWS
def test_ranges_and_bands(window):
    reach = average(true_range(), window, 1 / window)
    same(ta.atr(HIGH, LOW, CLOSE, window), reach)
    same(ta.natr(HIGH, LOW, CLOSE, window), [100 * a / c for a, c in zip(reach, CLOSE, strict=True)])
    middle = ema(CLOSE, window + 3)
    bands = ta.keltner(HIGH, LOW, CLOSE, window + 3, window, 1.5)
    for line, sign in zip(bands, (1, 0, -1), strict=True):
        same(line, [m + sign * 1.5 * r + 0 * r for m, r in zip(middle, reach, strict=True)])


@WINDOWS
def test_supertrend(window):
    reach, lines, ways = average(true_range(), window, 1 / window), [], []
    for row in range(ROWS):
        if math.isnan(reach[row]):
            lines.append(NAN)
            ways.append(NAN)
            continue
        middle = (HIGH[row] + LOW[row]) / 2
        top, bottom = middle + 2 * reach[row], middle - 2 * reach[row]
        if row == window:
            upper, lower, way = top, bottom, -1
        else:
            upper = top if top < upper or CLOSE[row - 1] > upper else upper
            lower = bottom if bottom > lower or CLOSE[row - 1] < lower else lower
        way = (1 if CLOSE[row] > upper else -1) if way < 0 else (-1 if CLOSE[row] < lower else 1)
        lines.append(lower if way > 0 else upper)
        ways.append(way)
    found = ta.supertrend(HIGH, LOW, CLOSE, window, 2.0)
    same(found.line, lines)
    same(found.direction, ways)
    assert len(set(ways[window:])) == 2


@WINDOWS
def test_where_a_value_stands_in_its_range(window):
    high, low = rolling(max, window, HIGH), rolling(min, window, LOW)
    raw = [100 * (c - b) / (a - b) for a, b, c in zip(high, low, CLOSE, strict=True)]
    same(ta.williams_r(HIGH, LOW, CLOSE, window), [r - 100 for r in raw])
    k = rolling(mean, 3, raw)
    d = rolling(mean, 4, k)
    found = ta.stoch(HIGH, LOW, CLOSE, window, 3, 4)
    same(found.d, d)
    same(found.k, [a + 0 * b for a, b in zip(k, d, strict=True)])
    strength = ta.rsi(CLOSE, 7).tolist()
    high, low = rolling(max, window, strength), rolling(min, window, strength)
    k = rolling(mean, 2, [100 * (c - b) / (a - b) for a, b, c in zip(high, low, strength, strict=True)])
    same(ta.stochrsi(CLOSE, 7, window, 2, 5).d, rolling(mean, 5, k), 1e-9)


@WINDOWS
def test_cci(window):
    def deviations(values):
        middle = mean(values)
        return (values[-1] - middle) / (0.015 * mean([abs(v - middle) for v in values]))

    same(ta.cci(HIGH, LOW, CLOSE, window), rolling(deviations, window, TYPICAL), 1e-9)


@WINDOWS
def test_adx(window):
    up, down, reach = [NAN], [NAN], true_range()
    for row in range(1, ROWS):
        above, below = HIGH[row] - HIGH[row - 1], LOW[row - 1] - LOW[row]
        up.append(above if above > below and above > 0 else 0.0)
        down.append(below if below > above and below > 0 else 0.0)
    totals, lines = [], [[NAN] * ROWS, [NAN] * ROWS]
    for values in (up, down, reach):  # Wilder's sums: the first of window - 1 rows
        total, held = sum(values[1:window]), [NAN] * window
        for row in range(window, ROWS):
            total = total - total / window + values[row]
            held.append(total)
        totals.append(held)
    for row in range(window, ROWS):
        for line, total in zip(lines, totals[:2], strict=True):
            line[row] = 100 * total[row] / totals[2][row]
    index = [100 * abs(a - b) / (a + b) for a, b in zip(*lines, strict=True)]
    found = ta.adx(HIGH, LOW, CLOSE, window)
    same(found.adx, average(index, window, 1 / window), 1e-9)
    same(found.plus_di, lines[0])
    same(found.minus_di, lines[1])


@WINDOWS
def test_volume(window):
    turnover = [t * v for t, v in zip(TYPICAL, VOLUME, strict=True)]
    same(ta.vwap(HIGH, LOW, CLOSE, VOLUME, window), rolling(lambda a, b: sum(a) / sum(b), window, turnover, VOLUME))
    rose, fell = [NAN], [NAN]
    for row in range(1, ROWS):
        rose.append(turnover[row] if TYPICAL[row] > TYPICAL[row - 1] else 0.0)
        fell.append(turnover[row] if TYPICAL[row] < TYPICAL[row - 1] else 0.0)
    want = rolling(lambda a, b: 100 * sum(a) / (sum(a) + sum(b)), window, rose, fell)
    same(ta.mfi(HIGH, LOW, CLOSE, VOLUME, window), want)
    idle = ta.vwap(HIGH, LOW, CLOSE, np.r_[VOLUME[:100], np.zeros(200)], window)
    assert np.isnan(idle[100 + window :]).all() and not np.isnan(idle[window:100]).any()


def test_ichimoku():
    def middle(window):
        high, low = rolling(max, window, HIGH), rolling(min, window, LOW)
        return [(a + b) / 2 for a, b in zip(high, low, strict=True)]

    found = ta.ichimoku(HIGH, LOW, 5, 13, 26, 7)
    conversion, base, span = middle(5), middle(13), middle(26)
    same(found.conversion, conversion)
    same(found.base, base)
    same(found.span_a, [NAN] * 7 + [(a + b) / 2 for a, b in zip(conversion, base, strict=True)][:-7])
    same(found.span_b, [NAN] * 7 + span[:-7])


@pytest.mark.parametrize("window", [1, 2, 3, 20, 101, 256])
def test_order_statistics(window):
    coarse = np.round(CLOSE).tolist()  # many ties
    for values in (CLOSE, coarse):
        assert np.array_equal(ta.rolling_median(values, window), rolling(statistics.median, window, values), True)

        def rank(part):
            return sum(v < part[-1] for v in part) + (sum(v == part[-1] for v in part) + 1) / 2

        assert np.array_equal(ta.rolling_rank(values, window), rolling(rank, window, values), True)


@pytest.mark.parametrize("window", [2, 3, 9])
def test_order_statistics_with_holes(window):
    holed = [NAN if row % 17 in (3, 4) or row in (0, 299) else value for row, value in enumerate(CLOSE)]
    assert np.array_equal(ta.rolling_median(holed, window), rolling(statistics.median, window, holed), True)
    got = ta.rolling_rank(holed, window)
    assert np.array_equal(np.isnan(got), np.isnan(ta.rolling_median(holed, window)))


@pytest.mark.parametrize("window", [3, 20, 64, 299])
def test_regressions(window):
    rows = list(range(window))
    same(ta.linreg_slope(CLOSE, window), rolling(lambda y: slope(rows, y), window, CLOSE), 1e-9)
    far = [1e9 + value for value in CLOSE]
    same(ta.linreg_slope(far, window), rolling(lambda y: slope(rows, y), window, CLOSE), 1e-6)
    same(ta.beta(CLOSE, MARKET, window), rolling(slope, window, changes(MARKET), changes(CLOSE)), 1e-9)
    before, step = [NAN, *CLOSE[:-1]], [NAN, *np.diff(CLOSE).tolist()]
    rates = rolling(slope, window, before, step)
    got = ta.half_life(CLOSE, window)
    assert np.array_equal(np.isinf(got), np.array(rates) >= 0)
    falling = np.array(rates) < 0
    assert np.allclose(got[falling], -math.log(2) / np.array(rates)[falling], rtol=1e-8)


def test_half_life_of_a_decay_is_its_own():
    decay = 5 + 3 * 0.9 ** np.arange(50.0)  # each row 10 % nearer to 5: rate -0.1
    assert np.allclose(ta.half_life(decay, 10)[10:], math.log(2) / 0.1, rtol=1e-9)
    assert np.isinf(ta.half_life(1.1 ** np.arange(50.0), 10)[10:]).all()
    assert np.isnan(ta.half_life(np.full(50, 2.0), 10)).all()


@WINDOWS
def test_volatility_of_bars(window):
    span = [math.log(h / low) ** 2 for h, low in zip(HIGH, LOW, strict=True)]
    want = rolling(lambda part: math.sqrt(252 * mean(part) / (4 * math.log(2))), window, span)
    same(ta.parkinson(HIGH, LOW, window), want)
    body = [math.log(c / o) ** 2 for c, o in zip(CLOSE, OPEN, strict=True)]
    each = [0.5 * s - (2 * math.log(2) - 1) * b for s, b in zip(span, body, strict=True)]
    same(
        ta.garman_klass(OPEN, HIGH, LOW, CLOSE, window), rolling(lambda part: math.sqrt(252 * mean(part)), window, each)
    )
    hourly = ta.garman_klass(OPEN, HIGH, LOW, CLOSE, window, periods_per_year=252 * 6.5)
    same(hourly, (ta.garman_klass(OPEN, HIGH, LOW, CLOSE, window) * math.sqrt(6.5)).tolist())


@pytest.mark.parametrize(("window", "scales"), [(8, 2), (40, 3), (100, 5), (256, 8)])
def test_hurst(window, scales):
    def exponent(prices):
        logs = [math.log(price) for price in prices]
        lags = [2**j for j in range(scales)]
        spread = [statistics.pstdev([b - a for a, b in zip(logs, logs[lag:], strict=False)]) for lag in lags]
        return slope([math.log(lag) for lag in lags], [math.log(one) for one in spread])

    same(ta.hurst(CLOSE, window, scales), rolling(exponent, window, CLOSE), 1e-9)


def test_hurst_knows_a_random_walk_a_trend_and_a_reversal():
    noise = np.random.default_rng(5).normal(0, 0.01, 6_000)
    walk, back = np.exp(np.cumsum(noise)), np.exp(noise)
    persistent = np.exp(np.cumsum(np.convolve(noise, np.ones(64), "valid")))
    assert abs(np.nanmean(ta.hurst(walk, 1_000)) - 0.5) < 0.03
    assert abs(np.nanmean(ta.hurst(back, 1_000))) < 0.03
    assert np.nanmean(ta.hurst(persistent, 1_000)) > 0.9
    assert np.isnan(ta.hurst(np.full(200, 3.0))).all()


def test_obv_leaves_out_what_is_not_known():
    close, volume = [1.0, 2.0, NAN, 3.0, 2.0, 5.0], [10.0, 5.0, 4.0, 3.0, 2.0, NAN]
    assert np.array_equal(ta.obv(close, volume), [10.0, 15.0, NAN, NAN, 13.0, NAN], equal_nan=True)
