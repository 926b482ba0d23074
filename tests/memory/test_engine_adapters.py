"""Recall and Journal beside the engine: what a run remembers and what it leaves behind."""

import math

import msgspec
import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.core.engine import Engine
from neuraltrade.errors import InputError
from neuraltrade.memory import Journal, Recall
from neuraltrade.memory import recall as recall_module
from neuraltrade.ports import Journal as JournalPort
from neuraltrade.ports import Recall as RecallPort


def engine_over(*bars: nt.Bars, size: nt.Size | None = None) -> Engine:
    return Engine(
        [one.symbol for one in bars], [one.columns() for one in bars], cash=100_000.0,
        policy=nt.FillPolicy.preset("conservative"), fees=nt.Fees(rate=0.001), slippage=nt.Slippage(),
        size=size or nt.Size.units(10), risk=None, instruments=[nt.Instrument() for _ in bars], account=nt.Account(),
    )  # fmt: skip


@pytest.fixture
def bars() -> nt.Bars:
    return nt.datasets.load("AAPL")[-160:]


@pytest.fixture
def db(tmp_path, bars):
    with nt.AgentDB.open(tmp_path / "m", seal_rows=50) as db:
        db.observe(nt.Panel([bars, nt.datasets.load("IBM")[-160:]]))
        yield db


def slow_similar(db, bars, ts_ns: int, k: int, horizon: int) -> list[tuple[int, float]]:
    """Every observation known by then, compared one by one; its outcome read off the bars."""
    rows = [one for one in db.observations.range(limit=None) if one.known_ns <= ts_ns]
    own = next(one for one in rows if one.symbol == bars.symbol and one.ts_ns == ts_ns)
    found = []
    for one in rows:
        later = [other for other in rows if other.symbol == one.symbol and other.ts_ns > one.ts_ns]
        if one.id != own.id and len(later) >= horizon:
            distance = 1.0 - float(one.vector.astype(np.float64) @ own.vector.astype(np.float64))
            found.append((distance, one.id, later[horizon - 1].price / one.price - 1.0))
    return [(id_, outcome) for _, id_, outcome in sorted(found)[:k]]


def test_recall_equals_the_slow_answer(db, bars):
    recall = Recall(db, horizon=3)
    assert isinstance(recall, RecallPort)
    for at in (5, 60, 159):
        found = recall.similar("AAPL", int(bars.ts_ns[at]), 4)
        expected = slow_similar(db, bars, int(bars.ts_ns[at]), 4, 3)
        assert found["id"].tolist() == [id_ for id_, _ in expected]
        np.testing.assert_allclose(found["outcome"], [outcome for _, outcome in expected], rtol=1e-12)
        assert (np.diff(found["distance"]) >= 0).all()


def test_recall_does_not_change_when_the_future_does(db, bars, tmp_path):
    at = int(bars.ts_ns[100])
    before = Recall(db).similar("AAPL", at, 10).tobytes()
    future = db.observations.range(start=at + 1, limit=None)
    db.observations.update(future.ids[:20], known_ns=int(bars.ts_ns[-1]), price=1e6)
    own = db.observations.range("AAPL", at, at + 1).vectors()
    db.observations.add(own.repeat(30, axis=0), symbol="AAPL", ts_ns=at - 5, known_ns=at + 1, price=1.0)
    assert Recall(db).similar("AAPL", at, 10).tobytes() == before
    db.optimize()
    assert Recall(db).similar("AAPL", at, 10).tobytes() == before
    db.observations.delete(future.ids[20:])
    assert Recall(db).similar("AAPL", at, 10).tobytes() == before


def test_recall_sees_what_is_added_while_it_lives(tmp_path, bars):
    with nt.AgentDB.open(tmp_path / "live") as db:
        recall = Recall(db, horizon=2)
        with pytest.raises(InputError, match=r"no observation of 'AAPL'.*db\.observe"):
            recall.similar("AAPL", int(bars.ts_ns[0]), 3)
        vectors = nt.embedding.MarketState().encode(bars)
        for row in range(12):
            db.observations.add(
                vectors[row : row + 1], symbol="AAPL", ts_ns=int(bars.ts_ns[row]), price=bars.close[row]
            )
            assert len(recall.similar("AAPL", int(bars.ts_ns[row]), 3)) == min(max(row - 1, 0), 3)
        assert len(recall.similar_to(vectors[30], int(bars.ts_ns[11]), 20)) == 10
    with pytest.raises(InputError, match="horizon must be an int in 1"):
        Recall(db, horizon=0)


