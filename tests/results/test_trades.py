"""Trade statistics, excursions and attribution against loops in plain Python."""

from __future__ import annotations

import itertools
import math
import statistics
from pathlib import Path

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.results import TRADE_DEFINITIONS
from neuraltrade.results.excursions import _Held, _seen

DAY = 86_400_000_000_000
NAMES = [name for name in TRADE_DEFINITIONS]


def slow_streak(pnl, good):
    return max((len(list(run)) for won, run in itertools.groupby(pnl, key=good) if won), default=0)


def slow_statistics(rows):
    """Every number of TRADE_DEFINITIONS for a list of (trade, extra) pairs."""
    pnl = [float(trade["pnl"]) for trade, _ in rows]
    returns = [float(trade["return_"]) for trade, _ in rows]
    bars = [int(trade["exit_bar"] - trade["entry_bar"]) for trade, _ in rows]
    wins, losses = [p for p in pnl if p > 0], [p for p in pnl if p < 0]
    mean, won = statistics.fmean(pnl), len(wins) / len(pnl)
    payoff = statistics.fmean(wins) / -statistics.fmean(losses)
    mae, mfe = [float(extra["mae"]) for _, extra in rows], [float(extra["mfe"]) for _, extra in rows]
    return {
        "trades": len(pnl), "win_rate": won, "profit_factor": sum(wins) / -sum(losses), "payoff_ratio": payoff,
        "expectancy": mean, "sqn": math.sqrt(len(pnl)) * mean / statistics.stdev(pnl),
        "kelly": won - (1 - won) / payoff, "pnl": sum(pnl), "fees": sum(float(trade["fees"]) for trade, _ in rows),
        "avg_win": statistics.fmean(wins), "avg_loss": statistics.fmean(losses),
        "avg_return": statistics.fmean(returns), "median_return": statistics.median(returns),
        "std_return": statistics.stdev(returns), "best_trade": max(returns), "worst_trade": min(returns),
        "avg_bars": statistics.fmean(bars), "median_bars": statistics.median(bars), "max_bars": max(bars),
        "avg_days": statistics.fmean(float(t["exit_ts_ns"] - t["entry_ts_ns"]) / DAY for t, _ in rows),
        "max_win_streak": slow_streak(pnl, lambda p: p > 0), "max_loss_streak": slow_streak(pnl, lambda p: p < 0),
        "avg_mae": statistics.fmean(mae), "avg_mfe": statistics.fmean(mfe), "worst_mae": min(mae), "best_mfe": max(mfe),
        "edge_ratio": statistics.fmean(mfe) / -statistics.fmean(mae),
    }  # fmt: skip


def test_every_trade_statistic_equals_its_slow_definition(run):
    result = run(count=900, trade_count=80, symbols=("A", "B"), seed=4)
    stats = result.trade_stats()
    pairs = [pair for pair in zip(result.trades, stats.rows, strict=True) if not pair[0]["open"]]
    assert len(pairs) == 79
    groups = {
        "all": pairs,
        "long": [pair for pair in pairs if pair[0]["direction"] > 0],
        "short": [pair for pair in pairs if pair[0]["direction"] < 0],
    }
    found = dict(stats.items()) | stats.by_symbol
    for symbol in "AB":
        groups[symbol] = [pair for pair in pairs if pair[0]["symbol"] == symbol]
    assert list(found) == list(groups)
    for group, rows in groups.items():
        assert list(found[group]) == NAMES and len(rows) > 10
        for name, value in slow_statistics(rows).items():
            assert found[group][name] == pytest.approx(value, rel=1e-9, abs=1e-15), (group, name)


def test_no_trades_and_one_trade(run):
    none = run(trade_count=0).trade_stats()
    assert none["all"]["trades"] == none["all"]["max_bars"] == none["all"]["max_win_streak"] == 0
    for name in set(NAMES) - {"trades", "max_bars", "max_win_streak", "max_loss_streak", "pnl", "fees"}:
        assert math.isnan(none["all"][name]), name
    assert none.by_symbol == {} and math.isnan(none.percentiles()[50.0]) and none.histogram()[0].sum() == 0
    result = run(trade_count=2)  # the second is open
    one = result.trade_stats()["all"]
    assert one["trades"] == 1 and math.isnan(one["sqn"]) and math.isnan(one["std_return"]) and math.isnan(one["kelly"])
    assert one["best_trade"] == one["worst_trade"] == result.trades["return_"][0]


