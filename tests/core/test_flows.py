"""Borrowing, interest, funding, dividends and splits: one by one, and against a replay in Python integers."""

import importlib.util
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.core.engine import EVENT_DTYPE, EVENT_KINDS, ORDER_STATES
from neuraltrade.core.layouts import DUE_DTYPE, FLOW_KINDS
from neuraltrade.market.schedules import dues_of

_spec = importlib.util.spec_from_file_location("books_model", Path(__file__).with_name("books_model.py"))
books_model = sys.modules["books_model"] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(books_model)
DAY_NS, NANO, PICO = books_model.DAY_NS, books_model.NANO, books_model.PICO
HOUR_NS = DAY_NS // 24


def still(make_bars, *closes, step_ns=DAY_NS):
    """Bars that open at the close before and reach no further."""
    opens = np.r_[closes[0], closes[:-1]].astype(float)
    return make_bars(opens, np.maximum(opens, closes), np.minimum(opens, closes), closes, step_ns=step_ns)


def flow_events(engine):
    log = engine.events().view(EVENT_DTYPE)
    return log[log["kind"] == EVENT_KINDS.index("flow")]


def test_a_dividend_goes_to_who_holds_before_the_ex_date(run, make_bars):
    bars = still(make_bars, 100, 100, 100, 98, 98)
    due = dues_of([nt.Dividends([3 * DAY_NS], [2.0])])
    engine = run({0: lambda ctx: ctx.buy(quantity=10)}, bars, dues=[due])
    (row,) = engine.flows()
    # Bar 2 ends at the ex date, so bar 3 is the first without the dividend.
    assert (row["bar"], row["ts_ns"], row["symbol"], FLOW_KINDS[row["kind"]]) == (3, 3 * DAY_NS, 0, "dividend")
    assert (row["amount"], row["quantity"], row["rate"]) == (20.0, 10.0, 2.0)
    assert engine.equity().tolist() == [10_000.0, 10_000.0, 10_000.0, 10_000.0, 10_000.0]
    (event,) = flow_events(engine)
    assert (event["bar"], event["value"], event["price"], event["extra"]) == (3, 20_000_000, 2 * NANO, 3 * DAY_NS)
    late = run({2: lambda ctx: ctx.buy(quantity=10)}, bars, dues=[due])
    assert len(late.flows()) == 0
    leaving = run({0: lambda ctx: ctx.buy(quantity=10), 2: lambda ctx: ctx.close_position()}, bars, dues=[due])
    assert leaving.flows()["amount"].tolist() == [20.0]


def test_a_short_pays_the_dividend(run, make_bars):
    bars = still(make_bars, 100, 100, 100, 98)
    engine = run({0: lambda ctx: ctx.sell(quantity=10)}, bars, dues=[dues_of([nt.Dividends([3 * DAY_NS], [2.0])])])
    assert engine.flows()["amount"].tolist() == [-20.0]
    assert engine.equity()[-1] == 10_000.0
    position = engine.ledger()["positions"]["S0"]
    assert position["flows"] == -20_000_000


def test_a_dividend_is_per_unit_and_multiplier(run, make_bars):
    bars = still(make_bars, 100, 100, 100)
    engine = run(
        {0: lambda ctx: ctx.buy(quantity=3)},
        bars,
        dues=[dues_of([nt.Dividends([2 * DAY_NS], [0.333])])],
        instruments=[nt.Instrument(multiplier=10.0)],
    )
    assert engine.flows()["amount"].tolist() == [9.99]


def test_funding_is_paid_by_longs_at_the_last_close(run, make_bars):
    bars = still(make_bars, 100, 110, 120, 130)
    due = dues_of([nt.Funding([2 * DAY_NS, 2 * DAY_NS + HOUR_NS, 3 * DAY_NS], [0.001, -0.0005, 0.0])])
    engine = run({0: lambda ctx: ctx.buy(quantity=10)}, bars, dues=[due])
    rows = engine.flows()
    assert rows["bar"].tolist() == [2, 2]
    assert rows["amount"].tolist() == [-1.1, 0.55]
    assert rows["rate"].tolist() == [0.001, -0.0005]
    short = run({0: lambda ctx: ctx.sell(quantity=10)}, bars, dues=[due])
    assert short.flows()["amount"].tolist() == [1.1, -0.55]


