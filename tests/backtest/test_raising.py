"""A strategy that raises: the error tells where, and the result up to there can be read."""

from __future__ import annotations

import numpy as np
import pytest

import neuraltrade as nt

BARS = nt.datasets.load("GOOG")[:120]
PANEL = nt.Panel([nt.datasets.load("AAPL")[-300:], nt.datasets.load("GOOG")[-200:]])


class Raises(nt.Strategy):
    at: int = 70

    def on_bar(self, ctx):
        if ctx.i % 20 == 5:
            ctx.buy(quantity=2.0)
        elif ctx.i % 20 == 15:
            ctx.close_position()
        if ctx.i == self.at:
            ctx.buy(quantity=1.0 / (ctx.i - self.at))


class Honest(Raises):
    def on_bar(self, ctx):
        if ctx.i % 20 == 5:
            ctx.buy(quantity=2.0)
        elif ctx.i % 20 == 15:
            ctx.close_position()


def failed(data, strategy, **given):
    with pytest.raises(nt.StrategyError) as caught:
        nt.backtest(data, strategy, **given)
    return caught.value


@pytest.mark.parametrize("at", [0, 6, 70, 119])
@pytest.mark.parametrize("way", [lambda s: s, nt.compiled], ids=["interpreted", "compiled"])
def test_the_result_up_to_there_is_that_of_an_honest_run(way, at):
    error = failed(BARS, way(Raises), params={"at": at}, fees=0.001)
    assert (error.bar, error.ts_ns) == (at, int(BARS.ts_ns[at]))
    assert isinstance(error.__cause__, ZeroDivisionError) and "ZeroDivisionError" in str(error)
    whole = nt.backtest(BARS, Honest, fees=0.001)
    found = error.result
    assert found.ts_ns.tolist() == BARS.ts_ns[: at + 1].tolist()
    assert found.equity.tolist() == whole.equity[: at + 1].tolist()
    assert found.fills.tolist() == whole.fills[whole.fills["bar"] <= at].tolist()
    still = found.trades[found.trades["open"]]
    held = found.fills["side"] @ found.fills["quantity"] if len(found.fills) else 0.0
    assert still["quantity"].sum() == held and (len(still) == 0 or still["exit_price"][0] == BARS.close[at])
    assert len(repr(found)) > 100 and np.isfinite(found.stats["final_equity"])


def test_both_speeds_leave_the_same():
    one, two = (failed(BARS, way(Raises)).result for way in (lambda s: s, nt.compiled))
    assert one.digest == two.digest and one.equity.tolist() == two.equity.tolist()


def test_the_result_saves_loads_and_is_reported(tmp_path):
    error = failed(BARS, Raises, benchmark=BARS.close.copy())
    error.result.save(tmp_path / "a.nt")
    assert nt.Result.load(tmp_path / "a.nt").digest == error.result.digest
    pytest.importorskip("plotly")
    assert "Raises on GOOG" in error.result.report(tmp_path / "a.html").read_text(encoding="utf-8")


def test_of_a_panel_and_of_several_strategies():
    class OfThePanel(nt.Strategy):
        def on_bar(self, ctx):
            if ctx.i == 40:
                ctx.buy(quantity=3.0)
            if ctx.i == 180 and ctx.symbol == "GOOG":
                raise KeyError("no such thing")

    error = failed(PANEL, OfThePanel, cash=1e6)
    assert len(error.result.equity) == 181 and error.result.by_symbol()["fills"].tolist() == [1, 0]
    error = failed(PANEL, {"good": Honest, "bad": OfThePanel}, cash=1e6)
    assert str(error).startswith("bad: ")
    found = error.result
    assert found.contributions().shape == (181, 2) and len(found.by_strategy()) == 3
    np.testing.assert_allclose(found.contributions().sum(axis=1), found.equity - 1e6, atol=1e-6)


def test_over_ticks():
    ts_ns = np.arange(1, 101) * 10**9
    prints = nt.Trades("X", ts_ns, np.linspace(10.0, 20.0, 100), np.ones(100), np.ones(100, int))

    class Ticks(nt.Strategy):
        def on_trade(self, ctx):
            if ctx.i == 10:
                ctx.buy(quantity=1.0)
            if ctx.i == 50:
                raise ValueError("enough")

    error = failed(prints, Ticks)
    assert error.bar == 50 and len(error.result.equity) == 51 and len(error.result.fills) == 1


class AtTheOpen(nt.Strategy):
    def on_open(self, ctx):
        if ctx.i == 30:
            ctx.buy(quantity=1.0)
        if ctx.i == 50:
            ctx.buy(quantity=1.0 / (ctx.i - 50))


class AtTheClose(nt.Strategy):
    def on_bar(self, ctx):
        if ctx.i == 30:
            ctx.buy(quantity=1.0)

    def on_close(self, ctx):
        if ctx.i == 50:
            ctx.buy(quantity=1.0 / (ctx.i - 50))


class Weekly(AtTheClose):
    on_close = nt.Strategy.on_close

    @nt.schedule(every="1w")
    def weekly(self, ctx):
        if ctx.i >= 50:
            ctx.buy(quantity=1.0 / (ctx.i * 0.0))


@pytest.mark.parametrize(
    ("strategy", "called", "bar"), [(AtTheOpen, "on_open", 50), (AtTheClose, "on_close", 50), (Weekly, "weekly", 51)]
)
def test_what_is_scheduled_is_named_as_well(strategy, called, bar):
    ways = {"": strategy, "compiled": nt.compiled(strategy), "team": {"one": strategy}}
    errors = {label: failed(BARS, given) for label, given in ways.items()}
    assert str(errors[""]).startswith(f"{called} raised ZeroDivisionError at bar {bar}: ")
    assert str(errors["team"]).startswith(f"one: {called} raised")
    assert f"{called} at bar {bar})" in str(errors["compiled"])  # with file and line
    for error in errors.values():
        assert (error.bar, error.ts_ns) == (bar, int(BARS.ts_ns[bar]))
        assert len(error.result.equity) == bar + 1 and error.result.fills["bar"].tolist() == [31]


def test_in_init_there_is_none():
    class InInit(Honest):
        def init(self, data):
            raise ValueError("no")

    assert failed(BARS, InInit).result is None


def test_the_journal_gets_nothing_of_the_bar_that_failed():
    class Keeps:
        def __init__(self):
            self.rows = []

        def append(self, events):
            self.rows += events["bar"].tolist()

    journal = Keeps()
    error = failed(BARS, Raises, params={"at": 65}, journal=journal)
    assert max(journal.rows) < 65 and error.result.orders["created_bar"].max() == 65
