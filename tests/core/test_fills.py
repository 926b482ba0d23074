"""The fixture table of FILLS.md, the presets' own numbers, and the choices of a fill policy one by one."""

import numpy as np
import pytest

import neuraltrade as nt

CASES = {
    "market buy 10": {1: lambda ctx: ctx.buy(10)},
    "limit buy 98": {1: lambda ctx: ctx.buy(10, limit=98)},
    "limit buy 95": {1: lambda ctx: ctx.buy(10, limit=95)},
    "sell stop 95": {0: lambda ctx: ctx.buy(10), 1: lambda ctx: ctx.sell(10, stop=95)},
    "sell stop 99": {0: lambda ctx: ctx.buy(10), 1: lambda ctx: ctx.sell(10, stop=99)},
    "SL 99 and TP 105": {1: lambda ctx: ctx.buy(10, stop_loss=99, take_profit=105)},
    "buy stop 105": {1: lambda ctx: ctx.buy(10, stop=105)},
}
TABLE = {
    "conservative": {
        "market buy 10": (2, 103), "limit buy 98": (3, 90), "limit buy 95": (3, 90), "sell stop 95": (3, 90),
        "sell stop 99": (2, 99), "SL 99 and TP 105": (2, 99), "buy stop 105": (2, 105),
    },
    "backtesting_py": {
        "market buy 10": (2, 103), "limit buy 98": (2, 98), "limit buy 95": (3, 90), "sell stop 95": (3, 90),
        "sell stop 99": (2, 99), "SL 99 and TP 105": (2, 99), "buy stop 105": (2, 105),
    },
    "vectorbt": {
        "market buy 10": (1, 101), "sell stop 95": (3, 90), "sell stop 99": (2, 99), "SL 99 and TP 105": (2, 99),
    },
    "nautilus_1_221": {
        "market buy 10": (1, 101), "limit buy 98": (2, 98), "limit buy 95": (3, 95), "sell stop 95": (3, 95),
        "sell stop 99": (2, 99), "SL 99 and TP 105": (2, 105), "buy stop 105": (2, 105),
    },
    "backtrader": {
        "market buy 10": (2, 103), "limit buy 98": (2, 98), "limit buy 95": (3, 90), "sell stop 95": (3, 90),
        "sell stop 99": (2, 99), "SL 99 and TP 105": (3, 90), "buy stop 105": (2, 105),
    },
}  # fmt: skip


@pytest.mark.parametrize(("preset", "case"), [(preset, case) for preset, row in TABLE.items() for case in row])
def test_fixture_table(run, fills_bars, preset, case):
    fills = run(CASES[case], fills_bars, policy=preset).fills()
    last = fills[-1]
    assert (last["bar"], last["price"], last["quantity"]) == (*TABLE[preset][case], 10)


@pytest.mark.parametrize("preset", ["conservative", "backtesting_py", "vectorbt", "nautilus_1_221"])
def test_both_sides_of_a_bracket_in_one_bar_are_ambiguous(run, fills_bars, preset):
    engine = run(CASES["SL 99 and TP 105"], fills_bars, policy=preset)
    assert engine.ambiguous_bars == 1
    assert sorted(order["status"] for order in engine.orders()) == [3, 3, 4]


def test_best_takes_the_profit_and_worst_the_stop(run, fills_bars):
    prices = {
        path: run(CASES["SL 99 and TP 105"], fills_bars, path=path).fills()[-1]["price"]
        for path in ("worst", "best", "ohlc", "olhc", "nearest")
    }
    # b2 opens at 103: the high (106) is nearer than the low (98).
    assert prices == {"worst": 99, "best": 105, "ohlc": 105, "olhc": 99, "nearest": 105}


def test_vectorbt_spends_all_cash_and_pays_its_fee(run, fills_bars):
    engine = run(
        {1: lambda ctx: ctx.buy()}, fills_bars, policy="vectorbt", cash=100_000.0,
        fees=nt.Fees(rate=0.001, fixed=1.0), account=nt.Account(cash_digits=9),
    )  # fmt: skip
    fill = engine.fills()[0]
    assert fill["quantity"] == pytest.approx(989.1000089019892, rel=1e-9)
    assert fill["fee"] == pytest.approx(100.89910089908517, rel=1e-9)
    assert 0 <= engine.cash < 1e-6


