"""Calls that fail: a write, sync, open, rename, truncate, link, unlink or read, or our own C code's request for memory.

A case is a small store (every third: an audit log) that works, then one fault: the nth call of a kind fails once, or
from then on, or transfers half; or the disk is full after so many bytes. Operations go on. Each either is acknowledged
or raises what it is documented to raise, and what is in memory is what was acknowledged. After a failed sync the store
refuses to write and says why. Once the fault is over it opens again, holds what was acknowledged, and works.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np

from neuraltrade.errors import NeuralTradeError, StoreClosed

from campaigns import Failure, Outcome, disk
from campaigns import audit_model as audits
from campaigns import store_model as stores

VERSION = 2
UNIT = "faults"
CHUNK = 50
CI_COUNT, FULL_COUNT = 200, 10_000
OPERATIONS = 16
HANG_SECONDS = 300
ALWAYS = 1 << 40
KINDS: tuple[tuple[str, tuple[int, ...], int, int], ...] = (  # what it is called, calls, errno (0: short), how often
    ("write EIO", (disk.WRITE,), errno.EIO, 1),
    ("write ENOSPC", (disk.WRITE,), errno.ENOSPC, 3),
    ("write short", (disk.WRITE,), 0, ALWAYS),
    ("write EINTR", (disk.WRITE,), errno.EINTR, 2),
    ("sync EIO", (disk.SYNC,), errno.EIO, 1),
    ("sync EIO for good", (disk.SYNC,), errno.EIO, ALWAYS),
    ("open EMFILE", (disk.OPEN, disk.READ), errno.EMFILE, 1),
    ("open EACCES", (disk.OPEN,), errno.EACCES, ALWAYS),
    ("rename EIO", (disk.RENAME,), errno.EIO, 1),
    ("truncate EIO", (disk.TRUNCATE, disk.WRITE), errno.ENOSPC, 2),
    ("names EIO", (disk.UNLINK, disk.LINK, disk.MKDIR), errno.EIO, 1),
    ("read EIO", (disk.READ,), errno.EIO, 1),
    ("read short", (disk.READ,), 0, ALWAYS),
    ("disk full", (), errno.ENOSPC, ALWAYS),
    ("no memory", (), errno.ENOMEM, 1),
)
EXPECTED = (OSError, MemoryError, NeuralTradeError)


def break_something(shim: disk.Shim, base: Path, rng: np.random.Generator) -> str:
    """Set one fault up; returns what it is called."""
    name, kinds, error, count = KINDS[int(rng.integers(len(KINDS)))]
    at = int(np.exp(rng.uniform(0, np.log(80))))
    shim.watch(str(base))
    if name == "disk full":
        shim.fill(int(rng.integers(0, 60_000)))
    elif name == "no memory":
        shim.refuse_memory(at)
    else:
        shim.fail(kinds, at, error, count)
    return name


class StoreCase:
    """A store under one fault."""

    def __init__(self, base: Path, rng: np.random.Generator) -> None:
        self.base, self.rng, self.path = base, rng, base / "store"
        self.store: Any = stores.opened(self.path)
        self.durable = [stores.Model()]  # what the disk may hold; the last is what was acknowledged
        self.backups = 0
        for operation in (("add", "things", 30), ("wait",), ("add", "things", 7), ("update", 3, 50, 1)):
            self.do(operation)

    @property
    def model(self) -> stores.Model:
        return self.durable[-1]

    def do(self, operation: stores.Operation) -> None:
        self.store = stores.perform(self.store, operation, self.base)
        self.durable = [list(stores.states(self.model, operation))[-1]]

    def step(self) -> str:
        """One operation under the fault; what does not hold."""
        operation = stores.choose(self.rng, self.model, self.backups)
        self.backups += operation[0] == "backup"
        try:
            self.do(operation)
        except EXPECTED as error:
            return self._after(operation, error)
        return ""

    def _after(self, operation: stores.Operation, error: BaseException) -> str:
        """It was refused: what is in memory is the state before it, or after some of its records."""
        may = list(stores.states(self.model, operation))
        if operation[0] == "reopen":
            self.store = None
            return ""
        found = self.store.next_id, stores.view_of(self.store)
        shown = [one for one in may if (one.next_id, one.view()) == found]
        if not shown:
            return f"after {operation} was refused ({error}) it shows neither what was before nor part of it"
        if shown[0] is may[-1] and len(may) > 1:
            return f"{operation} raised {error}, and was done"
        poisoned = self.store.stats()["poisoned"]
        if operation[0] == "flush" and isinstance(error, OSError) and not poisoned:
            return f"a flush failed ({error}), and the store does not say so"
        if poisoned:
            self.durable = [*may, shown[0]]
            return self._stays_poisoned()
        self.durable = [shown[0]]
        return ""

    def _stays_poisoned(self) -> str:
        for write in (self.store.flush, lambda: stores.perform(self.store, ("add", "things", 1), self.base)):
            try:
                write()
            except StoreClosed:
                continue
            return "it is poisoned, and writes"
        with contextlib.suppress(OSError):  # it says once more what failed
            self.store.close()
        self.store = None
        return ""

    def mended(self) -> str:
        """The fault is over: close, open, look, work."""
        if self.store is not None:
            if self.store._builder._ended:
                return "the thread of the builder has ended"
            with contextlib.suppress(OSError):
                self.store.close()
            self.store = None
        with stores.opened(self.path) as store:
            found = store.next_id, stores.view_of(store)
            matching = [one for one in self.durable if (one.next_id, one.view()) == found]
            if not matching:
                return "opened again, it does not hold what was acknowledged"
            self.durable = matching[:1]
            told = stores.differences(store, self.model, self.rng)
            self.store = store
            for operation in (("add", "things", 25), ("flush",), ("optimize",), ("verify",)):
                self.do(operation)
            return told or stores.differences(store, self.model, self.rng)


class AuditCase:
    """An audit log under one fault."""

    def __init__(self, base: Path, rng: np.random.Generator) -> None:
        self.base, self.rng, self.path = base, rng, base / "audit"
        self.log: Any = audits.opened(self.path)
        self.log.append_many([audits.record_of(sequence) for sequence in range(20)])
        self.log.checkpoint()
        self.least = self.most = 20
        self.given = 1

    def step(self) -> str:
        if self.log is None:
            return ""
        kind, count = audits.choose(self.rng)
        try:
            self.log = audits.perform(self.log, kind, count, self.path)
        except EXPECTED as error:
            return self._after(kind, count, error)
        self.least += count
        self.most = max(self.most, self.least)
        self.given += kind == "checkpoint"
        return ""

    def _after(self, kind: str, count: int, error: BaseException) -> str:
        if kind == "reopen":
            self.log = None
            return ""
        if len(self.log) != self.least:
            return f"{kind} of {count} raised {error}, and {len(self.log)} records are shown of {self.least}"
        if kind in ("flush", "checkpoint") and isinstance(error, OSError) and self.log._wal.poisoned:
            try:
                self.log.flush()
            except StoreClosed:
                pass
            else:
                return "a sync failed, and the next one is taken for good"
        self.most = self.least + count if self.log._wal.poisoned else self.least
        if self.log._wal.poisoned:
            self.log.close()
            self.log = None
        return ""

    def mended(self) -> str:
        if self.log is not None:
            with contextlib.suppress(OSError):
                self.log.close()
        with audits.opened(self.path) as log:
            told = audits.differences(log, self.least, self.most, (), self.rng)
            if not told and len(log.checkpoints) < self.given:
                told = "a checkpoint that was given out is not there"
            log.append(audits.record_of(len(log)))
            log.checkpoint()
            log.verify()
            return told


def one_case(shim: disk.Shim, base: Path, rng: np.random.Generator, is_audit: bool, tallies: dict[str, int]) -> str:
    case = (AuditCase if is_audit else StoreCase)(base, rng)
    name = break_something(shim, base, rng)
    told = ""
    try:
        for _ in range(OPERATIONS):
            told = case.step()
            if told or getattr(case, "store", getattr(case, "log", None)) is None:
                break
    finally:
        struck = name == "disk full" or max(shim.failing_calls, shim.memory_calls) > 0
        shim.watch("")
        shim.refuse_memory(0)
    tallies[name] = tallies.get(name, 0) + struck
    told = told or case.mended()
    del case
    return told and f"{name}: {told}"


def left_open(base: Path) -> list[str]:
    """Files under the folder that this process still holds."""
    gc.collect()
    links = []
    for number in os.listdir("/proc/self/fd"):
        try:
            links.append(os.readlink(f"/proc/self/fd/{number}"))
        except FileNotFoundError:
            continue
    return [link for link in links if link.startswith(str(base))]


def chunk(seed: int, index: int) -> Outcome:
    signal.alarm(HANG_SECONDS)
    outcome = Outcome(CHUNK)
    shim = disk.Shim()
    for number in range(index * CHUNK, (index + 1) * CHUNK):
        rng = np.random.default_rng([seed, number])
        with disk.scratch_folder() as base:
            try:
                told = one_case(shim, base, rng, number % 3 == 2, outcome.tallies)
                if not told and number % 10 == 0 and left_open(base):
                    told = f"files are left open: {left_open(base)}"
            except (*EXPECTED, AssertionError) as error:
                told = f"{type(error).__name__}: {error}"
            if told:
                kept = disk.keep(base, f"faults-{seed}-{number}")
                outcome.failures.append(Failure(number, f"{told} (kept in {kept})"))
    signal.alarm(0)
    return outcome


run_chunk = disk.in_server("faults")


def reproduce(seed: int, number: int) -> str:
    """The chunk again: where the builder works beside the writer, the nth call may be another."""
    told = {failure.number: failure.reason for failure in run_chunk(seed, number // CHUNK).failures}.get(number)
    return f"fault {number} of seed {seed}: {told or 'it holds'}"


def check_inputs_vary(tallies: dict[str, int], cases: int) -> str:
    missing = [name for name, *_ in KINDS if not tallies.get(name)]
    return "" if cases < 1_000 or not missing else f"never {', '.join(missing)}"
