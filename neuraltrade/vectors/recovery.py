"""Opening a store: the manifest, the segments it names, then the log over them.

Replay goes through the same code as live writes. It may meet marks that are already there (the manifest was written
after the update or delete that the log still holds), so everything here can be repeated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import FormatTooNew, InputError, LogCorrupt
from . import log as wal_log
from .block import BANISHED, Block
from .change import find_current
from .cold import Fetcher, open_segment
from .files import LOCK, MANIFEST, CollectionEntry, Manifest, read_manifest
from .segment import Segment
from .spec import DTYPES, Batch, CollectionSpec
from .tail import Tail

if TYPE_CHECKING:
    from .collection import Collection


def read_store(
    path: Path, specs: Iterable[CollectionSpec], fetcher: Fetcher
) -> tuple[Manifest, dict[str, list[Segment]], wal_log.Replay]:
    """The checked manifest, its segments, and the log to be replayed. Raises LogCorrupt, FormatTooNew, InputError."""
    manifest = read_manifest(path)
    _match_specs(path, manifest, specs)
    segments = {
        name: [open_segment(path, entry.spec, segment, fetcher) for segment in entry.segments]
        for name, entry in manifest.collections.items()
    }
    return manifest, segments, wal_log.Replay(path, manifest.store, manifest.wal_first)


def replay(
    store_collections: Mapping[str, Collection], manifest: Manifest, records: wal_log.Replay, seal_rows: int
) -> int:
    """Bring the log's rows into tails; returns the next free id."""
    next_id = manifest.next_id
    file_now = -1
    for number, kind, record in records:
        collection = store_collections.get(record.collection)
        if collection is None:
            raise LogCorrupt(
                f"log file {number}: a record of collection {record.collection!r}, which the manifest does not have"
            )
        if isinstance(record, wal_log.Rows):
            ids = np.frombuffer(record.ids, "<u8")
            next_id = max(next_id, int(ids.max()) + 1 if len(ids) else 1)
        if number < manifest.collections[record.collection].wal_start:
            continue
        if number != file_now:
            file_now = number
            for one in store_collections.values():
                _cut(one, number, seal_rows)
        if isinstance(record, wal_log.Rows):
            batch = batch_of(record, collection.spec, number)
            if kind == wal_log.UPDATE:
                _apply_update(collection, batch)
            else:
                collection.state.tail.append(batch)
        else:
            collection.apply_delete(np.frombuffer(record.ids, "<u8"))
    return next_id


def batch_of(rows: wal_log.Rows, spec: CollectionSpec, number: int) -> Batch:
    """The batch of a logged record. A field younger than the record reads as its default."""
    dtypes = {field.name: DTYPES[field.kind] for field in spec.fields if field.kind != "text"}
    try:
        return wal_log.batch_of(rows, spec, dtypes)
    except ValueError as error:
        raise LogCorrupt(f"log file {number}: a record of {spec.name} does not hold what it says: {error}") from error


def remove_leftovers(path: Path, manifest: Manifest) -> None:
    """Remove what no manifest names: files of a build that was killed, and segments that were merged."""
    named = {LOCK, MANIFEST}
    for entry in manifest.collections.values():
        for segment in entry.segments:
            named |= {one.file for one in segment.files}
    for file in path.iterdir():
        ours = ".seg" in file.name or ".graph" in file.name or ".until-" in file.name or file.name == MANIFEST + ".tmp"
        if ours and file.name not in named:
            file.unlink(missing_ok=True)


def _cut(collection: Collection, number: int, seal_rows: int) -> None:
    """At the boundary of a log file, a full tail is set aside as it was when it was frozen; an empty one begins
    here.
    """
    state = collection.state
    if state.tail.count >= seal_rows:
        frozen = (*state.frozen, state.tail)
        fresh = Tail(collection.spec, f"{collection.name}-tail-{number}", number)
        collection.state = state._replace(frozen=frozen, tail=fresh)
    elif state.tail.count == 0:
        state.tail.wal_start = number


def _apply_update(collection: Collection, batch: Batch) -> None:
    """Mark the row each id had, where it still is, and append the new version."""
    blocks, owners = collection.state.blocks(), collection.state.owners()
    for id_, known in zip(batch.ids.tolist(), batch.known_ns.tolist(), strict=True):
        place = find_current(blocks, id_) or _find_newest(blocks, id_)
        if place is not None:
            owners[place[0]].mark(place[1], known)
    collection.state.tail.append(batch)


def _find_newest(blocks: list[Block], id_: int) -> tuple[int, int] | None:
    for j in range(len(blocks) - 1, -1, -1):
        for row in reversed(blocks[j].find(id_)):
            if blocks[j].until_ns[row] != BANISHED:
                return j, row
    return None


def _match_specs(path: Path, manifest: Manifest, specs: Iterable[CollectionSpec]) -> None:
    """Take over new fields and parameters; refuse what would read the stored vectors wrongly."""
    for spec in specs:
        held = manifest.collections.get(spec.name)
        if held is None:
            manifest.collections[spec.name] = CollectionEntry(spec, manifest.wal_first)
            continue
        if held.spec.dimension != spec.dimension:
            raise InputError(
                f"{path}: {spec.name} holds vectors of dimension {held.spec.dimension}, expected {spec.dimension}"
            )
        kinds = {field.name: field.kind for field in held.spec.fields}
        for field in spec.fields:
            if kinds.pop(field.name, field.kind) != field.kind:
                raise InputError(
                    f"{path}: field {field.name} of {spec.name} is stored as another kind than {field.kind}"
                )
        if kinds:
            raise FormatTooNew(
                f"{path}: {spec.name} has fields this version does not know: {', '.join(kinds)}; upgrade neuraltrade"
            )
        held.spec = spec
