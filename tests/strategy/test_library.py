"""The library on real data: both speeds, no look-ahead, and of each strategy what it promises."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.core import spread
from neuraltrade.errors import DependencyMissing
from neuraltrade.ports import SIMILAR_DTYPE

library = nt.strategy.library
COSTS = {"cash": 100_000.0, "fees": 0.0005, "slippage": 0.0002}
AAPL, IBM, MSFT = (nt.datasets.load(name)[-700:] for name in ("AAPL", "IBM", "MSFT"))
PANEL = nt.Panel([AAPL, IBM, MSFT])
SCORES = {bars.symbol: (bars.ts_ns[::7], np.sin(np.arange(100))) for bars in PANEL.bars}


class Recalled:
    """Remembers what it is told."""

    def __init__(self, outcomes=(0.02, 0.03, 0.01), distance=0.1):
        self.outcomes, self.distance = outcomes, distance

    def similar(self, symbol, ts_ns, k):
        rows = np.zeros(k, SIMILAR_DTYPE)
        rows["distance"] = self.distance
        rows["outcome"] = np.resize(self.outcomes, len(rows))
        return rows


CASES = {
    "Momentum": (PANEL, library.Momentum(lookback=60, max_fraction=0.3, allow_short=True), None),
    "EnhancedMomentum": (PANEL, library.EnhancedMomentum.scored(SCORES, lookback=60, max_fraction=0.3), None),
    "MeanReversion": (PANEL, library.MeanReversion(oversold=40.0, allow_short=True), None),
    "Pairs": (nt.Panel([IBM, MSFT]), library.Pairs(lookback=60, entry=1.5), None),
    "Trend": (PANEL, library.Trend(long=120, max_fraction=0.3, allow_short=True), None),
    "Mirror": (AAPL, library.Mirror(allow_short=True), Recalled((0.02, -0.03, 0.05, 0.01))),
    "Forecast": (AAPL, library.Forecast(window=200, least=100, refit=60, allow_short=True), None),
    "Ensemble": (
        PANEL,
        library.Ensemble.of(
            [library.Trend(long=120), library.MeanReversion(oversold=45.0)], [2.0, 1.0], allow_short=True, window=200
        ),
        None,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_both_speeds_decide_alike(name):
    data, strategy, recall = CASES[name]
    runs = [nt.backtest(data, each, recall=recall, **COSTS) for each in (strategy, nt.compiled(strategy))]
    assert runs[0].digest == runs[1].digest
    assert len(runs[0].fills) >= 5
    assert len(runs[0].denials) == 0
    assert set(runs[0].orders["signal_id"]) != {0}, "decisions are recorded"


def test_each_has_a_case_and_risk_defaults_that_let_it_trade():
    assert {*CASES, "MarketMaker"} == set(library.__all__)
    for name, (data, strategy, recall) in CASES.items():
        assert isinstance(strategy.risk_defaults, nt.RiskLimits), name
        assert len(nt.backtest(data, strategy, recall=recall, risk=strategy.risk_defaults, **COSTS).fills) > 0, name


@pytest.mark.parametrize("name", ["EnhancedMomentum", "MeanReversion", "Pairs", "Trend", "Forecast", "Ensemble"])
def test_the_future_does_not_move_the_past(name):
    data, strategy, _ = CASES[name]
    whole = nt.backtest(data, strategy, **COSTS)
    cut = 450
    changed = []
    for bars in data.bars if isinstance(data, nt.Panel) else (data,):
        columns = [np.array(column) for column in bars.columns()]
        for column in columns[1:5]:
            column[cut:] *= np.linspace(1.0, 3.0, len(bars) - cut)
        changed.append(nt.Bars(bars.symbol, *columns))
    other = nt.backtest(nt.Panel(changed), strategy, **COSTS)
    for table, column in (("signals", "bar"), ("orders", "created_bar")):
        before = [rows[rows[column] < cut] for rows in (getattr(whole, table), getattr(other, table))]
        names = [
            n for n in before[0].dtype.names if not n.startswith("done") and n not in ("status", "filled", "quantity")
        ]
        assert len(before[0]) > 3
        for one in names:
            left, right = before[0][one], before[1][one]
            assert np.array_equal(left, right, equal_nan=left.dtype.kind == "f"), (table, one)
    assert whole.digest != other.digest


def test_a_bad_score_closes_and_keeps_out():
    bad = {"AAPL": ([AAPL.ts_ns[300]], [-1.0])}
    plain = library.EnhancedMomentum.scored({}, lookback=60, threshold=0.0)
    heard = library.EnhancedMomentum.scored(bad, lookback=60, threshold=0.0, max_age_days=100.0)
    runs = [nt.backtest(AAPL, each, **COSTS) for each in (plain, heard)]
    vetoed = (AAPL.ts_ns >= AAPL.ts_ns[300]) & (AAPL.ts_ns <= AAPL.ts_ns[300] + 100 * 86_400 * 10**9)
    created = [set(run.orders["created_bar"][run.orders["side"] > 0]) for run in runs]
    assert not created[1] & set(np.flatnonzero(vetoed))
    assert (runs[0].equity[:300] == runs[1].equity[:300]).all()
    assert (runs[1].orders["created_bar"] == 300).any()
    assert runs[0].digest != runs[1].digest


@pytest.mark.parametrize(
    ("scores", "words"),
    [(3, "must map symbols"), ({"A": 3}, r"scores\['A'\]"), ({"A": ([2, 1], [0.0, 0.0])}, "ascend"),
     ({"A": ([1], [np.nan])}, "finite"), ({"A": ([1, 2], [0.0])}, "as many")],
)  # fmt: skip
def test_wrong_scores(scores, words):
    with pytest.raises(nt.InputError, match=words):
        library.EnhancedMomentum.scored(scores)


def test_no_scores_no_run():
    with pytest.raises(nt.InputError, match=r"EnhancedMomentum\.scored"):
        nt.backtest(AAPL, library.EnhancedMomentum)


def test_mean_reversion_leaves_in_time():
    run = nt.backtest(AAPL, library.MeanReversion(oversold=45.0, max_bars=4), **COSTS)
    closed = run.trades[~run.trades["open"]]
    assert len(closed) > 5
    assert int((closed["exit_bar"] - closed["entry_bar"]).max()) <= 5
    mean = np.convolve(AAPL.close, np.ones(20) / 20, "valid")
    opened = run.orders[(run.orders["role"] == "entry")]["created_bar"]
    assert (AAPL.close[opened] < mean[opened - 19]).all()


def test_legs_of_a_pair_open_together_and_stand_against_each_other():
    run = nt.backtest(nt.Panel([IBM, MSFT]), library.Pairs(lookback=60, entry=1.5), **COSTS)
    entries = run.orders[run.orders["role"] == "entry"]
    assert len(entries) >= 6
    for bar in np.unique(entries["created_bar"]):
        legs = entries[entries["created_bar"] == bar]
        assert set(legs["symbol"]) == {"IBM", "MSFT"}
        assert int(legs["side"].sum()) == 0


def test_the_filter_finds_the_hedge_ratio():
    rng = np.random.default_rng(5)
    x = np.cumsum(rng.normal(0, 0.02, 4000)) + 4.0
    y = 0.3 + 0.7 * x + rng.normal(0, 0.01, 4000)
    surprise, beta = spread.kalman(y, x, 1e-7)
    assert abs(float(beta[-500:].mean()) - 0.7) < 0.05
    assert abs(float(surprise[500:].mean())) < 0.1
    again = spread.kalman(y[:1000], x[:1000], 1e-7)
    assert np.array_equal(surprise[:1000], again[0])
    assert np.array_equal(beta[:1000], again[1])


def test_pairs_wants_two_symbols():
    with pytest.raises(nt.InputError, match="needs a panel of two symbols"):
        nt.backtest(IBM, library.Pairs)


def test_the_cointegration_test_narrows_what_is_traded():
    pytest.importorskip("statsmodels")
    data = nt.Panel([IBM, MSFT])
    given = {"lookback": 60, "entry": 1.5}
    free, tested, never = (
        nt.backtest(data, library.Pairs(significance=level, **given), **COSTS) for level in (0.0, 0.2, 1e-9)
    )
    assert len(never.orders) == 0
    assert 0 < len(tested.orders) < len(free.orders)


def test_without_statsmodels_it_says_what_to_install(monkeypatch):
    for name in ("statsmodels", "statsmodels.tsa.stattools"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(DependencyMissing, match=r"neuraltrade\[pairs\]"):
        nt.backtest(nt.Panel([IBM, MSFT]), library.Pairs(significance=0.05, lookback=60), **COSTS)


def test_mirror_repeats_what_paid():
    for sign in (1, -1):
        recall = Recalled((sign * 0.02, sign * 0.021))
        run = nt.backtest(AAPL, library.Mirror(allow_short=True), recall=recall, **COSTS)
        assert set(run.trades["direction"]) == {sign}
        closed = run.trades[~run.trades["open"]]
        assert len(closed) > 20
        assert int((closed["exit_bar"] - closed["entry_bar"]).max()) <= library.Mirror.hold + 1
    for recall in (None, Recalled((0.02, -0.02)), Recalled((np.nan,)), Recalled(distance=1.5)):
        assert len(nt.backtest(AAPL, library.Mirror, recall=recall, **COSTS).orders) == 0


def quotes(seed, count=3000):
    rng = np.random.default_rng(seed)
    ts = np.arange(1, count + 1) * 10**8
    mid = 100.0 + np.cumsum(rng.choice([-0.01, 0.0, 0.01], count))
    bid, ask = np.round(mid - 0.01, 2), np.round(mid + 0.01, 2)
    sizes = rng.integers(1, 9, (2, count)).astype(float)
    side = rng.choice([1, -1], count)
    prints = nt.Trades("X", ts + 1, np.where(side > 0, ask, bid), rng.integers(1, 5, count).astype(float), side)
    return nt.Ticks([nt.Quotes("X", ts, bid, sizes[0], ask, sizes[1]), prints])


def test_the_market_maker_keeps_to_its_side_and_its_inventory():
    ticks = quotes(3)
    maker = library.MarketMaker(tick=0.01, size=1.0, max_inventory=4.0)
    runs = [nt.backtest(ticks, each, cash=10_000.0) for each in (maker, nt.compiled(maker))]
    run = runs[0]
    assert run.digest == runs[1].digest
    assert len(run.fills) > 40
    assert len(run.denials) == 0
    held = np.cumsum(run.fills["side"] * run.fills["quantity"])
    assert np.abs(held).max() <= 5.0, "one more may be on its way"
    assert {1, -1} == set(run.fills["side"])
    leaning = nt.backtest(ticks, library.MarketMaker(tick=0.01, size=1.0, max_inventory=4.0, skew=0.0), cash=10_000.0)
    spread = [np.abs(np.cumsum(r.fills["side"] * r.fills["quantity"])).mean() for r in (run, leaning)]
    assert spread[0] < spread[1], "the skew brings the inventory back"


class Always(nt.Strategy):
    side: int = 1

    def on_bar(self, ctx):
        if ctx.i == 5:
            ctx.target(0.3 * self.side)


def test_an_ensemble_weighs_votes_and_stacks():
    up, down = Always(side=1), Always(side=-1)

    def orders(members, weights=None, **given):
        run = nt.backtest(AAPL, library.Ensemble.of(members, weights, **given), **COSTS)
        return [(int(row["created_bar"]), int(row["side"])) for row in run.orders]

    assert orders([up, up, down]) == [(6, 1)]
    assert orders([up, down]) == []
    assert orders([up, down, down], allow_short=True) == [(6, -1)]
    assert orders([up, down, down]) == []
    assert orders([up, down, down], [3.0, 1.0, 1.0], method="vote") == [(6, 1)]
    assert orders([up, down, nt.compiled(down)], method="vote", allow_short=True) == [(6, -1)]
    rising = nt.Bars("X", AAPL.ts_ns, *[np.linspace(10.0, 90.0, len(AAPL))] * 4, AAPL.volume)
    stacked = nt.backtest(rising, library.Ensemble.of([up, down], method="stack", window=100), **COSTS)
    assert stacked.orders["created_bar"].tolist() == [100]
    assert stacked.orders["side"].tolist() == [1]


@pytest.mark.parametrize(
    ("members", "given", "words"),
    [([], {}, "must be a list"), ("Always", {}, "must be a list"),
     ([Always], {"weights": [1.0, 2.0]}, "1 numbers above 0"),
     ([Always], {"weights": [0.0]}, "above 0"), ([Always], {"method": "mean"}, "weight, vote, stack")],
)  # fmt: skip
def test_wrong_ensembles(members, given, words):
    with pytest.raises(nt.InputError, match=words):
        library.Ensemble.of(members, **given)
    with pytest.raises(nt.InputError, match=r"Ensemble\.of"):
        nt.backtest(AAPL, library.Ensemble)


@pytest.mark.parametrize("name", [*CASES, "MarketMaker"])
def test_no_parameter_is_taken_as_it_comes(name):
    """Below, beyond and beside any sense: refused by name before the first bar, or harmless; nothing else comes out."""
    data, strategy, recall = CASES.get(name, (quotes(1, 60), library.MarketMaker(), None))
    short = data if isinstance(data, nt.Ticks) else nt.Panel([bars[:150] for bars in getattr(data, "bars", (data,))])
    refused = 0
    for parameter, value in strategy.parameter_values().items():
        if isinstance(value, bool):
            continue
        for bad in {int: (0, -1), float: (-1e12, float("nan"), float("inf")), str: ("mean",)}[type(value)]:
            if name == "Forecast" and parameter == "least":
                continue
            try:
                run = nt.backtest(short, strategy, params={parameter: bad}, recall=recall, **COSTS)
            except nt.InputError as error:
                refused += 1
                assert not isinstance(error, nt.StrategyError)
            else:
                assert np.isfinite(run.equity).all(), (parameter, bad)
    assert refused >= 5
