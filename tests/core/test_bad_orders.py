"""Every order that must be refused is put to one book, interpreted and compiled: its reason, and the book as it was."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.core.engine import EVENT_DTYPE, EVENT_KINDS, ORDER_STATES, Engine

_spec = importlib.util.spec_from_file_location("bad_orders", Path(__file__).with_name("bad_orders.py"))
table = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(table)
BOOK, CALLS, FINISHED = table.BOOK, table.CALLS, table.FINISHED

AT_BAR = 3
POLICY = nt.FillPolicy(volume_cap=0.01)
ACCOUNT = nt.Account(shorting=False, cash_digits=9)
INSTRUMENT = nt.Instrument(tick=0.05, lot=0.1)
# Orders 1 to 15 of bad_orders.BOOK, the bad call, and after it orders that meet what it may have left behind.
SOURCE = """
import math
import neuraltrade as nt

class Bad(nt.Strategy):
    bad: bool = True

    def on_bar(self, ctx):
        if ctx.symbol == "B":
            if ctx.i == 0:
                ctx.buy(1, limit=70)
        elif ctx.i == 0:
            ctx.buy(4, stop_loss=60, take_profit=150)
            ctx.buy(5, limit=70, stop_loss=60, take_profit=90)
            ctx.cancel(ctx.buy(5, limit=60))
            ctx.buy(1, limit=50, tif="day")
            ctx.buy(0)
            ctx.buy(500)
            ctx.oco(ctx.buy(1, limit=75), ctx.buy(1, limit=74))
        elif ctx.i == 1:
            ctx.buy(30)
            ctx.sell(2, stop=85)
            ctx.trailing_stop(2, trail=20)
            ctx.buy(1, stop=120, limit=125)
        elif ctx.i == {at_bar}:
            if self.bad:
{calls}
        elif ctx.i == 5:
            ctx.sell(3)
            ctx.buy(2, limit=99, stop_loss=95, take_profit=101)
            ctx.modify(2, 6, limit=72)
        elif ctx.i == 9:
            ctx.close_position()
