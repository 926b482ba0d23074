"""data.resample: longer bars inside init, each known once it has closed and never sooner."""

from __future__ import annotations

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.core import indicators
from neuraltrade.strategy import StrategyData

MINUTE = 60 * 10**9
HOUR = 60 * MINUTE


def walk(seed: int, count: int = 700, missing: float = 0.3, symbol: str = "X") -> nt.Bars:
    """Minutes with holes, so that hours end with their last minute, without it, or not at all."""
    rng = np.random.default_rng(seed)
    ts = (np.arange(count) + 1) * MINUTE + 10 * HOUR
    keep = rng.random(count) > missing
    keep[60 * 3 : 60 * 5] = False
    close = 100.0 * np.exp(np.cumsum(rng.normal(0, 1e-3, count)))
    columns = (close, close * 1.001, close * 0.999, close, rng.integers(1, 99, count).astype(float))
    return nt.Bars(symbol, ts[keep], *(column[keep] for column in columns))


def slow(bars: nt.Bars, width: int, function) -> np.ndarray:
    """At each bar: the indicator over the hours that have ended by then, from what was known by then."""
    out = np.full(len(bars), np.nan)
    for i in range(len(bars)):
        past = bars[: i + 1].resample("1h")
        closed = int(np.searchsorted(past.ts_ns, bars.ts_ns[i], side="right"))
        if closed:
            out[i] = function(past[:closed])[-1]
    return out


def test_each_row_is_what_was_known_by_then():
    bars = walk(1)
    hourly = StrategyData([bars]).resample("1h")
    made = {
        "sma": (hourly.sma(3), lambda over: indicators.sma(over.close, 3) if len(over) >= 3 else [np.nan]),
        "high": (hourly.indicator(hourly.high, "high"), lambda over: over.high),
        "volume": (hourly.sma(1, source="volume"), lambda over: over.volume),
    }
    for name, (indicator, function) in made.items():
        expected = slow(bars, HOUR, function)
        assert np.isfinite(expected).sum() > 100, name
        np.testing.assert_array_equal(indicator.values, expected, err_msg=name)


@pytest.mark.parametrize("seed", range(4))
def test_the_future_does_not_move_the_past(seed):
    rng = np.random.default_rng(seed)
    bars = walk(seed)
    cut = int(rng.integers(100, len(bars) - 50))
    columns = [np.array(column) for column in bars.columns()]
    for column in columns[1:]:
        column[cut:] *= 1.5
    later = nt.Bars("X", *columns)

    def made(given):
        hourly = StrategyData([given]).resample("1h")
        rsi = hourly.rsi(2)
        return [rsi, hourly.sma(2, source=rsi), *hourly.bbands(2)]

    for before, after in zip(made(bars), made(later), strict=True):
        np.testing.assert_array_equal(before.values[:cut], after.values[:cut])
        assert not np.array_equal(before.values[cut:], after.values[cut:], equal_nan=True)


def test_a_bare_date_ends_its_bucket_and_a_friday_does_not():
    days = np.arange(np.datetime64("2024-01-01"), np.datetime64("2024-01-29"))  # from a Monday
    price = np.arange(1.0, len(days) + 1.0)
    crypto = nt.Bars("C", days, price, price, price, price, price)
    weekly = StrategyData([crypto]).resample("1w")
    values = weekly.indicator(weekly.close).values
    assert np.isnan(values[:6]).all()
    assert values[6:14].tolist() == [7.0] * 7 + [14.0]
    stock = nt.Bars(
        "S", *(column[np.arange(len(days)) % 7 < 5] for column in (days, price, price, price, price, price))
    )
    weekly = StrategyData([stock]).resample("1w")
    values = weekly.indicator(weekly.close).values
    assert np.isnan(values[:5]).all(), "Friday's bar does not end the week"
    assert values[5:11].tolist() == [5.0] * 5 + [12.0]


def test_symbols_of_a_panel_and_sources():
    panel = (walk(5, symbol="A"), walk(6, symbol="B"))
    data = StrategyData(panel)
    hourly = data.resample("1h")
    daily = hourly.resample("1d")
    trend = hourly.sma(2)
    assert len(hourly.bars) == 2
    assert [len(column) for column in trend.columns] == [len(one) for one in panel]
    assert daily.rule == "1d"
    assert [made.index for made in (trend, data.sma(2, source=trend), hourly.sma(2, source=trend))] == [0, 1, 2]
    for wrong in (data.rsi(3), daily.sma(1)):
        with pytest.raises(nt.InputError, match="is of another time frame"):
            hourly.sma(2, source=wrong)
    with pytest.raises(nt.InputError, match="finer"):
        data.resample("1s")
    with pytest.raises(nt.InputError, match="rule must be"):
        data.resample("1 fortnight")


class TwoFrames(nt.Strategy):
    def init(self, data):
        hourly = data.resample("1h")
        self.slow, self.fast = hourly.ema(3), hourly.sma(2)
        self.now = data.ema(5)

    def on_bar(self, ctx):
        if ctx.crossed_above(self.fast, self.slow):
            ctx.buy(3)
        elif ctx.crossed_below(self.now, ctx.value(self.slow)):
            ctx.close_position()


def test_both_speeds_decide_alike():
    bars = walk(9, 3000)
    runs = [nt.backtest(bars, each, cash=1e6) for each in (TwoFrames, nt.compiled(TwoFrames))]
    assert len(runs[0].fills) > 10
    assert runs[0].digest == runs[1].digest
