"""One run's worth of a strategy: a fresh instance after `init`, its columns, numbers and texts, and what the engine
calls."""

from __future__ import annotations

import ast
import numbers
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ..core.layouts import EVENT_CALLS
from ..errors import CompileError, InputError, NeuralTradeError, StrategyError
from . import interpreted
from .base import Strategy
from .compilation import CompiledStrategy
from .handle import Handle
from .indicators import Indicator, StrategyData
from .native import Failure, NativeCode, native_code
from .resident import Start, resident
from .scheduled import Hook, event_runner, hooks_of, in_order, masks, runner
from .source import too_deep
from .tick_data import TickData, Turned
from .translate import translate_function
from .translate_calls import CTX, USER
from .unit import Unit, is_numbers

_STATE_MAX = 1 << 24
_EXACT_INT = 2**53
RESIDENT_BARS_MIN = 2_000  # below, making the twin (0.5 ms, once for a class) takes longer than it saves


@dataclass
class Prepared:
    """What `nt.backtest` hands to the engine."""

    name: str
    parameters: dict[str, Any]
    columns: list[list[npt.NDArray[np.float64]]]
    numbers: npt.NDArray[np.float64]
    state_size: int
    texts: tuple[str, ...]
    on_bar: Callable[[Any], Any] | None = None
    resident: Start | None = None
    on_event: dict[str, Callable[[Any], Any]] = field(default_factory=dict)
    calls: tuple[str, ...] = ("on_bar",)
    turns: list[npt.NDArray[np.int64]] = field(default_factory=list)
    native: NativeCode | None = None
    failure: Failure = field(default_factory=Failure)
    instance: Strategy | None = None
    indicators: tuple[Indicator, ...] = ()


@dataclass(frozen=True)
class Code:
    """A compiled body, which any run with the same kinds of attributes can use."""

    native: NativeCode
    texts: tuple[str, ...]
    symbols: tuple[str, ...]
    places: tuple[str, ...]
    needs_times: bool


def as_strategy(strategy: Any, params: Mapping[str, Any] | None) -> tuple[Strategy, bool]:
    """(fresh instance with `params` applied, whether it is to be compiled). InputError for anything else."""
    compiled = isinstance(strategy, CompiledStrategy)
    inner = strategy.strategy if compiled else strategy
    overrides = _overrides(params)
    if isinstance(inner, type) and issubclass(inner, Strategy):
        if inner is Strategy:
            raise InputError("strategy must be a subclass of nt.Strategy, was nt.Strategy itself")
        return inner()._fresh(overrides), compiled
    if isinstance(inner, Strategy):
        return inner._fresh(overrides), compiled
    raise InputError(
        "strategy must be nt.Signals, a subclass or an instance of nt.Strategy, or nt.compiled(...) of one, "
        f"was {strategy!r}"
    )


def _overrides(params: Mapping[str, Any] | None) -> dict[str, Any]:
    if params is None:
        return {}
    if not isinstance(params, Mapping) or not all(isinstance(k, str) for k in params):
        raise InputError(f"params must be a mapping of parameter names to values, was {params!r}")
    return dict(params)


