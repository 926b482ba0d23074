"""Threads: a store that is searched while it is written to, sealed, merged, backed up and closed; the core under TSan.

A round of Python threads: one writer, three readers, one that flushes, merges, verifies and copies, one that opens the
store read-only beside its owner; every second time a close comes amid all of it. A reader knows what was acknowledged
before it asked and what had been begun after it was answered: it must see all of the first, nothing beyond the second,
and each row whole. With each round the parts of the core that threads share (`race_core.c`) run under ThreadSanitizer.
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from neuraltrade.errors import NeuralTradeError, StoreClosed

from campaigns import Failure, Outcome, disk
from campaigns import store_model as stores
from campaigns.fuzz import CORE

VERSION = 1
UNIT = "rounds"
CHUNK = 2
CI_COUNT, FULL_COUNT = 4, 2_000
OPERATIONS = 60
READERS = 3
TSAN_ROUNDS = 3
SOURCES = ("nt_wal", "nt_wal_read", "nt_io", "nt_crc32c", "nt_graph", "nt_graph_file", "nt_quant_serial")


class Round:
    """One store and its threads. `acknowledged` and `begun` are ids; the writer alone changes them."""

    def __init__(self, path: Path, seed: tuple[int, ...]) -> None:
        self.path, self.seed = path, seed
        self.store = stores.opened(path)
        self.acknowledged = self.begun = 0
        self.deleted: set[int] = set()
        self.deleting: set[int] = set()
        self.ended = threading.Event()
        self.wrong: list[str] = []
        self.asked = self.opened = 0

    def guarded(self, work: Callable[[np.random.Generator], None], number: int) -> threading.Thread:
        def run() -> None:
            try:
                work(np.random.default_rng([*self.seed, number]))
            except StoreClosed:
                if not self.ended.is_set():
                    self.wrong.append("a call says that the store is closed, before it is")
            except Exception as error:  # noqa: BLE001  (whatever comes is what this looks for)
                self.wrong.append(f"{work.__name__}: {type(error).__name__}: {error}")
            finally:
                if number == 0:
                    self.ended.set()

        return threading.Thread(target=run)

    def writing(self, rng: np.random.Generator) -> None:
        things = self.store.collections["things"]
        for _ in range(OPERATIONS):
            pick = rng.random()
            if pick < 0.6 or self.acknowledged < 20:
                count = int(rng.integers(1, 40))
                self.begun = self.acknowledged + count
                stores.perform(self.store, ("add", "things", count), self.path.parent)
                self.acknowledged += count
                continue
            alive = [int(one) for one in rng.integers(1, self.acknowledged + 1, 6) if int(one) not in self.deleted]
            chosen = sorted(set(alive))[:2]
            if len(chosen) < 2:
                continue
            if pick < 0.9:
                score = int(rng.integers(1, 10**6))
                known = [int(things.get(id_)["known_ns"]) for id_ in chosen]
                things.update(np.array(chosen, np.uint64), known_ns=np.array(known), score=[score, score])
            else:
                self.deleting |= set(chosen)
                things.delete(chosen)
                self.deleted |= set(chosen)

    def reading(self, rng: np.random.Generator) -> None:
        things = self.store.collections["things"]
        while not self.ended.is_set():
            least, gone = self.acknowledged, set(self.deleted)
            pick = int(rng.integers(4))
            self.asked += 1
            if pick == 0:
                ids = things.range(limit=None).ids.tolist()
            elif pick == 1 and least:
                id_ = int(rng.integers(1, least + 1))
                hits = things.search(stores.VECTORS[id_], 3, exact=bool(rng.random() < 0.5))
                if id_ not in self.deleting and (not len(hits) or hits.ids[0] != id_):
                    self.wrong.append(f"a search for id {id_} finds {hits.ids.tolist()}")
                if gone & set(hits.ids.tolist()):
                    self.wrong.append("a search finds what was deleted")
                continue
            elif pick == 2 and least:
                self.one_row(things, int(rng.integers(1, least + 1)), gone)
                continue
            else:
                count, most = things.count(), self.begun
                if not least - len(self.deleting) <= count <= most - len(gone):
                    self.wrong.append(f"{count} rows are counted, {least} were acknowledged, {most} begun")
                continue
            most, going = self.begun, set(self.deleting)
            if ids != sorted(ids) or len(set(ids)) != len(ids):
                self.wrong.append("range() gives a row twice, or not in order")
            if not set(range(1, least + 1)) - going <= set(ids) <= set(range(1, most + 1)) - gone:
                self.wrong.append("range() lacks what was acknowledged, or has what was not begun or is deleted")

    def one_row(self, things: Any, id_: int, gone: set[int]) -> None:
        try:
            row = things.get(id_)
        except StoreClosed:
            raise
        except NeuralTradeError as error:
            if id_ not in self.deleting:
                self.wrong.append(f"get({id_}): {error}")
            return
        if id_ in gone:
            self.wrong.append(f"get({id_}) gives what was deleted")
        if row["payload"] != stores.payload_of(id_) or row["word"] != stores.word_of(id_):
            self.wrong.append(f"get({id_}) mixes rows")

    def beside(self, rng: np.random.Generator) -> None:
        """Open it read-only, again and again, while the owner replaces what is read."""
        while not self.ended.is_set():
            least, gone = self.acknowledged, set(self.deleted)
            with stores.opened(self.path, read_only=True) as store:
                ids = set(store.collections["things"].range(limit=None).ids.tolist())
            most, going = self.begun, set(self.deleting)
            self.opened += 1
            if not set(range(1, least + 1)) - going <= ids <= set(range(1, most + 1)) - gone:
                self.wrong.append("opened beside its owner, it lacks what was acknowledged, or has what was not begun")

    def tending(self, rng: np.random.Generator) -> None:
        copies = 0
        while not self.ended.is_set():
            pick = int(rng.integers(4))
            if pick == 0:
                self.store.flush()
            elif pick == 1:
                self.store.optimize()
            elif pick == 2:
                self.store.verify()
            else:
                copies += 1
                self.store.backup(self.path.parent / f"copy-{copies}")
            self.ended.wait(0.002)

    def run(self) -> str:
        works = [self.writing, self.tending, self.beside, *[self.reading] * READERS]
        team = [self.guarded(work, number) for number, work in enumerate(works)]
        for thread in team:
            thread.start()
        if self.seed[-1] % 2:  # closed under their hands
            while self.acknowledged < 200 and not self.ended.is_set():
                self.ended.wait(0.001)
            self.ended.set()
            self.store.close()
        for thread in team:
            thread.join()
        self.store.close()
        if not self.wrong:
            with stores.opened(self.path) as store:
                ids = set(store.collections["things"].range(limit=None).ids.tolist())
                if not set(range(1, self.acknowledged + 1)) - self.deleting <= ids <= set(range(1, self.begun + 1)):
                    self.wrong.append("opened again, it does not hold what was acknowledged")
        return "; ".join(self.wrong[:3])


def under_tsan(seed: int, first: int, folder: Path) -> tuple[int, str]:
    """(rounds that ran, what went wrong). None where this kernel places memory so that ThreadSanitizer cannot start."""
    files = tuple(str(CORE / f"{name}.c") for name in SOURCES)
    flags = ("-g", "-fsanitize=thread", f"-I{CORE}", f"-DTREE_{disk.digest_of(CORE)}")
    program = disk.built(Path(__file__).parent / "race_core.c", flags, after=(*files, "-lpthread", "-lm"))
    command = [str(program), str(folder), str(seed), str(first), str(TSAN_ROUNDS)]
    environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    for prefix in ([], ["setarch", "--addr-no-randomize"]):
        done = subprocess.run([*prefix, *command], capture_output=True, text=True, env=environment, check=False)
        if "unexpected memory mapping" not in done.stderr:
            told = (done.stderr.strip().splitlines() or ["?"])[-2:]
            return TSAN_ROUNDS, "" if done.returncode == 0 else f"core: {told}"
    return 0, ""


def chunk(seed: int, index: int) -> Outcome:
    outcome = Outcome(CHUNK, {"questions": 0, "openings beside": 0, "rounds of the core under TSan": 0})
    for number in range(index * CHUNK, (index + 1) * CHUNK):
        with disk.scratch_folder() as base:
            made = Round(base / "store", (seed, number))
            told = made.run()
            rounds, wrong = under_tsan(seed, number * TSAN_ROUNDS, base)
            told = told or wrong
        outcome.tallies["rounds of the core under TSan"] += rounds
        outcome.tallies["questions"] += made.asked
        outcome.tallies["openings beside"] += made.opened
        if told:
            outcome.failures.append(Failure(number, told))
    return outcome


run_chunk = chunk


def reproduce(seed: int, number: int) -> str:
    """The same threads once more; their order is the machine's."""
    told = {failure.number: failure.reason for failure in chunk(seed, number // CHUNK).failures}.get(number)
    return f"round {number} of seed {seed}: {told or 'it holds'}"
