"""What `nt.check_lookahead` found: leaks, one by one, and the verdict over all of them."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from ..clock import iso
from ..results.tables import to_pandas

if TYPE_CHECKING:
    import pandas

_DONE = {"noise": "replaced by noise", "thinned": "thinned out"}
SHOWN = 6  # lines of each kind that a report prints


@dataclass(frozen=True)
class Leak:
    """One thing that was different at a bar when only later bars were.

    kind : "indicator" (a column that `init` made), "signals" (an array of nt.Signals), "state" (a slot of ctx.state),
        "decision" (an order, a signal or what on_bar raised), "memory" (a row of the recall that lies in the future),
        "outside" (arrays that do not follow the data given, so that nothing can be said).
    name : of the indicator or array; of a decision what was decided. symbol : "" where it is of no symbol.
    bar, ts_ns : the first that moved, on the run's clock (over ticks an event); -1 and 0 where there is none.
    was, became : with the data as given, and with the later bars altered: numbers, or words for decisions.
    alteration, cut_bar, cut_ts_ns : bars later than that one were altered so.
    ahead : bars, at least, that it sees into the future: the largest distance seen.
    count : values (bars for decisions) that moved, over all alterations.
    because : what had moved by then in the same run, nearest cause first.
    """

    kind: str
    name: str
    symbol: str
    bar: int
    ts_ns: int
    was: Any
    became: Any
    alteration: str
    cut_bar: int
    cut_ts_ns: int
    ahead: int
    count: int = 1
    because: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.told("bar")

    def told(self, unit: str) -> str:
        """In words; `unit` is what the run's clock counts: bars, or the events of ticks."""
        of = f" of {self.symbol}" if self.symbol else ""
        if self.kind == "outside":
            return f"{self.name}: {self.was}"
        at = f"at {unit} {self.bar} ({iso(self.ts_ns)})"
        if self.kind == "memory":
            return f"memory {at}: {self.name}{of} was handed out, which lies in the future: {self.was}"
        if self.kind == "decision":
            text = f"decision {at}{of}: {self.was} -> {self.became}"
        else:
            text = f"{self.kind} {self.name!r}{of} {at}: {_number(self.was)} -> {_number(self.became)}"
        how = _DONE.get(self.alteration, self.alteration)
        text += f", with {unit}s after {self.cut_bar} {how}; sees {self.ahead} {unit}{'s' * (self.ahead > 1)} ahead"
        return text + (f"; moved by {', '.join(self.because)}" if self.because else "")


@dataclass(frozen=True)
class LookaheadReport:
    """The verdict on one strategy over some data; true where it passed, so that `assert` reads well.

    verdict : "passed"; "leaks"; "not repeatable" (two runs over equal data differed: randomness without a seed, a
        clock, a file, state kept between runs; leaks cannot be told apart then, so none are listed); "outside"
        (everything was computed before and does not follow the data).
    leaks : the first move of each indicator, array, slot of state, and each decision that moved; by bar, causes first.
    notes : what the check could not see, or saw and let pass.
    strategy, data : what was checked. decisions : bars at which the strategy decided something.
    cuts : bars after which the future was altered. runs : over altered data. skipped : runs that `init` refused.
    unit : what all of these count, "bar", or "event" over ticks.
    """

    verdict: str
    leaks: tuple[Leak, ...]
    notes: tuple[str, ...]
    strategy: str
    data: str
    decisions: int
    cuts: tuple[int, ...]
    runs: int
    skipped: int
    reason: str = field(default="")
    unit: str = "bar"

    @property
    def passed(self) -> bool:
        """Whether nothing moved, everything was repeatable and could be altered."""
        return self.verdict == "passed"

    def __bool__(self) -> bool:
        return self.passed

    def to_frame(self) -> pandas.DataFrame:
        """A pandas DataFrame, a row per leak under the names of `Leak`, times also as UTC datetimes.

        Raises DependencyMissing (extra `frames`) without pandas.
        """
        names = [one.name for one in fields(Leak)]
        whole = {"bar", "ts_ns", "cut_bar", "cut_ts_ns", "ahead", "count"}
        columns = {}
        for name in names:
            values = [getattr(leak, name) for leak in self.leaks]
            if name == "because":
                values = [", ".join(one) for one in values]
            column = np.empty(len(values), np.int64 if name in whole else object)
            column[:] = values
            columns[name] = column
        return to_pandas(columns)

    def __repr__(self) -> str:
        head = f"{self.strategy} over {self.data}: {self.verdict}"
        if self.reason:
            head += f" ({self.reason})"
        lines = [head]
        for group in ("outside", "memory", "indicator", "signals", "state", "decision"):
            found = [leak for leak in self.leaks if leak.kind == group]
            lines += [f"  {leak.told(self.unit)}" for leak in found[:SHOWN]]
            if len(found) > SHOWN:
                lines.append(f"  and {len(found) - SHOWN} more of kind {group!r}: see .leaks")
        lines += [f"  note: {note}" for note in self.notes]
        skipped = f"; {self.skipped} runs skipped" if self.skipped else ""
        lines.append(
            f"  {self.runs} runs over altered futures, at {len(self.cuts)} {self.unit}s; "
            f"{self.decisions} {self.unit}s with a decision{skipped}"
        )
        return "\n".join(lines)


def _number(value: Any) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)
