"""Maintenance margin: calls, liquidation and bankruptcy, one by one and against a replay in Python integers."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.core.engine import EVENT_DTYPE, EVENT_KINDS, ORDER_ROLES, ORDER_STATES
from neuraltrade.core.settings import Denial

_spec = importlib.util.spec_from_file_location("books_model", Path(__file__).with_name("books_model.py"))
books_model = sys.modules["books_model"] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(books_model)
PICO = books_model.PICO

LIQUIDATION = ORDER_ROLES.index("liquidation")


def falling(make_bars, *closes):
    """Bars that open where the one before closed and reach no further."""
    opens = np.r_[closes[0], closes[:-1]].astype(float)
    return make_bars(opens, np.maximum(opens, closes), np.minimum(opens, closes), closes)


def account(**given):
    return nt.Account(**{"leverage": 4.0, "maintenance": 0.125, **given})


def liquidations(engine):
    rows = engine.orders()
    return rows[rows["role"] == LIQUIDATION]


def test_a_call_closes_at_the_next_open(run, make_bars):
    bars = falling(make_bars, 100, 100, 90, 80, 70, 70)
    engine = run({0: lambda ctx: ctx.buy(quantity=40)}, bars, cash=1000.0, account=account())
    # After bar 3 equity is 1000 - 40 x 20 = 200 and an eighth of 3200 is 400; after bar 2 it was 600 against 450.
    calls = engine.margin_calls()
    assert [tuple(row) for row in calls] == [(3, 4 * 86_400 * 10**9, 200.0, 400.0, 1, int(Denial.LIQUIDATION))]
    (order,) = liquidations(engine)
    assert (order["created_bar"], order["done_bar"], order["quantity"], order["side"]) == (3, 4, 40.0, -1)
    assert ORDER_STATES[order["status"]] == "filled"
    assert Denial(int(order["reason"])) is Denial.LIQUIDATION
    fill = engine.fills()[-1]
    assert (fill["bar"], fill["price"], fill["order_id"]) == (4, 80.0, order["order_id"])
    assert engine.equity().tolist() == [1000.0, 1000.0, 600.0, 200.0, 200.0, 200.0]


def test_equal_is_enough(run, make_bars):
    bars = falling(make_bars, 100, 100, 80, 80)
    engine = run({0: lambda ctx: ctx.buy(quantity=32)}, bars, cash=1000.0, account=account(maintenance=0.140625))
    # equity 1000 - 640 = 360 = 2560 x 0.140625
    assert len(engine.margin_calls()) == 0
    engine = run({0: lambda ctx: ctx.buy(quantity=32)}, bars, cash=1000.0, account=account(maintenance=0.140625000001))
    assert engine.margin_calls()["bar"].tolist() == [2]


def test_a_low_counts_unless_closes_are_asked_for(run, make_bars):
    bars = make_bars([100] * 4, [101] * 4, [99, 99, 75, 99], [100] * 4)
    script = {0: lambda ctx: ctx.buy(quantity=40)}
    engine = run(script, bars, cash=1000.0, account=account())
    (row,) = engine.margin_calls()
    assert (row["bar"], row["equity"], row["requirement"]) == (2, 0.0, 375.0)
    assert engine.ledger()["positions"]["S0"]["quantity"] == 0
    assert len(run(script, bars, cash=1000.0, account=account(margin_at="close")).margin_calls()) == 0


def test_a_short_is_judged_at_the_high(run, make_bars):
    bars = make_bars([100] * 4, [101, 101, 120, 101], [99] * 4, [100] * 4)
    engine = run({0: lambda ctx: ctx.sell(quantity=40)}, bars, cash=1000.0, account=account())
    (row,) = engine.margin_calls()
    assert (row["bar"], row["equity"], row["requirement"]) == (2, 200.0, 600.0)


def test_working_entries_end_first_and_nothing_passes(run, make_bars):
    answers = []
    script = {
        0: lambda ctx: (ctx.buy(quantity=30), ctx.buy(quantity=5, limit=60.0)),
        2: lambda ctx: answers.extend(
            [ctx.buy(quantity=1), ctx.close_position(), ctx.cancel(3), ctx.cancel_all(), ctx.halt("cancel_all")]
        ),
        3: lambda ctx: answers.append(ctx.buy(quantity=1)),
    }
    engine = run(script, falling(make_bars, 100, 100, 70, 70, 70), cash=1000.0, account=account(leverage=3.0))
    orders = engine.orders()
    assert [ORDER_STATES[status] for status in orders["status"]] == [
        "filled",
        "cancelled",
        "filled",
        "denied",
        "denied",
        "denied",
    ]
    assert orders["role"][2] == LIQUIDATION
    assert orders["reason"][1] == Denial.LIQUIDATION
    assert answers[:3] == [Denial.LIQUIDATION] * 3
    assert answers[3:5] == [0, 0]
    kinds = [EVENT_KINDS[kind] for kind in engine.events().view(EVENT_DTYPE)["kind"]]
    called = kinds.index("margin_call")
    assert kinds[called : called + 3] == ["margin_call", "cancelled", "order"]


def test_an_account_that_was_called_trades_again(run, make_bars):
    answers = []
    script = {0: lambda ctx: ctx.buy(quantity=30), 3: lambda ctx: answers.append(ctx.buy(quantity=1))}
    engine = run(script, falling(make_bars, 100, 100, 75, 75, 75), cash=1000.0, account=account(leverage=3.0))
    assert nt.accepted(answers[0])
    assert engine.ledger()["positions"]["S0"]["quantity"] == 10**9


def test_equity_below_zero_ends_trading(run, make_bars):
    answers = []
    script = {
        0: lambda ctx: ctx.buy(quantity=40),
        2: lambda ctx: answers.append(ctx.buy(quantity=1)),
        4: lambda ctx: answers.append(ctx.sell(quantity=1)),
    }
    engine = run(script, falling(make_bars, 100, 100, 70, 70, 70), cash=1000.0, account=account())
    (row,) = engine.margin_calls()
    assert (row["bar"], row["equity"], row["orders"], row["reason"]) == (2, -200.0, 1, Denial.BANKRUPT)
    assert answers == [Denial.BANKRUPT] * 2
    assert engine.ledger()["positions"]["S0"]["quantity"] == 0
    assert engine.equity()[-1] == -200.0


def test_a_gap_through_the_liquidation_bankrupts(run, make_bars):
    bars = make_bars([100, 100, 100, 60, 60], [100, 100, 100, 60, 60], [100, 100, 80, 60, 60], [100, 100, 80, 60, 60])
    engine = run({0: lambda ctx: ctx.buy(quantity=40)}, bars, cash=1000.0, account=account())
    rows = engine.margin_calls()
    assert [(row["bar"], row["orders"], Denial(int(row["reason"])).name) for row in rows] == [
        (2, 1, "LIQUIDATION"),
        (3, 0, "BANKRUPT"),
    ]
    assert engine.equity()[-1] == -600.0


def test_where_orders_fill_at_the_close_so_does_the_engine(run, make_bars):
    policy = nt.FillPolicy.preset("vectorbt")
    engine = run(
        {0: lambda ctx: ctx.buy(quantity=40)},
        falling(make_bars, 100, 100, 80, 60),
        policy=policy,
        cash=1000.0,
        account=account(),
    )
    assert engine.fills()["bar"].tolist() == [0, 2]
    assert engine.fills()["price"].tolist() == [100.0, 80.0]
    assert engine.equity().tolist() == [1000.0, 1000.0, 200.0, 200.0]


def test_a_volume_cap_takes_bars_to_liquidate(run, make_bars):
    prices = [100, 100, 80, 80, 80, 80, 80]
    bars = make_bars([100, *prices[:-1]], [100, *prices[:-1]], prices, prices, volume=100.0)
    bars[5][3:] = 30.0
    engine = run(
        {0: lambda ctx: ctx.buy(quantity=40)},
        bars,
        policy=nt.FillPolicy(volume_cap=0.5),
        cash=1000.0,
        account=account(),
    )
    assert engine.fills()["bar"].tolist() == [1, 3, 4, 5]
    assert engine.fills()["quantity"].tolist() == [40.0, 15.0, 15.0, 10.0]
    assert len(engine.margin_calls()) == 1


def test_latency_is_the_strategys_not_the_engines(run, make_bars):
    engine = run(
        {0: lambda ctx: ctx.buy(quantity=40)},
        falling(make_bars, 100, 100, 100, 80, 80, 80),
        cash=1000.0,
        account=account(),
        latency_ns=1,
    )
    assert engine.fills()["bar"].tolist() == [2, 4]


def test_an_instruments_margin_stands_for_its_leverage(run, make_bars):
    bars = falling(make_bars, 100, 100, 100)
    future = [nt.Instrument(margin=0.1)]
    engine = run({0: lambda ctx: ctx.buy(quantity=100)}, bars, cash=1000.0, instruments=future)
    assert engine.fills()["quantity"].tolist() == [100.0]
    engine = run({0: lambda ctx: ctx.buy(quantity=100.000001)}, bars, cash=1000.0, instruments=future)
    assert [ORDER_STATES[row] for row in engine.orders()["status"]] == ["rejected"]
    engine = run({0: lambda ctx: ctx.buy()}, bars, cash=1000.0, instruments=future, fees=nt.Fees(rate=0.001))
    assert engine.fills()["quantity"][0] == pytest.approx(1000 / (100 * 0.101), abs=1e-8)
    assert engine.ledger()["cash"] < 0


def test_every_symbol_is_closed(run, make_bars):
    a, b = falling(make_bars, 100, 100, 80, 80), falling(make_bars, 50, 50, 50, 50)

    def enter(ctx):
        if ctx.i == 0:
            ctx.buy(quantity=20) if ctx.slot == 0 else ctx.sell(quantity=40)

    engine = run(enter, a, b, cash=1000.0, account=account(maintenance=0.2))
    (row,) = engine.margin_calls()
    assert (row["bar"], row["equity"], row["requirement"], row["orders"]) == (2, 600.0, 720.0, 2)
    assert all(position["quantity"] == 0 for position in engine.ledger()["positions"].values())


@pytest.mark.parametrize("wrong", [-0.01, 1.01, float("nan"), "much"])
def test_maintenance_out_of_range(wrong):
    with pytest.raises(nt.InputError, match="Account: maintenance must be"):
        nt.Account(maintenance=wrong)


@pytest.mark.parametrize("wrong", [0.0, -0.1, 1.5, float("inf"), None, "x"])
def test_margin_out_of_range(wrong):
    if wrong is None:
        assert nt.Instrument(margin=None).margin is None
        return
    with pytest.raises(nt.InputError, match="Instrument: margin must be"):
        nt.Instrument(margin=wrong)


def test_maintenance_must_be_below_initial(run, make_bars):
    bars = falling(make_bars, 100, 100)
    with pytest.raises(
        nt.InputError, match=r"maintenance must be below the initial margin of every symbol \(S0: 0.25\), was 0.25"
    ):
        run({}, bars, account=account(maintenance=0.25))
    with pytest.raises(nt.InputError, match=r"\(S0: 0.1\), was 0.125"):
        run({}, bars, account=account(), instruments=[nt.Instrument(margin=0.1)])
    with pytest.raises(
        nt.InputError, match="margin_at must be one of extreme, close, was 'closes'; did you mean 'close'"
    ):
        nt.Account(margin_at="closes")


def replay(engine, bars, given, fifo=False):
    """The calls that the fills in the log make due, judged in integers after each step."""
    books = books_model.Books(1000 * 10**6, 6, len(bars), fifo)
    log = engine.events().view(EVENT_DTYPE)
    fills = log[log["kind"] == EVENT_KINDS.index("fill")]
    calls, state, at = [], "open", 0
    maintenance = round(given.maintenance * PICO)
    active = [(row["created_bar"], row["done_bar"] if row["done_bar"] >= 0 else 10**9) for row in liquidations(engine)]
    for i in range(len(bars[0][0])):
        while at < len(fills) and fills[at]["bar"] == i:
            row = fills[at]
            books.fill(
                int(row["symbol"]),
                int(row["side"]),
                int(row["quantity"]),
                int(row["price"]),
                int(row["extra"]),
                i,
                int(row["id"]),
            )
            at += 1
        assert books.cash == (int(fills[at - 1]["value"]) if at else books.deposits)

        def stand(column, other, i=i):
            equity, gross = books.cash, 0
            for slot, own in enumerate(bars):
                held = books.held[slot].quantity
                worth = books.worth(slot, round(float((own[column] if held > 0 else own[other])[i]) * 10**9))
                equity, gross = equity + worth, gross + abs(worth)
            return equity, gross

        equity, gross = stand(4, 4)
        working = any(born < i < done for born, done in active)
        if equity < 0 and state != "bankrupt":
            state = "bankrupt"
            calls.append((i, equity, -(-gross * maintenance // PICO), "BANKRUPT"))
        elif state != "bankrupt" and not working:
            worst, most = stand(3, 2) if given.margin_at == "extreme" else (equity, gross)
            if gross and worst * PICO < most * maintenance:
                calls.append((i, worst, -(-most * maintenance // PICO), "LIQUIDATION"))
    return calls, books


@pytest.mark.parametrize("seed", range(40))
def test_random_accounts_against_the_replay(seed, make_engine, make_random_bars):
    rng = np.random.default_rng(seed)
    count = 1 + int(rng.integers(0, 3))
    bars = [make_random_bars(seed * 10 + k, 120) for k in range(count)]
    given = nt.Account(
        leverage=float(rng.choice([2, 3, 5, 8])),
        maintenance=float(rng.choice([0.02, 0.1, 0.12])),
        margin_at=str(rng.choice(["extreme", "close"])),
    )
    policy = nt.FillPolicy(path=str(rng.choice(["worst", "ohlc"])), volume_cap=None if rng.random() < 0.6 else 0.05)
    engine = make_engine(*bars, policy=policy, cash=1000.0, account=given, fees=nt.Fees(rate=0.0004))
    denied = []

    def on_bar(ctx):
        if rng.random() < 0.15:
            side, size = (ctx.buy if rng.random() < 0.6 else ctx.sell), round(float(rng.uniform(1, 60)), 2)
            answer = side(quantity=size, stop_loss_rate=0.2) if rng.random() < 0.5 else side(quantity=size)
            denied.append((ctx.i, answer))
        elif rng.random() < 0.05:
            ctx.buy(quantity=1, limit=round(ctx.close * 0.97, 2))
        elif rng.random() < 0.03:
            ctx.close_position()

    engine.bind_python(on_bar)
    engine.advance(engine.clock_count)
    engine.finish()
    calls, books = replay(engine, bars, given)
    log = engine.events().view(EVENT_DTYPE)
    found = [
        (int(row["bar"]), int(row["value"]), int(row["extra"]), Denial(int(row["code"])).name)
        for row in log[log["kind"] == EVENT_KINDS.index("margin_call")]
    ]
    assert found == calls
    assert engine.ledger()["balance"] == 0
    assert engine.ledger()["cash"] == books.cash
    for row in liquidations(engine):
        assert ORDER_STATES[row["status"]] in ("filled", "cancelled", "submitted", "partially_filled")
    bankrupt = [bar for bar, *_, why in calls if why == "BANKRUPT"]
    if bankrupt:
        assert all(answer == Denial.BANKRUPT for bar, answer in denied if bar >= bankrupt[0])


def test_the_random_accounts_vary(make_engine, make_random_bars):
    """The generator above calls some accounts, bankrupts some, and leaves some alone."""
    reasons = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        bars = make_random_bars(seed * 10, 120)
        engine = make_engine(bars, cash=1000.0, account=nt.Account(leverage=8.0, maintenance=0.1))
        engine.bind_python(lambda ctx, rng=rng: ctx.buy(quantity=40) if rng.random() < 0.15 else None)
        engine.advance(120)
        reasons.append(tuple(engine.margin_calls()["reason"].tolist()))
    assert len(set(reasons)) >= 3
