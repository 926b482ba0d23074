"""What a store must hold, worked out from what it was told: plain dictionaries, no file, no vector arithmetic.

An operation is a tuple; `records` cuts it into what the store may keep or lose as one; `Model.apply` does one of them.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import neuraltrade as nt
from neuraltrade.core import quant
from neuraltrade.vectors import CollectionSpec, Field, Store
from neuraltrade.vectors.cold import demote

SPECS = [
    CollectionSpec(
        name="things", dimension=64, connectivity=4, expansion=16, fields=(Field("score", "int"), Field("word", "text"))
    ),
    CollectionSpec(name="quiet", dimension=64, fields=(Field("score", "int"), Field("word", "text"))),
]
SEAL_ROWS = 24
ARCHIVE = "archive"
OPTIONS: dict[str, Any] = {"seal_rows": SEAL_ROWS, "graph_rows": 60, "merge_factor": 2}
VECTORS = np.random.default_rng(7).standard_normal((8_192, 64)).astype(np.float32)
LATEST = 2**62
Operation = tuple[Any, ...]
View = dict[str, dict[int, tuple[int, int]]]  # collection -> id -> known_ns, score
WEIGHTS = {"add": 50, "load": 4, "update": 16, "delete": 4, "retain": 3, "flush": 6, "optimize": 4, "wait": 4,
           "backup": 3, "demote": 3, "reopen": 4, "verify": 2}  # fmt: skip


class Model:
    """Every version of every row that is not deleted."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[int, list[tuple[int, int]]]] = {spec.name: {} for spec in SPECS}
        self.next_id = 1

    def copy(self) -> Model:
        return copy.deepcopy(self)

    def apply(self, record: Operation) -> None:
        kind, *rest = record
        if kind == "add":
            name, count = rest
            for id_ in range(self.next_id, self.next_id + count):
                self.rows[name][id_] = [(id_, 0)]
            self.next_id += count
        elif kind == "update":
            id_, known, score = rest
            self.rows["things"][id_].append((known, score))
        elif kind == "delete":
            for id_ in rest[0]:
                del self.rows["things"][id_]
        elif kind == "retain":
            for id_ in sorted(self.rows["things"])[: -rest[0]]:  # ts_ns is the id
                del self.rows["things"][id_]

    def view(self, as_of: int = LATEST) -> View:
        """What a reader sees as of then: of versions known by then the newest, among equals the last."""
        seen: View = {}
        for name, rows in self.rows.items():
            known = {id_: [one for one in versions if one[0] <= as_of] for id_, versions in rows.items()}
            seen[name] = {id_: max(enumerate(versions), key=lambda one: (one[1][0], one[0]))[1]
                          for id_, versions in known.items() if versions}  # fmt: skip
        return seen


def choose(rng: np.random.Generator, model: Model, backups: int = 0) -> Operation:
    """The next operation."""
    things = model.rows["things"]
    names = list(WEIGHTS)
    weights = np.array(list(WEIGHTS.values()), float)
    kind = names[int(rng.choice(len(names), p=weights / weights.sum()))]
    if kind in ("update", "delete", "retain") and len(things) < 8:
        kind = "add"
    if kind == "add":
        return ("add", "quiet" if rng.random() < 0.1 else "things", int(rng.integers(1, 12)))
    if kind == "load":
        return ("add", "things", int(rng.integers(25, 70)))
    ids = sorted(things)
    if kind == "update":
        id_ = ids[int(rng.integers(len(ids)))]
        return ("update", id_, things[id_][-1][0] + int(rng.integers(0, 5)), int(rng.integers(1, 10**9)))
    if kind == "delete":
        return ("delete", sorted(int(one) for one in rng.choice(ids, int(rng.integers(1, 4)), replace=False)))
    if kind in ("retain", "demote"):  # so many newest rows; everything before that time
        least, most = (max(1, len(ids) - 10), len(ids)) if kind == "retain" else (1, model.next_id)
        return (kind, int(rng.integers(least, most + 1)))
    return ("backup", backups) if kind == "backup" else (kind,)


