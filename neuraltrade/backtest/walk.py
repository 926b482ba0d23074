"""nt.walk_forward: parameters chosen on the past, traded on what came next, again and again."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import InputError, StrategyError
from ..market import Ticks
from ..results import Result
from . import sweep as searching
from .stitch import Piece, idle, joined
from .sweep_job import Job, Trial, Window, since, until
from .sweep_pool import Pool, Progress, reporting, run_trials
from .sweep_result import Sweep
from .sweep_space import Where
from .sweep_state import Finished
from .walk_folds import Fold, walk_folds
from .walk_result import Chosen, WalkForward


def walk_forward(
    data: Any,
    strategy: Any,
    grid: Mapping[str, Any],
    folds: int = 8,
    purge: int = 0,
    embargo: int = 0,
    anchored: bool = False,
    *,
    train: int | None = None,
    metric: str | Callable[[Result], float] = "sharpe",
    maximize: bool = True,
    where: Where | None = None,
    method: str = "grid",
    trials: int | None = None,
    search_seed: int = 0,
    executor: Executor | None = None,
    errors: str = "record",
    state: str | os.PathLike[str] | None = None,
    earlier_trials: int = 0,
    progress: Progress = False,
    **settings: Any,
) -> WalkForward:
    """Choose parameters on each window of history and trade them on the next: what was never fitted, as one result.

    data : Bars or Panel. strategy, grid, metric, maximize, where, method ("grid", "random", "sobol"), trials,
        search_seed, executor, errors, state, earlier_trials, progress, settings : as nt.sweep takes them.
    folds : how many windows are traded. train : bars of a training window, None for as many as a test has.
    purge, embargo : bars left out between training and test: purge for positions and labels that reach across, embargo
        for what lingers after. anchored : training begins with history instead of rolling along.

    A run of a window sees the bars before it, so indicators are warm, holds nothing when it begins, and nothing after
    its end exists for it, `init` included. Positions are closed at the end of each test. The account goes on from fold
    to fold; where it has nothing left, or no parameters traded in training, it waits. Then every candidate is run over
    all tested bars, unchanged, to count what chance could do: `.deflated_sharpe`, `.overfitting()`, `.reality_check()`.
    Raises InputError naming the argument; StrategyError where a strategy raises in a test, with fold and parameters.

    >>> import neuraltrade as nt
    >>> grid = {"lookback": [20, 60, 120], "max_fraction": [0.5, 1.0]}
    >>> walked = nt.walk_forward(nt.datasets.load("IBM"), nt.strategy.library.Momentum, grid, folds=4, purge=5,
    ...                          cash=100_000.0, fees=0.0005)
    >>> walked.trials, len(walked.folds), len(walked.result.equity), walked.passes(0.05)
    (6, 4, 2616, False)
    """
    searching.refuse_settings(walk_forward, settings)
    if isinstance(data, Ticks) or not hasattr(data, "ts_ns"):
        raise InputError(f"data must be nt.Bars or nt.Panel, was {type(data).__name__}")
    if method == "bayes":
        raise InputError("method must be one of grid, random, sobol, was 'bayes': each fold tries the same candidates")
    job, space = searching.checked(data, strategy, grid, metric, where, settings)
    searching.check_search(method, trials, errors, maximize, executor, search_seed, earlier_trials, asks=job.asks)
    if not isinstance(anchored, (bool, np.bool_)):
        raise InputError(f"anchored must be True or False, was {anchored!r}")
    windows = walk_folds(job.steps, folds, train=train, purge=purge, embargo=embargo, anchored=bool(anchored))
    candidates = searching.candidates_of(space, method, trials, search_seed)
    kept = searching.finished_of(state, job, candidates, "walk forward", [vars(fold) for fold in windows])
    walk = _Walk(job, candidates, bool(maximize), Pool(executor, errors), kept)
    with reporting(progress, len(candidates) * (len(windows) + 1), "walk forward") as report:
        chosen, pieces, told = walk.trade(windows, report)
        first, last = windows[0].test_start, windows[-1].test_stop
        others = walk.everything(first, last, len(windows), report)
    parts = {
        "strategy": told.get("strategy", "nothing"),
        "params": {},
        "mode": told.get("mode", "waiting"),
        "close_at_end": True,
        "walk_forward": [one.told() for one in chosen],
    }
    result = joined(
        pieces,
        since(until(data, last), first),
        job.setup.symbols,
        cash=job.setup.cash,
        settings=job.told | parts,
        **job.statistics_over(first, last),
    )
    return WalkForward(result, chosen, others, earlier_trials=int(earlier_trials))


class _Walk:
    """The folds of one walk: trials in each training window, the best of them in the test that follows."""

    def __init__(
        self, job: Job, candidates: list[dict[str, Any]], maximize: bool, pool: Pool, finished: Finished
    ) -> None:
        self.job, self.candidates, self.maximize = job, candidates, maximize
        self.pool, self.finished = pool, finished

    def trade(
        self, windows: list[Fold], report: Callable[[int, int], Any]
    ) -> tuple[list[Chosen], list[Piece], dict[str, Any]]:
        """What was chosen in each fold, what it did in the test, and the settings of the last run."""
        cash, total = self.job.setup.cash, len(self.candidates) * (len(windows) + 1)
        chosen: list[Chosen] = []
        pieces: list[Piece] = []
        told: dict[str, Any] = {}
        failed = 0
        for number, fold in enumerate(windows):
            base = number * len(self.candidates)
            trials = self._trials(self._over(fold.train_start, fold.train_stop), base, total, report)
            failed += sum(bool(one.error) for one in trials)
            if failed == len(windows) * len(self.candidates):
                raise StrategyError(f"all trials of all training windows failed; the last: {trials[-1].error}")
            best = _best(trials, self.maximize)
            row, piece, known = self._test(number, fold, best, cash)
            chosen.append(row)
            told = told or known
            pieces.append(piece)
            cash = float(piece.equity[-1])
        return chosen, pieces, told

    def _test(self, number: int, fold: Fold, best: Trial | None, cash: float) -> tuple[Chosen, Piece, dict[str, Any]]:
        if best is None or not cash > 0.0:
            params = None if best is None else self.candidates[best.number]
            trained = np.nan if best is None else best.metric
            job = self._over(fold.test_start, fold.test_stop)
            piece = idle(job.blank(), cash)
            return Chosen(number, fold, params, trained, np.nan, piece.clock_ts_ns, cash, cash), piece, {}
        params = self.candidates[best.number]
        job = self._over(fold.test_start, fold.test_stop, cash)
        tested = job.trial(0, params)
        if tested.error:
            raise StrategyError(f"fold {number}, test with {params}: {tested.error}")
        piece, told = job.piece(params)
        after = float(piece.equity[-1])
        return Chosen(number, fold, params, best.metric, tested.metric, piece.clock_ts_ns, cash, after), piece, told

    def everything(self, first: int, last: int, before: int, report: Callable[[int, int], Any]) -> Sweep:
        """Each candidate over all tested bars; with its returns where there is room."""
        job = self._over(first, last)
        job.metric = "sharpe"
        job.keep_returns = 8 * len(self.candidates) * (last - first) <= searching.RETURNS_MAX_BYTES
        base = before * len(self.candidates)
        return Sweep(job, self.candidates, self._trials(job, base, base + len(self.candidates), report))

    def _trials(self, job: Job, base: int, total: int, report: Callable[[int, int], Any]) -> list[Trial]:
        pool = replace(self.pool, progress=lambda done, in_all: report(base + done, total))
        return run_trials(job, self.candidates, pool, self.finished, base)

    def _over(self, start: int, stop: int, cash: float | None = None) -> Job:
        window = Window(start, stop, self.job.setup.cash if cash is None else cash)
        settings = self.job.settings | {"close_at_end": True}
        return Job(self.job.data, self.job.strategy, settings, self.job.metric, window)


def _best(trials: list[Trial], maximize: bool) -> Trial | None:
    """The first of the highest metric (lowest, unless `maximize`); None where no metric is a number."""
    known = [one for one in trials if not np.isnan(one.metric)]
    if not known:
        return None
    return (max if maximize else min)(known, key=lambda one: one.metric)  # both give the first of equals
