"""Runs side by side: their statistics, of each and over the time they share, and how many trades are the same."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..clock import iso
from ..errors import InputError
from . import statistics, summary
from .annual import infer_periods_per_year
from .result import Result
from .tables import load_pandas

if TYPE_CHECKING:
    import pandas
    from plotly.graph_objects import Figure

    from ..report import ComparisonSection
    from .statistics import Statistics

OF_CURVES = ("total_return", "cagr", "volatility", "sharpe", "sortino", "calmar", "max_drawdown", "max_drawdown_bars",
             "var_95", "cvar_95")  # fmt: skip
_NAMES_MAX = 50


class Comparison:
    """Several runs beside each other; made by `nt.compare`.

    names : str, one a run. results : the runs. ts_ns : int64[m], the times all of them have, m >= 2.
    equity : float64[k, m] at those times. Arrays are read-only.

    >>> import neuraltrade as nt
    >>> bars = nt.datasets.load("GOOG")
    >>> fast, slow = (nt.backtest(bars, nt.strategy.library.Momentum, params={"lookback": n}) for n in (60, 120))
    >>> both = nt.compare([fast, slow])
    >>> both.names
    ('Momentum(lookback=60)', 'Momentum(lookback=120)')
    >>> bool(both.correlation[0, 1] > 0.5), both.stats("trades")
    (True, (28, 12))
    """

    def __init__(self, results: tuple[Result, ...], names: tuple[str, ...]) -> None:
        self.results = results
        self.names = names
        curves = [_by_time(one) for one in results]
        common = curves[0][0]
        for times, _ in curves[1:]:
            common = np.intersect1d(common, times, assume_unique=True)
        if len(common) < 2:
            spans = ", ".join(f"{name} {_span(one.ts_ns)}" for name, one in zip(names, results, strict=True))
            raise InputError(f"results must have at least 2 times in common, have {len(common)}: {spans}")
        self.ts_ns = common
        self.equity = np.stack([values[np.searchsorted(times, common)] for times, values in curves])
        for array in (self.ts_ns, self.equity):
            array.setflags(write=False)

    def stats(self, name: str, period: str = "run") -> tuple[Any, ...]:
        """A statistic of each run. period : "run", all of each, or "shared", the times that all have (OF_CURVES only).

        Raises InputError for an unknown period or statistic, naming the nearest.
        """
        if period not in ("run", "shared"):
            raise InputError(f"period must be 'run' or 'shared', was {period!r}")
        return tuple(one[name] for one in ([r.stats for r in self.results] if period == "run" else self.shared))

    @cached_property
    def shared(self) -> tuple[Statistics, ...]:
        """Statistics of each run's equity over the shared times, from its value at the first of them."""
        made = []
        for result, equity in zip(self.results, self.equity, strict=True):
            found = statistics.compute(
                equity, float(equity[0]), result.slots["fills"][:0], result.slots["trades"][:0],
                periods_per_year=infer_periods_per_year(self.ts_ns), risk_free=result.risk_free,
            )  # fmt: skip
            made.append(statistics.Statistics({name: found[name] for name in OF_CURVES}))
        return tuple(made)

    @cached_property
    def correlation(self) -> np.ndarray:
        """float64[k, k]: Pearson correlation of the runs' returns between shared times; NaN where one does not vary."""
        returns = [statistics.simple_returns(equity) for equity in self.equity]
        k = len(returns)
        made = np.full((k, k), np.nan)
        for a in range(k):
            for b in range(a, k):
                made[a, b] = made[b, a] = _correlation(returns[a], returns[b])
        made.setflags(write=False)
        return made

    @cached_property
    def common_trades(self) -> np.ndarray:
        """int64[k, k]: closed trades of one symbol, direction, entry and exit that both made; own on the diagonal."""
        keys = [_trade_keys(one) for one in self.results]
        made = np.array([[sum((a & b).values()) for b in keys] for a in keys], dtype=np.int64)
        made.setflags(write=False)
        return made

    @property
    def _same_times(self) -> bool:
        return all(np.array_equal(one.ts_ns, self.ts_ns) for one in self.results)

    def to_frame(self) -> pandas.DataFrame:
        """A pandas DataFrame, a row per statistic and period: period, statistic, unit, a column per run, and for each
        run but the first its difference to the first ("B - A").

        Raises DependencyMissing (extra `frames`) without pandas.
        """
        rows = []
        for period, found in (("run", [one.stats for one in self.results]), ("shared", self.shared)):
            for name in found[0]:
                values = [one[name] for one in found]
                row: dict[str, Any] = {"period": period, "statistic": name, "unit": found[0].unit(name)}
                row |= dict(zip(self.names, values, strict=True))
                row |= {
                    f"{other} - {self.names[0]}": value - values[0]
                    for other, value in zip(self.names[1:], values[1:], strict=True)
                }
                rows.append(row)
        return load_pandas().DataFrame(rows)

    def section(self) -> ComparisonSection:
        """The comparison as the record that the report draws."""
        from .. import report  # noqa: PLC0415  (as in Result.plot)
        from . import view  # noqa: PLC0415

        rows = []
        for period, found in (("run", [one.stats for one in self.results]), ("shared", self.shared)):
            for name in found[0] if period == "run" or not self._same_times else ():
                texts = tuple(summary.display(name, one[name]) for one in found)
                rows.append((period, view.label(name), found[0].definition(name), texts))
        growth = self.equity / self.equity[:, :1]
        return report.ComparisonSection(
            self.names, self.ts_ns, growth, tuple(rows), self.correlation, self.common_trades
        )

    def plot(self) -> Figure:
        """A plotly figure: growth of each run over the shared times, and drawdown.

        Raises DependencyMissing (extra `report`) without plotly.
        """
        from .. import report  # noqa: PLC0415

        return report.comparison_figure(self.section())

    def report(self, path: str | os.PathLike[str]) -> Path:
        """Write the page of the first run with the comparison on it, and return its path; see `Result.report`."""
        return self.results[0].report(path, comparison=self)

    def __repr__(self) -> str:
        width = max(12, *(min(len(name), 24) for name in self.names)) + 2
        heads = [name if len(name) <= 24 else f"{name[:21]}..." for name in self.names]
        two = len(heads) == 2
        head = " " * 26 + "".join(f"{name:>{width}}" for name in [*heads, *(["difference"] if two else [])])
        lines = [f"Comparison of {len(heads)} runs", head]
        whole = tuple(name for group in summary.GROUPS.values() for name in group)
        for period, names in (("run", whole), ("shared", () if self._same_times else OF_CURVES)):
            if names is OF_CURVES:
                lines.append(f"over the {len(self.ts_ns):,} shared times, {_span(self.ts_ns)}")
            for name in names:
                values = self.stats(name, period)
                texts = [summary.display(name, value) for value in values]
                if two:
                    texts.append(summary.display(name, values[1] - values[0]))
                lines.append(f"  {name:<24}" + "".join(f"{text:>{width}}" for text in texts))
        for what, table, shape in (
            ("correlation", self.correlation, ".3f"),
            ("trades in common", self.common_trades, ",d"),
        ):
            for at, row in enumerate(table[1:], 1):
                texts = ["" if math.isnan(v) else format(v, shape) for v in row[:at].tolist()]
                lines.append(
                    f"  {f'{what}':<24}" + "".join(f"{text:>{width}}" for text in texts) + f"  with {heads[at]}"
                )
        return "\n".join(lines)


