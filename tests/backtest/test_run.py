"""nt.backtest: what its arguments do, and what it says of wrong ones."""

from __future__ import annotations

import importlib
import math
import subprocess
import sys

import msgspec
import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.core.engine import EVENT_DTYPE, EVENT_KINDS

GOOG = nt.datasets.load("GOOG")
NAMES = ("AAPL", "GOOG", "IBM", "MSFT")
PANEL = nt.Panel([nt.datasets.load(name) for name in NAMES])


class SmaCross(nt.Strategy):
    fast: int = 10
    slow: int = 30
    gain: float = 1.0

    def init(self, data):
        self.f = data.sma(self.fast)
        self.s = data.sma(self.slow)

    def on_bar(self, ctx):
        if ctx.crossed_above(self.f, self.s):
            ctx.signal(1, 0.6, reasoning="crossed above")
            ctx.buy()
        elif ctx.crossed_below(self.f, self.s):
            ctx.signal("short", 0.4, reasoning="crossed below")
            ctx.sell()


class Hold(nt.Strategy):
    def on_bar(self, ctx):
        if ctx.i == 0:
            ctx.buy(10)


BOTH = pytest.mark.parametrize("speed", ["interpreted", "compiled"])


def at(speed, strategy):
    return nt.compiled(strategy) if speed == "compiled" else strategy


# ---- results ---------------------------------------------------------------------------------------------------------


@BOTH
def test_goog_as_backtesting_py_trades_it(speed):
    """Figures of backtesting.py 0.6.6 on its own daily GOOG: SMA 10/30, 0.9999 of equity in whole units, no fee."""
    options = {
        "fill": "backtesting_py",
        "size": nt.Size.equity(0.9999),
        "account": nt.Account(cash_digits=9),
        "cash": 10_000,
    }
    open_ = nt.backtest(GOOG, at(speed, SmaCross), **options)
    assert int((~open_.trades["open"]).sum()) == 65 and int(open_.trades["open"].sum()) == 1
    assert open_.equity[-1] == pytest.approx(51959.95, rel=1e-9)
    closed = nt.backtest(GOOG, at(speed, SmaCross), close_at_end=True, **options)
    assert len(closed.trades) == 66 and not closed.trades["open"].any()
    assert closed.equity[-1] == pytest.approx(51422.98999999996, rel=1e-9)


def test_the_same_crossing_as_signals_trades_the_same_bars():
    fast, slow = np.full(len(GOOG), np.nan), np.full(len(GOOG), np.nan)
    for out, window in ((fast, 10), (slow, 30)):
        out[window - 1 :] = np.convolve(GOOG.close, np.ones(window) / window, "valid")
    above = np.zeros(len(GOOG), bool)
    below = np.zeros(len(GOOG), bool)
    above[1:] = (fast[:-1] <= slow[:-1]) & (fast[1:] > slow[1:])
    below[1:] = (fast[:-1] >= slow[:-1]) & (fast[1:] < slow[1:])
    signals = nt.backtest(GOOG, nt.Signals(above, below, short_entries=below, short_exits=above))
    strategy = nt.backtest(GOOG, SmaCross)
    assert signals.settings["mode"] == "signals"
    np.testing.assert_array_equal(signals.trades["entry_bar"], strategy.trades["entry_bar"])
    np.testing.assert_array_equal(signals.equity, strategy.equity)


@BOTH
def test_a_panel_shares_cash_and_keeps_its_order(speed):
    result = nt.backtest(PANEL, at(speed, SmaCross), size=nt.Size.equity(0.2), fees=0.001)
    assert result.symbols == NAMES and set(result.fills["symbol"]) == set(NAMES)
    assert len(result.equity) == len(PANEL.ts_ns)
    assert result.fills["bar"].tolist() == sorted(result.fills["bar"].tolist())
    assert result.equity[0] == 10_000.0


def test_signals_of_a_panel():
    rows, columns = len(PANEL.ts_ns), len(NAMES)
    entries = np.zeros((rows, columns), bool)
    entries[2000] = True
    result = nt.backtest(PANEL, nt.Signals(entries, np.zeros_like(entries), size=1.0))
    assert result.fills["symbol"].tolist() == list(NAMES)


def test_reasoning_is_kept_in_order_of_use():
    compiled, interpreted = (nt.backtest(GOOG, at(s, SmaCross)) for s in ("compiled", "interpreted"))
    assert compiled.reasoning == interpreted.reasoning == ("crossed below", "crossed above")
    np.testing.assert_array_equal(compiled.signals, interpreted.signals)
    assert set(compiled.signals["confidence"]) == {0.6, 0.4}


