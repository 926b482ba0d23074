"""One source, two speeds: the same body decides the same, interpreted or compiled, here or in another process."""

from __future__ import annotations

import importlib.util
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.ports import SIMILAR_DTYPE
from neuraltrade.strategy import native
from neuraltrade.strategy.prepare import prepare


def load(path: Path, name: str):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generated = load(Path(__file__).with_name("generated.py"), "generated")
GOOG = nt.datasets.load("GOOG")
PANEL = nt.Panel([nt.datasets.load(name) for name in ("AAPL", "GOOG", "MSFT")])
COSTS = {"fees": 0.0005, "slippage": 0.0002}
GENERATED = 12
LEVEL = 30


class SmaCross(nt.Strategy):
    fast: int = 10
    slow: int = 50

    def init(self, data):
        self.f = data.sma(self.fast)
        self.s = data.sma(self.slow)

    def on_bar(self, ctx):
        if ctx.crossed_above(self.f, self.s):
            ctx.buy()
        elif ctx.crossed_below(self.f, self.s):
            ctx.sell()


class Brackets(nt.Strategy):
    """Every keyword of buy and sell, denials among them."""

    size: float = 3.0

    def init(self, data):
        self.r = data.rsi(9)

    def on_bar(self, ctx):
        if ctx.crossed_below(self.r, LEVEL):
            order = ctx.buy(
                self.size, limit=ctx.close * 0.995, stop_loss=ctx.close * 0.9, take_profit=ctx.close * 1.05, tif="day"
            )
            ctx.state[0] = order
            if order < 0:
                ctx.signal("neutral", 0.0, "refused")
        elif ctx.crossed_above(self.r, 70):
            ctx.sell(quantity=2, stop=ctx.low * 0.99, stop_loss_rate=0.05, take_profit_rate=0.1, trail_rate=0.02)
            ctx.sell(quantity=1, trail=ctx.close * 0.1 if ctx.i % 2 else None)
        elif ctx.i % 50 == 49:
            if ctx.is_active(int(ctx.state[0])):
                ctx.cancel(int(ctx.state[0]))
            ctx.cancel_all()
            ctx.close_position()
        ctx.buy(-1.0 if ctx.i % 97 == 0 else 0.5, limit=ctx.low * 0.9, tif="ioc")


class Wordy(nt.Strategy):
    """Signals with texts, state, powers and logarithms, a helper method and a loop."""

    power: float = 1.5
    long_only: bool = True

    def init(self, data):
        self.ladder = tuple(data.sma(n) for n in (5, 10, 20, 40))
        self.own = data.indicator(lambda bars: np.log(bars.volume + 1.0))

    def score(self, ctx, base):
        total = 0.0
        for k, rung in enumerate(self.ladder):
            value = ctx.value(rung)
            if not math.isnan(value):
                total += (ctx.close / value - 1.0) * (k + 1) ** 0.5
        return math.tanh(total * base) + math.exp(-(abs(total) ** self.power)) - 1.0

    def on_bar(self, ctx):
        score = self.score(ctx, 3.0)
        ctx.state[0] = 0.9 * ctx.state[0] + 0.1 * score
        ctx.state[-1] += 1
        smooth = ctx.state[0] + 0.0 * ctx.value(self.own)
        if smooth > 0.05:
            ctx.signal(1, min(1.0, abs(score)), reasoning="up" if score > 0.2 else "slightly up")
            ctx.target(min(0.9, abs(smooth) * 3))
        elif smooth < -0.05 and not self.long_only:
            ctx.signal(-1, min(1.0, abs(score)), reasoning="down")
            ctx.target(-0.5)
        elif ctx.position != 0.0 and ctx.ago(1).close > ctx.ago(0).close and ctx.equity > ctx.cash:
            ctx.close_position()


class Rememberer(nt.Strategy):
    def on_bar(self, ctx):
        hits = ctx.similar(4)
        if len(hits) == 0:
            return
        mean = 0.0
        for hit in hits:
            mean += hit["outcome"]
        mean /= len(hits)
        if mean > 0 and hits[0]["distance"] < 0.3 and hits[len(hits) - 1]["ts_ns"] < ctx.ts_ns:
            ctx.buy()
        elif mean < 0:
            ctx.close_position()


class Numpy(nt.Strategy):
    """numpy's numbers behave as Python's in both modes."""

    def init(self, data):
        self.level = np.mean(data.close)
        self.window = np.int64(3)
        self.weights = (np.float64(0.5), np.float64(0.0))

    def on_bar(self, ctx):
        if ctx.close > self.level * self.weights[ctx.i % 2] and ctx.i % self.window == 0:
            ctx.buy()
        else:
            ctx.sell()


