"""Every control of the gate denies, says why and leaves the book as it was; no other way exceeds a limit."""

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.core.engine import EVENT_DTYPE, EVENT_KINDS, ORDER_STATES

LOOSE = {"cash": 1e8}


def denied(run, bars, place, **given):
    """Place one order after bar 1 and return what it returned, its row, and the engine."""
    answers = []
    engine = run({1: lambda ctx: answers.append(place(ctx))}, bars, **{**LOOSE, **given})
    assert engine.cash == given.get("cash", LOOSE["cash"]), "a refused order moved cash"
    assert len(engine.fills()) == 0
    assert engine.counters()["working"] == 0
    return answers[0], engine.orders()[-1], engine


ORDERS = {
    "market": lambda ctx, quantity: ctx.buy(quantity),
    "limit": lambda ctx, quantity: ctx.buy(quantity, limit=100.5),
    "stop": lambda ctx, quantity: ctx.buy(quantity, stop=101.5),
    "stop_limit": lambda ctx, quantity: ctx.buy(quantity, stop=101.5, limit=101.75),
    "sell": lambda ctx, quantity: ctx.sell(quantity),
}


@pytest.mark.parametrize("kind", list(ORDERS))
@pytest.mark.parametrize(
    ("limits", "quantity", "reason"),
    [
        (nt.RiskLimits(max_order_quantity=100), 101, nt.Denial.MAX_QUANTITY),
        (nt.RiskLimits(max_order_notional=10_000), 101, nt.Denial.MAX_NOTIONAL),
        (nt.RiskLimits(max_position=100), 101, nt.Denial.MAX_POSITION),
        (nt.RiskLimits(kill_switch=True), 1, nt.Denial.HALTED),
    ],
)
def test_each_limit_denies_each_order_type(run, fills_bars, kind, limits, quantity, reason):
    answer, order, engine = denied(run, fills_bars, lambda ctx: ORDERS[kind](ctx, quantity), risk=limits)
    assert answer is reason
    assert not nt.accepted(answer)
    assert (ORDER_STATES[order["status"]], order["reason"], order["done_bar"]) == ("denied", reason, 1)
    events = engine.events().view(EVENT_DTYPE)
    assert [(EVENT_KINDS[event["kind"]], event["code"]) for event in events] == [("denied", reason)]


@pytest.mark.parametrize("kind", ["limit", "stop", "stop_limit"])
def test_collar(run, fills_bars, kind):
    prices = {"limit": {"limit": 89.0}, "stop": {"stop": 113.0}, "stop_limit": {"stop": 113.0, "limit": 113.5}}[kind]
    collar = nt.RiskLimits(price_collar=0.1)
    answer, _, _ = denied(run, fills_bars, lambda ctx: ctx.buy(1, **prices), risk=collar)
    assert answer is nt.Denial.COLLAR
    inside = {name: 101 + (value - 101) / 2 for name, value in prices.items()}
    assert len(run({1: lambda ctx: ctx.buy(1, **inside)}, fills_bars, risk=collar).orders()) == 1


@pytest.mark.parametrize("prices", [{"stop": 140, "limit": 101}, {"stop": 101, "limit": 140}])
def test_collar_holds_for_both_prices_of_a_stop_limit(run, fills_bars, prices):
    answer, _, _ = denied(run, fills_bars, lambda ctx: ctx.buy(1, **prices), risk=nt.RiskLimits(price_collar=0.1))
    assert answer is nt.Denial.COLLAR


def test_a_sale_limited_far_below_the_market_counts_at_the_market(run, fills_bars):
    limits = nt.RiskLimits(max_order_notional=1_000)
    answer, _, _ = denied(run, fills_bars, lambda ctx: ctx.sell(50, limit=1), risk=limits)
    assert answer is nt.Denial.MAX_NOTIONAL


