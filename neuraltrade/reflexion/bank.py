"""ReasoningBank: judges recorded decisions by replay and remembers the verdicts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..embedding import trace_vector
from ..errors import InputError
from ..market import Bars, Panel
from ..schema import Order, Provenance, ReflexionTrace, Signal
from ..vectors import Filter
from .context import RunContext
from .decision import Tape, decision_of
from .judge import HORIZON_BARS, Judgement, judge

if TYPE_CHECKING:
    from ..memory import AgentDB
    from ..provenance import AuditLog


class ReasoningBank:
    """Judges the decisions an AgentDB holds against what else could have been done in the same market.

    db : the memory in which a run was journalled; traces are stored there. market : Bars or a Panel with the bars the
    run saw, and those that followed. log : an AuditLog that gets every new trace. run : a Result or its settings, for
    signals that were journalled without them (metadata["run"]). horizon : bars over which a decision that ended in
    no position is compared with others.

    >>> import tempfile, neuraltrade as nt
    >>> bars = nt.datasets.load("GOOG")[:400]
    >>> with tempfile.TemporaryDirectory() as folder, nt.AgentDB.open(folder) as db:
    ...     _ = db.observe(bars)
    ...     result = nt.backtest(bars, nt.strategy.library.Momentum, cash=100_000.0, journal=nt.memory.Journal(db))
    ...     bank = nt.ReasoningBank(db, market=bars)
    ...     trace = bank.reflect(int(db.signals.range("GOOG").ids[0]))
    ...     stored = db.traces.get(trace.id)
    >>> stored.verdict.label in ("good", "bad", "inconclusive"), len(stored.counterfactuals) >= 2
    (True, True)
    """

    def __init__(
        self,
        db: AgentDB,
        market: Bars | Panel,
        log: AuditLog | None = None,
        *,
        run: Any = None,
        horizon: int = HORIZON_BARS,
    ) -> None:
        if not isinstance(market, (Bars, Panel)):
            raise InputError(f"market must be nt.Bars or nt.Panel, was {type(market).__name__}")
        if not all(hasattr(db, name) for name in ("signals", "orders", "traces")):
            raise InputError(f"db must be an nt.AgentDB, was {type(db).__name__}")
        if log is not None and not hasattr(log, "append"):
            raise InputError(f"log must be an nt.AuditLog or None, was {type(log).__name__}")
        if isinstance(horizon, bool) or not isinstance(horizon, int) or horizon < 1:
            raise InputError(f"horizon must be an integer >= 1, was {horizon!r}")
        self.db, self.log, self.horizon = db, log, horizon
        self.market = {one.symbol: one for one in ((market,) if isinstance(market, Bars) else market.bars)}
        self.run = None if run is None else RunContext.of(run)
        self._tapes: dict[tuple[str, str], tuple[np.ndarray, list[Order]]] = {}
        self._settings: tuple[dict[str, Any], RunContext] | None = None  # of the last decision
        self._tape: tuple[Any, Tape] | None = None

    def __repr__(self) -> str:
        return f"<ReasoningBank: {', '.join(self.market)} over {self.db!r}>"

    def reflect(self, signal_id: int) -> ReflexionTrace:
        """Judge a signal, store the trace in db.traces and return it; about 1-2 ms.

        The decision and its alternatives (long, short, no trade or what was held before; closing earlier, holding
        on) are replayed from its bar with the run's fill policy, fees and slippage; `verdict` says how regret is found
        (neuraltrade.reflexion.judge). trace.known_ns is the end of the last bar that was looked at. A decision judged
        before is judged again; its trace gets a new version only if more has become known.
        Raises InputError: no such signal, a market without its bars or not that of the run, no run settings.
        """
        signal = self.db.signals.get(signal_id)
        bars = self.market.get(signal.symbol)
        if bars is None:
            raise InputError(
                f"market must hold {signal.symbol!r}, the symbol of signal {signal_id}, has {sorted(self.market)}"
            )
        context = self._context(signal)
        judgement = judge(decision_of(signal, self._tape_of(signal), bars), bars, context, horizon=self.horizon)
        return self._keep(self._trace(signal, judgement, int(bars.ts_ns[judgement.last_bar])))

    def reflect_all(
        self,
        symbol: str | None = None,
        strategy: str | None = None,
        progress: Callable[[int, int], Any] | None = None,
    ) -> list[ReflexionTrace]:
        """Judge every signal, of one symbol or strategy, that the market goes on after; oldest first.

        progress : called with (done, in all).
        """
        where = None if strategy is None else Filter.eq("strategy", strategy)
        rows = self.db.signals.range(symbol, where=where, limit=None)
        ends = {name: int(bars.ts_ns[-1]) for name, bars in self.market.items()}
        chosen = [
            int(identity)
            for identity, ts_ns, name in zip(rows.ids, rows.ts_ns, rows.column("symbol"), strict=True)
            if ts_ns < ends.get(str(name), -(2**63))
        ]
        traces = []
        for done, identity in enumerate(chosen, 1):
            traces.append(self.reflect(identity))
            if progress is not None:
                progress(done, len(chosen))
        return traces

    def _context(self, signal: Signal) -> RunContext:
        if self.run is not None:
            return self.run
        settings = signal.metadata.get("run")
        if not settings:
            raise InputError(f"run must be given: signal {signal.id} was journalled without the settings of its run")
        if self._settings is None or self._settings[0] != settings:
            self._settings = (settings, RunContext.of(settings))
        return self._settings[1]

    def _tape_of(self, signal: Signal) -> Tape:
        """The signal's run; orders are read again only where a new version of one was stored."""
        rows = self.db.orders.range(signal.symbol, where=Filter.eq("strategy", signal.strategy), limit=None)
        key = (signal.symbol, signal.strategy)
        versions = np.stack([rows.ids.astype(np.int64), rows.known_ns]) if len(rows) else np.empty((2, 0), np.int64)
        held = self._tapes.get(key)
        if held is None or not np.array_equal(held[0], versions):
            held = self._tapes[key] = (versions, rows.records() if len(rows) else [])
            self._tape = None
        # Decisions are usually judged one after another: keep the tape of the last one's run.
        if self._tape is not None and self._tape[0] == key and signal.id in self._tape[1].by_signal:
            return self._tape[1]
        tape = Tape.of_signal(held[1], signal)
        self._tape = (key, tape)
        return tape

    def _trace(self, signal: Signal, judgement: Judgement, known_ns: int) -> ReflexionTrace:
        verdict = judgement.verdict
        return ReflexionTrace(
            ts_ns=signal.ts_ns,
            known_ns=known_ns,
            decision_id=signal.id,
            decision_type="signal",
            symbol=signal.symbol,
            strategy=signal.strategy,
            trajectory=judgement.trajectory,
            verdict=verdict,
            counterfactuals=judgement.counterfactuals,
            metadata=judgement.details,
            provenance=Provenance(creator="neuraltrade.reflexion", created_ns=known_ns, parent_id=signal.id),
            vector=trace_vector(signal.vector, verdict.score, verdict.regret, verdict.roi),
        )

    def _keep(self, trace: ReflexionTrace) -> ReflexionTrace:
        earlier = self.db.traces.range(where=Filter.eq("decision_id", trace.decision_id), limit=None)
        if len(earlier):
            stored = earlier.records()[-1]
            if stored.known_ns >= trace.known_ns:
                return stored
            self.db.traces.update(
                stored.id,
                known_ns=trace.known_ns,
                vector=trace.vector,
                verdict=trace.verdict,
                trajectory=[trace.trajectory],
                counterfactuals=[trace.counterfactuals],
                metadata=trace.metadata,
                provenance=trace.provenance,
            )
            trace.id = stored.id
        else:
            trace.id = int(self.db.traces.add(trace))
        if self.log is not None:
            self.log.append(trace)
        return trace