def test_histogram_and_percentiles(run):
    result = run(count=900, trade_count=80, seed=4)
    stats = result.trade_stats()
    closed = result.trades[~result.trades["open"]]
    counts, edges = stats.histogram("pnl", bins=7)
    assert counts.dtype == np.int64 and counts.sum() == 79 and len(edges) == 8
    assert (edges[0], edges[-1]) == (closed["pnl"].min(), closed["pnl"].max())
    for i, count in enumerate(counts):
        inside = [p for p in closed["pnl"] if edges[i] <= p < edges[i + 1] or (i == 6 and p == edges[7])]
        assert count == len(inside)
    assert stats.histogram("return_", bins=[-1.0, 0.0, 1.0])[0].tolist() == [
        int((closed["return_"] < 0).sum()), int((closed["return_"] >= 0).sum())]  # fmt: skip
    quantiles = statistics.quantiles(closed["return_"].tolist(), n=20, method="inclusive")
    assert stats.percentiles("return_", [5, 50, 95]) == pytest.approx(
        {5.0: quantiles[0], 50.0: quantiles[9], 95.0: quantiles[18]})  # fmt: skip


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda stats: stats.histogram("price"), "column must be one of return_, .*, was 'price'"),
        (lambda stats: stats.percentiles("price"), "column must be one of return_, .*, was 'price'"),
        (lambda stats: stats.histogram(bins=0), r"bins must be in 1\.\.1000000 or ascending edges, was 0"),
        (lambda stats: stats.histogram(bins=True), "was True"),
        (lambda stats: stats.histogram(bins=[3.0, 1.0]), "bins must be an int or ascending edges, was"),
        (lambda stats: stats.histogram(bins="sturges?"), "bins must be an int or ascending edges, was 'sturges"),
        (lambda stats: stats.percentiles(q=[101]), r"q must be percentages in 0\.\.100, was \[101\]"),
        (lambda stats: stats.percentiles(q=[math.nan]), "q must be percentages"),
        (lambda stats: stats["longs"], "group must be one of all, long, short, was 'longs'"),
        (lambda stats: stats["all"]["kely"], "did you mean 'kelly'"),
    ],
)
def test_wrong_arguments_are_named(run, call, message):
    with pytest.raises(nt.InputError, match=message):
        call(run().trade_stats())


def test_a_table_for_people_and_for_pandas(run):
    stats = run(symbols=("A", "B"), seed=3).trade_stats()
    assert len(repr(stats).splitlines()) == 1 + len(NAMES) and repr(stats).split()[:3] == ["all", "long", "short"]
    frame = stats.to_frame()
    assert frame.index.tolist() == ["all", "long", "short", "symbol A", "symbol B"] and list(frame.columns) == NAMES


# ---- excursions -----------------------------------------------------------------------------------------------------


def bars_of(rows, symbol="X"):
    columns = [np.array(column, dtype=float) for column in zip(*rows, strict=True)]
    return nt.Bars(symbol, DAY * np.arange(1, len(rows) + 1), *columns, np.full(len(rows), 1e6))


# open, high, low, close
ROWS = [(100, 101, 99, 100), (100, 103, 96, 102), (102, 109, 101, 105), (104, 112, 93, 106), (106, 115, 90, 110)]


@pytest.mark.parametrize(
    ("market_at", "entry", "leave", "mae", "mfe"),
    [
        ("next_open", 0, 2, -0.04, 0.09),  # in at 100 in bar 1, out at the open of bar 3, 104: bars 1 and 2 are whole
        ("next_open", 0, 3, -0.07, 0.12),  # bar 3 too; of bar 4 the open alone
        ("next_open", 0, 0, 0.0, 0.0),
        ("same_close", 0, 2, -0.04, 0.09),  # in at the close of bar 0, out at the close of bar 2, 105: bar 2 is whole
        ("same_close", 1, 2, -1 / 102, 7 / 102),  # in at the close of bar 1, 102: its low of 96 was before
    ],
)
def test_excursions_count_what_was_surely_seen(market_at, entry, leave, mae, mfe):
    entries, exits = np.zeros(5, bool), np.zeros(5, bool)
    entries[entry] = True
    exits[leave] = leave > entry
    policy = nt.FillPolicy(market_at=market_at)
    bars = bars_of(ROWS)[: leave + 2] if leave == entry else bars_of(ROWS)
    count = len(bars)
    result = nt.backtest(bars, nt.Signals(entries=entries[:count], exits=exits[:count]), fill=policy, size=1.0)
    row = result.trade_stats().rows[0]
    if leave == entry:  # still open after the entry bar: all of it, from its open, was seen
        assert row["open"] and (row["mae"], row["mfe"]) == pytest.approx((-0.04, 0.03))
        return
    assert (row["mae"], row["mfe"]) == pytest.approx((mae, mfe))
    assert row["mae_cash"] == pytest.approx(mae * result.trades["entry_price"][0])


