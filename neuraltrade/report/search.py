"""What a search over parameters found, as plotly figures: a heat map over two of them, lines across all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DependencyMissing

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_SCALE = "RdYlGn"
LINES = 2_000


def _plotly(what: str) -> Any:
    try:
        import plotly.graph_objects as go  # noqa: PLC0415  (optional, and 0.2 s)
    except ImportError as error:
        raise DependencyMissing(f"{what} needs plotly: pip install 'neuraltrade[report]'") from error
    return go


def heatmap(
    x: Sequence[Any], y: Sequence[Any], values: np.ndarray, *, names: tuple[str, str, str], best: tuple[Any, Any] | None
) -> Figure:
    """A heat map of float64[len(y), len(x)], NaN left blank; names of x, y and the values; `best` marked by a star.

    Raises DependencyMissing (extra `report`) without plotly.

    >>> import neuraltrade as nt, numpy as np
    >>> chart = nt.report.search.heatmap([1, 2], [5], np.array([[0.1, 0.2]]), names=("a", "b", "sharpe"), best=(2, 5))
    >>> chart.data[0].type
    'heatmap'
    """
    go = _plotly("heatmap")
    x_name, y_name, z_name = map(escape, names)
    labels = [[escape(str(one)) for one in axis] for axis in (x, y)]
    finite = values[np.isfinite(values)]
    middle = {"zmid": 0.0} if len(finite) and finite.min() < 0.0 < finite.max() else {}
    hover = f"{x_name} %{{x}}<br>{y_name} %{{y}}<br>{z_name} %{{z:.4g}}<extra></extra>"
    drawn = go.Heatmap(
        x=labels[0], y=labels[1], z=values, colorscale=_SCALE, colorbar={"title": z_name}, hovertemplate=hover, **middle
    )
    chart = go.Figure(drawn)
    if best is not None:
        star = {"symbol": "star", "size": 14, "color": "#111", "line": {"color": "#fff", "width": 1}}
        chart.add_trace(
            go.Scatter(x=[escape(str(best[0]))], y=[escape(str(best[1]))], mode="markers", marker=star, name="best")
        )
    chart.update_xaxes(title_text=x_name, type="category", categoryorder="array", categoryarray=labels[0])
    chart.update_yaxes(title_text=y_name, type="category", categoryorder="array", categoryarray=labels[1])
    chart.update_layout(template="plotly_white", title={"text": f"{z_name} by {x_name} and {y_name}"}, showlegend=False)
    return chart


def parallel(columns: Mapping[str, Sequence[Any]], metric: str) -> Figure:
    """Parallel coordinates: an axis for each column in order, a line for each row, coloured by `metric`.

    columns : name -> values of one length; texts and bools become places on their axis. The 2,000 rows whose metric is
    furthest from the middle are drawn where there are more. Raises DependencyMissing (extra `report`) without plotly.

    >>> import neuraltrade as nt
    >>> nt.report.search.parallel({"a": [1, 2], "sharpe": [0.1, 0.2]}, "sharpe").data[0].type
    'parcoords'
    """
    go = _plotly("parallel_coordinates")
    judged = np.asarray(columns[metric], dtype=np.float64)
    rows = np.flatnonzero(np.isfinite(judged))
    if len(rows) > LINES:
        far = np.abs(judged[rows] - np.median(judged[rows]))
        rows = np.sort(rows[np.argsort(-far, kind="stable")[:LINES]])
    axes: list[dict[str, Any]] = []
    for name, given in columns.items():
        values = np.asarray(given)[rows]
        if values.dtype.kind in "iuf":
            axes.append({"label": escape(name), "values": values.astype(np.float64)})
            continue
        words, places = np.unique(values, return_inverse=True)
        ticks: dict[str, Any] = {"tickvals": list(range(len(words))), "ticktext": [escape(str(word)) for word in words]}
        axes.append({"label": escape(name), "values": places, **ticks})
    line = {"color": judged[rows], "colorscale": _SCALE, "showscale": True}
    chart = go.Figure(go.Parcoords(dimensions=axes, line=line))
    chart.update_layout(template="plotly_white", title={"text": f"{escape(metric)} across parameters"})
    return chart
