"""The real backtesting.py beside us on its own daily GOOG: every trade, every equity. `tools/compare_peers.py --prepare
backtesting` makes its environment; without it these are skipped."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuraltrade as nt

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools" / "peers"))
import environments  # noqa: E402
import inputs  # noqa: E402

pytestmark = pytest.mark.skipif(
    environments.python_of("backtesting") is None, reason="the environment of backtesting.py was not prepared"
)
RELATIVE = 1e-9


class SmaReverse(nt.Strategy):
    """What the peer's example does: on a crossing close, then take the other side."""

    fast: int = 10
    slow: int = 30

    def init(self, data):
        self.f = data.sma(self.fast)
        self.s = data.sma(self.slow)

    def on_bar(self, ctx):
        if ctx.crossed_above(self.f, self.s):
            ctx.buy()
        elif ctx.crossed_below(self.f, self.s):
            ctx.sell()


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> nt.Bars:
    folder = tmp_path_factory.mktemp("goog")
    environments.call("backtesting", "with_backtesting.py", "goog-bars", folder)
    columns = inputs.read(folder)
    return nt.Bars("GOOG", *(np.array(columns[name]) for name in ("ts_ns", "open", "high", "low", "close", "volume")))


def run(bars: nt.Bars, close_at_end: bool = False) -> nt.Result:
    account = nt.Account(cash_digits=9)
    lots = {"GOOG": nt.Instrument(lot=1.0)}
    settings: dict[str, Any] = {"fill": "backtesting_py", "account": account, "instruments": lots}
    settings["close_at_end"] = close_at_end
    return nt.backtest(bars, SmaReverse, cash=10_000.0, size=nt.Size.equity(0.9999), **settings)


@pytest.mark.parametrize(("finalize", "count", "equity"), [(False, 65, 51959.95), (True, 66, 51422.98999999996)])
def test_every_closed_trade_agrees(bars: nt.Bars, finalize: bool, count: int, equity: float) -> None:
    peer = environments.call("backtesting", "with_backtesting.py", "goog", "finalize" if finalize else "as-it-is")
    result = run(bars, close_at_end=finalize)
    closed = result.trades[~result.trades["open"]]
    assert len(closed) == peer["closed"] == count
    assert closed["entry_bar"].tolist() == peer["entry_bar"]
    assert closed["exit_bar"].tolist() == peer["exit_bar"]
    assert (closed["quantity"] * closed["direction"]).tolist() == peer["quantity"]
    for name in ("entry_price", "exit_price", "pnl"):
        np.testing.assert_allclose(closed[name], peer[name], rtol=RELATIVE, err_msg=name)
    assert result.equity[-1] == pytest.approx(equity, rel=RELATIVE)
    assert peer["final_equity"] == pytest.approx(equity, rel=RELATIVE)


def test_equity_agrees_at_every_bar(bars: nt.Bars) -> None:
    peer = environments.call("backtesting", "with_backtesting.py", "goog")
    np.testing.assert_allclose(run(bars).equity, peer["equity"], rtol=RELATIVE)
