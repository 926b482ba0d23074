#!/usr/bin/env python3
"""The table of docs/strategies.md: every strategy of the library over bundled data, costs included, whatever comes out.

Usage: tools/strategy_table.py [--write]

Runs each row of ROWS as it stands here and prints the table; --write puts it between the markers in docs/strategies.md.
tests/strategy/test_strategy_table.py runs the rows again and holds the page to them. The row of quotes needs files of
the folder NEURALTRADE_SHARED_DATA, or ../shared/data; without them the page keeps the row it has.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

import neuraltrade as nt

PAGE = Path(__file__).resolve().parents[1] / "docs" / "strategies.md"
BEGIN, END = "<!-- results: tools/strategy_table.py -->", "<!-- end of results -->"
COSTS = {"cash": 100_000.0, "fees": 0.0005, "slippage": 0.0002}
HEAD = (
    "| strategy | over | total return | a year | Sharpe | deepest fall | closed trades | fees |",
    "|---|---|---:|---:|---:|---:|---:|---:|",
)
library = nt.strategy.library


class Row(NamedTuple):
    """One line: the name as the page has it, what it runs over, and the run."""

    name: str
    over: str
    run: Callable[[], nt.Result | None]


def panel(*names: str) -> nt.Panel:
    return nt.Panel([nt.datasets.load(name) for name in names])


def crowd(data: nt.Panel) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """A score for EnhancedMomentum from what is bundled: volume that swells while the price moves, every ten bars."""
    scores = {}
    for bars in data.bars:
        swell = np.log(bars.volume[20:] / bars.volume[:-20]) * np.sign(bars.close[20:] - bars.close[:-20])
        scores[bars.symbol] = (bars.ts_ns[20::10], np.tanh(swell)[::10])
    return scores


def mirrored() -> nt.Result:
    bars = nt.datasets.load("GOOG")
    with tempfile.TemporaryDirectory() as folder, nt.AgentDB.open(Path(folder) / "memory") as db:
        db.observe(bars)
        recall = nt.memory.Recall(db, horizon=library.Mirror.hold)
        return nt.backtest(bars, library.Mirror, recall=recall, **COSTS)


def quoted() -> nt.Result | None:
    folder = Path(os.environ.get("NEURALTRADE_SHARED_DATA", PAGE.parents[1] / "../shared/data"))
    files = [folder / f"btcusdt_perp_{kind}_2024-08-08.parquet" for kind in ("quotes", "trades")]
    if not all(file.is_file() for file in files):
        return None
    quotes, trades = nt.Quotes.read(files[0], symbol="BTCUSDT"), nt.Trades.read(files[1], symbol="BTCUSDT")
    ticks = nt.Ticks([quotes, trades]).with_latency()
    grid = nt.Instrument(tick=0.1, lot=0.001)
    return nt.backtest(ticks, library.MarketMaker, cash=100_000.0, fees=0.0002, latency_ns=5_000_000, instruments=grid)


THREE = ("AAPL", "IBM", "MSFT")
OVER = "AAPL, IBM, MSFT"


def three(strategy: object) -> Callable[[], nt.Result]:
    return lambda: nt.backtest(panel(*THREE), strategy, **COSTS)


def members() -> list[nt.Strategy]:
    return [library.Momentum(max_fraction=0.3), library.Trend(max_fraction=0.3), library.MeanReversion()]


def held(*names: str) -> Callable[[], nt.Result]:
    """Bought in equal parts at the first open and kept."""

    def run() -> nt.Result:
        data = panel(*names)
        entries = np.zeros((len(data.ts_ns), len(names)), bool)
        entries[0] = True
        part = nt.Size.equity(0.99 / len(names))
        return nt.backtest(data, nt.Signals(entries, np.zeros_like(entries)), size=part, **COSTS)

    return run


ROWS = (
    Row("buy and hold, for comparison", OVER, held(*THREE)),
    Row("buy and hold", "AAPL", held("AAPL")),
    Row("buy and hold", "GOOG", held("GOOG")),
    Row("`Momentum(max_fraction=0.32)`", OVER, three(library.Momentum(max_fraction=0.32))),
    Row(
        "`EnhancedMomentum.scored(..., max_fraction=0.32)`, score from volume",
        OVER,
        lambda: nt.backtest(
            panel(*THREE), library.EnhancedMomentum.scored(crowd(panel(*THREE)), max_fraction=0.32), **COSTS
        ),
    ),
    Row("`Trend(max_fraction=0.32)`", OVER, three(library.Trend(max_fraction=0.32))),
    Row("`MeanReversion()`", OVER, three(library.MeanReversion())),
    Row("`Pairs()`", "IBM, MSFT", lambda: nt.backtest(panel("IBM", "MSFT"), library.Pairs, **COSTS)),
    Row("`Mirror()`, its own past remembered", "GOOG", mirrored),
    Row("`Forecast()`, k nearest neighbours", "AAPL", lambda: nt.backtest(panel("AAPL"), library.Forecast, **COSTS)),
    Row('`Ensemble.of(three, method="weight")`', OVER, three(library.Ensemble.of(members()))),
    Row('`Ensemble.of(three, method="vote")`', OVER, three(library.Ensemble.of(members(), method="vote"))),
    Row('`Ensemble.of(three, method="stack")`', OVER, three(library.Ensemble.of(members(), method="stack"))),
    Row("`MarketMaker()`", "BTCUSDT quotes, 5 minutes", quoted),
)


def line(row: Row) -> str | None:
    """The row's line of the table, None where its data is not there."""
    result = row.run()
    if result is None:
        return None
    stats = result.stats
    over_ticks = isinstance(result.data, nt.Ticks)
    total = f"{stats['total_return']:.3%}" if over_ticks else f"{stats['total_return']:.1%}"
    year = "-" if over_ticks else f"{stats['cagr']:.1%}"
    sharpe = "-" if over_ticks else f"{stats['sharpe']:.2f}"
    fall = f"{stats['max_drawdown']:.3%}" if over_ticks else f"{stats['max_drawdown']:.1%}"
    cells = (row.name, row.over, total, year, sharpe, fall, f"{stats['trades']:,}", f"{stats['fees']:,.0f}")
    return f"| {' | '.join(cells)} |"


def written() -> list[str]:
    """The lines of the page's table, without its head."""
    text = PAGE.read_text(encoding="utf-8")
    inside = text[text.index(BEGIN) + len(BEGIN) : text.index(END)]
    return [one for one in inside.strip().splitlines() if one.startswith("|")][2:]


def main() -> int:
    kept = {one.split(" | ")[0]: one for one in written()}
    lines = [line(row) or kept.get(f"| {row.name}", "") for row in ROWS]
    table = "\n".join((*HEAD, *(one for one in lines if one)))
    print(table)
    if "--write" in sys.argv[1:]:
        text = PAGE.read_text(encoding="utf-8")
        before, after = text[: text.index(BEGIN) + len(BEGIN)], text[text.index(END) :]
        PAGE.write_text(f"{before}\n{table}\n{after}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
