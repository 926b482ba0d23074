"""Changes to working orders and orders joined to cancel each other: what is refused leaves all as it was."""

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.core.engine import EVENT_DTYPE, EVENT_KINDS, ORDER_STATES


def fills(engine):
    return [(int(f["bar"]), int(f["side"]), float(f["quantity"]), float(f["price"])) for f in engine.fills()]


def states(engine):
    return [ORDER_STATES[order["status"]] for order in engine.orders()]


def events(engine, kind):
    log = engine.events().view(EVENT_DTYPE)
    return log[log["kind"] == EVENT_KINDS.index(kind)]


MOVES = {
    "limit": ({"limit": 90}, {"limit": 98.5}, [(2, 1, 10, 98.5)]),
    "stop": ({"stop": 120}, {"stop": 105}, [(2, 1, 10, 105)]),
    "stop_limit": ({"stop": 120, "limit": 90}, {"stop": 104, "limit": 100}, [(2, 1, 10, 100)]),
    "quantity": ({"limit": 98.5}, {"quantity": 3}, [(2, 1, 3, 98.5)]),
    "market": ({}, {"quantity": 3}, [(2, 1, 3, 103)]),
}


@pytest.mark.parametrize("case", list(MOVES))
def test_a_change_takes_effect(run, fills_bars, case):
    given, change, expected = MOVES[case]
    answers = []
    steps = {1: lambda ctx: answers.append(ctx.modify(ctx.buy(10, **given), **change))}
    engine = run(steps, fills_bars, path="ohlc")
    assert (answers, fills(engine)) == ([1], expected)
    event, order = events(engine, "modified")[0], engine.orders()[0]
    assert (event["id"], event["code"], event["bar"]) == (1, 0, 1)
    assert event["quantity"] == 1e9 * change.get("quantity", 10)
    assert event["price"] == 1e9 * change.get("limit", given.get("limit", 0))
    assert event["value"] == 1e9 * change.get("stop", given.get("stop", 0))
    np.testing.assert_equal(order["limit_price"], change.get("limit", given.get("limit", np.nan)))


def test_a_stop_loss_is_moved_and_a_trail_is_not(run, fills_bars):
    answers = []
    steps = {
        0: lambda ctx: ctx.buy(10, stop_loss=80, take_profit=120, trail=30),
        1: lambda ctx: answers.extend([ctx.modify(2, stop=99), ctx.modify(3, stop=99), ctx.modify(4, limit=110)]),
    }
    engine = run(steps, fills_bars)
    assert answers == [1, nt.Denial.CONFLICT, 1]
    assert fills(engine) == [(1, 1, 10, 100), (2, -1, 10, 99)]


REFUSED = {
    "nothing known": (lambda ctx, i: ctx.modify(99, limit=95), nt.Denial.UNKNOWN_ORDER),
    "finished": (lambda ctx, i: ctx.cancel(i) and ctx.modify(i, limit=95), nt.Denial.ORDER_DONE),
    "off the tick": (lambda ctx, i: ctx.modify(i, limit=95.03), nt.Denial.TICK),
    "off the lot": (lambda ctx, i: ctx.modify(i, quantity=1.05), nt.Denial.LOT),
    "zero quantity": (lambda ctx, i: ctx.modify(i, quantity=0), nt.Denial.QUANTITY_RANGE),
    "NaN quantity": (lambda ctx, i: ctx.modify(i, quantity=float("nan")), nt.Denial.QUANTITY_RANGE),
    "negative limit": (lambda ctx, i: ctx.modify(i, limit=-1), nt.Denial.PRICE_RANGE),
    "huge limit": (lambda ctx, i: ctx.modify(i, limit=1e10), nt.Denial.PRICE_RANGE),
    "a stop it has not": (lambda ctx, i: ctx.modify(i, stop=105), nt.Denial.CONFLICT),
    "below its stop-loss": (lambda ctx, i: ctx.modify(i, limit=70), nt.Denial.BRACKET),
    "above its take-profit": (lambda ctx, i: ctx.modify(i, limit=150), nt.Denial.BRACKET),
}


