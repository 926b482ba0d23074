"""`on_bar` as a body that stays: one generator for the run, resumed at each bar, instead of a function entered anew.

Entering a Python function costs more than a test of two indicators. The twin made here is the user's body inside

    def on_bar(self, ctx):
        while True:
            yield
            ...                     `return` has become `continue`

and where both sides of a test are known before the run (`ctx.crossed_above(self.f, self.s)`, `ctx.position == 0`,
`ctx.value(self.rsi) < 30`) the test is a `Condition`, which answers without a call. File, lines and names stay the
user's: tracebacks, breakpoints, profilers and coverage see `on_bar` called once a bar. A local is unbound again before
the next bar, unless the body begins by assigning it. What is out of the ordinary is called as it is written: `Unfit`.
"""

from __future__ import annotations

import ast
import inspect
import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..core.conditions import COLUMNS, FIELDS, Condition
from ..core.engine import Context, IndicatorHandle
from .interpreted import Rewriter, function_of, twin_code
from .source import SourceMissing, UserFunction, assignments, missing

Side = tuple[str, "str | float"]
Start = Callable[[Context], Iterator[None]]

_CROSSINGS = ("crossed_above", "crossed_below")
_OPERATORS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.GeneratorExp)
_SUSPENDING = (ast.Yield, ast.YieldFrom, ast.Await, ast.AsyncFor, ast.AsyncWith)
_OBSERVERS = {"locals", "vars", "dir", "eval", "exec"}  # they would see what is kept from one bar to the next
_ODD_FLAGS = (
    inspect.CO_VARARGS
    | inspect.CO_VARKEYWORDS
    | inspect.CO_GENERATOR
    | inspect.CO_COROUTINE
    | inspect.CO_ASYNC_GENERATOR
)
_EXACT_INT = 2**53
_PREFIX = "__nt_condition_"


class Unfit(Exception):
    """Why a body cannot stay: it returns from within a loop, makes functions, yields, looks at its own frame, or the
    source found is not the code that runs."""


def resident(strategy: Any, indicator_count: int) -> Start | None:
    """What starts `strategy.on_bar` as a generator over a run's context, up to its first `yield`.

    strategy : after `init`, bound (interpreted.bind). indicator_count : of the run. None where on_bar is to be called.
    """
    cls = type(strategy)
    try:
        user = _fit(cls.on_bar)
        rewriter = Rewriter(user, cls, {})
        body = _Body(user, _Constants(strategy, indicator_count))
        tree = body.resident(rewriter.visit(user.node))
    except (Unfit, SourceMissing):
        return None
    sides = tuple(body.conditions)
    names = [f"{_PREFIX}{index}" for index in range(len(sides))]
    code = twin_code(user, tree, [*rewriter.injected, *names])

    def start(context: Context) -> Iterator[None]:
        made = {name: Condition(context, *each) for name, each in zip(names, sides, strict=True)}
        running: Iterator[None] = function_of(user, code, {**rewriter.injected, **made})(strategy, context)
        next(running)
        return running

    return start


def _fit(function: Any) -> UserFunction:
    """The function's source, where that is the code that runs: not edited since, not wrapped, no names mangled."""
    if not isinstance(function, types.FunctionType):
        raise Unfit("no plain function")
    code = function.__code__
    if code.co_argcount != 2 or code.co_kwonlyargcount or code.co_flags & _ODD_FLAGS or _OBSERVERS & set(code.co_names):
        raise Unfit("of another signature, a generator, or it looks at its own locals")
    user = UserFunction(function, function.__qualname__)
    if user.function is not function or not _same(twin_code(user, user.node, []), code):
        raise Unfit("the source is not the code")
    return user


def _same(a: types.CodeType, b: types.CodeType) -> bool:
    """Whether two code objects do the same."""
    names = ("co_code", "co_names", "co_varnames", "co_freevars", "co_cellvars", "co_exceptiontable")
    return (
        all(getattr(a, name) == getattr(b, name) for name in names)
        and len(a.co_consts) == len(b.co_consts)
        and all(
            _same(x, y) if isinstance(x, types.CodeType) and isinstance(y, types.CodeType) else repr(x) == repr(y)
            for x, y in zip(a.co_consts, b.co_consts, strict=True)
        )
    )


