"""Records: what they refuse, what they default, and that nothing is lost on the way through bytes, JSON and columns."""

import contextlib
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neuraltrade as nt
from neuraltrade import schema
from neuraltrade.schema import Condition

VECTOR = np.linspace(-1, 1, 8, dtype=np.float32)


def examples():
    step = nt.TrajectoryStep(
        ts_ns=1, positions={"AAPL": 10.0}, cash=9.0, features={"rsi": 0.5}, action="buy", reward=0.01
    )
    other = nt.Counterfactual(action="hold", outcome=0.1, interval=(0.0, 0.2), difference=0.05, probability=0.5)
    pattern = nt.Pattern(kind="market_regime", conditions=[Condition(feature="rsi", low=0.1)], effect=0.2, support=0.5)
    verdict = nt.Verdict(
        score=-0.5, label="bad", regret=0.1, regret_interval=(0.05, 0.2), successes=["a"], failures=["b"]
    )
    fill = nt.OrderFill(ts_ns=9, quantity=1.5, price=2.5, fee=0.01)
    return [
        nt.Observation(ts_ns=1, symbol="AAPL", price=1.5, bids=[(1.4, 2.0), (1.3, 1)], asks=[(2, 1)], vector=VECTOR),
        nt.Observation(ts_ns=1, symbol="AAPL", metadata={"b": [1, {"z": None, "a": 2.5}], "a": "x"}),
        nt.Signal(ts_ns=1, symbol="AAPL", direction="short", features=[2], causal_links=[1, 2**64 - 1], vector=VECTOR),
        nt.Order(ts_ns=1, symbol="A", side="sell", quantity=3, fills=[fill], status="partially_filled", vector=VECTOR),
        nt.ReflexionTrace(ts_ns=1, decision_id=4, trajectory=[step], verdict=verdict, patterns=[pattern],
                          counterfactuals=[other], vector=VECTOR, provenance=nt.Provenance(creator="me", parent_id=4)),
        nt.Position(symbol="AAPL", quantity=-3.0, cost_basis=-4.0),
        nt.MarketState(symbol="AAPL", ts_ns=5, last=1.0, expires_ns=9),
        step, other, pattern, verdict, fill,
    ]  # fmt: skip


@pytest.mark.parametrize("record", examples(), ids=lambda record: type(record).__name__)
def test_round_trips(record):
    packed = schema.encode(record)
    assert schema.decode(packed) == record
    assert schema.encode(schema.decode(packed)) == packed
    text = schema.to_json(record)
    assert json.loads(text)["record"] == type(record).__name__
    assert schema.from_json(text) == record
    assert schema.from_columns(type(record), schema.to_columns([record, record])) == [record, record]


def test_equal_records_give_equal_bytes_whatever_the_order_of_keys():
    one = nt.Signal(ts_ns=1, symbol="A", direction="long", metadata={"a": 1, "b": 2})
    two = nt.Signal(ts_ns=1, symbol="A", direction="long", metadata={"b": 2, "a": 1})
    assert schema.encode(one) == schema.encode(two)


def test_vectors_are_little_endian_float32_and_decoded_read_only():
    record = schema.decode(schema.encode(nt.Observation(ts_ns=0, symbol="A", vector=[1.0, 2.0])))
    assert record.vector.dtype == np.dtype("<f4") and not record.vector.flags.writeable
    assert np.float32([1, 2]).tobytes() in schema.encode(record)


def test_equality_sees_the_vector():
    plain, with_vector = (nt.Observation(ts_ns=0, symbol="A", vector=v) for v in (None, VECTOR))
    changed = nt.Observation(ts_ns=0, symbol="A", vector=VECTOR + 1)
    assert with_vector not in (plain, changed) and plain != nt.Position(symbol="A")
    with pytest.raises(TypeError):
        hash(plain)


def test_defaults_of_time():
    assert nt.Observation(ts_ns="1970-01-01T00:00:01", symbol="A").known_ns == 10**9
    order = nt.Order(ts_ns=5, symbol="A", side="buy", quantity=1, submitted_ns=6, completed_ns=8)
    assert (order.created_ns, order.known_ns) == (5, 8)
    assert nt.Order(ts_ns=5, symbol="A", side="buy", quantity=1).average_fill_price is None


def test_instances_do_not_share_their_containers():
    one, two = (nt.Signal(ts_ns=0, symbol="A", direction="long") for _ in range(2))
    one.features.append(1.0)
    one.metadata["a"] = 1
    assert two.features == [] and two.metadata == {}


