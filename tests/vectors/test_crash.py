"""SIGKILL a writer at random moments, over and over on one store: what it acknowledged is there, nothing else is, and
every bit is right.

NEURALTRADE_CRASH_ROUNDS sets the count. `tools/campaign.py kills` is the long search; this needs no shim.
"""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from crash_child import OPTIONS, SPECS, vector_of

from neuraltrade.core import quant
from neuraltrade.vectors import Store

ROUNDS = int(os.environ.get("NEURALTRADE_CRASH_ROUNDS", "12"))
HERE = Path(__file__).parent


@pytest.fixture
def server():
    """crash_child.py with everything imported, forking a writer on demand."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])}
    command = [sys.executable, str(HERE / "crash_child.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        yield process
        process.stdin.close()
        assert process.wait() == 0


def run_until_killed(server: subprocess.Popen, path: Path, seed: int, lines_until_kill: int) -> list[str]:
    """The writer's acknowledgements; it is killed once it has printed so many lines, wherever it is then."""
    server.stdin.write(f"{path}\t{seed}\n".encode())
    server.stdin.flush()
    pid = int(server.stdout.readline().removeprefix(b"pid "))
    lines, line = [], b""
    for line in iter(server.stdout.readline, b""):
        if line.startswith(b"ended"):
            break
        lines.append(line)
        if len(lines) == lines_until_kill:
            os.kill(pid, signal.SIGKILL)  # what it prints until then is still read
    assert line == b"ended -9\n", f"the writer ended by itself: {line}"
    return [line.decode().rstrip("\n") for line in lines]


class Expected:
    """What the acknowledgements say must be there; `doubtful` is what was under way when the child died."""

    def __init__(self) -> None:
        self.rows: dict[int, tuple[str, int, int]] = {}  # id -> collection, known_ns, score
        self.doubtful: list[str] = []
        self.highest = 0

    def read(self, lines: list[str]) -> None:
        self.doubtful = []
        for line in lines:
            word, *rest = line.split()
            if word == "add":
                for id_ in map(int, rest[1:]):
                    assert id_ > self.highest, "ids must increase"
                    self.highest = id_
                    self.rows[id_] = (rest[0], id_, 0)
            elif word == "updated":
                id_, known, score = map(int, rest)
                self.rows[id_] = ("things", known, score)
            elif word == "deleted":
                del self.rows[int(rest[0])]
        if lines and lines[-1].split()[0] in ("updating", "deleting"):
            self.doubtful = lines[-1].split()

    def settle(self, found: dict[int, tuple[str, int, int]]) -> None:
        """Accept that the last operation may have reached the log before its acknowledgement was printed."""
        if self.doubtful:
            id_ = int(self.doubtful[1])
            if self.doubtful[0] == "deleting" and id_ not in found:
                del self.rows[id_]
            elif self.doubtful[0] == "updating" and found.get(id_) == ("things", *map(int, self.doubtful[2:])):
                self.rows[id_] = found[id_]
        beyond = {id_: row for id_, row in found.items() if id_ > self.highest}
        assert len(beyond) < 12, "more than one add was not acknowledged"
        assert sorted(beyond) == list(range(self.highest + 1, self.highest + 1 + len(beyond))), (
            "an add came back in part"
        )
        assert {row[0] for row in beyond.values()} <= {"things", "quiet"} and all(
            row[2] == 0 for row in beyond.values()
        )
        self.rows.update(beyond)
        self.highest += len(beyond)


def content(store: Store) -> dict[int, tuple[str, int, int]]:
    return {
        one["id"]: (name, one["known_ns"], one["score"])
        for name, collection in store.collections.items()
        for one in collection.range(limit=None)
    }


def check_vectors(store: Store) -> None:
    """Every stored vector is that of its id, and a search finds it at distance 0."""
    things = store.collections["things"]
    for block in things.state.blocks():
        if not block.count:
            continue
        codes, inverse_norm = quant.quantize(np.stack([vector_of(id_) for id_ in block.ids.tolist()]))
        np.testing.assert_array_equal(block.codes, codes)
        np.testing.assert_array_equal(block.inverse_norm, inverse_norm)
    for id_ in things.range(limit=None).ids[::97].tolist():
        assert things.search(vector_of(id_), 1, exact=True).ids.tolist() == [id_]


def test_what_was_acknowledged_survives_kill_9(tmp_path, server):
    pick = random.Random(20_261_123)
    path, expected, sealed = tmp_path / "s", Expected(), 0
    for round_ in range(ROUNDS):
        expected.read(run_until_killed(server, path, round_, pick.choice([1, 2, 5, 20, 60, pick.randint(1, 150)])))
        with Store(path, SPECS, read_only=True, **OPTIONS) as store:
            found = content(store)
            expected.settle(found)
            assert found == expected.rows
        if round_ % 10 == 9 or round_ == ROUNDS - 1:
            with Store(path, SPECS, **OPTIONS) as store:
                store.verify()
                assert content(store) == expected.rows
                check_vectors(store)
                store.optimize()
                assert content(store) == expected.rows
                check_vectors(store)
                sealed += store.stats()["built_segments"]
    assert len(expected.rows) > 20 * ROUNDS // 2 and sealed > 0
