"""What compiled strategies call: loads from nt_context and calls through its table of functions, as numba intrinsics.

The context is a bare address (uintp); offsets come from CONTEXT_DTYPE and API_NAMES of core.layouts, so nothing here
repeats the layout of csrc/nt_context.h, and no address is embedded: object code may be cached.
Importing this module imports numba.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array
from numba.np.numpy_support import from_dtype

from ..core.layouts import API_NAMES, CONTEXT_DTYPE
from ..errors import InputError
from ..ports import SIMILAR_DTYPE
from .handle import Handle

_F8, _I8 = ir.DoubleType(), ir.IntType(64)
_NAN = ir.Constant(_F8, float("nan"))


def _integer(value: int) -> ir.Constant:
    return ir.Constant(_I8, value)


def _offset(name: str) -> int:
    fields: Any = CONTEXT_DTYPE.fields
    return int(fields[name][1])


def _load(builder: Any, address: Any, offset: int, kind: Any) -> Any:
    at = builder.add(address, _integer(offset)) if offset else address
    return builder.load(builder.inttoptr(at, kind.as_pointer()))


def _load_at(builder: Any, base: Any, index: Any) -> Any:
    """base[index] of a column of doubles."""
    return _load(builder, builder.add(base, builder.shl(index, _integer(3))), 0, _F8)


def _raise_if(context: Any, builder: Any, condition: Any, error: type[Exception], message: str) -> None:
    with builder.if_then(condition, likely=False):
        context.call_conv.return_user_exc(builder, error, (message,))


# ---- argument types -------------------------------------------------------------------------------------------------


def _is_integer(ty: Any) -> bool:
    return isinstance(types.unliteral(ty), (types.Integer, types.Boolean))


def _is_number(ty: Any) -> bool:
    return _is_integer(ty) or isinstance(types.unliteral(ty), types.Float)


def _is_number_or_none(ty: Any) -> bool:
    ty = types.unliteral(ty)
    return _is_number(ty) or ty is types.none or (isinstance(ty, types.Optional) and _is_number(ty.type))


def _is_handle(ty: Any) -> bool:
    return isinstance(ty, types.BaseNamedTuple) and getattr(ty, "instance_class", None) is Handle


def _need(call: str, argument: str, ty: Any, accepts: Callable[[Any], bool], wanted: str) -> None:
    if not accepts(ty):
        raise TypingError(f"ctx.{call}: {argument} must be {wanted}, is {ty}")


def _as_double(context: Any, builder: Any, value: Any, ty: Any) -> Any:
    return context.cast(builder, value, ty, types.float64)


def _as_given(context: Any, builder: Any, value: Any, ty: Any) -> Any:
    """What an order is given: None as NaN; a NaN of the user's as an infinity, which the core refuses for its range."""
    if ty is types.none:
        return _NAN
    valid = None
    if isinstance(ty, types.Optional):
        optional = context.make_helper(builder, ty, value)
        value, ty, valid = optional.data, ty.type, cgutils.as_bool_bit(builder, optional.valid)
    number = _as_double(context, builder, value, ty)
    number = builder.select(builder.fcmp_unordered("uno", number, number), ir.Constant(_F8, float("inf")), number)
    return number if valid is None else builder.select(valid, number, _NAN)


def _as_integer(context: Any, builder: Any, value: Any, ty: Any) -> Any:
    return context.cast(builder, value, ty, types.int64)


# ---- fields ---------------------------------------------------------------------------------------------------------


def _field(name: str, kind: Any) -> Any:
    offset, low = _offset(name), _F8 if kind is types.float64 else _I8

    @intrinsic
    def load(typing_context, ctx):
        def generate(context, builder, signature, arguments):
            return _load(builder, arguments[0], offset, low)

        return kind(types.uintp), generate

    return load


def _column(name: str) -> Any:
    """column[bar]"""
    offset, at_bar = _offset(name), _offset("bar")

    @intrinsic
    def load(typing_context, ctx):
        def generate(context, builder, signature, arguments):
            base = _load(builder, arguments[0], offset, _I8)
            return _load_at(builder, base, _load(builder, arguments[0], at_bar, _I8))

        return types.float64(types.uintp), generate

    return load


