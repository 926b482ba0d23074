"""`neuraltrade sweep`: many sets of parameters over the same history."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np

from ..backtest.sweep import sweep as run_sweep
from .output import Output, json_option
from .searching import search, search_options, words

SHOWN = ("total_return", "sharpe", "max_drawdown", "trades")


@click.command()
@search_options
@click.option("--top", type=click.IntRange(1), default=10, show_default=True, help="How many of the best to show.")
@click.option("--heatmap", type=click.Path(path_type=Path), help="Write a page with a heat map there.")
@json_option
def sweep(top: int, heatmap: Path | None, as_json: bool, **given: Any) -> int:
    """Try a strategy over DATA with many sets of parameters: bundled names (AAPL GOOG IBM MSFT), or files.

    \b
    Example: neuraltrade sweep AAPL --grid lookback=20:260:40 --grid max_fraction=0.5,1.0 --fees 0.0005
    """
    out = Output(as_json)
    data, strategy, settings = search(given)
    with out.progress("sweep") as advance:
        found = run_sweep(data, strategy, progress=advance, **settings)
    deflated = found.deflated_sharpe()
    best = found.top(top)
    columns = [*found.parameters, found.metric, *(name for name in SHOWN if name != found.metric)]
    keys = [*(found.column(name) for name in found.parameters), "metric", *columns[len(found.parameters) + 1 :]]
    out.say(f"{found.trials:,} trials of {words(dict.fromkeys(found.parameters, '...'))} by {found.metric}\n")
    out.table(columns, [[_text(row[key]) for key in keys] for row in best])
    out.say(f"\nbest: {words(found.best)}")
    out.say(f"deflated Sharpe (probability that it beats {found.tries:,} useless trials' best): {deflated:.3f}")
    if heatmap is not None:
        found.heatmap().write_html(heatmap)
        out.say(f"heat map: {heatmap}")
    out.answer(
        {
            "data": list(given["data"]),
            "trials": found.trials,
            "metric": found.metric,
            "best": found.best,
            "best_metric": found.best_metric,
            "deflated_sharpe": deflated,
            "digest": found.digest,
            "top": [dict(zip(best.dtype.names or (), row.tolist(), strict=True)) for row in best],
        }
    )
    return 0


def _text(value: Any) -> str:
    plain = value.item() if isinstance(value, np.generic) else value
    return f"{plain:.4g}" if isinstance(plain, float) else str(plain)
