"""Verdicts against figures worked out by hand, and against the run whose decisions are judged."""

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.core.layouts import EVENT_DTYPE, EVENT_KINDS
from neuraltrade.core.settings import Account, Fees, FillPolicy, Instrument, Size, Slippage
from neuraltrade.reflexion import Decision, Move, RunContext, Tape, decision_of, judge, replay
from neuraltrade.reflexion.replay import _as_arrays

FREE = RunContext()


def bars_of(closes, spread=0.0):
    """Bars that open at the close before; high and low `spread` beyond."""
    closes = np.asarray(closes, dtype=float)
    opens = np.concatenate([closes[:1], closes[:-1]])
    high, low = np.maximum(opens, closes) + spread, np.minimum(opens, closes) - spread
    return nt.Bars("X", np.arange(1, len(closes) + 1) * 10**9, opens, high, low, closes, np.full(len(closes), 1e6))


def signal(identity, ts_ns, direction="long"):
    return nt.Signal(id=identity, ts_ns=ts_ns, symbol="X", direction=direction)


def records_of(result):
    """A run's signals and orders as records, without a store."""
    fills = {}
    for fill in result.fills:
        made = nt.OrderFill(
            ts_ns=int(fill["ts_ns"]),
            quantity=float(fill["quantity"]),
            price=float(fill["price"]),
            fee=float(fill["fee"]),
        )
        fills.setdefault(int(fill["order_id"]), []).append(made)
    orders = []
    events = result.events.view(EVENT_DTYPE)
    born = {int(row["id"]): row for row in events[events["kind"] == EVENT_KINDS.index("order")]}
    for row in result.orders:
        first = born[int(row["order_id"])]  # a trailing stop as it was made, not where it ended
        prices = {"limit_price": int(first["price"]) / 1e9 or None, "stop_price": int(first["value"]) / 1e9 or None}
        orders.append(
            nt.Order(
                id=1000 + int(row["order_id"]),
                signal_id=int(row["signal_id"]),
                ts_ns=int(row["created_ts_ns"]),
                symbol=str(row["symbol"]),
                side="buy" if row["side"] in (1, "buy") else "sell",
                type=str(row["type"]),
                quantity=max(float(np.nan_to_num(row["quantity"])), 1e-9),
                fills=fills.get(int(row["order_id"]), []),
                **prices,
            )
        )
    words = {1: "long", -1: "short", 0: "neutral"}
    signals = [
        nt.Signal(
            id=int(row["signal_id"]),
            ts_ns=int(row["ts_ns"]),
            symbol=str(row["symbol"]),
            direction=words.get(row["direction"], row["direction"]),
        )
        for row in result.signals
    ]
    return signals, orders


def test_outcomes_by_hand():
    bars = bars_of([100, 100, 100, 102, 104, 106, 108, 110, 112, 114, 116])
    # Bought at the open of bar 2 (100), sold at the open of bar 5 (104): decided at the closes of bars 1 and 4.
    judged = judge(Decision("X", 1, 0.0, 10.0, 4, fill_price=100.0), bars, FREE)
    assert judged.verdict.roi == pytest.approx(0.04, abs=1e-12)
    # On time, and one bar late (in at 100, out at 106), for each action.
    found = {c.description: (c.outcome, *c.interval) for c in judged.counterfactuals}
    assert found == {
        "short": pytest.approx((-0.04, -0.06, -0.04)),
        "no trade": (0.0, 0.0, 0.0),
        "closed 2 bars earlier": pytest.approx((0.0, 0.0, 0.02), abs=1e-12),
        "held 3 bars longer": pytest.approx((0.10, 0.10, 0.12)),
    }
    assert judged.verdict.label == "good"
    assert judged.verdict.regret == pytest.approx(-0.04)
    assert judged.verdict.regret_interval == pytest.approx((-0.06, -0.04))
    assert 0 < judged.verdict.score < 1 and judged.verdict.max_drawdown == 0.0
    assert judged.last_bar == 9
    assert [step.action for step in judged.trajectory] == ["buy", "hold", "hold", "close", "hold"]
    assert sum(step.reward for step in judged.trajectory) == pytest.approx(0.04)
    assert "long, 10 X over 3 bars: +4.00%" in judged.verdict.explanation


