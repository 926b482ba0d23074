"""Bayesian search: what to try next depends on what came of the trials before (optuna's TPE sampler)."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import DependencyMissing
from .sweep_identity import code_of
from .sweep_job import Job, Trial
from .sweep_pool import Numbered, Pool, reporting
from .sweep_space import Between, Space
from .sweep_state import Finished

TOGETHER = 8  # asked for at a time, however many threads there are: so that the threads decide nothing
_IN_VAIN = 50  # batches in a row that bring nothing new


def asked_of(space: Space, seed: int, maximize: bool) -> list[dict[str, Any]]:
    """What decides which candidates are tried, besides what they come to. More trials go on where fewer ended."""
    optuna = _optuna()
    told = {"where": code_of(space.where), "seed": int(seed), "maximize": bool(maximize), "optuna": optuna.__version__}
    return [dict(space.values), told]


def learned(
    job: Job, space: Space, trials: int, seed: int, maximize: bool, pool: Pool, finished: Finished
) -> tuple[list[dict[str, Any]], list[Trial]]:
    """Up to `trials` different candidates and what they came to, in the order in which they were tried.

    Tree-structured Parzen estimators (Bergstra et al. 2011) as optuna has them; eight are drawn at a time. What `where`
    rules out and what failed is told to the sampler as failed. Deterministic for a seed. Raises DependencyMissing
    (extra `learn`) without optuna. What `finished` has is not run again: the sampler is told it, and asks for the same.
    """
    optuna = _optuna()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # as it calls constant_liar
        sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=True)
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        study = optuna.create_study(direction="maximize" if maximize else "minimize", sampler=sampler)
        return _searched(optuna, study, job, space, trials, pool, finished)
    finally:
        finished.save()
        optuna.logging.set_verbosity(before)


def _optuna() -> Any:
    try:
        import optuna  # noqa: PLC0415  (optional, and 0.5 s)
    except ImportError as error:
        raise DependencyMissing("method='bayes' needs optuna: pip install 'neuraltrade[learn]'") from error
    return optuna


def _searched(
    optuna: Any, study: Any, job: Job, space: Space, trials: int, pool: Pool, finished: Finished
) -> tuple[list[dict[str, Any]], list[Trial]]:
    asked = {name: _distribution(optuna, values) for name, values in space.values.items()}
    failed = optuna.trial.TrialState.FAIL
    known: dict[tuple[Any, ...], Trial] = {}
    candidates: list[dict[str, Any]] = []
    in_vain = 0
    with reporting(pool.progress, trials, "sweep") as report:
        while len(candidates) < trials and in_vain < _IN_VAIN:
            batch = [(one, _params(one.params, space)) for one in (study.ask(asked) for _ in range(TOGETHER))]
            fresh: dict[tuple[Any, ...], dict[str, Any]] = {}
            for _, params in batch:
                if tuple(params.values()) not in known and space.admits(params):
                    fresh.setdefault(tuple(params.values()), params)
            chosen = list(fresh.items())[: trials - len(candidates)]
            numbered = [(len(candidates) + k, params) for k, (_, params) in enumerate(chosen)]
            done = {one.number: one for one in _run(job, numbered, pool, finished)}
            for (number, params), (key, _) in zip(numbered, chosen, strict=True):
                known[key] = done[number]
                candidates.append(params)
            for one, params in batch:
                found = known.get(tuple(params.values()))
                if found is None or math.isnan(found.metric):
                    study.tell(one, state=failed)
                else:
                    study.tell(one, found.metric)
            in_vain = 0 if chosen else in_vain + 1
            report(len(candidates), trials)
    by_number = sorted(known.values(), key=lambda one: one.number)
    return candidates, by_number


def _run(job: Job, numbered: Sequence[Numbered], pool: Pool, finished: Finished) -> Iterator[Trial]:
    """Trials of one batch; those that have ended before as they are, unless an error is to be raised again."""
    before = finished.of(0, numbered[-1][0] + 1) if numbered else {}
    if pool.errors == "raise":
        before = {number: one for number, one in before.items() if not one.error}
    yield from (before[number] for number, _ in numbered if number in before)
    for one in pool.run(job, [(number, params) for number, params in numbered if number not in before]):
        finished.add(one)
        yield one


def _distribution(optuna: Any, values: tuple[Any, ...] | Between) -> Any:
    """Numbers that are listed are asked for by their place among them: near places are near values."""
    distributions = optuna.distributions
    if isinstance(values, Between):
        kind = distributions.IntDistribution if values.is_whole else distributions.FloatDistribution
        return kind(values.low, values.high, log=values.log)
    if any(isinstance(one, (str, bool)) for one in values):
        return distributions.CategoricalDistribution(range(len(values)))
    return distributions.IntDistribution(0, len(values) - 1)


def _params(asked: Mapping[str, Any], space: Space) -> dict[str, Any]:
    return {n: asked[n] if isinstance(v, Between) else v[asked[n]] for n, v in space.values.items()}
