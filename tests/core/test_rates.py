"""Symbols in other currencies: converted at the fill, marked at the latest rate, never at one of later."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.core.engine import EVENT_DTYPE, EVENT_KINDS
from neuraltrade.core.layouts import RATES_DTYPE
from neuraltrade.market.schedules import dues_of

_spec = importlib.util.spec_from_file_location("books_model", Path(__file__).with_name("books_model.py"))
books_model = sys.modules["books_model"] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(books_model)
DAY_NS, NANO, PICO = books_model.DAY_NS, books_model.NANO, books_model.PICO


def still(make_bars, *closes):
    """Bars that open at the close before and reach no further."""
    opens = np.r_[closes[0], closes[:-1]].astype(float)
    return make_bars(opens, np.maximum(opens, closes), np.minimum(opens, closes), closes)


def rates(*rows):
    """Rates known at the ends of days: (day, rate)."""
    return nt.Rates(np.array([day * DAY_NS for day, _ in rows]), [rate for _, rate in rows]).rows()


def test_a_fill_is_converted_at_the_rate_its_opening_saw(run, make_bars):
    bars = still(make_bars, 100, 100, 100, 100)
    series = rates((1, 1.10), (2, 1.20), (3, 1.30))
    engine = run({0: lambda ctx: ctx.buy(quantity=10)}, bars, rates=[series])
    # Decided after day 1, filled at the opening of day 2, which saw the rate of the end of day 1.
    assert engine.ledger()["cash"] == (10_000 - 1_100) * 10**6
    assert engine.ledger()["positions"]["S0"]["basis"] == 1_100 * 10**6
    # Marked at the latest rate: 1.2 at the end of day 2, 1.3 from day 3 on.
    assert engine.equity().tolist() == [10_000.0, 10_100.0, 10_200.0, 10_200.0]
    (row,) = engine.trades()
    assert (row["entry_price"], row["exit_price"], row["pnl"]) == (100.0, 100.0, 200.0)


def test_at_the_close_it_is_the_rate_of_the_close(run, make_bars):
    bars = still(make_bars, 100, 100, 100)
    engine = run({0: lambda ctx: ctx.buy(quantity=10)}, bars, rates=[rates((1, 1.1), (2, 1.2))], policy="vectorbt")
    assert engine.ledger()["positions"]["S0"]["basis"] == 1_100 * 10**6


def test_a_rate_between_bars_waits_for_the_mark(run, make_bars):
    bars = still(make_bars, 100, 100, 100)
    late = nt.Rates(np.array([DAY_NS, DAY_NS + 1]), [1.1, 5.0]).rows()
    engine = run({0: lambda ctx: ctx.buy(quantity=10)}, bars, rates=[late])
    assert engine.ledger()["positions"]["S0"]["basis"] == 1_100 * 10**6
    assert engine.equity().tolist() == [10_000.0, 13_900.0, 13_900.0]


def test_without_a_rate_orders_are_denied(run, make_bars):
    answers = []
    script = {i: (lambda ctx: answers.append(ctx.buy(quantity=1))) for i in range(3)}
    engine = run(script, still(make_bars, 100, 100, 100, 100), rates=[rates((2, 1.1))])
    assert answers[0] == nt.Denial.NO_RATE
    assert all(nt.accepted(answer) for answer in answers[1:])
    assert engine.denials()["reason"].tolist() == [nt.Denial.NO_RATE]
    assert engine.equity()[0] == 10_000.0


def test_sizes_and_limits_are_in_the_accounts_currency(run, make_bars):
    bars = still(make_bars, 100, 100, 100)
    half = [rates((1, 0.5))]
    engine = run({0: lambda ctx: ctx.buy()}, bars, rates=half, fees=nt.Fees(rate=0.001))
    assert engine.fills()["quantity"][0] == pytest.approx(10_000 / 50.05, abs=1e-6)
    assert 0 <= engine.ledger()["cash"] < 100
    engine = run({0: lambda ctx: ctx.buy()}, bars, rates=half, size=nt.Size.cash(500.0))
    assert engine.fills()["quantity"].tolist() == [10.0]
    answers = []
    script = {0: lambda ctx: answers.extend([ctx.buy(quantity=20), ctx.buy(quantity=20.1)])}
    run(script, bars, rates=half, risk=nt.RiskLimits(max_order_notional=1_000.0))
    assert nt.accepted(answers[0])
    assert answers[1] == nt.Denial.MAX_NOTIONAL
    engine = run({0: lambda ctx: ctx.buy()}, bars, rates=half, risk=nt.RiskLimits(max_order_notional=1_000.0))
    assert engine.fills()["quantity"].tolist() in ([20.0], [])
    answers = []
    script = {0: lambda ctx: ctx.buy(quantity=20), 2: lambda ctx: answers.append(ctx.buy(quantity=1))}
    rising = [rates((1, 0.5), (3, 0.6))]
    run(script, bars, rates=rising, risk=nt.RiskLimits(max_gross_exposure=1_100.0))
    assert answers == [nt.Denial.MAX_EXPOSURE]  # 20 units are worth 1,200 by now


def test_dividends_funding_and_borrowing_are_converted(run, make_bars):
    bars = still(make_bars, 100, 100, 100, 100)
    due = dues_of([nt.Dividends([2 * DAY_NS], [1.0]), nt.Funding([2 * DAY_NS], [0.001])])
    engine = run(
        {0: lambda ctx: ctx.sell(quantity=10)},
        bars,
        rates=[rates((1, 2.0))],
        dues=[due],
        account=nt.Account(borrow_rate=0.365),
    )
    assert engine.flows()["amount"].tolist() == [-2.0, -20.0, 1.98, -2.0]


def test_a_margin_call_may_come_from_the_rate(run, make_bars):
    bars = still(make_bars, 100, 100, 100, 100, 100)
    engine = run(
        {0: lambda ctx: ctx.buy(quantity=30)},
        bars,
        cash=1_000.0,
        rates=[rates((1, 1.0), (3, 0.7))],
        account=nt.Account(leverage=4.0, maintenance=0.1),
    )
    assert engine.margin_calls()["bar"].tolist() == [2]
    assert engine.margin_calls()["equity"].tolist() == [100.0]


def trader(rng):
    """Buys, sells and closes at random."""

    def on_bar(ctx):
        if rng.random() < 0.3:
            side = ctx.buy if rng.random() < 0.5 else ctx.sell
            side(quantity=round(float(rng.uniform(0.01, 30)), 3), take_profit_rate=0.1)
        elif rng.random() < 0.06:
            ctx.close_position()

    return on_bar


@pytest.mark.parametrize("seed", range(30))
def test_random_currencies_against_the_replay(seed, make_engine, make_random_bars):
    rng = np.random.default_rng(seed)
    count, digits, fifo = 1 + seed % 3, int(rng.choice([2, 6, 9])), bool(seed % 2)
    bars = [make_random_bars(seed * 13 + k, 120, step_ns=int(rng.choice([DAY_NS, DAY_NS // 3]))) for k in range(count)]
    series = []
    for own in bars:
        times = np.unique(rng.choice(own[0], 40) + rng.choice([0, 0, 1, -1, 10**12], 40))
        values = np.round(rng.uniform(0.5, 2.0) * np.exp(np.cumsum(rng.normal(0, 0.01, len(times)))), 7)
        series.append(None if rng.random() < 0.3 else nt.Rates(times.astype(np.int64), values))
    dues = [nt.Dividends(own[0][[20, 60]], [0.5, 0.25]) for own in bars]
    engine = make_engine(
        *bars,
        cash=30_000.0,
        fees=nt.Fees(rate=0.0007),
        instruments=[nt.Instrument(multiplier=2.5)] * count,
        account=nt.Account(
            lots="fifo" if fifo else "average", leverage=50.0, cash_digits=digits, borrow_rate=0.07, interest_rate=0.11
        ),
        rates=[None if one is None else one.rows() for one in series],
        dues=[dues_of([one]) for one in dues],
        policy="vectorbt" if count == 1 and seed % 4 == 0 else "conservative",
    )

    engine.bind_python(trader(rng))
    engine.advance(engine.clock_count)
    engine.finish()
    books = books_model.Books(30_000 * 10**digits, digits, count, fifo)
    known = []
    for holding, one in zip(books.held, series, strict=True):
        holding.multiplier = round(2.5 * NANO)
        if one is not None:
            holding.rate = 0
            known.append([(int(ts), round(rate * PICO)) for ts, rate in zip(one.ts_ns, one.rate, strict=True)])
        else:
            known.append(None)
    falling_due = [
        [(int(ts), 3, round(amount * NANO), 1) for ts, amount in zip(one.ts_ns, one.amount, strict=True)]
        for one in dues
    ]
    log = engine.events().view(EVENT_DTYPE)
    market = engine.orders()[engine.orders()["type"] == 0]["order_id"].tolist()
    replay = books_model.Replay(
        books,
        bars,
        falling_due,
        log,
        borrow=7 * 10**10,
        interest=11 * 10**10,
        rates=known,
        at_close=market if count == 1 and seed % 4 == 0 else (),
    )
    equity = engine.equity()
    replay.run()
    books.check(engine.ledger())
    worth = sum(books.worth(slot, round(float(own[4][-1]) * 1e9)) for slot, own in enumerate(bars))
    assert equity[-1] == pytest.approx((books.cash + worth) / 10**digits, abs=5 * 10**-digits + 1e-6)
    assert len(log[log["kind"] == EVENT_KINDS.index("fill")]) > 10


def test_rates_must_be_rows(make_engine, make_random_bars):
    bars = make_random_bars(1, 5)
    with pytest.raises(nt.InputError, match="rates: one for each of 1 symbols, got 0"):
        make_engine(bars, rates=[])
    with pytest.raises(nt.InputError, match=r"rates\[0\] must be a contiguous RATES_DTYPE\[n\], was float64"):
        make_engine(bars, rates=[np.ones(3)])
    for wrong in ([], [(2, 5), (1, 5)], [(1, 0)]):
        with pytest.raises(nt.InputError, match=r"rates\[0\] must be rates above 0 at ascending times, at least one"):
            make_engine(bars, rates=[np.array(wrong, RATES_DTYPE)])
