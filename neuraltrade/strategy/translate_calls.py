"""Calls of ctx in compiled strategies: arguments bound to names as Python would, then handed to the intrinsic in
order."""

from __future__ import annotations

import ast
import difflib
from typing import Any, ClassVar

from ..clock import as_ns
from ..core.layouts import EVENT_NAMES, GATE_MODES, MARKET_TIMES, TIMES_IN_FORCE
from ..core.settings import RiskLimits
from ..errors import InputError
from .source import UserFunction

CTX = "__nt_ctx"
"""The context's address: first argument of every generated function."""
USER = "__nt_user"
"""Where exceptions are left: second argument of every generated function."""

_RAISING = frozenset(
    f"__nt_{name}"
    for name in (
        *("state_get", "state_set", "previous", "similar", "signal", "past_bar", "ago_ts_ns"),
        *("ago_open", "ago_high", "ago_low", "ago_close", "ago_volume"),
        *("add", "subtract", "multiply", "true_divide", "to_int", "floor", "ceil", "round_half_even", "sqrt"),
        "shift_right",
    )
)

_ORDER = ("quantity", "limit", "stop", "stop_loss", "take_profit", "trail")
_TRAIL = ("quantity", "trail", "trail_rate")
_RATES = ("stop_loss_rate", "take_profit_rate", "trail_rate")
_DIRECTIONS = {"long": 1, "short": -1, "neutral": 0, "close": 0}
_REQUIRED = object()


