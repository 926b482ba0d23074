"""The records of the page's further sections: what they refuse, and a result that fills them."""

from __future__ import annotations

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade import report
from neuraltrade.results.view import run_view

pytest.importorskip("plotly")
pytest.importorskip("jinja2")


def compared(**given):
    one = np.ones((2, 3))
    fields = {"names": ("a", "b"), "ts_ns": np.arange(3), "growth": one, "rows": (), "correlation": np.eye(2),
              "common_trades": np.eye(2, dtype=int)}  # fmt: skip
    return report.ComparisonSection(**(fields | given))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: compared(growth=np.ones((3, 3))), r"growth must have shape \(2, 3\)"),
        (lambda: compared(rows=[("run", "Sharpe", "", ["1"])]), "each row a text per run"),
        (lambda: compared(correlation=np.eye(3)), r"correlation must have shape \(2, 2\), had \(3, 3\)"),
        (lambda: compared(common_trades=np.eye(1)), "common_trades must have shape"),
        (lambda: report.Attribution("Symbol", [], np.ones((1, 3))), "curves must have a row for each of 0"),
        (lambda: report.ParameterSection("a", "b", [1], [1, 2], np.ones((1, 2)), "x"), "values must have shape"),
        (lambda: report.ParameterSection("a", "b", [], [1], np.ones((1, 0)), "sharpe"), "one or more each way"),
    ],
)  # fmt: skip
def test_records_that_do_not_fit_are_refused(make, words):
    with pytest.raises(nt.InputError, match=words):
        make()


def test_nothing_run_marks_nothing():
    empty = report.ParameterSection("a", "b", [1], [2], np.full((1, 1), np.nan), "sharpe")
    assert empty.marked is None
    assert report.ParameterSection("a", "b", [1, 2], [2], np.array([[1.0, 2.0]]), "x", chosen=(0, 0)).marked == (0, 0)


def test_a_result_fills_exposure_attribution_and_comparison(tmp_path):
    bars = nt.datasets.load("GOOG")[:200]
    up = bars.close > bars.open
    runs = [nt.backtest(bars, nt.Signals(entries=up, exits=~up), fees=fee) for fee in (0.0, 0.01)]
    sweep = report.ParameterSection("a", "b", [1], [2], np.ones((1, 1)), "sharpe")
    page = (
        runs[0].report(tmp_path / "a.html", comparison=nt.compare(runs), parameters=sweep).read_text(encoding="utf-8")
    )
    for id_ in ("exposure-chart", "attribution-chart-0", "attribution-table-0", "comparison-chart", "parameters-chart"):
        assert f'id="{id_}"' in page
    for heading in ("Profit by symbol", "Signals #1", "Each over its own time", "Sharpe by a and b"):
        assert heading in page
    assert "Over the time they share" not in page  # it is all of it
    assert nt.compare(runs).report(tmp_path / "b.html").stat().st_size > 4_000_000
    idle = nt.backtest(bars, nt.Signals(entries=~(up | ~up), exits=up))
    page = idle.report(tmp_path / "c.html").read_text(encoding="utf-8")
    assert 'id="exposure-chart"' not in page and 'id="comparison' not in page


def test_wrong_sections_are_named(tmp_path):
    bars = nt.datasets.load("GOOG")[:50]
    run = nt.backtest(bars, nt.Signals(entries=bars.close > 0, exits=bars.close < 0))
    with pytest.raises(nt.InputError, match=r"comparison must be None, nt.report.ComparisonSection or have a section"):
        run.report(tmp_path / "a.html", comparison=[run])
    with pytest.raises(nt.InputError, match=r"parameters must be None, nt.report.ParameterSection"):
        run.report(tmp_path / "a.html", parameters={"a": 1})


def test_a_run_of_several_shows_who_earned_what(tmp_path):
    bars = nt.datasets.load("IBM")[:300]
    up = bars.close > bars.open
    given = {"hold": nt.Signals(up, up & False, size=10), "days": nt.Signals(up, ~up, size=20)}
    borrows = nt.Account(leverage=4, interest_rate=0.05)
    for cash, account, names in ((10_000, None, ["hold", "days"]), (2_000, borrows, ["hold", "days", "interest"])):
        result = nt.backtest(bars, given, cash=cash, account=account, fees=0.001)
        by_strategy, by_symbol = run_view(result).attribution
        assert (by_strategy.what, by_symbol.what) == ("Strategy", "Symbol")
        assert [row.name for row in by_strategy.rows] == names
        np.testing.assert_allclose(by_strategy.curves.sum(axis=0), result.equity - result.cash, atol=1e-6)
        totals = [row.total for row in by_strategy.rows]
        np.testing.assert_allclose(by_strategy.curves[:, -1], totals, atol=1e-4)
    assert "Profit by strategy" in result.report(tmp_path / "a.html").read_text(encoding="utf-8")
