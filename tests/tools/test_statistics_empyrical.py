"""The real empyrical-reloaded beside our statistics, to 1e-9. `tools/compare_peers.py --prepare empyrical` makes its
environment; without it these are skipped."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuraltrade as nt

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools" / "peers"))
import environments  # noqa: E402

pytestmark = pytest.mark.skipif(
    environments.python_of("empyrical") is None, reason="the environment of empyrical-reloaded was not prepared"
)

# ours: (empyrical's name, theirs -> ours); P is periods_per_year.
SAME = {
    "total_return": ("cum_returns_final", lambda value, periods: value),
    "cagr": ("cagr", lambda value, periods: value),
    "volatility": ("annual_volatility", lambda value, periods: value),
    "sharpe": ("sharpe_ratio", lambda value, periods: value),
    "sortino": ("sortino_ratio", lambda value, periods: value),
    "calmar": ("calmar_ratio", lambda value, periods: value),
    "max_drawdown": ("max_drawdown", lambda value, periods: value),
    "var_95": ("value_at_risk", lambda value, periods: value),
    "cvar_95": ("conditional_value_at_risk", lambda value, periods: value),
}
RELATIVE = {
    "alpha": ("alpha", lambda value, periods: value),
    "beta": ("beta", lambda value, periods: value),
    # Theirs is not annualised.
    "information_ratio": ("excess_sharpe", lambda value, periods: value * math.sqrt(periods)),
}
CASES = {
    "aapl": ("AAPL", 0.0, None),
    "goog with a risk-free rate": ("GOOG", 0.04, None),
    "msft at 365 bars a year": ("MSFT", 0.01, 365.0),
}


@pytest.fixture(scope="module", params=CASES)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[nt.Result, dict[str, Any]]:
    symbol, risk_free, periods = CASES[request.param]
    bars = nt.datasets.load(symbol)
    above = bars.close > np.concatenate((np.full(40, np.inf), bars.close[:-40]))
    other = nt.datasets.load("IBM")
    signals = nt.Signals(entries=above, exits=~above, short_entries=~above, short_exits=above)
    result = nt.backtest(bars, signals, benchmark=other, risk_free=risk_free, periods_per_year=periods)
    assert result.equity[0] == result.cash and result.stats["trades"] > 50  # the first bar earned nothing
    folder = tmp_path_factory.mktemp("empyrical")
    np.save(folder / "returns.npy", result.returns)
    benchmark = result.benchmark
    assert np.isfinite(benchmark).all()
    np.save(folder / "benchmark.npy", benchmark[1:] / benchmark[:-1] - 1.0)
    target = (1.0 + risk_free) ** (1.0 / result.periods_per_year) - 1.0
    given = (str(result.periods_per_year), str(target), "1")
    return result, environments.call("empyrical", "with_empyrical.py", folder, *given)["values"]


@pytest.mark.parametrize("name", SAME)
def test_statistic_equals_empyrical(both: tuple[nt.Result, dict[str, Any]], name: str) -> None:
    result, theirs = both
    peer, scaled = SAME[name]
    assert result.stats[name] == pytest.approx(scaled(theirs[peer], result.periods_per_year), rel=1e-9)


@pytest.mark.parametrize("name", RELATIVE)
def test_benchmark_statistic_equals_empyrical(both: tuple[nt.Result, dict[str, Any]], name: str) -> None:
    result, theirs = both
    peer, scaled = RELATIVE[name]
    assert result.benchmark_stats[name] == pytest.approx(scaled(theirs[peer], result.periods_per_year), rel=1e-9)


@pytest.mark.parametrize("side", ["up", "down"])
def test_captures_are_of_bars_not_of_years(both: tuple[nt.Result, dict[str, Any]], side: str) -> None:
    """Theirs compounds the chosen bars to a year of 252 before it divides; ours divides the geometric means of a bar.

    Compounding our two means gives theirs.
    """
    result, theirs = both
    against = result.benchmark[1:] / result.benchmark[:-1] - 1.0
    chosen = against > 0.0 if side == "up" else against < 0.0
    means = [np.log1p(values[chosen]).mean() for values in (result.returns, against)]
    assert result.benchmark_stats[f"{side}_capture"] == pytest.approx(np.expm1(means[0]) / np.expm1(means[1]), rel=1e-9)
    yearly = [np.expm1(mean * 252.0) for mean in means]
    assert theirs[f"{side}_capture"] == pytest.approx(yearly[0] / yearly[1], rel=1e-9)
