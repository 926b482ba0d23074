"""Each control of the gate x order type x cash and margin account x one symbol and a panel: at the limit exactly an
order passes, one nano above it is denied with its reason, and the book is as it was."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.core.engine import ORDER_STATES

NANO = 1e-9
CASH = 1e6
ACCOUNTS = {
    "cash": nt.Account(cash_digits=9, shorting=False),
    "margin": nt.Account(cash_digits=9, leverage=4.0),
}
# The last close is 100 throughout, and no bar reaches a stop or limit given here.
BUYS = {
    "market": {},
    "limit": {"limit": 99.5},
    "stop": {"stop": 101.0},
    "stop_limit": {"stop": 101.0, "limit": 101.5},
    "day": {"limit": 99.5, "tif": "day"},
    "bracket": {"stop_loss": 90.0, "take_profit": 120.0},
    "trail": {"trail": 5.0},
    "at_open": {"at": "open"},
    "at_close": {"at": "close"},
    "gtd": {"limit": 99.5, "tif": "gtd", "good_till": "2001-01-01"},
    "trailing_stop": {"stop": 102.0},  # where its distance of 2 puts it
}
SELLS = {
    "sell": {},
    "sell_limit": {"limit": 101.0},
    "sell_stop": {"stop": 99.0},
    "sell_stop_limit": {"stop": 99.0, "limit": 98.5},
    "sell_bracket": {"stop_loss": 110.0, "take_profit": 80.0},
    "sell_at_open": {"at": "open"},
    "sell_trailing_stop": {"stop": 98.0},
}
KINDS = BUYS | SELLS


def place(kind: str, ctx: Any, quantity: float, **prices: float) -> int:
    given = KINDS[kind] | prices
    if kind.endswith("trailing_stop"):
        return ctx.trailing_stop(quantity, trail=abs(given["stop"] - ctx.close), side=1 if kind in BUYS else -1)
    order = ctx.buy if kind in BUYS else ctx.sell
    return order(quantity, **given)


def paid(kind: str) -> float:
    """What the gate takes a unit to cost: a buy's limit, else the higher of its own price and the last close."""
    given = KINDS[kind]
    if kind in BUYS and "limit" in given:
        return given["limit"]
    return max(100.0, given.get("limit", 0.0), given.get("stop", 0.0))


def exposed(kind: str) -> float:
    return max(100.0, KINDS[kind].get("limit", 0.0), KINDS[kind].get("stop", 0.0))


@dataclass
class Case:
    reason: nt.Denial
    risk: nt.RiskLimits
    good: Callable[[Any], int]
    bad: Callable[[Any], int]
    before: Callable[[Any], Any] = lambda ctx: None
    without: nt.RiskLimits | None = None  # of the good order, where the limit itself has to go


def amount(reason: nt.Denial, name: str, limit: Callable[[str], float]) -> Callable[[str], Case]:
    """A control that 100 units meet exactly."""

    def case(kind: str) -> Case:
        risk = nt.RiskLimits(**{name: limit(kind)})
        return Case(reason, risk, lambda ctx: place(kind, ctx, 100), lambda ctx: place(kind, ctx, 100 + NANO))

    return case


def closed(reason: nt.Denial, risk: nt.RiskLimits) -> Callable[[str], Case]:
    """A control that lets nothing of the kind through."""
    return lambda kind: Case(
        reason, risk, lambda ctx: place(kind, ctx, 1), lambda ctx: place(kind, ctx, 1), without=nt.RiskLimits()
    )


def collar(kind: str) -> Case:
    prices = {name: value for name, value in KINDS[kind].items() if name in ("limit", "stop")}
    far = max(abs(value - 100) for value in prices.values())
    name = max(prices, key=lambda key: abs(prices[key] - 100))
    beyond = {name: prices[name] + (NANO if prices[name] > 100 else -NANO)}
    risk = nt.RiskLimits(price_collar=far / 100)
    return Case(nt.Denial.COLLAR, risk, lambda ctx: place(kind, ctx, 1), lambda ctx: place(kind, ctx, 1, **beyond))


