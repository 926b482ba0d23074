"""Runs in the environment of vectorbt: row P4, pairs of averages as columns of one portfolio, averages included."""

from __future__ import annotations

import json
import resource
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")
import vectorbt  # noqa: E402

from timing import repeat  # noqa: E402


def main(folder: Path, pairs: Path, times: int) -> dict[str, object]:
    chosen = json.loads(pairs.read_text())
    close = pd.Series(np.load(folder / "close.npy"), index=pd.to_datetime(np.load(folder / "ts_ns.npy")))

    def search() -> object:
        fast = vectorbt.MA.run(close, chosen["fast"], short_name="fast")
        slow = vectorbt.MA.run(close, chosen["slow"], short_name="slow")
        entries, exits = fast.ma_crossed_above(slow), fast.ma_crossed_below(slow)
        return vectorbt.Portfolio.from_signals(close, entries, exits, init_cash=1_000_000.0, freq="1min").final_value()

    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    timed = repeat(search, times)
    final = search()
    return {
        **timed,
        "pairs": len(chosen["fast"]),
        "peak_over_start_mib": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held) / 1024,
        "final_equity": [float(one) for one in np.asarray(final)],
        "version": vectorbt.__version__,
    }


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))))
