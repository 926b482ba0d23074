"""Frames in and out: pandas, polars, pyarrow, files; names in any case; stamps; dates."""

from __future__ import annotations

import numpy as np
import pytest

import neuraltrade as nt

pa = pytest.importorskip("pyarrow")
pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")

DAY = 86_400_000_000_000
MINUTE = 60 * 10**9
VALUES = {
    "Open": [1.0, 2.0, 3.0],
    "High": [2.0, 3.0, 4.0],
    "Low": [1.0, 2.0, 3.0],
    "Close": [2.0, 3.0, 4.0],
    "Volume": [5, 6, 7],
}
MINUTES = pd.DatetimeIndex(["2024-01-02 10:00", "2024-01-02 10:01", "2024-01-02 10:02"])
DATES = pd.DatetimeIndex(["2024-01-02", "2024-01-03", "2024-01-05"])


def frame(index=None, **extra):
    return pd.DataFrame({**VALUES, **extra}, index=index)


def read(df, **options):
    return nt.Bars.from_frame(df, symbol="X", **options)


def ns(text):
    return int(np.datetime64(text, "ns").astype(np.int64))


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
@pytest.mark.parametrize("make", [lambda: nt.datasets.load("GOOG"), lambda: nt.datasets.load("IBM").resample("1w")])
def test_round_trip(library, make):
    bars = make()
    assert nt.Bars.from_frame(bars.to_frame(library), symbol=bars.symbol) == bars


def test_bars_speak_the_arrow_protocol():
    bars = nt.datasets.load("GOOG")
    assert read(pa.table(bars)).close.tolist() == read(bars).close.tolist() == bars.close.tolist()
    assert pl.DataFrame(bars).shape == (2148, 6)


@pytest.mark.parametrize("name", [None, "Date", "Datetime", "whatever"])
def test_the_pandas_index_is_the_time(name):
    index = MINUTES.rename(name)
    assert read(frame(index)).ts_ns.tolist() == [ns("2024-01-02T10:00") + k * MINUTE for k in range(3)]


def test_from_frame_leaves_the_frame_alone():
    df = frame(MINUTES)
    before = df.copy()
    read(df)
    pd.testing.assert_frame_equal(df, before)


def test_start_stamps_move_by_one_bar():
    assert read(frame(MINUTES), stamp="start").ts_ns[0] == ns("2024-01-02T10:01")
    gap = MINUTES[:2].append(MINUTES[2:] + pd.Timedelta("1h"))
    assert read(frame(gap), stamp="start").ts_ns[-1] == ns("2024-01-02T11:03")


@pytest.mark.parametrize("stamp", ["start", "end"])
@pytest.mark.parametrize("zone", [None, "UTC"])
def test_midnights_are_dates(stamp, zone):
    got = read(frame(DATES.tz_localize(zone)), stamp=stamp).ts_ns
    assert got.tolist() == [ns("2024-01-03") - 1, ns("2024-01-04") - 1, ns("2024-01-06") - 1]


def test_midnights_of_a_zone_end_with_its_day():
    new_york = pd.DatetimeIndex(["2024-03-08", "2024-03-10", "2024-03-11"]).tz_localize("America/New_York")
    got = read(frame(new_york)).ts_ns  # clocks went forward on the 10th
    assert got.tolist() == [ns("2024-03-09T05:00") - 1, ns("2024-03-11T04:00") - 1, ns("2024-03-12T04:00") - 1]


def test_ts_ns_is_taken_exactly():
    stamps = [0, DAY, 2 * DAY]
    assert read(frame(ts_ns=stamps)).ts_ns.tolist() == stamps
    assert read(frame(ts_ns=pd.to_datetime(stamps))).ts_ns.tolist() == stamps


@pytest.mark.parametrize("name", ["timestamp", "Datetime", "DATE", "Time"])
def test_time_columns_match_in_any_case(name):
    assert read(frame(**{name: MINUTES})).ts_ns[0] == ns("2024-01-02T10:00")


def test_text_and_date_columns():
    want = [ns("2024-01-03") - 1, ns("2024-01-04") - 1, ns("2024-01-06") - 1]
    texts = ["2024-01-02", "2024-01-03", "2024-01-05"]
    assert read(frame(date=texts)).ts_ns.tolist() == want
    assert read(frame(date=texts), stamp="start").ts_ns.tolist() == want
    assert read(frame(date=pd.Categorical(texts))).ts_ns.tolist() == want
    assert (
        read(pl.DataFrame({**VALUES, "date": texts}).with_columns(pl.col("date").str.to_date())).ts_ns.tolist() == want
    )
    assert read(pl.DataFrame({**VALUES, "date": texts})).ts_ns.tolist() == want


