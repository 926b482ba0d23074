"""SessionMemory rebuilt from an engine's events."""

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.clock import FixedClock
from neuraltrade.core.engine import Engine
from neuraltrade.core.layouts import EVENT_DTYPE, EVENT_KINDS, ORDER_STATES
from neuraltrade.core.settings import Account, Fees, FillPolicy, Instrument, Size, Slippage


def event(kind, order_id, *, symbol=0, side=0, quantity=0.0, price=0.0, fee=0.0, code=0):
    row = np.zeros(1, EVENT_DTYPE)
    row["kind"], row["id"], row["symbol"], row["side"], row["code"] = (
        EVENT_KINDS.index(kind),
        order_id,
        symbol,
        side,
        code,
    )
    row["quantity"], row["price"], row["extra"] = round(quantity * 1e9), round(price * 1e9), round(fee * 1e6)
    return row


PART, FULL = ORDER_STATES.index("partially_filled"), ORDER_STATES.index("filled")
EVENTS = np.concatenate([
    event("signal", 1, side=1),
    event("order", 1, side=1, quantity=10),
    event("denied", 2, side=1, code=-120),
    event("fill", 1, side=1, quantity=4, price=10.1, fee=0.1, code=PART),
    event("order", 3, symbol=1, side=-1, quantity=5),
    event("fill", 1, side=1, quantity=6, price=10.2, fee=0.1, code=FULL),
    event("order", 4, side=-1, quantity=10),
    event("cancelled", 3, symbol=1),
    event("fill", 4, side=-1, quantity=3, price=11.0, code=PART),
])  # fmt: skip


@pytest.mark.parametrize("form", [EVENTS, EVENTS.view(np.uint8)], ids=["rows", "bytes"])
def test_rebuilt_from_events(form):
    session = nt.SessionMemory.from_events(form, ["AAPL", "IBM"], cash=1_000.0)
    held = session.position("AAPL")
    assert held.quantity == 7.0 and held.fees == 0.2 and session.balance == 0
    assert session.cash == pytest.approx(1_000 - 40.4 - 61.2 - 0.2 + 33.0, abs=1e-9)
    assert session.active_orders == [4]
    assert session.position("IBM") is None


@pytest.mark.parametrize(
    ("events", "message"),
    [(np.zeros(3), "events must be EVENT_DTYPE"), (np.zeros(63, np.uint8), "events must be"),
     (EVENTS.reshape(3, 3), "events must be"), (event("order", 1, symbol=2), r"events must name slots in 0\.\.1"),
     (event("order", 1, symbol=-1), "events must name slots")],
)  # fmt: skip
def test_refuses(events, message):
    session = nt.SessionMemory()
    with pytest.raises(nt.InputError, match=message):
        session.apply_events(events, ["AAPL", "IBM"])
    assert session.symbols == () and session.active_count == 0


def test_follows_a_real_run_to_the_last_unit():
    bars = nt.datasets.load("GOOG")
    engine = Engine(["GOOG"], [bars.columns()], cash=10_000.0, policy=FillPolicy(), fees=Fees(rate=0.001),
                    slippage=Slippage(), size=Size.all_in(), risk=None, instruments=[Instrument()],
                    account=Account())  # fmt: skip

    def on_bar(ctx):
        if ctx.i % 40 == 4 and ctx.i < 2_000:
            ctx.cancel_all()
        elif ctx.i % 40 == 5:
            ctx.buy(stop_loss=ctx.close * 0.97, take_profit=ctx.close * 1.2)
        elif ctx.i % 40 == 25:
            ctx.close_position()
        elif ctx.i % 40 == 30:
            ctx.buy(quantity=1, limit=ctx.close * 0.5)

    engine.bind_python(on_bar)
    engine.advance(len(bars))
    engine.finish()
    session = nt.SessionMemory.from_events(engine.events(), ["GOOG"], cash=10_000.0)
    fills, orders = engine.fills(), engine.orders()
    working = orders["order_id"][orders["done_bar"] < 0]
    assert len(fills) > 50 and len(working) > 2
    assert session.active_orders == working.tolist()
    assert session.position("GOOG").quantity == pytest.approx((fills["side"] * fills["quantity"]).sum(), abs=1e-9)
    assert session.cash == engine.cash and session.balance == 0


