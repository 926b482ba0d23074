"""Tracked per commit by asv. Names carry their row of the performance targets; inputs are those of tools/peers."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools" / "peers"))
