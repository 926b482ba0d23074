"""A result in a few lines, for a prompt or a notebook."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from . import tick_data
from .statistics import DEFINITIONS

if TYPE_CHECKING:
    from .result import Result

GROUPS = {
    "Return": ("final_equity", "total_return", "cagr", "volatility", "exposure", "turnover"),
    "Risk": ("sharpe", "sortino", "calmar", "max_drawdown", "max_drawdown_bars", "var_95", "cvar_95"),
    "Trades": ("trades", "open_trades", "win_rate", "profit_factor", "expectancy", "avg_win", "avg_loss", "fees"),
}
_INTEGERS = frozenset({"trades", "open_trades", "max_drawdown_bars", "ambiguous_bars"})


def display(name: str, value: Any, unit: str | None = None) -> str:
    """A statistic as a person reads it: fractions in percent, cash with two digits, nothing for NaN but a hyphen.

    unit : of a statistic that is not one of `DEFINITIONS`.
    """
    if isinstance(value, float) and not math.isfinite(value):
        return "-" if math.isnan(value) else ("∞" if value > 0 else "-∞")
    if abs(value) >= 1e15:
        return f"{value:.3e}"
    unit = DEFINITIONS[name][0] if unit is None else unit
    if name in _INTEGERS or unit == "count":
        return f"{value:,d}"
    return f"{value:,.2%}" if unit.startswith("fraction") else f"{value:,.2f}"


def title(result: Result) -> str:
    strategy = str(result.settings.get("strategy", "run"))
    names = result.symbols[:4] + (("...",) if len(result.symbols) > 4 else ())
    return f"{strategy} on {', '.join(names)}"


def period(result: Result) -> str:
    days = np.array([result.ts_ns[0], result.ts_ns[-1]], dtype="datetime64[ns]").astype("datetime64[D]")
    steps = "events" if tick_data.is_ticks(result.data) else "bars"
    return f"{days[0]} to {days[1]}, {len(result.ts_ns):,} {steps}"


def text(result: Result) -> str:
    """Three columns of statistics under one line that says what ran, and the digest below."""
    stats = result.stats
    columns = []
    for names in GROUPS.values():
        width = max(map(len, names))
        columns.append([f"{name:<{width}} {display(name, stats[name]):>14}" for name in names])
    height = max(map(len, columns))
    lines = [
        "   ".join((column[i] if i < len(column) else "").ljust(len(column[0])) for column in columns).rstrip()
        for i in range(height)
    ]
    head = f"Result: {title(result)} ({period(result)})"
    foot = f"digest {result.digest[:16]}..."
    if result.ambiguous_bars:
        foot += f"   {result.ambiguous_bars:,} ambiguous bars"
    if result.bounds is not None:
        worst, best = (display("total_return", bound.stats["total_return"]) for bound in result.bounds)
        foot += f"   total return between {worst} (worst path) and {best} (best path)"
    return "\n".join([head, *lines, foot])


def html(result: Result) -> str:
    """The same as a table for notebooks; everything escaped."""
    cells = []
    for group, names in GROUPS.items():
        rows = "".join(
            f'<tr><td title="{escape(DEFINITIONS[name][1])}">{name.replace("_", " ")}</td>'
            f'<td style="text-align:right">{display(name, result.stats[name])}</td></tr>'
            for name in names
        )
        cells.append(f'<td style="vertical-align:top"><table><tr><th colspan="2">{group}</th></tr>{rows}</table></td>')
    head = f"<b>{escape(title(result))}</b> {escape(period(result))}"
    return f"<div>{head}<table><tr>{''.join(cells)}</tr></table><code>{result.digest}</code></div>"
