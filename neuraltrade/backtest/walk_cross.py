"""nt.cross_validate: combinatorial purged cross-validation, many ways through one history."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any

import numpy as np

from ..errors import InputError, StrategyError
from ..market import Ticks
from ..results.selection import deflated_sharpe, probabilistic_sharpe
from . import sweep as searching
from .sweep_job import Job, Window
from .sweep_pool import Pool, Progress, reporting, run_trials
from .sweep_result import _column, _taken
from .sweep_space import Where
from .sweep_state import Finished
from .walk_folds import Split, combinatorial_splits, group_edges, paths_of

METRICS = ("sharpe", "sortino", "total_return")


class CrossValidation:
    """What `nt.cross_validate` returns.

    splits : structured, a row for each: split, the parameters chosen, train_metric, test_metric (over its test groups).
    paths : float64[paths, n], simple returns of each way through history, every bar out of sample. sharpe_ratios :
    float64[paths], annualised. trials : how many sets of parameters were tried. probability_of_loss : share of paths
    that end below where they began.

    >>> import neuraltrade as nt
    >>> goog, momentum = nt.datasets.load("GOOG"), nt.strategy.library.Momentum
    >>> found = nt.cross_validate(goog, momentum, {"lookback": [20, 60]}, groups=6, test_groups=2)
    >>> len(found.splits), found.paths.shape, len(found.sharpe_ratios)
    (15, (5, 2148), 5)
    """

    def __init__(
        self,
        candidates: Sequence[Mapping[str, Any]],
        splits: Sequence[tuple[Split, int, float, float]],
        paths: np.ndarray,
        *,
        periods_per_year: float,
        target: float,
        deviation: float,
        earlier_trials: int,
    ) -> None:
        self.trials = len(candidates)
        self.earlier_trials = earlier_trials
        self.paths = paths
        self.paths.setflags(write=False)
        self.groups = [one[0].test for one in splits]
        self._target, self._deviation = target, deviation
        excess = paths - target
        deviations = excess.std(axis=1, ddof=1)
        ratios = np.divide(excess.mean(axis=1), deviations, out=np.full(len(paths), np.nan), where=deviations > 0.0)
        self.sharpe_ratios = ratios * math.sqrt(periods_per_year)
        made: dict[str, np.ndarray] = {"split": np.arange(len(splits), dtype=np.int64)}
        for name in candidates[0]:
            taken = name in _taken() or name in ("split", "train_metric", "test_metric")
            made[f"param_{name}" if taken else name] = _column([candidates[one[1]][name] for one in splits])
        made["train_metric"] = np.array([one[2] for one in splits], np.float64)
        made["test_metric"] = np.array([one[3] for one in splits], np.float64)
        self.splits = np.empty(len(splits), dtype=[(name, column.dtype) for name, column in made.items()])
        for name, column in made.items():
            self.splits[name] = column
        self.splits.setflags(write=False)

    @property
    def probability_of_loss(self) -> float:
        return float((np.prod(1.0 + self.paths, axis=1) < 1.0).mean())

    @property
    def median_path(self) -> int:
        """The path whose Sharpe ratio is the (lower) median."""
        order = np.argsort(self.sharpe_ratios, kind="stable")
        return int(order[(len(order) - 1) // 2])

    @property
    def probabilistic_sharpe(self) -> float:
        """Of the median path: probability that its true Sharpe ratio is above zero."""
        return probabilistic_sharpe(self.paths[self.median_path], target=self._target)

    @property
    def deflated_sharpe(self) -> float:
        """Of the median path: the same above what the luckiest of as many useless candidates would show."""
        returns, tries = self.paths[self.median_path], self.trials + self.earlier_trials
        return deflated_sharpe(returns, trials=tries, deviation=self._deviation, target=self._target)

    def __repr__(self) -> str:
        low, middle, high = np.nanpercentile(self.sharpe_ratios, [0, 50, 100])
        return (
            f"CrossValidation: {len(self.splits):,} splits of {self.trials:,} candidates, {len(self.paths)} paths; "
            f"Sharpe {low:.2f} to {high:.2f}, median {middle:.2f}; loss in {self.probability_of_loss:.0%} of paths"
        )


def cross_validate(
    data: Any,
    strategy: Any,
    grid: Mapping[str, Any],
    groups: int = 8,
    test_groups: int = 2,
    purge: int = 0,
    embargo: int = 0,
    *,
    metric: str = "sharpe",
    where: Where | None = None,
    method: str = "grid",
    trials: int | None = None,
    search_seed: int = 0,
    executor: Executor | None = None,
    state: str | os.PathLike[str] | None = None,
    earlier_trials: int = 0,
    progress: Progress = False,
    **settings: Any,
) -> CrossValidation:
    """Combinatorial purged cross-validation (Lopez de Prado 2018, chapter 12): many ways through one history.

    data, strategy, grid, where, method ("grid", "random", "sobol"), trials, search_seed, executor, state,
        earlier_trials, progress, settings : as nt.sweep takes them.
    groups : parts that history is cut into. test_groups : how many of them each split tests; parameters are chosen in
        the others. purge : bars that leave training before and after each run of test groups; embargo : further bars
        after it. metric : "sharpe", "sortino" or "total_return" of the training bars' returns; the first of equals.

    Every candidate runs over every group once, from flat to flat, its indicators warm, so that training and tests are
    made of the same returns. Training also takes place on what follows a test: this measures how a choice generalises,
    it is not what could have been traded (nt.walk_forward is). Memory: 8 bytes a bar and candidate, at most 1 GiB.
    Raises InputError naming the argument; StrategyError where a candidate fails.

    >>> import neuraltrade as nt
    >>> ibm, momentum = nt.datasets.load("IBM"), nt.strategy.library.Momentum
    >>> nt.cross_validate(ibm, momentum, {"lookback": [20, 60, 120]}, groups=4, test_groups=1).paths.shape
    (1, 3270)
    """
    searching.refuse_settings(cross_validate, settings)
    if isinstance(data, Ticks) or not hasattr(data, "ts_ns"):
        raise InputError(f"data must be nt.Bars or nt.Panel, was {type(data).__name__}")
    if method == "bayes":
        raise InputError("method must be one of grid, random, sobol, was 'bayes': each split chooses among the same")
    if metric not in METRICS:
        raise InputError(f"metric must be one of {', '.join(METRICS)}, was {metric!r}")
    job, space = searching.checked(data, strategy, grid, "sharpe", where, settings)
    searching.check_search(method, trials, "record", True, executor, search_seed, earlier_trials, asks=job.asks)
    edges = group_edges(job.steps, groups)
    splits = combinatorial_splits(edges, test_groups, purge, embargo)
    candidates = searching.candidates_of(space, method, trials, search_seed)
    job.keep_returns = True
    searching.check_room(job, len(candidates))
    kept = searching.finished_of(state, job, candidates, "cross-validation", edges)
    with reporting(progress, len(candidates) * groups, "cross-validation") as report:
        returns = _returns(job, candidates, edges, executor, kept, report)
    chosen = [_choice(split, edges, returns, metric, job.target()) for split in splits]
    paths = np.empty((len(paths_of(splits, groups)), job.steps))
    for number, path in enumerate(paths_of(splits, groups)):
        for group, split in enumerate(path):
            start, stop = edges[group], edges[group + 1]
            paths[number, start:stop] = returns[start:stop, chosen[split][1]]
    ratios = _measured(returns, "sharpe", job.target())
    known = ratios[np.isfinite(ratios)]
    return CrossValidation(
        candidates,
        chosen,
        paths,
        periods_per_year=job.periods_per_year(),
        target=job.target(),
        deviation=float(known.std(ddof=1)) if len(known) > 1 else 0.0,
        earlier_trials=int(earlier_trials),
    )


def _returns(
    job: Job,
    candidates: list[dict[str, Any]],
    edges: list[int],
    executor: Executor | None,
    finished: Finished,
    report: Callable[[int, int], Any],
) -> np.ndarray:
    """float64[n, candidates]: each bar's return, every group run from flat to flat."""
    found = np.empty((edges[-1], len(candidates)))
    total = len(candidates) * (len(edges) - 1)
    for group in range(len(edges) - 1):
        start, stop, base = edges[group], edges[group + 1], group * len(candidates)
        settings = job.settings | {"close_at_end": True}
        own = Job(job.data, job.strategy, settings, "sharpe", Window(start, stop, job.setup.cash), keep_returns=True)
        pool = Pool(executor, "record", lambda done, in_all, base=base: report(base + done, total))  # type: ignore[misc]
        for trial in run_trials(own, candidates, pool, finished, base):
            if trial.error or trial.returns is None:
                raise StrategyError(f"group {group} with {candidates[trial.number]}: {trial.error}")
            found[start, trial.number] = trial.first
            found[start + 1 : stop, trial.number] = np.nan_to_num(trial.returns, nan=0.0)
    return found


def _choice(
    split: Split, edges: list[int], returns: np.ndarray, metric: str, target: float
) -> tuple[Split, int, float, float]:
    """(split, the candidate that is best in training, its metric there and in the test)."""
    trained = _measured(returns[split.train], metric, target)
    best = 0 if np.isnan(trained).all() else int(np.nanargmax(trained))
    tested = np.concatenate([returns[edges[group] : edges[group + 1], best] for group in split.test])
    return split, best, float(trained[best]), float(_measured(tested[:, None], metric, target)[0])


def _measured(returns: np.ndarray, metric: str, target: float) -> np.ndarray:
    """float64[candidates], a bar: the metric of each column; NaN where nothing varied."""
    if metric == "total_return":
        grown: np.ndarray = np.prod(1.0 + returns, axis=0) - 1.0
        return grown
    excess = returns - target
    varies = returns.min(axis=0) < returns.max(axis=0)
    downside = np.sqrt((np.minimum(excess, 0.0) ** 2).mean(axis=0))
    below = excess.std(axis=0, ddof=1) if metric == "sharpe" else downside
    found = np.full(returns.shape[1], np.nan)
    return np.divide(excess.mean(axis=0), below, out=found, where=varies & (below > 0.0))
