"""Where history is cut: windows to choose parameters in and windows to judge them in, with room between."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import InputError

GROUPS_MAX = 40
SPLITS_MAX = 100_000


@dataclass(frozen=True)
class Fold:
    """Steps of the clock, half-open: [train_start, train_stop) to choose in, [test_start, test_stop) to trade in."""

    train_start: int
    train_stop: int
    test_start: int
    test_stop: int


def walk_folds(
    steps: int, folds: int, *, train: int | None = None, purge: int = 0, embargo: int = 0, anchored: bool = False
) -> list[Fold]:
    """Windows that walk forward: each test begins where the one before it ended, the last ends with history.

    train : steps of the first training window, purge and embargo included; None for steps // (folds + 1), as long as a
    test. Later ones are as long (rolling) or begin with history (anchored). Both purge and embargo are taken from the
    end of the training window: nothing is ever trained on what follows a test. Raises InputError where a window would
    have fewer than two steps.
    """
    whole_number("folds", folds, 1, steps)
    whole_number("purge", purge, 0, steps)
    whole_number("embargo", embargo, 0, steps)
    first = steps // (folds + 1) if train is None else whole_number("train", train, 2, steps)
    gap = purge + embargo
    if first - gap < 2:
        raise InputError(f"purge + embargo ({gap}) leave fewer than 2 of the {first} steps to train on: give train=")
    edges = [first + (steps - first) * k // folds for k in range(folds + 1)]
    if min(after - before for before, after in itertools.pairwise(edges)) < 2:
        raise InputError(f"folds: {folds} tests in {steps - first} steps leave one with fewer than 2")
    return [
        Fold(0 if anchored else start - first, start - gap, start, stop) for start, stop in itertools.pairwise(edges)
    ]


@dataclass(frozen=True)
class Split:
    """One way to choose `test` among the groups; `train` : bool[steps], what is left to choose parameters in."""

    test: tuple[int, ...]
    train: np.ndarray


def group_edges(steps: int, groups: int) -> list[int]:
    """Where each of `groups` parts of history begins, and where the last ends."""
    whole_number("groups", groups, 2, GROUPS_MAX)
    if steps < 2 * groups:
        raise InputError(f"groups must be at most half of the {steps} steps, was {groups}")
    return [steps * k // groups for k in range(groups + 1)]


def combinatorial_splits(edges: list[int], test_groups: int, purge: int = 0, embargo: int = 0) -> list[Split]:
    """Every choice of `test_groups` of the groups (Lopez de Prado, "Advances in Financial Machine Learning", 2018, 12).

    From training go the `purge` steps before and after each run of test groups, and `embargo` more after it. Raises
    InputError where a split would have fewer than two steps to train on.
    """
    groups, steps = len(edges) - 1, edges[-1]
    whole_number("test_groups", test_groups, 1, groups - 1)
    whole_number("purge", purge, 0, steps)
    whole_number("embargo", embargo, 0, steps)
    found = []
    for test in itertools.combinations(range(groups), test_groups):
        train = np.ones(steps, bool)
        for group in test:
            start, stop = edges[group], edges[group + 1]
            train[max(0, start - purge) : min(steps, stop + purge + embargo)] = False
        if int(train.sum()) < 2:
            raise InputError(
                f"purge ({purge}) and embargo ({embargo}) leave fewer than 2 steps to train on where groups "
                f"{', '.join(map(str, test))} are tested"
            )
        found.append(Split(test, train))
        if len(found) > SPLITS_MAX:
            raise InputError(f"groups and test_groups make more than {SPLITS_MAX:,} splits")
    return found


def paths_of(splits: list[Split], groups: int) -> list[list[int]]:
    """Ways through history: for each path the split that tests each of its groups. Each split is used test_groups
    times in all, each in another group."""
    testing: list[list[int]] = [[] for _ in range(groups)]
    for number, split in enumerate(splits):
        for group in split.test:
            testing[group].append(number)
    return [[testing[group][path] for group in range(groups)] for path in range(len(testing[0]))]


def whole_number(name: str, value: Any, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not least <= value <= most:
        raise InputError(f"{name} must be an int in {least}..{most}, was {value!r}")
    return int(value)
