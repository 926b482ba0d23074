"""Checks that every setting shares."""

from __future__ import annotations

import difflib
import functools
import inspect
import math
from collections.abc import Callable, Iterable
from typing import Any, ParamSpec, TypeVar

import msgspec

from ...errors import InputError, UnknownArgument

PRICE_MAX = 9_223_372_036.0  # int64 at 1e-9, in whole units


_P = ParamSpec("_P")
_R = TypeVar("_R")


def refuse_unknown(owner: str, given: Iterable[str], known: Iterable[str]) -> None:
    """UnknownArgument for the first of `given` that is none of `known`."""
    names = tuple(known)
    for name in given:
        if name not in names:
            close = difflib.get_close_matches(name, names, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"it takes {', '.join(names)}"
            raise UnknownArgument(f"{owner} has no argument {name!r}; {hint}")


def explains_keywords(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """`function`, whose unknown keywords are refused with the nearest that it has."""
    names = tuple(inspect.signature(function).parameters)

    @functools.wraps(function)
    def call(*arguments: _P.args, **keywords: _P.kwargs) -> _R:
        refuse_unknown(function.__name__, keywords, names)
        return function(*arguments, **keywords)

    return call


class _Meta(msgspec.StructMeta):
    """Explains keywords a setting does not have, which msgspec refuses without the nearest."""

    def __call__(cls, *arguments: Any, **keywords: Any) -> Any:  # noqa: N805
        fields = cls.__struct_fields__
        refuse_unknown(cls.__name__, keywords, fields)
        try:
            return super().__call__(*arguments, **keywords)
        except TypeError as error:
            if isinstance(error, InputError):
                raise
            raise UnknownArgument(f"{cls.__name__} takes {', '.join(f'{name}=' for name in fields)}: {error}") from None


class Setting(msgspec.Struct, metaclass=_Meta, frozen=True):
    """Base of what a run is told."""


def number(owner: str, name: str, value: Any, low: float, high: float, *, above: bool = False) -> float:
    """`value` as a float in [low, high] (above: in (low, high]), or InputError."""
    bounds = f"{'above' if above else 'at least'} {low:g} and at most {high:g}"
    if isinstance(value, bool) or (not isinstance(value, (int, float)) and not hasattr(value, "__float__")):
        raise InputError(f"{owner}: {name} must be a number {bounds}, was {value!r}")
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    except (TypeError, ValueError):  # an array
        raise InputError(f"{owner}: {name} must be a number {bounds}, was {value!r}") from None
    if not math.isfinite(found) or found < low or found > high or (above and found == low):
        raise InputError(f"{owner}: {name} must be {bounds}, was {value!r}")
    return found


def choice(owner: str, name: str, value: Any, allowed: tuple[str, ...]) -> None:
    if isinstance(value, str) and value in allowed:
        return
    close = difflib.get_close_matches(str(value), allowed, 1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise InputError(f"{owner}: {name} must be one of {', '.join(allowed)}, was {value!r}{hint}")
