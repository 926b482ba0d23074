"""Sessions: given, from a table, from exchange-calendars, and what they make of bars."""

import sys

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.clock import as_ns

DAY_NS = 86_400 * 10**9
HOUR_NS = 3600 * 10**9


def days(*spans):
    opens, closes = zip(*spans, strict=True)
    return nt.Sessions(np.array(opens) * HOUR_NS, np.array(closes) * HOUR_NS)


def test_codes_of_bars():
    sessions = days((2, 4), (6, 8))
    ends = np.arange(1, 11) * HOUR_NS
    # Sessions 0 and 1, their first bars + 1, the bars of their closes + 2.
    assert sessions.codes(ends).tolist() == [-1, -1, 1, 2, -1, -1, 5, 6, -1, -1]
    half = np.arange(1, 21) * (HOUR_NS // 2)
    assert sessions.codes(half).tolist() == [-1] * 4 + [1, 0, 0, 2] + [-1] * 4 + [5, 4, 4, 6] + [-1] * 4


def test_daily_bars_meet_their_session():
    sessions = days((14, 21), (38, 45), (110, 117))
    ends = np.array([1, 2, 3, 4, 5, 6]) * DAY_NS
    assert sessions.codes(ends).tolist() == [3, 7, -1, -1, 11, -1]
    assert sessions.codes(ends[:1]).tolist() == [-1]  # one bar alone says nothing of its length


def test_a_close_between_two_bars_is_in_the_bar_that_holds_it():
    sessions = nt.Sessions([HOUR_NS], [2 * HOUR_NS + 1])
    assert sessions.codes(np.arange(1, 5) * HOUR_NS).tolist() == [-1, 1, 2, -1]


def test_is_open():
    assert days((2, 4)).is_open(np.array([2, 3, 4, 5]) * HOUR_NS).tolist() == [False, True, True, False]
    assert nt.Sessions(np.zeros(0, np.int64), np.zeros(0, np.int64)).is_open([5]).tolist() == [False]


@pytest.mark.parametrize(
    ("opens", "closes", "message"),
    [
        ([1, 2], [3], r"Sessions: close_ns must have 2 rows, had 1"),
        ([5], [5], r"Sessions: row 0 must close after it opens, did from 1970-01-01T00:00:00.000000005Z"),
        ([1, 4], [5, 9], r"Sessions: row 1 must open after row 0 closes"),
        ([4, 1], [5, 2], r"Sessions: open_ns must ascend, row 1 was 1 after 4"),
        ("x", [1], r"Sessions: open_ns"),
        ([1], None, r"Sessions: close_ns"),
    ],
)
def test_wrong_sessions(opens, closes, message):
    with pytest.raises(nt.InputError, match=message):
        nt.Sessions(opens, closes)


def test_from_a_table():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {"open": pandas.to_datetime(["2024-03-01T14:30Z"]), "close": pandas.to_datetime(["2024-03-01T21:00Z"])}
    )
    found = nt.Sessions.from_frame(frame)
    assert (found.open_ns.tolist(), found.close_ns.tolist()) == (
        [as_ns("2024-03-01T14:30Z")],
        [as_ns("2024-03-01T21:00Z")],
    )
    with pytest.raises(nt.InputError, match="the table has no column 'opens'"):
        nt.Sessions.from_frame(frame, open="opens")


def test_the_calendar_of_new_york():
    pytest.importorskip("exchange_calendars")
    found = nt.Sessions.of("XNYS", "2024-07-01", "2024-07-08")
    assert found.is_open(
        ["2024-07-03T16:59Z", "2024-07-03T17:01Z", "2024-07-04T15:00Z", "2024-07-05T15:00Z"]
    ).tolist() == [
        True,
        False,  # closed at 13:00 before the holiday
        False,
        True,
    ]
    with pytest.raises(nt.InputError, match="was 'XNYSE'; did you mean 'XNYS'"):
        nt.Sessions.of("XNYSE", "2024-07-01", "2024-07-08")
    with pytest.raises(nt.InputError, match="start, end must ascend"):
        nt.Sessions.of("XNYS", "2024-07-08", "2024-07-01")


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "exchange_calendars", None)
    with pytest.raises(nt.DependencyMissing, match="calendars need exchange-calendars"):
        nt.Sessions.of("XNYS", "2024-07-01", "2024-07-08")


def bars(count=10):
    prices = np.full(count, 100.0)
    return nt.Bars("A", np.arange(1, count + 1) * HOUR_NS, prices, prices, prices, prices, np.full(count, 1e6))


class Buys(nt.Strategy):
    def on_bar(self, ctx):
        ctx.buy(quantity=1)


def test_an_instruments_calendar_reaches_the_run(tmp_path):
    instrument = nt.Instrument(calendar=days((2, 4), (6, 8)))
    result = nt.backtest(bars(), Buys, instruments=instrument)
    assert result.orders["status"].tolist().count("denied") == 6
    assert set(result.denials["reason"].tolist()) == {"session_closed"}
    assert result.fills["bar"].tolist() == [3, 6, 7]
    assert result.settings["instruments"]["A"]["calendar"] == "<Sessions sessions: 2>"
    result.save(tmp_path / "run")
    assert nt.Result.load(tmp_path / "run").settings == result.settings


def test_a_name_is_looked_up_for_the_bars():
    pytest.importorskip("exchange_calendars")
    data = nt.datasets.load("AAPL")[-300:]
    always, listed = (nt.backtest(data, Buys, instruments=nt.Instrument(calendar=name)) for name in (None, "XNYS"))
    assert listed.digest == always.digest  # daily bars are all in session
    assert listed.settings["instruments"]["AAPL"]["calendar"] == "XNYS"
    with pytest.raises(nt.InputError, match=r"calendar must be one of exchange-calendars, was 'XNYY'; did you mean"):
        nt.backtest(data, Buys, instruments=nt.Instrument(calendar="XNYY"))


@pytest.mark.parametrize("wrong", ["", 3, [1, 2]])
def test_a_calendar_is_a_name_or_sessions(wrong):
    with pytest.raises(nt.InputError, match=r"Instrument: calendar must be None, a name such as 'XNYS' or nt.Sessions"):
        nt.Instrument(calendar=wrong)
