"""A search with a state file, which the test kills."""

from __future__ import annotations

import sys

import numpy as np

import neuraltrade as nt
from neuraltrade.backtest import sweep_state


def bars_of(count: int = 200) -> nt.Bars:
    close = 100.0 + np.cumsum(np.random.default_rng(5).normal(0.0, 1.0, count))
    ts_ns = np.arange(1, count + 1) * 86_400_000_000_000
    return nt.Bars("X", ts_ns, close, close + 1.0, close - 1.0, close, np.full(count, 1e6))


def above(data: nt.Bars, window: int) -> nt.Signals:
    mean = np.convolve(data.close, np.ones(window) / window)[: len(data)]
    return nt.Signals(entries=data.close > mean, exits=data.close <= mean)


GRID = {"window": range(2, 182)}
FEW = {"window": range(2, 12)}  # of which there are as many runs as there are windows of history
SEARCHED = {"sweep": GRID, "walk_forward": FEW, "cross_validate": FEW}

if __name__ == "__main__":
    sweep_state.SAVE_SECONDS = 0.0

    def told(done: int, total: int) -> None:
        print(done, total, flush=True)
        if done > 60:
            sys.stdin.readline()  # wait to be killed

    ways = {"sweep": nt.sweep, "walk_forward": nt.walk_forward, "cross_validate": nt.cross_validate}
    ways[sys.argv[1]](bars_of(), above, SEARCHED[sys.argv[1]], state=sys.argv[2], progress=told)
