"""Searches over several strategies in one run: every row is nt.backtest's, and windows know nothing of what comes."""

from __future__ import annotations

import math

import numpy as np
import pytest

import neuraltrade as nt


class Cross(nt.Strategy):
    fast: int = 3
    slow: int = 12
    start: int = 0

    def init(self, data):
        self.f, self.s = data.ema(self.fast), data.sma(self.slow)

    def on_bar(self, ctx):
        if ctx.i < self.start:
            return
        if ctx.crossed_above(self.f, self.s):
            ctx.signal(1, 0.5, reasoning="up")
            ctx.buy(100.0, stop_loss_rate=0.03)
        elif ctx.crossed_below(self.f, self.s):
            ctx.close_position()


class Dip(nt.Strategy):
    window: int = 10
    start: int = 0

    def init(self, data):
        self.low = data.rolling_min(self.window)

    def on_bar(self, ctx):
        if ctx.i < self.start:
            return
        if ctx.close <= ctx.value(self.low):
            ctx.signal(1, 0.4, reasoning="low")
            ctx.buy(50.0)
        elif ctx.i % 11 == 0:
            ctx.close_position()


def bars_of(seed: int, symbol: str) -> nt.Bars:
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, 300)))
    opened = np.concatenate(([100.0], close[:-1]))
    high, low = np.maximum(opened, close) * 1.004, np.minimum(opened, close) * 0.996
    return nt.Bars(symbol, np.arange(1, 301) * 86_400_000_000_000, opened, high, low, close, np.full(300, 1e6))


PANEL = nt.Panel([bars_of(7, "X"), bars_of(8, "Y")])
TEAM = {"trend": nt.compiled(Cross), "dip": nt.compiled(Dip(window=8))}
GRID = {"trend.fast": [2, 4], "trend.slow": [9, 15], "dip.window": [5, 20]}
RUN = {"cash": 60_000.0, "fees": 0.0005}


@pytest.mark.parametrize("speed", [lambda one: one, nt.compiled], ids=["interpreted", "compiled"])
def test_every_row_is_the_backtest_of_it(speed) -> None:
    found = nt.sweep(PANEL, {"trend": speed(Cross), "dip": speed(Dip(window=8))}, GRID, **RUN)
    assert found.trials == 8 and found.parameters == ("trend.fast", "trend.slow", "dip.window")
    assert len({row["total_return"] for row in found.table}) == 8
    for number, row in enumerate(found.table):
        run = nt.backtest(PANEL, TEAM, params=found.params(number), **RUN)
        for name in nt.results.DEFINITIONS:
            assert row[name] == run.stats[name] or (math.isnan(row[name]) and math.isnan(run.stats[name])), name
    whole, alone = found.result(), nt.backtest(PANEL, TEAM, params=found.best, **RUN)
    assert whole.digest == alone.digest and whole.strategies == ("trend", "dip")
    assert (whole.by_strategy() == alone.by_strategy()).all()
    assert whole.signals.tolist() == alone.signals.tolist() and set(whole.reasoning) == {"up", "low"}
    assert found.section("trend.fast", "dip.window").values.shape == (2, 2)


def test_names_of_a_list_signals_and_metrics() -> None:
    up = nt.Signals(*(np.repeat(np.arange(300)[:, None] % 20 == k, 2, axis=1) for k in (3, 9)), size=10.0)
    found = nt.sweep(
        PANEL, [Dip, Dip, up], {"Dip.window": [5, 9], "Dip 2.window": [7]}, metric=lambda r: r.stats["fees"]
    )
    run = nt.backtest(PANEL, [Dip, Dip, up], params=found.best)
    assert found.best_metric == run.stats["fees"] and found.best["Dip 2.window"] == 7
    nested = {"Dip": {"window": found.best["Dip.window"]}, "Dip 2": {"window": 7}}
    assert nt.backtest(PANEL, [Dip, Dip, up], params=nested).digest == run.digest