class _Constants:
    """What `self.NAME` is for the whole run: an indicator of it, or a number."""

    def __init__(self, strategy: Any, indicator_count: int) -> None:
        self.strategy = strategy
        self.count = indicator_count

    def _value(self, name: str) -> Any:
        cls = type(self.strategy)
        if cls.__getattribute__ is not object.__getattribute__ or hasattr(cls, "__getattr__"):
            return missing()
        if hasattr(type(inspect.getattr_static(cls, name, None)), "__get__"):
            return missing()
        return getattr(self.strategy, name, missing())

    def indicator(self, name: str) -> Side | None:
        value = self._value(name)
        if isinstance(value, IndicatorHandle) and 0 <= value.index < self.count:
            return ("indicator", value.index)
        return None

    def number(self, name: str) -> Side | None:
        return number(self._value(name))


def number(value: Any) -> Side | None:
    """A Python number that a double holds exactly."""
    if type(value) is float or (type(value) is int and abs(value) <= _EXACT_INT):
        return ("constant", float(value))
    return None


class _Body(ast.NodeTransformer):
    """Makes a body of one bar one that stays; collects the conditions it asks."""

    def __init__(self, user: UserFunction, constants: _Constants) -> None:
        code = user.function.__code__
        self.me, self.ctx = code.co_varnames[:2]
        self.locals = [
            name for name in dict.fromkeys(code.co_varnames + code.co_cellvars) if name not in (self.me, self.ctx)
        ]
        self.constants = constants
        self.conditions: dict[tuple[str, Side, Side], int] = {}
        self.stored: set[str] = set()
        self.loops = 0

    def resident(self, tree: ast.FunctionDef) -> ast.FunctionDef:
        for node in (inner for statement in tree.body for inner in ast.walk(statement)):
            if isinstance(node, (*_SCOPES, *_SUSPENDING)):
                raise Unfit("it makes functions or yields")
            if isinstance(node, ast.Name) and node.id in (self.me, self.ctx) and not isinstance(node.ctx, ast.Load):
                raise Unfit("it assigns to its arguments")
        self.stored = {target.attr for target in assignments(tree) if isinstance(target, ast.Attribute)}
        unbound = [name for name in self.locals if name not in _assigned_first(tree.body, set(self.locals))]
        reset: list[ast.stmt] = []
        if unbound:
            reset.append(ast.Assign([ast.Name(name, ast.Store()) for name in unbound], ast.Constant(None)))
            reset.append(ast.Delete([ast.Name(name, ast.Del()) for name in unbound]))
        body = [*reset, ast.Expr(ast.Yield(None)), *self._visited(tree.body)]
        loop = ast.While(ast.Constant(True), body, [])
        for node in (
            loop,
            loop.test,
            *(inner for statement in body[: len(reset) + 1] for inner in ast.walk(statement)),
        ):
            ast.copy_location(node, tree)
        tree.body = [loop]
        return tree

    def _visited(self, statements: Iterable[ast.stmt]) -> list[ast.stmt]:
        made: list[ast.stmt] = []
        for statement in statements:
            found = self.visit(statement)
            made += found if isinstance(found, list) else [found]
        return made

    # ---- the way out -----------------------------------------------------------------------------------------------

    def visit_Return(self, node: ast.Return) -> ast.stmt | list[ast.stmt]:
        if self.loops:
            raise Unfit("it returns from within a loop")
        leave = ast.copy_location(ast.Continue(), node)
        if node.value is None:
            return leave
        return [ast.copy_location(ast.Expr(self.visit(node.value)), node), leave]

    def visit_For(self, node: ast.For) -> ast.stmt:
        node.iter = self.visit(node.iter)
        return self._loop(node)

    def visit_While(self, node: ast.While) -> ast.stmt:
        node.test = self.truth(node.test)
        return self._loop(node)

    def _loop(self, node: ast.For | ast.While) -> ast.stmt:
        self.loops += 1
        node.body = self._visited(node.body)
        self.loops -= 1
        node.orelse = self._visited(node.orelse)
        return node

    # ---- tests -----------------------------------------------------------------------------------------------------

    def visit_If(self, node: ast.If | ast.IfExp | ast.Assert) -> ast.AST:
        node.test = self.truth(node.test)
        return self.generic_visit(node)

    visit_IfExp = visit_If  # noqa: N815  (ast's names)
    visit_Assert = visit_If  # noqa: N815

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        node.operand = self.truth(node.operand) if isinstance(node.op, ast.Not) else self.visit(node.operand)
        return node

    def truth(self, node: ast.expr) -> ast.expr:
        """An expression of which only the truth is asked."""
        if isinstance(node, ast.BoolOp):
            node.values = [self.truth(value) for value in node.values]
            return node
        found: ast.expr = self._crossing(node) or self._comparison(node) or self.visit(node)
        return found

    def _crossing(self, node: ast.expr) -> ast.expr | None:
        if not isinstance(node, ast.Call) or node.keywords or len(node.args) != 2:
            return None
        kind = self._of_ctx(node.func)
        left, right = (self._number(each) or self._indicator(each) for each in node.args)
        if kind not in _CROSSINGS or left is None or right is None or left[0] == right[0] == "constant":
            return None
        if {left[0], right[0]} & {"column", "field"}:
            return None
        return self._asked(kind, left, right, node)

    def _comparison(self, node: ast.expr) -> ast.expr | None:
        if not isinstance(node, ast.Compare):
            return None
        sides = [self._number(each) for each in (node.left, *node.comparators)]
        kinds = [_OPERATORS.get(type(each)) for each in node.ops]
        asked: list[ast.expr] = []
        for kind, left, right in zip(kinds, sides, sides[1:], strict=False):
            if kind is None or left is None or right is None or left[0] == right[0] == "constant":
                return None
            asked.append(self._asked(kind, left, right, node))
        return asked[0] if len(asked) == 1 else ast.copy_location(ast.BoolOp(ast.And(), asked), node)

    def _asked(self, kind: str, left: Side, right: Side, at: ast.expr) -> ast.expr:
        index = self.conditions.setdefault((kind, left, right), len(self.conditions))
        return ast.copy_location(ast.Name(f"{_PREFIX}{index}", ast.Load()), at)

    def _of_ctx(self, node: ast.expr) -> str | None:
        return node.attr if isinstance(node, ast.Attribute) and _is_name(node.value, self.ctx) else None

    def _of_self(self, node: ast.expr) -> str | None:
        if isinstance(node, ast.Attribute) and _is_name(node.value, self.me) and node.attr not in self.stored:
            return node.attr
        return None

    def _indicator(self, node: ast.expr) -> Side | None:
        name = self._of_self(node)
        return None if name is None else self.constants.indicator(name)

    def _number(self, node: ast.expr) -> Side | None:
        """A number of this bar, of `self`, or a literal."""
        name = self._of_ctx(node)
        if name is not None:
            return ("column", name) if name in COLUMNS else ("field", name) if name in FIELDS else None
        if isinstance(node, ast.Call):
            asks = self._of_ctx(node.func) == "value" and len(node.args) == 1 and not node.keywords
            return self._indicator(node.args[0]) if asks else None
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
            found = number(node.operand.value)
            return None if found is None else ("constant", -float(found[1]))
        if isinstance(node, ast.Constant):
            return number(node.value)
        name = self._of_self(node)
        return None if name is None else self.constants.number(name)


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _assigned_first(body: Iterable[ast.stmt], names: set[str]) -> set[str]:
    """Locals that the leading statements assign before anything reads one of the others."""
    known: set[str] = set()
    for statement in body:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue  # the docstring
        if not isinstance(statement, ast.Assign) or not all(
            isinstance(target, ast.Name) for target in statement.targets
        ):
            break
        read = {node.id for node in ast.walk(statement.value) if isinstance(node, ast.Name)}
        if read & names - known:
            break
        known |= {target.id for target in statement.targets if isinstance(target, ast.Name)}
    return known