def _back(context: Any, builder: Any, ctx: Any, k: Any, ty: Any) -> Any:
    """Byte offset of the bar k back; InputError outside 0..bar, as in the interpreted context."""
    back = _as_integer(context, builder, k, ty)
    bar = _load(builder, ctx, _offset("bar"), _I8)
    outside = builder.icmp_unsigned(">", back, bar)
    _raise_if(context, builder, outside, InputError, "ctx.ago: k must be 0..ctx.bar")
    return builder.shl(builder.sub(bar, back), _integer(3))


def _column_ago(name: str) -> Any:
    """column[bar - k]"""
    offset = _offset(name)

    @intrinsic
    def load(typing_context, ctx, k):
        _need("ago", "k", k, _is_integer, "an integer")

        def generate(context, builder, signature, arguments):
            back = _back(context, builder, arguments[0], arguments[1], signature.args[1])
            return _load(builder, builder.add(_load(builder, arguments[0], offset, _I8), back), 0, _F8)

        return types.float64(types.uintp, k), generate

    return load


SCALARS = {name: _field(name, types.int64) for name in ("i", "bar", "ts_ns")}
SCALARS |= {name: _field(name, types.float64) for name in ("position", "entry_price", "cash", "equity")}
SCALARS |= {name: _column(name) for name in ("open", "high", "low", "close", "volume")}
SCALARS["slot"] = _field("symbol", types.int64)
AGO = {name: _column_ago(name) for name in ("open", "high", "low", "close", "volume")}


# ---- indicators, state, parameters ----------------------------------------------------------------------------------


def _indicator_base(context: Any, builder: Any, ctx: Any, handle: Any, ty: Any) -> Any:
    index = builder.extract_value(handle, 0)
    columns = _load(builder, ctx, _offset("indicators"), _I8)
    return _load(builder, builder.add(columns, builder.shl(index, _integer(3))), 0, _I8)


@intrinsic
def ago_ts_ns(typing_context, ctx, k, handle):
    """Time of the bar k back, from the times handed in as the bits of an indicator column."""
    _need("ago", "k", k, _is_integer, "an integer")

    def generate(context, builder, signature, arguments):
        back = _back(context, builder, arguments[0], arguments[1], signature.args[1])
        base = _indicator_base(context, builder, arguments[0], arguments[2], handle)
        return _load(builder, builder.add(base, back), 0, _I8)

    return types.int64(types.uintp, k, handle), generate


@intrinsic
def value(typing_context, ctx, handle):
    """Indicator at this bar."""
    _need("value", "indicator", handle, _is_handle, "an indicator made in init")

    def generate(context, builder, signature, arguments):
        base = _indicator_base(context, builder, arguments[0], arguments[1], handle)
        return _load_at(builder, base, _load(builder, arguments[0], _offset("bar"), _I8))

    return types.float64(types.uintp, handle), generate


@intrinsic
def previous(typing_context, ctx, handle, k):
    """Indicator k bars back; NaN before the first bar."""
    _need("previous", "indicator", handle, _is_handle, "an indicator made in init")
    _need("previous", "k", k, _is_integer, "an integer")

    def generate(context, builder, signature, arguments):
        back = _as_integer(context, builder, arguments[2], signature.args[2])
        bar = _load(builder, arguments[0], _offset("bar"), _I8)
        _raise_if(context, builder, builder.icmp_signed("<", back, _integer(0)), InputError,
                  "ctx.previous: k must be at least 0")  # fmt: skip
        base = _indicator_base(context, builder, arguments[0], arguments[1], handle)
        inside = builder.icmp_signed("<=", back, bar)
        found = _load_at(builder, base, builder.select(inside, builder.sub(bar, back), _integer(0)))
        return builder.select(inside, found, _NAN)

    return types.float64(types.uintp, handle, k), generate


def _crossing(name: str, before: str, after: str) -> Any:
    @intrinsic
    def crossed(typing_context, ctx, a, b):
        for label, ty in (("a", a), ("b", b)):
            _need(name, label, ty, lambda t: _is_handle(t) or _is_number(t), "an indicator made in init, or a number")

        def generate(context, builder, signature, arguments):
            ctx_, bar = arguments[0], _load(builder, arguments[0], _offset("bar"), _I8)
            # At bar 0 both loads read bar 0, and no pair of numbers crosses itself.
            last = builder.select(builder.icmp_signed(">", bar, _integer(0)), builder.sub(bar, _integer(1)), bar)
            sides = []
            for argument, ty in zip(arguments[1:], signature.args[1:], strict=True):
                if _is_handle(ty):
                    base = _indicator_base(context, builder, ctx_, argument, ty)
                    sides.append((_load_at(builder, base, last), _load_at(builder, base, bar)))
                else:
                    sides.append((context.cast(builder, argument, ty, types.float64),) * 2)
            (a_last, a_now), (b_last, b_now) = sides
            return builder.and_(builder.fcmp_ordered(before, a_last, b_last), builder.fcmp_ordered(after, a_now, b_now))

        return types.boolean(types.uintp, a, b), generate

    return crossed


