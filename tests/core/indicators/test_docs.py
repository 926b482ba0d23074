"""docs/indicators.md holds a row for every indicator of the table, word for word."""

from __future__ import annotations

from pathlib import Path

import pytest

from neuraltrade.core.indicators.table import TABLE, Entry

PAGE = Path(__file__).parents[3] / "docs" / "indicators.md"
NANS = {"window": "in the window", "skipped": "skipped", "row": "that row", "zero": "0"}


def row(entry: Entry) -> str:
    given = ", ".join(
        [*entry.series, *(p.name if p.default is None else f"{p.name}={p.default:g}" for p in entry.parameters)]
    )
    lines = f" -> {', '.join(entry.lines)}" if entry.lines else ""
    cells = (
        f"`{entry.name}({given})`{lines}",
        f"`{entry.formula.replace('`', '')}`",
        entry.warm_up,
        NANS[entry.nans],
        entry.talib or "none",
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


@pytest.mark.skipif(not PAGE.is_file(), reason="the page is not beside the tests")
def test_the_page_has_a_row_for_each():
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    assert rows == [row(entry) for entry in TABLE.values()]