def prepare(
    strategy: Any,
    params: Mapping[str, Any] | None,
    bars: Sequence[Any],
    ticks: Any = None,
    first_slot: int = 0,
    *,
    calendars: Sequence[Any] | None = None,
    data: StrategyData | None = None,
    codes: dict[str, Code] | None = None,
    hooks: tuple[Hook, ...] | None = None,
) -> Prepared:
    """Run `init` over `bars` or an nt.Ticks and ready the strategy: interpreted, or for an nt.compiled compiled.

    first_slot : the engine's slot of its first symbol. calendars : of each symbol, None for none. data : what `init`
    receives instead of a new StrategyData over `bars`. codes : where compiled bodies are kept and looked up, for runs
    of one strategy that differ in their parameters only. hooks : what `hooks_of` its class has told already.
    """
    instance, compiled = as_strategy(strategy, params)
    name = type(instance).__name__
    hooks = hooks_of(type(instance)) if hooks is None else hooks
    calls = _calls(type(instance), hooks, over_ticks=ticks is not None)
    if ticks is not None:
        _refuse_unheard(name, calls, ticks)
    size = type(instance).state_size
    if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= _STATE_MAX:
        raise InputError(f"{name}.state_size must be an int in 0..{_STATE_MAX}, was {size!r}")
    face = data if data is not None else StrategyData(bars) if ticks is None else TickData(ticks)
    try:
        instance.init(face)
    except NeuralTradeError:
        raise
    except Exception as error:
        raise StrategyError(f"{name}.init raised {type(error).__name__}: {error}") from error
    instance = _settled(instance)
    made = Prepared(name, instance.parameter_values(), face.columns(), np.zeros(0), size, (), calls=calls)
    made.instance, made.indicators = instance, tuple(face._made)
    if isinstance(face, TickData):
        turned = Turned(face, hooks, calls, calendars)
        made.columns, made.turns, due = turned.columns, turned.turns, turned.masks
    else:
        due = masks(hooks, bars, calendars) if hooks else []
    if compiled:
        _compile(instance, face, made, first_slot, {} if codes is None else codes, (hooks, due))
    else:
        made.on_bar = interpreted.bind(instance, (*calls, *(hook.name for hook in hooks)))
        methods = [getattr(instance, hook.name) for hook in hooks]
        if ticks is not None:
            made.on_event = _event_calls(instance, calls, hooks, methods, due)
        elif hooks:
            made.on_bar = runner(hooks, methods, made.on_bar if calls else None, due)
        elif isinstance(face, StrategyData) and len(face) >= RESIDENT_BARS_MIN:
            made.resident = resident(instance, len(made.columns[0]))
        object.__setattr__(instance, "_frozen", True)
    return made


def _event_calls(
    instance: Strategy, calls: tuple[str, ...], hooks: tuple[Hook, ...], methods: list[Any], due: list[Any]
) -> dict[str, Callable[[Any], Any]]:
    """What the engine calls for each kind of event; with hooks, any kind may be the first heard by then."""
    own = {call: getattr(instance, call) for call in calls}
    if not hooks:
        return own
    return {call: event_runner(hooks, methods, own.get(call), due) for call in EVENT_CALLS[1:]}


_HEARD = {"on_quote": "quotes", "on_trade": "trades", "on_depth": "depth"}  # which rows each is called for


def _calls(cls: type[Strategy], hooks: tuple[Hook, ...], *, over_ticks: bool) -> tuple[str, ...]:
    """What the engine is to call: on_bar, or those of a run over ticks that are written."""
    wanted = EVENT_CALLS[1:] if over_ticks else EVENT_CALLS[:1]
    written = tuple(call for call in wanted if getattr(cls, call) is not getattr(Strategy, call))
    if not written and not hooks:
        others = [call for call in EVENT_CALLS if getattr(cls, call, None) is not getattr(Strategy, call, None)]
        needs = "bars" if over_ticks else "quotes, prints or depth (nt.Ticks)"
        instead = f"it has {' and '.join(others)}, so it runs over {needs}, or " if others else ""
        raise InputError(f"{cls.__name__} has no {' or '.join(wanted)}: {instead}write def {wanted[0]}(self, ctx)")
    return written


def _refuse_unheard(name: str, calls: tuple[str, ...], ticks: Any) -> None:
    """InputError where nothing that the strategy has would ever be called."""
    told = {stream.KIND for stream in ticks.streams}
    if calls and not told.intersection(_HEARD[call] for call in calls):
        wanted = " or ".join(f"{call} (nt.{_HEARD[call].capitalize()})" for call in calls)
        raise InputError(f"{name} has only {wanted}, and the data holds {' and '.join(sorted(told))} alone")


