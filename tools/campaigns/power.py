"""Loss of power: what a disk may hold when it goes off, at every moment of a recorded run.

One run of a store (every second: an audit log) is recorded call by call by the shim. A state is a prefix of that
record, and a choice among what no sync had made durable by then: each write kept, dropped, zeroed where it had made the
file longer, or kept in some of its 512-byte sectors; each change of a name kept or dropped, in order or not at all
(POSIX promises no more before the folder is synced). The state is laid out as files and opened. What a flush (or a
checkpoint, or a close) had acknowledged must be there, the rest be an exact prefix of what was begun, and opening it
again must give the same.
"""

from __future__ import annotations

import shutil
import struct
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from neuraltrade.errors import NeuralTradeError

from campaigns import Failure, Outcome, disk
from campaigns import audit_model as audits
from campaigns import store_model as stores
from campaigns.power_disk import Disk

VERSION = 2
UNIT = "states"
CHUNK = 50  # of one recorded run
CI_COUNT, FULL_COUNT = 300, 100_000
OPERATIONS = 30
HEAD = struct.Struct("<6Iq")


class Call(NamedTuple):
    """One call that the shim has recorded."""

    kind: int
    handle: int
    flags: int
    path: str
    other: str
    data: bytes
    offset: int
    start: int  # in the record


def calls_of(record: bytes) -> list[Call]:
    calls, at = [], 0
    while at < len(record):
        start = at
        kind, handle, flags, path, other, data, offset = HEAD.unpack_from(record, at)
        at += HEAD.size
        parts = []
        for count in (path, other, data):
            parts.append(record[at : at + count])
            at += count
        names = [part.decode().rstrip("/") for part in parts[:2]]
        calls.append(Call(kind, handle, flags, *names, parts[2], offset, start))
    return calls


class Said(NamedTuple):
    """An operation, and the bytes of the record when it began and when it was acknowledged."""

    operation: Any
    began: int
    ended: int


def recorded(shim: disk.Shim, base: Path, work: Any) -> tuple[list[Call], list[Said]]:
    """Run `work` under the recorder; the calls, and what was done."""
    said: list[Said] = []
    shim.watch(str(base))
    shim.record()
    try:
        for operation, do in work:
            began = shim.recorded_bytes
            do()
            said.append(Said(operation, began, shim.recorded_bytes))
        record = shim.recorded()
    finally:
        shim.watch("")
    return calls_of(record), said


class StoreRun:
    """A store, and what each of its states must hold."""

    def __init__(self, base: Path, rng: np.random.Generator) -> None:
        self.base, self.rng = base, rng
        self.models = [stores.Model()]  # after each record
        self.known: list[tuple[int, int]] = []  # (record bytes, models that are durable from there on)
        self.begun: list[tuple[int, int]] = []

    def work(self) -> Iterator[tuple[Any, Any]]:
        """Half of the runs wait for the builder after each operation, so that they are the same each time."""
        steady = bool(self.rng.random() < 0.5)
        held = [stores.opened(self.base / "store")]
        yield ("open",), lambda: None
        for number in range(OPERATIONS):
            operation = stores.choose(self.rng, self.models[-1], number)

            def do(operation: Any = operation) -> None:
                held[0] = stores.perform(held[0], operation, self.base)
                if steady:
                    stores.perform(held[0], ("wait",), self.base)

            self.models += list(stores.states(self.models[-1], operation))[1:]
            yield (operation, len(self.models)), do
        yield (("reopen",), len(self.models)), held[0].close

    def note(self, said: list[Said]) -> None:
        before = 1
        for operation, began, ended in said[1:]:
            kind, models = operation[0][0], operation[1]
            self.begun.append((began, models))
            if kind in ("flush", "reopen", "backup"):
                self.known.append((ended, before))
            before = models

    def check(self, root: Path, at: int, tallies: dict[str, int]) -> str:
        least = last_of(self.known, at, 0)
        most = last_of(self.begun, at, 1)
        path = root / "store"
        if not path.exists():
            return "" if least == 0 else "the folder of the store is gone"
        for again in (False, True):
            with stores.opened(path) as store:
                found = store.next_id, stores.view_of(store)
                matching = [one for one in self.models[max(least - 1, 0) : most] if (one.next_id, one.view()) == found]
                if not matching:
                    return (
                        f"{'opened again' if again else 'opened'}, it holds none of the models {least - 1}..{most - 1}"
                    )
                if not again and matching[-1] is not self.models[most - 1]:
                    tallies["with records lost"] = tallies.get("with records lost", 0) + 1
                told = stores.differences(store, matching[0], self.rng)
                if told:
                    return told
                if again:
                    store.verify()
            if self.rng.random() < 0.7:
                break
        for copy in root.glob("backup-*"):
            with stores.opened(copy) as store:
                found = store.next_id, stores.view_of(store)
                if not any((one.next_id, one.view()) == found for one in self.models):
                    return "a backup opens, and holds what the store never held"
        return ""


