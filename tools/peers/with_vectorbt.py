"""Runs in the environment of vectorbt: the SMA cross of row P1, signals computed beforehand and not timed."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")
import vectorbt  # noqa: E402

from timing import repeat  # noqa: E402


def main(folder: Path, fast: int, slow: int, times: int) -> dict[str, object]:
    index = pd.to_datetime(np.load(folder / "ts_ns.npy"))
    close = pd.Series(np.load(folder / "close.npy"), index=index)
    entries = pd.Series(np.load(folder / "entries.npy"), index=index)
    exits = pd.Series(np.load(folder / "exits.npy"), index=index)
    assert fast < slow

    def orders() -> object:
        return vectorbt.Portfolio.from_signals(close, entries, exits, init_cash=1_000_000.0, freq="1min")

    def orders_and_equity() -> object:
        return orders().value()

    portfolio = orders()
    return {
        "orders": repeat(orders, times),
        "orders_and_equity": repeat(orders_and_equity, times),
        "order_count": int(portfolio.orders.count()),
        "final_equity": float(portfolio.final_value()),
        "version": vectorbt.__version__,
    }


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), *map(int, sys.argv[2:]))))
