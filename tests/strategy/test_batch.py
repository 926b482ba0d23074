"""Many runs of one strategy: what is shared between them is what each would have made alone."""

from __future__ import annotations

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.core import indicators
from neuraltrade.strategy.batch import Batch, Columns, SharedData
from neuraltrade.strategy.prepare import prepare

BARS = nt.datasets.load("GOOG")[:300]


class Bands(nt.Strategy):
    window: int = 20
    mode: str = "wide"

    def init(self, data):
        self.upper, self.middle, self.lower = data.bbands(self.window)
        self.slow = data.sma(self.window, source=self.middle)
        self.own = data.sma(5, source=data.indicator(data.close * self.window, "own"))

    def on_bar(self, ctx):
        if self.mode == "wide" and ctx.crossed_above(self.slow, self.lower):
            ctx.buy()


@pytest.mark.parametrize("strategy", [Bands, nt.compiled(Bands)], ids=["interpreted", "compiled"])
def test_columns_and_numbers_are_those_of_a_run_alone(strategy) -> None:
    batch = Batch(strategy, [BARS])
    for params in ({"window": 20}, {"window": 30}, {"window": 20, "mode": "narrow"}, {"window": 20}):
        shared, alone = batch.prepare(params), prepare(strategy, params, [BARS])
        assert len(shared.columns[0]) == len(alone.columns[0]) == 6
        for mine, theirs in zip(shared.columns[0], alone.columns[0], strict=True):
            assert np.array_equal(mine, theirs, equal_nan=True) and not mine.flags.writeable
        assert np.array_equal(shared.numbers, alone.numbers)
        assert (shared.name, shared.parameters, shared.texts) == (alone.name, alone.parameters, alone.texts)
        assert (shared.native is None) == (alone.native is None)


def test_an_indicator_is_computed_once_for_each_set_of_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = Batch(Bands, [BARS])
    first, other, again = (batch.prepare({"window": window}) for window in (20, 30, 20))
    assert first.columns[0][0] is again.columns[0][0]  # the band
    assert first.columns[0][3] is again.columns[0][3]  # the average of one that is shared
    assert first.columns[0][0] is not other.columns[0][0]
    assert first.columns[0][5] is not again.columns[0][5]  # of an array of the strategy's own
    assert len(batch.columns) == 4


def test_a_body_is_compiled_once_for_each_kind_of_attributes() -> None:
    batch = Batch(nt.compiled(Bands), [BARS])
    one, same, other = (batch.prepare(p) for p in ({"window": 5}, {"window": 6}, {"window": 5, "mode": "x"}))
    assert one.native is same.native is not other.native
    assert one.failure is not same.failure


def test_arguments_that_look_alike_are_told_apart() -> None:
    columns = Columns()
    data = SharedData([BARS], columns)
    data.sma(20)
    with pytest.raises(nt.InputError):
        data.sma(20.0)
    data.sma(window=20)
    data.sma(np.int64(20))
    data.sma(20, source="high")
    assert len(columns) == 3


def test_a_panel_shares_the_columns_of_every_symbol() -> None:
    pair = [BARS, nt.datasets.load("IBM")[:250]]
    data = SharedData(pair, Columns())
    found = data.sma(20)
    assert [len(column) for column in found.columns] == [300, 250]
    assert np.array_equal(found.columns[1], indicators.sma(pair[1].close, 20), equal_nan=True)


def test_what_is_held_is_bounded_and_the_least_used_goes_first() -> None:
    columns = Columns(kept_bytes=3 * 800)
    asked = []

    def ask(key: str) -> None:
        columns.get(key, lambda: asked.append(key) or [np.zeros(100)])

    for key in "abcadab":
        ask(key)
    assert asked == ["a", "b", "c", "d", "b"]
    assert columns.nbytes == 2400 and len(columns) == 3
    columns.get("large", lambda: [np.zeros(1000)])
    assert len(columns) == 1  # the one that is asked for is held, however large
    with pytest.raises(nt.InputError, match="bars must hold at least one symbol"):
        Batch(Bands, [])
