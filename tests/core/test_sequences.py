"""Random orders through the engine: the books balance after every fill, and no promise of the order table is broken."""

from fractions import Fraction

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.core.engine import EVENT_DTYPE, EVENT_KINDS, ORDER_ROLES, ORDER_STATES

SEEDS = range(24)
PATHS = ("worst", "best", "ohlc", "olhc", "nearest")


def random_policy(rng):
    pick = {name: str(rng.choice(allowed)) for name, allowed in nt.FillPolicy.CHOICES.items()}
    pick["volume_cap"] = None if rng.random() < 0.6 else 0.02
    return nt.FillPolicy(**pick)


def random_strategy(rng, log):
    """Places, cancels, brackets and targets at random; every answer goes to `log`."""

    def price(ctx):
        return round(float(ctx.close * (1 + rng.normal(0, 0.015))), 2)

    def order(ctx):
        given = {}
        if rng.random() < 0.7:
            given["quantity"] = round(float(rng.uniform(0.1, 60)), 2)
        if rng.random() < 0.35:
            given["limit"] = price(ctx)
        if rng.random() < 0.35:
            given["stop"] = price(ctx)
        if rng.random() < 0.4:
            given["stop_loss_rate"] = float(rng.uniform(0.001, 0.05))
        if rng.random() < 0.4:
            given["take_profit_rate"] = float(rng.uniform(0.001, 0.05))
        if rng.random() < 0.2:
            given["trail"] = round(float(rng.uniform(0.1, 4)), 2)
        given["tif"] = str(rng.choice(["gtc", "gtc", "day", "ioc", "fok"]))
        return (ctx.buy if rng.random() < 0.5 else ctx.sell)(**given)

    def on_bar(ctx):
        for _ in range(int(rng.integers(0, 3))):
            act = rng.random()
            if act < 0.75:
                log.append(order(ctx))
            elif act < 0.85:
                log.append(ctx.close_position())
            elif act < 0.93:
                log.append(ctx.target(float(rng.uniform(-1, 1))))
            elif act < 0.98 and log:
                ctx.cancel(int(rng.integers(1, len(log) + 1)))
            else:
                ctx.cancel_all()

    return on_bar


def check_books(events, digits, cash):
    """Replay the fills in exact arithmetic: the cash that each fill's event carries."""
    divisor = 10 ** (18 - digits)
    held: dict[int, int] = {}
    for event in events[events["kind"] == EVENT_KINDS.index("fill")]:
        slot, side, quantity, price = (int(event[name]) for name in ("symbol", "side", "quantity", "price"))
        before = held.get(slot, 0)
        closed = min(quantity, abs(before)) if before * side < 0 else 0
        for part in (closed, quantity - closed):
            cash -= side * round(Fraction(part * price, divisor))
        cash -= int(event["extra"])
        held[slot] = before + side * quantity
        assert cash == event["value"], f"bar {event['bar']}: order {event['id']}"
    return cash, held


@pytest.mark.parametrize("seed", SEEDS)
def test_random_orders(make_engine, make_random_bars, seed):
    rng = np.random.default_rng(seed)
    digits = int(rng.choice([2, 6, 9]))
    limits = nt.RiskLimits(max_position=80.0, max_order_quantity=50.0) if seed % 3 == 0 else None
    bars = [make_random_bars(seed * 10 + k, 150) for k in range(1 + seed % 3)]
    log: list[int] = []
    engine = make_engine(
        *bars,
        policy=random_policy(rng),
        cash=100_000.0,
        fees=nt.Fees(rate=0.001, fixed=0.5, minimum=1.0),
        slippage=nt.Slippage(rate=0.0005, cap_to_bar=bool(seed % 2)),
        size=nt.Size.equity(0.2),
        risk=limits,
        account=nt.Account(cash_digits=digits, leverage=2.0 if seed % 4 == 0 else 1.0),
    )
    engine.bind_python(random_strategy(rng, log))
    while engine.position_index < engine.clock_count:
        engine.advance(1)
        assert engine.ledger()["balance"] == 0
    engine.finish(close_open=bool(seed % 2))
    events, orders = engine.events().view(EVENT_DTYPE), engine.orders()
    cash, held = check_books(events, digits, 100_000 * 10**digits)
    ledger = engine.ledger()
    assert (cash, ledger["balance"]) == (ledger["cash"], 0)
    for slot in range(len(bars)):
        assert held.get(slot, 0) == ledger["positions"][f"S{slot}"]["quantity"]
    check_orders(engine, events, orders, limits)
    assert len(engine.fills()) > 20, f"seed {seed}: the generator must trade"