def _settled(instance: Strategy) -> Strategy:
    """A twin with the attributes `init` left, numpy scalars as Python numbers.

    Its __dict__ is never touched: once it was, CPython reads every attribute through it (P2 7 -> 3 M bars/s).
    """
    twin = object.__new__(type(instance))
    for name, value in vars(instance).items():
        object.__setattr__(twin, name, interpreted.plain(value))
    return twin


def _compile(
    instance: Strategy,
    data: StrategyData | TickData,
    made: Prepared,
    first_slot: int,
    codes: dict[str, Code],
    schedule: tuple[tuple[Hook, ...], list[npt.NDArray[np.float64]]],
) -> None:
    hooks, due = schedule
    attributes, values = _attributes(instance)
    key = repr((attributes, len(made.columns[0]), made.calls))
    code = codes.get(key)
    if code is None:
        code = codes[key] = _code(type(instance), attributes, len(values), made.calls, hooks, data)
    for column, mask in zip(made.columns, due, strict=False):
        column.append(mask)
    if code.needs_times:
        for column, bars in zip(made.columns, data.bars, strict=True):
            column.append(np.ascontiguousarray(bars.ts_ns).view(np.float64))
    known = {"": first_slot, **{symbol: first_slot + index for index, symbol in enumerate(data.symbols)}}
    slots = [known.get(symbol, -1) for symbol in code.symbols]
    made.numbers = np.array([*values, *slots], dtype=np.float64)
    made.texts = code.texts
    made.native = code.native
    made.failure = Failure(code.places, "/".join((*made.calls, *(hook.name for hook in hooks))))


def _code(
    cls: type[Strategy],
    attributes: dict[str, tuple[str, Any]],
    count: int,
    calls: tuple[str, ...],
    hooks: tuple[Hook, ...],
    data: Any,
) -> Code:
    """The body of `cls`, whose attributes are known by kind, as machine code; `count` of them are numbers."""
    unit = Unit(attributes, interpreted.own_methods(cls), parameter_count=count)
    unit.over_ticks = isinstance(data, TickData)
    entries = {call: _translated(unit, cls, call) for call in calls}
    own = len(data.columns()[0])
    if hooks:
        generated = [_translated(unit, cls, hook.name) for hook in hooks]
        body = entries.get("on_bar") if not unit.over_ticks else _dispatch(unit, entries) if entries else None
        entry = _scheduled(unit, hooks, generated, body)
        unit.constants["__nt_schedule"] = Handle(own)
    else:
        entry = _dispatch(unit, entries) if unit.over_ticks else entries["on_bar"]
    if unit.needs_times:
        unit.constants["__nt_times"] = Handle(own + bool(hooks))
    try:
        native = native_code(unit, entry)
    except RecursionError:
        named = (*calls, *(hook.name for hook in hooks))[0]
        raise too_deep(getattr(cls, named), f"{cls.__name__}.{named}") from None
    return Code(native, tuple(unit.texts), tuple(unit.symbols), tuple(unit.places), unit.needs_times)


def _translated(unit: Unit, cls: type[Strategy], call: str) -> str:
    """The generated function of one method that the engine calls."""
    function = getattr(cls, call)
    if not isinstance(function, types.FunctionType):
        raise CompileError(f"{cls.__name__}.{call} must be a plain function (def {call}(self, ctx)), was {function!r}")
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    if len(names) != 2:
        raise CompileError(f"{cls.__name__}.{call} must take self and ctx, takes {', '.join(names) or 'nothing'}")
    label = f"{cls.__name__}.{call}"
    try:
        return translate_function(unit, function, label, names[0], frozenset(names[1:]))
    except RecursionError:
        raise too_deep(function, label) from None