def test_a_losing_trade_is_bad_and_its_opposite_good():
    bars = bars_of([100, 100, 100, 98, 97, 96, 95, 94])
    worse = judge(Decision("X", 1, 0.0, 10.0, 4), bars, FREE).verdict
    better = judge(Decision("X", 1, 0.0, -10.0, 4), bars, FREE).verdict
    assert (worse.label, better.label) == ("bad", "good")
    assert worse.regret == pytest.approx(0.06) and better.regret == pytest.approx(-0.03)
    assert worse.score < 0 < better.score
    assert any("no trade" in text for text in worse.failures)


def test_a_decision_that_one_bar_of_delay_turns_is_inconclusive():
    bars = bars_of([100, 100, 100, 101, 99, 99, 99, 99])
    verdict = judge(Decision("X", 1, 0.0, 10.0, 3), bars, FREE).verdict
    assert verdict.label == "inconclusive" and verdict.regret_interval[0] < 0 < verdict.regret_interval[1]


def test_fees_and_slippage_are_those_of_the_run():
    bars = bars_of([100, 100, 100, 102, 104, 104, 104, 104])
    context = RunContext(fees=Fees(rate=0.001, fixed=1.0), slippage=Slippage(rate=0.01))
    verdict = judge(Decision("X", 1, 0.0, 10.0, 3), bars, context).verdict
    paid, got = 101.0 * 10, 102 * 0.99 * 10
    assert verdict.roi == pytest.approx((got - paid - 0.001 * (got + paid) - 2.0) / 1000.0, abs=1e-9)


def test_both_paths_of_an_ambiguous_bar_are_played():
    # Bar 3 spans both the stop at 98 and the profit at 103.
    columns = [column.copy() for column in bars_of([100, 100, 100, 101, 101, 101, 101]).columns()]
    columns[2][3], columns[3][3] = 104.0, 96.5
    bars = nt.Bars("X", *columns)
    decision = Decision("X", 1, 0.0, 10.0, 3, 100.0, 2, stop_loss=98.0, take_profit=103.0, contingent_exit=True)
    judged = judge(decision, bars, FREE)
    assert judged.details["scenarios"] == 4 and judged.details["ambiguous_bars"] > 0
    assert judged.verdict.roi == pytest.approx(-0.02) and judged.verdict.label == "inconclusive"
    low, high = judged.verdict.regret_interval
    assert low <= 0 < high
    short = next(c for c in judged.counterfactuals if c.description == "short")
    # Its own stop and profit, mirrored: 102 and 97.
    assert short.interval == pytest.approx((-0.02, 0.03))


def test_a_position_found_is_an_alternative():
    bars = bars_of([100, 100, 100, 99, 98, 97, 96, 95, 95, 95])
    reversal = judge(Decision("X", 2, -5.0, 5.0, 5), bars, FREE)
    outcomes = {c.description: round(c.outcome * 500, 6) for c in reversal.counterfactuals}
    # From the close of bar 2: keeping the short until the open of bar 6 (97) earns 3 a unit, closing it nothing.
    assert outcomes["keeping what was held"] == 15.0 and outcomes["closing what was held"] == 0.0
    assert reversal.verdict.label == "bad" and "short" not in outcomes
    closing = judge(Decision("X", 2, -5.0, 0.0, None), bars, FREE, horizon=3)
    assert {c.description for c in closing.counterfactuals} == {"long", "keeping what was held"}
    assert closing.verdict.label == "bad" and closing.verdict.regret == pytest.approx(0.03)
    kept = judge(Decision("X", 2, -5.0, -5.0, None), bars, FREE, horizon=3)
    assert {c.description for c in kept.counterfactuals} == {"long", "closing what was held"}
    assert kept.verdict.label == "good" and kept.verdict.roi == pytest.approx(0.03)


def test_not_trading_is_judged_at_the_runs_default_size():
    bars = bars_of([100, 100, 100, 102, 104, 104, 104, 104])
    for size, lot in (
        (Size.units(3.0), None),
        (Size.cash(500.0), None),
        (Size.equity(0.5), 1.0),
        (Size.all_in(), None),
    ):
        context = RunContext(size=size, instruments={"X": Instrument(lot=lot)})
        verdict = judge(Decision("X", 1, 0.0, 0.0, None, direction=1), bars, context, horizon=3).verdict
        assert verdict.label == "bad" and verdict.regret == pytest.approx(0.04) and verdict.roi == 0.0
        verdict = judge(Decision("X", 1, 0.0, 0.0, None, direction=-1), bars, context, horizon=3).verdict
        assert verdict.label == "good" and verdict.regret == pytest.approx(-0.04) and verdict.score > 0
        neutral = judge(Decision("X", 1, 0.0, 0.0, None), bars, context, horizon=3)
        assert neutral.verdict.label == "inconclusive" and neutral.verdict.score == 0.0
        assert {c.description for c in neutral.counterfactuals} == {"long", "short"}
    context = RunContext(size=Size.cash(550.0), instruments={"X": Instrument(lot=1.0)})
    assert context.default_quantity("X", 100.0) == 5.0
    with pytest.raises(nt.InputError, match="default buys nothing"):
        context = RunContext(size=Size.cash(50.0), instruments={"X": Instrument(lot=1.0)})
        judge(Decision("X", 1, 0.0, 0.0, None), bars, context)


