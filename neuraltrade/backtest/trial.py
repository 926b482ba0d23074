"""One run up to a point: what a strategy, or a function that makes Signals, had decided and computed by then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..core.layouts import EVENT_DTYPE, EVENT_KINDS, ORDER_TYPES
from ..core.settings import Denial
from ..core.working import working
from ..errors import InputError, StrategyError
from ..market import Bars, Panel
from ..strategy import Signals
from ..strategy.indicators import Indicator
from ..strategy.prepare import Prepared, prepare
from ..strategy.tick_data import known_times
from .run import Setup, _attach, _bind
from .team import Members, members_of

_NANO = 1e-9
_SIDES = {1: "buy", -1: "sell", 0: ""}
_DIRECTIONS = {1: "long", -1: "short", 0: "neutral"}


@dataclass
class Stand:
    """How a run stood after so many times: rows of its event log, WORKING_DTYPE rows, ctx.state of each strategy."""

    event_count: int
    working: np.ndarray
    state: dict[str, np.ndarray]


@dataclass
class Trial:
    """What one run left behind.

    clock_ns : int64[m], times of the run. symbols : their names. times : of each symbol, when its rows are known.
    events : EVENT_DTYPE rows. columns : name -> float64[n] of each symbol, each an "indicator" or one of the "signals",
    as `made` says. known : of columns whose rows are known at other times. stands : how it stood, by number of times
    taken. attributes : what `init` left on the strategy, indicators apart. error : what on_bar raised.
    """

    clock_ns: np.ndarray
    symbols: tuple[str, ...]
    times: tuple[np.ndarray, ...]
    columns: dict[str, list[np.ndarray]]
    attributes: dict[str, Any]
    made: str = "indicator"
    events: np.ndarray = field(default_factory=lambda: np.zeros(0, EVENT_DTYPE))
    stands: dict[int, Stand] = field(default_factory=dict)
    error: StrategyError | None = None
    known: dict[str, list[np.ndarray]] = field(default_factory=dict)
    unit: str = "bar"

    def known_ns(self, name: str, slot: int) -> np.ndarray:
        """int64[n]: when each row of a column is known."""
        return self.known[name][slot] if name in self.known else self.times[slot]


def is_factory(strategy: Any) -> bool:
    """Whether `strategy` is a plain callable that is to make Signals from bars."""
    return callable(strategy) and not isinstance(strategy, type)


def attempt(
    setup: Setup, strategy: Any, params: Any, stops: Sequence[int], recall: Any = None, advisor: Any = None
) -> Trial:
    """Run `strategy` over the data's times up to the last of `stops` (ascending), noting how it stands at each.

    `init`, or the function, sees all of the data. Raises StrategyError where it raises, InputError where what it made
    does not fit the data.
    """
    members = members_of(strategy, params, setup.bars, setup.ticks, setup.calendars)
    if members is not None:
        return _attempt_several(setup, members, stops, recall, advisor)
    if is_factory(strategy):
        signals = _made_signals(strategy, setup.data)  # type: ignore[arg-type]
        prepared, columns, attributes = None, _signal_columns(signals, setup), {}
    else:
        signals = strategy
        prepared = prepare(strategy, params, setup.bars, setup.ticks, calendars=setup.calendars)
        columns, attributes = _named(prepared.indicators), _attributes(prepared)
    engine = setup.engine(setup.policy, () if prepared is None else prepared.calls)
    _bind(engine, setup, signals, prepared)
    name = getattr(strategy, "__name__", "Signals") if prepared is None else prepared.name
    _attach(engine, setup, {"strategy": name}, recall, None, advisor)
    trial = _begun(engine, setup, columns, attributes, "signals" if prepared is None else "indicator")
    if prepared is not None:
        trial.known = _known(prepared, setup)
    try:
        _advance(trial, engine, stops, {"": engine.context})
    except StrategyError as raised:
        trial.error = raised if prepared is None or prepared.native is None else prepared.failure.explain(raised)
    trial.events = engine.events().view(EVENT_DTYPE)
    return trial


def _attempt_several(setup: Setup, members: Members, stops: Sequence[int], recall: Any, advisor: Any) -> Trial:
    """The same of several strategies in one run; what is whose is told by name."""
    columns: dict[str, list[np.ndarray]] = {}
    attributes: dict[str, Any] = {}
    for name, one in zip(members.names, members.strategies, strict=True):
        if isinstance(one, Signals):
            raise InputError(f"strategy {name!r} must be an nt.Strategy here: arrays made already cannot be made anew")
        columns |= {f"{name}: {column}": values for column, values in _named(one.indicators).items()}
        attributes |= {f"{attribute} of {name}": value for attribute, value in _attributes(one).items()}
    engine = setup.engine(setup.policy, (), len(members))
    team = members.bind(engine)
    _attach(engine, setup, {"strategy": ", ".join(members.names)}, recall, None, advisor, members, team)
    trial = _begun(engine, setup, columns, attributes, "indicator")
    for name, one in zip(members.names, members.strategies, strict=True):
        if isinstance(one, Prepared):
            trial.known |= {f"{name}: {column}": times for column, times in _known(one, setup).items()}
    try:
        _advance(trial, engine, stops, {f"{name}: ": team.context(at) for at, name in enumerate(members.names)})
    except StrategyError as raised:
        trial.error = members.explain(raised, team)
    trial.events = engine.events().view(EVENT_DTYPE)
    return trial


def _begun(
    engine: Any, setup: Setup, columns: dict[str, list[np.ndarray]], attributes: dict[str, Any], made: str
) -> Trial:
    times = tuple(one.ts_ns for one in setup.bars)
    unit = "bar" if setup.ticks is None else "event"
    return Trial(engine.clock_ts_ns, setup.symbols, times, columns, attributes, made, unit=unit)


def _known(prepared: Prepared, setup: Setup) -> dict[str, list[np.ndarray]]:
    """Over ticks, by column and symbol: when each row is known."""
    if setup.ticks is None:
        return {}
    known = known_times(setup.ticks, prepared.indicators, prepared.calls)
    return dict(zip(_named(prepared.indicators), known, strict=True))


def _advance(trial: Trial, engine: Any, stops: Sequence[int], contexts: dict[str, Any]) -> None:
    """To each stop in turn, noting how the run stands."""
    for stop in stops:
        engine.advance(stop - engine.position_index)
        state = {name: np.array(context.state) for name, context in contexts.items()}
        trial.stands[stop] = Stand(engine.counters()["events"], working(engine), state)


def _attributes(prepared: Prepared) -> dict[str, Any]:
    named = vars(prepared.instance).items()
    return {name: value for name, value in named if name != "_frozen" and not _is_indicator(value)}


def _made_signals(factory: Callable[[Any], Any], data: Bars | Panel) -> Signals:
    name = getattr(factory, "__name__", "strategy")
    try:
        made = factory(data)
    except Exception as error:
        raise StrategyError(f"{name} raised {type(error).__name__}: {error}") from error
    if not isinstance(made, Signals):
        raise InputError(f"strategy must return nt.Signals when called with the data, {name} returned {made!r}")
    return made


def _signal_columns(signals: Signals, setup: Setup) -> dict[str, list[np.ndarray]]:
    """Each array of the signals as one column per symbol, over the symbol's own bars."""
    clock = setup.data.ts_ns
    rows = [np.searchsorted(clock, one.ts_ns) for one in setup.bars]
    shaped = signals.bound(len(clock), len(setup.bars))
    return {
        name: [values[own, slot].astype(np.float64) for slot, own in enumerate(rows)]
        for name, values in shaped.items()
        if values is not None
    }


