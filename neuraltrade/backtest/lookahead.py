"""nt.check_lookahead: the same strategy over other futures. What moves before the future begins has seen it.

A strategy may use, at bar c, bars 0..c. So two runs over data that agree up to bar c must agree in every indicator,
every slot of ctx.state and every decision up to bar c, whatever follows. The check alters what follows
(backtest/alterations) after many bars c and compares (backtest/divergence). It proves presence, not absence: a leak
that needs a future none of the alterations made stays unseen.
"""

from __future__ import annotations

import dataclasses
import itertools
import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.layouts import EVENT_KINDS
from ..core.settings import Account, Fees, FillPolicy, Instrument, RiskLimits, Size, Slippage
from ..core.settings.checks import explains_keywords
from ..errors import InputError, NeuralTradeError
from ..market import Bars, Depth, Panel, Quotes, Ticks, Trades
from ..market.rates import Rates
from ..market.schedules import check_ticks
from ..strategy import Signals
from .alterations import KINDS, SAME_TIMES, altered
from .arguments import number, whole
from .divergence import Move, first_difference, moved_columns, moved_decision, moved_state
from .leaks import Leak, LookaheadReport
from .run import Setup, _reporting, _setup
from .trial import Trial, attempt

if TYPE_CHECKING:
    from ..ports import Advisor, Recall

_DECISIONS = tuple(EVENT_KINDS.index(name) for name in ("signal", "order", "denied", "modified", "joined"))
_FUTURES = tuple(kind for kind in KINDS if kind != "truncated")
_ORDER = ("outside", "memory", "indicator", "signals", "state", "decision")
_CUTS_MAX = 1_000_000


@explains_keywords
def check_lookahead(
    data: Bars | Panel | Ticks | Quotes | Trades | Depth,
    strategy: Any,
    params: Mapping[str, Any] | None = None,
    cuts: int = 16,
    decisions: int = 48,
    tolerance: float = 1e-12,
    seed: int = 0,
    recall: Recall | Callable[[Any], Recall] | None = None,
    advisor: Advisor | None = None,
    progress: bool | Callable[[int, int], Any] = False,
    cash: float = 10_000.0,
    fees: float | Fees = 0.0,
    slippage: float | Slippage = 0.0,
    fill: str | FillPolicy = "conservative",
    size: float | Size | None = None,
    risk: RiskLimits | None = None,
    instruments: Instrument | Mapping[str, Instrument] | None = None,
    account: Account | None = None,
    latency_ns: int = 0,
    actions: Any = None,
    rates: Mapping[str, Rates] | None = None,
) -> LookaheadReport:
    """Whether `strategy` uses bars it could not know yet: alter the future, and name what moved before it.

    data : Bars, Panel, or Ticks (or one stream), of 3 times or more; over ticks "bar" below is an event, and later is
        what is heard later. strategy : a subclass or instance of nt.Strategy, nt.compiled(...) of one,
        or a function that makes nt.Signals from the data (arrays made beforehand cannot be made anew: InputError), or
        several nt.Strategy in a list or a mapping of names.
    cuts : bars, spread by `seed`, after which the future is altered; the last that has a future always is.
    decisions : the same at bars where the strategy decided something, at most so many, evenly chosen.
    tolerance : of an indicator's largest value: smaller differences are a note (sums that run over all the data round
        differently), 0.0 for bit by bit. Decisions are always compared exactly.
    recall : a memory, whose answers may not lie in the future; or a function that builds one from the data, which is
        then built from each altered data: what it hands out as of a bar may not move either.
    progress : True for a bar on the terminal, or a callable(runs_done, runs_in_all). The rest as in `nt.backtest`.

    After each of those bars the rest is truncated, and then raised, lowered, inverted, reversed, replaced by noise or
    thinned out: one of these in turn, or more where bars are few. The strategy runs up to that bar, and its decisions,
    ctx.state and indicators up to there must be what they were. Deterministic. Runs over equal data come first and
    last: a strategy that does not repeat itself (randomness without a seed, files, state kept between runs) is told
    apart from one that leaks.

    Returns a LookaheadReport: `.passed` (and its truth), `.leaks`, `.notes`, `.to_frame()`. Cost: up to
    2 x (cuts + decisions) runs of `init` over all and `on_bar` up to the bar, and three over all.
    Raises InputError naming the argument, StrategyError where the strategy raises over `data` itself.

    >>> import neuraltrade as nt
    >>> bars = nt.datasets.load("GOOG")[:300]
    >>> def tomorrow(bars):
    ...     up = np.append(bars.close[1:] > bars.close[:-1], False)
    ...     return nt.Signals(entries=up, exits=~up)
    >>> found = nt.check_lookahead(bars, tomorrow)
    >>> found.passed, sorted({leak.name for leak in found.leaks if leak.kind == "signals"})
    (False, ['entries', 'exits'])
    >>> nt.check_lookahead(bars, nt.strategy.library.Momentum).passed
    True
    """
    setup = _setup(data, cash, fees, slippage, fill, size, risk, instruments, account, latency_ns, seed, actions, rates)
    _check(setup, strategy, params, cuts, decisions, tolerance)
    search = _Search(setup, strategy, params, recall, advisor, float(tolerance))
    return search.over(int(cuts), int(decisions), int(seed), progress)


