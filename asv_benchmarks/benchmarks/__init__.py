"""Tracked per commit by asv. Names carry their row of the performance targets; inputs are those of tools/peers."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools" / "peers"), str(ROOT / "asv_benchmarks")]
