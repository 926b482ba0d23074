"""The gate, the account and the kill switch over ticks: the reference is what was heard."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import neuraltrade as nt

NAN = float("nan")
ROWS = [(i * 10, 99.0, 50.0, 101.0, 40.0) for i in range(1, 7)]


def quotes(rows: list[tuple]) -> nt.Quotes:
    return nt.Quotes("X", *zip(*rows, strict=True))


def run(plan: dict[int, Any], rows: list[tuple] | nt.Ticks = ROWS, **settings: Any) -> tuple[nt.Result, dict[int, Any]]:
    said: dict[int, Any] = {}

    class Planned(nt.Strategy):
        def on_quote(self, ctx: Any) -> None:
            if ctx.i in plan:
                said[ctx.i] = plan[ctx.i](ctx)

        on_trade = on_depth = on_quote

    data = rows if isinstance(rows, nt.Ticks) else nt.Ticks([quotes(rows)])
    return nt.backtest(data, Planned, **{"cash": 1e6, **settings}), said


# control -> limits, an order that is denied, and why; the middle is 100
DENIED = {
    "quantity": ({"max_order_quantity": 5}, {"quantity": 6}, "MAX_QUANTITY"),
    "notional": ({"max_order_notional": 500}, {"quantity": 5.1}, "MAX_NOTIONAL"),
    "collar": ({"price_collar": 0.05}, {"quantity": 1, "limit": 94.9}, "COLLAR"),
    "position": ({"max_position": 3}, {"quantity": 4}, "MAX_POSITION"),
    "gross": ({"max_gross_exposure": 450}, {"quantity": 4.6}, "MAX_EXPOSURE"),
    "net": ({"max_net_exposure": 450}, {"quantity": 4.6}, "MAX_NET_EXPOSURE"),
    "leverage": ({"max_leverage": 0.001}, {"quantity": 11}, "MAX_LEVERAGE"),
    "restricted": ({"restricted": ("X",)}, {"quantity": 1}, "RESTRICTED"),
    "kill": ({"kill_switch": True}, {"quantity": 1}, "HALTED"),
    "reduce": ({"reduce_only": True}, {"quantity": 1}, "REDUCE_ONLY"),
}
KINDS = {
    "market": {},
    "limit": {"limit": 100.0},
    "stop": {"stop": 101.0},
    "stop_limit": {"stop": 101.0, "limit": 101.0},
    "ioc": {"tif": "ioc"},
    "fok": {"tif": "fok"},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("control", DENIED)
def test_every_control_denies_every_kind(control: str, kind: str) -> None:
    limits, order, reason = DENIED[control]
    order = {**KINDS[kind], **order}
    if control == "collar" and "stop" in order:
        order |= {"stop": 105.1, "limit": 105.1} if "limit" in KINDS[kind] else {"stop": 105.1, "limit": None}
    result, said = run({0: lambda c: c.buy(**order)}, risk=nt.RiskLimits(**limits))
    assert said[0] == nt.Denial[reason] and len(result.fills) == 0
    _, fine = run({0: lambda c: c.buy(**order)})
    assert nt.accepted(fine[0]), "without the limit it passes"


def test_no_reference_is_denied() -> None:
    rows = [(10, NAN, 0.0, NAN, 0.0), (20, 99.0, 5.0, 101.0, 4.0), (30, 99.0, 5.0, 101.0, 4.0)]
    _, said = run({0: lambda c: c.buy(1), 1: lambda c: c.buy(1)}, rows, risk=nt.RiskLimits(max_position=10))
    assert said[0] == nt.Denial.NO_REFERENCE and said[1] == 2


def test_the_reference_is_the_last_print_without_quotes() -> None:
    prints = nt.Ticks([nt.Trades("X", [10, 20, 30], [100.0, 200.0, 200.0], [1, 1, 1], [1, 1, 1])])
    plan = {0: lambda c: c.buy(1, limit=104), 1: lambda c: c.buy(1, limit=104)}
    _, said = run(plan, prints, risk=nt.RiskLimits(price_collar=0.05))
    assert said == {0: 1, 1: nt.Denial.COLLAR}


def test_rate_duplicates_and_self_trade() -> None:
    _, said = run({0: lambda c: [c.buy(1, limit=90), c.buy(2, limit=90)]}, risk=nt.RiskLimits(max_orders_per_second=1))
    assert said[0] == [1, nt.Denial.RATE]
    _, said = run(
        {0: lambda c: c.buy(1, limit=90), 1: lambda c: c.buy(1, limit=90)}, risk=nt.RiskLimits(duplicate_window_ns=11)
    )
    assert said[1] == nt.Denial.DUPLICATE
    _, said = run({0: lambda c: [c.buy(1, limit=98), c.sell(1, limit=98)]}, risk=nt.RiskLimits(prevent_self_trade=True))
    assert said[0] == [1, nt.Denial.SELF_TRADE]
    _, said = run({0: lambda c: [c.buy(1), c.buy(1)]}, risk=nt.RiskLimits(max_executions=1))
    assert said[0] == [1, nt.Denial.REPEATED]


def test_limits_hold_at_the_fill() -> None:
    """Two orders that pass apart may not both fill."""
    result, _ = run({0: lambda c: [c.buy(3, limit=98), c.buy(3)]}, risk=nt.RiskLimits(max_position=6), rows=ROWS)
    assert result.fills["quantity"].sum() == 3
    result, said = run({0: lambda c: c.modify(c.buy(3, limit=98), quantity=7)}, risk=nt.RiskLimits(max_position=6))
    assert said[0] == nt.Denial.MAX_POSITION


def test_losses_trip_the_switch() -> None:
    fall = [*ROWS[:2], *((i * 10, 79.0, 50.0, 81.0, 40.0) for i in range(3, 7))]
    for limits in ({"max_drawdown": 0.01}, {"max_daily_loss": 50.0}):
        plan = {0: lambda c: [c.buy(10), c.buy(1, limit=70)], 4: lambda c: c.buy(1)}
        result, said = run(plan, fall, cash=2000.0, risk=nt.RiskLimits(**limits))
        assert said[4] in (nt.Denial.DRAWDOWN, nt.Denial.LOSS)
        assert result.orders["status"].tolist()[:2] == ["filled", "cancelled"]


def test_the_switch_by_hand() -> None:
    result, said = run(
        {0: lambda c: [c.buy(1), c.buy(1, limit=70)], 1: lambda c: c.halt("cancel_all"), 2: lambda c: c.buy(1)}
    )
    assert said[1] == 1 and said[2] == nt.Denial.HALTED and len(result.fills) == 1


def test_what_is_on_its_way_when_the_switch_trips_never_arrives() -> None:
    result, _ = run({0: lambda c: [c.buy(1), c.halt("cancel_all")]}, latency_ns=25)
    assert len(result.fills) == 0 and result.orders["status"].tolist() == ["cancelled"]


def test_short_selling_and_cash() -> None:
    result, said = run({0: lambda c: c.sell(1)}, account=nt.Account(shorting=False))
    assert said[0] == nt.Denial.SHORTING
    result, _ = run({0: lambda c: c.buy(20)}, cash=1000.0)
    assert result.orders["status"].tolist() == ["rejected"] and result.orders["reason"].tolist() == ["no_cash"]
    result, _ = run({0: lambda c: c.buy(20)}, cash=1000.0, fill=nt.FillPolicy(reject_on_cash="shrink"))
    assert result.fills["quantity"].sum() == pytest.approx(1000 / 101)


def test_lots_and_ticks_of_the_instrument() -> None:
    instrument = nt.Instrument(tick=0.5, lot=2.0)
    _, said = run({0: lambda c: [c.buy(3), c.buy(2, limit=98.3), c.buy(2)]}, instruments=instrument)
    assert said[0] == [nt.Denial.LOT, nt.Denial.TICK, 3]
    odd = [(i * 10, 99.0, 5.0, 101.0, 3.0) for i in range(1, 4)]
    result, _ = run({0: lambda c: c.buy(6)}, odd, instruments=instrument)
    assert result.fills["quantity"].tolist() == [2.0], "of 3 shown one lot of 2"


def test_margin_is_called_on_the_marks() -> None:
    fall = [*ROWS[:2], *((i * 10, 100.0 - 8 * i, 50.0, 102.0 - 8 * i, 40.0) for i in range(3, 7))]
    account = nt.Account(leverage=10.0, maintenance=0.05)
    result, _ = run({0: lambda c: c.buy(30)}, fall, cash=500.0, account=account)
    assert "liquidation" in result.orders["role"].tolist() and result.fills["side"].tolist() == [1, -1]
    assert result.fills["quantity"].tolist() == [30.0, 30.0]


def test_first_in_first_out_lots_carry_the_venues_time() -> None:
    account = nt.Account(lots="fifo") if "lots" in nt.Account.__struct_fields__ else None
    if account is None:
        pytest.skip("no lots in this account")
    plan = {0: lambda c: c.buy(1), 1: lambda c: c.buy(1), 2: lambda c: c.sell(2)}
    result, _ = run(plan, latency_ns=3, account=account)
    assert result.trades["entry_ts_ns"].tolist() == [13, 23] and set(result.trades["exit_ts_ns"].tolist()) == {33}


def test_two_symbols_share_cash_and_keep_their_times() -> None:
    other = nt.Quotes("Y", [15, 25, 35], [9.0, 9.0, 8.0], [50, 50, 50], [10.0, 10.0, 9.0], [50, 50, 50])
    plan = {0: lambda c: c.buy(5), 1: lambda c: c.buy(60)}
    result, _ = run(plan, nt.Ticks([quotes(ROWS), other]), cash=1000.0)
    assert [(str(f["symbol"]), float(f["quantity"]), int(f["ts_ns"])) for f in result.fills] == [("X", 5.0, 10)], (
        "600 > 495"
    )
    assert result.equity[-1] == 1000 - 5 * 101 + 5 * 100


def test_marks_in_equity() -> None:
    result, _ = run(
        {0: lambda c: c.buy(2)}, [(10, 99.0, 5.0, 101.0, 4.0), (20, 97.0, 5.0, 98.0, 4.0), (30, NAN, 0.0, 90.0, 1.0)]
    )
    assert np.array_equal(result.equity, [1e6, 1e6 - 2 * 101 + 2 * 97.5, 1e6 - 2 * 101 + 2 * 90])
