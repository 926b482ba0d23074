"""A writer that is killed: adds, updates and deletes at random, seals and merges often, and prints each
acknowledgement.

Usage: crash_child.py PATH SEED. The lines printed are what the parent may rely on.
       crash_child.py           Each line `PATH<tab>SEED` on stdin forks such a writer, which tells its pid first; once
                                it is dead, `ended STATUS` follows. Importing anew for each takes twice as long.
"""

import os
import sys

import numpy as np

from neuraltrade.vectors import CollectionSpec, Field, Store

SPECS = [
    CollectionSpec(name="things", dimension=64, connectivity=4, expansion=16, fields=(Field("score", "int"),)),
    CollectionSpec(name="quiet", dimension=64, fields=(Field("score", "int"),)),
]
OPTIONS = {"seal_rows": 24, "graph_rows": 60, "merge_factor": 2}


def vector_of(id_: int) -> np.ndarray:
    """The vector of an id: every bit of a recovered row can be checked."""
    return np.random.default_rng(id_).standard_normal(64).astype(np.float32)


def main(path: str, seed: int) -> None:
    rng = np.random.default_rng([seed, os.getpid()])
    with Store(path, SPECS, **OPTIONS) as store:
        things, quiet = store.collections["things"], store.collections["quiet"]
        say("open")
        while True:
            pick = rng.random()
            if pick < 0.7:
                count = int(rng.integers(1, 12))
                first = store.next_id
                vectors = np.stack([vector_of(first + j) for j in range(count)])
                collection = quiet if rng.random() < 0.05 else things
                ids = collection.add(vectors, ts_ns=np.arange(first, first + count), score=0)
                say(f"add {collection.name} " + " ".join(map(str, ids.tolist())))
            elif pick < 0.9 and len(things):
                id_ = int(rng.choice(things.range(limit=None).ids))
                score = int(rng.integers(1, 10**9))
                known = int(things.get(id_)["known_ns"]) + 1
                say(f"updating {id_} {known} {score}")
                things.update(id_, known_ns=known, score=score)
                say(f"updated {id_} {known} {score}")
            elif pick < 0.95 and len(things) > 50:
                id_ = int(rng.choice(things.range(limit=None).ids))
                say(f"deleting {id_}")
                things.delete(id_)
                say(f"deleted {id_}")
            elif pick < 0.97:
                store.flush()


def serve() -> None:
    for line in sys.stdin:
        path, seed = line.rstrip("\n").split("\t")
        child = os.fork()
        if child == 0:
            say(f"pid {os.getpid()}")
            main(path, int(seed))
        say(f"ended {os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}")


def say(text: str) -> None:
    os.write(1, (text + "\n").encode())


if __name__ == "__main__":
    if len(sys.argv) == 3:
        main(sys.argv[1], int(sys.argv[2]))
    else:
        serve()
