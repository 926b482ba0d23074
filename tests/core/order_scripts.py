"""Random scripts of orders on a grid of whole prices, for the engine and for the model of order_model.py."""

import importlib.util
import sys
from pathlib import Path

import numpy as np

import neuraltrade as nt
from neuraltrade.core.engine import ORDER_STATES

_spec = importlib.util.spec_from_file_location("order_model", Path(__file__).with_name("order_model.py"))
order_model = sys.modules["order_model"] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(order_model)

DAY_NS = 86_400 * 10**9
BARS = 24
CHOICES = {
    "market_at": ("next_open", "same_close"),
    "limit_gap": ("improve", "at_limit"),
    "stop_gap": ("at_open", "at_stop"),
    "path": ("ohlc", "olhc", "nearest"),
    "contingent_from": ("entry_bar", "next_bar"),
    "contingent_from_working": ("entry_bar", "next_bar"),
    "trail_update": ("after_check", "before_check"),
    "volume_cap": (None, 0.01, 0.03),
}


def random_bars(rng):
    """Whole prices with gaps; volume from nothing to plenty."""
    close = np.maximum(20, 100 + np.cumsum(rng.integers(-6, 7, BARS))).astype(float)
    open_ = np.maximum(15, np.r_[100, close[:-1]] + rng.integers(-9, 10, BARS) * (rng.random(BARS) < 0.5))
    high = np.maximum(open_, close) + rng.integers(0, 6, BARS)
    low = np.maximum(1, np.minimum(open_, close) - rng.integers(0, 6, BARS))
    volume = rng.integers(0, 1500, BARS).astype(float)
    return (np.arange(1, BARS + 1) * DAY_NS, open_, high, low, close, volume)


def random_order(rng, close):
    side = int(rng.choice([1, -1]))
    given = {"quantity": int(rng.integers(1, 20))}
    kind = rng.random()
    if 0.25 < kind < 0.85:
        if kind < 0.6:
            given["limit"] = int(close + rng.integers(-8, 9))
        if kind > 0.45:
            given["stop"] = int(close + rng.integers(-8, 9))
    elif kind >= 0.85:
        given["at"] = str(rng.choice(["open", "close"]))
    base = given.get("limit") or given.get("stop") or close
    if rng.random() < 0.5:
        given["stop_loss"] = int(max(1, base - side * rng.integers(0, 9)))
    if rng.random() < 0.5:
        given["take_profit"] = int(max(1, base + side * rng.integers(0, 9)))
    if rng.random() < 0.25:
        given["trail"] = int(rng.integers(1, 9))
    given["tif"] = str(rng.choice(["gtc", "gtc", "gtc", "day", "ioc", "fok", "gtd"]))
    return side, given


def random_placement(rng, bars, bar):
    side, given = random_order(rng, int(bars[4][bar]))
    if given["tif"] == "gtd":
        later = int(bars[0][min(BARS - 1, bar + int(rng.integers(1, 5)))] + rng.integers(0, 2))
        given["good_till"] = max(later, int(bars[0][bar]) + 1)
    return (bar, "place", (side, given))


def random_script(rng, bars):
    """[(bar, name, arguments)]; an order is named by how many came after it."""
    script = []
    for bar in range(BARS):
        for _ in range(int(rng.integers(0, 4))):
            act = rng.random()
            if act < 0.5:
                script.append(random_placement(rng, bars, bar))
            elif act < 0.6:
                arguments = (int(rng.integers(1, 20)), int(rng.integers(1, 9)), int(rng.choice([0, 0, 1, -1])))
                script.append((bar, "trailing_stop", arguments))
            elif act < 0.65:
                script.append((bar, "close_position", ()))
            elif act < 0.72:
                script.append((bar, "cancel", (int(rng.integers(0, 8)),)))
            elif act < 0.85:
                script += [random_placement(rng, bars, bar) for _ in range(2)]
                script.append(
                    (bar, "oco", tuple(int(back) for back in rng.integers(0, 2 + 4 * (rng.random() < 0.2), 2)))
                )
            else:
                change = [int(rng.integers(1, 25)), *(int(bars[4][bar] + x) for x in rng.integers(-6, 7, 2))]
                keep = rng.integers(0, 3)
                change = [value if index == keep else 0 for index, value in enumerate(change)]
                script.append((bar, "modify", (int(rng.integers(0, 10)), *change)))
    return script


