"""The slow obvious collection: every version of every row in lists, every question answered by comparing all of
them.
"""

from __future__ import annotations

import math
import operator as op
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from neuraltrade.core import quant
from neuraltrade.vectors import Filter

FOREVER = 2**63 - 1


@dataclass
class Version:
    id: int
    ts_ns: int
    known_ns: int
    codes: np.ndarray
    inverse_norm: np.float32
    fields: dict[str, Any]
    payload: bytes


@dataclass
class Model:
    """Versions in order of arrival; `deleted` ids never answer again."""

    dimension: int
    versions: list[Version] = field(default_factory=list)
    deleted: set[int] = field(default_factory=set)
    next_id: int = 1

    def add(
        self, vectors: np.ndarray, ts_ns: list[int], known_ns: list[int], payload: list[bytes], **fields: list[Any]
    ) -> list[int]:
        ids = []
        codes, norms = quant.quantize(vectors)
        for row in range(len(vectors)):
            columns = {name: values[row] for name, values in fields.items()}
            self.versions.append(
                Version(self.next_id, ts_ns[row], known_ns[row], codes[row], norms[row], columns, payload[row])
            )
            ids.append(self.next_id)
            self.next_id += 1
        return ids

    def update(self, id_: int, known_ns: int, **fields: Any) -> None:
        old = self.visible(FOREVER - 1)[id_]
        self.versions.append(replace(old, known_ns=known_ns, fields={**old.fields, **fields}))

    def delete(self, id_: int) -> None:
        self.deleted.add(id_)

    def visible(self, as_of: int | None) -> dict[int, Version]:
        """The newest version of each id known by then: among equals the one that arrived last."""
        newest: dict[int, Version] = {}
        for version in self.versions:
            if version.id not in self.deleted and version.known_ns <= (FOREVER - 1 if as_of is None else as_of):
                held = newest.get(version.id)
                if held is None or version.known_ns >= held.known_ns:
                    newest[version.id] = version
        return newest

    def matching(self, where: Filter | None, start: int | None, end: int | None, as_of: int | None) -> list[Version]:
        found = [
            version
            for version in self.visible(as_of).values()
            if (start is None or version.ts_ns >= start) and (end is None or version.ts_ns < end)
            and (where is None or holds(where, version))
        ]  # fmt: skip
        return sorted(found, key=lambda version: (version.ts_ns, version.id))

    def search(self, vector: np.ndarray, k: int, **scope: Any) -> list[tuple[int, float]]:
        codes, norm = quant.quantize(vector)
        near = []
        for version in self.matching(scope.get("where"), scope.get("start"), scope.get("end"), scope.get("as_of")):
            dot = np.float32(int(version.codes.astype(np.int64) @ codes.astype(np.int64)))
            distance = quant.distances(version.codes[None, :], version.inverse_norm[None], codes, norm)[0]
            assert abs(float(distance) - (1.0 - float(dot) * float(version.inverse_norm) * float(norm))) < 1e-5
            near.append((float(distance), version.id))
        return [(id_, max(distance, 0.0)) for distance, id_ in sorted(near)[:k]]


def holds(where: Filter, version: Version) -> bool:
    if where.op == "not_":
        return not holds(where.parts[0], version)
    if where.op in ("and_", "or_"):
        return (all if where.op == "and_" else any)(holds(part, version) for part in where.parts)
    fixed = {"id": version.id, "ts_ns": version.ts_ns, "known_ns": version.known_ns}
    value = fixed[where.field] if where.field in fixed else version.fields[where.field]
    if where.op == "in_":
        return value in where.value
    if isinstance(value, float) and math.isnan(value):
        return where.op == "ne"
    compare = {"eq": op.eq, "ne": op.ne, "gt": op.gt, "gte": op.ge, "lt": op.lt, "lte": op.le}
    return compare[where.op](value, where.value)
