"""nt.sweep: many sets of parameters over the same history."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import Any

import numpy as np

from ..core.settings.checks import refuse_unknown
from ..errors import InputError, StrategyError, UnknownArgument
from ..market import Bars, Depth, Panel, Quotes, Ticks, Trades
from ..results import DEFINITIONS, Result, checks
from ..strategy.base import nearest
from .arguments import check_flag, check_port, whole
from .sweep_identity import identity
from .sweep_job import Job
from .sweep_pool import Pool, Progress, run_trials
from .sweep_result import Sweep
from .sweep_space import Space, Where
from .sweep_state import Finished, State

METHODS = ("grid", "random", "sobol", "bayes")
ERRORS = ("record", "raise")
RETURNS_MAX_BYTES = 1 << 30
# Keyword arguments of nt.backtest that a search passes on.
SETTINGS = (
    *("cash", "fees", "slippage", "fill", "size", "risk", "instruments", "account", "latency_ns", "seed"),
    *("actions", "rates", "close_at_end", "risk_free", "periods_per_year", "benchmark", "recall", "advisor"),
)
# Those it does not, and what to do instead.
INSTEAD = {
    "journal": "it would hold the events of every trial; journal the run of what was found: params=found.best",
    "bounds": "each trial would be three runs; ask it of the run of what was found: params=found.best, bounds=True",
    "params": "parameters that stay as they are belong to an instance, as in SmaCross(slow=50); the others to grid=",
    "workers": "threads are as many as there are cores; give executor= for others",
}


def sweep(
    data: Any,
    strategy: Any,
    grid: Mapping[str, Any],
    metric: str | Callable[[Result], float] = "sharpe",
    executor: Executor | None = None,
    *,
    maximize: bool = True,
    where: Where | None = None,
    method: str = "grid",
    trials: int | None = None,
    search_seed: int = 0,
    state: str | os.PathLike[str] | None = None,
    errors: str = "record",
    keep_returns: bool = False,
    earlier_trials: int = 0,
    progress: Progress = False,
    **settings: Any,
) -> Sweep:
    """Try `strategy` over `data` with many sets of parameters, and say which was best.

    data : Bars, Panel or Ticks. strategy : a subclass or an instance of nt.Strategy, nt.compiled(...) of one, or a
        callable(data, **params) that returns nt.Signals; or several strategies, as nt.backtest takes them: their
        parameters are then `NAME.parameter`, in `grid` and in all that comes of it.
    grid : parameter -> values (a range, list or array), or nt.Between to draw from.
    metric : name of a statistic of `result.stats`, or a callable(result) -> number. NaN never wins; of equals the
        first does. What it raises fails its trial.
    executor : None = threads on this machine, a core each, for what runs without the GIL (nt.compiled, nt.Signals), and
        one after the other for interpreted strategies; or a concurrent.futures.Executor, whose workers get a copy.
    maximize : False looks for the lowest. where : callable(params) -> bool, rules combinations out.
    method : "grid" tries all; "random", "sobol" (scipy) and "bayes" (optuna; both extra `learn`) try `trials` of them.
    search_seed : of the drawing. state : path of a file from which a search that was stopped or killed goes on.
    errors : "record" notes in the table what a strategy raised and goes on, "raise" stops there.
    keep_returns : keep every trial's returns (8 bytes a bar and trial, 1 GiB at most) for `.overfitting()` and
        `.reality_check()`. earlier_trials : sets of parameters tried before, counted against the best.
    progress : True for a bar on the terminal, or a callable(done, total). settings : cash, fees, slippage, fill, size,
        risk, instruments, account, latency_ns, seed, actions, rates, close_at_end, risk_free, periods_per_year,
        benchmark, recall, advisor of nt.backtest. With a recall or an advisor trials run one after the other, without
        `state`. There is no journal: write down the run of what was found.

    Every row equals nt.backtest with those parameters, exactly. Each distinct indicator is computed once, each body
    compiled once. Raises InputError naming the argument; CompileError; StrategyError where all trials fail.

    >>> import neuraltrade as nt
    >>> def dip(data, window, depth):
    ...     mean = np.convolve(data.close, np.ones(window) / window)[: len(data)]
    ...     return nt.Signals(entries=data.close < mean * (1 - depth), exits=data.close > mean)
    >>> found = nt.sweep(nt.datasets.load("IBM"), dip, {"window": [20, 50], "depth": [0.02, 0.05]}, metric="sharpe")
    >>> found.trials, found.best, round(found.best_metric, 3)
    (4, {'window': 50, 'depth': 0.05}, 0.18)
    """
    refuse_settings(sweep, settings)
    job, space = checked(data, strategy, grid, metric, where, settings, keep_returns)
    check_search(method, trials, errors, maximize, executor, search_seed, earlier_trials, asks=job.asks)
    pool = Pool(executor, errors, progress)
    if method == "bayes":
        from .sweep_bayes import asked_of, learned  # noqa: PLC0415

        check_room(job, trials or 0)
        kept = finished_of(state, job, asked_of(space, search_seed, maximize))
        candidates, found = learned(job, space, trials or 0, search_seed, maximize, pool, kept)
    else:
        candidates = candidates_of(space, method, trials, search_seed)
        check_room(job, len(candidates))
        found = run_trials(job, candidates, pool, finished_of(state, job, candidates))
    refuse_failures(found)
    return Sweep(job, candidates, found, maximize=bool(maximize), earlier_trials=int(earlier_trials))


def refuse_settings(owner: Callable[..., Any], settings: Mapping[str, Any]) -> None:
    """UnknownArgument for what a search does not take, with the reason where nt.backtest takes it."""
    for name, reason in INSTEAD.items():
        if name in settings:
            raise UnknownArgument(f"{owner.__name__} has no argument {name!r}: {reason}")
    refuse_unknown(owner.__name__, settings, (*inspect.signature(owner).parameters, *SETTINGS))


def checked(
    data: Any, strategy: Any, grid: Any, metric: Any, where: Any, settings: Mapping[str, Any], keep_returns: Any = False
) -> tuple[Job, Space]:
    """The search as a job and a space, everything about it checked. Raises InputError."""
    if isinstance(data, (Quotes, Trades, Depth)):
        data = Ticks([data])
    if not isinstance(data, (Bars, Panel, Ticks)):
        raise InputError(f"data must be nt.Bars, nt.Panel or nt.Ticks, was {type(data).__name__}")
    if not callable(metric) and metric not in DEFINITIONS:
        raise InputError(f"metric {metric!r} is no statistic; {nearest(str(metric), DEFINITIONS)}")
    check_flag("keep_returns", keep_returns)
    check_flag("close_at_end", settings.get("close_at_end", False))
    checks.check_numbers(1.0, settings.get("risk_free", 0.0), settings.get("periods_per_year"))
    space = Space(strategy, grid, where)
    job = Job(data, strategy, settings, metric, keep_returns=bool(keep_returns))
    job.setup  # noqa: B018  (checks the rest)
    checks.benchmark_values(settings.get("benchmark"), job.clock_ts_ns)
    check_port("recall", settings.get("recall"), "similar")
    check_port("advisor", settings.get("advisor"), "enhance")
    return job, space


def candidates_of(space: Space, method: str, trials: int | None, seed: int) -> list[dict[str, Any]]:
    """What to try, in order."""
    if method == "grid":
        return space.grid()
    return (space.random if method == "random" else space.sobol)(trials or 0, seed)


def check_room(job: Job, trials: int) -> None:
    """Refuse to keep more returns than there should be room for."""
    needed = 8 * trials * job.steps
    if job.keep_returns and needed > RETURNS_MAX_BYTES:
        raise InputError(
            f"keep_returns: {trials:,} trials of {job.steps:,} bars need {needed / 2**30:.1f} GiB, more than "
            f"{RETURNS_MAX_BYTES / 2**30:.0f}: try fewer, or longer bars"
        )


def finished_of(state: str | os.PathLike[str] | None, job: Job, asked: Any, *more: Any) -> Finished:
    """Trials that the file `state` has of this search: nothing where it is None or no file yet."""
    if state is None:
        return Finished()
    if not isinstance(state, (str, os.PathLike)):
        raise InputError(f"state must be None or a path, was {state!r}")
    return Finished(State(state, identity(job, asked, *more)))


def check_search(
    method: Any,
    trials: Any,
    errors: Any,
    maximize: Any,
    executor: Any,
    search_seed: Any,
    earlier_trials: Any,
    *,
    asks: bool,
) -> None:
    for name, value, known in (("method", method, METHODS), ("errors", errors, ERRORS)):
        if value not in known:
            raise InputError(f"{name} must be one of {', '.join(known)}, was {value!r}")
    check_flag("maximize", maximize)
    whole("search_seed", search_seed)
    whole("earlier_trials", earlier_trials)
    if executor is not None and not isinstance(executor, Executor):
        raise InputError(f"executor must be None or a concurrent.futures.Executor, was {executor!r}")
    if executor is not None and asks:
        raise InputError("executor must be None with recall= or advisor=, which one run at a time asks")
    if method == "grid" and trials is not None:
        raise InputError(f"trials must be None for method='grid', which tries all, was {trials!r}")
    if method != "grid":
        is_count = isinstance(trials, (int, np.integer)) and not isinstance(trials, bool)
        if trials is None or not is_count or trials < 1:
            raise InputError(f"trials must be an int >= 1 for method={method!r}, was {trials!r}")


def refuse_failures(found: Any) -> None:
    """Nothing can be best where everything failed, or no metric is a number."""
    if all(one.error for one in found):
        raise StrategyError(f"all {len(found):,} trials failed; the first: {found[0].error}")
    if all(np.isnan(one.metric) for one in found):
        raise InputError(f"metric is NaN in all {len(found):,} trials: nothing can be best (did nothing trade?)")
