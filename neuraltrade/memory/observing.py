"""Bars into observations: embed, skip what is remembered already, add in bulk."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..errors import InputError
from ..market import Bars, Panel
from ..ports import Encoder
from .typed import TypedCollection

CHUNK_ROWS = 8_192


def observe(
    observations: TypedCollection,
    bars: Bars | Panel,
    encoder: Encoder,
    progress: bool | Callable[[int, int], None],
) -> np.ndarray:
    """Ids of the observations of every bar; see AgentDB.observe."""
    if not isinstance(bars, Bars | Panel):
        raise InputError(f"bars must be nt.Bars or nt.Panel, was {type(bars).__name__}")
    if not isinstance(encoder, Encoder):
        raise InputError(f"encoder must be a ports.Encoder, was {type(encoder).__name__}")
    if not callable(progress) and progress not in (True, False):
        raise InputError(f"progress must be True, False or a callable(done, total), was {progress!r}")
    if encoder.dimension != observations.dimension:
        raise InputError(
            f"encoder must have dimension {observations.dimension}, {encoder.name} has {encoder.dimension}"
        )
    series = bars.bars if isinstance(bars, Panel) else (bars,)
    total = sum(len(one) for one in series)
    if progress is True:
        return _with_bar(observations, series, encoder, total)
    return _observe_all(observations, series, encoder, total, progress or _silent)


def _observe_all(
    observations: TypedCollection,
    series: tuple[Bars, ...],
    encoder: Encoder,
    total: int,
    report: Callable[[int, int], None],
) -> np.ndarray:
    ids, done = [np.empty(0, np.uint64)], 0
    for one in series:
        vectors = encoder.encode(one)
        ids.append(_observe_one(observations, one, vectors, _shifted(report, done, total)))
        done += len(one)
        report(done, total)
    return np.concatenate(ids)


def _shifted(report: Callable[[int, int], None], before: int, total: int) -> Callable[[int], None]:
    return lambda rows: report(before + rows, total)


def _observe_one(
    observations: TypedCollection, bars: Bars, vectors: np.ndarray, report: Callable[[int], None]
) -> np.ndarray:
    ids = np.zeros(len(bars), np.uint64)
    held = observations.range(bars.symbol, int(bars.ts_ns[0]), int(bars.ts_ns[-1]) + 1, limit=None)
    at = np.searchsorted(bars.ts_ns, held.ts_ns)
    same = bars.ts_ns[np.minimum(at, len(bars) - 1)] == held.ts_ns
    ids[at[same]] = held.ids[same]
    fresh = np.flatnonzero(ids == 0)
    for start in range(0, len(fresh), CHUNK_ROWS):
        rows = fresh[start : start + CHUNK_ROWS]
        ids[rows] = observations.add(
            vectors[rows], symbol=bars.symbol, ts_ns=bars.ts_ns[rows], price=bars.close[rows], volume=bars.volume[rows]
        )
        report(int(rows[-1]) + 1)
    return ids


def _with_bar(observations: TypedCollection, series: tuple[Bars, ...], encoder: Encoder, total: int) -> np.ndarray:
    from rich.progress import Progress  # noqa: PLC0415  (slow to import, and only for a terminal)

    with Progress(transient=True) as shown:
        task = shown.add_task("observing", total=total)
        return _observe_all(observations, series, encoder, total, lambda done, _: shown.update(task, completed=done))


def _silent(done: int, total: int) -> None:
    """Report nothing."""
