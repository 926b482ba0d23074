"""ReasoningBank over a journalled run: what it stores, what it says again, and what it refuses."""

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.memory import Journal
from neuraltrade.reflexion import ReasoningBank


class Cross(nt.Strategy):
    def init(self, data):
        self.fast, self.slow = data.sma(5), data.sma(20)

    def on_bar(self, ctx):
        if ctx.crossed_above(self.fast, self.slow):
            ctx.signal(1, 0.8)
            ctx.buy(stop_loss_rate=0.04)
        elif ctx.crossed_below(self.fast, self.slow):
            ctx.signal(-1, 0.6)
            ctx.sell()


@pytest.fixture(scope="module")
def panel():
    return nt.Panel([nt.datasets.load(name)[:260] for name in ("AAPL", "IBM")])


@pytest.fixture
def db(tmp_path, panel):
    with nt.AgentDB.open(tmp_path / "memory") as store:
        store.observe(panel)
        yield store


def journalled(db, panel, **settings):
    settings = {"cash": 100_000.0, "fees": 0.001, "size": nt.Size.equity(0.4), **settings}
    return nt.backtest(panel, Cross, journal=Journal(db), **settings)


def test_every_decision_is_judged_and_remembered(db, panel, tmp_path):
    result = journalled(db, panel)
    with nt.AuditLog.open(tmp_path / "audit", signer=nt.Signer.generate(tmp_path / "key.pem")) as log:
        bank = ReasoningBank(db, panel, log)
        seen = []
        traces = bank.reflect_all(progress=lambda done, total: seen.append((done, total)))
        assert len(traces) == len(db.traces) == len(log) == len(result.signals) > 20
        assert seen[-1] == (len(traces), len(traces))
        checkpoint = log.checkpoint()
        assert nt.verify_proof(checkpoint, log.prove(3), db.traces.get(traces[3].id))
        assert log.lineage(traces[3].id)[1].id == traces[3].decision_id
    assert {trace.verdict.label for trace in traces} >= {"good", "bad"}
    for trace in traces:
        stored = db.traces.get(trace.id)
        assert stored.verdict == trace.verdict and stored.counterfactuals == trace.counterfactuals
        assert stored.trajectory == trace.trajectory and stored.trajectory
        signal = db.signals.get(trace.decision_id)
        assert (trace.ts_ns, trace.symbol, trace.strategy) == (signal.ts_ns, signal.symbol, signal.strategy)
        assert trace.known_ns > trace.ts_ns
        assert db.traces.count(where=nt.Filter.eq("decision_id", signal.id), as_of=trace.known_ns - 1) == 0


def test_profits_are_those_of_the_run(db, panel):
    result = journalled(db, panel)
    bank = ReasoningBank(db, panel)
    traces = {db.signals.get(trace.decision_id).metadata["engine_id"]: trace for trace in bank.reflect_all()}
    compared = 0
    for row in result.trades:
        trace = traces[int(row["signal_id"])]
        first = trace.trajectory[0]
        if row["open"] or first.positions:
            continue  # opened out of another position: its profit starts before the decision
        assert trace.verdict.roi * trace.metadata["notional"] == pytest.approx(float(row["pnl"]), rel=1e-6)
        compared += 1
    assert compared > 5


def test_judging_again_changes_nothing_until_more_is_known(db, panel):
    journalled(db, panel)
    short = nt.Panel([bars[:200] for bars in panel])
    early = ReasoningBank(db, short).reflect_all()
    assert [trace.id for trace in ReasoningBank(db, short).reflect_all()] == [trace.id for trace in early]
    late = ReasoningBank(db, panel)
    changed = 0
    for trace in early:
        again = late.reflect(trace.decision_id)
        assert again.id == trace.id and again.known_ns >= trace.known_ns
        changed += again.known_ns > trace.known_ns
        if again.known_ns > trace.known_ns:
            assert db.traces.get(trace.id, as_of=trace.known_ns).verdict == trace.verdict
    assert changed > 0 and len(db.traces) == len(early)


def test_two_runs_in_one_store(db, panel):
    journalled(db, panel)
    first = ReasoningBank(db, panel).reflect_all()
    count = len(db.signals)
    journalled(db, panel, fill="vectorbt", fees=0.0)
    traces = ReasoningBank(db, panel).reflect_all()
    assert len(traces) == len(db.signals) - len([s for s in db.signals.range(limit=None).ts_ns if s == panel.ts_ns[-1]])
    assert len(traces) > count and {trace.id for trace in first} < {trace.id for trace in traces}


def test_what_it_refuses(db, panel):
    result = journalled(db, panel)
    bank = ReasoningBank(db, panel)
    signal_id = int(db.signals.range(limit=1).ids[0])
    for call, message in (
        (lambda: bank.reflect(10**9), "id"),
        (lambda: ReasoningBank(db, panel["IBM"]).reflect(signal_id), "market must hold 'AAPL'"),
        (lambda: ReasoningBank(db, [1, 2]), "market must be nt.Bars or nt.Panel, was list"),
        (lambda: ReasoningBank(None, panel), "db must be an nt.AgentDB"),
        (lambda: ReasoningBank(db, panel, log=5), "log must be an nt.AuditLog"),
        (lambda: ReasoningBank(db, panel, horizon=0), "horizon must be an integer >= 1"),
        (lambda: ReasoningBank(db, panel, run=3), "run must be a Result"),
        (lambda: ReasoningBank(db, panel["AAPL"][:5]).reflect(signal_id), "market must hold the bar"),
    ):  # fmt: skip
        with pytest.raises(nt.InputError, match=message):
            call()
    assert len(db.traces) == 0
    other = nt.Bars("AAPL", *[c * (1.5 if i in (1, 2, 3, 4) else 1) for i, c in enumerate(panel["AAPL"].columns())])
    with pytest.raises(nt.InputError, match="its order filled at"):
        ReasoningBank(db, other).reflect(signal_id)
    bare = nt.Signal(ts_ns=int(panel["AAPL"].ts_ns[30]), symbol="AAPL", direction="long", strategy="by hand",
                     vector=np.ones(768, np.float32))  # fmt: skip
    bare_id = db.signals.add(bare)
    with pytest.raises(nt.InputError, match="run must be given"):
        bank.reflect(bare_id)
    assert ReasoningBank(db, panel, run=result).reflect(bare_id).verdict.label == "inconclusive"
