"""Recall and latency of one index over the widths it can be searched with. Each peer's script measures with it."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from inputs import recall
from timing import latencies, repeat

PASSES = 3


def built_once(
    file: Path, rows: int, build: Callable[[], None], save: Callable[[str], object], load: Callable[[str], object]
) -> float:
    """Rows a second of `build`, whose result is kept at `file`: a later run loads it and knows what it took."""
    beside = file.with_suffix(".rate.json")
    if beside.exists():
        load(str(file))
        return float(json.loads(beside.read_text())["rows_per_s"])
    began = time.perf_counter()
    build()
    rate = rows / (time.perf_counter() - began)
    save(str(file))
    beside.write_text(json.dumps({"rows_per_s": rate}))
    return rate


def point(queries: Any, truth: Any, one: Callable[[Any], Any], many: Callable[[], object]) -> dict[str, Any]:
    """recall, p50_ms, p99_ms of `one(query)` and queries_per_s of `many()`: medians of some passes."""
    found = [[int(key) for key in one(query)] for query in queries]
    timed = [latencies(one, queries) for _ in range(PASSES)]
    batch = repeat(many, PASSES)
    return {
        "recall": recall(found, truth),
        **{name: statistics.median(each[name] for each in timed) for name in ("p50_ms", "p99_ms")},
        "queries_per_s": len(queries) / batch["median_s"],
    }


def curve(
    expansions: list[int], queries: Any, truth: Any, *, set_expansion: Callable[[int], object],
    one: Callable[[Any], Any], many: Callable[[], object],
) -> list[dict[str, Any]]:  # fmt: skip
    """A point for each width of the search."""
    points = []
    for expansion in expansions:
        set_expansion(expansion)
        points.append({"expansion": expansion, **point(queries, truth, one, many)})
    return points
