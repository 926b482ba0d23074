"""Numbers against a benchmark, and the methods of a result that look at periods, by slow definitions and at edges."""

from __future__ import annotations

import math
import statistics
from pathlib import Path

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.core import curves
from neuraltrade.results import BENCHMARK_DEFINITIONS

DAY = 86_400_000_000_000


def slow_relative(equity, benchmark, periods, risk_free):
    target = (1.0 + risk_free) ** (1.0 / periods) - 1.0
    pairs = []
    for i in range(1, len(equity)):
        if math.isfinite(benchmark[i - 1]) and math.isfinite(benchmark[i]):
            pairs.append((equity[i] / equity[i - 1] - 1.0, benchmark[i] / benchmark[i - 1] - 1.0))
    mine, theirs = [r for r, _ in pairs], [b for _, b in pairs]
    active = [r - b for r, b in pairs]
    beta = statistics.covariance(mine, theirs) / statistics.variance(theirs)
    edge = statistics.fmean(mine) - target - beta * (statistics.fmean(theirs) - target)

    def capture(chosen):
        return math.expm1(statistics.fmean(math.log1p(r) for r, _ in chosen)) / math.expm1(
            statistics.fmean(math.log1p(b) for _, b in chosen)
        )

    return {
        "benchmark_return": math.prod(1 + b for b in theirs) - 1,
        "excess_return": math.prod(1 + r for r in mine) - math.prod(1 + b for b in theirs),
        "alpha": (1.0 + edge) ** periods - 1.0,
        "beta": beta,
        "correlation": statistics.correlation(mine, theirs),
        "tracking_error": statistics.stdev(active) * math.sqrt(periods),
        "information_ratio": statistics.fmean(active) / statistics.stdev(active) * math.sqrt(periods),
        "up_capture": capture([pair for pair in pairs if pair[1] > 0]),
        "down_capture": capture([pair for pair in pairs if pair[1] < 0]),
    }


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("missing", [0, 40])
def test_every_number_equals_its_slow_definition(run, seed, missing):
    rng = np.random.default_rng(seed)
    benchmark = 50.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, 300)))
    benchmark[:missing] = np.nan
    result = run(count=300, seed=seed, benchmark=benchmark, risk_free=0.02)
    expected = slow_relative(result.equity.tolist(), benchmark.tolist(), 365.0, 0.02)
    assert list(result.benchmark_stats) == list(BENCHMARK_DEFINITIONS) == list(expected)
    for name, value in expected.items():
        assert result.benchmark_stats[name] == pytest.approx(value, rel=1e-9, abs=1e-12), name


def test_the_benchmark_itself_and_a_multiple_of_it(run):
    rng = np.random.default_rng(1)
    returns = np.concatenate(([0.0], rng.normal(0.0, 0.01, 99)))
    index = 100.0 * np.cumprod(1.0 + returns)
    same = run(count=100, trade_count=0, equity=10_000.0 * index / index[0], benchmark=index).benchmark_stats
    assert same["beta"] == pytest.approx(1.0) and same["correlation"] == pytest.approx(1.0)
    assert same["alpha"] == pytest.approx(0.0, abs=1e-9) and same["tracking_error"] == pytest.approx(0.0, abs=1e-12)
    assert same["up_capture"] == pytest.approx(1.0) == same["down_capture"]
    doubled = run(count=100, trade_count=0, equity=10_000.0 * np.cumprod(1.0 + 2.0 * returns), benchmark=index)
    assert doubled.benchmark_stats["beta"] == pytest.approx(2.0)


def test_without_two_known_returns_or_without_variation_there_is_nothing(run):
    late = np.full(50, np.nan)
    late[-2:] = 5.0
    assert all(math.isnan(value) for value in run(count=50, benchmark=late).benchmark_stats.values())
    assert all(math.isnan(value) for value in run(count=1, trade_count=0).benchmark_stats.values())
    idle = run(count=50, trade_count=0, equity=np.full(50, 10_000.0), benchmark=np.full(50, 5.0)).benchmark_stats
    assert idle["tracking_error"] == 0.0 == idle["excess_return"]
    for name in ("alpha", "beta", "correlation", "information_ratio", "up_capture", "down_capture"):
        assert math.isnan(idle[name]), name
    flat = run(count=50, trade_count=0, benchmark=np.full(50, 0.1 + 0.2)).benchmark_stats
    assert math.isnan(flat["beta"]) and flat["tracking_error"] > 0.0


def test_a_run_that_was_ruined(run):
    equity, index = np.array([5.0, 4.0, 0.0, 0.0]), np.array([1.0, 2.0, 4.0, 3.0])
    ruined = run(count=4, trade_count=0, equity=equity, benchmark=index)
    stats = ruined.benchmark_stats
    # The return after zero is not one; the two before it remain: -20 % and -100 %, against +100 % and +100 %.
    assert (stats["benchmark_return"], stats["excess_return"], stats["up_capture"]) == (3.0, -4.0, -1.0)
    assert math.isnan(stats["down_capture"]) and math.isnan(stats["beta"])