def test_vectorbt_fills_what_cash_allows_of_a_given_quantity(run, fills_bars):
    engine = run({1: lambda ctx: ctx.buy(2000)}, fills_bars, policy="vectorbt", cash=10_100.0)
    order = engine.orders()[0]
    assert (order["filled"], order["status"], order["reason"]) == (100, 4, nt.Denial.NO_CASH)


def test_conservative_rejects_what_cash_does_not_cover(run, fills_bars):
    engine = run({1: lambda ctx: ctx.buy(2000)}, fills_bars)
    order = engine.orders()[0]
    assert (order["filled"], order["status"], order["reason"]) == (0, 5, nt.Denial.NO_CASH)
    assert engine.cash == 10_000


def test_backtesting_py_floors_to_whole_units(run, fills_bars):
    engine = run({1: lambda ctx: ctx.buy()}, fills_bars, policy="backtesting_py", size=nt.Size.equity(0.9999))
    assert engine.fills()[0]["quantity"] == 10_000 * 0.9999 // 103


def test_stop_entry_waits_with_its_bracket_where_the_policy_says_so(run, fills_bars):
    steps = {1: lambda ctx: ctx.buy(10, stop=105, stop_loss=99)}
    assert [fill["bar"] for fill in run(steps, fills_bars).fills()] == [2, 2]
    assert [fill["bar"] for fill in run(steps, fills_bars, policy="backtesting_py").fills()] == [2, 3]


def test_stop_entry_goes_on_to_its_profit_where_that_is_certain(run, fills_bars):
    steps = {1: lambda ctx: ctx.buy(10, stop=103.5, stop_loss=97, take_profit=105)}
    fills = {name: run(steps, fills_bars, policy=nt.FillPolicy(contingent_from_working=name)).fills()
             for name in ("next_bar", "certain_profit")}  # fmt: skip
    assert list(fills["next_bar"]["bar"]) == [2, 3]
    assert [(fill["bar"], fill["price"]) for fill in fills["certain_profit"]] == [(2, 103.5), (2, 105)]
    touched = {1: lambda ctx: ctx.buy(10, stop=103.5, stop_loss=99, take_profit=105)}
    policy = nt.FillPolicy(contingent_from_working="certain_profit")
    assert list(run(touched, fills_bars, policy=policy).fills()["bar"]) == [2, 3]


@pytest.mark.parametrize(("path", "price"), [("worst", 99), ("best", 108), ("ohlc", 108), ("olhc", 108)])
@pytest.mark.parametrize("entry_bar", [0, 1])
def test_worst_takes_the_stop_even_where_the_open_is_beyond_the_profit(run, make_bars, path, price, entry_bar):
    bars = make_bars([100, 100, 108], [101, 101, 109], [99.5, 99.5, 98], [100, 100, 104])
    steps = {entry_bar: lambda ctx: ctx.buy(10, stop_loss=99, take_profit=105)}
    fill = run(steps, bars, path=path).fills()[-1]
    assert (fill["bar"], fill["price"], fill["side"]) == (2, price, -1)


@pytest.mark.parametrize(
    ("choice", "value", "steps", "expected"),
    [
        ("limit_fill", "touch", {1: lambda ctx: ctx.buy(10, limit=98)}, (2, 98)),
        ("limit_gap", "at_limit", {1: lambda ctx: ctx.buy(10, limit=95)}, (3, 95)),
        ("stop_gap", "at_stop", {0: lambda ctx: ctx.buy(10), 1: lambda ctx: ctx.sell(10, stop=95)}, (3, 95)),
        ("market_at", "same_close", {1: lambda ctx: ctx.buy(10)}, (1, 101)),
        ("contingent_from", "next_bar", {1: lambda ctx: ctx.buy(10, stop_loss=99)}, (3, 90)),
        ("stop_base", "entry_close", {1: lambda ctx: ctx.buy(10, take_profit_rate=0.01)}, (2, 105.04)),
    ],
)
def test_each_choice(run, fills_bars, choice, value, steps, expected):
    fill = run(steps, fills_bars, policy=nt.FillPolicy(**{choice: value})).fills()[-1]
    assert (fill["bar"], fill["price"]) == expected


def test_limit_entry_counts_only_on_a_profit_that_is_certain(run, make_bars):
    # The bar touches the entry below and the profit above; which came first is unknown.
    bars = make_bars([100, 100], [101, 106], [99, 97], [100, 101])
    steps = {0: lambda ctx: ctx.buy(10, limit=98, take_profit=105)}
    sides = {path: list(run(steps, bars, path=path).fills()["side"]) for path in ("worst", "best", "ohlc", "olhc")}
    assert sides == {"worst": [1], "best": [1, -1], "ohlc": [1], "olhc": [1, -1]}
    assert run(steps, bars).ambiguous_bars == 1


