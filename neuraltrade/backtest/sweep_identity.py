"""What decides the outcome of a search, as one digest: a state file of another one is not gone on with."""

from __future__ import annotations

import functools
import inspect
import json
import re
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from blake3 import blake3

from ..errors import InputError
from ..market import Bars, Panel, Ticks
from ..market.schedules import dues_of
from ..strategy import CompiledStrategy, Strategy
from ..strategy.interpreted import own_methods
from .sweep_job import Job

_PLAIN = (bool, int, float, complex, str, bytes, type(None), types.EllipsisType)


def identity(job: Job, candidates: Sequence[Mapping[str, Any]], *more: Any) -> str:
    """Hex BLAKE3 of everything that decides what the trials come to; `more` : what else does, JSON-able."""
    refuse_unknowable(job.settings)
    hasher = blake3(b"neuraltrade.sweep.2\n")
    setup = job.setup
    plain = {name: job.settings.get(name) for name in ("close_at_end", "risk_free", "periods_per_year")}
    window = None if job.window is None else [job.window.start, job.window.stop]
    for part in (job.told, plain, window, list(candidates), job.keep_returns, setup.symbols, more):
        hasher.update(json.dumps(part, sort_keys=True, default=repr).encode() + b"\n")
    strategy = list(job.strategy.items()) if isinstance(job.strategy, Mapping) else job.strategy  # their order counts
    for thing in (job.metric, strategy, job.settings.get("benchmark")):
        hasher.update(f"{code_of(thing)}\n".encode())
    for array in _arrays(setup):
        _update(hasher, array)
    return hasher.hexdigest()


def refuse_unknowable(settings: Mapping[str, Any]) -> None:
    """InputError for what can answer otherwise in another process, though nothing of it looks different."""
    for name in ("recall", "advisor"):
        if settings.get(name) is not None:
            raise InputError(f"state must be None with {name}=: what it answers may have changed when it goes on")


def _arrays(setup: Any) -> Iterator[np.ndarray]:
    """Everything the runs read that is an array."""
    if isinstance(setup.data, Ticks):
        for stream in setup.data:
            yield from stream.columns()
    for bars in setup.bars:
        yield from bars.columns()
    for own in setup.actions:
        dues = dues_of(own)
        if dues is not None:
            yield dues
    for series in setup.rates.values():
        yield series.rows()


def _update(hasher: Any, array: np.ndarray) -> None:
    hasher.update(f"{array.dtype.str} {array.shape}\n".encode())
    hasher.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)


def code_of(thing: Any) -> str:
    """A text that changes where code does, or a value that it holds or reads: defaults, parameters, attributes, what it
    closes over, plain constants and functions of its module. Equal in any process."""
    return _told(thing, ())


def _told(thing: Any, within: tuple[int, ...]) -> str:
    """The text of one value; `within` : ids of those that it is part of."""
    if isinstance(thing, _PLAIN):
        return repr(thing)
    if id(thing) in within:
        return "..."
    inside = (*within, id(thing))
    for kinds, tell in _TELLERS:
        if isinstance(thing, kinds):
            return tell(thing, inside)
    if hasattr(thing, "__array__"):  # a frame, a series
        words = _told([np.asarray(thing), [str(one) for one in getattr(thing, "columns", ())]], inside)
    else:
        slots = [name for owner in type(thing).__mro__ for name in getattr(owner, "__slots__", ())]
        names = (*slots, *getattr(thing, "__dict__", ()))
        held = {name: getattr(thing, name) for name in names if hasattr(thing, name)}
        words = _told(held, inside) if held else re.sub(r" at 0x[0-9a-f]+", "", repr(thing))
    return f"{type(thing).__module__}.{type(thing).__qualname__} {words}"


def _array(thing: Any, inside: tuple[int, ...]) -> str:
    if thing.dtype.hasobject:
        return f"objects {thing.shape} {_told(thing.tolist(), inside)}"
    hasher = blake3()
    _update(hasher, thing)
    return f"array {hasher.hexdigest()}"


def _mapping(thing: Any, inside: tuple[int, ...]) -> str:
    return "{" + ", ".join(sorted(f"{_told(k, inside)}: {_told(v, inside)}" for k, v in thing.items())) + "}"


