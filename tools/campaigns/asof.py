"""Look-ahead in the store: what was known later never answers, nor shows in a count, a column or a plan.

A chunk is one store of some 900 rows, loaded in any order of time, with versions that become known later and rows that
are deleted, in a tail, segments and graphs; and a thousand searches as of random times. Each asks for the vector of a
row that becomes known after it (a canary: nothing could be nearer), exactly or through signs and graphs, with and
without filters and intervals. The oracle is arrays of versions and one comparison: known_ns <= as_of < until_ns.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from neuraltrade.core import quant
from neuraltrade.errors import NeuralTradeError
from neuraltrade.vectors import CollectionSpec, Field, Filter, Plan, Store

from campaigns import Failure, Outcome
from campaigns.disk import scratch_folder

VERSION = 1
UNIT = "searches"
CHUNK = 1_000
CI_COUNT, FULL_COUNT = 5_000, 1_000_000
SPEC = CollectionSpec(
    name="things", dimension=64, connectivity=6, expansion=24, search_expansion=24,
    fields=(Field("symbol", "text"), Field("score", "float")),
)  # fmt: skip
SYMBOLS = np.array(["A", "B", "C"])
SPAN = 1_000
NEVER = 2**63 - 1


class Truth:
    """Every version, as columns."""

    def __init__(self, dimension: int) -> None:
        self.id = np.empty(0, np.int64)
        self.ts_ns = np.empty(0, np.int64)
        self.known_ns = np.empty(0, np.int64)
        self.until_ns = np.empty(0, np.int64)
        self.symbol = np.empty(0, np.int64)
        self.score = np.empty(0, np.float64)
        self.alive = np.empty(0, bool)
        self.codes = np.empty((0, dimension), np.int8)
        self.norm = np.empty(0, np.float32)

    def add(self, ids: Any, ts: Any, known: Any, symbol: Any, score: Any, codes: Any, norm: Any) -> None:
        count = len(ids)
        more = {"id": ids, "ts_ns": ts, "known_ns": known, "until_ns": np.full(count, NEVER), "symbol": symbol,
                "score": score, "alive": np.ones(count, bool), "codes": codes, "norm": norm}  # fmt: skip
        for name, values in more.items():
            setattr(self, name, np.concatenate([getattr(self, name), values]))

    def visible(self, as_of: int) -> np.ndarray:
        return self.alive & (self.known_ns <= as_of) & (as_of < self.until_ns)

    def distances(self, codes: np.ndarray, norm: np.float32) -> np.ndarray:
        return np.maximum(quant.distances(self.codes, self.norm, codes, norm), 0.0)


class World:
    """A store and its truth, made from one generator."""

    def __init__(self, path: Path, rng: np.random.Generator) -> None:
        self.rng = rng
        self.plan = Plan(exact_rows=int(rng.integers(10, 80)), gather_rows=int(rng.integers(20, 100)),
                         graph_selectivity=float(rng.choice([0.0, 0.2])))  # fmt: skip
        self.store = Store(
            path, [SPEC], seal_rows=int(rng.integers(60, 300)), graph_rows=250, merge_factor=2, plan=self.plan
        )
        self.things = self.store.collections["things"]
        self.truth = Truth(SPEC.dimension)
        self.centres = rng.standard_normal((6, SPEC.dimension)).astype(np.float32)
        for _ in range(int(rng.integers(10, 16))):
            self.load(int(rng.integers(30, 100)))
            self.learn(int(rng.integers(1, 12)))
            if rng.random() < 0.4:
                self.forget(int(rng.integers(1, 4)))
        if rng.random() < 0.5:
            self.store.optimize()
        else:
            assert self.store._builder is not None
            self.store._builder.wait()

    def vectors(self, count: int) -> np.ndarray:
        near = self.centres[self.rng.integers(0, len(self.centres), count)]
        return (near + 0.4 * self.rng.standard_normal(near.shape)).astype(np.float32)

    def load(self, count: int) -> None:
        rng, vectors = self.rng, self.vectors(count)
        ts = rng.integers(0, SPAN, count)
        known = ts + rng.integers(0, 2, count) * rng.integers(0, 200, count)
        if rng.random() < 0.5:
            known = np.sort(known)
            ts = np.minimum(ts, known)
        symbol, score = rng.integers(0, len(SYMBOLS), count), rng.integers(-4, 5, count) / 2
        ids = self.things.add(vectors, ts_ns=ts, known_ns=known, symbol=SYMBOLS[symbol].tolist(), score=score)
        codes, norm = quant.quantize(vectors)
        self.truth.add(ids.astype(np.int64), ts, known, symbol, score, codes, norm)

    def some(self, count: int) -> np.ndarray:
        """Newest versions of rows."""
        newest = np.flatnonzero(self.truth.alive & (self.truth.until_ns == NEVER))
        return self.rng.choice(newest, min(count, len(newest)), replace=False)

    def learn(self, count: int) -> None:
        """Outcomes that become known later; now and then a new vector with them."""
        truth, rows = self.truth, self.some(count)
        known = truth.known_ns[rows] + self.rng.integers(0, 300, len(rows))
        score = self.rng.integers(10, 20, len(rows)) / 2
        vectors = self.vectors(len(rows)) if self.rng.random() < 0.3 else None
        codes, norm = (truth.codes[rows], truth.norm[rows]) if vectors is None else quant.quantize(vectors)
        self.things.update(truth.id[rows].astype(np.uint64), known_ns=known, score=score, vectors=vectors)
        truth.until_ns[rows] = known
        truth.add(truth.id[rows], truth.ts_ns[rows], known, truth.symbol[rows], score, codes, norm)

    def forget(self, count: int) -> None:
        ids = self.truth.id[self.some(count)]
        self.things.delete(ids.astype(np.uint64))
        self.truth.alive &= ~np.isin(self.truth.id, ids)

    def scope(self) -> tuple[dict[str, Any], np.ndarray]:
        """Conditions for the store, and the versions that meet them."""
        rng, truth = self.rng, self.truth
        scope: dict[str, Any] = {}
        meets = np.ones(len(truth.id), bool)
        if rng.random() < 0.4:
            symbol = int(rng.integers(len(SYMBOLS)))
            scope["where"] = Filter.eq("symbol", str(SYMBOLS[symbol]))
            meets &= truth.symbol == symbol
        if rng.random() < 0.3:
            low = float(rng.integers(-4, 12)) / 2
            more = Filter.gte("score", low)
            scope["where"] = scope["where"] & more if "where" in scope else more
            meets &= truth.score >= low
        if rng.random() < 0.3:
            scope["start"] = int(rng.integers(0, SPAN))
            scope["end"] = scope["start"] + int(rng.integers(0, SPAN))
            meets &= (truth.ts_ns >= scope["start"]) & (truth.ts_ns < scope["end"])
        return scope, meets

    def search(self, tallies: dict[str, int]) -> str:
        """One search; what does not hold."""
        rng, truth = self.rng, self.truth
        canary = int(rng.integers(len(truth.id)))
        as_of = int(rng.integers(-1, max(truth.known_ns[canary], 1)))
        scope, meets = self.scope()
        may = meets & truth.visible(as_of)
        k, exact = int(rng.integers(1, 20)), bool(rng.random() < 0.5)
        query = truth.codes[canary].astype(np.float32)
        hits = self.things.search(query, k, as_of=as_of, exact=exact, **scope)
        for step in hits.plan:
            tallies[step.how] = tallies.get(step.how, 0) + 1
        rows = self.rows_of(hits.ids, may)
        if rows is None:
            return f"as of {as_of}: an id is found that was not known, or not so"
        apart, count = truth.distances(*quant.quantize(query)), int(may.sum())
        known = int((truth.known_ns <= as_of).sum())
        wrong = {
            "a version is found that was known later": bool((hits.known_ns > as_of).any())
            or hits.column("score").tolist() != truth.score[rows].tolist(),
            "a distance is another one": hits.distances.tolist() != apart[rows].tolist(),
            "an exact search finds others": exact and hits.distances.tolist() != np.sort(apart[may])[:k].tolist(),
            f"count() says other than {count}": self.things.count(as_of=as_of, **scope) != count,
            f"the plan says other than {count}": sum(step.candidates for step in hits.plan) != count,
            "the plan counts rows that were known later": sum(step.rows for step in hits.plan) > known,
        }
        told = next((f"as of {as_of}: {what}" for what, is_so in wrong.items() if is_so), "")
        return told or (self.others(as_of, scope, may) if rng.random() < 0.1 else "")

    def others(self, as_of: int, scope: dict[str, Any], may: np.ndarray) -> str:
        """The other ways to ask."""
        truth = self.truth
        listed = self.things.range(as_of=as_of, limit=None, **scope)
        wanted = np.flatnonzero(may)[np.lexsort((truth.id[may], truth.ts_ns[may]))]
        if listed.ids.tolist() != truth.id[wanted].tolist():
            return f"as of {as_of}: range() lists others"
        if listed.column("score").tolist() != truth.score[wanted].tolist():
            return f"as of {as_of}: range() lists a version that was known later"
        canary = int(self.rng.integers(len(truth.id)))
        ids, _ = self.things.search_many(truth.codes[[canary]].astype(np.float32), 5, as_of=as_of, **scope)
        if self.rows_of(ids[ids > 0], may) is None:
            return f"as of {as_of}: search_many() finds an id that was not known"
        held = truth.visible(as_of) & (truth.id == truth.id[canary])
        try:
            score = self.things.get(int(truth.id[canary]), as_of)["score"]
        except NeuralTradeError:
            return "" if not held.any() else f"as of {as_of}: get() does not see what was known"
        return "" if held.any() and score == truth.score[held][0] else f"as of {as_of}: get() sees what was not known"

    def rows_of(self, ids: np.ndarray, may: np.ndarray) -> np.ndarray | None:
        """The version of each id that may answer; None where one may not."""
        places = {int(self.truth.id[row]): int(row) for row in np.flatnonzero(may)}
        found = [places.get(int(id_), -1) for id_ in ids]
        return None if -1 in found else np.array(found, np.int64)


def chunk(seed: int, index: int) -> Outcome:
    outcome = Outcome(CHUNK)
    with scratch_folder() as base:
        world = World(base / "store", np.random.default_rng([seed, index]))
        with world.store:
            for number in range(index * CHUNK, (index + 1) * CHUNK):
                told = world.search(outcome.tallies)
                if told:
                    outcome.failures.append(Failure(number, told))
    return outcome


run_chunk = chunk


def reproduce(seed: int, number: int) -> str:
    told = {failure.number: failure.reason for failure in chunk(seed, number // CHUNK).failures}.get(number)
    return f"search {number} of seed {seed}: {told or 'it holds'}"


def check_inputs_vary(tallies: dict[str, int], cases: int) -> str:
    missing = [how for how in ("exact", "gather", "signs", "graph", "none") if not tallies.get(how)]
    return "" if cases < 5_000 or not missing else f"no search was answered by {', '.join(missing)}"
