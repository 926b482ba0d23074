"""What the page's further sections are drawn from: exposure, attribution, comparison, parameters."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core import curves
from .records import Attribution, ComparisonSection, ParameterSection, Run
from .series import extremes, milliseconds, packed

CURVES = 12  # lines of one chart; the rest are summed as "others"
BUCKETS = 600


def curve(ts_ns: np.ndarray, values: np.ndarray, days: bool, buckets: int = BUCKETS) -> dict[str, Any]:
    """A curve reduced to the extremes of each bucket, packed."""
    rows = extremes(values, buckets)
    return {"t": packed(milliseconds(ts_ns[rows], days), "<f8"), "v": packed(values[rows], "<f8")}


def rolling(run: Run, window: int, days: bool) -> dict[str, Any]:
    """Further risk over the window: Sortino ratio, and beta and correlation where there is a benchmark that varies."""
    made = {"sortino": curves.rolling(run.equity, window, "sortino", run.periods_per_year)}
    if run.benchmark is not None and np.isfinite(run.benchmark).any():
        for name in ("beta", "correlation"):
            made[name] = curves.rolling(run.equity, window, name, run.periods_per_year, 0.0, run.benchmark)
    found = {name: values for name, values in made.items() if np.isfinite(values).any()}
    return {name: curve(run.ts_ns, values, days) for name, values in found.items()}


def exposure(run: Run, days: bool) -> dict[str, Any] | None:
    """Long, short and net shares of equity; None where the run does not say or nothing was held."""
    if run.long is None or run.short is None or not (np.nan_to_num(run.long - run.short) != 0.0).any():
        return None
    named = {"long": run.long, "short": run.short, "net": run.long + run.short}
    return {name: curve(run.ts_ns, values, days, 2 * BUCKETS) for name, values in named.items()}


def attributions(run: Run, days: bool) -> list[dict[str, Any]]:
    """Each table's rows, and the curves of the largest."""
    return [_attribution(run, one, days) for one in run.attribution if one.rows]


def _attribution(run: Run, one: Attribution, days: bool) -> dict[str, Any]:
    columns = ("name", "trades", "exposure", "fees", "pnl", "open_pnl", "flows", "total")
    rows = [[getattr(row, column) for column in columns] for row in one.rows]
    lines: list[dict[str, Any]] = []
    if one.curves is not None:
        order = np.argsort([-abs(row.total) for row in one.rows], kind="stable")
        shown = np.sort(order[: CURVES if len(order) <= CURVES else CURVES - 1])
        lines = [{"name": one.rows[k].name, **curve(run.ts_ns, one.curves[k], days)} for k in shown.tolist()]
        rest = np.setdiff1d(order, shown)
        if len(rest):
            lines.append({"name": f"{len(rest)} others", **curve(run.ts_ns, one.curves[rest].sum(axis=0), days)})
    return {"what": one.what, "rows": rows, "curves": lines}


def comparison(section: ComparisonSection, days: bool) -> dict[str, Any]:
    """The growth of each run."""
    return {
        "names": list(section.names),
        "curves": [curve(section.ts_ns, growth, days, 2 * BUCKETS) for growth in section.growth],
    }


def comparison_words(section: ComparisonSection) -> dict[str, Any]:
    """Its tables as texts."""
    both = zip(section.correlation.tolist(), section.common_trades.tolist(), strict=True)
    return {
        "names": list(section.names),
        "periods": [
            (title, [row for row in section.rows if row[0] == period])
            for period, title in (("run", "Each over its own time"), ("shared", "Over the time they share"))
            if any(row[0] == period for row in section.rows)
        ],
        "pairs": [
            (name, [("-" if math.isnan(r) else f"{r:.3f}", f"{n:,}") for r, n in zip(*rows, strict=True)])
            for name, rows in zip(section.names, both, strict=True)
        ],
    }


def parameters(section: ParameterSection) -> dict[str, Any]:
    """The heat map; values that are no numbers as text."""
    return {
        "x": section.x, "y": section.y, "metric": section.metric, "marked": section.marked,
        "x_values": [_label(value) for value in section.x_values],
        "y_values": [_label(value) for value in section.y_values],
        "values": np.asarray(section.values, dtype=np.float64).tolist(),
    }  # fmt: skip


def parameter_words(section: ParameterSection) -> dict[str, Any]:
    """One sentence over it."""
    marked = section.marked
    text = f"{section.metric.replace('_', ' ')} by {section.x} and {section.y}"
    text += f", of {section.trials:,} trials" if section.trials else ""
    if marked is not None:
        row, column = marked
        best = f"{section.x} {_label(section.x_values[column])}, {section.y} {_label(section.y_values[row])}"
        text += f". Marked: {best} with {section.values[row][column]:.4g}"
    return {"sentence": f"{text[:1].upper()}{text[1:]}.", "note": section.note}


def _label(value: Any) -> str:
    if isinstance(value, np.generic):
        value = value.item()
    return f"{value:.6g}" if isinstance(value, float) else str(value)