def _check(setup: Setup, strategy: Any, params: Any, cuts: Any, decisions: Any, tolerance: Any) -> None:
    if setup.ticks is not None:
        check_ticks(setup.actions)
        if isinstance(strategy, Signals) or (callable(strategy) and not isinstance(strategy, type)):
            raise InputError("strategy must be an nt.Strategy over ticks: nt.Signals are a row per bar")
    if isinstance(strategy, Signals):
        raise InputError(
            "strategy must be a function that makes nt.Signals from the data: these arrays are made already, and "
            "cannot be made anew over another future; write def signals(bars): ... return nt.Signals(...) and pass that"
        )
    if not isinstance(strategy, type) and callable(strategy) and params:
        raise InputError(f"params must be None for a function that makes nt.Signals, was {params!r}")
    if whole("cuts", cuts) > _CUTS_MAX or cuts < 1:
        raise InputError(f"cuts must be an int in 1..{_CUTS_MAX}, was {cuts!r}")
    if whole("decisions", decisions) > _CUTS_MAX:
        raise InputError(f"decisions must be an int in 0..{_CUTS_MAX}, was {decisions!r}")
    if not 0.0 <= number("tolerance", tolerance) < 1.0:
        raise InputError(f"tolerance must be at least 0 and below 1, was {tolerance!r}")
    times = len(_clock(setup.data)) - _first(setup)
    if times < 2:
        unit = "bars" if setup.ticks is None else "events"
        raise InputError(
            f"data must have at least 3 {unit}, and 2 times from where every symbol has begun, has {times}"
        )


def _clock(data: Bars | Panel | Ticks) -> np.ndarray:
    """int64[m]: the times of a run over `data`; over ticks when each event is heard."""
    return data.local_ns if isinstance(data, Ticks) else data.ts_ns


def _first(setup: Setup) -> int:
    """The first time at which every symbol has two bars, or all it has; over ticks at which every stream has begun."""
    if setup.ticks is not None:
        begun = max(int(one.local_ns[0]) for one in setup.ticks.streams)
        return int(np.searchsorted(setup.ticks.local_ns, begun))
    return max(int(np.searchsorted(setup.data.ts_ns, one.ts_ns[min(1, len(one) - 1)])) for one in setup.bars)


