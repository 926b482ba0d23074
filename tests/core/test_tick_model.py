"""Random streams and random orders: every fill of the core against the slow venue of tick_model, to the last unit."""

from __future__ import annotations

import importlib.util
import math
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.core.engine import EVENT_DTYPE, Engine
from neuraltrade.core.layouts import EVENT_KINDS, ORDER_ROLES, ORDER_STATES
from neuraltrade.core.team import Team

_spec = importlib.util.spec_from_file_location("tick_model", Path(__file__).with_name("tick_model.py"))
tick_model = sys.modules["tick_model"] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(tick_model)
DAY, Model, nano = tick_model.DAY, tick_model.Model, tick_model.nano

CALLS = ("on_quote", "on_trade", "on_depth")
TICK = 0.5
MIXES = (("quotes",), ("trades",), ("depth",), ("quotes", "trades"), ("trades", "depth"), ("quotes", "trades", "depth"))
MODELS = (
    nt.QueueModel(),
    nt.QueueModel("probability"),
    nt.QueueModel("probability", exponent=2.5),
    nt.QueueModel("probability", share="log"),
)


def price(rng: random.Random, spread: int = 6) -> float:
    return 100 + TICK * rng.randint(-spread, spread)


def size(rng: random.Random) -> float:
    return rng.choice((1.0, 2.0, 3.0, 5.0, 0.7, 12.0))


def times(rng: random.Random, count: int, step: int, slow: int) -> tuple[list[int], list[int]]:
    """(ts_ns, local_ns): repeats, and rows that overtake each other on their way."""
    stamps, now = [], rng.choice((1000, DAY - 40))
    for _ in range(count):
        now += rng.randint(0, step)
        stamps.append(now)
    if slow == 0:
        return stamps, stamps
    heard, latest = [], 0
    for row in range(count):
        if rng.random() < 0.1 and row + 1 < count:
            stamps[row], stamps[row + 1] = stamps[row + 1], stamps[row]
        latest = max(latest, stamps[row] + rng.randint(0, slow))
        heard.append(latest)
    return stamps, heard


def stream(rng: random.Random, kind: str, symbol: str, slow: int) -> Any:
    count = rng.randint(3, 25)
    ts, local = times(rng, count, rng.choice((1, 3, 10)), slow)
    if kind == "quotes":
        rows = []
        for _ in range(count):
            bid = price(rng, 3) - TICK
            ask = bid + TICK * rng.randint(-1 if rng.random() < 0.05 else 1, 3)
            rows.append(
                (bid, rng.choice((0.0, size(rng), size(rng), size(rng))), ask, rng.choice((0.0, size(rng), size(rng))))
            )
            if rng.random() < 0.3 and len(rows) > 1:
                rows[-1] = rows[-2]
        return nt.Quotes(symbol, ts, *map(list, zip(*rows, strict=True)), local_ns=local)
    if kind == "trades":
        rows = [(price(rng, 4), size(rng), rng.choice((-1, 0, 1))) for _ in range(count)]
        return nt.Trades(symbol, ts, *map(list, zip(*rows, strict=True)), local_ns=local)
    rows = []
    for row in range(count):
        side = 0 if rng.random() < 0.06 else rng.choice((1, -1))
        at = 100 - side * TICK * (rng.randint(0, 4) if rng.random() < 0.9 else -2)
        rows.append((side, at, rng.choice((0.0, size(rng), size(rng), size(rng)))))
        if row and rng.random() < 0.5:
            ts[row], local[row] = ts[row - 1], local[row - 1]
    return nt.Depth(symbol, ts, *map(list, zip(*rows, strict=True)), local_ns=sorted(local) if slow else None)


def case(seed: int) -> tuple[nt.Ticks, dict[str, Any], list[tuple]]:
    """Ticks, settings and a script of (step, what, numbers)."""
    rng = random.Random(seed)
    slow = rng.choice((0, 0, 3, 8))
    streams = [
        stream(rng, kind, symbol, slow) for symbol in ("A", "B")[: rng.choice((1, 1, 2))] for kind in rng.choice(MIXES)
    ]
    rng.shuffle(streams)
    if slow == 0:
        streams = [type(s)(s.symbol, np.sort(s.ts_ns), *s.columns()[2:]) for s in streams]
    ticks = nt.Ticks(streams).with_latency(rng.choice((0, 2)))
    how = {"latency": rng.choice((0, 0, 1, 4, 15)), "queue": rng.choice(MODELS), "stop_on_last": rng.random() < 0.3,
           "lot": rng.choice((1, 1, 500_000_000))}  # fmt: skip
    script = []
    for step in range(len(ticks)):
        while rng.random() < 0.35:
            what = rng.choice(("order",) * 6 + ("cancel", "modify", "cancel_all", "close"))
            script.append((step, what, rng.random(), rng.random(), rng.random(), rng.random(), rng.random()))
    return ticks, how, script


