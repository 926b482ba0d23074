"""The page in a real headless Chromium, without a network: drawn, silent, and alive under mouse and keyboard."""

from __future__ import annotations

import numpy as np
import pytest

from neuraltrade import report

HOSTILE = '<img src=x onerror="window.hacked=1">&amp;<b>'
CHARTS = (
    "equity-chart", "exposure-chart", "rolling-chart", "returns-chart", "price-chart", "attribution-chart-0",
    "comparison-chart", "similar-chart", "regret-chart",
)  # fmt: skip


def sections(symbol="AAPL"):
    rng = np.random.default_rng(7)

    def path(count):
        return 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, count)))

    near = [
        report.Neighbour(
            symbol, i * 10**15, 0.01 * i, path(20), path(5) if i else np.empty(0), 0.01 * (i - 2) if i else np.nan
        )
        for i in range(5)
    ]
    labels = ("good", "bad", "inconclusive")
    rows = [
        report.VerdictRow(
            ts_ns=i * 10**15, symbol=symbol, decision="long", label=labels[i % 3], score=0.1 * i, outcome=0.01 * i,
            regret=0.002 * i, regret_low=0.001, regret_high=0.02, explanation=f"because {symbol}",
            counterfactuals=[(f"hold {symbol}", 0.01, -0.01)],
        )
        for i in range(9)
    ]  # fmt: skip
    return {
        "similar": report.SimilarSection(symbol, 10**18, path(20), near, 5),
        "verdicts": report.VerdictSection(rows),
        "audit": report.AuditSection(7, "aa" * 32, "bb" * 64, "cc" * 32, checks=[("signature", True, "")]),
        "notes": report.NotesSection([f"A word on {symbol}."]),
        "comparison": compared((f"{symbol} fast", "slow")),
        "parameters": report.ParameterSection(symbol, "slow", [5, 10, 20], [50, 100.0], heat(), "sharpe", trials=6),
    }


def heat():
    return np.array([[0.1, 0.4, -0.2], [0.3, np.nan, 1.25]])


def compared(names, count=300):
    ts_ns = (1 + np.arange(count, dtype=np.int64)) * 86_400 * 10**9
    growth = np.exp(np.cumsum(np.random.default_rng(2).normal(0.0, 0.01, (len(names), count)), axis=1))
    rows = [(period, "Sharpe ratio", "mean over deviation", ["1.20"] * len(names)) for period in ("run", "shared")]
    table = np.eye(len(names))
    return report.ComparisonSection(names, ts_ns, growth / growth[:, :1], rows, table, table.astype(int))


@pytest.fixture
def shown(page, tmp_path):
    """Write and open a page; at the end it must have stayed silent and fetched nothing but itself."""

    def show(run, scheme="light", **given):
        page.prefer(scheme)
        path = report.write_page(tmp_path / "page.html", run, **given)
        page.open(path)
        assert page.run("document.body.dataset.ready") == "true", page.complaints()
        return page

    yield show
    assert page.complaints() == []
    assert [url for url in page.requests() if not url.startswith("data:")] == [(tmp_path / "page.html").as_uri()]
    assert page.run("window.hacked") is None


def view_range(page):
    return page.run(
        "(() => { const r = priceChart.layout.xaxis.range.map(asMs); return [...r, view.symbol, view.picked]; })()"
    )


