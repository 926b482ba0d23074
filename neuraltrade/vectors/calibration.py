"""How wide a graph must be searched: the smallest expansion that finds what an exact scan finds.

A graph finds its own rows, and points beside them, far too easily to tell: at 60k rows of a market-like process (P7 of
the benchmarks) it found all their neighbours at an expansion where new rows got 0.947. Sums of two rows far apart lie
between the clusters and are nearly as hard as new rows: 0.964 there, 0.993 where new rows got 0.977, 0.999 for 0.993.
Measured once, when the graph is built, by recall alone and never by the clock: equal rows give equal answers anywhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import hnsw, quant

QUESTIONS = 128
NEIGHBOURS = 10
RECALL = 0.995
APART = 0.382  # of the rows between the two of a pair
WIDER = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)  # times the collection's own expansion


def calibrate(graph: hnsw.Graph, codes: np.ndarray, inverse_norm: np.ndarray, start: int, cancel: Any) -> int:
    """The expansion to search this graph with: `start` or a multiple of it; the widest if none reaches the recall.

    One exact scan a question: 4 s of one core for a million rows of 512.
    """
    count = len(codes)
    questions = []
    for row in np.unique(np.linspace(0, count - 1, QUESTIONS).astype(np.int64)).tolist():
        if cancel.is_set():
            return start
        other = (row + int(APART * count)) % count
        between = codes[row] * inverse_norm[row] + codes[other] * inverse_norm[other]
        if not between.any():  # opposite vectors have no middle
            continue
        question, norm = quant.quantize(np.ascontiguousarray(between, np.float32))
        truth = quant.scan(codes, inverse_norm, question, norm, NEIGHBOURS)[0]
        questions.append((question, norm, truth))
    for factor in WIDER:
        expansion = max(int(start * factor), NEIGHBOURS)
        hit = total = 0
        for question, norm, truth in questions:
            hit += len(np.intersect1d(graph.search(question, norm, NEIGHBOURS, expansion=expansion)[0], truth))
            total += len(truth)
        if hit >= RECALL * total:
            break
    return expansion
