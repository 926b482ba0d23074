"""Calendars in the engine: what a closed session refuses, and what a session means to orders."""

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.core.engine import ORDER_STATES
from neuraltrade.market.sessions import Sessions

HOUR_NS = 3600 * 10**9


def hourly(make_bars, count=12):
    """Bars that end at 1, 2, ... o'clock, each 1 higher than the one before, opening at the close before."""
    closes = 100.0 + np.arange(count)
    return make_bars(closes - 1, closes, closes - 1, closes, step_ns=HOUR_NS)


def codes(bars, *spans):
    opens, closes = zip(*spans, strict=True)
    return Sessions(np.array(opens) * HOUR_NS, np.array(closes) * HOUR_NS).codes(bars[0])


def states(engine):
    return [ORDER_STATES[status] for status in engine.orders()["status"]]


def test_a_closed_session_refuses_everything(run, make_bars):
    bars, answers = hourly(make_bars), []
    script = {
        1: lambda ctx: ctx.buy(quantity=1),
        3: lambda ctx: answers.append(ctx.buy(quantity=2, limit=50.0)),
        5: lambda ctx: answers.extend(
            [ctx.buy(quantity=1), ctx.close_position(), ctx.modify(2, limit=51.0), ctx.trailing_stop(trail=1.0)]
        ),
        6: lambda ctx: answers.append(ctx.cancel(2)),
        9: lambda ctx: answers.append(ctx.close_position()),
    }
    engine = run(script, bars, sessions=[codes(bars, (0, 4), (8, 12))])
    assert nt.accepted(answers[0])
    assert answers[1:5] == [nt.Denial.SESSION_CLOSED] * 4
    assert answers[5] == 1
    assert nt.accepted(answers[6])
    assert engine.fills()["bar"].tolist() == [2, 10]
    assert set(engine.denials()["reason"].tolist()) == {int(nt.Denial.SESSION_CLOSED)}


def test_nothing_fills_while_it_is_closed(run, make_bars):
    bars = hourly(make_bars)
    sessions = [codes(bars, (0, 4), (8, 12))]
    # Given at the last close of the first session: the market order, the stop and the limit wait for the next one.
    script = {3: lambda ctx: (ctx.buy(quantity=1), ctx.buy(quantity=1, stop=105.0), ctx.sell(quantity=1, limit=105.5))}
    engine = run(script, bars, sessions=sessions)
    assert engine.fills()["bar"].tolist() == [8, 8, 8]
    assert engine.fills()["price"].tolist() == [107.0, 107.0, 107.0]
    engine = run({1: lambda ctx: ctx.buy(quantity=1, stop_loss=90.0, take_profit=106.5)}, bars, sessions=sessions)
    assert engine.fills()["bar"].tolist() == [2, 8]


def test_at_the_close_too(run, make_bars):
    bars = hourly(make_bars)
    bars[5][:] = 1.0
    policy = nt.FillPolicy(market_at="same_close", volume_cap=0.5)
    engine = run({2: lambda ctx: ctx.buy(quantity=1.5)}, bars, policy=policy, sessions=[codes(bars, (0, 4), (8, 12))])
    assert engine.fills()["bar"].tolist() == [2, 3, 8]


def test_good_for_the_day_is_good_for_the_session(run, make_bars):
    bars = hourly(make_bars, 60)
    script = {
        1: lambda ctx: ctx.buy(quantity=1, limit=50.0, tif="day"),
        25: lambda ctx: ctx.buy(quantity=1, limit=50.0, tif="day"),
    }
    # The first session crosses midnight; its order lives on until the second begins.
    engine = run(script, bars, sessions=[codes(bars, (0, 30), (40, 60))])
    assert states(engine) == ["expired", "expired"]
    assert engine.orders()["done_bar"].tolist() == [40, 40]
    assert run(script, bars).orders()["done_bar"].tolist() == [24, 48]


def test_at_open_and_at_close_are_the_sessions(run, make_bars):
    bars = hourly(make_bars)
    script = {1: lambda ctx: (ctx.buy(quantity=1, at="open"), ctx.buy(quantity=1, at="close"))}
    engine = run(script, bars, sessions=[codes(bars, (0, 4), (8, 12))])
    assert list(zip(engine.fills()["order_id"], engine.fills()["bar"], engine.fills()["price"], strict=True)) == [
        (2, 3, 103.0),
        (1, 8, 107.0),
    ]
    assert run(script, bars).fills()["bar"].tolist() == [2, 2]


