"""The parity scripts beside their peers: a few series each, every fill. A peer is skipped where its environment was not
prepared (tools/compare_peers.py --prepare PEER); the model of LEAN's rules always runs."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tools" / "peers")]
import order_scripts  # noqa: E402
import our_orders  # noqa: E402
import parity  # noqa: E402
import player  # noqa: E402

import environments  # noqa: E402

SERIES = {"backtesting_py": 20, "vectorbt": 20, "backtrader": 20, "nautilus_1_221": 20, "lean_equity": 40}


@pytest.mark.parametrize("preset", list(SERIES))
def test_every_fill_agrees(preset: str) -> None:
    peer = parity.PRESETS[preset].peer
    if peer and environments.python_of(peer) is None:
        pytest.skip(f"the environment of {peer} was not prepared")
    wrong, rows, _ = parity.compare(preset, 5_000, SERIES[preset])
    assert wrong == 0
    assert rows > 5 * SERIES[preset], "the scripts must trade"


@pytest.mark.parametrize("preset", ["backtrader", "nautilus_1_221", "lean_equity"])
def test_the_scripts_reach_every_kind_of_fill(preset: str) -> None:
    """On our side alone, which needs no peer."""
    chosen, counts = parity.PRESETS[preset], Counter[str]()
    for seed in range(100):
        counts.update(chosen.ours(chosen.make(seed))[1])
    assert parity.missing(preset, counts) == []


def test_a_difference_is_told() -> None:
    row = [3, "o1", 5.0, 101.25, 0.1]
    assert parity.difference([row], [list(row)]) == ""
    for index, other in enumerate((4, "o2", 4.0, 101.2500002, 0.11)):
        changed = [*row[:index], other, *row[index + 1 :]]
        assert parity.difference([row], [changed]).startswith("row 0: ours [3, 'o1'")
    assert parity.difference([row], []) == f"row 0: ours {row}, theirs None"
    assert parity.difference([[*row[:3], 101.25 * (1 + 1e-10), 0.1]], [row]) == ""


def test_a_preset_of_another_system_differs() -> None:
    """The comparison can fail: LEAN's rules beside a policy that fills what is only touched."""
    model = parity.PRESETS["lean_equity"].model
    assert model is not None
    cases = [order_scripts.lean(seed) for seed in range(30)]
    told = [parity.difference(our_orders.play(case, "backtrader")[0], model(case)) for case in cases]
    assert sum(map(bool, told)) > 5


def test_a_script_made_for_another_broker_is_refused() -> None:
    model = parity.PRESETS["lean_equity"].model
    assert model is not None
    with pytest.raises(player.UnableError, match=r"bar \d+: LEAN's scripts have no pause"):
        model(order_scripts.lean(1) | {"pause": True})


def test_a_series_is_its_seed() -> None:
    for make in (order_scripts.backtrader, order_scripts.nautilus, order_scripts.lean):
        assert make(7) == make(7)
        assert make(7) != make(8)