class AuditRun:
    """An audit log, and what each of its states must hold."""

    def __init__(self, base: Path, rng: np.random.Generator) -> None:
        self.base, self.rng = base, rng
        self.known: list[tuple[int, int]] = []
        self.begun: list[tuple[int, int]] = []
        self.given: list[tuple[int, int]] = []

    def work(self) -> Iterator[tuple[Any, Any]]:
        held = [audits.opened(self.base / "audit")]
        yield ("open", 0), lambda: None
        for _ in range(OPERATIONS):
            kind, count = audits.choose(self.rng)

            def do(kind: str = kind, count: int = count) -> None:
                held[0] = audits.perform(held[0], kind, count, self.base / "audit")

            yield (kind, count), do
        yield ("reopen", 0), held[0].close

    def note(self, said: list[Said]) -> None:
        count = given = 0
        for (kind, rows), began, ended in said:
            self.begun.append((began, count + rows))
            if kind in ("flush", "checkpoint", "reopen"):
                self.known.append((ended, count))
            if kind == "checkpoint":
                given += 1
                self.given.append((ended, given))
            count += rows

    def check(self, root: Path, at: int, tallies: dict[str, int]) -> str:
        least, most = last_of(self.known, at, 0), last_of(self.begun, at, 0)
        path = root / "audit"
        if not path.exists():
            return "" if least == 0 else "the folder of the log is gone"
        for _ in range(2):
            with audits.opened(path) as log:
                told = audits.differences(log, least, most, (), self.rng)
                if not told and len(log.checkpoints) < last_of(self.given, at, 0):
                    told = "a checkpoint that was given out is not there"
                if len(log) < most:
                    tallies["with records lost"] = tallies.get("with records lost", 0) + 1
                least = most = len(log)
            if told or self.rng.random() < 0.7:
                return told
        return ""


def last_of(notes: list[tuple[int, int]], at: int, default: int) -> int:
    """The value of the last note at or before `at`."""
    place = bisect_right(notes, (at, 1 << 60))
    return notes[place - 1][1] if place else default


def states(calls: list[Call], prefixes: list[int], rng: np.random.Generator, place: Path) -> Iterator[int]:
    """Lay out one state for each prefix; yields the bytes of the record that had happened."""
    now = Disk()
    done = 0
    for prefix in prefixes:
        for call in calls[done:prefix]:
            now.do(call)
        done = max(done, prefix)
        shutil.rmtree(place, ignore_errors=True)
        now.lay_out(place, rng)
        yield calls[prefix].start if prefix < len(calls) else 1 << 60


def chunk(seed: int, index: int) -> Outcome:
    rng = np.random.default_rng([seed, index])
    outcome = Outcome(CHUNK)
    with disk.scratch_folder() as base, disk.scratch_folder() as place:
        run = (AuditRun if index % 2 else StoreRun)(base, rng)
        calls, said = recorded(disk.Shim(), base, run.work())
        run.note(said)
        outcome.tallies = {"calls recorded": len(calls), "operations": len(said)}
        prefixes = sorted(rng.integers(1, len(calls) + 1, CHUNK).tolist())
        for number, at in enumerate(states(calls, prefixes, rng, place / "s"), index * CHUNK):
            try:
                told = run.check(place / "s", at, outcome.tallies)
            except (NeuralTradeError, OSError, AssertionError) as error:
                told = f"{type(error).__name__}: {error}"
            if told:
                kept = disk.keep(place, f"power-{seed}-{number}")
                outcome.failures.append(Failure(number, f"{told} (kept in {kept})"))
    return outcome


run_chunk = disk.in_server("power")


def reproduce(seed: int, number: int) -> str:
    """Record the run of that state again; where the builder runs beside it, another record comes of it."""
    return disk.reproduced("states", run_chunk, seed, number // CHUNK, CHUNK)


def check_inputs_vary(tallies: dict[str, int], cases: int) -> str:
    lost = tallies.get("with records lost", 0)
    return "" if cases < 1_000 or lost > cases // 100 else "hardly a state has lost anything"