def test_parameters_override_and_are_recorded():
    by_params = nt.backtest(GOOG, SmaCross, params={"fast": 5})
    by_instance = nt.backtest(GOOG, SmaCross(fast=5))
    assert by_params.digest == by_instance.digest != nt.backtest(GOOG, SmaCross).digest
    assert by_params.settings["params"] == {"fast": 5, "slow": 30, "gain": 1.0}
    assert nt.backtest(GOOG, SmaCross(fast=5), params={"fast": 10}).digest == nt.backtest(GOOG, SmaCross).digest


def test_an_instance_is_left_as_it_was():
    instance = SmaCross(fast=7)
    first = nt.backtest(GOOG, instance)
    assert vars(instance) == {"fast": 7}
    assert nt.backtest(GOOG, instance, params={"slow": 40}).digest != first.digest
    assert nt.backtest(GOOG, instance).digest == first.digest


def test_settings_are_plain_and_give_the_run_back():
    options = {
        "cash": 5_000.0,
        "fees": nt.Fees(rate=0.001, fixed=1.0),
        "slippage": 0.0005,
        "fill": nt.FillPolicy(path="best"),
        "size": 3,
        "risk": nt.RiskLimits(max_position=10),
        "account": nt.Account(shorting=False),
        "instruments": {"GOOG": nt.Instrument(lot=1)},
    }
    first = nt.backtest(GOOG, SmaCross, **options)
    settings = msgspec.json.decode(msgspec.json.encode(first.settings))
    kinds = {"fees": nt.Fees, "slippage": nt.Slippage, "fill": nt.FillPolicy, "size": nt.Size, "risk": nt.RiskLimits,
             "account": nt.Account, "instruments": dict[str, nt.Instrument], "cash": float, "seed": int}  # fmt: skip
    again = {name: msgspec.convert(settings[name], kind) for name, kind in kinds.items()}
    assert nt.backtest(GOOG, SmaCross, params=settings["params"], **again).digest == first.digest


def test_bounds_enclose_and_run_without_the_journal():
    class Bracket(nt.Strategy):
        def on_bar(self, ctx):
            if ctx.position == 0:
                ctx.buy(stop_loss_rate=0.01, take_profit_rate=0.01)

    journal = Recorder()
    result = nt.backtest(GOOG, Bracket, bounds=True, journal=journal)
    worst, best = result.bounds
    assert result.ambiguous_bars > 0
    assert worst.digest == result.digest and worst.equity[-1] < best.equity[-1]
    assert sum(map(len, journal.batches)) == len(result.events.view(EVENT_DTYPE))
    assert best.settings["fill"]["path"] == "best"


class Recorder:
    def __init__(self):
        self.batches = []

    def append(self, events):
        self.batches.append(events)


@BOTH
def test_the_journal_gets_every_event_in_order(speed):
    journal = Recorder()
    result = nt.backtest(GOOG, at(speed, SmaCross), journal=journal)
    events = np.concatenate(journal.batches)
    np.testing.assert_array_equal(events, result.events.view(EVENT_DTYPE))
    assert result.digest == nt.backtest(GOOG, SmaCross).digest, "a journal does not change decisions"
    assert {EVENT_KINDS[k] for k in events["kind"]} >= {"signal", "order", "fill"}


@BOTH
@pytest.mark.parametrize("advised", [False, True])
def test_a_journal_with_begin_learns_the_run_and_the_reasoning(speed, advised):
    class Curious(Recorder):
        def begin(self, symbols, strategy, settings, reasoning):
            self.told = (symbols, strategy, settings["params"]["fast"], settings["cash"])
            self.reasoning = reasoning
            self.texts = []

        def append(self, events):
            self.texts += [self.reasoning[int(e["id"])] for e in events if EVENT_KINDS[e["kind"]] == "signal"]

    journal = Curious()
    result = nt.backtest(GOOG, at(speed, SmaCross), journal=journal, advisor=Doubter() if advised else None)
    assert journal.told == (("GOOG",), "SmaCross", 10, 10_000.0)
    assert journal.texts == [result.reasoning[k] for k in result.signals["reasoning"]]
    assert advised or result.digest == nt.backtest(GOOG, SmaCross).digest


@BOTH
def test_a_journal_that_fails_stops_the_run(speed):
    class Full:
        def append(self, events):
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        nt.backtest(GOOG, at(speed, SmaCross), journal=Full())


