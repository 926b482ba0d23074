"""An on_bar that stays is the on_bar that is called: the same decisions, errors and lines, whatever the body holds."""

from __future__ import annotations

import functools
import importlib.util
import sys
import traceback
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.strategy import prepare

GOOG = nt.datasets.load("GOOG")
PANEL = nt.Panel([nt.datasets.load(name)[:400] for name in ("AAPL", "GOOG", "MSFT")])
NEVER = sys.maxsize
CALLS = 0


def load(path: Path, name: str):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


two_speeds = load(Path(__file__).with_name("test_two_speeds.py"), "two_speeds_of_resident")


def both(monkeypatch, data, strategy, **options):
    """The run with on_bar called, and the one where it stays; it must be able to."""
    monkeypatch.setattr(prepare, "RESIDENT_BARS_MIN", NEVER)
    called = nt.backtest(data, strategy, **options)
    monkeypatch.setattr(prepare, "RESIDENT_BARS_MIN", 0)
    assert stays(strategy, data), "a body that does not stay proves nothing"
    return called, nt.backtest(data, strategy, **options)


def stays(strategy, data=GOOG):
    series = data if isinstance(data, nt.Panel) else [data]
    return prepare.prepare(strategy, None, [*series]).resident is not None


def failure(data, strategy):
    with pytest.raises(nt.StrategyError) as caught:
        nt.backtest(data, strategy)
    lines = [(line.name, line.lineno) for line in traceback.extract_tb(caught.value.__cause__.__traceback__)]
    shown = [line for line in lines if not line[0].startswith("neuraltrade.")]
    error = caught.value
    return str(error), error.bar, type(error.__cause__), shown, error.result.digest


class Base(nt.Strategy):
    level: float = 2.5
    count: int = 0
    flag: bool = True

    def init(self, data):
        self.f, self.s, self.r = data.sma(5), data.sma(20), data.rsi(9)
        self.weights = (0.5, 1.5)

    def act(self, ctx, x):
        ctx.target(0.2 * x if ctx.value(self.r) ** 0.5 < 7 else -0.1)
        return x


class Returns(Base):
    def on_bar(self, ctx):
        """With a docstring, and ways out everywhere."""
        if ctx.i < 3:
            return
        if not (ctx.crossed_above(self.f, self.s) or ctx.crossed_below(self.f, self.s)):
            return None
        try:
            if ctx.value(self.r) > 60:
                return self.act(ctx, 1)
            with_else = 2
        finally:
            ctx.state[0] += 1
        return ctx.buy() if ctx.position <= 0 and with_else else ctx.sell()


class Conditions(Base):
    def on_bar(self, ctx):
        if 30 < ctx.value(self.r) <= 70 and ctx.close >= ctx.value(self.s) != ctx.value(self.f):
            ctx.target(0.5 if ctx.position == self.count and not ctx.crossed_below(self.r, 60) else 0.4)
        elif ctx.crossed_above(self.level, self.f) or (ctx.open < ctx.close and -1 < ctx.position) is True:  # noqa: SIM300
            ctx.sell()
        ctx.state[1] = not ctx.crossed_above(self.f, self.s)
        while ctx.state[2] < 3 and ctx.equity > 0:
            ctx.state[2] += 1
        ctx.state[3] = int(ctx.close > 1) + int(ctx.close > 2) if self.flag == True else 0  # noqa: E712
        if ctx.close > 1 < self.level or 0 < 1 < 2 < ctx.low:  # noqa: PLR0133
            ctx.state[4] += 1


class Loops(Base):
    def on_bar(self, ctx):
        weights = []
        for weight in self.weights:
            if ctx.close > weight:
                weights.append(weight)
        total = sum(weights) * ctx.close
        for k in range(3):
            if total > 1000 * k:
                continue
            total -= k
        else:  # noqa: PLW0120
            if ctx.crossed_above(self.f, self.s):
                ctx.buy(1 + int(total) % 3)
                return
        ctx.state[0] = total**1.5
        if ctx.crossed_below(self.f, self.s):
            ctx.close_position()


