"""Compiled strategies of the tests are kept in a folder of the test run."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session", autouse=True)
def strategy_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEURALTRADE_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield
