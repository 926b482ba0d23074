"""A local name that is read before it has a value raises in compiled code as it does in Python.

numba gives such a name zero. Where a read may come first, a flag beside the name tells whether it has been assigned.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable

_HAS = "__nt_has_"
_Names = frozenset[str] | None  # names assigned for certain; None where the flow never arrives


def _meet(a: _Names, b: _Names) -> _Names:
    return b if a is None else a if b is None else a & b


def _stored(target: ast.expr) -> list[str]:
    return [node.id for node in ast.walk(target) if isinstance(node, ast.Name)]


class _Flow:
    """Follows a body and keeps, of each read of a local name that may come before its value, the node."""

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names
        self.early: set[ast.Name] = set()
        self.breaks: list[_Names] = []

    def read(self, node: ast.AST | None, assigned: frozenset[str]) -> None:
        for child in ast.walk(node) if node is not None else ():
            if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Load) and child.id in self.names - assigned:
                self.early.add(child)

    def block(self, body: Iterable[ast.stmt], assigned: _Names) -> _Names:
        for statement in body:
            if assigned is None:
                return None
            assigned = self.statement(statement, assigned)
        return assigned

    def statement(self, node: ast.stmt, assigned: frozenset[str]) -> _Names:
        if isinstance(node, ast.If):
            self.read(node.test, assigned)
            return _meet(self.block(node.body, assigned), self.block(node.orelse, assigned))
        if isinstance(node, (ast.For, ast.While)):
            return self._loop(node, assigned)
        if isinstance(node, ast.Break):
            self.breaks.append(assigned)
        self.read(node, assigned)
        if isinstance(node, (ast.Break, ast.Continue, ast.Return, ast.Raise)):
            return None
        stored = [name for target in node.targets for name in _stored(target)] if isinstance(node, ast.Assign) else []
        return assigned | frozenset(stored)

    def _loop(self, node: ast.For | ast.While, assigned: frozenset[str]) -> _Names:
        outside, self.breaks = self.breaks, []
        self.read(node.iter if isinstance(node, ast.For) else node.test, assigned)
        taken = frozenset(_stored(node.target)) if isinstance(node, ast.For) else frozenset()
        self.block(node.body, assigned | taken)
        endless = isinstance(node, ast.While) and isinstance(node.test, ast.Constant) and bool(node.test.value)
        after = self.block(node.orelse, None if endless else assigned)
        for left in self.breaks:
            after = _meet(after, left)
        self.breaks = outside
        return after


class _Flags(ast.NodeTransformer):
    """Sets a name's flag behind each assignment, and asks it at each early read."""

    def __init__(self, early: set[ast.Name], note: Callable[[ast.stmt], ast.stmt]) -> None:
        self.early, self.note = early, note
        self.flagged = {node.id for node in early}

    def flags(self, names: Iterable[str], value: bool) -> list[ast.stmt]:
        return [ast.Assign([ast.Name(_HAS + name, ast.Store())], ast.Constant(value)) for name in names]

    def visit(self, node: ast.AST) -> ast.AST | list[ast.AST]:
        if isinstance(node, ast.Name):
            if node not in self.early:
                return node
            has = ast.Name(_HAS + node.id, ast.Load())
            return ast.copy_location(ast.Call(ast.Name("__nt_bound", ast.Load()), [has, node], []), node)
        if not isinstance(node, ast.stmt):
            return super().generic_visit(node)
        own = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
        reads = any(part in self.early for child in own for part in ast.walk(child))
        stores = []
        if isinstance(node, ast.Assign):
            stores = sorted({name for target in node.targets for name in _stored(target)} & self.flagged)
        super().generic_visit(node)
        if isinstance(node, ast.For):
            node.body[:0] = self.flags(sorted(set(_stored(node.target)) & self.flagged), True)
        made = [*([self.note(node)] if reads else []), node, *self.flags(stores, True)]
        return [ast.copy_location(statement, node) for statement in made]


def guarded(body: list[ast.stmt], given: Iterable[str], note: Callable[[ast.stmt], ast.stmt]) -> list[ast.stmt]:
    """The translated `body` with checks where a name may be read early; as it is where none may.

    given : names that have a value from the start. note : makes the statement that tells the line of another.
    """
    stored: set[str] = set()
    for node in (child for statement in body for child in ast.walk(statement)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            stored.add(node.id)
    flow = _Flow(frozenset(stored - set(given)))
    flow.block(body, frozenset())
    if not flow.early:
        return body
    flags = _Flags(flow.early, note)
    made: list[ast.stmt] = []
    for statement in body:
        found = flags.visit(statement)
        made.extend(found if isinstance(found, list) else [found])  # type: ignore[arg-type, list-item]
    return [*(ast.copy_location(one, body[0]) for one in flags.flags(sorted(flags.flagged), False)), *made]


def is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