class _Watched:
    """A Recall that notes rows handed out before their time."""

    def __init__(self, recall: Recall) -> None:
        self.recall = recall
        self.early: list[tuple[str, int, int, int]] = []

    def similar(self, symbol: str, ts_ns: int, k: int) -> np.ndarray:
        rows = self.recall.similar(symbol, ts_ns, k)
        for row in rows[rows["ts_ns"] > ts_ns][:1]:
            self.early.append((symbol, ts_ns, int(row["id"]), int(row["ts_ns"])))
        return rows


class _Search:
    """One check: the runs, and what has been found so far."""

    def __init__(self, setup: Setup, strategy: Any, params: Any, recall: Any, advisor: Any, tolerance: float) -> None:
        self.setup, self.strategy, self.params = setup, strategy, params
        self.data = setup.data
        self.recall, self.advisor, self.tolerance = recall, advisor, tolerance
        if recall is not None and not callable(getattr(recall, "similar", None)) and not callable(recall):
            raise InputError(
                f"recall must be None, have a method similar, or be a function of the data, was {recall!r}"
            )
        if advisor is not None and not callable(getattr(advisor, "enhance", None)):
            raise InputError(f"advisor must be None or have a method enhance (neuraltrade.ports), was {advisor!r}")
        self.found: dict[tuple[str, str, str], Leak] = {}
        self.early: list[tuple[str, int, int, int]] = []
        self.rounded: dict[str, float] = {}
        self.followed: set[str] = set()
        self.refusals: list[tuple[int, str, str]] = []
        self.runs = self.shortened = 0

    def run(self, data: Any, stops: list[int]) -> Trial:
        bars = () if isinstance(data, Ticks) else (data,) if isinstance(data, Bars) else data.bars
        setup = dataclasses.replace(self.setup, data=data, bars=bars)
        recall = self.recall
        if recall is not None:
            recall = _Watched(recall if callable(getattr(recall, "similar", None)) else recall(data))
        trial = attempt(setup, self.strategy, self.params, stops, recall, self.advisor)
        if recall is not None:
            self.early += recall.early
        return trial

    def over(self, cuts: int, decisions: int, seed: int, progress: Any) -> LookaheadReport:
        data, clock = self.data, _clock(self.data)
        count = len(clock)
        first = self.run(data, [count])
        if first.error is not None:
            raise first.error
        decided = np.unique(first.events["bar"][np.isin(first.events["kind"], _DECISIONS)])
        chosen = _chosen(_first(self.setup), count - 2, decided, cuts, decisions, seed)
        chosen = _ends_of_times(clock, chosen)
        if not chosen:
            raise InputError("data must have two times from where every stream has begun: all of it is heard at once")
        kinds = min(len(KINDS), max(2, 2 * (cuts + decisions) // len(chosen)))  # few bars: more of each
        plan = _planned(chosen, kinds, _removable(data))
        chosen = sorted({cut for cut, _ in plan})
        stops = [*(cut + 1 for cut in chosen), count]
        base = self.run(data, stops)
        reason = first_difference(first, base)
        if reason:
            reason = f"two runs over the same data differ in {reason}"
        with _reporting(progress, len(plan), "look-ahead", "runs") as report:
            for number, (cut, kind) in enumerate([] if reason else plan):
                self._compare(base, cut, kind, np.random.default_rng([seed, cut, list(KINDS).index(kind)]))
                report(number + 1, len(plan))
        if not reason:
            reason = first_difference(base, self.run(data, stops))
            reason = (
                reason and f"a run after others over the same data differs in {reason}: it keeps state between runs"
            )
        return self._report(base, decided, chosen, reason)

    def _compare(self, base: Trial, cut: int, kind: str, rng: np.random.Generator) -> None:
        cut_ns = int(base.clock_ns[cut])
        data = altered(self.data, kind, cut_ns, rng)
        if data is None:
            return
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what the user's code thinks of markets that never were
                other = self.run(data, [cut + 1])
        except NeuralTradeError as error:  # a window longer than what is left, say
            self.refusals.append((cut, kind, str(error)))
            return
        self.runs += 1
        self.shortened += kind == "truncated"
        columns, rounded = moved_columns(base, other, cut_ns, self.tolerance)
        for name, size in rounded.items():
            self.rounded[name] = max(size, self.rounded.get(name, 0.0))
        if kind in SAME_TIMES:
            self.followed.update(_followed(base, other))
        decision = moved_decision(base, other, cut + 1, columns)
        moves = [*columns, *moved_state(base, other, cut + 1, cut_ns), *([] if decision is None else [decision])]
        for move in moves:
            self._note(base, move, cut, kind)

    def _note(self, base: Trial, move: Move, cut: int, kind: str) -> None:
        """Keep the first move of each thing, and how often and how far ahead over all."""
        bar = int(np.searchsorted(base.clock_ns, move.ts_ns)) if move.bar < 0 else move.bar
        leak = Leak(
            move.kind, move.name, move.symbol, bar, move.ts_ns, move.was, move.became, kind, cut,
            int(base.clock_ns[cut]), cut - bar + 1, move.times, move.because,
        )  # fmt: skip
        key = (move.kind, f"bar {bar}" if move.kind == "decision" else move.name, move.symbol)
        known = self.found.get(key)
        if known is not None:
            ahead, count = max(known.ahead, leak.ahead), known.count + leak.count
            leak = dataclasses.replace(min(known, leak, key=lambda one: one.bar), ahead=ahead, count=count)
        self.found[key] = leak

    def _report(self, base: Trial, decided: np.ndarray, chosen: list[int], reason: str) -> LookaheadReport:
        leaks = [] if reason else [*self.found.values(), *self._memory(base)]
        several = isinstance(self.strategy, (list, tuple, Mapping))
        name = ", ".join(_name(one) for one in self.strategy) if several else _name(self.strategy)
        late = [error for cut, kind, error in self.refusals if kind == "truncated"][-1:]
        if not reason and late and not self.shortened:
            leaks.append(
                Leak("outside", name, "", -1, 0, f"it cannot run over fewer bars ({late[0]}): what it reads was made "
                     "from all of the data before; make it in init, or in the function, from the data given", "",
                     "truncated", chosen[-1], int(base.clock_ns[chosen[-1]]), 1)
            )  # fmt: skip
        leaks.sort(key=lambda leak: (leak.bar, _ORDER.index(leak.kind), leak.name))
        verdict = "not repeatable" if reason else "leaks" if leaks else "passed"
        if any(leak.kind == "outside" for leak in leaks):
            verdict = "outside"
        symbols = self.setup.symbols
        return LookaheadReport(
            verdict=verdict,
            leaks=tuple(leaks),
            notes=() if reason else tuple(self._notes(base, len(decided))),
            strategy=name,
            data=f"{', '.join(symbols[:4])}{', ...' * (len(symbols) > 4)} ({len(base.clock_ns)} {base.unit}s)",
            decisions=len(decided),
            cuts=tuple(chosen),
            runs=self.runs,
            skipped=len(self.refusals),
            reason=reason,
            unit=base.unit,
        )

    def _memory(self, base: Trial) -> list[Leak]:
        """One leak for each symbol whose memory handed out the future."""
        leaks: dict[str, Leak] = {}
        for symbol, ts_ns, row, row_ns in self.early:
            bar, then = (int(np.searchsorted(base.clock_ns, at)) for at in (ts_ns, row_ns))
            known = leaks.get(symbol)
            count = 1 if known is None else known.count + 1
            if known is None or bar < known.bar:
                known = Leak("memory", f"row {row}", symbol, bar, ts_ns, f"bar {then}", "", "", bar, ts_ns, then - bar)
            leaks[symbol] = dataclasses.replace(known, count=count)
        return list(leaks.values())

    def _notes(self, base: Trial, decided: int) -> list[str]:
        notes = []
        for name, size in self.rounded.items():
            if not any(leak.name == name for leak in self.found.values()):
                notes.append(f"{base.made} {name!r} depends on later bars by rounding, {size:.1e} of its largest value")
        apart = [name for name, own in base.columns.items() if name not in self.followed and _varies(own)]
        if apart and self.runs:
            named = ", ".join(map(repr, apart))
            notes.append(f"{named}: no price or volume moved it; what it was made of could not be altered")
        if not decided:
            notes.append("nothing was decided in the whole run: only indicators were compared")
        if self.refusals:
            cut, kind, error = self.refusals[0]
            notes.append(
                f"{len(self.refusals)} runs could not be made, the first with {base.unit}s after {cut} {kind}: {error}"
            )
        if self.setup.policy.market_at == "same_close" and self.setup.ticks is None:
            notes.append("orders fill at the close they were decided on (market_at='same_close'), which nobody can do")
        return notes


def _name(strategy: Any) -> str:
    return strategy if isinstance(strategy, str) else getattr(strategy, "__name__", None) or repr(strategy)


def _chosen(low: int, high: int, decided: np.ndarray, cuts: int, decisions: int, seed: int) -> list[int]:
    """Bars after which to alter the future: one at random in each of `cuts` stretches, the last, decisions."""
    rng = np.random.default_rng([seed, 1])
    edges = np.linspace(low, high + 1, min(cuts, high - low + 1) + 1).astype(np.int64)
    spread = {int(rng.integers(a, b)) for a, b in itertools.pairwise(edges) if b > a}
    within = decided[(decided >= low) & (decided <= high)]
    if len(within) > decisions:
        within = within[np.unique(np.linspace(0, len(within) - 1, decisions).astype(np.int64))]
    return sorted(spread | set(within.tolist()) | {high})


def _ends_of_times(clock: np.ndarray, chosen: list[int]) -> list[int]:
    """Each as the last event of its time: what is heard together is no future of one another."""
    ends = np.unique(np.searchsorted(clock, clock[chosen], side="right") - 1)
    return [int(end) for end in ends if end < len(clock) - 1]


def _planned(chosen: list[int], kinds: int, removable: np.ndarray | None) -> list[tuple[int, str]]:
    """(cut, kind) of each run; kinds that remove rows at the next cut where they can be, None = at any."""
    plan: dict[tuple[int, str], None] = {}
    for turn, cut in enumerate(chosen):
        others = (_FUTURES[(turn * (kinds - 1) + k) % len(_FUTURES)] for k in range(kinds - 1))
        for kind in ("truncated", *others):
            at = cut
            if removable is not None and kind not in SAME_TIMES:
                next_one = int(np.searchsorted(removable, cut))
                if next_one == len(removable):
                    continue
                at = int(removable[next_one])
            plan[at, kind] = None
    return list(plan)


def _removable(data: Bars | Panel | Ticks) -> np.ndarray | None:
    """Over ticks the events after which rows can be missing: nothing that is heard later happened earlier.

    The venue goes on as far as everything that happened has been heard, so a row that is missing would let it go on
    sooner. None = anywhere.
    """
    if not isinstance(data, Ticks) or data.events().venue is None:
        return None
    latest = np.maximum.accumulate(data.ts_ns[:-1])
    earliest = np.minimum.accumulate(data.ts_ns[:0:-1])[::-1]
    return np.flatnonzero((earliest >= latest) & (np.diff(data.local_ns) > 0))


def _followed(base: Trial, other: Trial) -> set[str]:
    """Columns that are not what they were somewhere, the altered part included."""
    return {
        name
        for name, own in base.columns.items()
        if name not in other.columns
        or not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(own, other.columns[name], strict=True))
    }


def _varies(columns: list[np.ndarray]) -> bool:
    known = [column[np.isfinite(column)] for column in columns]
    return any(len(one) > 1 and one.min() < one.max() for one in known)
