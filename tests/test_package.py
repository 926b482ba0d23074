"""What is installed: names, stubs, data, and what importing costs."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import neuraltrade as nt

PACKAGE = Path(nt.__file__).parent
COMPILED = sorted(p for p in PACKAGE.rglob("*.so"))


@pytest.mark.parametrize("name", nt.__all__)
def test_public_name_resolves(name: str) -> None:
    assert getattr(nt, name) is not None


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'back_test'"):
        nt.back_test  # noqa: B018


def test_dir_lists_every_public_name() -> None:
    assert set(nt.__all__) <= set(dir(nt))


def test_version_is_that_of_the_distribution() -> None:
    assert nt.__version__ == metadata.version("neuraltrade")


def test_there_are_compiled_modules() -> None:
    assert COMPILED


@pytest.mark.parametrize("library", COMPILED, ids=lambda p: p.name.split(".")[0])
def test_compiled_module_ships_its_types(library: Path) -> None:
    assert (library.parent / f"{library.name.split('.')[0]}.pyi").is_file()


def test_package_is_marked_as_typed() -> None:
    assert (PACKAGE / "py.typed").is_file()


@pytest.mark.parametrize("heavy", ["numba", "plotly", "pyarrow", "pandas", "polars", "scipy", "rich", "cryptography"])
def test_import_leaves_heavy_packages_alone(heavy: str) -> None:
    code = f"import sys, neuraltrade; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", nt.datasets.names())
def test_bundled_data_is_installed(name: str) -> None:
    assert len(nt.datasets.load(name)) > 2000