def test_a_position_still_open_is_marked_at_the_last_bar():
    bars = bars_of([100, 100, 100, 102, 104])
    judged = judge(Decision("X", 1, 0.0, 10.0, None, fill_price=100.0), bars, FREE)
    assert judged.verdict.roi == pytest.approx(0.04) and judged.last_bar == 4
    assert not any("bars" in c.description for c in judged.counterfactuals)


def test_an_account_that_may_not_short_has_one_alternative_less():
    bars = bars_of([100, 100, 100, 102, 104, 104, 104])
    judged = judge(Decision("X", 1, 0.0, 10.0, 3), bars, RunContext(account=Account(shorting=False)))
    assert {c.description for c in judged.counterfactuals if "bar" not in c.description} == {"no trade"}


def test_arrays_and_scripts_play_alike():
    rng = np.random.default_rng(4)
    bars = bars_of(100 * np.exp(np.cumsum(rng.normal(0, 0.02, 80))), spread=0.5)
    scripts = []
    for _ in range(30):
        places = sorted(rng.choice(79, 3, replace=False).tolist())
        first = float(rng.choice([-7.0, 4.5]))
        scripts.append((Move(places[0], first), Move(places[1], -first * 2), Move(places[2], 0.0)))
        scripts.append((Move(places[0], first, stop_loss=0.02, take_profit=0.03), Move(places[2], 0.0)))
    assert _as_arrays(scripts, 80) is not None
    harmless = (Move(0, 1.0, limit=1.0),)  # never fills; sends the whole pass through Python
    for policy in (FillPolicy(), FillPolicy.preset("vectorbt")):
        context = RunContext(fill=policy, fees=Fees(rate=0.001))
        fast, slow = replay(bars, scripts, context, "worst"), replay(bars, [*scripts, harmless], context, "worst")
        np.testing.assert_array_equal(fast.profit, slow.profit[:-1])
        np.testing.assert_array_equal(fast.position, slow.position[:-1])
        assert fast.profit.any() and not slow.profit[-1].any()


@pytest.mark.parametrize("fill", ["conservative", "backtesting_py", "vectorbt"])
@pytest.mark.parametrize("guard", [None, 0.05])
def test_every_judged_trade_of_a_run_earned_what_the_run_says(fill, guard):
    bars = nt.datasets.load("GOOG")

    class Cross(nt.Strategy):
        def init(self, data):
            self.fast, self.slow = data.sma(10), data.sma(30)

        def on_bar(self, ctx):
            if ctx.crossed_above(self.fast, self.slow):
                ctx.signal(1, 0.8)
                ctx.buy(stop_loss_rate=guard)
            elif ctx.crossed_below(self.fast, self.slow):
                ctx.signal(-1, 0.8)
                ctx.close_position()

    result = nt.backtest(bars, Cross, cash=10_000.0, fees=0.001, size=nt.Size.equity(0.9), fill=fill)
    signals, orders = records_of(result)
    tape, context = Tape(orders), RunContext.of(result)
    trades = {int(row["signal_id"]): row for row in result.trades if not row["open"]}
    labels, compared = set(), 0
    for one in signals:
        decision = decision_of(one, tape, bars)
        if decision.bar == len(bars) - 1:
            continue
        judged = judge(decision, bars, context)
        labels.add(judged.verdict.label)
        row = trades.get(one.id)
        if row is not None and decision.before == 0 and decision.after:
            profit = judged.verdict.roi * judged.details["notional"]
            assert profit == pytest.approx(float(row["pnl"]), rel=1e-9, abs=1e-5)
            compared += 1
    assert compared > 25 and labels >= {"good", "bad"}


