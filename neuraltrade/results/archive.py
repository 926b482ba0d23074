"""`nt.Archive`: the cold tier with results among what it keeps."""

from __future__ import annotations

from typing import Any, ClassVar

from ..memory.archive import ObjectArchive
from ..memory.archive_kinds import BYTES, TABLE, Kind
from . import container, storage
from .result import Result


class ResultKind:
    """An nt.Result in the format of `result.save`."""

    name, suffix, packed = "result", "result.zst", True

    def takes(self, content: Any) -> bool:
        """Whether it is a result."""
        return isinstance(content, Result)

    def encode(self, content: Any) -> bytes:
        """The bytes that `save` would write."""
        return b"".join(container.pieces(*storage.parts(content)))

    def decode(self, body: bytes) -> Result:
        """The result again, with equal digest."""
        return storage.whole(Result, *container.parse(body, "archive"))


class Archive(ObjectArchive):
    """What is kept for good (L3): bytes, tables and results, compressed, addressed by content, in a folder or at any
    URL that fsspec opens. Open with `Archive.open`; close it, or use it as a context manager.

    Every read is checked whole against the id, which is a BLAKE3 of kind and content, before any of it is returned.
    Tables lie there as Parquet (`where` gives the path), so DuckDB, polars and pandas read them in place. Several
    processes may write at once; any thread may call anything. Needs the extra `cold`.

    >>> import tempfile
    >>> import neuraltrade as nt
    >>> with tempfile.TemporaryDirectory() as folder, nt.Archive.open(folder + "/cold") as cold:
    ...     id_ = cold.put("models/first", b"weights")
    ...     run = nt.backtest(nt.datasets.load("AAPL")[:300], nt.strategy.library.Momentum)
    ...     kept = cold.put("runs/momentum", run)
    ...     names = [entry.name for entry in cold.list()]
    ...     same = cold.get(kept).digest == run.digest
    ...     cold.get(id_), names, same
    (b'weights', ['models/first', 'runs/momentum'], True)
    """

    kinds: ClassVar[tuple[Kind, ...]] = (BYTES, TABLE, ResultKind())