class Doubter:
    """Halves the confidence of longs and remembers what it saw."""

    def __init__(self, confidence=0.3):
        self.seen = []
        self.confidence = confidence

    def enhance(self, signal, as_of=None):
        self.seen.append((signal.symbol, signal.direction, signal.reasoning, signal.strategy, as_of == signal.ts_ns))
        signal.confidence = self.confidence
        return signal


@BOTH
def test_an_advisor_sees_the_signal_and_changes_its_confidence(speed):
    doubter = Doubter()
    result = nt.backtest(GOOG, at(speed, SmaCross), advisor=doubter)
    assert doubter.seen[0] == ("GOOG", "long", "crossed above", "SmaCross", True) or doubter.seen[0][1] == "short"
    assert len(doubter.seen) == len(result.signals) and set(result.signals["enhanced"]) == {0.3}


@pytest.mark.parametrize("confidence", [1.5, math.nan])
def test_an_advisor_out_of_range_is_refused(confidence):
    class Odd:
        def enhance(self, signal, as_of=None):
            return type("Answer", (), {"confidence": confidence})

    with pytest.raises(nt.InputError, match=r"advisor: confidence must be in 0\.\.1"):
        nt.backtest(GOOG, SmaCross, advisor=Odd())


@pytest.mark.parametrize("answer", [None, 0.5])
def test_an_advisor_answers_with_a_signal(answer):
    class Odd:
        def enhance(self, signal, as_of=None):
            return answer

    with pytest.raises(nt.InputError, match="advisor: enhance must return the Signal, returned"):
        nt.backtest(GOOG, SmaCross, advisor=Odd())


def test_progress_is_reported_to_the_end(capsys):
    steps = []
    quiet = nt.backtest(GOOG, Hold, progress=lambda done, total: steps.append((done, total)))
    assert steps[-1] == (len(GOOG), len(GOOG))
    assert nt.backtest(GOOG, Hold, progress=True).digest == quiet.digest
    assert "2148/2148 bars" in capsys.readouterr().out


def test_a_house_list_of_restricted_symbols_serves_every_run():
    house = nt.RiskLimits(restricted=("XYZ", "GOGO", "GOOG", *(f"N{number}" for number in range(5_000))))
    assert set(nt.backtest(GOOG, SmaCross, risk=house).denials["reason"].tolist()) == {"restricted"}
    other = nt.RiskLimits(restricted=("XYZ", "GOGO"))
    assert nt.backtest(GOOG, SmaCross, risk=other).digest == nt.backtest(GOOG, SmaCross, risk=nt.RiskLimits()).digest


def test_latency_delays_an_order_by_the_bars_it_misses():
    day_ns = 86_400_000_000_000
    runs = [nt.backtest(GOOG, Hold, latency_ns=ns) for ns in (0, 1, day_ns, day_ns + 1)]
    assert [int(run.fills["bar"][0]) for run in runs] == [1, 2, 2, 3], "a bar begins when the one before it ends"
    assert runs[1].settings["latency_ns"] == 1


def test_one_bar_is_enough():
    result = nt.backtest(GOOG[:1], Hold)
    assert result.equity.tolist() == [10_000.0] and len(result.fills) == 0


def test_later_bars_do_not_change_earlier_decisions():
    whole, half = nt.backtest(GOOG, SmaCross), nt.backtest(GOOG[:1000], SmaCross)
    early = whole.fills[whole.fills["bar"] < 1000]
    np.testing.assert_array_equal(early, half.fills)
    np.testing.assert_array_equal(whole.equity[:1000], half.equity)


def signals_at(count, **bars):
    return nt.Signals(**{name: np.isin(np.arange(count), at) for name, at in bars.items()})


def test_an_exit_holds_where_the_gate_refuses_the_reversal():
    """One order would close and reverse; refused, the exit must not go with it."""
    signals = signals_at(60, entries=[1], exits=[20], short_entries=[20], short_exits=[40])
    for refusing in ({"account": nt.Account(shorting=False)}, {"risk": nt.RiskLimits(max_order_quantity=12.0)}):
        result = nt.backtest(GOOG[:60], signals, size=10.0, **refusing)
        assert [(int(f["bar"]), int(f["side"])) for f in result.fills] == [(2, 1), (21, -1)]


def test_an_exit_ends_an_entry_that_still_waits_for_volume():
    thin = nt.Bars("THIN", *GOOG[:60].columns()[:5], np.full(60, 20.0))
    policy = nt.FillPolicy(volume_cap=0.1)
    result = nt.backtest(thin, signals_at(60, entries=[1], exits=[5]), size=50.0, fill=policy)
    entry = result.orders[0]
    assert (entry["status"], float(entry["filled"]), int(entry["done_bar"])) == ("cancelled", 8.0, 5)
    assert float((result.fills["side"] * result.fills["quantity"]).sum()) == 0.0
    assert int(result.fills["bar"][-1]) == 9


