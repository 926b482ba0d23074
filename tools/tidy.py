#!/usr/bin/env python3
"""House rules that a program can check. Prints file:line: message for each breach and exits 1 if there is one.

Usage: tools/tidy.py [ROOT]

arrows    a module imports only from lower floors; modules of one room import each other without a cycle
lengths   files <= 500 lines, functions <= 70 (docstrings not counted), in Python, Cython, C and C++
nogil     a Cython function that runs without the GIL states its exception contract (about 36 ns a call otherwise)
money     no float or double in the ledger's C files, but in paragraphs marked "float face"
csrc      no Python.h: the C core knows nothing of Python
stubs     every .pyx has a hand-written .pyi; nothing unfinished is left in the package
machine   no path of one machine and no registry host in any tracked file

Standard library only, so that it runs before anything is installed.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70

FLOORS = {
    "_version": 1, "errors": 1, "clock": 1, "config": 1, "schema": 1, "ports": 1,
    "core": 2,
    "observe": 3, "market": 3, "provenance": 3, "vectors": 3, "embedding": 3,
    "strategy": 4, "memory": 4,
    "report": 5,
    "results": 6,
    "backtest": 7, "live": 7,
    "reflexion": 8,
    "cli": 9, "__init__": 9,
}  # fmt: skip
EXEMPT = {"neuraltrade/__init__.py", "neuraltrade/__main__.py", "neuraltrade/__init__.pyi"}
# Downward or level by floor, and still forbidden: these take ports as parameters.
FORBIDDEN = {(room, other) for room in ("strategy", "backtest", "live") for other in ("memory", "reflexion", "vectors")}
FORBIDDEN |= {("vectors", "schema")}  # vectors, fields and bytes; never orders

CODE = {".py", ".pyx", ".pxd", ".pyi", ".pxi", ".c", ".h", ".cpp", ".hpp", ".sh"}
CYTHON = {".pyx", ".pxd", ".pxi"}
C_LIKE = {".c", ".h", ".cpp", ".hpp"}
SKIP_PARTS = {"build", "dist", "third_party", "node_modules", "__pycache__"}
MONEY_FILE = re.compile(r"^csrc/nt_(fixed|ledger|lots|flows)\.[ch]$")
FLOAT_FACE = "float face"
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")
# Character classes keep these patterns from matching themselves.
MACHINE = re.compile(
    r"/wor[k]/|/tmp/[n]t\b|/tmp/ex[p]|/roo[t]/|/hom[e]/\w|/far[m]/|/opt/(?:wheel[s]|pyp[i])"
    r"|pypi\.or[g]|pythonhosted\.or[g]|npmjs\.(?:or[g]|co[m])|deb\.debian\.or[g]|proxy\.golan[g]\.org"
)


class Breach(NamedTuple):
    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


class Import(NamedTuple):
    target: str  # absolute dotted name inside the package
    line: int
    runtime: bool  # False under `if TYPE_CHECKING` and in .pyi files


@dataclass
class Tree:
    """Files of the checkout with their text, read once."""

    root: Path
    files: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, root: Path) -> Tree:
        tree = cls(root)
        for path in tracked(root):
            try:
                tree.files[path.relative_to(root).as_posix()] = path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue  # data, not text
        return tree

    def having(self, suffixes: Iterable[str]) -> Iterator[tuple[str, str]]:
        wanted = set(suffixes)
        return ((path, text) for path, text in self.files.items() if Path(path).suffix in wanted)


def tracked(root: Path) -> list[Path]:
    """Files that git tracks or would track; without git, every file outside build folders and dot folders."""
    if (root / ".git").exists():
        command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\0")
        return [root / name for name in sorted(listed) if name and (root / name).is_file()]
    found = (p for p in sorted(root.rglob("*")) if p.is_file())
    return [p for p in found if not any(q in SKIP_PARTS or q.startswith(".venv") for q in p.relative_to(root).parts)]


# ---- text without comments and strings -------------------------------------------------------------------------------

_TRIPLE_QUOTED = r'[rRbBuUfF]{0,2}("""|\'\'\')(?:\\.|(?!\1).)*\1'
_PYTHON_TOKENS = re.compile(_TRIPLE_QUOTED + r'|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|#[^\n]*', re.S)
_C_TOKENS = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.S)
_C_PREPROCESSOR = re.compile(r"^[ \t]*#(?:[^\n\\]|\\\n|\\.)*", re.M)


