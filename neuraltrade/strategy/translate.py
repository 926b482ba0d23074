"""From the body of `on_bar` to one that numba compiles: `ctx.name` and `self.name` become calls of intrinsics.

The user's tree is rewritten, not printed: every node keeps the user's file and line, so numba's errors and exceptions
raised inside point there. What has no translation is refused here, by name, with what to write instead.
"""

from __future__ import annotations

import ast
import copy
import difflib
import numbers
import types
from typing import Any, TypeGuard

import numpy as np

from ..core.layouts import EVENT_CALLS
from ..core.settings import accepted
from ..errors import CompileError
from .handle import plain_handles
from .integers import exact
from .source import (
    SHARED_MATHEMATICS,
    SourceMissing,
    UserFunction,
    fold_power,
    is_missing,
    is_square,
    refuse_self_assignment,
    shared_name,
)
from .translate_calls import CTX, USER, ContextCalls
from .unbound import guarded, is_docstring
from .unit import Unit, is_numbers, one_type

_SCALARS = (
    "i",
    "bar",
    "slot",
    "ts_ns",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "position",
    "entry_price",
    "cash",
    "equity",
    *("bid", "bid_size", "ask", "ask_size", "mid", "last", "last_size", "aggressor"),
)
_NAMES = (*_SCALARS, "symbol", "state", "event")
_BUILTINS = {"int": "to_int", "min": "minimum", "max": "maximum", "round": "round_half_even"}
_PLAIN_BUILTINS = ("abs", "float", "bool", "len", "range", "enumerate", "zip")
_MATH_ROUTED = {"sqrt": "sqrt", "floor": "floor", "ceil": "ceil", "trunc": "to_int"}
_MATH_PLAIN = ("fabs", "isnan", "isinf", "isfinite", "copysign")
_OPERATORS = {
    ast.Add: "__nt_add",
    ast.Sub: "__nt_subtract",
    ast.Mult: "__nt_multiply",
    ast.Div: "__nt_true_divide",
    ast.RShift: "__nt_shift_right",
}
_REFUSED = {
    ast.Lambda: ("a lambda", "write a method"),
    ast.ListComp: ("a list comprehension", "write a loop, or build a tuple in init"),
    ast.SetComp: ("a set comprehension", "write a loop"),
    ast.DictComp: ("a dict comprehension", "write a loop"),
    ast.GeneratorExp: ("a generator expression", "write a loop"),
    ast.List: ("a list", "use a tuple, or ctx.state[k]"),
    ast.Dict: ("a dict", "use a tuple, or ctx.state[k]"),
    ast.Set: ("a set", "use a tuple"),
    ast.JoinedStr: ("an f-string", "give a literal text; numbers belong in confidence or ctx.state[k]"),
    ast.Try: ("try/except", "test the condition before"),
    ast.With: ("a with block", "do that work in init"),
    ast.FunctionDef: ("a nested function", "write a method"),
    ast.ClassDef: ("a class", "define it outside"),
    ast.Import: ("an import", "import at the head of the file"),
    ast.ImportFrom: ("an import", "import at the head of the file"),
    ast.Global: ("a global statement", "keep what changes in ctx.state[k]"),
    ast.Nonlocal: ("a nonlocal statement", "keep what changes in ctx.state[k]"),
    ast.Yield: ("yield", "on_bar is called anew each bar"),
    ast.YieldFrom: ("yield", "on_bar is called anew each bar"),
    ast.Await: ("await", "on_bar is a plain function"),
    ast.Starred: ("* unpacking", "name the values"),
    ast.NamedExpr: (":= inside an expression", "assign on a line of its own"),
    ast.Delete: ("del", "leave the name be"),
    ast.Match: ("a match statement", "use if / elif"),
    ast.Slice: ("a slice", "use an index"),
}


