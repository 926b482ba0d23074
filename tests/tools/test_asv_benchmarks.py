"""Every benchmark runs once on a small input, so that none of them rots unnoticed."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "asv_benchmarks"
SMALL_ROWS = 2_000
sys.path.insert(0, str(FOLDER))


def suites() -> Iterator[type]:
    for path in sorted((FOLDER / "benchmarks").glob("[a-z]*.py")):
        module = importlib.import_module(f"benchmarks.{path.stem}")
        yield from (
            value for _, value in inspect.getmembers(module, inspect.isclass) if value.__module__ == module.__name__
        )


def arguments_of(suite: type) -> tuple[object, ...]:
    """A small number where the parameter is a size, the first value of any other."""
    if not hasattr(suite, "params"):
        return ()
    sized = suite.param_names in (("rows",), ("bars",))
    return (SMALL_ROWS if sized else suite.params[0],)


def works(suite: type) -> list[str]:
    return [name for name in dir(suite) if name.startswith(("time_", "track_", "peakmem_"))]


CASES = [(suite, name) for suite in suites() for name in works(suite)]


@pytest.mark.parametrize(("suite", "name"), CASES, ids=[f"{suite.__name__}.{name}" for suite, name in CASES])
def test_benchmark_runs(suite: type, name: str) -> None:
    arguments = arguments_of(suite)
    benchmark = suite()
    benchmark.setup(*arguments)
    try:
        value = getattr(benchmark, name)(*arguments)
    finally:
        if hasattr(benchmark, "teardown"):
            benchmark.teardown(*arguments)
    if name.startswith("track_"):
        assert value > 0
