"""What the gate remembers: other symbols, working orders, what has just been, losses, the kill switch and its modes."""

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.core.engine import EVENT_DTYPE, EVENT_KINDS, ORDER_STATES

EXACT = nt.Account(cash_digits=9, leverage=10.0)
NANO = 1e-9
SECOND_NS = 10**9


@pytest.fixture
def flat_bars(make_bars):
    return make_bars([100.0] * 8, [100.25] * 8, [99.75] * 8, [100.0] * 8)


@pytest.fixture
def play(make_engine):
    """play({(bar, slot): call}, *bars, ...) -> engine and what each call returned; runs to the end."""

    def play_(steps, *bars, cash=1e6, account=EXACT, finish=True, **given):
        engine = make_engine(*bars, cash=cash, account=account, **given)
        answers = []

        def on_bar(ctx):
            step = steps.get((ctx.i, ctx.slot))
            if step is not None:
                answers.append(step(ctx))

        engine.bind_python(on_bar)
        engine.advance(engine.clock_count)
        if finish:
            engine.finish()
        assert engine.ledger()["balance"] == 0
        return engine, answers

    return play_


# ---- exposure over a panel


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"max_gross_exposure": 15_000}, nt.Denial.MAX_EXPOSURE),
        ({"max_net_exposure": 15_000}, nt.Denial.MAX_NET_EXPOSURE),
        ({"max_leverage": 0.015}, nt.Denial.MAX_LEVERAGE),
    ],
)
@pytest.mark.parametrize("resting", [False, True])
def test_other_symbols_and_what_works_there_count(play, flat_bars, limits, reason, resting):
    first = (lambda ctx: ctx.buy(100, limit=90)) if resting else (lambda ctx: ctx.buy(100))
    steps = {(0, 0): first, (2, 1): lambda ctx: (ctx.buy(50 + NANO), ctx.buy(50))}
    engine, answers = play(steps, flat_bars, flat_bars, risk=nt.RiskLimits(**limits))
    assert answers[1][0] is reason
    assert nt.accepted(answers[1][1])
    assert engine.ledger()["positions"]["S1"]["quantity"] == 50 * 10**9


def test_an_entry_that_finds_its_size_at_its_fill_counts_until_it_ends(play, flat_bars):
    steps = {
        (0, 0): lambda ctx: ctx.buy(limit=90.0),  # 10,000 of 1,000,000
        (0, 1): lambda ctx: (ctx.buy(51, limit=90.0), ctx.buy(49, limit=90.0)),
        (1, 0): lambda ctx: ctx.cancel(1),
        (1, 1): lambda ctx: (ctx.buy(102, limit=90.0), ctx.buy(101, limit=90.0)),
    }
    limits = nt.RiskLimits(max_gross_exposure=15_000)
    _, answers = play(steps, flat_bars, flat_bars, risk=limits, size=nt.Size.equity(0.01))
    assert answers[1][0] is nt.Denial.MAX_EXPOSURE and nt.accepted(answers[1][1])
    assert answers[3][0] is nt.Denial.MAX_EXPOSURE and nt.accepted(answers[3][1])


def test_a_hedge_adds_to_gross_and_not_to_net(play, flat_bars):
    steps = {(0, 0): lambda ctx: ctx.buy(100), (2, 1): lambda ctx: ctx.sell(100)}
    _, hedged = play(steps, flat_bars, flat_bars, risk=nt.RiskLimits(max_net_exposure=10_000))
    assert nt.accepted(hedged[1])
    _, grown = play(steps, flat_bars, flat_bars, risk=nt.RiskLimits(max_gross_exposure=15_000))
    assert grown[1] is nt.Denial.MAX_EXPOSURE


def test_a_hedge_that_only_works_does_not_lessen_the_net(play, flat_bars):
    steps = {(0, 0): lambda ctx: ctx.sell(100, limit=120), (1, 1): lambda ctx: ctx.buy(150)}
    _, answers = play(steps, flat_bars, flat_bars, risk=nt.RiskLimits(max_net_exposure=10_000))
    assert answers[1] is nt.Denial.MAX_NET_EXPOSURE


