"""`neuraltrade walkforward`: parameters chosen on the past, traded on what came next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..backtest.walk import walk_forward
from ..clock import iso
from .backtest import summary
from .output import Output, json_option
from .searching import search, search_options, words


@click.command()
@search_options
@click.option("--folds", type=int, default=8, show_default=True, help="Windows that are traded.")
@click.option("--train", type=int, help="Bars of a training window; as many as a test has, unless given.")
@click.option("--purge", type=int, default=0, show_default=True, help="Bars left out before each test.")
@click.option("--embargo", type=int, default=0, show_default=True, help="Further bars left out.")
@click.option("--anchored", is_flag=True, help="Training begins with history instead of rolling along.")
@click.option("--report", type=click.Path(path_type=Path), help="Write one self-contained HTML page there.")
@json_option
def walkforward(
    folds: int,
    train: int | None,
    purge: int,
    embargo: int,
    anchored: bool,
    report: Path | None,
    as_json: bool,
    **given: Any,
) -> int:
    """Choose parameters on each window of DATA and trade them on the next: bundled names, or files.

    \b
    Example: neuraltrade walkforward AAPL --grid lookback=20:260:40 --folds 6 --purge 5 --report walk.html
    """
    out = Output(as_json)
    data, strategy, settings = search(given)
    with out.progress("walk forward") as advance:
        walked = walk_forward(
            data,
            strategy,
            folds=folds,
            train=train,
            purge=purge,
            embargo=embargo,
            anchored=anchored,
            progress=advance,
            **settings,
        )
    rows = [
        [iso(int(row["test_start_ts_ns"]))[:10], iso(int(row["test_end_ts_ns"]))[:10], words(params),
         f"{row['train_metric']:.3g}", f"{row['test_metric']:.3g}", f"{row['return_']:+.2%}"]
        for row, params in zip(walked.folds, walked.params, strict=True)
    ]  # fmt: skip
    out.table(["from", "to", "chosen before", f"{settings['metric']} then", "in the test", "return"], rows)
    out.say()
    out.rows({**summary(walked.result), "digest": walked.result.digest})
    out.say(f"\nprobability that the Sharpe ratio is above zero: {walked.probabilistic_sharpe:.3f}")
    out.say(f"the same above the best of {walked.tries:,} useless candidates (deflated): {walked.deflated_sharpe:.3f}")
    if report is not None:
        walked.report(report)
        out.say(f"report: {report}")
    out.answer(
        {
            "data": list(given["data"]),
            "trials": walked.trials,
            "folds": [dict(zip(walked.folds.dtype.names or (), row.tolist(), strict=True)) for row in walked.folds],
            "stats": dict(walked.result.stats),
            "probabilistic_sharpe": walked.probabilistic_sharpe,
            "deflated_sharpe": walked.deflated_sharpe,
            "digest": walked.result.digest,
            "report": None if report is None else str(report),
        }
    )
    return 0
