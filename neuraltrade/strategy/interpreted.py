"""Interpreted strategies: the user's own function, except that powers and transcendental functions take the shared C
implementation, so that a compiled run decides alike. Files and lines stay the user's: tracebacks, breakpoints work."""

from __future__ import annotations

import ast
import types
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from ..ports import SIMILAR_DTYPE
from . import shared_math
from .source import (
    SourceMissing,
    UserFunction,
    fold_power,
    is_missing,
    is_square,
    refuse_self_assignment,
    shared_name,
    too_deep,
)

_PREFIX = "__nt_"
_OPEN = object()  # where functions that are being routed stand among those that have been: each with its twin's cell


def plain(value: Any) -> Any:
    """A numpy scalar, or a tuple or list with some, as Python numbers; anything else as it is."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (tuple, list)) and any(isinstance(v, np.generic) for v in value):
        return type(value)(plain(v) for v in value)
    return value


class Rewriter(ast.NodeTransformer):
    """Routes `**` and math functions through shared_math; collects the user's own helpers that need the same."""

    def __init__(self, user: UserFunction, owner: type, done: dict[Any, Any]) -> None:
        self.user = user
        self.owner = owner
        self.done = done
        self.open: dict[Any, types.CellType] = done.setdefault(_OPEN, {})
        self.injected: dict[str, Any] = {}

    def _shared(self, name: str, arguments: list[ast.expr], at: ast.AST) -> ast.Call:
        self.injected[_PREFIX + name] = getattr(shared_math, name)
        function = ast.copy_location(ast.Name(_PREFIX + name, ast.Load()), at)
        return ast.copy_location(ast.Call(function, arguments, []), at)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.op, ast.Pow):
            return node
        folded = fold_power(node)
        if folded is not None:
            return folded
        return (
            self._shared("square", [node.left], node)
            if is_square(node)
            else self._shared("pow", [node.left, node.right], node)
        )

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.op, ast.Pow):
            return node
        loaded = ast.parse(ast.unparse(node.target), mode="eval").body
        for child in ast.walk(loaded):
            ast.copy_location(child, node)
        power = ast.copy_location(ast.BinOp(loaded, ast.Pow(), node.value), node)
        return ast.copy_location(ast.Assign([node.target], self.visit_BinOp(power)), node)  # type: ignore[arg-type]

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        """`hit["outcome"]` as a Python number: numpy's would divide by zero without an error."""
        self.generic_visit(node)
        name = node.slice.value if isinstance(node.slice, ast.Constant) else None
        if not isinstance(node.ctx, ast.Load) or name not in (SIMILAR_DTYPE.names or ()):
            return node
        self.injected[_PREFIX + "plain"] = plain
        function = ast.copy_location(ast.Name(_PREFIX + "plain", ast.Load()), node)
        return ast.copy_location(ast.Call(function, [node], []), node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        target = self.user.constant(node.func)
        if is_missing(target):
            return node
        name = shared_name(target)
        if name is not None and not node.keywords and len(node.args) == (2 if name == "pow" else 1):
            return self._shared(name, node.args, node)
        if isinstance(target, types.FunctionType) and not target.__module__.startswith("neuraltrade"):
            routed = route(target, self.owner, self.done)
            if target in self.open:  # it calls itself, on whatever way: its twin, once there is one
                routed = self.open[target]
            if routed is not target:
                injected = f"{_PREFIX}{len(self.injected)}_{target.__name__}"
                self.injected[injected] = routed
                node.func = ast.copy_location(ast.Name(injected, ast.Load()), node.func)
        return node


def route(function: Any, owner: type, done: dict[Any, Any], self_name: str | None = None) -> Any:
    """`function` itself where nothing in it differs between the modes, else a twin with the shared functions."""
    if function in done:
        return done[function]
    done[function] = function
    try:
        user = UserFunction(function, getattr(function, "__qualname__", "function"))
    except SourceMissing:
        return function
    refuse_self_assignment(user, self_name)
    rewriter = Rewriter(user, owner, done)
    own = rewriter.open[function] = types.CellType()
    try:
        tree = rewriter.visit(user.node)
        changed = any(value is not own for value in rewriter.injected.values())
        code = twin_code(user, tree, rewriter.injected) if changed else None
    except RecursionError:
        raise too_deep(function, user.label) from None
    finally:
        del rewriter.open[function]
    if code is not None:
        done[function] = function_of(user.function, code, rewriter.injected)
    own.cell_contents = done[function]
    return done[function]


def twin_code(
    user: UserFunction, tree: ast.FunctionDef, injected: Iterable[str], imported: Iterable[str] = ()
) -> types.CodeType:
    """The code of `tree` as a function of the user's file, the injected names as further cells.

    imported : names that its module imports; Python compiles calls of their attributes otherwise.
    """
    original = user.function
    names = [*original.__code__.co_freevars, *injected]
    name, tree.name = tree.name, _PREFIX + "twin"  # what calls itself by name means a global
    imports = "".join(f"import {each}\n" for each in imported)
    outer = ast.parse(f"{imports}def outer({', '.join(names)}):\n    pass\n    return {tree.name}")
    definition = outer.body[-1]
    assert isinstance(definition, ast.FunctionDef)
    tree.args.defaults, tree.args.kw_defaults = [], [None] * len(tree.args.kwonlyargs)
    definition.body[0] = tree
    ast.fix_missing_locations(outer)
    try:
        module = compile(outer, user.file, "exec")
        outer_code = next(c for c in module.co_consts if isinstance(c, types.CodeType))
        code = next(c for c in outer_code.co_consts if isinstance(c, types.CodeType) and c.co_name == tree.name)
    finally:
        tree.name = name
    return code.replace(co_name=name, co_qualname=original.__code__.co_qualname)


def function_of(original: types.FunctionType, code: types.CodeType, injected: Mapping[str, Any]) -> Any:
    """A function of that code with the globals, defaults and closure of `original`."""
    cells = dict(zip(original.__code__.co_freevars, original.__closure__ or (), strict=True))
    cells |= {
        name: value if isinstance(value, types.CellType) else types.CellType(value) for name, value in injected.items()
    }
    twin = types.FunctionType(
        code,
        original.__globals__,
        original.__name__,
        original.__defaults__,
        tuple(cells[name] for name in code.co_freevars),
    )
    twin.__kwdefaults__ = original.__kwdefaults__
    twin.__doc__ = original.__doc__
    return twin


def bind(strategy: Any, entries: tuple[str, ...] = ("on_bar",)) -> Callable[[Any], Any]:
    """`strategy.on_bar`, or what `entries` names, ready to run; the first is returned.

    Methods they reach are routed on this instance as well.

    Raises InputError, with the user's line, where on_bar or a method it calls assigns to self.
    """
    cls = type(strategy)
    done: dict[Any, Any] = {}
    entered = set(entries).union(*(_called(cls, entry) for entry in entries))
    for name, function in own_methods(cls).items():
        if name in ("init", "__init__"):
            continue
        self_name = function.__code__.co_varnames[0] if function.__code__.co_argcount else None
        routed = route(function, cls, done, self_name if name in entered else None)
        if routed is not function:
            object.__setattr__(strategy, name, types.MethodType(routed, strategy))
    made: Callable[[Any], Any] = getattr(strategy, entries[0])
    return made


def own_methods(cls: type) -> dict[str, Any]:
    """Plain methods of the user's classes, the nearest in the method resolution order."""
    found: dict[str, Any] = {}
    for owner in cls.__mro__:
        if owner.__module__ in ("builtins", "neuraltrade.strategy.base"):
            continue
        for name, value in owner.__dict__.items():
            if isinstance(value, types.FunctionType):
                found.setdefault(name, value)
    return found


def _called(cls: type, start: str) -> set[str]:
    """Names of methods that `start` reaches by name: co_names over-approximates, which only refuses more
    assignments."""
    methods, reached, open_ = own_methods(cls), set(), [start]
    while open_:
        function = methods.get(open_.pop())
        for name in function.__code__.co_names if function is not None else ():
            if name in methods and name not in reached and name not in ("init", "__init__"):
                reached.add(name)
                open_.append(name)
    return reached