@pytest.mark.parametrize("place", [lambda ctx: ctx.buy(1), lambda ctx: ctx.buy(), lambda ctx: ctx.buy(1, limit=99)])
def test_no_reference_price_denies(run, fills_bars, place):
    broken = (*fills_bars[:4], fills_bars[4].copy(), fills_bars[5])
    broken[4][1] = np.nan
    answer, _, _ = denied(run, broken, place, risk=nt.RiskLimits(max_position=1e6))
    assert answer is nt.Denial.NO_REFERENCE


@pytest.mark.parametrize("sells", [False, True])
def test_default_sizes_pass_the_same_gate(run, fills_bars, sells):
    place = (lambda ctx: ctx.sell()) if sells else (lambda ctx: ctx.buy())
    answer, _, _ = denied(run, fills_bars, place, risk=nt.RiskLimits(max_order_quantity=5), cash=10_000.0)
    assert answer is nt.Denial.MAX_QUANTITY


def test_targets_pass_the_same_gate(run, fills_bars):
    answer, _, _ = denied(run, fills_bars, lambda ctx: ctx.target(0.5), risk=nt.RiskLimits(max_order_notional=100))
    assert answer is nt.Denial.MAX_NOTIONAL


def test_signal_arrays_pass_the_same_gate(make_engine, fills_bars):
    engine = make_engine(fills_bars, risk=nt.RiskLimits(kill_switch=True))
    engine.bind_signals(np.ones(6, np.uint8))
    engine.advance(6)
    assert engine.counters()["denials"] == 6
    assert len(engine.fills()) == 0


def test_working_orders_count_towards_the_position(run, fills_bars):
    answers = []

    def three(ctx):
        answers.extend(ctx.buy(40, limit=50.0) for _ in range(3))

    run({1: three}, fills_bars, risk=nt.RiskLimits(max_position=100), **LOOSE)
    assert [nt.accepted(answer) for answer in answers] == [True, True, False]
    assert answers[2] is nt.Denial.MAX_POSITION


def test_reducing_passes_a_position_limit(run, fills_bars):
    steps = {0: lambda ctx: ctx.buy(100), 1: lambda ctx: ctx.sell(60), 2: lambda ctx: ctx.close_position()}
    engine = run(steps, fills_bars, risk=nt.RiskLimits(max_position=100), **LOOSE)
    assert list(engine.fills()["quantity"]) == [100, 60, 40]


def test_a_size_found_at_the_fill_is_cut_to_the_limits(run, make_bars):
    # 100 units at the last close of 100, but the next bar opens at 50: all-in would then be 200.
    bars = make_bars([100, 50], [101, 51], [99, 49], [100, 50])
    for limits in (
        nt.RiskLimits(max_order_quantity=150),
        nt.RiskLimits(max_position=150),
        nt.RiskLimits(max_order_notional=10_000),
    ):
        fill = run({0: lambda ctx: ctx.buy()}, bars, risk=limits, cash=10_000.0).fills()[0]
        assert fill["quantity"] <= (150 if limits.max_order_notional is None else 200)
        assert fill["quantity"] >= 149.99


