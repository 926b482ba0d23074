"""Runs in the environment of vectorbt: every statistic of the portfolio of row P1, from one that has computed none."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")
import vectorbt  # noqa: E402

from timing import repeat_each  # noqa: E402


def main(folder: Path, times: int) -> dict[str, object]:
    index = pd.to_datetime(np.load(folder / "ts_ns.npy"))
    close, entries, exits = (
        pd.Series(np.load(folder / f"{name}.npy"), index=index) for name in ("close", "entries", "exits")
    )

    def portfolio() -> vectorbt.Portfolio:
        return vectorbt.Portfolio.from_signals(close, entries, exits, init_cash=1_000_000.0, freq="1min")

    timed = repeat_each(portfolio, lambda made: made.stats(), times)
    stats = portfolio().stats()
    numbers = {name: float(stats[name]) for name in stats.index if isinstance(stats[name], (int, float, np.number))}
    return {"stats": timed, "values": numbers, "version": vectorbt.__version__}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]))))
