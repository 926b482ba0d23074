"""nt.backtest over ticks: arguments, results, statistics, files."""

from __future__ import annotations

import math

import numpy as np
import pytest

import neuraltrade as nt

SECOND = 10**9


class Flip(nt.Strategy):
    """Buys and sells in turn, every 20 quotes."""

    def on_quote(self, ctx):
        if ctx.i % 40 == 5:
            ctx.buy(1.0)
        elif ctx.i % 40 == 25:
            ctx.close_position()


def walk(count: int = 400, seed: int = 3, symbol: str = "X") -> nt.Quotes:
    rng = np.random.default_rng(seed)
    ts = np.cumsum(rng.integers(0, 2 * SECOND, count)) + 10**18
    mid = 100 + np.cumsum(rng.normal(0, 0.1, count)).round(2)
    return nt.Quotes(
        symbol, ts, mid - 0.05, np.full(count, 9.0), mid + 0.05, np.full(count, 9.0), ts + rng.integers(0, 1000, 1)
    )


@pytest.fixture(scope="module")
def result() -> nt.Result:
    prints = nt.Trades("X", [10**18 + SECOND], [100.0], [1.0], [1])
    return nt.backtest(nt.Ticks([walk(), prints.with_latency(5)]), Flip, cash=10_000.0, fees=0.0001, latency_ns=1000)


def test_equity_is_per_event(result):
    assert len(result.equity) == len(result.ts_ns) == len(result.data) == 401
    assert np.array_equal(result.ts_ns, result.data.local_ns)
    assert result.equity[0] == 10_000.0 and result.fills["ts_ns"].tolist() == sorted(result.fills["ts_ns"].tolist())


def test_statistics_are_per_event(result):
    assert result.stats["trades"] == 10 and result.stats["fees"] == pytest.approx(result.fills["fee"].sum())
    years = float(result.ts_ns[-1] - result.ts_ns[0]) / 31_557_600e9
    assert result.periods_per_year == pytest.approx(400 / years, rel=0.02)
    returns = np.diff(result.equity) / result.equity[:-1]
    wanted = returns.mean() / returns.std(ddof=1) * math.sqrt(result.periods_per_year)
    assert result.stats["sharpe"] == pytest.approx(wanted)
    given = nt.backtest(walk(), Flip, periods_per_year=252.0)
    assert given.periods_per_year == 252.0


def test_trades_carry_the_venues_times(result):
    closed = result.trades[~result.trades["open"]]
    assert np.array_equal(closed["entry_ts_ns"], result.fills["ts_ns"][::2][: len(closed)])
    assert np.array_equal(closed["exit_ts_ns"], result.fills["ts_ns"][1::2])
    assert (result.orders["created_ts_ns"][: len(result.fills)] + 1000 == result.fills["ts_ns"]).all()


def test_saved_and_loaded_alike(result, tmp_path):
    result.save(tmp_path / "ticks.nt")
    again = nt.Result.load(tmp_path / "ticks.nt")
    assert again.digest == result.digest and again.data == result.data
    assert np.array_equal(again.equity, result.equity) and again.stats == result.stats
    assert nt.backtest(again.data, Flip, cash=10_000.0, fees=0.0001, latency_ns=1000).digest == result.digest


def test_drawn_and_compared(result, tmp_path):
    pytest.importorskip("plotly")
    assert result.benchmark[0] == pytest.approx(10_000.0) and np.isfinite(result.benchmark).all()
    assert result.plot() is not None and result.report(tmp_path / "x.html").stat().st_size > 10_000
    assert "401" in repr(result)
    assert len(result.to_frame("equity")) == 401


def test_a_book_alone_has_no_price_to_hold_against():
    rows = nt.Depth("X", [1, 1, 2, 3], [1, -1, 1, 1], [99.0, 101.0, 98.0, 97.0], [1, 1, 1, 1])

    class Buy(nt.Strategy):
        def on_depth(self, ctx):
            ctx.buy(1.0)

    done = nt.backtest(rows, Buy)
    assert len(done.fills) == 1 and (done.benchmark == 10_000.0).all()
    assert done.equity.tolist() == [10_000.0, 10_000.0 - 1.0, 10_000.0 - 1.0]


