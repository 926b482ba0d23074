"""What a search may try: grids in order, draws that are even, distinct, admitted and the same for a seed."""

from __future__ import annotations

import math
from importlib.util import find_spec

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.backtest.sweep_space import Space


class Many(nt.Strategy):
    window: int = 10
    level: float = 1.0
    both: bool = False
    mode: str = "a"

    def on_bar(self, ctx):
        pass


def test_a_grid_goes_through_every_combination_the_last_name_fastest() -> None:
    space = Space(Many, {"window": range(1, 3), "level": np.array([0.5, 1.5]), "mode": ["a", "b"]})
    found = space.grid()
    assert [tuple(params.values()) for params in found[:3]] == [(1, 0.5, "a"), (1, 0.5, "b"), (1, 1.5, "a")]
    assert len(found) == space.size() == 8
    assert [type(one) for one in found[0].values()] == [int, float, str]


def test_values_take_the_type_of_the_parameter() -> None:
    space = Space(Many, {"level": [1, 2], "window": np.array([3, 4], np.int32)})
    assert space.values == {"level": (1.0, 2.0), "window": (3, 4)}
    assert type(space.values["level"][0]) is float


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({"both": [1]}, "grid 'both' must be a bool, was 1"),
        ({"window": [True]}, "grid 'window' must be an int, was True"),
        ({"mode": [1]}, "grid 'mode' must be a str, was 1"),
        ({"window": nt.Between(1.0, 2.0)}, r"grid 'window': the parameter is int, was Between\(1.0, 2.0\)"),
        ({"mode": nt.Between(1, 2)}, "grid 'mode': the parameter is str"),
        ({3: [1]}, "grid 3: the strategy has no such parameter"),
        ([("window", [1])], "grid must map names"),
        ({"window": None}, "grid 'window' must list values"),
        ({"window": {1: 2}}, "grid 'window' must list values"),
        ({}, "grid has"),
    ],
)
def test_wrong_grids_are_refused(grid, message) -> None:
    if message.startswith("grid has"):
        grid = {"window": range(4_000), "level": np.linspace(0, 1, 251)}
        message = "grid has 1,004,000 combinations, more than 1,000,000"
    with pytest.raises(nt.InputError, match=message):
        Space(Many, grid).grid()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((5, 5), r"low must be below high \(5\), was 5"),
        ((0, 5, True), "low must be > 0 for a logarithmic range, was 0"),
        (("a", 5), "low must be a number, was 'a'"),
        ((1, math.inf), "high must be finite"),
        ((1, math.nan), "high must be finite"),
        ((True, 5), "low must be a number, was True"),
    ],
)
def test_wrong_ranges_are_refused(arguments, message) -> None:
    with pytest.raises(nt.InputError, match=message):
        nt.Between(*arguments[:2], log=len(arguments) > 2)


def test_a_range_covers_both_ends_evenly() -> None:
    whole = nt.Between(3, 6)
    assert [whole.at(share) for share in (0.0, 0.249, 0.25, 0.5, 0.999999)] == [3, 3, 4, 5, 6]
    level = nt.Between(1.0, 100.0, log=True)
    assert level.at(0.0) == 1.0 and level.at(0.5) == pytest.approx(10.0)
    assert [nt.Between(1, 8, log=True).at(k / 4) for k in range(4)] == [1, 1, 3, 5]


def test_random_draws_are_distinct_even_and_repeat_with_the_seed() -> None:
    space = Space(Many, {"window": range(1, 21), "level": nt.Between(0.0, 1.0)})
    found = space.random(400, seed=3)
    assert found == space.random(400, seed=3) != space.random(400, seed=4)
    assert len({tuple(params.values()) for params in found}) == 400
    counts = np.bincount([params["window"] for params in found], minlength=21)[1:]
    assert counts.min() > 5 and counts.max() < 40
    assert abs(np.mean([params["level"] for params in found]) - 0.5) < 0.05


def test_drawing_from_a_small_grid_ends_with_all_of_it() -> None:
    space = Space(Many, {"window": [1, 2, 3], "both": [False, True]}, lambda p: p["both"] or p["window"] > 1)
    assert space.random(100, seed=1) == space.grid()
    some = space.random(3, seed=1)
    assert len(some) == 3 and all(one in space.grid() for one in some)


def test_where_that_admits_nothing_or_raises() -> None:
    space = Space(Many, {"level": nt.Between(0.0, 1.0)}, lambda p: p["level"] > 2)
    with pytest.raises(nt.InputError, match="`where` let none of 1,000 draws through"):
        space.random(5, seed=0)
    wrong = Space(Many, {"window": [1]}, lambda p: p["windw"])
    with pytest.raises(nt.StrategyError, match=r"where raised KeyError for \{'window': 1\}: 'windw'"):
        wrong.grid()


@pytest.mark.skipif(find_spec("scipy") is None, reason="scipy is not installed")
def test_sobol_fills_the_square_better_than_chance() -> None:
    space = Space(Many, {"window": range(16), "level": nt.Between(0.0, 1.0)})
    found = space.sobol(256, seed=1)
    assert found == space.sobol(256, seed=1) != space.sobol(256, seed=2)
    cells = np.zeros((16, 16), int)
    for params in found:
        cells[params["window"], min(int(16 * params["level"]), 15)] += 1
    assert (cells == 1).all()


def test_names_of_a_callable_are_checked_too() -> None:
    def make(data, window, level=1.0):
        raise AssertionError("names are checked before anything is made")

    def anything(data, **params):
        raise AssertionError("values are checked before anything is made")

    with pytest.raises(nt.InputError, match="grid 'windw': the strategy has no such parameter; did you mean 'window'"):
        Space(make, {"windw": [1]})
    assert Space(anything, {"whatever": [1, "x", 2.5]}).size() == 3
    with pytest.raises(nt.InputError, match="must list numbers, bools or texts, had None"):
        Space(anything, {"whatever": [None]})
