"""One set of parameters after the other over the same window of history: what `nt.backtest` would give, without what it
keeps.

A run over the clock's steps [start, stop) sees the bars before `start` (its indicators are warm), trades none of them,
and nothing of what comes at `stop` or later exists for it: not for `init` either.
"""

from __future__ import annotations

import math
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from ..core.engine import Engine
from ..core.team import Team
from ..errors import CompileError, InputError, NeuralTradeError, StrategyError
from ..market import Bars, Panel, Ticks
from ..results import Result, statistics, tables
from ..results.annual import infer_periods_per_year
from ..strategy import CompiledStrategy, Signals, Strategy
from ..strategy.batch import Batch
from ..strategy.prepare import Prepared, prepare
from . import run as one_run
from .stitch import Piece, joined
from .sweep_team import Several, all_release_gil, is_several
from .team import Members

STATISTICS = tuple(statistics.DEFINITIONS)

PORTS = ("recall", "advisor")
AFTERWARDS = ("close_at_end", "risk_free", "periods_per_year", "benchmark", *PORTS)  # no part of the set-up

Metric = str | Callable[[Result], float]


@dataclass(frozen=True)
class Window:
    """Steps [start, stop) of the clock, and the cash to start with."""

    start: int
    stop: int
    cash: float


@dataclass(frozen=True)
class Trial:
    """What one set of parameters came to: its metric, every statistic, or why it failed."""

    number: int
    metric: float = math.nan
    values: tuple[float, ...] = (math.nan,) * len(STATISTICS)
    error: str = ""
    returns: np.ndarray | None = None
    first: float = math.nan  # the return of the window's first bar, from the cash to its close


@dataclass(frozen=True)
class Ran:
    """A finished run: its engine, and the strategy or the several of it; neither of an nt.Signals."""

    engine: Engine
    prepared: Prepared | None
    members: Members | None
    team: Team | None