BAD = [
    (nt.Observation, {"symbol": ""}, "symbol must be a non-empty string"),
    (nt.Observation, {"symbol": 5}, "symbol"),
    (nt.Observation, {"ts_ns": 1.5}, "ts_ns must be integer nanoseconds"),
    (nt.Observation, {"ts_ns": 2**63}, "ts_ns must be within int64"),
    (nt.Observation, {"ts_ns": 5, "known_ns": 4}, r"known_ns must not be before ts_ns \(5\), was 4"),
    (nt.Observation, {"id": -1}, "id must be an integer in 0"),
    (nt.Observation, {"id": True}, "id must be"),
    (nt.Observation, {"id": 2**64}, "id must be"),
    (nt.Observation, {"price": math.nan}, "price must be a finite number, was nan"),
    (nt.Observation, {"price": 0.0}, "price must be > 0"),
    (nt.Observation, {"price": "1"}, "price must be a finite number"),
    (nt.Observation, {"price": True}, "price must be a finite number"),
    (nt.Observation, {"volume": -1}, "volume must be >= 0"),
    (nt.Observation, {"spread": math.inf}, "spread must be a finite number"),
    (nt.Observation, {"bids": [(1.0, 1.0)] * 6}, "bids must have at most 5 levels, has 6"),
    (nt.Observation, {"bids": [(1.0, 1.0), (2.0, 1.0)]}, "bids must be best price first, level 1"),
    (nt.Observation, {"asks": [(1.0, -1.0)]}, r"asks\[0\] size must be >= 0"),
    (nt.Observation, {"vector": []}, "vector must have one dimension"),
    (nt.Observation, {"vector": [[1.0]]}, r"vector must have one dimension.*\(1, 1\)"),
    (nt.Observation, {"vector": [1.0, math.nan]}, "vector must be finite, has nan at 1"),
    (nt.Observation, {"vector": ["x"]}, "vector must be a sequence of numbers"),
    (nt.Signal, {"direction": "lon"}, "direction must be one of .* did you mean 'long'"),
    (nt.Signal, {"direction": None}, "direction must be one of"),
    (nt.Signal, {"confidence": 1.01}, "confidence must be >= 0 and <= 1, was 1.01"),
    (nt.Signal, {"confidence": None}, "confidence must be a finite number"),
    (nt.Signal, {"propensity": 0.0}, "propensity must be > 0"),
    (nt.Signal, {"quantity": 0}, "quantity must be > 0"),
    (nt.Signal, {"stop_loss": -1.0}, "stop_loss must be > 0"),
    (nt.Signal, {"features": [1.0, math.inf]}, r"features\[1\] must be a finite number, was inf"),
    (nt.Signal, {"features": ["x"]}, r"features\[0\] must be a finite number"),
    (nt.Signal, {"causal_links": [-1]}, "causal_links must be"),
    (nt.Order, {"side": "long"}, "side must be one of buy, sell"),
    (nt.Order, {"quantity": 0.0}, "quantity must be > 0, was 0.0"),
    (nt.Order, {"type": "limt"}, "did you mean 'limit'"),
    (nt.Order, {"tif": "gtc"}, "tif must be one of GTC"),
    (nt.Order, {"status": "done"}, "status must be one of"),
    (nt.Order, {"limit_price": -1}, "limit_price must be > 0"),
    (nt.OrderFill, {"price": 0}, "price must be > 0"),
    (nt.ReflexionTrace, {"decision_type": "trade"}, "decision_type must be one of"),
    (nt.Verdict, {"score": 2}, "score must be >= -1 and <= 1, was 2"),
    (nt.Verdict, {"label": "fine"}, "label must be one of"),
    (nt.Verdict, {"regret_interval": (1.0, 0.0)}, r"regret_interval\[1\] must be >= 1"),
    (nt.Verdict, {"max_drawdown": 0.1}, "max_drawdown"),
    (nt.Counterfactual, {"action": "wait"}, "action must be one of"),
    (nt.Counterfactual, {"probability": 1.5}, "probability"),
    (nt.Counterfactual, {"interval": 3}, r"interval must be \(low, high\)"),
    (nt.Pattern, {"kind": "luck"}, "kind must be one of"),
    (nt.Pattern, {"p_adjusted": -0.1}, "p_adjusted"),
    (nt.Position, {"average_price": -1.0}, "average_price must be >= 0"),
    (nt.MarketState, {"bid": 2.0, "ask": 1.0}, "bid must not be above ask"),
    (nt.Provenance, {"parent_id": -1}, "parent_id"),
    (Condition, {"low": 2.0, "high": 1.0}, "high must be >= 2"),
]

