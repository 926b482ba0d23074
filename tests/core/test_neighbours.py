"""Forecasts from neighbours against sorting everything in plain Python."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest

from neuraltrade import InputError
from neuraltrade.core import neighbours


def slow(rows, outcomes, row, k):
    near = sorted((math.fsum((a - b) ** 2 for a, b in zip(one, row, strict=True)), at) for at, one in enumerate(rows))
    near = near[:k]
    median = max(statistics.median(math.sqrt(squared) for squared, _ in near), 1e-12)
    weights = [1.0 / (math.sqrt(squared) + median) for squared, _ in near]
    return math.fsum(w * outcomes[at] for w, (_, at) in zip(weights, near, strict=True)) / math.fsum(weights)


@pytest.mark.parametrize(("count", "width", "k"), [(1, 1, 1), (2, 3, 1), (7, 2, 7), (60, 9, 12), (333, 9, 40)])
@pytest.mark.parametrize("whole", [False, True])  # whole numbers: most distances are shared by several rows
def test_forecasts_equal_a_full_sort(count, width, k, whole):
    rng = np.random.default_rng(count)
    rows, asked = rng.normal(0.0, 1.0, (count, width)), rng.normal(0.0, 1.0, (5, width))
    if whole:
        rows, asked = np.round(rows), np.round(asked)
    outcomes = rng.normal(0.0, 1.0, count)
    found = neighbours.forecast(np.ascontiguousarray(rows.T), outcomes, asked, k)
    expected = [slow(rows.tolist(), outcomes.tolist(), row, k) for row in asked.tolist()]
    assert found.tolist() == pytest.approx(expected, rel=1e-11, abs=1e-13)


def test_equal_rows_and_the_older_of_a_tie():
    same = np.zeros((2, 6))
    assert neighbours.forecast(same, np.arange(6.0), np.zeros((1, 2)), 3).tolist() == [1.0]
    assert neighbours.forecast(same, np.arange(6.0), np.zeros((0, 2)), 3).tolist() == []


@pytest.mark.parametrize(
    ("features", "outcomes", "asked", "k", "words"),
    [
        (np.zeros((2, 3)), np.zeros(3), np.zeros((1, 2)), 4, r"k must be in 1\.\.3, was 4"),
        (np.zeros((2, 3)), np.zeros(3), np.zeros((1, 2)), 0, r"k must be in 1\.\.3, was 0"),
        (np.zeros((2, 3)), np.zeros(2), np.zeros((1, 2)), 1, r"outcomes \[m\]"),
        (np.zeros((2, 3)), np.zeros(3), np.zeros((1, 3)), 1, r"asked \[q, d\]"),
        (np.zeros((2, 3), np.float32), np.zeros(3), np.zeros((1, 2)), 1, "must be float64"),
    ],
)
def test_wrong_arguments(features, outcomes, asked, k, words):
    with pytest.raises(InputError, match=words):
        neighbours.forecast(features, outcomes, asked, k)
