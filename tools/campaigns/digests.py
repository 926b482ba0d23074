"""Digests of seeded runs, as one process computes them: the child of the determinism campaign.

    python digests.py SEED FIRST COUNT [here | again | threads | processes]

Prints JSON: {"digests": [hex, ...], "python": ..., "march": ...}. A digest is of a whole event log. Cases go round:
order scripts in the loop, signals, an interpreted strategy, the same compiled, and a panel.
"""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

import neuraltrade as nt
from neuraltrade.core import cpu
from neuraltrade.core.engine import Engine
from neuraltrade.core.scripted import Script

from campaigns import sequences_scripts as scripts
from campaigns.determinism_strategies import Wanderer

BARS = 400
SCRIPTS = 10  # runs whose logs make one digest
NS_HOUR = 3_600 * 10**9


def random_bars(rng: np.random.Generator, symbol: str) -> nt.Bars:
    """A walk in whole cents, so that no digit hangs on how a number was rounded."""
    close = np.maximum(2_000, 10_000 + np.cumsum(rng.integers(-120, 121, BARS)))
    open_ = np.r_[10_000, close[:-1]] + rng.integers(-40, 41, BARS)
    high, low = (
        np.maximum(open_, close) + rng.integers(0, 90, BARS),
        np.minimum(open_, close) - rng.integers(0, 90, BARS),
    )
    volume = rng.integers(100, 5_000, BARS).astype(float)
    ts_ns = np.arange(1, BARS + 1, dtype=np.int64) * NS_HOUR
    prices = [column / 100 for column in (open_, high, low, close)]
    return nt.Bars(symbol, ts_ns, *prices, volume)


def settings(rng: np.random.Generator) -> dict[str, Any]:
    presets = nt.FillPolicy.presets()
    return {
        "cash": 50_000.0,
        "fees": nt.Fees(rate=0.0004, minimum=0.5),
        "slippage": 0.0001 * int(rng.integers(0, 4)),
        "fill": presets[int(rng.integers(len(presets)))],
        "size": nt.Size.equity(0.2 + 0.1 * int(rng.integers(0, 5))),
        "risk": nt.RiskLimits(max_position=900.0, max_drawdown=0.5) if rng.random() < 0.5 else None,
        "account": nt.Account(leverage=2.0, lots="fifo" if rng.random() < 0.3 else "average"),
    }


def strategy_parameters(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "fast": int(rng.integers(2, 9)),
        "slow": int(rng.integers(10, 40)),
        "loss": int(rng.integers(5, 40)) / 1000,
        "gain": int(rng.integers(5, 40)) / 1000,
        "pace": int(rng.integers(7, 23)),
    }


def digest(seed: int, number: int) -> str:
    """The case of that number."""
    rng = np.random.default_rng([seed, 2, number])
    kind = number % 5
    if kind == 0:
        return digest_of_scripts(seed, number)
    if kind == 4:
        panel = nt.Panel([random_bars(rng, symbol) for symbol in "ABC"])
        return nt.backtest(panel, Wanderer, params=strategy_parameters(rng), **settings(rng)).digest
    bars, given = random_bars(rng, "A"), settings(rng)
    if kind == 1:
        flags = rng.random((4, BARS)) < 0.05
        return nt.backtest(bars, nt.Signals(*flags), **given).digest
    parameters = strategy_parameters(rng)
    return nt.backtest(bars, Wanderer if kind == 2 else nt.compiled(Wanderer), params=parameters, **given).digest


def digest_of_scripts(seed: int, number: int) -> str:
    hasher = hashlib.sha256()
    for sequence in scripts.block(seed, number)[:: scripts.BLOCK // SCRIPTS]:
        engine = Engine(sequence.settings.symbols, sequence.bars, **sequence.settings.engine_arguments)
        script = Script(sequence.script())
        script.bind(engine)
        engine.advance(scripts.STEPS)
        engine.finish(sequence.settings.close_open)
        hasher.update(engine.events().data)
        hasher.update(script.rows.tobytes())
    return hasher.hexdigest()


def digests(seed: int, first: int, count: int, how: str) -> list[str]:
    cases = range(first, first + count)
    if how == "here":
        return [digest(seed, number) for number in cases]
    if how == "again":
        before, after = (digests(seed, first, count, "here") for _ in range(2))
        return [two if one == two else f"{one} and then {two}" for one, two in zip(before, after, strict=True)]
    pool = ThreadPoolExecutor(3) if how == "threads" else ProcessPoolExecutor(3)
    with pool:
        return list(pool.map(digest, [seed] * count, cases))


def main() -> None:
    seed, first, count = (int(text) for text in sys.argv[1:4])
    found = digests(seed, first, count, sys.argv[4] if len(sys.argv) > 4 else "here")
    print(json.dumps({"digests": found, "python": platform.python_version(), "march": cpu.build_info()["march"]}))


if __name__ == "__main__":
    main()
