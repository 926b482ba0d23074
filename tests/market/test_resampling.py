"""Resampling: buckets are (start, end], stamped at their end, and never known early."""

from __future__ import annotations

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.market.resampling import parse_rule

MINUTE = 60 * 10**9
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def minutes(count, first=1, seed=1):
    rng = np.random.default_rng(seed)
    close = 100 + np.cumsum(rng.normal(0, 0.1, count))
    spread = rng.uniform(0.01, 0.2, count)
    stamps = (np.arange(count) + first) * MINUTE
    volume = rng.integers(0, 9, count)
    return nt.Bars("X", stamps, close - spread / 2, close + spread, close - spread, close, volume)


def test_sixty_minutes_make_an_hour():
    bars = minutes(120)
    hours = bars.resample("1h")
    assert hours.ts_ns.tolist() == [HOUR, 2 * HOUR]
    assert hours.open.tolist() == [bars.open[0], bars.open[60]]
    assert hours.high.tolist() == [bars.high[:60].max(), bars.high[60:].max()]
    assert hours.low.tolist() == [bars.low[:60].min(), bars.low[60:].min()]
    assert hours.close.tolist() == [bars.close[59], bars.close[119]]
    assert hours.volume.tolist() == [bars.volume[:60].sum(), bars.volume[60:].sum()]


def test_against_pandas():
    bars = minutes(5_000, first=17)
    frame = bars.to_frame()
    want = frame.resample("15min", closed="right", label="right").agg(
        {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    )
    got = bars.resample("15min")
    assert got.ts_ns.tolist() == want.index.as_unit("ns").asi8.tolist()
    for name in ("open", "high", "low", "close", "volume"):
        assert np.array_equal(getattr(got, name), want[name].to_numpy())


def test_empty_buckets_give_no_bar():
    bars = minutes(180)
    gap = np.r_[0:50, 130:180]
    sparse = nt.Bars("X", *(column[gap] for column in bars.columns()))
    assert sparse.resample("1h").ts_ns.tolist() == [HOUR, 3 * HOUR]


def test_later_bars_change_no_complete_bucket():
    bars = minutes(1_000)
    for stop in (119, 120, 121, 777):
        part, whole = bars[:stop].resample("1h"), bars.resample("1h")
        complete = int((part.ts_ns <= bars.ts_ns[stop - 1]).sum())
        assert complete == stop // 60
        assert part[:complete] == whole[:complete]


def test_weeks_start_on_monday_and_months_by_calendar():
    google = nt.datasets.load("GOOG")
    weeks, months = google.resample("1w"), google.resample("1mo")
    assert weeks[0].ts_ns == int(np.datetime64("2004-08-23", "ns").astype(np.int64))  # the Monday after Thursday 19th
    assert months[0].ts_ns == int(np.datetime64("2004-09-01", "ns").astype(np.int64))
    assert weeks.volume.sum() == months.volume.sum() == google.volume.sum()
    assert months.between("2004-08-31", "2005-08-30").resample("3mo").volume.sum() == months[:12].volume.sum()


def test_a_day_of_hours_ends_at_midnight():
    assert minutes(3 * 1440).resample("1d").ts_ns.tolist() == [DAY, 2 * DAY, 3 * DAY]


RULES = {"5min": (5, "min"), "1h": (1, "h"), "H": (1, "h"), "15m": (15, "min"), "w": (1, "w"), "1mo": (1, "mo")}


@pytest.mark.parametrize(("text", "want"), RULES.items())
def test_rules(text, want):
    assert parse_rule(text) == want


@pytest.mark.parametrize("rule", ["", "0h", "-1h", "1y", "1M", "h1", None, 60, "1.5h", "9999999h"])
def test_wrong_rules(rule):
    with pytest.raises(nt.InputError, match="rule must"):
        minutes(120).resample(rule)


def test_a_rule_finer_than_the_bars_is_refused():
    with pytest.raises(nt.InputError, match="rule '30s' is finer than the bars, which are 60 s apart"):
        minutes(120).resample("30s")


def test_one_bar():
    assert minutes(1).resample("1h").ts_ns.tolist() == [HOUR]
