"""Several strategies in one run: named, prepared, bound to their slots, and what they left told apart again.

Each strategy has its own position in every symbol and sees no other's; cash is shared. Slots are strategy x symbols +
symbol (csrc/nt_team.h).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.engine import Engine
from ..core.team import Team
from ..errors import InputError, StrategyError
from ..results.team import TeamRecord
from ..strategy import Signals
from ..strategy.base import nearest
from ..strategy.prepare import Prepared, prepare

STRATEGIES_MAX = 1024


@dataclass
class Members:
    """The strategies of a run: their names, and each as an nt.Signals or ready to run."""

    names: tuple[str, ...]
    strategies: tuple[Signals | Prepared, ...]
    symbol_count: int

    def __len__(self) -> int:
        return len(self.names)

    def bind(self, engine: Engine) -> Team:
        """Give the engine, made for as many strategies, each of them."""
        team = Team(engine, len(self))
        for index, one in enumerate(self.strategies):
            if isinstance(one, Signals):
                team.set_member(index, (), 0)
                team.bind_signals(index, **one.bound(engine.clock_count, self.symbol_count))
                continue
            team.set_member(index, one.numbers, one.state_size, one.calls)
            team.context(index).texts[:] = one.texts
            if one.native is not None:
                team.bind_native(index, one.native.address, one.failure.address)
            elif one.on_event:
                team.bind_events(index, one.on_event)
            elif one.on_bar is not None:
                team.bind_python(index, one.on_bar, one.resident)
        ready = [one for one in self.strategies if isinstance(one, Prepared)]
        width = [[np.zeros(0)] * 0 for _ in range(self.symbol_count)]
        if ready:
            engine.set_indicators(
                [own for one in self.strategies for own in (one.columns if isinstance(one, Prepared) else width)],
                [own for one in ready for own in one.turns or self._none()],
            )
        team.join(engine)
        return team

    def _none(self) -> list[Any]:
        return [None] * self.symbol_count

    def texts(self, team: Team) -> list[list[str]]:
        """For each slot the texts that its signals refer to."""
        return [team.context(index).texts for index in range(len(self)) for _ in range(self.symbol_count)]

    def slot_names(self) -> list[str]:
        """For each slot the strategy's name."""
        return [name for name in self.names for _ in range(self.symbol_count)]

    def settings(self) -> dict[str, Any]:
        """What the run notes of its strategies."""
        each = [_told(name, one) for name, one in zip(self.names, self.strategies, strict=True)]
        modes = {one["mode"] for one in each}
        return {
            "strategy": " + ".join(self.names),
            "strategies": each,
            "params": {one["name"]: one["params"] for one in each},
            "mode": modes.pop() if len(modes) == 1 else "mixed",
        }

    def explain(self, error: StrategyError, team: Team) -> StrategyError:
        """The same error, with the strategy's name and the user's line."""
        one = self.strategies[team.calling]
        if isinstance(one, Prepared) and one.native is not None:
            error = one.failure.explain(error)
        told = StrategyError(f"{self.names[team.calling]}: {error}", bar=error.bar, ts_ns=error.ts_ns)
        told.__cause__ = error.__cause__
        return told

    def record(self, engine: Engine, team: Team, tables: Mapping[str, np.ndarray]) -> TeamRecord:
        """Who did what. The slots in `tables` become the symbols' own."""
        owners = {}
        for name, rows in tables.items():
            slots = rows["symbol"]
            owners[name] = np.where(slots < 0, -1, slots // self.symbol_count).astype(np.int32)
            rows["symbol"] = np.where(slots < 0, slots, slots % self.symbol_count)
        ledger = engine.ledger()
        return TeamRecord(self.names, owners, team.contributions(), team.books(), ledger["interest"], ledger["scale"])


def unified(signals: np.ndarray, owners: np.ndarray, texts: Sequence[Sequence[str]]) -> tuple[np.ndarray, list[str]]:
    """Signals whose `reasoning` indexes one list instead of their strategy's own, and that list."""
    known: dict[str, int] = {}
    numbers = [np.array([*(known.setdefault(text, len(known)) for text in own), -1]) for own in texts]
    signals = signals.copy()
    for index, number in enumerate(numbers):
        mine = owners == index
        signals["reasoning"][mine] = number[signals["reasoning"][mine]]
    return signals, list(known)


def members_of(strategy: Any, params: Any, bars: Sequence[Any], ticks: Any, calendars: Sequence[Any]) -> Members | None:
    """The strategies of a list, a tuple or a mapping of names, over bars or an nt.Ticks; None where it is one alone."""
    if not isinstance(strategy, (list, tuple, Mapping)):
        return None
    symbol_count = len(bars) if ticks is None else len(ticks.symbols)
    given = list(strategy.values()) if isinstance(strategy, Mapping) else list(strategy)
    names = names_of(strategy)
    overrides = _params(params, names)
    made: list[Signals | Prepared] = []
    for index, (one, own) in enumerate(zip(given, overrides, strict=True)):
        if isinstance(one, Signals):
            if own:
                raise InputError(f"params must be None for nt.Signals, was {own!r}")
            if ticks is not None:
                raise InputError(
                    f"strategy {names[index]!r} must be an nt.Strategy over ticks: nt.Signals are a row per bar"
                )
            made.append(one)
        else:
            made.append(prepare(one, own, bars, ticks, index * symbol_count, calendars=calendars))
    return Members(names, tuple(made), symbol_count)


def names_of(strategy: Any) -> tuple[str, ...]:
    """What each of a list, a tuple or a mapping of strategies is called."""
    if not 0 < len(strategy) <= STRATEGIES_MAX:
        raise InputError(f"strategy must name 1..{STRATEGIES_MAX} strategies, named {len(strategy)}")
    given = list(strategy.values()) if isinstance(strategy, Mapping) else list(strategy)
    return _names(list(strategy) if isinstance(strategy, Mapping) else None, given)


def by_name(params: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """A mapping of strategies to their parameters, from one that may name some as `NAME.parameter`."""
    found: dict[str, Any] = {}
    for key, value in params.items():
        name, dot, parameter = key.rpartition(".") if isinstance(key, str) and key not in names else (key, "", "")
        if not dot:
            name = key
        if name not in names:
            raise InputError(f"params names {key!r}, which is no strategy of the run; {nearest(str(name), names)}")
        more = {parameter: value} if dot else dict(value) if isinstance(value, Mapping) else value
        if name not in found:
            found[name] = more
            continue
        own = found[name]
        if not isinstance(own, dict) or not isinstance(more, dict) or own.keys() & more.keys():
            raise InputError(f"params gives {key!r} twice, or beside what is no mapping")
        own.update(more)
    return found


def _names(given: list[Any] | None, strategies: Sequence[Any]) -> tuple[str, ...]:
    """As the mapping has them, else the classes' own, numbered from the second of a kind on."""
    if given is not None:
        for name in given:
            if not isinstance(name, str) or not name:
                raise InputError(f"strategy: names must be text, one was {name!r}")
        return tuple(given)
    names: list[str] = []
    for one in strategies:
        inner = getattr(one, "strategy", one)
        kind = (inner if isinstance(inner, type) else type(inner)).__name__
        count = sum(name == kind or name.startswith(f"{kind} ") for name in names)
        names.append(f"{kind} {count + 1}" if count else kind)
    return tuple(names)


def _params(params: Any, names: Sequence[str]) -> list[Any]:
    """For each strategy its own overrides."""
    if params is None:
        return [None] * len(names)
    if isinstance(params, Mapping):
        own = by_name(params, names)
        return [own.get(name) for name in names]
    if isinstance(params, (list, tuple)) and len(params) == len(names):
        return list(params)
    raise InputError(
        f"params must be None, a mapping of the strategies' names ({', '.join(names)}) to their parameters, or a list "
        f"of {len(names)} of those, was {params!r}"
    )


def _told(name: str, one: Signals | Prepared) -> dict[str, Any]:
    if isinstance(one, Signals):
        return {"name": name, "strategy": "Signals", "params": {}, "mode": "signals"}
    mode = "compiled" if one.native is not None else "interpreted"
    return {"name": name, "strategy": one.name, "params": one.parameters, "mode": mode}
