"""Runs in the environment of the USearch package: kNN over the int8 rows of P7, one query at a time and in a batch."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import usearch
from usearch.index import Index

from inputs import recall
from timing import latencies

CONNECTIVITY, EXPANSION_ADD, K = 16, 200, 10


def main(folder: Path, threads: int, expansions: list[int]) -> dict[str, object]:
    codes = np.load(folder / "codes.npy", mmap_mode="r")
    queries = np.load(folder / "query_codes.npy")
    truth = np.load(folder / "truth.npy")
    index = Index(ndim=codes.shape[1], metric="cos", dtype="i8", connectivity=CONNECTIVITY, expansion_add=EXPANSION_ADD)
    began = time.perf_counter()
    # One thread: concurrent adds strand nodes, and recall with them.
    index.add(np.arange(len(codes)), np.ascontiguousarray(codes), threads=1)
    build_s = time.perf_counter() - began
    points = []
    for expansion in expansions:
        index.expansion_search = expansion
        found = np.array([index.search(query, K).keys for query in queries])
        timed = latencies(lambda query: index.search(query, K), queries)
        began = time.perf_counter()
        index.search(queries, K, threads=threads)
        batch_s = time.perf_counter() - began
        points.append(
            {
                "expansion": expansion,
                "recall": recall(found, truth),
                **timed,
                "queries_per_s": len(queries) / batch_s,
            }
        )
    return {"build_rows_per_s": len(codes) / build_s, "points": points, "version": usearch.__version__}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]), [int(e) for e in sys.argv[3].split(",")])))
