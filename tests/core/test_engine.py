"""The loop: brackets, reversals, trades, equity, panels, arrays, determinism, and what it refuses."""

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.core.engine import EVENT_DTYPE, Engine


def test_exits_cancel_each_other_in_the_same_step(run, make_bars):
    bars = make_bars([100, 100, 100], [101, 101, 112], [99, 99, 99], [100, 100, 111])
    engine = run({0: lambda ctx: ctx.buy(10, stop_loss=90, take_profit=110)}, bars)
    assert [(order["role"], order["status"], order["done_bar"]) for order in engine.orders()] == [
        (0, 3, 1),
        (2, 4, 2),
        (3, 3, 2),
    ]
    assert list(engine.orders()["parent_id"]) == [0, 1, 1]
    assert engine.counters()["working"] == 0


def test_closing_by_hand_cancels_the_bracket(run, fills_bars):
    steps = {0: lambda ctx: ctx.buy(10, stop_loss=80, take_profit=200), 2: lambda ctx: ctx.close_position()}
    engine = run(steps, fills_bars)
    assert list(engine.fills()["side"]) == [1, -1]
    assert [order["status"] for order in engine.orders()] == [3, 4, 4, 3]


def test_an_exit_never_opens(run, fills_bars):
    # Half is sold by hand: the stop of the whole then sells only what is left.
    steps = {0: lambda ctx: ctx.buy(10, stop_loss=95), 1: lambda ctx: ctx.sell(4)}
    engine = run(steps, fills_bars)
    assert list(engine.fills()["quantity"]) == [10, 4, 6]
    assert engine.ledger()["positions"]["S0"]["quantity"] == 0


def test_children_grow_with_partial_fills(run, fills_bars):
    policy = nt.FillPolicy(volume_cap=0.01)
    engine = run({0: lambda ctx: ctx.buy(25, stop_loss=50)}, fills_bars, policy=policy)
    orders = engine.orders()
    assert [(order["role"], order["quantity"]) for order in orders] == [(0, 25), (2, 25)]


def test_a_reversal_is_one_order_two_trades(run, fills_bars):
    steps = {0: lambda ctx: ctx.buy(10), 1: lambda ctx: ctx.sell(30)}
    engine = run(steps, fills_bars, fees=nt.Fees(fixed=3.0))
    assert list(engine.fills()["quantity"]) == [10, 30]
    closed, opened = engine.trades()
    assert (closed["direction"], closed["quantity"], closed["pnl"], closed["fees"]) == (
        1,
        10,
        30 - 4,
        4,
    )  # 3 + 3 x 10/30
    assert (opened["direction"], opened["quantity"], opened["open"], opened["fees"]) == (-1, 20, True, 2)
    assert opened["entry_price"] == 103
    assert opened["exit_price"] == 92


def test_average_entry_price_and_partial_close(run, fills_bars):
    steps = {0: lambda ctx: ctx.buy(10), 1: lambda ctx: ctx.buy(30), 2: lambda ctx: ctx.sell(20)}
    trades = run(steps, fills_bars).trades()
    assert list(trades["entry_price"]) == [102.25, 102.25]
    assert list(trades["quantity"]) == [20, 20]
    assert list(trades["open"]) == [False, True]
    assert trades[0]["pnl"] == 20 * (90 - 102.25)
    assert trades[0]["return_"] == trades[0]["pnl"] / (20 * 102.25)


def test_default_size_rules(run, fills_bars):
    answers = []

    def on_bar(ctx):
        if ctx.i < 3:
            answers.append((ctx.position, ctx.buy(), ctx.buy()))

    engine = run(on_bar, fills_bars, size=nt.Size.units(5))
    assert answers == [(0, 1, 0), (5, 0, 0), (5, 0, 0)]
    assert len(engine.fills()) == 1


@pytest.mark.parametrize(
    ("size", "quantity"),
    [
        (nt.Size.units(7), 7),
        (nt.Size.cash(2060), 20),
        (nt.Size.equity(0.5), 10_000 * 0.5 / 103),
        (nt.Size.all_in(), 10_000 / 103),
    ],
)
def test_sizes_are_found_at_the_fill(run, fills_bars, size, quantity):
    fill = run({1: lambda ctx: ctx.buy()}, fills_bars, size=size).fills()[0]
    assert fill["price"] == 103
    assert fill["quantity"] == pytest.approx(quantity, abs=2e-9)


