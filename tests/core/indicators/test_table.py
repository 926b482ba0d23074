"""Every indicator of the table: signature, warm-up, streaming equal to batch, no look-ahead, NaN, bad input."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.core.indicators.table import TABLE

ta = nt.indicators
ROWS = 600  # crosses two passes of 256 rows
EACH = pytest.mark.parametrize("name", list(TABLE))


def columns(rows=ROWS, seed=20_261_123):
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.02, rows)))
    opened = np.r_[close[0], close[:-1]] * np.exp(rng.normal(0, 0.005, rows))
    high = np.maximum(close, opened) * (1 + rng.uniform(0, 0.02, rows))
    low = np.minimum(close, opened) * (1 - rng.uniform(0, 0.02, rows))
    market = 50 * np.exp(np.cumsum(rng.normal(0, 0.01, rows)))
    bars = {"open": opened, "high": high, "low": low, "close": close, "volume": rng.integers(1, 1000, rows) * 1.0}
    return {**bars, "values": close, "market": market, "x": close, "y": market}


COLUMNS = columns()
# Parameters that are not the defaults, short enough for 600 rows, of which none is a power of two throughout.
OTHERS = {
    "tema": {"window": 50},
    "macd": {"fast": 3, "slow": 8, "signal": 4},
    "bbands": {"window": 9, "width": 1.5},
    "stoch": {"window": 5, "smooth": 2, "signal": 4},
    "stochrsi": {"window": 6, "stoch_window": 5, "smooth": 2, "signal": 3},
    "keltner": {"window": 4, "atr_window": 9, "width": 1.0},
    "supertrend": {"window": 7, "factor": 1.5},
    "ichimoku": {"conversion": 3, "base": 7, "span": 11, "displacement": 5},
    "stdev": {"window": 9, "ddof": 1},
    "zscore": {"window": 9, "ddof": 1},
    "autocorrelation": {"window": 9, "lag": 4},
    "hurst": {"window": 40, "scales": 3},
    "expanding_zscore": {"least": 5, "limit": 2.0},
    "obv": {},
}


def settings(name):
    """Two sets of parameters of an indicator."""
    entry = TABLE[name]
    plain = {one.name: 20 if one.default is None else one.default for one in entry.parameters}
    return [plain] if not plain else [plain, OTHERS.get(name, {"window": 300})]


def call(name, given, data=COLUMNS, stop=None, start=0):
    """All lines of an indicator as one array[lines, rows]."""
    found = getattr(ta, name)(*(data[one][start:stop] for one in TABLE[name].series), **given)
    return np.array(found if isinstance(found, tuple) else (found,))


@EACH
def test_the_function_is_what_the_table_says(name):
    entry, function = TABLE[name], getattr(ta, name)
    wanted = [(one, inspect.Parameter.empty) for one in entry.series]
    wanted += [(p.name, inspect.Parameter.empty if p.default is None else p.default) for p in entry.parameters]
    assert [(p.name, p.default) for p in inspect.signature(function).parameters.values()] == wanted
    for given in settings(name):
        found = function(*(COLUMNS[one] for one in entry.series), **given)
        assert getattr(type(found), "_fields", ()) == entry.lines
        for line in found if entry.lines else (found,):
            assert line.dtype == np.float64 and line.shape == (ROWS,)
            assert line.flags.c_contiguous and line.flags.writeable


@EACH
def test_the_first_number_stands_where_the_table_says(name):
    for given in settings(name):
        lines = call(name, given)
        assert TABLE[name].first(**given) == tuple(int(np.argmin(np.isnan(line))) for line in lines)
        for line, first in zip(lines, TABLE[name].first(**given), strict=True):
            assert not np.isnan(line[first:]).any()


@EACH
def test_streaming_equals_batch_bit_for_bit(name):
    for given in settings(name):
        stream = ta.Stream(name, **given)
        rows = [stream.push(*row) for row in zip(*(COLUMNS[one].tolist() for one in TABLE[name].series), strict=True)]
        assert getattr(type(rows[0]), "_fields", ()) == TABLE[name].lines
        got = np.array(rows).reshape(ROWS, -1).T
        assert np.ascontiguousarray(got).tobytes() == call(name, given).tobytes()


@EACH
def test_no_row_sees_a_later_one(name):
    given = settings(name)[-1]
    whole = call(name, given)
    for stop in (301, 512, 513, 599):
        if stop <= TABLE[name].first(**given)[0]:
            continue  # refused
        assert np.ascontiguousarray(whole[:, :stop]).tobytes() == call(name, given, stop=stop).tobytes()


@EACH
def test_a_nan_ends_where_the_table_says(name):
    """A NaN in every series at row 200, short windows: what comes 60 rows later is known again."""
    entry = TABLE[name]
    if entry.positive:
        pytest.skip("takes positive prices only")
    given = OTHERS.get(name, {"window": 10})
    holed = {key: column.copy() for key, column in COLUMNS.items()}
    for one in entry.series:
        holed[one][200] = np.nan
    clean, lines = call(name, given), call(name, given, holed)
    assert np.ascontiguousarray(lines[:, :200]).tobytes() == np.ascontiguousarray(clean[:, :200]).tobytes()
    assert not np.isnan(lines[:, 260:]).any()
    if entry.nans == "zero":
        assert (lines[:, 200] == 0).all()
        return
    assert np.isnan(lines).any(axis=0)[200:261].any()
    if name != "ichimoku":  # whose spans come later
        assert np.isnan(lines[:, 200]).all()
    if entry.nans == "window" and name not in ("kama", "stochrsi"):  # those have a memory besides
        assert np.array_equal(lines[:, 260:], clean[:, 260:])
    stream = ta.Stream(name, **given)
    rows = [stream.push(*row) for row in zip(*(holed[one].tolist() for one in entry.series), strict=True)]
    assert np.array_equal(np.array(rows).reshape(ROWS, -1).T, lines, equal_nan=True)


@EACH
def test_wrong_windows_are_named_with_their_limits(name):
    entry = TABLE[name]
    given = settings(name)[0]
    for one in entry.parameters:
        if one.real:
            bad = (0.0, -1.0, float("nan"), float("inf"), "1", True)
            message = f"{one.name} must be (finite and above 0|a number), was"
        else:
            bad = ((0 if one.name != "ddof" else -1), -3, 2**63, 2.5, "9", None, True)
            message = rf"{one.name} must be (in \d+\.\.\d+|an integer)"
            if one.most is None:
                bad += (ROWS + 1,)
        for value in bad:
            with pytest.raises(nt.InputError, match=message):
                call(name, {**given, one.name: value})


@pytest.mark.parametrize(("name", "given", "message"), [
    ("adx", {}, r"adx\(window=14\) has its first number in row 27 \(from 0: 2 window - 1\), the series has 27 rows"),
    ("dema", {"window": 5}, r"dema\(window=5\) has its first number in row 8 \(from 0: 2 \(window - 1\)\), .* 8 rows"),
    ("tema", {"window": 5}, r"tema\(window=5\) has its first number in row 12 .* 12 rows"),
    ("macd", {}, r"macd\(fast=12, slow=26, signal=9\) has its first number in row 33 .* 33 rows"),
    ("stoch", {}, r"stoch\(window=14, smooth=3, signal=3\) has its first number in row 17 .* 17 rows"),
    ("stochrsi", {}, r"stochrsi\(.*\) has its first number in row 31 .* 31 rows"),
    ("autocorrelation", {"window": 9, "lag": 4}, r"autocorrelation\(window=9, lag=4\) .* row 12 .* 12 rows"),
])  # fmt: skip
def test_windows_that_fit_each_but_not_together_are_named(name, given, message):
    parameters = {**{one.name: one.default for one in TABLE[name].parameters}, **given}
    rows = TABLE[name].first(**parameters)[0]
    with pytest.raises(nt.InputError, match=message):
        call(name, given, stop=rows)
    assert not np.isnan(call(name, given, stop=rows + 1)[0, rows])


@EACH
def test_series_of_other_lengths_are_named(name):
    names = TABLE[name].series
    for cut in names[1:]:
        short = {**COLUMNS, cut: COLUMNS[cut][:-1]}
        with pytest.raises(nt.InputError, match=f"{cut} has 599 rows, {names[0]} has 600: one length is needed"):
            call(name, settings(name)[0], short)
    with pytest.raises(nt.InputError, match=f"{names[0]} is empty"):
        call(name, settings(name)[0], stop=0)


@pytest.mark.parametrize("name", [name for name, entry in TABLE.items() if entry.positive])
def test_prices_that_are_not_positive_are_named_with_their_row(name):
    for one in TABLE[name].series:
        for price in (0.0, -1.0, np.nan, np.inf):
            wrong = {**COLUMNS, one: np.where(np.arange(ROWS) == 7, price, COLUMNS[one])}
            with pytest.raises(nt.InputError, match=rf"{one} row 7: {price} is not a positive price"):
                call(name, settings(name)[0], wrong)


WINDOWED = [name for name, entry in TABLE.items() if entry.nans == "window" and name not in ("kama", "stochrsi")]


@pytest.mark.parametrize("name", WINDOWED)
@pytest.mark.parametrize("start", [1, 255, 257])
def test_a_window_does_not_know_where_its_series_began(name, start):
    given = OTHERS.get(name, {"window": 37})
    whole, part = call(name, given), call(name, given, start=start)
    known = max(TABLE[name].first(**given))
    assert part[:, known:].tobytes() == np.ascontiguousarray(whole[:, start + known :]).tobytes()