STRUCTURAL = {
    "zero": (lambda ctx: ctx.buy(0), nt.Denial.QUANTITY_RANGE),
    "negative": (lambda ctx: ctx.buy(-1), nt.Denial.QUANTITY_RANGE),
    "infinite": (lambda ctx: ctx.buy(float("inf")), nt.Denial.QUANTITY_RANGE),
    "huge": (lambda ctx: ctx.buy(1e10), nt.Denial.QUANTITY_RANGE),
    "zero limit": (lambda ctx: ctx.buy(1, limit=0), nt.Denial.PRICE_RANGE),
    "negative stop": (lambda ctx: ctx.buy(1, stop=-5), nt.Denial.PRICE_RANGE),
    "huge limit": (lambda ctx: ctx.buy(1, limit=1e10), nt.Denial.PRICE_RANGE),
    "off the lot": (lambda ctx: ctx.buy(1.05), nt.Denial.LOT),
    "off the tick": (lambda ctx: ctx.buy(1, limit=99.07), nt.Denial.TICK),
    "stop loss off the tick": (lambda ctx: ctx.buy(1, stop_loss=99.07), nt.Denial.TICK),
    "stop loss above": (lambda ctx: ctx.buy(1, stop_loss=102), nt.Denial.BRACKET),
    "take profit below": (lambda ctx: ctx.buy(1, take_profit=99), nt.Denial.BRACKET),
    "short stop loss below": (lambda ctx: ctx.sell(1, stop_loss=99), nt.Denial.BRACKET),
    "stop loss above the limit": (lambda ctx: ctx.buy(1, limit=95, stop_loss=96), nt.Denial.BRACKET),
    "stop loss rate of one": (lambda ctx: ctx.buy(1, stop_loss_rate=1.0), nt.Denial.BRACKET),
    "trail rate of one": (lambda ctx: ctx.buy(1, trail_rate=1.0), nt.Denial.BRACKET),
    "worth more than cash can count": (lambda ctx: ctx.buy(9.2e9, limit=1e6), nt.Denial.QUANTITY_RANGE),
    "take profit beyond range": (lambda ctx: ctx.buy(1, take_profit_rate=9.1e6, limit=1e6), nt.Denial.BRACKET),
    "target beyond range": (lambda ctx: ctx.target(float("nan")), nt.Denial.QUANTITY_RANGE),
}


@pytest.mark.parametrize("case", list(STRUCTURAL))
@pytest.mark.parametrize("risk", [None, nt.RiskLimits()])
def test_structural_refusals(run, fills_bars, case, risk):
    place, reason = STRUCTURAL[case]
    answer, order, _ = denied(run, fills_bars, place, risk=risk, instruments=[nt.Instrument(tick=0.05, lot=0.1)])
    assert answer is reason
    assert order["reason"] == reason


def test_default_sizes_are_rounded_down_to_the_lot(run, fills_bars):
    engine = run({1: lambda ctx: ctx.buy()}, fills_bars, instruments=[nt.Instrument(lot=0.5)])
    assert engine.fills()[0]["quantity"] == 97.0  # 10,000 / 103 = 97.087


@pytest.mark.parametrize("place", [lambda ctx: ctx.sell(1), lambda ctx: ctx.sell(), lambda ctx: ctx.target(-0.5)])
def test_an_account_that_may_not_short(run, fills_bars, place):
    answer, _, _ = denied(run, fills_bars, place, account=nt.Account(shorting=False))
    assert answer is nt.Denial.SHORTING


def test_an_account_that_may_not_short_still_sells_what_it_has(run, fills_bars):
    steps = {0: lambda ctx: ctx.buy(10), 1: lambda ctx: ctx.sell(10)}
    assert len(run(steps, fills_bars, account=nt.Account(shorting=False)).fills()) == 2


def test_cancelling_what_is_not_there(run, fills_bars):
    answers = {}

    def act(ctx):
        answers["unknown"] = ctx.cancel(99)
        answers["id"] = ctx.buy(1, limit=50.0)
        answers["active"] = ctx.is_active(answers["id"])
        answers["done"] = ctx.cancel(answers["id"])
        answers["again"] = ctx.cancel(answers["id"])
        answers["active after"] = ctx.is_active(answers["id"])

    run({1: act}, fills_bars)
    assert answers == {
        "unknown": nt.Denial.UNKNOWN_ORDER,
        "id": 1,
        "active": True,
        "done": 1,
        "again": nt.Denial.ORDER_DONE,
        "active after": False,
    }


def test_the_table_of_working_orders_is_bounded(run, fills_bars):
    answers = []

    def flood(ctx):
        answers.extend(ctx.buy(0.001, limit=10.0) for _ in range(16_400))
        answers.append(ctx.cancel_all())

    run({1: flood}, fills_bars)
    assert answers[16_383] > 0
    assert answers[16_384] is nt.Denial.TABLE_FULL
    assert answers[-1] == 16_384
