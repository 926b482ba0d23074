"""A result as the plain records that the report room draws."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..report import Attribution, Contribution, PriceSeries, Run, Statistic
from . import storage, summary
from .holdings import Holdings, holdings

if TYPE_CHECKING:
    from .result import Result
    from .statistics import Statistics

HEADLINE = (
    "total_return",
    "cagr",
    "sharpe",
    "sortino",
    "max_drawdown",
    "volatility",
    "trades",
    "win_rate",
    "profit_factor",
    "final_equity",
)
GROUPS = {
    "Return": ("final_equity", "total_return", "cagr", "volatility", "exposure", "turnover", "fees", "ambiguous_bars"),
    "Risk": ("sharpe", "sortino", "calmar", "max_drawdown", "max_drawdown_bars", "var_95", "cvar_95"),
    "Trades": ("trades", "open_trades", "win_rate", "profit_factor", "expectancy", "avg_trade_bars"),
    "Wins and losses": ("avg_win", "avg_loss", "best_trade", "worst_trade"),
}
BENCHMARK = (
    "alpha",
    "beta",
    "correlation",
    "tracking_error",
    "information_ratio",
    "up_capture",
    "down_capture",
)
DISTRIBUTION = (
    "payoff_ratio",
    "sqn",
    "kelly",
    "median_return",
    "max_win_streak",
    "max_loss_streak",
    "avg_mae",
    "avg_mfe",
    "edge_ratio",
)
_LABELS = {
    "sqn": "SQN",
    "kelly": "Kelly fraction",
    "median_return": "Median return",
    "max_win_streak": "Longest winning streak",
    "max_loss_streak": "Longest losing streak",
    "avg_mae": "Average MAE",
    "avg_mfe": "Average MFE",
    "cagr": "CAGR",
    "sharpe": "Sharpe ratio",
    "sortino": "Sortino ratio",
    "calmar": "Calmar ratio",
    "var_95": "VaR 95%",
    "cvar_95": "CVaR 95%",
    "avg_win": "Average win",
    "avg_loss": "Average loss",
    "avg_trade_bars": "Bars per trade",
    "max_drawdown_bars": "Longest drawdown, bars",
}
_SIGNED = frozenset(
    {"total_return", "cagr", "sharpe", "sortino", "calmar", "max_drawdown", "var_95", "cvar_95"}
    | {"expectancy", "avg_win", "avg_loss", "best_trade", "worst_trade"}
    | {"alpha", "information_ratio", "sqn", "kelly", "median_return"}
)


def run_view(result: Result) -> Run:
    """Everything the page and the figure draw; arrays are shared, not copied."""
    held = holdings(result)
    prices = [
        PriceSeries(symbol, *bars.columns()[:5])
        for symbol, bars in zip(result.symbols, storage.each_bars(result.data), strict=True)
    ]
    return Run(
        title=summary.title(result),
        subtitle=summary.period(result),
        cash=result.cash,
        ts_ns=result.ts_ns,
        equity=result.equity,
        drawdown=result.drawdown,
        prices=prices,
        trades=result.slots["trades"],
        benchmark=result.benchmark,
        benchmark_label="Buy and hold" if result.given_benchmark is None else "Benchmark",
        statistics=[_statistic(result, group, name) for group, names in GROUPS.items() for name in names]
        + _more("Against the benchmark", result.benchmark_stats, BENCHMARK)
        + _more("Distribution of trades", result.trade_stats()["all"], DISTRIBUTION)
        + _bounds(result),
        settings={name: value for name, value in result.settings.items() if name != "multipliers"},  # in instruments
        digest=result.digest,
        periods_per_year=result.periods_per_year,
        long=held.long,
        short=held.short,
        attribution=_attribution(result, held),
        strategies=result.strategies,
        trade_strategies=None if result.team is None else result.team.owners["trades"],
    )


def _attribution(result: Result, held: Holdings) -> list[Attribution]:
    """By symbol and, of a run of several, by strategy, with profit over time."""
    rows = [
        Contribution(
            str(row["symbol"]),
            **{name: row[name].item() for name in ("trades", "exposure", "fees", "pnl", "open_pnl", "flows")},
        )
        for row in result.by_symbol()
    ]
    made = [Attribution("Symbol", rows, held.pnl)]
    if result.strategies:
        made.insert(0, _by_strategy(result))
    return made


def _by_strategy(result: Result) -> Attribution:
    """Each strategy's contribution; what is of none of them, interest, comes last where there is any."""
    rows, curves = [], result.contributions().T
    for row in result.by_strategy():
        named = {name: row[name].item() for name in ("trades", "exposure", "fees", "open_pnl", "flows")}
        rows.append(Contribution(str(row["strategy"]), pnl=row["realised"].item() - row["fees"].item(), **named))
    rest = result.equity - result.cash - curves.sum(axis=0)
    last = rows.pop()
    if abs(last.total) > 0.0:
        rows.append(dataclasses.replace(last, name="interest"))
        curves = np.vstack((curves, rest))
    return Attribution("Strategy", rows, curves)


def section(name: str, given: Any, kind: type) -> Any:
    """`given` as the record the page draws: itself, or what its method `section` makes."""
    made = given.section() if callable(getattr(given, "section", None)) else given
    if made is not None and not isinstance(made, kind):
        raise InputError(
            f"{name} must be None, nt.report.{kind.__name__} or have a section() that is one, was {given!r}"
        )
    return made


def label(name: str) -> str:
    """What a statistic is called on a page."""
    return _LABELS.get(name, name.replace("_", " ").capitalize())


def _statistic(result: Result, group: str, name: str) -> Statistic:
    value: Any = result.stats[name]
    sign = 0
    if name in _SIGNED and not math.isnan(value):
        sign = (value > 0) - (value < 0)
    return Statistic(
        group, label(name), summary.display(name, value), result.stats.definition(name), sign, name in HEADLINE
    )


def _more(group: str, found: Statistics, names: tuple[str, ...]) -> list[Statistic]:
    """Statistics of another mapping; none where there is nothing to tell."""
    rows = []
    for name in names:
        value, meaning = found[name], found.definition(name)
        sign = (value > 0) - (value < 0) if name in _SIGNED and not math.isnan(value) else 0
        rows.append(Statistic(group, label(name), summary.display(name, value, found.unit(name)), meaning, sign))
    return rows if any(isinstance(found[name], float) and not math.isnan(found[name]) for name in names) else []


def _bounds(result: Result) -> list[Statistic]:
    """The total return if every ambiguous bar went the worst way, and the best."""
    if result.bounds is None:
        return []
    rows = []
    for path, bound in zip(("worst", "best"), result.bounds, strict=True):
        value = bound.stats["total_return"]
        meaning = f"total return when triggers inside one bar are taken in the {path} order"
        sign = (value > 0) - (value < 0)
        rows.append(
            Statistic("Return", f"Total return, {path} path", summary.display("total_return", value), meaning, sign)
        )
    return rows
