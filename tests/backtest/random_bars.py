"""Bars of a random walk, for the tests of the look-ahead detector."""

from __future__ import annotations

import numpy as np

import neuraltrade as nt

DAY_NS, HOUR_NS = 86_400 * 10**9, 3_600 * 10**9


def made(symbol: str = "X", count: int = 160, *, seed: int, step_ns: int = DAY_NS) -> nt.Bars:
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.012, count)))
    opened = np.concatenate(([100.0], close[:-1])) * np.exp(rng.normal(0.0, 0.002, count))
    high = np.maximum(opened, close) * np.exp(np.abs(rng.normal(0.0, 0.004, count)))
    low = np.minimum(opened, close) * np.exp(-np.abs(rng.normal(0.0, 0.004, count)))
    ts_ns = 1_700_000_000 * 10**9 // DAY_NS * DAY_NS + (1 + np.arange(count, dtype=np.int64)) * step_ns
    return nt.Bars(symbol, ts_ns, opened, high, low, close, rng.uniform(1e3, 2e3, count))
