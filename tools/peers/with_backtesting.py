"""Runs in the environment of backtesting.py: the SMA cross of row P2, or the GOOG figures of its own documentation."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

import backtesting
import numpy as np
import pandas as pd
from backtesting import Backtest, Strategy
from backtesting.lib import crossover
from backtesting.test import GOOG

from timing import repeat

warnings.filterwarnings("ignore")  # about the last open trade
backtesting.backtesting._tqdm = lambda sequence, **_: sequence  # no progress bar in a timed run


def moving_average(values: np.ndarray, window: int) -> np.ndarray:
    return pd.Series(values).rolling(window).mean().to_numpy()


class SmaCross(Strategy):
    fast = 10
    slow = 50
    long_only = True

    def init(self) -> None:
        self.f = self.I(moving_average, self.data.Close, self.fast)
        self.s = self.I(moving_average, self.data.Close, self.slow)

    def next(self) -> None:
        if crossover(self.f, self.s):
            if not self.long_only:
                self.position.close()
            self.buy()
        elif crossover(self.s, self.f):
            self.position.close()
            if not self.long_only:
                self.sell()


def speed(folder: Path, rows: int, fast: int, slow: int, times: int) -> dict[str, object]:
    columns = {
        name.capitalize(): np.load(folder / f"{name}.npy")[:rows] for name in ("open", "high", "low", "close", "volume")
    }
    frame = pd.DataFrame(columns, index=pd.to_datetime(np.load(folder / "ts_ns.npy")[:rows]))
    test = Backtest(frame, SmaCross, cash=1_000_000, commission=0.0)
    timed = repeat(lambda: test.run(fast=fast, slow=slow), times, warmups=1)
    stats = test.run(fast=fast, slow=slow)
    return {**timed, "rows": rows, "trades": int(stats["# Trades"]), "final_equity": float(stats["Equity Final [$]"])}


def goog(finalize: bool) -> dict[str, object]:
    test = Backtest(GOOG, SmaCross, cash=10_000, commission=0.0, finalize_trades=finalize)
    stats = test.run(fast=10, slow=30, long_only=False)
    trades = stats["_trades"]
    return {
        "closed": len(trades),
        "final_equity": float(stats["Equity Final [$]"]),
        "entry_bar": trades["EntryBar"].tolist(),
        "exit_bar": trades["ExitBar"].tolist(),
        "entry_price": trades["EntryPrice"].tolist(),
        "exit_price": trades["ExitPrice"].tolist(),
        "quantity": trades["Size"].tolist(),
        "pnl": trades["PnL"].tolist(),
        "equity": stats["_equity_curve"]["Equity"].tolist(),
    }


def goog_bars(folder: Path) -> dict[str, object]:
    """Writes the peer's own daily GOOG as .npy files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("Open", "High", "Low", "Close", "Volume"):
        np.save(folder / f"{name.lower()}.npy", GOOG[name].to_numpy(np.float64))
    np.save(folder / "ts_ns.npy", GOOG.index.as_unit("ns").asi8)
    return {"rows": len(GOOG)}


if __name__ == "__main__":
    task, *rest = sys.argv[1:]
    if task == "speed":
        answer = speed(Path(rest[0]), *map(int, rest[1:]))
    elif task == "goog-bars":
        answer = goog_bars(Path(rest[0]))
    else:
        answer = goog(rest == ["finalize"])
    print(json.dumps({**answer, "version": backtesting.__version__}))
