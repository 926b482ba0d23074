"""Every public name explains itself with an example, and every example runs."""

from __future__ import annotations

import doctest
import inspect
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import neuraltrade as nt

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
# What is raised rather than called; the examples stand with what raises it.
NAMES = [n for n in nt.__all__ if not n.startswith("__") and not inspect.ismodule(getattr(nt, n))]
CALLABLES = [name for name in NAMES if callable(getattr(nt, name))]
EXAMPLE_NEEDED = [
    name for name in CALLABLES if not (inspect.isclass(getattr(nt, name)) and issubclass(getattr(nt, name), Exception))
]


def docstrings(name: str) -> Iterator[tuple[str, str]]:
    """The object's own docstring, then those of a class's methods and properties, each with its dotted name."""
    thing = getattr(nt, name)
    yield f"nt.{name}", inspect.getdoc(thing) or ""
    if inspect.isclass(thing):
        for member, value in sorted(vars(thing).items()):
            text = getattr(value, "__doc__", None)
            if not member.startswith("_") and isinstance(text, str) and ">>>" in text:
                yield f"nt.{name}.{member}", inspect.cleandoc(text)


@pytest.mark.parametrize("name", CALLABLES)
def test_public_name_has_a_docstring(name: str) -> None:
    thing = getattr(nt, name)
    own = vars(thing).get("__doc__") if inspect.isclass(thing) else thing.__doc__
    assert own, f"nt.{name} has no docstring"


@pytest.mark.parametrize("name", EXAMPLE_NEEDED)
def test_public_name_has_an_example(name: str) -> None:
    assert any(">>>" in text for _, text in docstrings(name)), f"nt.{name} has no example in its docstring"


@pytest.mark.parametrize("name", CALLABLES)
def test_examples_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(optionflags=FLAGS, verbose=False)
    report: list[str] = []
    for dotted, text in docstrings(name):
        example = parser.get_doctest(text, {"nt": nt, "np": np}, dotted, None, None)
        runner.run(example, out=report.append)
    assert runner.failures == 0, "".join(report)