def choose(numbers: tuple, mark: float) -> dict[str, Any] | None:
    """An order from random numbers; prices around the mark."""
    a, b, c, d, e = numbers
    side, kind = 1 if a < 0.5 else -1, int(b * 9)
    near = round(mark / TICK) * TICK if not math.isnan(mark) else 100.0
    tif = ("gtc", "gtc", "gtc", "day", "ioc", "fok", "gtd")[int(c * 7)]
    away = TICK * (int(d * 7) - 3)
    bracket: dict[str, float] = {}
    if int(a * 1000) % 3 == 0:
        bracket = {"stop_loss": -side * TICK * (2 + int(e * 97) % 5)}
    if int(a * 1000) % 4 == 0:
        bracket |= {"take_profit": side * TICK * (2 + int(e * 89) % 4)}
    if int(a * 1000) % 7 == 0:
        bracket |= {"trail": TICK * (1 + int(e * 83) % 4)}
    how: dict[str, Any] = {"side": side, "quantity": (1.0, 2.0, 4.0, 7.5, 20.0)[int(e * 5)], "tif": tif}
    if kind < 8:
        if kind in (2, 3, 4, 5):
            how |= {"limit": near + away}
        elif kind == 6:
            how |= {"stop": near + side * abs(away)}
        elif kind == 7:
            how |= {"stop": near + side * abs(away), "limit": near + side * abs(away) + side * TICK}
        at = how.get("limit", how.get("stop", near))
        return how | {"bracket": {name: by if name == "trail" else at + by for name, by in bracket.items()}}
    return how | {"trail": TICK * (1 + int(d * 4))} if not math.isnan(mark) else None


def whose(line: tuple, members: int) -> int:
    """The strategy that a line of a script is for."""
    return int(line[6] * 1e6) % members


def actor(script: list[tuple], closed_denies: bool = False) -> Any:
    """A strategy that does what the script says."""
    todo = list(script)
    made: list[int] = []
    plain: list[int] = []

    def act(ctx: Any) -> None:
        while todo and todo[0][0] == ctx.i:
            _, what, *numbers = todo.pop(0)
            order_id = made[int(numbers[0] * len(made))] if made else 0
            if what == "cancel_all":
                ctx.cancel_all()
            elif what == "cancel" and order_id:
                ctx.cancel(order_id)
            elif what == "modify" and plain:
                ctx.modify(plain[int(numbers[0] * len(plain))], **chosen_change(numbers))
            elif what == "close":
                ctx.close_position()
            elif what == "order":
                order = choose(tuple(numbers), ctx.close)
                if order is None:
                    continue
                side = order.pop("side")
                till = {"good_till": ctx.ts_ns + 20} if order["tif"] == "gtd" else {}
                bracket = order.pop("bracket", {})
                if "trail" in order:
                    made.append(int(ctx.trailing_stop(side=side, **order, **till)))
                else:
                    made.append(int((ctx.buy if side > 0 else ctx.sell)(**order, **bracket, **till)))
                if closed_denies and made[-1] == nt.Denial.SESSION_CLOSED:
                    made.pop()
                    continue
                assert nt.accepted(made[-1]), nt.Denial(made[-1])
                plain.extend([] if bracket else made[-1:])

    return dict.fromkeys(("on_quote", "on_trade", "on_depth"), act)


def run(
    ticks: nt.Ticks, how: dict[str, Any], script: list[tuple], members: int = 1
) -> tuple[list[tuple], list[tuple], Engine]:
    """Fills and final orders of the core under the script, whose lines are those of several strategies, the members."""
    lot, sessions = how["lot"] / 1e9, how.get("sessions")
    engine = Engine(
        ticks.symbols, cash=9e9,
        policy=nt.FillPolicy(queue=how["queue"], stop_trigger="last" if how["stop_on_last"] else "quote"),
        fees=nt.Fees(), slippage=nt.Slippage(), size=nt.Size.units(1), risk=None, account=nt.Account(leverage=1000.0),
        instruments=[nt.Instrument(lot=lot if how["lot"] > 1 else None)] * len(ticks.symbols),
        latency_ns=how["latency"],
        ticks=ticks, calls=CALLS, strategies=members,
        sessions=sessions and [tuple(np.array(own, np.int64).T.copy()) for own in sessions],
    )  # fmt: skip
    if members == 1:
        engine.bind_events(actor(script, sessions is not None))
    else:
        team = Team(engine, members)
        for member in range(members):
            team.set_member(member, (), 0, CALLS)
            own = [line for line in script if whose(line, members) == member]
            team.bind_events(member, actor(own, sessions is not None))
        team.join(engine)
        run.team = team  # type: ignore[attr-defined]
    engine.advance(engine.clock_count)
    engine.finish()
    events = engine.events().view(EVENT_DTYPE)
    events = events[events["kind"] == EVENT_KINDS.index("fill")]
    fills = [
        tuple(int(row[n]) for n in ("bar", "ts_ns", "symbol", "side", "quantity", "price", "id")) for row in events
    ]
    fills = [(*fill[:2], fill[2] % len(ticks.symbols), *fill[3:]) for fill in fills]
    orders = [(ORDER_STATES[row["status"]], nano(row["filled"])) for row in engine.orders()]
    return fills, orders, engine


