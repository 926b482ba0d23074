"""The intrinsics that place and change orders: beside `intrinsics`, whose helpers they use. Imports numba."""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic

from .intrinsics import _I8, _as_given, _as_integer, _call_table, _is_integer, _is_number_or_none, _need


@intrinsic
def trade(typing_context, ctx, side):
    def generate(context, builder, signature, arguments):
        return _call_table(
            builder, "trade", arguments[0], _I8, [_as_integer(context, builder, arguments[1], signature.args[1])]
        )

    return types.int64(types.uintp, side), generate


def _numbers(context: Any, builder: Any, arguments: Any, argument_types: Any) -> list[Any]:
    return [_as_given(context, builder, a, t) for a, t in zip(arguments, argument_types, strict=True)]


def _integers(context: Any, builder: Any, arguments: Any, argument_types: Any) -> list[Any]:
    return [_as_integer(context, builder, a, t) for a, t in zip(arguments, argument_types, strict=True)]


_ORDER_ARGUMENTS = ("quantity", "limit", "stop", "stop_loss", "take_profit", "trail",
                    "stop_loss_rate", "take_profit_rate", "trail_rate")  # fmt: skip


@intrinsic
def order(
    typing_context, ctx, side, quantity, limit, stop, stop_loss, take_profit, trail,
    sl_rate, tp_rate, trail_rate, tif, till, at,
):  # fmt: skip
    numbers = (quantity, limit, stop, stop_loss, take_profit, trail, sl_rate, tp_rate, trail_rate)
    for name, ty in zip(_ORDER_ARGUMENTS, numbers, strict=True):
        _need("buy/sell", name, ty, _is_number_or_none, "a number or None")
    _need("buy/sell", "good_till", till, _is_integer, "a time in nanoseconds, an integer")

    def generate(context, builder, signature, arguments):
        kinds = signature.args
        side_ = _as_integer(context, builder, arguments[1], kinds[1])
        rest = _numbers(context, builder, arguments[2:11], kinds[2:11])
        when = _integers(context, builder, arguments[11:], kinds[11:])
        return _call_table(builder, "place", arguments[0], _I8, [side_, *rest, *when])

    return types.int64(types.uintp, side, *numbers, tif, till, at), generate


@intrinsic
def trailing_stop(typing_context, ctx, quantity, trail, trail_rate, side, tif, till):
    for name, ty in (("quantity", quantity), ("trail", trail), ("trail_rate", trail_rate)):
        _need("trailing_stop", name, ty, _is_number_or_none, "a number or None")
    _need("trailing_stop", "side", side, _is_integer, "-1, 0 or +1")
    _need("trailing_stop", "good_till", till, _is_integer, "a time in nanoseconds, an integer")

    def generate(context, builder, signature, arguments):
        kinds = signature.args
        numbers = _numbers(context, builder, arguments[1:4], kinds[1:4])
        rest = _integers(context, builder, arguments[4:], kinds[4:])
        return _call_table(builder, "trailing_stop", arguments[0], _I8, [*numbers, *rest])

    return types.int64(types.uintp, quantity, trail, trail_rate, side, tif, till), generate


@intrinsic
def modify(typing_context, ctx, order_id, quantity, limit, stop):
    _need("modify", "order_id", order_id, _is_integer, "an integer")
    for name, ty in (("quantity", quantity), ("limit", limit), ("stop", stop)):
        _need("modify", name, ty, _is_number_or_none, "a number or None")

    def generate(context, builder, signature, arguments):
        kinds = signature.args
        id_ = _as_integer(context, builder, arguments[1], kinds[1])
        numbers = _numbers(context, builder, arguments[2:], kinds[2:])
        return _call_table(builder, "modify", arguments[0], _I8, [id_, *numbers])

    return types.int64(types.uintp, order_id, quantity, limit, stop), generate


@intrinsic
def oco(typing_context, ctx, order_id, other_id):
    _need("oco", "order_id", order_id, _is_integer, "an integer")
    _need("oco", "other_id", other_id, _is_integer, "an integer")

    def generate(context, builder, signature, arguments):
        ids = _integers(context, builder, arguments[1:], signature.args[1:])
        return _call_table(builder, "oco", arguments[0], _I8, ids)

    return types.int64(types.uintp, order_id, other_id), generate
