"""Strategy: parameters as annotated attributes, `init` once over whole arrays, `on_bar` after each bar's close."""

from __future__ import annotations

import difflib
import inspect
import typing
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from ..errors import InputError

PARAMETER_KINDS: dict[type, str] = {int: "an int", float: "a float", bool: "a bool", str: "a str"}
_EXACT_INT_LIMIT = 2**53  # beyond it a float64 parameter slot would round


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of an error message: the nearest known name, or all of them."""
    known = list(known)
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known: {', '.join(known)}" if known else "it has none"


class Strategy:
    """Base class of strategies. Subclass it, annotate parameters, write `init` and `on_bar`.

    Annotated class attributes (int, float, bool, str) with a default are the parameters; keyword arguments of the
    constructor and `nt.backtest(params=...)` override them. `init(data)` runs once and builds indicators over whole
    arrays (`data.sma(20)`, see `data`); `on_bar(ctx)` runs after each bar's close and may only read `self`:
    what changes from bar to bar lives in `ctx.state[k]` (float64[state_size], zeroed at the start of a run).

    `on_open(ctx)`, `on_close(ctx)` and methods marked by `nt.schedule` are called at those times as well.

    Over ticks it is `on_quote(ctx)`, `on_trade(ctx)` and `on_depth(ctx)` that decide, as many of them as are written.

    The same class runs interpreted (`nt.backtest(bars, SmaCross)`) or compiled (`nt.backtest(bars,
    nt.compiled(SmaCross))`) with equal digests. Raises InputError for an unknown or mistyped parameter, naming the
    nearest.

    >>> import neuraltrade as nt
    >>> class SmaCross(nt.Strategy):
    ...     fast: int = 10
    ...     slow: int = 50
    ...     def init(self, data):
    ...         self.f, self.s = data.sma(self.fast), data.sma(self.slow)
    ...     def on_bar(self, ctx):
    ...         if ctx.crossed_above(self.f, self.s):
    ...             ctx.buy()
    ...         elif ctx.crossed_below(self.f, self.s):
    ...             ctx.sell()
    >>> SmaCross(fast=5).parameter_values()
    {'fast': 5, 'slow': 50}
    """

    state_size: ClassVar[int] = 64
    """Number of float64 slots of `ctx.state`."""

    _parameters: ClassVar[dict[str, type]] = {}
    _frozen = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._parameters = _declared_parameters(cls)

    def __init__(self, **parameters: Any) -> None:
        self._apply(parameters, "argument")

    def __setattr__(self, name: str, value: Any) -> None:
        if self._frozen:
            raise AttributeError(
                f"self.{name} may not be assigned while bars run (compiled code could not see it): "
                "keep what changes in ctx.state[k]"
            )
        object.__setattr__(self, name, value)

    def init(self, data: Any) -> None:
        """Build indicators: called once per run, before the first bar, with the `data` face over whole arrays."""

    def on_bar(self, ctx: Any) -> None:
        """Decide: called after each bar's close, per symbol in panel order, from bar 0 on. Every strategy writes it."""

    def on_open(self, ctx: Any) -> None:
        """Decide at a session's first bar, after its close and before on_bar; written if wanted. See `nt.schedule`."""

    def on_close(self, ctx: Any) -> None:
        """Decide at the bar in which a session closes, after on_bar; written if wanted."""

    def on_quote(self, ctx: Any) -> None:
        """Decide at a change of the best bid or ask; of a run over ticks (`nt.Ticks`), written if wanted."""

    def on_trade(self, ctx: Any) -> None:
        """Decide at a print; of a run over ticks, written if wanted."""

    def on_depth(self, ctx: Any) -> None:
        """Decide once a message of changes is in the book; of a run over ticks, written if wanted."""

    @classmethod
    def parameter_defaults(cls) -> dict[str, Any]:
        """Name -> default of every parameter, base classes first.

        >>> import neuraltrade as nt
        >>> nt.Strategy.parameter_defaults()
        {}
        """
        return {name: getattr(cls, name) for name in cls._parameters}

    def parameter_values(self) -> dict[str, Any]:
        """Name -> value in force of every parameter."""
        return {name: getattr(self, name) for name in self._parameters}

    def _apply(self, overrides: Mapping[str, Any], argument: str) -> None:
        """Set parameters after checking names and types; nothing is set if one is wrong."""
        checked = {}
        for name, value in overrides.items():
            kind = self._parameters.get(name)
            if kind is None:
                hint = nearest(name, self._parameters)
                raise InputError(f"{argument} {name!r}: {type(self).__name__} has no such parameter; {hint}")
            checked[name] = _checked(f"{argument} {name!r} of {type(self).__name__}", value, kind)
        for name, value in checked.items():
            setattr(self, name, value)

    def _fresh(self, overrides: Mapping[str, Any]) -> Strategy:
        """A new instance with this one's attributes and `overrides`: `init` runs on it, this one stays as it is."""
        twin = object.__new__(type(self))
        twin.__dict__.update(vars(self))
        twin._apply(overrides, "params")
        return twin

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self.parameter_values().items())
        return f"{type(self).__name__}({values})"


def _declared_parameters(cls: type[Strategy]) -> dict[str, type]:
    """Annotated class attributes of a supported type, in order of declaration, base classes first."""
    found: dict[str, type] = {}
    for owner in reversed(cls.__mro__):
        for name, annotation in inspect.get_annotations(owner).items():
            if name.startswith("_") or owner is Strategy or _is_classvar(annotation):
                continue
            kind = _resolve(annotation)
            if kind is None:
                raise InputError(
                    f"{cls.__name__}.{name}: a parameter is annotated int, float, bool or str, was {annotation!r} "
                    "(write ClassVar[...] for what is none)"
                )
            if not hasattr(cls, name):
                raise InputError(f"{cls.__name__}.{name}: a parameter needs a default value")
            if hasattr(Strategy, name):
                raise InputError(f"{cls.__name__}.{name}: the name is taken by nt.Strategy")
            setattr(cls, name, _checked(f"default of {cls.__name__}.{name}", getattr(cls, name), kind))
            found[name] = kind
    return found


def _is_classvar(annotation: Any) -> bool:
    text = annotation if isinstance(annotation, str) else str(annotation)
    return typing.get_origin(annotation) is ClassVar or text.split("[")[0].split(".")[-1] == "ClassVar"


def _resolve(annotation: Any) -> type | None:
    """The parameter type an annotation means; annotations are text under `from __future__ import annotations`."""
    if isinstance(annotation, str):
        return next((kind for kind in PARAMETER_KINDS if kind.__name__ == annotation), None)
    return annotation if annotation in PARAMETER_KINDS else None


def _checked(label: str, value: Any, kind: type) -> Any:
    """`value` as `kind`, or InputError: no silent truncation, no bool for a number."""
    is_bool = isinstance(value, (bool, np.bool_))
    if kind is bool and is_bool:
        return bool(value)
    if kind is str and isinstance(value, str):
        return value
    if kind is int and not is_bool and isinstance(value, (int, np.integer)):
        if abs(int(value)) > _EXACT_INT_LIMIT:
            raise InputError(f"{label} must be within +-2**53, was {value}")
        return int(value)
    if kind is float and not is_bool and isinstance(value, (int, float, np.integer, np.floating)):
        return float(value)
    raise InputError(f"{label} must be {PARAMETER_KINDS[kind]}, was {value!r} ({type(value).__name__})")