def rate(kind: str) -> Case:
    def two(ctx: Any) -> None:
        assert all(nt.accepted(place(kind, ctx, quantity)) for quantity in (1, 2))

    one = Case(
        nt.Denial.RATE,
        nt.RiskLimits(max_orders_per_second=2),
        lambda ctx: place(kind, ctx, 3),
        lambda ctx: place(kind, ctx, 3),
        two,
    )
    one.without = nt.RiskLimits(max_orders_per_second=3)
    return one


def duplicate(kind: str) -> Case:
    return Case(
        nt.Denial.DUPLICATE,
        nt.RiskLimits(duplicate_window_ns=1),
        lambda ctx: place(kind, ctx, 1 + NANO),
        lambda ctx: place(kind, ctx, 1),
        lambda ctx: place(kind, ctx, 1),
    )


def executions(kind: str) -> Case:
    case = rate(kind)
    case.reason, case.risk = nt.Denial.REPEATED, nt.RiskLimits(max_executions=2)
    case.without = nt.RiskLimits(max_executions=3)
    return case


CONTROLS = {
    "max_order_quantity": amount(nt.Denial.MAX_QUANTITY, "max_order_quantity", lambda kind: 100.0),
    "max_order_notional": amount(nt.Denial.MAX_NOTIONAL, "max_order_notional", lambda kind: 100 * paid(kind)),
    "max_position": amount(nt.Denial.MAX_POSITION, "max_position", lambda kind: 100.0),
    "max_gross_exposure": amount(nt.Denial.MAX_EXPOSURE, "max_gross_exposure", lambda kind: 100 * exposed(kind)),
    "max_net_exposure": amount(nt.Denial.MAX_NET_EXPOSURE, "max_net_exposure", lambda kind: 100 * exposed(kind)),
    "max_leverage": amount(nt.Denial.MAX_LEVERAGE, "max_leverage", lambda kind: 100 * exposed(kind) / CASH),
    "price_collar": collar,
    "kill_switch": closed(nt.Denial.HALTED, nt.RiskLimits(kill_switch=True)),
    "reduce_only": closed(nt.Denial.REDUCE_ONLY, nt.RiskLimits(reduce_only=True)),
    "restricted": closed(nt.Denial.RESTRICTED, nt.RiskLimits(restricted=("S0", "S1"))),
    "max_orders_per_second": rate,
    "duplicate_window_ns": duplicate,
    "max_executions": executions,
}
NUMERIC = {name for name in CONTROLS if name not in ("kill_switch", "reduce_only", "restricted", "duplicate_window_ns")}


def matrix() -> list[Any]:
    cases = []
    for control, kind, account, symbols in product(CONTROLS, KINDS, ACCOUNTS, (1, 2)):
        if control == "price_collar" and not {"limit", "stop"} & set(KINDS[kind]):
            continue  # no price to judge
        if account == "cash" and kind in SELLS:
            continue  # such an account holds nothing to sell; test_gate.py has its refusal
        cases.append(pytest.param(control, kind, account, symbols, id=f"{control}-{kind}-{account}-{symbols}"))
    return cases


@pytest.fixture
def flat_bars(make_bars):
    return make_bars([100.0] * 4, [100.25] * 4, [99.75] * 4, [100.0] * 4)


def decide(make_engine, bars, symbols, risk, account, act):
    """Run `act` for the last symbol after bar 1."""
    engine = make_engine(*[bars] * symbols, risk=risk, account=account, cash=CASH)

    def on_bar(ctx):
        if ctx.i == 1 and ctx.slot == symbols - 1:
            act(ctx, engine)

    engine.bind_python(on_bar)
    engine.advance(2)
    return engine


