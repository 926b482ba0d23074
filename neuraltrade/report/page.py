"""One self-contained HTML page: every byte it needs is in it, nothing is fetched, everything foreign is escaped."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from .._version import __version__
from ..errors import DependencyMissing, InputError
from . import parts
from .periods import deepest_drawdowns, monthly_returns, rolling_risk
from .records import (
    AuditSection,
    ComparisonSection,
    NotesSection,
    ParameterSection,
    Run,
    SimilarSection,
    VerdictSection,
)
from .series import candles, dates_only, extremes, milliseconds, packed, stamp

SCRIPTS = ("page.js", "table.js", "charts.js", "analysis.js", "sections.js")
CANDLES = 60_000  # of all symbols together: 1.6 MB
CURVE_BUCKETS = 2_000
TRADES = 20_000
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TRADE_COLUMNS = {
    "symbol": "<i4", "direction": "<i4", "quantity": "<f8", "entry_price": "<f8", "exit_price": "<f8", "fees": "<f8",
    "pnl": "<f8", "return_": "<f8", "open": "u1",
}  # fmt: skip


def write_page(
    path: str | os.PathLike[str],
    run: Run,
    *,
    similar: SimilarSection | None = None,
    verdicts: VerdictSection | None = None,
    audit: AuditSection | None = None,
    notes: NotesSection | None = None,
    comparison: ComparisonSection | None = None,
    parameters: ParameterSection | None = None,
) -> Path:
    """Write the page of a run to `path` and return the path; the folder must exist.

    The file holds plotly.js (4.8 MB) and about 30 bytes a bar up to 60,000 bars, after which bars are joined to
    candles; curves keep the lowest and highest value of each drawn bucket. Equal input gives equal bytes.
    Raises InputError for a missing folder, DependencyMissing (extra `report`) without plotly or jinja2.

    >>> import neuraltrade as nt, numpy as np, tempfile
    >>> from neuraltrade.core.layouts import TRADE_DTYPE
    >>> ts_ns, flat = np.arange(1, 4) * 86_400_000_000_000, np.full(3, 10.0)
    >>> prices = nt.report.PriceSeries("IBM", ts_ns, flat, flat, flat, flat)
    >>> run = nt.report.Run("Idle", "3 days", 100.0, ts_ns, 10 * flat, 0 * flat, [prices], np.zeros(0, TRADE_DTYPE))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     nt.report.write_page(f"{folder}/page.html", run).stat().st_size > 4_000_000
    True
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise InputError(f"path must lie in an existing folder, {str(target.parent)!r} is none")
    page = render_page(
        run, similar=similar, verdicts=verdicts, audit=audit, notes=notes, comparison=comparison, parameters=parameters
    )
    target.write_text(page, encoding="utf-8")
    return target


def render_page(
    run: Run,
    *,
    similar: SimilarSection | None = None,
    verdicts: VerdictSection | None = None,
    audit: AuditSection | None = None,
    notes: NotesSection | None = None,
    comparison: ComparisonSection | None = None,
    parameters: ParameterSection | None = None,
) -> str:
    """The page as text; see `write_page`, which also has the errors.

    >>> import neuraltrade as nt, numpy as np
    >>> from neuraltrade.core.layouts import TRADE_DTYPE
    >>> ts_ns, flat = np.arange(1, 4) * 86_400_000_000_000, np.full(3, 10.0)
    >>> prices = nt.report.PriceSeries("IBM", ts_ns, flat, flat, flat, flat)
    >>> run = nt.report.Run("Idle", "3 days", 100.0, ts_ns, 10 * flat, 0 * flat, [prices], np.zeros(0, TRADE_DTYPE))
    >>> "<h1>Idle</h1>" in nt.report.render_page(run)
    True
    """
    try:
        from markupsafe import Markup  # noqa: PLC0415  (with jinja2, which is optional)
    except ImportError as error:
        raise DependencyMissing("a report needs jinja2: pip install 'neuraltrade[report]'") from error
    days = dates_only(run.ts_ns)
    shown = largest_trades(run.trades)
    data: dict[str, Any] = {
        "days": days,
        "prices": _prices(run, days),
        "curves": _curves(run, days),
        "trades": _trades(run, shown, days),
        "cash": run.cash,
        "strategies": list(run.strategies),
        "exposure": parts.exposure(run, days),
        "attribution": parts.attributions(run, days),
    }
    window, volatility, sharpe = rolling_risk(run.equity, run.periods_per_year)
    if window:
        data["rolling"] = {"volatility": _curve(run, volatility, days), "sharpe": _curve(run, sharpe, days)}
        data["rolling"] |= parts.rolling(run, window, days)
    if similar is not None:
        data["similar"] = _similar(similar)
    if verdicts is not None:
        data["verdicts"] = _verdicts(verdicts)
    if comparison is not None:
        data["comparison"] = parts.comparison(comparison, days)
    if parameters is not None:
        data["parameters"] = parts.parameters(parameters)
    sections = {"attribution": data["attribution"] or None, "comparison": comparison, "parameters": parameters,
                "similar": similar, "verdicts": verdicts, "audit": audit, "notes": notes}  # fmt: skip
    return _template().render(
        run=run,
        version=__version__,
        contents=_contents(sections),
        exposure=data["exposure"] is not None,
        attributions=data["attribution"],
        comparison=None if comparison is None else parts.comparison_words(comparison),
        parameters=None if parameters is None else parts.parameter_words(parameters),
        headline=[item for item in run.statistics if item.headline],
        groups=_groups(run),
        drawdowns=deepest_drawdowns(run.ts_ns, run.equity, run.cash, days),
        years=monthly_returns(run.ts_ns, run.equity, run.cash),
        month_names=MONTHS,
        rolling_bars=window,
        trade_count=len(run.trades),
        trades_shown=len(shown),
        similar=None if similar is None else _similar_words(similar, days),
        verdicts=None if verdicts is None else _verdict_words(verdicts),
        audit=audit,
        notes=notes,
        settings=list(readable_settings(run.settings)),
        data=Markup(script_json(data)),
        css=Markup(_text("page.css")),
        script=Markup("\n".join(_text(name) for name in SCRIPTS)),
        plotly=Markup(_plotly_script()),
    )