def test_stop_limit_turns_into_a_limit(run, make_bars):
    bars = make_bars([100, 100, 104], [101, 106, 105], [99, 99, 101], [100, 105, 102])
    fills = run({0: lambda ctx: ctx.buy(10, stop=103, limit=102)}, bars).fills()
    assert [(fill["bar"], fill["price"]) for fill in fills] == [(2, 102)]
    fills = run({0: lambda ctx: ctx.buy(10, stop=103, limit=104)}, bars).fills()
    assert [(fill["bar"], fill["price"]) for fill in fills] == [(1, 103)]


@pytest.mark.parametrize(("update", "bar"), [("after_check", 3), ("before_check", 2)])
def test_trailing_stop(run, make_bars, update, bar):
    # The peak is 105 after bar 1; bar 2 goes to 110, and its low of 103 is below 104 only once that counts.
    bars = make_bars([100, 100, 105, 109], [101, 105, 110, 111], [99, 99.5, 103, 103.5], [100, 104, 109, 105])
    fills = run({0: lambda ctx: ctx.buy(10, trail=6)}, bars, policy=nt.FillPolicy(trail_update=update)).fills()
    assert (fills[-1]["bar"], fills[-1]["price"]) == (bar, 104)


def test_slippage_hurts_market_and_stop_orders_only(run, fills_bars):
    given = {"slippage": nt.Slippage(rate=0.01)}
    assert run(CASES["market buy 10"], fills_bars, **given).fills()[0]["price"] == 104.03
    assert run(CASES["sell stop 99"], fills_bars, **given).fills()[-1]["price"] == 98.01
    assert run(CASES["limit buy 95"], fills_bars, **given).fills()[0]["price"] == 90
    capped = nt.Slippage(rate=0.2, cap_to_bar=True)
    assert run(CASES["market buy 10"], fills_bars, slippage=capped).fills()[0]["price"] == 106


def test_volume_cap_leaves_the_rest_working(run, fills_bars):
    engine = run({0: lambda ctx: ctx.buy(25)}, fills_bars, policy=nt.FillPolicy(volume_cap=0.01))
    assert list(engine.fills()["quantity"]) == [10, 10, 5]
    assert list(engine.fills()["bar"]) == [1, 2, 3]
    assert engine.orders()[0]["status"] == 3


@pytest.mark.parametrize(("tif", "quantities", "status"), [("ioc", [10], 4), ("fok", [], 4)])
def test_immediate_orders_end_with_their_bar(run, fills_bars, tif, quantities, status):
    engine = run({0: lambda ctx: ctx.buy(25, tif=tif)}, fills_bars, policy=nt.FillPolicy(volume_cap=0.01))
    assert list(engine.fills()["quantity"]) == quantities
    assert engine.orders()[0]["status"] == status


def test_day_order_expires_with_the_first_day_it_could_fill_in(run, fills_bars):
    order = run({1: lambda ctx: ctx.buy(10, limit=95, tif="day")}, fills_bars).orders()[0]
    assert (order["status"], order["done_bar"], order["filled"]) == (6, 3, 0)


def test_latency_moves_the_fill_to_a_later_open(run, fills_bars):
    day = 86_400 * 10**9
    assert run({0: lambda ctx: ctx.buy(10)}, fills_bars, latency_ns=1).fills()[0]["bar"] == 2
    assert run({0: lambda ctx: ctx.buy(10)}, fills_bars, latency_ns=day).fills()[0]["bar"] == 2
    assert run({0: lambda ctx: ctx.buy(10)}, fills_bars, latency_ns=day + 1).fills()[0]["bar"] == 3


def test_a_bar_that_is_not_finite_trades_nothing(run, fills_bars):
    broken = (*fills_bars[:1], *(column.copy() for column in fills_bars[1:]))
    broken[1][2] = np.nan
    assert run({1: lambda ctx: ctx.buy(10)}, broken).fills()[0]["bar"] == 3


@pytest.mark.parametrize("column", [1, 2, 3, 4])
def test_a_price_beyond_int64_ends_the_run(run, fills_bars, column):
    broken = (*fills_bars[:1], *(values.copy() for values in fills_bars[1:]))
    broken[column][2] = 1e11
    with pytest.raises(nt.InputError, match="bar 2: a price or an amount exceeds"):
        run({1: lambda ctx: ctx.buy(10, limit=95)}, broken)


