"""SIGKILL a process that writes: what it acknowledged is there, the rest is an exact prefix of what it began.

A chunk is one store (every third: one audit log) that twenty processes write to, one after another. Half of them are
killed at a call that changes a file or a name, or half-way through a write, drawn beforehand, wherever that is: in an
add, a publication, a merge, a backup, the opening. The others are killed from outside at some moment. Processes that
recover are killed as well. The model (store_model.py) knows only what the process said before and after each operation.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from neuraltrade.errors import NeuralTradeError

from campaigns import Failure, Outcome, disk
from campaigns import audit_model as audits
from campaigns import store_model as stores

VERSION = 2
UNIT = "kills"
CHUNK = 20
CI_COUNT, FULL_COUNT = 60, 10_000


def run_until_killed(work: Callable[[Callable[[Any], None]], None], rng: np.random.Generator, base: Path,
                     plan: tuple[int, bool, int]) -> tuple[list[Any], int]:  # fmt: skip
    """Fork `work`, which says things, and kill it: at a call (plan: call, torn, 0) or once it has said so much (0, _,
    lines). Returns what it said and its exit status."""
    call, torn, lines = plan
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            shim = disk.Shim()
            shim.watch(str(base))
            shim.kill(call, torn)
            work(lambda said: void(os.write(write, json.dumps(said).encode() + b"\n")))
            os._exit(0)
        finally:
            traceback.print_exc()
            os._exit(70)
    os.close(write)
    said = []
    with os.fdopen(read, "rb") as pipe:
        for line in pipe:
            if line.endswith(b"\n"):
                said.append(json.loads(line))
            if lines and len(said) == lines:
                end = time.perf_counter() + float(rng.random()) * 0.002
                while time.perf_counter() < end:
                    pass
                os.kill(child, signal.SIGKILL)
                lines = 0
    return said, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def void(_: object) -> None:
    """For a lambda that answers nothing."""


def plan_of(rng: np.random.Generator) -> tuple[int, bool, int]:
    if rng.random() < 0.5:
        return int(np.exp(rng.uniform(0, np.log(600)))), bool(rng.random() < 0.5), 0
    return 0, False, int(np.exp(rng.uniform(0, np.log(200))))


class StoreCase:
    """One store through many kills."""

    def __init__(self, base: Path, rng: np.random.Generator) -> None:
        self.base, self.rng, self.path = base, rng, base / "store"
        self.model = stores.Model()

    def write(self, say: Callable[[Any], None]) -> None:
        model, rng, backups = self.model, np.random.default_rng(self.rng.integers(2**63)), 0
        store = stores.opened(self.path)
        while model.next_id < len(stores.VECTORS) - 100:
            operation = stores.choose(rng, model, backups)
            backups += operation[0] == "backup"
            say(operation)
            store = stores.perform(store, operation, self.base)
            say("done")
            for record in stores.records(operation):
                model.apply(record)
        store.close()

    def recover(self, say: Callable[[Any], None]) -> None:
        with stores.opened(self.path) as store:
            store.optimize()

    def settle(self, said: list[Any], tallies: dict[str, int]) -> str:
        """Hold what is there against what was said."""
        under_way: stores.Operation = ("nothing",)
        copies: dict[int, stores.Model] = {}
        for one in said:
            if one == "done":
                tally(tallies, "acknowledged")
                for record in stores.records(under_way):
                    self.model.apply(record)
                if under_way[0] == "backup":
                    copies[under_way[1]] = self.model.copy()
                under_way = ("nothing",)
            else:
                under_way = tuple(one)
        if under_way != ("nothing",):
            tally(tallies, f"killed in {under_way[0]}")
        reason = self._settle_backups(copies, under_way)
        candidates = list(stores.states(self.model, under_way))
        if not self.path.exists() or not (self.path / "MANIFEST").exists():
            if len(candidates) == 1 and not any(self.model.rows.values()):
                return reason  # killed while it was made
            return "the store has no manifest"
        with stores.opened(self.path, read_only=True) as store:
            found = store.next_id, stores.view_of(store)
            matching = [one for one in candidates if (one.next_id, one.view()) == found]
            if not matching:
                return f"after {under_way} the store is neither as before it nor as after it"
            self.model = matching[0]
            return reason or stores.differences(store, self.model, self.rng)

    def _settle_backups(self, copies: dict[int, stores.Model], under_way: stores.Operation) -> str:
        for number, model in copies.items():
            with stores.opened(self.base / f"backup-{number}", read_only=True) as copy:
                told = stores.differences(copy, model, self.rng)
            if told:
                return f"backup: {told}"
        half = self.base / f"backup-{under_way[-1]}"
        if under_way[0] == "backup" and half.exists():
            with stores.opened(half) as copy:
                told = stores.differences(copy, self.model, self.rng)
            if told:
                return f"a backup under way when its process died opens, but {told}"
        for left in self.base.iterdir():
            if left.name not in (self.path.name, stores.ARCHIVE):
                shutil.rmtree(left)
        return ""

    def check_whole(self) -> str:
        with stores.opened(self.path) as store:
            store.verify()
            left = [file.name for file in self.path.iterdir() if file.name.endswith((".new", ".tmp"))]
            if left:
                return f"what a killed process had begun is never removed: {left}"
            told = stores.differences(store, self.model, self.rng)
            store.optimize()
            return told or stores.differences(store, self.model, self.rng)


def tally(tallies: dict[str, int], name: str) -> None:
    tallies[name] = tallies.get(name, 0) + 1


def one_kill(case: Any, rng: np.random.Generator, base: Path, tallies: dict[str, int]) -> str:
    """Write until killed, recover until killed, look. Returns what does not hold."""
    said, status = run_until_killed(case.write, rng, base, plan_of(rng))
    if status not in (-signal.SIGKILL, 0):
        return f"the writer ended by itself: {status}"
    told = case.settle(said, tallies)
    while not told and rng.random() < 0.35:
        _, status = run_until_killed(case.recover, rng, base, (int(rng.integers(1, 25)), bool(rng.random() < 0.5), 0))
        if status not in (-signal.SIGKILL, 0):
            return f"the recovery ended by itself: {status}"
        tally(tallies, "recoveries killed" if status else "recoveries")
        told = case.settle([], {})
    if not told and rng.random() < 0.2:
        told = case.check_whole()
    return told


def chunk(seed: int, index: int) -> Outcome:
    rng = np.random.default_rng([seed, index])
    outcome = Outcome(CHUNK)
    with disk.scratch_folder() as base:
        case = audits.AuditCase(base, rng) if index % 3 == 2 else StoreCase(base, rng)
        for number in range(index * CHUNK, (index + 1) * CHUNK):
            try:
                told = one_kill(case, rng, base, outcome.tallies)
            except (NeuralTradeError, OSError, AssertionError) as error:
                told = f"{type(error).__name__}: {error}"
            if told:
                kept = disk.keep(base, f"kills-{seed}-{number}")
                outcome.failures.append(Failure(number, f"{told} (kept in {kept})"))
                break
    return outcome


run_chunk = disk.in_server("kills")


def reproduce(seed: int, number: int) -> str:
    """Run the whole chunk: a kill follows on those before it. Threads make each run another one."""
    return disk.reproduced("kills", run_chunk, seed, number // CHUNK, CHUNK)


def check_inputs_vary(tallies: dict[str, int], cases: int) -> str:
    wanted = (
        "killed in add",
        "killed in backup",
        "killed in demote",
        "killed in optimize",
        "killed in checkpoint",
        "recoveries killed",
    )
    missing = [name for name in wanted if not tallies.get(name)]
    return "" if cases < 2_000 or not missing else f"never {', '.join(missing)}"
