"""Cases that need the disk's shim: they run in a process that was started with it.

    run_chunk = disk.in_server("kills")

A campaign's module has `chunk(seed, index) -> Outcome`; what `in_server` gives sends the two numbers to a server, which
loads the module with `disk_shim.c` between it and the C library, and forks what is to be killed. A server that dies is
a mismatch of the chunk it ran.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import hashlib
import importlib
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from campaigns import Failure, Outcome

HERE = Path(__file__).resolve().parent
SOURCE = HERE / "disk_shim.c"
FLAGS = ("-Wall", "-fPIC", "-shared")
OPEN, WRITE, SYNC, TRUNCATE, RENAME, LINK, UNLINK, MKDIR, RMDIR, READ, CLOSE = range(11)
_servers: dict[str, subprocess.Popen[str]] = {}


def cache_folder() -> Path:
    """Where campaigns keep what outlives them."""
    place = Path.home() / ".cache" / "neuraltrade" / "campaigns"
    place.mkdir(parents=True, exist_ok=True)
    return place


def built(source: Path, flags: tuple[str, ...], suffix: str = "", after: tuple[str, ...] = ()) -> Path:
    """What gcc makes of a C file, kept beside the campaigns' states under the hash of what it is made from."""
    text = source.read_bytes() + " ".join(flags).encode()
    place = cache_folder()
    made = place / f"{source.stem}-{hashlib.sha256(text).hexdigest()[:16]}{suffix}"
    if not made.exists():
        scratch = made.with_name(f"{made.name}.{os.getpid()}")
        subprocess.run([os.environ.get("CC", "gcc"), "-O1", *flags, "-o", scratch, source, *after], check=True)
        os.replace(scratch, made)
    return made


def digest_of(core: Path) -> str:
    """Of the C core's sources: what is built from them is built anew once they change."""
    text = b"".join(path.read_bytes() for path in sorted(core.glob("nt_*.[ch]")))
    return hashlib.sha256(text).hexdigest()[:16]


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder for a while, where syncs are quick: what survives is worked out, not waited for."""
    memory = "/dev/shm"
    place = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="neuraltrade-", dir=place, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def keep(folder: Path, name: str) -> Path:
    """A copy of a folder in which something does not hold."""
    kept = cache_folder() / f"kept-{name}"
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(folder, kept, ignore_dangling_symlinks=True)
    return kept


class Shim:
    """The controls of the shim that this process was started with. See disk_shim.c."""

    def __init__(self) -> None:
        self.library = library = ctypes.CDLL(os.environ["NEURALTRADE_SHIM"])
        library.shim_kill.argtypes = [ctypes.c_int64, ctypes.c_int]
        library.shim_fail.argtypes = [ctypes.c_uint32, ctypes.c_int64, ctypes.c_int64, ctypes.c_int]
        library.shim_disk.argtypes = library.shim_memory.argtypes = [ctypes.c_int64]
        library.shim_memory_range.argtypes = [ctypes.c_size_t, ctypes.c_size_t]
        library.shim_recorded.argtypes = [ctypes.POINTER(ctypes.c_void_p)]
        library.shim_recorded.restype = ctypes.c_size_t
        for name in ("shim_calls", "shim_failing_calls", "shim_memory_calls"):
            getattr(library, name).restype = ctypes.c_int64
        self._add_ranges()

    def _add_ranges(self) -> None:
        """Where our own code lies: memory is refused to it alone."""
        for line in Path("/proc/self/maps").read_text().splitlines():
            words = line.split()
            if "x" in words[1] and len(words) > 5 and "/neuraltrade/" in words[5] and ".so" in words[5]:
                low, high = (int(part, 16) for part in words[0].split("-"))
                self.library.shim_memory_range(low, high)

    def watch(self, root: str) -> None:
        """Count, fail and record what happens under `root` from now on; "" for nothing."""
        self.library.shim_watch(root.encode())

    def kill(self, at: int, torn: bool) -> None:
        """SIGKILL at the `at`th call that changes something: instead of it, or half-way through where it is a write."""
        self.library.shim_kill(at, torn)

    def fail(self, kinds: tuple[int, ...], at: int, error: int, count: int = 1) -> None:
        """`count` calls of these kinds fail, from the `at`th on; with error 0 they transfer half of what is asked."""
        self.library.shim_fail(sum(1 << kind for kind in kinds), at, count, error)

    def fill(self, left: int) -> None:
        """A disk with so many bytes left."""
        self.library.shim_disk(left)

    def refuse_memory(self, at: int) -> None:
        """The `at`th request of our own C code for memory fails; 0 for none."""
        self.library.shim_memory(at)

    def record(self) -> None:
        self.library.shim_record()

    @property
    def calls(self) -> int:
        return int(self.library.shim_calls())

    @property
    def failing_calls(self) -> int:
        return int(self.library.shim_failing_calls())

    @property
    def memory_calls(self) -> int:
        return int(self.library.shim_memory_calls())

    @property
    def recorded_bytes(self) -> int:
        return int(self.library.shim_recorded(ctypes.byref(ctypes.c_void_p())))

    def recorded(self) -> bytes:
        place = ctypes.c_void_p()
        count = self.library.shim_recorded(ctypes.byref(place))
        return ctypes.string_at(place, count) if count else b""


def in_server(module: str) -> Callable[[int, int], Outcome]:
    """A `run_chunk` that runs the module's `chunk` in a process with the shim."""

    def run_chunk(seed: int, index: int) -> Outcome:
        server = _servers.get(module)
        if server is None or server.poll() is not None:
            server = _servers[module] = _start(module)
        assert server.stdin is not None and server.stdout is not None
        server.stdin.write(f"{seed} {index}\n")
        server.stdin.flush()
        line = server.stdout.readline()
        if not line:
            size = importlib.import_module(f"campaigns.{module}").CHUNK
            return Outcome(size, {}, [Failure(index * size, f"the process that ran it ended: {server.wait()}")])
        told = json.loads(line)
        return Outcome(told["cases"], told["tallies"], [Failure(*failure) for failure in told["failures"]])

    return run_chunk


def reproduced(cases: str, run_chunk: Callable[[int, int], Outcome], seed: int, index: int, size: int) -> str:
    """What comes of a whole chunk run again, in a line: its cases follow one on the other."""
    told = "; ".join(f"{failure.number}: {failure.reason}" for failure in run_chunk(seed, index).failures)
    return f"{cases} {index * size}..{index * size + size - 1} of seed {seed}: {told or 'it holds'}"


def _start(module: str) -> subprocess.Popen[str]:
    shim = str(built(SOURCE, FLAGS, ".so"))
    environment = {**os.environ, "LD_PRELOAD": shim, "NEURALTRADE_SHIM": shim}
    command = [sys.executable, str(HERE / "disk.py"), module]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True)
    atexit.register(_stop, server)
    return server


def _stop(server: subprocess.Popen[str]) -> None:
    assert server.stdin is not None and server.stdout is not None
    server.stdin.close()
    server.wait()
    server.stdout.close()


def serve(module: Any) -> None:
    answers = os.fdopen(os.dup(1), "w")
    logging.disable(logging.ERROR)  # what is broken on purpose is not news
    os.dup2(2, 1)  # nothing else may come between the answers
    for line in sys.stdin:
        outcome = module.chunk(*map(int, line.split()))
        failures = [[failure.number, failure.reason] for failure in outcome.failures]
        answers.write(json.dumps({"cases": outcome.cases, "tallies": outcome.tallies, "failures": failures}) + "\n")
        answers.flush()


if __name__ == "__main__":
    serve(importlib.import_module(f"campaigns.{sys.argv[1]}"))