def test_a_split_changes_units_and_not_money(run, make_bars):
    bars = still(make_bars, 700, 700, 700, 100, 110)
    seen = []
    script = {0: lambda ctx: ctx.buy(quantity=10), 3: lambda ctx: seen.append((ctx.position, ctx.entry_price))}
    engine = run(script, bars, dues=[dues_of([nt.Splits([3 * DAY_NS], [7])])])
    assert seen == [(70.0, 100.0)]
    (row,) = engine.flows()
    assert (row["bar"], row["amount"], row["quantity"], row["rate"]) == (3, 0.0, 70.0, 7.0)
    assert engine.equity().tolist() == [10_000.0] * 4 + [10_700.0]
    position = engine.ledger()["positions"]["S0"]
    assert (position["quantity"], position["basis"], position["entry_price"]) == (70 * NANO, 7000 * 10**6, 100 * NANO)


def test_a_split_keeps_what_is_less_than_a_unit(run, make_bars):
    bars = still(make_bars, 100, 100, 100, 300, 300)
    due = [dues_of([nt.Splits([3 * DAY_NS], ["1/3"])])]
    lot = [nt.Instrument(lot=1.0)]
    engine = run(
        {0: lambda ctx: ctx.buy(quantity=10), 3: lambda ctx: ctx.close_position()}, bars, dues=due, instruments=lot
    )
    assert engine.flows()["quantity"].tolist() == [3.333333333]
    assert engine.fills()["quantity"].tolist() == [10.0, 3.333333333]
    assert engine.ledger()["positions"]["S0"]["quantity"] == 0


def test_a_reverse_split_never_takes_a_position_away(run, make_bars):
    bars = still(make_bars, 100, 100, 100, 100, 100)
    engine = run({0: lambda ctx: ctx.buy(quantity=1e-9)}, bars, dues=[dues_of([nt.Splits([3 * DAY_NS], ["1/1000"])])])
    assert engine.ledger()["positions"]["S0"]["quantity"] == 1


def test_working_orders_follow_the_split(run, make_bars):
    bars = make_bars(
        [600, 600, 600, 300, 300, 270],
        [600, 600, 600, 300, 300, 270],
        [600, 600, 600, 300, 270, 250],
        [600, 600, 600, 300, 270, 250],
    )
    script = {
        0: lambda ctx: (
            ctx.buy(quantity=5, stop_loss=520.02, take_profit=700.02),
            ctx.buy(quantity=3, limit=520.0, stop_loss=500.0),
            ctx.sell(quantity=4, stop=400.0),
        )
    }
    engine = run(script, bars, dues=[dues_of([nt.Splits([3 * DAY_NS], [2])])], instruments=[nt.Instrument(tick=0.02)])
    rows = engine.orders()
    by_id = {int(row["order_id"]): row for row in rows}
    loss, profit = (row for row in rows if row["parent_id"] == 1)
    assert (loss["quantity"], loss["stop_price"]) == (10.0, 260.0)  # 260.01 lies between two ticks: the even one
    assert (profit["quantity"], profit["limit_price"]) == (10.0, 350.0)
    assert (by_id[2]["quantity"], by_id[2]["limit_price"]) == (6.0, 260.0)
    assert (by_id[3]["quantity"], by_id[3]["stop_price"]) == (8.0, 200.0)
    assert ORDER_STATES[loss["status"]] == "filled"
    (child,) = (row for row in rows if row["parent_id"] == 2)
    assert (child["quantity"], child["stop_price"]) == (6.0, 250.0)
    log = engine.events().view(EVENT_DTYPE)
    modified = log[log["kind"] == EVENT_KINDS.index("modified")]
    assert sorted(modified["id"].tolist()) == [2, 3, int(loss["order_id"]), int(profit["order_id"])]
    assert ORDER_STATES[child["status"]] == "filled"
    assert engine.ledger()["positions"]["S0"]["quantity"] == 0


def test_a_trailing_stop_follows_the_split(run, make_bars):
    bars = make_bars(
        [100, 100, 120, 60, 60, 50],
        [100, 120, 120, 60, 60, 50],
        [100, 100, 120, 60, 56, 50],
        [100, 120, 120, 60, 57, 50],
    )
    engine = run({0: lambda ctx: ctx.buy(quantity=1, trail=10.0)}, bars, dues=[dues_of([nt.Splits([3 * DAY_NS], [2])])])
    # The peak of 120 and the distance of 10 are 60 and 5 afterwards.
    fill = engine.fills()[-1]
    assert (fill["bar"], fill["price"], fill["quantity"]) == (5, 50.0, 2.0)
    assert engine.orders()[-1]["stop_price"] == 55.0