class Busy(nt.Strategy):
    """Signals, market and limit orders, changes of them; something is working at the end."""

    def init(self, data):
        """Nothing to prepare."""

    def on_bar(self, ctx):
        """By the bar's number."""
        if ctx.i % 20 == 4:
            ctx.signal("long" if ctx.i % 40 == 4 else "close", 0.25 + ctx.i / 1000)
        if ctx.i % 20 == 5:
            ctx.buy(quantity=3)
        elif ctx.i % 20 == 15:
            ctx.close_position()
        elif ctx.i % 50 == 30:
            ctx.buy(quantity=7, limit=round(ctx.close * 0.5, 2))
        elif ctx.i == 134:
            ctx.modify(
                ctx.buy(quantity=5, limit=round(ctx.close * 0.4, 2)), quantity=6, limit=round(ctx.close * 0.3, 2)
            )


def plain(session):
    """What a session holds, without ids."""
    held = {name: session.position(name) for name in session.symbols}
    return (
        {name: (one.quantity, one.average_price, one.realised, one.fees) for name, one in held.items()},
        [(one.symbol, one.side, one.quantity, one.filled, one.limit_price, one.ts_ns) for one in session.orders()],
        {name: session.signals(name, 99)[["ts_ns", "confidence", "direction"]].tolist() for name in held},
        session.cash,
    )


def test_rebuilt_from_records_as_from_events(tmp_path):
    bars = nt.datasets.load("AAPL")[-135:]
    settings = {"cash": 1e6, "multipliers": {"AAPL": 25.0}, "ring": 100}
    with nt.AgentDB.open(tmp_path / "m") as db:
        db.observe(bars)
        contract = {"AAPL": nt.Instrument(multiplier=25)}
        journal = nt.memory.Journal(db)
        run = nt.backtest(bars, Busy, cash=1e6, fees=nt.Fees(fixed=0.5), instruments=contract, journal=journal)
        of_events = nt.SessionMemory.from_events(run.events, ["AAPL"], **settings)
        implied = db.signals.range(where=nt.Filter.gt("confidence", 0.999))
        db.signals.delete(implied.ids)  # a journal gives every entry a signal, an engine does not
        of_records = nt.SessionMemory.from_db(db, clock=FixedClock(int(bars.ts_ns[-1])), **settings)
        assert plain(of_events) == plain(of_records)
        assert of_events.balance == of_records.balance == 0 and of_records.position("AAPL").quantity != 0
        assert [one.quantity for one in of_records.orders("AAPL")] == [7.0, 7.0, 7.0, 6.0]
        recent = of_records.recent("AAPL", 100)
        assert np.array_equal(recent["ts_ns"], bars.ts_ns[-100:]) and np.array_equal(recent["price"], bars.close[-100:])
        assert of_records.market_state("AAPL").last == bars.close[-1]
        early = nt.SessionMemory.from_db(db, as_of=int(bars.ts_ns[19]), **settings)
        assert early.position("AAPL").quantity == 0.0 and len(early.recent("AAPL", 100)) == 20
        assert len(early.signals("AAPL", 9)) == 1 and early.orders() == []
        late = nt.SessionMemory.from_db(db, start=bars.ts_ns[120], **settings)
        assert [one.ts_ns for one in late.orders()] == bars.ts_ns[[130, 134]].tolist()
        assert late.signals("AAPL", 9)["ts_ns"].tolist() == [int(bars.ts_ns[124])]
        assert nt.SessionMemory.from_db(db, strategy="another", **settings).orders() == []


