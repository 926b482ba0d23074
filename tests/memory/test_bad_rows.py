"""What add and update accept can be read again; what cannot is refused, and changes nothing."""

import math

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.errors import InputError

DAY = 86_400_000_000_000


def rows(dimension: int, count: int = 1, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, dimension)).astype(np.float32)


@pytest.fixture
def db(tmp_path):
    with nt.AgentDB.open(tmp_path / "m") as opened:
        yield opened


def bad(kind, message, **columns):
    return pytest.param(kind, columns, message, id=f"{kind}-{'-'.join(columns)}-{message[:24]}")


@pytest.mark.parametrize(
    ("kind", "columns", "message"),
    [
        bad("observations", "price must be a finite number > 0, row 0 was -1.0", price=-1.0),
        bad("observations", "price must be", price=math.inf),
        bad("observations", "volume must be a finite number >= 0", volume=-1.0),
        bad("observations", "spread must be", spread=-0.5),
        bad("observations", "outcome must be a finite number", outcome=math.inf),
        bad("observations", "symbol must be given", symbol=np.array([""])),
        bad("observations", "symbol must be text that UTF-8 can hold", symbol="\ud800"),
        bad("observations", "row 0 was 9999", ts_ns=np.array(["9999-01-01"], "datetime64[s]")),
        bad("observations", "row 0 was NaT", ts_ns=np.array(["NaT"], "datetime64[ns]")),
        bad("observations", "payload must have one mapping a row", payload=3),
        bad("observations", "bids must be a sequence", payload=[{"bids": "xx"}]),
        bad("observations", r"bids\[0\] must be \(price, size\)", payload=[{"bids": [(1.0,)]}]),
        bad("observations", "metadata must be a mapping", payload=[{"metadata": [1]}]),
        bad("orders", "quantity must be a finite number > 0", side="buy", quantity=0.0),
        bad("orders", "quantity must be", side="buy", quantity=math.nan),
        bad("orders", "side must be given", side=np.array([""]), quantity=1.0),
        bad("orders", "status must be given", side="buy", quantity=1.0, status=""),
        bad("orders", "fills must hold OrderFill", side="buy", quantity=1.0, payload=[{"fills": [{"price": 1.0}]}]),
        bad("signals", "confidence must be in 0..1, row 0 was nan", direction="long", confidence=math.nan),
        bad("signals", "reasoning", direction="long", payload=[{"reasoning": 5}]),
    ],
)  # fmt: skip
def test_columns_that_no_record_could_have(db, kind, columns, message):
    collection = db.collections[kind]
    with pytest.raises(InputError, match=message):
        collection.add(rows(collection.dimension), **{"symbol": "A", "ts_ns": 0, **columns})
    assert len(collection) == 0


def test_records_of_wrong_types_are_refused_before_they_are_stored(db):
    vector = rows(512)[0]
    for record in (
        nt.Observation(ts_ns=0, symbol="A", metadata={"x": object()}, vector=vector),
        nt.Observation(ts_ns=0, symbol="A", provenance="me", vector=vector),
    ):
        with pytest.raises(InputError):
            db.observations.add(record)
    with pytest.raises(InputError, match="symbol must not be given with records"):
        db.observations.add(nt.Observation(ts_ns=0, symbol="A", vector=vector), symbol="B")
    assert db.observations.add([]).tolist() == [] and len(db.observations) == 0


def test_bad_updates_leave_the_row_as_it_was(db):
    first = int(db.observations.add(rows(512), ts_ns=0, symbol="A", price=2.0)[0])
    for known, fields, message in (
        (1, {"price": -3.0}, "price must be"),
        ([1, 2, 3], {"price": 3.0}, "known_ns must be one time"),
        (1, {"metadata": [1]}, "metadata must be a mapping"),
        (1, {"bids": "zz"}, "bids must be a sequence"),
        (1, {"vector": np.ones(5, np.float32)}, r"float32\[n, 512\]"),
    ):
        with pytest.raises(InputError, match=message):
            db.observations.update(first, known_ns=known, **fields)
    assert db.observations.get(first).price == 2.0 and db.observations.collection.stats()["versions"] == 1


def test_a_day_in_a_column_means_its_end(db):
    days = np.array(["1970-01-02", "1970-01-03"], "datetime64[D]")
    ids = db.observations.add(rows(512, 2), ts_ns=days, symbol="A", payload=[{"n": 1}, {"n": 2}])
    db.observations.add(rows(512, 1, 1), ts_ns=days[:1], symbol="A")
    assert [one.ts_ns for one in db.observations.range()] == [2 * DAY - 1, 2 * DAY - 1, 3 * DAY - 1]
    assert db.observations.get(ids[1]).known_ns == 3 * DAY - 1
    assert db.observations.count(as_of=2 * DAY - 2) == 0


def test_ids_from_a_store_go_into_records(db):
    ids = db.observations.add(rows(512, 2), ts_ns=0, symbol="A")
    signal = nt.Signal(ts_ns=0, symbol="A", direction="long", causal_links=ids, features=np.array([1.0, 2.0]),
                       vector=rows(768)[0])  # fmt: skip
    stored = db.signals.get(db.signals.add(signal))
    assert stored.causal_links == [1, 2] and stored.features == [1.0, 2.0]
    assert nt.Order(ts_ns=0, symbol="A", side="buy", quantity=1, signal_id=ids[0]).signal_id == 1


def test_arrays_in_metadata_keep_their_numbers(db):
    seen = nt.Observation(ts_ns=0, symbol="A", metadata={"x": np.array([2**53 + 1])}, vector=rows(512)[0])
    assert db.observations.get(db.observations.add(seen)).metadata == {"x": [2**53 + 1]}


def test_queries_and_names(db):
    vector = rows(512)[0]
    with pytest.raises(InputError, match="unknown term of a Query: 'symbl'; did you mean 'symbol'"):
        nt.Query(vector, symbl="A")
    with pytest.raises(InputError, match="a Query carries everything"):
        db.observations.search(nt.Query(vector).k(3), symbol="A")
    for k in ("3", 2.5, None, 0):
        with pytest.raises(InputError, match="k must be an int >= 1"):
            db.observations.search_many(vector[None, :0].repeat(0, axis=0), k=k)
    with pytest.raises(InputError, match="rows of one length"):
        db.observations.search([[1.0], [1.0, 2.0]])
    with pytest.raises(InputError, match="path must name a directory"):
        nt.AgentDB.open(None)
    db.close()
    assert "closed" in repr(db) and "closed" in repr(db.observations)


def test_ages_of_any_unit(db):
    db.observations.add(rows(512, 5), ts_ns=np.arange(5) * DAY, symbol="A")
    for age in ("1d", -1, np.timedelta64(1, "M"), 1.5, True):
        with pytest.raises(InputError, match="max_age must be"):
            db.observations.retain(max_age=age)
    with pytest.raises(InputError, match="as_of must be"):
        db.observations.count(as_of=np.timedelta64(1, "D"))
    assert db.observations.retain(max_age=np.timedelta64(2, "D")) == 2 and len(db.observations) == 3


def test_an_order_is_not_known_before_its_fills(db):
    fill = nt.OrderFill(ts_ns=5 * DAY, quantity=1, price=2.0)
    with pytest.raises(InputError, match="known_ns must not be before the latest time"):
        db.orders.add(rows(256), ts_ns=0, symbol="A", side="buy", quantity=1.0, payload=[{"fills": [fill]}])
    assert len(db.orders) == 0
