"""Trailing stops on their own, orders for the next open or close, dates, joined orders, and changes to working ones."""

import itertools

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.core.engine import EVENT_DTYPE, EVENT_KINDS, ORDER_STATES, ORDER_TYPES

DAY_NS = 86_400 * 10**9


def fills(engine):
    return [
        (int(f["bar"]), int(f["side"]), float(f["quantity"]), float(f["price"]), int(f["order_id"]))
        for f in engine.fills()
    ]


def states(engine):
    return [ORDER_STATES[order["status"]] for order in engine.orders()]


# ---- trailing stops


@pytest.mark.parametrize("given", [{"trail": 4}, {"trail_rate": 0.04}])
def test_a_trailing_stop_follows_the_peak_and_gaps_to_the_open(run, fills_bars, given):
    # Set at close 101: stop 97. Bar 2 lifts the peak to 106 and its low of 98 misses; bar 3 opens at 90, below.
    steps = {0: lambda ctx: ctx.buy(10), 1: lambda ctx: ctx.trailing_stop(**given)}
    engine = run(steps, fills_bars)
    assert fills(engine)[1] == (3, -1, 10, 90, 2)
    order = engine.orders()[1]
    assert ORDER_TYPES[order["type"]] == "trailing_stop"
    assert order["stop_price"] == pytest.approx(102 if "trail" in given else 106 * 0.96)
    assert order["parent_id"] == 0


@pytest.mark.parametrize(("update", "fill"), [("after_check", (3, 90.0)), ("before_check", (2, 102.0))])
def test_the_peak_moves_when_the_policy_says(run, fills_bars, update, fill):
    steps = {0: lambda ctx: ctx.buy(10), 1: lambda ctx: ctx.trailing_stop(trail=4)}
    engine = run(steps, fills_bars, policy=nt.FillPolicy(trail_update=update))
    assert fills(engine)[1][::3] == fill


def test_a_trailing_buy_covers_a_short(run, make_bars):
    bars = make_bars([100, 100, 95, 90], [101, 100, 95, 97], [99, 94, 88, 89], [100, 95, 90, 96])
    steps = {0: lambda ctx: ctx.sell(10), 1: lambda ctx: ctx.trailing_stop(trail=3)}
    assert fills(run(steps, bars))[1] == (3, 1, 10, 91, 2)  # the low of 88 plus 3


def test_a_trailing_entry_opens(run, make_bars):
    bars = make_bars([100, 100, 95, 90], [101, 100, 95, 97], [99, 94, 88, 89], [100, 95, 90, 96])
    engine = run({1: lambda ctx: ctx.trailing_stop(4, trail=3, side=1)}, bars)
    assert fills(engine) == [(3, 1, 4, 91, 1)]


def test_a_trailing_exit_is_for_what_is_held_at_most(run, fills_bars):
    answers = []
    steps = {
        0: lambda ctx: (answers.append(ctx.trailing_stop(trail=4)), ctx.buy(10)),
        1: lambda ctx: (ctx.trailing_stop(50, trail=4), ctx.sell(7)),
    }
    engine = run(steps, fills_bars)
    assert answers == [0]
    assert fills(engine)[-1] == (3, -1, 3, 90, 2)
    assert engine.ledger()["positions"]["S0"]["quantity"] == 0


def test_two_trailing_exits_share_a_position(run, fills_bars):
    steps = {0: lambda ctx: ctx.buy(10), 1: lambda ctx: [ctx.trailing_stop(4, trail=t) for t in (4, 5)]}
    assert [f[2:4] for f in fills(run(steps, fills_bars))] == [(10, 100), (4, 90), (4, 90)]


TRAIL_REFUSED = {
    "neither": ({}, nt.Denial.PRICE_RANGE),
    "both": ({"trail": 1, "trail_rate": 0.1}, nt.Denial.CONFLICT),
    "zero": ({"trail": 0}, nt.Denial.PRICE_RANGE),
    "the whole price": ({"trail": 101}, nt.Denial.PRICE_RANGE),
    "a rate of one": ({"trail_rate": 1.0}, nt.Denial.PRICE_RANGE),
    "NaN": ({"trail": float("nan")}, nt.Denial.PRICE_RANGE),
    "off the tick": ({"trail": 1.03}, nt.Denial.TICK),
    "off the lot": ({"trail": 1, "quantity": 0.05}, nt.Denial.LOT),
    "a negative quantity": ({"trail": 1, "quantity": -1}, nt.Denial.QUANTITY_RANGE),
}


@pytest.mark.parametrize("case", list(TRAIL_REFUSED))
def test_trailing_stops_that_are_refused(run, fills_bars, case):
    given, reason = TRAIL_REFUSED[case]
    answers = []
    steps = {0: lambda ctx: ctx.buy(10), 1: lambda ctx: answers.append(ctx.trailing_stop(**given))}
    engine = run(steps, fills_bars, instruments=[nt.Instrument(tick=0.05, lot=0.1)])
    assert answers == [reason]
    assert states(engine) == ["filled", "denied"]


