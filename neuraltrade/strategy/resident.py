"""`on_bar` as a body that stays: one generator for the run, resumed at each bar, instead of a function entered anew.

Entering a Python function costs more than a test of two indicators. The twin made here is the user's body inside

    def on_bar(self, ctx):
        while True:
            yield
            ...                     `return` has become `continue`

and what it reads of the run is read without a call: a test whose sides are known before the run (`ctx.position == 0`,
`ctx.crossed_above(self.f, self.s)`, `ctx.value(self.rsi) < 30`) is a `Condition`, a number (`ctx.close`) a `Reading`.
File, lines and names stay the user's: tracebacks, breakpoints, profilers and coverage see `on_bar` called once a bar.
A local is unbound again before the next bar, unless the body begins by assigning it a number. What is out of the
ordinary is called as it is written: `Unfit`.
"""

from __future__ import annotations

import ast
import dis
import inspect
import linecache
import types
import weakref
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ..core.conditions import COLUMNS, FIELDS, Condition, Reading
from ..core.engine import Context, IndicatorHandle
from .interpreted import Rewriter, function_of, twin_code
from .source import SourceMissing, UserFunction

Side = tuple[str, "str | float"]
Start = Callable[[Context], Iterator[None]]

_CROSSINGS = ("crossed_above", "crossed_below")
_OPERATORS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip
# Comprehensions too: from Python 3.12 on their variables count as the function's, where they may be global elsewhere.
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_COMPREHENSIONS = (ast.GeneratorExp, ast.ListComp, ast.SetComp, ast.DictComp)
_SUSPENDING = (ast.Yield, ast.YieldFrom, ast.Await, ast.AsyncFor, ast.AsyncWith)
_OBSERVERS = {"locals", "vars", "dir", "eval", "exec"}  # they would see what is kept from one bar to the next
_SETTERS = {"setattr", "__setattr__", "__dict__", "delattr", "__delattr__"}  # what `self` is may change unseen
_ODD_FLAGS = (
    inspect.CO_VARARGS
    | inspect.CO_VARKEYWORDS
    | inspect.CO_GENERATOR
    | inspect.CO_COROUTINE
    | inspect.CO_ASYNC_GENERATOR
)
_EXACT_INT = 2**53
_PREFIX = "__nt_asked_"


class Unfit(Exception):
    """Why a body cannot stay: it returns from within a loop, makes functions, yields, looks at its own frame, or the
    source found is not the code that runs."""


@dataclass(frozen=True)
class _Template:
    """A body that stays, whatever the numbers of a run: its code, and what its further cells are."""

    code: types.CodeType
    asked: dict[str, tuple[Any, ...]]  # cell -> arguments of a Condition (kind, left, right) or of a Reading (side,)
    injected: dict[str, Any]


# By class, whose methods tell what is constant, then by on_bar's code and what its attributes are: a sweep makes one.
_templates: weakref.WeakKeyDictionary[Any, dict[Any, _Template | None]] = weakref.WeakKeyDictionary()


def resident(strategy: Any, indicator_count: int) -> Start | None:
    """What starts `strategy.on_bar` as a generator over a run's context, up to its first `yield`.

    strategy : after `init`, bound (interpreted.bind). indicator_count : of the run. None where on_bar is to be called.
    """
    function, bound = type(strategy).on_bar, strategy.on_bar
    if not isinstance(function, types.FunctionType) or getattr(bound, "__self__", None) is not strategy:
        return None
    constants = _Constants(strategy, indicator_count)
    if bound.__func__ is function:
        known = _templates.setdefault(type(strategy), {})
        code = function.__code__  # a reload (IPython's %autoreload) replaces it in place
        key = (code, *(constants.kind(name) for name in code.co_names))
        if key not in known:
            known[key] = _template(function, type(strategy), constants)
        template = known[key]
    elif bound.__func__.__code__.co_qualname == function.__code__.co_qualname:  # routed, by what its globals are today
        template = _template(function, type(strategy), constants)
    else:
        template = None
    return None if template is None else _starting(function, template, strategy, constants)


def _template(function: types.FunctionType, owner: type, constants: _Constants) -> _Template | None:
    try:
        user = _fit(function)
        rewriter = Rewriter(user, owner, {})
        body = _Body(user, constants, _stored(owner))
        tree = body.resident(rewriter.visit(user.node))
        code = twin_code(user, tree, [*rewriter.injected, *body.asked.values()])
    except (Unfit, SourceMissing, RecursionError, SyntaxError):  # the last two: blocks nest too deeply
        return None
    return _Template(code, {cell: arguments for arguments, cell in body.asked.items()}, rewriter.injected)


def _starting(function: types.FunctionType, template: _Template, strategy: Any, constants: _Constants) -> Start:
    asked = {cell: constants.resolved(arguments) for cell, arguments in template.asked.items()}

    def start(context: Context) -> Iterator[None]:
        cells = {
            cell: Reading(context, *each) if len(each) == 1 else Condition(context, *each)
            for cell, each in asked.items()
        }
        twin = function_of(function, template.code, {**template.injected, **cells})
        running: Iterator[None] = twin(strategy, context)
        next(running)
        return running

    return start


