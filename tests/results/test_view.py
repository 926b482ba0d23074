"""A result hands the report what it holds."""

from __future__ import annotations

import numpy as np
import pytest

from neuraltrade import InputError
from neuraltrade.results import DEFINITIONS
from neuraltrade.results.view import BENCHMARK, DISTRIBUTION, GROUPS, run_view


def test_the_page_carries_statistics_settings_and_digest(run, tmp_path):
    result = run(symbols=("AAPL", "A<B"), settings={"strategy": "Momentum", "fees": {"rate": 0.001}})
    path = result.report(tmp_path / "page.html")
    text = path.read_text()
    assert path == tmp_path / "page.html"
    assert "<h1>Momentum on AAPL, A&lt;B</h1>" in text
    assert result.digest in text and "<td>rate 0.001</td>" in text
    assert f"{result.stats['sharpe']:,.2f}" in text and f"{result.stats['total_return']:,.2%}" in text
    assert result.report(tmp_path / "again.html").read_bytes() == path.read_bytes()


def test_the_page_shows_every_statistic_and_the_bounds(run):
    assert sorted(name for names in GROUPS.values() for name in names) == sorted(DEFINITIONS)
    result = run(bounds=(run(seed=2), run(seed=3)))
    items = {item.label: item for item in run_view(result).statistics}
    assert items["Total return, worst path"].text == f"{result.bounds[0].stats['total_return']:,.2%}"
    assert items["Max drawdown"].sign == -1 and items["Max drawdown"].headline
    assert len(items) == len(DEFINITIONS) + len(BENCHMARK) + len(DISTRIBUTION) + 2
    assert items["Beta"].text == f"{result.benchmark_stats['beta']:,.2f}"
    assert items["SQN"].text == f"{result.trade_stats()['all']['sqn']:,.2f}"
    idle = [item.group for item in run_view(run(trade_count=0, equity=np.full(500, 10_000.0))).statistics]
    assert "Distribution of trades" not in idle and "Against the benchmark" in idle


def test_the_figure_follows_the_symbol(run):
    result = run(symbols=("AAPL", "MSFT"))
    figure = result.plot("MSFT")
    assert figure.data[0].name == "MSFT"
    close = result.data.bars[1].close
    assert np.array_equal(figure.data[0].y, close)
    with pytest.raises(InputError, match="symbol must be one of AAPL, MSFT, was 'IBM'"):
        result.plot("IBM")


def test_nothing_to_show_is_shown(run, tmp_path):
    result = run(count=1, trade_count=0)
    text = result.report(tmp_path / "page.html").read_text().split('id="page-data"')[0]
    assert "No trades." in text and "nan" not in text
    assert len(result.plot().data) == 4
