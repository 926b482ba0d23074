"""Accounts over ticks: the same margin calls and flows, at what is quoted."""

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.core.layouts import ORDER_ROLES

SECOND = 10**9


def quotes(bids):
    bids = np.asarray(bids, dtype=float)
    times = np.arange(1, len(bids) + 1) * SECOND
    size = np.full(len(bids), 100.0)
    return nt.Quotes("A", times, bids, size, bids + 1.0, size)


class Buys(nt.Strategy):
    def on_quote(self, ctx):
        if ctx.i == 0:
            ctx.buy(quantity=40)


@pytest.mark.parametrize("fill", ["conservative", "vectorbt"])
def test_a_call_is_sent_like_any_order(fill):
    account = nt.Account(leverage=5.0, maintenance=0.1)
    result = nt.backtest(quotes([99, 99, 99, 80, 80, 80]), Buys, cash=1000.0, account=account, fill=fill)
    # Bought at 100; at a mid of 80.5 equity is 220 against 322.
    assert result.margin_calls["reason"].tolist() == ["liquidation"]
    assert result.margin_calls["equity"].tolist() == [220.0]
    assert result.orders["role"].tolist() == ["entry", ORDER_ROLES[5]]
    assert result.fills["price"].tolist() == [100.0, 80.0]
    assert result.equity[-1] == 200.0


def test_funding_and_dividends_are_booked():
    actions = [nt.Funding([2 * SECOND], [0.01]), nt.Dividends([3 * SECOND], [0.5])]
    result = nt.backtest(quotes([99, 99, 99, 99, 99]), Buys, cash=10_000.0, actions=actions)
    assert result.flows["kind"].tolist() == ["funding", "dividend"]
    assert result.flows["bar"].tolist() == [2, 3]
    assert result.flows["amount"].tolist() == [-39.8, 20.0]


def test_splits_need_bars():
    with pytest.raises(nt.InputError, match="actions: splits need bars"):
        nt.backtest(quotes([99, 99]), Buys, actions=nt.Splits([SECOND], [2]))


@pytest.mark.parametrize(("dividend", "answer"), [(False, 3), (True, nt.Denial.MAX_NET_EXPOSURE)])
def test_a_dividend_changes_what_other_symbols_may_add(dividend, answer):
    """Short 10 of A at 100 and long 6 of B: 13 more of B are 900 net, and 1,100 once A has paid 20."""
    found = []

    class Buys(nt.Strategy):
        def on_quote(self, ctx):
            if ctx.i == 0:
                ctx.sell(quantity=10)
            elif ctx.i == 3:
                ctx.buy(quantity=6)
            elif ctx.i == 4:
                found.append(ctx.buy(quantity=13))

    def quoted(symbol, times):
        size = np.full(len(times), 1e6)
        return nt.Quotes(symbol, np.array(times), np.full(len(times), 99.0), size, np.full(len(times), 101.0), size)

    ticks = nt.Ticks([quoted("A", [10, 20]), quoted("B", [30, 31, 40])])
    actions = {"A": nt.Dividends([35], [20.0])} if dividend else None
    nt.backtest(ticks, Buys, cash=1e6, risk=nt.RiskLimits(max_net_exposure=1010.0), actions=actions)
    assert found == [answer]