class Super(Returns):
    def on_bar(self, ctx):
        super().on_bar(ctx)
        if ctx.crossed_above(self.r, 70.0):
            ctx.close_position()


class Swallows(Base):
    def on_bar(self, ctx):
        try:
            try:
                raise KeyError(ctx.i)
            finally:
                if ctx.i % 2:
                    return  # noqa: B012
        except KeyError as error:
            ctx.state[0] += error.args[0]
        if ctx.state[0] > 5000 and ctx.position != 0.0:
            ctx.close_position()
        ctx.buy(1.0, limit=ctx.low)


class Levels(Base):
    """Numbers of the bar as values: in sums, as arguments, kept, and their truth."""

    def on_bar(self, ctx):
        rsi, price = ctx.value(self.r), ctx.close
        if ctx.position:
            if (rsi > 60 and ctx.entry_price < price) or not self.flag:
                ctx.close_position()
            return
        spread = max(ctx.high - ctx.low, 0.0) / (price + ctx.value(self.s))
        ctx.state[self.count] = spread + -ctx.volume + (ctx.cash if ctx.equity else ctx.open)
        if (price > self.level * 100 and rsi < 55) or not ctx.value(self.f):
            ctx.buy(stop_loss=ctx.low * 0.95, take_profit=1.1 * ctx.high)


class Matches(Base):
    """Patterns that look like numbers of the bar, guards, ways out of a case, a name of the module."""

    def on_bar(self, ctx):
        global CALLS  # noqa: PLW0603
        CALLS += 1
        match ctx.close:
            case ctx.open:
                return
            case price if ctx.position == 0 and price > 100:
                ctx.buy(1 + CALLS % 2)
            case _ if ctx.crossed_below(self.f, self.s):
                ctx.close_position()
                return


class Changing(Base):
    kind: ClassVar[str] = "indicator"

    def init(self, data):
        super().init(data)
        self.other = {"indicator": self.s, "number": 185, "neither": (185.0,)}[self.kind]

    def on_bar(self, ctx):
        level = self.other[0] if self.kind == "neither" else 185.0
        if self.kind == "indicator" and ctx.crossed_above(self.f, self.other):
            ctx.buy()
        elif (self.kind == "number" and ctx.crossed_above(self.f, self.other)) or ctx.crossed_below(self.f, level):
            ctx.sell()


class OnClass(Base):
    """Changes a number of its class as it goes, which is therefore none to rely on."""

    def on_bar(self, ctx):
        if ctx.i == 0:
            type(self).level = 0.0
        type(self).level += 0.5
        if ctx.close > self.level:
            ctx.buy(1)


@pytest.fixture(autouse=True)
def level():
    yield
    if "level" in OnClass.__dict__:
        OnClass.level = 2.5


BODIES = [Returns, Levels, Matches, Conditions, Loops, Super, Swallows, OnClass]


@pytest.mark.parametrize("strategy", BODIES)
@pytest.mark.parametrize("data", [GOOG[:400], PANEL], ids=["one", "panel"])
def test_bodies_decide_alike(monkeypatch, strategy, data):
    monkeypatch.setitem(globals(), "CALLS", 0)
    called, stayed = both(monkeypatch, data, strategy, fees=0.001)
    assert len(called.fills) > 3 and stayed.digest == called.digest
    np.testing.assert_array_equal(stayed.equity, called.equity)


@pytest.mark.parametrize(("strategy", "data", "options"), two_speeds.CASES, ids=lambda v: getattr(v, "__name__", ""))
def test_strategies_of_both_speeds_decide_alike(monkeypatch, strategy, data, options):
    monkeypatch.setattr(prepare, "RESIDENT_BARS_MIN", NEVER)
    called = nt.backtest(data, strategy, **options)
    monkeypatch.setattr(prepare, "RESIDENT_BARS_MIN", 0)
    stayed = nt.backtest(data, strategy, **options)
    assert stayed.digest == called.digest and stayed.reasoning == called.reasoning


