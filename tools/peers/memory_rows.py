"""The rows of `compare_peers.py memory`: P7 to P14 of one store, beside three peers on the same vectors."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import environments

Row = dict[str, Any]
OURS_EXPANSIONS = [16, 24, 32, 48, 64, 96, 128, 192, 256, 384]
EXPANSIONS = "16,32,64,96,128,192,256,384"
PEERS = {"usearch": "with_usearch.py", "hnswlib": "with_hnswlib.py", "faiss": "with_faiss.py"}
RESIDENT = {"observations": 1.0, "signals": 0.1, "orders": 0.1, "traces": 0.01}
RECALL = 0.98
PACE = 50_000.0  # rows a second of P11


class Measured:
    """What the rows share: the inputs, and a store filled once."""

    def __init__(self, folder: Path, store: Path, times: int) -> None:
        self.folder, self.store, self.times = folder, store, times
        self._data: dict[str, Any] | None = None

    @property
    def data(self) -> dict[str, Any]:
        import inputs  # noqa: PLC0415

        if self._data is None:
            self._data = inputs.read(self.folder)
        return self._data

    @property
    def rows(self) -> int:
        return len(self.data["vectors"])

    def open(self) -> Any:
        import neuraltrade as nt  # noqa: PLC0415

        import our_memory  # noqa: PLC0415

        self.filled = our_memory.fill(self.store, self.data["vectors"]) or getattr(self, "filled", {})
        return nt.AgentDB.open(self.store, read_only=True, cache_queries=0)


def row(name: str, work: str, ours: str, accuracy: str, detail: Any, *, peer: str = "none", ratio: str = "") -> Row:
    columns = {"row": name, "work": work, "ours": ours, "peer": peer, "ratio": ratio, "accuracy": accuracy}
    return {**columns, "detail": detail}


def times_of(point: Row) -> str:
    return f"{point['p50_ms']:.3f} / {point['p99_ms']:.3f}"


def reaching(points: list[Row], recall: float) -> Row | None:
    """The fastest point that is at least as accurate, or None."""
    return min(
        (point for point in points if point["recall"] >= recall), key=lambda point: point["p50_ms"], default=None
    )


def nearest(measured: Measured) -> Row:
    import our_memory  # noqa: PLC0415

    with measured.open() as db:
        mine = our_memory.nearest(db, measured.data, OURS_EXPANSIONS)
    threads = str(len(os.sched_getaffinity(0)))
    peers, words, ratios = {}, [], []
    points = [mine, *mine["curve"]]
    for name, script in PEERS.items():
        print(f"  {name} ...", file=sys.stderr)
        peers[name] = environments.call(name, script, measured.folder, threads, EXPANSIONS)
        theirs = reaching(peers[name]["points"], RECALL) or max(peers[name]["points"], key=lambda one: one["recall"])
        equal = reaching(points, theirs["recall"]) or max(points, key=lambda one: one["recall"])
        words.append(
            f"{name} {peers[name]['version']} {theirs['recall']:.3f} at {times_of(theirs)}, batch "
            f"{theirs['queries_per_s']:,.0f}/s, built at {peers[name]['build_rows_per_s']:,.0f} rows/s"
        )
        ratios.append(f"{name} {theirs['p50_ms'] / equal['p50_ms']:.1f}x, {theirs['p99_ms'] / equal['p99_ms']:.1f}x")
    mine["filled"] = measured.filled
    return row(
        "P7", f"kNN k=10 in {measured.rows:,} x 512, one query at a time; p50 / p99 ms",
        f"{times_of(mine)}; search_many {mine['queries_per_s']:,.0f}/s; how: {mine['plan'][0]['how']}, "
        f"expansions {mine['expansions']}",
        f"recall@10 {mine['recall']:.4f} against float32 (codes scanned exactly: {mine['ceiling']:.4f})",
        {"ours": mine, "peers": peers}, peer="; ".join(words), ratio="p50, p99 at equal recall: " + "; ".join(ratios),
    )  # fmt: skip


def filtered(measured: Measured) -> Row:
    import our_memory  # noqa: PLC0415

    with measured.open() as db:
        found = our_memory.filtered(db, measured.data["queries"])
    least = min(one["recall"] for one in found.values())
    return row(
        "P8", f"filtered kNN, {our_memory.ASKED} different filters of each selectivity; p50 / p99 ms",
        "; ".join(f"{name}: {times_of(one)} ({', '.join(one['how'])})" for name, one in found.items()),
        f"recall@10 at least {least:.3f}: " + ", ".join(f"{name} {one['recall']:.3f}" for name, one in found.items()),
        found,
    )  # fmt: skip


def as_of(measured: Measured) -> Row:
    import our_memory  # noqa: PLC0415

    with measured.open() as db:
        found = our_memory.as_of(db, measured.data["queries"])
    past, now = found["as of"], found["unfiltered"]
    return row(
        "P9", "the same search as of random points of the past; p50 / p99 ms", f"{times_of(past)}",
        f"recall@10 {past['recall']:.3f}; unfiltered {now['recall']:.3f}", found, peer=f"unfiltered {times_of(now)}",
        ratio=f"{past['p50_ms'] / now['p50_ms']:.2f}x p50, {past['p99_ms'] / now['p99_ms']:.2f}x p99",
    )  # fmt: skip


def inserts(measured: Measured) -> Row:
    import our_memory  # noqa: PLC0415

    with tempfile.TemporaryDirectory(dir=measured.store.parent) as scratch:
        found = our_memory.inserts(Path(scratch) / "memory", measured.data["vectors"])
    return row(
        "P10", "1,000 observations added, acknowledged into the log",
        f"p50 {found['p50_ms']:.2f} ms, p99 {found['p99_ms']:.2f} ms of {found['batches']}; flush of 10,000 rows p50 "
        f"{found['flush_p50_ms']:.1f} ms, most {found['flush_max_ms']:.1f}; burst of {found['burst_rows']:,} in "
        f"{found['burst_s']:.2f} s",
        f"{found['missed']} not found by the next search", found,
    )  # fmt: skip


def ingest(measured: Measured) -> Row:
    import our_ingest  # noqa: PLC0415

    with tempfile.TemporaryDirectory(dir=measured.store.parent) as scratch:
        found = our_ingest.sustained(Path(scratch) / "memory", measured.data, PACE)
    searching, building, idle = found["searching"], found["building"], found["idle"]
    return row(
        "P11", f"{found['rows']:,} rows added at {PACE:,.0f}/s, searched by one thread meanwhile",
        f"{found['rows_per_s']:,.0f} rows/s; search {times_of(searching)} ms (worst second "
        f"{times_of(found['worst_second'])}), {found['searches']:,} searches; then indexing for "
        f"{found['index_s']:.0f} s ({found['index_rows_per_s']:,.0f} rows/s in all): {times_of(building)}, "
        f"{building['p99_ms'] / idle['p99_ms']:.2f}x idle ({times_of(idle)})",
        f"recall@10 {found['recall']:.3f} of one in 20 answers, as of their moment", found,
    )  # fmt: skip


def lookups(measured: Measured) -> Row:
    import our_memory  # noqa: PLC0415

    with measured.open() as db:
        found = our_memory.lookups(db)
    return row(
        "P12", f"point get, ranges in {measured.rows:,} rows; p50 / p99 ms",
        f"get {1e3 * found['get']['p50_ms']:.1f} / {1e3 * found['get']['p99_ms']:.1f} us; a symbol's day "
        f"({found['day_rows']:,} rows) {times_of(found['day'])}; 100 minutes of all "
        f"({found['hundred_minutes_rows']:,}) {times_of(found['hundred_minutes'])}",
        "exact", found,
    )  # fmt: skip


def resident(measured: Measured) -> Row:
    import our_ingest  # noqa: PLC0415

    counts = {name: max(1_000, int(share * measured.rows)) for name, share in RESIDENT.items()}
    found = our_ingest.resident(measured.store.with_name(measured.store.name + "-all"), counts)
    return row(
        "P13", "resident memory of " + ", ".join(f"{count:,} {name}" for name, count in counts.items()),
        f"{found['resident_mib']:,.0f} MiB resident, of them {found['anonymous_mib']:,.0f} anonymous; "
        f"{found['disk_mib']:,.0f} MiB on disk", "after 200 searches of each", found,
    )  # fmt: skip


def embedding(measured: Measured) -> Row:
    import our_memory  # noqa: PLC0415

    found = our_memory.embedding(measured.times)
    return row(
        "P14", "bars into 512 numbers, two threads",
        f"{found['observations_per_s']:,.0f} observations/s (most {found['most']:,.0f})", "", found,
    )  # fmt: skip


def ceilings(measured: Measured) -> Row:
    import our_ceilings  # noqa: PLC0415

    found = our_ceilings.ceilings(min(measured.rows, 100_000))
    return row(
        "CEILINGS", "recall@10 against float32: int8 codes scanned exactly / signs, then 200 by codes",
        "; ".join(f"{name} ({one['rows']:,}): {one['int8']:.3f} / {one['signs']:.3f}" for name, one in found.items()),
        "exact scans", found,
    )  # fmt: skip


ROWS: dict[str, Callable[[Measured], Row]] = {
    "P7": nearest,
    "P8": filtered,
    "P9": as_of,
    "P10": inserts,
    "P11": ingest,
    "P12": lookups,
    "P13": resident,
    "P14": embedding,
    "CEILINGS": ceilings,
}
