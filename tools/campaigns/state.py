"""What of a campaign is done, in a file that a kill cannot tear: a new one is written beside it and renamed over it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from campaigns import Failure, Outcome

FORMAT = 1


class StateRefused(Exception):
    """The file belongs to another campaign, seed or version, or is no state file."""


class State:
    """Chunks that are done, as ranges [first, last + 1), with what they came to."""

    def __init__(self, path: Path, name: str, version: int, seed: int, chunk: int) -> None:
        self.path, self.name, self.version, self.seed, self.chunk = path, name, version, seed, chunk
        self.ranges: list[list[int]] = []
        self.cases = 0
        self.seconds = 0.0
        self.tallies: dict[str, int] = {}
        self.failures: list[Failure] = []

    @classmethod
    def open(cls, path: Path, name: str, version: int, seed: int, chunk: int) -> State:
        """The state in that file, or a new one. StateRefused where the file is not this campaign's."""
        state = cls(path, name, version, seed, chunk)
        if not path.exists():
            return state
        try:
            found = json.loads(path.read_text())
            told = {key: found[key] for key in state.heading()}
            body = [found[key] for key in ("done", "cases", "seconds", "tallies", "failures")]
        except (ValueError, KeyError, TypeError) as error:
            raise StateRefused(f"{path} is no state file of a campaign: {error}") from error
        wrong = [
            f"{key} is {told[key]!r}, not {value!r}" for key, value in state.heading().items() if told[key] != value
        ]
        if wrong:
            raise StateRefused(f"{path} is of another campaign: {'; '.join(wrong)}. Name another --state, or remove it")
        state.ranges, state.cases, state.seconds, state.tallies = body[0], body[1], body[2], body[3]
        state.failures = [Failure(*failure) for failure in body[4]]
        return state

    def heading(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "campaign": self.name,
            "version": self.version,
            "seed": self.seed,
            "chunk": self.chunk,
        }

    def is_done(self, chunk: int) -> bool:
        return any(first <= chunk < end for first, end in self.ranges)

    def add(self, chunk: int, outcome: Outcome) -> None:
        """One more chunk is done."""
        self.ranges.append([chunk, chunk + 1])
        self.ranges.sort()
        joined: list[list[int]] = []
        for first, end in self.ranges:
            if joined and joined[-1][1] == first:
                joined[-1][1] = end
            else:
                joined.append([first, end])
        self.ranges = joined
        self.cases += outcome.cases
        for key, value in outcome.tallies.items():
            self.tallies[key] = self.tallies.get(key, 0) + value
        self.failures += outcome.failures

    def save(self) -> None:
        """Write it, whole or not at all."""
        body = {"done": self.ranges, "cases": self.cases, "seconds": round(self.seconds, 1), "tallies": self.tallies,
                "failures": [[failure.number, failure.reason] for failure in self.failures]}  # fmt: skip
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_name(f"{self.path.name}.{os.getpid()}.new")
        with open(beside, "w") as file:
            json.dump(self.heading() | body, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, self.path)
