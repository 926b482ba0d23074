"""The arrays of a segment's file, as its footer says they lie: each checked before anything is read through it.

The manifest's checksum has told damage already. What is checked here is that content which checks leads no reader out
of bounds: types and shapes, rows that indexes name, codes of texts, places of payloads. One pass over each, at opening.
"""

from __future__ import annotations

import mmap
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import LogCorrupt
from .spec import DTYPES, CollectionSpec

Entry = tuple[int, str, list[int]]  # offset, dtype, shape


def arrays_of(
    mapping: mmap.mmap | memoryview,
    table: Mapping[str, Entry],
    vocabulary: Mapping[str, list[str]],
    spec: CollectionSpec,
    rows: int,
) -> dict[str, np.ndarray]:
    """name -> array over the mapping. Raises LogCorrupt, naming the array."""
    wanted = _expected(spec, rows)
    arrays: dict[str, np.ndarray] = {}
    for name, (offset, dtype, shape) in table.items():
        told = wanted.get(name)
        if told is not None and (dtype, shape) != told:
            raise LogCorrupt(f"array {name} is {dtype}{shape}, expected {told[0]}{told[1]}")
        try:
            array: Any = np.frombuffer(mapping, dtype, count=int(np.prod(shape)), offset=offset).reshape(shape)
        except (ValueError, TypeError, OverflowError) as error:
            raise LogCorrupt(f"array {name} does not lie in the file: {error}") from error
        arrays[name] = array
    missing = [name for name in (*wanted, "payload.bytes") if name not in arrays and not name.startswith("field.")]
    missing = [name for name in missing if name[6:] not in _names(spec)]  # the index of a field that came later
    if missing:
        raise LogCorrupt(f"array {missing[0]} is missing")
    _check_values(arrays, vocabulary, spec, rows)
    return arrays


def _names(spec: CollectionSpec) -> set[str]:
    return {field.name for field in spec.fields}


def _expected(spec: CollectionSpec, rows: int) -> dict[str, tuple[str, list[int]]]:
    """dtype and shape of each array but payload.bytes, whose length is its own."""
    wanted: dict[str, tuple[str, list[int]]] = {
        "codes": ("|i1", [rows, spec.dimension]), "inverse_norm": ("<f4", [rows]),
        "signs": ("<u8", [rows, spec.dimension // 64]), "ids": ("<u8", [rows]), "ts_ns": ("<i8", [rows]),
        "known_ns": ("<i8", [rows]), "payload.offsets": ("<u8", [rows + 1]), "index.id": ("<u4", [rows]),
        "index.ts_ns": ("<u4", [rows]),
    }  # fmt: skip
    for field in spec.fields:
        wanted["field." + field.name] = ("<u4" if field.kind == "text" else DTYPES[field.kind].str, [rows])
        if field.indexed:
            wanted["index." + field.name] = ("<u4", [rows])
    return wanted


def _check_values(
    arrays: Mapping[str, np.ndarray], vocabulary: Mapping[str, list[str]], spec: CollectionSpec, rows: int
) -> None:
    for name, array in arrays.items():
        if name.startswith("index.") and rows and int(array.max()) >= rows:
            raise LogCorrupt(f"array {name} names row {array.max()} of {rows}")
    for field in spec.fields:
        column = arrays.get("field." + field.name)
        if field.kind == "text" and column is not None and rows:
            known = len(vocabulary.get(field.name, [""]))
            if int(column.max()) >= known:
                raise LogCorrupt(f"field {field.name} names text {column.max()} of {known}")
    offsets, blob = arrays["payload.offsets"], arrays["payload.bytes"]
    if blob.dtype != np.uint8 or blob.ndim != 1:
        raise LogCorrupt(f"array payload.bytes is {blob.dtype}, expected uint8[n]")
    if int(offsets[0]) != 0 or int(offsets[-1]) != len(blob) or bool((offsets[1:] < offsets[:-1]).any()):
        raise LogCorrupt(f"array payload.offsets does not ascend from 0 to {len(blob)}")
    if bool((np.diff(arrays["known_ns"]) < 0).any()):
        raise LogCorrupt("array known_ns does not ascend")
