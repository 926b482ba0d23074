"""Runs in the environment of hnswlib: kNN over the float32 rows of P7, one query at a time and in a batch."""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path

import hnswlib
import numpy as np

from graph_curve import built_once, curve

CONNECTIVITY, EXPANSION_ADD, K = 16, 200, 10


def main(folder: Path, threads: int, expansions: list[int]) -> dict[str, object]:
    vectors = np.load(folder / "vectors.npy", mmap_mode="r")
    queries, truth = np.load(folder / "queries.npy"), np.load(folder / "truth.npy")
    index = hnswlib.Index(space="cosine", dim=vectors.shape[1])

    def build() -> None:
        index.init_index(max_elements=len(vectors), ef_construction=EXPANSION_ADD, M=CONNECTIVITY)
        for start in range(0, len(vectors), 8_192):
            index.add_items(np.ascontiguousarray(vectors[start : start + 8_192]), num_threads=1)

    file = folder / f"hnswlib-{CONNECTIVITY}-{EXPANSION_ADD}.index"
    rate = built_once(file, len(vectors), build, index.save_index, index.load_index)
    points = curve(
        expansions, queries, truth,
        set_expansion=index.set_ef,
        one=lambda query: index.knn_query(query, K, num_threads=1)[0][0],
        many=lambda: index.knn_query(queries, K, num_threads=threads),
    )  # fmt: skip
    return {"build_rows_per_s": rate, "points": points, "version": version("hnswlib")}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]), [int(e) for e in sys.argv[3].split(",")])))
