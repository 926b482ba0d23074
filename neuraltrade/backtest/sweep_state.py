"""What a search has done so far, in one file: replaced in one step, so it is whole whenever the process dies.

    NTSWEEP1 | BLAKE3 of the rest (32 bytes) | MessagePack {what, numbers, metrics, values, firsts, errors, returns}

`what` is the digest of everything that decides a trial (sweep_identity); a file of another one is refused. Arrays are
little-endian bytes.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
from blake3 import blake3

from ..errors import InputError, LogCorrupt
from .sweep_job import STATISTICS, Trial

SAVE_SECONDS = 2.0
_MAGIC = b"NTSWEEP1"
_HASH_BYTES = 32


class State:
    """Finished trials of one search in the file `path`; `load` gives those of an earlier process."""

    def __init__(self, path: str | os.PathLike[str], what: str) -> None:
        self.path = Path(path)
        self.what = what
        if not self.path.absolute().parent.is_dir():
            raise InputError(f"state: no folder {str(self.path.absolute().parent)!r}")
        if self.path.is_dir():
            raise InputError(f"state: {str(self.path)!r} is a folder")
        if self.path.exists() and not self.path.is_file():
            raise InputError(f"state: {str(self.path)!r} is no plain file")
        try:  # before hours of trials rather than after them
            handle, scratch = self._scratch()
        except OSError as error:
            raise InputError(f"state: {str(self.path)!r} cannot be written: {error.strerror}") from error
        os.close(handle)
        os.unlink(scratch)

    def _scratch(self) -> tuple[int, str]:
        return tempfile.mkstemp(dir=self.path.absolute().parent, prefix=f".{self.path.name}.", suffix=".tmp")

    def load(self) -> list[Trial]:
        """Trials of the file; none where there is no file.

        Raises InputError for a file of another search or of no search at all, LogCorrupt where it was damaged.
        """
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return []
        if content[: len(_MAGIC)] != _MAGIC:
            raise InputError(f"state: {str(self.path)!r} is not the state of a search")
        head = len(_MAGIC) + _HASH_BYTES
        body = content[head:]
        if blake3(body).digest() != content[len(_MAGIC) : head]:
            raise LogCorrupt(f"{self.path}: the checksum does not match: delete it to start again")
        found = msgspec.msgpack.decode(body)
        if found["what"] != self.what:
            raise InputError(
                f"state: {str(self.path)!r} belongs to another search (other data, strategy, grid or settings): give "
                "another path, or delete it"
            )
        numbers = np.frombuffer(found["numbers"], "<i8")
        metrics = np.frombuffer(found["metrics"], "<f8")
        values = np.frombuffer(found["values"], "<f8").reshape(len(numbers), len(STATISTICS))
        returns = [None if kept is None else np.frombuffer(kept, "<f8") for kept in found["returns"]]
        firsts = np.frombuffer(found["firsts"], "<f8").tolist()
        rows = zip(numbers.tolist(), metrics.tolist(), values.tolist(), found["errors"], returns, firsts, strict=True)
        return [Trial(number, metric, tuple(own), *rest) for number, metric, own, *rest in rows]

    def save(self, trials: Sequence[Trial]) -> None:
        """Put a file with these trials in place of the one before."""
        body = msgspec.msgpack.encode(
            {
                "what": self.what,
                "numbers": np.array([one.number for one in trials], "<i8").tobytes(),
                "metrics": np.array([one.metric for one in trials], "<f8").tobytes(),
                "values": np.array([one.values for one in trials], "<f8").tobytes(),
                "firsts": np.array([one.first for one in trials], "<f8").tobytes(),
                "errors": [one.error for one in trials],
                "returns": [None if one.returns is None else one.returns.astype("<f8").tobytes() for one in trials],
            }
        )
        handle, scratch = self._scratch()
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_MAGIC + blake3(body).digest() + body)
                file.flush()
                os.fsync(file.fileno())
            os.replace(scratch, self.path)
        except BaseException:
            Path(scratch).unlink(missing_ok=True)
            raise


class Finished:
    """Trials that have ended, by their number over a whole search, which may have several parts.

    With a `state` those of an earlier process are there from the start, and they are saved every SAVE_SECONDS; less
    often where saving takes long, so that it takes a tenth of the time at most.
    """

    def __init__(self, state: State | None = None) -> None:
        self._state = state
        self._found = {} if state is None else {one.number: one for one in state.load()}
        self._due = time.monotonic() + SAVE_SECONDS
        self._is_saved = True

    def of(self, base: int, count: int) -> dict[int, Trial]:
        """Those of the part whose numbers begin at `base`, counted from there."""
        numbers = range(base, base + count)
        return {n - base: replace(self._found[n], number=n - base) for n in numbers if n in self._found}

    def every(self) -> list[Trial]:
        return list(self._found.values())

    def add(self, trial: Trial, base: int = 0) -> None:
        """One more; nothing is kept where there is no state."""
        if self._state is None:
            return
        self._found[base + trial.number] = replace(trial, number=base + trial.number) if base else trial
        self._is_saved = False
        if time.monotonic() >= self._due:
            self.save()

    def save(self) -> None:
        """Put what there is in the file, unless it is there."""
        if self._state is None or self._is_saved:
            return
        began = time.monotonic()
        self._state.save([self._found[number] for number in sorted(self._found)])
        ended = time.monotonic()
        self._due = ended + max(SAVE_SECONDS, 9.0 * (ended - began))
        self._is_saved = True