def _named(indicators: tuple[Indicator, ...]) -> dict[str, list[np.ndarray]]:
    """Columns by name, those of one name told apart by their index."""
    names = [one.name for one in indicators]
    return {
        name if names.count(name) == 1 else f"{name} (indicator {one.index})": list(one.columns)
        for name, one in zip(names, indicators, strict=True)
    }


def _is_indicator(value: Any) -> bool:
    return isinstance(value, Indicator) or (
        isinstance(value, (tuple, list)) and bool(value) and all(isinstance(one, Indicator) for one in value)
    )


def told(event: np.void | None, symbols: tuple[str, ...], texts: str = "nothing") -> str:
    """An event of the log in a few words; `texts` where there is none."""
    if event is None:
        return texts
    kind, side = EVENT_KINDS[event["kind"]], _SIDES.get(int(event["side"]), "")
    words = [side if kind == "order" and side else kind]
    if kind == "signal":
        words += [_DIRECTIONS[int(event["side"])], f"{np.int64(event['price']).view(np.float64):g}"]
        return " ".join(words)
    if kind in ("denied", "fill"):
        words.append(side)
    if event["quantity"]:
        words.append(f"{event['quantity'] * _NANO:.9g}")
    if kind == "order":
        words.append(ORDER_TYPES[event["code"]] if 0 <= event["code"] < len(ORDER_TYPES) else "")
        words += [f"limit {event['price'] * _NANO:.9g}"] if event["price"] else []
        words += [f"stop {event['value'] * _NANO:.9g}"] if event["value"] else []
    elif kind == "fill":
        words.append(f"at {event['price'] * _NANO:.9g}")
    elif kind in ("denied", "rejected", "cancelled", "expired") and event["code"]:
        names = {int(denial): denial.name.lower() for denial in Denial}
        words.append(f"({names.get(int(event['code']), int(event['code']))})")
    if kind in ("cancelled", "expired", "rejected", "modified", "joined"):
        words.append(f"order {event['id']}")
    slot = int(event["symbol"])
    if len(symbols) > 1 and slot >= 0:
        words.append(symbols[slot % len(symbols)])  # of several strategies: strategy x symbols + symbol
    return " ".join(word for word in words if word)
