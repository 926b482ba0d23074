"""The random order flow of row P6, built so that every answer the gate keeps is found once more by walking.

In a debug build (-DNT_DEBUG) the core aborts where sums that it keeps (what works, executions to come, crossing prices,
exposures) differ from a walk over all orders, or where the ledger does not balance after a fill. So a run that ends
proves them equal.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from neuraltrade.core.layouts import CONTROLS

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools" / "peers"))
order_flow = pytest.importorskip("order_flow", reason="tools/peers is part of the repository only")

pytestmark = pytest.mark.skipif(
    shutil.which("gcc") is None or not (ROOT / "csrc").is_dir(), reason="needs gcc and the sources"
)


@pytest.fixture(scope="module")
def program(run_folder: Path) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEURALTRADE_PEERS", str(run_folder / "flow"))
        return order_flow.build("-O1", "-DNT_DEBUG=1")


@pytest.mark.parametrize(
    ("steps", "symbols", "places", "messages"), [(600, 4, 16, 16), (300, 1, 100, 40), (300, 2, 3, 20), (1, 2, 4, 3)]
)
def test_sums_equal_walks_and_the_ledger_balances(
    program: Path, steps: int, symbols: int, places: int, messages: int
) -> None:
    for seed in (1, 2):
        found = order_flow.run(program, steps, symbols, places, messages, seed, timed=False)
        assert found["status"] == 0 and found["ledger_agrees"], (seed, found)
        assert steps == 1 or (found["fills_in_all"] > 0 and found["cancels"] > 0 and found["changes"] > 0), (
            seed,
            found,
        )


def test_nothing_is_allocated_once_room_was_made(program: Path) -> None:
    assert order_flow.run(program, 600, 4, 16, 16, 1, timed=False)["allocations"] == 0


def test_equal_seeds_give_equal_flows(program: Path) -> None:
    first, again, other = (order_flow.run(program, 200, 3, 16, 16, seed, timed=False) for seed in (5, 5, 6))
    decided = (
        "orders",
        "accepted",
        "cancels",
        "changes",
        "refused_changes",
        "fills_in_all",
        "working_at_end",
        "denied",
    )
    assert [first[name] for name in decided] == [again[name] for name in decided]
    assert [first[name] for name in decided] != [other[name] for name in decided]


def test_self_trades_and_duplicates_are_refused(program: Path) -> None:
    found = order_flow.run(program, 600, 4, 16, 16, 1, timed=False)
    denied = dict(zip(CONTROLS, found["denied"], strict=True))
    assert denied["prevent_self_trade"] > 0 and denied["duplicate_window_ns"] > 0
    assert sum(denied.values()) >= found["orders"] - found["accepted"]


def test_the_gate_is_timed_in_a_run_of_its_own(program: Path) -> None:
    found = order_flow.run(program, 100, 2, 16, 16, 1, timed=True)
    assert found["gate"]["count"] >= found["orders"] and found["place"]["count"] == found["orders"]
    assert 0 < found["gate"]["p50_ns"] <= found["gate"]["p99_ns"] <= found["gate"]["max_ns"]