def check_orders(engine, events, orders, limits):
    fills = engine.fills()
    filled = np.zeros(len(orders))
    np.add.at(filled, fills["order_id"] - 1, fills["quantity"])
    np.testing.assert_allclose(filled, orders["filled"], atol=1e-9)
    known = ~np.isnan(orders["quantity"])
    assert (orders["filled"][known] <= orders["quantity"][known] + 1e-9).all()
    states = np.array(ORDER_STATES)[orders["status"]]
    assert (orders["filled"][states == "filled"] == orders["quantity"][states == "filled"]).all()
    assert (orders["filled"][np.isin(states, ["denied", "rejected"])] == 0).all()
    assert (
        (orders["done_bar"] >= 0) == np.isin(states, ["filled", "cancelled", "rejected", "expired", "denied"])
    ).all()
    check_exits(engine, orders, fills)
    if limits is not None:
        entries = orders[orders["role"] == ORDER_ROLES.index("entry")]
        assert np.nanmax(entries["quantity"][entries["status"] != ORDER_STATES.index("denied")]) <= 50
        for slot in np.unique(fills["symbol"]):
            own = fills[fills["symbol"] == slot]
            assert np.abs(np.cumsum(own["side"] * own["quantity"])).max() <= 80 + 1e-9
    assert list(np.diff(events["bar"]) < 0) == [False] * (len(events) - 1)


def check_exits(engine, orders, fills):
    """Exits only ever reduce; of one family no more is closed than was opened."""
    position: dict[int, float] = {}
    closed: dict[int, float] = {}
    for fill in fills:
        order = orders[fill["order_id"] - 1]
        before = position.get(fill["symbol"], 0.0)
        after = before + fill["side"] * fill["quantity"]
        if ORDER_ROLES[order["role"]] != "entry":
            assert before * fill["side"] < 0
            assert before * after >= -1e-9
        if order["parent_id"]:
            closed[order["parent_id"]] = closed.get(order["parent_id"], 0.0) + fill["quantity"]
        position[fill["symbol"]] = 0.0 if abs(after) < 1e-12 else after
    for parent, quantity in closed.items():
        assert quantity <= orders["filled"][parent - 1] + 1e-9
    working = orders[(orders["done_bar"] < 0) & (orders["role"] >= 2)]
    for order in working:
        assert position.get(order["symbol"], 0.0) * order["side"] < 0


@pytest.mark.parametrize("seed", range(6))
def test_what_comes_later_changes_nothing_before(make_engine, make_random_bars, seed):
    """Perturb every price after bar 80: the events up to there stay the same bytes."""
    bars = make_random_bars(seed + 500, 120)
    other = tuple(column.copy() for column in bars)
    for column in other[1:5]:
        column[81:] *= 1.37
    logs = []
    for columns in (bars, other):
        engine = make_engine(columns, policy="backtesting_py" if seed % 2 else "conservative")
        engine.bind_python(random_strategy(np.random.default_rng(seed), []))
        engine.advance(120)
        events = engine.events().view(EVENT_DTYPE)
        logs.append(events[events["bar"] <= 80].tobytes())
    assert logs[0] == logs[1]
    assert len(logs[0]) > 64 * 20


@pytest.mark.parametrize("seed", range(6))
def test_worst_and_best_enclose_the_paths_between(make_engine, make_random_bars, seed):
    """One bracketed entry at a time: the equity under any assumed path lies between worst and best."""
    bars = make_random_bars(seed + 900, 200)
    final = {}
    for path in PATHS:
        engine = make_engine(bars, path=path, size=nt.Size.units(10))
        engine.bind_python(
            lambda ctx: (
                ctx.buy(stop_loss_rate=0.012, take_profit_rate=0.015) if ctx.i % 5 == 0 and ctx.position == 0 else None
            )
        )
        engine.advance(200)
        engine.finish(True)
        final[path] = engine.cash
        ambiguous = engine.ambiguous_bars
    assert ambiguous > 0, f"seed {seed}: no bar was ambiguous"
    for path in ("ohlc", "olhc", "nearest"):
        assert final["worst"] <= final[path] <= final["best"], f"seed {seed}, {path}: {final}"


def test_a_reversal_spends_everything_and_its_fixed_fee_once(run, make_random_bars):
    def flip(ctx):
        (ctx.buy if ctx.i % 2 else ctx.sell)()

    engine = run(flip, make_random_bars(5, 300), fees=nt.Fees(rate=0.00123, fixed=1.0))
    held, worst = 0.0, 0.0
    fills = engine.events().view(EVENT_DTYPE)
    fills = fills[fills["kind"] == EVENT_KINDS.index("fill")]
    for fill in fills:
        held += int(fill["side"]) * fill["quantity"] / 1e9
        worth = held * fill["price"] / 1e9
        worst = max(worst, fill["value"] / 1e6 + worth - abs(worth))
    assert len(fills) > 200
    assert worst < 2e-5, "what is left of the equity that could have been in the market"
