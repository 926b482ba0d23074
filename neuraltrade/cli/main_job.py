"""The main job: trade, remember, judge, sign, recall, report. One function a step, in the order of run_main_job."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ..backtest import backtest
from ..clock import iso
from ..errors import InputError
from ..market import Bars, Panel, datasets
from ..memory import AgentDB, Journal
from ..provenance import AuditLog, Signer
from ..reflexion import ReasoningBank
from ..report import AuditSection, VerdictRow, VerdictSection
from ..results import Result
from ..schema import ReflexionTrace, Verdict
from ..strategy import compiled, library
from ..vectors.files import LOCK, Lock
from .output import Output
from .similar_situations import find_similar, section, tell

SYMBOLS = ("AAPL", "IBM", "MSFT", "GOOG")
HORIZON = 20  # bars after which a situation's outcome is read
NEIGHBOURS = 10
CASH, FEES = 100_000.0, 0.0005
PARAMETERS = {"max_fraction": 0.25}  # a quarter of the account for each symbol
MARKER = "neuraltrade-demo.json"
OURS = ("memory", "audit", "key.pem", "report.html")


def run_main_job(folder: Path, out: Output) -> dict[str, Any]:
    """Everything, into `folder`; returns what happened as plain numbers and texts."""
    began = time.perf_counter()
    make_folder(folder)
    panel = Panel([datasets.load(symbol) for symbol in SYMBOLS])
    with AgentDB.open(folder / "memory") as db:
        with step(out, "market states remembered"):
            remember(db, panel, out)
        with step(out, "traded"):
            written = Journal(db)
            result = trade(written, panel, out)
        with step(out, "closed trades judged"):
            traces = judge(db, panel, decisions(result, written), out)
        db.flush()
        with step(out, "audit log signed and verified"):
            audit = sign(folder, db)
        found = find_similar(db, SYMBOLS[0], None, NEIGHBOURS)
        remembered = {name: len(collection) for name, collection in db.collections.items()}
    with step(out, "report written"):
        bars = dict(zip(panel.symbols, panel.bars, strict=True))
        page = result.report(
            folder / "report.html",
            similar=section(found, bars, HORIZON),
            verdicts=verdict_section(traces),
            audit=audit,
        )
    labels = VerdictSection(verdict_section(traces).rows).counts()
    out.say()
    out.rows(
        {
            "remembered": ", ".join(f"{count:,} {name}" for name, count in remembered.items()),
            "result": f"{result.stats['trades']} closed trades, {result.stats['total_return']:+.1%}, "
            f"Sharpe {result.stats['sharpe']:.2f}, drawdown {result.stats['max_drawdown']:.1%}",
            "verdicts": ", ".join(f"{count} {label}" for label, count in labels.items()),
            "audit log": f"{audit.size:,} records, root {audit.root[:16]}",
        }
    )
    out.say()
    tell(out, found)
    return {
        "report": str(page),
        "seconds": time.perf_counter() - began,
        "digest": result.digest,
        "stats": dict(result.stats),
        "remembered": remembered,
        "verdicts": labels,
        "audit": {"records": audit.size, "root": audit.root, "verified": audit.verified},
        "similar": found.rows(),
    }


@contextmanager
def step(out: Output, label: str) -> Iterator[None]:
    """Says what was done and how long it took."""
    began = time.perf_counter()
    yield
    out.say(f"{label:<32} {time.perf_counter() - began:5.1f} s")


def make_folder(folder: Path) -> None:
    """An empty folder; what an earlier demo left there goes, anything else is refused. The marker stays: a demo killed
    here can be run again.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"folder must be a folder, {str(folder)!r} is a file")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARKER).is_file():
        raise InputError(f"folder must be new, empty or of an earlier demo, {str(folder)!r} holds something else")
    if (folder / "memory" / LOCK).exists():
        Lock(folder / "memory").release()  # StoreLocked where another demo is at work
    for name in OURS:
        place = folder / name
        if place.is_dir():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARKER).write_text(json.dumps({"made_by": "neuraltrade demo"}) + "\n", encoding="utf-8")