def compare(results: Sequence[Result], names: Sequence[str] | None = None) -> Comparison:
    """Put two or more runs side by side.

    results : of nt.backtest or nt.Result.load, in one currency, with at least 2 times in common. names : what to call
    them, each once; by default the strategies' names with the parameters in which they differ.

    Returns a Comparison: `.stats(name)`, `.shared`, `.correlation`, `.common_trades`, `.to_frame()`, `.plot()`,
    `.report(path)`. Raises InputError for fewer than two, anything but Results, other currencies, no common times.

    >>> import neuraltrade as nt
    >>> bars = nt.datasets.load("IBM")
    >>> runs = [nt.backtest(bars, nt.strategy.library.Momentum, fees=fee) for fee in (0.0, 0.002)]
    >>> both = nt.compare(runs, names=["free", "dear"])
    >>> bool(both.stats("total_return")[0] > both.stats("total_return")[1]), int(both.common_trades[0, 1])
    (True, 37)
    """
    if isinstance(results, Result) or not isinstance(results, Sequence):
        raise InputError(f"results must be a list of nt.Result, was {type(results).__name__}")
    if not 2 <= len(results) <= _NAMES_MAX:
        raise InputError(f"results must hold 2..{_NAMES_MAX} runs, had {len(results)}")
    for position, one in enumerate(results):
        if not isinstance(one, Result):
            raise InputError(f"results[{position}] must be an nt.Result, was {type(one).__name__}")
    currencies = [_currency(one) for one in results]
    for position, currency in enumerate(currencies):
        if currency != currencies[0]:
            raise InputError(
                f"results[{position}] is in {currency}, results[0] in {currencies[0]}: compare one currency"
            )
    return Comparison(tuple(results), _named(results) if names is None else _checked_names(names, len(results)))