def records(operation: Operation) -> list[Operation]:
    """The records that the log has of it, each of which it keeps whole or not at all."""
    if operation[0] == "add":
        _, name, count = operation
        return [("add", name, min(SEAL_ROWS, count - start)) for start in range(0, count, SEAL_ROWS)]
    return [operation] if operation[0] in ("update", "delete", "retain") else []


def states(model: Model, operation: Operation) -> Iterator[Model]:
    """The model, and as it is after each record of the operation."""
    yield model
    for record in records(operation):
        model = model.copy()
        model.apply(record)
        yield model


def opened(path: Path, **options: Any) -> Store:
    """The store, its old segments in an archive beside it."""
    return Store(path, SPECS, archive=nt.Archive.open(path.parent / ARCHIVE), **OPTIONS, **options)


def perform(store: Store, operation: Operation, base: Path) -> Store:
    """Do it; returns the store, which a reopening replaces."""
    kind, *rest = operation
    things = store.collections["things"]
    if kind == "add":
        name, count = rest
        ids = np.arange(store.next_id, store.next_id + count)
        words = [word_of(id_) for id_ in ids.tolist()]
        payload = [payload_of(id_) for id_ in ids.tolist()]
        given = store.collections[name].add(VECTORS[ids], ts_ns=ids, score=0, word=words, payload=payload)
        assert given.tolist() == ids.tolist()
    elif kind == "update":
        id_, known, score = rest
        things.update(id_, known_ns=known, score=score)
    elif kind == "delete":
        assert things.delete(rest[0]) == len(rest[0])
    elif kind == "retain":
        things.retain(max_rows=rest[0])
    elif kind == "flush":
        store.flush()
    elif kind == "optimize":
        store.optimize()
    elif kind == "wait":
        assert store._builder is not None
        store._builder.wait()
    elif kind == "backup":
        store.backup(base / f"backup-{rest[0]}")
    elif kind == "demote":
        demote(store, things, rest[0])
    elif kind == "verify":
        store.verify()
    elif kind == "reopen":
        store.close()
        return opened(store.path)
    return store


def word_of(id_: int) -> str:
    return f"w{id_ % 7}"


def payload_of(id_: int) -> bytes:
    return id_.to_bytes(2, "little") * (id_ % 5)


def view_of(store: Store, as_of: int = LATEST) -> View:
    """What the store says, as `Model.view` has it."""
    seen = {}
    for name, collection in store.collections.items():
        rows = collection.range(limit=None, as_of=as_of)
        columns = (rows.ids.tolist(), rows.known_ns.tolist(), rows.column("score").tolist())
        seen[name] = {id_: (known, score) for id_, known, score in zip(*columns, strict=True)}
    return seen


def differences(store: Store, model: Model, rng: np.random.Generator) -> str:
    """Where the store is not what the model says, in every bit of every version; "" where it is."""
    if store.next_id != model.next_id:
        return f"the next id is {store.next_id}, not {model.next_id}"
    for as_of in (LATEST, int(rng.integers(0, model.next_id + 20))):
        if view_of(store, as_of) != model.view(as_of):
            return f"as of {as_of}, the store does not hold what it should"
    for name, collection in store.collections.items():
        for block in collection.state.blocks():
            if not block.count:
                continue
            codes, inverse_norm = quant.quantize(VECTORS[block.ids.astype(np.int64)])
            if not (np.array_equal(codes, block.codes) and np.array_equal(inverse_norm, block.inverse_norm)):
                return f"{name}: a vector is not the one that was added"
            row = int(rng.integers(block.count))
            id_ = int(block.ids[row])
            if block.payload(row) != payload_of(id_) or block.value("word", row) != word_of(id_):
                return f"{name}: payload or text of id {id_} is not the one that was added"
    ids = sorted(model.rows["things"])
    if ids:
        id_ = ids[int(rng.integers(len(ids)))]
        hits = store.collections["things"].search(VECTORS[id_], 1, exact=True)
        if hits.ids.tolist() != [id_]:
            return f"a search for the vector of id {id_} finds {hits.ids.tolist()}"
    return ""
