"""Compiled strategies of the tests are kept in a folder of the test run, which its processes share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all processes of this run of the tests."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session", autouse=True)
def strategy_cache(run_folder: Path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEURALTRADE_CACHE_DIR", str(run_folder / "compiled"))
        yield
