"""nt.sweep: every row is what nt.backtest gives, whoever runs it; the best is the best; what is wrong is named."""

from __future__ import annotations

import math
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.backtest import sweep_pool
from neuraltrade.backtest.sweep_job import STATISTICS


class Cross(nt.Strategy):
    fast: int = 5
    slow: int = 20
    stop: float = 0.05

    def init(self, data):
        self.f, self.s = data.sma(self.fast), data.sma(self.slow)
        self.smooth = data.ema(3, source=self.f)

    def on_bar(self, ctx):
        if ctx.crossed_above(self.f, self.s):
            ctx.buy(stop_loss_rate=self.stop)
        elif ctx.crossed_below(self.smooth, self.s):
            ctx.close_position()


class Fragile(nt.Strategy):
    """Divides by zero at bar 5 where `by` is 0; never trades where it is 2."""

    by: int = 1

    def on_bar(self, ctx):
        if ctx.i == 5 and 1 // self.by == 1:
            ctx.buy()


def bars_of(count: int = 400, seed: int = 7, symbol: str = "X") -> nt.Bars:
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, count)))
    opened = np.concatenate(([100.0], close[:-1])) * (1.0 + rng.normal(0.0, 0.001, count))
    high, low = np.maximum(opened, close) * 1.004, np.minimum(opened, close) * 0.996
    ts_ns = np.arange(1, count + 1) * 86_400_000_000_000
    return nt.Bars(symbol, ts_ns, opened, high, low, close, np.full(count, 1e6))


BARS = bars_of()
GRID = {"fast": range(2, 8), "slow": [15, 20, 40], "stop": [0.01, 0.05]}
RUN = {"cash": 50_000.0, "fees": 0.0005, "slippage": 0.0002, "risk_free": 0.02}


def reference(data, strategy, table, names, **settings):
    """The slow way: one nt.backtest for each row."""
    rows = []
    for row in table:
        params = {name: row[name].item() for name in names}
        rows.append(nt.backtest(data, strategy, params=params, **settings).stats)
    return rows


def same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))


@pytest.mark.parametrize("strategy", [nt.compiled(Cross), Cross], ids=["compiled", "interpreted"])
def test_every_row_is_what_a_backtest_gives(strategy) -> None:
    found = nt.sweep(BARS, strategy, GRID, **RUN)
    assert found.trials == 36
    assert len(np.unique(found.table["sharpe"])) > 20  # the inputs vary
    for row, stats in zip(found.table, reference(BARS, strategy, found.table, GRID, **RUN), strict=True):
        assert all(same(float(row[name]), float(stats[name])) for name in STATISTICS), row
        assert same(row["metric"], stats["sharpe"])


def test_rows_of_a_panel_with_instruments_rates_and_actions_are_exact_too() -> None:
    panel = nt.Panel([BARS, bars_of(300, 8, "Y")])
    run = {
        "cash": 50_000.0,
        "instruments": {"X": nt.Instrument(multiplier=2.0), "Y": nt.Instrument(currency="EUR")},
        "account": nt.Account(currency="USD", borrow_rate=0.03),
        "rates": {"EUR": nt.Rates([1], [1.1])},
        "actions": {"X": nt.Dividends([200 * 86_400_000_000_000 - 5], [0.4])},
        "size": nt.Size.equity(0.3),
    }
    grid = {"fast": [3, 5], "slow": [15, 30]}
    found = nt.sweep(panel, nt.compiled(Cross), grid, **run)
    assert found.table["turnover"].min() > 1.0
    for row, stats in zip(found.table, reference(panel, nt.compiled(Cross), found.table, grid, **run), strict=True):
        assert all(same(float(row[name]), float(stats[name])) for name in STATISTICS)


def test_signals_of_a_callable_are_searched_as_well() -> None:
    def above(data, window, invert=False):
        mean = np.convolve(data.close, np.ones(window) / window)[: len(data)]
        up = (data.close > mean) != invert
        return nt.Signals(entries=up, exits=~up)

    found = nt.sweep(BARS, above, {"window": [5, 10], "invert": [False, True]}, metric="total_return")
    for row in found.table:
        signals = above(BARS, row["window"], bool(row["invert"]))
        assert row["metric"] == nt.backtest(BARS, signals).stats["total_return"]
    assert found.table["invert"].dtype == np.bool_
    assert found.result().settings["params"] == found.best


