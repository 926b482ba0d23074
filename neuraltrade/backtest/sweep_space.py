"""The parameters a search may try: values to choose from, ranges to draw from, and what rules a combination out."""

from __future__ import annotations

import inspect
import itertools
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import DependencyMissing, InputError, NeuralTradeError, StrategyError
from ..strategy import CompiledStrategy, Signals, Strategy
from ..strategy.base import _checked, nearest
from .sweep_team import each_of, is_several

GRID_MAX = 1_000_000
_DRAWS_EACH = 1_000  # draws that `where` may refuse in a row

Where = Callable[[dict[str, Any]], bool]


class Between:
    """A range of values for nt.sweep to draw from: whole numbers where both ends are, else any number.

    low, high : both ends belong to it; low < high. log : draw evenly in the logarithm; low must be > 0.
    Raises InputError naming what is wrong.

    >>> import neuraltrade as nt
    >>> nt.Between(2, 50), nt.Between(1e-4, 1e-1, log=True)
    (Between(2, 50), Between(0.0001, 0.1, log=True))
    """

    __slots__ = ("high", "log", "low")

    def __init__(self, low: float, high: float, *, log: bool = False) -> None:
        for name, value in (("low", low), ("high", high)):
            if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
                raise InputError(f"{name} must be a number, was {value!r}")
            if not -1e300 < value < 1e300:
                raise InputError(f"{name} must be finite and within +-1e300, was {value!r}")
        if not low < high:
            raise InputError(f"low must be below high ({high!r}), was {low!r}")
        if log and not low > 0:
            raise InputError(f"low must be > 0 for a logarithmic range, was {low!r}")
        is_whole = isinstance(low, (int, np.integer)) and isinstance(high, (int, np.integer))
        self.low: float = int(low) if is_whole else float(low)
        self.high: float = int(high) if is_whole else float(high)
        self.log = bool(log)

    @property
    def is_whole(self) -> bool:
        return isinstance(self.low, int)

    def at(self, share: float) -> float:
        """The value at a share in [0, 1) of the way."""
        low, high = (self.low, self.high + 1) if self.is_whole else (self.low, self.high)
        value = math.exp(math.log(low) + share * math.log(high / low)) if self.log else low + share * (high - low)
        return min(int(value), int(self.high)) if self.is_whole else min(float(value), float(self.high))

    def __repr__(self) -> str:
        return f"Between({self.low!r}, {self.high!r}{', log=True' if self.log else ''})"


class Space:
    """What a search may try: names, their values (tuples, or Between), and the combinations that `where` lets through.

    strategy : what nt.sweep takes; names and types are its parameters. Raises InputError for a name it has not (with
    the nearest), a value of another type, no values, a repeated value, or an empty grid.
    """

    def __init__(self, strategy: Any, grid: Any, where: Where | None = None) -> None:
        if not isinstance(grid, Mapping) or not grid:
            raise InputError(f"grid must map names of parameters to values, at least one, was {grid!r}")
        if where is not None and not callable(where):
            raise InputError(f"where must be None or a callable(params) -> bool, was {where!r}")
        kinds = _kinds(strategy)
        self.where = where
        self.values: dict[str, tuple[Any, ...] | Between] = {
            name: _values(name, given, kinds) for name, given in grid.items()
        }

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.values)

    @property
    def continuous(self) -> tuple[str, ...]:
        """Names whose values are drawn from a range."""
        return tuple(name for name, values in self.values.items() if isinstance(values, Between))

    def size(self) -> int:
        """Combinations of a space of listed values, `where` not asked."""
        return math.prod(len(v) for v in self.values.values() if not isinstance(v, Between))

    def grid(self) -> list[dict[str, Any]]:
        """Every combination in grid order, the last name's values changing fastest."""
        if self.continuous:
            raise InputError(f"grid: {self.continuous[0]!r} is a range to draw from: use method='random' with trials=")
        if self.size() > GRID_MAX:
            raise InputError(f"grid has {self.size():,} combinations, more than {GRID_MAX:,}: use method='random'")
        listed = [v for v in self.values.values() if not isinstance(v, Between)]
        found = [
            p for p in (dict(zip(self.names, c, strict=True)) for c in itertools.product(*listed)) if self.admits(p)
        ]
        if not found:
            raise InputError(f"grid: `where` lets none of {self.size():,} combinations through")
        return found

    def admits(self, params: dict[str, Any]) -> bool:
        """What `where` says of one combination."""
        if self.where is None:
            return True
        try:
            return bool(self.where(dict(params)))
        except NeuralTradeError:
            raise
        except Exception as error:
            raise StrategyError(f"where raised {type(error).__name__} for {params}: {error}") from error

    def random(self, trials: int, seed: int) -> list[dict[str, Any]]:
        """`trials` different combinations, fewer where there are no more, drawn evenly."""
        chance = random.Random(seed)
        if not self.continuous and self.size() <= GRID_MAX:
            every = self.grid()
            return every if len(every) <= trials else [every[k] for k in chance.sample(range(len(every)), trials)]
        width = len(self.values)
        return self._drawn(trials, ([chance.random() for _ in range(width)] for _ in itertools.count()))

    def sobol(self, trials: int, seed: int) -> list[dict[str, Any]]:
        """`trials` different combinations along a scrambled Sobol sequence (scipy), fewer where there are no more."""
        return self._drawn(trials, _sobol_points(len(self.values), seed))

    def _drawn(self, trials: int, points: Iterator[Sequence[float]]) -> list[dict[str, Any]]:
        """The first `trials` different admitted combinations among points of the unit cube."""
        found: dict[tuple[Any, ...], dict[str, Any]] = {}
        in_vain = 0
        for point in points:
            params = self.at(point)
            key = tuple(params.values())
            if key in found or not self.admits(params):
                in_vain += 1
                if in_vain > _DRAWS_EACH:
                    break
                continue
            in_vain, found[key] = 0, params
            if len(found) == trials:
                break
        if not found:
            raise InputError(f"grid: `where` let none of {_DRAWS_EACH:,} draws through")
        return list(found.values())

    def at(self, point: Sequence[float]) -> dict[str, Any]:
        """The combination at a point of the unit cube."""
        params: dict[str, Any] = {}
        for (name, values), share in zip(self.values.items(), point, strict=True):
            if isinstance(values, Between):
                params[name] = values.at(share)
            else:
                params[name] = values[min(int(share * len(values)), len(values) - 1)]
        return params