@pytest.mark.parametrize("case", list(REFUSED))
@pytest.mark.parametrize("risk", [None, nt.RiskLimits()])
def test_a_refused_change_leaves_the_order_as_it_was(run, fills_bars, case, risk):
    change, reason = REFUSED[case]
    answers = []

    def act(ctx):
        answers.append(change(ctx, ctx.buy(10, limit=96, stop_loss=80, take_profit=120)))

    engine = run({1: act}, fills_bars, risk=risk, instruments=[nt.Instrument(tick=0.05, lot=0.1)])
    assert answers == [reason]
    event, order = events(engine, "modified")[0], engine.orders()[0]
    assert (event["code"], engine.counters()["denials"]) == (reason, 1)
    assert (order["limit_price"], order["quantity"]) == (96, 10)
    assert len(fills(engine)) == (0 if case == "finished" else 1)


def test_asking_for_nothing_does_nothing(run, fills_bars):
    answers = []
    engine = run({1: lambda ctx: answers.append(ctx.modify(ctx.buy(1, limit=50)))}, fills_bars)
    assert (answers, len(events(engine, "modified"))) == ([0], 0)


@pytest.mark.parametrize(
    ("limits", "change", "reason"),
    [
        ({"max_order_quantity": 20}, {"quantity": 21}, nt.Denial.MAX_QUANTITY),
        ({"max_order_notional": 2000}, {"quantity": 21}, nt.Denial.MAX_NOTIONAL),
        ({"max_position": 30}, {"quantity": 31}, nt.Denial.MAX_POSITION),
        ({"price_collar": 0.1}, {"limit": 90}, nt.Denial.COLLAR),
    ],
)
def test_the_gate_judges_what_an_order_would_become(run, fills_bars, limits, change, reason):
    answers = []

    def act(ctx):
        order = ctx.buy(10, limit=96)
        answers.append(
            ctx.modify(order, **{name: (value - 1 if name == "quantity" else 92) for name, value in change.items()})
        )
        answers.append(ctx.modify(order, **change))

    engine = run({1: act}, fills_bars, risk=nt.RiskLimits(**limits), cash=1e6)
    assert answers == [1, reason]
    assert fills(engine)[0][2] == (change["quantity"] - 1 if "quantity" in change else 10)


def test_changes_count_as_orders_of_the_second_and_stop_with_the_switch(run, fills_bars):
    answers = []

    def act(ctx):
        order = ctx.buy(10, limit=96)
        answers.extend(ctx.modify(order, limit=96 - k) for k in (1, 2))
        ctx.halt("reduce_only")

    engine = run({1: act}, fills_bars, risk=nt.RiskLimits(max_orders_per_second=2))
    assert answers == [1, nt.Denial.RATE]
    assert states(engine) == ["cancelled"]
    assert engine.orders()[0]["limit_price"] == 95


def test_a_child_may_be_moved_while_only_reducing(run, fills_bars):
    answers = []
    steps = {
        0: lambda ctx: ctx.buy(10, stop_loss=80),
        1: lambda ctx: (ctx.halt("reduce_only"), answers.append(ctx.modify(2, stop=99))),
    }
    engine = run(steps, fills_bars, risk=nt.RiskLimits())
    assert answers == [1]
    assert fills(engine) == [(1, 1, 10, 100), (2, -1, 10, 99)]


def test_a_quantity_counts_what_is_filled(run, fills_bars):
    answers = []
    policy = nt.FillPolicy(volume_cap=0.006)
    steps = {
        1: lambda ctx: ctx.buy(10),
        2: lambda ctx: answers.extend([ctx.modify(1, quantity=6), ctx.modify(1, quantity=8)]),
    }
    engine = run(steps, fills_bars, policy=policy)
    assert answers == [nt.Denial.QUANTITY_RANGE, 1]
    assert fills(engine) == [(2, 1, 6, 103), (3, 1, 2, 90)]
    assert states(engine) == ["filled"]


def test_children_keep_their_side_and_their_quantity(run, fills_bars):
    answers = []
    steps = {
        0: lambda ctx: ctx.buy(10, stop_loss=80, take_profit=120),
        1: lambda ctx: answers.extend(
            [ctx.modify(2, stop=120), ctx.modify(3, limit=80), ctx.modify(2, quantity=20), ctx.modify(3, stop=90)]
        ),
    }
    run(steps, fills_bars)
    assert answers == [nt.Denial.BRACKET, nt.Denial.BRACKET, nt.Denial.CONFLICT, nt.Denial.CONFLICT]


