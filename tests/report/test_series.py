"""Shortening keeps extremes; packing keeps bytes; calendars keep dates."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from neuraltrade.report.page import render_page
from neuraltrade.report.periods import deepest_drawdowns, monthly_returns, rolling_risk
from neuraltrade.report.series import candles, dates_only, extremes, milliseconds, packed, stamp

DAY = 86_400_000_000_000


@pytest.mark.parametrize("count", [1, 2, 399, 400, 401, 1_000, 12_345])
def test_extremes_keep_both_ends_and_every_bucket_low_and_high(count):
    values = np.random.default_rng(count).normal(size=count)
    rows = extremes(values, 200)
    assert len(rows) <= 404 and rows[0] == 0 and rows[-1] == count - 1
    assert (np.diff(rows) > 0).all()
    assert values[rows].min() == values.min() and values[rows].max() == values.max()
    size = 1 if count <= 400 else -(-count // 200)
    for start in range(0, count, size):
        part = values[start : start + size]
        kept = rows[(rows >= start) & (rows < start + size)]
        assert values[kept].min() == part.min() and values[kept].max() == part.max()


def test_extremes_leave_out_what_is_not_finite():
    values = np.array([np.nan, 1.0, np.inf, 2.0, np.nan])
    assert extremes(values, 100).tolist() == [1, 3]
    assert extremes(np.full(3, np.nan), 100).tolist() == []


@pytest.mark.parametrize("count", [1, 10, 11, 1_003])
def test_candles_are_the_bars_they_join(count):
    rng = np.random.default_rng(count)
    low, span = rng.normal(size=count), rng.random(count)
    columns = (np.arange(count), low + span / 2, low + span, low, low + span / 3)
    joined, size = candles(columns, 10)
    assert len(joined[0]) <= 10 and size == -(-count // 10)
    for i, start in enumerate(range(0, count, size)):
        part = [column[start : start + size] for column in columns]
        expected = (part[0][-1], part[1][0], part[2].max(), part[3].min(), part[4][-1])
        assert tuple(column[i] for column in joined) == expected


def test_packed_bytes():
    block = packed(np.array([1.5, -2.0]), "<f4")
    assert block["type"] == "f4"
    assert np.frombuffer(base64.b64decode(block["data"]), "<f4").tolist() == [1.5, -2.0]


def test_the_end_of_a_day_stays_on_its_day():
    end_of_day = np.array([DAY - 1, 2 * DAY - 1])
    assert milliseconds(end_of_day, days=True).tolist() == [0.0, 86_400_000.0]
    assert milliseconds(end_of_day, days=False).tolist() == [86_399_999.0, 172_799_999.0]
    assert stamp(DAY - 1, days=True) == "1970-01-01" and stamp(DAY - 1, days=False) == "1970-01-01 23:59"
    assert dates_only(np.arange(5) * DAY) and not dates_only(np.arange(5) * 3_600_000_000_000)


def test_monthly_returns_chain_to_the_whole():
    ts_ns = (
        np.arange(np.datetime64("2019-11-20"), np.datetime64("2021-02-03")).astype("datetime64[ns]").astype(np.int64)
    )
    equity = 100.0 * np.exp(np.cumsum(np.random.default_rng(0).normal(0, 0.01, len(ts_ns))))
    years = monthly_returns(ts_ns, equity, 100.0)
    assert [year.year for year in years] == [2019, 2020, 2021]
    assert [sum(month is not None for month in year.months) for year in years] == [2, 12, 2]
    months = [1.0 + month for year in years for month in year.months if month is not None]
    assert np.prod(months) == pytest.approx(equity[-1] / 100.0)
    assert np.prod([1.0 + year.total for year in years]) == pytest.approx(equity[-1] / 100.0)
    end_of_2019 = equity[ts_ns <= np.datetime64("2020-01-01", "ns").astype(np.int64)][-1]
    # a bar that ends at midnight closes the day before
    assert years[0].total == pytest.approx(end_of_2019 / 100.0 - 1.0)


def test_a_month_that_began_with_nothing_has_no_return(run):
    ruined = run(count=90, trade_count=0, equity=np.where(np.arange(90) < 20, 1.0, 0.0))
    months = monthly_returns(ruined.ts_ns, ruined.equity, 1.0)[0].months
    assert -1.0 in months and any(month is not None and np.isnan(month) for month in months)
    assert "<td>-</td>" in render_page(ruined)


def test_rolling_risk_equals_its_definition():
    equity = 100.0 * np.exp(np.cumsum(np.random.default_rng(2).normal(0.001, 0.01, 1_000)))
    equity[400:480] = equity[400]  # long enough for a window in which nothing varies
    returns = equity[1:] / equity[:-1] - 1.0
    window, volatility, sharpe = rolling_risk(equity, 100.0)
    assert window == 50 and len(volatility) == len(sharpe) == 1_000
    assert np.isnan(volatility[:50]).all() and np.isnan(sharpe[:50]).all()
    for i in (50, 51, 300, 420, 700, 999):
        part = returns[i - 50 : i]
        assert volatility[i] == pytest.approx(part.std(ddof=1) * 10.0, rel=1e-9)
        assert sharpe[i] == pytest.approx(part.mean() / part.std(ddof=1) * 10.0, rel=1e-9)
    assert volatility[470] == 0.0 and np.isnan(sharpe[470])
    for little in (equity[:100], equity * -1.0):
        assert rolling_risk(little, 100.0)[0] == 0
    assert rolling_risk(equity, float("nan"))[0] == 0


def test_deepest_drawdowns_by_hand():
    equity = np.array([90.0, 100.0, 80.0, 100.0, 120.0, 60.0, 90.0])
    falls = deepest_drawdowns(np.arange(7) * DAY, equity, 100.0, days=True)
    assert [(round(fall.depth, 9), fall.peak, fall.lowest, fall.regained, fall.bars) for fall in falls] == [
        (-0.5, "1970-01-05", "1970-01-06", None, 2),
        (-0.2, "1970-01-02", "1970-01-03", "1970-01-04", 2),
        (-0.1, "1970-01-01", "1970-01-01", "1970-01-02", 2),
    ]
    assert deepest_drawdowns(np.arange(3) * DAY, np.full(3, 5.0), 5.0, days=True) == []