def test_excursions_of_shorts_and_of_exits_inside_a_bar():
    short = np.array([True, False, False, False, False])
    bars = bars_of(ROWS)
    never = np.zeros(5, bool)
    signals = nt.Signals(never, never, short_entries=short, short_exits=never, stop_loss=0.08)
    result = nt.backtest(bars, signals, size=1.0)
    trade, row = result.trades[0], result.trade_stats().rows[0]
    assert (trade["entry_price"], trade["exit_price"], trade["exit_bar"]) == (100.0, 108.0, 2)
    # Bar 1 from its open; of bar 2 the open and the stop, not its high of 109.
    assert (row["mae"], row["mfe"]) == pytest.approx((-0.08, 0.04))


def test_slippage_does_not_hide_the_entry_bar():
    bars = bars_of(ROWS)
    first = np.array([True, False, False, False, False])
    result = nt.backtest(bars, nt.Signals(first, first[::-1]), slippage=0.01, size=1.0)
    assert result.trades["entry_price"][0] == pytest.approx(101.0)
    assert result.trade_stats().rows["mae"][0] == pytest.approx(90 / 101 - 1)


def test_excursions_equal_a_walk_over_the_bars():
    """Random brackets on four symbols: never better or worse than every bar touched, never less than entry and exit."""
    panel = nt.Panel([nt.datasets.load(name)[:800] for name in ("AAPL", "IBM", "MSFT")])
    rng = np.random.default_rng(0)
    shape = (len(panel.ts_ns), 3)
    signals = nt.Signals(rng.random(shape) < 0.1, rng.random(shape) < 0.1, short_entries=rng.random(shape) < 0.05,
                         short_exits=rng.random(shape) < 0.1, stop_loss=0.03, take_profit=0.05)  # fmt: skip
    result = nt.backtest(panel, signals, cash=1e6, size=10.0, account=nt.Account(leverage=10))
    stats = result.trade_stats()
    assert len(stats.rows) > 150 and set(result.trades["direction"]) == {-1, 1}
    for trade, row in zip(result.trades, stats.rows, strict=True):
        bars = next(one for one in panel.bars if one.symbol == trade["symbol"])
        touched = (bars.ts_ns >= trade["entry_ts_ns"]) & (bars.ts_ns <= trade["exit_ts_ns"])
        inside = (bars.ts_ns > trade["entry_ts_ns"]) & (bars.ts_ns < trade["exit_ts_ns"])
        entry, sign = trade["entry_price"], int(trade["direction"])

        def moves(pick, bars=bars, entry=entry, sign=sign):
            both = np.concatenate((bars.low[pick], bars.high[pick]))
            return sign * (both - entry) / entry

        out = sign * (trade["exit_price"] - entry) / entry
        assert min(0.0, out, moves(touched).min()) - 1e-12 <= row["mae"] <= min(0.0, out, *moves(inside)) + 1e-12
        assert max(0.0, out, moves(touched).max()) + 1e-12 >= row["mfe"] >= max(0.0, out, *moves(inside)) - 1e-12


class InAndOut(nt.Strategy):
    def on_quote(self, ctx):
        if ctx.i == 3:
            ctx.buy(1)
        elif ctx.i == 11:
            ctx.sell(1)


def test_over_ticks_the_price_is_the_middle_of_the_quote():
    rng = np.random.default_rng(2)
    ts_ns = 1_000_000_000 * (1 + np.arange(20))
    middle = 100.0 + np.cumsum(rng.integers(-4, 5, 20))
    quotes = nt.Quotes("X", ts_ns, middle - 1, np.full(20, 50.0), middle + 1, np.full(20, 50.0))
    result = nt.backtest(nt.Ticks([quotes]), InAndOut, cash=1_000.0, periods_per_year=252.0)
    row, trade = result.trade_stats().rows[0], result.trades[0]
    held = (ts_ns >= trade["entry_ts_ns"]) & (ts_ns <= trade["exit_ts_ns"])
    assert held.sum() >= 8 and not row["open"]
    seen = [*middle[held], trade["exit_price"]]
    entry = trade["entry_price"]
    assert row["mae"] == pytest.approx(min(0.0, *(price / entry - 1.0 for price in seen)))
    assert row["mfe"] == pytest.approx(max(0.0, *(price / entry - 1.0 for price in seen)))
    assert result.by_symbol()["fills"].tolist() == [2]