crossed_above = _crossing("crossed_above", "<=", ">")
crossed_below = _crossing("crossed_below", ">=", "<")


def _state_address(context: Any, builder: Any, ctx: Any, index: Any) -> Any:
    """Address of ctx.state[index], negative from the end, IndexError outside: a memoryview's rule."""
    count = _load(builder, ctx, _offset("state_count"), _I8)
    wrapped = builder.select(builder.icmp_signed("<", index, _integer(0)), builder.add(index, count), index)
    _raise_if(context, builder, builder.icmp_unsigned(">=", wrapped, count), IndexError, "ctx.state index out of range")
    base = _load(builder, ctx, _offset("state"), _I8)
    return builder.inttoptr(builder.add(base, builder.shl(wrapped, _integer(3))), _F8.as_pointer())


@intrinsic
def state_get(typing_context, ctx, k):
    _need("state[k]", "k", k, _is_integer, "an integer")

    def generate(context, builder, signature, arguments):
        index = _as_integer(context, builder, arguments[1], signature.args[1])
        return builder.load(_state_address(context, builder, arguments[0], index))

    return types.float64(types.uintp, k), generate


@intrinsic
def state_set(typing_context, ctx, k, number):
    _need("state[k]", "k", k, _is_integer, "an integer")
    _need("state[k]", "the value", number, _is_number, "a number")

    def generate(context, builder, signature, arguments):
        index = _as_integer(context, builder, arguments[1], signature.args[1])
        at = _state_address(context, builder, arguments[0], index)
        builder.store(_as_double(context, builder, arguments[2], signature.args[2]), at)
        return context.get_dummy_value()

    return types.none(types.uintp, k, number), generate


def _parameter(kind: Any) -> Any:
    offset = _offset("parameters")

    @intrinsic
    def load(typing_context, ctx, index):
        def generate(context, builder, signature, arguments):
            base = _load(builder, arguments[0], offset, _I8)
            found = _load_at(builder, base, _as_integer(context, builder, arguments[1], signature.args[1]))
            if kind is types.boolean:
                return builder.fcmp_ordered("!=", found, ir.Constant(_F8, 0.0))
            return found if kind is types.float64 else builder.fptosi(found, _I8)

        return kind(types.uintp, index), generate

    return load


PARAMETERS = {"int": _parameter(types.int64), "float": _parameter(types.float64), "bool": _parameter(types.boolean)}


@intrinsic
def at(typing_context, user, place):
    """Note where the next exception comes from: the second word at `user`."""

    def generate(context, builder, signature, arguments):
        where = builder.inttoptr(builder.add(arguments[0], _integer(8)), _I8.as_pointer())
        builder.store(_as_integer(context, builder, arguments[1], signature.args[1]), where)
        return context.get_dummy_value()

    return types.none(types.uintp, place), generate


# ---- the table of functions ---------------------------------------------------------------------------------------


def _call_table(builder: Any, name: str, ctx: Any, result: Any, arguments: list[Any]) -> Any:
    table = _load(builder, ctx, _offset("api"), _I8)
    function = _load(builder, table, 8 * API_NAMES.index(name), _I8)
    kind = ir.FunctionType(result, [_I8, *(a.type for a in arguments)])
    return builder.call(builder.inttoptr(function, kind.as_pointer()), [ctx, *arguments])


def _command(name: str) -> Any:
    """A function of the table that takes nothing but the context."""

    @intrinsic
    def call(typing_context, ctx):
        def generate(context, builder, signature, arguments):
            return _call_table(builder, name, arguments[0], _I8, [])

        return types.int64(types.uintp), generate

    return call


close_position, cancel_all = _command("close_position"), _command("cancel_all")


@intrinsic
def halt(typing_context, ctx, mode):
    def generate(context, builder, signature, arguments):
        mode_ = _as_integer(context, builder, arguments[1], signature.args[1])
        return _call_table(builder, "halt", arguments[0], _I8, [mode_])

    return types.int64(types.uintp, mode), generate


