"""Where trials run: threads of this process, an executor of the caller's, or here one after the other."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ..errors import InputError, NeuralTradeError, StrategyError
from .sweep_job import Job, Trial, chunks, run_chunk
from .sweep_state import Finished

CHUNK = 16  # trials handed over together
WAITING_MAX = 64  # chunks handed over at a time

Numbered = tuple[int, Mapping[str, Any]]
Progress = bool | Callable[[int, int], Any]


@dataclass(frozen=True)
class Pool:
    """How the trials of a search are run. errors : "record" or "raise"."""

    executor: Executor | None = None
    errors: str = "record"
    progress: Progress = False

    def run(self, job: Job, numbered: Sequence[Numbered]) -> Iterator[Trial]:
        """Trials as they end. The first runs here: what is wrong with all of them is told at once."""
        for batch in self._batches(job, list(numbered)):
            for one in batch:
                if one.error and self.errors == "raise":
                    params = next(own for number, own in numbered if number == one.number)
                    raise StrategyError(f"trial {one.number} with {dict(params)}: {one.error}")
                yield one

    def _batches(self, job: Job, numbered: list[Numbered]) -> Iterator[list[Trial]]:
        if not numbered:
            return
        yield run_chunk(job, numbered[:1], True)
        rest = numbered[1:]
        threads = len(os.sched_getaffinity(0))
        if self.executor is not None:
            is_shared = isinstance(self.executor, ThreadPoolExecutor)
            yield from _spread(job, rest, self.executor, is_shared, CHUNK)
        elif threads == 1 or not job.releases_gil or len(rest) < 2:
            for one in chunks(rest, CHUNK):
                yield run_chunk(job, one, True)
        else:
            size = max(1, min(CHUNK, len(rest) // (2 * threads)))
            with ThreadPoolExecutor(threads, thread_name_prefix="nt-sweep") as pool:
                yield from _spread(job, rest, pool, True, size)


def run_trials(
    job: Job, candidates: Sequence[Mapping[str, Any]], pool: Pool, finished: Finished | None = None, base: int = 0
) -> list[Trial]:
    """A Trial for each candidate, in their order, whatever order they end in.

    What `finished` has is not run again; its numbers are those of the candidates from `base` on. It is saved as trials
    end and at the end, also where the run breaks off.
    """
    job.setup  # noqa: B018  (what is wrong with it is no trial's failure)
    finished = Finished() if finished is None else finished
    found = finished.of(base, len(candidates))
    if pool.errors == "raise":
        found = {number: one for number, one in found.items() if not one.error}
    missing = [(number, params) for number, params in enumerate(candidates) if number not in found]
    try:
        with reporting(pool.progress, len(candidates), "sweep") as report:
            report(len(found), len(candidates))
            for one in pool.run(job, missing):
                found[one.number] = one
                finished.add(one, base)
                report(len(found), len(candidates))
    finally:
        finished.save()
    return [found[number] for number in range(len(candidates))]


def _spread(
    job: Job, numbered: list[Numbered], executor: Executor, is_shared: bool, size: int
) -> Iterator[list[Trial]]:
    """Through an executor, in chunks of `size`, with no more than WAITING_MAX of them handed over at a time."""
    waiting: set[Future[list[Trial]]] = set()
    left = iter(chunks(numbered, size))
    try:
        while True:
            while len(waiting) < WAITING_MAX and (chunk := next(left, None)) is not None:
                waiting.add(executor.submit(run_chunk, job, chunk, is_shared))
            if not waiting:
                return
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                yield _outcome(future)
    finally:
        for future in waiting:
            future.cancel()


def _outcome(future: Future[list[Trial]]) -> list[Trial]:
    try:
        return future.result()
    except NeuralTradeError:
        raise
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise InputError(f"executor: data, strategy or metric cannot be sent to its workers: {error}") from error


@contextmanager
def reporting(progress: Progress, total: int, label: str) -> Iterator[Callable[[int, int], Any]]:
    """What to call as trials end: nothing, a callable(done, total), or a bar on the terminal (rich)."""
    if progress is False or progress is None:
        yield lambda done, in_all: None
    elif callable(progress):
        yield progress
    elif progress is True:
        from rich.console import Console  # noqa: PLC0415  (0.1 s, needed on a terminal only)
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn  # noqa: PLC0415
        from rich.progress import Progress as Bars  # noqa: PLC0415

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Bars(*columns, console=Console(stderr=True)) as bars:
            task = bars.add_task(label, total=total)
            yield lambda done, in_all: bars.update(task, completed=done)
    else:
        raise InputError(f"progress must be True, False or a callable(done, total), was {progress!r}")