def test_a_part_filled_before_the_split_stays_what_it_was(run, make_bars):
    bars = still(make_bars, 100, 100, 100, 50, 50, 50)
    bars[5][:] = 8.0
    policy = nt.FillPolicy(volume_cap=0.5)
    engine = run(
        {0: lambda ctx: ctx.buy(quantity=10)}, bars, policy=policy, dues=[dues_of([nt.Splits([3 * DAY_NS], [2])])]
    )
    # 4 of 10 in bar 1, 4 in bar 2, and of the last 2 the split makes 4.
    assert engine.fills()["quantity"].tolist() == [4.0, 4.0, 4.0]
    (order,) = engine.orders()
    assert (order["quantity"], order["filled"], ORDER_STATES[order["status"]]) == (12.0, 12.0, "filled")
    assert engine.ledger()["positions"]["S0"]["quantity"] == 20 * NANO


def test_what_is_due_together_goes_split_dividend_funding(run, make_bars):
    bars = still(make_bars, 100, 100, 100, 50)
    together = [nt.Funding([3 * DAY_NS], [0.01]), nt.Dividends([3 * DAY_NS], [2.0]), nt.Splits([3 * DAY_NS], [2])]
    engine = run({0: lambda ctx: ctx.buy(quantity=10)}, bars, dues=[dues_of(together)])
    rows = engine.flows()
    assert [FLOW_KINDS[kind] for kind in rows["kind"]] == ["split", "dividend", "funding"]
    assert rows["amount"].tolist() == [0.0, 40.0, -9.6]  # 20 units at 50 less 2


def test_borrowing_is_by_the_midnight(run, make_bars):
    bars = still(make_bars, *[100.0] * 60, step_ns=HOUR_NS)
    account = nt.Account(borrow_rate=0.365)
    engine = run({0: lambda ctx: ctx.sell(quantity=10)}, bars, account=account)
    rows = engine.flows()
    assert rows["bar"].tolist() == [24, 48]
    assert rows["ts_ns"].tolist() == [DAY_NS, 2 * DAY_NS]
    assert rows["amount"].tolist() == [-1.0, -1.0]
    assert {FLOW_KINDS[kind] for kind in rows["kind"]} == {"borrow"}
    inside = {0: lambda ctx: ctx.sell(quantity=10), 20: lambda ctx: ctx.close_position()}
    assert len(run(inside, bars, account=account).flows()) == 0
    assert len(run({0: lambda ctx: ctx.buy(quantity=10)}, bars, account=account).flows()) == 0


def test_a_weekend_is_three_midnights(run, make_bars):
    bars = still(make_bars, *[100.0] * 5)
    bars[0][3:] += 2 * DAY_NS
    engine = run({0: lambda ctx: ctx.sell(quantity=10)}, bars, account=nt.Account(borrow_rate=0.365))
    assert engine.flows()["amount"].tolist() == [-1.0, -3.0, -1.0]


def test_debts_cost_interest(run, make_bars):
    bars = still(make_bars, *[100.0] * 5)
    account = nt.Account(interest_rate=0.0365, leverage=2.0)
    engine = run({0: lambda ctx: ctx.buy(quantity=150)}, bars, account=account)
    rows = engine.flows()
    assert rows["amount"].tolist() == [-0.5, -0.50005, -0.5001]
    assert rows["symbol"].tolist() == [-1, -1, -1]
    assert np.isnan(rows["quantity"]).all()
    ledger = engine.ledger()
    assert ledger["interest"] == -1_500_150
    assert ledger["balance"] == 0
    assert len(run({0: lambda ctx: ctx.buy(quantity=100)}, bars, account=account).flows()) == 0


def test_before_1970_days_are_days(run, make_bars):
    bars = still(make_bars, *[100.0] * 4)
    bars[0][:] -= 400 * DAY_NS
    engine = run({0: lambda ctx: ctx.sell(quantity=10)}, bars, account=nt.Account(borrow_rate=0.365))
    assert engine.flows()["amount"].tolist() == [-1.0, -1.0]


def random_dues(rng, clock):
    """Dividends, splits and funding of one symbol, some at the ends of bars and some together."""

    def times(count):
        picked = rng.choice(clock, count, replace=False) + rng.choice([0, 0, 1, -HOUR_NS], count)
        return np.unique(picked.astype(np.int64))

    found = []
    if rng.random() < 0.7:
        at = times(6)
        found.append(nt.Dividends(at, np.round(rng.uniform(0.001, 3, len(at)), 4)))
    if rng.random() < 0.7:
        at = times(4)
        found.append(nt.Splits(at, [str(rng.choice(["2", "3", "3/2", "1/3", "7/5", "1/10"])) for _ in at]))
    if rng.random() < 0.7 or not found:
        at = times(12)
        found.append(nt.Funding(at, np.round(rng.normal(0, 0.002, len(at)), 7)))
    return found