@pytest.mark.parametrize(("control", "kind", "account", "symbols"), matrix())
def test_at_the_limit_it_passes_and_above_it_is_denied(make_engine, flat_bars, control, kind, account, symbols):
    case = CONTROLS[control](kind)
    seen = {}

    def deny(ctx, engine):
        case.before(ctx)
        held, working = engine.ledger(), engine.counters()["working"]
        seen["answer"] = case.bad(ctx)
        assert (engine.ledger(), engine.counters()["working"]) == (held, working)

    engine = decide(make_engine, flat_bars, symbols, case.risk, ACCOUNTS[account], deny)
    assert seen["answer"] is case.reason
    order, denial = engine.orders()[-1], engine.denials()[-1]
    assert (ORDER_STATES[order["status"]], order["reason"]) == ("denied", case.reason)
    assert (denial["reason"], denial["order_id"], denial["bar"], denial["symbol"]) == (
        case.reason,
        order["order_id"],
        1,
        symbols - 1,
    )
    assert denial["value"] > denial["limit"] if control in NUMERIC else not denial["value"] > denial["limit"]

    def accept(ctx, engine):
        case.before(ctx)
        seen["answer"] = case.good(ctx)

    engine = decide(make_engine, flat_bars, symbols, case.without or case.risk, ACCOUNTS[account], accept)
    assert nt.accepted(seen["answer"])
    assert len(engine.denials()) == 0
    counts = engine.counters()["controls"]
    assert all(count["denied"] == 0 for count in counts.values())


# What each kind would meet: an order of the other side that touches the prices it trades at, and one a nano away.
OPPOSITES = {
    "market": ({"limit": 200.0}, None),
    "limit": ({"limit": 99.5}, {"limit": 99.5 + NANO}),
    "stop": ({"stop": 101.0}, {"stop": 101.0 - NANO}),
    "stop_limit": ({"limit": 101.5}, {"limit": 101.5 + NANO}),
    "day": ({"limit": 99.5}, {"limit": 99.5 + NANO}),
    "bracket": ({}, None),
    "trail": ({"stop": 50.0}, None),
    "at_open": ({"limit": 200.0}, None),
    "at_close": ({}, None),
    "gtd": ({"limit": 99.5}, {"limit": 99.5 + NANO}),
    "trailing_stop": ({"stop": 102.0}, {"stop": 102.0 - NANO}),
    "sell": ({"limit": 50.0}, None),
    "sell_limit": ({"limit": 101.0}, {"limit": 101.0 - NANO}),
    "sell_stop": ({"stop": 99.0}, {"stop": 99.0 + NANO}),
    "sell_stop_limit": ({"limit": 98.5}, {"limit": 98.5 - NANO}),
    "sell_bracket": ({}, None),
    "sell_at_open": ({"limit": 50.0}, None),
    "sell_trailing_stop": ({"stop": 98.0}, {"stop": 98.0 + NANO}),
}


@pytest.mark.parametrize("symbols", [1, 2])
@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("account", list(ACCOUNTS))
def test_an_own_order_is_not_traded_with(make_engine, flat_bars, kind, account, symbols):
    risk = nt.RiskLimits(prevent_self_trade=True)
    met, missed = OPPOSITES[kind]
    for opposite, wanted in ((met, nt.Denial.SELF_TRADE), (missed, None)):
        if opposite is None:
            continue
        engine = make_engine(*[flat_bars] * symbols, risk=risk, account=ACCOUNTS[account], cash=CASH)
        answers = []

        def on_bar(ctx, opposite=opposite, answers=answers):
            if ctx.slot != symbols - 1:
                return
            if ctx.i == 0:
                ctx.buy(10)
            elif ctx.i == 1:
                other = ctx.sell if kind in BUYS else ctx.buy
                assert nt.accepted(other(1, **opposite))
                answers.append(place(kind, ctx, 1))

        engine.bind_python(on_bar)
        engine.advance(2)
        assert answers[0] is wanted if wanted else nt.accepted(answers[0])


