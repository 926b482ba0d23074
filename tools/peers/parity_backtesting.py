"""Runs in the environment of backtesting.py: order scripts from a JSON file, closed trades to another.

Left out: several trades at once (it closes them first in, first out, each with a stop-loss and take-profit of its
own), stop-limit orders, trailing stops (a strategy's own there), commissions, margin, and relative sizes, which the
trades of its own GOOG example hold instead (tests/tools/test_parity_backtesting.py).
"""

from __future__ import annotations

import contextlib
import json
import sys
import warnings
from pathlib import Path
from typing import Any

import pandas as pd

warnings.filterwarnings("ignore")
from backtesting import Backtest, Strategy  # noqa: E402


def trades(case: dict[str, Any]) -> list[list[float]]:
    bars, script = case["bars"], case["script"]
    count = len(bars["open"])
    index = pd.date_range("2020-01-01", periods=count)
    frame = pd.DataFrame({name.capitalize(): bars[name] for name in bars} | {"Volume": [1000.0] * count}, index=index)

    class Script(Strategy):
        def init(self) -> None:
            pass

        def next(self) -> None:
            step = script[len(self.data) - 1]
            waiting = [order for order in self.orders if not order.is_contingent]
            if step is None:
                return
            if step["act"] == "close":
                self.position.close()
            elif step["act"] == "cancel":
                for order in waiting:
                    order.cancel()
            elif not self.position and not waiting:
                place = self.buy if step["side"] > 0 else self.sell
                with contextlib.suppress(ValueError):  # a bracket on the wrong side, which we refuse as well
                    place(
                        size=step["quantity"],
                        limit=step.get("limit"),
                        stop=step.get("stop"),
                        sl=step.get("stop_loss"),
                        tp=step.get("take_profit"),
                    )

    found = Backtest(frame, Script, cash=100_000, finalize_trades=False).run()._trades
    found = found.sort_values(["EntryBar", "ExitBar"])
    return [[int(t.EntryBar), int(t.ExitBar), int(t.Size), t.EntryPrice, t.ExitPrice] for t in found.itertuples()]


def main(source: Path, target: Path) -> None:
    cases = json.loads(source.read_text())
    target.write_text(json.dumps([trades(case) for case in cases]))
    print(json.dumps({"cases": len(cases)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