@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize("minimum", [0.0, 25.0])
def test_all_in_leaves_less_than_a_lot(run, fills_bars, side, minimum):
    fees = nt.Fees(rate=0.001, fixed=1.5, per_unit=0.01, minimum=minimum)
    engine = run(
        {1: lambda ctx: getattr(ctx, side)()},
        fills_bars,
        fees=fees,
        slippage=nt.Slippage(rate=0.002),
        instruments=[nt.Instrument(lot=1)],
    )
    fill = engine.fills()[0]
    spent = fill["quantity"] * fill["price"] + fill["fee"]
    assert fill["fee"] == pytest.approx(
        max(minimum, 0.001 * fill["quantity"] * fill["price"] + 1.5 + 0.01 * fill["quantity"])
    )
    assert 10_000 - fill["price"] * 1.002 - 0.01 < spent <= 10_000


def test_all_in_reverses_with_what_closing_leaves(run, make_random_bars):
    bars = make_random_bars(3, 40)
    engine = run(
        lambda ctx: ctx.buy() if ctx.i % 4 == 0 else ctx.sell() if ctx.i % 4 == 2 else None,
        bars,
        fees=nt.Fees(rate=0.001, fixed=1.0),
    )
    fills = engine.fills()
    assert len(fills) == 20
    assert set(engine.orders()["status"]) == {3}
    assert not engine.trades()["open"][:-1].any()


def test_leverage_opens_more(run, fills_bars):
    engine = run({1: lambda ctx: ctx.buy()}, fills_bars, account=nt.Account(leverage=4))
    assert engine.fills()[0]["quantity"] == pytest.approx(4 * 10_000 / 103)


def test_equity_is_cash_and_positions_at_the_close(run, make_random_bars):
    bars = make_random_bars(5, 60)
    rng = np.random.default_rng(5)
    plan = rng.integers(-20, 21, 60)
    seen = []

    def on_bar(ctx):
        seen.append((ctx.cash, ctx.position, ctx.equity))
        quantity = int(plan[ctx.i])
        if quantity:
            (ctx.buy if quantity > 0 else ctx.sell)(abs(quantity))

    engine = run(on_bar, bars, fees=nt.Fees(rate=0.0005))
    close = bars[4]
    expected = [cash + position * price for (cash, position, _), price in zip(seen, close, strict=True)]
    np.testing.assert_allclose(engine.equity(), expected, rtol=1e-12)
    np.testing.assert_array_equal(engine.equity(), [equity for _, _, equity in seen])
    trades, fills = engine.trades(), engine.fills()
    assert trades["pnl"].sum() == pytest.approx(engine.equity()[-1] - 10_000, abs=1e-6)
    assert trades["fees"].sum() == pytest.approx(fills["fee"].sum(), abs=1e-6)


def test_close_open_uses_the_open_of_the_last_bar(run, fills_bars):
    engine = run({0: lambda ctx: ctx.buy(10)}, fills_bars, close_open=True)
    assert (engine.fills()[-1]["bar"], engine.fills()[-1]["price"]) == (5, 92)
    assert not engine.trades()["open"].any()
    assert engine.equity()[-1] == engine.cash == 10_000 + 10 * (92 - 100)


def test_panel_on_the_union_clock(run, make_bars):
    first = make_bars([10, 11, 12], [11, 12, 13], [9, 10, 11], [10.5, 11.5, 12.5])
    second = make_bars([20, 21], [21, 22], [19, 20], [20.5, 21.5], step_ns=2 * 86_400 * 10**9)
    calls = []

    def on_bar(ctx):
        calls.append((ctx.i, ctx.symbol, ctx.bar, ctx.close))
        if ctx.i == 1:
            ctx.buy(10)

    engine = run(on_bar, first, second)
    assert calls == [
        (0, "S0", 0, 10.5),
        (1, "S0", 1, 11.5),
        (1, "S1", 0, 20.5),
        (2, "S0", 2, 12.5),
        (3, "S1", 1, 21.5),
    ]
    fills = engine.fills()
    assert [(fill["bar"], fill["symbol"], fill["price"]) for fill in fills] == [(2, 0, 12), (3, 1, 21)]
    assert list(engine.equity()) == [
        10_000,
        10_000,
        10_005,
        10_010,
    ]  # S0 is marked at its last close while it has no bar