def drawn(page, chart):
    return page.run(
        f"document.querySelectorAll('#{chart} .main-svg').length > 0 && document.getElementById('{chart}').data.length"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_charts_are_drawn(shown, run, scheme):
    page = shown(run(symbols=("AAPL", "IBM", "MSFT", "GOOG")), scheme, **sections())
    for chart in CHARTS:
        assert drawn(page, chart) >= 2, chart
    lines = page.run("document.querySelectorAll('#equity-chart .scatterlayer path.js-line').length")
    assert lines == 3  # equity, benchmark, drawdown
    assert page.run("document.querySelectorAll('#price-chart .scatterlayer .points path').length") > 0
    assert page.run("document.querySelector('.badge').textContent") == "verified"
    assert page.run("document.getElementById('digest').textContent") == "0123456789abcdef" * 4


def test_a_click_on_a_trade_moves_the_chart_to_it(shown, run):
    given = run(symbols=("AAPL", "IBM"))
    page = shown(given)
    whole = view_range(page)
    assert whole[2:] == [0, -1]
    row = int(np.flatnonzero(given.trades["symbol"] == 1)[2])
    page.click(f'#trade-table tr[data-row="{row}"]')
    moved = view_range(page)
    entry, leave = (float(given.trades[f"{end}_ts_ns"][row]) / 1e6 for end in ("entry", "exit"))
    assert moved[2:] == [1, row]
    assert whole[0] < moved[0] < entry <= leave < moved[1] < whole[1] + 60 * 86_400_000
    assert moved[1] - moved[0] < (whole[1] - whole[0]) / 4
    assert page.run("document.getElementById('symbol').value") == "1"
    assert page.run(f"document.querySelector('tr[data-row=\"{row}\"]').getAttribute('aria-selected')") == "true"
    assert page.run("priceChart.data[0].type") == "candlestick"
    assert page.run("document.querySelectorAll('#price-chart .shapelayer path').length") == 1
    box = page.run("(() => { const b = priceChart.getBoundingClientRect(); return [b.top, b.bottom, innerHeight]; })()")
    assert box[1] > 120 and box[0] < box[2] - 120  # the chart is on the screen
    page.click("#whole")
    assert view_range(page)[3] == -1 and view_range(page)[1] - view_range(page)[0] == whole[1] - whole[0]


def test_the_keyboard_picks_a_trade_too(shown, run):
    page = shown(run())
    page.run("document.querySelector('#trade-table tr[data-row=\"4\"]').focus()")
    page.press("Enter")
    assert view_range(page)[3] == 4
    assert page.run("document.activeElement.dataset.row") == "4"


def test_a_click_on_a_mark_picks_its_row(shown, run):
    given = run(trade_count=5)
    page = shown(given)
    page.click('#trade-table tr[data-row="2"]')
    page.run("scrollTo(0, priceChart.offsetTop - 100)")
    page.settle()
    at = page.run(
        "(() => { const l = priceChart._fullLayout, b = priceChart.getBoundingClientRect();"
        " const x = l.xaxis._offset + l.xaxis.d2p(trades.exit_t[2]);"
        " const y = l.yaxis._offset + l.yaxis.d2p(trades.exit_price[2]);"
        " return [b.x + x, b.y + y]; })()"
    )
    page.run("show(0, view.range, -1)")
    assert view_range(page)[3] == -1
    page.mouse(*at)
    assert view_range(page)[3] == 2


def test_a_drag_zooms_the_time_axis(shown, run):
    page = shown(run())
    before = view_range(page)
    page.run("priceChart.scrollIntoView({block: 'center'})")
    page.settle()
    x, y, width, height = page.run(
        "(() => { const b = priceChart.getBoundingClientRect(); return [b.x, b.y, b.width, b.height]; })()"
    )
    page.mouse(x + 0.4 * width, y + 0.5 * height, to_x=x + 0.6 * width)
    after = view_range(page)
    assert before[0] < after[0] < after[1] < before[1]
    assert (after[1] - after[0]) / (before[1] - before[0]) == pytest.approx(0.21, abs=0.03)
    assert page.run("priceChart.data[0].type") == "candlestick"


def test_tables_sort_filter_and_turn_pages(shown, run):
    given = run(count=3_000, symbols=("AAPL", "IBM"), trade_count=250)
    page = shown(given)

    def column(i):
        return page.run(
            f"[...document.querySelectorAll('#trade-table tbody tr')].map((r) => r.children[{i}].textContent)"
        )

    assert column(0) == [str(i) for i in range(1, 101)]
    page.click("#trade-table th:nth-child(11) button")
    order = np.argsort(-given.trades["pnl"], kind="stable")
    assert column(0) == [str(i + 1) for i in order[:100]]
    assert page.run("document.querySelector('#trade-table th:nth-child(11)').getAttribute('aria-sort')") == "descending"
    page.click("#trade-table .pager button:last-child")
    assert column(0) == [str(i + 1) for i in order[100:200]]
    page.choose("#trade-filters select[aria-label='Filter by symbol']", "1")
    page.choose("#trade-filters select[aria-label='Filter by side']", "short")
    kept = (given.trades["symbol"] == 1) & (given.trades["direction"] < 0)
    assert set(column(1)) == {"IBM"} and set(column(2)) == {"short"}
    assert page.run("tradeGrid.order.length") == kept.sum() > 0
    page.choose("#trade-filters select[aria-label='Filter by outcome']", "open")
    assert page.run("tradeGrid.order.length") == (kept & given.trades["open"]).sum()
    for name in ("symbol", "side", "outcome"):
        page.choose(f"#trade-filters select[aria-label='Filter by {name}']", "")
    page.click("#in-view")
    assert page.run("tradeGrid.order.length") == (given.trades["symbol"] == 0).sum()
    page.run("show(1, [trades.entry_t[9], trades.exit_t[30]], -1)")
    seen = (given.trades["symbol"] == 1) & (given.trades["entry_bar"] <= given.trades["exit_bar"][30])
    seen &= given.trades["exit_bar"] >= given.trades["entry_bar"][9]
    assert page.run("tradeGrid.order.length") == seen.sum() > 0


def test_the_theme_follows_the_system_and_the_button(shown, run):
    page = shown(run(), "dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    ink = "document.getElementById('equity-chart').layout.font.color"
    dark, dark_ink = page.run(ground), page.run(ink)
    page.click("#theme")
    light, light_ink = page.run(ground), page.run(ink)
    assert (dark, light) == ("rgb(15, 20, 27)", "rgb(244, 246, 249)") and dark_ink != light_ink
    page.click("#theme")
    assert (page.run(ground), page.run(ink)) == (dark, dark_ink)
    page.run("delete document.documentElement.dataset.theme")
    page.prefer("light")
    page.settle()
    assert (page.run(ground), page.run(ink)) == (light, light_ink)


def test_log_scale_and_symbol_choice(shown, run):
    page = shown(run(symbols=("AAPL", "IBM")))
    page.click("#scale")
    assert page.run("document.getElementById('equity-chart').layout.yaxis.type") == "log"
    page.choose("#symbol", "1")
    assert view_range(page)[2] == 1


def test_equity_as_returns_attribution_comparison_and_parameters(shown, run):
    """One page for all of them: loading it is what takes long."""
    owners = np.arange(30) % 2
    given = run(symbols=tuple(f"S{i:02d}" for i in range(15)), strategies=("one", "two"), trade_strategies=owners,
                benchmark=10_000.0 + np.cumsum(np.random.default_rng(3).normal(size=600)))  # fmt: skip
    names = ("fast", "slow", "slower")
    page = shown(given, comparison=compared(names), parameters=sections()["parameters"])
    last = "(() => { const y = document.getElementById('equity-chart').data[0].y; return y[y.length - 1]; })()"
    growth = given.equity[-1] / given.cash
    for kind, wanted in (("return", growth - 1.0), ("log", np.log(growth)), ("value", given.equity[-1])):
        page.choose("#measure", kind)
        assert page.run(last) == pytest.approx(wanted, rel=1e-12)
        assert page.run("document.getElementById('scale').disabled") is (kind != "value")

    first = "[...document.querySelectorAll('#attribution-table-0 tbody tr')].map((r) => r.children[0].textContent)"
    assert page.run(first) == [f"S{i:02d}" for i in reversed(range(15))]  # by profit
    lines = page.run("document.getElementById('attribution-chart-0').data.map((trace) => trace.name)")
    assert lines == [*(f"S{i:02d}" for i in range(4, 15)), "4 others"]
    page.click("#attribution-table-0 th:nth-child(1) button")
    assert page.run(first)[0] == "S00"

    lines = "document.getElementById('rolling-chart').data.map((trace) => trace.name)"
    assert page.run(lines) == ["Sharpe ratio", "Volatility"]
    page.choose("#rolling-choice", "2")
    assert page.run(lines) == ["Beta to the benchmark", "Correlation"]

    page.choose("#trade-filters select[aria-label='Filter by strategy']", "1")
    second = "[...document.querySelectorAll('#trade-table tbody tr')].map((r) => r.children[1].textContent)"
    assert page.run(second) == ["two"] * 15

    assert drawn(page, "comparison-chart") == 3
    page.click("#comparison-scale")
    assert page.run("document.getElementById('comparison-chart').layout.yaxis.type") == "log"
    heads = page.run("[...document.querySelectorAll('#comparison thead tr')].map((r) => r.textContent.trim())")
    assert len(heads) == 3 and all("slower" in head for head in heads)
    assert page.run("document.getElementById('parameters-chart').data[0].z") == [[0.1, 0.4, -0.2], [0.3, None, 1.25]]
    assert page.run("document.querySelectorAll('#parameters-chart .shapelayer path').length") == 1
    words = page.run("document.querySelector('#parameters p').textContent")
    assert words == "Sharpe by AAPL and slow, of 6 trials. Marked: AAPL 20, slow 100 with 1.25."


def test_sections_answer_clicks(shown, run):
    page = shown(run(), **sections())
    page.click('#similar-table tr[data-row="2"]')
    widths = page.run("document.getElementById('similar-chart').data.map((trace) => trace.line.width)")
    assert widths.count(3) == 1
    page.click('#verdict-table tr[data-row="1"]')
    assert page.run("document.querySelector('#verdict-table tr.detail').textContent").endswith("hold AAPL1.00%-1.00%")
    page.choose("#verdict-filters select", "bad")
    assert page.run("[...document.querySelectorAll('#verdict-table tbody tr[data-row]')].length") == 3


def test_names_with_html_stay_names(shown, run):
    given = run(symbols=(HOSTILE, "B"), title=HOSTILE, benchmark_label=HOSTILE, settings={HOSTILE: HOSTILE})
    page = shown(given, **sections(HOSTILE))
    assert page.run("document.querySelector('h1').textContent") == HOSTILE
    assert page.run("document.querySelector('#symbol option').textContent") == HOSTILE
    assert page.run("document.querySelector('#similar-table td:nth-child(2)').textContent") == HOSTILE
    assert page.run("[...document.querySelectorAll('#similar-chart .legendtext')].pop().textContent").startswith(
        "<img src=x"
    )
    page.click('#verdict-table tr[data-row="0"]')
    assert page.run("document.images.length") == 0


@pytest.mark.parametrize(
    "given",
    [
        {"trade_count": 0},
        {"count": 1, "trade_count": 0},
        {"count": 2, "trade_count": 0, "benchmark": None},
        {"count": 30, "trade_count": 1, "benchmark": np.full(30, np.nan)},
        {
            "count": 40,
            "trade_count": 3,
            "statistics": [],
            "equity": np.linspace(10_000.0, -500.0, 40),
            "drawdown": np.linspace(0.0, -1.05, 40),
        },
    ],
    ids=["no trades", "one bar", "two bars", "no benchmark yet", "ruin"],
)
def test_little_data(shown, run, given):
    page = shown(run(**given))
    assert drawn(page, "equity-chart") >= 2 and drawn(page, "price-chart") >= 1
    assert page.run("document.body.innerText.includes('NaN') || document.body.innerText.includes('undefined')") is False


def test_empty_sections(shown, run):
    empty = {
        "similar": report.SimilarSection("AAPL", 0, np.ones(1), [], 5),
        "verdicts": report.VerdictSection([]),
        "audit": report.AuditSection(0, "", "", ""),
        "notes": report.NotesSection([]),
    }
    page = shown(run(), **empty)
    assert page.run("document.querySelector('#verdict-table .empty').textContent") == "Nothing matches."


def test_a_million_bars(shown, run):
    page = shown(run(count=1_000_000, trade_count=20_000, step_s=60))
    assert page.run("document.getElementById('price-note').textContent").startswith(
        "1,000,000 bars drawn as candles of 17."
    )
    assert page.run("Math.max(...priceChart.data.map((trace) => trace.x.length))") < 6_000
    page.click('#trade-table tr[data-row="50"]')
    assert page.run("priceChart.data[0].type") == "candlestick"


def test_nothing_sticks_out_sideways(shown, run):
    page = shown(run(symbols=("AAPL", "A_VERY_LONG_SYMBOL_NAME_WITHOUT_ANY_BREAK")), **sections())
    for width in (2200, 1400, 768, 360):
        page.size(width, 900)
        page.settle()
        assert page.run("document.documentElement.scrollWidth") <= width, width
