"""The fixture table of the fill presets through nt.backtest, in both speeds: one source for every cell."""

from __future__ import annotations

import numpy as np
import pytest

import neuraltrade as nt

DAY_NS = 86_400 * 10**9
CASES = ("market", "limit 98", "limit 95", "sell stop 95", "sell stop 99", "bracket", "buy stop 105")
# (bar, price) of the last fill; the decision is taken after bar 1.
TABLE = {
    "conservative": ((2, 103), (3, 90), (3, 90), (3, 90), (2, 99), (2, 99), (2, 105)),
    "backtesting_py": ((2, 103), (2, 98), (3, 90), (3, 90), (2, 99), (2, 99), (2, 105)),
    "vectorbt": ((1, 101), None, None, (3, 90), (2, 99), (2, 99), None),
    "backtrader": ((2, 103), (2, 98), (3, 90), (3, 90), (2, 99), (3, 90), (2, 105)),
    "nautilus_1_221": ((1, 101), (2, 98), (3, 95), (3, 95), (2, 99), (2, 105), (2, 105)),
    "lean_equity": ((2, 103), (3, 90), (3, 90), (3, 90), (2, 99), (3, 90), (2, 105)),
}


class Fixture(nt.Strategy):
    """Takes the decision of one row of the table."""

    case: int = 0

    def on_bar(self, ctx):
        if ctx.i == 0 and 3 <= self.case <= 4:
            ctx.buy(10.0)
        if ctx.i == 1:
            if self.case == 0:
                ctx.buy(10.0)
            elif self.case == 1:
                ctx.buy(10.0, limit=98.0)
            elif self.case == 2:
                ctx.buy(10.0, limit=95.0)
            elif self.case == 3:
                ctx.sell(10.0, stop=95.0)
            elif self.case == 4:
                ctx.sell(10.0, stop=99.0)
            elif self.case == 5:
                ctx.buy(10.0, stop_loss=99.0, take_profit=105.0)
            else:
                ctx.buy(10.0, stop=105.0)


@pytest.fixture(scope="module")
def bars() -> nt.Bars:
    rows = [(100, 101, 99, 100), (100, 102, 99, 101), (103, 106, 98, 104), (90, 92, 88, 91), (91, 93, 90, 92)]
    prices = np.array([*rows, (92, 93, 91, 92)], dtype=np.float64)
    times = np.arange(1, 7, dtype=np.int64) * DAY_NS
    return nt.Bars("X", times, *prices.T, np.full(6, 1000.0))


@pytest.mark.parametrize("preset", list(TABLE))
def test_every_cell_in_both_speeds(bars, preset):
    for case, cell in enumerate(TABLE[preset]):
        if cell is None:
            continue
        runs = [
            nt.backtest(bars, strategy, params={"case": case}, fill=preset)
            for strategy in (Fixture, nt.compiled(Fixture))
        ]
        last = runs[0].fills[-1]
        assert (last["bar"], last["price"], last["quantity"]) == (*cell, 10.0), CASES[case]
        assert runs[0].digest == runs[1].digest


def test_presets_cover_the_table():
    assert set(TABLE) == set(nt.FillPolicy.presets())