def test_bounds_take_three_runs_of_one_strategy(monkeypatch):
    called, stayed = both(monkeypatch, GOOG[:300], two_speeds.Brackets, cash=1e6, bounds=True)
    assert [one.digest for one in stayed.bounds] == [one.digest for one in called.bounds]


def test_short_runs_are_called():
    assert not stays(two_speeds.SmaCross, GOOG[:1_999])
    assert stays(two_speeds.SmaCross, GOOG[:2_000])


@pytest.mark.parametrize("attribute", [{"level": 3.0}, {"level": 700.0}, {"count": 1, "flag": False}])
def test_parameters_of_each_run_count(monkeypatch, attribute):
    called, stayed = both(monkeypatch, GOOG[:400], Levels, params=attribute)
    assert stayed.digest == called.digest and (len(called.fills) > 3) is (
        "level" not in attribute or attribute["level"] < 9
    )


def test_an_attribute_may_be_of_another_kind_in_the_next_run(monkeypatch):
    for kind in ("indicator", "number", "neither", "number", "indicator"):
        monkeypatch.setattr(Changing, "kind", kind)
        called, stayed = both(monkeypatch, GOOG[:400], Changing)
        assert stayed.digest == called.digest and len(called.fills) > 0


def test_locals_are_unbound_at_each_bar(monkeypatch):
    class Forgets(nt.Strategy):
        def on_bar(self, ctx):
            first = ctx.close
            if ctx.i < 5:
                later = first
            ctx.state[0] = later

    for least in (NEVER, 0):
        monkeypatch.setattr(prepare, "RESIDENT_BARS_MIN", least)
        assert stays(Forgets) is (least == 0)
        message, bar, kind, shown, _ = failure(GOOG[:30], Forgets)
        assert bar == 5 and kind is UnboundLocalError and "later" in message and shown[-1][0] == "on_bar"


def test_what_is_held_is_let_go_at_the_end_of_a_bar(monkeypatch):
    gone = []

    class Held:
        def __del__(self):
            gone.append(1)

    class Holds(nt.Strategy):
        def on_bar(self, ctx):
            if ctx.i > 0:
                held = Held()
                ctx.state[0] += held is not None
            if len(gone) != max(0, ctx.i - 1):
                raise ValueError(f"{len(gone)} gone at bar {ctx.i}")

    monkeypatch.setattr(prepare, "RESIDENT_BARS_MIN", 0)
    assert stays(Holds)
    nt.backtest(GOOG[:20], Holds)
    assert len(gone) == 19


class Raises(Base):
    def on_bar(self, ctx):
        if ctx.crossed_above(self.f, self.s) and ctx.i > 100:
            raise ValueError("here")


class Stops(Base):
    def on_bar(self, ctx):
        if ctx.i == 7:
            next(iter(()))


def stopping():
    yield next(iter(()))


class StopsInside(Base):
    def on_bar(self, ctx):
        for _ in stopping():
            pass


class Unknown(Base):
    def on_bar(self, ctx):
        ctx.buy(stop_los=1.0)


class NoSuch(Base):
    def on_bar(self, ctx):
        if ctx.crossed_above(self.fast, self.s):
            ctx.buy()


class Foreign(Base):
    """Asks for an indicator that another run made: the error comes when it is asked, not before."""

    def init(self, data):
        super().init(data)
        other = nt.strategy.StrategyData(data.bars)
        self.foreign = [other.sma(n) for n in range(2, 9)][-1]

    def on_bar(self, ctx):
        if ctx.i > 12 and ctx.value(self.foreign) > 3:
            ctx.buy()


class Truth(Base):
    def on_bar(self, ctx):
        if self.f > 3:
            ctx.buy()


@pytest.mark.parametrize("strategy", [Raises, Stops, StopsInside, Unknown, NoSuch, Foreign, Truth])
def test_errors_are_the_same(monkeypatch, strategy):
    monkeypatch.setattr(prepare, "RESIDENT_BARS_MIN", NEVER)
    called = failure(GOOG[:300], strategy)
    monkeypatch.setattr(prepare, "RESIDENT_BARS_MIN", 0)
    assert stays(strategy)
    assert failure(GOOG[:300], strategy) == called
    assert called[3][0][0] == "on_bar"