@intrinsic
def target(typing_context, ctx, fraction):
    _need("target", "fraction_of_equity", fraction, _is_number, "a number")

    def generate(context, builder, signature, arguments):
        return _call_table(
            builder, "target", arguments[0], _I8, [_as_double(context, builder, arguments[1], signature.args[1])]
        )

    return types.int64(types.uintp, fraction), generate


def _order_question(name: str, boolean: bool) -> Any:
    @intrinsic
    def call(typing_context, ctx, order_id):
        _need(name, "order_id", order_id, _is_integer, "an integer")

        def generate(context, builder, signature, arguments):
            id_ = _as_integer(context, builder, arguments[1], signature.args[1])
            answer = _call_table(builder, name, arguments[0], _I8, [id_])
            return builder.icmp_signed("!=", answer, _integer(0)) if boolean else answer

        return (types.boolean if boolean else types.int64)(types.uintp, order_id), generate

    return call


cancel, is_active = _order_question("cancel", False), _order_question("is_active", True)


@intrinsic
def signal(typing_context, ctx, direction, confidence, reasoning):
    _need("signal", "direction", direction, _is_integer, "-1, 0 or +1")
    _need("signal", "confidence", confidence, _is_number, "a number")

    def generate(context, builder, signature, arguments):
        side = _as_integer(context, builder, arguments[1], signature.args[1])
        weight = _as_double(context, builder, arguments[2], signature.args[2])
        off = builder.icmp_unsigned(">", builder.add(side, _integer(1)), _integer(2))
        _raise_if(context, builder, off, InputError, "ctx.signal: direction must be -1, 0 or 1")
        inside = builder.and_(
            builder.fcmp_ordered(">=", weight, ir.Constant(_F8, 0.0)),
            builder.fcmp_ordered("<=", weight, ir.Constant(_F8, 1.0)),
        )
        _raise_if(context, builder, builder.not_(inside), InputError, "ctx.signal: confidence must be 0..1")
        numbers = [side, weight, _as_integer(context, builder, arguments[3], signature.args[3])]
        return _call_table(builder, "signal", arguments[0], _F8, numbers)

    return types.float64(types.uintp, direction, confidence, reasoning), generate


@intrinsic
def similar(typing_context, ctx, k):
    """SIMILAR_DTYPE[m], a view of the engine's own buffer until the next call."""
    _need("similar", "k", k, _is_integer, "an integer")
    rows = types.Array(from_dtype(SIMILAR_DTYPE), 1, "C", readonly=True)

    def generate(context, builder, signature, arguments):
        wanted = _as_integer(context, builder, arguments[1], signature.args[1])
        none = builder.icmp_signed("<", wanted, _integer(1))
        _raise_if(context, builder, none, InputError, "ctx.similar: k must be at least 1")
        count = _call_table(builder, "similar", arguments[0], _I8, [wanted])
        array = context.make_array(rows)(context, builder)
        data = builder.inttoptr(_load(builder, arguments[0], _offset("similar"), _I8), array.data.type)
        width = _integer(SIMILAR_DTYPE.itemsize)
        populate_array(array, data=data, shape=(count,), strides=(width,), itemsize=width, meminfo=None)
        return array._getvalue()

    return rows(types.uintp, k), generate


def _mathematics(name: str, arity: int) -> Any:
    def generate(context, builder, signature, arguments):
        numbers = [_as_double(context, builder, a, t) for a, t in zip(arguments[1:], signature.args[1:], strict=True)]
        table = _load(builder, arguments[0], _offset("api"), _I8)
        function = _load(builder, table, 8 * API_NAMES.index(name), _I8)
        kind = ir.FunctionType(_F8, [_F8] * arity)
        return builder.call(builder.inttoptr(function, kind.as_pointer()), numbers)

    if arity == 1:

        @intrinsic
        def call(typing_context, ctx, x):
            _need(f"math.{name}", "x", x, _is_number, "a number")
            return types.float64(types.uintp, x), generate

        return call

    @intrinsic
    def call_two(typing_context, ctx, x, y):
        _need(name, "both sides", x, _is_number, "numbers")
        _need(name, "both sides", y, _is_number, "numbers")
        return types.float64(types.uintp, x, y), generate

    return call_two


MATHEMATICS = {name: _mathematics(name, 1) for name in ("exp", "log", "sin", "cos", "tan", "tanh")}
MATHEMATICS["pow"] = _mathematics("pow", 2)