def test_an_account_that_may_not_short_cannot_change_its_way_there(run, fills_bars):
    answers = []
    steps = {
        0: lambda ctx: ctx.buy(10),
        1: lambda ctx: answers.append(ctx.modify(ctx.sell(5, limit=150), quantity=11)),
    }
    run(steps, fills_bars, account=nt.Account(shorting=False))
    assert answers == [nt.Denial.SHORTING]


# ---- one cancels the other


def test_the_first_to_fill_cancels_the_other_in_the_same_step(run, fills_bars):
    answers = []
    steps = {1: lambda ctx: answers.append(ctx.oco(ctx.buy(10, stop=105), ctx.buy(10, limit=97)))}
    engine = run(steps, fills_bars)
    assert (answers, fills(engine), states(engine)) == ([1], [(2, 1, 10, 105)], ["filled", "cancelled"])
    cancelled, joined = events(engine, "cancelled")[0], events(engine, "joined")[0]
    assert (cancelled["id"], cancelled["bar"]) == (2, 2)
    assert (joined["id"], joined["value"], joined["code"]) == (1, 2, 0)


def test_both_in_one_bar_fill_once(run, fills_bars):
    """A straddle whose two stops lie inside bar 2: only the nearer on the path is filled."""
    steps = {1: lambda ctx: ctx.oco(ctx.buy(10, stop=105), ctx.sell(10, stop=99))}
    for path, expected in (("ohlc", (2, 1, 10, 105)), ("olhc", (2, -1, 10, 99))):
        engine = run(steps, fills_bars, path=path)
        assert fills(engine) == [expected]
        assert engine.ambiguous_bars == 1


def test_a_part_of_one_shrinks_the_other(run, fills_bars):
    policy = nt.FillPolicy(volume_cap=0.006, path="ohlc")
    steps = {
        0: lambda ctx: ctx.buy(6),
        1: lambda ctx: (ctx.buy(4), ctx.oco(ctx.sell(10, stop=99), ctx.sell(10, limit=105))),
    }
    engine = run(steps, fills_bars, policy=policy)
    # Bar 2: 4 bought at the open leave 2 for the limit at 105; the stop is then for 8: 6 in bar 3, 2 in bar 4.
    assert fills(engine)[1:] == [(2, 1, 4, 103), (2, -1, 2, 105), (3, -1, 6, 90), (4, -1, 2, 91)]
    assert engine.ledger()["positions"]["S0"]["quantity"] == 0
    assert states(engine) == ["filled", "filled", "filled", "cancelled"]


def test_one_that_is_used_up_keeps_the_quantity_it_had(run, fills_bars):
    """The partner is smaller than what filled: it ends, and its row does not say that it was for less than nothing."""
    policy = nt.FillPolicy(volume_cap=0.006)
    engine = run({1: lambda ctx: ctx.oco(ctx.buy(10, stop=105), ctx.buy(4, limit=80))}, fills_bars, policy=policy)
    assert fills(engine)[0] == (2, 1, 6, 105)
    assert (states(engine)[1], engine.orders()["quantity"][1]) == ("cancelled", 4)


def test_what_ends_unfilled_ends_the_other(run, fills_bars):
    answers = []

    def act(ctx):
        a, b, c = ctx.buy(10, limit=50), ctx.buy(10, stop=105), ctx.buy(10, stop=106)
        answers.extend([ctx.oco(a, b), ctx.cancel(a), ctx.oco(b, c)])

    engine = run({1: act}, fills_bars)
    assert (answers, states(engine)) == ([1, 1, nt.Denial.ORDER_DONE], ["cancelled", "cancelled", "filled"])


PAIRS_END = {
    "expires on its day": (lambda ctx: ctx.buy(1, limit=50, tif="day"), ["expired", "cancelled"], 3),
    "was for one bar": (lambda ctx: ctx.buy(1, limit=50, tif="ioc"), ["cancelled", "cancelled"], 2),
    "is not affordable": (lambda ctx: ctx.buy(10_000, limit=98.5), ["rejected", "cancelled"], 2),
}