def _currency(result: Result) -> str:
    account = result.settings.get("account")
    return str(account.get("currency")) if isinstance(account, dict) else "None"


def _checked_names(names: Any, count: int) -> tuple[str, ...]:
    if isinstance(names, str) or not isinstance(names, Sequence) or not all(isinstance(one, str) for one in names):
        raise InputError(f"names must be a list of str, was {names!r}")
    if len(names) != count or len(set(names)) != count:
        raise InputError(f"names must be {count} different ones, one a run, were {list(names)}")
    return tuple(names)


def _named(results: Sequence[Result]) -> tuple[str, ...]:
    """Strategy names; where they repeat, with the parameters that differ, then the symbols, and at last a number."""
    names = [str(one.settings.get("strategy", "run")) for one in results]
    parameters = [dict(one.settings.get("params") or {}) for one in results]
    differing = [key for key in dict.fromkeys(k for own in parameters for k in own)
                 if len({repr(own.get(key)) for own in parameters}) > 1]  # fmt: skip
    symbols = [", ".join(one.symbols) for one in results]
    made = []
    for name, own, traded in zip(names, parameters, symbols, strict=True):
        words = [f"{key}={own[key]!r}" for key in differing if key in own] if names.count(name) > 1 else []
        text = f"{name}({', '.join(words)})" if words else name
        made.append(text if len(set(symbols)) == 1 else f"{text} on {traded}")
    return tuple(one if made.count(one) == 1 else f"{one} #{made[: at + 1].count(one)}" for at, one in enumerate(made))


def _by_time(result: Result) -> tuple[np.ndarray, np.ndarray]:
    """Times, each once, and the equity after the last step of each."""
    times, first = np.unique(result.ts_ns, return_index=True)
    last = np.append(first[1:], len(result.ts_ns)) - 1
    return times, result.equity[last]


def _trade_keys(result: Result) -> Counter[tuple[str, int, int, int]]:
    rows = result.slots["trades"]
    closed = rows[~rows["open"].astype(bool)]
    columns = (closed[name].tolist() for name in ("symbol", "direction", "entry_ts_ns", "exit_ts_ns"))
    return Counter((result.symbols[slot], side, start, end) for slot, side, start, end in zip(*columns, strict=True))


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    known = np.isfinite(a) & np.isfinite(b)
    a, b = a[known], b[known]
    if len(a) < 2 or a.min() == a.max() or b.min() == b.max():
        return math.nan
    a, b = a - a.mean(), b - b.mean()
    return float(np.clip((a @ b) / math.sqrt(float(a @ a) * float(b @ b)), -1.0, 1.0))


def _span(ts_ns: np.ndarray) -> str:
    return f"{iso(int(ts_ns[0]))} to {iso(int(ts_ns[-1]))}"
