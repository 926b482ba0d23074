"""P4: a search over pairs of averages on all cores, a walk-forward, and the memory of a search."""

from __future__ import annotations

from functools import cache
from typing import Any

import our_sweep

import neuraltrade as nt

import inputs
import ours


@cache
def searched(rows: int) -> dict[str, Any]:
    """One search for all the figures told about it."""
    return our_sweep.in_a_process(rows, max(100, rows // 100), 5)


class Search:
    """Rates of up to a thousand pairs in a process of its own, and its peak."""

    params = (10_000, 100_000)
    param_names = ("bars",)
    timeout = 600

    def setup(self, rows: int) -> None:
        self.found = searched(rows)

    def track_p4_bar_steps_per_s(self, rows: int) -> float:
        return float(self.found["bar_steps_per_s"])

    def track_p4_bar_steps_per_cpu_s(self, rows: int) -> float:
        return float(self.found["bar_steps_per_cpu_s"])

    def track_p4_peak_mib(self, rows: int) -> float:
        return float(self.found["peak_mib"])


class WalkForward:
    """Eight folds of a hundred pairs."""

    params = (20_000,)
    param_names = ("bars",)
    timeout = 300

    def setup(self, rows: int) -> None:
        self.bars = ours.bars_of(inputs.minute_bars(rows))
        self.grid = our_sweep.grid_of(100)

    def walk(self) -> nt.WalkForward:
        return nt.walk_forward(self.bars, nt.compiled(ours.SmaCross), self.grid, folds=8, cash=1_000_000.0)

    def time_walk_forward(self, rows: int) -> None:
        self.walk()
