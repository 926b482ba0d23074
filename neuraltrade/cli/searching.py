"""What `neuraltrade sweep` and `neuraltrade walkforward` have in common."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ..backtest.sweep import METHODS
from ..strategy import compiled
from . import strategies
from .inputs import condition, grid, market_data, parameters

OPTIONS = (
    click.argument("data", nargs=-1, required=True),
    click.option("--strategy", default="momentum", show_default=True, help="Of the library, or file.py:Class."),
    click.option(
        "--grid",
        "given",
        multiple=True,
        required=True,
        metavar="NAME=VALUES",
        help="2:50:4 is a range, 0.1,0.2 a list; repeatable.",
    ),
    click.option("--where", multiple=True, metavar="RULE", help="Such as 'fast < slow'; repeatable."),
    click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="A parameter that stays as it is."),
    click.option("--metric", default="sharpe", show_default=True, help="Statistic to look for."),
    click.option("--minimize", is_flag=True, help="Look for the lowest instead of the highest."),
    click.option("--method", type=click.Choice(METHODS), default="grid", show_default=True, help="What to try."),
    click.option("--trials", type=int, help="How many combinations to try, unless all of the grid."),
    click.option("--seed", type=int, default=0, show_default=True, help="Of the drawing."),
    click.option("--state", type=click.Path(path_type=Path), help="A file from which a stopped search goes on."),
    click.option("--earlier-trials", type=int, default=0, help="Combinations tried before, counted against the best."),
    click.option("--cash", type=float, default=10_000.0, show_default=True),
    click.option("--fees", type=float, default=0.0, show_default=True, help="Rate of notional, on every fill."),
    click.option("--slippage", type=float, default=0.0, show_default=True, help="Rate of price."),
    click.option("--fill", default="conservative", show_default=True, help="Preset of the fill policy."),
    click.option("--interpreted", is_flag=True, help="Run on_bar in Python instead of compiling it."),
)


def search_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The arguments and options of a search, in order."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def search(given: dict[str, Any]) -> tuple[Any, Any, dict[str, Any]]:
    """(data, strategy, keyword arguments) of nt.sweep and nt.walk_forward from what was typed."""
    chosen = strategies.find(given["strategy"])
    strategy = chosen(**parameters(given["params"]))
    settings = {name: given[name] for name in ("metric", "cash", "fees", "slippage", "fill", "earlier_trials")}
    settings |= {name: given[name] for name in ("method", "trials", "state")} | {"search_seed": given["seed"]}
    settings |= {"grid": grid(given["given"]), "where": condition(given["where"]), "maximize": not given["minimize"]}
    return market_data(given["data"]), strategy if given["interpreted"] else compiled(strategy), settings


def words(params: dict[str, Any] | None) -> str:
    """Parameters in a line."""
    return "nothing" if params is None else ", ".join(f"{name}={value}" for name, value in params.items())
