"""Our side of the memory rows: one AgentDB on disk, filled once, then asked through its public methods.

Rows are those of P7, one a minute for each of 100 symbols, with an outcome drawn uniformly, so that an interval of
outcomes has the selectivity one wants.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import neuraltrade as nt

from graph_curve import point
from inputs import FIRST_NS, MINUTE_NS, recall
from timing import latencies

SYMBOLS, K, CHUNK_ROWS = 100, 10, 10_000
SELECTIVITIES = (1.0, 0.5, 0.2, 0.1, 0.04, 0.01, 1e-3, 1e-5)
ASKED = 300  # queries of each filter
NAMES = np.array([f"S{number:02d}" for number in range(SYMBOLS)])
DAY_NS = 1_440 * MINUTE_NS


def columns_of(start: int, stop: int) -> dict[str, Any]:
    """Symbols, times and outcomes of rows start..stop."""
    rows = np.arange(start, stop)
    chance = np.random.default_rng(start).random(stop - start)
    return {
        "symbol": NAMES[rows % SYMBOLS].tolist(),
        "ts_ns": FIRST_NS + rows // SYMBOLS * MINUTE_NS,
        "outcome": chance,
    }


def fill(folder: Path, vectors: np.ndarray) -> dict[str, Any]:
    """A store with every row, optimized; {} where one was kept there."""
    marker = folder.with_suffix(".filled")
    if marker.exists():
        return {}
    shutil.rmtree(folder, ignore_errors=True)
    with nt.AgentDB.open(folder, cache_queries=0) as db:
        began = time.perf_counter()
        for start in range(0, len(vectors), CHUNK_ROWS):
            part = np.ascontiguousarray(vectors[start : start + CHUNK_ROWS])
            db.observations.add(part, **columns_of(start, start + len(part)))
        added = time.perf_counter()
        db.optimize()
        done = time.perf_counter()
    marker.touch()
    return {"add_rows_per_s": len(vectors) / (added - began), "optimize_s": done - added, "filled_s": done - began}


def nearest(db: nt.AgentDB, data: dict[str, Any], expansions: list[int]) -> dict[str, Any]:
    """P7: as the store is calibrated, exactly, and at given widths."""
    queries, truth = np.array(data["queries"]), np.array(data["truth"])
    observations, collection = db.observations, db.observations.collection

    def measured(**terms: Any) -> dict[str, Any]:
        return point(
            queries, truth + 1,
            lambda query: collection.search(query, K, **terms).ids,
            lambda: collection.search_many(queries, K, **terms),
        )  # fmt: skip

    few = queries[:100]
    ceiling = recall([observations.search(query, K, exact=True).ids.tolist() for query in few], truth[:100] + 1)
    hits = observations.search(queries[0], K)
    stats = collection.stats()
    graphs = [{"expansion": expansion, **measured(expansion=expansion)} for expansion in expansions]
    return {
        **measured(), "ceiling": ceiling, "curve": graphs if stats["graphs"] else [], "expansions": stats["expansions"],
        "segments": stats["segment_rows"], "plan": [step._asdict() for step in hits.plan],
    }  # fmt: skip


def asked(db: nt.AgentDB, queries: np.ndarray, scopes: list[dict[str, Any]]) -> dict[str, Any]:
    """Latency and recall of query i within scope i, beside an exact scan of the same scope."""
    search = db.observations.search
    both = list(zip(queries, scopes, strict=True))
    hit = total = 0
    for query, scope in both:
        truth = search(query, K, exact=True, **scope).ids
        hit += len(np.intersect1d(search(query, K, **scope).ids, truth))
        total += len(truth)
    passes = sorted(
        (latencies(lambda one: search(one[0], K, **one[1]), both) for _ in range(3)), key=lambda t: t["p99_ms"]
    )
    ways = sorted({step.how for query, scope in both[:50] for step in search(query, K, **scope).plan})
    return {"recall": hit / total if total else 1.0, **passes[1], "how": ways}


def intervals(selectivity: float, count: int, seed: int) -> list[nt.Filter]:
    """Intervals of outcome of one width at different places, so that no answer can be kept from the last."""
    low = np.random.default_rng(seed).random(count) * (1.0 - selectivity)
    return [nt.Filter.between("outcome", float(at), float(at) + selectivity) for at in low]


def filtered(db: nt.AgentDB, queries: np.ndarray) -> dict[str, dict[str, Any]]:
    """P8: every selectivity, a symbol's time range, and boolean combinations."""
    queries = queries[:ASKED]
    count, rows = len(queries), db.observations.count()
    last = FIRST_NS + rows // SYMBOLS * MINUTE_NS
    random = np.random.default_rng(8)
    some = [str(NAMES[j]) for j in random.integers(0, SYMBOLS, count)]
    starts = random.integers(FIRST_NS, max(last - (last - FIRST_NS) // 4, FIRST_NS + 1), count)
    found: dict[str, dict[str, Any]] = {}
    for number, selectivity in enumerate(SELECTIVITIES):
        wheres = [None] * count if selectivity == 1.0 else intervals(selectivity, count, number)
        found[f"{selectivity:g}"] = asked(db, queries, [{"where": where} for where in wheres])
    quarter = (last - FIRST_NS) // 4
    spans = [
        {"symbol": name, "start": int(at), "end": int(at) + quarter} for name, at in zip(some, starts, strict=True)
    ]
    found["symbol + time"] = asked(db, queries, spans)
    found["time .25"] = asked(db, queries, [{"start": span["start"], "end": span["end"]} for span in spans])
    wide, thin = intervals(0.3, count, 91), intervals(0.02, count, 92)
    group = nt.Filter.in_("symbol", [str(name) for name in NAMES[:30]])
    found["or"] = asked(db, queries, [{"where": a | b} for a, b in zip(wide, thin, strict=True)])
    found["in & not"] = asked(db, queries, [{"where": group & ~a} for a in wide])
    found["in | not"] = asked(db, queries, [{"where": ~(group | a)} for a in wide])
    return found


def as_of(db: nt.AgentDB, queries: np.ndarray) -> dict[str, Any]:
    """P9: the same search at random points of the past, beside it without one."""
    queries = queries[:ASKED]
    rows = db.observations.count()
    moments = FIRST_NS + np.random.default_rng(9).integers(rows // 20, rows, len(queries)) // SYMBOLS * MINUTE_NS
    return {
        "unfiltered": asked(db, queries, [{} for _ in queries]),
        "as of": asked(db, queries, [{"as_of": int(moment)} for moment in moments]),
    }


def lookups(db: nt.AgentDB) -> dict[str, Any]:
    """P12: a point get, and ranges."""
    rows, random = db.observations.count(), np.random.default_rng(12)
    ids = [int(id_) for id_ in random.integers(1, rows + 1, 2_000)]
    last = FIRST_NS + rows // SYMBOLS * MINUTE_NS
    latest = max(last - DAY_NS, FIRST_NS + 1)
    days = [(str(NAMES[j % SYMBOLS]), int(at)) for j, at in enumerate(random.integers(FIRST_NS, latest, 200))]
    wide = 100 * MINUTE_NS
    got = latencies(db.observations.get, ids)
    day = latencies(lambda one: db.observations.range(one[0], one[1], one[1] + DAY_NS), days)
    every = latencies(lambda one: db.observations.range(None, one[1], one[1] + wide), days)
    return {
        "get": got, "day": day, "hundred_minutes": every,
        "day_rows": len(db.observations.range(days[0][0], days[0][1], days[0][1] + DAY_NS)),
        "hundred_minutes_rows": len(db.observations.range(None, days[0][1], days[0][1] + wide)),
    }  # fmt: skip


def inserts(folder: Path, vectors: np.ndarray) -> dict[str, Any]:
    """P10: batches of 1,000, each found by the very next search; what a flush takes; a burst."""
    batches = [np.ascontiguousarray(vectors[at : at + 1_000]) for at in range(0, min(len(vectors), 200_000), 1_000)]
    with nt.AgentDB.open(folder, cache_queries=0) as db:
        add, missed = db.observations.add, 0
        columns = [columns_of(1_000 * j, 1_000 * j + len(batch)) for j, batch in enumerate(batches)]
        taken, flushed = [], []
        for batch, column in zip(batches, columns, strict=True):
            began = time.perf_counter()
            ids = add(batch, **column)
            taken.append(1e3 * (time.perf_counter() - began))
            hits = db.observations.search(batch[-1], 1)
            missed += int(hits.ids[0]) > int(ids[-1]) or float(hits.distances[0]) > 1e-6
            if len(taken) % 10 == 0:
                began = time.perf_counter()
                db.flush()
                flushed.append(1e3 * (time.perf_counter() - began))
        burst = np.ascontiguousarray(vectors[:100_000])
        column = columns_of(0, len(burst))
        began = time.perf_counter()
        add(burst, **column)
        burst_s = time.perf_counter() - began
    taken.sort()
    flushed.sort()
    return {
        "p50_ms": taken[len(taken) // 2], "p99_ms": taken[len(taken) * 99 // 100], "batches": len(taken),
        "missed": missed, "flush_p50_ms": flushed[len(flushed) // 2], "flush_max_ms": flushed[-1],
        "burst_rows": len(burst), "burst_s": burst_s,
    }  # fmt: skip


def embedding(times: int) -> dict[str, Any]:
    """P14: bundled history into vectors, on two threads."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    series = [nt.datasets.load(name) for name in ("AAPL", "IBM", "MSFT", "GOOG")] * 8
    encode: Callable[[Any], Any] = nt.embedding.MarketState().encode
    rates = []
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(encode, series[:4]))
        for _ in range(max(times, 5)):
            began = time.perf_counter()
            list(pool.map(encode, series))
            rates.append(sum(map(len, series)) / (time.perf_counter() - began))
    return {"observations_per_s": float(np.median(rates)), "most": max(rates), "rows": sum(map(len, series))}
