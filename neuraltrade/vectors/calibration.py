"""How wide a graph or cells must be searched: the narrowest way that finds what an exact scan finds.

A graph finds its own rows, and points beside them, far too easily to tell: at 60k rows of a market-like process (P7 of
the benchmarks) it found all their neighbours at an expansion where new rows got 0.947. Sums of two rows far apart lie
between the clusters and are nearly as hard as new rows: 0.964 there, 0.993 where new rows got 0.977, 0.999 for 0.993.
Among a million rows they are harder: 0.957 where new rows got 0.985, 0.986 for 0.994, 0.998 for 0.998.
Measured once, when they are built, by recall alone and never by the clock: equal rows give equal answers anywhere.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..core import hnsw, quant
from ..core.cells import Cells

QUESTIONS = 128
NEIGHBOURS = 10
RECALL = 0.99
APART = 0.382  # of the rows between the two of a pair
CELL_QUESTIONS = 64
CELL_RECALL = 0.98
SHARES = (1 / 32, 3 / 64, 1 / 16, 3 / 32, 1 / 8, 3 / 16, 1 / 4, 3 / 8, 1 / 2, 1.0)  # of a segment's rows
WIDER = (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 8.0, 12.0)  # times the collection's own expansion


class Question(NamedTuple):
    """A vector between two rows, and the rows nearest to it."""

    codes: np.ndarray
    inverse_norm: float
    truth: np.ndarray


def questions_of(codes: np.ndarray, inverse_norm: np.ndarray, count: int, cancel: Any) -> list[Question]:
    """Evenly spaced, each answered by an exact scan: 30 ms for a million rows of 512. Fewer once `cancel` is set."""
    rows = len(codes)
    questions = []
    for row in np.unique(np.linspace(0, rows - 1, count).astype(np.int64)).tolist():
        if cancel.is_set():
            break
        other = (row + int(APART * rows)) % rows
        between = codes[row] * inverse_norm[row] + codes[other] * inverse_norm[other]
        if not between.any():  # opposite vectors have no middle
            continue
        question, norm = quant.quantize(np.ascontiguousarray(between, np.float32))
        truth = quant.scan(codes, inverse_norm, question, norm, NEIGHBOURS)[0]
        questions.append(Question(question, float(norm), truth))
    return questions


def calibrate(graph: hnsw.Graph, codes: np.ndarray, inverse_norm: np.ndarray, start: int, cancel: Any) -> int:
    """The expansion to search this graph with: `start` or a multiple of it; the widest if none reaches the recall."""
    questions = questions_of(codes, inverse_norm, QUESTIONS, cancel)
    for factor in WIDER:
        expansion = max(int(start * factor), NEIGHBOURS)
        hit = 0
        for codes_of, norm, truth in questions:
            hit += len(np.intersect1d(graph.search(codes_of, norm, NEIGHBOURS, expansion=expansion)[0], truth))
        if hit >= RECALL * sum(len(question.truth) for question in questions):
            break
    return expansion


def calibrate_cells(cells: Cells, codes: np.ndarray, inverse_norm: np.ndarray, cancel: Any) -> int:
    """How many rows of the nearest cells to look at: the smallest share of all that finds nearly what all of them do,
    signs and rerank being the same. 0 once `cancel` is set.
    """
    questions = questions_of(codes, inverse_norm, CELL_QUESTIONS, cancel)
    bits = quant.signs(np.array([question.codes for question in questions], np.int8).reshape(-1, codes.shape[1]))

    def found(probe: int) -> int:
        return sum(
            len(np.intersect1d(cells.search(question, norm, signs, NEIGHBOURS, probe=probe)[0], truth))
            for signs, (question, norm, truth) in zip(bits, questions, strict=True)
        )

    wanted = CELL_RECALL * found(len(codes))
    for share in SHARES:
        probe = max(int(share * len(codes)), 1)
        if cancel.is_set():
            return 0
        if found(probe) >= wanted:
            break
    return probe
