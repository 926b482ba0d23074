"""Runs in the environment of the USearch package: kNN over the int8 rows of P7, one query at a time and in a batch."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import usearch
from usearch.index import Index

from graph_curve import built_once, curve

CONNECTIVITY, EXPANSION_ADD, K = 16, 200, 10


def main(folder: Path, threads: int, expansions: list[int]) -> dict[str, object]:
    codes = np.load(folder / "codes.npy", mmap_mode="r")
    queries, truth = np.load(folder / "query_codes.npy"), np.load(folder / "truth.npy")
    index = Index(ndim=codes.shape[1], metric="cos", dtype="i8", connectivity=CONNECTIVITY, expansion_add=EXPANSION_ADD)

    def build() -> None:
        # One thread: concurrent adds strand nodes, and recall with them.
        index.add(np.arange(len(codes)), np.ascontiguousarray(codes), threads=1)

    def set_expansion(expansion: int) -> None:
        index.expansion_search = expansion

    file = folder / f"usearch-{CONNECTIVITY}-{EXPANSION_ADD}.index"
    rate = built_once(file, len(codes), build, index.save, index.load)
    points = curve(
        expansions, queries, truth,
        set_expansion=set_expansion,
        one=lambda query: index.search(query, K).keys,
        many=lambda: index.search(queries, K, threads=threads),
    )  # fmt: skip
    return {"build_rows_per_s": rate, "points": points, "version": usearch.__version__}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]), [int(e) for e in sys.argv[3].split(",")])))