def test_panel_shares_cash(run, make_bars):
    bars = make_bars([100] * 4, [101] * 4, [99] * 4, [100] * 4)
    engine = run(lambda ctx: ctx.buy() if ctx.i == 0 else None, bars, bars, size=nt.Size.equity(0.75))
    assert [(order["status"], order["reason"]) for order in engine.orders()] == [(3, 0), (5, nt.Denial.NO_CASH)]


def signal_arrays(count, **flags):
    arrays = {name: np.zeros(count, np.uint8) for name in ("entries", "exits", "short_entries", "short_exits")}
    for name, bars in flags.items():
        arrays[name][list(bars)] = 1
    return arrays


@pytest.mark.parametrize(
    ("flags", "sides"),
    [
        ({"entries": [0, 1]}, [1]),
        ({"entries": [0], "exits": [2]}, [1, -1]),
        ({"entries": [0], "short_entries": [2]}, [1, -1]),
        ({"entries": [0], "short_entries": [0]}, []),
        ({"entries": [0], "exits": [2], "short_entries": [2]}, [1, -1]),
        ({"short_entries": [0], "exits": [1], "short_exits": [2]}, [-1, 1]),
        ({"exits": [0], "entries": [0]}, [1]),
    ],
)
def test_signal_arrays(make_engine, fills_bars, flags, sides):
    engine = make_engine(fills_bars, size=nt.Size.units(10))
    engine.bind_signals(**signal_arrays(6, **flags))
    engine.advance(6)
    engine.finish()
    assert list(engine.fills()["side"]) == sides


def test_signal_stops_keep_out_until_the_next_decision(make_engine, fills_bars):
    engine = make_engine(fills_bars, policy="vectorbt", size=nt.Size.units(10))
    arrays = signal_arrays(6, entries=[1, 3, 4])
    engine.bind_signals(**arrays, stop_loss=np.full(6, 0.05))
    engine.advance(6)
    # Entered at 101, stopped in b3 at its open; the entry of b3 is passed over, that of b4 is not.
    assert [(fill["bar"], fill["side"], fill["price"]) for fill in engine.fills()] == [
        (1, 1, 101),
        (3, -1, 90),
        (4, 1, 92),
    ]


def test_the_same_orders_leave_the_same_bytes(run, make_engine, make_random_bars):
    bars = make_random_bars(11, 300)
    rng = np.random.default_rng(11)
    entries, exits = rng.random(300) < 0.2, rng.random(300) < 0.2
    assert entries.any() and exits.any()
    logs = set()
    for chunk in (1, 7, 300):
        engine = make_engine(bars)
        engine.bind_signals(entries, exits)
        while engine.position_index < 300:
            engine.advance(chunk)
        engine.finish()
        logs.add(bytes(engine.events()))

    def on_bar(ctx):
        if entries[ctx.i] and ctx.position == 0:
            ctx.buy()
        elif exits[ctx.i] and ctx.position > 0:
            ctx.close_position()

    logs.add(bytes(run(on_bar, bars).events()))
    assert len(logs) == 1


def test_a_strategy_error_names_the_bar(run, fills_bars):
    def on_bar(ctx):
        if ctx.i == 3:
            raise KeyError("mine")

    with pytest.raises(nt.StrategyError, match="bar 3") as caught:
        run(on_bar, fills_bars)
    assert (caught.value.bar, caught.value.ts_ns) == (3, fills_bars[0][3])
    assert isinstance(caught.value.__cause__, KeyError)


def test_an_interrupt_stays_an_interrupt(run, fills_bars):
    def on_bar(ctx):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(on_bar, fills_bars)


