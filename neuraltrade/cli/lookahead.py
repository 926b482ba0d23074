"""`neuraltrade lookahead`: whether a strategy sees the future."""

from __future__ import annotations

import dataclasses

import click

from ..backtest import check_lookahead
from ..strategy import compiled
from . import strategies
from .inputs import market_data, parameters
from .output import Output, json_option


@click.command()
@click.argument("data", nargs=-1, required=True)
@click.option("--strategy", default="momentum", show_default=True, help="Of the library, or file.py:Class.")
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="Parameter of the strategy; repeatable.")
@click.option("--cuts", type=int, default=16, show_default=True, help="Bars after which the future is altered.")
@click.option("--decisions", type=int, default=48, show_default=True, help="The same at bars with a decision, at most.")
@click.option("--seed", type=int, default=0, show_default=True, help="Chooses those bars and makes the noise.")
@click.option("--interpreted", is_flag=True, help="Run on_bar in Python instead of compiling it.")
@json_option
def lookahead(
    data: tuple[str, ...], strategy: str, params: tuple[str, ...], cuts: int, decisions: int, seed: int,
    interpreted: bool, as_json: bool,
) -> int:  # fmt: skip
    """Alter the future and see what moves before it; status 1 where something does.

    DATA: bundled names (AAPL GOOG IBM MSFT), or .parquet and .csv files.

    \b
    Example: neuraltrade lookahead GOOG --strategy mine.py:Mine --param window=20
    """
    out = Output(as_json)
    chosen = strategies.find(strategy)
    bars = market_data(data)
    with out.progress("look-ahead") as advance:
        found = check_lookahead(
            bars,
            chosen if interpreted else compiled(chosen),
            params=parameters(params),
            cuts=cuts,
            decisions=decisions,
            seed=seed,
            progress=advance,
        )
    out.say(repr(found))
    out.answer(
        {
            "verdict": found.verdict,
            "reason": found.reason,
            "leaks": [dataclasses.asdict(leak) for leak in found.leaks],
            "notes": list(found.notes),
            "cuts": list(found.cuts),
            "runs": found.runs,
            "skipped": found.skipped,
        }
    )
    return 0 if found.passed else 1
