"""Bars: what is accepted, what is refused and how, views, equality, round trips."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime

import numpy as np
import pytest

import neuraltrade as nt

DAY = 86_400_000_000_000
GOOD = {
    "ts_ns": [1, 2, 3],
    "open": [10.0, 11.0, 12.0],
    "high": [12.0, 13.0, 14.0],
    "low": [9.0, 10.0, 11.0],
    "close": [11.0, 12.0, 13.0],
    "volume": [1.0, 0.0, 2.5],
}


def bars(**changes):
    return nt.Bars(**{"symbol": "X", **GOOD, **changes})


def test_columns_are_float64_int64_contiguous_and_read_only():
    made = bars(open=np.array([10, 11, 12], dtype=np.int32))
    assert [c.dtype.str for c in made.columns()] == ["<i8"] + ["<f8"] * 5
    for column in made.columns():
        assert column.flags.c_contiguous and not column.flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 1


def test_later_writes_to_the_callers_array_do_not_reach_the_bars():
    close = np.array(GOOD["close"])
    whole = np.array([11.0, 0, 12.0, 0, 13.0, 0])
    made, strided = bars(close=close), bars(close=whole[::2])
    close[:] = 1.0
    whole[:] = 1.0
    assert made.close.tolist() == strided.close.tolist() == [11.0, 12.0, 13.0]


def test_a_read_only_view_of_a_writable_array_is_copied():
    base = np.array(GOOD["close"])
    view = base[:]
    view.flags.writeable = False
    made = bars(close=view)
    base[:] = 1.0
    assert made.close.tolist() == [11.0, 12.0, 13.0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ts_ns": [1, 3, 2]}, "ts_ns row 2: .* is earlier than row 1"),
        ({"ts_ns": [1, 2, 2]}, "ts_ns row 2: .* repeats row 1"),
        ({"ts_ns": [[1, 2, 3]]}, "ts_ns must have one dimension"),
        ({"ts_ns": [1.0, 2.0, 3.0]}, "ts_ns must hold int64 nanoseconds, datetimes or ISO strings, has dtype float64"),
        ({"ts_ns": [True, False, True]}, "ts_ns must hold int64"),
        ({"ts_ns": ["2024-01-01", "yesterday", "2024-01-03"]}, "ts_ns row 1"),
        ({"ts_ns": np.array([1, 2, 2**63 + 5], dtype=np.uint64)}, "ts_ns row 2: 9223372036854775813 is beyond int64"),
        ({"ts_ns": np.array(["2024-01-01", "NaT", "2024-01-03"], "M8[D]")}, "ts_ns row 1: not a time"),
        ({"ts_ns": np.array(["2024-01-01", "2024-01-02", "3000-01-01"], "M8[s]")}, "ts_ns row 2: the year 3000"),
        ({"ts_ns": [1, 2]}, "open has 3 rows, ts_ns has 2"),
        ({"volume": [1.0, 2.0]}, "volume has 2 rows, ts_ns has 3"),
        ({"open": [10.0, np.nan, 12.0]}, "open row 1: nan is not a price"),
        ({"high": [12.0, 13.0, np.inf]}, "high row 2: inf is not a price"),
        ({"low": [9.0, -np.inf, 11.0]}, "low row 1: -inf is not a price"),
        ({"low": [0.0, 10.0, 11.0]}, "low row 0: 0.0 is not a price"),
        ({"close": [11.0, -12.0, 13.0]}, "close row 1: -12.0 is not a price"),
        ({"high": [12.0, 1e10, 14.0]}, r"high row 1: 10000000000.0 is not a price in 1e-09..9e\+09"),
        ({"low": [9.0, 1e-12, 11.0]}, "low row 1: 1e-12 is not a price"),
        ({"high": [12.0, 11.5, 14.0]}, r"high row 1: 11.5 is below max\(open 11.0, close 12.0, low 10.0\)"),
        ({"high": [9.5, 13.0, 14.0]}, "high row 0"),
        ({"low": [9.0, 10.0, 12.5]}, r"low row 2: 12.5 is above min\(open 12.0, close 13.0, high 14.0\)"),
        ({"volume": [1.0, -1.0, 2.0]}, "volume row 1: -1.0 is not a finite number >= 0"),
        ({"volume": [1.0, 1.0, np.nan]}, "volume row 2: nan"),
        ({"volume": [np.inf, 1.0, 1.0]}, "volume row 0: inf"),
        ({"close": ["11", "12", "13"]}, "close must hold real numbers, has dtype"),
        ({"close": [11 + 0j, 12, 13]}, "close must hold real numbers, has dtype complex128"),
        ({"close": np.ma.array([11, 12, 13.0], mask=[0, 1, 0])}, "close row 1: masked; bars have no gaps"),
        ({"close": [True, True, True]}, "close must hold real numbers, has dtype bool"),
        ({"close": 11.0}, r"close must have one dimension, has shape \(\)"),
        ({"close": None}, "close must have one dimension"),
        ({"symbol": ""}, "symbol must be a printable name"),
        ({"symbol": " X"}, "symbol must be a printable name"),
        ({"symbol": "X\n"}, "symbol must be a printable name"),
        ({"symbol": 5}, "symbol must be a str, was int"),
        ({"symbol": "é" * 40}, "symbol must be at most 64 bytes, was 80"),
    ],
)
def test_wrong_input_is_named_with_its_row(changes, message):
    with pytest.raises(nt.InputError, match=message):
        bars(**changes)


def test_empty_is_refused():
    with pytest.raises(nt.InputError, match="ts_ns is empty"):
        nt.Bars("X", np.array([], dtype=np.int64), *[np.array([])] * 5)
    with pytest.raises(nt.InputError, match="ts_ns is empty"):
        nt.Bars("X", [], *[[]] * 5)


def test_the_first_bad_row_is_the_one_reported():
    with pytest.raises(nt.InputError, match="open row 1"):
        bars(open=[10.0, np.nan, np.nan])


def test_bounds_are_inclusive():
    flat = [9e9, 1e-9, 5.0]
    assert bars(open=flat, high=flat, low=flat, close=flat).close.tolist() == flat


def test_a_bare_date_is_the_end_of_its_day():
    want = [1 * DAY - 1, 2 * DAY - 1, 3 * DAY - 1]
    texts = ["1970-01-01", "1970-01-02", "1970-01-03"]
    assert bars(ts_ns=texts).ts_ns.tolist() == want
    assert bars(ts_ns=np.array(texts, "M8[D]")).ts_ns.tolist() == want
    assert bars(ts_ns=[np.datetime64(text) for text in texts]).ts_ns.tolist() == want


def test_times_of_every_kind():
    want = [0, 60_000_000_000, 120_000_000_000]
    assert bars(ts_ns=[datetime(1970, 1, 1, 0, m, tzinfo=UTC) for m in range(3)]).ts_ns.tolist() == want
    assert bars(ts_ns=[f"1970-01-01T00:0{m}:00Z" for m in range(3)]).ts_ns.tolist() == want
    assert bars(ts_ns=np.array(want, dtype="M8[ns]")).ts_ns.tolist() == want
    assert bars(ts_ns=np.arange(3).astype("M8[m]")).ts_ns.tolist() == want


def test_slices_are_views():
    made = bars()
    part = made[1:]
    assert len(part) == 2 and part.symbol == "X" and np.shares_memory(part.close, made.close)
    assert part[-1:].close.tolist() == [13.0]
    assert not part.close.flags.writeable


@pytest.mark.parametrize(("key", "message"), [
    (slice(None, None, 2), "the step must be 1"),
    (slice(None, None, -1), "the step must be 1"),
    (slice(2, 2), r"bars\[2:2\] is empty"),
    (slice(5, 9), r"bars\[5:9\] is empty; there are 3 bars"),
    ("2024", "takes a position or start:stop"),
    (True, "takes a position"),
])  # fmt: skip
def test_wrong_slices(key, message):
    with pytest.raises(nt.InputError, match=message):
        bars()[key]


def test_one_row():
    assert bars()[-1] == nt.Bar(3, 12.0, 14.0, 11.0, 13.0, 2.5)
    assert next(iter(bars())) == bars()[0] == bars()[np.int64(0)]
    with pytest.raises(IndexError, match="there are 3 bars"):
        bars()[3]


def test_between_is_half_open():
    made = bars()
    assert made.between(1, 3).ts_ns.tolist() == [1, 2]
    assert made.between(end=2).ts_ns.tolist() == [1]
    assert made.between(start=2) == made[1:]
    with pytest.raises(nt.InputError, match="no bars of X"):
        made.between(4, 5)
    with pytest.raises(nt.InputError, match="start"):
        made.between("noon")


def test_equality_and_pickle():
    assert bars() == bars()
    assert (
        bars() != bars(volume=[1.0, 0.0, 2.0]) and bars() != bars(symbol="Y") and bars() != bars()[1:] and bars() != 1
    )
    assert pickle.loads(pickle.dumps(bars())) == bars()
    with pytest.raises(TypeError):
        hash(bars())


def test_returns():
    got = bars().returns()
    assert np.isnan(got[0]) and got[1:].tolist() == [12.0 / 11.0 - 1.0, 13.0 / 12.0 - 1.0]


def test_repr_names_symbol_count_and_span():
    assert repr(bars()) == "Bars('X', 3 bars, 1970-01-01T00:00:00.000000001Z .. 1970-01-01T00:00:00.000000003Z)"


def test_fields_cannot_be_replaced():
    with pytest.raises(AttributeError):
        bars().close = 1
    with pytest.raises(AttributeError):
        bars().extra = 1