def test_tables_grow_past_every_step_of_their_size(make_engine, make_bars):
    """300,000 orders, signals and events: each row is what was put there."""
    count = 100_000
    prices = np.full(count, 100.0)
    engine = make_engine(make_bars(prices, prices + 1, prices - 1, prices))

    def on_bar(ctx):
        for _ in range(3):
            ctx.signal(1, 0.5)
            ctx.buy(0)  # refused, and kept

    engine.bind_python(on_bar)
    engine.advance(count)
    engine.finish()
    orders, signals, events = engine.orders(), engine.signals(), engine.events().view(EVENT_DTYPE)
    bars = np.repeat(np.arange(count), 3)
    for table, name in ((orders, "created_bar"), (signals, "bar"), (events[::2], "bar"), (events[1::2], "bar")):
        np.testing.assert_array_equal(table[name], bars)
    np.testing.assert_array_equal(orders["order_id"], np.arange(1, 3 * count + 1))
    np.testing.assert_array_equal(events["id"][1::2], orders["order_id"])


def test_empty_bars(make_engine, make_bars):
    engine = make_engine(make_bars([], [], [], []))
    engine.bind_python(lambda ctx: None)
    assert engine.advance(10) == 0
    engine.finish(True)
    assert len(engine.equity()) == len(engine.trades()) == 0


def test_slippage_beyond_int64_ends_the_run(run, make_bars):
    bars = make_bars(*[[8e9] * 3] * 4)
    with pytest.raises(nt.InputError, match="bar 1: a price or an amount exceeds"):
        run({0: lambda ctx: ctx.buy(1e-9)}, bars, slippage=nt.Slippage(rate=1.0))


def test_overflow_ends_the_run_with_its_bar(run, make_bars):
    bars = make_bars(*[[1e3, 1e6, 1e6]] * 4)
    with pytest.raises(nt.InputError, match="bar 1"):
        run({0: lambda ctx: ctx.buy(1e6)}, bars, cash=9e9, account=nt.Account(cash_digits=9, leverage=1000))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"symbols": ["A", "A"]}, "repeats"),
        ({"symbols": [""]}, "names"),
        ({"cash": 0.0}, "cash"),
        ({"cash": float("nan")}, "cash"),
        ({"cash": 1e13}, "cash"),
        ({"path": "up"}, "path"),
        ({"latency_ns": -1}, "latency_ns"),
        ({"slippage": nt.Slippage(ticks=1)}, "tick"),
        ({"instruments": []}, "instruments"),
    ],
)
def test_bad_settings_are_refused(fills_bars, change, message):
    given = {
        "symbols": ["A"],
        "cash": 1e4,
        "policy": nt.FillPolicy(),
        "fees": nt.Fees(),
        "slippage": nt.Slippage(),
        "size": nt.Size.all_in(),
        "risk": None,
        "instruments": [nt.Instrument()],
        "account": nt.Account(),
    } | change
    bars = [fills_bars] * len(given["symbols"])
    if len(bars) == 2:
        given["instruments"] = [nt.Instrument()] * 2
    with pytest.raises(nt.InputError, match=message):
        Engine(bars=bars, **given)


@pytest.mark.parametrize("column", range(6))
@pytest.mark.parametrize("spoil", ["short", "dtype", "strided", "list"])
def test_bad_columns_are_refused(make_engine, fills_bars, column, spoil):
    bars = list(fills_bars)
    array = bars[column]
    bars[column] = {
        "short": array[:-1],
        "dtype": array.astype(np.float32),
        "strided": np.repeat(array, 2)[::2],
        "list": list(array),
    }[spoil]
    with pytest.raises(nt.InputError):
        make_engine(tuple(bars))


def test_bindings_are_checked(make_engine, fills_bars):
    engine = make_engine(fills_bars)
    with pytest.raises(nt.InputError, match="bind"):
        engine.advance(1)
    with pytest.raises(nt.InputError, match="callable"):
        engine.bind_python(3)
    with pytest.raises(nt.InputError, match="address"):
        engine.bind_native(0)
    with pytest.raises(nt.InputError, match="entries"):
        engine.bind_signals(np.ones(5, np.uint8))
    with pytest.raises(nt.InputError, match="stop_loss"):
        engine.bind_signals(np.ones(6, np.uint8), stop_loss=np.ones(6, np.float32))
    with pytest.raises(nt.InputError, match="indicator 0"):
        engine.set_indicators([[np.ones(5)]])
    with pytest.raises(nt.InputError, match="columns"):
        engine.set_indicators([])
