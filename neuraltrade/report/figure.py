"""One interactive figure for a notebook: price with trades, equity against the benchmark, drawdown."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DependencyMissing, InputError
from .page import largest_trades
from .records import ComparisonSection, Run
from .series import dates_only, extremes, milliseconds

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

BUCKETS = 2_000
MARKS = 2_000
COLOURS = ("#2563c9", "#c2402a", "#0b7a5c", "#96700a", "#7a3fb0", "#0f7f93", "#b0386f", "#5d6b80")
ACCENT, SECOND, GAIN, LOSS, STILL_OPEN = "#2563c9", "#8a94a6", "#0b7a5c", "#c2402a", "#96700a"


def figure(run: Run, symbol: str | None = None) -> Figure:
    """A plotly figure of three panels that share the time axis: price with trades, equity, drawdown.

    symbol : which prices to show, the first by default. Curves keep the lowest and highest value of each of 2,000
    buckets, and the 2,000 trades with the largest profit or loss are marked, so a million bars stay small.
    Raises InputError for a symbol that was not traded, DependencyMissing (extra `report`) without plotly.

    >>> import neuraltrade as nt, numpy as np
    >>> from neuraltrade.core.layouts import TRADE_DTYPE
    >>> ts_ns, flat = np.arange(1, 4) * 86_400_000_000_000, np.full(3, 10.0)
    >>> prices = nt.report.PriceSeries("IBM", ts_ns, flat, flat, flat, flat)
    >>> run = nt.report.Run("Idle", "3 days", 100.0, ts_ns, 10 * flat, 0 * flat, [prices], np.zeros(0, TRADE_DTYPE))
    >>> [trace.name for trace in nt.report.figure(run).data]
    ['IBM', 'Equity', 'Drawdown']
    """
    go, make_subplots = _plotly()
    names = [prices.symbol for prices in run.prices]
    if symbol is not None and symbol not in names:
        raise InputError(f"symbol must be one of {', '.join(names)}, was {symbol!r}")
    slot = 0 if symbol is None else names.index(symbol)
    days = dates_only(run.ts_ns)
    chart = make_subplots(rows=3, cols=1, shared_xaxes=True, vertical_spacing=0.04, row_heights=[0.5, 0.32, 0.18])

    def draw(row: int, ts_ns: np.ndarray, values: np.ndarray, **style: Any) -> None:
        kept = extremes(values, BUCKETS)
        x = milliseconds(ts_ns[kept], days).astype("datetime64[ms]")
        chart.add_trace(
            go.Scatter(x=x, y=values[kept], mode="lines" if len(kept) > 1 else "markers", **style), row=row, col=1
        )

    prices = run.prices[slot]
    draw(1, prices.ts_ns, prices.close, name=escape(prices.symbol), line={"color": SECOND, "width": 1.2})
    for trace in _marks(run, slot, days):
        chart.add_trace(go.Scatter(**trace), row=1, col=1)
    draw(2, run.ts_ns, run.equity, name="Equity", line={"color": ACCENT, "width": 1.6})
    if run.benchmark is not None:
        draw(2, run.ts_ns, run.benchmark, name=run.benchmark_label, line={"color": SECOND, "width": 1.1, "dash": "dot"})
    under_water = {"color": LOSS, "width": 1}
    draw(3, run.ts_ns, run.drawdown, name="Drawdown", line=under_water, fill="tozeroy", showlegend=False)
    chart.update_yaxes(title_text="Price", row=1, col=1)
    chart.update_yaxes(title_text="Equity", row=2, col=1)
    chart.update_yaxes(title_text="Drawdown", tickformat=".1%", row=3, col=1)
    chart.update_layout(
        title={"text": escape(run.title)},
        template="plotly_white",
        height=720,
        margin={"l": 60, "r": 20, "t": 60, "b": 40},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 1, "xanchor": "right"},
    )
    return chart


def comparison_figure(section: ComparisonSection) -> Figure:
    """A plotly figure of two panels: growth of each run from the first shared time, and its drawdown.

    Curves keep the lowest and highest value of each of 2,000 buckets. Raises DependencyMissing (extra `report`)
    without plotly.

    >>> import neuraltrade as nt, numpy as np
    >>> one = np.ones((2, 2))
    >>> section = nt.report.ComparisonSection(("a", "b"), np.arange(2), one, (), one, one.astype(int))
    >>> [trace.name for trace in nt.report.comparison_figure(section).data]
    ['a', 'a', 'b', 'b']
    """
    go, make_subplots = _plotly()
    days = dates_only(section.ts_ns)
    chart = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.05, row_heights=[0.66, 0.34])
    for at, (name, growth) in enumerate(zip(section.names, section.growth, strict=True)):
        line = {"color": COLOURS[at % len(COLOURS)], "width": 1.5}
        fall = growth / np.maximum.accumulate(growth) - 1.0
        for row, values in ((1, growth), (2, fall)):
            kept = extremes(values, BUCKETS)
            x = milliseconds(section.ts_ns[kept], days).astype("datetime64[ms]")
            style = {"name": escape(name), "legendgroup": str(at), "showlegend": row == 1, "line": line}
            chart.add_trace(go.Scatter(x=x, y=values[kept], mode="lines", **style), row=row, col=1)
    chart.update_yaxes(title_text="Growth of 1", row=1, col=1)
    chart.update_yaxes(title_text="Drawdown", tickformat=".1%", row=2, col=1)
    chart.update_layout(
        template="plotly_white",
        height=620,
        margin={"l": 60, "r": 20, "t": 60, "b": 40},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 1, "xanchor": "right"},
    )
    return chart


def _plotly() -> tuple[Any, Any]:
    """(plotly.graph_objects, make_subplots)."""
    try:
        import plotly.graph_objects as go  # noqa: PLC0415  (optional, and 0.2 s)
        from plotly.subplots import make_subplots  # noqa: PLC0415
    except ImportError as error:
        raise DependencyMissing("plot needs plotly: pip install 'neuraltrade[report]'") from error
    return go, make_subplots


def _marks(run: Run, slot: int, days: bool) -> list[dict[str, Any]]:
    """Traces of entries and exits of one symbol, coloured by outcome."""
    rows = run.trades[run.trades["symbol"] == slot]
    rows = rows[largest_trades(rows, MARKS)]
    if len(rows) == 0:
        return []
    colours = np.where(rows["open"], STILL_OPEN, np.where(rows["pnl"] > 0.0, GAIN, LOSS))
    words = [f"{trade['pnl']:+,.2f} ({trade['return_']:+.2%})" for trade in rows]
    kinds = (
        ("Long entry", "entry", "triangle-up", rows["direction"] > 0),
        ("Short entry", "entry", "triangle-down", rows["direction"] < 0),
        ("Exit", "exit", "x", ~rows["open"]),
    )
    traces = []
    for name, end, shape, chosen in kinds:
        if chosen.any():
            x = milliseconds(rows[f"{end}_ts_ns"][chosen], days).astype("datetime64[ms]")
            text = [word for word, keep in zip(words, chosen, strict=True) if keep]
            marker = {"symbol": shape, "size": 8, "color": colours[chosen].tolist()}
            traces.append(
                {
                    "x": x,
                    "y": rows[f"{end}_price"][chosen],
                    "text": text,
                    "name": name,
                    "marker": marker,
                    "mode": "markers",
                }
            )
    return traces