def remember(db: AgentDB, panel: Panel, out: Output) -> None:
    """Every bar's market state; then, known only later, the return that followed it."""
    with out.progress("embedding") as advance:
        ids = db.observe(panel, progress=advance)
    first = 0
    for bars in panel.bars:
        own = ids[first : first + len(bars)]
        first += len(bars)
        followed, known_ns = outcomes(bars)
        db.observations.update(own[: len(followed)], known_ns=known_ns, outcome=followed)


def outcomes(bars: Bars) -> tuple[np.ndarray, np.ndarray]:
    """(float64[n - HORIZON] returns over the next HORIZON bars, int64[n - HORIZON] when each became known)."""
    return bars.close[HORIZON:] / bars.close[:-HORIZON] - 1.0, bars.ts_ns[HORIZON:]


def trade(written: Journal, panel: Panel, out: Output) -> Result:
    """The strategy through the native core; the journal puts its decisions and orders into the memory."""
    with out.progress("trading") as advance:
        return backtest(
            panel,
            compiled(library.Momentum),
            cash=CASH,
            fees=FEES,
            params=PARAMETERS,
            journal=written,
            progress=advance,
        )


def decisions(result: Result, written: Journal) -> list[int]:
    """Ids of the remembered signals that opened the closed trades, each once, in the order of their exits."""
    closed = result.trades[~result.trades["open"]]
    return list(dict.fromkeys(written.signal_ids[int(signal)] for signal in closed["signal_id"]))


def judge(db: AgentDB, panel: Panel, signals: list[int], out: Output) -> list[ReflexionTrace]:
    """A verdict on each decision: the same market replayed with every alternative, stored in db.traces."""
    bank = ReasoningBank(db, market=panel)
    traces = []
    with out.progress("judging") as advance:
        for done, signal in enumerate(signals, 1):
            traces.append(bank.reflect(signal))
            advance(done, len(signals))
    return traces


def sign(folder: Path, db: AgentDB) -> AuditSection:
    """Decisions, what they rest on, orders and verdicts into a signed log, and everything in it checked again."""
    signer = Signer.generate(folder / "key.pem")
    signals = db.signals.range(limit=None).records()
    seen = sorted({link for signal in signals for link in signal.causal_links})
    groups = [
        [db.observations.get(one) for one in seen],
        signals,
        db.orders.range(limit=None).records(),
        db.traces.range(limit=None).records(),
    ]
    with AuditLog.open(folder / "audit", signer=signer) as log:
        for records in groups:
            log.append_many(records)
            last = log.checkpoint()
        report = log.verify(public_key=signer)
        older = log.consistency(log.checkpoints[0])
    checks = [
        ("every record, root and signature", True, f"{report.records} records, {report.checkpoints} checkpoints"),
        ("the log still begins with its first checkpoint", True, f"proof of {len(older.path)} hashes"),
    ]
    return AuditSection(
        size=report.records,
        root=report.root,
        signature=last.signature.hex(),
        public_key=signer.public_key.hex(),
        checkpoint=f"{last.size} records of {last.origin} at {iso(last.ts_ns)}",
        checks=checks,
    )


def verdict_section(traces: list[ReflexionTrace]) -> VerdictSection:
    """The verdicts for a page."""
    return VerdictSection([verdict_row(trace, trace.verdict) for trace in traces if trace.verdict is not None])


def verdict_row(trace: ReflexionTrace, verdict: Verdict) -> VerdictRow:
    """One verdict, with what else could have been done."""
    low, high = verdict.regret_interval or (verdict.regret, verdict.regret)
    return VerdictRow(
        ts_ns=trace.ts_ns,
        symbol=trace.symbol,
        decision=trace.trajectory[0].action,
        label=verdict.label,
        score=verdict.score,
        outcome=verdict.roi,
        regret=verdict.regret,
        regret_low=low,
        regret_high=high,
        explanation=verdict.explanation,
        counterfactuals=[(one.description or one.action, one.outcome, one.difference) for one in trace.counterfactuals],
    )
