"""One body, two speeds: random strategies run interpreted, compiled, and beside each other in one account.

Each strategy is a text that `tests/strategy/generated.py` writes from a number. A case does not hold where the two
speeds differ in digest or in the error they end with, alone or in one account with each other (whichever is the first),
or where what the two earned there does not add up to the account's to the last unit.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

import neuraltrade as nt
from neuraltrade.core.layouts import EVENT_DTYPE, EVENT_KINDS

from campaigns import Failure, Outcome

VERSION = 1
UNIT = "strategies"
CHUNK = 4
CI_COUNT, FULL_COUNT = 4, 200
GENERATOR = Path(__file__).resolve().parents[2] / "tests" / "strategy" / "generated.py"
COSTS: dict[str, Any] = {"fees": 0.0005, "slippage": 0.0002}
BARS = 600


def load(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(str(path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def outcome(data: Any, strategy: Any) -> Any:
    """The run, or where and with what it ended."""
    try:
        return nt.backtest(data, strategy, **COSTS)
    except nt.StrategyError as error:
        return error.bar, type(error.__cause__).__name__


def judged(seed: int, number: int, folder: Path) -> tuple[str, dict[str, int]]:
    """(why the case does not hold, what was seen in it)."""
    generator = load(GENERATOR, "generated").Generator(seed * 1_000_003 + number)
    name = f"generated_{seed}_{number}"
    path = folder / f"{name}.py"
    path.write_text(generator.source(), encoding="utf-8")
    strategy = load(path, name).Generated
    bars = nt.datasets.load(nt.datasets.names()[number % 4])[-BARS:]
    slow, fast = outcome(bars, strategy), outcome(bars, nt.compiled(strategy))
    seen = {kind: 1 for kind in generator.used}
    if isinstance(slow, tuple) or isinstance(fast, tuple):
        return ("" if slow == fast else f"they ended as {slow!r} and {fast!r}"), {**seen, "raised": 1}
    if slow.digest != fast.digest:
        return "the digests differ", seen
    seen["traded"] = int(len(slow.fills) > 0)
    both, turned = (
        outcome(bars, pair) for pair in ([strategy, nt.compiled(strategy)], [nt.compiled(strategy), strategy])
    )
    if isinstance(both, tuple) or isinstance(turned, tuple):
        return ("" if both == turned else f"in company they ended as {both!r} and {turned!r}"), {**seen, "raised": 1}
    if both.digest != turned.digest:
        return "in company the digests differ", seen
    fills = both.events.view(EVENT_DTYPE)[both.events.view(EVENT_DTYPE)["kind"] == EVENT_KINDS.index("fill")]
    if len(fills):
        cash = int(fills["value"][-1]) - round(both.cash * 1e6)  # the ledger's, after the last fill
        held = sum(book["value"] for own in both.team.books for book in own)
        if cash + held != int(both.by_strategy()["contribution_minor"].sum()):
            return "what the two earned does not add up", seen
    return "", seen


def run_chunk(seed: int, index: int) -> Outcome:
    tallies: dict[str, int] = {}
    failures = []
    with tempfile.TemporaryDirectory() as scratch:
        os.environ.setdefault("NEURALTRADE_CACHE_DIR", scratch)  # nobody will run these again
        for number in range(index * CHUNK, (index + 1) * CHUNK):
            reason, seen = judged(seed, number, Path(scratch))
            for name, count in seen.items():
                tallies[name] = tallies.get(name, 0) + count
            if reason:
                failures.append(Failure(number, reason))
        if os.environ["NEURALTRADE_CACHE_DIR"] == scratch:
            del os.environ["NEURALTRADE_CACHE_DIR"]
    return Outcome(CHUNK, tallies, failures)


def reproduce(seed: int, number: int) -> str:
    with tempfile.TemporaryDirectory() as scratch:
        reason, _ = judged(seed, number, Path(scratch))
        text = (Path(scratch) / f"generated_{seed}_{number}.py").read_text(encoding="utf-8")
    return f"{text}\nstrategy {number} of seed {seed}: {reason or 'it holds'}"


def check_inputs_vary(tallies: dict[str, int], cases: int) -> str:
    """They must trade, and use what the generator can write."""
    if cases < 100:
        return ""
    if tallies.get("traded", 0) < cases // 2:
        return "fewer than half of the strategies traded"
    missing = [
        kind for kind in ("power", "floor", "modulo", "ago", "ladder", "method", "helper") if not tallies.get(kind)
    ]
    return f"never used: {', '.join(missing)}" if missing else ""
