"""Random sequences of operations on a store and on the oracle: every answer equal, before and after reopening."""

import math

import numpy as np
import pytest
from oracle import Model

from neuraltrade.vectors import CollectionSpec, Field, Filter, Plan, Store

SPEC = CollectionSpec(
    name="things", dimension=64, connectivity=8, expansion=40, search_expansion=40,
    fields=(Field("symbol", "text"), Field("score", "float"), Field("group", "int"), Field("cause", "id"),
            Field("note", "text", False)),
)  # fmt: skip
SYMBOLS = ("AAPL", "IBM", "MSFT", "")
OPERATIONS = (
    "add",
    "add",
    "add",
    "update",
    "update",
    "delete",
    "search",
    "search",
    "search",
    "range",
    "get",
    "reopen",
    "optimize",
)


def random_filter(rng: np.random.Generator, depth: int = 0) -> Filter:
    low = float(rng.normal())
    kinds = [
        lambda: Filter.eq("symbol", str(rng.choice([*SYMBOLS, "NONE"]))),
        lambda: Filter.in_("symbol", [str(one) for one in rng.choice(SYMBOLS, 2)]),
        lambda: Filter.between("score", low, low + float(rng.random()) * 2),
        lambda: compare(rng, "group", int(rng.integers(-1, 6))),
        lambda: compare(rng, "score", float(rng.integers(-2, 3)) / 2),
        lambda: Filter.ne("note", "n3"),
        lambda: Filter.not_(random_filter(rng, depth + 1)),
        lambda: Filter.and_(random_filter(rng, depth + 1), random_filter(rng, depth + 1)),
        lambda: Filter.or_(random_filter(rng, depth + 1), random_filter(rng, depth + 1)),
    ]
    return kinds[int(rng.integers(0, len(kinds) if depth < 2 else 6))]()


def compare(rng: np.random.Generator, name: str, value: float) -> Filter:
    return getattr(Filter, str(rng.choice(["eq", "ne", "gt", "gte", "lt", "lte"])))(name, value)


