"""What nt.walk_forward returns: one out-of-sample result, what was chosen when, and how much of it may be luck."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..clock import iso
from ..errors import InputError
from ..report import NotesSection
from ..results import Overfitting, RealityCheck, Result, deflated_sharpe, minimum_track_record, probabilistic_sharpe
from ..results.tables import to_pandas
from .sweep_result import Sweep, _column, _taken
from .walk_folds import Fold

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, eq=False)
class Chosen:
    """One fold: its windows, what was chosen in training (None: nothing could be), what it came to."""

    number: int
    fold: Fold
    params: Mapping[str, Any] | None
    train_metric: float
    test_metric: float
    clock_ts_ns: np.ndarray
    cash_before: float
    cash_after: float

    def told(self) -> dict[str, Any]:
        """JSON-able, for the settings of the result."""
        fold = self.fold
        windows = {"train": [fold.train_start, fold.train_stop], "test": [fold.test_start, fold.test_stop]}
        return {**windows, "params": None if self.params is None else dict(self.params)}


class WalkForward:
    """What `nt.walk_forward` returns.

    result : nt.Result of the tests, one after the other, as one account traded them.
    folds : structured, a row for each: fold, train_start, train_stop, test_start, test_stop (bars of the data),
    test_start_ts_ns, test_end_ts_ns, the parameters, train_metric, test_metric, return_. others : nt.Sweep
    of every candidate over all tested bars. trials : how many sets of parameters were tried; `earlier_trials` come on
    top.

    >>> import neuraltrade as nt
    >>> goog, momentum = nt.datasets.load("GOOG"), nt.strategy.library.Momentum
    >>> walked = nt.walk_forward(goog, momentum, {"lookback": [20, 60]}, folds=3)
    >>> [str(name) for name in walked.folds.dtype.names[:5]], 0.0 <= walked.deflated_sharpe <= 1.0
    (['fold', 'train_start', 'train_stop', 'test_start', 'test_stop'], True)
    """

    def __init__(self, result: Result, chosen: Sequence[Chosen], others: Sweep, *, earlier_trials: int = 0) -> None:
        self.result = result
        self.chosen = tuple(chosen)
        self.others = others
        self.earlier_trials = earlier_trials
        self.folds = _table(chosen, others.parameters)

    @property
    def trials(self) -> int:
        return self.others.trials

    @property
    def tries(self) -> int:
        """Trials counted against the result: these, and the earlier ones."""
        return self.trials + self.earlier_trials

    @property
    def params(self) -> list[dict[str, Any] | None]:
        """What was chosen in each fold; None where nothing could be."""
        return [None if one.params is None else dict(one.params) for one in self.chosen]

    @cached_property
    def _returns(self) -> np.ndarray:
        return np.nan_to_num(self.result.returns, nan=0.0)

    @property
    def _target(self) -> float:
        return self.others.target

    @cached_property
    def probabilistic_sharpe(self) -> float:
        """Probability, 0..1, that the true Sharpe ratio of the out-of-sample returns is above zero; NaN without any."""
        return probabilistic_sharpe(self._returns, target=self._target)

    @cached_property
    def deflated_sharpe(self) -> float:
        """The same above what the luckiest of `tries` useless candidates would show over the tested bars.

        Their spread is that of the candidates' Sharpe ratios over those bars. The choice was made before each test, so
        this is a hard measure: what passes would also pass had it been picked with hindsight.
        """
        deviation = self.others.sharpe_deviation
        return deflated_sharpe(self._returns, trials=self.tries, deviation=deviation, target=self._target)

    @cached_property
    def minimum_track_record(self) -> float:
        """Bars such returns need before their Sharpe ratio exceeds zero with 95 % confidence; see nt.results."""
        return minimum_track_record(self._returns - self._target)

    def overfitting(self, groups: int = 16) -> Overfitting:
        """Probability of backtest overfitting of choosing among the candidates over the tested bars."""
        return self.others.overfitting(groups)

    def reality_check(self, *, samples: int = 1_000, block: float | None = None, seed: int = 0) -> RealityCheck:
        """White's reality check of the best candidate over the tested bars."""
        return self.others.reality_check(samples=samples, block=block, seed=seed)

    @property
    def efficiency(self) -> float:
        """Mean metric of the tests over the mean metric of the training windows they follow; NaN of a mean <= 0."""
        both = self.folds[np.isfinite(self.folds["train_metric"]) & np.isfinite(self.folds["test_metric"])]
        trained = float(both["train_metric"].mean()) if len(both) else math.nan
        return float(both["test_metric"].mean()) / trained if trained > 0.0 else math.nan

    def passes(self, alpha: float = 0.05) -> bool:
        """Whether the evidence excludes chance at `alpha`: deflated Sharpe >= 1 - alpha and reality check p <= alpha.

        Raises InputError for an alpha outside (0, 0.5).
        """
        if isinstance(alpha, bool) or not isinstance(alpha, (int, float, np.floating)) or not 0.0 < alpha < 0.5:
            raise InputError(f"alpha must be in (0, 0.5), was {alpha!r}")
        if not self.deflated_sharpe >= 1.0 - alpha:  # NaN does not pass
            return False
        return self.reality_check().p_value <= alpha

    def to_frame(self) -> pandas.DataFrame:
        """`folds` as a pandas DataFrame (extra `frames`)."""
        return to_pandas({name: self.folds[name] for name in self.folds.dtype.names or ()})

    def report(self, path: str | os.PathLike[str], **sections: Any) -> Path:
        """`result.report(path)` with a note on how it was chosen, and of two parameters and more a heat map of what the
        candidates did over the tested bars; sections as there, further notes are kept."""
        notes = sections.pop("notes", None)
        told = [*self.notes(), *(notes.paragraphs if notes is not None else ())]
        if len(self.others.parameters) > 1:
            sections.setdefault("parameters", self.others)
        return self.result.report(path, notes=NotesSection(told), **sections)

    def notes(self) -> list[str]:
        """What the numbers rest on, in sentences."""
        lines = [
            f"Out of sample: {len(self.folds)} windows, parameters chosen before each among {self.trials:,}.",
            f"Probability that the Sharpe ratio is above zero: {self.probabilistic_sharpe:.3f}; above what the "
            f"luckiest of {self.tries:,} useless candidates would show (deflated): {self.deflated_sharpe:.3f}.",
        ]
        for one in self.chosen:
            words = "nothing" if one.params is None else ", ".join(f"{k} {v}" for k, v in one.params.items())
            span = f"{iso(int(one.clock_ts_ns[0]))[:10]} to {iso(int(one.clock_ts_ns[-1]))[:10]}"
            lines.append(
                f"{span}: {words}; metric {one.train_metric:.3g} in training, {one.test_metric:.3g} in the test."
            )
        return lines

    def __repr__(self) -> str:
        stats = self.result.stats
        span = f"{iso(int(self.result.ts_ns[0]))[:10]} to {iso(int(self.result.ts_ns[-1]))[:10]}"
        lines = [
            f"WalkForward: {len(self.folds)} folds, {self.trials:,} candidates, out of sample {span}",
            f"total return {stats['total_return']:.2%}, Sharpe {stats['sharpe']:.2f}, "
            f"drawdown {stats['max_drawdown']:.2%}, {stats['trades']:,} trades, efficiency {self.efficiency:.2f}",
            f"probabilistic Sharpe {self.probabilistic_sharpe:.3f}, deflated for {self.tries:,} trials "
            f"{self.deflated_sharpe:.3f}",
        ]
        return "\n".join(lines)


