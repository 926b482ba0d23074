"""`neuraltrade backtest`: one run over bundled data or files."""

from __future__ import annotations

from pathlib import Path

import click

from ..backtest import backtest as run_backtest
from ..clock import iso
from ..errors import InputError
from ..results import Result
from ..strategy import compiled
from . import strategies
from .inputs import market_data, one_series, parameters
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


def _text(value: object) -> str:
    return f"{value:,.4f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


@click.command()
@click.argument("data", nargs=-1, required=True)
@click.option(
    "--strategy",
    "strategy",
    multiple=True,
    default=("momentum",),
    show_default=True,
    metavar="NAME[(PARAM=VALUE, ...)]",
    help="Of the library, or file.py:Class; repeated: one run of several, with shared cash.",
)
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="Of the one strategy; repeatable.")
@click.option("--cash", type=float, default=10_000.0, show_default=True)
@click.option("--fees", type=float, default=0.0, show_default=True, help="Rate of notional, on every fill.")
@click.option("--slippage", type=float, default=0.0, show_default=True, help="Rate of price.")
@click.option("--fill", default="conservative", show_default=True, help="Preset of the fill policy.")
@click.option("--benchmark", metavar="NAME", help="A bundled name or a file to compare with.")
@click.option("--interpreted", is_flag=True, help="Run on_bar in Python instead of compiling it.")
@click.option("--report", type=click.Path(path_type=Path), help="Write one self-contained HTML page there.")
@json_option
def backtest(
    data: tuple[str, ...],
    strategy: tuple[str, ...],
    params: tuple[str, ...],
    cash: float,
    fees: float,
    slippage: float,
    fill: str,
    benchmark: str | None,
    interpreted: bool,
    report: Path | None,
    as_json: bool,
) -> int:
    """Run a strategy over DATA: bundled names (AAPL GOOG IBM MSFT), or .parquet and .csv files.

    \b
    Example: neuraltrade backtest AAPL MSFT --strategy momentum --param lookback=60 --fees 0.0005 --report out.html

    \b
    Several: neuraltrade backtest AAPL --strategy "momentum(lookback=60)" --strategy trend --benchmark AAPL
    """
    out = Output(as_json)
    given = parameters(params)
    if given and len(strategy) > 1:
        raise InputError("--param is of one strategy: give several theirs in brackets, as in 'momentum(lookback=60)'")
    members = [one if interpreted else compiled(one) for one in (strategies.chosen(spec, given) for spec in strategy)]
    bars = market_data(data)
    with out.progress("backtest") as advance:
        result = run_backtest(
            bars,
            members[0] if len(members) == 1 else members,
            cash=cash,
            fees=fees,
            slippage=slippage,
            fill=fill,
            benchmark=None if benchmark is None else one_series(benchmark),
            progress=advance,
        )
    name = str(result.settings["strategy"])
    out.say(f"{name} on {', '.join(data)}, {iso(result.ts_ns[0])[:10]} to {iso(result.ts_ns[-1])[:10]}")
    out.say()
    out.rows({**summary(result), "digest": result.digest})
    shares = result.by_strategy() if len(members) > 1 else None
    if shares is not None:
        names = list(shares.dtype.names or ())
        out.say()
        out.table(names, [[_text(value) for value in row.tolist()] for row in shares])
    against = {} if benchmark is None else dict(result.benchmark_stats)
    if benchmark is not None:
        out.say(f"\nagainst {benchmark}:\n")
        out.rows({name: f"{value:,.4f}" for name, value in against.items()})
    if report is not None:
        result.report(report)
        out.say(f"\nreport: {report}")
    out.answer(
        {
            "strategy": name,
            "data": list(data),
            "stats": dict(result.stats),
            "benchmark_stats": against,
            "by_strategy": None if shares is None else [dict(zip(names, row.tolist(), strict=True)) for row in shares],
            "digest": result.digest,
            "settings": result.settings,
            "report": None if report is None else str(report),
        }
    )
    return 0