def test_no_price_of_another_symbol_denies(play, flat_bars):
    broken = tuple(np.array(column) for column in flat_bars)
    broken[4][3] = np.nan
    steps = {(0, 0): lambda ctx: ctx.buy(1), (3, 1): lambda ctx: ctx.buy(1)}
    for limits in ({"max_gross_exposure": 1e6}, {"max_net_exposure": 1e6}, {"max_leverage": 5}):
        _, answers = play(steps, broken, flat_bars, risk=nt.RiskLimits(**limits), finish=False)
        assert not nt.accepted(answers[1])


@pytest.mark.parametrize("limits", [{"max_gross_exposure": 5_000}, {"max_net_exposure": 5_000}, {"max_leverage": 0.5}])
def test_a_size_found_at_the_fill_is_cut_to_exposure(run, make_bars, limits):
    # 40 units at the last close of 100 pass; at the open of 50 the same budget buys 80, at 25 it buys 160.
    bars = make_bars([100, 50, 50], [101, 51, 51], [99, 49, 49], [100, 50, 50])
    risk = nt.RiskLimits(**limits)
    for size in (nt.Size.cash(4_000), nt.Size.equity(0.4)):
        engine = run({0: lambda ctx: ctx.buy()}, bars, risk=risk, size=size, account=EXACT, cash=10_000.0)
        fill = engine.fills()[0]
        assert fill["quantity"] == 80
    held = run(
        {0: lambda ctx: ctx.buy(30), 1: lambda ctx: ctx.buy()},
        make_bars([100, 100, 180, 180], [101, 101, 181, 181], [99, 99, 179, 179], [100, 100, 100, 180]),
        risk=risk,
        size=nt.Size.units(49),
        account=EXACT,
        cash=10_000.0,
    )
    assert held.ledger()["positions"]["S0"]["quantity"] == 30 * 10**9  # without a quantity: there already


def test_reversals_count_what_they_open(play, flat_bars):
    for limits in ({"max_gross_exposure": 10_000}, {"max_position": 100}, {"max_leverage": 0.01}):
        steps = {(0, 0): lambda ctx: ctx.buy(100), (2, 0): lambda ctx: (ctx.sell(200 + NANO), ctx.sell(200))}
        engine, answers = play(steps, flat_bars, risk=nt.RiskLimits(**limits))
        assert not nt.accepted(answers[1][0])
        assert nt.accepted(answers[1][1])
        assert engine.ledger()["positions"]["S0"]["quantity"] == -100 * 10**9


def test_reducing_and_closing_pass_limits_that_the_market_exceeded(play, make_bars):
    bars = make_bars([100, 100, 200, 200], [101, 101, 201, 201], [99, 99, 199, 199], [100, 100, 200, 200])
    limits = {"max_gross_exposure": 10_000, "max_net_exposure": 10_000, "max_leverage": 0.01, "max_executions": 1}
    steps = {
        (0, 0): lambda ctx: ctx.buy(100),
        (2, 0): lambda ctx: (ctx.buy(1), ctx.sell(40), ctx.close_position()),
    }
    engine, answers = play(steps, bars, risk=nt.RiskLimits(**limits))
    assert answers[1][0] is nt.Denial.MAX_EXPOSURE
    assert all(nt.accepted(answer) for answer in answers[1][1:])
    assert engine.ledger()["positions"]["S0"]["quantity"] == 0


# ---- many orders


@pytest.mark.parametrize(
    ("limits", "passed"),
    [
        ({"max_gross_exposure": 5_000}, 5),
        ({"max_net_exposure": 5_000}, 5),
        ({"max_leverage": 0.005}, 5),
        ({"max_position": 50}, 5),
        ({"max_executions": 7}, 7),
        ({"max_orders_per_second": 9}, 9),
        ({"duplicate_window_ns": 1}, 1),
    ],
)
@pytest.mark.parametrize("price", [None, 90.0])
def test_dozens_in_one_bar_count_what_already_works(play, flat_bars, limits, passed, price):
    def flood(ctx):
        return [ctx.buy(10, limit=price) for _ in range(40)]

    engine, answers = play({(1, 0): flood}, flat_bars, risk=nt.RiskLimits(**limits))
    assert [nt.accepted(answer) for answer in answers[0]] == [True] * passed + [False] * (40 - passed)
    assert len(engine.fills()) == (passed if price is None else 0)
    counts = engine.counters()
    name = next(iter(limits))
    assert counts["controls"][name] == {"checked": 40, "denied": 40 - passed}
    assert counts["denials"] == 40 - passed == len(engine.denials())


