"""Pictures of a search: what is drawn is what was found."""

from __future__ import annotations

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.report import search

pytest.importorskip("plotly")


def lines(data: nt.Bars, window: int, level: float, mode: str) -> nt.Signals:
    mean = np.convolve(data.close, np.ones(window) / window)[: len(data)]
    up = data.close > mean * level
    return nt.Signals(entries=up, exits=~up) if mode == "long" else nt.Signals(up & False, ~up, ~up, up)


FOUND = nt.sweep(
    nt.datasets.load("IBM")[:500],
    lines,
    {"window": [30, 5, 10], "level": [1.0, 1.01], "mode": ["long", "short"]},
    metric="total_return",
)


def test_a_heat_map_shows_the_best_of_each_cell() -> None:
    drawn, star = FOUND.heatmap().data
    assert list(drawn.x) == ["5", "10", "30"] and list(drawn.y) == ["1.0", "1.01"]
    table = FOUND.table
    for y, level in enumerate((1.0, 1.01)):
        for x, window in enumerate((5, 10, 30)):
            cell = table[(table["window"] == window) & (table["level"] == level)]
            assert drawn.z[y][x] == cell["metric"].max() and len(cell) == 2
    assert (star.x[0], star.y[0]) == (str(FOUND.best["window"]), str(FOUND.best["level"]))


def test_a_heat_map_of_a_statistic_is_of_the_best_trial_of_the_cell() -> None:
    drawn = FOUND.heatmap("mode", "window", "trades").data[0]
    table = FOUND.table
    cell = table[(table["window"] == 10) & (table["mode"] == "short")]
    assert drawn.z[1][1] == cell["trades"][int(cell["metric"].argmax())]


def test_a_page_takes_the_same_cells() -> None:
    section = FOUND.section()
    drawn = FOUND.heatmap().data[0]
    assert (section.x, section.y, section.metric, section.trials) == ("window", "level", "total_return", 12)
    assert np.array_equal(section.values, drawn.z)
    assert section.values[section.marked] == FOUND.best_metric
    assert section.y_values[section.marked[0]] == FOUND.best["level"]


def test_lines_across_all_parameters() -> None:
    (drawn,) = FOUND.parallel_coordinates().data
    assert [axis.label for axis in drawn.dimensions] == ["window", "level", "mode", "total_return"]
    assert list(drawn.dimensions[2].ticktext) == ["long", "short"]
    assert np.array_equal(drawn.dimensions[3]["values"], FOUND.table["metric"])
    assert np.array_equal(drawn.line.color, FOUND.table["metric"])


def test_too_many_lines_leave_the_extreme_ones() -> None:
    metric = np.arange(5000.0)
    (drawn,) = search.parallel({"a": np.arange(5000), "m": metric}, "m").data
    values = drawn.dimensions[1]["values"]
    assert len(values) == search.LINES and values[0] == 0.0 and values[-1] == 4999.0 and 2500.0 not in values


def test_names_are_shown_as_text() -> None:
    chart = search.heatmap(["<b>"], [1], np.array([[1.0]]), names=("<i>", "y", "z"), best=None)
    assert "<i>" not in chart.layout.xaxis.title.text and list(chart.data[0].x) == ["&lt;b&gt;"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("windw",), "x must be a parameter, was 'windw'; did you mean 'window'?"),
        (("window", "window"), "a heat map needs two different parameters"),
        (("window", "level", "sharp"), "value 'sharp' is no statistic; did you mean 'sharpe'?"),
    ],
)
def test_wrong_names_are_refused(arguments, message) -> None:
    with pytest.raises(nt.InputError, match=message):
        FOUND.heatmap(*arguments)


def test_one_parameter_makes_no_map() -> None:
    one = nt.sweep(nt.datasets.load("IBM")[:200], lines, {"window": [5, 9], "level": [1.0], "mode": ["long"]})
    assert one.heatmap("window", "level").data[0].z[0][0] == one.table["metric"][0]

    def single(data, window):
        return lines(data, window, 1.0, "long")

    alone = nt.sweep(nt.datasets.load("IBM")[:200], single, {"window": [5, 9]})
    with pytest.raises(nt.InputError, match="a heat map needs two different parameters"):
        alone.heatmap()
