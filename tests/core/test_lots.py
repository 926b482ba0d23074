"""Lots: first in, first out against a replay in Python integers, and against average cost where they must agree."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.core.engine import EVENT_DTYPE, EVENT_KINDS

_spec = importlib.util.spec_from_file_location("books_model", Path(__file__).with_name("books_model.py"))
books_model = sys.modules["books_model"] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(books_model)
NANO = books_model.NANO

FIFO = nt.Account(lots="fifo", leverage=10.0)
AVERAGE = nt.Account(leverage=10.0)


def flat_bars(make_bars, *closes):
    """Bars that open at the close before and reach no further."""
    opens = np.r_[closes[0], closes[:-1]].astype(float)
    return make_bars(opens, np.maximum(opens, closes), np.minimum(opens, closes), closes)


def test_the_oldest_lot_goes_first(run, make_bars):
    script = {
        0: lambda ctx: ctx.buy(quantity=10),
        1: lambda ctx: ctx.buy(quantity=10),
        2: lambda ctx: ctx.sell(quantity=15),
    }
    bars = flat_bars(make_bars, 100, 110, 120, 120)
    engine = run(script, bars, account=FIFO, fees=nt.Fees(fixed=3.0))
    rows = engine.trades()
    # Lots at 100 and at 110, 15 sold at 120: all of the first, half of the second; the exit fee of 3 goes 2 to 1.
    assert rows["quantity"].tolist() == [10.0, 5.0, 5.0]
    assert rows["entry_price"].tolist() == [100.0, 110.0, 110.0]
    assert rows["fees"].tolist() == [5.0, 2.5, 1.5]
    assert rows["pnl"].tolist() == [195.0, 47.5, 48.5]
    assert rows["entry_bar"].tolist() == [1, 2, 2]
    assert rows["entry_order_id"].tolist() == [1, 2, 2]
    assert rows["exit_order_id"].tolist() == [3, 3, 0]
    assert rows["open"].tolist() == [False, False, True]
    position = engine.ledger()["positions"]["S0"]
    assert (position["realised"], position["basis"]) == (250 * 10**6, 550 * 10**6)
    assert (position["entry_price"], position["entry_fees"]) == (110 * NANO, 1_500_000)
    averaged = run(script, bars, account=AVERAGE, fees=nt.Fees(fixed=3.0))
    assert averaged.trades()["quantity"].tolist() == [15.0, 5.0]
    assert averaged.ledger()["positions"]["S0"]["realised"] == 225 * 10**6
    assert averaged.ledger()["cash"] == engine.ledger()["cash"]


def test_a_reversal_closes_every_lot_and_opens_one(run, make_bars):
    script = {
        0: lambda ctx: ctx.sell(quantity=4),
        1: lambda ctx: ctx.sell(quantity=6),
        2: lambda ctx: ctx.buy(quantity=25),
        3: lambda ctx: ctx.sell(quantity=15),
    }
    engine = run(script, flat_bars(make_bars, 100, 90, 80, 85, 85), account=FIFO, fees=nt.Fees(per_unit=0.1))
    rows = engine.trades()
    assert rows["direction"].tolist() == [-1, -1, 1]
    assert rows["quantity"].tolist() == [4.0, 6.0, 15.0]
    assert rows["pnl"].tolist() == pytest.approx([80 - 0.8, 60 - 1.2, 75 - 3.0], abs=1e-9)
    assert engine.ledger()["positions"]["S0"]["quantity"] == 0


def test_the_context_sees_the_average_of_what_is_left(run, make_bars):
    seen = []
    script = {
        0: lambda ctx: ctx.buy(quantity=10),
        1: lambda ctx: (seen.append(ctx.entry_price), ctx.buy(quantity=10)),
        2: lambda ctx: (seen.append(ctx.entry_price), ctx.sell(quantity=15)),
        3: lambda ctx: (seen.append(ctx.entry_price), ctx.close_position()),
        4: lambda ctx: seen.append(ctx.entry_price),
    }
    run(script, flat_bars(make_bars, 100, 110, 120, 120, 120), account=FIFO)
    assert seen[:3] == [100.0, 105.0, 110.0]
    assert np.isnan(seen[3])


def test_a_thousand_lots_are_one_position(run, make_bars):
    closes = [100 + i % 7 for i in range(1200)]
    script = {i: (lambda ctx: ctx.buy(quantity=1)) for i in range(1000)}
    script[1100] = lambda ctx: ctx.close_position()
    engine = run(script, flat_bars(make_bars, *closes), cash=1_000_000.0, account=FIFO)
    rows = engine.trades()
    assert len(rows) == 1000
    assert rows["entry_bar"].tolist() == list(range(1, 1001))
    assert engine.ledger()["positions"]["S0"]["basis"] == 0


@pytest.mark.parametrize("wrong", ["FIFO", "lifo", None, 1])
def test_unknown_lots(wrong):
    with pytest.raises(nt.InputError, match="Account: lots must be one of average, fifo, was"):
        nt.Account(lots=wrong)


def random_script(rng):
    def on_bar(ctx):
        if rng.random() < 0.45:
            side = ctx.buy if rng.random() < 0.5 else ctx.sell
            side(quantity=round(float(rng.uniform(0.001, 30)), int(rng.integers(0, 9))) or 1.0)
        elif rng.random() < 0.06:
            ctx.close_position()

    return on_bar


def replay(engine, fifo, cash, digits, multipliers):
    books = books_model.Books(cash, digits, len(multipliers), fifo)
    for holding, multiplier in zip(books.held, multipliers, strict=True):
        holding.multiplier = round(multiplier * NANO)
    log = engine.events().view(EVENT_DTYPE)
    for row in log[log["kind"] == EVENT_KINDS.index("fill")]:
        books.fill(*(int(row[name]) for name in ("symbol", "side", "quantity", "price", "extra", "bar", "id")))
        assert books.cash == row["value"]
    return books


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("fifo", [False, True], ids=["average", "fifo"])
def test_random_orders_against_the_replay(seed, fifo, make_engine, make_random_bars):
    rng = np.random.default_rng(seed)
    count, digits = 1 + seed % 3, int(rng.choice([2, 6, 9]))
    multipliers = [float(rng.choice([1.0, 1.0, 0.1, 25.0])) for _ in range(count)]
    bars = [make_random_bars(seed * 7 + k, 150) for k in range(count)]
    given = nt.Account(lots="fifo" if fifo else "average", leverage=50.0, cash_digits=digits)
    engine = make_engine(
        *bars,
        cash=100_000.0,
        account=given,
        fees=nt.Fees(rate=0.0007, fixed=0.13),
        instruments=[nt.Instrument(multiplier=m) for m in multipliers],
    )
    engine.bind_python(random_script(rng))
    engine.advance(engine.clock_count)
    engine.finish()
    books = replay(engine, fifo, 100_000 * 10**digits, digits, multipliers)
    ledger = engine.ledger()
    assert ledger["balance"] == 0
    assert ledger["cash"] == books.cash
    for slot, position in enumerate(ledger["positions"].values()):
        own = books.held[slot]
        expected = (own.quantity, own.basis, own.realised, own.fees, books.entry_price(slot), own.entry_fees)
        assert tuple(position.values())[:6] == expected
    rows = engine.trades()
    closed = rows[~rows["open"]]
    scale = 10**digits
    assert [
        (int(r["symbol"]), int(r["direction"]), round(r["quantity"] * 1e9), int(r["entry_bar"]), int(r["exit_bar"]))
        for r in closed
    ] == [(c.slot, c.direction, c.quantity, c.entry_bar, c.exit_bar) for c in books.closed]
    assert closed["entry_order_id"].tolist() == [c.entry_order_id for c in books.closed]
    assert closed["exit_order_id"].tolist() == [c.exit_order_id for c in books.closed]
    assert closed["entry_price"].tolist() == [c.entry_price / 1e9 for c in books.closed]
    assert closed["pnl"].tolist() == [(c.realised - c.fees) / scale for c in books.closed]
    assert closed["fees"].tolist() == [c.fees / scale for c in books.closed]
    # What the rows say and what the ledger says is the same money.
    assert sum(c.realised for c in books.closed) == sum(h.realised for h in books.held)
    assert sum(c.fees for c in books.closed) == sum(h.fees - h.entry_fees for h in books.held)
    assert len(closed) > 20


@pytest.mark.parametrize("seed", range(6))
def test_lots_change_neither_cash_nor_equity_nor_digest(seed, make_random_bars):
    bars = make_random_bars(seed, 300)
    data = nt.Bars("A", *bars)
    rng = np.random.default_rng(seed)
    steps = {int(i): float(rng.integers(-9, 10)) for i in rng.choice(300, 120, replace=False)}

    class Steps(nt.Strategy):
        def on_bar(self, ctx):
            change = steps.get(ctx.i, 0.0)
            if change > 0:
                ctx.buy(quantity=change)
            elif change < 0:
                ctx.sell(quantity=-change)

    one, other = (nt.backtest(data, Steps, account=given, fees=0.001) for given in (FIFO, AVERAGE))
    assert one.equity.tolist() == other.equity.tolist()
    assert one.digest == other.digest
    assert len(one.trades) > len(other.trades)
    assert one.trades["pnl"].sum() == pytest.approx(other.trades["pnl"].sum(), rel=1e-9)
