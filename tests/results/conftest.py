"""A seeded run with the engine's rows, made by hand so that the room is tested apart from the engine."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from neuraltrade.results import Result

FILL = np.dtype(
    [
        ("bar", "<i8"),
        ("ts_ns", "<i8"),
        ("symbol", "<i4"),
        ("side", "<i4"),
        ("quantity", "<f8"),
        ("price", "<f8"),
        ("fee", "<f8"),
        ("order_id", "<i8"),
    ]
)
TRADE = np.dtype(
    [
        ("symbol", "<i4"),
        ("direction", "<i4"),
        ("quantity", "<f8"),
        ("entry_bar", "<i8"),
        ("exit_bar", "<i8"),
        ("entry_ts_ns", "<i8"),
        ("exit_ts_ns", "<i8"),
        ("entry_price", "<f8"),
        ("exit_price", "<f8"),
        ("fees", "<f8"),
        ("pnl", "<f8"),
        ("return_", "<f8"),
        ("open", "?"),
        ("entry_order_id", "<i8"),
        ("exit_order_id", "<i8"),
        ("signal_id", "<i8"),
    ]
)
ORDER = np.dtype([("order_id", "<i8"), ("symbol", "<i4"), ("status", "<i4"), ("quantity", "<f8")])
SIGNAL = np.dtype([("signal_id", "<i8"), ("bar", "<i8"), ("ts_ns", "<i8"), ("symbol", "<i4"), ("reasoning", "<i8")])
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
    trades = np.zeros(trade_count, TRADE)
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
    fills = np.zeros(2 * trade_count, FILL)
    for k, trade in enumerate(trades):
        for j, (end, sign) in enumerate((("entry", 1), ("exit", -1))):
            fills[2 * k + j] = (
                trade[f"{end}_bar"],
                trade[f"{end}_ts_ns"],
                trade["symbol"],
                sign * trade["direction"],
                trade["quantity"],
                trade[f"{end}_price"],
                0.5,
                2 * k + j + 1,
            )
    equity = 10_000.0 * np.exp(np.cumsum(np.concatenate(([0.0], rng.normal(0.0003, 0.01, count - 1)))))
    data = series[0] if len(symbols) == 1 else SimpleNamespace(bars=tuple(series), symbols=tuple(symbols))
    arguments = {
        "data": data,
        "symbols": symbols,
        "clock_ts_ns": clock,
        "equity": equity,
        "fills": fills,
        "trades": trades,
        "orders": np.zeros(2 * trade_count, ORDER),
        "signals": np.zeros(1, SIGNAL),
        "events": rng.integers(0, 256, 640).astype(np.uint8),
        "cash": 10_000.0,
        "settings": {"strategy": "Seeded", "seed": seed},
    }
    return Result(**(arguments | given))


@pytest.fixture
def run():
    return make_run
