"""Row CACHE: questions that repeat, as those of a dashboard or of agents that share a market do, and how many of them
are answered from what was kept. Beside it, the same questions of the same store with nothing kept.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from typing import Any

import numpy as np

import neuraltrade as nt

import inputs

ROWS_MAX, DISTINCT, ASKED, EXPONENT = 100_000, 5_000, 50_000, 1.1


def questions() -> np.ndarray:
    """int64[ASKED]: which vector is asked about; the j-th most frequent with weight 1 / j ** EXPONENT."""
    weights = 1.0 / np.arange(1, DISTINCT + 1) ** EXPONENT
    return np.random.default_rng(7).choice(DISTINCT, ASKED, p=weights / weights.sum())


def asked(folder: str, vectors: np.ndarray, order: np.ndarray, cache_queries: int) -> dict[str, Any]:
    """Microseconds a question, and the hit rate that the store reports."""
    with nt.AgentDB.open(folder, read_only=True, cache_queries=cache_queries) as db:
        for query in order[:50]:
            db.observations.search(vectors[query], 10)
        taken = []
        for query in order:
            began = time.perf_counter_ns()
            db.observations.search(vectors[query], 10)
            taken.append((time.perf_counter_ns() - began) / 1e3)
        kept = db.stats()["collections"]["observations"]["cache"]
    taken.sort()
    return {"p50_us": statistics.median(taken), "mean_us": statistics.fmean(taken), "cache": kept}


def row(rows: int, times: int) -> dict[str, Any]:
    """The row of the table."""
    del times
    rows = min(rows, ROWS_MAX)
    vectors, queries = inputs.latent_vectors(rows, DISTINCT)
    order = questions()
    with tempfile.TemporaryDirectory() as folder:
        with nt.AgentDB.open(folder) as db:
            db.observations.add(vectors, symbol="A", ts_ns=np.arange(rows))
            db.optimize()
        kept = asked(folder, queries, order, 1_024)
        fresh = asked(folder, queries, order[: ASKED // 10], 0)
    return {
        "row": "CACHE",
        "work": f"{ASKED:,} questions, Zipf {EXPONENT} over {DISTINCT:,}, {rows:,} x 512, 1,024 answers kept",
        "ours": f"{kept['cache']['hit_rate']:.1%} from what was kept; p50 {kept['p50_us']:.0f} us, "
        f"mean {kept['mean_us']:.0f} us",
        "peer": f"nothing kept: p50 {fresh['p50_us']:.0f} us, mean {fresh['mean_us']:.0f} us",
        "ratio": f"{fresh['p50_us'] / kept['p50_us']:.1f}x p50, {fresh['mean_us'] / kept['mean_us']:.1f}x mean",
        "accuracy": "the same answers",
        "detail": {"kept": kept, "fresh": fresh},
    }