def test_a_walk_of_several_is_what_one_account_did() -> None:
    walked = nt.walk_forward(PANEL, TEAM, GRID, folds=3, metric="total_return", **RUN)
    cash, equity = RUN["cash"], []
    for fold, params in zip(walked.folds, walked.params, strict=True):
        own = {**params, "trend.start": int(fold["test_start"]), "dip.start": int(fold["test_start"])}
        data = nt.Panel([bars[: fold["test_stop"]] for bars in PANEL.bars])
        run = nt.backtest(data, TEAM, params=own, close_at_end=True, **{**RUN, "cash": cash})
        equity.append(run.equity[fold["test_start"] :])
        assert fold["return_"] == run.equity[-1] / cash - 1.0
        cash = float(run.equity[-1])
    result = walked.result
    assert np.array_equal(result.equity, np.concatenate(equity)) and len(result.trades) > 10
    rows = result.by_strategy()
    assert rows["strategy"].tolist() == ["trend", "dip", ""] and (rows["trades"][:2] > 0).all()
    assert rows["trades"].sum() == result.stats["trades"]
    assert rows["contribution"].sum() == pytest.approx(result.equity[-1] - RUN["cash"], abs=1e-6)
    np.testing.assert_allclose(result.contributions().sum(axis=1), result.equity - RUN["cash"], atol=1e-6)
    for name, text in (("trend", "up"), ("dip", "low")):
        own = result.signals[result.signals["strategy"] == name]
        assert {result.reasoning[at] for at in own["reasoning"]} == {text}
    assert set(result.trades["symbol"]) == {"X", "Y"} and set(result.trades["strategy"]) == {"trend", "dip"}


def test_a_walk_is_saved_and_goes_on(tmp_path) -> None:
    given = {"folds": 2, "state": tmp_path / "s", **RUN}
    first = nt.walk_forward(PANEL, TEAM, GRID, **given)
    seen: list[int] = []
    again = nt.walk_forward(PANEL, TEAM, GRID, progress=lambda done, total: seen.append(done), **given)
    assert again.result.digest == first.result.digest and set(seen) == {8, 16, 24}
    first.result.save(tmp_path / "run")
    loaded = nt.Result.load(tmp_path / "run")
    assert (loaded.by_strategy() == first.result.by_strategy()).all()
    with pytest.raises(nt.InputError, match="belongs to another search"):
        nt.walk_forward(PANEL, dict(reversed(TEAM.items())), GRID, **given)
    paths = nt.cross_validate(PANEL, TEAM, GRID, 4, 1, **RUN)
    assert paths.paths.shape == (1, 300) and set(paths.splits.dtype.names) >= set(GRID)


UP = nt.Signals(np.zeros((300, 2), bool), np.zeros((300, 2), bool))


@pytest.mark.parametrize(
    ("search", "strategy", "grid", "message"),
    [
        (nt.sweep, TEAM, {"fast": [1]}, r"grid 'fast': the strategy has no such parameter; .*trend\.fast"),
        (nt.sweep, TEAM, {"trend.fst": [1]}, r"did you mean 'trend\.fast'"),
        (nt.sweep, TEAM, {"trend.fast": [1.5]}, "must be an int, was 1.5"),
        (nt.sweep, [], {"a": [1]}, r"strategy must name 1\.\.1024 strategies, named 0"),
        (nt.sweep, [Cross, 5], {"Cross.fast": [1]}, r"nt\.compiled\(\.\.\.\) of one, or nt.Signals, was 5"),
        (nt.sweep, {"": Cross}, {".fast": [1]}, "names must be text"),
        (nt.walk_forward, [Cross, UP], {"Cross.fast": [2]}, "'Signals' must be an nt.Strategy here"),
    ],
)
def test_wrong_input_is_named(search, strategy, grid, message) -> None:
    with pytest.raises(nt.InputError, match=message):
        search(PANEL, strategy, grid)


@pytest.mark.parametrize("params", [{"trend.fast": 2, "trend": {"fast": 3}}, {"dip": {"window": 3}, "dip.window": 3}])
def test_a_parameter_is_given_once(params) -> None:
    with pytest.raises(nt.InputError, match="twice"):
        nt.backtest(PANEL, TEAM, params=params)
