"""Several strategies in one run: each has its own positions, all share the cash, and the parts add up to the whole."""

from __future__ import annotations

import gc

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.backtest import run as run_module
from neuraltrade.core.engine import EVENT_DTYPE, EVENT_KINDS
from neuraltrade.core.team import Team

PANEL = nt.Panel([nt.datasets.load(name)[-500:] for name in ("AAPL", "GOOG", "MSFT")])
GOOG = nt.datasets.load("GOOG")[:400]
COSTS = {"cash": 1_000_000.0, "fees": 0.0005, "slippage": 0.0002}


class Cross(nt.Strategy):
    fast: int = 5
    slow: int = 30
    units: float = 10.0

    def init(self, data):
        self.f, self.s = data.sma(self.fast), data.sma(self.slow)

    def on_bar(self, ctx):
        ctx.state[0] += 1.0
        if ctx.crossed_above(self.f, self.s):
            ctx.signal(1, 0.75, reasoning="the fast average rose above the slow one")
            ctx.buy(self.units + ctx.slot, stop_loss_rate=0.04)
        elif ctx.crossed_below(self.f, self.s):
            ctx.signal(-1, 0.75, reasoning="and fell below")
            ctx.sell(self.units)


class Dips(nt.Strategy):
    """Other indicators, other numbers of them, and a symbol it leaves alone."""

    level: float = 35.0

    def init(self, data):
        self.rsi, self.atr, self.low = data.rsi(9), data.atr(9), data.rolling_min(20)

    def on_bar(self, ctx):
        if ctx.symbol == "GOOG":
            return
        if ctx.value(self.rsi) < self.level:
            ctx.buy(7, trail=1.5)
        elif ctx.value(self.rsi) > 70.0:
            ctx.signal(0, 0.6, reasoning="too far up")
            ctx.close_position()


class Greedy(nt.Strategy):
    def on_bar(self, ctx):
        if ctx.i == 3:
            ctx.buy()
        if ctx.i == 30:
            ctx.close_position()


class Maker(nt.Strategy):
    side: int = 1
    units: float = 1.0

    def on_bar(self, ctx):
        if ctx.i == 2 and self.side > 0:
            ctx.buy(self.units, limit=90.0)
        if ctx.i == 3 and self.side < 0:
            ctx.sell(1, limit=89.0)


class Broken(nt.Strategy):
    def on_bar(self, ctx):
        if ctx.i == 6:
            ctx.state[2**20] = 1.0


def test_the_same_at_both_speeds_and_mixed():
    lists = ([Cross, Dips, Cross], [nt.compiled(Cross), nt.compiled(Dips), nt.compiled(Cross)],
             [Cross, nt.compiled(Dips), nt.compiled(Cross)])  # fmt: skip
    runs = [nt.backtest(PANEL, each, params=[None, None, {"fast": 8}], **COSTS) for each in lists]
    assert len(runs[0].fills) > 100
    assert len({run.digest for run in runs}) == 1
    assert [run.settings["mode"] for run in runs] == ["interpreted", "compiled", "mixed"]
    assert len({run.reasoning for run in runs}) == 1
    for run in runs[1:]:
        for table in ("fills", "trades", "orders", "signals"):
            assert getattr(run, table).tobytes() == getattr(runs[0], table).tobytes(), table
    texts = {(str(row["strategy"]), runs[0].reasoning[row["reasoning"]]) for row in runs[0].signals}
    assert ("Dips", "too far up") in texts
    assert ("Cross 2", "and fell below") in texts
    assert ("Dips", "and fell below") not in texts


