"""Statistics of a run: what each is, and the passes that compute them.

Everything is taken from equity after each bar's close, the starting cash, the fills and the trades. Returns per bar
are simple, equity[i] / equity[i-1] - 1 for i = 1..n-1. Standard deviations use ddof=1. `risk_free` is a rate
per year, compounded down to a bar. A zero denominator gives NaN, and so does a statistic of nothing. Losses and
drawdowns are negative. About 10 ms for a million bars.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..core.equity import lower_tail, measure
from ..errors import InputError

NAN = float("nan")
TAIL = 0.05
BLOCK = 8192  # below the length at which BLAS wakes its threads

# name -> (unit, definition); the order is the order of display.
DEFINITIONS: dict[str, tuple[str, str]] = {
    "total_return": ("fraction", "final equity over starting cash, less one"),
    "cagr": ("fraction per year", "(final equity / cash) ^ (periods_per_year / (n - 1)) - 1; NaN below zero equity"),
    "volatility": ("fraction per year", "standard deviation of returns x sqrt(periods_per_year)"),
    "sharpe": ("per year", "mean excess return over risk-free / standard deviation x sqrt(periods_per_year)"),
    "sortino": ("per year", "mean excess return / sqrt(mean(min(return - risk_free, 0)^2)) x sqrt(periods_per_year)"),
    "calmar": ("ratio", "cagr over the absolute max_drawdown"),
    "max_drawdown": ("fraction", "lowest equity / running peak - 1; the peak starts at cash; zero or negative"),
    "max_drawdown_bars": ("bars", "longest way from a peak to the bar that regains it, or to the last bar"),
    "var_95": ("fraction", "historical value at risk: 5 % quantile of returns, linear between order statistics"),
    "cvar_95": ("fraction", "mean of the lowest floor(0.05 (m - 1)) + 1 of m returns"),
    "trades": ("count", "closed trades: rows of result.trades with open=False"),
    "open_trades": ("count", "rows of result.trades still open at the end"),
    "win_rate": ("fraction", "closed trades with pnl > 0 over closed trades"),
    "profit_factor": ("ratio", "sum of winning pnl over the absolute sum of losing pnl, closed trades"),
    "avg_win": ("cash", "mean pnl of closed trades with pnl > 0"),
    "avg_loss": ("cash", "mean pnl of closed trades with pnl < 0; negative"),
    "best_trade": ("fraction", "highest return_ of a closed trade"),
    "worst_trade": ("fraction", "lowest return_ of a closed trade"),
    "avg_trade_bars": ("bars", "mean of exit_bar - entry_bar, closed trades"),
    "expectancy": ("cash", "mean pnl of closed trades"),
    "exposure": ("fraction", "bars at whose close some position is open, over all bars"),
    "turnover": ("ratio", "notional of all fills, both sides, over mean equity; whole run"),
    "fees": ("cash", "sum of fees of all fills"),
    "final_equity": ("cash", "equity after the last bar's close"),
    "ambiguous_bars": ("count", "bars in which the order of two triggers cannot be known from OHLC"),
}


class UnknownStatisticError(InputError, KeyError):
    """A name that is no statistic; the message suggests the nearest."""

    __str__ = Exception.__str__


class Statistics(Mapping[str, Any]):
    """Read-only mapping of name -> number, in the order and with the meanings of `definitions` (default `DEFINITIONS`).

    Counts are int, everything else float. An unknown name raises an InputError (also a KeyError) with the nearest one.

    >>> import neuraltrade as nt
    >>> stats = nt.results.Statistics({"sharpe": 1.25, "trades": 7})
    >>> stats["sharpe"], "sortino" in stats, len(stats)
    (1.25, False, 2)
    >>> stats["sharp"]
    Traceback (most recent call last):
        ...
    neuraltrade.results.statistics.UnknownStatisticError: unknown statistic 'sharp'; did you mean 'sharpe'?
    """

    __slots__ = ("_definitions", "_values")

    def __init__(self, values: Mapping[str, Any], definitions: Mapping[str, tuple[str, str]] | None = None) -> None:
        self._values = dict(values)
        self._definitions = DEFINITIONS if definitions is None else definitions

    def __getitem__(self, name: str) -> Any:
        if name in self._values:
            return self._values[name]
        near = difflib.get_close_matches(str(name), self._values, n=1, cutoff=0.0)
        raise UnknownStatisticError(f"unknown statistic {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def unit(self, name: str) -> str:
        """Unit of a statistic: "fraction", "fraction per year", "cash", "count" ..."""
        self[name]
        return self._definitions[name][0]

    def definition(self, name: str) -> str:
        """One sentence: unit and definition of a statistic."""
        unit, text = self.unit(name), self._definitions[name][1]
        return f"[{unit}] {text}"

    def __repr__(self) -> str:
        width = max(map(len, self._values), default=0)
        return "\n".join(f"{name:<{width}}  {value:>16,.6g}" for name, value in self._values.items())


def compute(
    equity: np.ndarray,
    cash: float,
    fills: np.ndarray,
    trades: np.ndarray,
    *,
    periods_per_year: float,
    risk_free: float = 0.0,
    ambiguous_bars: int = 0,
    multipliers: np.ndarray | None = None,
) -> Statistics:
    """All statistics of a run.

    equity : float64[n], n >= 1. cash : starting cash. fills, trades : structured arrays of the engine or of Result.
    risk_free : rate per year. multipliers : float64[len(fills)] contract multipliers, None for one.
    """
    growth = _ratio(float(equity[-1]), cash)
    target = math.expm1(math.log1p(risk_free) / periods_per_year) if periods_per_year > 0.0 else NAN
    returns, facts = measure(equity, cash, target)
    values: dict[str, Any] = {"total_return": growth - 1.0}
    values |= _return_statistics(returns, facts, growth, periods_per_year, target)
    values |= {"max_drawdown": facts["deepest"], "max_drawdown_bars": int(facts["longest"])}
    values["calmar"] = _ratio(values["cagr"], abs(values["max_drawdown"]))
    values |= _trade_statistics(trades)
    notional = np.abs(fills["quantity"] * fills["price"])
    if multipliers is not None:
        notional = notional * multipliers
    values["exposure"] = exposure(trades, len(equity))
    values["turnover"] = _ratio(float(notional.sum()), facts["mean_equity"])
    values["fees"] = float(fills["fee"].sum())
    values["final_equity"] = float(equity[-1])
    values["ambiguous_bars"] = int(ambiguous_bars)
    return Statistics({name: values[name] for name in DEFINITIONS})


def simple_returns(equity: np.ndarray) -> np.ndarray:
    """float64[n-1]: equity[i] / equity[i-1] - 1; NaN where the denominator is zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        returns = equity[1:] / equity[:-1]
    returns -= 1.0
    return np.where(equity[:-1] == 0.0, NAN, returns) if np.any(equity[:-1] == 0.0) else returns


