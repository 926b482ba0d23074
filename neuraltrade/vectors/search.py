"""k nearest rows over the blocks of a collection.

Each block answers on its own, by the cheapest way that the exact number of candidates allows; the answers are merged by
(distance, id). Distances are those of the int8 codes everywhere, whatever found the row.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..core import quant
from ..core.signs import differences
from ..errors import DeadlineExceeded
from .block import Block
from .planner import Candidates, Scope, Step, candidates

TIES = 8  # rows asked for beyond k, to see whether the k-th distance is shared


class Plan(NamedTuple):
    """Thresholds in rows, calibrated on Zen 4 (AVX-512): an exact int8 scan of 4,096 x 512 takes about 0.1 ms, a
    two-stage scan of 100k about 0.25 ms, a masked graph search about expansion / selectivity distance computations.
    """

    exact_rows: int = 4_096  # up to here every candidate is compared
    gather_rows: int = 65_536  # up to here candidates of an index slice are listed rather than masked
    graph_selectivity: float = 0.3  # below it a masked graph visits more than cells or a scan of signs
    cells_gain: float = 2.0  # cells answer where they look at so many times fewer rows than a scan of signs
    cells_widening: float = 1.25  # times the rows looked at, where a filter leaves a third or less
    visits_per_expansion: int = 64  # a masked graph search may visit so many rows per unit of its expansion
    rerank: int = 200  # rows compared in int8 after the scan of signs, at least 8 k
    stable_rows: int = 16_384  # up to here a stable search compares every candidate


class Found(NamedTuple):
    """Merged answer: parallel arrays, ascending by (distance, id)."""

    ids: np.ndarray  # u8[m]
    distances: np.ndarray  # f4[m]
    blocks: np.ndarray  # i4[m], index into the blocks searched
    rows: np.ndarray  # i8[m]
    steps: tuple[Step, ...]


class Request(NamedTuple):
    """A checked query: codes of the vector, and how to look."""

    codes: np.ndarray  # i1[d]
    inverse_norm: float
    signs: np.ndarray  # u8[d / 64]
    k: int
    scope: Scope
    exact: bool
    expansion: int  # 0: what the segment was calibrated to
    deadline: float | None  # time.monotonic()
    stable: bool = False  # the answer depends on the rows alone, not on the blocks they stand in

    @property
    def key(self) -> tuple[object, ...]:
        """Everything that decides the answer."""
        return (self.codes.tobytes(), self.inverse_norm, self.k, self.scope, self.exact, self.expansion, self.stable)


def request_signs(codes: np.ndarray) -> np.ndarray:
    """Sign bits of one query's codes."""
    return quant.signs(codes[None, :])[0]


def search_blocks(blocks: Sequence[Block], request: Request, plan: Plan) -> Found:
    """Nearest candidates over all blocks."""
    ids, distances, owners, rows, steps = [], [], [], [], []
    for j, block, known, allowed, fewest in _asked(blocks, request, plan):
        check_deadline(request.deadline)
        how, found, apart = _search_block(block, request, allowed, plan, fewest)
        steps.append(Step(block.name, known, allowed.total, how))
        if len(found):
            found = found.astype(np.int64, copy=False)
            ids.append(block.ids[found])
            distances.append(apart)
            owners.append(np.full(len(found), j, np.int32))
            rows.append(found)
    if not ids:
        return Found(
            np.empty(0, np.uint64), np.empty(0, np.float32), np.empty(0, np.int32), np.empty(0, np.int64), tuple(steps)
        )
    all_ids, all_distances = np.concatenate(ids), np.concatenate(distances)
    order = np.lexsort((all_ids, all_distances))[: request.k]
    return Found(
        all_ids[order],
        np.maximum(all_distances[order], 0.0),
        np.concatenate(owners)[order],
        np.concatenate(rows)[order],
        tuple(steps),
    )


Asked = tuple[int, Block, int, Candidates, np.ndarray | None]


def _asked(blocks: Sequence[Block], request: Request, plan: Plan) -> Iterator[Asked]:
    """(number, block, rows known, candidates, rows that a stable search compares) of the blocks that know anything."""
    known = [(j, block, block.known_count(request.scope.as_of)) for j, block in enumerate(blocks)]
    each = ((j, block, n, candidates(block, request.scope, plan.gather_rows)) for j, block, n in known if n)
    if not request.stable:
        yield from ((*one, None) for one in each)
        return
    listed = list(each)
    if sum(allowed.total for _, _, _, allowed in listed) <= plan.stable_rows:
        fewest: list[np.ndarray | None] = [None] * len(listed)
    else:
        fewest = [*_fewest([(block, allowed) for _, block, _, allowed in listed], request, plan)]
    yield from ((*one, rows) for one, rows in zip(listed, fewest, strict=True))


