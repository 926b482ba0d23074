"""AgentDB: records in and out, columns, questions, and the past as it was known."""

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.errors import InputError

DAY = 86_400 * 10**9


def unit(dimension: int, seed: int) -> np.ndarray:
    vector = np.random.default_rng(seed).standard_normal(dimension).astype(np.float32)
    return vector / np.linalg.norm(vector)


@pytest.fixture
def db(tmp_path):
    with nt.AgentDB.open(tmp_path / "memory") as db:
        yield db


def observation(day: int, symbol: str = "AAPL", **fields) -> nt.Observation:
    return nt.Observation(ts_ns=day * DAY, symbol=symbol, vector=unit(512, day), **{"price": 100.0 + day, **fields})


def signal(day: int, **fields) -> nt.Signal:
    given = {
        "symbol": "AAPL",
        "direction": "long",
        "strategy": "momentum",
        "confidence": 0.5,
        "vector": unit(768, day),
        **fields,
    }
    return nt.Signal(ts_ns=day * DAY, **given)


def trace(decision_id: int, day: int, score: float, label: str, strategy: str = "momentum") -> nt.ReflexionTrace:
    return nt.ReflexionTrace(
        ts_ns=day * DAY, known_ns=(day + 5) * DAY, decision_id=decision_id, strategy=strategy, symbol="AAPL",
        verdict=nt.Verdict(score=score, label=label), vector=unit(1024, decision_id),
    )  # fmt: skip


def without_vector(record):
    record.vector = None
    return record


def test_every_kind_of_record_comes_back_equal(db):
    records = {
        "observations": observation(1, bids=[(100.0, 5.0)], metadata={"note": "x", "deep": {"a": [1, 2]}}, volume=0.0),
        "signals": signal(2, features=[1.0, 2.0], reasoning="trend", causal_links=[1], quantity=3.0),
        "orders": nt.Order(
            ts_ns=3 * DAY, symbol="AAPL", side="buy", quantity=10, signal_id=2, status="filled", vector=unit(256, 3),
            fills=[nt.OrderFill(ts_ns=3 * DAY + 5, quantity=10, price=101.0)],
        ),
        "traces": trace(2, 4, 0.4, "good"),
    }  # fmt: skip
    for name, record in records.items():
        collection = getattr(db, name)
        id_ = collection.add(record)
        back = collection.get(id_)
        assert back.id == id_ and abs(float(back.vector @ record.vector) - 1) < 1e-3
        back.id = 0
        assert without_vector(back) == without_vector(record)
        assert db.get(id_).ts_ns == record.ts_ns
        assert id_ in collection and id_ + 1000 not in collection
    assert [id_ for id_ in range(1, 5)] == [r for name in records for r in getattr(db, name).range().ids.tolist()]


def test_columns_become_records(db):
    vectors = np.stack([unit(512, seed) for seed in range(3)])
    ids = db.observations.add(
        vectors,
        symbol=["A", "B", "A"],
        ts_ns=np.arange(3) * DAY,
        price=[1.0, np.nan, 3.0],
        payload=[{}, {"note": "n"}, {"bids": [(2.0, 1.0)]}],
    )
    first, second, third = (db.observations.get(id_) for id_ in ids)
    assert (first.symbol, first.price, second.price, second.metadata) == ("A", 1.0, None, {"note": "n"})
    assert third.bids == [(2.0, 1.0)] and third.price == 3.0
    plain = db.observations.add(vectors[:1], symbol="C", ts_ns=5, spread=0.1)
    assert db.observations.get(plain[0]).spread == 0.1
    traces = db.traces.add(
        unit(1024, 1)[None, :], decision_id=7, ts_ns=0, **{"verdict.score": -0.5, "verdict.label": "bad"}
    )
    assert db.traces.get(traces[0]).verdict.label == "bad"
    signals = db.signals.add(
        unit(768, 1)[None, :], symbol="A", direction="short", ts_ns="2020-01-01T00:00:00Z", confidence=0.9
    )
    assert db.signals.get(signals[0]).direction == "short"


