"""The intrinsics of quotes, prints and books: beside `intrinsics`, whose helpers they use. Imports numba."""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic

from .intrinsics import _F8, _as_integer, _call_table, _field, _is_integer, _need

SCALARS = {
    name: _field(name, types.float64) for name in ("bid", "bid_size", "ask", "ask_size", "mid", "last", "last_size")
}
SCALARS |= {name: _field(name, types.int64) for name in ("event", "aggressor")}


def _level(name: str) -> Any:
    """Price or size of one level of one side."""

    @intrinsic
    def call(typing_context, ctx, side, level):
        _need(name, "side", side, _is_integer, "+1 or -1")
        _need(name, "level", level, _is_integer, "an integer")

        def generate(context, builder, signature, arguments):
            both = [_as_integer(context, builder, a, t) for a, t in zip(arguments[1:], signature.args[1:], strict=True)]
            return _call_table(builder, name, arguments[0], _F8, both)

        return types.float64(types.uintp, side, level), generate

    return call


depth_price, depth_size = _level("depth_price"), _level("depth_size")


@intrinsic
def queue_ahead(typing_context, ctx, order_id):
    _need("queue_ahead", "order_id", order_id, _is_integer, "an integer")

    def generate(context, builder, signature, arguments):
        id_ = _as_integer(context, builder, arguments[1], signature.args[1])
        return _call_table(builder, "queue_ahead", arguments[0], _F8, [id_])

    return types.float64(types.uintp, order_id), generate
