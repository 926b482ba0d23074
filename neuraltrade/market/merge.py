"""Ticks: several streams of quotes, trades and depth in the one order in which they were heard."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from .. import clock
from ..errors import InputError
from .bars import Bars
from .panel import Panel
from .tick_bars import bars_of
from .ticks import TickRows, shift_of

KINDS = ("trades", "quotes", "depth")
"""The order of what was heard at one and the same time: a print comes before the book that it left behind."""


class Events(NamedTuple):
    """The events of a run, in the order they were heard; all read-only and C-contiguous."""

    local_ns: np.ndarray
    """int64[n], when each was heard."""
    ts_ns: np.ndarray
    """int64[n], when each happened."""
    stream: np.ndarray
    """int32[n], index into Ticks.streams."""
    first: np.ndarray
    """int64[n], first row in that stream."""
    rows: np.ndarray
    """int32[n], how many rows; more than one only of depth."""
    venue: np.ndarray | None
    """int64[n]: the events in the order they happened, None if that is the order they were heard."""


class Ticks:
    """Streams of one or more symbols merged into one order; what `nt.backtest` takes.

    streams : Quotes, Trades and Depth, at least one, of any symbols, several of a kind too. Not copied.

    An event is a quote, a print, or a message of depth rows. Events are ordered by `local_ns`, the time they were heard
    at; at equal times prints come before quotes before depth, then the streams in the order given, then their rows. The
    venue's own order is the same by `ts_ns`. `len(ticks)` is the number of events, `ts_ns` and `local_ns` theirs.
    Raises InputError if empty or of anything else. Cost: about 0.2 s a million rows.

    >>> import neuraltrade as nt
    >>> quotes = nt.Quotes("X", [1, 3], [99.0, 99.0], [5, 5], [101.0, 100.0], [4, 4])
    >>> trades = nt.Trades("X", [3], [100.0], [2], [1])
    >>> ticks = nt.Ticks([quotes, trades])
    >>> len(ticks), ticks.symbols, [ticks.kind(i) for i in range(3)]
    (3, ('X',), ['quotes', 'trades', 'quotes'])
    """

    __slots__ = ("_events", "_streams", "_symbols")

    def __init__(self, streams: Iterable[TickRows]) -> None:
        if isinstance(streams, TickRows) or not isinstance(streams, Iterable):
            raise InputError(f"streams must be a list of Quotes, Trades and Depth, was {type(streams).__name__}")
        self._streams = tuple(streams)
        if not self._streams:
            raise InputError("streams is empty: ticks need at least one stream")
        for position, one in enumerate(self._streams):
            if not isinstance(one, TickRows) or one.KIND not in KINDS:
                raise InputError(f"streams[{position}] must be Quotes, Trades or Depth, was {type(one).__name__}")
        self._symbols = tuple(dict.fromkeys(one.symbol for one in self._streams))
        self._events: Events | None = None

    @property
    def streams(self) -> tuple[TickRows, ...]:
        """The streams, as given."""
        return self._streams

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols in order of first mention."""
        return self._symbols

    def events(self) -> Events:
        """The merged order; made on first use and kept."""
        if self._events is None:
            self._events = _merged(self._streams)
        return self._events

    @property
    def ts_ns(self) -> np.ndarray:
        """int64[n], when each event happened, in the order they were heard, read-only."""
        return self.events().ts_ns

    @property
    def local_ns(self) -> np.ndarray:
        """int64[n], when each event was heard, not falling, read-only."""
        return self.events().local_ns

    def kind(self, index: int) -> str:
        """ "quotes", "trades" or "depth": what event `index` is, 0..n - 1, or from the end where negative."""
        if isinstance(index, bool) or not isinstance(index, (int, np.integer)) or not -len(self) <= index < len(self):
            raise InputError(f"index must be an int in {-len(self)}..{len(self) - 1}, was {index!r}")
        return self._streams[int(self.events().stream[index])].KIND

    def with_latency(self, floor_ns: int = 1_000_000) -> Ticks:
        """The same streams with their recorder's clock set right.

        All are moved alike, so that the fastest row of all is heard `floor_ns` after it happened. Without `local_ns`
        every row is heard that much later.

        >>> import neuraltrade as nt
        >>> early = nt.Trades("X", [10, 20], [1.0, 1.0], [1, 1], [1, 1], local_ns=[3, 15])
        >>> nt.Ticks([early]).with_latency(2).local_ns
        array([12, 24])
        """
        shift = shift_of(list(self._streams), floor_ns)
        return Ticks([one._moved(shift) for one in self._streams])

    def between(self, start: Any = None, end: Any = None) -> Ticks:
        """The events with start <= local_ns < end, as views. A book starts empty where its first rows are cut off."""
        low = None if start is None else clock.as_ns(start, "start")
        high = None if end is None else clock.as_ns(end, "end")
        kept = []
        for one in self._streams:
            first = 0 if low is None else int(np.searchsorted(one.local_ns, low))
            stop = len(one) if high is None else int(np.searchsorted(one.local_ns, high))
            if stop > first:
                kept.append(one[first:stop])
        if not kept:
            raise InputError(f"no ticks in [{start}, {end}); they run {self._span()}")
        return Ticks(kept)

    def bars(self, rule: str, price: str | None = None) -> Bars | Panel:
        """Bars of what was heard: each of [start, end) of a bucket of time, stamped with its end, when it is known.

        rule : "1min", "5s", "1h", "1d", "1w", "1mo" and multiples, from midnight UTC (weeks from Monday).
        price : "last" (prints), "mid", "bid" or "ask" (quotes); None = "last" where a symbol has prints, else "mid".
        Volume is the quantity printed, 0 of quotes. A bucket in which nothing was heard has no bar. Returns Bars, for
        several symbols a Panel. Raises InputError for a rule that is none, a price that a symbol lacks.

        >>> import neuraltrade as nt
        >>> prints = nt.Trades("X", [10, 20, 10**9], [5.0, 7.0, 6.0], [1, 2, 3], [1, 1, -1])
        >>> nt.Ticks([prints]).bars("1s").close
        array([7., 6.])
        """
        made = [bars_of(self._streams, symbol, rule, price) for symbol in self._symbols]
        return made[0] if len(made) == 1 else Panel(made)

    def __getitem__(self, key: slice) -> Ticks:
        """`ticks[start:stop]`: those events. A book starts empty where its first rows are cut off."""
        if not isinstance(key, slice):
            raise InputError(f"ticks[...] takes start:stop, was {key!r}")
        start, stop, step = key.indices(len(self))
        if step != 1 or stop <= start:
            why = "the step must be 1" if step != 1 else f"empty; there are {len(self)} events"
            raise InputError(f"ticks[{key.start}:{key.stop}{'' if step == 1 else f':{step}'}]: {why}")
        events = self.events()
        streams, first, rows = (column[start:stop] for column in (events.stream, events.first, events.rows))
        kept = []
        for index, one in enumerate(self._streams):
            mine = np.flatnonzero(streams == index)
            if mine.size:
                kept.append(one[int(first[mine[0]]) : int(first[mine[-1]] + rows[mine[-1]])])
        return Ticks(kept)

    def __len__(self) -> int:
        return int(self.events().local_ns.size)

    def __iter__(self) -> Iterator[TickRows]:
        return iter(self._streams)

    def __eq__(self, other: object) -> bool:
        return self._streams == other._streams if isinstance(other, Ticks) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return Ticks, (list(self._streams),)

    def _span(self) -> str:
        heard = self.local_ns
        return f"{clock.iso(int(heard[0]))} .. {clock.iso(int(heard[-1]))}"

    def __repr__(self) -> str:
        return f"Ticks([{', '.join(self._symbols)}], {len(self)} events, {self._span()})"