def test_what_is_added_out_of_order_is_read_like_the_rest(tmp_path, bars):
    vectors = nt.embedding.MarketState().encode(bars)
    order = np.random.default_rng(3).permutation(60)
    with nt.AgentDB.open(tmp_path / "live", seal_rows=16) as db:
        grown = Recall(db, horizon=2)
        for step, row in enumerate(order.tolist()):
            symbol, at = ("AAPL", "IBM")[row % 2], int(bars.ts_ns[row])
            late = at + (5 * 86_400 * 10**9 if row % 3 == 0 else 0)  # some are known only days later
            columns = {"symbol": symbol, "ts_ns": at, "known_ns": late, "price": bars.close[row]}
            id_ = int(db.observations.add(vectors[row : row + 1], **columns)[0])
            if row % 7 == 0:
                db.observations.update(id_, known_ns=late + 1, price=1.0 + row)
            for as_of in (at, int(bars.ts_ns[70])):
                whole = Recall(db, horizon=2).similar_to(vectors[80], as_of, 5)
                assert grown.similar_to(vectors[80], as_of, 5).tobytes() == whole.tobytes(), step


def test_recall_reads_only_what_is_new(tmp_path, bars, monkeypatch):
    vectors = nt.embedding.MarketState().encode(bars)
    with nt.AgentDB.open(tmp_path / "live") as db:
        db.observations.add(vectors[:100], symbol="AAPL", ts_ns=bars.ts_ns[:100], price=bars.close[:100])
        recall, read = Recall(db, horizon=2), []
        gather = recall_module._columns
        monkeypatch.setattr(recall_module, "_columns", lambda *a: read.append(len(found := gather(*a))) or found)
        for row in range(100, 110):
            recall.similar_to(vectors[row], int(bars.ts_ns[row]), 3)
            db.observations.add(vectors[row : row + 1], symbol="AAPL", ts_ns=bars.ts_ns[row : row + 1], price=5.0)
        assert read == [100, *[1] * 9]


def test_unsettled_situations_have_no_outcome(db, bars):
    last = int(bars.ts_ns[-1])
    found = Recall(db, horizon=5, settled=False, same_symbol=True).similar("AAPL", last, 160)
    assert len(found) == 159 and np.isnan(found["outcome"]).sum() == 4
    assert set(db.observations.get(int(id_)).symbol for id_ in found["id"]) == {"AAPL"}


def test_strategy_reaches_memory_through_the_engine(db, bars):
    engine = engine_over(bars)
    engine.set_recall(Recall(db, horizon=3), ["AAPL"])
    seen = []
    engine.bind_python(lambda ctx: seen.append(ctx.similar(2)["outcome"].tolist()) if ctx.i == 100 else None)
    engine.advance(len(bars))
    assert (
        len(seen[0]) == 2
        and seen[0] == Recall(db, horizon=3).similar("AAPL", int(bars.ts_ns[100]), 2)["outcome"].tolist()
    )


def test_a_run_leaves_signals_orders_and_outcomes(db, bars):
    settings = {"fees": msgspec.to_builtins(nt.Fees(rate=0.001)), "account": {"cash_digits": 6}}
    journal = Journal(db, ["AAPL"], strategy="waves", settings=settings)
    assert isinstance(journal, JournalPort)
    engine = engine_over(bars)
    engine.set_journal(journal.append)

    def on_bar(ctx):
        if ctx.i % 20 == 10:
            ctx.signal("long", 0.75, "up")
            ctx.buy(quantity=5)
        elif ctx.i % 20 == 15:
            ctx.close_position()
        elif ctx.i == 118:
            ctx.buy(quantity=2)

    engine.bind_python(on_bar)
    engine.advance(len(bars))
    engine.finish()
    orders, trades, fills = engine.orders(), engine.trades(), engine.fills()
    assert len(db.orders) == len(orders) and len(db.signals) == 8 + 1
    signals = db.signals.range().records()
    named = [one for one in signals if "implied" not in one.metadata]
    assert {(one.strategy, one.direction, one.confidence, one.symbol) for one in named} == {
        ("waves", "long", 0.75, "AAPL")
    }
    assert all(one.metadata["run"] == settings for one in signals)
    for one in signals:
        seen = db.observations.get(one.causal_links[0])
        assert (seen.symbol, seen.ts_ns, seen.price) == ("AAPL", one.ts_ns, one.entry_price)
    for row in orders:
        record = db.orders.get(journal.order_ids[int(row["order_id"])])
        assert record.status == "filled" and record.quantity == pytest.approx(row["quantity"])
        assert record.ts_ns == row["created_ts_ns"] and record.completed_ns == row["done_ts_ns"]
        assert len(record.fills) == 1 and record.fills[0].price in fills["price"]
        assert db.orders.get(record.id, as_of=record.ts_ns).status == "submitted"
    closed = trades[~trades["open"]]
    outcomes = {one.ts_ns: one.metadata["outcome"] for one in signals if "outcome" in one.metadata}
    assert len(outcomes) == len({*closed["entry_bar"].tolist()})
    for trade in closed:
        entered = [ts for ts in outcomes if ts < trade["entry_ts_ns"]][-1]
        same = closed[closed["entry_bar"] == trade["entry_bar"]]
        if len(same) == 1 and entered != int(bars.ts_ns[110]):
            assert outcomes[entered] == pytest.approx(float(trade["return_"]), abs=1e-9)
    assert all(np.isnan(db.signals.search(signals[0].vector, 20, as_of=signals[0].ts_ns).column("outcome")))
    exits = [one for one in db.orders.range() if one.side == "sell"]
    assert exits and all(db.signals.get(one.signal_id).direction == "long" for one in exits)
    assert [level for level, _ in db.lineage(exits[0].id)] == [0, 1, 2]