def _several(thing: Any, inside: tuple[int, ...]) -> str:
    return f"{type(thing).__name__}({', '.join(_told(one, inside) for one in thing)})"


def _set(thing: Any, inside: tuple[int, ...]) -> str:
    return "{" + ", ".join(sorted(_told(one, inside) for one in thing)) + "}"


def _bars(thing: Any, inside: tuple[int, ...]) -> str:
    each = thing.bars if isinstance(thing, Panel) else (thing,)
    return _told([(one.symbol, *one.columns()) for one in each], inside)


def _instance(thing: Any, inside: tuple[int, ...]) -> str:
    return f"{_told(type(thing), inside)} {_told(vars(thing), inside)}"


def _partial(thing: Any, inside: tuple[int, ...]) -> str:
    return f"partial {_told((thing.func, thing.args, thing.keywords), inside)}"


def _class(thing: Any, inside: tuple[int, ...]) -> str:
    """A strategy with its parameters, plain attributes and methods; of another class its name."""
    name = f"{thing.__module__}.{thing.__qualname__}"
    if not issubclass(thing, Strategy):
        return name
    held = {
        key: getattr(thing, key)
        for owner in thing.__mro__
        if owner not in (Strategy, object)
        for key, value in vars(owner).items()
        if not key.startswith("__") and not callable(value) and not hasattr(value, "__get__")
    }
    held.pop("_parameters", None)
    methods = [_told(function, inside) for _, function in sorted(own_methods(thing).items())]
    return f"{name} {_told(held, inside)} {methods!r}"


def _function(thing: Any, inside: tuple[int, ...]) -> str:
    """Its source, defaults, cells, and those of its module's plain values and functions that it names."""
    closed = inspect.unwrap(thing).__closure__ or ()
    cells = [cell.cell_contents for cell in closed if _is_filled(cell)]
    read = {
        name: value
        for name in sorted(_names(thing.__code__))
        if (value := thing.__globals__.get(name)) is not None and _is_own(value, thing.__module__)
    }
    parts = (*_source(thing), thing.__defaults__, thing.__kwdefaults__, cells, read)
    return _told(list(parts), inside)


def _is_filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:  # a name that is not bound yet
        return False
    return True


def _is_own(value: Any, module: str) -> bool:
    """Whether a global of that module is a part of the code rather than a library: a value, a function of its own."""
    if isinstance(value, types.FunctionType):
        return value.__module__ == module
    return isinstance(value, (*_PLAIN, np.ndarray, np.generic, tuple, list, dict, set, frozenset))


def _names(code: types.CodeType) -> set[str]:
    """Names that a body reads, in the functions inside it too."""
    inner = [_names(one) for one in code.co_consts if isinstance(one, types.CodeType)]
    return set(code.co_names).union(*inner)


def _source(function: Any) -> tuple[str, ...]:
    """Source where it can be read, else byte code; of a lambda, which may share its line with another, both."""
    code = function.__code__
    plain = [one for one in code.co_consts if isinstance(one, _PLAIN)]
    told = repr((code.co_name, code.co_code, code.co_names, plain))
    try:
        source = inspect.getsource(function)
    except (OSError, TypeError):
        return (told,)
    return (source, told) if code.co_name == "<lambda>" else (source,)


_TELLERS: tuple[tuple[Any, Callable[[Any, tuple[int, ...]], str]], ...] = (
    (np.ndarray, _array),
    (np.generic, lambda thing, inside: f"{thing.dtype.str} {thing.item()!r}"),
    ((dict, types.MappingProxyType), _mapping),
    ((set, frozenset), _set),
    ((list, tuple), _several),
    ((Bars, Panel), _bars),
    (CompiledStrategy, lambda thing, inside: _told(thing.strategy, inside)),
    (Strategy, _instance),
    (type, _class),
    (functools.partial, _partial),
    (types.FunctionType, _function),
    (types.MethodType, lambda thing, inside: _told((thing.__func__, thing.__self__), inside)),
    (types.ModuleType, lambda thing, inside: thing.__name__),
)
