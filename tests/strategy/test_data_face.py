"""The `data` face of init: every native indicator, on each symbol's own columns."""

from __future__ import annotations

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.core import indicators
from neuraltrade.strategy import Indicator, StrategyData

GOOG, AAPL = nt.datasets.load("GOOG"), nt.datasets.load("AAPL")


@pytest.fixture
def data():
    return StrategyData((GOOG,))


@pytest.fixture
def panel():
    return StrategyData((AAPL, GOOG))


def test_a_method_is_the_function_over_the_right_columns(data):
    np.testing.assert_array_equal(data.sma(10).values, indicators.sma(GOOG.close, 10))
    np.testing.assert_array_equal(data.atr(window=7).values, indicators.atr(GOOG.high, GOOG.low, GOOG.close, 7))
    np.testing.assert_array_equal(data.obv().values, indicators.obv(GOOG.close, GOOG.volume))
    assert repr(data.ema(9)) == "<Indicator 3: ema(9)>"


def test_several_outputs_are_several_indicators(data):
    bands = data.bbands(20, width=1.5)
    assert [b.index for b in bands] == [0, 1, 2]
    for made, expected in zip(bands, indicators.bbands(GOOG.close, 20, 1.5), strict=True):
        np.testing.assert_array_equal(made.values, expected)


def test_lines_have_names(data, panel):
    found = data.macd(5, 20, 6)
    assert type(found) is indicators.Macd and found.signal is found[1]
    assert repr(found.histogram) == "<Indicator 2: macd(5, 20, 6).histogram>"
    np.testing.assert_array_equal(found.line.values, indicators.macd(GOOG.close, 5, 20, 6).line)
    np.testing.assert_array_equal(
        panel.adx(9).plus_di.columns[1], indicators.adx(GOOG.high, GOOG.low, GOOG.close, 9)[1]
    )


def test_an_indicator_is_an_argument_by_place_and_by_name(data):
    market = data.sma(3, source="open")
    want = indicators.beta(GOOG.close, market.values, 30)
    np.testing.assert_array_equal(data.beta(market, 30).values, want)
    np.testing.assert_array_equal(data.beta(market=market, window=30).values, want)


def test_every_indicator_of_the_table_is_a_method():
    face = StrategyData((GOOG[:700],))
    for name, entry in indicators.TABLE.items():
        needed = {p.name: 20 for p in entry.parameters if p.default is None}
        others = [face.close] if len(entry.series) == 2 and entry.series[1] in ("y", "market") else []
        made = getattr(face, name)(*others, **needed)
        assert [one.name.rsplit(".")[-1] for one in made] == list(entry.lines) if entry.lines else made.name
        assert not np.isnan((made[-1] if entry.lines else made).values[-1]), name


def test_a_source_is_a_column_or_an_indicator(data):
    np.testing.assert_array_equal(data.sma(5, source="volume").values, indicators.sma(GOOG.volume, 5))
    rsi = data.rsi(14)
    np.testing.assert_array_equal(data.sma(5, source=rsi).values, indicators.sma(rsi.values, 5))
    np.testing.assert_array_equal(data.correlation(rsi, 20).values, indicators.correlation(GOOG.close, rsi.values, 20))
    with pytest.raises(nt.InputError, match="source must be an Indicator or one of open, high"):
        data.sma(5, source="clsoe")
    with pytest.raises(nt.InputError, match="atr reads high, low, close: it takes no source"):
        data.atr(5, source="close")


def test_a_panel_has_a_column_per_symbol(panel):
    made = panel.sma(10)
    assert [len(c) for c in made.columns] == [len(AAPL), len(GOOG)]
    np.testing.assert_array_equal(made.columns[1], indicators.sma(GOOG.close, 10))
    assert panel.symbols == ("AAPL", "GOOG") and len(panel) == len(AAPL)
    with pytest.raises(nt.InputError, match=r"has 2 columns.*columns\[slot\]"):
        made.values  # noqa: B018
    with pytest.raises(nt.InputError, match=r"data\.close: the panel has 2 symbols; use data\.bars\[slot\]\.close"):
        panel.close  # noqa: B018
    columns = panel.columns()
    assert len(columns) == 2 and columns[0][0] is made.columns[0]


def test_an_indicator_of_ones_own(data, panel):
    own = data.indicator(data.close / data.open, "body")
    np.testing.assert_array_equal(own.values, GOOG.close / GOOG.open)
    both = panel.indicator(lambda bars: (bars.close - bars.open, bars.volume * 2.0))
    np.testing.assert_array_equal(both[1].columns[0], AAPL.volume * 2.0)
    listed = panel.indicator([AAPL.close * 2, GOOG.close * 3])
    np.testing.assert_array_equal(listed.columns[1], GOOG.close * 3)


def test_arrays_handed_in_are_copied_and_then_fixed(data):
    mine = np.arange(len(GOOG), dtype=float)
    made = data.indicator(mine)
    mine[:] = 0.0
    assert made.values[5] == 5.0
    with pytest.raises(ValueError, match="read-only"):
        made.values[0] = 1.0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros(5), r"indicator of GOOG must have shape \(2148,\), had \(5,\)"),
        (np.zeros((len(GOOG), 2)), "must have shape"),
        ("words", "must be an array of numbers, was str"),
        (np.zeros(50, complex), "must be an array of numbers, was ndarray"),
        (lambda bars: bars.close[1:], r"had \(2147,\)"),
    ],
)
def test_wrong_arrays_are_named(data, values, message):
    with pytest.raises(nt.InputError, match=message):
        data.indicator(values)


def test_a_panel_needs_an_array_per_symbol(panel):
    with pytest.raises(nt.InputError, match=r"one array per symbol \(2\), had 1"):
        panel.indicator([AAPL.close])


def test_a_wrong_window_is_an_input_error(data):
    with pytest.raises(nt.InputError, match="window"):
        data.sma(5_000)


def test_it_lists_what_it_has(data):
    assert {"sma", "rsi", "macd", "indicator", "close"} <= set(dir(data))
    assert "crossed_above" not in dir(data)
    with pytest.raises(AttributeError, match="data has no 'sam'; did you mean 'sma'"):
        data.sam(3)
    assert "moving average" in data.sma.__doc__


def test_an_indicator_is_no_number(data):
    sma = data.sma(3)
    assert isinstance(sma, Indicator)
    with pytest.raises(TypeError):
        sma > 3  # noqa: B015
    with pytest.raises(TypeError, match="is an indicator, not a number"):
        bool(sma)


def test_a_window_longer_than_the_data_names_the_indicator_and_the_symbol():
    class Long(nt.Strategy):
        window: int = 60

        def init(self, data):
            self.fast, self.slow = data.sma(10), data.rsi(self.window, source=data.sma(5))

        def on_bar(self, ctx):
            pass

    bars = nt.datasets.load("GOOG")[:50]
    words = r"^data\.rsi\(60\): window must be in .*, was 60 \(GOOG has 50 bars\)$"
    for strategy in (Long, nt.compiled(Long)):
        with pytest.raises(nt.InputError, match=words):
            nt.backtest(bars, strategy)
    with pytest.raises(nt.InputError, match=r"data\.rsi\(60\): .*\(GOOG has 50 bars\)"):
        nt.backtest(nt.Panel([nt.datasets.load("IBM"), bars]), Long)
    assert len(nt.backtest(bars, Long, params={"window": 40}).equity) == 50
