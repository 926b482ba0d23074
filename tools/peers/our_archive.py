"""Row P17: an archived backtest of about 10 MB read back from the cold tier, beside reading its file bare.

Each read is of an archive opened anew: marker, catalogue, object, checksums, the result rebuilt. "First byte" is what a
caller waits for: nothing of an object is returned before all of it was checked.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import zstandard

import neuraltrade as nt

import inputs
import ours
import timing

STORED_BYTES = 10_000_000


def archived(rows: int) -> nt.Result:
    """A run over so many minute bars, each column of it incompressible enough to be honest."""
    return nt.backtest(ours.bars_of(inputs.minute_bars(rows)), nt.strategy.library.Momentum, cash=100_000.0)


def read_back(times: int) -> dict[str, Any]:
    """Seconds of a read, and what was read: {"ours", "bare", "stored_bytes", "bytes", "same"}."""
    rows, entry = 200_000, None
    with tempfile.TemporaryDirectory() as folder:
        while entry is None or entry.stored_bytes < STORED_BYTES:
            run = archived(rows)
            with nt.Archive.open(folder) as cold:
                entry = cold.entry(cold.put("run", run))
                path = Path(cold.where(entry.id))
            rows = rows * 5 // 4

        def ours_reads() -> nt.Result:
            with nt.Archive.open(folder, read_only=True) as cold:
                return cold.get(entry.id)

        timed = timing.repeat(ours_reads, times)
        bare = timing.repeat(lambda: zstandard.ZstdDecompressor().decompress(path.read_bytes()), times)
        same = ours_reads().digest == run.digest
    return {"ours": timed, "bare": bare, "stored_bytes": entry.stored_bytes, "bytes": entry.bytes, "same": same}


def row(rows: int, times: int) -> dict[str, Any]:
    """The row of the table."""
    del rows
    found = read_back(times)
    mine, bare = found["ours"]["median_s"], found["bare"]["median_s"]
    return {
        "row": "P17",
        "work": f"an archived backtest, {found['stored_bytes'] / 1e6:.1f} MB under zstd, {found['bytes'] / 1e6:.1f} MB",
        "ours": f"{mine * 1e3:.0f} ms from opening the archive to the nt.Result, every byte checked first",
        "peer": f"reading and unpacking the file bare: {bare * 1e3:.0f} ms",
        "ratio": f"{bare / mine:.2f}x",
        "accuracy": "equal digest" if found["same"] else "DIGESTS DIFFER",
        "detail": found,
    }