def test_the_rate_is_over_one_second_of_event_time(play, make_bars):
    bars = make_bars(*[[100.0] * 8] * 4, step_ns=SECOND_NS // 2)
    steps = {(bar, 0): lambda ctx: [ctx.buy(1) for _ in range(3)] for bar in range(6)}
    _, answers = play(steps, bars, risk=nt.RiskLimits(max_orders_per_second=3))
    assert [sum(map(nt.accepted, bar)) for bar in answers] == [3, 0, 3, 0, 3, 0]


def test_the_window_of_duplicates(play, make_bars):
    bars = make_bars(*[[100.0] * 8] * 4, step_ns=SECOND_NS)

    def again(ctx):
        ctx.cancel_all()
        return ctx.buy(1, limit=50)

    steps = {(bar, 0): again for bar in range(6)}
    engine, answers = play(steps, bars, risk=nt.RiskLimits(duplicate_window_ns=3 * SECOND_NS))
    assert [nt.accepted(answer) for answer in answers] == [True, False, False, True, False, False]
    assert engine.denials()[1]["value"] == 2 * SECOND_NS
    others = {
        (0, 0): lambda ctx: [
            ctx.buy(1, limit=50), ctx.buy(2, limit=50), ctx.buy(1, limit=51),
            ctx.buy(1, stop=150), ctx.sell(1, limit=150), ctx.buy(1, limit=50),
        ]
    }  # fmt: skip
    _, answers = play(others, bars, bars, risk=nt.RiskLimits(duplicate_window_ns=1))
    assert [nt.accepted(answer) for answer in answers[0]] == [True] * 5 + [False]


def test_default_sizes_are_duplicates_of_each_other(play, flat_bars):
    steps = {(0, 0): lambda ctx: [ctx.target(0.1), ctx.target(0.1), ctx.target(0.2)]}
    _, answers = play(steps, flat_bars, risk=nt.RiskLimits(duplicate_window_ns=1))
    assert answers[0][1] is nt.Denial.DUPLICATE
    assert nt.accepted(answers[0][2])


def test_executions_need_enabling_again(make_engine, flat_bars):
    engine = make_engine(flat_bars, risk=nt.RiskLimits(max_executions=2), account=EXACT, cash=1e6)
    answers = []
    engine.bind_python(lambda ctx: answers.append(ctx.buy(1)))
    engine.advance(4)
    assert [nt.accepted(answer) for answer in answers] == [True, True, False, False]
    assert tuple(engine.denials()[0][["reason", "limit", "value"]]) == (nt.Denial.REPEATED, 2, 3)
    engine.resume()
    engine.advance(4)
    assert [nt.accepted(answer) for answer in answers[4:]] == [True, True, False, False]


def test_a_cancelled_entry_was_no_execution(play, flat_bars):
    steps = {(0, 0): lambda ctx: (ctx.buy(1, limit=50), ctx.buy(1), ctx.cancel_all(), ctx.buy(1))}
    _, answers = play(steps, flat_bars, risk=nt.RiskLimits(max_executions=1))
    assert [nt.accepted(answers[0][index]) for index in (0, 1, 3)] == [True, False, True]


def test_brackets_are_not_traded_against_and_entries_are(play, flat_bars):
    steps = {
        (0, 0): lambda ctx: ctx.buy(10, stop_loss=90, take_profit=105),
        (2, 0): lambda ctx: ctx.buy(1),
        (4, 0): lambda ctx: (ctx.sell(1, limit=105), ctx.buy(1), ctx.close_position()),
    }
    _, answers = play(steps, flat_bars, risk=nt.RiskLimits(prevent_self_trade=True))
    assert nt.accepted(answers[1])
    assert nt.accepted(answers[2][0])
    assert answers[2][1] is nt.Denial.SELF_TRADE
    assert nt.accepted(answers[2][2])


def test_a_restricted_symbol_stops_no_other(play, flat_bars):
    steps = {(0, 0): lambda ctx: ctx.buy(1), (0, 1): lambda ctx: ctx.buy(1)}
    _, answers = play(steps, flat_bars, flat_bars, risk=nt.RiskLimits(restricted=("S1", "XYZ")))
    assert nt.accepted(answers[0])
    assert answers[1] is nt.Denial.RESTRICTED


# ---- the kill switch


def resting(ctx):
    """A position of 10 under a bracket comes first; then an entry on each side."""
    return ctx.buy(1, limit=50), ctx.sell(1, limit=150)


LEFT = {"reduce_only": ["entry", "stop_loss", "take_profit"], "halt": ["stop_loss", "take_profit"], "cancel_all": []}


@pytest.mark.parametrize("mode", list(LEFT))
@pytest.mark.parametrize("by", ["strategy", "outside"])
@pytest.mark.parametrize("risk", [None, nt.RiskLimits()])
@pytest.mark.parametrize("symbols", [1, 2])
def test_halting_by_hand(make_engine, flat_bars, mode, by, risk, symbols):
    engine = make_engine(*[flat_bars] * symbols, risk=risk, account=EXACT, cash=1e6)
    answers, kept = [], []

    def on_bar(ctx):
        if ctx.slot:
            if ctx.i == 5:
                answers.append(ctx.buy(1))
        elif ctx.i == 0:
            ctx.buy(10, stop_loss=60, take_profit=140)
        elif ctx.i == 2:
            resting(ctx)
        elif ctx.i == 3 and by == "strategy":
            kept.append(ctx.halt(mode))
        elif ctx.i == 5:
            answers.extend([ctx.buy(1), ctx.sell(11), ctx.sell(2), ctx.target(0.5), ctx.close_position()])
            assert ctx.halt("reduce_only") == 0  # never loosens

    engine.bind_python(on_bar)
    engine.advance(4)
    if by == "outside":
        kept.append(engine.halt(mode))
    assert engine.gate_mode == mode
    assert kept == [4 - len(LEFT[mode])]
    orders = engine.orders()
    working = [nt.core.engine.ORDER_ROLES[row["role"]] for row in orders if row["done_bar"] < 0]
    assert sorted(working) == sorted(LEFT[mode])
    cancelled = orders[orders["status"] == ORDER_STATES.index("cancelled")]
    assert set(cancelled["reason"]) == {nt.Denial.HALTED}
    assert set(cancelled["done_bar"]) == {3}
    engine.advance(2)
    refusal = nt.Denial.REDUCE_ONLY if mode == "reduce_only" else nt.Denial.HALTED
    assert answers[:2] == [refusal, refusal]
    assert [nt.accepted(answer) for answer in answers[2:5]] == [mode == "reduce_only", False, mode == "reduce_only"]
    engine.resume()
    assert engine.gate_mode == "open"
    engine.advance(2)
    events = engine.events().view(EVENT_DTYPE)
    marks = [(EVENT_KINDS[row["kind"]], row["bar"], row["value"]) for row in events if row["kind"] >= 8]
    assert marks == [("halted", 3, ["reduce_only", "halt", "cancel_all"].index(mode) + 1), ("resumed", 5, 0)]
    assert engine.ledger()["balance"] == 0


def test_reduce_only_holds_at_the_fill(play, flat_bars):
    """Two sales that each only reduce, of which the second would open a short."""
    steps = {(0, 0): lambda ctx: ctx.buy(10), (2, 0): lambda ctx: (ctx.halt("reduce_only"), ctx.sell(10), ctx.sell(10))}
    engine, answers = play(steps, flat_bars)
    assert answers[1][2] is nt.Denial.REDUCE_ONLY  # what works counts
    assert engine.ledger()["positions"]["S0"]["quantity"] == 0
    steps[(2, 0)] = lambda ctx: (ctx.halt("reduce_only"), ctx.sell(10), ctx.close_position())
    engine, answers = play(steps, flat_bars)
    assert nt.accepted(answers[1][1])
    assert nt.accepted(answers[1][2])
    assert engine.ledger()["positions"]["S0"]["quantity"] == 0


def test_starting_in_reduce_only(play, flat_bars):
    _, answers = play({(0, 0): lambda ctx: ctx.buy(1)}, flat_bars, risk=nt.RiskLimits(reduce_only=True))
    assert answers == [nt.Denial.REDUCE_ONLY]


def test_misuse_of_the_switch(make_engine, flat_bars):
    engine = make_engine(flat_bars)
    caught = []

    def on_bar(ctx):
        for call in (engine.halt, engine.resume, lambda: ctx.halt("stop")):
            with pytest.raises(nt.InputError) as error:
                call()
            caught.append(str(error.value))

    engine.bind_python(on_bar)
    with pytest.raises(nt.InputError, match="mode must be one of reduce_only, halt, cancel_all, was 'open'"):
        engine.halt("open")
    engine.halt()  # before the first bar
    engine.advance(1)
    assert caught[0] == "halt: the run is advancing; a strategy has ctx.halt"
    assert caught[2].startswith("ctx.halt: mode must be one of")
    engine.finish()
    for call in (engine.halt, engine.resume, engine.context.halt):
        with pytest.raises(nt.InputError, match="ended"):
            call()


def test_nothing_acts_past_the_last_bar(make_engine, flat_bars):
    engine = make_engine(flat_bars)
    engine.bind_python(lambda ctx: None)
    engine.advance(8)
    for call in (engine.context.halt, engine.context.buy):
        with pytest.raises(nt.InputError, match="ended"):
            call()
    assert engine.halt() == 0
    assert engine.events().view(EVENT_DTYPE)["bar"].tolist() == [7]


def test_the_journal_is_told_of_a_halt_at_once(make_engine, flat_bars):
    engine = make_engine(flat_bars)
    told = []
    engine.set_journal(lambda events: told.extend(EVENT_KINDS[row["kind"]] for row in events))
    engine.bind_python(lambda ctx: None)
    engine.advance(2)
    engine.halt("cancel_all")
    assert told == ["halted"]
    engine.resume()
    assert told == ["halted", "resumed"]


# ---- losses


def falling(make_bars, closes):
    return make_bars(closes, [close + 1 for close in closes], [close - 1 for close in closes], closes)


@pytest.mark.parametrize("mode", ["reduce_only", "halt", "cancel_all"])
@pytest.mark.parametrize("control", ["max_daily_loss", "max_drawdown"])
def test_a_loss_ends_what_works(make_engine, make_bars, control, mode):
    bars = falling(make_bars, [100.0, 100.0, 100.0, 90.0, 90.0, 90.0])
    limit = {"max_daily_loss": 99.0, "max_drawdown": 0.0099}[control]
    engine = make_engine(bars, risk=nt.RiskLimits(**{control: limit}, on_loss=mode), account=EXACT, cash=10_000.0)
    answers = []

    def on_bar(ctx):
        if ctx.i == 0:
            ctx.buy(10, stop_loss=50, take_profit=150)
        elif ctx.i == 1:
            resting(ctx)
        elif ctx.i == 4:
            answers.extend([ctx.buy(1), ctx.sell(2)])

    engine.bind_python(on_bar)
    engine.advance(6)
    assert engine.gate_mode == mode
    reason = nt.Denial.LOSS if control == "max_daily_loss" else nt.Denial.DRAWDOWN
    assert answers[0] is reason
    assert nt.accepted(answers[1]) == (mode == "reduce_only")
    halted = engine.events().view(EVENT_DTYPE)
    halted = halted[halted["kind"] == EVENT_KINDS.index("halted")]
    assert halted[["bar", "code"]].tolist() == [(3, reason)]
    cancelled = engine.orders()[engine.orders()["status"] == ORDER_STATES.index("cancelled")]
    assert len(cancelled) == 4 - len(LEFT[mode])
    assert set(cancelled["reason"]) == {reason}
    assert engine.counters()["controls"][control]["denied"] == 1


def test_the_daily_loss_starts_anew_each_day_and_the_drawdown_does_not(make_engine, make_bars):
    closes = [100.0 - day for day in range(8)]  # 10 a day on 10 units
    for limits, reason in (({"max_daily_loss": 10.0}, None), ({"max_drawdown": 0.004}, nt.Denial.DRAWDOWN)):
        engine = make_engine(falling(make_bars, closes), risk=nt.RiskLimits(**limits), account=EXACT, cash=10_000.0)
        answers = []
        engine.bind_python(lambda ctx, answers=answers: answers.append(ctx.buy(10) if ctx.i in (0, 7) else 1))
        engine.advance(8)
        assert answers[-1] is reason if reason else nt.accepted(answers[-1])


def test_a_day_of_minutes_adds_up(make_engine, make_bars):
    closes = [100.0, 100.0] + [100.0 - 0.1 * step for step in range(1, 11)]
    bars = make_bars(closes, [101.0] * 12, [98.0] * 12, closes, step_ns=60 * SECOND_NS)
    engine = make_engine(bars, risk=nt.RiskLimits(max_daily_loss=0.85), account=EXACT, cash=10_000.0)
    engine.bind_python(lambda ctx: ctx.buy(1) if ctx.i == 0 else None)
    engine.advance(12)
    events = engine.events().view(EVENT_DTYPE)
    assert events[events["kind"] == EVENT_KINDS.index("halted")]["bar"].tolist() == [10]  # 0.9 below


def test_after_resuming_losses_count_anew(make_engine, make_bars):
    engine = make_engine(
        falling(make_bars, [100.0, 100.0, 90.0, 90.0, 89.0, 80.0]),
        risk=nt.RiskLimits(max_drawdown=0.005),
        account=EXACT,
        cash=10_000.0,
    )
    modes = []
    engine.bind_python(lambda ctx: ctx.buy(10) if ctx.i == 0 else modes.append(engine.gate_mode))
    engine.advance(3)
    engine.resume()
    engine.advance(3)
    assert modes == ["open", "halt", "open", "open", "halt"]


def test_a_loss_is_seen_by_the_next_order_of_the_same_bar(make_engine, make_bars):
    """Fees of a fill at this close are a loss that the other symbol's order meets."""
    bars = make_bars(*[[100.0] * 4] * 4)
    risk = nt.RiskLimits(max_daily_loss=5)
    engine = make_engine(bars, bars, risk=risk, policy="vectorbt", fees=nt.Fees(fixed=6), account=EXACT, cash=1e4)
    answers = []
    engine.bind_python(lambda ctx: answers.append(ctx.buy(1)) if ctx.i == 1 else None)
    engine.advance(4)
    assert nt.accepted(answers[0])
    assert answers[1] is nt.Denial.LOSS


# ---- all at once


@pytest.mark.parametrize("seed", range(20))
def test_no_limit_is_exceeded_by_random_orders(make_engine, make_bars, seed):
    """At constant prices the market cannot exceed a limit, so nothing may. Odd seeds cannot sell short: there net is
    gross, and no hedge can be closed, which is the one way to a larger net that always passes."""
    rng = np.random.default_rng(seed)
    count = 60
    bars = make_bars([100.0] * count, [110.0] * count, [90.0] * count, [100.0] * count)
    short = seed % 2 == 0
    limits = {"max_position": 40, "max_gross_exposure": 6_000, "max_leverage": 0.7}
    limits["max_net_exposure"] = 6_000 if short else 4_500
    account = nt.Account(cash_digits=9, leverage=10.0, shorting=short)
    engine = make_engine(
        bars, bars, bars, risk=nt.RiskLimits(**limits), account=account, cash=10_000.0, size=nt.Size.equity(0.3)
    )
    seen = []

    def act(ctx):
        quantity = int(rng.integers(1, 30))
        price = float(rng.integers(92, 109))
        order = ctx.buy if rng.random() < 0.5 else ctx.sell
        bracket = {"stop_loss_rate": 0.05, "take_profit_rate": 0.05} if rng.random() < 0.3 else {}
        choices = (
            lambda: order(quantity, **bracket),
            lambda: order(quantity, limit=price, **bracket),
            lambda: order(quantity, stop=price, **bracket),
            lambda: order(**bracket),
            lambda: ctx.target(float(rng.uniform(-0.6, 0.6))),
            lambda: order(quantity, at="close" if price > 100 else "open"),
            lambda: ctx.trailing_stop(quantity, trail=abs(price - 100) + 1, side=1 if price > 100 else -1),
            lambda: ctx.modify(int(rng.integers(1, 1 + max(1, engine.counters()["orders"]))), quantity=quantity),
            lambda: ctx.modify(int(rng.integers(1, 1 + max(1, engine.counters()["orders"]))), limit=price),
            ctx.close_position,
            ctx.cancel_all,
        )
        for _ in range(int(rng.integers(0, 5))):
            choices[rng.integers(0, len(choices))]()
        held = [row["quantity"] for row in engine.ledger()["positions"].values()]
        seen.append((max(map(abs, held)), 100 * sum(map(abs, held)), 100 * abs(sum(held))))

    engine.bind_python(act)
    engine.advance(count)
    worst = np.array(seen).max(axis=0)  # 1e-9, as all here
    assert (worst <= np.array([40, 6_000, limits["max_net_exposure"]]) * 10**9).all()
    assert worst[0] > 10 * 10**9
    assert engine.counters()["denials"] > 10
    assert engine.ledger()["balance"] == 0
