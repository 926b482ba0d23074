"""What a sweep has done so far, in one file: replaced in one step, so it is whole whenever the process dies.

    NTSWEEP1 | BLAKE3 of the rest (32 bytes) | MessagePack {what, numbers, metrics, values, firsts, errors, returns}

`what` is the digest of everything that decides a trial (data, strategy, settings, parameters in their order, metric);
a file of another one is refused. Arrays are little-endian bytes.
"""

from __future__ import annotations

import inspect
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from blake3 import blake3

from ..errors import InputError, LogCorrupt
from ..market import Ticks
from ..market.schedules import dues_of
from ..strategy import CompiledStrategy, Strategy
from ..strategy.interpreted import own_methods
from .sweep_job import STATISTICS, Job, Trial

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

    def load(self) -> list[Trial]:
        """Trials of the file; none where there is no file.

        Raises InputError for a file of another search or of no search at all, LogCorrupt where it was damaged.
        """
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return []
        if content[: len(_MAGIC)] != _MAGIC:
            raise InputError(f"state: {str(self.path)!r} is not the state of a sweep")
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
        folder = self.path.absolute().parent
        handle, scratch = tempfile.mkstemp(dir=folder, prefix=f".{self.path.name}.", suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_MAGIC + blake3(body).digest() + body)
                file.flush()
                os.fsync(file.fileno())
            os.replace(scratch, self.path)
        except BaseException:
            Path(scratch).unlink(missing_ok=True)
            raise


def identity(job: Job, candidates: Sequence[Mapping[str, Any]]) -> str:
    """Hex BLAKE3 of everything that decides what the trials come to."""
    hasher = blake3(b"neuraltrade.sweep.1\n")
    setup = job.setup
    plain = {name: job.settings.get(name) for name in ("close_at_end", "risk_free", "periods_per_year")}
    window = None if job.window is None else [job.window.start, job.window.stop]
    for part in (job.told, plain, window, list(candidates), job.keep_returns, setup.symbols):
        hasher.update(json.dumps(part, sort_keys=True, default=repr).encode() + b"\n")
    for name, metric in (("metric", job.metric), ("strategy", job.strategy)):
        hasher.update(f"{name} {metric if isinstance(metric, str) else code_of(metric)}\n".encode())
    for array in _arrays(setup):
        hasher.update(f"{array.dtype.str} {len(array)}\n".encode())
        hasher.update(np.ascontiguousarray(array).view(np.uint8).data)
    return hasher.hexdigest()


def _arrays(setup: Any) -> Iterator[np.ndarray]:
    """Everything the runs read that is an array."""
    if isinstance(setup.data, Ticks):
        for stream in setup.data:
            yield from stream.columns()
    for bars in setup.bars:
        yield from bars.columns()
    for own in setup.actions:
        dues = dues_of(own)
        if dues is not None:
            yield dues
    for series in setup.rates.values():
        yield series.rows()


def code_of(thing: Any) -> str:
    """A text that changes where a strategy's or a function's own source, defaults or parameters do."""
    inner = thing.strategy if isinstance(thing, CompiledStrategy) else thing
    if isinstance(inner, Strategy):
        return f"{code_of(type(inner))} {sorted(vars(inner).items(), key=lambda item: item[0])!r}"
    if isinstance(inner, type):
        kinds = {name: getattr(inner, name) for name in getattr(inner, "_parameters", {})}
        methods = [_source(function) for _, function in sorted(own_methods(inner).items())]
        return f"{inner.__module__}.{inner.__qualname__} {kinds!r} {methods!r}"
    return _source(inner)


def _source(function: Any) -> str:
    """Source where it can be read, else byte code."""
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        code = getattr(function, "__code__", None)
        return repr(function) if code is None else repr((code.co_name, code.co_code, code.co_names))
