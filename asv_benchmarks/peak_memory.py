"""How much memory a run needs beyond what it was given, measured in a process of its own.

    python asv_benchmarks/peak_memory.py BARS

Input: the six columns of the bars (48 bytes a bar). Output: equity, events and the rows of orders, fills and trades.
The strategy's own indicator columns (two here, 16 bytes a bar) are told apart. `run_bytes` is how far the resident set
grew during nt.backtest at its highest, as the kernel tells it: malloc's, numpy's and the core's own blocks all count.
`ratio` is input and `run_bytes` over input and output. Prints one JSON object.
"""

from __future__ import annotations

import gc
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def resident(name: str) -> int:
    """Bytes of VmRSS, or of VmHWM, the highest it has been."""
    found = re.search(rf"^{name}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    if found is None:
        sys.exit(f"/proc/self/status has no {name}")
    return 1024 * int(found[1])


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def measure(rows: int) -> dict[str, Any]:
    sys.path.insert(0, str(ROOT / "tools" / "peers"))
    import neuraltrade as nt  # noqa: PLC0415
    from neuraltrade.core import blocks  # noqa: PLC0415

    import ours  # noqa: PLC0415
    from inputs import minute_bars  # noqa: PLC0415

    strategy = nt.compiled(ours.SmaCross)
    nt.backtest(ours.bars_of(minute_bars(1_000)), strategy, cash=1_000_000.0, fill="vectorbt")
    columns = minute_bars(rows)
    blocks.release()
    gc.collect()
    bars = ours.bars_of(columns)
    del columns
    gc.collect()
    forget_peak()
    held = resident("VmRSS")
    result = nt.backtest(bars, strategy, cash=1_000_000.0, fill="vectorbt")
    peak = resident("VmHWM")
    tables = {name: array.nbytes for name, array in result.slots.items()}
    given = sum(column.nbytes for column in bars.columns())
    left = result.equity.nbytes + result.events.nbytes + sum(tables.values())
    indicators = 2 * result.equity.nbytes
    run = peak - held
    return {
        "bars": rows,
        "input_bytes": given,
        "output_bytes": left,
        "indicator_bytes": indicators,
        "run_bytes": run,
        "fills": len(result.slots["fills"]),
        "ratio": (given + run) / (given + left),
        "ratio_without_indicators": (given + run - indicators) / (given + left),
    }


def in_a_process(rows: int) -> dict[str, Any]:
    """`measure` in a fresh interpreter: what other runs left must not count."""
    done = subprocess.run(
        [sys.executable, __file__, str(rows)], check=True, stdout=subprocess.PIPE, text=True, env={**os.environ}
    )
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
