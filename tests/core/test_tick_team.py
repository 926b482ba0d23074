"""Several strategies over ticks: every fill against the slow venue, and each strategy's account in Python integers."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from neuraltrade.core.engine import EVENT_DTYPE
from neuraltrade.core.layouts import EVENT_KINDS

_spec = importlib.util.spec_from_file_location("tick_cases", Path(__file__).with_name("test_tick_model.py"))
cases = sys.modules["tick_cases"] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(cases)

SEEDS = 240
FILL = EVENT_KINDS.index("fill")


@pytest.mark.parametrize("block", range(4))
def test_every_fill_is_the_models(block: int) -> None:
    fills, both = 0, 0
    for seed in range(block * SEEDS // 4, (block + 1) * SEEDS // 4):
        ticks, how, script = cases.case(10_000 + seed)
        members = 2 + seed % 3
        found, orders, engine = cases.run(ticks, how, script, members)
        wanted, wanted_orders = cases.expected(ticks, how, script, members)
        assert found == wanted, f"seed {seed}"
        assert orders == wanted_orders, f"seed {seed}"
        assert engine.ledger()["balance"] == 0
        fills += len(found)
        symbols = len(ticks.symbols)
        log = engine.events().view(EVENT_DTYPE)
        both += len(set((log["symbol"][log["kind"] == FILL] // symbols).tolist())) > 1
        check_attribution(log, members, symbols)
    assert fills > 100
    assert both > 10, "in many of them more than one strategy traded"


def check_attribution(log, members: int, symbols: int) -> None:
    """What each strategy holds and added, counted anew from the log; minor units of six digits."""
    held = [[0] * symbols for _ in range(members)]
    cash = [0] * members
    for event in log[log["kind"] == FILL]:
        owner, symbol = divmod(int(event["symbol"]), symbols)
        signed = int(event["side"]) * int(event["quantity"])
        held[owner][symbol] += signed
        worth = signed * int(event["price"])
        assert worth % 10**12 == 0, "prices of one decimal and sizes of one need no rounding"
        cash[owner] -= worth // 10**12 + int(event["extra"])
    for member, books in enumerate(cases.run.team.books()):
        assert [row["quantity"] for row in books] == held[member]
        assert sum(row["realised"] - row["fees"] + row["flows"] - row["basis"] for row in books) == cash[member]
