"""Where what docs/accounts.md says of margin and calendars ends: zero to fall below, no bar left, a closed last bar."""

import numpy as np

import neuraltrade as nt

DAY_NS = 86_400 * 10**9


def bars(symbol, closes, lows=None):
    close = np.array(closes, float)
    low = close if lows is None else np.array(lows, float)
    ts_ns = DAY_NS * np.arange(1, len(close) + 1)
    return nt.Bars(symbol, ts_ns, close, close, low, close, np.full(len(close), 1e6))


class BuysAgain(nt.Strategy):
    quantity: float = 30.0
    again: int = 5

    def on_bar(self, ctx):
        if ctx.i == 0:
            ctx.buy(quantity=self.quantity)
        elif ctx.i >= self.again:
            ctx.buy(quantity=1.0)


def test_no_maintenance_calls_below_zero_alone():
    data = bars("A", [100.0] * 7, [100, 100, 67, 66, 100, 100, 100])  # 1000 - 30 x 33 is 10, - 30 x 34 is -20
    account = nt.Account(leverage=4.0, maintenance=0.0)
    result = nt.backtest(data, BuysAgain, cash=1_000.0, account=account)
    assert result.margin_calls[["bar", "equity", "requirement", "reason"]].tolist() == [(3, -20.0, 0.0, "liquidation")]
    assert result.orders["role"].tolist()[:2] == ["entry", "liquidation"]
    assert result.fills["bar"].tolist() == [1, 4, 6]  # closed at the next open; afterwards orders pass again
    assert len(result.denials) == 0


def test_what_has_no_bar_left_stays_called():
    data = nt.Panel([bars("A", [100, 100, 100, 50, 50, 50, 50, 50]), bars("B", [100.0] * 4)])
    account = nt.Account(leverage=4.0, maintenance=0.2)
    result = nt.backtest(data, BuysAgain, cash=1_000.0, account=account, params={"quantity": 15.0})
    assert result.fills[["bar", "symbol", "quantity", "price"]].tolist() == [
        (1, "A", 15.0, 100.0),
        (1, "B", 15.0, 100.0),
        (4, "A", 15.0, 50.0),
    ]
    assert len(result.margin_calls) == 1
    assert result.denials["reason"].tolist() == ["liquidation"] * 3
    assert result.equity[-1] == 250.0


def test_only_the_end_closes_out_of_session():
    hours = DAY_NS // 24
    close = np.full(24, 100.0)
    data = nt.Bars("A", hours * np.arange(1, 25), close, close, close, close, close)
    sessions = nt.Instrument(calendar=nt.Sessions([0], [16 * hours]))
    given = {"instruments": sessions, "params": {"again": 99, "quantity": 1.0}}
    assert nt.backtest(data, BuysAgain, **given).fills["bar"].tolist() == [1]
    ended = nt.backtest(data, BuysAgain, close_at_end=True, **given)
    assert ended.fills["bar"].tolist() == [1, 23]
    assert ended.orders["role"].tolist() == ["entry", "close"]