# ---- periods of a result --------------------------------------------------------------------------------------------


def test_falls_agree_with_the_statistics(run):
    for seed in range(5):
        result = run(seed=seed)
        falls = result.drawdowns(None)
        assert falls["depth"][0] == falls["depth"].min() == result.stats["max_drawdown"] == result.drawdown.min()
        assert falls["bars"].max() == result.stats["max_drawdown_bars"]
        assert len(result.drawdowns()) == min(10, len(falls)) and len(result.drawdowns(2)) == 2
        assert falls["open"].sum() == (result.drawdown[-1] < 0.0)
        assert not falls.flags.writeable


def test_the_whole_window_agrees_with_the_statistics(run):
    result = run(risk_free=0.03)
    for metric in ("volatility", "sharpe", "sortino"):
        assert result.rolling(499, metric)[-1] == pytest.approx(result.stats[metric], rel=1e-9)
    for metric in ("beta", "correlation"):
        assert result.rolling(499, metric)[-1] == pytest.approx(result.benchmark_stats[metric], rel=1e-9)
    from_first = result.equity / np.maximum.accumulate(result.equity) - 1.0
    assert result.rolling(499, "max_drawdown")[-1] == pytest.approx(from_first.min(), rel=1e-12)
    assert result.rolling(499, "drawdown")[-1] == pytest.approx(from_first[-1], rel=1e-12)
    assert np.isnan(result.rolling(20)[:20]).all() and np.isfinite(result.rolling(20)[20:]).all()


def test_months_compound_to_the_total_return(run):
    result = run()
    table = result.monthly()
    assert table["months"].shape == (3, 12) and table["year"].tolist() == [2020, 2021, 2022]
    assert np.nanprod(1.0 + table["months"]) == pytest.approx(1.0 + result.stats["total_return"])
    assert np.prod(1.0 + table["total"]) == pytest.approx(1.0 + result.stats["total_return"])


def test_one_bar(run):
    one = run(count=1, trade_count=0, equity=np.array([9_000.0]))
    assert one.monthly()["total"].tolist() == pytest.approx([-0.1])
    falls = one.drawdowns()
    assert (falls["peak_bar"][0], falls["open"][0], falls["depth"][0]) == (-1, True, pytest.approx(-0.1))
    assert one.trade_stats()["all"]["trades"] == 0 and one.by_symbol()["exposure"][0] == 0.0
    with pytest.raises(nt.InputError, match="window must be at most the run's 0 returns, was 1"):
        one.rolling(1, "total_return")


def test_constant_equity(run):
    flat = run(count=60, trade_count=0, equity=np.full(60, 10_000.0))
    assert len(flat.drawdowns()) == 0
    assert np.nanmax(np.abs(flat.monthly()["months"])) == 0.0
    assert (flat.rolling(10, "volatility")[10:] == 0.0).all() and np.isnan(flat.rolling(10, "sharpe")).all()


def test_debt(run):
    broke = run(count=40, trade_count=0, equity=np.linspace(10_000.0, -5_000.0, 40))
    assert broke.drawdowns()["depth"][0] == broke.stats["max_drawdown"] == pytest.approx(-1.5)
    assert broke.drawdowns()["open"][0]
    assert np.isnan(broke.rolling(5, "max_drawdown")[-10:]).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda result: result.rolling(10, "sharp"), "metric must be one of total_return, .*, was 'sharp'"),
        (lambda result: result.rolling(1, "sharpe"), "window must be an int >= 2 for sharpe, was 1"),
        (lambda result: result.rolling(0, "total_return"), "window must be an int >= 1 for total_return, was 0"),
        (lambda result: result.rolling(2.5), "window must be an int >= 2 for sharpe, was 2.5"),
        (lambda result: result.rolling(True, "drawdown"), "window must be an int >= 1 for drawdown, was True"),
        (lambda result: result.rolling(500), "window must be at most the run's 499 returns, was 500"),
        (lambda result: result.drawdowns(-1), "top must be None or an int >= 0, was -1"),
        (lambda result: result.drawdowns(1.0), "top must be None or an int >= 0, was 1.0"),
        (lambda result: result.drawdowns(True), "top must be None or an int >= 0, was True"),
    ],
)
def test_wrong_arguments_are_named(run, call, message):
    with pytest.raises(nt.InputError, match=message):
        call(run())


def test_the_guide_gives_every_definition():
    guide = (Path(__file__).parents[2] / "docs" / "results.md").read_text(encoding="utf-8")
    for name, (unit, text) in BENCHMARK_DEFINITIONS.items():
        assert f"| `{name}` | {unit} | {text} |" in guide
    for metric in curves.ROLLING:
        assert f'"{metric}"' in nt.Result.rolling.__doc__
