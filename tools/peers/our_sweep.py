"""Row P4, our side, in a process of its own so that its peak memory is its own: pairs of averages over one-minute bars.

    python our_sweep.py BARS PAIRS BLOCKS

Prints one JSON object. The clock is read after each of BLOCKS equal parts of the search, whose median rate is told.
"""

from __future__ import annotations

import itertools
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from typing import Any

import neuraltrade as nt

import ours
from inputs import minute_bars

SLOW_FROM, SLOW_STEP = 110, 5
SAME = 100  # pairs that the peer computes as well


def grid_of(pairs: int) -> dict[str, range]:
    """About `pairs` of them: as many fast windows from 2 as slow ones from 110 by fives."""
    side = max(2, round(pairs**0.5))
    return {"fast": range(2, 2 + side), "slow": range(SLOW_FROM, SLOW_FROM + SLOW_STEP * side, SLOW_STEP)}


def measure(rows: int, pairs: int, blocks: int) -> dict[str, Any]:
    bars, strategy, grid = ours.bars_of(minute_bars(rows)), nt.compiled(ours.SmaCross), grid_of(pairs)
    run = {"cash": 1_000_000.0, "fill": "vectorbt"}
    nt.sweep(bars[:1_000], strategy, {"fast": [2, 3]}, metric="final_equity", **run)
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    count = len(grid["fast"]) * len(grid["slow"])
    marks = [(0, time.perf_counter(), time.process_time())]

    def note(done: int, total: int) -> None:
        if done >= min(total, len(marks) * -(-total // blocks)):
            marks.append((done, time.perf_counter(), time.process_time()))

    found = nt.sweep(bars, strategy, grid, metric="final_equity", progress=note, **run)
    parts = list(itertools.pairwise(marks))
    clock = [(after[0] - before[0]) * rows / (after[1] - before[1]) for before, after in parts]
    cores = len(os.sched_getaffinity(0))
    own = [cores * (after[0] - before[0]) * rows / (after[2] - before[2]) for before, after in parts]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "rows": rows,
        "pairs": count,
        "bar_steps_per_s": statistics.median(clock),
        "bar_steps_per_s_blocks": clock,
        "bar_steps_per_cpu_s": statistics.median(own),
        "cores": cores,
        "peak_mib": peak / 1024,
        "peak_over_start_mib": (peak - held) / 1024,
        "trades": int(found.table["trades"].sum()),
        "fast": found.table["fast"][:SAME].tolist(),
        "slow": found.table["slow"][:SAME].tolist(),
        "final_equity": found.table["final_equity"][:SAME].tolist(),
        "best": found.best,
    }


def in_a_process(rows: int, pairs: int, blocks: int) -> dict[str, Any]:
    """`measure` in a fresh interpreter: what other work left must not count."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, __file__, str(rows), str(pairs), str(blocks)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


if __name__ == "__main__":
    print(json.dumps(measure(*map(int, sys.argv[1:]))))