class Translator(ContextCalls):
    """Rewrites one function. `context_names` are its names for ctx; `self_name` its name for self, or None."""

    def __init__(self, unit: Unit, user: UserFunction, self_name: str | None, context_names: frozenset[str]) -> None:
        self.unit = unit
        self.user = user
        self.self_name = self_name
        self.context_names = context_names
        self.may_raise = False

    def visit(self, node: ast.AST) -> Any:
        """As usual; a statement that may raise is preceded by a note of its line, for the error's message."""
        if not isinstance(node, ast.stmt):
            return super().visit(node)
        outside, self.may_raise = self.may_raise, False
        made = super().visit(node)
        noted, self.may_raise = self.may_raise, outside
        return [self.note(node), *(made if isinstance(made, list) else [made])] if noted else made

    def note(self, node: ast.stmt) -> ast.stmt:
        line = ast.Constant(self.unit.place(self.user.file, node.lineno))
        return ast.copy_location(ast.Expr(self.plain_call("__nt_at", [ast.Name(USER, ast.Load()), line], node)), node)

    # ---- names

    def visit_Name(self, node: ast.Name) -> ast.AST:  # noqa: N802
        if node.id in self.context_names:
            self.user.fail(
                node, f"{node.id!r} on its own", f"use {node.id}.close, {node.id}.buy() and the like directly"
            )
        if node.id == self.self_name:
            self.user.fail(node, f"{node.id!r} on its own", f"use {node.id}.NAME")
        if isinstance(node.ctx, ast.Store) or node.id in self.user.locals:
            return node
        return self._constant(node, self.user.resolve(node.id), node.id)

    def _constant(self, node: ast.expr, value: Any, name: str) -> ast.expr:
        """A global or attribute of fixed value, in the generated code."""
        if is_missing(value):
            self.user.fail(node, f"the name {name!r}", "it is not defined; define it above the class, or in init")
        if isinstance(value, bool) or value is None or isinstance(value, str):
            return ast.copy_location(ast.Constant(value), node)
        if isinstance(value, np.number) and not isinstance(value, (np.float64, np.int64)):
            self.user.fail(node, f"{name}, a numpy.{type(value).__name__},", "write float(...) or int(...) around it")
        if isinstance(value, numbers.Integral):
            if not -(2**63) <= int(value) < 2**63:
                self.user.fail(node, f"{name} = {value}", "integers must fit in 64 bits")
            return ast.copy_location(ast.Constant(int(value)), node)
        if isinstance(value, numbers.Real):
            return self._load(self.unit.constant(float(value)), node)
        if is_numbers(value):
            return self._load(self.unit.constant(one_type(value)), node)
        return self.user.fail(
            node, f"{name}, a {type(value).__name__},", "use numbers, tuples of numbers, or indicators made in init"
        )

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:  # noqa: N802
        if isinstance(node.value, ast.Name):
            if node.value.id in self.context_names:
                return self._context_attribute(node)
            if node.value.id == self.self_name:
                return self._self_attribute(node)
        if (line := self._line_of(node)) is not None:
            return self._load(self.unit.constant(line), node)
        if self.is_context_call(node.value, "ago"):
            return self.ago_field(node)
        value = self.user.constant(node)
        if not is_missing(value):
            return self._constant(node, value, ast.unparse(node))
        self.generic_visit(node)
        if node.attr not in ("ts_ns", "open", "high", "low", "close", "volume"):
            self.user.fail(
                node,
                f"the attribute .{node.attr}",
                "only ctx, self, math and constants of modules have attributes here",
            )
        return node

    def _context_attribute(self, node: ast.Attribute) -> ast.expr:
        if node.attr == "slot":
            first = self.call("__nt_parameter_int", [ast.Constant(self.unit.first_slot())], node)
            return ast.copy_location(ast.BinOp(self.call("__nt_slot", [], node), ast.Sub(), first), node)
        if node.attr in _SCALARS:
            return self.call(f"__nt_{node.attr}", [], node)
        if node.attr == "symbol":
            self.user.fail(node, "ctx.symbol", 'compare it with a literal (ctx.symbol == "AAPL"), or use ctx.slot')
        if node.attr == "event":
            self.user.fail(node, "ctx.event on its own", 'compare it with a literal (ctx.event == "quote")')
        if node.attr == "state":
            self.user.fail(node, "ctx.state on its own", "index it: ctx.state[k]")
        return self.user.fail(node, f"ctx.{node.attr}", self.nearest(node.attr, _NAMES))

    def _self_attribute(self, node: ast.Attribute) -> ast.expr:
        found = self.unit.attributes.get(node.attr)
        if found is None:
            close = difflib.get_close_matches(node.attr, self.unit.attributes, 1)
            hint = f"did you mean self.{close[0]}?" if close else "set it in init"
            self.user.fail(node, f"self.{node.attr}, which is not set,", hint)
        kind, value = found
        if kind == "none":
            self.user.fail(node, f"self.{node.attr}", value)
        if kind == "handle":
            return self._load(self.unit.constant(plain_handles(value)), node)
        if kind == "constant":
            return self._constant(node, value, f"self.{node.attr}")
        return self.call(f"__nt_parameter_{kind}", [ast.Constant(value)], node)

    def _is_handle(self, node: ast.expr) -> TypeGuard[ast.Attribute]:
        if not (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)):
            return False
        return node.value.id == self.self_name and self.unit.attributes.get(node.attr, ("",))[0] == "handle"

    def _line_of(self, node: ast.expr) -> Any:
        """The handle that `self.NAME.LINE` means, of an indicator of several lines; None for anything else."""
        if not (isinstance(node, ast.Attribute) and self._is_handle(node.value)):
            return None
        lines = self.unit.lines(node.value.attr)
        if node.attr not in lines:
            self.user.fail(node, ast.unparse(node), f"its lines are {', '.join(lines) or 'not named: it has one'}")
        return lines[node.attr]

    # ---- operators

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:  # noqa: N802
        folded = fold_power(node) if isinstance(node.op, ast.Pow) else None
        if folded is not None:
            return folded
        self._no_handle(node.left, node.right)
        left, right = self.visit(node.left), self.visit(node.right)
        if isinstance(node.op, ast.Pow):
            if is_square(node):
                return self.plain_call("__nt_square", [left], node)
            return self.call("__nt_pow", [left, right], node)
        routed = _OPERATORS.get(type(node.op))
        if routed is not None:
            return self.plain_call(routed, [left, right], node)
        self.may_raise |= isinstance(node.op, (ast.FloorDiv, ast.Mod))
        if isinstance(node.op, ast.MatMult):
            self.user.fail(node, "the operator @", "write the sum out")
        if isinstance(node.op, ast.LShift):
            self.user.fail(node, "the operator <<", "multiply by a power of two")
        node.left, node.right = left, right
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:  # noqa: N802
        if len(node.ops) == 1 and isinstance(node.ops[0], (ast.In, ast.NotIn)):
            return self._membership(node, node.comparators[0])
        sides = [node.left, *node.comparators]
        if any(self.is_context(s, "symbol") for s in sides):
            return self.symbol_test(node, sides)
        if any(self.is_context(s, "event") for s in sides):
            return self.event_test(node, sides)
        self._no_handle(*sides)
        self.generic_visit(node)
        texts = [
            s.value for s in (node.left, *node.comparators) if isinstance(s, ast.Constant) and isinstance(s.value, str)
        ]
        if len(texts) == 2 and len(node.ops) == 1 and isinstance(node.ops[0], (ast.Eq, ast.NotEq)):
            equal = texts[0] == texts[1]
            return ast.copy_location(ast.Constant(equal if isinstance(node.ops[0], ast.Eq) else not equal), node)
        return node

    def _membership(self, node: ast.Compare, among: ast.expr) -> ast.expr:
        """`x in (a, b)` as `x == a or x == b` where x is a name; else a loop over the tuple."""
        if (
            isinstance(among, ast.Tuple)
            and isinstance(node.left, (ast.Name, ast.Attribute, ast.Constant))
            and among.elts
        ):
            tests = [ast.Compare(copy.deepcopy(node.left), [ast.Eq()], [element]) for element in among.elts]
            visited = [self.visit(ast.copy_location(test, node)) for test in tests]
            found = visited[0] if len(visited) == 1 else ast.BoolOp(ast.Or(), visited)
        else:
            found = self.plain_call("__nt_among", [self.visit(node.left), self.visit(among)], node)
        answer = ast.UnaryOp(ast.Not(), found) if isinstance(node.ops[0], ast.NotIn) else found
        return ast.fix_missing_locations(ast.copy_location(answer, node))

    def _no_handle(self, *nodes: ast.expr) -> None:
        for node in nodes:
            if self._is_handle(node) or self._line_of(node) is not None:
                named = ast.unparse(node)
                self.user.fail(node, f"{named}, an indicator, as a number", f"use ctx.value({named})")

    # ---- statements

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:  # noqa: N802
        if node.value is None:
            return ast.copy_location(ast.Pass(), node)
        return self.visit_Assign(ast.copy_location(ast.Assign([node.target], node.value), node))

    def visit_Assign(self, node: ast.Assign) -> ast.AST:  # noqa: N802
        if any(self.is_state(t) for t in node.targets):
            if len(node.targets) != 1:
                self.user.fail(node, "assigning ctx.state[k] in a chain", "assign one at a time")
            return self.state_store(node.targets[0], self.visit(node.value), node)
        target = node.targets[0]
        if isinstance(target, ast.Tuple) and any(self.is_state(t) for t in target.elts):
            return self._unpack_to_state(node, target)
        self._check_targets(node.targets, node)
        node.value = self.visit(node.value)
        return node

    def _unpack_to_state(self, node: ast.Assign, target: ast.Tuple) -> Any:
        """`ctx.state[0], x = a, b`: into names first, then each where it belongs, left to right."""
        parts = [f"__nt_part_{k}" for k in range(len(target.elts))]
        first = ast.Tuple([ast.Name(p, ast.Store()) for p in parts], ast.Store())
        made: list[ast.stmt] = [ast.Assign([first], self.visit(node.value))]
        for part, to in zip(parts, target.elts, strict=True):
            value = self._load(part, node)
            if self.is_state(to):
                made.append(self.state_store(to, value, node))
            else:
                self._check_targets([to], node)
                made.append(ast.Assign([to], value))
        return [ast.fix_missing_locations(ast.copy_location(statement, node)) for statement in made]

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:  # noqa: N802
        loaded = ast.parse(ast.unparse(node.target), mode="eval").body
        for child in ast.walk(loaded):
            ast.copy_location(child, node)
        if not self.is_state(node.target):
            self._check_targets([node.target], node)
        combined = self.visit(ast.copy_location(ast.BinOp(loaded, node.op, node.value), node))
        if self.is_state(node.target):
            return self.state_store(node.target, combined, node)
        return ast.copy_location(ast.Assign([node.target], combined), node)

    def _check_targets(self, targets: list[ast.expr], at: ast.AST) -> None:
        for target in targets:
            parts = list(target.elts) if isinstance(target, (ast.Tuple, ast.List)) else [target]
            for part in parts:
                if not isinstance(part, ast.Name):
                    self.user.fail(at, f"assigning to {ast.unparse(part)}", "assign to a name or to ctx.state[k]")
                if part.id in self.context_names or part.id == self.self_name:
                    self.user.fail(at, f"assigning to {part.id}", "choose another name")

    def visit_For(self, node: ast.For) -> ast.AST:  # noqa: N802
        self._check_targets([node.target], node)
        self.generic_visit(node)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:  # noqa: N802
        if self.is_state(node):
            return self.call("__nt_state_get", [self.visit(node.slice)], node)
        self.may_raise = True
        self.generic_visit(node)
        return node

    def visit_Raise(self, node: ast.Raise) -> ast.AST:  # noqa: N802
        """`raise ValueError("text")` compiles as it stands: the class by name, its arguments constants."""
        made = node.exc
        name = made.func if isinstance(made, ast.Call) else made
        error = self.user.constant(name) if name is not None else None
        literal = not isinstance(made, ast.Call) or (
            not made.keywords and all(isinstance(a, ast.Constant) for a in made.args)
        )
        if not (isinstance(error, type) and issubclass(error, Exception)) or not literal or node.cause is not None:
            self.user.fail(node, "this raise", 'write raise ValueError("a literal text")')
        self.may_raise = True
        kind = self._load(self.unit.constant(error), node)
        node.exc = ast.copy_location(ast.Call(kind, made.args, []), node) if isinstance(made, ast.Call) else kind
        return node

    def visit_Assert(self, node: ast.Assert) -> ast.AST:  # noqa: N802
        if node.msg is not None and not isinstance(node.msg, ast.Constant):
            self.user.fail(node, "this assert", "give it a literal text")
        self.may_raise = True
        node.test = self.visit(node.test)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:  # noqa: N802
        function = node.func
        if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
            if function.value.id in self.context_names:
                return self.context_call(node, function.attr)
            if function.value.id == self.self_name:
                return self._method_call(node, function.attr)
        target = self.user.constant(function)
        if is_missing(target):
            self.user.fail(
                node,
                f"calling {ast.unparse(function)}",
                "call methods of ctx and self, math functions, or functions of the module",
            )
        return self._known_call(node, target, ast.unparse(function))

    def generic_visit(self, node: ast.AST) -> ast.AST:
        refused = _REFUSED.get(type(node))
        if refused is not None:
            self.user.fail(node, *refused)
        return super().generic_visit(node)

    # ---- calls of functions

    def _known_call(self, node: ast.Call, target: Any, name: str) -> ast.expr:
        if target is accepted:
            arguments = self._arguments(node, name, 1)
            return ast.copy_location(ast.Compare(arguments[0], [ast.Gt()], [ast.Constant(0)]), node)
        if isinstance(target, types.FunctionType):
            return self._function_call(node, target, name)
        shared = shared_name(target)
        if shared is not None:
            return self.call(f"__nt_{shared}", self._arguments(node, name, 2 if shared == "pow" else 1), node)
        if getattr(target, "__module__", None) == "builtins":
            return self._builtin_call(node, getattr(target, "__name__", ""))
        return self._mathematics_call(node, target, name)

    def _mathematics_call(self, node: ast.Call, target: Any, name: str) -> ast.expr:
        plain = getattr(target, "__name__", "")
        of_numpy = type(target).__name__ == "ufunc" and plain in ("isnan", "isinf", "isfinite")
        if getattr(target, "__module__", None) == "math" or of_numpy:
            if plain in _MATH_ROUTED:
                return self.plain_call(f"__nt_{_MATH_ROUTED[plain]}", self._arguments(node, name, 1), node)
            if plain in _MATH_PLAIN:
                arguments = self._arguments(node, name, 2 if plain == "copysign" else 1)
                return self.plain_call(f"__nt_math_{plain}", arguments, node)
        known = ", ".join((*_MATH_ROUTED, *_MATH_PLAIN, *SHARED_MATHEMATICS, "pow"))
        return self.user.fail(
            node, f"calling {name}", f"of math, these compile: {known}; whole-array work belongs in init"
        )

    def _builtin_call(self, node: ast.Call, name: str) -> ast.expr:
        if name in ("min", "max") and len(node.args) >= 2:
            folded, *rest = self._arguments(node, name, None)
            for argument in rest:
                folded = self.plain_call(f"__nt_{_BUILTINS[name]}", [folded, argument], node)
            return folded
        if name in ("int", "round"):
            if len(node.args) != 1:
                self.user.fail(
                    node, f"{name} with {len(node.args)} arguments", "scale, round to an integer, and scale back"
                )
            return self.plain_call(f"__nt_{_BUILTINS[name]}", self._arguments(node, name, 1), node)
        if name in _PLAIN_BUILTINS:
            node.args = self._arguments(node, name, None)
            return node
        known = ", ".join((*_PLAIN_BUILTINS, *_BUILTINS))
        return self.user.fail(
            node,
            f"calling {name}",
            f"of the built-ins, these compile: {known} (min and max with two or more arguments)",
        )

    def _arguments(self, node: ast.Call, name: str, count: int | None) -> list[ast.expr]:
        if node.keywords or (count is not None and len(node.args) != count):
            self.user.fail(
                node, f"this call of {name}", f"give {'its arguments' if count is None else count} by position"
            )
        return [self.visit(a) for a in node.args]

    def _method_call(self, node: ast.Call, name: str) -> ast.expr:
        method = self.unit.methods.get(name)
        if method is None or name in ("init", *EVENT_CALLS):
            self.user.fail(node, f"calling self.{name}", "define it as a plain method of the strategy")
        return self._function_call(node, method, f"self.{name}", bound=True)

    def _function_call(self, node: ast.Call, function: Any, name: str, bound: bool = False) -> ast.expr:
        """A call of the user's own function or method: it is translated along; ctx goes first and unnamed."""
        code = function.__code__
        names = code.co_varnames[: code.co_argcount]
        self_name, names = (names[0], names[1:]) if bound else (None, names)
        variadic = code.co_flags & 0x0C or code.co_kwonlyargcount
        if variadic or node.keywords or len(node.args) != len(names) or function.__defaults__:
            self.user.fail(
                node, f"this call of {name}", "functions called here take plain positional arguments, all of them given"
            )
        is_context = [isinstance(a, ast.Name) and a.id in self.context_names for a in node.args]
        context_names = frozenset(n for n, c in zip(names, is_context, strict=True) if c)
        generated = translate_function(self.unit, function, name, self_name, context_names, self.user, node)
        arguments = [self.visit(a) for a, c in zip(node.args, is_context, strict=True) if not c]
        return self.plain_call(generated, [ast.Name(CTX, ast.Load()), ast.Name(USER, ast.Load()), *arguments], node)


