"""Months, falls and rolling risk of a curve against walks along it in plain Python."""

from __future__ import annotations

import datetime
import math

import numpy as np
import pytest

from neuraltrade.core import curves

DAY = 86_400_000_000_000


def ends_of(first, last, dtype="datetime64[D]"):
    return np.arange(np.datetime64(first), np.datetime64(last), dtype=dtype).astype("datetime64[ns]").astype(np.int64)


def slow_monthly(ts_ns, equity, start):
    """{(year, month): (opening, closing)}: walk the bars; midnight belongs to the day before."""
    months, before = {}, start
    for ts, value in zip(ts_ns.tolist(), equity.tolist(), strict=True):
        when = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=(ts - 1) // 1000)
        opening = months.get((when.year, when.month), (before, None))[0]
        months[when.year, when.month] = (opening, value)
        before = value
    return months


def slow_drawdowns(equity, start):
    """[(depth, peak, valley, recovery or -1)] in order of time."""
    falls, peak, peak_bar, valley = [], start, -1, None
    for bar, value in enumerate(equity):
        if value >= peak:
            if valley is not None:
                falls.append((equity[valley] / peak - 1.0, peak_bar, valley, bar))
            peak, peak_bar, valley = value, bar, None
        elif valley is None or value < equity[valley]:
            valley = bar
    if valley is not None:
        falls.append((equity[valley] / peak - 1.0, peak_bar, valley, -1))
    return falls