def script_json(value: Any) -> str:
    """JSON that may stand inside a <script>: no NaN, and no character that could end or escape the element."""
    text = json.dumps(_finite(value), separators=(",", ":"), allow_nan=False, ensure_ascii=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def readable_settings(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """(name, text) rows of nested settings: a mapping of plain values is one row, one of mappings a row for each."""
    for name, value in settings.items():
        if isinstance(value, Mapping) and any(isinstance(item, Mapping) for item in value.values()):
            yield from readable_settings(value, f"{prefix}{name}.")
        elif isinstance(value, Mapping):
            yield f"{prefix}{name}", ", ".join(f"{key} {_plain(item)}" for key, item in value.items()) or "none"
        else:
            yield f"{prefix}{name}", _plain(value)


def _plain(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or "none"
    return f"{value:.12g}" if isinstance(value, float) else json.dumps(value, default=str, ensure_ascii=False)


def largest_trades(trades: np.ndarray, limit: int = TRADES) -> np.ndarray:
    """Rows of the trades to show, in order: all, or the `limit` with the largest profit or loss."""
    if len(trades) <= limit:
        return np.arange(len(trades))
    return np.sort(np.argpartition(-np.abs(trades["pnl"]), limit)[:limit])


def _prices(run: Run, days: bool) -> list[dict[str, Any]]:
    limit = max(1_000, CANDLES // max(1, len(run.prices)))
    series = []
    for prices in run.prices:
        columns, size = candles((prices.ts_ns, prices.open, prices.high, prices.low, prices.close), limit)
        packs = {
            name: packed(column) for name, column in zip(("open", "high", "low", "close"), columns[1:], strict=True)
        }
        times = packed(milliseconds(columns[0], days), "<f8")
        series.append(
            {"symbol": prices.symbol, "bars_per_candle": size, "bars": len(prices.ts_ns), "t": times, **packs}
        )
    return series


def _curves(run: Run, days: bool) -> dict[str, Any]:
    named = {"equity": run.equity, "drawdown": run.drawdown, "benchmark": run.benchmark}
    curves: dict[str, Any] = {"benchmark_label": run.benchmark_label}
    for name, values in named.items():
        if values is not None:
            curves[name] = _curve(run, values, days)
    return curves


def _curve(run: Run, values: np.ndarray, days: bool) -> dict[str, Any]:
    rows = extremes(values, CURVE_BUCKETS)
    return {"t": packed(milliseconds(run.ts_ns[rows], days), "<f8"), "v": packed(values[rows], "<f8")}


def _trades(run: Run, rows: np.ndarray, days: bool) -> dict[str, Any]:
    chosen = run.trades[rows]
    columns = {name: packed(chosen[name].astype(dtype), dtype) for name, dtype in _TRADE_COLUMNS.items()}
    if run.trade_strategies is not None:
        columns["strategy"] = packed(run.trade_strategies[rows].astype(np.int32), "<i4")
    columns["number"] = packed(rows + 1, "<i4")
    columns["bars"] = packed((chosen["exit_bar"] - chosen["entry_bar"]).astype(np.int32), "<i4")
    for end in ("entry", "exit"):
        columns[f"{end}_t"] = packed(milliseconds(chosen[f"{end}_ts_ns"], days), "<f8")
    return columns


def _similar(section: SimilarSection) -> dict[str, Any]:
    def situation(symbol: str, ts_ns: int, before: np.ndarray, after: np.ndarray) -> dict[str, Any]:
        base = float(before[-1])
        return {
            "symbol": symbol,
            "t": ts_ns // 1_000_000,
            "before": (np.asarray(before, dtype=np.float64) / base - 1.0).tolist(),
            "after": (np.asarray(after, dtype=np.float64) / base - 1.0).tolist(),
        }

    neighbours = [
        situation(item.symbol, int(item.ts_ns), item.before, item.after)
        | {"distance": float(item.distance), "outcome": float(item.outcome)}
        for item in section.neighbours
    ]
    query = situation(section.symbol, int(section.ts_ns), section.query, section.followed)
    return {"query": query, "neighbours": neighbours, "horizon": section.horizon}


def _similar_words(section: SimilarSection, days: bool) -> dict[str, str]:
    known = [float(item.outcome) for item in section.neighbours if math.isfinite(item.outcome)]
    when = stamp(section.ts_ns, days)
    as_of = "" if section.as_of_ns is None else f", as known on {stamp(section.as_of_ns, days)}"
    bars = f"{section.horizon} bar" + ("s" if section.horizon != 1 else "")
    text = f"{len(section.neighbours)} situations most like {section.symbol} at {when}{as_of}. "
    if known:
        rose = sum(value > 0.0 for value in known)
        text += f"Over the next {bars}, {rose} of {len(known)} rose; "
        text += f"median {float(np.median(known)):+.2%}, mean {float(np.mean(known)):+.2%}."
    else:
        text += f"What followed over {bars} is not known for any of them."
    return {"sentence": text, "note": section.note}


def _verdicts(section: VerdictSection) -> list[dict[str, Any]]:
    return [
        {
            "t": int(row.ts_ns) // 1_000_000,
            "counterfactuals": [list(item) for item in row.counterfactuals],
            **{name: getattr(row, name) for name in ("symbol", "decision", "label", "explanation")},
            **{name: float(getattr(row, name)) for name in ("score", "outcome", "regret", "regret_low", "regret_high")},
        }
        for row in section.rows
    ]


def _verdict_words(section: VerdictSection) -> dict[str, Any]:
    counts = section.counts()
    return {
        "counts": counts,
        "note": section.note,
        "sentence": ", ".join(f"{n} {label}" for label, n in counts.items()),
    }


def _contents(sections: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(id, label) of what the bar at the top leads to."""
    always = [("overview", "Overview"), ("equity", "Equity"), ("statistics", "Statistics"), ("trades", "Trades")]
    given = [(name, name.capitalize()) for name, section in sections.items() if section is not None]
    return [*always, *given, ("settings", "Settings")]


def _groups(run: Run) -> list[tuple[str, list[Any]]]:
    groups: dict[str, list[Any]] = {}
    for item in run.statistics:
        groups.setdefault(item.group, []).append(item)
    return list(groups.items())


def _heat(value: float | None) -> Any:
    """A cell of the monthly table; ten percent is full colour."""
    from markupsafe import Markup  # noqa: PLC0415

    if value is None:
        return Markup("<td></td>")
    if not math.isfinite(value):
        return Markup("<td>-</td>")
    strength = min(abs(value) / 0.10, 1.0) * 0.45
    tint = "gain" if value > 0.0 else "loss"
    return Markup(
        f'<td style="background:rgb(var(--{tint}-soft) / {strength:.2f})">{round(100.0 * value, 1) + 0.0:.1f}</td>'
    )


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _finite(item) for name, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value


@cache
def _template() -> Any:
    import jinja2  # noqa: PLC0415  (optional)

    names = {"page.html.j2": _text("page.html.j2")}
    environment = jinja2.Environment(
        loader=jinja2.DictLoader(names),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"heat": _heat, "sign_class": lambda sign: ("", "gain", "loss")[sign]}
    return environment.get_template("page.html.j2")


@cache
def _text(name: str) -> str:
    return (resources.files(__package__) / name).read_text(encoding="utf-8")


@cache
def _plotly_script() -> str:
    try:
        from plotly.offline import get_plotlyjs  # noqa: PLC0415  (optional)
    except ImportError as error:
        raise DependencyMissing("a report needs plotly: pip install 'neuraltrade[report]'") from error
    return str(get_plotlyjs()).replace("</script", "<\\/script")
