"""tools/demo and tools/test on a machine that lacks something: one line on stderr that names the Debian package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What a Debian system always has; everything else is missing unless a test adds it.
ESSENTIAL = (
    *("sh", "basename", "cat", "cut", "date", "dirname", "env", "find", "grep", "mkdir", "rm"),
    *("sha256sum", "sort", "tail", "uname"),
)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A checkout with the two scripts alone, and a PATH folder with what is essential."""
    (tmp_path / "tools").mkdir()
    for name in ("demo", "test", "lib.sh"):
        shutil.copy(ROOT / "tools" / name, tmp_path / "tools" / name)
    (tmp_path / "bin").mkdir()
    for name in ESSENTIAL:
        found = shutil.which(name)
        assert found is not None, name
        (tmp_path / "bin" / name).symlink_to(found)
    return tmp_path


def put(machine: Path, name: str, script: str) -> None:
    """An executable of that name in the machine's PATH."""
    path = machine / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def put_python(machine: Path, refuse: str = "", name: str = "python3") -> None:
    """The Python that runs the tests; a call whose arguments match `refuse` fails."""
    real = os.path.realpath(sys.executable)
    put(machine, name, f'case "$*" in {refuse}) exit 1 ;; esac\nexec {real} "$@"' if refuse else f'exec {real} "$@"')


def put_compilers(machine: Path) -> None:
    put(machine, "gcc", "exit 0")
    put(machine, "g++", "exit 0")


def run(machine: Path, script: str) -> tuple[int, list[str]]:
    done = subprocess.run(
        [machine / "tools" / script], env={"PATH": str(machine / "bin")}, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr.splitlines()


@pytest.mark.parametrize("script", ["demo", "test"])
def test_without_python(machine: Path, script: str) -> None:
    message = f"{script}: no working Python 3.11 or newer found: install the package python3"
    assert run(machine, script) == (1, [message])


def test_with_a_python_that_is_too_old(machine: Path) -> None:
    put(machine, "python3", "echo 3.9 0")
    message = "demo: Python 3.9 is too old, 3.11 or newer is needed: install the package python3 of Debian 12 or later"
    assert run(machine, "demo") == (1, [message])


def test_with_a_python_that_does_not_start(machine: Path) -> None:
    put(machine, "python3", "exit 127")
    assert run(machine, "demo") == (
        1,
        ["demo: no working Python 3.11 or newer found: install the package python3"],
    )


def test_without_headers(machine: Path) -> None:
    put_python(machine, refuse="*Python.h*")
    status, lines = run(machine, "demo")
    assert (status, len(lines)) == (1, 1)
    assert lines[0].endswith("are missing: install the package python3-dev")


def test_without_venv(machine: Path) -> None:
    put_python(machine, refuse="*ensurepip*")
    status, lines = run(machine, "test")
    assert (status, len(lines)) == (1, 1)
    assert lines[0].endswith("is missing: install the package python3-venv")


def test_an_environment_of_an_old_python_is_left_alone(machine: Path) -> None:
    (machine / ".venv" / "bin").mkdir(parents=True)
    old = 'case "$*" in *version_info*) exit 1 ;; --version) echo Python 3.9.2 ;; esac'
    put(machine, "../.venv/bin/python", old)
    message = "demo: .venv holds Python 3.9.2, 3.11 or newer is needed: remove it and run this again"
    assert run(machine, "demo") == (1, [message])
    assert (machine / ".venv" / "bin" / "python").exists()


def test_nothing_is_made_before_everything_is_found(machine: Path) -> None:
    put_python(machine)
    run(machine, "test")
    assert not (machine / ".venv").exists()


def test_a_second_python_is_taken_when_the_first_is_too_old(machine: Path) -> None:
    put(machine, "python3", "echo 3.9 0")
    put_python(machine, name="python3.12")
    assert run(machine, "demo") == (1, ["demo: no C compiler (gcc): install the package gcc"])


def test_without_c_compiler(machine: Path) -> None:
    put_python(machine)
    assert run(machine, "demo") == (1, ["demo: no C compiler (gcc): install the package gcc"])


def test_without_cpp_compiler(machine: Path) -> None:
    put_python(machine)
    put(machine, "gcc", "exit 0")
    assert run(machine, "demo") == (1, ["demo: no C++ compiler (g++): install the package g++"])


def test_without_c_headers(machine: Path) -> None:
    put_python(machine)
    put_compilers(machine)
    put(machine, "gcc", "exit 1")
    assert run(machine, "demo") == (1, ["demo: the C library's headers are missing: install the package libc6-dev"])


def test_when_pip_fails_the_end_of_its_output_is_shown(machine: Path) -> None:
    put_python(machine, refuse='*"-m venv"*')
    put_compilers(machine)
    status, lines = run(machine, "demo")
    assert status == 1
    assert lines[-1].endswith("failed; the whole output is in build/setup.log")