@pytest.mark.parametrize("guards", [{}, {"trail": 4.0}, {"take_profit_rate": 0.06, "stop_loss_rate": 0.03}])
def test_limit_entries_and_trails_are_replayed_as_they_were(guards):
    bars = nt.datasets.load("GOOG")[:700]

    class Dips(nt.Strategy):
        def on_bar(self, ctx):
            if ctx.i % 20 == 3:
                ctx.cancel_all()
                ctx.signal(1, 0.5)
                ctx.buy(quantity=5.0, limit=ctx.close * 0.985, **guards)
            elif ctx.i % 20 == 15:
                ctx.close_position()

    result = nt.backtest(bars, Dips, cash=10_000.0, fees=0.001)
    signals, orders = records_of(result)
    tape, context = Tape(orders), RunContext.of(result)
    trades = {int(row["signal_id"]): row for row in result.trades if not row["open"]}
    compared = unfilled = 0
    for one in signals:
        decision = decision_of(one, tape, bars)
        judged = judge(decision, bars, context)
        row = trades.get(one.id)
        if row is None:
            assert not decision.traded and decision.direction == 1
            unfilled += 1
        elif decision.before == 0:
            assert decision.contingent and judged.details["scenarios"] == 4
            profit = judged.verdict.roi * judged.details["notional"]
            assert profit == pytest.approx(float(row["pnl"]), rel=1e-7, abs=1e-5)
            compared += 1
    assert compared > 8 and unfilled > 3


def test_a_world_without_structure_gives_no_verdict_in_the_mean():
    rng = np.random.default_rng(12)
    labels, scores = [], []
    for _ in range(400):
        bars = bars_of(100 * np.exp(np.cumsum(rng.normal(0, 0.01, 40))), spread=0.2)
        before, after = rng.choice([[0.0, 5.0], [0.0, -5.0], [5.0, -5.0], [5.0, 0.0], [-5.0, -5.0]])
        verdict = judge(
            Decision("X", 10, before, after, int(rng.integers(12, 25)) if after else None), bars, FREE
        ).verdict
        labels.append(verdict.label)
        scores.append(verdict.score)
    good, bad = labels.count("good"), labels.count("bad")
    assert good + bad > 200 and abs(good - bad) < 3 * (good + bad) ** 0.5
    assert abs(np.mean(scores)) < 3 * np.std(scores) / len(scores) ** 0.5


def test_market_of_another_history_is_refused():
    bars = bars_of([100, 100, 100, 102, 104])
    with pytest.raises(nt.InputError, match=r"its order filled at 99\.0, the replay of X fills at 100\.0"):
        judge(Decision("X", 1, 0.0, 10.0, 3, fill_price=99.0), bars, FREE)
    with pytest.raises(nt.InputError, match="market must go on after the decision"):
        judge(Decision("X", 4, 0.0, 10.0, None), bars, FREE)
    with pytest.raises(nt.InputError, match=r"market must hold the bar of X that ends at .*00:00:09Z"):
        decision_of(signal(1, 9 * 10**9), Tape([]), bars)


def test_runs_in_one_store_are_told_apart():
    def order(identity, ts, signal_id, side="buy"):
        fills = [nt.OrderFill(ts_ns=ts + 1, quantity=1, price=5.0)]
        return nt.Order(id=identity, ts_ns=ts, symbol="X", side=side, quantity=1, signal_id=signal_id, fills=fills)

    rows = [order(11, 10, 1), order(12, 20, 2, "sell"), order(23, 10, 21), order(24, 30, 22, "sell"), order(35, 5, 31)]
    assert [o.id for o in Tape.of_signal(rows, signal(1, 10)).orders] == [11, 12]
    assert [o.id for o in Tape.of_signal(rows[::-1], signal(21, 10)).orders] == [23, 24]
    assert [o.id for o in Tape.of_signal(rows, signal(31, 5)).orders] == [35]
    assert [o.id for o in Tape.of_signal(rows, signal(99, 5)).orders] == [35]
    assert Tape.of_signal([], signal(1, 10)).orders == []


def test_run_settings():
    assert RunContext.of(FREE) is FREE
    entries = np.array([True, False, False])
    result = nt.backtest(bars_of([100, 101, 102]), nt.Signals(entries, ~entries), fees=0.002)
    assert RunContext.of(result).fees == Fees(rate=0.002) == RunContext.of(result.settings).fees
    for wrong, message in (
        (5, "run must be a Result"),
        ({"fees": {"rate": -1}}, "run holds settings"),
        ({"fill": 3}, "run holds"),
    ):
        with pytest.raises(nt.InputError, match=message):
            RunContext.of(wrong)
