"""The page as text: whole, escaped, equal for equal input, and honest about what it leaves out."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade import report
from neuraltrade.report.page import TRADES, largest_trades, readable_settings, script_json

HOSTILE = '<img src=x onerror="window.hacked=1">&</script><script>window.hacked=1</script>'


def without_plotly(page):
    before, plotly, after = re.split(r"<script>(?=/\*\*\s+\* plotly\.js)", page)[0], page, page.rsplit("<script>", 1)[1]
    assert len(plotly) > 4_000_000
    return before + after


def data_of(page):
    return json.loads(re.search(r'id="page-data">(.*?)</script>', page, re.S)[1])


def test_nothing_is_fetched(run):
    page = without_plotly(report.render_page(run()))
    assert not re.findall(r"(?:https?:)?//[a-z0-9-]+\.[a-z]", page)
    assert not re.findall(r"<(?:link|script|img|iframe)[^>]+(?:src|href)=(?!\"data:)", page)
    assert "default-src 'none'" in page and "@import" not in page and "url(" not in page


def test_plotly_is_inlined_once(run):
    page = report.render_page(run())
    assert page.count("* plotly.js v") == 1
    assert 4_000_000 < len(page) < 6_000_000


def test_equal_input_gives_equal_bytes(run, tmp_path):
    first = report.write_page(tmp_path / "a.html", run()).read_bytes()
    assert report.write_page(tmp_path / "b.html", run()).read_bytes() == first
    assert report.write_page(tmp_path / "c.html", run(seed=2)).read_bytes() != first


def test_everything_foreign_is_escaped(run):
    row = report.VerdictRow(
        0, HOSTILE, HOSTILE, "bad", -1.0, 0.0, 0.1, explanation=HOSTILE, counterfactuals=[(HOSTILE, 0.1, 0.1)]
    )
    near = report.Neighbour(HOSTILE, 0, 0.1, np.array([1.0]), np.array([1.0]))
    page = report.render_page(
        run(symbols=(HOSTILE,), title=HOSTILE, subtitle=HOSTILE, settings={HOSTILE: {HOSTILE: HOSTILE}}, digest=HOSTILE,
            benchmark_label=HOSTILE, statistics=[report.Statistic(HOSTILE, HOSTILE, HOSTILE, HOSTILE, 0, True)]),
        similar=report.SimilarSection(HOSTILE, 0, np.array([1.0]), [near], 1, note=HOSTILE),
        verdicts=report.VerdictSection([row], note=HOSTILE),
        audit=report.AuditSection(1, HOSTILE, HOSTILE, HOSTILE, HOSTILE, [(HOSTILE, True, HOSTILE)]),
        notes=report.NotesSection([HOSTILE], title=HOSTILE),
    )  # fmt: skip
    assert "<img" not in without_plotly(page) and "<script>window" not in page
    assert data_of(page)["prices"][0]["symbol"] == HOSTILE


def test_script_json_cannot_leave_its_element():
    text = script_json({"a": "</script><!--&\u2028", "b": float("nan"), "c": [float("inf"), 1.5], "d": (np.nan,)})
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == {"a": "</script><!--&\u2028", "b": None, "c": [None, 1.5], "d": [None]}


def test_settings_are_a_row_each():
    nested = {
        "fees": {"rate": 0.001, "fixed": 0.0}, "instruments": {"A": {"lot": None}, "B": {"lot": 1}}, "name": "A",
        "risk": None, "params": {}, "list": [1, "é"], "short": True,
    }  # fmt: skip
    assert list(readable_settings(nested)) == [
        ("fees", "rate 0.001, fixed 0"), ("instruments.A", "lot none"), ("instruments.B", "lot 1"), ("name", "A"),
        ("risk", "none"), ("params", "none"), ("list", '[1, "é"]'), ("short", "true"),
    ]  # fmt: skip


def test_optional_sections_stand_only_where_given(run):
    bare = report.render_page(run())
    for name in ("similar", "verdicts", "audit", "notes"):
        assert f'id="{name}"' not in bare and f'href="#{name}"' not in bare
    audit = report.AuditSection(2, "aa", "bb", "cc", checks=[("signature", False, "wrong key")])
    page = report.render_page(run(), audit=audit, notes=report.NotesSection(["One.", "Two."]))
    assert "not verified" in page and "wrong key" in page and "<p>One.</p><p>Two.</p>" in page
    assert 'href="#audit"' in page and 'href="#notes"' in page


def test_an_audit_without_checks_is_not_verified():
    assert not report.AuditSection(2, "aa", "bb", "cc").verified


def test_what_followed_is_summed_up(run):
    def near(outcome):
        return report.Neighbour("IBM", 0, 0.1, np.array([1.0, 2.0]), np.empty(0), outcome)

    section = report.SimilarSection("AAPL", 0, np.array([1.0]), [near(0.02), near(-0.01), near(float("nan"))], 5)
    page = report.render_page(run(), similar=section)
    assert "3 situations most like AAPL at 1970-01-01. Over the next 5 bars, 1 of 2 rose; median +0.50%" in page
    unknown = report.render_page(
        run(), similar=report.SimilarSection("AAPL", 0, np.array([1.0]), [near(float("nan"))], 1)
    )
    assert "What followed over 1 bar is not known for any of them." in unknown


def test_only_the_largest_trades_are_listed_where_there_are_too_many(run):
    many = run(count=50_000, trade_count=24_000, step_s=60)
    rows = largest_trades(many.trades)
    assert len(rows) == TRADES and (np.diff(rows) > 0).all()
    left_out = np.delete(np.abs(many.trades["pnl"]), rows)
    assert left_out.max() <= np.abs(many.trades["pnl"][rows]).min()
    assert "The 20,000 of 24,000 trades with the largest profit or loss" in report.render_page(many)


def test_a_million_bars_stay_small(run):
    page = report.render_page(run(count=1_000_000, trade_count=5_000, step_s=60))
    assert len(page) < 8_500_000
    assert data_of(page)["prices"][0]["bars_per_candle"] == 17


@pytest.mark.parametrize("name", ["missing/page.html"])
def test_a_missing_folder_is_named(run, tmp_path, name):
    with pytest.raises(nt.InputError, match="path must lie in an existing folder"):
        report.write_page(tmp_path / name, run())


def test_records_refuse_what_cannot_be_drawn():
    with pytest.raises(nt.InputError, match="label must be one of good, bad, inconclusive, was 'fine'"):
        report.VerdictRow(0, "A", "long", "fine", 0.0, 0.0, 0.0)
    with pytest.raises(nt.InputError, match="horizon must be >= 1 bar, was 0"):
        report.SimilarSection("A", 0, np.ones(1), [], 0)
    with pytest.raises(nt.InputError, match="need at least one close"):
        report.SimilarSection("A", 0, np.empty(0), [], 1)
    with pytest.raises(nt.InputError, match="need at least one close"):
        report.SimilarSection("A", 0, np.ones(1), [report.Neighbour("B", 0, 0.1, np.empty(0), np.empty(0))], 1)


@pytest.mark.parametrize("missing", ["plotly", "markupsafe"])
def test_missing_packages_are_named(run, monkeypatch, missing):
    import sys

    report.page._plotly_script.cache_clear()
    for name in [name for name in sys.modules if name == missing or name.startswith(f"{missing}.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(nt.DependencyMissing, match=r"pip install 'neuraltrade\[report\]'"):
        report.render_page(run())


class TestFigure:
    def test_three_panels_and_marks(self, run):
        figure = report.figure(run(symbols=("A", "B"), trade_count=40), "B")
        names = [trace.name for trace in figure.data]
        assert names[0] == "B" and {"Long entry", "Short entry", "Exit", "Equity", "Buy and hold", "Drawdown"} <= set(
            names
        )

    def test_dates_stay_on_their_day(self, run):
        given = run()
        figure = report.figure(given)
        first = given.ts_ns[:1].astype("datetime64[ns]").astype("datetime64[D]")
        assert np.array(figure.data[0].x[:1], dtype="datetime64[D]") == first

    @pytest.mark.parametrize("given", [{"trade_count": 0}, {"count": 1, "trade_count": 0}, {"benchmark": None}])
    def test_little_data(self, run, given):
        figure = report.figure(run(**given))
        assert figure.data[0].name == "AAPL" and figure.to_json()

    def test_a_million_bars_stay_small(self, run):
        figure = report.figure(run(count=1_000_000, trade_count=5_000, step_s=60))
        assert sum(len(trace.x) for trace in figure.data) < 20_000

    def test_an_unknown_symbol_is_named(self, run):
        with pytest.raises(nt.InputError, match="symbol must be one of AAPL, was 'MSFT'"):
            report.figure(run(), "MSFT")

    def test_symbols_are_not_markup(self, run):
        assert report.figure(run(symbols=("<b>A</b>",))).data[0].name == "&lt;b&gt;A&lt;/b&gt;"