def test_depth_alone_has_no_price_but_the_trades_own():
    trade = np.zeros(1, [("entry_ts_ns", "i8"), ("exit_ts_ns", "i8"), ("entry_price", "f8"), ("exit_price", "f8"),
                         ("open", "?")])  # fmt: skip
    trade["exit_price"] = 7.0
    none = np.zeros(0)
    low, high = _seen(_Held(trade, none, none), (none,) * 5, np.array([True]), np.array([True]))
    assert low.tolist() == high.tolist() == [7.0]


def test_a_trade_held_through_a_split_is_measured_in_one_unit():
    rows = [(700, 707, 693, 700), (700, 714, 693, 707), (714, 728, 700, 721), (103, 105, 98, 104), (104, 106, 99, 105)]
    bars = bars_of(rows)
    first = np.array([True, False, False, False, False])
    data = {"actions": {"X": nt.Splits([3 * DAY], [7])}}
    result = nt.backtest(bars, nt.Signals(first, np.roll(first, 3)), size=1.0, **data)
    assert [kind for kind in result.flows["kind"]] == ["split"]
    trade, row = result.trades[0], result.trade_stats().rows[0]
    assert (trade["entry_price"], trade["exit_price"], trade["quantity"]) == (100.0, 104.0, 7.0)
    # In units of a seventh: bars 1 and 2 from 99 to 104, bar 3 from 98 to 105; out at the open of bar 4.
    assert (row["mae"], row["mfe"]) == pytest.approx((-0.02, 0.05))


# ---- by symbol ------------------------------------------------------------------------------------------------------


def test_by_symbol_equals_loops(run):
    result = run(count=600, trade_count=40, symbols=("A", "B", "IDLE"), seed=9, settings={"multipliers": {"B": 10.0}})
    for table in ("fills", "trades"):
        result.slots[table]["symbol"] %= 2
    rows = result.by_symbol()
    assert rows["symbol"].tolist() == ["A", "B", "IDLE"]
    for row in rows:
        name, scale = str(row["symbol"]), 10.0 if row["symbol"] == "B" else 1.0
        fills = [fill for fill in result.fills if fill["symbol"] == name]
        trades = [trade for trade in result.trades if trade["symbol"] == name]
        notional = scale * sum(float(fill["quantity"] * fill["price"]) for fill in fills)
        assert (row["fills"], row["trades"]) == (len(fills), sum(not trade["open"] for trade in trades))
        assert row["notional"] == pytest.approx(notional)
        assert row["turnover"] == pytest.approx(notional / result.equity.mean())
        assert row["fees"] == pytest.approx(sum(float(fill["fee"]) for fill in fills))
        assert row["pnl"] == pytest.approx(sum(float(t["pnl"]) for t in trades if not t["open"]))
        assert row["open_pnl"] == pytest.approx(sum(float(t["pnl"]) for t in trades if t["open"]))
        for column, signs in (("exposure", (-1, 1)), ("long_exposure", (1,)), ("short_exposure", (-1,))):
            held = set()
            for trade in trades:
                if trade["direction"] in signs:
                    held |= set(range(int(trade["entry_bar"]), 600 if trade["open"] else int(trade["exit_bar"])))
            assert row[column] == pytest.approx(len(held) / 600)
    assert rows["turnover"].sum() == pytest.approx(result.stats["turnover"])
    assert rows["fills"][2] == rows["exposure"][2] == 0


def test_the_guide_gives_every_definition():
    guide = (Path(__file__).parents[2] / "docs" / "results.md").read_text(encoding="utf-8")
    for name, (unit, text) in TRADE_DEFINITIONS.items():
        assert f"| `{name}` | {unit} | {text} |" in guide


def test_a_saved_run_tells_the_same(tmp_path):
    bars = nt.datasets.load("IBM")[:600]
    up = bars.close > bars.open
    result = nt.backtest(bars, nt.Signals(up, ~up, short_entries=~up, short_exits=up), fees=0.001)
    result.save(tmp_path / "run.ntr")
    again = nt.Result.load(tmp_path / "run.ntr")
    assert again.trade_stats().rows.tolist() == result.trade_stats().rows.tolist()
    assert dict(again.benchmark_stats) == dict(result.benchmark_stats)
    assert again.drawdowns().tobytes() == result.drawdowns().tobytes()
    assert again.by_symbol().tolist() == result.by_symbol().tolist()
