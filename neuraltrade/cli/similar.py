"""`neuraltrade similar`: what a remembered bar resembles, and what followed."""

from __future__ import annotations

from pathlib import Path

import click

from ..clock import as_ns
from ..errors import InputError
from ..memory import AgentDB
from .output import Output, json_option
from .places import find_stores
from .similar_situations import find_similar, tell


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--symbol", required=True, help="Whose situation.")
@click.option("--as-of", "as_of", help="Only what was known by then: a day, or an ISO time. Default: everything.")
@click.option("-k", default=10, show_default=True, type=click.IntRange(1, 10_000), help="How many situations.")
@click.option("--apart", default=30.0, show_default=True, type=click.FloatRange(0), help="Days between situations.")
@json_option
def similar(path: Path, symbol: str, as_of: str | None, k: int, apart: float, as_json: bool) -> int:
    """Find the situations most like the last bar of a symbol in the store at PATH, and say how they turned out.

    \b
    Example: neuraltrade similar neuraltrade-demo --symbol AAPL --as-of 2008-10-31
    """
    out = Output(as_json)
    stores = find_stores(path)
    if not stores:
        raise InputError(f"path must hold a store, {str(path)!r} has none")
    with AgentDB.open(stores[0], read_only=True) as db:
        found = find_similar(db, symbol, None if as_of is None else as_ns(as_of, "--as-of"), k, apart)
    tell(out, found)
    out.answer({"symbol": symbol, "ts_ns": found.ts_ns, "as_of_ns": found.as_of_ns, "similar": found.rows()})
    return 0