def named(name, arguments, count):
    """The arguments with ids for what they count back from the latest of `count` orders; 0 is no order."""
    ids = {"cancel": 1, "oco": 2, "modify": 1}.get(name, 0)
    return tuple(max(0, count - value) if index < ids else value for index, value in enumerate(arguments))


def ask_engine(ctx, name, arguments):
    if name == "place":
        side, given = arguments
        return int((ctx.buy if side > 0 else ctx.sell)(**given))
    if name == "trailing_stop":
        quantity, trail, side = arguments
        return int(ctx.trailing_stop(quantity, trail=trail, side=side))
    if name == "modify":
        order_id, *change = arguments
        return int(ctx.modify(order_id, *(value or None for value in change)))
    return int(getattr(ctx, name)(*arguments))


def ask_model(book, name, arguments):
    if name == "place":
        side, given = arguments
        return book.place(side, **given)
    return getattr(book, name)(*arguments)


def by_bar(script):
    steps = {}
    for bar, name, arguments in script:
        steps.setdefault(bar, []).append((name, arguments))
    return steps


def run_engine(make_engine, policy, bars, script):
    steps, answers = by_bar(script), []
    engine = make_engine(
        bars, policy=policy, cash=1e9, account=nt.Account(leverage=100.0), instruments=[nt.Instrument(lot=1)]
    )

    def on_bar(ctx):
        for name, arguments in steps.get(ctx.i, ()):
            ids = named(name, arguments, engine.counters()["orders"])
            answers.append((name, ids, ask_engine(ctx, name, ids)))

    engine.bind_python(on_bar)
    engine.advance(BARS)
    engine.finish()
    assert engine.ledger()["balance"] == 0
    return engine, answers


def run_model(policy, bars, script):
    steps, book, answers = by_bar(script), order_model.Book(policy, bars), []
    for bar in range(BARS):
        book.step(bar)
        for name, arguments in steps.get(bar, ()):
            ids = named(name, arguments, len(book.orders))
            answers.append((name, ids, ask_model(book, name, ids)))
        if policy.market_at == "same_close":
            book.at_close("market")
    return book, answers


def signs(answers):
    return [(name, max(-1, min(1, answer))) for name, _, answer in answers]


def check_promises(orders, fills, joined, label):
    parents, closed, held = {o["order_id"]: o["parent_id"] for o in orders}, {}, 0
    for bar, side, quantity, _, order_id in fills:
        role = orders[order_id - 1]["role"]
        if role:
            assert held * side < 0, label
            assert abs(held) >= quantity, label
        if parents[order_id]:
            closed[parents[order_id]] = closed.get(parents[order_id], 0) + quantity
        held += side * quantity
        for other in joined.get(order_id, ()):
            if (
                orders[order_id - 1]["status"] == ORDER_STATES.index("filled")
                and orders[order_id - 1]["done_bar"] == bar
            ):
                assert 0 <= orders[other - 1]["done_bar"] <= bar, label
    for parent, quantity in closed.items():
        assert quantity <= orders[parent - 1]["filled"], label


def as_tuples(fills):
    names = ("bar", "side", "quantity", "price", "order_id")
    return [tuple(int(fill[name]) for name in names) for fill in fills]


def joined_pairs(answers):
    joined = {}
    for name, ids, answer in answers:
        if name == "oco" and answer == 1:
            joined.setdefault(ids[0], []).append(ids[1])
            joined.setdefault(ids[1], []).append(ids[0])
    return joined


def random_policy(rng):
    """One that the model knows."""
    pick = {name: allowed[int(rng.integers(len(allowed)))] for name, allowed in CHOICES.items()}
    return nt.FillPolicy(limit_fill="touch", **pick)


def compare(make_engine, policy, bars, script, label):
    """Both of them: the same fills, states and answers. Returns the engine, its answers and the model."""
    engine, answers = run_engine(make_engine, policy, bars, script)
    book, expected = run_model(policy, bars, script)
    fills, orders = as_tuples(engine.fills()), engine.orders()
    assert fills == book.fills, label
    assert [ORDER_STATES[o["status"]] for o in orders] == [o.status for o in book.orders], label
    assert [int(o["filled"]) for o in orders] == [o.filled for o in book.orders], label
    assert signs(answers) == signs(expected), label
    check_promises(orders, fills, joined_pairs(answers), label)
    return engine, answers, book
