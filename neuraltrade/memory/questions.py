"""Questions over several collections: how similar decisions ended, which strategies judge well, what a decision rests
on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..errors import InputError
from ..schema import Observation, Order, ReflexionTrace, Signal
from ..vectors import Filter
from .typed import TypedCollection

if TYPE_CHECKING:
    from .agentdb import AgentDB

DEPTH_MAX = 100


class Decision(NamedTuple):
    """A past signal, how far it is from what was asked, and how it ended."""

    signal: Signal
    distance: float
    outcome: float  # return that followed, NaN while unknown
    trace: ReflexionTrace | None  # the newest judgement known


class Standing(NamedTuple):
    """A strategy by its judged decisions."""

    strategy: str
    mean_score: float  # of verdicts, NaN without any
    judged: int
    good: int
    bad: int
    inconclusive: int


def similar_decisions(
    signals: TypedCollection, traces: TypedCollection, vector: Any, k: int, strategy: str | None, as_of: Any
) -> list[Decision]:
    """The k nearest signals with what became of them, as known at `as_of`."""
    hits = signals.search(vector, k, where=None if strategy is None else Filter.eq("strategy", strategy), as_of=as_of)
    outcomes = hits.column("outcome").tolist() if len(hits) else []
    decisions = []
    for signal, distance, outcome in zip(hits.records(), hits.distances.tolist(), outcomes, strict=True):
        judged = traces.range(where=Filter.eq("decision_id", signal.id), as_of=as_of, limit=None)
        newest = (
            judged.take(np.array([np.lexsort((judged.ids, judged.known_ns))[-1]])).records()[0] if len(judged) else None
        )
        decisions.append(Decision(signal, distance, outcome, newest))
    return decisions


def standings(traces: TypedCollection, as_of: Any) -> list[Standing]:
    """Strategies by mean verdict score, best first, then by name."""
    rows = traces.range(as_of=as_of, limit=None)
    if not len(rows):
        return []
    names, labels, scores = rows.column("strategy"), rows.column("verdict.label"), rows.column("verdict.score")
    found = []
    for name in np.unique(names).tolist():
        mine = names == name
        mine_labels, mine_scores = labels[mine], scores[mine]
        known = mine_scores[~np.isnan(mine_scores)]
        counts = [int(np.count_nonzero(mine_labels == label)) for label in ("good", "bad", "inconclusive")]
        found.append(Standing(name, float(known.mean()) if len(known) else float("nan"), sum(counts), *counts))
    return sorted(
        found, key=lambda one: (-one.mean_score if one.mean_score == one.mean_score else np.inf, one.strategy)
    )


def lineage(db: AgentDB, id_: int, depth: int) -> list[tuple[int, Any]]:
    """(level, record), breadth first from the record asked for."""
    if isinstance(depth, bool) or not isinstance(depth, int | np.integer) or not 0 <= depth <= DEPTH_MAX:
        raise InputError(f"depth must be an int in 0..{DEPTH_MAX}, was {depth!r}")
    found: list[tuple[int, Any]] = []
    seen: set[int] = set()
    level, wanted = 0, [id_]
    while wanted and level <= depth:
        following: list[int] = []
        for one in wanted:
            if one in seen or (found and not any(one in collection for collection in db.collections.values())):
                continue  # a cause that was deleted by retention, or lives in another store
            seen.add(one)
            record = db.get(one)
            found.append((level, record))
            following.extend(_causes(record))
        level, wanted = level + 1, following
    return found


def _causes(record: Any) -> list[int]:
    causes: list[int] = []
    if isinstance(record, Signal):
        causes.extend(record.causal_links)
    elif isinstance(record, Order) and record.signal_id:
        causes.append(record.signal_id)
    elif isinstance(record, ReflexionTrace):
        causes.append(record.decision_id)
    if isinstance(record, Observation | Signal | Order | ReflexionTrace) and record.provenance is not None:
        causes.append(record.provenance.parent_id)
    return [cause for cause in causes if cause]