def test_many_resting_orders_stay_affordable(run, make_random_bars):
    """Each bar walks the list once: 16,384 orders x 40 bars took 20 s when each order walked it anew."""
    answers = []

    def place(ctx):
        answers.extend(ctx.buy(0.001, limit=1) for _ in range(20_000))

    engine = run({1: place}, make_random_bars(1, 40))
    assert (sum(map(nt.accepted, answers)), answers[-1]) == (16_384, nt.Denial.TABLE_FULL)
    assert len(engine.fills()) == 0


def test_a_stop_rate_that_rounds_to_nothing_is_one_tick(run, make_bars):
    bars = make_bars([0.02] * 4, [0.021] * 4, [0.019, 0.019, 0.008, 0.008], [0.02] * 4)
    steps = {0: lambda ctx: ctx.buy(10, stop_loss_rate=0.9)}
    fills = run(steps, bars, instruments=[nt.Instrument(tick=0.01)]).fills()
    assert [(fill["bar"], fill["price"]) for fill in fills] == [(1, 0.02), (2, 0.01)]


def test_fills_at_the_close_share_the_cap_of_their_bar(run, make_random_bars):
    """Every symbol's decision comes back to the close of all: the cap is the bar's, not the visit's."""
    policy = nt.FillPolicy(market_at="same_close", volume_cap=0.001)
    bars = [make_random_bars(seed, 40) for seed in range(3)]

    def on_bar(ctx):
        ctx.buy(0.7)
        ctx.buy(0.7, limit=round(ctx.close, 2))

    fills = run(on_bar, *bars, policy=policy, cash=1e9).fills()
    traded = np.zeros((3, 40))
    np.add.at(traded, (fills["symbol"], fills["bar"]), fills["quantity"])
    assert traded.max() == pytest.approx(1.0, abs=1e-9) and np.median(traded) == pytest.approx(1.0, abs=1e-9)


def test_backtrader_trails_follow_closes(run, make_bars):
    # Highs of 101 and 109, closes of 100 and 104: six below them are 94 and 98, never 103.
    bars = make_bars([100, 100, 104, 103], [101, 109, 105, 103], [99, 99.5, 99, 97], [100, 104, 103, 99])
    steps = {0: lambda ctx: ctx.trailing_stop(10, trail=6, side=-1)}
    fills = run(steps, bars, policy="backtrader").fills()
    assert [(fill["bar"], fill["price"]) for fill in fills] == [(3, 98)]
    assert [(f["bar"], f["price"]) for f in run(steps, bars).fills()] == [(2, 103)]


def test_trail_levels_lie_on_the_tick(run, make_bars):
    bars = make_bars([100, 100, 100], [100.3, 100.7, 100.1], [99.9, 99.7, 90], [100.1, 100.5, 95])
    steps = {0: lambda ctx: ctx.trailing_stop(10, trail_rate=0.0333, side=-1)}
    engine = run(steps, bars, instruments=[nt.Instrument(tick=0.1)])
    assert engine.fills()[0]["price"] == 97.3  # 100.7 less 3.35331


def test_limits_at_once_fill_at_the_close_they_are_placed_after(run, fills_bars):
    policy = nt.FillPolicy(limit_fill="touch", limits_from="at_once")
    for limit in (101, 103):
        fills = run({1: lambda ctx, limit=limit: ctx.buy(10, limit=limit)}, fills_bars, policy=policy).fills()
        assert [(fill["bar"], fill["price"]) for fill in fills] == [(1, 101)]
    placed = []
    steps = {
        1: lambda ctx: placed.append(ctx.buy(10, limit=80)),
        3: lambda ctx: ctx.modify(placed[0], quantity=5, limit=95),
    }
    fills = run(steps, fills_bars, policy=policy).fills()
    assert [(fill["bar"], fill["price"], fill["quantity"]) for fill in fills] == [(3, 91, 5)]
    assert list(run(steps, fills_bars, policy=nt.FillPolicy()).fills()["bar"]) == [4]


def test_limits_at_once_wait_for_their_latency(run, fills_bars):
    policy = nt.FillPolicy(limits_from="at_once")
    fills = run({1: lambda ctx: ctx.buy(10, limit=103)}, fills_bars, policy=policy, latency_ns=1).fills()
    assert [(fill["bar"], fill["price"]) for fill in fills] == [(3, 90)]


