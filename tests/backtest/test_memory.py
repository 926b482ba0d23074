"""What a run takes beyond its bars: its output, the strategy's own columns, and little else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "asv_benchmarks"
sys.path.insert(0, str(FOLDER))
peak_memory = pytest.importorskip("peak_memory", reason="asv_benchmarks is part of the repository only")

pytestmark = [
    pytest.mark.skipif(
        not os.access("/proc/self/clear_refs", os.W_OK), reason="the kernel does not tell or forget the peak"
    ),
    pytest.mark.skipif("asan" in os.environ.get("LD_PRELOAD", ""), reason="a sanitizer's shadow counts as well"),
]


def test_the_peak_of_a_run_is_below_one_and_a_half_of_input_and_output() -> None:
    found = peak_memory.in_a_process(1_000_000)
    assert found["input_bytes"] == 48_000_000 and found["fills"] > 20_000
    assert found["run_bytes"] >= 0.8 * (found["output_bytes"] + found["indicator_bytes"])  # it did measure something
    assert found["ratio"] < 1.5, found
    assert found["ratio_without_indicators"] < 1.3, found


FIVE_RUNS = """
import json, os
from pathlib import Path
import numpy as np
import neuraltrade as nt

count = 400_000
wave = 100.0 + np.sin(np.arange(count) * 0.7)
bars = nt.Bars("X", np.arange(1, count + 1) * 60 * 10**9, wave, wave + 1, wave - 1, wave, np.ones(count))
flags = np.zeros((2, count), bool)
flags[0, ::40] = flags[1, 20::40] = True  # 20,000 fills: tables of one block each

def address_space():
    result = nt.backtest(bars, nt.Signals(flags[0], flags[1]), size=1.0)
    assert len(result.fills) > 19_000
    return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGESIZE")

print(json.dumps([address_space() for _ in range(5)]))
"""


def test_each_run_takes_the_tables_of_the_one_before() -> None:
    """In a process of its own: what other tests left to be freed must not count."""
    done = subprocess.run([sys.executable, "-c", FIVE_RUNS], stdout=subprocess.PIPE, check=True)
    sizes = json.loads(done.stdout)
    assert max(sizes[2:]) - min(sizes[2:]) < 2**21, sizes  # not one block more