def blank(text: str, pattern: re.Pattern[str]) -> str:
    """`text` with every match of `pattern` turned to spaces; line breaks stay, so line numbers do."""
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def line_of(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


# ---- imports ---------------------------------------------------------------------------------------------------------


def module_of(path: str) -> str:
    """neuraltrade/core/money.pyx -> neuraltrade.core.money; a package's __init__ is the package."""
    dotted = ".".join(Path(path).with_suffix("").parts)
    return dotted.removesuffix(".__init__")


def absolute(path: str, module: str, dots: int) -> str:
    """What `from <dots><module>` in `path` names."""
    if dots == 0:
        return module
    package = list(Path(path).parent.parts)
    base = package[: len(package) - (dots - 1)]
    return ".".join([*base, *([module] if module else [])])


def python_imports(path: str, text: str, modules: set[str]) -> Iterator[Import]:
    tree = ast.parse(text, filename=path)
    typing_only: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            typing_only.update(child for statement in node.body for child in ast.walk(statement))
    for node in ast.walk(tree):
        runtime = node not in typing_only and not path.endswith(".pyi")
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno, runtime) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = absolute(path, node.module or "", node.level)
            names = [alias.name for alias in node.names]
            yield from (Import(target, node.lineno, runtime) for target in resolve(base, names, modules))


_CYTHON_FROM = re.compile(r"^[ \t]*from[ \t]+(\.*)([\w.]*)[ \t]+c?import[ \t]+(\([^)]*\)|[^\n]+)", re.M)
_CYTHON_IMPORT = re.compile(r"^[ \t]*c?import[ \t]+([^\n]+)", re.M)


def cython_imports(path: str, text: str, modules: set[str]) -> Iterator[Import]:
    bare = blank(text, _PYTHON_TOKENS)
    for match in _CYTHON_FROM.finditer(bare):
        base = absolute(path, match[2], len(match[1]))
        names = [name.split(" as ")[0].strip() for name in match[3].strip("()").split(",")]
        for target in resolve(base, names, modules):
            yield Import(target, line_of(bare, match.start()), True)
    for match in _CYTHON_IMPORT.finditer(bare):
        for name in match[1].split(","):
            yield Import(name.split(" as ")[0].strip(), line_of(bare, match.start()), True)


def resolve(base: str, names: list[str], modules: set[str]) -> list[str]:
    """`from base import name`: the submodule where there is one, else the base itself."""
    return sorted({f"{base}.{name}" if f"{base}.{name}" in modules else base for name in names})


