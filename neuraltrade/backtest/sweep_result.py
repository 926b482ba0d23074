"""What nt.sweep returns: a row for each trial, the best of them, and how much of the best is luck."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from blake3 import blake3

from ..errors import InputError
from ..report import ParameterSection
from ..report import search as charts
from ..results import (
    DEFINITIONS,
    Overfitting,
    RealityCheck,
    Result,
    deflated_sharpe,
    probability_of_overfitting,
    reality_check,
)
from ..results.summary import display
from ..results.tables import to_pandas
from ..strategy.base import nearest
from .sweep_job import STATISTICS, Job, Trial

if TYPE_CHECKING:
    import pandas
    from plotly.graph_objects import Figure

_COUNTS = ("trades", "open_trades", "max_drawdown_bars", "ambiguous_bars")


class Sweep:
    """A row for each trial, in grid order (or the order of drawing), and the best of them. Made by `nt.sweep`.

    table : structured, read-only: `trial` (its number), a column for each parameter (one named like a statistic is
    `param_NAME`), `metric`, every statistic of `result.stats`, `error` ("" or what the strategy raised; its numbers are
    NaN then). trials : how many sets of parameters were tried, failed ones included. earlier_trials : those the user
    said were tried before. best : parameters of the highest metric (lowest with maximize=False); NaN never wins, the
    first of equals does.

    >>> import neuraltrade as nt
    >>> grid = {"lookback": [20, 60], "max_fraction": [0.5, 1.0]}
    >>> found = nt.sweep(nt.datasets.load("IBM"), nt.strategy.library.Momentum, grid, fees=0.0005, cash=100_000.0)
    >>> found.best == found.params(found.best_trial), found.table.dtype.names[:4], len(found.top(3))
    (True, ('trial', 'lookback', 'max_fraction', 'metric'), 3)
    """

    def __init__(
        self,
        job: Job,
        candidates: Sequence[Mapping[str, Any]],
        trials: Sequence[Trial],
        *,
        maximize: bool = True,
        earlier_trials: int = 0,
    ) -> None:
        self._job = job
        self._trials = list(trials)
        self.parameters = tuple(candidates[0])
        self.maximize = maximize
        self.earlier_trials = earlier_trials
        self.metric: str = job.metric if isinstance(job.metric, str) else getattr(job.metric, "__name__", "metric")
        self._columns = {name: f"param_{name}" if name in _taken() else name for name in self.parameters}
        self.table = _table(candidates, self._trials, self._columns)

    @property
    def trials(self) -> int:
        return len(self.table)

    @cached_property
    def best_trial(self) -> int:
        """Row of the best in `table`."""
        values = self.table["metric"] if self.maximize else -self.table["metric"]
        return int(np.nanargmax(values))

    @property
    def best(self) -> dict[str, Any]:
        """The parameters of the best: `nt.backtest(bars, strategy, params=sweep.best)`."""
        return self.params(self.best_trial)

    @property
    def best_metric(self) -> float:
        return float(self.table["metric"][self.best_trial])

    def params(self, trial: int) -> dict[str, Any]:
        """Parameters of one trial. Raises InputError for a number outside 0..trials - 1."""
        if isinstance(trial, bool) or not isinstance(trial, (int, np.integer)) or not 0 <= trial < self.trials:
            raise InputError(f"trial must be an int in 0..{self.trials - 1}, was {trial!r}")
        return {name: self.table[column][trial].item() for name, column in self._columns.items()}

    def column(self, parameter: str) -> str:
        """The column of `table` that holds a parameter."""
        if parameter not in self._columns:
            raise InputError(f"parameter {parameter!r} was not searched; {nearest(str(parameter), self._columns)}")
        return self._columns[parameter]

    def result(self, params: Mapping[str, Any] | None = None) -> Result:
        """The whole Result of the best, or of other parameters: the run is made again."""
        return self._job.result(self.best if params is None else dict(params))

    def top(self, count: int = 10) -> np.ndarray:
        """The `count` best rows of `table`, best first; equals in order, NaN last."""
        if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < 1:
            raise InputError(f"count must be an int >= 1, was {count!r}")
        values = -self.table["metric"] if self.maximize else self.table["metric"]
        return self.table[np.argsort(values, kind="stable")[:count]]

    def to_frame(self) -> pandas.DataFrame:
        """`table` as a pandas DataFrame (extra `frames`)."""
        return to_pandas({name: self.table[name] for name in self.table.dtype.names or ()})

    @property
    def digest(self) -> str:
        """Hex BLAKE3 of the table: equal searches have equal digests, however many threads ran them."""
        hasher = blake3(b"neuraltrade.sweep.table.1\n")
        for name in self.table.dtype.names or ():
            column = self.table[name]
            hasher.update(f"{name} {column.dtype.kind}\n".encode())
            plain = "\0".join(map(str, column.tolist())).encode()
            hasher.update(plain if column.dtype.kind in "UO" else np.ascontiguousarray(column).tobytes())
        return hasher.hexdigest()

    # ---- how much of it is luck --------------------------------------------------------------------------------------

    @property
    def tries(self) -> int:
        """Trials counted against the best: these, and the earlier ones."""
        return self.trials + self.earlier_trials

    @cached_property
    def sharpe_ratios(self) -> np.ndarray:
        """float64[trials], per bar, of the excess over risk_free; NaN where a trial failed or did not vary."""
        ratios: np.ndarray = self.table["sharpe"] / math.sqrt(self._job.periods_per_year())
        ratios.setflags(write=False)
        return ratios

    @cached_property
    def sharpe_deviation(self) -> float:
        """Standard deviation (ddof = 1) across trials of `sharpe_ratios`; 0 of fewer than two."""
        known = self.sharpe_ratios[np.isfinite(self.sharpe_ratios)]
        return float(known.std(ddof=1)) if len(known) > 1 else 0.0

    @property
    def target(self) -> float:
        """The risk-free rate a bar."""
        return self._job.target()

    def deflated_sharpe(self) -> float:
        """Probability that the best's true Sharpe ratio exceeds what the luckiest of as many useless trials shows.

        See `nt.results.deflated_sharpe`; trials are those of this search and `earlier_trials`. The best is run again.
        """
        returns = self.result().returns
        return deflated_sharpe(returns, trials=self.tries, deviation=self.sharpe_deviation, target=self._job.target())

    @cached_property
    def returns(self) -> np.ndarray:
        """float64[n - 1, trials]: simple returns a bar, zeros where a trial failed. Needs keep_returns=True."""
        if not self._job.keep_returns:
            raise InputError("returns were not kept: nt.sweep(..., keep_returns=True)")
        length = next(len(one.returns) for one in self._trials if one.returns is not None)
        matrix = np.zeros((length, self.trials))
        for column, one in enumerate(self._trials):
            if one.returns is not None:
                matrix[:, column] = np.nan_to_num(one.returns, nan=0.0)
        matrix.setflags(write=False)
        return matrix

    def overfitting(self, groups: int = 16) -> Overfitting:
        """Probability of backtest overfitting of this choice (keep_returns=True); `probability_of_overfitting`."""
        return probability_of_overfitting(self.returns, groups)

    def reality_check(self, *, samples: int = 1_000, block: float | None = None, seed: int = 0) -> RealityCheck:
        """White's reality check of the trial with the highest mean return (keep_returns=True)."""
        return reality_check(self.returns, samples=samples, block=block, seed=seed)

    # ---- pictures ----------------------------------------------------------------------------------------------------

    def heatmap(self, x: str | None = None, y: str | None = None, value: str = "metric") -> Figure:
        """A plotly heat map of `value` over two parameters, the best of what the others do to it, the best starred.

        x, y : names of parameters, by default the first two. value : "metric" or a statistic. Where trials share
        a cell it shows the best one's (of a statistic: that of the trial with the best metric). Raises InputError for
        names it has not or a search over one parameter, DependencyMissing (extra `report`) without plotly.
        """
        found = self.section(x, y, value)
        best = self.best
        return charts.heatmap(
            found.x_values, found.y_values, found.values, names=(found.x, found.y, found.metric),
            best=(best[found.x], best[found.y]),
        )  # fmt: skip

    def section(self, x: str | None = None, y: str | None = None, value: str = "metric") -> ParameterSection:
        """The same heat map as a record of the report: `result.report(path, parameters=sweep)`.

        Arguments and errors as in `heatmap`; it needs no plotly.
        """
        names = self._two(x, y)
        shown = self._named(value)
        axes = [np.unique(self.table[self._columns[name]], return_inverse=True) for name in names]
        (x_values, x_at), (y_values, y_at) = axes
        cells = np.full((len(y_values), len(x_values)), np.nan)
        values = self.table["metric"] if self.maximize else -self.table["metric"]
        for row in np.argsort(np.where(np.isnan(values), -np.inf, values), kind="stable"):
            if not np.isnan(values[row]):
                cells[y_at[row], x_at[row]] = self.table[shown][row]
        across, up = x_values.tolist(), y_values.tolist()
        column, row = (_as_kept(axis, self.best[name]) for axis, name in zip((x_values, y_values), names, strict=True))
        chosen = up.index(row), across.index(column)
        label = self.metric if value == "metric" else value
        return ParameterSection(*names, across, up, cells, label, self.trials, chosen)

    def parallel_coordinates(self) -> Figure:
        """A plotly figure with an axis for each parameter and the metric, a line for each trial.

        Raises DependencyMissing (extra `report`) without plotly.
        """
        columns: dict[str, Any] = {name: self.table[column] for name, column in self._columns.items()}
        label = self.metric if self.metric not in columns else f"metric {self.metric}"
        columns[label] = self.table["metric"]
        return charts.parallel(columns, label)

    def _two(self, x: str | None, y: str | None) -> tuple[str, str]:
        left = [name for name in self.parameters if name not in (x, y)]
        found = (x if x is not None or not left else left.pop(0), y if y is not None or not left else left.pop(0))
        for label, name in zip("xy", found, strict=True):
            if name is None or found[0] == found[1]:
                raise InputError(f"{label}: a heat map needs two different parameters, there are {self.parameters}")
            if name not in self.parameters:
                raise InputError(f"{label} must be a parameter, was {name!r}; {nearest(str(name), self.parameters)}")
        return found[0] or "", found[1] or ""

    def _named(self, value: str) -> str:
        if value != "metric" and value not in STATISTICS:
            raise InputError(f"value {value!r} is no statistic; {nearest(str(value), ('metric', *STATISTICS))}")
        return value

    def __repr__(self) -> str:
        failed = int((self.table["error"] != "").sum())
        head = f"Sweep: {self.trials:,} trials of {', '.join(self.parameters)} by {self.metric}"
        lines = [head + (f", {failed:,} failed" if failed else "")]
        shown = [name for name in ("total_return", "sharpe", "max_drawdown", "trades") if name != self.metric]
        lines.append(
            "  ".join([f"{name:>12}" for name in self.parameters] + [f"{n:>14}" for n in (self.metric, *shown)])
        )
        for row in self.top(5):
            cells = [f"{row[column].item()!s:>12}" for column in self._columns.values()]
            told = (
                display(self.metric, _plain(self.metric, row["metric"]))
                if self.metric in DEFINITIONS
                else row["metric"]
            )
            cells.append(f"{told if isinstance(told, str) else format(float(told), '.6g'):>14}")
            cells += [f"{display(name, row[name].item()):>14}" for name in shown]
            lines.append("  ".join(cells))
        return "\n".join(lines)