def test_signals_of_a_panel_have_a_column_for_each_symbol() -> None:
    panel = nt.Panel([BARS, bars_of(400, 8, "Y")])
    closes = np.column_stack([bars.close for bars in panel])

    def rising(data, ago):
        past = np.vstack([np.full((ago, 2), np.inf), closes[:-ago]])
        return nt.Signals(entries=closes > past, exits=closes < past)

    found = nt.sweep(panel, rising, {"ago": [3, 9]}, size=nt.Size.equity(0.4))
    for row in found.table:
        run = nt.backtest(panel, rising(panel, int(row["ago"])), size=nt.Size.equity(0.4))
        assert row["sharpe"] == run.stats["sharpe"] and row["trades"] == run.stats["trades"] > 50


@pytest.mark.parametrize("workers", [1, 3])
def test_threads_change_nothing(workers: int) -> None:
    here = nt.sweep(BARS, Cross, GRID)
    with ThreadPoolExecutor(workers) as pool:
        there = nt.sweep(BARS, nt.compiled(Cross), GRID, executor=pool)
    assert here.digest == there.digest
    assert here.digest == nt.sweep(BARS, nt.compiled(Cross), GRID).digest
    assert here.digest != nt.sweep(BARS, Cross, GRID, fees=0.001).digest


def test_the_best_is_the_first_of_the_highest_and_no_nan() -> None:
    found = nt.sweep(BARS, Fragile, {"by": [2, 1, -1]}, metric="sharpe")
    assert math.isnan(found.table["metric"][0])
    assert found.best == {"by": 1} and found.best_trial == 1
    level = nt.sweep(BARS, Cross, {"slow": [15, 20, 40]}, metric=lambda result: 1.0)
    assert level.best == {"slow": 15}
    lowest = nt.sweep(BARS, Cross, GRID, metric="volatility", maximize=False)
    assert lowest.best_metric == lowest.table["volatility"].min()
    assert lowest.top(2)["metric"].tolist() == np.sort(lowest.table["volatility"])[:2].tolist()


def test_the_result_of_the_best_is_the_backtest_of_it() -> None:
    found = nt.sweep(BARS, Cross, GRID, **RUN)
    result = found.result()
    again = nt.backtest(BARS, Cross, params=found.best, **RUN)
    assert result.digest == again.digest
    assert result.stats["sharpe"] == found.best_metric == again.stats["sharpe"]
    assert result.settings == again.settings
    assert (result.trades == again.trades).all() and len(again.trades)
    assert (
        found.result({"fast": 2, "slow": 40}).digest
        == nt.backtest(BARS, Cross, params={"fast": 2, "slow": 40}, **RUN).digest
    )


def test_a_metric_may_be_any_function_of_the_result() -> None:
    def per_trade(result: nt.Result) -> float:
        return result.stats["total_return"] / max(result.stats["trades"], 1)

    found = nt.sweep(BARS, nt.compiled(Cross), {"fast": [2, 5]}, metric=per_trade)
    assert found.metric == "per_trade"
    stats = nt.backtest(BARS, Cross, params={"fast": 5}).stats
    assert found.table["metric"][1] == stats["total_return"] / stats["trades"]


def test_what_a_strategy_raises_is_told_in_its_row() -> None:
    found = nt.sweep(BARS, Fragile, {"by": [0, 1]}, metric="total_return")
    assert (
        found.table["error"][0]
        == "StrategyError: on_bar raised ZeroDivisionError at bar 5: integer division or modulo by zero"
    )
    assert found.table["error"][1] == "" and math.isnan(found.table["metric"][0])
    assert found.best == {"by": 1} and found.trials == 2
    with pytest.raises(
        nt.StrategyError, match=r"trial 0 with {'by': 0}: StrategyError: on_bar raised ZeroDivisionError"
    ):
        nt.sweep(BARS, Fragile, {"by": [0, 1]}, errors="raise")
    with pytest.raises(nt.StrategyError, match="all 1 trials failed; the first: StrategyError: on_bar raised"):
        nt.sweep(BARS, Fragile, {"by": [0]})
    long = nt.sweep(BARS, Cross, {"slow": [10, 100_000]}, metric="total_return")
    assert "100000" in long.table["error"][1] or long.table["trades"][1] == 0


def test_nothing_that_trades_is_no_best() -> None:
    with pytest.raises(nt.InputError, match="metric is NaN in all 1 trials"):
        nt.sweep(BARS, Fragile, {"by": [2]})