def test_a_liquidation_waits_for_the_session(run, make_bars):
    closes = np.array([100, 100, 100, 80, 80, 80, 80, 80.0])
    bars = make_bars(
        np.r_[100, closes[:-1]],
        np.maximum(np.r_[100, closes[:-1]], closes),
        np.minimum(np.r_[100, closes[:-1]], closes),
        closes,
        step_ns=HOUR_NS,
    )
    engine = run(
        {0: lambda ctx: ctx.buy(quantity=40)},
        bars,
        cash=1000.0,
        sessions=[codes(bars, (0, 2), (6, 8))],
        account=nt.Account(leverage=4.0, maintenance=0.125),
    )
    assert engine.margin_calls()["bar"].tolist() == [3]
    assert engine.fills()["bar"].tolist() == [1, 6]


def test_one_symbols_calendar_is_not_anothers(run, make_bars):
    bars, answers = hourly(make_bars), []
    engine = run(
        lambda ctx: answers.append((ctx.i, ctx.slot, nt.accepted(ctx.buy(quantity=1)))),
        bars,
        hourly(make_bars),
        sessions=[codes(bars, (0, 4), (8, 12)), None],
        cash=100_000.0,
    )
    assert [row[0] for row in answers if row[1] == 0 and row[2]] == [0, 1, 2, 3, 8, 9, 10, 11]
    assert all(row[2] for row in answers if row[1] == 1)
    assert engine.ledger()["balance"] == 0


@pytest.mark.parametrize("seed", range(12))
def test_random_sessions(seed, make_engine, make_random_bars):
    """Whatever is asked: no fill in a closed bar, and every order of one refused."""
    rng = np.random.default_rng(seed)
    bars = make_random_bars(seed, 200, step_ns=HOUR_NS)
    edges = np.unique(rng.choice(np.arange(0, 201), 20, replace=False)) * HOUR_NS
    edges = edges[: len(edges) // 2 * 2].reshape(-1, 2)
    column = Sessions(edges[:, 0], edges[:, 1]).codes(bars[0])

    def play(sessions):
        engine = make_engine(
            bars,
            policy="vectorbt" if seed % 3 == 0 else "conservative",
            sessions=sessions,
            account=nt.Account(leverage=20.0),
        )
        own = np.random.default_rng(seed)

        def on_bar(ctx):
            if own.random() < 0.6:
                kind = int(own.integers(0, 6))
                price = round(ctx.close * float(own.uniform(0.97, 1.03)), 2)
                given = [
                    {},
                    {"limit": price},
                    {"stop": price},
                    {"tif": "day", "limit": price},
                    {"at": "open"},
                    {"at": "close"},
                ][kind]
                (ctx.buy if own.random() < 0.5 else ctx.sell)(
                    quantity=float(own.integers(1, 9)), stop_loss_rate=0.02, **given
                )

        engine.bind_python(on_bar)
        engine.advance(engine.clock_count)
        engine.finish()
        assert engine.ledger()["balance"] == 0
        return engine

    engine = play([column])
    assert (column[engine.fills()["bar"]] >= 0).all()
    orders = engine.orders()
    asked = orders[orders["parent_id"] == 0]
    closed = column[asked["created_bar"]] < 0
    assert (asked["reason"][closed] == nt.Denial.SESSION_CLOSED).all()
    assert closed.any()
    assert not (asked["reason"][~closed] == nt.Denial.SESSION_CLOSED).any()


def test_codes_must_fit(make_engine, make_bars):
    bars = hourly(make_bars)
    with pytest.raises(nt.InputError, match=r"sessions\[0\] must have 12 rows, has 3"):
        make_engine(bars, sessions=[np.zeros(3, np.int32)])
    with pytest.raises(nt.InputError, match=r"sessions\[0\] must be a contiguous int32\[n\], was int64"):
        make_engine(bars, sessions=[np.zeros(12, np.int64)])
