"""Every statistic against an independent, slow definition in plain Python."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pytest

from neuraltrade import InputError
from neuraltrade.results import DEFINITIONS, Statistics
from neuraltrade.results.annual import YEAR_NS, infer_periods_per_year
from neuraltrade.results.statistics import compute, drawdowns, exposure, simple_returns

DAY = 86_400_000_000_000


def slow_returns(equity):
    return [b / a - 1.0 for a, b in itertools.pairwise(equity)]


def slow_returns_statistics(equity, cash, periods, risk_free):
    returns = slow_returns(equity)
    count = len(returns)
    target = (1.0 + risk_free) ** (1.0 / periods) - 1.0
    mean = math.fsum(returns) / count
    deviation = math.sqrt(math.fsum((r - mean) ** 2 for r in returns) / (count - 1))
    downside = math.sqrt(math.fsum(min(r - target, 0.0) ** 2 for r in returns) / count)
    ordered = sorted(returns)
    place = 0.05 * (count - 1)
    low = int(place)
    tail = ordered[: low + 1]
    return {
        "total_return": equity[-1] / cash - 1.0,
        "cagr": (equity[-1] / cash) ** (1.0 / (count / periods)) - 1.0,
        "volatility": deviation * math.sqrt(periods),
        "sharpe": (mean - target) / deviation * math.sqrt(periods),
        "sortino": (mean - target) / downside * math.sqrt(periods),
        "var_95": ordered[low] * (1.0 - (place - low)) + ordered[low + 1] * (place - low),
        "cvar_95": math.fsum(tail) / len(tail),
    }


def slow_drawdown(equity, cash):
    """(deepest, longest): walk the curve with the peak in hand; the cash is a peak one bar before the first."""
    peak, peak_bar, deepest, longest = cash, -1, 0.0, 0
    for bar, value in enumerate(equity):
        if value >= peak:
            if bar - peak_bar > 1:
                longest = max(longest, bar - peak_bar)
            peak, peak_bar = value, bar
        deepest = min(deepest, value / peak - 1.0)
    return deepest, max(longest, len(equity) - 1 - peak_bar)


def slow_exposure(trades, count):
    held = set()
    for trade in trades:
        held |= set(range(int(trade["entry_bar"]), count if trade["open"] else int(trade["exit_bar"])))
    return len(held) / count


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("risk_free", [0.0, 0.03])
def test_every_return_statistic_equals_its_slow_definition(run, seed, risk_free):
    result = run(count=300 + 7 * seed, seed=seed, risk_free=risk_free)
    expected = slow_returns_statistics(result.equity.tolist(), result.cash, 365.0, risk_free)
    assert result.periods_per_year == 365.0
    for name, value in expected.items():
        assert result.stats[name] == pytest.approx(value, rel=1e-9, abs=1e-12), name
    assert result.stats["calmar"] == pytest.approx(expected["cagr"] / -result.stats["max_drawdown"], rel=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_exposure_equals_a_set_of_bars(seed):
    rng = np.random.default_rng(seed)
    trades = np.zeros(12, [("entry_bar", "i8"), ("exit_bar", "i8"), ("open", "?")])
    trades["entry_bar"] = rng.integers(0, 60, 12)
    trades["exit_bar"] = trades["entry_bar"] + rng.integers(0, 15, 12)
    trades["open"][0] = seed % 2
    assert exposure(trades, 80) == slow_exposure(trades, 80)


@pytest.mark.parametrize("seed", range(20))
def test_drawdowns_equal_a_walk_along_the_curve(run, seed):
    rng = np.random.default_rng(seed)
    # whole numbers: many ties, so flat stretches and exact recoveries
    equity = np.round(1000.0 + np.cumsum(rng.integers(-3, 4, 60)), 0)
    result = run(count=60, trade_count=0, equity=equity, cash=1001.0)
    deepest, longest = slow_drawdown(equity.tolist(), 1001.0)
    assert result.stats["max_drawdown"] == pytest.approx(deepest, abs=1e-15)
    assert result.stats["max_drawdown_bars"] == longest
    assert drawdowns(equity, 1001.0).min() == pytest.approx(deepest, abs=1e-15)


def test_drawdown_by_hand():
    equity = np.array([100.0, 110.0, 99.0, 104.5, 110.0, 120.0, 90.0])
    stats = statistics_of(equity, cash=100.0)
    assert stats["max_drawdown"] == 90.0 / 120.0 - 1.0
    assert stats["max_drawdown_bars"] == 3  # from 110 at bar 1 to 110 at bar 4
    assert statistics_of(np.array([99.0, 99.0]), cash=100.0)["max_drawdown"] == pytest.approx(-0.01)


def test_trade_statistics_equal_their_slow_definitions(run):
    result = run(count=800, trade_count=60, symbols=("A", "B", "C"), seed=11)
    closed = [trade for trade in result.trades if not trade["open"]]
    pnl = [float(trade["pnl"]) for trade in closed]
    wins, losses = [p for p in pnl if p > 0], [p for p in pnl if p < 0]
    stats = result.stats
    assert wins and losses and len(closed) == 59
    assert (stats["trades"], stats["open_trades"]) == (59, 1)
    assert stats["win_rate"] == len(wins) / 59
    assert stats["profit_factor"] == pytest.approx(sum(wins) / -sum(losses))
    assert stats["avg_win"] == pytest.approx(sum(wins) / len(wins))
    assert stats["avg_loss"] == pytest.approx(sum(losses) / len(losses))
    assert stats["expectancy"] == pytest.approx(sum(pnl) / 59)
    assert stats["best_trade"] == max(float(t["return_"]) for t in closed)
    assert stats["worst_trade"] == min(float(t["return_"]) for t in closed)
    assert stats["avg_trade_bars"] == pytest.approx(sum(int(t["exit_bar"] - t["entry_bar"]) for t in closed) / 59)
    assert stats["exposure"] == pytest.approx(slow_exposure(result.trades, 800))
    notional = sum(float(f["quantity"] * f["price"]) for f in result.fills)
    assert stats["turnover"] == pytest.approx(notional / (sum(result.equity.tolist()) / 800))
    assert stats["fees"] == pytest.approx(0.5 * len(result.fills))
    assert stats["final_equity"] == result.equity[-1]


def test_exposure_counts_overlapping_trades_once_and_same_bar_trades_not(run):
    result = run(count=10, trade_count=3)
    trades = result.slots["trades"]
    for row, (entry, leave, still_open) in zip(trades, [(2, 5, False), (3, 6, False), (8, 8, False)], strict=True):
        row["entry_bar"], row["exit_bar"], row["open"] = entry, leave, still_open
    assert result.stats["exposure"] == 0.4


def test_multipliers_enter_the_turnover(run):
    plain, tenfold = run(), run(settings={"multipliers": {"AAPL": 10.0}})
    assert tenfold.stats["turnover"] == pytest.approx(10.0 * plain.stats["turnover"])


def statistics_of(equity, cash=None, periods=252.0):
    fills = np.zeros(0, [("symbol", "i4"), ("quantity", "f8"), ("price", "f8"), ("fee", "f8")])
    trades = np.zeros(0, [("open", "?"), ("pnl", "f8"), ("return_", "f8"), ("entry_bar", "i8"), ("exit_bar", "i8")])
    return compute(equity, equity[0] if cash is None else cash, fills, trades, periods_per_year=periods)


def test_zero_denominators_are_nan():
    flat = statistics_of(np.full(10, 500.0))
    for name in ("sharpe", "sortino", "calmar", "win_rate", "profit_factor", "avg_win", "avg_loss", "expectancy"):
        assert math.isnan(flat[name]), name
    assert (flat["volatility"], flat["max_drawdown"], flat["max_drawdown_bars"], flat["exposure"]) == (0.0, 0.0, 0, 0.0)
    rising = statistics_of(np.array([1.0, 2.0, 4.0, 8.0]))  # the same return every bar
    assert math.isnan(rising["sharpe"]) and math.isnan(rising["sortino"])


def test_one_bar_has_no_returns():
    stats = statistics_of(np.array([100.0]))
    assert all(math.isnan(stats[name]) for name in ("cagr", "volatility", "sharpe", "sortino", "var_95", "cvar_95"))
    assert (stats["total_return"], stats["max_drawdown"], stats["max_drawdown_bars"]) == (0.0, 0.0, 0)


def test_two_bars_have_a_return_and_no_deviation():
    stats = statistics_of(np.array([100.0, 90.0]))
    assert stats["var_95"] == stats["cvar_95"] == pytest.approx(-0.1)
    assert math.isnan(stats["volatility"]) and stats["max_drawdown_bars"] == 1


def test_ruin_is_reported_and_does_not_raise():
    stats = statistics_of(np.array([100.0, 50.0, 0.0, 0.0]))
    assert (stats["total_return"], stats["max_drawdown"], stats["cagr"]) == (-1.0, -1.0, -1.0)
    assert math.isnan(stats["sharpe"])
    assert math.isnan(statistics_of(np.array([100.0, 50.0, -20.0]))["cagr"])
    assert np.isnan(simple_returns(np.array([0.0, 1.0]))).all()


def test_growth_too_steep_for_a_float_is_infinite():
    assert statistics_of(np.array([1.0, 2.0]), periods=525_600.0)["cagr"] == math.inf


def test_unknown_names_suggest_the_nearest():
    stats = Statistics({"sharpe": 1.0, "sortino": 2.0})
    for kind in (InputError, KeyError):
        with pytest.raises(kind, match="unknown statistic 'sortin'; did you mean 'sortino'"):
            stats["sortin"]
    assert stats.get("nothing") is None and "nothing" not in stats and list(stats) == ["sharpe", "sortino"]


def test_the_guide_gives_every_definition():
    guide = (Path(__file__).parents[2] / "docs" / "results.md").read_text(encoding="utf-8")
    for name, (unit, text) in DEFINITIONS.items():
        assert f"| `{name}` | {unit} | {text} |" in guide


def test_definitions_cover_every_statistic(run):
    stats = run().stats
    assert list(stats) == list(DEFINITIONS)
    assert stats.definition("sharpe").startswith("[per year]")
    assert "sharpe" in repr(stats)


@pytest.mark.parametrize(
    ("step_ns", "count", "expected"),
    [
        (DAY, 800, 365.0),
        (7 * DAY, 300, 52.0),
        (60_000_000_000, 100_000, 365.0 * 1440),
        (3_600_000_000_000, 20_000, 365.0 * 24),
        (YEAR_NS // 12, 40, 12.0),
        (YEAR_NS // 100, 1_000, pytest.approx(100.0)),  # no calendar near: as measured
    ],
)
def test_periods_per_year_of_even_clocks(step_ns, count, expected):
    assert infer_periods_per_year(np.arange(count, dtype=np.int64) * step_ns) == expected


def test_periods_per_year_of_exchange_sessions():
    days = np.arange("2010-01-01", "2014-01-01", dtype="datetime64[D]")
    days = days[np.is_busday(days)]
    days = np.delete(days, np.arange(20, len(days), 29))  # 9 holidays a year
    closes = days.astype("datetime64[ns]").astype(np.int64) + 16 * 3_600_000_000_000
    assert infer_periods_per_year(closes) == 252.0
    for minutes, bars in ((1, 390), (5, 78), (30, 13)):
        steps = (np.arange(bars) - bars + 1) * minutes * 60_000_000_000
        assert infer_periods_per_year((closes[:, None] + steps).reshape(-1)) == 252.0 * bars


def test_periods_per_year_without_elapsed_time_is_nan():
    assert math.isnan(infer_periods_per_year(np.array([5], dtype=np.int64)))
    assert math.isnan(infer_periods_per_year(np.array([], dtype=np.int64)))