def chosen_change(numbers: list[float]) -> dict[str, float]:
    change: dict[str, float] = {}
    if numbers[1] < 0.5:
        change["quantity"] = (1.0, 3.0, 8.0)[int(numbers[2] * 3)]
    if numbers[3] < 0.6:
        change["limit"] = 100 + TICK * (int(numbers[4] * 7) - 3)
    return change


def try_change(model: Any, order: Any, numbers: list[float]) -> None:
    """What the core would refuse at once is not sent."""
    change = {name: nano(value) for name, value in chosen_change(numbers).items()}
    fits = not ("limit" in change and not order.limit) and change.get("quantity", 2**62) > order.filled
    if order.active and change and fits:
        model.modify(order, **change)


def expected(ticks: nt.Ticks, how: dict[str, Any], script: list[tuple], members: int = 1) -> tuple[list[tuple], ...]:
    """The same by the model."""
    merged = ticks.events()
    events = []
    for at in range(len(ticks)):
        one = ticks.streams[merged.stream[at]]
        columns = [
            c.tolist() for c in one[int(merged.first[at]) : int(merged.first[at] + merged.rows[at])].columns()[2:]
        ]
        symbol = ticks.symbols.index(one.symbol)
        events.append(
            (int(merged.local_ns[at]), int(merged.ts_ns[at]), symbol, one.KIND, list(zip(*columns, strict=True)))
        )
    venue = list(range(len(ticks))) if merged.venue is None else merged.venue.tolist()
    model = Model(events, venue, symbols=len(ticks.symbols), members=members, **how)
    todo = sorted(script, key=lambda line: (line[0], whose(line, members)))
    for step in range(len(ticks)):
        model.hear(step)
        symbol = events[step][2]
        while todo and todo[0][0] == step:
            member = whose(todo[0], members)
            _, what, *numbers = todo.pop(0)
            made, plains = ([o for o in known if o.member == member] for known in (model.made, model.plain))
            order = made[int(numbers[0] * len(made))] if made else None
            plain = plains[int(numbers[0] * len(plains))] if plains else None
            if what == "cancel_all":
                for working in model.working(symbol, member):
                    model.cancel(working)
            elif what == "cancel" and order:
                model.cancel(order)
            elif what == "close":
                model.close(symbol, member)
            elif what == "modify" and plain:
                try_change(model, plain, numbers)
            elif what == "order":
                mark = model.markets[symbol].marks[member]
                chosen = choose(tuple(numbers), mark)
                if chosen is None:
                    continue
                bracket = {name: nano(value) for name, value in chosen.pop("bracket", {}).items()}
                numbered = {n: nano(v) if n in ("quantity", "limit", "stop", "trail") else v for n, v in chosen.items()}
                if "trail" in chosen:
                    peak = nano(mark)
                    numbered |= {"peak": peak, "stop": peak + chosen["side"] * numbered["trail"], "trailing": True}
                if chosen["tif"] == "gtd":
                    numbered["good_till"] = model.now + 20
                model.submit(symbol, bracket=bracket, member=member, **numbered)
    return model.fills, [(o.status, o.filled) for o in model.orders]


SEEDS = 2500
seen: dict[str, int] = {}


@pytest.mark.parametrize("block", range(10))
def test_every_fill_is_the_models(block: int) -> None:
    for seed in range(block * SEEDS // 10, (block + 1) * SEEDS // 10):
        ticks, how, script = case(seed)
        fills, orders, engine = run(ticks, how, script)
        wanted, wanted_orders = expected(ticks, how, script)
        assert fills == wanted, f"seed {seed}"
        assert orders == wanted_orders, f"seed {seed}"
        assert engine.ledger()["balance"] == 0
        assert [f[1] for f in fills] == sorted(f[1] for f in fills), "fills are in the venue's order"
        for status, _ in orders:
            seen[status] = seen.get(status, 0) + 1
        seen["fills"] = seen.get("fills", 0) + len(fills)
        for role in engine.orders()["role"]:
            seen[ORDER_ROLES[role]] = seen.get(ORDER_ROLES[role], 0) + 1


def test_the_cases_vary() -> None:
    """Run after the blocks above: every final state came up, often."""
    if not seen:
        pytest.skip("needs the cases above")
    for status in ("filled", "partially_filled", "submitted", "cancelled", "expired"):
        assert seen[status] > 50, seen
    for role in ("entry", "close", "stop_loss", "take_profit", "trail"):
        assert seen[role] > 50, seen
    assert seen["fills"] > 1000
