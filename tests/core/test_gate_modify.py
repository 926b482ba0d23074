"""A change to a working order is judged as the order it would become; refused, it leaves that order as it was."""

import pytest

import neuraltrade as nt

ACCOUNT = nt.Account(cash_digits=9, leverage=4.0)
NANO = 1e-9
AMOUNTS = {
    "max_order_quantity": (100.0, nt.Denial.MAX_QUANTITY),
    "max_order_notional": (9_950.0, nt.Denial.MAX_NOTIONAL),
    "max_position": (100.0, nt.Denial.MAX_POSITION),
    "max_gross_exposure": (10_000.0, nt.Denial.MAX_EXPOSURE),
    "max_net_exposure": (10_000.0, nt.Denial.MAX_NET_EXPOSURE),
    "max_leverage": (0.01, nt.Denial.MAX_LEVERAGE),
}


@pytest.fixture
def decide(make_engine, make_bars):
    """decide(act, **limits): `act` after bar 1 of flat bars at 100, for the last symbol -> answer and engine."""

    def decide_(act, symbols=1, **limits):
        bars = make_bars([100.0] * 4, [100.25] * 4, [99.75] * 4, [100.0] * 4)
        engine = make_engine(*[bars] * symbols, risk=nt.RiskLimits(**limits), account=ACCOUNT, cash=1e6)
        answers = []
        engine.bind_python(lambda ctx: answers.append(act(ctx)) if (ctx.i, ctx.slot) == (1, symbols - 1) else None)
        engine.advance(2)
        return answers[0], engine

    return decide_


@pytest.mark.parametrize("symbols", [1, 2])
@pytest.mark.parametrize("control", list(AMOUNTS))
def test_a_larger_quantity(decide, control, symbols):
    limit, reason = AMOUNTS[control]

    def act(ctx):
        order = ctx.buy(1, limit=99.5)
        return ctx.modify(order, quantity=100 + NANO), ctx.modify(order, quantity=100)

    answers, engine = decide(act, symbols, **{control: limit})
    assert answers[0] is reason
    assert answers[1] == 1
    assert engine.orders()["quantity"].tolist() == [100]
    denial = engine.denials()[0]
    assert (len(engine.denials()), denial["reason"], denial["order_id"]) == (1, reason, 1)
    assert denial["value"] > denial["limit"]


def test_a_price_beyond_the_collar(decide):
    def act(ctx):
        order = ctx.buy(1, limit=99.5)
        return ctx.modify(order, limit=99 - NANO), ctx.modify(order, limit=99)

    answers, engine = decide(act, price_collar=0.01)
    assert answers == (nt.Denial.COLLAR, 1)
    assert engine.orders()["limit_price"].tolist() == [99]


@pytest.mark.parametrize(
    ("high", "low", "trail", "stands", "answer"),
    [(102.0, 99.0, 15.0, 87.0, 1), (110.0, 99.0, 2.0, 108.0, nt.Denial.COLLAR)],
    ids=["it came nearer", "it went beyond"],
)
def test_a_trailing_stop_is_judged_where_it_stands(run, make_bars, high, low, trail, stands, answer):
    """Not where it was placed: 15 from a close of 101 is more than 14 %, 2 from one of 100 is less."""
    close = 101.0 if answer == 1 else 100.0
    bars = make_bars([100.0] * 3, [100.0, high, close], [100.0, low, close], [100.0, close, close])
    found = []
    steps = {
        0: lambda ctx: ctx.trailing_stop(5, side=-1, trail=trail),
        1: lambda ctx: found.append(ctx.modify(1, quantity=4)),
    }
    engine = run(steps, bars, risk=nt.RiskLimits(price_collar=0.15 if answer == 1 else 0.05))
    assert found == [answer]
    assert engine.orders()["stop_price"][0] == stands


def test_changes_count_towards_the_rate(decide):
    def act(ctx):
        order = ctx.buy(1, limit=99.5)
        return [ctx.modify(order, quantity=quantity) for quantity in (2, 3, 4)]

    answers, engine = decide(act, max_orders_per_second=3)
    assert answers == [1, 1, nt.Denial.RATE]
    assert engine.orders()["quantity"].tolist() == [3]


def test_a_change_into_an_own_order(decide):
    def act(ctx):
        order = ctx.buy(1, limit=99.5)
        assert nt.accepted(ctx.sell(1, limit=101))
        return ctx.modify(order, limit=101), ctx.modify(order, limit=101 - NANO)

    assert decide(act, prevent_self_trade=True)[0] == (nt.Denial.SELF_TRADE, 1)


def test_a_change_into_a_duplicate(decide):
    def act(ctx):
        order = ctx.buy(1, limit=99.5)
        assert nt.accepted(ctx.buy(2, limit=99.5))
        return ctx.modify(order, quantity=2), ctx.modify(order, quantity=3)

    assert decide(act, duplicate_window_ns=1)[0] == (nt.Denial.DUPLICATE, 1)


def test_a_change_is_no_further_execution(decide):
    def act(ctx):
        order = ctx.buy(1, limit=99.5)
        return ctx.modify(order, quantity=2), ctx.buy(1)

    assert decide(act, max_executions=1)[0] == (1, nt.Denial.REPEATED)


@pytest.mark.parametrize("mode", ["reduce_only", "halt", "cancel_all"])
def test_halted(decide, mode):
    def act(ctx):
        order = ctx.buy(1, limit=99.5)
        ctx.halt(mode)
        return ctx.modify(order, quantity=2)

    assert decide(act)[0] is nt.Denial.ORDER_DONE