def _as_kept(values: np.ndarray, value: Any) -> Any:
    """A parameter's value as its column keeps it: mixed kinds became text or float."""
    return values.dtype.type(value).item() if values.dtype.kind != "U" else str(value)


def _plain(name: str, value: Any) -> Any:
    return int(value) if name in _COUNTS else float(value)


def _taken() -> frozenset[str]:
    return frozenset(("trial", "metric", "error", *STATISTICS))


def _table(candidates: Sequence[Mapping[str, Any]], trials: Sequence[Trial], columns: Mapping[str, str]) -> np.ndarray:
    """One row for each trial."""
    made: dict[str, np.ndarray] = {"trial": np.arange(len(trials), dtype=np.int64)}
    for name, column in columns.items():
        made[column] = _column([params[name] for params in candidates])
    made["metric"] = np.array([one.metric for one in trials], np.float64)
    values = np.array([one.values for one in trials], np.float64).reshape(len(trials), len(STATISTICS))
    for index, name in enumerate(STATISTICS):
        column_values = values[:, index]
        made[name] = np.nan_to_num(column_values, nan=0.0).astype(np.int64) if name in _COUNTS else column_values
    made["error"] = np.array([one.error for one in trials], np.str_)
    table = np.empty(len(trials), dtype=[(name, column.dtype) for name, column in made.items()])
    for name, values_of in made.items():
        table[name] = values_of
    table.setflags(write=False)
    return table


def _column(values: Sequence[Any]) -> np.ndarray:
    """Values of one parameter as one type: int64, float64, bool or text; mixed numbers as float64."""
    kinds = {type(one) for one in values}
    if kinds == {bool}:
        return np.array(values, np.bool_)
    if kinds == {int}:
        return np.array(values, np.int64)
    if kinds <= {int, float}:
        return np.array(values, np.float64)
    return np.array(values if kinds == {str} else [str(one) for one in values], np.str_)
