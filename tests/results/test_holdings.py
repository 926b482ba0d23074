"""What symbols earned adds up to what the run earned, bar by bar."""

from __future__ import annotations

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.results.holdings import holdings
from neuraltrade.results.view import run_view

PANEL = nt.Panel([nt.datasets.load(symbol)[-500:] for symbol in ("AAPL", "GOOG", "IBM")])


class Rotates(nt.Strategy):
    def init(self, data):
        self.past = data.log_returns(20)

    def on_bar(self, ctx):
        past = ctx.value(self.past)
        if ctx.i % 10 == 0 and not np.isnan(past):
            ctx.target(0.3 if past > 0.0 else -0.3)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"fees": 0.001, "slippage": 0.0005},
        {"instruments": {"IBM": nt.Instrument(multiplier=2.0)}},
        {
            "actions": {
                "AAPL": nt.Dividends(["2012-02-01", "2012-08-01"], [2.0, 2.5]),
                "GOOG": nt.Splits(["2012-05-01"], [3.0]),
                "IBM": nt.Splits(["2011-09-01", "2012-05-01"], [0.5, 2.0]),
            },
            "account": nt.Account(borrow_rate=0.03, interest_rate=0.01),
        },
    ],
    ids=["plain", "costs", "multiplier", "flows"],
)
def test_profits_by_symbol_add_up_to_the_equity(given):
    result = nt.backtest(PANEL, Rotates, cash=100_000.0, **given)
    held = holdings(result)
    flows = result.slots["flows"]
    interest = flows[flows["symbol"] < 0]
    of_cash = np.cumsum(np.bincount(interest["bar"], weights=interest["amount"], minlength=len(result.equity)))
    np.testing.assert_allclose(held.pnl.sum(axis=0) + of_cash, result.equity - result.cash, atol=1e-4, rtol=0)
    assert len(result.fills) > 30 and (held.short < 0.0).any() and (held.long > 0.0).any()
    last = result.by_symbol()
    np.testing.assert_allclose(held.pnl[:, -1], last["pnl"] + last["open_pnl"] + last["flows"], atol=1e-3, rtol=0)


def test_shares_of_equity():
    result = nt.backtest(PANEL, Rotates, cash=100_000.0)
    held = holdings(result)
    np.testing.assert_allclose(held.long + held.short, held.net, atol=1e-15)
    np.testing.assert_allclose(held.long - held.short, held.gross, atol=1e-15)
    position = {symbol: 0.0 for symbol in PANEL.symbols}
    fills = iter(sorted(result.fills.tolist(), key=lambda row: row[0]))
    row = next(fills, None)
    closes = {one.symbol: dict(zip(one.ts_ns.tolist(), one.close.tolist(), strict=True)) for one in PANEL}
    last = dict.fromkeys(PANEL.symbols, 0.0)
    names = result.fills.dtype.names
    for bar, ts_ns in enumerate(result.ts_ns.tolist()):
        while row is not None and row[names.index("bar")] == bar:
            position[row[names.index("symbol")]] += row[names.index("side")] * row[names.index("quantity")]
            row = next(fills, None)
        last |= {symbol: own[ts_ns] for symbol, own in closes.items() if ts_ns in own}
        net = sum(position[symbol] * last[symbol] for symbol in PANEL.symbols)
        assert held.net[bar] == pytest.approx(net / result.equity[bar], abs=1e-9)


def test_profits_by_symbol_are_left_out_where_they_would_be_too_many(monkeypatch):
    result = nt.backtest(PANEL, Rotates, cash=100_000.0)
    whole = holdings(result)
    monkeypatch.setattr("neuraltrade.results.holdings.CELLS_MAX", 3 * len(result.equity) - 1)
    part = holdings(result)
    assert part.pnl is None and part.net.tolist() == whole.net.tolist()
    (by_symbol,) = run_view(result).attribution
    assert by_symbol.curves is None and len(by_symbol.rows) == 3


def test_ruin_has_no_shares():
    bars = nt.Bars("X", np.arange(1, 6) * 86_400 * 10**9, *(np.array([10.0, 10.0, 20.0, 60.0, 60.0]) for _ in range(4)),
                   np.ones(5))  # fmt: skip
    result = nt.backtest(bars, nt.Signals(entries=np.zeros(5, bool), exits=np.zeros(5, bool),
                                          short_entries=np.arange(5) == 0, short_exits=np.zeros(5, bool)))  # fmt: skip
    held = holdings(result)
    assert result.equity[-1] < 0.0 and np.isnan(held.net[-1]) and held.net[1] == pytest.approx(-1.0)
