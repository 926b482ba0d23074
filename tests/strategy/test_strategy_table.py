"""docs/strategies.md says what the library makes of the bundled data: each row is run again."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_spec = importlib.util.spec_from_file_location("strategy_table", ROOT / "tools" / "strategy_table.py")
table = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(table)


@pytest.mark.parametrize("row", table.ROWS, ids=lambda row: row.name.strip("`"))
def test_the_page_has_the_row(row):
    line = table.line(row)
    if line is None:
        pytest.skip("the quotes are not here")
    assert line in table.written()


def test_the_page_has_no_other_rows_and_names_every_strategy():
    assert len(table.written()) == len(table.ROWS)
    text = table.PAGE.read_text(encoding="utf-8")
    for name in table.library.__all__:
        assert f"| `{name}` |" in text, name
        assert any(f"`{name}" in row.name for row in table.ROWS), name