def test_a_limit_at_once_takes_no_market_order_along_to_the_close(run, fills_bars):
    """The market order waits out its latency for the open of bar 3: the close of bar 2 is not its own."""
    policy = nt.FillPolicy(limits_from="at_once")
    steps = {1: lambda ctx: ctx.buy(10), 2: lambda ctx: ctx.buy(1, limit=50)}
    fills = run(steps, fills_bars, policy=policy, latency_ns=1).fills()
    assert [(fill["bar"], fill["price"]) for fill in fills] == [(3, 90)]


QUARTERS = {  # measured on nautilus_trader 1.221.0 with bars of 1000: (bar, quantity, price) of each fill
    "market 400": (lambda ctx: ctx.buy(400), [(1, 250, 101), (1, 150, 101.01)]),
    "limit 98 touched": (lambda ctx: ctx.buy(600, limit=98), [(2, 250, 98), (3, 350, 98)]),
    "limit at the close": (lambda ctx: ctx.buy(600, limit=101), [(1, 250, 101), (2, 350, 101)]),
    "limit above the close": (lambda ctx: ctx.buy(600, limit=105), [(1, 250, 101), (1, 350, 101.01)]),
    "sell stop 95": (lambda ctx: ctx.sell(600, stop=95), [(3, 250, 95), (3, 350, 94.99)]),
    "limit gone through": (lambda ctx: ctx.buy(600, limit=98.5), [(2, 600, 98.5)]),
    "immediate or cancel": (lambda ctx: ctx.buy(400, limit=101, tif="ioc"), [(1, 250, 101)]),
}


@pytest.mark.parametrize("case", list(QUARTERS))
def test_a_bar_is_four_trades_of_a_quarter(run, fills_bars, case):
    step, expected = QUARTERS[case]
    ticks = {"instruments": [nt.Instrument(tick=0.01)], "cash": 1e6}
    fills = run({1: step}, fills_bars, policy="nautilus_1_221", **ticks).fills()
    assert [(fill["bar"], fill["quantity"], fill["price"]) for fill in fills] == expected


def test_quarters_are_one_unit_at_least_and_one_for_each_order(run, fills_bars):
    ticks = {"instruments": [nt.Instrument(tick=0.01, lot=1)], "cash": 1e6}
    empty = (*fills_bars[:5], np.zeros(6))
    fills = run({1: lambda ctx: ctx.buy(10)}, empty, policy="nautilus_1_221", **ticks).fills()
    assert [(fill["quantity"], fill["price"]) for fill in fills] == [(1, 101), (9, 101.01)]
    both = {1: lambda ctx: (ctx.buy(200, limit=98), ctx.buy(200, limit=98))}
    assert list(run(both, fills_bars, policy="nautilus_1_221", **ticks).fills()["quantity"]) == [200, 200]


def test_a_price_equal_to_the_last_is_no_new_trade(run, make_bars):
    flat = make_bars([100] * 3, [100] * 3, [100] * 3, [100] * 3)
    fills = run({0: lambda ctx: ctx.buy(900, limit=100)}, flat, policy="nautilus_1_221", cash=1e6).fills()
    assert [(fill["bar"], fill["quantity"]) for fill in fills] == [(0, 250)]
    again = make_bars([100, 102, 103], [101, 103, 103], [99, 99, 99], [100, 103, 100])
    fills = run({0: lambda ctx: ctx.sell(900, limit=103)}, again, policy="nautilus_1_221", cash=1e6).fills()
    assert [(fill["bar"], fill["quantity"]) for fill in fills] == [(1, 250), (1, 250)]


@pytest.mark.parametrize(("limit", "expected"), [(80, (3, 95)), (91, (3, 91))])
def test_a_stop_limit_that_triggers_within_its_limit_trades_at_the_trigger(run, fills_bars, limit, expected):
    policy = nt.FillPolicy(limit_fill="touch", limit_gap="at_limit", stop_gap="at_stop", path="ohlc")
    fill = run({1: lambda ctx: ctx.sell(10, stop=95, limit=limit)}, fills_bars, policy=policy).fills()[0]
    assert (fill["bar"], fill["price"]) == expected
    inside = run({1: lambda ctx: ctx.buy(10, stop=105, limit=120)}, fills_bars, policy=policy).fills()[0]
    assert (inside["bar"], inside["price"]) == (2, 105)