def test_other_columns_are_ignored():
    assert read(frame(MINUTES, **{"Adj Close": [9.0] * 3, "Dividends": [0] * 3})).close.tolist() == VALUES["Close"]


@pytest.mark.parametrize(
    ("df", "message"),
    [
        (5, "df must have __arrow_c_stream__"),
        (None, "df must have __arrow_c_stream__ .*, was NoneType"),
        ({"open": [1]}, "was dict"),
        (frame(MINUTES).drop(columns="Close"), "df lacks the columns close; it has timestamp, Open"),
        (frame(MINUTES).drop(columns="Volume"), "add a column of zeros"),
        (frame(), "df has no time"),
        (frame(MINUTES, close=[1.0] * 3), "df has two columns for 'close': 'Close' and 'close'"),
        (frame(date=DATES, time=["10:00"] * 3), "both 'date' and 'time'"),
        (frame(timestamp=[1, 2, 3]), "integer times must be nanoseconds"),
        (frame(timestamp=[1.5, 2.5, 3.5]), "column 'timestamp' must hold times, has type double"),
        (frame(timestamp=["a", "b", "c"]), "column 'timestamp' row 0"),
        (frame(timestamp=[MINUTES[0], None, MINUTES[2]]), "column 'timestamp' row 1: the time is missing"),
        (frame(MINUTES).assign(Close=["a", "b", "c"]), "column 'Close' must hold numbers"),
        (frame(MINUTES).assign(Close=[2.0, None, 4.0]), "close row 1: nan"),
        (frame(MINUTES[::-1]), "ts_ns row 1: .* is earlier"),
        (frame(MINUTES[::-1]).iloc[:0], "empty"),
        (frame(MINUTES).assign(x=1).set_index("x", append=True), "index of 2 levels"),
        (pd.concat([frame(MINUTES), frame(MINUTES)], axis=1), "repeated column names"),
    ],
)
def test_wrong_frames(df, message):
    with pytest.raises(nt.InputError, match=message):
        read(df)


def test_wrong_stamp_and_library():
    with pytest.raises(nt.InputError, match="stamp must be 'start' or 'end', was 'middle'"):
        read(frame(MINUTES), stamp="middle")
    with pytest.raises(nt.InputError, match="needs two rows"):
        read(frame(MINUTES)[:1], stamp="start")
    with pytest.raises(nt.InputError, match="library must be"):
        nt.datasets.load("GOOG").to_frame("dask")


def test_read_parquet_and_csv(tmp_path):
    bars = nt.datasets.load("AAPL")
    bars.to_frame("polars").write_parquet(tmp_path / "a.parquet")
    assert nt.Bars.read(tmp_path / "a.parquet", symbol="AAPL") == bars
    bars.to_frame("polars").with_columns(pl.col("ts_ns").cast(pl.Int64)).write_csv(tmp_path / "a.CSV")
    assert nt.Bars.read(str(tmp_path / "a.CSV"), symbol="AAPL") == bars


def test_read_refuses_what_is_not_there_or_not_whole(tmp_path):
    whole = tmp_path / "whole.parquet"
    nt.datasets.load("AAPL").to_frame("polars").write_parquet(whole)
    (tmp_path / "cut.parquet").write_bytes(whole.read_bytes()[:-100])
    (tmp_path / "foreign.parquet").write_text("hello")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "folder.csv").mkdir()
    cases = {
        "cut.parquet": "cannot be read as parquet",
        "foreign.parquet": "cannot be read as parquet",
        "empty.csv": "cannot be read as csv",
        "folder.csv": "no such file",
        "missing.csv": "no such file",
        "a.xlsx": "must end in .parquet or .csv",
    }
    for name, message in cases.items():
        with pytest.raises(nt.InputError, match=message):
            nt.Bars.read(tmp_path / name, symbol="X")
    with pytest.raises(nt.InputError, match="path must be a str or Path, was int"):
        nt.Bars.read(5, symbol="X")


def test_a_missing_library_is_named(monkeypatch):
    import sys

    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "pandas", None)
        with pytest.raises(nt.DependencyMissing, match="to_frame\\('pandas'\\) needs pandas"):
            nt.datasets.load("GOOG").to_frame()
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "pyarrow", None)
        patch.delitem(sys.modules, "neuraltrade.market.frames", raising=False)
        patch.delattr("neuraltrade.market.frames", raising=False)
        with pytest.raises(nt.DependencyMissing, match="frames need pyarrow: pip install 'neuraltrade\\[frames\\]'"):
            nt.datasets.load("GOOG").to_frame("polars")
    assert nt.datasets.load("GOOG").to_frame("polars").height == 2148