def test_orders_and_signals_are_bounded():
    session = nt.SessionMemory(capacity=2, ring=3, symbols=2)
    asked = [nt.memory.WorkingOrder(id=j, symbol="A", side="buy", quantity=j) for j in (5, 6, 7)]
    assert [session.open_order(one) for one in asked] == [True, True, nt.Denial.TABLE_FULL]
    assert session.order(5).quantity == 5 and session.order(7) is None and session.open_order(asked[0]) is False
    session.order_closed(5)
    assert session.order(5) is None and session.open_order(asked[2]) is True
    assert [one.id for one in session.orders()] == [6, 7] and session.orders("B") == []
    with pytest.raises(nt.InputError, match=r"order 9 finds no room: 2 orders are active, the limit \(capacity=\)"):
        session.apply_events(event("order", 9), ["A"])
    for number in range(5):
        session.note_signal("A", number, "short", number / 10, id=number)
    assert session.signals("A", 3)["id"].tolist() == [2, 3, 4] and session.signals("A")["direction"].tolist() == [-1]
    assert len(session.signals("B", 3)) == 0
    with pytest.raises(ValueError, match="read-only"):
        session.signals("A")["id"] = 1
    session.note_signal("B", 0, "neutral", 1)
    with pytest.raises(nt.InputError, match="finds no room: the session holds 2 symbols"):
        session.note_signal("C", 0, "neutral", 1)
    assert session.symbols == ("A", "B") and len(session.signals("C")) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: s.note_signal("B", 0, "up", 0.5), "direction must be one of long, short, neutral, close, was 'up'"),
        (lambda s: s.note_signal("B", 0, "long", 1.5), r"confidence must be in 0\.\.1, was 1\.5"),
        (lambda s: s.note_signal("B", 0, "long", float("nan")), "confidence must be in"),
        (lambda s: s.note_signal("B", "x", "long", 0.5), "ts_ns must be"),
        (lambda s: s.note_signal("B", 0, "long", 0.5, id=-1), "id must be"),
        (lambda s: s.signals("A", 0), r"n must be an integer in 1\.\.4"),
        (lambda s: s.signals("A", 5), "n must be"),
        (lambda s: s.open_order(7), "order must be a WorkingOrder, was int"),
        (lambda s: s.set_multiplier("A", 3), "multiplier of 'A' must not change while 2 are held"),
        (lambda s: s.set_multiplier("B", 0), "multiplier must be > 0, was 0"),
        (lambda s: s.set_multiplier("B", "x"), "multiplier must be a number"),
    ],
)
def test_wrong_signals_orders_and_multipliers(call, message):
    session = nt.SessionMemory(ring=4)
    session.apply_fill("A", "buy", 2, 5.0)
    with pytest.raises(nt.InputError, match=message):
        call(session)
    assert session.symbols == ("A",) and session.active_count == 0 and session.balance == 0


def test_a_multiplier_is_in_all_money():
    session = nt.SessionMemory(cash=1_000.0, multipliers={"ES": 50})
    session.apply_fill("ES", "buy", 2, 4.0, fee=1.0)
    session.update_market("ES", 0, last=4.5)
    held = session.position("ES")
    assert (session.cash, held.cost_basis, held.unrealised) == (599.0, 400.0, 50.0)
    session.apply_fill("ES", "sell", 2, 4.5)
    session.set_multiplier("ES", 10)
    assert held.realised == 50.0 and session.balance == 0
    with pytest.raises(nt.InputError, match="multiplier must be > 0, was -1"):
        nt.SessionMemory(multipliers={"ES": -1})


def test_lookups_are_counted():
    clock = FixedClock(0)
    session = nt.SessionMemory(ttl_s=1.0, clock=clock)
    session.apply_fill("A", "buy", 1, 5.0)
    session.observe("A", 0, price=5.0)
    session.update_market("A", 0, last=5.0)
    session.order_opened(3)
    for symbol in ("A", "A", "B", "A"):
        session.position(symbol), session.recent(symbol), session.market_state(symbol)
    clock.set(10**10)
    session.market_state("A")
    session.is_active(3), session.is_active(4)
    three = {"hits": 3, "misses": 1, "hit_rate": 0.75}
    stats = session.stats()
    assert (stats["position"], stats["recent"]) == (three, three)
    assert stats["is_active"] == {"hits": 1, "misses": 1, "hit_rate": 0.5}
    assert stats["market_state"] == {"hits": 3, "misses": 2, "hit_rate": 0.6, "expired": 1}
    assert (stats["tier"], stats["symbols"], stats["active_orders"], stats["order_capacity"]) == ("L1", 1, 1, 65_536)


def test_it_says_what_it_holds():
    session = nt.SessionMemory(cash=100.0)
    session.apply_fill("AAPL", "buy", 1, 10.0)
    session.order_opened(7)
    assert repr(session) == "<SessionMemory: 1 symbols, 1 active orders, cash 90>"
