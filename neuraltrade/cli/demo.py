"""`neuraltrade demo`: the main job on bundled data."""

from __future__ import annotations

from pathlib import Path

import click

from .main_job import SYMBOLS, run_main_job
from .output import Output, json_option


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path("neuraltrade-demo"))
@json_option
def demo(folder: Path, as_json: bool) -> int:
    """Run the main job into FOLDER (default ./neuraltrade-demo, made anew each time) and end with a report.

    A momentum strategy over bundled daily bars; every bar's market state, every decision, order and outcome remembered;
    every closed trade judged against its alternatives; a signed audit log, verified; the situations most similar to the
    last bar, and what followed them.

    \b
    Example: neuraltrade demo /var/tmp/first-look
    """
    out = Output(as_json)
    out.say(f"momentum on {', '.join(SYMBOLS)}, daily bars")
    answer = run_main_job(folder, out)
    out.say(f"\nreport: {Path(answer['report']).resolve()}")
    out.answer(answer)
    return 0
