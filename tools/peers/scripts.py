"""Random bars with random order scripts, the same for us and for the peer, which reads them as JSON."""

from __future__ import annotations

from typing import Any

import numpy as np

BARS = 60


def walk(random: np.random.Generator) -> dict[str, list[float]]:
    """60 bars with two decimals; one in three series gaps widely at its opens."""
    gap = 0.015 if random.random() < 1 / 3 else 0.006
    close = np.round(100 * np.exp(np.cumsum(random.normal(0, 0.02, BARS))), 2)
    open_ = np.round(np.r_[close[0], close[:-1]] * (1 + random.normal(0, gap, BARS)), 2)
    high = np.round(np.maximum(open_, close) * (1 + np.abs(random.normal(0, 0.008, BARS))), 2)
    low = np.round(np.minimum(open_, close) * (1 - np.abs(random.normal(0, 0.008, BARS))), 2)
    return {"open": open_.tolist(), "high": high.tolist(), "low": low.tolist(), "close": close.tolist()}


def _entry(random: np.random.Generator, close: float) -> dict[str, Any]:
    side = int(random.choice([-1, 1]))
    order: dict[str, Any] = {"act": "enter", "side": side, "quantity": int(random.integers(1, 20))}
    kind, reference = random.integers(3), close
    if kind == 1:
        reference = order["limit"] = round(float(close * (1 - side * random.uniform(-0.005, 0.03))), 2)
    if kind == 2:
        reference = order["stop"] = round(float(close * (1 + side * random.uniform(0.001, 0.03))), 2)
    if random.random() < 0.6:
        order["stop_loss"] = round(float(reference * (1 - side * random.uniform(0.005, 0.04))), 2)
    if random.random() < 0.6:
        order["take_profit"] = round(float(reference * (1 + side * random.uniform(0.005, 0.04))), 2)
    return order


def orders(seed: int) -> dict[str, Any]:
    """Bars, and for each bar an entry (market, limit or stop, with bracket or not), a close, a cancel, or nothing."""
    random = np.random.default_rng([seed, 1])
    bars = walk(random)
    script: list[dict[str, Any] | None] = [None] * BARS
    for bar in range(1, BARS - 1):
        draw = random.random()
        if draw < 0.35:
            script[bar] = _entry(random, bars["close"][bar])
        elif draw < 0.5:
            script[bar] = {"act": "close" if draw < 0.45 else "cancel"}
    return {"bars": bars, "script": script}


def signals(seed: int) -> dict[str, Any]:
    """Bars and one of: nothing, entry, exit, short entry, short exit a bar; all cash, 10 units or a value; fees; stops,
    the same or others at each bar, or trailing; slippage."""
    random = np.random.default_rng([seed, 2])
    case = {
        "bars": walk(random),
        "flags": random.choice(5, BARS, p=[0.5, 0.15, 0.1, 0.15, 0.1]).tolist(),
        "short": bool(random.random() < 0.5),
        "size": None if random.random() < 0.5 else 10.0,
        "stop_loss": float(random.uniform(0.01, 0.05)) if random.random() < 0.7 else None,
        "take_profit": float(random.uniform(0.01, 0.05)) if random.random() < 0.7 else None,
        "rate": float(random.choice([0.0, 0.001])),
        "fixed": float(random.choice([0.0, 1.0])),
    }
    others = np.random.default_rng([seed, 6])
    case["trail"] = case["stop_loss"] is not None and bool(others.random() < 0.4)
    stops = case["take_profit"] is not None or case["stop_loss"] is not None
    case["slippage"] = 0.0 if stops else float(others.choice([0.0, 0.001]))
    free = case["rate"] == case["fixed"] == case["slippage"] == 0.0
    case["value"] = bool(case["size"] is not None and free and others.random() < 0.7)
    for name in ("stop_loss", "take_profit"):
        rates = others.uniform(0.01, 0.05, BARS)
        varies = case[name] is not None and not case["trail"] and others.random() < 0.5
        case[name] = rates.tolist() if varies else case[name]
    return case
