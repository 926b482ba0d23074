"""nt.walk_forward: each fold is a backtest that knew nothing of what came after; the tests add up to one account."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.backtest.walk_folds import combinatorial_splits, group_edges, paths_of, walk_folds


class Cross(nt.Strategy):
    fast: int = 3
    slow: int = 12

    def init(self, data):
        self.f, self.s = data.ema(self.fast), data.sma(self.slow)

    def on_bar(self, ctx):
        if ctx.crossed_above(self.f, self.s):
            ctx.signal(1, 0.5, reasoning="up")
            ctx.buy(stop_loss_rate=0.03)
        elif ctx.crossed_below(self.f, self.s):
            ctx.sell()


class Waiting(Cross):
    """What a fold runs, as one would write it: nothing before bar `start`."""

    start: int = 0

    def on_bar(self, ctx):
        if ctx.i < self.start:
            return
        if ctx.crossed_above(self.f, self.s):
            ctx.signal(1, 0.5, reasoning="up")
            ctx.buy(stop_loss_rate=0.03)
        elif ctx.crossed_below(self.f, self.s):
            ctx.sell()


def bars_of(count: int = 400, seed: int = 7, symbol: str = "X", first_day: int = 1) -> nt.Bars:
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, count)))
    opened = np.concatenate(([100.0], close[:-1])) * (1.0 + rng.normal(0.0, 0.001, count))
    high, low = np.maximum(opened, close) * 1.004, np.minimum(opened, close) * 0.996
    ts_ns = np.arange(first_day, first_day + count) * 86_400_000_000_000
    return nt.Bars(symbol, ts_ns, opened, high, low, close, np.full(count, 1e6))


BARS = bars_of()
GRID = {"fast": [2, 3, 5], "slow": [8, 12, 20]}
RUN = {"cash": 50_000.0, "fees": 0.0005, "account": nt.Account(leverage=2.0)}


def alone(fold, params, cash, which: str) -> nt.Result:
    """One window, as nt.backtest runs it."""
    start, stop = (fold[f"{which}_start"], fold[f"{which}_stop"])
    settings = {**RUN, "cash": cash}
    return nt.backtest(BARS[:stop], Waiting, params={**params, "start": int(start)}, close_at_end=True, **settings)


@pytest.mark.parametrize(
    ("strategy", "anchored"), [(Cross, False), (nt.compiled(Cross), True)], ids=["rolling", "anchored"]
)
def test_every_fold_is_a_backtest_that_knew_no_more(strategy, anchored) -> None:
    walked = nt.walk_forward(
        BARS, strategy, GRID, folds=4, purge=3, embargo=2, anchored=anchored, metric="total_return", **RUN
    )
    cash, equity, trades, digests = 50_000.0, [], 0, set()
    for fold, params in zip(walked.folds, walked.params, strict=True):
        scores = {}
        for fast in GRID["fast"]:
            for slow in GRID["slow"]:
                run = alone(fold, {"fast": fast, "slow": slow}, 50_000.0, "train")
                scores[fast, slow] = run.equity[-1] / 50_000.0 - 1.0
        best = max(scores, key=scores.get)
        assert (params["fast"], params["slow"]) == best == (fold["fast"], fold["slow"])
        assert fold["train_metric"] == scores[best]
        tested = alone(fold, params, cash, "test")
        equity.append(tested.equity[fold["test_start"] :])
        assert fold["test_metric"] == tested.equity[-1] / cash - 1.0 == fold["return_"]
        cash = float(tested.equity[-1])
        trades += len(tested.trades)
        digests.add(tested.digest)
    assert np.array_equal(walked.result.equity, np.concatenate(equity))
    assert len(walked.result.trades) == trades > 20 and len(digests) == 4
    assert anchored or len({(p["fast"], p["slow"]) for p in walked.params}) > 1  # rolling folds do not all choose alike
    first = walked.folds["test_start"][0]
    assert np.array_equal(walked.result.ts_ns, BARS.ts_ns[first:])


def test_the_joined_result_hangs_together(tmp_path) -> None:
    walked = nt.walk_forward(BARS, nt.compiled(Cross), GRID, folds=5, **RUN)
    result = walked.result
    assert result.orders["order_id"].tolist() == list(range(1, len(result.orders) + 1))
    assert result.signals["signal_id"].tolist() == list(range(1, len(result.signals) + 1))
    assert set(result.fills["order_id"]) <= set(result.orders["order_id"])
    tables = {"fills": "", "trades": "entry_", "orders": "created_", "signals": ""}
    for rows, bar, stamp in ((getattr(result, name), f"{p}bar", f"{p}ts_ns") for name, p in tables.items()):
        assert (result.ts_ns[rows[bar]] == rows[stamp]).all() and len(rows)
        assert (np.diff(rows[stamp]) >= 0).all()
    by_id = dict(zip(result.orders["order_id"].tolist(), result.orders["created_bar"].tolist(), strict=True))
    assert all(by_id[t["entry_order_id"]] <= t["entry_bar"] for t in result.trades)
    assert not result.trades["open"].any()  # closed at the end of each test
    assert result.reasoning == ("up",) and (result.signals["reasoning"] == 0).all()
    assert result.cash + result.trades["pnl"].sum() == pytest.approx(result.equity[-1], abs=1e-6)
    assert result.stats["fees"] == pytest.approx(result.fills["fee"].sum())
    assert result.settings["walk_forward"][0]["test"] == [66, 132]
    result.save(tmp_path / "walked.ntr")
    loaded = nt.Result.load(tmp_path / "walked.ntr")
    assert (loaded.digest, loaded.settings) == (result.digest, result.settings)
    again = nt.walk_forward(BARS, Cross, GRID, folds=5, **RUN)
    assert again.result.digest == result.digest and again.others.digest == walked.others.digest


def test_what_comes_after_a_fold_changes_nothing_in_it() -> None:
    """Also for a strategy whose init looks at all the data it is given."""

    class Greedy(Cross):
        def init(self, data):
            self.f = data.indicator((data.close - data.close.mean()) / data.close.std(), "scaled by all of it")
            self.s = data.sma(self.slow, source=self.f)

    altered = BARS.close.copy()
    altered[300:] *= np.linspace(1.0, 3.0, 100)
    scales = {"open": 1.0, "high": 1.01, "low": 0.99, "close": 1.0}
    early = np.arange(400) < 300
    columns = [np.where(early, getattr(BARS, name), altered * scale) for name, scale in scales.items()]
    other = nt.Bars("X", BARS.ts_ns, *columns, BARS.volume)
    settings = {"folds": 3, "anchored": True, "train": 100, **RUN}
    one, two = (nt.walk_forward(bars, Greedy, {"slow": [8, 12, 20]}, **settings) for bars in (BARS, other))
    assert one.folds["test_stop"].tolist() == [200, 300, 400]
    assert (one.folds[:2] == two.folds[:2]).all() and np.array_equal(one.result.equity[:200], two.result.equity[:200])
    assert one.result.equity[-1] != two.result.equity[-1]


def test_a_fold_in_which_nothing_can_be_chosen_waits() -> None:
    class Late(nt.Strategy):
        from_bar: int = 200

        def on_bar(self, ctx):
            if ctx.i >= self.from_bar and ctx.i % 7 == 0:
                ctx.buy()
            elif ctx.i % 7 == 3:
                ctx.close_position()

    walked = nt.walk_forward(BARS, Late, {"from_bar": [200, 210]}, folds=3, cash=50_000.0)
    assert walked.params[0] is None and walked.params[-1] is not None
    start, stop = walked.folds["test_start"][0], walked.folds["test_stop"][0]
    assert (walked.result.equity[: stop - start] == 50_000.0).all()
    assert math.isnan(walked.folds["train_metric"][0]) and walked.folds["return_"][0] == 0.0


def test_a_panel_walks_by_its_clock() -> None:
    panel = nt.Panel([BARS, bars_of(300, 9, "Y", first_day=21)])
    walked = nt.walk_forward(panel, nt.compiled(Cross), GRID, folds=3, size=nt.Size.equity(0.3))
    assert np.array_equal(walked.result.ts_ns, panel.ts_ns[100:])
    assert set(walked.result.trades["symbol"]) == {"X", "Y"}
    assert (walked.result.ts_ns[walked.result.fills["bar"]] == walked.result.fills["ts_ns"]).all()
    late = nt.Panel([BARS, bars_of(200, 9, "Y", first_day=201)])
    with pytest.raises(nt.InputError, match="Y has no bar in the first window of 100 steps"):
        nt.walk_forward(late, Cross, GRID, folds=3)


def test_luck_is_counted_over_the_tested_bars() -> None:
    walked = nt.walk_forward(BARS, nt.compiled(Cross), GRID, folds=4, earlier_trials=5, risk_free=0.02, **RUN)
    others = walked.others
    first = int(walked.folds["test_start"][0])
    params = {"fast": 3, "slow": 12, "start": first}
    tested = nt.backtest(BARS, Waiting, params=params, close_at_end=True, risk_free=0.02, **RUN)
    row = int(np.flatnonzero((others.table["fast"] == 3) & (others.table["slow"] == 12))[0])
    assert np.array_equal(others.returns[:, row], tested.returns[first:])
    assert others.table["trades"][row] == tested.stats["trades"]
    target = math.expm1(math.log1p(0.02) / 365)
    returns, deviation = walked.result.returns, others.sharpe_deviation
    assert (walked.trials, walked.tries) == (9, 14)
    assert walked.probabilistic_sharpe == nt.results.probabilistic_sharpe(returns, target=target)
    assert walked.deflated_sharpe == nt.results.deflated_sharpe(returns, trials=14, deviation=deviation, target=target)
    assert walked.overfitting(4).trials == 9 and walked.reality_check(samples=20).trials == 9
    assert walked.passes(0.05) is False
    assert walked.minimum_track_record > 0.0


def test_an_edge_that_is_there_passes() -> None:
    """A market that goes up on even days and down on odd ones, by more than it costs."""
    rng = np.random.default_rng(3)
    swings = np.where(np.arange(600) % 2 == 0, 0.004, -0.003) + rng.normal(0.0, 0.002, 600)
    close = 100.0 * np.exp(np.cumsum(swings))
    bars = nt.Bars(
        "X", np.arange(1, 601) * 86_400_000_000_000, close, close * 1.001, close * 0.999, close, np.ones(600)
    )

    class Days(nt.Strategy):
        remainder: int = 0
        every: int = 2

        def on_bar(self, ctx):
            if ctx.i % self.every == self.remainder:
                ctx.buy()
            else:
                ctx.close_position()

    grid = {"remainder": [0, 1, 2], "every": [2, 3]}
    policy = nt.FillPolicy.preset("vectorbt")  # at the close
    walked = nt.walk_forward(bars, Days, grid, where=lambda p: p["remainder"] < p["every"], folds=4, fill=policy)
    assert walked.passes(0.05) and walked.deflated_sharpe > 0.999
    assert all(params == {"remainder": 1, "every": 2} for params in walked.params)
    assert 0.5 < walked.efficiency < 1.5


def test_progress_texts_and_report(tmp_path) -> None:
    seen: list[tuple[int, int]] = []
    walked = nt.walk_forward(BARS, Cross, GRID, folds=2, progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (0, 27) and seen[-1] == (27, 27) and seen == sorted(seen)
    assert repr(walked).splitlines()[0] == "WalkForward: 2 folds, 9 candidates, out of sample 1970-05-15 to 1971-02-05"
    assert len(walked.to_frame()) == 2
    pytest.importorskip("jinja2")
    pytest.importorskip("plotly")
    page = walked.report(tmp_path / "walk.html", notes=nt.report.NotesSection(["A note of mine."]))
    text = page.read_text(encoding="utf-8")
    assert "A note of mine." in text and "parameters chosen before each among 9" in text
    assert 'id="parameters-chart"' in text and "Sharpe by fast and slow" in text


def test_a_strategy_that_fails_in_a_test_is_named() -> None:
    class Fails(Cross):
        def on_bar(self, ctx):
            if ctx.i == 150:
                raise RuntimeError("not today")
            super().on_bar(ctx)

    with pytest.raises(
        nt.StrategyError,
        match=r"fold 0, test with \{'slow': 12\}: StrategyError: on_bar raised RuntimeError at bar 150",
    ):
        nt.walk_forward(BARS, Fails, {"slow": [12]}, folds=2, **RUN)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": 5}, "data must be nt.Bars or nt.Panel, was int"),
        ({"folds": 0}, "folds must be an int in 1..400, was 0"),
        ({"folds": 250}, "leave fewer than 2 of the 1 steps to train on"),
        ({"purge": -1}, "purge must be an int in 0..400, was -1"),
        ({"embargo": 1.5}, "embargo must be an int in 0..400, was 1.5"),
        ({"purge": 40, "embargo": 4}, r"purge \+ embargo \(44\) leave fewer than 2 of the 44 steps to train on"),
        ({"train": 1}, "train must be an int in 2..400, was 1"),
        ({"train": 399}, "8 tests in 1 steps leave one with fewer than 2"),
        ({"anchored": 1}, "anchored must be True or False, was 1"),
        ({"method": "bayes", "trials": 3}, "method must be one of grid, random, sobol, was 'bayes'"),
        ({"fold": 5}, "walk_forward has no argument 'fold'; did you mean 'folds'?"),
        ({"metric": "sharp"}, "metric 'sharp' is no statistic"),
        ({"grid": {"fst": [1]}}, "did you mean 'fast'?"),
        ({"errors": "ignore"}, "errors must be one of record, raise"),
    ],
)
def test_wrong_input_is_named(change, message) -> None:
    given = {"data": BARS, "strategy": Cross, "grid": GRID} | change
    with pytest.raises(nt.InputError, match=message):
        nt.walk_forward(given.pop("data"), given.pop("strategy"), given.pop("grid"), **given)


def test_alpha_is_checked() -> None:
    walked = nt.walk_forward(BARS, Cross, {"slow": [12]}, folds=2)
    with pytest.raises(nt.InputError, match=r"alpha must be in \(0, 0.5\), was 0.5"):
        walked.passes(0.5)


@pytest.mark.parametrize("anchored", [False, True])
@pytest.mark.parametrize(("steps", "folds", "train", "gap"), [(100, 8, None, 0), (1003, 7, 200, 30), (50, 1, 20, 4)])
def test_windows_follow_one_another_and_never_touch_what_comes_after(steps, folds, train, gap, anchored) -> None:
    found = walk_folds(steps, folds, train=train, purge=gap // 2, embargo=gap - gap // 2, anchored=anchored)
    assert len(found) == folds and found[-1].test_stop == steps
    for one, after in itertools.pairwise(found):
        assert one.test_stop == after.test_start
    for one in found:
        assert 0 <= one.train_start < one.train_stop == one.test_start - gap < one.test_stop
        assert one.train_start == 0 if anchored else one.test_start - one.train_start == found[0].test_start
    lengths = [one.test_stop - one.test_start for one in found]
    assert max(lengths) - min(lengths) <= 1


def test_splits_are_purged_and_paths_use_each_once() -> None:
    edges = group_edges(103, 6)
    splits = combinatorial_splits(edges, 2, purge=3, embargo=2)
    assert len(splits) == 15 and len({split.test for split in splits}) == 15
    for split in splits:
        tested = np.zeros(103, bool)
        for group in split.test:
            tested[edges[group] : edges[group + 1]] = True
        for step in range(103):
            near = tested[step] or tested[step : step + 4].any() or tested[max(0, step - 5) : step].any()
            assert split.train[step] == (not near), (split.test, step)
    paths = paths_of(splits, 6)
    assert len(paths) == 5
    used = [(split, group) for path in paths for group, split in enumerate(path)]
    assert len(set(used)) == 30 and all(group in splits[split].test for split, group in used)


def test_an_account_that_has_lost_everything_waits() -> None:
    close = np.concatenate([np.linspace(100.0, 130.0, 225), np.linspace(60.0, 70.0, 75)])
    bars = nt.Bars("X", np.arange(1, 301) * 86_400_000_000_000, close, close + 1.0, close - 1.0, close, np.ones(300))

    class Hold(nt.Strategy):
        size: float = 4.0

        def on_bar(self, ctx):
            ctx.target(self.size)

    walked = nt.walk_forward(bars, Hold, {"size": [4.0, 4.5]}, folds=5, train=50, account=nt.Account(leverage=5.0))
    equity, folds = walked.result.equity, walked.folds
    ruined = int(np.flatnonzero(equity <= 0.0)[0])
    assert folds["test_start"][3] <= ruined + 50 < folds["test_stop"][3]
    assert (equity[200:] == equity[199]).all() and equity[199] < 0.0  # fold 4: no trade, the debt stays
    assert folds["return_"][4] == 0.0 and np.isnan(folds["test_metric"][4]) and np.isfinite(folds["train_metric"][4])
    assert walked.result.trades["entry_bar"].max() < 200


def test_a_metric_may_be_a_function_of_the_window_s_result() -> None:
    def own(result: nt.Result) -> float:
        assert len(result.equity) == len(result.ts_ns) in (99, 100)
        return result.stats["total_return"]

    one = nt.walk_forward(BARS, Cross, GRID, folds=3, metric=own, purge=1, **RUN)
    two = nt.walk_forward(BARS, Cross, GRID, folds=3, metric="total_return", purge=1, **RUN)
    assert one.result.digest == two.result.digest and (one.folds == two.folds).all()
