"""The page that `neuraltrade demo` ends with, opened in a real headless Chromium."""

from __future__ import annotations

from pathlib import Path

import neuraltrade as nt
from neuraltrade.cli.app import run


def test_the_demo_ends_with_a_page_that_is_drawn_and_silent(page, tmp_path: Path, capsys) -> None:
    assert run(["demo", str(tmp_path / "demo")]) == 0
    target = tmp_path / "demo" / "report.html"
    assert f"report: {target.resolve()}" in capsys.readouterr().out
    page.prefer("light")
    page.open(target)
    assert page.run("document.body.dataset.ready") == "true", page.complaints()
    for chart in ("equity-chart", "price-chart", "similar-chart", "regret-chart"):
        assert page.run(f"document.getElementById('{chart}').data.length") >= 2, chart
    assert page.run("document.querySelector('.badge').textContent") == "verified"
    assert page.run("document.getElementById('digest').textContent").startswith(demo_digest()[:16])
    assert page.complaints() == []
    assert [url for url in page.requests() if not url.startswith("data:")] == [target.as_uri()]


def demo_digest() -> str:
    """The demo's run, without its memory: a journal that changes nothing of what is decided."""
    from neuraltrade.cli.main_job import CASH, FEES, PARAMETERS, SYMBOLS

    panel = nt.Panel([nt.datasets.load(symbol) for symbol in SYMBOLS])
    momentum = nt.strategy.library.Momentum
    return nt.backtest(panel, momentum, cash=CASH, fees=FEES, params=PARAMETERS).digest