def test_search_by_symbol_time_and_filter(db):
    for day in range(20):
        db.observations.add(observation(day, "AAPL" if day % 2 else "IBM"))
    asked = unit(512, 7)
    hits = db.observations.search(asked, k=3, symbol="AAPL")
    assert hits.ids[0] == 8 and hits.distances[0] < 1e-3 and (np.diff(hits.distances) >= 0).all()
    assert [record.symbol for record in hits.records()] == ["AAPL"] * 3
    assert hits.ts_ns[0] == 7 * DAY and hits.column("price")[0] == 107.0
    assert db.observations.search(asked, k=50, symbol="IBM", start=4 * DAY, end=9 * DAY).ts_ns.tolist().__len__() == 3
    assert len(db.observations.search(asked, k=50, as_of=5 * DAY)) == 6
    query = nt.Query(asked).k(4).symbol("AAPL").filter(nt.Filter.lt("price", 110)).exact()
    assert set((db.observations.search(query).ts_ns // DAY).tolist()) <= {1, 3, 5, 7, 9}
    ids, distances = db.observations.search_many(np.stack([asked, unit(512, 3)]), k=25)
    assert ids.shape == (2, 25) and ids[1, 0] == 4 and (ids[:, 20:] == 0).all() and np.isinf(distances[:, 20:]).all()
    rows = db.observations.range("AAPL", 3 * DAY, 8 * DAY)
    assert (rows.ts_ns // DAY).tolist() == [3, 5, 7] and [one.price for one in rows] == [103.0, 105.0, 107.0]
    assert db.observations.count("IBM", as_of=4 * DAY) == 3


def test_an_outcome_is_known_only_from_its_own_time_on(db):
    id_ = db.observations.add(observation(1, metadata={"kept": True}))
    plain = db.observations.add(unit(512, 2)[None, :], symbol="AAPL", ts_ns=2 * DAY)[0]
    db.observations.update([id_, int(plain)], known_ns=9 * DAY, outcome=[0.05, -0.01])
    for moment, seen in ((8 * DAY, None), (9 * DAY, 0.05), (None, 0.05)):
        assert db.observations.get(id_, as_of=moment).metadata.get("outcome") == seen
        assert db.observations.get(id_, as_of=moment).metadata["kept"] is True
        assert db.observations.count(where=nt.Filter.gt("outcome", 0), as_of=moment) == (seen is not None)
    assert db.observations.get(int(plain)).metadata == {"outcome": -0.01}
    assert len(db.observations) == 2
    assert np.isnan(db.observations.search(unit(512, 1), k=1, as_of=8 * DAY).column("outcome")[0])


def test_updates_of_record_fields(db):
    order = nt.Order(ts_ns=DAY, symbol="A", side="buy", quantity=2, vector=unit(256, 1))
    id_ = db.orders.add(order)
    fills = [nt.OrderFill(ts_ns=2 * DAY, quantity=2, price=10.0)]
    db.orders.update(id_, known_ns=2 * DAY, status="filled", fills=fills, completed_ns=2 * DAY)
    assert db.orders.get(id_).fills == fills and db.orders.get(id_, as_of=DAY).status == "pending"
    assert db.orders.range(where=nt.Filter.eq("status", "filled")).ids.tolist() == [id_]
    judged = db.traces.add(trace(id_, 1, 0.1, "inconclusive"))
    db.traces.update(judged, known_ns=20 * DAY, **{"verdict.score": 0.9, "verdict.label": "good"})
    assert db.traces.get(judged).verdict.score == 0.9 and db.traces.get(judged, as_of=19 * DAY).verdict.score == 0.1


def test_signals_above_a_confidence_best_first(db):
    for day, confidence in enumerate((0.9, 0.3, 0.7, 0.9, 0.8)):
        db.signals.add(signal(day, confidence=confidence, strategy="x" if day == 4 else "momentum"))
    found = db.signals_above("momentum", 0.7)
    assert [(one.confidence, one.ts_ns // DAY) for one in found] == [(0.9, 3), (0.9, 0), (0.7, 2)]
    assert len(db.signals_above("momentum", 0.7, limit=1)) == 1
    assert len(db.signals_above("momentum", 0.0, as_of=DAY)) == 2


def test_similar_decisions_and_how_they_ended(db):
    ids = [db.signals.add(signal(day)) for day in range(4)]
    db.signals.update(ids[2], known_ns=6 * DAY, outcome=0.02)
    db.traces.add(trace(ids[2], 2, 0.4, "good"))
    nearest = db.similar_decisions(unit(768, 2), k=2)
    assert nearest[0].signal.id == ids[2] and nearest[0].outcome == 0.02 and nearest[0].trace.verdict.label == "good"
    assert nearest[1].trace is None and np.isnan(nearest[1].outcome)
    earlier = db.similar_decisions(unit(768, 2), k=1, strategy="momentum", as_of=5 * DAY)[0]
    assert earlier.trace is None and np.isnan(earlier.outcome)


def test_strategies_ranked_by_verdicts(db):
    for j, (strategy, score, label) in enumerate(
        [("a", 0.5, "good"), ("a", -0.1, "bad"), ("b", 0.9, "good"), ("c", 0.0, "inconclusive")]
    ):
        db.traces.add(trace(j + 1, j, score, label, strategy))
    ranked = db.rank_strategies()
    assert [(one.strategy, round(one.mean_score, 6), one.good, one.bad) for one in ranked] == [
        ("b", 0.9, 1, 0), ("a", 0.2, 1, 1), ("c", 0.0, 0, 0),
    ]  # fmt: skip
    assert [one.strategy for one in db.rank_strategies(as_of=6 * DAY)] == ["a"]
    assert db.rank_strategies(as_of=0) == []


def test_lineage_goes_back_to_the_observations(db):
    seen = [db.observations.add(observation(day)) for day in range(2)]
    decided = db.signals.add(signal(3, causal_links=[*seen, 999_999]))
    order = db.orders.add(
        nt.Order(ts_ns=4 * DAY, symbol="A", side="buy", quantity=1, signal_id=decided, vector=unit(256, 1))
    )
    judged = db.traces.add(trace(order, 5, 0.1, "good"))
    found = db.lineage(judged)
    assert [(level, record.id) for level, record in found] == [
        (0, judged),
        (1, order),
        (2, decided),
        (3, seen[0]),
        (3, seen[1]),
    ]
    assert len(db.lineage(judged, depth=1)) == 2
    with pytest.raises(InputError, match="not in this store"):
        db.lineage(12345)


def test_reopened_store_answers_the_same(tmp_path):
    with nt.AgentDB.open(tmp_path / "m") as db:
        for day in range(30):
            db.observations.add(observation(day))
        db.flush()
        before = str([without_vector(one) for one in db.observations.search(unit(512, 3), k=5).records()])
        db.backup(tmp_path / "copy")
    for path in ("m", "copy"):
        with nt.AgentDB.open(tmp_path / path, read_only=True) as db:
            assert (
                db.read_only
                and str([without_vector(one) for one in db.observations.search(unit(512, 3), k=5).records()]) == before
            )
            assert db.verify()["log_records"] == 30
            assert db.stats()["collections"]["observations"]["rows"] == 30


def test_delete_and_retain(db):
    ids = [db.observations.add(observation(day)) for day in range(10)]
    assert db.observations.delete(ids[:2]) == 2 and db.observations.retain(max_rows=5) == 3
    assert db.observations.retain(max_age=2 * DAY) == 2
    assert (db.observations.range().ts_ns // DAY).tolist() == [7, 8, 9]


ROW = unit(512, 1)[None, :]


def bare(vector=None):
    return nt.Observation(ts_ns=0, symbol="A", vector=vector)


def add_row(db, **fields):
    return db.observations.add(ROW, ts_ns=0, symbol="A", **fields)


def add_signal(db, **fields):
    return db.signals.add(unit(768, 1)[None, :], ts_ns=0, symbol="A", **fields)


@pytest.mark.parametrize(
    ("add", "message"),
    [
        (lambda db: db.signals.add(observation(1)), "signals takes Signal, record 0 was Observation"),
        (lambda db: db.observations.add(bare()), r"vector must be float32\[512\], record 0 has none"),
        (lambda db: db.observations.add([observation(1), bare(unit(64, 1))]), "record 1 has"),
        (lambda db: db.observations.add(ROW, symbol="A"), "ts_ns must be given"),
        (lambda db: db.observations.add(ROW, ts_ns=0), "symbol must be given"),
        (lambda db: db.observations.add(ROW, ts_ns=0, symbol=""), "symbol must be given"),
        (lambda db: db.observations.add(ROW, ts_ns=0, symbl="A"), "did you mean 'symbol'"),
        (lambda db: add_signal(db, direction="up"), "direction must be one of long"),
        (lambda db: add_signal(db, direction="long", confidence=1.5), "confidence must be in 0..1"),
        (lambda db: add_row(db, payload=[{"x": object()}]), "cannot be encoded"),
        (lambda db: add_row(db, payload=["x"]), "payload: row 0 must be a mapping"),
        (lambda db: add_row(db, payload=[{"price": 1.0}]), "which is a column"),
        (lambda db: db.observations.add(observation(1, metadata={"outcome": "x"})), "outcome"),
        (lambda db: db.observations.update(1, known_ns=DAY, prise=1.0), "did you mean 'price'"),
        (lambda db: db.observations.update(77, known_ns=DAY, price=1.0), "id 77 is not in observations"),
        (lambda db: db.observations.search(unit(512, 1), symbol=""), "symbol must be a non-empty text"),
        (lambda db: db.traces.search(unit(512, 1)), r"vector must be float32\[1024\]"),
        (lambda db: db.observe([1, 2]), "bars must be nt.Bars or nt.Panel"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_and_changes_nothing(db, add, message):
    with pytest.raises(InputError, match=message):
        add(db)
    assert all(len(collection) == 0 for collection in db.collections.values())