def _dispatch(unit: Unit, entries: Mapping[str, str]) -> str:
    """One entry for several methods: it calls the one that the event is for."""
    name = "__nt_events"
    lines = [f"def {name}({CTX}, {USER}):", f"    event = __nt_event({CTX})"]
    for call, generated in entries.items():
        lines += [f"    if event == {EVENT_CALLS.index(call)}:", f"        {generated}({CTX}, {USER})"]
    tree = ast.parse("\n".join(lines)).body[0]
    assert isinstance(tree, ast.FunctionDef)
    unit.trees[name], unit.files[name] = tree, unit.files[next(iter(entries.values()))]
    return name


def _scheduled(unit: Unit, hooks: tuple[Hook, ...], generated: list[str], on_bar: str | None) -> str:
    """One entry that calls what is due after a bar, on_bar in its place among them."""
    name = "__nt_scheduled"
    lines = [f"def {name}({CTX}, {USER}):", f"    mask = __nt_to_int(__nt_value({CTX}, __nt_schedule))"]
    each = [
        (hook.kind, f"    if mask & {1 << k}:\n        {generated[k]}({CTX}, {USER})") for k, hook in enumerate(hooks)
    ]
    early = [text for kind, text in each if kind != "close"]
    late = [text for kind, text in each if kind == "close"]
    if unit.over_ticks:
        early, late = [*(each[k][1] for k in in_order(hooks))], []
    lines += [*early, *([] if on_bar is None else [f"    {on_bar}({CTX}, {USER})"]), *late]
    tree = ast.parse("\n".join(lines)).body[0]
    assert isinstance(tree, ast.FunctionDef)
    unit.trees[name], unit.files[name] = tree, unit.files[generated[0]]
    return name


def _attributes(instance: Strategy) -> tuple[dict[str, tuple[str, Any]], list[float]]:
    """What `self.NAME` is in compiled code, and the numbers behind those that may change without compiling again."""
    found: dict[str, tuple[str, Any]] = {}
    values: list[float] = []
    names = dict.fromkeys(
        (
            *instance._parameters,
            *sorted(vars(instance)),
            *_class_constants(type(instance)),
        )
    )
    for name in names:
        value = getattr(instance, name)
        kind = _number_kind(value)
        if kind is not None:
            found[name] = (kind, len(values))
            values.append(float(value))
        else:
            found[name] = _fixed(name, value)
    return found, values


def _class_constants(cls: type) -> list[str]:
    """Plain class attributes of the user's classes that are not functions."""
    names: list[str] = []
    for owner in cls.__mro__:
        if owner in (Strategy, object):
            continue
        names += [
            n
            for n, v in owner.__dict__.items()
            if not n.startswith("__") and not callable(v) and not hasattr(v, "__get__")
        ]
    return sorted(n for n in set(names) if n not in ("_parameters", "_frozen"))


def _number_kind(value: Any) -> str | None:
    if isinstance(value, (bool, np.bool_)):
        return "bool"
    if isinstance(value, numbers.Integral):
        return "int" if abs(int(value)) <= _EXACT_INT else None
    return "float" if isinstance(value, (float, np.floating)) else None


def _fixed(name: str, value: Any) -> tuple[str, Any]:
    """An attribute that is part of the code: an indicator, a text, a tuple of numbers; or why it is none of them."""
    if isinstance(value, Indicator):
        return "handle", Handle(value.index)
    if isinstance(value, (tuple, list)) and value and all(isinstance(v, Indicator) for v in value):
        handles = [Handle(v.index) for v in value]
        return "handle", type(value)(*handles) if hasattr(value, "_fields") else tuple(handles)
    if is_numbers(value):
        return "constant", value
    if isinstance(value, (str, numbers.Integral)) or value is None:
        return "constant", value
    if isinstance(value, np.ndarray):
        return "none", f"self.{name} is an array: make it an indicator in init (data.indicator), or a tuple of numbers"
    return "none", f"self.{name} is a {type(value).__name__}: use numbers, tuples of numbers, or indicators"