def _firsts(stream: TickRows) -> np.ndarray:
    """The first row of each event of a stream."""
    if stream.KIND != "depth":
        return np.arange(len(stream), dtype=np.int64)
    begins = np.ones(len(stream), bool)
    begins[1:] = (np.diff(stream.local_ns) != 0) | (np.diff(stream.ts_ns) != 0)
    return np.flatnonzero(begins).astype(np.int64)


def _merged(streams: tuple[TickRows, ...]) -> Events:
    ranked = sorted(range(len(streams)), key=lambda index: KINDS.index(streams[index].KIND))
    firsts = [_firsts(streams[index]) for index in ranked]
    rows = [np.diff(first, append=len(streams[index])) for first, index in zip(firsts, ranked, strict=True)]
    heard = np.concatenate([streams[index].local_ns[first] for first, index in zip(firsts, ranked, strict=True)])
    happened = np.concatenate([streams[index].ts_ns[first] for first, index in zip(firsts, ranked, strict=True)])
    stream = np.repeat(np.array(ranked, np.int32), [first.size for first in firsts])
    order = np.argsort(heard, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    venue = place[np.argsort(happened, kind="stable")]
    same = np.array_equal(venue, np.arange(order.size))
    columns = [
        heard[order],
        happened[order],
        stream[order],
        np.concatenate(firsts)[order],
        np.concatenate(rows)[order].astype(np.int32),
    ]
    for column in (*columns, venue):
        column.flags.writeable = False
    return Events(*columns, None if same else venue)  # type: ignore[call-arg]
