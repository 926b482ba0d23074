"""SessionMemory rebuilt from an engine's events."""

import numpy as np
import pytest

import neuraltrade as nt
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


def test_it_says_what_it_holds():
    session = nt.SessionMemory(cash=100.0)
    session.apply_fill("AAPL", "buy", 1, 10.0)
    session.order_opened(7)
    assert repr(session) == "<SessionMemory: 1 symbols, 1 active orders, cash 90>"