def test_closed_at_the_end_on_the_near_side():
    class Buy(nt.Strategy):
        def on_quote(self, ctx):
            if ctx.i == 0:
                ctx.buy(2.0)

    rows = nt.Quotes("X", [1, 2, 3], [99.0, 99.0, 98.0], [5, 5, 1], [101.0] * 3, [5, 5, 5])
    done = nt.backtest(rows, Buy, close_at_end=True)
    assert done.fills["price"].tolist() == [101.0, 98.0] and done.equity[-1] == 10_000.0 - 6.0


def test_digests_are_of_the_events_alone():
    first, again = (nt.backtest(walk(), Flip).digest for _ in range(2))
    assert first == again != nt.backtest(walk(seed=4), Flip).digest


def test_progress_is_told():
    seen = []
    nt.backtest(walk(), Flip, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (400, 400)


def test_journal_gets_every_event(result):
    class Kept:
        def __init__(self):
            self.rows = []

        def append(self, events):
            self.rows.append(events)

    kept = Kept()
    done = nt.backtest(walk(), Flip, journal=kept, latency_ns=1000)
    assert b"".join(rows.tobytes() for rows in kept.rows) == done.events.tobytes()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"bounds": True}, "bounds must be False over ticks"),
        ({"fill": nt.FillPolicy(volume_cap=0.1)}, "volume_cap is of bars"),
        ({"slippage": nt.Slippage(rate=0.1, cap_to_bar=True)}, "cap_to_bar is of bars"),
        ({"latency_ns": -1}, "latency_ns must be an int"),
        ({"instruments": {"Y": nt.Instrument()}}, "instruments names 'Y'"),
        ({"benchmark": [1.0, 2.0]}, "benchmark must have one value per bar"),
    ],
)
def test_what_ticks_cannot_have_is_refused(given, message):
    with pytest.raises(nt.InputError, match=message):
        nt.backtest(walk(), Flip, **given)


def test_bars_and_ticks_do_not_mix():
    with pytest.raises(nt.InputError, match=r"nt\.Panel or nt\.Ticks, was list"):
        nt.backtest([walk(), nt.datasets.load("GOOG")], Flip)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"queue": "front"}, "QueueModel: kind must be one of behind, probability"),
        ({"queue": 3}, "queue must be an nt.QueueModel"),
        ({"stop_trigger": "bid"}, "stop_trigger must be one of quote, last"),
    ],
)
def test_policies_are_checked(given, message):
    with pytest.raises(nt.InputError, match=message):
        nt.FillPolicy(**given)


def test_queue_models_are_checked():
    assert nt.FillPolicy(queue="probability").queue == nt.QueueModel("probability")
    for given in (
        {"kind": "x"},
        {"share": "x"},
        {"exponent": -1},
        {"exponent": 11},
        {"exponent": float("nan")},
        {"exponent": "1"},
    ):
        with pytest.raises(nt.InputError, match="QueueModel"):
            nt.QueueModel(**given)


def test_prices_and_times_at_the_edge_of_their_range():
    """Nothing wraps: an order too large is refused, a run beyond int64 ends with an error."""
    top = nt.Quotes("X", [2**63 - 3, 2**63 - 2, 2**63 - 1], [8.9e9] * 3, [9e9] * 3, [9e9] * 3, [9e9] * 3)

    class Buy(nt.Strategy):
        def on_quote(self, ctx):
            ctx.state[ctx.i] = ctx.buy(1e9 if ctx.i else 1e-9)

    done = nt.backtest(top, Buy, cash=100.0, latency_ns=2**62)
    assert done.orders["reason"].tolist()[1:] == ["quantity_range"] * 2 and len(done.fills) == 0
    done = nt.backtest(top, Buy, cash=100.0)
    assert done.fills["price"].tolist() == [9e9]
