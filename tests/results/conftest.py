"""A seeded run with the engine's rows, made by hand so that the room is tested apart from the engine."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from neuraltrade.core.layouts import EVENT_DTYPE, FILL_DTYPE, ORDER_DTYPE, SIGNAL_DTYPE, TRADE_DTYPE
from neuraltrade.results import Result

DAY = 86_400_000_000_000


class FakeBars(SimpleNamespace):
    def columns(self):
        return self.ts_ns, self.open, self.high, self.low, self.close, self.volume


def make_bars(symbol, count, seed, step=DAY):
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, count)))
    opened = close * np.exp(rng.normal(0.0, 0.005, count))
    return FakeBars(
        symbol=symbol,
        ts_ns=1_600_000_000_000_000_000 + np.arange(count, dtype=np.int64) * step,
        open=opened,
        high=np.maximum(opened, close) * 1.001,
        low=np.minimum(opened, close) * 0.999,
        close=close,
        volume=np.full(count, 1e6),
    )


def make_run(count=500, trade_count=20, symbols=("AAPL",), seed=1, **given):
    """A Result of `count` bars whose rows are random but consistent in bars and times."""
    rng = np.random.default_rng(seed)
    series = [make_bars(symbol, count, seed + i) for i, symbol in enumerate(symbols)]
    clock = series[0].ts_ns
    trades = np.zeros(trade_count, TRADE_DTYPE)
    if trade_count:
        cuts = np.sort(rng.choice(np.arange(1, count), 2 * trade_count, replace=False)).reshape(-1, 2)
        trades["entry_bar"], trades["exit_bar"] = cuts[:, 0], cuts[:, 1]
        trades["symbol"] = rng.integers(0, len(symbols), trade_count)
        trades["direction"] = rng.choice([-1, 1], trade_count)
        trades["quantity"] = rng.integers(1, 50, trade_count)
        trades["entry_ts_ns"], trades["exit_ts_ns"] = clock[cuts[:, 0]], clock[cuts[:, 1]]
        for name, bar in (("entry_price", cuts[:, 0]), ("exit_price", cuts[:, 1])):
            trades[name] = [series[s].close[b] for s, b in zip(trades["symbol"], bar, strict=True)]
        trades["fees"] = 1.0
        gain = trades["direction"] * (trades["exit_price"] - trades["entry_price"]) * trades["quantity"]
        trades["pnl"] = gain - trades["fees"]
        trades["return_"] = trades["pnl"] / (trades["entry_price"] * trades["quantity"])
        trades["open"][-1] = True
    fills = np.zeros(2 * trade_count, FILL_DTYPE)
    orders = np.zeros(2 * trade_count, ORDER_DTYPE)
    for j, (end, sign) in enumerate((("entry", 1), ("exit", -1))):
        half = fills[j::2]
        half["bar"], half["ts_ns"], half["price"] = trades[f"{end}_bar"], trades[f"{end}_ts_ns"], trades[f"{end}_price"]
        half["symbol"], half["quantity"], half["side"] = (
            trades["symbol"],
            trades["quantity"],
            sign * trades["direction"],
        )
    fills["fee"] = 0.5
    fills["order_id"] = orders["order_id"] = np.arange(1, len(fills) + 1)
    orders["status"] = 3
    if trade_count:
        orders[-1]["status"], orders[-1]["reason"], orders[-1]["type"] = 7, -121, 1
    equity = 10_000.0 * np.exp(np.cumsum(np.concatenate(([0.0], rng.normal(0.0003, 0.01, count - 1)))))
    data = series[0] if len(symbols) == 1 else SimpleNamespace(bars=tuple(series), symbols=tuple(symbols))
    arguments = {
        "data": data,
        "symbols": symbols,
        "clock_ts_ns": clock,
        "equity": equity,
        "fills": fills,
        "trades": trades,
        "orders": orders,
        "signals": np.zeros(1, SIGNAL_DTYPE),
        "events": np.frombuffer(rng.bytes(10 * EVENT_DTYPE.itemsize), EVENT_DTYPE),
        "cash": 10_000.0,
        "settings": {"strategy": "Seeded", "seed": seed},
    }
    return Result(**(arguments | given))


@pytest.fixture
def run():
    return make_run
