"""R7: the digest of a run is the same again, in another process, under another hash seed, by threads and by processes,
under another Python and in a build for another processor.

NEURALTRADE_INTERPRETERS names further interpreters, each with this package installed (paths with ":" between them):
other versions of Python, and builds with another NEURALTRADE_MARCH. Each case is one digest; every variant computes
them all.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from campaigns import Failure, Outcome

VERSION = 1
UNIT = "digests"
CHUNK = 100
CI_COUNT, FULL_COUNT = 100, 1_000
CHILD = Path(__file__).with_name("digests.py")


@dataclass(frozen=True)
class Variant:
    """One way to compute the digests."""

    name: str
    how: str = "here"
    interpreter: str = sys.executable
    environment: dict[str, str] = field(default_factory=dict)


def variants() -> list[Variant]:
    found = [
        Variant("the same process again", "again", environment={"PYTHONHASHSEED": "0"}),
        Variant("hash seed 1", environment={"PYTHONHASHSEED": "1"}),
        Variant("a random hash seed", environment={"PYTHONHASHSEED": "random"}),
        Variant("three threads", "threads"),
        Variant("three processes", "processes"),
    ]
    for interpreter in filter(None, os.environ.get("NEURALTRADE_INTERPRETERS", "").split(":")):
        found.append(Variant(interpreter, interpreter=interpreter))
    return found


def compute(variant: Variant, seed: int, first: int, count: int) -> dict[str, object]:
    """What the child says. RuntimeError, with the end of its words, where it fails."""
    environment = {**os.environ, **variant.environment}
    if variant.interpreter != sys.executable:  # it has the package of its own
        environment.pop("PYTHONPATH", None)
    command = [variant.interpreter, str(CHILD), str(seed), str(first), str(count), variant.how]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode != 0:
        raise RuntimeError(f"{variant.name}: {done.stderr.strip()[-2000:]}")
    return json.loads(done.stdout)


def differences(seed: int, first: int, count: int) -> tuple[list[Failure], dict[str, int]]:
    """Cases whose digests are not all one, and how many digests were compared."""
    expected = compute(Variant("here", environment={"PYTHONHASHSEED": "0"}), seed, first, count)
    failures, builds = [], {f"{expected['python']} {expected['march']}"}
    own = expected["digests"]
    compared = 0
    for variant in variants():
        found = compute(variant, seed, first, count)
        builds.add(f"{found['python']} {found['march']}")
        for offset, (mine, other) in enumerate(zip(own, found["digests"], strict=True)):  # type: ignore[call-overload]
            compared += 1
            if mine != other:
                failures.append(Failure(first + offset, f"{variant.name}: {other}, here {mine}"))
    distinct = len(set(own))  # type: ignore[call-overload]
    tallies = {"compared": compared, "distinct": distinct}
    return failures, tallies | {f"on {build}": count for build in sorted(builds)}


def run_chunk(seed: int, index: int) -> Outcome:
    failures, tallies = differences(seed, index * CHUNK, CHUNK)
    return Outcome(CHUNK, tallies, failures)


def reproduce(seed: int, number: int) -> str:
    failures, _ = differences(seed, number, 1)
    told = "; ".join(failure.reason for failure in failures)
    return f"digest {number} of seed {seed}: {told or 'every variant agrees, it holds'}"


def check_inputs_vary(tallies: dict[str, int], cases: int) -> str:
    """Digests that are all alike would agree whatever happens."""
    return "" if tallies.get("distinct", 0) > 0.95 * cases else "too few digests differ from each other"
