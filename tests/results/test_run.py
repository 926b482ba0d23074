"""Results of real runs: what the tables say agrees with the equity, and survives a file."""

from __future__ import annotations

import numpy as np
import pytest

import neuraltrade as nt


class Momentum(nt.Strategy):
    lookback: int = 60

    def init(self, data):
        self.move = data.roc(self.lookback)

    def on_bar(self, ctx):
        if ctx.value(self.move) > 0.0 and ctx.position == 0.0:
            ctx.signal("long", 0.7, reasoning="rising")
            ctx.buy(quantity=10)
        elif ctx.value(self.move) < 0.0 and ctx.position > 0.0:
            ctx.close_position()


@pytest.fixture(scope="module")
def result():
    panel = nt.Panel([nt.datasets.load(symbol) for symbol in ("AAPL", "IBM", "MSFT", "GOOG")])
    return nt.backtest(panel, Momentum, cash=100_000.0, fees=0.001, bounds=True)


def test_profits_explain_the_equity(result):
    assert len(result.trades) > 100 and result.trades["open"].any()
    assert result.cash + result.trades["pnl"].sum() == pytest.approx(result.equity[-1], rel=1e-9)
    assert result.stats["fees"] == pytest.approx(result.trades["fees"].sum(), rel=1e-9)
    assert result.stats["trades"] == np.count_nonzero(~result.trades["open"])
    assert result.stats["final_equity"] == result.equity[-1]


def test_daily_bars_of_an_exchange_make_252_a_year(result):
    assert result.periods_per_year == 252.0


def test_exposure_counts_bars_with_a_position(result):
    position = np.zeros(len(result.ts_ns))
    held = {symbol: np.zeros(len(result.ts_ns)) for symbol in result.symbols}
    for fill in result.fills:
        held[str(fill["symbol"])][fill["bar"] :] += fill["side"] * fill["quantity"]
    position = np.any([np.abs(units) > 1e-9 for units in held.values()], axis=0)
    assert result.stats["exposure"] == pytest.approx(position.mean())


def test_tables_agree_with_each_other(result):
    assert set(result.orders["status"]) <= {
        "filled",
        "submitted",
        "denied",
        "cancelled",
        "pending",
        "rejected",
        "expired",
    }
    assert set(result.fills["order_id"]) <= set(result.orders["order_id"])
    assert set(result.signals["symbol"]) == set(result.symbols)
    assert {result.reasoning[i] for i in result.signals["reasoning"]} == {"rising"}
    assert (result.fills["ts_ns"] == result.ts_ns[result.fills["bar"]]).all()


def test_a_saved_run_is_the_same_run(result, tmp_path):
    result.save(tmp_path / "run.ntr")
    loaded = nt.Result.load(tmp_path / "run.ntr")
    assert loaded.digest == result.digest and loaded.settings == result.settings
    assert list(loaded.stats.items()) == list(result.stats.items())
    assert np.array_equal(loaded.trades, result.trades) and np.array_equal(loaded.equity, result.equity)
    assert loaded.data.symbols == result.data.symbols and loaded.bounds[0].digest == result.bounds[0].digest
    assert loaded.report(tmp_path / "a.html").read_bytes() == result.report(tmp_path / "b.html").read_bytes()