def _fit(function: types.FunctionType) -> UserFunction:
    """The function's source, where that is the code that runs: not edited since, not wrapped, no names mangled."""
    code = function.__code__
    if code.co_argcount != 2 or code.co_kwonlyargcount or code.co_flags & _ODD_FLAGS or _OBSERVERS & set(code.co_names):
        raise Unfit("of another signature, a generator, or it looks at its own locals")
    user = UserFunction(function, function.__qualname__)
    if user.function is not function or not (
        _same(twin_code(user, user.node, []), code) or _same(twin_code(user, user.node, [], _imported(user.file)), code)
    ):
        raise Unfit("the source is not the code")
    return user


_imports: dict[str, tuple[list[str], list[str]]] = {}  # of the last file asked about: its lines and what it imports


def _imported(file: str) -> list[str]:
    """Names that a file's module imports outside of functions and classes."""
    lines = linecache.getlines(file)
    if file not in _imports or _imports[file][0] is not lines:
        open_: list[ast.AST] = [ast.parse("".join(lines))]
        names: set[str] = set()
        while open_:
            node = open_.pop()
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                names |= {(each.asname or each.name).partition(".")[0] for each in node.names}
            elif not isinstance(node, (*_SCOPES, ast.expr)):
                open_ += ast.iter_child_nodes(node)
        _imports.clear()
        _imports[file] = (lines, sorted(names - {"*"}))
    return _imports[file][1]


