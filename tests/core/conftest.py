"""Engines for tests: the bars of FILLS.md, random bars, and one call that runs a strategy over them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.core.engine import Engine

DAY_NS = 86_400 * 10**9


def columns(open_: Any, high: Any, low: Any, close: Any, volume: float = 1000.0, step_ns: int = DAY_NS) -> tuple:
    """Bars as the engine takes them, one every `step_ns`."""
    prices = [np.ascontiguousarray(x, dtype=np.float64) for x in (open_, high, low, close)]
    count = len(prices[0])
    return (np.arange(1, count + 1, dtype=np.int64) * step_ns, *prices, np.full(count, volume))


@pytest.fixture
def fills_bars() -> tuple:
    """The six bars of the fixture table in FILLS.md."""
    return columns(
        [100, 100, 103, 90, 91, 92], [101, 102, 106, 92, 93, 93], [99, 99, 98, 88, 90, 91], [100, 101, 104, 91, 92, 92]
    )


def random_bars(seed: int, count: int, step_ns: int = DAY_NS) -> tuple:
    """A random walk with two decimals, high and low around it."""
    rng = np.random.default_rng(seed)
    close = np.round(100 * np.exp(np.cumsum(rng.normal(0, 0.02, count))), 2)
    open_ = np.round(np.r_[close[0], close[:-1]] * (1 + rng.normal(0, 0.005, count)), 2)
    high = np.round(np.maximum(open_, close) * (1 + np.abs(rng.normal(0, 0.01, count))) + 0.01, 2)
    low = np.round(np.minimum(open_, close) * (1 - np.abs(rng.normal(0, 0.01, count))) - 0.01, 2)
    return columns(open_, high, low, close, step_ns=step_ns)


@pytest.fixture
def make_bars() -> Callable[..., tuple]:
    return columns


@pytest.fixture
def make_random_bars() -> Callable[..., tuple]:
    return random_bars


@pytest.fixture
def make_engine() -> Callable[..., Engine]:
    """make_engine(bars, policy=, cash=, ...) -> an Engine with defaults; several bars make a panel."""

    def make(*bars: tuple, policy: str | nt.FillPolicy = "conservative", **given: Any) -> Engine:
        settings: dict[str, Any] = {
            "cash": 10_000.0,
            "fees": nt.Fees(),
            "slippage": nt.Slippage(),
            "size": nt.Size.all_in(),
            "risk": None,
            "account": nt.Account(),
            "instruments": [nt.Instrument()] * len(bars),
        }
        settings.update(given)
        fill = nt.FillPolicy.preset(policy) if isinstance(policy, str) else policy
        return Engine([f"S{slot}" for slot in range(len(bars))], bars, policy=fill, **settings)

    return make


@pytest.fixture
def run(make_engine: Callable[..., Engine]) -> Callable[..., Engine]:
    """run(on_bar, bars, ...): bind, advance to the end, finish; on_bar may be {bar: callable}."""

    def run_(on_bar: Any, *bars: tuple, close_open: bool = False, **given: Any) -> Engine:
        engine = make_engine(*bars, **given)
        steps = on_bar

        def dispatch(ctx: Any) -> None:
            if ctx.i in steps:
                steps[ctx.i](ctx)

        engine.bind_python(dispatch if isinstance(on_bar, dict) else on_bar)
        engine.advance(engine.clock_count)
        engine.finish(close_open)
        assert engine.ledger()["balance"] == 0
        return engine

    return run_