class ContextCalls(ast.NodeTransformer):
    """Part of the Translator: what `ctx.method(...)` and `ctx.state[k]` become."""

    # Name and default of each argument, as neuraltrade.core.engine.Context has them.
    METHODS: ClassVar[dict[str, tuple[tuple[str, Any], ...]]] = {
        "value": (("indicator", _REQUIRED),),
        "previous": (("indicator", _REQUIRED), ("k", 1)),
        "crossed_above": (("a", _REQUIRED), ("b", _REQUIRED)),
        "crossed_below": (("a", _REQUIRED), ("b", _REQUIRED)),
        "ago": (("k", _REQUIRED),),
        "buy": (*((n, None) for n in _ORDER), ("tif", "gtc"), *((n, None) for n in (*_RATES, "at", "good_till"))),
        "sell": (*((n, None) for n in _ORDER), ("tif", "gtc"), *((n, None) for n in (*_RATES, "at", "good_till"))),
        "trailing_stop": (*((n, None) for n in _TRAIL), ("side", 0), ("tif", "gtc"), ("good_till", None)),
        "modify": (("order_id", _REQUIRED), ("quantity", None), ("limit", None), ("stop", None)),
        "oco": (("order_id", _REQUIRED), ("other_id", _REQUIRED)),
        "close_position": (),
        "target": (("fraction_of_equity", _REQUIRED),),
        "cancel": (("order_id", _REQUIRED),),
        "cancel_all": (),
        "halt": (("mode", "halt"),),
        "is_active": (("order_id", _REQUIRED),),
        "signal": (("direction", _REQUIRED), ("confidence", _REQUIRED), ("reasoning", None)),
        "similar": (("k", 10),),
        "depth_price": (("side", _REQUIRED), ("level", 0)),
        "depth_size": (("side", _REQUIRED), ("level", 0)),
        "queue_ahead": (("order_id", _REQUIRED),),
    }
    _POSITIONAL_ORDER = len(_ORDER) + 1

    unit: Any
    user: UserFunction
    context_names: frozenset[str]
    may_raise: bool

    # ---- building nodes

    def _load(self, name: str, at: ast.AST) -> ast.expr:
        return ast.copy_location(ast.Name(name, ast.Load()), at)

    def plain_call(self, name: str, arguments: list[Any], at: ast.AST) -> ast.expr:
        """A call of a generated name without the context."""
        self.may_raise |= name in _RAISING
        call = ast.Call(ast.Name(name, ast.Load()), arguments, [])
        return ast.fix_missing_locations(ast.copy_location(call, at))

    def call(self, name: str, arguments: list[Any], at: ast.AST) -> ast.expr:
        """A call of a generated name, the context first."""
        return self.plain_call(name, [ast.Name(CTX, ast.Load()), *arguments], at)

    def nearest(self, name: str, names: tuple[str, ...]) -> str:
        """What may have been meant by ctx.NAME; a method is to be called where it stands."""
        close = difflib.get_close_matches(name, (*names, *self.METHODS), 1)
        if not close:
            return f"ctx has {', '.join(names)} and methods"
        return f"did you mean ctx.{close[0]}{'(...)' if close[0] in self.METHODS else ''}?"

    # ---- ctx.symbol, ctx.event

    def is_context(self, node: ast.AST, name: str) -> bool:
        return (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in self.context_names
            and node.attr == name
        )

    def symbol_test(self, node: ast.Compare, sides: list[ast.expr]) -> ast.expr:
        """ctx.symbol == "AAPL" as a comparison of slots; the slot comes with the parameters of the run."""
        other = [self.visit(s) for s in sides if not self.is_context(s, "symbol")]
        literal = other[0].value if len(other) == 1 and isinstance(other[0], ast.Constant) else None
        if not isinstance(literal, str) or len(node.ops) != 1 or not isinstance(node.ops[0], (ast.Eq, ast.NotEq)):
            self.user.fail(
                node, "this test of ctx.symbol", 'write ctx.symbol == "AAPL" or ctx.symbol in ("AAPL", "MSFT")'
            )
        wanted = self.call("__nt_parameter_int", [ast.Constant(self.unit.symbol_slot(literal))], node)
        return ast.copy_location(ast.Compare(self.call("__nt_slot", [], node), node.ops, [wanted]), node)

    def event_test(self, node: ast.Compare, sides: list[ast.expr]) -> ast.expr:
        """ctx.event == "quote" as a comparison of its number."""
        other = [self.visit(s) for s in sides if not self.is_context(s, "event")]
        literal = other[0].value if len(other) == 1 and isinstance(other[0], ast.Constant) else None
        if literal not in EVENT_NAMES or len(node.ops) != 1 or not isinstance(node.ops[0], (ast.Eq, ast.NotEq)):
            known = ", ".join(map(repr, EVENT_NAMES))
            self.user.fail(node, "this test of ctx.event", f"compare it with one of {known} by == or !=")
        wanted = ast.copy_location(ast.Constant(EVENT_NAMES.index(literal)), node)
        return ast.copy_location(ast.Compare(self.call("__nt_event", [], node), node.ops, [wanted]), node)

    # ---- ctx.state[k] and ctx.ago(k).x

    def is_state(self, node: ast.AST) -> bool:
        if not (isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute)):
            return False
        owner = node.value
        return owner.attr == "state" and isinstance(owner.value, ast.Name) and owner.value.id in self.context_names

    def state_store(self, target: ast.expr, value: ast.expr, at: ast.AST) -> ast.Expr:
        assert isinstance(target, ast.Subscript)
        return ast.copy_location(ast.Expr(self.call("__nt_state_set", [self.visit(target.slice), value], at)), at)

    def is_context_call(self, node: ast.AST, method: str) -> bool:
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            return False
        function = node.func
        return (
            function.attr == method and isinstance(function.value, ast.Name) and function.value.id in self.context_names
        )

    def _need_bars(self, node: ast.AST, call: str = "ago") -> None:
        if self.unit.over_ticks:
            instead = "it has no bars; keep what you need in ctx.state[k]"
            self.user.fail(node, f"ctx.{call} in a run over ticks", instead)

    def ago_field(self, node: ast.Attribute) -> ast.expr:
        """ctx.ago(k).close, without building the whole bar."""
        assert isinstance(node.value, ast.Call)
        self._need_bars(node.value)
        k = self._bound(node.value, "ago")["k"]
        if node.attr == "ts_ns":
            return self.call("__nt_ago_ts_ns", [self.visit(k), self._times(node)], node)
        if node.attr not in ("open", "high", "low", "close", "volume"):
            self.user.fail(node, f"ctx.ago(k).{node.attr}", "a bar has ts_ns, open, high, low, close, volume")
        return self.call(f"__nt_ago_{node.attr}", [self.visit(k)], node)

    def _times(self, at: ast.AST) -> ast.expr:
        self.unit.needs_times = True
        return self._load("__nt_times", at)

    # ---- ctx.method(...)

    def _bound(self, node: ast.Call, method: str) -> dict[str, ast.expr]:
        """Argument name -> tree; a default becomes a constant."""
        declared = self.METHODS[method]
        names = [name for name, _ in declared]
        positional = self._POSITIONAL_ORDER if method in ("buy", "sell") else len(names)
        if len(node.args) > positional:
            self.user.fail(
                node,
                f"ctx.{method} with {len(node.args)} positional arguments",
                f"it takes {', '.join(names) or 'none'}",
            )
        given: dict[str, ast.expr] = dict(zip(names, node.args, strict=False))
        for keyword in node.keywords:
            if keyword.arg is None:
                self.user.fail(node, "** unpacking", "name the arguments")
            if keyword.arg not in names:
                close = difflib.get_close_matches(keyword.arg, names, 1)
                hint = f"did you mean {close[0]}=?" if close else f"it takes {', '.join(names) or 'none'}"
                self.user.fail(node, f"ctx.{method}({keyword.arg}=...)", hint)
            if keyword.arg in given:
                self.user.fail(node, f"ctx.{method} with {keyword.arg} twice", "give it once")
            given[keyword.arg] = keyword.value
        for name, default in declared:
            if name not in given:
                if default is _REQUIRED:
                    self.user.fail(node, f"ctx.{method} without {name}", f"it takes {', '.join(names)}")
                given[name] = ast.copy_location(ast.Constant(default), node)
        return given

    def context_call(self, node: ast.Call, method: str) -> ast.expr:
        if method not in self.METHODS:
            close = difflib.get_close_matches(method, self.METHODS, 1)
            hint = f"did you mean ctx.{close[0]}?" if close else f"ctx has the methods {', '.join(self.METHODS)}"
            self.user.fail(node, f"ctx.{method}(...)", hint)
        given = self._bound(node, method)
        if method in ("buy", "sell"):
            return self._order(node, 1 if method == "buy" else -1, given, bool(node.args or node.keywords))
        if method == "trailing_stop":
            numbers = [self.visit(given[name]) for name in (*_TRAIL, "side")]
            return self.call("__nt_trailing_stop", [*numbers, *self._good_for(node, given)], node)
        if method == "signal":
            return self._signal(node, given)
        if method == "halt":
            return self._halt(node, given)
        arguments = [self.visit(given[name]) for name, _ in self.METHODS[method]]
        if method in ("ago", "previous"):
            self._need_bars(node, method)
        if method == "ago":
            return self.call("__nt_past_bar", [*arguments, self._times(node)], node)
        return self.call(f"__nt_{method}", arguments, node)

    def _order(self, node: ast.Call, side: int, given: dict[str, ast.expr], with_arguments: bool) -> ast.expr:
        if not with_arguments:
            return self.call("__nt_trade", [ast.Constant(side)], node)
        at = self.visit(given["at"])
        name = at.value if isinstance(at, ast.Constant) else 0
        if name is not None and name not in MARKET_TIMES:
            self.user.fail(node, f"at={ast.unparse(given['at'])}", "give 'open' or 'close' as a literal")
        numbers = [self.visit(given[n]) for n in (*_ORDER, *_RATES)]
        when = ast.Constant(0 if name is None else 1 + MARKET_TIMES.index(name))
        return self.call("__nt_order", [ast.Constant(side), *numbers, *self._good_for(node, given), when], node)

    def _good_for(self, node: ast.Call, given: dict[str, ast.expr]) -> list[ast.expr]:
        """tif and good_till as integers; one that is not given is 0."""
        tif, till = self.visit(given["tif"]), self.visit(given["good_till"])
        name = tif.value if isinstance(tif, ast.Constant) else None
        if name not in TIMES_IN_FORCE:
            wanted = f"give {', '.join(map(repr, TIMES_IN_FORCE))} as a literal"
            self.user.fail(node, f"tif={ast.unparse(given['tif'])}", wanted)
        missing = isinstance(till, ast.Constant) and till.value is None
        if (name == "gtd") == missing:
            self.user.fail(node, f"tif={name!r} {'without' if missing else 'with'} good_till", "they go together")
        if isinstance(till, ast.Constant) and isinstance(till.value, str):
            try:
                till = ast.copy_location(ast.Constant(as_ns(till.value, "good_till")), node)
            except InputError as error:
                self.user.fail(node, f"good_till={till.value!r}", str(error))
        return [ast.Constant(TIMES_IN_FORCE.index(name)), ast.Constant(0) if missing else till]

    def _halt(self, node: ast.Call, given: dict[str, ast.expr]) -> ast.expr:
        mode = self.visit(given["mode"])
        name = mode.value if isinstance(mode, ast.Constant) else None
        if name not in RiskLimits.MODES:
            known = ", ".join(repr(one) for one in RiskLimits.MODES)
            self.user.fail(node, f"mode={ast.unparse(given['mode'])}", f"give {known} as a literal")
        return self.call("__nt_halt", [ast.Constant(GATE_MODES.index(name))], node)

    def _signal(self, node: ast.Call, given: dict[str, ast.expr]) -> ast.expr:
        direction = self.visit(given["direction"])
        if isinstance(direction, ast.Constant) and isinstance(direction.value, str):
            if direction.value not in _DIRECTIONS:
                self.user.fail(
                    node, f"direction {direction.value!r}", f"give -1, 0, +1 or one of {', '.join(_DIRECTIONS)}"
                )
            direction = ast.copy_location(ast.Constant(_DIRECTIONS[direction.value]), node)
        return self.call(
            "__nt_signal", [direction, self.visit(given["confidence"]), self._reasoning(given["reasoning"])], node
        )

    def _reasoning(self, node: ast.expr) -> ast.expr:
        """Index of a literal text; `"a" if test else "b"` chooses between two."""
        if isinstance(node, ast.IfExp):
            choice = ast.IfExp(self.visit(node.test), self._reasoning(node.body), self._reasoning(node.orelse))
            return ast.copy_location(choice, node)
        if isinstance(node, ast.JoinedStr):
            self.user.fail(node, "an f-string", "give a literal text; numbers belong in confidence or ctx.state[k]")
        text = self.visit(node)
        if not isinstance(text, ast.Constant) or not (text.value is None or isinstance(text.value, str)):
            self.user.fail(
                node, f"reasoning={ast.unparse(node)}", "give a literal text, or choose between literals with if/else"
            )
        index = -1 if text.value is None else self.unit.text(text.value)
        return ast.copy_location(ast.Constant(index), node)
