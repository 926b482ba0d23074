"""Updates: where the newest version of a row stands, and the whole row that replaces it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from ..errors import InputError
from .block import Block
from .spec import DTYPES, NEVER, Batch, CollectionSpec, Texts


def current_rows(name: str, blocks: Sequence[Block], ids: np.ndarray) -> list[tuple[int, int]]:
    """(block, row) of the newest version of each id. Raises InputError for the first id that is not there."""
    places = []
    for id_ in ids.tolist():
        place = find_current(blocks, id_)
        if place is None:
            raise InputError(f"id {id_} is not in {name}")
        places.append(place)
    return places


def find_current(blocks: Sequence[Block], id_: int) -> tuple[int, int] | None:
    """(block, row) of the newest version of an id, or None."""
    for j in range(len(blocks) - 1, -1, -1):
        for row in reversed(blocks[j].find(id_)):
            if blocks[j].until_ns[row] == NEVER:
                return j, row
    return None


def find_version(blocks: Sequence[Block], id_: int, as_of: int) -> tuple[Block, int] | None:
    """Block and row of the version of an id that `as_of` sees, or None."""
    for block in reversed(blocks):
        for row in block.find(id_):
            if row < block.count and int(block.value("known_ns", row)) <= as_of < block.until_ns[row]:
                return block, row
    return None


def replacement(
    spec: CollectionSpec,
    blocks: Sequence[Block],
    places: Sequence[tuple[int, int]],
    ids: np.ndarray,
    known: np.ndarray,
    vectors: tuple[np.ndarray, np.ndarray] | None,
    given: Collection[str],
    numbers: dict[str, np.ndarray],
    texts: dict[str, Texts],
    payload: list[bytes] | None,
) -> Batch:
    """The new versions: the rows at `places` with what was given put over them. Raises InputError if one comes too
    early.
    """
    before = np.array([blocks[block].known_ns[row] for block, row in places], np.int64)
    if bool((known < before).any()):
        row = int(np.argmax(known < before))
        raise InputError(
            f"known_ns must not be before that of the newest version: id {ids[row]} has {before[row]}, was {known[row]}"
        )
    count = len(places)
    for field in spec.fields:
        if field.name in given:
            continue
        held = [blocks[block].value(field.name, row) for block, row in places]
        if field.kind == "text":
            table: dict[str, int] = {}
            codes = [table.setdefault(str(text), len(table)) for text in held]
            texts[field.name] = Texts(list(table), np.array(codes, np.uint32).reshape(count))
        else:
            numbers[field.name] = np.array(held, DTYPES[field.kind]).reshape(count)
    if vectors is not None:
        codes_now, inverse_norm = vectors
    else:
        codes_now = np.array([blocks[block].codes[row] for block, row in places], np.int8).reshape(
            count, spec.dimension
        )
        inverse_norm = np.array([blocks[block].inverse_norm[row] for block, row in places], np.float32).reshape(count)
    bodies = payload if payload is not None else [blocks[block].payload(row) for block, row in places]
    ts_ns = np.array([blocks[block].ts_ns[row] for block, row in places], np.int64).reshape(count)
    return Batch(ids, ts_ns, known, codes_now, inverse_norm, numbers, texts, bodies)