class Pair:
    """The store and the oracle, doing the same."""

    def __init__(self, path, rng: np.random.Generator) -> None:
        self.path, self.rng = path, rng
        self.model = Model(SPEC.dimension)
        self.clock = 0
        self.centres = rng.standard_normal((5, SPEC.dimension)).astype(np.float32)
        self.open()

    def open(self) -> None:
        plan = Plan(exact_rows=16, gather_rows=32, rerank=4_096)
        self.store = Store(self.path, [SPEC], seal_rows=50, graph_rows=10**9, merge_factor=2, plan=plan)
        self.things = self.store.collections["things"]

    def vectors(self, count: int) -> np.ndarray:
        near = self.centres[self.rng.integers(0, len(self.centres), count)]
        noise = self.rng.standard_normal(near.shape) * self.rng.integers(0, 2, (count, 1))
        return (near + 0.3 * noise).astype(np.float32)

    def add(self) -> None:
        rng, count = self.rng, int(self.rng.integers(1, 30))
        ts = [self.clock + int(step) for step in rng.integers(-20, 20, count)]
        known = [t + int(rng.integers(0, 3)) * int(rng.integers(0, 30)) for t in ts]
        self.clock += int(rng.integers(0, 10))
        fields = {
            "symbol": [str(one) for one in rng.choice(SYMBOLS, count)],
            "score": [math.nan if rng.random() < 0.2 else float(rng.integers(-4, 5)) / 2 for _ in range(count)],
            "group": [int(one) for one in rng.integers(0, 5, count)],
            "cause": [int(one) for one in rng.integers(0, 9, count)],
            "note": [f"n{one}" for one in rng.integers(0, 5, count)],
        }
        vectors = self.vectors(count)
        payload = [bytes(rng.integers(0, 256, int(rng.integers(0, 9)), dtype=np.uint8)) for _ in range(count)]
        ids = self.things.add(vectors, ts_ns=np.array(ts), known_ns=np.array(known), payload=payload, **fields)
        assert ids.tolist() == self.model.add(vectors, ts, known, payload, **fields)

    def some_ids(self) -> list[int]:
        held = sorted(self.model.visible(None))
        return (
            []
            if not held
            else [
                int(one) for one in self.rng.choice(held, min(len(held), int(self.rng.integers(1, 4))), replace=False)
            ]
        )

    def update(self) -> None:
        for id_ in self.some_ids():
            known = self.model.visible(None)[id_].known_ns + int(self.rng.integers(0, 40))
            score = float(self.rng.integers(-4, 5))
            self.things.update(id_, known_ns=known, score=score, symbol="IBM")
            self.model.update(id_, known, score=score, symbol="IBM")

    def delete(self) -> None:
        ids = self.some_ids()
        if self.rng.random() < 0.5 and ids:
            assert self.things.delete(ids) == len(ids)
            for id_ in ids:
                self.model.delete(id_)

    def scope(self) -> dict:
        rng = self.rng
        scope: dict = {
            "where": random_filter(rng) if rng.random() < 0.6 else None,
            "start": None,
            "end": None,
            "as_of": None,
        }
        if rng.random() < 0.4:
            scope["start"] = self.clock - int(rng.integers(0, 60))
        if rng.random() < 0.4:
            scope["end"] = (scope["start"] if scope["start"] is not None else self.clock - 40) + int(
                rng.integers(0, 60)
            )
        if rng.random() < 0.5:
            scope["as_of"] = self.clock + int(rng.integers(-60, 40))
        return scope

    def search(self) -> None:
        scope, k = self.scope(), int(self.rng.integers(1, 12))
        vector = self.vectors(1)[0]
        hits = self.things.search(vector, k, exact=True, **scope)
        expected = self.model.search(vector, k, **scope)
        assert hits.ids.tolist() == [id_ for id_, _ in expected], scope
        assert hits.distances.tolist() == [distance for _, distance in expected]
        assert self.things.count(**scope) == len(self.model.matching(**scope))
        assert sum(step.candidates for step in hits.plan) == self.things.count(**scope)
        loose = self.things.search(vector, k, **scope)  # reranks every row, so only the order of ties may differ
        assert loose.distances.tolist() == hits.distances.tolist()
        many_ids, many_distances = self.things.search_many(np.stack([vector, vector]), k, exact=True, **scope)
        assert many_ids[1, : len(hits)].tolist() == hits.ids.tolist() and not many_ids[1, len(hits) :].any()
        assert np.isinf(many_distances[0, len(hits) :]).all()

    def range(self) -> None:
        scope = self.scope()
        rows, expected = self.things.range(**scope, limit=20), self.model.matching(**scope)[:20]
        assert rows.ids.tolist() == [one.id for one in expected]
        assert rows.known_ns.tolist() == [one.known_ns for one in expected]
        if expected:
            assert rows.column("symbol").tolist() == [one.fields["symbol"] for one in expected]
            np.testing.assert_array_equal(rows.column("score"), [one.fields["score"] for one in expected])
        assert [one["payload"] for one in rows] == [one.payload for one in expected]

    def get(self) -> None:
        for id_ in self.some_ids():
            as_of = self.clock + int(self.rng.integers(-60, 60)) if self.rng.random() < 0.5 else None
            seen = self.model.visible(as_of).get(id_)
            if seen is None:
                with pytest.raises(ValueError, match=f"id {id_} is not in things"):
                    self.things.get(id_, as_of)
            else:
                found = self.things.get(id_, as_of)
                assert (found["ts_ns"], found["known_ns"], found["symbol"]) == (
                    seen.ts_ns,
                    seen.known_ns,
                    seen.fields["symbol"],
                )
                assert found["payload"] == seen.payload

    def reopen(self) -> None:
        if self.rng.random() < 0.4:
            self.store.close()
            self.open()

    def optimize(self) -> None:
        if self.rng.random() < 0.3:
            self.store.optimize()


@pytest.mark.parametrize("seed", range(6))
def test_random_operations_equal_the_oracle(tmp_path, seed):
    rng = np.random.default_rng(seed)
    pair = Pair(tmp_path / "store", rng)
    for _ in range(120):
        getattr(pair, str(rng.choice(OPERATIONS)))()
    assert len(pair.model.versions) > 200 and len(pair.model.deleted) > 3
    for _ in range(20):
        pair.search()
        pair.range()
    pair.store.close()
    pair.open()
    pair.store.verify()
    for _ in range(10):
        pair.search()
        pair.range()
        pair.get()
    assert pair.store.stats()["collections"]["things"]["segments"] >= 1
    pair.store.close()
