"""Damaged files: every bit flipped, a cut at every byte, records doubled, swapped, removed and played again, then
bursts of garbage, zeroed and swapped sectors. Damage is told, a wrong byte is never served, what is whole is read.

Six files take turns: a log of 64 KiB; the segment, graph, sidecar and manifest of a store; an audit log of 64 KiB. Case
n is damage n // 6 of file n % 6, in an order that spreads a small count over the whole file.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from neuraltrade.core import wal
from neuraltrade.errors import FormatTooNew, LogCorrupt, NeuralTradeError, VerificationFailed
from neuraltrade.vectors.files import MANIFEST, Manifest, SegmentEntry, read_manifest
from neuraltrade.vectors.segment import Segment

from campaigns import Failure, Outcome, disk
from campaigns import audit_model as audits
from campaigns import store_model as stores

VERSION = 1
UNIT = "damaged files"
CHUNK = 600
CI_COUNT, FULL_COUNT = 3_600, 3_600_000  # 600,000 a file: more than a log of 64 KiB has bits and bytes
STRIDE = 1_000_003
SECTOR = 512
TOLD = (LogCorrupt, FormatTooNew, VerificationFailed)


class Target(NamedTuple):
    """A file, where its parts begin (of a log: header, records, marks), and what reading it must give."""

    name: str
    whole: bytes
    parts: list[int]
    check: Callable[[Path, bytes, int], str]

    @property
    def damages(self) -> int:
        return 9 * len(self.whole) + 4 * max(len(self.parts) - 1, 0)


def damaged(target: Target, seed: int, number: int) -> tuple[bytes, int]:
    """The file with damage `number`; where a single bit was flipped, its byte, else -1."""
    whole = target.whole
    if number >= target.damages:
        return at_random(whole, np.random.default_rng([seed, number])), -1
    which = number * STRIDE % target.damages
    if which < 8 * len(whole):
        at, bit = divmod(which, 8)
        return whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :], at
    which -= 8 * len(whole)
    if which < len(whole):
        return whole[:which], -1
    part, surgery = divmod(which - len(whole), 4)
    bounds = [*target.parts, len(whole)]
    begin, end = bounds[part], bounds[part + 1]
    after = bounds[part + 2] if part + 2 < len(bounds) else len(whole)
    one, following = whole[begin:end], whole[end:after]
    return (
        (
            whole[:end] + one + whole[end:],  # doubled
            whole[:begin] + following + one + whole[after:],  # swapped
            whole + one,  # played again
            whole[:begin] + whole[end:],  # removed
        )[surgery],
        -1,
    )


def at_random(whole: bytes, rng: np.random.Generator) -> bytes:
    at = int(rng.integers(len(whole)))
    sector = at // SECTOR * SECTOR
    other = int(rng.integers(len(whole))) // SECTOR * SECTOR
    pick = int(rng.integers(6))
    if pick == 0:
        junk = rng.bytes(int(rng.integers(1, 64)))
        return (whole[:at] + junk + whole[at + len(junk) :])[: len(whole)]
    if pick == 1:
        return whole[:sector] + bytes(len(whole[sector : sector + SECTOR])) + whole[sector + SECTOR :]
    if pick == 2:
        changed = bytearray(whole)
        count = min(SECTOR, len(whole) - sector, len(whole) - other)
        changed[sector : sector + count] = whole[other : other + count]
        changed[other : other + count] = whole[sector : sector + count]
        return bytes(changed)
    if pick == 3:
        return whole[:at] + rng.bytes(1) + whole[at:]
    return whole[:at] + whole[at + 1 :] if pick == 4 else whole + rng.bytes(int(rng.integers(1, 2_000)))


def parts_of(log: bytes) -> list[int]:
    """Where the records and marks of a log begin."""
    places, at = [], 64
    while at < len(log):
        places.append(at)
        at += 24 + (struct.unpack_from("<I", log, at)[0] + 7) // 8 * 8
    return places


class LogTarget:
    """A log that was closed: every byte of it is under a checksum, and a mark says that it was synced."""

    def __init__(self, path: Path) -> None:
        rng = np.random.default_rng(3)
        with wal.Log.open(path, label="damage") as log:
            while log.offset < 64 << 10:
                log.append(int(rng.integers(5)), rng.bytes(int(rng.choice([0, 8, 24, 24, 24, 300, 4_000]))))
                if rng.random() < 0.1:
                    log.sync()
        self.path, self.whole = path, path.read_bytes()
        self.parts = parts_of(self.whole)
        self.records = list(wal.scan(path))

    def check(self, path: Path, body: bytes, flipped: int) -> str:
        got: list[Any] = []
        try:
            reader = wal.scan(path)
            got.extend(reader)  # as far as it comes: what was read before an error stays
            told = reader.torn_bytes > 0
        except TOLD:
            told = True
        if got != self.records[: len(got)]:
            return "a record is served that was not written"
        if not told and body != self.whole and not self._shorter(body):
            return "not told"
        return self._rest(path, flipped, len(got)) if flipped >= 64 else ""

    def _shorter(self, body: bytes) -> bool:
        """Cut where a record ends: what is left is a log."""
        return body == self.whole[: len(body)] and (len(body) in self.parts or len(body) == 64)

    def _rest(self, path: Path, flipped: int, got: int) -> str:
        """All but the damaged part is read: up to it, and from the part after it on."""
        bounds = [*self.parts, len(self.whole)]
        part = int(np.searchsorted(bounds, flipped, side="right")) - 1
        before = sum(offset < bounds[part] for offset, _, _ in self.records)
        after = [one for one in self.records if one[0] >= bounds[part + 1]]
        if got < before:
            return f"{before} records stand before the damage, {got} were read"
        if after and list(wal.scan(path, after[0][0])) != after:
            return "the records after the damage are not read"
        return ""


class StoreTargets:
    """The files of a store, each held against the manifest."""

    def __init__(self, base: Path) -> None:
        self.path = base / "store"
        self.model = stores.Model()
        with stores.opened(self.path) as store:
            for operation in (("add", "things", 130), ("optimize",), ("update", 5, 200, 1), ("update", 9, 300, 2),
                              ("add", "quiet", 30), ("optimize",), ("wait",)):  # fmt: skip
                stores.perform(store, operation, base)
        self.manifest = read_manifest(self.path)
        entry = self.manifest.collections["things"]
        self.spec, self.entry = entry.spec, max(entry.segments, key=lambda one: one.rows)
        assert self.entry.graph is not None and self.entry.until is not None
        with stores.opened(self.path, read_only=True) as store:
            self.ids = store.collections["things"].range(limit=None).ids
            self.hits = store.collections["things"].search(stores.VECTORS[7], 5, exact=True).ids

    def targets(self) -> list[Target]:
        files = [("segment", self.entry.data, self.check_segment), ("graph", self.entry.graph, self.check_graph),
                 ("sidecar", self.entry.until, self.check_segment)]  # fmt: skip
        made = [Target(name, (self.path / file.file).read_bytes(), [], check) for name, file, check in files if file]
        return [*made, Target("manifest", (self.path / MANIFEST).read_bytes(), [], self.check_manifest)]

    def opened(self) -> Segment:
        return Segment(self.path, self.spec, self.entry)

    def check_segment(self, path: Path, body: bytes, flipped: int) -> str:
        return self._refused(path, body, self.opened)

    def check_manifest(self, path: Path, body: bytes, flipped: int) -> str:
        return self._refused(path, body, lambda: read_manifest(self.path))

    def check_graph(self, path: Path, body: bytes, flipped: int) -> str:
        segment = self.opened()
        if segment.graph_lost is None or segment.block.graph is not None:
            return "a damaged graph is used"
        return "" if segment.block.count == self.entry.rows else "rows are lost with the graph"

    def _refused(self, path: Path, body: bytes, read: Callable[[], Segment | Manifest]) -> str:
        try:
            read()
        except TOLD as error:
            return "" if path.name in str(error) else f"the error does not name the file: {error}"
        return "not told"

    def check_store(self, name: str) -> str:
        """The whole store, as a user opens it."""
        try:
            with stores.opened(self.path, read_only=True) as store:
                things = store.collections["things"]
                if name != "graph":
                    return "the store opens"
                if not np.array_equal(things.range(limit=None).ids, self.ids):
                    return "rows are lost with the graph"
                if not np.array_equal(things.search(stores.VECTORS[7], 5, exact=True).ids, self.hits):
                    return "a search finds others"
        except TOLD as error:
            return "" if name != "graph" else f"a graph refuses the store: {error}"
        return ""


class AuditTarget:
    """An audit log under checkpoints."""

    def __init__(self, base: Path) -> None:
        self.folder = base / "audit"
        with audits.opened(self.folder) as log:
            while log._wal.offset < 64 << 10:
                audits.perform(log, "append", 10, self.folder)
                if len(log) % 100 == 0:
                    log.checkpoint()
            log.checkpoint()
            self.records = len(log)
        self.whole = (self.folder / "audit.wal").read_bytes()
        self.parts = parts_of(self.whole)

    def check(self, path: Path, body: bytes, flipped: int) -> str:
        shorter = body == self.whole[: len(body)] and len(body) in self.parts
        try:
            with audits.opened(self.folder, read_only=True) as log:
                told = log.torn_bytes > 0
                if len(log) > self.records or (len(log) and log.get(len(log) - 1) != audits.record_of(len(log) - 1)):
                    return "a record is served that was not written"
                if not told and not shorter and body != self.whole:
                    return "not told"
        except TOLD:
            return ""
        except NeuralTradeError as error:
            return "" if shorter or len(body) <= 64 else f"{type(error).__name__}: {error}"
        return ""


class Fixture(NamedTuple):
    """The files, made once a process."""

    targets: list[Target]
    paths: list[Path]
    store: StoreTargets


@cache
def fixture(base: Path) -> Fixture:
    log, store, audit = LogTarget(base / "log"), StoreTargets(base), AuditTarget(base)
    of_store = store.targets()
    entry: SegmentEntry = store.entry
    assert entry.graph is not None and entry.until is not None
    names = (entry.data.file, entry.graph.file, entry.until.file, MANIFEST)
    targets = [Target("log", log.whole, log.parts, log.check), *of_store,
               Target("audit log", audit.whole, audit.parts, audit.check)]  # fmt: skip
    return Fixture(targets, [log.path, *(store.path / name for name in names), audit.folder / "audit.wal"], store)


def chunk(seed: int, index: int) -> Outcome:
    outcome = Outcome(CHUNK)
    with disk.scratch_folder() as base:
        made = fixture(base)
        for number in range(index * CHUNK, (index + 1) * CHUNK):
            told = one_case(made, seed, number)
            if told:
                outcome.failures.append(Failure(number, told))
    fixture.cache_clear()
    return outcome


def one_case(made: Fixture, seed: int, number: int) -> str:
    target, path = made.targets[number % 6], made.paths[number % 6]
    body, flipped = damaged(target, seed, number // 6)
    if body == target.whole:
        return ""
    path.write_bytes(body)
    try:
        told = target.check(path, body, flipped)
        if not told and number // 6 % 50 == 0 and 1 <= number % 6 <= 4:
            told = made.store.check_store(target.name)
    except (NeuralTradeError, OSError, ValueError) as error:
        told = f"{type(error).__name__}: {error}"
    finally:
        path.write_bytes(target.whole)
    return told and f"{target.name}: {told}"


run_chunk = disk.in_server("damage")


def reproduce(seed: int, number: int) -> str:
    told = {failure.number: failure.reason for failure in run_chunk(seed, number // CHUNK).failures}.get(number)
    return f"damage {number // 6} of file {number % 6}, seed {seed}: {told or 'it holds'}"
