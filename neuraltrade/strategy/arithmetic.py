"""Where numba's arithmetic differs from CPython's, CPython's: helpers that compiled strategies call instead.

Integers that leave 64 bits raise OverflowError instead of wrapping, integer true division is rounded once, `int`,
`math.floor` and their like raise on NaN instead of giving garbage, `math.sqrt` raises below zero, `min` and `max` keep
CPython's order of comparison, so NaN and ties come out alike.
Importing this module imports numba.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit, types
from numba.core.errors import TypingError
from numba.extending import intrinsic, overload

from . import intrinsics
from .handle import PastBar

OPTIONS: Any = {
    "error_model": "python",
    "boundscheck": True,
    "_nrt": False,
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}
"""How every function of a strategy is compiled: exceptions as in Python, nothing allocated, nothing left to link."""

_INT_LIMIT = 9.223372036854775e18  # largest float64 below 2**63
_EXACT = 2**53


def _exact(name: str) -> Any:
    """a + b, a - b or a * b: of integers with a check for overflow, else of doubles."""

    @intrinsic
    def operate(typing_context, a, b):
        kinds = [types.unliteral(ty) for ty in (a, b)]
        if not all(isinstance(ty, (types.Integer, types.Boolean, types.Float)) for ty in kinds):
            raise TypingError(f"math.{name} takes numbers, got {kinds[0]} and {kinds[1]}")
        integer = not any(isinstance(ty, types.Float) for ty in kinds)
        result = types.int64 if integer else types.float64

        def generate(context, builder, signature, arguments):
            sides = [context.cast(builder, x, ty, result) for x, ty in zip(arguments, signature.args, strict=True)]
            if not integer:
                return getattr(builder, f"f{name}")(*sides)
            pair = getattr(builder, f"s{name}_with_overflow")(*sides)
            with builder.if_then(builder.extract_value(pair, 1), likely=False):
                context.call_conv.return_user_exc(builder, OverflowError, ("an integer beyond 64 bits",))
            return builder.extract_value(pair, 0)

        return result(a, b), generate

    return operate


add, subtract, multiply = _exact("add"), _exact("sub"), _exact("mul")


def _quotient(a, b):  # pragma: no cover  (compiled)
    """a / b of integers, rounded once: 55 bits or more of quotient with a sticky last bit, then scaled back."""
    if b == 0:
        raise ZeroDivisionError("division by zero")
    if -_EXACT <= a <= _EXACT and -_EXACT <= b <= _EXACT:
        return float(a) / float(b)
    negative = (a < 0) != (b < 0)
    n, d = np.uint64(abs(a)), np.uint64(abs(b))
    q, r = n // d, n % d
    shift = 0
    while q < np.uint64(1 << 55) and r != 0:
        # r < d <= 2**63, so doubling fits in 64 unsigned bits
        r, q, shift = r * np.uint64(2), q * np.uint64(2), shift + 1
        if r >= d:
            r, q = r - d, q + np.uint64(1)
    if r != 0:
        q |= np.uint64(1)
    value = float(np.int64(q))
    for _ in range(shift):
        value *= 0.5
    return -value if negative else value


def true_divide(a: Any, b: Any) -> Any:
    """a / b"""
    return a / b


@overload(true_divide, jit_options=OPTIONS)
def _true_divide(a, b):
    if isinstance(types.unliteral(a), types.Integer) and isinstance(types.unliteral(b), types.Integer):
        return _quotient
    return lambda a, b: a / b


def _order_of_numbers(a, b):  # pragma: no cover  (compiled)
    return -1 if a < b else 1 if a > b else 0 if a == b else 2


def _order_of_integer(a, b):  # pragma: no cover  (compiled)
    """Of an integer and a float: -1, 0, 1; 2 = NaN. The float is cut to an integer, never the other way."""
    if math.isnan(b):
        return 2
    if b >= 2.0**63:
        return -1
    if b < -(2.0**63):
        return 1
    whole = np.int64(b)
    if a != whole:
        return -1 if a < whole else 1
    rest = b - np.float64(whole)
    return -1 if rest > 0.0 else 1 if rest < 0.0 else 0


_integer_first = njit(**OPTIONS)(_order_of_integer)


def _order_of_float(a, b):  # pragma: no cover  (compiled)
    order = _integer_first(b, a)
    return order if order == 2 else -order


def order_of(a: Any, b: Any) -> Any:
    """-1 where a < b, 1 where a > b, 0 where they are equal, 2 where one is NaN."""
    return _order_of_numbers(a, b)


@overload(order_of, jit_options=OPTIONS)
def _order_of(a, b):
    whole = [isinstance(types.unliteral(ty), (types.Integer, types.Boolean)) for ty in (a, b)]
    if whole[0] == whole[1]:
        return _order_of_numbers
    return _order_of_integer if whole[0] else _order_of_float


@njit(**OPTIONS)
def _checked(x):  # pragma: no cover  (compiled)
    if math.isnan(x):
        raise ValueError("cannot convert float NaN to integer")
    if abs(x) > _INT_LIMIT:
        raise OverflowError("float too large for a 64-bit integer")
    return x


@njit(**OPTIONS)
def to_int(x):  # pragma: no cover  (compiled)
    return np.int64(_checked(x))


@njit(**OPTIONS)
def floor(x):  # pragma: no cover  (compiled)
    return np.int64(np.floor(_checked(x)))


@njit(**OPTIONS)
def ceil(x):  # pragma: no cover  (compiled)
    return np.int64(np.ceil(_checked(x)))


@njit(**OPTIONS)
def round_half_even(x):  # pragma: no cover  (compiled)
    return np.int64(np.rint(_checked(x)))


@njit(**OPTIONS)
def sqrt(x):  # pragma: no cover  (compiled)
    if x < 0:
        raise ValueError("math domain error")
    return math.sqrt(x)


@njit(**OPTIONS)
def shift_right(a, b):  # pragma: no cover  (compiled)
    if b < 0:
        raise ValueError("negative shift count")
    return a >> min(b, 63)  # beyond 63 all that is left is the sign


@njit(**OPTIONS)
def bound(has, value):  # pragma: no cover  (compiled)
    if not has:
        raise UnboundLocalError("a local name is read before it has a value")
    return value


@njit(**OPTIONS)
def square(x):  # pragma: no cover  (compiled)
    return x * x


@njit(**OPTIONS)
def minimum(a, b):  # pragma: no cover  (compiled)
    return b if b < a else a


@njit(**OPTIONS)
def maximum(a, b):  # pragma: no cover  (compiled)
    return b if b > a else a


@njit(**OPTIONS)
def among(x, values):  # pragma: no cover  (compiled)
    for value in values:  # noqa: SIM110  (numba knows no any())
        if x == value:
            return True
    return False


@njit(**OPTIONS)
def past_bar(ctx, k, ts_handle):  # pragma: no cover  (compiled)
    return PastBar(
        _times(ctx, k, ts_handle),
        _open(ctx, k),
        _high(ctx, k),
        _low(ctx, k),
        _close(ctx, k),
        _volume(ctx, k),
    )


_times: Any = intrinsics.ago_ts_ns
_open, _high, _low, _close, _volume = (intrinsics.AGO[name] for name in ("open", "high", "low", "close", "volume"))