def _stored(owner: type) -> set[str]:
    """Attributes that methods other than init assign, of whatever object: a number of such a name is no constant.

    A class method that none of them names makes instances, as `Ensemble.of` does, before there is a run.
    """
    names: set[str] = set()
    codes: list[types.CodeType] = []
    makers: dict[str, list[types.CodeType]] = {}
    for cls in owner.__mro__:
        if cls.__module__ in ("builtins", "neuraltrade.strategy.base"):
            continue
        for name, each in vars(cls).items():
            function = getattr(each, "__func__", each)
            if name in ("init", "__init__") or not isinstance(function, types.FunctionType):
                continue
            if isinstance(each, classmethod):
                makers.setdefault(name, []).append(function.__code__)
            else:
                codes.append(function.__code__)
    while codes:
        code = codes.pop()
        if _SETTERS & set(code.co_names):
            raise Unfit("a method sets attributes by name")
        codes += [each for each in code.co_consts if isinstance(each, types.CodeType)]
        codes += [each for name in code.co_names for each in makers.pop(name, ())]
        names |= {each.argval for each in dis.get_instructions(code) if each.opname in ("STORE_ATTR", "DELETE_ATTR")}
    return names


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
        cls = type(strategy)
        self.plain = cls.__getattribute__ is object.__getattribute__ and not hasattr(cls, "__getattr__")

    def _value(self, name: str) -> Any:
        if not self.plain or hasattr(type(inspect.getattr_static(type(self.strategy), name, None)), "__get__"):
            return None
        return getattr(self.strategy, name, None)

    def kind(self, name: str) -> str | None:
        """ "indicator", "number" or None."""
        value = self._value(name)
        if isinstance(value, IndicatorHandle) and 0 <= value.index < self.count:
            return "indicator"
        return None if number(value) is None else "number"

    def resolved(self, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments with each attribute's value in place of its name."""
        return tuple(self._resolved(*each) if isinstance(each, tuple) else each for each in arguments)

    def _resolved(self, what: str, which: Any) -> Side:
        if what == "indicator":
            return (what, self._value(which).index)
        return ("constant", float(self._value(which))) if what == "number" else (what, which)


def number(value: Any) -> Side | None:
    """A Python number that a double holds exactly."""
    if type(value) is float or (type(value) is int and abs(value) <= _EXACT_INT):
        return ("constant", float(value))
    return None


class _Body(ast.NodeTransformer):
    """Makes a body of one bar one that stays; collects the conditions it asks."""

    def __init__(self, user: UserFunction, constants: _Constants, stored: set[str]) -> None:
        code = user.function.__code__
        self.me, self.ctx = code.co_varnames[:2]
        self.locals = [
            name for name in dict.fromkeys(code.co_varnames + code.co_cellvars) if name not in (self.me, self.ctx)
        ]
        self.constants = constants
        self.asked: dict[tuple[Any, ...], str] = {}
        self.stored = stored
        self.loops = 0

    def resident(self, tree: ast.FunctionDef) -> ast.FunctionDef:
        for node in (inner for statement in tree.body for inner in ast.walk(statement)):
            if isinstance(node, (*_SCOPES, *_COMPREHENSIONS, *_SUSPENDING)):
                raise Unfit("it makes functions, comprehends or yields")
            if _bound(node) & {self.me, self.ctx}:
                raise Unfit("it assigns to its arguments")
        unbound = [name for name in self.locals if name not in self._numbers_first(tree.body)]
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

    def _numbers_first(self, body: Iterable[ast.stmt]) -> set[str]:
        """Locals that the leading statements assign numbers to: nobody notices that such a one is kept for a bar."""
        known: set[str] = set()
        for statement in body:
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                continue  # the docstring
            if not isinstance(statement, ast.Assign) or not self._is_number(statement.value, known):
                break
            if not all(isinstance(target, ast.Name) for target in statement.targets):
                break
            known |= {target.id for target in statement.targets if isinstance(target, ast.Name)}
        return known

    def _is_number(self, node: ast.expr, known: set[str]) -> bool:
        if isinstance(node, ast.BinOp):
            return self._is_number(node.left, known) and self._is_number(node.right, known)
        if isinstance(node, ast.UnaryOp):
            return self._is_number(node.operand, known)
        if isinstance(node, ast.Name):
            return node.id in known
        return isinstance(node, ast.Constant) or (self._fixed(node) or self._read(node)) is not None

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

    def visit_match_case(self, node: ast.match_case) -> ast.AST:
        """A pattern stays as it is written."""
        node.guard = None if node.guard is None else self.truth(node.guard)
        node.body = self._visited(node.body)
        return node

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
        found: ast.expr = self._crossing(node) or self._comparison(node) or self._not_zero(node) or self.visit(node)
        return found

    def _crossing(self, node: ast.expr) -> ast.expr | None:
        if not isinstance(node, ast.Call) or node.keywords or len(node.args) != 2:
            return None
        kind = self._of_ctx(node.func)
        left, right = (self._fixed(each) or self._indicator(each) for each in node.args)
        if kind not in _CROSSINGS or left is None or right is None:
            return None
        if "indicator" not in (left[0], right[0]):
            return None
        return self._cell(node, kind, left, right)

    def _comparison(self, node: ast.expr) -> ast.expr | None:
        if not isinstance(node, ast.Compare):
            return None
        sides = [self._fixed(each) or self._read(each) for each in (node.left, *node.comparators)]
        kinds = [_OPERATORS.get(type(each)) for each in node.ops]
        asked: list[ast.expr] = []
        for kind, left, right in zip(kinds, sides, sides[1:], strict=False):
            if kind is None or left is None or right is None or {left[0], right[0]} <= {"constant", "number"}:
                return None
            asked.append(self._cell(node, kind, left, right))
        return asked[0] if len(asked) == 1 else ast.copy_location(ast.BoolOp(ast.And(), asked), node)

    def _not_zero(self, node: ast.expr) -> ast.expr | None:
        side = self._read(node)
        return None if side is None else self._cell(node, "!=", side, ("constant", 0.0))

    def _cell(self, at: ast.expr, *arguments: Any) -> ast.expr:
        name = self.asked.setdefault(arguments, f"{_PREFIX}{len(self.asked)}")
        return ast.copy_location(ast.Name(name, ast.Load()), at)

    # ---- numbers ---------------------------------------------------------------------------------------------------

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        return self._reading(node) or self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        return self._reading(node) or self.generic_visit(node)

    def _reading(self, node: ast.expr) -> ast.expr | None:
        side = self._read(node)
        return None if side is None else ast.copy_location(ast.UnaryOp(ast.Invert(), self._cell(node, side)), node)

    def _of_ctx(self, node: ast.expr) -> str | None:
        return node.attr if isinstance(node, ast.Attribute) and _is_name(node.value, self.ctx) else None

    def _of_self(self, node: ast.expr) -> str | None:
        if isinstance(node, ast.Attribute) and _is_name(node.value, self.me) and node.attr not in self.stored:
            return node.attr
        return None

    def _indicator(self, node: ast.expr) -> Side | None:
        name = self._of_self(node)
        return ("indicator", name) if name is not None and self.constants.kind(name) == "indicator" else None

    def _read(self, node: ast.expr) -> Side | None:
        """A number of this bar, which is a float in Python too."""
        if isinstance(node, ast.Call):
            asks = self._of_ctx(node.func) == "value" and len(node.args) == 1 and not node.keywords
            return self._indicator(node.args[0]) if asks else None
        name = self._of_ctx(node) if isinstance(getattr(node, "ctx", None), ast.Load) else None
        return ("column", name) if name in COLUMNS else ("field", name) if name in FIELDS else None

    def _fixed(self, node: ast.expr) -> Side | None:
        """A literal, or a number of `self`."""
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
            found = number(node.operand.value)
            return None if found is None else ("constant", -float(found[1]))
        if isinstance(node, ast.Constant):
            return number(node.value)
        name = self._of_self(node)
        return ("number", name) if name is not None and self.constants.kind(name) == "number" else None


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _bound(node: ast.AST) -> set[str | None]:
    """Names that this node binds: a target, `except ... as`, a pattern, an import."""
    if isinstance(node, ast.Name):
        return set() if isinstance(node.ctx, ast.Load) else {node.id}
    if isinstance(node, ast.alias):
        return {(node.asname or node.name).partition(".")[0]}
    if isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
        return {node.name}
    return {node.rest} if isinstance(node, ast.MatchMapping) else set()
