"""An audit log that is written to and killed, and what it must hold: records in order, checkpoints given out."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import neuraltrade as nt
from neuraltrade.provenance import Checkpoint


def new_signer() -> nt.Signer:
    with tempfile.TemporaryDirectory() as folder:
        return nt.Signer.generate(Path(folder) / "key.pem")


SIGNER = new_signer()


def record_of(sequence: int) -> nt.Observation:
    """The record with that sequence: every byte of one that is read back can be checked."""
    return nt.Observation(id=sequence + 1, ts_ns=sequence * 7, symbol=f"S{sequence % 5}", price=1.0 + sequence % 97)


def choose(rng: np.random.Generator) -> tuple[str, int]:
    pick = rng.random()
    if pick < 0.6:
        return "append", 1
    if pick < 0.75:
        return "append", int(rng.integers(2, 60))
    return ("flush", "checkpoint", "checkpoint", "reopen", "verify")[int(rng.integers(5))], 0


def perform(log: nt.AuditLog, kind: str, count: int, path: Path) -> nt.AuditLog:
    if kind == "append":
        rows = [record_of(len(log) + j) for j in range(count)]
        if count == 1:
            log.append(rows[0])
        else:
            log.append_many(rows)
    elif kind == "reopen":
        log.close()
        return opened(path)
    else:
        getattr(log, kind)()
    return log


def opened(path: Path, **options: Any) -> nt.AuditLog:
    return nt.AuditLog.open(path, signer=None if options else SIGNER, origin=None if options else "desk", **options)


def differences(log: nt.AuditLog, least: int, most: int, checkpoints: tuple[Checkpoint, ...], rng: Any) -> str:
    """Where the log is not an exact prefix of what was begun, at least what was acknowledged; "" where it is."""
    if not least <= len(log) <= most:
        return f"{len(log)} records, where {least} were acknowledged and {most} begun"
    for sequence in {*range(max(0, len(log) - 20), len(log)), *rng.integers(0, max(len(log), 1), 5).tolist()}:
        if sequence < len(log) and log.get(sequence) != record_of(sequence):
            return f"record {sequence} is not the one that was appended"
    if log.checkpoints[: len(checkpoints)] != checkpoints:
        return "a checkpoint that was given out is not there"
    if log.verify().records != len(log):
        return "verify() counts other records"
    return ""


class AuditCase:
    """One audit log through many kills."""

    def __init__(self, base: Path, rng: np.random.Generator) -> None:
        self.base, self.rng, self.path = base, rng, base / "audit"
        self.records = 0
        self.checkpoints: tuple[Checkpoint, ...] = ()

    def write(self, say: Callable[[Any], None]) -> None:
        rng = np.random.default_rng(self.rng.integers(2**63))
        log = opened(self.path)
        for _ in range(2_000):
            kind, count = choose(rng)
            say([kind, count])
            log = perform(log, kind, count, self.path)
            say("done")
        log.close()

    def recover(self, say: Callable[[Any], None]) -> None:
        opened(self.path).close()

    def settle(self, said: list[Any], tallies: dict[str, int]) -> str:
        given, most = len(self.checkpoints), self.records
        kind = "nothing"
        for one in said:
            if one == "done":
                tallies["acknowledged"] = tallies.get("acknowledged", 0) + 1
                self.records = most
                given += kind == "checkpoint"
                kind = "nothing"
            else:
                kind, most = one[0], self.records + one[1]
        if kind != "nothing":
            name = f"killed in {kind}"
            tallies[name] = tallies.get(name, 0) + 1
        if not (self.path / "audit.wal").exists():
            return "" if most == 0 else "the log is not there"
        with opened(self.path, read_only=True) as log:
            told = differences(log, self.records, most, self.checkpoints, self.rng)
            if not told and len(log.checkpoints) < given:
                told = f"{given} checkpoints were given out, {len(log.checkpoints)} are there"
            self.records, self.checkpoints = len(log), log.checkpoints
        return told

    def check_whole(self) -> str:
        with opened(self.path) as log:
            return differences(log, self.records, self.records, self.checkpoints, self.rng)