def room_of(module: str) -> str:
    """First name below the package: neuraltrade.core.money -> core; the package itself is __init__."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def imports_of(tree: Tree) -> dict[str, list[Import]]:
    """Imports from within the package, by file."""
    sources = [(p, t) for p, t in tree.having({".py", ".pyi", *CYTHON}) if p.startswith("neuraltrade/")]
    modules = {module_of(path) for path, _ in sources}
    modules |= {module.rpartition(".")[0] for module in modules}
    found = {}
    for path, text in sources:
        read = cython_imports if Path(path).suffix in CYTHON else python_imports
        inside = [i for i in read(path, text, modules) if i.target.split(".")[0] == "neuraltrade"]
        found[path] = [i for i in inside if i.target != module_of(path)]  # a .pyx and its own .pxd
    return found


def check_arrows(tree: Tree) -> Iterator[Breach]:
    """Upward and sideways imports, then cycles inside a room."""
    graph: dict[str, dict[str, tuple[str, int]]] = {}
    for path, imports in imports_of(tree).items():
        if path in EXEMPT:
            continue
        room = room_of(module_of(path))
        if room not in FLOORS:
            yield Breach(path, 1, f"room {room!r} has no floor: add it to the design and to FLOORS of tools/tidy.py")
            continue
        for target, line, runtime in imports:
            other = room_of(target)
            message = arrow(room, other, runtime)
            if message:
                yield Breach(path, line, message)
            elif runtime:
                graph.setdefault(module_of(path), {}).setdefault(target, (path, line))
    yield from cycles(graph)


def arrow(room: str, other: str, runtime: bool) -> str | None:
    """Why `room` may not import `other`, or None."""
    if other not in FLOORS:
        return f"imports {other!r}, which has no floor"
    if (room, other) in FORBIDDEN:
        return f"{room} must not import {other}: take a port as a parameter"
    here, there = FLOORS[room], FLOORS[other]
    if there > here:
        return f"upward import: {room} (floor {here}) from {other} (floor {there})"
    level_allowed = not runtime or room == other or here in (1, 9)
    if there == here and not level_allowed:
        return f"sideways import: {room} and {other} are both on floor {here}"
    return None


def cycles(graph: dict[str, dict[str, tuple[str, int]]]) -> Iterator[Breach]:
    """One breach for each edge that closes a circle of imports."""
    done: set[str] = set()

    def visit(module: str, trail: list[str]) -> Iterator[Breach]:
        for target, (path, line) in graph.get(module, {}).items():
            if target in trail:
                circle = [*trail[trail.index(target) :], target]
                yield Breach(path, line, f"import cycle: {' -> '.join(circle)}")
            elif target not in done:
                yield from visit(target, [*trail, target])
        done.add(module)

    for module in sorted(graph):
        if module not in done:
            yield from visit(module, [module])


# ---- lengths ---------------------------------------------------------------------------------------------------------


def check_lengths(tree: Tree) -> Iterator[Breach]:
    for path, text in tree.having(CODE):
        count = text.count("\n") + (not text.endswith("\n") and text != "")
        if count > FILE_LINES_MAX:
            yield Breach(path, FILE_LINES_MAX + 1, f"file of {count} lines, limit {FILE_LINES_MAX}")
        suffix = Path(path).suffix
        if suffix == ".py":
            functions = python_functions(text)
        elif suffix in CYTHON:
            functions = cython_functions(text)
        elif suffix in C_LIKE:
            functions = c_functions(text)
        else:
            continue
        for name, line, length in functions:
            if length > FUNCTION_LINES_MAX:
                yield Breach(path, line, f"function {name} of {length} lines, limit {FUNCTION_LINES_MAX}")


def python_functions(text: str) -> Iterator[tuple[str, int, int]]:
    """(name, line, length without docstring) of every function."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            first = node.body[0]
            if ast.get_docstring(node, clean=False) is not None:
                length -= (first.end_lineno or first.lineno) - first.lineno + 1
            yield node.name, node.lineno, length


_CYTHON_DEF = re.compile(r"^([ \t]*)(?:async[ \t]+def|c?p?def)[ \t]", re.M)
_CYTHON_NOT_FUNCTION = re.compile(
    r"\s*cdef\s+(?:(?:api|public|packed)\s+)*(?:class|extern|struct|enum|union|cppclass)\b"
)


def declaration(bare: str, start: int) -> tuple[str, int]:
    """The statement that begins at `start`, over lines while a bracket is open; and where it ends."""
    depth = 0
    for offset in range(start, len(bare)):
        depth += (bare[offset] in "([{") - (bare[offset] in ")]}")
        if bare[offset] == "\n" and depth <= 0:
            return bare[start:offset], offset
    return bare[start:], len(bare)


def cython_functions(text: str) -> Iterator[tuple[str, int, int]]:
    bare = blank(text, _PYTHON_TOKENS)
    lines, original = bare.split("\n"), text.split("\n")
    for match in _CYTHON_DEF.finditer(bare):
        statement, end = declaration(bare, match.start())
        name = re.search(r"(\w+)\s*\(", statement)
        if _CYTHON_NOT_FUNCTION.match(statement) or not statement.rstrip().endswith(":") or name is None:
            continue
        indent, first = len(match[1].expandtabs()), line_of(bare, match.start())
        header_end = line_of(bare, end - 1)
        last = header_end
        for number in range(header_end, len(lines)):
            line = lines[number]
            if line.strip() and len(line) - len(line.lstrip()) <= indent:
                break
            if original[number].strip():
                last = number + 1
        # A blanked docstring leaves empty lines where the original has text, comments excepted.
        blanked = [original[n].strip() for n in range(header_end, last) if not lines[n].strip()]
        docstring_lines = sum(1 for line in blanked if line and not line.startswith("#"))
        yield name[1], first, last - first + 1 - docstring_lines


