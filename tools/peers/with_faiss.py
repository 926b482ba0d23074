"""Runs in the environment of faiss: kNN over the rows of P7 in an HNSW graph over 8-bit codes (IndexHNSWSQ), one query
at a time and in a batch. Rows are scaled to unit length, so that inner products rank as cosines do."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import faiss
import numpy as np

from graph_curve import built_once, curve

CONNECTIVITY, EXPANSION_ADD, K, TRAINING_ROWS = 16, 200, 10, 65_536


def unit(rows: np.ndarray) -> np.ndarray:
    rows = np.ascontiguousarray(rows, np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def main(folder: Path, threads: int, expansions: list[int]) -> dict[str, object]:
    vectors = np.load(folder / "vectors.npy", mmap_mode="r")
    queries, truth = unit(np.load(folder / "queries.npy")), np.load(folder / "truth.npy")
    held = {}

    def build() -> None:
        faiss.omp_set_num_threads(1)
        index = faiss.IndexHNSWSQ(
            vectors.shape[1], faiss.ScalarQuantizer.QT_8bit, CONNECTIVITY, faiss.METRIC_INNER_PRODUCT
        )
        index.hnsw.efConstruction = EXPANSION_ADD
        index.train(unit(vectors[:: max(1, len(vectors) // TRAINING_ROWS)]))
        for start in range(0, len(vectors), 8_192):
            index.add(unit(vectors[start : start + 8_192]))
        held["index"] = index

    def load(path: str) -> None:
        held["index"] = faiss.read_index(path)

    file = folder / f"faiss-{CONNECTIVITY}-{EXPANSION_ADD}.index"
    rate = built_once(file, len(vectors), build, lambda path: faiss.write_index(held["index"], path), load)
    index = held["index"]

    def set_expansion(expansion: int) -> None:
        faiss.omp_set_num_threads(1)
        index.hnsw.efSearch = expansion

    def many() -> None:
        faiss.omp_set_num_threads(threads)
        index.search(queries, K)

    points = curve(
        expansions, queries, truth,
        set_expansion=set_expansion, one=lambda query: index.search(query[None, :], K)[1][0], many=many,
    )  # fmt: skip
    return {"build_rows_per_s": rate, "points": points, "version": faiss.__version__}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]), [int(e) for e in sys.argv[3].split(",")])))