def test_progress_counts_trials() -> None:
    seen: list[tuple[int, int]] = []
    nt.sweep(BARS, nt.compiled(Cross), GRID, progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (0, 36) and seen[1] == (1, 36) and seen[-1] == (36, 36)
    assert seen == sorted(seen)


def test_where_rules_combinations_out() -> None:
    grid = {"fast": [5, 20, 30], "slow": [10, 20]}
    found = nt.sweep(BARS, Cross, grid, where=lambda p: p["fast"] < p["slow"])
    assert [(row["fast"], row["slow"]) for row in found.table] == [(5, 10), (5, 20)]


def test_over_ticks_and_streams(tmp_path) -> None:
    class Chase(nt.Strategy):
        level: float = 100.0

        def on_trade(self, ctx):
            if ctx.last > self.level:
                ctx.buy(1.0)
            else:
                ctx.close_position()

    times = np.arange(1, 51)
    prices = 100.0 + np.sin(times)
    prints = nt.Trades("X", times, prices, np.ones(50), np.where(times % 2 == 0, 1, -1))
    grid, state = {"level": [99.5, 100.4]}, tmp_path / "state"
    found = nt.sweep(prints, Chase, grid, metric="total_return", state=state)
    for row in found.table:
        again = nt.backtest(prints, Chase, params={"level": float(row["level"])}).stats
        assert (row["total_return"], row["trades"]) == (again["total_return"], again["trades"])
        assert row["trades"] > 3
    assert found.digest == nt.sweep(prints, Chase, grid, metric="total_return", state=state).digest
    moved = nt.Trades("X", times, prices + 0.25, np.ones(50), np.where(times % 2 == 0, 1, -1))
    with pytest.raises(nt.InputError, match="belongs to another search"):
        nt.sweep(moved, Chase, grid, metric="total_return", state=state)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": [1, 2]}, "data must be nt.Bars, nt.Panel or nt.Ticks, was list"),
        ({"strategy": 5}, "strategy must be a subclass or an instance of nt.Strategy"),
        ({"grid": {}}, "grid must map names of parameters to values, at least one, was {}"),
        ({"grid": {"fst": [1]}}, "grid 'fst': the strategy has no such parameter; did you mean 'fast'?"),
        ({"grid": {"fast": [1.5]}}, "grid 'fast' must be an int, was 1.5"),
        ({"grid": {"fast": 5}}, r"grid 'fast' must list values \(a range, list or array\) or be nt.Between, was 5"),
        ({"grid": {"fast": "abc"}}, "grid 'fast' must list values"),
        ({"grid": {"fast": []}}, "grid 'fast' has no values"),
        ({"grid": {"fast": [3, 3]}}, "grid 'fast' repeats 3"),
        ({"grid": {"stop": [math.nan]}}, "grid 'stop' must hold finite numbers"),
        ({"where": lambda p: False}, "grid: `where` lets none of 6 combinations through"),
        ({"where": 5}, "where must be None or a callable"),
        ({"metric": "sharp"}, "metric 'sharp' is no statistic; did you mean 'sharpe'?"),
        ({"metric": lambda result: "high"}, "metric must return a number, returned 'high'"),
        ({"method": "genetic"}, "method must be one of grid, random, sobol, bayes, was 'genetic'"),
        ({"trials": 5}, "trials must be None for method='grid'"),
        ({"method": "random"}, "trials must be an int >= 1 for method='random', was None"),
        ({"method": "random", "trials": 0}, "trials must be an int >= 1"),
        ({"errors": "ignore"}, "errors must be one of record, raise, was 'ignore'"),
        ({"executor": 4}, "executor must be None or a concurrent.futures.Executor, was 4"),
        ({"maximize": "yes"}, "maximize must be True or False"),
        ({"earlier_trials": -1}, "earlier_trials must be an int"),
        ({"search_seed": 1.5}, "search_seed must be an int"),
        ({"progress": "bar"}, "progress must be True, False or a callable"),
        ({"fess": 0.1}, "sweep has no argument 'fess'; did you mean 'fees'?"),
        ({"cash": -5}, "cash must be a finite number > 0"),
        ({"fill": "optimistic"}, "optimistic"),
        ({"risk_free": -2.0}, "risk_free must be a finite rate per year > -1"),
        ({"grid": {"fast": nt.Between(2, 9)}}, "'fast' is a range to draw from: use method='random'"),
    ],
)
def test_wrong_input_is_named(change, message) -> None:
    given = {"data": BARS, "strategy": Cross, "grid": {"fast": [2, 3], "slow": [10, 20, 30]}} | change
    with pytest.raises(nt.InputError, match=message):
        nt.sweep(given.pop("data"), given.pop("strategy"), given.pop("grid"), **given)