def test_a_child_is_born_where_the_market_stood_not_where_its_entry_slipped_to(run, fills_bars):
    """The profit at 104.1 has been passed at 105 already: it improves to that, not to the 107.1 that the entry paid."""
    policy = nt.FillPolicy(stop_base="entry_close")
    slippage = nt.Slippage(rate=0.02, cap_to_bar=False)
    steps = {1: lambda ctx: ctx.buy(10, stop=105, take_profit_rate=0.001)}
    engine = run(steps, fills_bars, policy=policy, slippage=slippage)
    assert fills(engine) == [(2, 1, 10, pytest.approx(107.1), 1), (2, -1, 10, 105, 2)]


# ---- the next open, the next close


@pytest.mark.parametrize("preset", nt.FillPolicy.presets())
def test_at_names_the_next_open_or_close_under_every_preset(run, fills_bars, preset):
    for at, price in (("open", 103), ("close", 104)):
        engine = run({1: lambda ctx, at=at: ctx.buy(10, at=at)}, fills_bars, policy=preset)
        assert fills(engine) == [(2, 1, 10, price, 1)]
        assert ORDER_TYPES[engine.orders()[0]["type"]] == f"market_on_{at}"


def test_what_an_order_at_the_close_brings_to_life_waits_for_the_next_bar(run, fills_bars):
    # Bar 2 ranges 98..106 around both, but they live from its close on; bar 3 opens below the stop.
    engine = run({1: lambda ctx: ctx.buy(10, at="close", stop_loss=99, take_profit=105)}, fills_bars)
    assert fills(engine) == [(2, 1, 10, 104, 1), (3, -1, 10, 90, 2)]
    assert states(engine) == ["filled", "filled", "cancelled"]


def test_a_trail_born_at_the_close_has_not_seen_the_high(run, fills_bars):
    engine = run({1: lambda ctx: ctx.buy(10, at="close", trail=13)}, fills_bars)
    assert engine.orders()[1]["stop_price"] == 104 - 13
    assert fills(engine)[1] == (3, -1, 10, 90, 2)


def test_an_order_at_the_close_slips_and_obeys_the_volume_cap(run, fills_bars):
    policy = nt.FillPolicy(volume_cap=0.006)
    engine = run({1: lambda ctx: ctx.buy(10, at="close")}, fills_bars, policy=policy, slippage=nt.Slippage(rate=0.01))
    assert [f[:4] for f in fills(engine)] == [(2, 1, 6, pytest.approx(105.04)), (3, 1, 4, pytest.approx(91.91))]


def test_open_and_close_share_one_cap(run, fills_bars):
    policy = nt.FillPolicy(volume_cap=0.006)
    engine = run({1: lambda ctx: (ctx.buy(5), ctx.buy(5, at="close"))}, fills_bars, policy=policy)
    assert [f[:4] for f in fills(engine)] == [(2, 1, 5, 103), (2, 1, 1, 104), (3, 1, 4, 91)]
    shared = nt.FillPolicy(market_at="same_close", volume_cap=0.006)
    engine = run({1: lambda ctx: ctx.buy(5, limit=98.5), 2: lambda ctx: ctx.buy(5)}, fills_bars, policy=shared)
    assert [f[:4] for f in fills(engine)] == [(2, 1, 5, 98.5), (2, 1, 1, 104), (3, 1, 4, 91)]


@pytest.mark.parametrize("given", [{"limit": 99}, {"stop": 105}])
def test_at_excludes_a_price(run, fills_bars, given):
    answers = []
    engine = run({1: lambda ctx: answers.append(ctx.buy(1, at="open", **given))}, fills_bars)
    assert (answers, states(engine)) == ([nt.Denial.CONFLICT], ["denied"])


def test_a_stop_that_fired_does_not_wait_for_its_price_again(run, make_bars):
    # Bar 2 reaches 95 and leaves 4 over; bar 3 trades above 95: they are sold at its open all the same.
    bars = make_bars([100, 100, 99, 101], [101, 101, 102, 103], [99, 99, 93, 100], [100, 100, 101, 102])
    bars = (*bars[:5], np.array([1000, 1000, 600, 1000.0]))
    for stop in (lambda ctx: ctx.sell(10, stop=95), lambda ctx: ctx.trailing_stop(trail=5)):
        engine = run({0: lambda ctx: ctx.buy(10), 1: stop}, bars, policy=nt.FillPolicy(volume_cap=0.01))
        assert fills(engine)[1:] == [(2, -1, 6, 95, 2), (3, -1, 4, 101, 2)]


# ---- good till a date


