"""Campaigns: long random searches for what must never happen, each with a seed, a count and a one-line result."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import os
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

HERE = Path(__file__).resolve().parent
# Module -> the campaign's letter where it has one.
NAMES = {
    "kills": "R1", "power": "R2", "damage": "R3", "faults": "R4", "fuzz": "R5", "sequences": "R6", "determinism": "R7",
    "asof": "R8", "threads": "R12", "bounds": "", "denials": "", "luck": "", "speeds": "",
}  # fmt: skip
# Modules that are worth compiling before the campaign is loaded.
MODELS = {
    "sequences": (
        "books",
        "gate_model",
        "sequence_order",
        "sequence_changes",
        "sequence_clock",
        "sequence_fills",
        "sequence_model",
        "sequence_prices",
        "sequence_shape",
        "sequence_state",
        "sequence_trails",
    )
}


@dataclass
class Failure:
    """One case that does not hold."""

    number: int
    reason: str


@dataclass
class Outcome:
    """What one chunk of cases came to."""

    cases: int
    tallies: dict[str, int] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)


class Campaign(Protocol):
    """What a module of this package offers."""

    VERSION: int  # of its cases: raised whenever the same seed would give other ones
    UNIT: str
    CHUNK: int  # cases that are run, and recorded as done, together
    CI_COUNT: int
    FULL_COUNT: int

    def run_chunk(self, seed: int, index: int) -> Outcome: ...
    def reproduce(self, seed: int, number: int) -> str: ...


def models_of(name: str) -> tuple[str, ...]:
    return MODELS.get(name, ())


def load(name: str) -> Any:
    """The campaign of that name."""
    return importlib.import_module(f"campaigns.{name}")


def compiled(modules: tuple[str, ...]) -> bool:
    """Let these modules come compiled (by Cython, from the same source) from here on.

    False where Cython is missing or nothing may be kept.
    Python's integers stay what they are, so the answers do too; a test compares them. Call it before they are imported.
    """
    try:
        from Cython.Build import cythonize  # noqa: PLC0415
        from setuptools import Distribution, Extension  # noqa: PLC0415
    except ImportError:
        return False
    sources = [HERE / f"{name}.py" for name in modules]
    parts = [path.with_suffix(suffix) for path in sources for suffix in (".py", ".pxd")]
    text = b"".join(path.read_bytes() for path in parts if path.exists()) + sys.version.encode()
    place = Path.home() / ".cache" / "neuraltrade" / "campaigns" / f"compiled-{hashlib.sha256(text).hexdigest()[:16]}"
    if not place.exists():
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
        except OSError:
            return False  # nowhere to keep them
        with tempfile.TemporaryDirectory(dir=place.parent) as scratch:
            extensions = [
                Extension(f"campaigns.{path.stem}", [str(path)], extra_compile_args=["-O1"]) for path in sources
            ]
            found = cythonize(extensions, build_dir=f"{scratch}/c", language_level=3, quiet=True,
                              compiler_directives={"annotation_typing": False})  # fmt: skip
            command = Distribution({"ext_modules": found}).get_command_obj("build_ext")
            command.build_lib, command.build_temp = f"{scratch}/lib", f"{scratch}/o"
            command.parallel = os.cpu_count()
            command.ensure_finalized()
            command.run()
            with contextlib.suppress(OSError):  # another process was first
                os.rename(f"{scratch}/lib", place)
    package = place / "campaigns"
    if str(package) not in __path__:
        __path__.insert(0, str(package))
    return True