class Job:
    """Runs of one strategy over one window, for any set of its parameters and from any thread.

    data : Bars, Panel or Ticks; strategy : what nt.sweep takes. settings : keyword arguments of nt.backtest, checked
    when the first run is prepared. metric : name of a statistic, or a callable(result) -> number. keep_returns : let
    each Trial carry its returns, float64[stop - start - 1]. A copy in another process starts with nothing shared.
    """

    def __init__(
        self,
        data: Any,
        strategy: Any,
        settings: Mapping[str, Any],
        metric: Metric,
        window: Window | None = None,
        *,
        keep_returns: bool = False,
    ) -> None:
        self.data = data
        self.strategy = strategy
        self.settings = dict(settings)
        self.metric = metric
        self.window = window
        self.keep_returns = keep_returns
        self.token = uuid.uuid4().hex  # which job it is, to the workers of an executor
        self._start_sharing()

    def _start_sharing(self) -> None:
        self._lock = threading.Lock()
        self._setup: Any = None
        self._batch: Batch | None = None
        self._several: Several | None = None
        self._periods: float | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._start_sharing()

    # ---- what all runs share ----------------------------------------------------------------------------------------

    @property
    def setup(self) -> Any:
        """The checked arguments. Raises InputError as nt.backtest does."""
        with self._lock:
            if self._setup is None:
                self._make()
        return self._setup

    def _make(self) -> None:
        given = dict(self.settings)
        for name in AFTERWARDS:
            given.pop(name, None)
        known = dict.fromkeys(("account", "actions", "instruments", "rates", "risk", "size"))
        known |= {"cash": 10_000.0, "fees": 0.0, "slippage": 0.0, "fill": "conservative", "latency_ns": 0, "seed": 0}
        data = self.data
        if self.window is not None:
            data = until(data, self.window.stop)
            given["cash"] = self.window.cash
        setup = one_run._setup(data, **(known | given))
        if is_several(self.strategy):
            self._several = Several(self.strategy, setup, has_window=self.window is not None)
        elif not isinstance(setup.data, Ticks) and _is_strategy(self.strategy):
            self._batch = Batch(self.strategy, setup.bars, calendars=setup.calendars)
        self._setup = setup

    @property
    def start(self) -> int:
        return 0 if self.window is None else self.window.start

    # ---- one run ----------------------------------------------------------------------------------------------------

    def engine(self, params: Mapping[str, Any], *, record_events: bool) -> Ran:
        """A finished run."""
        setup = self.setup
        signals, prepared, members, team = None, None, None, None
        if self._several is not None:
            members = self._several.prepare(params)
        elif self._batch is not None:
            prepared = self._batch.prepare(params)
        elif _is_strategy(self.strategy):
            prepared = prepare(self.strategy, params, setup.bars, setup.ticks, calendars=setup.calendars)
        else:
            signals = _signals(self.strategy, setup.data, params)
        calls = () if prepared is None else prepared.calls
        count = 1 if members is None else len(members)
        engine = setup.engine(setup.policy, calls, count, record_events)
        if members is not None:
            team = members.bind(engine)
            team.wait(engine, self.start)
        else:
            if self.start:
                engine.bind_signals(None)  # the account waits
                engine.advance(self.start)
            one_run._bind(engine, setup, signals, prepared)
        if self.asks:
            named = one_run._settings(setup, setup.policy, prepared, members, False)
            recall, advisor = self.settings.get("recall"), self.settings.get("advisor")
            one_run._attach(engine, setup, named, recall, None, advisor, members, team)
        one_run._advance(engine, prepared, members, team, False, "")
        engine.finish(close_open=bool(self.settings.get("close_at_end", False)))
        return Ran(engine, prepared, members, team)

    def trial(self, number: int, params: Mapping[str, Any]) -> Trial:
        """One set of parameters. What the strategy raised is told in the Trial; CompileError comes through."""
        made: Result | None = None
        try:
            if callable(self.metric):
                made = self.result(params)
                found, equity = made.stats, made.equity
            else:
                engine = self.engine(params, record_events=False).engine
                equity = engine.equity()[self.start :]
                found = self._measure(engine, equity)
        except CompileError:
            raise
        except NeuralTradeError as error:
            return Trial(number, error=f"{type(error).__name__}: {error}")
        try:
            metric = self._judged(made, found)
        except StrategyError as error:
            return Trial(number, error=f"{type(error).__name__}: {error}")
        kept = statistics.simple_returns(equity) if self.keep_returns else None
        first = float(equity[0]) / self.setup.cash - 1.0
        return Trial(number, metric, tuple(float(found[name]) for name in STATISTICS), "", kept, first)

    def _judged(self, result: Result | None, found: statistics.Statistics) -> float:
        """The metric; of a callable what it makes of the whole result."""
        if not callable(self.metric):
            return float(found[self.metric])
        assert result is not None
        try:
            value = self.metric(result)
        except NeuralTradeError:
            raise
        except Exception as error:
            raise StrategyError(f"metric raised {type(error).__name__}: {error}") from error
        if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
            raise InputError(f"metric must return a number, returned {value!r}")
        return float(value)

    def _measure(self, engine: Engine, equity: np.ndarray) -> statistics.Statistics:
        setup = self.setup
        fills, trades = engine.fills(), engine.trades()
        if self._several is not None:  # slots are strategy x symbols + symbol
            for rows in (fills, trades):
                rows["symbol"] %= len(setup.symbols)
        scale = None
        if self.has_multipliers:
            facts = SimpleNamespace(settings=self.told, symbols=setup.symbols, events=engine.events())
            scale = tables.multipliers(facts, fills)  # type: ignore[arg-type]
        if self.start:
            trades["entry_bar"] -= self.start
            trades["exit_bar"] -= self.start
        return statistics.compute(
            equity,
            setup.cash,
            fills,
            trades,
            periods_per_year=self.periods_per_year(),
            risk_free=self.settings.get("risk_free", 0.0),
            ambiguous_bars=engine.ambiguous_bars,
            multipliers=scale,
        )

    @property
    def has_multipliers(self) -> bool:
        """Whether a point of some symbol is not worth one unit of the account's currency."""
        return bool(self.setup.rates) or any(one.multiplier != 1.0 for one in self.setup.instruments)

    @property
    def told(self) -> dict[str, Any]:
        told: dict[str, Any] = self.setup.settings(self.setup.policy)
        return told

    @property
    def clock_ts_ns(self) -> np.ndarray:
        """int64[steps], the clock of the window."""
        data = self.setup.data
        clock: np.ndarray = data.local_ns if isinstance(data, Ticks) else data.ts_ns
        return clock[self.start :]

    @property
    def steps(self) -> int:
        """Steps of the window."""
        return len(self.clock_ts_ns)

    @property
    def releases_gil(self) -> bool:
        """Whether runs go on while another thread holds the GIL."""
        if self.asks or is_several(self.strategy):
            return not self.asks and all_release_gil(self.strategy)
        return isinstance(self.strategy, CompiledStrategy) or not _is_strategy(self.strategy)

    @property
    def asks(self) -> bool:
        """Whether runs ask a memory, the caller's Python: one run at a time, then."""
        return any(self.settings.get(name) is not None for name in PORTS)

    def periods_per_year(self) -> float:
        if self._periods is None:
            given = self.settings.get("periods_per_year")
            self._periods = infer_periods_per_year(self.clock_ts_ns) if given is None else float(given)
        return self._periods

    def target(self) -> float:
        """The risk-free rate a bar."""
        rate, periods = self.settings.get("risk_free", 0.0), self.periods_per_year()
        return math.expm1(math.log1p(rate) / periods) if rate and periods > 0.0 else 0.0

    def piece(self, params: Mapping[str, Any]) -> tuple[Piece, dict[str, Any]]:
        """What one set of parameters did in the window, and the settings of that run."""
        ran = self.engine(params, record_events=True)
        setup, closes = self.setup, bool(self.settings.get("close_at_end", False))
        told = one_run._settings(setup, setup.policy, ran.prepared, ran.members, closes)
        if ran.prepared is None and ran.members is None:
            told["params"] = dict(params)
        return Piece(ran.engine, self.start, ran.members, ran.team), told

    def blank(self) -> Piece:
        """The window without a strategy."""
        engine = self.setup.engine(self.setup.policy, ())
        engine.bind_signals(None)
        engine.advance(engine.clock_count)
        engine.finish()
        return Piece(engine, self.start)

    def result(self, params: Mapping[str, Any]) -> Result:
        """The whole Result of one set of parameters: with a window from the first bar, what nt.backtest gives."""
        piece, told = self.piece(params)
        setup = self.setup
        data = setup.data if self.start == 0 else since(setup.data, self.start)
        return joined([piece], data, setup.symbols, cash=setup.cash, settings=told, **self.statistics)

    @property
    def statistics(self) -> dict[str, Any]:
        """How results are annualised, and what they are compared with."""
        return self.statistics_over(self.start, self.start + self.steps)

    def statistics_over(self, start: int, stop: int) -> dict[str, Any]:
        """The same of steps [start, stop) of the clock."""
        benchmark = self.settings.get("benchmark")
        if benchmark is not None and not isinstance(benchmark, Bars):
            benchmark = np.asarray(benchmark, np.float64)[start:stop]
        return {
            "periods_per_year": self.settings.get("periods_per_year"),
            "risk_free": self.settings.get("risk_free", 0.0),
            "benchmark": benchmark,
        }