def drawdowns(equity: np.ndarray, cash: float) -> np.ndarray:
    """float64[n]: equity over its running peak, less one; the peak starts at cash. Zero or negative."""
    peak = np.maximum(np.maximum.accumulate(equity), cash)
    return equity / peak - 1.0


def _ratio(numerator: float, denominator: float) -> float:
    return NAN if denominator == 0.0 else numerator / denominator


def _return_statistics(
    returns: np.ndarray, facts: dict[str, float], growth: float, periods: float, target: float
) -> dict[str, float]:
    count = len(returns)
    names = ("cagr", "volatility", "sharpe", "sortino", "var_95", "cvar_95")
    if count == 0:
        return dict.fromkeys(names, NAN)
    with np.errstate(over="ignore", invalid="ignore"):  # a good day compounded over a year of minutes is infinite
        cagr = float(np.float64(growth) ** (periods / count)) - 1.0 if growth >= 0.0 else NAN
    excess = facts["mean"] - target
    deviation = math.sqrt(facts["squares"] / (count - 1)) if count > 1 else NAN
    downside = math.sqrt(facts["below"] / count)
    quantile, tail_mean = lower_tail(returns, TAIL)
    annual = math.sqrt(periods)
    return {
        "cagr": cagr,
        "volatility": deviation * annual,
        "sharpe": _ratio(excess, deviation) * annual,
        "sortino": _ratio(excess, downside) * annual,
        "var_95": quantile,
        "cvar_95": tail_mean,
    }


def _trade_statistics(trades: np.ndarray) -> dict[str, Any]:
    ended = trades[~trades["open"].astype(bool)] if trades["open"].any() else trades
    pnl, returns = np.ascontiguousarray(ended["pnl"]), ended["return_"]
    count = len(pnl)
    wins, losses = pnl[pnl > 0.0], pnl[pnl < 0.0]
    return {
        "trades": count,
        "open_trades": len(trades) - count,
        "win_rate": _ratio(float(len(wins)), float(count)),
        "profit_factor": _ratio(float(wins.sum()), abs(float(losses.sum()))),
        "avg_win": _mean(wins),
        "avg_loss": _mean(losses),
        "best_trade": float(returns.max()) if count else NAN,
        "worst_trade": float(returns.min()) if count else NAN,
        "avg_trade_bars": _mean(ended["exit_bar"] - ended["entry_bar"]),
        "expectancy": _mean(pnl),
    }


def _mean(values: np.ndarray) -> float:
    return float(values.sum() / len(values)) if len(values) else NAN


def exposure(trades: np.ndarray, bar_count: int) -> float:
    """Share of bars some trade covers: a closed one the closes entry_bar .. exit_bar - 1, an open one to the end."""
    if len(trades) == 0:
        return 0.0
    starts = np.ascontiguousarray(trades["entry_bar"])
    ends = np.where(trades["open"], bar_count, trades["exit_bar"])
    if not (starts[1:] >= starts[:-1]).all():
        order = np.argsort(starts, kind="stable")
        starts, ends = starts[order], ends[order]
    covered_to = np.maximum.accumulate(ends)
    covered_before = np.concatenate(([0], covered_to[:-1]))
    return float(np.maximum(ends - np.maximum(starts, covered_before), 0).sum()) / bar_count