def c_functions(text: str) -> Iterator[tuple[str, int, int]]:
    """Bodies that follow a parameter list, at file level or inside namespaces, classes and extern "C"."""
    bare = blank(blank(text, _C_TOKENS), _C_PREPROCESSOR)
    stack: list[str] = []
    statement_start, opened, name = 0, 0, ""
    for match in re.finditer(r"[{};]", bare):
        token, offset = match.group(), match.start()
        inside = "function" in stack or "data" in stack
        if token == "{":
            statement = bare[statement_start:offset]
            if inside:
                stack.append("block")
                continue
            called = re.search(r"(~?\w+)\s*\(.*\)[\w\s:&<>,*()-]*$", statement, re.S)
            if called and not re.search(r"=\s*$", statement):
                stack.append("function")
                opened = statement_start + len(statement) - len(statement.lstrip())
                name = re.search(r"(~?\w+)\s*\(", statement)[1]  # type: ignore[index]
            else:
                container = re.search(r"\b(namespace|class|struct|union|extern)\b", statement) and "=" not in statement
                stack.append("container" if container else "data")
        elif token == "}" and stack:
            kind = stack.pop()
            if kind == "function":
                first = line_of(bare, opened)
                yield name, first, line_of(bare, offset) - first + 1
        if not {"function", "data"} & set(stack):
            statement_start = offset + 1


# ---- single-line rules -----------------------------------------------------------------------------------------------


def check_nogil(tree: Tree) -> Iterator[Breach]:
    """Declarations inside `cdef extern` are noexcept by themselves in Cython 3 and are left alone."""
    for path, text in tree.having(CYTHON):
        bare = blank(text, _PYTHON_TOKENS)
        extern_indent = None
        offset = 0
        for line in bare.split("\n"):
            indent = len(line) - len(line.lstrip())
            if line.strip() and extern_indent is not None and indent <= extern_indent:
                extern_indent = None
            if re.match(r"\s*cdef\s+extern\b", line):
                extern_indent = indent
            elif extern_indent is None and re.match(r"\s*(cdef|cpdef|ctypedef)\b", line):
                statement, _ = declaration(bare, offset)
                tail = statement[statement.rfind(")") + 1 :]
                if ")" in statement and re.search(r"\bnogil\b", tail) and not re.search(r"\b(noexcept|except)\b", tail):
                    yield Breach(path, line_of(bare, offset), "bare nogil: say noexcept or except")
            offset += len(line) + 1


def check_money(tree: Tree) -> Iterator[Breach]:
    for path, text in tree.having(C_LIKE):
        if not MONEY_FILE.match(path):
            continue
        bare = blank(text, _C_TOKENS)
        excused = False
        for number, (line, original) in enumerate(zip(bare.split("\n"), text.split("\n"), strict=True), 1):
            excused = FLOAT_FACE in original.lower() or (excused and bool(original.strip()))
            word = re.search(r"\b(float|double)\b", line)
            if word and not excused:
                advice = f"mark the paragraph '{FLOAT_FACE}' where it is the boundary"
                yield Breach(path, number, f"{word[1]} in money arithmetic; {advice}")


def check_lines(tree: Tree) -> Iterator[Breach]:
    for path, text in tree.files.items():
        in_csrc, in_package = path.startswith("csrc/"), path.startswith(("csrc/", "neuraltrade/"))
        for number, line in enumerate(text.split("\n"), 1):
            if in_csrc and re.search(r'#\s*include\s*[<"](Python|numpy/\w+)\.h[>"]', line):
                yield Breach(path, number, "csrc knows nothing of Python: no Python.h, no NumPy headers")
            if in_package and Path(path).suffix in CODE and (word := UNFINISHED.search(line)):
                yield Breach(path, number, f"{word[1]}: finish it or leave it out")
            if place := MACHINE.search(line):
                yield Breach(path, number, f"{place.group()!r} belongs to one machine or registry")


def check_stubs(tree: Tree) -> Iterator[Breach]:
    for path, _ in tree.having({".pyx"}):
        if path.startswith("neuraltrade/") and f"{path[:-4]}.pyi" not in tree.files:
            yield Breach(path, 1, "no .pyi beside it")


CHECKS = (check_arrows, check_lengths, check_nogil, check_money, check_lines, check_stubs)


def breaches(root: Path) -> list[Breach]:
    """Every breach below `root`, by file and line."""
    tree = Tree.read(root)
    return sorted(breach for check in CHECKS for breach in check(tree))


def main(arguments: list[str]) -> int:
    if len(arguments) > 1 or any(a.startswith("-") for a in arguments):
        print(__doc__)
        return 2
    root = Path(arguments[0] if arguments else Path(__file__).parent.parent).resolve()
    found = breaches(root)
    for breach in found:
        print(breach)
    print(f"tidy: {len(found)} breach(es)" if found else "tidy: clean")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
