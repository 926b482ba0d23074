"""The kill switch from inside a strategy, at both speeds, and what a result tells of the gate."""

import numpy as np
import pytest

import neuraltrade as nt


class Halting(nt.Strategy):
    at: int = 40

    def on_bar(self, ctx):
        if ctx.i == self.at:
            ctx.halt("reduce_only")
        elif ctx.i == self.at + 20:
            ctx.halt(mode="cancel_all")
        if ctx.i % 3 == 0:
            ctx.buy(10, stop_loss_rate=0.02)
        elif ctx.i % 3 == 1:
            ctx.sell(4, limit=ctx.close * 1.01)
        else:
            ctx.target(0.3)


class Wrong(nt.Strategy):
    def on_bar(self, ctx):
        ctx.halt("stop")


LIMITS = nt.RiskLimits(
    max_order_quantity=50,
    max_gross_exposure=20_000,
    max_leverage=2,
    max_orders_per_second=1,
    duplicate_window_ns=3,
    prevent_self_trade=True,
    max_drawdown=0.5,
)


@pytest.mark.parametrize("risk", [None, LIMITS, nt.RiskLimits(max_daily_loss=200, on_loss="cancel_all")])
def test_both_speeds_halt_alike(risk):
    bars = nt.datasets.load("GOOG")[:120]
    slow, fast = (nt.backtest(bars, strategy, risk=risk) for strategy in (Halting, nt.compiled(Halting)))
    assert slow.digest == fast.digest
    assert slow.controls == fast.controls
    assert slow.denials.tobytes() == fast.denials.tobytes()
    assert {"halted", "reduce_only"} & set(slow.denials["reason"]) or risk is not None
    assert len(slow.fills) > 0


@pytest.mark.parametrize("strategy", [Wrong, nt.compiled(Wrong)])
def test_an_unknown_mode_is_refused(strategy):
    bars = nt.datasets.load("GOOG")[:5]
    with pytest.raises((nt.StrategyError, nt.CompileError), match="reduce_only"):
        nt.backtest(bars, strategy)


def test_a_result_tells_what_was_refused_and_why(tmp_path):
    bars = nt.datasets.load("GOOG")[:120]
    result = nt.backtest(bars, Halting, risk=LIMITS)
    assert result.denials.dtype.names == ("order_id", "bar", "ts_ns", "symbol", "reason", "limit", "value")
    refused = result.orders[result.orders["status"] == "denied"]
    assert np.array_equal(refused["order_id"], result.denials["order_id"])
    assert np.array_equal(refused["reason"], result.denials["reason"])
    asked = result.controls["max_leverage"]
    assert asked["checked"] >= asked["denied"] >= 0
    assert sum(count["denied"] for count in result.controls.values()) == len(result.denials)
    assert len(result.to_frame("denials")) == len(result.denials)
    result.save(tmp_path / "run.ntr")
    loaded = nt.Result.load(tmp_path / "run.ntr")
    assert loaded.denials.tobytes() == result.denials.tobytes()
    assert loaded.controls == result.controls