def _table(chosen: Sequence[Chosen], names: Sequence[str]) -> np.ndarray:
    made: dict[str, np.ndarray] = {"fold": np.array([one.number for one in chosen], np.int64)}
    for name in ("train_start", "train_stop", "test_start", "test_stop"):
        made[name] = np.array([getattr(one.fold, name) for one in chosen], np.int64)
    made["test_start_ts_ns"] = np.array([one.clock_ts_ns[0] for one in chosen], np.int64)
    made["test_end_ts_ns"] = np.array([one.clock_ts_ns[-1] for one in chosen], np.int64)
    taken = {*made, *_taken(), "train_metric", "test_metric", "return_"}
    for name in names:
        values = [None if one.params is None else one.params[name] for one in chosen]
        made[f"param_{name}" if name in taken else name] = _column(["" if one is None else one for one in values])
    made["train_metric"] = np.array([one.train_metric for one in chosen], np.float64)
    made["test_metric"] = np.array([one.test_metric for one in chosen], np.float64)
    made["return_"] = np.array(
        [one.cash_after / one.cash_before - 1.0 if one.cash_before else 0.0 for one in chosen], np.float64
    )
    table = np.empty(len(chosen), dtype=[(name, column.dtype) for name, column in made.items()])
    for name, column in made.items():
        table[name] = column
    table.setflags(write=False)
    return table