def _fewest(asked: Sequence[tuple[Block, Candidates]], request: Request, plan: Plan) -> Iterator[np.ndarray]:
    """Of each block the candidates (uint32, ascending) among the `rerank` with the fewest differing signs over all
    blocks, and all that differ in as many as the last of them: no block's edge or row number decides.
    """
    apart, counts = [], np.zeros(len(request.codes) + 1, np.int64)
    for block, allowed in asked:
        check_deadline(request.deadline)
        signs = block.signs[: allowed.stop] if allowed.rows is None else block.signs[allowed.rows]
        mask = None if allowed.rows is not None or allowed.mask is None else allowed.mask
        own, each = differences(signs, request.signs, mask)
        apart.append(own)
        counts += each
    limit = int(np.searchsorted(np.cumsum(counts), max(plan.rerank, 8 * request.k)))
    for (_, allowed), own in zip(asked, apart, strict=True):
        near = np.flatnonzero(own <= limit).astype(np.uint32)
        yield near if allowed.rows is None else np.ascontiguousarray(allowed.rows, np.uint32)[near]


def check_deadline(deadline: float | None) -> None:
    """Raises DeadlineExceeded once the time is past."""
    if deadline is not None and time.monotonic() >= deadline:
        raise DeadlineExceeded("search: timeout_s has passed; nothing is returned rather than part of an answer")


def _search_block(
    block: Block, request: Request, allowed: Candidates, plan: Plan, fewest: np.ndarray | None
) -> tuple[str, np.ndarray, np.ndarray]:
    if allowed.total == 0 or (fewest is not None and len(fewest) == 0):
        return "none", np.empty(0, np.int64), np.empty(0, np.float32)
    if fewest is not None:
        return "stable", *_scan_ties(block.codes, block.inverse_norm, request, len(fewest), None, fewest)
    rows, mask, stop = allowed.rows, allowed.mask, allowed.stop
    if rows is None and mask is not None and allowed.total <= plan.exact_rows:
        rows = np.flatnonzero(mask)
    if rows is not None:
        rows, mask = np.ascontiguousarray(rows, np.uint32), None
    else:
        mask = None if mask is None else mask.view(np.uint8)
    codes, inverse_norm, signs = block.codes, block.inverse_norm, block.signs
    if rows is None and stop < block.count:
        codes, inverse_norm, signs = codes[:stop], inverse_norm[:stop], signs[:stop]
    if request.exact or request.stable or allowed.total <= plan.exact_rows:
        return ("exact" if rows is None else "gather"), *_scan_ties(
            codes, inverse_norm, request, allowed.total, mask, rows
        )
    if rows is None and block.graph is not None and allowed.total >= plan.graph_selectivity * block.count:
        found = _search_graph(block, request, allowed, mask, plan)
        if found is not None:
            return "graph", *found
    if rows is None and block.grouped is not None and not request.expansion:
        found = _search_cells(block, request, allowed, mask, plan)
        if found is not None:
            return "cells", *found
    return "signs", *quant.scan_signs(
        signs, codes, inverse_norm, request.signs, request.codes, request.inverse_norm,
        min(request.k, allowed.total), rerank=max(plan.rerank, 8 * request.k), mask=mask, rows=rows,
    )  # fmt: skip


def _scan_ties(
    codes: np.ndarray,
    inverse_norm: np.ndarray,
    request: Request,
    count: int,
    mask: np.ndarray | None,
    rows: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Exact scan whose ties at the k-th place are all there, so that the merge can break them by id."""
    ask = min(request.k + TIES, count)
    while True:
        found, distances = quant.scan(
            codes, inverse_norm, request.codes, request.inverse_norm, ask, mask=mask, rows=rows
        )
        if ask >= count or distances[request.k - 1] < distances[-1]:
            return found, distances
        ask = min(4 * ask, count)


def _search_cells(block: Block, request: Request, allowed: Candidates, mask: np.ndarray | None, plan: Plan) -> Any:
    """The answer of the nearest cells, or None where a scan of all signs is as cheap."""
    share = allowed.total / block.count
    probe = block.probe * (1.0 if 3.0 * share > 1.0 else plan.cells_widening)
    cells: Any = block.grouped
    if plan.cells_gain * probe > allowed.stop:
        return None
    rows, distances, _ = cells.search(
        request.codes, request.inverse_norm, request.signs, min(request.k, allowed.total),
        probe=max(int(probe * share), request.k), rerank=max(plan.rerank, 8 * request.k),
        mask=padded(mask, block.count), stop=allowed.stop,
    )  # fmt: skip
    return (rows, distances) if len(rows) == min(request.k, allowed.total) else None


def padded(mask: np.ndarray | None, count: int) -> np.ndarray | None:
    """The mask of a prefix as one of all rows."""
    if mask is None or len(mask) == count:
        return mask
    whole = np.zeros(count, np.uint8)
    whole[: len(mask)] = mask
    return whole


def _search_graph(block: Block, request: Request, allowed: Candidates, mask: np.ndarray | None, plan: Plan) -> Any:
    """The graph's answer, or None when the visit budget ended before it was complete."""
    expansion = max(request.expansion or block.expansion, 2 * request.k)
    whole = padded(mask, block.count)
    graph: Any = block.graph
    rows, distances, complete, _ = graph.search(
        request.codes, request.inverse_norm, request.k, expansion=expansion, mask=whole, stop=allowed.stop,
        visit_budget=0 if mask is None else plan.visits_per_expansion * expansion,
    )  # fmt: skip
    if not complete or len(rows) < min(request.k, allowed.total):
        return None
    return rows, distances