# ---- wrong input -----------------------------------------------------------------------------------------------------

WRONG = [
    ({"data": [1, 2]}, "data must be nt.Bars, nt.Panel or nt.Ticks, was list"),
    ({"strategy": 3}, "strategy must be nt.Signals, a subclass"),
    ({"strategy": nt.Strategy}, "was nt.Strategy itself"),
    ({"strategy": {SmaCross}}, "strategy must be"),
    ({"cash": 0}, "cash must be a finite number > 0, was 0"),
    ({"cash": math.inf}, "cash must be a finite number > 0, was inf"),
    ({"cash": "much"}, "cash must be"),
    ({"fees": -0.1}, "rate"),
    ({"fees": math.nan}, "fees must be a finite number or nt.Fees, was nan"),
    ({"fees": "free"}, "fees must be"),
    ({"slippage": True}, "slippage must be a finite number or nt.Slippage, was True"),
    ({"fill": "backtsting_py"}, "did you mean 'backtesting_py'"),
    ({"fill": 3}, "fill must be a preset's name or nt.FillPolicy, was 3"),
    ({"size": -1}, "quantity"),
    ({"size": "half"}, "size must be None, units, or nt.Size, was 'half'"),
    ({"risk": {"max_position": 1}}, "risk must be None or nt.RiskLimits"),
    ({"account": 1}, "account must be None or nt.Account"),
    ({"instruments": [1]}, "instruments must map symbols to nt.Instrument"),
    (
        {"instruments": {"GOOGL": nt.Instrument()}},
        "instruments names 'GOOGL', which the data has not; did you mean 'GOOG'",
    ),
    (
        {"risk": nt.RiskLimits(restricted=("XYZ", "Goog "))},
        "restricted names 'Goog ', the data has 'GOOG': spell it alike",
    ),
    ({"instruments": {"GOOG": 1}}, r"instruments\['GOOG'\] must be nt.Instrument"),
    ({"params": {"fsat": 3}}, "params 'fsat': SmaCross has no such parameter; did you mean 'fast'"),
    ({"params": {"fast": 2.5}}, "params 'fast' of SmaCross must be an int, was 2.5"),
    ({"params": [("fast", 3)]}, "params must be a mapping"),
    ({"params": {"fast": 0}}, "window"),
    ({"params": {"slow": 5_000}}, "window"),
    ({"seed": -1}, "seed must be an int in 0"),
    ({"seed": 0.5}, "seed must be an int in 0"),
    ({"latency_ns": -1}, "latency_ns must be an int in 0"),
    ({"latency_ns": 1.5}, "latency_ns must be an int in 0"),
    ({"latency_ns": 2**63}, "latency_ns must be an int in 0"),
    ({"progress": "yes"}, "progress must be True, False or a callable"),
    ({"cash": 1e-7}, "cash must be at least 1e-06, was 1e-07"),
    ({"size": 1e-10}, "size must be at least 1e-09, was 1e-10"),
    ({"bounds": "both"}, "bounds must be True or False, was 'both'"),
    ({"close_at_end": 1}, "close_at_end must be True or False, was 1"),
    ({"risk_free": math.nan}, "risk_free"),
    ({"risk_free": "none"}, "risk_free must be a finite rate per year > -1, was 'none'"),
    ({"periods_per_year": -1}, "periods_per_year"),
    ({"periods_per_year": "daily"}, "periods_per_year must be finite and > 0, was 'daily'"),
    ({"benchmark": [1.0]}, "benchmark"),
    ({"strategy": nt.Signals([True], [False])}, "signals have shape"),
    (
        {"strategy": nt.Signals(GOOG.close > 0, GOOG.close < 0), "params": {"fast": 3}},
        "params must be None for nt.Signals",
    ),
]


@pytest.mark.parametrize(("given", "message"), WRONG)
def test_wrong_input_is_named(given, message):
    options = {"data": GOOG, "strategy": SmaCross, **given}
    with pytest.raises(nt.InputError, match=message):
        nt.backtest(**options)


@pytest.mark.parametrize("given", [{"benchmark": [1.0]}, {"risk_free": math.nan}, {"periods_per_year": 0}])
def test_statistics_are_checked_before_the_run(given):
    class Never(Hold):
        def init(self, data):
            raise AssertionError("the run has begun")

    with pytest.raises(nt.InputError, match=next(iter(given))):
        nt.backtest(GOOG, Never, **given)