@pytest.mark.parametrize(("days", "expected"), [(3, "expired"), (4, "filled")])
def test_a_date_is_the_last_end_of_a_bar_that_may_fill(run, fills_bars, days, expected):
    # The limit of 95 is met by bar 3, which ends on day 4.
    engine = run({1: lambda ctx: ctx.buy(1, limit=95, tif="gtd", good_till=days * DAY_NS)}, fills_bars)
    order = engine.orders()[0]
    assert (ORDER_STATES[order["status"]], order["done_bar"]) == (expected, 3)
    assert EVENT_KINDS[engine.events().view(EVENT_DTYPE)[-1]["kind"]] == ("fill" if days == 4 else "expired")


def test_a_date_may_be_written_as_text(run, fills_bars):
    steps = {1: lambda ctx: ctx.trailing_stop(1, trail=50, side=-1, tif="gtd", good_till="1970-01-03")}
    engine = run(steps, fills_bars)
    assert (states(engine), engine.orders()[0]["done_bar"]) == (["expired"], 2)


def test_a_date_that_has_passed_is_refused(run, fills_bars):
    answers = []
    run({1: lambda ctx: answers.append(ctx.buy(1, tif="gtd", good_till=ctx.ts_ns))}, fills_bars)
    assert answers == [nt.Denial.TIME_IN_FORCE]


@pytest.mark.parametrize("given", [{"tif": "gtd"}, {"good_till": DAY_NS}, {"tif": "day", "good_till": DAY_NS}])
def test_a_date_needs_its_tif(run, fills_bars, given):
    with pytest.raises(nt.StrategyError, match="go together"):
        run({1: lambda ctx: ctx.buy(1, **given)}, fills_bars)


def test_at_must_be_known(run, fills_bars):
    with pytest.raises(nt.StrategyError, match="at must be one of open, close"):
        run({1: lambda ctx: ctx.buy(1, at="noon")}, fills_bars)


# ---- stop-limit under every policy


def stop_limit_oracle(bars, start, stop, limit, policy, path):
    """A buy stop-limit walked by hand: (bar, price) of its fill, None for none. Prices are whole numbers."""
    open_, high, low, close = (bars[k] for k in (1, 2, 3, 4))
    live = False
    slack = 1 if policy.limit_fill == "penetrate" else 0
    for bar in range(start, len(open_)):
        at_open = True
        for leg_start, leg_end in itertools.pairwise(path(open_[bar], high[bar], low[bar], close[bar])):
            step = 1 if leg_end >= leg_start else -1
            for price in range(int(leg_start), int(leg_end) + step, step):
                now_live = not live and price >= stop
                live = live or now_live
                if live and price <= limit - slack:
                    if now_live:
                        return bar, float(stop if at_open and policy.stop_gap == "at_stop" else price)
                    return bar, float(price if policy.limit_gap == "improve" and at_open else limit)
                at_open = False
    return None


LEGS = {
    "ohlc": lambda o, h, lo, c: (o, h, lo, c),
    "olhc": lambda o, h, lo, c: (o, lo, h, c),
    "nearest": lambda o, h, lo, c: (o, h, lo, c) if h - o < o - lo else (o, lo, h, c),
}


def whole_number_bars(rng, count=12):
    close = np.cumsum(rng.integers(-4, 5, count)) + 100.0
    open_ = np.r_[100.0, close[:-1]] + rng.integers(-2, 3, count)
    high, low = (
        np.maximum(open_, close) + rng.integers(0, 4, count),
        np.minimum(open_, close) - rng.integers(0, 4, count),
    )
    return (np.arange(1, count + 1) * DAY_NS, open_, high, low, close, np.full(count, 1000.0))


@pytest.mark.parametrize("path", nt.FillPolicy.CHOICES["path"])
@pytest.mark.parametrize("limit_fill", nt.FillPolicy.CHOICES["limit_fill"])
@pytest.mark.parametrize("limit_gap", nt.FillPolicy.CHOICES["limit_gap"])
@pytest.mark.parametrize("stop_gap", nt.FillPolicy.CHOICES["stop_gap"])
def test_stop_limit_walks_the_path(run, path, limit_fill, limit_gap, stop_gap):
    """60 random series a policy; where it knows no path: a fill after the stop, at the limit or better."""
    policy = nt.FillPolicy(limit_fill=limit_fill, limit_gap=limit_gap, stop_gap=stop_gap, path=path)
    rng = np.random.default_rng(20)
    seen = 0
    for _ in range(60):
        bars = whole_number_bars(rng)
        stop, limit = 100.0 + rng.integers(1, 6), 100.0 + rng.integers(-4, 8)
        engine = run({0: lambda ctx, s=stop, p=limit: ctx.buy(1, stop=s, limit=p)}, bars, policy=policy)
        found = [f[:4:3] for f in fills(engine)]
        seen += len(found)
        if path in LEGS:
            expected = stop_limit_oracle(bars, 1, stop, limit, policy, LEGS[path])
            assert found == ([] if expected is None else [expected]), (bars, stop, limit)
        for bar, price in found:
            assert bars[2][1 : bar + 1].max() >= stop
            assert min(bars[3][bar], stop) <= price <= limit
            assert limit_gap == "improve" or price in (limit, stop, bars[1][bar])
    assert 10 < seen < 60
