"""The extra `test` holds everything that a test would otherwise be skipped without."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PROJECT = TESTS.parent / "pyproject.toml"
# Import names that differ from the name to install, and what is no package of an index.
NAMES = {"sklearn": "scikit-learn", "exchange_calendars": "exchange-calendars", "talib": "TA-Lib"}
OWN = {"neuraltrade", "peak_memory", "order_flow"}

pytestmark = pytest.mark.skipif(not PROJECT.is_file(), reason="pyproject.toml is not beside the tests")


def held(extra: str) -> set[str]:
    """Names of the packages of an extra, those of the extras it holds included."""
    extras = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    found: set[str] = set()
    for requirement in extras[extra]:
        inner = re.fullmatch(r"neuraltrade\[(.*)\]", requirement)
        names = inner[1].split(",") if inner else ()
        found |= {re.split(r"[<>=~!\[; ]", requirement)[0]} if not inner else set()
        for name in names:
            found |= held(name)
    return found


def test_nothing_is_skipped_for_want_of_a_package() -> None:
    asked = {
        name.split(".")[0]
        for file in TESTS.rglob("test_*.py")
        for name in re.findall(r"importorskip\(\"([\w.]+)\"", file.read_text(encoding="utf-8"))
    }
    assert {"optuna", "sklearn", "onnxruntime", "statsmodels", "exchange_calendars", "pandas"} <= asked
    assert {NAMES.get(name, name) for name in asked - OWN} <= held("test")


def test_an_extra_to_learn_with_and_its_parts() -> None:
    assert held("learn") == {"scipy", "scikit-learn", "statsmodels", "onnxruntime", "optuna"}
    assert held("pairs") | held("onnx") < held("learn")
