"""Our side of P11 (rows come in while searches go on) and P13 (what a full store keeps resident)."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

import neuraltrade as nt

from inputs import FIRST_NS, MINUTE_NS
from our_memory import NAMES, SYMBOLS, K, columns_of

BATCH_ROWS = 1_000
CHECK_EVERY = 20  # searches: one in so many is compared with an exact scan afterwards


def percentiles(taken_ms: list[float]) -> dict[str, float]:
    ordered = sorted(taken_ms) or [float("nan")]
    return {"p50_ms": ordered[len(ordered) // 2], "p99_ms": ordered[len(ordered) * 99 // 100], "max_ms": ordered[-1]}


class Searcher(threading.Thread):
    """One search after another until told to stop; notes when each began and what it took."""

    def __init__(self, observations: Any, queries: np.ndarray) -> None:
        super().__init__(daemon=True)
        self.observations, self.queries = observations, queries
        self.stopped = threading.Event()
        self.known_ns = FIRST_NS  # everything up to here was acknowledged
        self.began: list[float] = []
        self.taken_ms: list[float] = []
        self.checks: list[tuple[int, int, np.ndarray]] = []

    def run(self) -> None:
        number = 0
        while not self.stopped.is_set():
            query = self.queries[number % len(self.queries)]
            known = self.known_ns
            began = time.perf_counter()
            if number % CHECK_EVERY == 0:
                self.checks.append(
                    (number % len(self.queries), known, self.observations.search(query, K, as_of=known).ids)
                )
            else:
                self.observations.search(query, K)
                self.taken_ms.append(1e3 * (time.perf_counter() - began))
                self.began.append(began)
            number += 1

    def worst_second(self, began: float, ended: float) -> dict[str, float]:
        """The second of the highest p99."""
        at = np.array(self.began)
        taken = np.array(self.taken_ms[: len(at)])
        seconds = [taken[(at >= second) & (at < second + 1.0)].tolist() for second in np.arange(began, ended, 1.0)]
        return max((percentiles(second) for second in seconds if second), key=lambda each: each["p99_ms"])

    def recall(self, checks_max: int = 400) -> float:
        """Of answers given meanwhile, beside what an exact scan finds as of the same moment."""
        hit = total = 0
        step = max(1, len(self.checks) // checks_max)
        for query, known, ids in self.checks[::step]:
            truth = self.observations.search(self.queries[query], K, as_of=known, exact=True).ids
            hit += len(np.intersect1d(ids, truth))
            total += len(truth)
        return hit / total if total else 1.0


def minute_of(row: int) -> int:
    return FIRST_NS + row // SYMBOLS * MINUTE_NS


def sustained(folder: Path, data: dict[str, Any], rows_per_s: float) -> dict[str, Any]:
    """Add every row in batches at a given pace (behind it: at once) while one thread searches; then index the rest."""
    vectors, queries = data["vectors"], np.array(data["queries"])
    shutil.rmtree(folder, ignore_errors=True)
    with nt.AgentDB.open(folder, cache_queries=0) as db:
        db.observations.add(np.ascontiguousarray(vectors[:BATCH_ROWS]), **columns_of(0, BATCH_ROWS))
        searcher = Searcher(db.observations, queries)
        batches = [(at, columns_of(at, at + BATCH_ROWS)) for at in range(BATCH_ROWS, len(vectors), BATCH_ROWS)]
        searcher.start()
        began = time.perf_counter()
        for number, (at, columns) in enumerate(batches):
            time.sleep(max(0.0, began + number * BATCH_ROWS / rows_per_s - time.perf_counter()))
            db.observations.add(np.ascontiguousarray(vectors[at : at + BATCH_ROWS]), **columns)
            searcher.known_ns = minute_of(at + BATCH_ROWS) - 1
        ended = time.perf_counter()
        then = db.observations.collection.stats()
        searching = percentiles(searcher.taken_ms)
        worst = searcher.worst_second(began, ended)
        during = len(searcher.taken_ms)
        db.optimize()
        indexed = time.perf_counter()
        building = percentiles(searcher.taken_ms[during:])
        searcher.stopped.set()
        searcher.join()
        idle = Searcher(db.observations, queries)
        idle.start()
        time.sleep(1.0)
        idle.stopped.set()
        idle.join()
        return {
            "rows": len(vectors), "rows_per_s": (len(vectors) - BATCH_ROWS) / (ended - began), "searches": during,
            "searching": searching, "worst_second": worst, "recall": searcher.recall(), "building": building,
            "segments": then["segment_rows"], "tail_rows": then["tail_rows"], "index_s": indexed - ended,
            "index_rows_per_s": len(vectors) / (indexed - began), "idle": percentiles(idle.taken_ms),
        }  # fmt: skip


def rollup() -> dict[str, float]:
    """MiB of this process: resident in all, and of it what no file stands behind."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    found = {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines if line.endswith("kB")}
    return {"resident": found["Rss"], "anonymous": found["Anonymous"]}


def resident(folder: Path, counts: dict[str, int]) -> dict[str, Any]:
    """P13: a store of that many rows, optimized, closed and opened again: what opening and searching it adds."""
    marker = folder.with_suffix(".filled")
    if not marker.exists():
        shutil.rmtree(folder, ignore_errors=True)
        with nt.AgentDB.open(folder, cache_queries=0) as db:
            for name, count in counts.items():
                add_random(db.collections[name], count)
            db.optimize()
        marker.touch()
    before = rollup()
    with nt.AgentDB.open(folder, cache_queries=0) as db:
        opened = rollup()
        for name in counts:
            collection = db.collections[name]
            for query in latent(collection.dimension, 200, 77):
                collection.search(query, K)
        after = rollup()
        disk = sum(file.stat().st_size for file in folder.iterdir())
    return {
        "resident_mib": after["resident"] - before["resident"],
        "anonymous_mib": after["anonymous"] - before["anonymous"],
        "opened_mib": opened["resident"] - before["resident"], "disk_mib": disk / 2**20, "counts": counts,
    }  # fmt: skip


def latent(dimension: int, rows: int, seed: int) -> np.ndarray:
    """float32[rows, dimension]: an AR(1) state through a projection and tanh, as the rows of P7."""
    random = np.random.default_rng(dimension)
    projection = random.standard_normal((24, dimension)).astype(np.float32)
    state = np.random.default_rng(seed).normal(0.0, 1.0, (rows, 24)).astype(np.float32)
    return np.tanh(state @ projection)


FIELDS: dict[str, dict[str, Any]] = {
    "observations": {},
    "signals": {"strategy": "Momentum", "direction": "long"},
    "orders": {"side": "buy", "quantity": 1.0, "strategy": "Momentum", "status": "filled"},
    "traces": {"decision_id": 1, "verdict.label": "good", "verdict.score": 0.5, "strategy": "Momentum"},
}


def add_random(collection: Any, count: int) -> None:
    for start in range(0, count, 10_000):
        rows = np.arange(start, min(start + 10_000, count))
        fields = {**FIELDS[collection.collection.name], "symbol": NAMES[rows % SYMBOLS].tolist()}
        collection.add(latent(collection.dimension, len(rows), start), ts_ns=minute_of(0) + rows, **fields)
