"""What a search did, in words: `search(..., explain=True).explanation`."""

from __future__ import annotations

from typing import NamedTuple

from .block import LATEST
from .planner import Scope, Step

WORDS = {
    "none": "no row may answer",
    "exact": "every row compared",
    "gather": "rows of the conditions compared",
    "signs": "sign bits, then the best compared",
    "stable": "sign bits of all, then those with the fewest differing compared",
    "cells": "sign bits of the nearest cells, then the best compared",
    "graph": "graph",
}


class Explanation(NamedTuple):
    """How an answer came about. `str()` of it is a table for people.

    steps : what was done in each block that was known by then. scope : who could answer. seconds : the whole search.
    cached : whether the answer was kept from before (then the steps are those of that time).
    """

    steps: tuple[Step, ...]
    scope: Scope
    k: int
    seconds: float
    cached: bool

    @property
    def rows(self) -> int:
        """Rows known by `as_of`."""
        return sum(step.rows for step in self.steps)

    @property
    def candidates(self) -> int:
        """Rows that could answer, counted exactly before anything was compared."""
        return sum(step.candidates for step in self.steps)

    def __str__(self) -> str:
        conditions = [repr(one) for one in self.scope.conjuncts()]
        if self.scope.as_of != LATEST:
            conditions.append(f"known_ns <= {self.scope.as_of}")
        lines = [
            f"k={self.k} of {self.candidates:,} candidates among {self.rows:,} rows, {self.seconds * 1e3:.3f} ms"
            + (", kept from before" if self.cached else ""),
            "conditions: " + (" and ".join(conditions) or "none"),
        ]
        for step in self.steps:
            lines.append(f"  {step.block}: {step.candidates:,} of {step.rows:,}: {WORDS.get(step.how, step.how)}")
        return "\n".join(lines)