LOSSES = {"max_daily_loss": nt.Denial.LOSS, "max_drawdown": nt.Denial.DRAWDOWN}


@pytest.mark.parametrize("symbols", [1, 2])
@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("account", list(ACCOUNTS))
@pytest.mark.parametrize("control", list(LOSSES))
def test_a_loss_beyond_its_limit_halts(make_engine, make_bars, control, kind, account, symbols):
    if account == "cash" and kind in SELLS:
        return  # reducing is judged in test_gate_state.py
    bars = make_bars([100, 100, 98, 98], [100.25, 100.25, 98, 98], [99.75, 99.75, 98, 98], [100, 100, 98, 98])
    lost, unit = (2_000.0, NANO) if control == "max_daily_loss" else (0.002, 1e-12)
    for limit, wanted in ((lost, None), (lost - unit, LOSSES[control])):
        engine = make_engine(
            *[bars] * symbols, risk=nt.RiskLimits(**{control: limit}), account=ACCOUNTS[account], cash=CASH
        )
        answers = []

        def on_bar(ctx, answers=answers):
            if ctx.slot == symbols - 1 and ctx.i == 0:
                ctx.buy(1000)
            elif ctx.slot == symbols - 1 and ctx.i == 2:
                given = {name: value - 2 for name, value in KINDS[kind].items() if name in ("limit", "stop")}
                answers.append(place(kind, ctx, 1, **given))

        engine.bind_python(on_bar)
        engine.advance(3)
        assert answers[0] is wanted if wanted else nt.accepted(answers[0])
        assert engine.gate_mode == ("halt" if wanted else "open")
        if wanted:
            assert tuple(engine.denials()[-1][["limit", "value"]]) == pytest.approx((limit, lost), rel=1e-12)


# Ways to an order that names no quantity: what it would be at the last close is what is judged.
UNSIZED = {
    "default": lambda ctx, fraction: ctx.buy(),
    "default_sell": lambda ctx, fraction: ctx.sell(),
    "default_limit": lambda ctx, fraction: ctx.buy(limit=100.0),
    "target": lambda ctx, fraction: ctx.target(fraction),
    "target_short": lambda ctx, fraction: ctx.target(-fraction),
}
AMOUNTS = {
    "max_order_quantity": 100.0,
    "max_order_notional": 10_000.0,
    "max_position": 100.0,
    "max_gross_exposure": 10_000.0,
    "max_net_exposure": 10_000.0,
    "max_leverage": 0.01,
}


@pytest.mark.parametrize("symbols", [1, 2])
@pytest.mark.parametrize("way", [*UNSIZED, "signals"])
@pytest.mark.parametrize("control", list(AMOUNTS))
def test_sizes_that_are_found_meet_the_same_limits(make_engine, flat_bars, control, way, symbols):
    risk = nt.RiskLimits(**{control: AMOUNTS[control]})
    for fraction, denied in ((0.01, 0), (0.010000000001, 1)):
        engine = make_engine(
            *[flat_bars] * symbols, risk=risk, account=ACCOUNTS["margin"], cash=CASH, size=nt.Size.equity(fraction)
        )
        if way == "signals":
            entries = np.zeros((4, symbols), np.uint8)
            entries[1, -1] = 1
            engine.bind_signals(entries)
        else:

            def on_bar(ctx, fraction=fraction):
                if ctx.i == 1 and ctx.slot == symbols - 1:
                    UNSIZED[way](ctx, fraction)

            engine.bind_python(on_bar)
        engine.advance(4)
        assert len(engine.denials()) == denied
        expected = CONTROLS[control]("market").reason
        assert set(engine.denials()["reason"]) == ({expected} if denied else set())
        if way != "default_limit":  # whose price is only touched
            assert len(engine.fills()) == 1 - denied
