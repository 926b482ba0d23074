"""The Python and the commands in README.md and docs/ run as they stand there, each file from top to bottom."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from neuraltrade.cli.app import run

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.S | re.M)
COMMAND = re.compile(r"^neuraltrade .*$", re.M)
WITH_COMMANDS = [page for page in PAGES if COMMAND.search(page.read_text(encoding="utf-8"))]
WITH_CODE = [page for page in PAGES if BLOCK.search(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.name)
def test_code_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = page.read_text(encoding="utf-8")
    names: dict[str, object] = {"__name__": page.stem.replace("-", "_")}
    for block in BLOCK.finditer(text):
        before = text.count("\n", 0, block.start()) + 1
        # Compiling a strategy reads its source: put the block where `inspect` finds it, on its own lines.
        script = tmp_path / f"{page.stem}-{before}.py"
        script.write_text("\n" * before + block[1], encoding="utf-8")
        exec(compile(script.read_text(encoding="utf-8"), script, "exec"), names)


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: page.name)
def test_commands_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for line in COMMAND.findall(page.read_text(encoding="utf-8")):
        assert run(shlex.split(line, comments=True)[1:]) == 0, line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target