def test_reversals_and_orders_sized_at_their_fill(db, bars):
    journal = Journal(db, ["AAPL"], strategy="flip")
    engine = engine_over(bars, size=nt.Size.all_in())
    engine.set_journal(journal.append)
    engine.bind_python(
        lambda ctx: (
            ctx.buy() if ctx.i == 10 else ctx.sell() if ctx.i == 40 else ctx.close_position() if ctx.i == 70 else None
        )
    )
    engine.advance(len(bars))
    trades = engine.trades()
    signals = db.signals.range().records()
    assert [(one.direction, one.metadata["implied"]) for one in signals] == [("long", True), ("short", True)]
    for one, trade in zip(signals, trades, strict=True):
        assert one.metadata["outcome"] == pytest.approx(float(trade["return_"]), abs=1e-9)
        assert math.isclose(
            one.metadata["outcome"], float(trade["pnl"]) / float(trade["quantity"] * trade["entry_price"]), abs_tol=1e-9
        )
    assert all(one.status == "filled" and one.quantity > 1 for one in db.orders.range())


def test_denied_orders_are_remembered_with_their_reason(db, bars):
    journal = Journal(db, ["AAPL"])
    engine = engine_over(bars)
    engine.set_journal(journal.append)
    engine.bind_python(lambda ctx: ctx.buy(quantity=1e6) if ctx.i == 3 else None)
    engine.advance(10)
    engine.finish()
    rows = db.orders.range(where=nt.Filter.in_("status", ["denied", "rejected"])).records()
    assert len(rows) == 1 and rows[0].reason == "no_cash" and rows[0].quantity == 1e6


class Changing(nt.Strategy):
    """Changes a limit order twice, is refused once, then fills; rests under a stop that is moved, and leaves."""

    def init(self, data):
        """Nothing to prepare."""

    def on_bar(self, ctx):
        """By the bar's number."""
        if ctx.i == 5:
            ctx.buy(quantity=8, limit=ctx.close * 0.5)
        elif ctx.i == 7:
            ctx.modify(1, quantity=6)
            ctx.modify(1, quantity=-3)
            ctx.modify(1, stop=10)
        elif ctx.i == 9:
            ctx.modify(1, limit=round(ctx.close * 1.2, 2))
            ctx.modify(99, quantity=3)
        elif ctx.i == 100:
            ctx.close_position()


def test_changes_of_an_order_are_kept_with_their_time(db, bars):
    journal = Journal(db)
    nt.backtest(bars, Changing, cash=1e6, journal=journal)
    order = db.orders.get(journal.order_ids[1])
    limit = float(round(bars.close[9] * 1.2, 2))
    assert order.metadata["changes"] == [
        {"ts_ns": int(bars.ts_ns[7]), "quantity": 6.0, "limit_price": bars.close[5] * 0.5, "stop_price": None},
        {"ts_ns": int(bars.ts_ns[7]), "refused": "quantity_range"},
        {"ts_ns": int(bars.ts_ns[7]), "refused": "conflict"},
        {"ts_ns": int(bars.ts_ns[9]), "quantity": 6.0, "limit_price": limit, "stop_price": None},
    ]
    assert (order.quantity, order.limit_price, order.status) == (6.0, limit, "filled")
    before = db.orders.get(order.id, as_of=int(bars.ts_ns[6]))
    assert (before.quantity, before.metadata.get("changes"), before.status) == (8.0, None, "submitted")
    assert db.orders.get(order.id, as_of=int(bars.ts_ns[8])).quantity == 6.0


def test_an_outcome_is_the_trades_return_whatever_the_unit(db, bars):
    """Multipliers, and a split between entry and exit."""
    journal = Journal(db)
    contract, split = {"AAPL": nt.Instrument(multiplier=25)}, nt.Splits(bars.ts_ns[40:41], [2])
    for settings in ({"instruments": contract}, {"actions": split}):
        result = nt.backtest(bars, Changing, cash=1e6, fees=nt.Fees(fixed=7.0), journal=journal, **settings)
        assert len(result.trades) == 1
        assert db.signals.range().records()[-1].metadata["outcome"] == pytest.approx(
            float(result.trades["return_"][0]), rel=1e-9
        )


def test_a_bar_that_was_not_observed_stops_the_run(tmp_path, bars):
    with nt.AgentDB.open(tmp_path / "empty") as db:
        engine = engine_over(bars)
        engine.set_journal(Journal(db, ["AAPL"]).append)
        engine.bind_python(lambda ctx: ctx.buy(quantity=1) if ctx.i == 3 else None)
        with pytest.raises(nt.NeuralTradeError, match="observe"):
            engine.advance(10)
        with pytest.raises(InputError, match="slot 0 of 0"):
            Journal(db).append(np.zeros(1, nt.core.engine.EVENT_DTYPE))