class Constructs(nt.Strategy):
    """Statements and expressions that compile, one after the other."""

    mode: str = "trend"
    count: int = 3
    flag: bool = True
    weights = (1, 2.5, 3)
    table = ((1, 2), (3, 4))

    def init(self, data):
        self.s = data.sma(5)
        self.none = None
        self.limit = float(np.mean(data.bars[0].close))

    def split(self, x):
        if x > self.limit:
            return x - self.limit, 1
        return x, 0

    def on_bar(self, ctx):  # noqa: PLR0912
        """A docstring."""
        value: float = ctx.value(self.s)
        if math.isnan(value) or self.none is not None:
            return
        rest, above = self.split(value)
        n = 0
        while n < 10:
            n += 1
            if n % 2:
                continue
            if n > 2 * self.count:
                break
        else:
            n = -1
        total = 0
        for i in range(self.count):
            for j, w in enumerate(self.weights):
                total += i * j + w
        for a, b in zip((1, 2, 3), self.weights):  # noqa: B905
            total -= a * b
        for pair in self.table:
            total += pair[0] ^ pair[1]
        day = ctx.i % 5
        if day in (1, 3) and not 0 < day <= 2 < n and (ctx.i + 1) % 3 in (0, 1):
            total += 1
        stop = None if above else ctx.close * 0.9
        bits = (ctx.i & 12) | (ctx.i >> 2) ^ 1
        side = above or -1
        assert n != 0, "never"
        ctx.state[0], step = float(total), self.flag + 1
        ctx.state[2], ctx.state[3] = ctx.state[3], ctx.state[2] + step
        ctx.state[1] -= -abs(rest) // 1 + round(rest * 10) % 7 + int(rest) + bits + side + step + np.pi
        if self.mode in ("trend", "both") and ctx.i not in self.weights and ctx.state[1] % 2 > 1:
            order = ctx.buy(stop_loss=stop)
            if order == nt.Denial.BRACKET or order < 0:
                ctx.close_position()
        elif ctx.i % (LEVEL // 3) == 0:
            ctx.sell()
        pass


class OfSymbols(nt.Strategy):
    """Decides by symbol and by bar of the symbol, over a panel whose clocks differ."""

    def init(self, data):
        self.m = data.mom(20)

    def on_bar(self, ctx):
        if ctx.symbol == "AAPL" or (ctx.symbol not in ("GOOG", "AAPL") and ctx.slot == 2):
            ctx.target(0.3 if ctx.value(self.m) > 0 else 0.0)
        elif ctx.bar % 30 == 0 and ctx.ago(min(ctx.bar, 2)).ts_ns < ctx.ts_ns:
            ctx.target(0.2)


class FixedRecall:
    """Three situations at every bar from the fifth on, their numbers a function of the time."""

    def similar(self, symbol, ts_ns, k):
        rows = np.zeros(min(k, 3), SIMILAR_DTYPE)
        day = ts_ns // 86_400_000_000_000
        if day % 5 == 0:
            return rows[:0]
        rows["id"], rows["ts_ns"] = np.arange(len(rows)) + 1, ts_ns - 1 - np.arange(len(rows))
        rows["distance"] = 0.1 + 0.05 * np.arange(len(rows))
        rows["outcome"] = np.sin(day * 0.1 + np.arange(len(rows)))
        return rows


def both(data, strategy, **options):
    interpreted = nt.backtest(data, strategy, **options)
    compiled = nt.backtest(data, nt.compiled(strategy), **options)
    assert interpreted.settings["mode"] == "interpreted" and compiled.settings["mode"] == "compiled"
    return interpreted, compiled


def assert_equal(interpreted, compiled):
    assert compiled.digest == interpreted.digest
    np.testing.assert_array_equal(compiled.equity, interpreted.equity)
    np.testing.assert_array_equal(compiled.signals, interpreted.signals)
    assert compiled.reasoning == interpreted.reasoning


CASES = [
    (SmaCross, GOOG, {}),
    (SmaCross, GOOG, {"params": {"fast": 3, "slow": 7}, "fill": "backtesting_py"}),
    (Brackets, GOOG, {"cash": 1e6}),
    (Brackets, GOOG, {"risk": nt.RiskLimits(max_order_quantity=2.5), "instruments": nt.Instrument(lot=0.5)}),
    (Wordy, GOOG, {}),
    (Wordy, PANEL, {"params": {"long_only": False, "power": 0.7}}),
    (OfSymbols, PANEL, {}),
    (Rememberer, GOOG, {"recall": FixedRecall()}),
    (Numpy, GOOG, {}),
    (Constructs, GOOG, {}),
    (Constructs, PANEL, {"size": 5, "params": {"mode": "both", "count": 1, "flag": False}}),
    (nt.strategy.library.Momentum, PANEL, {"params": {"allow_short": True, "max_fraction": 0.3}}),
]


@pytest.mark.parametrize(("strategy", "data", "options"), CASES, ids=lambda v: getattr(v, "__name__", ""))
def test_interpreted_and_compiled_decide_alike(strategy, data, options):
    interpreted, compiled = both(data, strategy, **{**COSTS, **options})
    assert len(interpreted.fills) > 5, "a strategy that never trades proves nothing"
    assert_equal(interpreted, compiled)


@pytest.mark.parametrize("seed", range(GENERATED))
def test_generated_strategies_decide_alike(seed, tmp_path):
    path = tmp_path / f"generated_{seed}.py"
    path.write_text(generated.Generator(seed).source())
    strategy = load(path, path.stem).Generated
    outcomes = []
    for one in (strategy, nt.compiled(strategy)):
        try:
            outcomes.append(nt.backtest(GOOG[:600], one, **COSTS).digest)
        except nt.StrategyError as error:
            outcomes.append((error.bar, type(error.__cause__).__name__))
    assert outcomes[0] == outcomes[1], f"seed {seed}:\n{path.read_text()}"


def test_the_generator_varies():
    used = set()
    sources = set()
    for seed in range(GENERATED):
        generator = generated.Generator(seed)
        sources.add(generator.source())
        used |= generator.used
    assert len(sources) == GENERATED
    assert {
        "power",
        "integers",
        "sum",
        "product",
        "ladder",
        "method",
        "helper",
        "math",
        "floor",
        "modulo",
        "ago",
    } <= used


SCRIPT = """
import sys
import neuraltrade as nt
sys.path.insert(0, {folder!r})
from written import Written
bars = nt.datasets.load("GOOG")
print(nt.backtest(bars, nt.compiled(Written)).digest, "numba" in sys.modules)
"""
WRITTEN = """
import neuraltrade as nt

class Written(nt.Strategy):
    def init(self, data):
        self.m = data.mom(5)

    def on_bar(self, ctx):
        if ctx.crossed_above(self.m, 0):
            ctx.buy(stop_loss=ctx.close - abs(ctx.value(self.m)) ** 1.1)
        elif ctx.crossed_below(self.m, 0):
            ctx.sell()
"""


def test_another_process_agrees_and_does_not_compile_again(tmp_path):
    (tmp_path / "written.py").write_text(WRITTEN)
    environment = {**os.environ, "NEURALTRADE_CACHE_DIR": str(tmp_path / "cache")}
    root = str(Path(nt.__file__).parents[1])
    environment["PYTHONPATH"] = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-c", SCRIPT.format(folder=str(tmp_path))]
    runs = [
        subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.split()
        for _ in range(2)
    ]
    strategy = load(tmp_path / "written.py", "written").Written
    assert runs[0] == [nt.backtest(GOOG, strategy).digest, "True"]
    assert runs[1] == [runs[0][0], "False"], "the second process loads the object file and never imports numba"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache on disk, nothing loaded."""
    monkeypatch.setenv("NEURALTRADE_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(native, "_loaded", {})
    return tmp_path / "strategies"


def test_a_parameter_does_not_compile_again(cache):
    first = prepare(nt.compiled(SmaCross), {"fast": 4}, (GOOG,))
    second = prepare(nt.compiled(SmaCross), {"fast": 5, "slow": 9}, (GOOG,))
    assert second.native is first.native and not first.native.from_cache
    native._loaded.clear()
    assert prepare(nt.compiled(SmaCross), {"fast": 6}, (GOOG,)).native.from_cache
    assert len(list(cache.iterdir())) == 1


def test_code_stays_loaded_up_to_a_limit(cache, monkeypatch):
    monkeypatch.setattr(native, "_LOADED_MAX", 2)
    for strategy in (SmaCross, Brackets, Wordy, SmaCross):
        assert nt.backtest(GOOG, nt.compiled(strategy)).digest == nt.backtest(GOOG, strategy).digest
        assert len(native._loaded) <= 2


@pytest.mark.parametrize("damage", ["cut", "flip", "empty"])
def test_a_damaged_cache_file_is_compiled_again(damage, cache):
    good = nt.backtest(GOOG, nt.compiled(SmaCross)).digest
    (path,) = cache.iterdir()
    content = bytearray(path.read_bytes())
    if damage == "flip":
        content[len(content) // 2] ^= 1
    path.write_bytes({"cut": content[:-7], "flip": content, "empty": b""}[damage])
    native._loaded.clear()
    made = prepare(nt.compiled(SmaCross), None, (GOOG,))
    assert not made.native.from_cache
    assert nt.backtest(GOOG, nt.compiled(SmaCross)).digest == good


def test_a_folder_that_cannot_be_written_costs_only_the_cache(cache, tmp_path, monkeypatch, caplog):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NEURALTRADE_CACHE_DIR", str(tmp_path / "file"))
    assert not prepare(nt.compiled(SmaCross), None, (GOOG,)).native.from_cache
    assert "not kept" in caplog.text


def test_a_folder_that_others_can_write_to_is_not_used(cache, caplog):
    cache.mkdir()
    cache.chmod(0o777)
    assert not prepare(nt.compiled(SmaCross), None, (GOOG,)).native.from_cache
    assert "others can write" in caplog.text and not list(cache.iterdir())


class DividesByZero(nt.Strategy):
    def on_bar(self, ctx):
        ctx.state[0] = 1.0 / (ctx.i - 7)  # HERE


class StateRange(nt.Strategy):
    state_size = 4

    def on_bar(self, ctx):
        ctx.state[ctx.i] = 1.0  # HERE


class RaisesOnPurpose(nt.Strategy):
    def on_bar(self, ctx):
        if ctx.i == 3:
            raise ValueError("enough")  # HERE


class Enough(Exception):
    """An exception of the user's own."""


class RaisesItsOwn(nt.Strategy):
    def on_bar(self, ctx):
        if ctx.i > 4:
            raise Enough("of it")  # HERE


class Asserts(nt.Strategy):
    def on_bar(self, ctx):
        assert ctx.i < 6, "too late"  # HERE


class LooksTooFar(nt.Strategy):
    def on_bar(self, ctx):
        ctx.state[0] = ctx.ago(ctx.i - 5).close if ctx.i < 9 else ctx.ago(100).close  # HERE


class NanToInt(nt.Strategy):
    def init(self, data):
        self.s = data.sma(9)

    def on_bar(self, ctx):
        ctx.state[0] = int(ctx.value(self.s))  # HERE


class Confident(nt.Strategy):
    def on_bar(self, ctx):
        ctx.signal(1, 1.0 + ctx.i * 0.1 - 0.3)  # HERE


def test_an_integer_beyond_64_bits_is_an_error_not_another_number():
    class Grows(nt.Strategy):
        def on_bar(self, ctx):
            big = ctx.ts_ns
            for _ in range(ctx.i):
                big = big * 3
            ctx.state[0] = big % 7

    nt.backtest(GOOG[:5], Grows)
    with pytest.raises(nt.StrategyError, match="OverflowError: an integer beyond 64 bits") as caught:
        nt.backtest(GOOG[:5], nt.compiled(Grows))
    assert caught.value.bar == 2, "3 x 1.1e18 still fits, 9 x does not"


class NumpyByZero(nt.Strategy):
    def init(self, data):
        self.zero = np.float64(0.0)

    def on_bar(self, ctx):
        for hit in ctx.similar(2):
            ctx.state[0] = 1.0 / (hit["distance"] * self.zero)  # HERE


RAISING = [
    (DividesByZero, 7, ZeroDivisionError),
    (StateRange, 4, IndexError),
    (RaisesOnPurpose, 3, ValueError),
    (RaisesItsOwn, 5, Enough),
    (Asserts, 6, AssertionError),
    (LooksTooFar, 0, nt.InputError),
    (NanToInt, 0, ValueError),
    (Confident, 4, nt.InputError),
    (NumpyByZero, 0, ZeroDivisionError),
]


@pytest.mark.parametrize(("strategy", "bar", "cause"), RAISING, ids=lambda v: getattr(v, "__name__", None))
@pytest.mark.parametrize("speed", ["interpreted", "compiled"])
def test_an_exception_carries_bar_time_and_cause(strategy, bar, cause, speed):
    with pytest.raises(nt.StrategyError) as caught:
        nt.backtest(GOOG[:20], nt.compiled(strategy) if speed == "compiled" else strategy, recall=FixedRecall())
    assert (caught.value.bar, caught.value.ts_ns) == (bar, int(GOOG.ts_ns[bar]))
    assert type(caught.value.__cause__) is cause
    if speed == "compiled":
        lines = Path(__file__).read_text().splitlines()
        start = next(k for k, line in enumerate(lines) if line.startswith(f"class {strategy.__name__}("))
        line = next(k for k in range(start, len(lines)) if "HERE" in lines[k]) + 1
        assert f"{__file__}:{line}: " in str(caught.value)
