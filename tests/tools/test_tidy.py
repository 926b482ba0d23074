"""tools/tidy.py: each planted breach is caught with its file and line, and lawful code passes."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tools" / "tidy.py"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tidy", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["tidy"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


tidy = load()


def plant(root: Path, path: str, text: str) -> list[str]:
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
    return [str(breach) for breach in tidy.breaches(root)]


@pytest.mark.parametrize(
    ("path", "text", "line", "words"),
    [
        (
            "neuraltrade/market/bars.py",
            "import os\nfrom ..memory import agentdb\n",
            2,
            "upward import: market (floor 3)",
        ),
        ("neuraltrade/market/bars.py", "from neuraltrade.results import Result\n", 1, "upward import"),
        ("neuraltrade/market/bars.py", "def f():\n    import neuraltrade.cli\n", 2, "upward import"),
        ("neuraltrade/market/bars.py", "import neuraltrade as nt\n", 1, "upward import"),
        ("neuraltrade/market/bars.py", "from ..vectors import Store\n", 1, "sideways import"),
        ("neuraltrade/backtest/run.py", "from ..memory import AgentDB\n", 1, "backtest must not import memory"),
        ("neuraltrade/vectors/store.py", "from ..schema import Order\n", 1, "vectors must not import schema"),
        ("neuraltrade/attic/run.py", "x = 1\n", 1, "has no floor"),
        ("neuraltrade/core/a.pxd", "\nfrom neuraltrade.memory.b cimport c\n", 2, "upward import: core (floor 2)"),
        ("neuraltrade/core/a.pxd", "cimport neuraltrade.vectors.arena as arena\n", 1, "upward import"),
        ("neuraltrade/core/a.pxd", "from ..market cimport (\n    bars,\n)\n", 1, "upward import"),
        ("neuraltrade/core/a.pxd", "cdef int f(int x) nogil\n", 1, "bare nogil"),
        ("neuraltrade/core/a.pxd", "ctypedef int (*call)(\n    int x,\n) nogil\n", 1, "bare nogil"),
        ("csrc/nt_ledger.c", "/* ok */\nstatic double cash;\n", 2, "double in money arithmetic"),
        ("csrc/nt_fixed.h", "/* float face */\ndouble f(void);\n\nfloat g(void);\n", 4, "float in money arithmetic"),
        ("csrc/nt_wal.c", "#include <Python" + ".h>\n", 1, "csrc knows nothing of Python"),
        ("csrc/nt_wal.c", "int x; /* TO" + "DO */\n", 1, "finish it or leave it out"),
        ("neuraltrade/core/a.pyx", "x = 1\n", 1, "no .pyi"),
        ("docs/a.md", "see /wor" + "k/main\n", 1, "belongs to one machine"),
        ("docs/a.md", "\nfrom https://py" + "pi.org/simple\n", 2, "belongs to one machine"),
    ],
)
def test_breach_is_caught_with_its_line(tmp_path: Path, path: str, text: str, line: int, words: str) -> None:
    lines = [breach for breach in plant(tmp_path, path, text) if breach.startswith(f"{path}:{line}: ")]
    assert len(lines) == 1, lines
    assert words in lines[0]


def test_cycle_inside_a_room_is_caught_once(tmp_path: Path) -> None:
    plant(tmp_path, "neuraltrade/market/a.py", "from . import b\n")
    plant(tmp_path, "neuraltrade/market/b.py", "from .c import thing\n")
    breaches = plant(tmp_path, "neuraltrade/market/c.py", "from .a import other\n")
    assert breaches == [
        "neuraltrade/market/c.py:1: import cycle: "
        "neuraltrade.market.a -> neuraltrade.market.b -> neuraltrade.market.c -> neuraltrade.market.a"
    ]


def test_lawful_imports_pass(tmp_path: Path) -> None:
    plant(
        tmp_path,
        "neuraltrade/market/bars.py",
        "import numpy\nfrom ..errors import InputError\nfrom ..core import money\n",
    )
    plant(tmp_path, "neuraltrade/core/money.py", "from ..errors import InputError\n")
    typed = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..market import Bars\n"
    plant(tmp_path, "neuraltrade/embedding/state.py", typed)
    plant(tmp_path, "neuraltrade/memory/db.py", "from ..vectors import Store\nfrom . import fields\n")
    plant(tmp_path, "neuraltrade/memory/fields.py", '"""from ..cli import main"""\n')
    assert plant(tmp_path, "neuraltrade/__init__.py", "from . import cli, memory\n") == []


def test_lawful_nogil_passes(tmp_path: Path) -> None:
    text = (
        "cdef int f(int x) noexcept nogil\ncdef int g(int x) except -1 nogil\n"
        'cdef extern from "a.h":\n    int h(int x) nogil\n\ncdef int k(int x) except? -1 nogil\n'
    )
    assert plant(tmp_path, "neuraltrade/core/a.pxd", text) == []


BODY = "    x = 1\n"


@pytest.mark.parametrize(
    ("path", "head", "line", "tail"),
    [
        ("neuraltrade/core/a.py", "def f(\n    a,\n):\n", BODY, ""),
        ("neuraltrade/core/a.pxi", "cdef inline int f(\n    int a,\n) noexcept nogil:\n", BODY, "\ny = 2\n"),
        ("csrc/a.c", "static int\nf(int a)\n{\n", "    x = 1;\n", "}\n"),
        ("csrc/a.cpp", 'extern "C" {\nnamespace n {\nint f(int a) {\n', "    if (a) { x = 1; }\n", "}\n}\n}\n"),
        ("csrc/a.hpp", "struct s {\n  int f(int a)\n  const {\n", "    x = 1;\n", "}\n};\n"),
    ],
)
def test_function_of_70_lines_passes_and_71_does_not(
    tmp_path: Path, path: str, head: str, line: str, tail: str
) -> None:
    closing = 1 if path.startswith("csrc/") else 0
    own_head = {"csrc/a.cpp": 1, "csrc/a.hpp": 2}.get(path, 3)
    room = tidy.FUNCTION_LINES_MAX - own_head - closing
    assert plant(tmp_path, path, head + line * room + tail) == []
    first = head.count("\n") - own_head + 1
    assert plant(tmp_path, path, head + line * (room + 1) + tail) == [
        f"{path}:{first}: function f of 71 lines, limit 70"
    ]


@pytest.mark.parametrize("path", ["neuraltrade/core/a.py", "neuraltrade/core/a.pxi"])
def test_docstring_lines_do_not_count(tmp_path: Path, path: str) -> None:
    docstring = '    """\n' + "    words\n" * 60 + '    """\n'
    assert plant(tmp_path, path, "def f(a):\n" + docstring + BODY * 69) == []
    assert len(plant(tmp_path, path, "def f(a):\n" + docstring + BODY * 70)) == 1


def test_file_of_500_lines_passes_and_501_does_not(tmp_path: Path) -> None:
    assert plant(tmp_path, "csrc/a.h", "int x;\n" * 500) == []
    assert plant(tmp_path, "csrc/a.h", "int x;\n" * 501) == ["csrc/a.h:501: file of 501 lines, limit 500"]


def test_command_line_exits_1_on_a_breach_and_0_without(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    clean = subprocess.run([sys.executable, SCRIPT, tmp_path], capture_output=True, text=True, check=False)
    assert (clean.returncode, clean.stdout) == (0, "tidy: clean\n")
    (tmp_path / "a.py").write_text("x = 1\n" * 501)
    broken = subprocess.run([sys.executable, SCRIPT, tmp_path], capture_output=True, text=True, check=False)
    assert (broken.returncode, broken.stdout.splitlines()[0]) == (1, "a.py:501: file of 501 lines, limit 500")
