"""Integers as Python has them: a time is compared with a float exactly, and ~ of a bool is an integer.

Beyond 2**53 a float holds only some of the integers. Machine code rounds the integer first; of what a strategy handles
only times are as large, so comparisons in which one takes part are the ones that are replaced.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable

# What becomes of `a OP b`, given the order of a and b: -1, 0, 1, or 2 where one is NaN.
_TESTS: dict[type, tuple[type[ast.cmpop], int]] = {
    ast.Lt: (ast.Eq, -1),
    ast.LtE: (ast.LtE, 0),
    ast.Gt: (ast.Eq, 1),
    ast.Eq: (ast.Eq, 0),
    ast.NotEq: (ast.NotEq, 0),
}
_TIMES = ("__nt_ts_ns", "__nt_ago_ts_ns")
_REPEATABLE = (*_TIMES, "__nt_add", "__nt_subtract", "__nt_multiply")


def _compared(left: ast.expr, op: ast.cmpop, right: ast.expr, at: ast.AST) -> ast.expr:
    order = ast.Call(ast.Name("__nt_order_of", ast.Load()), [left, right], [])
    if isinstance(op, ast.GtE):
        made = ast.Compare(ast.Constant(0), [ast.LtE(), ast.LtE()], [order, ast.Constant(1)])
    else:
        test, value = _TESTS[type(op)]
        made = ast.Compare(order, [test()], [ast.Constant(value)])
    return ast.fix_missing_locations(ast.copy_location(made, at))


class _Exact(ast.NodeTransformer):
    def __init__(self, names: set[str]) -> None:
        self.names = names

    def timed(self, node: ast.AST) -> bool:
        """Whether a time takes part in an expression."""
        for child in ast.walk(node):
            if isinstance(child, ast.Attribute) and child.attr == "ts_ns":
                return True
            if isinstance(child, ast.Name) and child.id in (*_TIMES, *self.names):
                return True
        return False

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        self.generic_visit(node)
        if not isinstance(node.op, ast.Invert):
            return node
        made = ast.BinOp(node.operand, ast.BitXor(), ast.Constant(-1))
        return ast.fix_missing_locations(ast.copy_location(made, node))

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        self.generic_visit(node)
        sides = [node.left, *node.comparators]
        known = all(isinstance(op, (*_TESTS, ast.GtE)) for op in node.ops)
        if not known or not any(isinstance(side, (ast.Call, ast.Name, ast.BinOp, ast.Attribute)) for side in sides):
            return node
        if not any(self.timed(side) for side in sides) or any(map(_no_number, sides)):
            return node
        if any(_is_made_once(child) for side in sides[1:-1] for child in ast.walk(side)):
            return node
        tests = [
            _compared(copy.deepcopy(left), op, right, node)
            for left, op, right in zip(sides, node.ops, sides[1:], strict=False)
        ]
        return tests[0] if len(tests) == 1 else ast.copy_location(ast.BoolOp(ast.And(), tests), node)


def _is_made_once(node: ast.AST) -> bool:
    """Whether `node`, in the middle of a < b < c, is a call that may do something: two tests would do it twice."""
    return isinstance(node, ast.Call) and not (isinstance(node.func, ast.Name) and node.func.id in _REPEATABLE)


def _no_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Tuple) or (isinstance(node, ast.Constant) and not isinstance(node.value, (int, float)))


def exact(body: Iterable[ast.stmt]) -> list[ast.stmt]:
    """The translated `body` with comparisons of times and ~ as Python has them."""
    body = list(body)
    found = _Exact(set())
    assigns = [node for statement in body for node in ast.walk(statement) if isinstance(node, ast.Assign)]
    before = -1
    while len(found.names) != before:  # a name that takes its value from another such name
        before = len(found.names)
        for node in assigns:
            if found.timed(node.value):
                found.names |= {n.id for target in node.targets for n in ast.walk(target) if isinstance(n, ast.Name)}
    return [found.visit(statement) for statement in body]