def until(data: Any, stop: int) -> Any:
    """The bars of the first `stop` steps of the clock, as views. InputError where a symbol has none by then."""
    if isinstance(data, Bars):
        return data[:stop]
    assert isinstance(data, Panel)
    last = data.ts_ns[stop - 1]
    parts = []
    for bars in data.bars:
        count = int(np.searchsorted(bars.ts_ns, last, side="right"))
        if count == 0:
            raise InputError(
                f"data: {bars.symbol} has no bar in the first window of {stop} steps; begin the panel later, with "
                "panel.between, or leave the symbol out"
            )
        parts.append(bars[:count])
    return Panel(parts)


def since(data: Any, start: int) -> Any:
    """The bars from step `start` of the clock on, as views. InputError where a symbol has none from there on."""
    if isinstance(data, Bars):
        return data[start:]
    first = data.ts_ns[start]
    counts = [int(np.searchsorted(bars.ts_ns, first)) for bars in data.bars]
    for bars, count in zip(data.bars, counts, strict=True):
        if count == len(bars):
            raise InputError(
                f"data: {bars.symbol} has no bar after the first {start} steps; end the panel earlier, with "
                "panel.between, or leave the symbol out"
            )
    return Panel([bars[count:] for bars, count in zip(data.bars, counts, strict=True)])


def _is_strategy(strategy: Any) -> bool:
    inner = strategy.strategy if isinstance(strategy, CompiledStrategy) else strategy
    return isinstance(inner, Strategy) or (isinstance(inner, type) and issubclass(inner, Strategy))


def _signals(make: Callable[..., Any], data: Any, params: Mapping[str, Any]) -> Signals:
    """What a callable(data, **params) gives."""
    try:
        found = make(data, **params)
    except NeuralTradeError:
        raise
    except Exception as error:
        name = getattr(make, "__name__", type(make).__name__)
        raise StrategyError(f"{name} raised {type(error).__name__}: {error}") from error
    if not isinstance(found, Signals):
        raise InputError(f"strategy must return nt.Signals, returned {type(found).__name__}")
    return found


_recent: dict[str, Job] = {}  # the one job that a worker process has at hand, by its token


def run_chunk(job: Job, numbered: Sequence[tuple[int, Mapping[str, Any]]], is_shared: bool) -> list[Trial]:
    """Several trials, in a thread of this process (`is_shared`) or in a worker that has got a copy of the job."""
    if not is_shared:
        if job.token not in _recent:
            _recent.clear()
        job = _recent.setdefault(job.token, job)
    return [job.trial(number, params) for number, params in numbered]


def chunks(numbered: Iterable[tuple[int, Mapping[str, Any]]], size: int) -> Iterable[list[tuple[int, Any]]]:
    """Lists of up to `size`."""
    held: list[tuple[int, Any]] = []
    for one in numbered:
        held.append(one)
        if len(held) == size:
            yield held
            held = []
    if held:
        yield held