class GivesNaN(nt.Strategy):
    """Orders whose numbers come from an indicator that is not warm yet: nothing of them may count as not given."""

    what: int = 0

    def init(self, data):
        self.s = data.sma(30)

    def on_bar(self, ctx):
        if ctx.i == 3:
            level = ctx.value(self.s)
            if self.what == 0:
                ctx.buy(level)
            elif self.what == 1:
                ctx.buy(1, limit=level)
            elif self.what == 2:
                ctx.buy(1, stop=level)
            elif self.what == 3:
                ctx.sell(1, stop_loss=level)
            elif self.what == 4:
                ctx.buy(1, take_profit=level)
            elif self.what == 5:
                ctx.buy(1, trail=level)
            elif self.what == 6:
                ctx.buy(stop_loss_rate=level)
            else:
                ctx.buy(1, limit=level if ctx.i < 99 else None)


@BOTH
@pytest.mark.parametrize("what", range(8))
def test_nan_is_refused_rather_than_taken_for_not_given(speed, what):
    result = nt.backtest(GOOG[:40], at(speed, GivesNaN), params={"what": what})
    reason = nt.Denial.PRICE_RANGE if what else nt.Denial.QUANTITY_RANGE
    assert [(order["status"], order["reason"]) for order in result.orders] == [("denied", reason.name.lower())]


@pytest.mark.parametrize("short", [False, True])
def test_an_exit_cancels_an_entry_that_is_still_on_its_way(short):
    day_ns = 86_400 * 10**9
    entries, exits = np.zeros(len(GOOG), bool), np.zeros(len(GOOG), bool)
    entries[[3, 50]], exits[[4, 80]] = True, True
    none = np.zeros(len(GOOG), bool)
    signals = nt.Signals(none, none, entries, exits) if short else nt.Signals(entries, exits)
    result = nt.backtest(GOOG, signals, latency_ns=day_ns + 1)
    assert list(result.orders["status"][:2]) == ["cancelled", "filled"]
    assert (result.orders["done_bar"][0], result.orders["filled"][0]) == (4, 0.0)
    assert len(result.trades) == 1
    assert result.trades["entry_bar"][0] > 50


def test_a_latency_beyond_all_bars_fills_nothing():
    assert [len(nt.backtest(GOOG, Hold, latency_ns=ns).fills) for ns in (2**63 - 1, 0)] == [0, 1]


def test_a_context_kept_after_its_run_does_not_act():
    kept = []

    class Keeps(nt.Strategy):
        def on_bar(self, ctx):
            self.kept.append(ctx)

    strategy = Keeps()
    object.__setattr__(strategy, "kept", kept)
    nt.backtest(GOOG[:3], strategy)
    ctx = kept[0]
    acts = [ctx.buy, ctx.sell, lambda: ctx.buy(1), ctx.close_position, lambda: ctx.target(0.5), lambda: ctx.cancel(1),
            ctx.cancel_all, lambda: ctx.signal(1, 0.5), ctx.similar]  # fmt: skip
    for act in acts:
        with pytest.raises(nt.InputError, match="the run has ended"):
            act()
    assert ctx.i == 2


@pytest.mark.parametrize("name", ["recall", "journal", "advisor"])
def test_ports_are_checked_before_the_run(name):
    with pytest.raises(nt.InputError, match=f"{name} must"):
        nt.backtest(GOOG, SmaCross, **{name: 3})


@pytest.mark.parametrize("speed", ["interpreted", "compiled"])
def test_init_that_raises_is_a_strategy_error(speed):
    class Broken(Hold):
        def init(self, data):
            self.x = 1 / 0

    with pytest.raises(nt.StrategyError, match=r"Broken\.init raised ZeroDivisionError") as caught:
        nt.backtest(GOOG, at(speed, Broken))
    assert type(caught.value.__cause__) is ZeroDivisionError


def test_data_says_what_it_does_not_have():
    class Misspelt(Hold):
        def init(self, data):
            self.f = data.smaa(3)

    with pytest.raises(nt.StrategyError, match="data has no 'smaa'; did you mean 'sma'"):
        nt.backtest(GOOG, Misspelt)


def test_the_package_is_callable_however_it_was_imported():
    module = importlib.import_module("neuraltrade.backtest")
    assert module(GOOG, Hold).digest == nt.backtest(GOOG, Hold).digest
    script = (
        "import neuraltrade.backtest.run, neuraltrade as nt\n"
        "class H(nt.Strategy):\n    def on_bar(self, ctx): ctx.buy(1)\n"
        "print(len(nt.backtest(nt.datasets.load('GOOG')[:3], H).fills))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "2"