def translate_function(
    unit: Unit, function: Any, label: str, self_name: str | None, context_names: frozenset[str],
    caller: UserFunction | None = None, call: ast.AST | None = None,
) -> str:  # fmt: skip
    """Add `function` to `unit`, once per set of context arguments; returns its name there."""
    key = (function, context_names)
    if key in unit.functions:
        name = unit.functions[key]
        if name not in unit.trees and caller is not None and call is not None:
            caller.fail(call, f"recursion through {label}", "write a loop")
        return name
    name = f"__nt_user_{len(unit.functions)}_{function.__name__}"
    unit.functions[key] = name
    try:
        user = UserFunction(function, label)
    except SourceMissing as error:
        raise CompileError(
            f"the source of {label} is not available, so it cannot be compiled; put it in a file ({error})"
        ) from None
    refuse_self_assignment(user, self_name, CompileError)
    translator = Translator(unit, user, self_name, context_names)
    tree = user.node
    made = [translator.visit(s) for s in tree.body if not is_docstring(s)]
    body = [s for m in made for s in (m if isinstance(m, list) else [m])] or [ast.Pass()]
    tree.body = guarded(exact(body), [a.arg for a in tree.args.args], translator.note)
    kept = [a for a in tree.args.args if a.arg not in context_names and a.arg != self_name]
    for argument in kept:
        argument.annotation = None
    tree.args = ast.arguments([], [ast.arg(CTX), ast.arg(USER), *kept], None, [], [], None, [])
    tree.returns, tree.name = None, name
    unit.trees[name], unit.files[name] = ast.fix_missing_locations(tree), user.file
    return name
