"""Methods that are called when a session opens or closes, or once in a while: which, and at which bars.

The times are known before the run: what to call after a bar is one number for each bar, a sum of bits, which both
speeds read like an indicator. A strategy without such methods has no such column.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from ..clock import DAY_NS
from ..errors import InputError
from ..market.resampling import bucket_ends, ends_after, parse_rule
from ..market.sessions import Sessions, sessions_from
from .base import Strategy

HOOKS_MAX = 48  # bits that a float64 holds exactly, with room
_FIXED_NS = {"s": 10**9, "min": 60 * 10**9, "h": 3600 * 10**9, "d": DAY_NS}
Method = TypeVar("Method", bound=Callable[..., Any])


@dataclass(frozen=True)
class Hook:
    """One method of a strategy and when it is called: "open", "close", "every", "after_open" or "before_close"."""

    name: str
    kind: str
    rule: str = ""


def schedule(
    *, every: str | None = None, after_open: str | None = None, before_close: str | None = None
) -> Callable[[Method], Method]:
    """Call a method of an nt.Strategy on a schedule, ahead of on_bar: `@nt.schedule(every="1h")`.

    every : a period ("15min", "1h", "1d", "1w", "1mo"): called at the first bar that ends at or after each multiple of
        it (UTC; weeks begin on Monday). after_open, before_close : a time ("30min", "2h"): called once a session, at
        the first bar that ends that long after it opens, or at or after that long before it closes.
    One of the three. Sessions are those of the instrument's calendar, holidays and half days included; without one, the
    days of UTC. Over ticks, "the first bar that ends at or after" is the first event heard at or after. The method
    takes `self` and `ctx` and runs after its bar's close, like on_bar, at both speeds. Raises
    InputError for another count of arguments or a rule that is none.

    >>> import neuraltrade as nt
    >>> class Monthly(nt.Strategy):
    ...     @nt.schedule(every="1mo")
    ...     def rebalance(self, ctx):
    ...         ctx.target(0.5)
    >>> len(nt.backtest(nt.datasets.load("IBM"), Monthly).orders)
    156
    """
    given = {"every": every, "after_open": after_open, "before_close": before_close}
    chosen = {name: rule for name, rule in given.items() if rule is not None}
    if len(chosen) != 1:
        raise InputError(f"schedule takes one of every, after_open and before_close, was given {chosen or 'none'}")
    ((kind, rule),) = chosen.items()
    try:
        _, unit = parse_rule(rule)
    except InputError as error:
        raise InputError(f"{kind}: {error}") from None
    if kind != "every" and unit not in ("s", "min", "h"):
        raise InputError(f"{kind} must be a time within a session (s, min, h), was {rule!r}")

    def mark(method: Method) -> Method:
        method.__nt_schedule__ = (kind, rule)  # type: ignore[attr-defined]
        return method

    return mark


def hooks_of(cls: type[Strategy]) -> tuple[Hook, ...]:
    """What of a strategy is called on a schedule: on_open, the scheduled methods as they stand, on_close."""
    found = []
    if cls.on_open is not Strategy.on_open:
        found.append(Hook("on_open", "open"))
    names: dict[str, None] = {}
    for owner in reversed(cls.__mro__):
        names.update(dict.fromkeys(name for name, value in owner.__dict__.items() if callable(value)))
    for name in names:
        told = getattr(getattr(cls, name), "__nt_schedule__", None)
        if told is not None:
            found.append(Hook(name, *told))
    if cls.on_close is not Strategy.on_close:
        found.append(Hook("on_close", "close"))
    if len(found) > HOOKS_MAX:
        raise InputError(f"{cls.__name__}: at most {HOOKS_MAX} methods may be scheduled, were {len(found)}")
    return tuple(found)


def masks(hooks: Sequence[Hook], bars: Sequence[Any], calendars: Sequence[Any] | None) -> list[np.ndarray]:
    """float64[n] for each symbol: the sum of 2**k over the hooks k that are called after a bar."""
    columns = []
    for slot, one in enumerate(bars):
        calendar = None if calendars is None else calendars[slot]
        column = np.zeros(len(one))
        if len(one):
            sessions = _days(one.ts_ns) if calendar is None else sessions_from(calendar, one.ts_ns)
            codes = sessions.codes(one.ts_ns)
            for index, hook in enumerate(hooks):
                called = _called(hook, one.ts_ns, sessions, codes)
                if hook.kind in ("close", "before_close") and calendar is None and not called.any() and len(one) > 1:
                    raise InputError(
                        f"{hook.name}: no bar of {one.symbol} ends with a day of UTC, its session without a calendar; "
                        'give its instrument one: nt.Instrument(calendar="XNYS")'
                    )
                column += called * float(2**index)
        columns.append(column)
    return columns


def _called(hook: Hook, ts_ns: np.ndarray, sessions: Sessions, codes: np.ndarray) -> np.ndarray:
    """bool[n]: after which bars the hook is called."""
    if hook.kind == "every":
        try:
            reached, before = bucket_ends(ts_ns + 2, hook.rule), bucket_ends(ts_ns[:1], hook.rule)
        except InputError as error:
            raise InputError(f"{hook.name}, every={hook.rule!r}: {error}") from None
        return np.asarray(np.diff(reached, prepend=before) != 0)
    inside = codes >= 0
    if hook.kind in ("open", "close"):
        return np.asarray(inside & (codes & (1 if hook.kind == "open" else 2) > 0))
    count, unit = parse_rule(hook.rule)
    away, number = count * _FIXED_NS[unit], np.maximum(codes, 0) // 4
    if len(sessions) == 0:
        return np.zeros(len(ts_ns), bool)
    due = sessions.open_ns[number] + away if hook.kind == "after_open" else sessions.close_ns[number] - away
    # A nanosecond less: a bare date is the end of its day.
    reached = inside & (ts_ns >= np.maximum(due, sessions.open_ns[number] + 1) - 1)
    before = np.maximum.accumulate(np.concatenate(([-1], np.where(reached, number, -1)[:-1])))
    return np.asarray(reached & (number > before))


def called_at(hook: Hook, heard: np.ndarray, sessions: Sessions | None) -> np.ndarray:
    """bool[n]: at which events, moments and no bars, the hook is called. heard : when, ascending."""
    if len(heard) == 0:
        return np.zeros(0, bool)
    if hook.kind == "every":
        ends = ends_after(heard, hook.rule)
        return np.asarray(np.diff(ends, prepend=ends_after(heard[:1] - 1, hook.rule)) != 0)
    if sessions is None or len(sessions) == 0:
        return np.zeros(len(heard), bool)
    begun = np.searchsorted(sessions.open_ns, heard, side="right") - 1
    number = np.maximum(begun, 0)
    inside = (begun >= 0) & (heard < sessions.close_ns[number])
    if hook.kind == "close":  # of the last session that an earlier event was in
        seen = np.concatenate(([-1], np.maximum.accumulate(np.where(inside, number, -1))[:-1]))
        reached, number = (seen >= 0) & (heard >= sessions.close_ns[np.maximum(seen, 0)]), seen
    elif hook.kind == "open":
        reached = inside
    else:
        count, unit = parse_rule(hook.rule)
        away = count * _FIXED_NS[unit]
        due = sessions.open_ns[number] + away if hook.kind == "after_open" else sessions.close_ns[number] - away
        reached = inside & (heard >= due)
    before = np.maximum.accumulate(np.concatenate(([-1], np.where(reached, number, -1)[:-1])))
    return np.asarray(reached & (number > before))


def _days(ts_ns: np.ndarray) -> Sessions:
    """The days of UTC that the bars lie in; each ends a nanosecond before midnight, where a bare date is."""
    first, last = int((ts_ns[0] - 1) // DAY_NS), int((ts_ns[-1] - 1) // DAY_NS)
    opens = np.arange(first, last + 1, dtype=np.int64) * DAY_NS
    return Sessions(opens, opens + (DAY_NS - 1), "days of UTC")


def event_runner(
    hooks: Sequence[Hook],
    methods: Sequence[Callable[[Any], Any]],
    on_event: Callable[[Any], Any] | None,
    columns: Sequence[np.ndarray],
) -> Callable[[Any], Any]:
    """The interpreted call of a strategy with hooks for one kind of event; `columns` are masks by row."""
    rows = [column.astype(np.int64).tolist() for column in columns]
    each = [(1 << k, methods[k]) for k in in_order(hooks)]

    def scheduled(ctx: Any) -> None:
        mask = rows[ctx.slot][ctx.bar]
        if mask:
            for bit, method in each:
                if mask & bit:
                    method(ctx)
        if on_event is not None:
            on_event(ctx)

    return scheduled


def in_order(hooks: Sequence[Hook]) -> list[int]:
    """Over ticks: what a session's close calls comes first, for that session is over."""
    return sorted(range(len(hooks)), key=lambda k: hooks[k].kind != "close")


def runner(
    hooks: Sequence[Hook],
    methods: Sequence[Callable[[Any], Any]],
    on_bar: Callable[[Any], Any] | None,
    columns: Sequence[np.ndarray],
) -> Callable[[Any], Any]:
    """The interpreted on_bar of a strategy with hooks; `columns` as `masks` gives them."""
    rows = [column.astype(np.int64).tolist() for column in columns]
    early = [
        (1 << k, method) for k, (hook, method) in enumerate(zip(hooks, methods, strict=True)) if hook.kind != "close"
    ]
    late = [
        (1 << k, method) for k, (hook, method) in enumerate(zip(hooks, methods, strict=True)) if hook.kind == "close"
    ]

    def scheduled(ctx: Any) -> None:
        mask = rows[ctx.slot][ctx.bar]
        if mask:
            for bit, method in early:
                if mask & bit:
                    method(ctx)
        if on_bar is not None:
            on_bar(ctx)
        if mask:
            for bit, method in late:
                if mask & bit:
                    method(ctx)

    return scheduled