GOOD = {
    nt.Observation: {"ts_ns": 0, "symbol": "A"},
    nt.Signal: {"ts_ns": 0, "symbol": "A", "direction": "long"},
    nt.Order: {"ts_ns": 0, "symbol": "A", "side": "buy", "quantity": 1.0},
    nt.OrderFill: {"ts_ns": 0, "quantity": 1.0, "price": 1.0},
    nt.ReflexionTrace: {"ts_ns": 0, "decision_id": 1},
    nt.Verdict: {"score": 0.0, "label": "good"},
    nt.Counterfactual: {"action": "hold", "outcome": 0.0},
    nt.Pattern: {"kind": "correlation", "conditions": [], "effect": 0.0},
    nt.Position: {"symbol": "A"},
    nt.MarketState: {"symbol": "A", "ts_ns": 0},
    nt.Provenance: {},
    Condition: {"feature": "rsi"},
}


@pytest.mark.parametrize(("kind", "change", "message"), BAD, ids=lambda value: getattr(value, "__name__", None))
def test_refuses(kind, change, message):
    kind(**GOOD[kind])
    with pytest.raises(nt.InputError, match=message):
        kind(**{**GOOD[kind], **change})


@pytest.mark.parametrize("record", examples(), ids=lambda record: type(record).__name__)
def test_damaged_bytes_are_refused_or_give_a_checked_record(record):
    packed = schema.encode(record)
    for cut in range(len(packed)):
        with pytest.raises(nt.InputError, match="does not hold a record"):
            schema.decode(packed[:cut])
    rng = np.random.default_rng(7)
    for place in rng.integers(0, len(packed), 200):
        damaged = bytearray(packed)
        damaged[place] ^= 1 << rng.integers(0, 8)
        with contextlib.suppress(nt.InputError):
            schema.encode(schema.decode(bytes(damaged)))


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_decoding_anything_never_crashes(data):
    for reader in (schema.decode, schema.from_json):
        with contextlib.suppress(nt.InputError):
            reader(data)


def test_what_cannot_be_encoded():
    for bad in (object(), {1, 2} | {object}, 2**70):
        with pytest.raises(nt.InputError, match="cannot be encoded"):
            schema.encode(nt.Observation(ts_ns=0, symbol="A", metadata={"x": bad}))
    with pytest.raises(nt.InputError, match="record must be one of Observation"):
        schema.encode({"ts_ns": 0})


def test_columns():
    rows = [
        nt.Observation(ts_ns=t, symbol="AB"[t % 2], price=None if t == 1 else 1.0 + t, vector=VECTOR * (t + 1))
        for t in range(4)
    ]
    columns = schema.to_columns(rows)
    assert columns["ts_ns"].dtype == np.int64 and columns["id"].dtype == np.uint64
    assert columns["symbol"].tolist() == ["A", "B", "A", "B"]
    np.testing.assert_array_equal(columns["price"], [1.0, np.nan, 3.0, 4.0])
    np.testing.assert_array_equal(columns["vector"], np.outer([1, 2, 3, 4], VECTOR).astype("f4"))
    assert schema.from_columns(nt.Observation, columns) == rows
    assert schema.from_columns(nt.Observation, {"ts_ns": [1], "symbol": ["A"]}) == [nt.Observation(ts_ns=1, symbol="A")]


def test_columns_refuse():
    row = nt.Observation(ts_ns=0, symbol="A")
    for rows, message in (
        ([], "must not be empty"),
        ([row, nt.Position(symbol="A")], "one record type"),
        ([row, nt.Observation(ts_ns=0, symbol="A", vector=VECTOR)], "all have a vector or none"),
        ([nt.Observation(ts_ns=0, symbol="A", vector=VECTOR[:n]) for n in (1, 2)], r"one length, have \[1, 2\]"),
    ):
        with pytest.raises(nt.InputError, match=message):
            schema.to_columns(rows)
    with pytest.raises(nt.InputError, match="did you mean 'symbol'"):
        schema.from_columns(nt.Observation, {"ts_ns": [1], "symbl": ["A"]})
    with pytest.raises(nt.InputError, match="one length"):
        schema.from_columns(nt.Observation, {"ts_ns": [1, 2], "symbol": ["A"]})
    with pytest.raises(nt.InputError, match="kind must be a record type"):
        schema.from_columns(dict, {"ts_ns": [1]})