def test_with_cash_enough_each_does_what_it_does_alone():
    together = nt.backtest(PANEL, {"cross": Cross(units=4.0), "dips": Dips}, **COSTS)
    assert together.strategies == ("cross", "dips")
    for index, alone in enumerate((nt.backtest(PANEL, Cross(units=4.0), **COSTS), nt.backtest(PANEL, Dips, **COSTS))):
        for table in ("fills", "trades", "signals"):
            mine, own = getattr(together, table), getattr(alone, table)
            mine = mine[mine["strategy"] == together.strategies[index]]
            names = [name for name in own.dtype.names if not name.endswith(("order_id", "signal_id", "reasoning"))]
            assert len(own) > 10
            assert all(np.array_equal(mine[name], own[name], equal_nan=mine[name].dtype.kind == "f") for name in names)
        earned = alone.equity - alone.cash
        assert np.allclose(together.contributions()[:, index], earned, rtol=0, atol=1e-8)


def test_a_list_of_one_is_the_run_of_one():
    for data in (PANEL, GOOG):
        assert nt.backtest(data, [Cross], **COSTS).digest == nt.backtest(data, Cross, **COSTS).digest


def test_contributions_add_up_to_the_last_unit():
    """Against Python integers, from the log alone: prices of two decimals and whole units need no rounding."""
    rng = np.random.default_rng(11)
    close = np.round(60.0 + np.cumsum(rng.normal(0, 1, 300)), 2)
    bars = nt.Bars("X", np.arange(1, 301) * 86_400 * 10**9, close, close + 0.5, close - 0.5, close, np.full(300, 1e6))
    dues = nt.Dividends(["1970-03-01"], [0.25])
    account = nt.Account(leverage=4, borrow_rate=0.05, interest_rate=0.04, lots="fifo")
    fees = nt.Fees(fixed=1.25, per_unit=0.01)
    three = [Cross(units=900.0), Maker(units=2000.0), Cross(fast=3, slow=8, units=300.0)]
    run = nt.backtest(bars, three, cash=90_000.0, fees=fees, account=account, actions={"X": dues})
    rows, scale = run.by_strategy(), 10**6
    log = run.events.view(EVENT_DTYPE)
    totals, held = [0, 0, 0, 0], [0, 0, 0]
    for event in log:
        kind, owner = EVENT_KINDS[event["kind"]], int(event["symbol"])
        if kind == "fill":
            signed = int(event["side"]) * int(event["quantity"])
            held[owner] += signed
            worth = signed * int(event["price"])
            assert worth % 10**12 == 0
            totals[owner] -= worth // 10**12 + int(event["extra"])
        elif kind == "flow":
            totals[3 if event["code"] == 1 else owner] += int(event["value"])
    last = round(close[-1] * 100) * 10**7
    totals = [total + units * last // 10**12 for total, units in zip(totals, [*held, 0], strict=True)]
    assert rows["contribution_minor"].tolist() == totals
    assert totals[3] < 0, "the account owed interest"
    assert (run.flows["strategy"] == "").any()
    assert len(set(run.flows["strategy"])) > 2
    assert round(run.equity[-1] * scale) == 90_000 * scale + sum(totals)
    each = run.contributions().sum(axis=1)
    assert np.allclose(run.contributions()[-1], rows["contribution"][:3], rtol=0, atol=1e-6)
    owed = np.cumsum(np.bincount(run.flows["bar"][run.flows["strategy"] == ""], minlength=300,
                                 weights=run.flows["amount"][run.flows["strategy"] == ""]))  # fmt: skip
    assert np.allclose(run.equity, 90_000.0 + each + owed, rtol=0, atol=1e-6)


def test_cash_is_one():
    run = nt.backtest(GOOG, [Greedy, Greedy], cash=10_000.0)
    first = run.orders[run.orders["strategy"] == "Greedy"]
    second = run.orders[run.orders["strategy"] == "Greedy 2"]
    assert first["status"][0] == "filled"
    assert second["status"][0] == "rejected"
    assert second["reason"][0] == "no_cash"
    assert len(run.trades) == 1


def test_a_bar_lets_the_same_volume_trade_to_all_of_them():
    policy = nt.FillPolicy(volume_cap=0.001)
    bars = GOOG[:40]
    cap = np.floor(bars.volume * 0.001 * 1e9) / 1e9
    alone = nt.backtest(bars, Greedy, cash=1e9, fill=policy)
    run = nt.backtest(bars, [Greedy, Greedy, Greedy], cash=1e9, fill=policy)
    used = np.bincount(run.fills["bar"], weights=run.fills["quantity"], minlength=40)
    assert (used <= cap + 1e-6).all()
    assert np.isclose(used[4], cap[4])
    assert np.isclose(np.bincount(alone.fills["bar"], weights=alone.fills["quantity"], minlength=40)[4], cap[4])


def test_strategies_do_not_trade_with_one_another_where_that_is_forbidden():
    both = [Maker(side=1), Maker(side=-1)]
    run = nt.backtest(GOOG, both, risk=nt.RiskLimits(prevent_self_trade=True))
    refused = run.orders[run.orders["strategy"] == "Maker 2"]
    assert refused["reason"].tolist() == ["self_trade"]
    assert run.denials["strategy"].tolist() == ["Maker 2"]
    assert len(nt.backtest(GOOG, both).denials) == 0


def test_signals_run_beside_strategies():
    up = GOOG.close > GOOG.open
    signals = nt.Signals(up, ~up, size=3.0)
    run = nt.backtest(GOOG, {"plain": signals, "cross": nt.compiled(Cross), "again": signals}, **COSTS)
    alone = nt.backtest(GOOG, signals, **COSTS)
    for name in ("plain", "again"):
        mine = run.fills[run.fills["strategy"] == name]
        for column in ("bar", "side", "quantity", "price", "fee"):
            assert np.array_equal(mine[column], alone.fills[column])
    assert run.settings["mode"] == "mixed"
    assert (run.fills["strategy"] == "cross").any()


class Notes:
    """A journal and an advisor that remember whom they heard of."""

    def __init__(self):
        self.strategies, self.symbols, self.events = [], (), 0

    def begin(self, symbols, strategy, settings, reasoning):
        self.symbols, self.settings = symbols, settings

    def append(self, events):
        self.events += len(events)

    def enhance(self, signal, as_of=None):
        self.strategies.append((signal.strategy, signal.symbol, signal.reasoning))
        return signal


def test_memory_is_told_which_strategy_decided():
    notes = Notes()
    run = nt.backtest(PANEL, [Cross, Dips], journal=notes, advisor=notes, **COSTS)
    assert notes.symbols == PANEL.symbols * 2
    assert notes.events * EVENT_DTYPE.itemsize == run.events.nbytes
    told = [(str(row["strategy"]), str(row["symbol"]), run.reasoning[row["reasoning"]]) for row in run.signals]
    assert told == notes.strategies
    assert {name for name, _, _ in told} == {"Cross", "Dips"}


def test_an_agent_db_keeps_the_strategy_of_each_record(tmp_path):
    bars = nt.datasets.load("AAPL")[-160:]
    from neuraltrade.memory.journal import Journal

    with nt.AgentDB.open(tmp_path) as db:
        db.observe(bars)
        run = nt.backtest(bars, [Cross, Dips], journal=Journal(db), **COSTS)
        rows = db.orders.range("AAPL", 0, int(bars.ts_ns[-1]) + 1)
        kept = [record.strategy for record in rows.records() if not record.metadata.get("implied")]
    assert set(kept) == {"Cross", "Dips"}
    entries = run.orders[np.isin(run.orders["role"], ("entry", "close"))]
    assert sum(name == "Dips" for name in kept) >= (entries["strategy"] == "Dips").sum() > 0


def test_an_error_names_the_strategy_and_the_line():
    for broken in (Broken, nt.compiled(Broken)):
        with pytest.raises(nt.StrategyError, match=r"^Broken: .*bar 6") as caught:
            nt.backtest(GOOG, [Cross, broken])
        assert caught.value.bar == 6
        assert isinstance(caught.value.__cause__, IndexError)


def test_saved_and_read(tmp_path):
    run = nt.backtest(PANEL, [Cross, Dips], **COSTS)
    run.save(tmp_path / "run.ntr")
    read = nt.Result.load(tmp_path / "run.ntr")
    assert read.digest == run.digest
    assert read.strategies == run.strategies
    assert np.array_equal(read.by_strategy(), run.by_strategy())
    assert np.array_equal(read.contributions(), run.contributions())
    assert read.orders.tobytes() == run.orders.tobytes()
    assert len(run.to_frame("by_strategy")) == 3
    assert run.trade_stats()["all"]["trades"] == int(run.by_strategy()["trades"].sum())
    assert int(run.by_symbol()["fills"].sum()) == len(run.fills)


@pytest.mark.parametrize(
    ("strategy", "params", "words"),
    [
        ([], None, "1..1024"),
        ([Cross, 3], None, "must be nt.Signals"),
        ([Cross], [None, None], "a list of 1"),
        ([Cross], 3, "params must be"),
        ([Cross, Dips], {"Dip": {}}, "did you mean 'Dips'"),
        ([Cross, Dips], {"Dips": {"levl": 1.0}}, "did you mean 'level'"),
        ({"": Cross}, None, "names must be text"),
        ({3: Cross}, None, "names must be text"),
    ],
)
def test_wrong_lists_are_refused(strategy, params, words):
    with pytest.raises(nt.InputError, match=words):
        nt.backtest(GOOG, strategy, params=params)


def test_what_a_single_run_has_not():
    run = nt.backtest(GOOG, Cross)
    assert run.strategies == ()
    assert "strategy" not in run.fills.dtype.names
    for name in ("by_strategy", "contributions"):
        with pytest.raises(nt.InputError, match=f"{name} is of a run that was given a list"):
            getattr(run, name)()


def test_the_engine_keeps_its_team():
    """A team that nobody else holds is called all the same, and goes with its engine."""
    setup = run_module._setup(GOOG, 1e5, 0.0, 0.0, "conservative", None, None, None, None, 0, 0)
    members = run_module.members_of([Greedy, nt.compiled(Greedy)], None, setup.bars, None, setup.calendars)
    engine = setup.engine(setup.policy, ("on_bar",), 2)
    members.bind(engine)
    gc.collect()
    assert engine.advance(50) == 50
    assert engine.counters()["orders"] == 3
    other = setup.engine(setup.policy, ("on_bar",), 2)
    with pytest.raises(nt.InputError, match="another engine"):
        Team(engine, 2).join(other)
    with pytest.raises(nt.InputError, match="strategy 0 is not bound"):
        Team(other, 2).join(other)
    with pytest.raises(nt.InputError, match="count must be"):
        Team(other, 3)


def test_a_split_and_a_rate_are_each_strategys_own_once():
    close = np.where(np.arange(60) < 30, 80.0, 40.0) + np.sin(np.arange(60))
    ts = np.arange(1, 61) * 86_400 * 10**9
    bars = nt.Bars("X", ts, close, close + 0.5, close - 0.5, close, np.full(60, 1e6))
    given = {
        "cash": 1e6,
        "actions": {"X": nt.Splits([int(ts[29]) + 1], [2.0])},
        "instruments": nt.Instrument(currency="EUR"),
        "rates": {"EUR": nt.Rates([1, int(ts[40])], [1.1, 1.2])},
    }
    alone = nt.backtest(bars, Maker(units=100.0), **given)
    run = nt.backtest(bars, [Maker(units=100.0), Greedy, Maker(units=100.0)], **given)
    rows, own = run.trade_stats().rows, alone.trade_stats().rows
    mine = rows[np.isin(run.trades["strategy"], ("Maker", "Maker 2"))]
    assert len(own) == 1
    assert len(mine) == 2
    for one in mine:
        for name in ("pnl", "mae", "mfe", "return_"):
            assert one[name] == pytest.approx(own[name][0], rel=1e-12), name
    assert sorted(run.flows["strategy"].tolist()) == ["Greedy", "Maker", "Maker 2"]
    total = int(run.by_strategy()["contribution_minor"].sum())
    assert abs(total - (run.equity[-1] - 1e6) * 1e6) < 3.0, "half a unit of rounding a position"