def test_kept_returns_are_those_of_the_runs_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    found = nt.sweep(BARS, nt.compiled(Cross), GRID, keep_returns=True)
    assert found.returns.shape == (399, 36)
    result = nt.backtest(BARS, Cross, params=found.params(7))
    assert (found.returns[:, 7] == result.returns).all() and result.returns.any()
    with pytest.raises(nt.InputError, match="returns were not kept"):
        nt.sweep(BARS, Cross, {"fast": [2]}).reality_check()
    monkeypatch.setattr(sys.modules["neuraltrade.backtest.sweep"], "RETURNS_MAX_BYTES", 8 * 36 * 400 - 1)
    with pytest.raises(nt.InputError, match="keep_returns: 36 trials of 400 bars need"):
        nt.sweep(BARS, Cross, GRID, keep_returns=True)


def test_luck_is_counted() -> None:
    found = nt.sweep(BARS, nt.compiled(Cross), GRID, keep_returns=True, earlier_trials=10)
    assert found.tries == 46
    ratios = found.table["sharpe"] / math.sqrt(365)
    assert np.array_equal(found.sharpe_ratios, ratios)
    wanted = nt.results.deflated_sharpe(found.result().returns, trials=46, deviation=float(ratios.std(ddof=1)))
    assert found.deflated_sharpe() == wanted
    assert found.deflated_sharpe() < nt.results.probabilistic_sharpe(found.result().returns)
    assert found.overfitting(8).trials == 36
    assert found.reality_check(samples=50).best == int(found.returns.mean(axis=0).argmax())


def test_tables_texts_and_frames() -> None:
    found = nt.sweep(BARS, Cross, GRID)
    frame = found.to_frame()
    assert list(frame.columns)[:5] == ["trial", "fast", "slow", "stop", "metric"]
    assert len(frame) == 36 and frame["fast"].dtype == np.int64
    assert not found.table.flags.writeable
    assert repr(found).splitlines()[0] == "Sweep: 36 trials of fast, slow, stop by sharpe"
    assert len(repr(found).splitlines()) == 7
    with pytest.raises(nt.InputError, match=r"trial must be an int in 0..35, was 36"):
        found.params(36)
    with pytest.raises(nt.InputError, match="count must be an int >= 1"):
        found.top(0)


def test_a_parameter_named_like_a_statistic_keeps_out_of_its_way() -> None:
    def never(data, trades):
        flags = np.arange(len(data)) % trades == 0
        return nt.Signals(entries=flags, exits=~flags)

    found = nt.sweep(BARS, never, {"trades": [7, 9]})
    assert found.table["param_trades"].tolist() == [7, 9]
    assert set(found.best) == {"trades"} and found.table["trades"].min() > 20


def test_the_cost_of_a_chunk_is_bounded_by_its_size() -> None:
    numbered = [(n, {}) for n in range(2 * sweep_pool.CHUNK + 1)]
    sizes = [len(one) for one in sweep_pool.chunks(numbered, sweep_pool.CHUNK)]
    assert sizes == [sweep_pool.CHUNK, sweep_pool.CHUNK, 1]


def test_the_heat_map_as_a_section_of_the_report():
    bars = nt.datasets.load("GOOG")[:200]
    grid = {"lookback": [10, 20, 40], "rebalance": [5, 10], "allow_short": [True, False]}
    found = nt.sweep(bars, nt.strategy.library.Momentum, grid)
    section = found.section("rebalance", "lookback")
    assert (section.x_values, section.y_values, section.trials) == ([5, 10], [10, 20, 40], 12)
    row, column = section.marked
    assert (section.y_values[row], section.x_values[column]) == (found.best["lookback"], found.best["rebalance"])
    assert section.values[row, column] == np.nanmax(section.values) == found.table["metric"].max()
    truth = found.section("allow_short", "lookback")
    assert truth.x_values == [False, True] and truth.x_values[truth.marked[1]] == found.best["allow_short"]