def due_tuples(own):
    """What `dues_of` makes of one symbol's actions, found anew."""
    rows = []
    for action in own:
        for at, ts in enumerate(action.ts_ns):
            if isinstance(action, nt.Splits):
                ratio = action.ratio[at]
                rows.append((int(ts), 4, ratio.numerator, ratio.denominator))
            elif isinstance(action, nt.Dividends):
                rows.append((int(ts), 3, round(Fraction(str(action.amount[at])) * NANO), 1))
            else:
                rows.append((int(ts), 2, round(Fraction(repr(float(action.rate[at]))) * PICO), 1))
    return sorted(rows, key=lambda row: (row[0], -row[1]))


@pytest.mark.parametrize("seed", range(36))
def test_random_flows_against_the_replay(seed, make_engine, make_random_bars):
    rng = np.random.default_rng(seed)
    count, digits, fifo = 1 + seed % 3, int(rng.choice([2, 6, 9])), bool(seed % 2)
    multipliers = [float(rng.choice([1.0, 1.0, 0.1, 25.0])) for _ in range(count)]
    bars = [make_random_bars(seed * 11 + k, 140, step_ns=int(rng.choice([DAY_NS, 5 * HOUR_NS]))) for k in range(count)]
    actions = [random_dues(rng, own[0]) for own in bars]
    given = nt.Account(
        lots="fifo" if fifo else "average", leverage=50.0, cash_digits=digits, borrow_rate=0.07, interest_rate=0.11
    )
    same_close = count == 1 and rng.random() < 0.5  # else the replay cannot tell a fill at the close from one inside
    engine = make_engine(
        *bars,
        cash=20_000.0,
        account=given,
        fees=nt.Fees(rate=0.0007),
        policy="vectorbt" if same_close else "conservative",
        instruments=[nt.Instrument(multiplier=m) for m in multipliers],
        dues=[dues_of(own) for own in actions],
    )
    seen = []

    def on_bar(ctx):
        if rng.random() < 0.3:
            (ctx.buy if rng.random() < 0.5 else ctx.sell)(
                quantity=round(float(rng.uniform(0.01, 30)), 3), stop_loss_rate=0.1
            )
        elif rng.random() < 0.06:
            ctx.close_position()
        seen.append((ctx.i, ctx.slot, ctx.position, ctx.entry_price))

    engine.bind_python(on_bar)
    engine.advance(engine.clock_count)
    engine.finish()
    books = books_model.Books(20_000 * 10**digits, digits, count, fifo)
    for holding, multiplier in zip(books.held, multipliers, strict=True):
        holding.multiplier = round(multiplier * NANO)
    dues = [due_tuples(own) for own in actions]
    replay = books_model.Replay(
        books, bars, dues, engine.events().view(EVENT_DTYPE), borrow=7 * 10**10, interest=11 * 10**10
    )
    replay.run()
    found = [
        tuple(int(row[name]) for name in ("bar", "extra", "symbol", "code", "quantity", "value"))
        for row in flow_events(engine)
    ]
    assert found == replay.flows
    books.check(engine.ledger())
    assert len(found) >= 3
    scale = 10**digits
    rows = engine.flows()
    cash_rows = [row for row in replay.flows if row[3] != 4]
    assert rows["amount"][rows["kind"] != 4].tolist() == [row[5] / scale for row in cash_rows]


def test_dues_must_be_rows(make_engine, make_random_bars):
    bars = make_random_bars(1, 5)
    with pytest.raises(nt.InputError, match="dues: one for each of 1 symbols, got 2"):
        make_engine(bars, dues=[None, None])
    with pytest.raises(nt.InputError, match=r"dues\[0\] must be a contiguous DUE_DTYPE\[n\], was int64"):
        make_engine(bars, dues=[np.zeros(3, np.int64)])
    with pytest.raises(nt.InputError, match=r"contiguous DUE_DTYPE"):
        make_engine(bars, dues=[np.zeros(6, DUE_DTYPE)[::2]])


@pytest.mark.parametrize("name", ["borrow_rate", "interest_rate"])
@pytest.mark.parametrize("wrong", [-0.01, 10.1, float("nan"), "x", True])
def test_rates_out_of_range(name, wrong):
    with pytest.raises(nt.InputError, match=f"Account: {name} must be"):
        nt.Account(**{name: wrong})