def _sobol_points(width: int, seed: int) -> Iterator[Sequence[float]]:
    try:
        from scipy.stats import qmc  # noqa: PLC0415  (optional, and 0.5 s)
    except ImportError as error:
        raise DependencyMissing("method='sobol' needs scipy: pip install 'neuraltrade[learn]'") from error
    engine = qmc.Sobol(width, scramble=True, rng=np.random.default_rng(seed))
    while True:
        yield from engine.random_base2(8) if engine.num_generated == 0 else engine.random(256)


def _kinds(
    strategy: Any, instead: str = "a callable(data, **params) that returns nt.Signals"
) -> dict[str, type] | None:
    """The parameters of a strategy and their types; of a callable(data, **params) the names, of any type; of several
    strategies `NAME.parameter`."""
    if is_several(strategy):
        return {
            f"{name}.{parameter}": kind
            for name, one in each_of(strategy).items()
            if not isinstance(one, Signals)
            for parameter, kind in (_kinds(one, "nt.Signals") or {}).items()
        }
    inner = strategy.strategy if isinstance(strategy, CompiledStrategy) else strategy
    cls = inner if isinstance(inner, type) else type(inner)
    if issubclass(cls, Strategy):
        if cls is Strategy:
            raise InputError("strategy must be a subclass of nt.Strategy, was nt.Strategy itself")
        return dict(cls._parameters)
    if isinstance(inner, type) or not callable(inner) or instead == "nt.Signals":
        raise InputError(
            "strategy must be a subclass or an instance of nt.Strategy, nt.compiled(...) of one, or "
            f"{instead}, was {strategy!r}"
        )
    taken = list(inspect.signature(inner).parameters.values())[1:]
    if any(one.kind is one.VAR_KEYWORD for one in taken):
        return None
    return {one.name: object for one in taken}


def _values(name: Any, given: Any, kinds: dict[str, type] | None) -> tuple[Any, ...] | Between:
    """The values of one parameter, checked against its type."""
    if not isinstance(name, str) or (kinds is not None and name not in kinds):
        hint = nearest(str(name), kinds or ())
        raise InputError(f"grid {name!r}: the strategy has no such parameter; {hint}")
    kind = object if kinds is None else kinds[name]
    if isinstance(given, Between):
        if (kind is int and not given.is_whole) or kind in (bool, str):
            raise InputError(f"grid {name!r}: the parameter is {kind.__name__}, was {given!r}")
        return Between(float(given.low), float(given.high), log=given.log) if kind is float else given
    if isinstance(given, (str, bytes, Mapping)) or not hasattr(given, "__iter__"):
        raise InputError(f"grid {name!r} must list values (a range, list or array) or be nt.Between, was {given!r}")
    values = tuple(one.item() if isinstance(one, np.generic) else one for one in given)
    if not values:
        raise InputError(f"grid {name!r} has no values")
    if kind is not object:
        values = tuple(_checked(f"grid {name!r}", one, kind) for one in values)
    if any(isinstance(one, float) and not math.isfinite(one) for one in values):
        raise InputError(f"grid {name!r} must hold finite numbers, had {values!r}")
    seen: set[Any] = set()
    for one in values:
        if not isinstance(one, (int, float, bool, str)):
            raise InputError(f"grid {name!r} must list numbers, bools or texts, had {one!r}")
        if (type(one), one) in seen:
            raise InputError(f"grid {name!r} repeats {one!r}")
        seen.add((type(one), one))
    return values