def slow_rolling(equity, window, metric, periods, target, other):  # noqa: PLR0911  (one per definition)
    part, theirs = np.asarray(equity), None if other is None else np.asarray(other)
    returns = part[1:] / part[:-1] - 1.0
    if metric == "total_return":
        return part[-1] / part[0] - 1.0
    if metric == "volatility":
        return returns.std(ddof=1) * math.sqrt(periods)
    if metric == "sharpe":
        return (returns.mean() - target) / returns.std(ddof=1) * math.sqrt(periods)
    if metric == "sortino":
        short = math.sqrt(np.mean(np.minimum(returns - target, 0) ** 2))
        return (returns.mean() - target) / short * math.sqrt(periods) if short else math.nan
    if metric == "drawdown":
        return part[-1] / part.max() - 1.0
    if metric == "max_drawdown":
        return min(part[j] / part[: j + 1].max() - 1.0 for j in range(len(part)))
    against = theirs[1:] / theirs[:-1] - 1.0
    table = np.cov(returns, against)
    if metric == "beta":
        return table[0, 1] / table[1, 1]
    return table[0, 1] / math.sqrt(table[0, 0] * table[1, 1])


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("hours", [1, 7, 24])
def test_months_equal_a_walk_with_a_calendar(seed, hours):
    rng = np.random.default_rng(seed)
    ts_ns = ends_of("1999-10-30", "2001-03-02", "datetime64[h]")[::hours]
    ts_ns = ts_ns[(rng.random(len(ts_ns)) < 0.9) & ~((ts_ns > ts_ns[900 // hours]) & (ts_ns < ts_ns[3000 // hours]))]
    equity = 100.0 * np.exp(np.cumsum(rng.normal(0, 0.01, len(ts_ns))))
    rows, has = curves.monthly(ts_ns, equity, 90.0)
    expected = slow_monthly(ts_ns, equity, 90.0)
    assert 12 < len(expected) < 17  # months without a bar lie between
    assert rows["year"].tolist() == [1999, 2000, 2001]
    for row, bars in zip(rows, has, strict=True):
        for month in range(12):
            opening, closing = expected.get((int(row["year"]), month + 1), (None, None))
            assert bars[month] == (opening is not None)
            if opening is None:
                assert math.isnan(row["months"][month])
            else:
                assert row["months"][month] == pytest.approx(closing / opening - 1.0, rel=1e-12, abs=1e-15)
    whole = [closing / opening for opening, closing in expected.values()]
    assert math.prod(1.0 + rows["total"]) == pytest.approx(math.prod(whole)) == pytest.approx(equity[-1] / 90.0)


def test_a_bar_that_ends_at_midnight_closes_the_day_before():
    rows, has = curves.monthly(np.array([ends_of("2020-02-01", "2020-02-02")[0]]), np.array([110.0]), 100.0)
    assert (rows["year"][0], has[0].tolist().index(True)) == (2020, 0)
    assert rows["total"][0] == rows["months"][0, 0] == pytest.approx(0.1)
    before_epoch, _ = curves.monthly(np.array([-5 * DAY]), np.array([110.0]), 100.0)
    assert before_epoch["year"][0] == 1969


def test_months_of_a_ruined_run_are_not_defined():
    ts_ns = ends_of("2020-01-31", "2020-05-31")
    rows, has = curves.monthly(ts_ns, np.where(ts_ns < ts_ns[20], 5.0, 0.0), 5.0)
    assert rows["months"][0, :4].tolist()[:2] == [0.0, -1.0] and np.isnan(rows["months"][0, 2:4]).all()
    assert has[0, :5].all() and rows["total"][0] == -1.0


@pytest.mark.parametrize("seed", range(30))
def test_falls_equal_a_walk_along_the_curve(seed):
    rng = np.random.default_rng(seed)
    equity = np.round(100.0 + np.cumsum(rng.integers(-3, 4, 80)), 0)  # whole numbers: ties and exact recoveries
    start = float(rng.integers(95, 106))
    expected = sorted(slow_drawdowns(equity.tolist(), start), key=lambda fall: fall[0])
    ts_ns = 1_000 + DAY * np.arange(80)
    rows = curves.drawdown_periods(ts_ns, equity, start)
    assert len(expected) == len(rows) >= 1
    for row, (depth, peak, valley, recovery) in zip(rows, expected, strict=True):
        assert row["depth"] == pytest.approx(depth, abs=1e-15)
        assert (row["peak_bar"], row["valley_bar"], row["recovery_bar"]) == (peak, valley, recovery)
        assert row["open"] == (recovery == -1)
        last = 79 if recovery == -1 else recovery
        assert row["bars"] == last - peak and row["days"] == last - max(peak, 0)
        assert (row["peak_ts_ns"], row["valley_ts_ns"]) == (ts_ns[max(peak, 0)], ts_ns[valley])
        if recovery == -1:
            assert row["recovery_ts_ns"] == curves.NAT and math.isnan(row["days_to_recover"])
        else:
            assert row["recovery_ts_ns"] == ts_ns[recovery] and row["days_to_recover"] == recovery - valley
    assert curves.drawdown_periods(ts_ns, equity, start, 2)["peak_bar"].tolist() == rows["peak_bar"][:2].tolist()
    assert len(curves.drawdown_periods(ts_ns, equity, start, 0)) == 0


def test_a_curve_that_never_falls_has_no_falls():
    assert len(curves.drawdown_periods(np.arange(5), np.full(5, 7.0), 7.0)) == 0
    one = curves.drawdown_periods(np.array([9]), np.array([6.0]), 7.0)
    assert (one["depth"][0], one["peak_bar"][0], one["bars"][0], one["open"][0]) == (6.0 / 7.0 - 1.0, -1, 1, True)


@pytest.mark.parametrize("metric", curves.ROLLING)
@pytest.mark.parametrize("window", [2, 3, 7, 64, 149])
def test_rolling_equals_its_slow_definition(metric, window):
    rng = np.random.default_rng(window)
    equity, other = (100.0 * np.exp(np.cumsum(rng.normal(0.001, 0.01, 150))) for _ in range(2))
    values = curves.rolling(equity, window, metric, 252.0, 0.0001, other)
    assert len(values) == 150 and np.isnan(values[:window]).all()
    for i in range(window, 150):
        part = slice(i - window, i + 1)
        expected = slow_rolling(equity[part], window, metric, 252.0, 0.0001, other[part])
        if math.isfinite(expected):
            assert values[i] == pytest.approx(expected, rel=1e-9, abs=1e-12), (metric, i)
        else:
            assert math.isnan(values[i])


def test_rolling_over_nothing_varying_and_over_ruin():
    flat = np.full(30, 5.0)
    assert (curves.rolling(flat, 10, "volatility", 252.0)[10:] == 0.0).all()
    for metric in ("sharpe", "sortino", "beta", "correlation"):
        assert np.isnan(curves.rolling(flat, 10, metric, 252.0, 0.0, flat)[10:]).all()
    ruined = np.array([4.0, 3.0, 2.0, 0.0, 1.0, 2.0, 1.0])
    assert curves.rolling(ruined, 2, "max_drawdown", 252.0).tolist()[2:3] == [-0.5]
    assert np.isnan(curves.rolling(ruined, 2, "drawdown", 252.0)[3:6]).all()
    assert curves.rolling(ruined, 2, "drawdown", 252.0)[6] == -0.5
    assert np.isnan(curves.rolling(ruined, 2, "volatility", 252.0)[4:6]).all()  # 0 -> 1 is no return
    assert np.isfinite(curves.rolling(ruined, 2, "volatility", 252.0)[6])  # and it leaves with its window
    assert np.isnan(curves.rolling(np.array([1.0, -1.0, 2.0]), 1, "total_return", 252.0)[2])


def test_a_long_rolling_window_does_not_drift():
    rng = np.random.default_rng(5)
    returns = rng.normal(0, 1e-4, 200_000)
    returns[:1000] *= 1e4  # a running sum would carry the rounding of this beginning to the end
    equity = np.cumprod(1.0 + np.concatenate(([0.0], returns)))
    values = curves.rolling(equity, 5_000, "sharpe", 252.0)
    part = equity[-5_000:] / equity[-5_001:-1] - 1.0
    assert values[-1] == pytest.approx(part.mean() / part.std(ddof=1) * math.sqrt(252.0), rel=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_range_extremes_equal_slices(seed):
    rng = np.random.default_rng(seed)
    low = rng.integers(0, 1000, 200).astype(float)
    high = low + rng.integers(0, 50, 200)
    first = rng.integers(0, 200, 300)
    last = np.minimum(first + rng.integers(-1, 120, 300), 199)
    lowest, highest = curves.range_extremes(low, high, first, last)
    for i in range(300):
        part = slice(first[i], last[i] + 1)
        assert lowest[i] == low[part].min(initial=np.inf) and highest[i] == high[part].max(initial=-np.inf)
    assert np.isinf(lowest).any() and np.isfinite(lowest).any()


def test_range_extremes_of_nothing():
    none = np.zeros(0, np.int64)
    assert all(len(part) == 0 for part in curves.range_extremes(np.ones(3), np.ones(3), none, none))
