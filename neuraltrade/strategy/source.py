"""The source of a strategy's functions: found, parsed, with the user's own file and lines, and what its names mean."""

from __future__ import annotations

import ast
import builtins
import inspect
import textwrap
import types
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NoReturn

from ..errors import CompileError, InputError

# Functions that go through one shared C implementation in both modes, by every name users know them under.
SHARED_MATHEMATICS = ("exp", "log", "sin", "cos", "tan", "tanh")
_MISSING = object()


class SourceMissing(Exception):
    """Python cannot show the source: typed into a bare interpreter, or made by exec."""


@lru_cache(maxsize=256)
def _lines_of(code: types.CodeType) -> tuple[tuple[str, ...], int]:
    """The source lines of a function and the number of the first. Python looks for them anew each time: 0.5 ms."""
    lines, first = inspect.getsourcelines(code)
    return tuple(lines), first


class UserFunction:
    """One function of the user: its tree with the file's own line numbers, and the scope its names resolve in."""

    def __init__(self, function: Any, label: str) -> None:
        self.function = inspect.unwrap(function)
        self.label = label
        code = self.function.__code__
        self.file = code.co_filename
        try:
            lines, first = _lines_of(code)
        except (OSError, TypeError) as error:
            raise SourceMissing(f"{label}: {error}") from error
        text = textwrap.dedent("".join(lines))
        indent = len(lines[0]) - len(lines[0].lstrip())
        try:
            node = ast.parse(text).body[0]
        except SyntaxError as error:  # a lambda inside a larger expression
            raise SourceMissing(f"{label}: {error}") from error
        if not isinstance(node, ast.FunctionDef):
            raise SourceMissing(f"{label} is not a plain function (def)")
        for child in ast.walk(node):
            if hasattr(child, "lineno"):
                child.lineno += first - 1
                child.end_lineno += first - 1  # type: ignore[attr-defined]
                child.col_offset += indent  # type: ignore[attr-defined]
                child.end_col_offset += indent  # type: ignore[attr-defined]
        node.decorator_list = []
        self.node = node
        self.locals = frozenset(code.co_varnames) | frozenset(code.co_cellvars)
        self.cells = dict(zip(code.co_freevars, self.function.__closure__ or (), strict=True))

    def resolve(self, name: str) -> Any:
        """What a global, enclosing or built-in name stands for now; `missing` where nothing does or it is local."""
        if name in self.locals:
            return _MISSING
        if name in self.cells:
            try:
                return self.cells[name].cell_contents
            except ValueError:
                return _MISSING
        return self.function.__globals__.get(name, getattr(builtins, name, _MISSING))

    def constant(self, node: ast.AST) -> Any:
        """Value of a dotted name that starts at a global (`math.pi`, `nt.Denial.LOT`), else `missing`."""
        if isinstance(node, ast.Name):
            return self.resolve(node.id)
        if isinstance(node, ast.Attribute):
            owner = self.constant(node.value)
            if owner is _MISSING or not isinstance(owner, (types.ModuleType, type)):
                return _MISSING
            return getattr(owner, node.attr, _MISSING)
        return _MISSING

    def where(self, node: ast.AST) -> str:
        return f"{self.file}:{getattr(node, 'lineno', self.node.lineno)}"

    def fail(self, node: ast.AST, construct: str, instead: str) -> NoReturn:
        """Raise CompileError naming the user's line, the construct, and what to write instead."""
        raise CompileError(f"{self.where(node)}: {construct} in {self.label} cannot be compiled; {instead}")


def too_deep(function: Any, label: str) -> CompileError:
    """What to say where branches nest deeper than Python follows; it follows an elif into the if before it."""
    user = UserFunction(function, label)
    last = max((node for node in ast.walk(user.node) if isinstance(node, ast.If)), key=lambda node: node.lineno)
    return CompileError(
        f"{user.where(last)}: {label} nests its branches too deeply, and each elif counts as one more; "
        f"return from each `if` of a chain, or look the answer up in an indicator column"
    )


def is_missing(value: Any) -> bool:
    return value is _MISSING


def shared_name(value: Any) -> str | None:
    """The shared function that a callable of `math` or `numpy` must go through, if it is one of them."""
    name = getattr(value, "__name__", None)
    if value is pow or name in ("pow", "power", "float_power"):
        module = getattr(value, "__module__", None)
        return "pow" if value is pow or module == "math" or type(value).__name__ == "ufunc" else None
    if name in SHARED_MATHEMATICS and (getattr(value, "__module__", None) == "math" or type(value).__name__ == "ufunc"):
        return str(name)
    return None


def assignments(node: ast.AST) -> Iterator[ast.expr]:
    """Every expression that is stored to, below `node`, tuples taken apart."""
    for child in ast.walk(node):
        targets: list[ast.expr] = []
        if isinstance(child, (ast.Assign, ast.Delete)):
            targets = list(child.targets)
        elif isinstance(child, (ast.AugAssign, ast.AnnAssign, ast.For, ast.AsyncFor, ast.NamedExpr)):
            targets = [child.target]
        elif isinstance(child, ast.withitem) and child.optional_vars is not None:
            targets = [child.optional_vars]
        while targets:
            target = targets.pop()
            if isinstance(target, (ast.Tuple, ast.List)):
                targets.extend(target.elts)
            elif isinstance(target, ast.Starred):
                targets.append(target.value)
            else:
                yield target


def refuse_self_assignment(user: UserFunction, self_name: str | None, error: type[Exception] = InputError) -> None:
    """Raise `error` with the user's line where `self.x = ...`, `self.x[k] = ...` or `del self.x` stands."""
    if self_name is None:
        return
    for target in assignments(user.node):
        base = target
        while isinstance(base, (ast.Attribute, ast.Subscript)):
            inner = base.value
            if isinstance(base, ast.Attribute) and isinstance(inner, ast.Name) and inner.id == self_name:
                raise error(
                    f"{user.where(target)}: self.{base.attr} is assigned in {user.label}: "
                    "a strategy may not change itself while bars run; keep what changes in ctx.state[k]"
                )
            base = inner


def fold_power(node: ast.BinOp) -> ast.Constant | None:
    """`10**9` as the constant it is; None where it is not one of non-negative integers that fits in 64 bits."""
    left, right = node.left, node.right
    if not (isinstance(left, ast.Constant) and isinstance(right, ast.Constant)):
        return None
    base, exponent = left.value, right.value
    if type(base) is int and type(exponent) is int and 0 <= exponent < 64 and abs(base) ** exponent < 2**63:
        return ast.copy_location(ast.Constant(base**exponent), node)
    return None


def is_square(node: ast.BinOp) -> bool:
    """`x**2`, which is x * x in both modes."""
    return isinstance(node.right, ast.Constant) and type(node.right.value) is int and node.right.value == 2
