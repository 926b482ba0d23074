"""P6: builds order_flow.c against csrc/ with the flags of the package and runs it."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import environments
from environments import HERE, cache

CSRC = HERE.parent.parent / "csrc"
WRAPPED = ("malloc", "calloc", "realloc", "aligned_alloc", "nt_blocks_take", "nt_gate_check")
# Sources that need an instruction set, a library or the disk of their own: the loop uses none of them.
APART = ("_avx2.c", "_avx512.c")


def sources() -> list[Path]:
    return sorted(path for path in CSRC.glob("nt_*.c") if not path.name.endswith(APART))


def build(*extra: str) -> Path:
    """The program, compiled once for these sources and flags and kept beside the peers' environments."""
    march = os.environ.get("NEURALTRADE_MARCH", "native")
    flags = ["-std=gnu11", "-O3", "-g1", "-ffp-contract=off", "-fno-math-errno", "-fno-semantic-interposition"]
    flags += ["-fstack-protector-strong", "-D_FORTIFY_SOURCE=2", "-ffunction-sections", f"-I{CSRC}"]
    if platform.machine() in ("x86_64", "AMD64"):
        flags.append(f"-march={march}")
    flags += extra
    digest = hashlib.blake2b(" ".join([march, *flags]).encode())
    for path in sorted([*CSRC.glob("*.[ch]"), HERE / "order_flow.c"]):
        digest.update(path.read_bytes())
    program = cache() / f"order_flow-{digest.hexdigest()[:16]}"
    if program.exists():
        return program
    program.parent.mkdir(parents=True, exist_ok=True)
    compiler = os.environ.get("CC", "gcc").split()
    scratch = program.with_suffix(f".{os.getpid()}")
    link = ["-Wl,--gc-sections", *(f"-Wl,--wrap={name}" for name in WRAPPED)]
    command = [*compiler, *flags, *link, "-o", scratch, HERE / "order_flow.c", *sources(), "-lm"]
    with program.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one process compiles, others that came meanwhile take what it made
        if not program.exists():
            subprocess.run([str(part) for part in command], check=True, env=environments.unsanitized())
            scratch.rename(program)
    return program


def run(program: Path, steps: int, symbols: int, places: int, messages: int, seed: int, timed: bool) -> dict[str, Any]:
    """One run, as order_flow.c describes it; CalledProcessError where the ledger does not agree with the fills."""
    numbers = (steps, symbols, places, messages, seed, int(timed))
    command = [str(program), *map(str, numbers)]
    answer: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return answer


def measure(steps: int, times: int, symbols: int = 8, places: int = 64, messages: int = 64) -> dict[str, Any]:
    """Throughput as the median of `times` runs; latencies from a run of their own, which the timer slows down."""
    program = build()
    runs = [run(program, steps, symbols, places, messages, 1, timed=False) for _ in range(times)]
    seconds = sorted(one["cpu_s"] for one in runs)
    median = seconds[len(seconds) // 2]
    first, timed = runs[0], run(program, steps, symbols, places, messages, 1, timed=True)
    sent = first["orders"] + first["cancels"] + first["changes"]
    return {
        **first,
        "median_s": median,
        "min_s": seconds[0],
        "max_s": seconds[-1],
        "orders_per_s": first["orders"] / median,
        "messages_per_s": sent / median,
        "gate": timed["gate"],
        "place": timed["place"],
        "timer_ns": timed["timer_ns"],
    }
