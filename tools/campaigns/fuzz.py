"""Decoders under garbage: nothing that stands in a file may crash, hang or lead a reader out of bounds.

Logs and graphs go through the readers of the core in a program of their own, with AddressSanitizer and
UndefinedBehaviorSanitizer around them (`fuzz_decoders.c`); half of the mutations put the checksums right again. With
each chunk come a few manifests, segments, log records and audit entries whose checksums hold and whose content does
not, for the decoders in Python: each is refused as it is documented, or read.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from blake3 import blake3

from neuraltrade.core import wal
from neuraltrade.errors import FormatTooNew, InputError, LogCorrupt, VerificationFailed
from neuraltrade.vectors.files import FORMAT, MAGIC, MANIFEST, entry_of, read_manifest
from neuraltrade.vectors.segment import TRAILER, Segment

from campaigns import Failure, Outcome, disk
from campaigns import audit_model as audits
from campaigns import store_model as stores

VERSION = 1
UNIT = "inputs"
CHUNK = 50_000
CI_COUNT, FULL_COUNT = 200_000, 200_000_000  # half of them logs, half graphs
BEYOND = 60  # of each kind for the decoders in Python, a chunk
REFUSED = (LogCorrupt, FormatTooNew, VerificationFailed, InputError)
SOURCES = ("nt_wal_read", "nt_io", "nt_crc32c", "nt_graph", "nt_graph_file", "nt_quant_serial")
LENGTHS = (0, 1, 10**6, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1)
CORE = Path(__file__).resolve().parents[2] / "csrc"


def program() -> Path:
    """The harness, built from the sources beside these tools."""
    files = tuple(str(CORE / f"{name}.c") for name in SOURCES)
    flags = (
        "-g",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=all",
        f"-DTREE_{disk.digest_of(CORE)}",
        f"-I{CORE}",
    )
    return disk.built(Path(__file__).parent / "fuzz_decoders.c", flags, after=(*files, "-lpthread", "-lm"))


def in_c(decoder: str, seed: int, first: int) -> str:
    """Run a chunk of inputs; what went wrong."""
    command = [str(program()), decoder, str(seed), str(first), str(CHUNK)]
    environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0"}
    environment.pop("LD_PRELOAD", None)
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=600)
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1][:300]


def mutated(body: bytes, rng: np.random.Generator) -> bytes:
    """Up to four changes of single bytes, runs and lengths."""
    changed = bytearray(body)
    for _ in range(int(rng.integers(1, 5))):
        if not changed:
            break
        at = int(rng.integers(len(changed)))
        pick = int(rng.integers(6))
        if pick == 0:
            changed[at] ^= 1 << int(rng.integers(8))
        elif pick == 1:
            changed[at] = int(rng.choice([0, 1, 0x7F, 0x80, 0xFF, 0xC0, 0xDF, ord("-"), ord("9"), ord('"')]))
        elif pick == 2:
            del changed[at : at + int(rng.integers(1, 9))]
        elif pick == 3:
            changed[at:at] = rng.bytes(int(rng.integers(1, 9)))
        elif pick == 4:
            other = int(rng.integers(len(changed)))
            changed[at:at] = changed[other : other + int(rng.integers(1, 40))]
        else:
            changed[at : at + 8] = LENGTHS[int(rng.integers(len(LENGTHS)))].to_bytes(8, "little")
    return bytes(changed)


class Beyond:
    """Files whose checksums hold."""

    def __init__(self, base: Path) -> None:
        self.base, self.path = base, base / "store"
        with stores.opened(self.path) as store:
            for operation in (("add", "things", 130), ("optimize",), ("update", 5, 200, 1), ("add", "things", 9)):
                stores.perform(store, operation, base)
        self.manifest = read_manifest(self.path)
        self.spec, self.entry = (
            self.manifest.collections["things"].spec,
            self.manifest.collections["things"].segments[0],
        )
        self.bodies = {path: path.read_bytes() for path in self.path.iterdir()}
        self.segment = self.bodies[self.path / self.entry.data.file]
        with audits.opened(base / "audit") as log:
            log.append_many([audits.record_of(sequence) for sequence in range(9)])
            log.checkpoint()
        self.kinds: dict[str, Callable[[np.random.Generator], None]] = {
            "manifest": self.manifest_case, "segment": self.segment_case, "record": self.record_case,
            "audit entry": self.audit_case,
        }  # fmt: skip

    def manifest_case(self, rng: np.random.Generator) -> None:
        body = mutated(self.bodies[self.path / MANIFEST].partition(b"\n")[2], rng)
        (self.path / MANIFEST).write_bytes(f"{MAGIC} {FORMAT} {blake3(body).hexdigest()}\n".encode() + body)
        with stores.opened(self.path, read_only=True) as store:
            look(store.collections["things"])

    def segment_case(self, rng: np.random.Generator) -> None:
        """The footer, or one of the arrays."""
        length, _ = TRAILER.unpack(self.segment[-TRAILER.size :])
        start = len(self.segment) - TRAILER.size - length
        if rng.random() < 0.5:
            footer = mutated(self.segment[start : -TRAILER.size], rng)
            body = self.segment[:start] + footer + TRAILER.pack(len(footer), self.segment[-8:])
        else:
            at = int(rng.integers(start - 8)) // 8 * 8
            wrong = LENGTHS[int(rng.integers(len(LENGTHS)))].to_bytes(8, "little")
            body = self.segment[:at] + wrong + self.segment[at + 8 :]
        path = self.path / self.entry.data.file
        path.write_bytes(body)
        segment = Segment(self.path, self.spec, msgspec.structs.replace(self.entry, data=entry_of(path), graph=None))
        block = segment.block
        for row in range(0, block.count, 7):
            block.payload(row), block.find(int(block.ids[row])), block.value("word", row)

    def record_case(self, rng: np.random.Generator) -> None:
        """A log whose last record does not hold what it should."""
        path = self.path / max(one.name for one in self.bodies if one.name.startswith("wal-"))
        with wal.Log.open(path) as log:
            *_, (_, kind, body) = [one for one in log.scan() if one[1] in (1, 2)]
            log.append(int(rng.choice([kind, kind, kind, 2, 3, 4, 9])), mutated(body, rng))
        with stores.opened(self.path, read_only=True) as store:
            look(store.collections["things"])

    def audit_case(self, rng: np.random.Generator) -> None:
        path = self.base / "audit" / "audit.wal"
        whole = path.read_bytes()
        try:
            with wal.Log.open(path) as log:
                entries = list(log.scan())
                _, kind, body = entries[int(rng.integers(len(entries)))]
                log.append(int(rng.choice([kind, kind, 1, 2, 3, 4])), mutated(body, rng))
            with audits.opened(self.base / "audit", read_only=True) as opened:
                opened.verify()
        finally:
            path.write_bytes(whole)

    def restore(self) -> None:
        for path in self.path.iterdir():
            if path not in self.bodies:
                path.unlink()
        for path, body in self.bodies.items():
            path.write_bytes(body)


def look(things: Any) -> None:
    """What a reader asks."""
    things.search(stores.VECTORS[3], 5)
    rows = things.range(limit=None)
    rows.column("word"), rows.column("score")
    for id_ in rows.ids[:3].tolist():
        things.get(id_)


def beyond_checksums(seed: int, index: int) -> tuple[dict[str, int], str]:
    """(how many of each kind were refused, what went wrong)."""
    rng = np.random.default_rng([seed, index])
    refused: dict[str, int] = {}
    with disk.scratch_folder() as base:
        made = Beyond(base)
        for kind, case in made.kinds.items():
            for number in range(BEYOND):
                try:
                    case(rng)
                except REFUSED:
                    refused[f"{kind} refused"] = refused.get(f"{kind} refused", 0) + 1
                except Exception as error:  # noqa: BLE001  (whatever else comes is what this looks for)
                    kept = disk.keep(base, f"fuzz-{seed}-{index}-{number}")
                    return refused, f"{kind}: {type(error).__name__}: {error} (kept in {kept})"
                made.restore()
    return refused, ""


def chunk(seed: int, index: int) -> Outcome:
    outcome = Outcome(CHUNK)
    told = in_c(("log", "graph")[index % 2], seed, index * CHUNK)
    refused, wrong = beyond_checksums(seed, index)
    outcome.tallies = {"beyond checksums": BEYOND * 4, **refused}
    outcome.failures = [Failure(index * CHUNK, one) for one in (told, wrong) if one]
    return outcome


run_chunk = disk.in_server("fuzz")


def reproduce(seed: int, number: int) -> str:
    outcome = run_chunk(seed, number // CHUNK)
    told = "; ".join(failure.reason for failure in outcome.failures)
    return f"inputs {number // CHUNK * CHUNK}.. of seed {seed}: {told or 'it holds'}"
