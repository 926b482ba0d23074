"""The `data` face that `init` receives where a run is over ticks: bars made of them, and indicators over finished bars.

From event to event such a column hardly ever changes. So the engine keeps a row for each stretch of events over which
no column changes, and turns to the next row at given events: `Turned` finds those. A row of a bar's value is followed
by one that repeats it, so that a crossing is one at the event at which the bar became known, and not after.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from ..core.layouts import EVENT_CALLS
from ..errors import InputError
from ..market.sessions import tick_sessions
from ..market.tick_bars import bars_of
from .indicators import FloatArray, Indicator, ResampledData
from .scheduled import Hook, called_at

_KINDS = dict(zip(("trades", "quotes", "depth"), ("on_trade", "on_quote", "on_depth"), strict=True))


class TickData:
    """Ticks of a run as `init` sees them. symbols : their names. ticks : the nt.Ticks.

    There are no bars here and no indicators over events: what changes from event to event lives in `ctx.state[k]`. Bars
    made of the ticks, and indicators over those, come from `resample`.

    >>> import neuraltrade as nt
    >>> nt.strategy.TickData(nt.Ticks([nt.Trades("X", [1], [10.0], [1], [1])])).symbols
    ('X',)
    """

    def __init__(self, ticks: Any) -> None:
        self.ticks = ticks
        self.symbols: tuple[str, ...] = ticks.symbols
        self.bars: tuple[Any, ...] = ()
        self._made: list[Indicator] = []

    def resample(self, rule: str, price: str | None = None) -> TickBars:
        """Bars of what was heard ("1s", "1min", "1h", "1d"), as `nt.Ticks.bars` makes them, with every indicator.

        price : "last" (prints), "mid", "bid" or "ask" (quotes); None = "last" where a symbol has prints, else "mid".
        Returns a `TickBars`: `minute = data.resample("1min")`, then `minute.sma(20)`. Raises InputError.
        """
        return TickBars(self, rule, price)

    def _register(self, name: str, columns: Sequence[FloatArray]) -> Indicator:
        made = Indicator(len(self._made), name, columns)
        self._made.append(made)
        return made

    def columns(self) -> list[list[np.ndarray]]:
        """[symbol][handle] -> column, a row for each bar; `turned` has them as the engine reads them."""
        return [[one.columns[slot] for one in self._made] for slot in range(len(self.symbols))]

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        raise InputError(
            f"data.{name}: a run over ticks has no bars of its own; make some, data.resample('1min'), whose indicators "
            "know finished bars, or keep what changes in ctx.state[k]"
        )


class TickBars(ResampledData):
    """Bars made of a run's ticks: what `data.resample("1min")` returns over ticks, with every indicator.

    Arrays (`bars`, `close` and so on) have a row for each bar in which something was heard. An Indicator made here is
    that of the last bar that has ended, NaN before the first: it is known with the first event heard at or after the
    bar's end, of those the strategy is called for. A bar that is still forming is never seen, and `ctx.crossed_above`
    and `crossed_below` tell a crossing at the one event at which it is known.

    >>> import neuraltrade as nt
    >>> prints = nt.Trades("X", np.arange(1, 9) * 10**9, [5.0, 7, 6, 8, 9, 7, 5, 6], [1.0] * 8, [1] * 8)
    >>> data = nt.strategy.TickData(nt.Ticks([prints]))
    >>> data.resample("2s").sma(2).values
    array([nan, 6. , 7.5, 7. , 5.5])
    """

    def __init__(self, base: TickData, rule: str, price: str | None) -> None:
        bars = [bars_of(base.ticks.streams, symbol, rule, price) for symbol in base.symbols]
        super(ResampledData, self).__init__(bars)
        self.base: Any = base
        self.rule, self.price = rule, price

    def _register(self, name: str, columns: Sequence[FloatArray]) -> Indicator:
        made: Indicator = self.base._register(f"{self.rule} {name}", columns)
        made.frame = (self, tuple(columns))
        return made


def known_events(indicator: Indicator, slot: int, heard: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """int64[rows]: for each bar of an indicator the index in `heard` at which it is known; len(heard) = never."""
    assert indicator.frame is not None
    return np.searchsorted(heard, indicator.frame[0].bars[slot].ts_ns, side="left")


def known_times(ticks: Any, indicators: Sequence[Indicator], calls: Sequence[str]) -> list[list[npt.NDArray[np.int64]]]:
    """[indicator][symbol] int64[rows]: when each bar of an indicator is known to a strategy with those calls."""
    heard = [ticks.local_ns[events_of(ticks, slot, calls)] for slot in range(len(ticks.symbols))]
    never = [np.append(own, np.iinfo(np.int64).max) for own in heard]
    return [
        [never[slot][known_events(one, slot, own)] for slot, own in enumerate(heard)] for one in indicators
    ]


def events_of(ticks: Any, slot: int, calls: Sequence[str]) -> npt.NDArray[np.int64]:
    """The events of a symbol that a strategy is called for, all of them where it has no calls: indices on the clock."""
    wanted = [
        index
        for index, one in enumerate(ticks.streams)
        if one.symbol == ticks.symbols[slot] and (_KINDS[one.KIND] in calls or not calls)
    ]
    return np.flatnonzero(np.isin(ticks.events().stream, wanted))


class Turned:
    """The columns of one strategy over ticks as the engine reads them.

    columns : [symbol][handle] float64[rows]. masks : of each symbol float64[rows], the sum of 2**k over the hooks k
    that are called at the event a row begins with; empty without hooks. turns : of each symbol int64[rows - 1], the
    event each row but the first begins with; empty where there are no columns and no hooks.
    """

    def __init__(
        self, data: TickData, hooks: Sequence[Hook], calls: Sequence[str], calendars: Sequence[Any] | None
    ) -> None:
        self.columns: list[list[np.ndarray]] = []
        self.masks: list[np.ndarray] = []
        self.turns: list[np.ndarray] = []
        if not data._made and not hooks:
            self.columns = data.columns()
            return
        for slot, symbol in enumerate(data.symbols):
            events = events_of(data.ticks, slot, calls)
            heard = data.ticks.local_ns[events]
            calendar = None if calendars is None else calendars[slot]
            sessions = tick_sessions(calendar, data.ticks, symbol) if hooks else None
            due = [np.flatnonzero(called_at(hook, heard, sessions)) for hook in hooks]
            known = {id(one.frame[0]): known_events(one, slot, heard) for one in data._made if one.frame is not None}
            begins = np.unique(np.concatenate([*due, *known.values()]))
            begins = np.unique(np.concatenate((begins, begins + 1)))
            begins = begins[begins < len(events)].astype(np.int64)
            self.turns.append(np.ascontiguousarray(events[begins], dtype=np.int64))
            self.columns.append([_spread(one.columns[slot], known[id(_frame(one))], begins) for one in data._made])
            mask = np.zeros(len(begins) + 1)
            for index, at in enumerate(due):
                mask[1 + np.searchsorted(begins, at)] += float(2**index)
            if hooks:
                self.masks.append(mask)


def _frame(indicator: Indicator) -> Any:
    return None if indicator.frame is None else indicator.frame[0]


def _spread(values: np.ndarray, known: np.ndarray, begins: np.ndarray) -> np.ndarray:
    """A bar's value in every row from the one it is known in on; NaN before the first."""
    rows = np.concatenate(([-1], np.searchsorted(known, begins, side="right") - 1))
    column = np.where(rows >= 0, values[rows], np.nan)
    column.flags.writeable = False
    return column


assert set(_KINDS.values()) == set(EVENT_CALLS[1:])