def test_a_run_that_is_stopped_by_hand_says_so(monkeypatch):
    class Interrupted(nt.Strategy):
        def on_bar(self, ctx):
            if ctx.i == 3:
                raise KeyboardInterrupt

    monkeypatch.setattr(prepare, "RESIDENT_BARS_MIN", 0)
    assert stays(Interrupted)
    with pytest.raises(KeyboardInterrupt):
        nt.backtest(GOOG[:9], Interrupted)


def test_a_profiler_sees_each_call(monkeypatch):
    seen = []
    monkeypatch.setattr(prepare, "RESIDENT_BARS_MIN", 0)

    def profile(frame, event, argument):
        if frame.f_code.co_name == "on_bar" and event in ("call", "return"):
            seen.append((event, frame.f_code.co_filename))

    assert stays(two_speeds.SmaCross)
    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        nt.backtest(GOOG[:50], two_speeds.SmaCross)
    finally:
        sys.setprofile(before)
    calls = [name for event, name in seen if event == "call"]
    assert 50 <= len(calls) <= 52 and set(calls) == {two_speeds.__file__}  # its start and its end beside the bars


# ---- what is called as it is written ---------------------------------------------------------------------------------


class InLoop(Base):
    def on_bar(self, ctx):
        for k in range(3):
            if ctx.close > k:
                return


class Makes(Base):
    def on_bar(self, ctx):
        ctx.state[0] = max([1, 2], key=lambda k: -k)


class Generates(Base):
    def on_bar(self, ctx):
        ctx.buy(sum(k for k in [1, 2, 3] if ctx.close > k))


class Looks(Base):
    def on_bar(self, ctx):
        ctx.state[0] = len(locals())


class Assigns(Base):
    def on_bar(self, ctx):
        ctx = ctx  # noqa: PLW0127
        ctx.buy()


def doubled(function):
    @functools.wraps(function)
    def wrapper(self, ctx):
        function(self, ctx)
        function(self, ctx)

    return wrapper


class Wrapped(Base):
    @doubled
    def on_bar(self, ctx):
        ctx.buy(1)


class More(Base):
    def on_bar(self, ctx, more=1):
        ctx.buy(more)


class Mangled(Base):
    __hidden = 3.0

    def on_bar(self, ctx):
        if ctx.close > self.__hidden:
            ctx.buy()


class Chosen(Base):
    """What its `init` put in the place of on_bar is what runs."""

    def init(self, data):
        self.on_bar = self.other

    def on_bar(self, ctx):
        ctx.sell(1)

    def other(self, ctx):
        ctx.buy(1)


class ChosenRouted(Chosen):
    def other(self, ctx):
        ctx.buy(1, limit=ctx.close**0.9)


exec("class Typed(Base):\n    def on_bar(self, ctx):\n        ctx.buy(1)\n", globals())
UNFIT = [InLoop, Makes, Generates, Looks, Assigns, Wrapped, More, Mangled, Chosen, ChosenRouted, globals()["Typed"]]


@pytest.mark.parametrize("strategy", UNFIT)
def test_what_is_out_of_the_ordinary_is_called(monkeypatch, strategy):
    called = nt.backtest(GOOG[:60], strategy)
    monkeypatch.setattr(prepare, "RESIDENT_BARS_MIN", 0)
    assert not stays(strategy)
    assert nt.backtest(GOOG[:60], strategy).digest == called.digest


def test_a_source_edited_since_is_not_run(monkeypatch, tmp_path):
    text = "import neuraltrade as nt\n\n\nclass Edited(nt.Strategy):\n    def on_bar(self, ctx):\n        ctx.buy({})\n"
    path = tmp_path / "edited.py"
    path.write_text(text.format(1))
    edited = load(path, "edited").Edited
    monkeypatch.setattr(prepare, "RESIDENT_BARS_MIN", 0)
    path.write_text(text.format("2.0 "))
    assert not stays(edited)
    assert set(nt.backtest(GOOG[:9], edited).fills["quantity"]) == {1.0}