"""
NAMES = list(CALLS)
RISKS = (None, nt.RiskLimits(max_position=1e6))


def bars(symbol: str, low: float = 98.0) -> nt.Bars:
    """Twelve days about 100 that close at 100 up to the bad call; then prices fall through every order of the book."""
    close = np.array([100, 100, 100, 100, 99, 98, 96, 90, 80, 72, 65, 58], float)
    open_ = np.r_[100.0, close[:-1]]
    volume = np.full(12, 1000.0)
    volume[1] = 1e6  # enough for all of the order that cash does not cover
    return nt.Bars(symbol, np.arange(1, 13) * 86_400 * 10**9, open_, open_ + 2, close - 2, close, volume)


BARS = (bars("A"), bars("B"))
PANEL = nt.Panel(BARS)


@pytest.fixture(scope="module")
def strategy(tmp_path_factory):
    """The strategy, from a file: compiling reads its source."""
    folder = tmp_path_factory.mktemp("bad")
    calls = "\n".join(f"                ctx.signal(0, -({table.spelled(call)}) / 1000)" for call in NAMES)
    path = folder / "bad_strategy.py"
    path.write_text(SOURCE.format(at_bar=AT_BAR, calls=calls))
    spec = importlib.util.spec_from_file_location("bad_strategy", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Bad


def backtest(strategy, risk, bad=True):
    return nt.backtest(PANEL, strategy, fill=POLICY, account=ACCOUNT, instruments=INSTRUMENT, risk=risk,
                       params={"bad": bad})  # fmt: skip


@pytest.fixture(scope="module", params=RISKS, ids=["no limits", "limits"])
def runs(request, strategy):
    """The run with every bad call in one bar, and the one without."""
    return backtest(strategy, request.param), backtest(strategy, request.param, bad=False), request.param


def without(result, refused):
    """Everything a run left, as if the `refused` orders had never been given; what their refusals recorded is gone."""
    events = np.frombuffer(result.events, EVENT_DTYPE)
    kinds = [EVENT_KINDS.index(kind) for kind in ("signal", "denied", "modified", "joined")]
    at = (events["bar"] == AT_BAR) & np.isin(events["kind"], kinds)
    tables = {"events": events[~at].copy(), "fills": result.fills.copy(), "trades": result.trades.copy()}
    tables["orders"] = result.orders[~np.isin(result.orders["order_id"], refused)].copy()
    tables["denials"] = result.denials[result.denials["bar"] != AT_BAR].copy()
    for rows in tables.values():
        for name in {"order_id", "parent_id", "entry_order_id", "exit_order_id", "id"} & set(rows.dtype.names):
            rows[name] -= np.searchsorted(refused, rows[name])
    return tables


def test_both_speeds_refuse_alike(strategy):
    """Both kinds of run in one test: compiling all those calls takes longer than anything else here."""
    compiled = nt.compiled(strategy)
    for risk in RISKS:
        assert backtest(compiled, risk).digest == backtest(strategy, risk).digest


def test_each_refusal_is_explained(runs):
    """What the call returned, the row among the denials, and of a new order its row among the orders."""
    result, plain, _ = runs
    reasons = [nt.Denial[CALLS[call]] for call in NAMES]
    assert np.round(result.signals["confidence"] * -1000).tolist() == reasons
    told = result.denials[result.denials["bar"] == AT_BAR]
    named = [reason.name.lower() for call, reason in zip(NAMES, reasons, strict=True) if call not in table.CANCELS]
    assert told["reason"].tolist() == named
    denied = result.orders[(result.orders["created_bar"] == AT_BAR)]
    assert denied["reason"].tolist() == [CALLS[call].lower() for call in table.ORDERS]
    assert set(denied["status"]) == {"denied"} and not denied["filled"].any() and set(denied["done_bar"]) == {AT_BAR}
    assert len(result.orders) == len(plain.orders) + len(table.ORDERS)


def test_the_run_goes_on_as_if_they_had_not_been_given(runs):
    result, plain, _ = runs
    refused = result.orders["order_id"][result.orders["created_bar"] == AT_BAR]
    expected = without(plain, refused[:0])
    for name, rows in without(result, refused).items():
        assert rows.tobytes() == expected[name].tobytes(), name
    np.testing.assert_array_equal(result.equity, plain.equity)
    assert str(result.stats) == str(plain.stats)


def test_the_book_is_what_the_calls_are_meant_for(runs):
    """Each kind of order is there, and everything that works at the bad calls ends later."""
    plain = runs[1]
    orders = plain.orders
    for name, (id_, status) in BOOK.items():
        row = orders[id_ - 1]
        if name in FINISHED:
            assert row["status"] == status and row["done_bar"] <= AT_BAR, name
        else:
            assert row["created_bar"] < AT_BAR and (row["done_bar"] > AT_BAR or row["done_bar"] < 0), name
    assert {"filled", "cancelled", "expired", "denied", "rejected"} == {
        orders["status"][BOOK[n][0] - 1] for n in FINISHED
    }
    assert {"market", "limit", "stop", "stop_limit", "trailing_stop"} <= set(orders["type"])
    assert len(plain.fills) > 8 and len(plain.trades) > 2
    assert len(plain.denials) == 1 and plain.denials["bar"][0] == 0


# ---- the engine itself, immediately before and after


def snapshot(engine):
    counters = engine.counters()
    return {
        "orders": engine.orders(),
        "fills": engine.fills(),
        "trades": engine.trades(),
        "denials": engine.denials(),
        "events": engine.events().view(EVENT_DTYPE),
        "ledger": engine.ledger(),
        "working": counters["working"],
        "controls": counters["controls"],
        "cash": engine.cash,
        "mode": engine.gate_mode,
    }


@pytest.fixture(scope="module")
def at_the_bad_call(strategy):
    """What each call did in the middle of one bar of one engine: as none may change the book, all meet the same."""
    engine = Engine(("A", "B"), [one.columns() for one in BARS], cash=10_000.0, policy=POLICY, fees=nt.Fees(),
                    slippage=nt.Slippage(), size=nt.Size.all_in(), risk=nt.RiskLimits(), instruments=[INSTRUMENT] * 2,
                    account=ACCOUNT)  # fmt: skip
    seen = []

    def on_bar(ctx):
        strategy.on_bar(SimpleNamespace(bad=False), ctx)
        if ctx.i == AT_BAR and ctx.symbol == "A":
            for call in NAMES:
                before = snapshot(engine)
                answer = eval(table.spelled(call), {"ctx": ctx, "math": math})
                seen.append((call, answer, before, snapshot(engine), ctx.position, ctx.cash, ctx.equity))

    engine.bind_python(on_bar)
    engine.advance(engine.clock_count)
    engine.finish(False)
    assert engine.ledger()["balance"] == 0
    return seen


def test_nothing_but_the_refusal_is_added(at_the_bad_call):
    """Orders, fills, trades, ledger, cash, the working list and the gate's mode, bit by bit around each call."""
    assert len(at_the_bad_call) == len(CALLS) > 280
    first = at_the_bad_call[0]
    states = [ORDER_STATES[status] for status in first[2]["orders"]["status"]]
    assert {name: states[id_ - 1] for name, (id_, _) in BOOK.items()} == {
        name: status for name, (_, status) in BOOK.items()
    }
    assert first[2]["working"] == 10
    wrong = [(call, answer) for call, answer, *_ in at_the_bad_call if answer is not nt.Denial[CALLS[call]]]
    assert wrong == []
    for call, answer, before, after, *account in at_the_bad_call:
        added = {
            "orders": call in table.ORDERS,
            "denials": call not in table.CANCELS,
            "events": call not in table.CANCELS,
        }
        for name in ("orders", "denials", "events", "fills", "trades"):
            grown = len(after[name]) - len(before[name])
            assert grown == added.get(name, 0), (call, name)
            assert after[name][: len(before[name])].tobytes() == before[name].tobytes(), (call, name)
        if call in table.ORDERS:
            row = after["orders"][-1]
            assert (ORDER_STATES[row["status"]], row["reason"], row["filled"]) == ("denied", answer, 0), call
        if call not in table.CANCELS:
            kind = (
                "denied"
                if call in table.ORDERS
                else "modified"
                if call in table.CHANGES and "modify" in call
                else "joined"
            )
            event = after["events"][-1]
            assert (EVENT_KINDS[event["kind"]], event["code"], after["denials"][-1]["reason"]) == (
                kind,
                answer,
                answer,
            ), call
        for name in ("ledger", "working", "controls", "cash", "mode"):
            assert after[name] == before[name], (call, name)
        assert account == list(first[4:]), call


