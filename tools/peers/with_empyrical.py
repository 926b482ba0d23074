"""Runs in the environment of empyrical-reloaded: its statistics of given returns, and how long they take."""

from __future__ import annotations

import json
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np

warnings.filterwarnings("ignore")
import empyrical  # noqa: E402

from timing import repeat  # noqa: E402


def main(folder: Path, periods: float, target: float, times: int) -> dict[str, object]:
    """Returns of returns.npy and benchmark.npy, `periods` bars a year, risk-free rate `target` a bar."""
    returns, theirs = np.load(folder / "returns.npy"), np.load(folder / "benchmark.npy")
    year = {"annualization": periods}
    calls = {
        "cum_returns_final": lambda: empyrical.cum_returns_final(returns),
        "cagr": lambda: empyrical.cagr(returns, **year),
        "annual_volatility": lambda: empyrical.annual_volatility(returns, **year),
        "sharpe_ratio": lambda: empyrical.sharpe_ratio(returns, target, **year),
        "sortino_ratio": lambda: empyrical.sortino_ratio(returns, target, **year),
        "calmar_ratio": lambda: empyrical.calmar_ratio(returns, **year),
        "max_drawdown": lambda: empyrical.max_drawdown(returns),
        "value_at_risk": lambda: empyrical.value_at_risk(returns, 0.05),
        "conditional_value_at_risk": lambda: empyrical.conditional_value_at_risk(returns, 0.05),
        "alpha": lambda: empyrical.alpha(returns, theirs, target, **year),
        "beta": lambda: empyrical.beta(returns, theirs, target),
        "excess_sharpe": lambda: empyrical.excess_sharpe(returns, theirs),
        # Of 252 bars a year, whatever the run's: they take no other number.
        "up_capture": lambda: empyrical.up_capture(returns, theirs),
        "down_capture": lambda: empyrical.down_capture(returns, theirs),
    }
    values = {name: float(call()) for name, call in calls.items()}
    timed = repeat(lambda: [call() for call in calls.values()], times)
    return {"values": values, "all": timed, "version": version("empyrical-reloaded")}


if __name__ == "__main__":
    given, periods, target, times = sys.argv[1:]
    print(json.dumps(main(Path(given), float(periods), float(target), int(times))))