@pytest.mark.parametrize("case", list(PAIRS_END))
@pytest.mark.parametrize("swap", [False, True])
def test_one_that_ends_by_itself_ends_its_partner(run, fills_bars, case, swap):
    make, expected, bar = PAIRS_END[case]

    def act(ctx):
        pair = [lambda: make(ctx), lambda: ctx.buy(1, stop=200)]
        ids = [one() for one in (pair[::-1] if swap else pair)]
        assert ctx.oco(*ids) == 1

    engine = run({1: act}, fills_bars)
    assert states(engine) == (expected[::-1] if swap else expected)
    assert set(engine.orders()["done_bar"]) == {bar}


def test_cancel_all_counts_pairs_and_leaves_nothing(run, fills_bars):
    answers = []

    def act(ctx):
        ids = [ctx.buy(1, limit=50 + k) for k in range(6)]
        for a, b in ((0, 1), (2, 5), (4, 3)):
            ctx.oco(ids[a], ids[b])
        answers.append(ctx.cancel_all())

    engine = run({1: act}, fills_bars)
    assert answers == [6]
    assert states(engine) == ["cancelled"] * 6
    cancelled = events(engine, "cancelled")
    assert sorted(event["id"] for event in cancelled) == [1, 2, 3, 4, 5, 6]


def test_an_order_without_a_size_yet_is_cancelled_by_a_part(run, fills_bars):
    policy = nt.FillPolicy(volume_cap=0.006)
    engine = run({1: lambda ctx: ctx.oco(ctx.buy(10, stop=105), ctx.sell(limit=110))}, fills_bars, policy=policy)
    assert fills(engine) == [(2, 1, 6, 105), (3, 1, 4, 90)]
    assert states(engine) == ["filled", "cancelled"]
    assert engine.orders()[1]["done_bar"] == 2


def test_one_that_found_its_size_and_shrank_stays_joined(run, fills_bars):
    """All-in finds 100 and buys 6 at once; the other sells 6 in each of two bars, then both end."""

    def act(ctx):
        assert ctx.oco(ctx.buy(tif="gtd", good_till=ctx.ts_ns + 2 * 86_400 * 10**9), ctx.sell(20, at="close")) == 1

    policy = nt.FillPolicy(market_at="same_close", volume_cap=0.006)
    engine = run({0: act}, fills_bars, policy=policy)
    assert fills(engine) == [(0, 1, 6, 100), (1, -1, 6, 101), (2, -1, 6, 104)]
    assert (states(engine), engine.orders()["quantity"].tolist()) == (["expired", "cancelled"], [100 - 12, 20 - 6])
    assert engine.orders()["done_bar"].tolist() == [3, 3]


JOIN_REFUSED = {
    "itself": (lambda ctx, a, b: ctx.oco(a, a), nt.Denial.CONFLICT),
    "unknown": (lambda ctx, a, b: ctx.oco(a, 99), nt.Denial.UNKNOWN_ORDER),
    "finished": (lambda ctx, a, b: ctx.cancel(b) and ctx.oco(a, b), nt.Denial.ORDER_DONE),
    "joined already": (lambda ctx, a, b: ctx.oco(a, b) and ctx.oco(b, ctx.buy(1, limit=50)), nt.Denial.CONFLICT),
}


@pytest.mark.parametrize("case", list(JOIN_REFUSED))
def test_what_cannot_be_joined(run, fills_bars, case):
    join, reason = JOIN_REFUSED[case]
    answers = []
    steps = {1: lambda ctx: answers.append(join(ctx, ctx.buy(1, limit=50), ctx.buy(1, limit=51)))}
    engine = run(steps, fills_bars)
    assert answers == [reason]
    assert events(engine, "joined")[-1]["code"] == reason
    assert engine.counters()["denials"] == 1


def test_children_and_other_symbols_are_not_joined(run, fills_bars):
    answers, ids = [], {}

    def act(ctx):
        if ctx.i == 0:
            ids[ctx.slot] = ctx.buy(1, stop_loss=50) if ctx.slot else ctx.buy(1, limit=50)
        elif ctx.i == 1 and ctx.slot:
            other = ctx.buy(1, limit=50)
            answers.extend([ctx.oco(other, ids[0]), ctx.oco(other, ids[1] + 1)])

    run(act, fills_bars, fills_bars)
    assert answers == [nt.Denial.CONFLICT, nt.Denial.CONFLICT]
