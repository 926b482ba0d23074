"""A result hands the report what it holds."""

from __future__ import annotations

import numpy as np
import pytest

from neuraltrade import InputError


def test_the_page_carries_statistics_settings_and_digest(run, tmp_path):
    result = run(symbols=("AAPL", "A<B"), settings={"strategy": "Momentum", "fees": {"rate": 0.001}})
    path = result.report(tmp_path / "page.html")
    text = path.read_text()
    assert path == tmp_path / "page.html"
    assert "<h1>Momentum on AAPL, A&lt;B</h1>" in text
    assert result.digest in text and "fees.rate" in text
    assert f"{result.stats['sharpe']:,.2f}" in text and f"{result.stats['total_return']:,.2%}" in text
    assert result.report(tmp_path / "again.html").read_bytes() == path.read_bytes()


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