def test_a_full_table_refuses_until_there_is_room():
    answers = []

    class Many(nt.Strategy):
        def on_bar(self, ctx):
            if ctx.i == 0:
                answers.extend(ctx.buy(1, limit=1) for _ in range(2**14 + 1))
                answers.extend([ctx.cancel(1), ctx.buy(1, limit=1), ctx.buy(1, limit=1)])

    result = nt.backtest(BARS[0], Many)
    assert answers[: 2**14] == list(range(1, 2**14 + 1))
    assert answers[2**14 :] == [nt.Denial.TABLE_FULL, 1, 2**14 + 2, nt.Denial.TABLE_FULL]
    assert result.denials["reason"].tolist() == ["table_full"] * 2


# ---- what is no order at all ends the run, with the argument's name

MEANINGLESS = {
    'ctx.buy("ten")': "quantity must be a number or None, was 'ten'",
    "ctx.buy([1])": r"quantity must be a number or None, was \[1\]",
    'ctx.sell(1, limit="95")': "limit must be a number or None, was '95'",
    "ctx.buy(1, take_profit_rate={})": "take_profit_rate must be a number or None, was {}",
    "ctx.buy(1, tif=None)": "tif must be one of gtc, day, ioc, fok, gtd, was None",
    'ctx.buy(1, at="noon")': "at must be one of open, close, was 'noon'",
    'ctx.buy(1, tif="gtd")': "good_till None",
    'ctx.buy(1, tif="gtd", good_till=1.5)': "good_till must be integer nanoseconds",
    "ctx.buy(1, good_till=5)": "tif was 'gtc', good_till 5",
    'ctx.buy(1, symbol="X")': r"unexpected keyword argument 'symbol'; it takes quantity, limit, .*, good_till$",
    "ctx.sell(1, stoploss=3)": r"unexpected keyword argument 'stoploss'; did you mean stop_loss=\?",
    "ctx.trailing_stop(trailrate=0.1)": r"unexpected keyword argument 'trailrate'; did you mean trail_rate=\?",
    "ctx.trailing_stop(1, trail=3, side='long')": "side must be a whole number, was 'long'",
    "ctx.modify(1.5, 1)": "order_id must be a whole number, was 1.5",
    "ctx.modify('a', 1)": "order_id must be a whole number, was 'a'",
    "ctx.modify(1, '2')": "quantity must be a number or None, was '2'",
    "ctx.oco(1, None)": "other_id must be a whole number, was None",
    "ctx.cancel(float('nan'))": "order_id must be a whole number, was nan",
    "ctx.cancel(1e300)": r"order_id must be a whole number, was 1e\+300",
    "ctx.is_active(0.1)": "order_id must be a whole number, was 0.1",
    "ctx.target('half')": "fraction_of_equity must be a number",
    "ctx.target(None)": "fraction_of_equity must be a number, was None",
    "ctx.halt('stop')": "ctx.halt: mode must be one of reduce_only, halt, cancel_all, was 'stop'",
}


@pytest.mark.parametrize("call", MEANINGLESS)
def test_what_is_no_order_at_all_is_named(call):
    class Wrong(nt.Strategy):
        def on_bar(self, ctx):
            eval(call, {"ctx": ctx})

    with pytest.raises(nt.StrategyError, match=MEANINGLESS[call]) as caught:
        nt.backtest(BARS[0], Wrong)
    assert isinstance(caught.value.__cause__, nt.InputError if "unexpected" not in str(caught.value) else TypeError)
    assert (caught.value.bar, caught.value.ts_ns) == (0, BARS[0].ts_ns[0])


def test_numbers_of_other_kinds_are_numbers():
    """Ids from ctx.state are floats, numpy has scalars of its own, and an integer may be larger than any float."""
    answers, huge = [], 10**400

    class Odd(nt.Strategy):
        def on_bar(self, ctx):
            if ctx.i == 0:
                id_ = ctx.buy(np.float32(2), limit=np.int64(90))
                answers.extend([ctx.is_active(float(id_)), ctx.modify(np.float64(id_), np.int32(3)), ctx.cancel(huge)])
                answers.extend([ctx.buy(huge), ctx.target(-huge), ctx.cancel(np.int64(id_))])

    result = nt.backtest(BARS[0], Odd)
    unknown, beyond = nt.Denial.UNKNOWN_ORDER, nt.Denial.QUANTITY_RANGE
    assert answers == [True, 1, unknown, beyond, beyond, 1]
    assert result.orders["quantity"][0] == 3.0
