"""nt.compare: the numbers against plain loops, what it shows, and what it refuses."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import pytest

import neuraltrade as nt

GOOG, IBM = nt.datasets.load("GOOG")[:400], nt.datasets.load("IBM")


class Hold(nt.Strategy):
    start: int = 5
    every: int = 40

    def on_bar(self, ctx):
        if ctx.i >= self.start and (ctx.i - self.start) % self.every == 0:
            ctx.buy()
        elif ctx.i > self.start and (ctx.i - self.start) % self.every == 30:
            ctx.close_position()


def ran(data=GOOG, **given):
    params = {name: given.pop(name) for name in ("start", "every") if name in given}
    return nt.backtest(data, Hold, params=params, **given)


@pytest.fixture(scope="module")
def both():
    return nt.compare([ran(start=5), ran(start=15, fees=0.002)])


def test_statistics_are_those_of_the_runs(both):
    for name in ("sharpe", "trades", "fees", "final_equity"):
        assert both.stats(name) == tuple(one.stats[name] for one in both.results)
    with pytest.raises(nt.InputError, match="did you mean 'sharpe'"):
        both.stats("sharp")
    with pytest.raises(nt.InputError, match="period must be 'run' or 'shared', was 'all'"):
        both.stats("sharpe", "all")


def test_shared_time_and_correlation_against_plain_loops():
    whole, part = ran(), ran(GOOG[150:350], start=3)
    both = nt.compare([whole, part], names=["whole", "part"])
    at = {int(t): i for i, t in enumerate(whole.ts_ns)}
    rows = [(whole.equity[at[int(t)]], part.equity[i]) for i, t in enumerate(part.ts_ns)]
    assert both.ts_ns.tolist() == part.ts_ns.tolist() and both.equity.T.tolist() == [list(row) for row in rows]
    returns = np.array([[b[k] / a[k] - 1.0 for k in (0, 1)] for a, b in itertools.pairwise(rows)])
    assert both.correlation[0, 1] == pytest.approx(np.corrcoef(returns.T)[0, 1], rel=1e-12)
    assert both.correlation.tolist() == both.correlation.T.tolist() and both.correlation[0, 0] == pytest.approx(1.0)
    peak, deepest = rows[0][0], 0.0
    for value, _ in rows:
        peak = max(peak, value)
        deepest = min(deepest, value / peak - 1.0)
    assert both.stats("max_drawdown", "shared")[0] == pytest.approx(deepest, rel=1e-12)
    assert both.stats("total_return", "shared")[0] == pytest.approx(rows[-1][0] / rows[0][0] - 1.0, rel=1e-12)
    assert "over the 200 shared times" in repr(both)


def test_trades_in_common_are_counted_one_by_one():
    runs = [ran(), ran(fees=0.001), ran(start=15), ran(start=45)]
    table = nt.compare(runs).common_trades

    def keys(run):
        rows = run.trades[~run.trades["open"]]
        return Counter(zip(rows["symbol"], rows["direction"], rows["entry_ts_ns"], rows["exit_ts_ns"], strict=True))

    for a, one in enumerate(runs):
        for b, other in enumerate(runs):
            assert table[a, b] == sum((keys(one) & keys(other)).values())
    assert table[0, 0] == table[0, 1] == runs[0].stats["trades"] > 0 and table[0, 2] == 0 < table[0, 3]


def test_names_tell_the_runs_apart():
    assert nt.compare([ran(start=5), ran(start=9)]).names == ("Hold(start=5)", "Hold(start=9)")
    assert nt.compare([ran(), ran(), ran(fees=0.1)]).names == ("Hold #1", "Hold #2", "Hold #3")
    apart = nt.compare([ran(IBM), ran(nt.datasets.load("AAPL"))])
    assert apart.names == ("Hold on IBM", "Hold on AAPL")
    signals = nt.Signals(entries=GOOG.close > 0, exits=GOOG.close < 0)
    assert nt.compare([ran(), nt.backtest(GOOG, signals)]).names == ("Hold", "Signals")


def test_a_run_that_does_not_vary_has_no_correlation(both):
    idle = nt.backtest(GOOG, nt.Signals(entries=GOOG.close < 0, exits=GOOG.close < 0))
    made = nt.compare([idle, *both.results])
    assert math.isnan(made.correlation[0, 1]) and made.correlation[1, 2] == both.correlation[0, 1]
    assert "nan" not in repr(made)


def test_the_frame_has_differences(both):
    pytest.importorskip("pandas")
    frame = both.to_frame()
    first, second = both.names
    row = frame[(frame["period"] == "run") & (frame["statistic"] == "fees")].iloc[0]
    assert row[f"{second} - {first}"] == row[second] - row[first] > 0.0
    assert set(frame["period"]) == {"run", "shared"} and row["unit"] == "cash"


def test_the_figure_has_two_panels(both):
    pytest.importorskip("plotly")
    figure = both.plot()
    assert [trace.name for trace in figure.data] == [name for name in both.names for _ in range(2)]
    assert figure.data[0].y[0] == 1.0 and max(figure.data[1].y) == 0.0


def test_the_words(both):
    lines = repr(both).splitlines()
    assert lines[0] == "Comparison of 2 runs" and lines[1].split()[-1] == "difference"
    fees = next(line for line in lines if line.strip().startswith("fees"))
    assert fees.split()[1:] == ["0.00", *[f"{both.stats('fees')[1]:,.2f}"] * 2]
    assert any(line.strip().startswith("trades in common") for line in lines)


def test_loaded_runs_compare_as_well(both, tmp_path):
    both.results[0].save(tmp_path / "a.nt")
    again = nt.compare([nt.Result.load(tmp_path / "a.nt"), both.results[1]])
    assert repr(again) == repr(both)


@pytest.mark.parametrize(
    ("results", "names", "words"),
    [
        ([], None, "results must hold 2..50 runs, had 0"),
        ([ran()], None, "results must hold 2..50 runs, had 1"),
        (ran(), None, "results must be a list of nt.Result, was Result"),
        ([ran(), 3], None, r"results\[1\] must be an nt.Result, was int"),
        ([ran(), ran(account=nt.Account(currency="EUR"))], None, r"results\[1\] is in EUR, results\[0\] in USD"),
        ([ran(GOOG[:100]), ran(GOOG[200:])], None, "results must have at least 2 times in common, have 0: Hold"),
        ([ran(), ran()], ["a"], r"names must be 2 different ones, one a run, were \['a'\]"),
        ([ran(), ran()], ["a", "a"], "names must be 2 different ones"),
        ([ran(), ran()], "ab", "names must be a list of str, was 'ab'"),
    ],
)
def test_what_cannot_be_compared_is_refused(results, names, words):
    with pytest.raises(nt.InputError, match=words):
        nt.compare(results, names)
