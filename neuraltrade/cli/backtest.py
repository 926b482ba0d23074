"""`neuraltrade backtest`: one run over bundled data or files."""

from __future__ import annotations

from pathlib import Path

import click

from ..backtest import backtest as run_backtest
from ..clock import iso
from ..results import Result
from ..strategy import compiled
from . import strategies
from .inputs import market_data, parameters
from .output import Output, json_option

# Statistics shown to people, in this order; --json has all of them.
SHOWN = (
    *("final_equity", "total_return", "cagr", "volatility", "sharpe", "sortino", "max_drawdown"),
    *("trades", "win_rate", "profit_factor", "exposure", "fees", "ambiguous_bars"),
)


def summary(result: Result) -> dict[str, str]:
    """The statistics of SHOWN as text."""
    stats = result.stats
    return {name: f"{stats[name]:,.4f}" if isinstance(stats[name], float) else f"{stats[name]:,}" for name in SHOWN}


@click.command()
@click.argument("data", nargs=-1, required=True)
@click.option("--strategy", default="momentum", show_default=True, help="Of the library, or file.py:Class.")
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="Parameter of the strategy; repeatable.")
@click.option("--cash", type=float, default=10_000.0, show_default=True)
@click.option("--fees", type=float, default=0.0, show_default=True, help="Rate of notional, on every fill.")
@click.option("--slippage", type=float, default=0.0, show_default=True, help="Rate of price.")
@click.option("--fill", default="conservative", show_default=True, help="Preset of the fill policy.")
@click.option("--interpreted", is_flag=True, help="Run on_bar in Python instead of compiling it.")
@click.option("--report", type=click.Path(path_type=Path), help="Write one self-contained HTML page there.")
@json_option
def backtest(
    data: tuple[str, ...],
    strategy: str,
    params: tuple[str, ...],
    cash: float,
    fees: float,
    slippage: float,
    fill: str,
    interpreted: bool,
    report: Path | None,
    as_json: bool,
) -> int:
    """Run a strategy over DATA: bundled names (AAPL GOOG IBM MSFT), or .parquet and .csv files.

    \b
    Example: neuraltrade backtest AAPL MSFT --strategy momentum --param lookback=60 --fees 0.0005 --report out.html
    """
    out = Output(as_json)
    chosen = strategies.find(strategy)
    bars = market_data(data)
    with out.progress("backtest") as advance:
        result = run_backtest(
            bars,
            chosen if interpreted else compiled(chosen),
            cash=cash,
            fees=fees,
            slippage=slippage,
            fill=fill,
            params=parameters(params),
            progress=advance,
        )
    out.say(f"{chosen.__name__} on {', '.join(data)}, {iso(result.ts_ns[0])[:10]} to {iso(result.ts_ns[-1])[:10]}")
    out.say()
    out.rows({**summary(result), "digest": result.digest})
    if report is not None:
        result.report(report)
        out.say(f"\nreport: {report}")
    out.answer(
        {
            "strategy": chosen.__name__,
            "data": list(data),
            "stats": dict(result.stats),
            "digest": result.digest,
            "settings": result.settings,
            "report": None if report is None else str(report),
        }
    )
    return 0
