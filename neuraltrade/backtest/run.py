"""nt.backtest: one run of the native loop over history."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from .._version import __version__
from ..core.engine import Engine
from ..core.settings import Account, Fees, FillPolicy, Instrument, RiskLimits, Size, Slippage
from ..core.settings.checks import explains_keywords
from ..core.working import end_where_it_failed
from ..errors import InputError, StrategyError
from ..market import Bars, Depth, Panel, Quotes, Ticks, Trades
from ..market.rates import Rates, check_rates, rates_of
from ..market.schedules import Action, actions_of, check_ticks, dues_of, told
from ..market.sessions import sessions_of, tick_sessions_of
from ..results import Result, checks
from ..strategy import Signals
from ..strategy.prepare import Prepared, prepare
from .advice import advice
from .arguments import check_flag, check_port, instance, instruments_of, number, risk_of, slippage_of, whole
from .team import Members, members_of, unified

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..core.team import Team
    from ..ports import Advisor, Journal, Recall
    from ..results.team import TeamRecord

_CHUNK_BARS = 1 << 16


@dataclass(frozen=True)
class Setup:
    """Checked arguments of a run, whatever the strategy."""

    data: Bars | Panel | Ticks
    bars: tuple[Bars, ...]
    symbols: tuple[str, ...]
    cash: float
    fees: Fees
    slippage: Slippage
    policy: FillPolicy
    size: Size
    risk: RiskLimits | None
    instruments: tuple[Instrument, ...]
    account: Account
    latency_ns: int
    seed: int
    actions: tuple[tuple[Action, ...], ...] = ()
    rates: Mapping[str, Rates] = field(default_factory=dict)

    @property
    def ticks(self) -> Ticks | None:
        return self.data if isinstance(self.data, Ticks) else None

    @property
    def calendars(self) -> list[Any]:
        return [instrument.calendar for instrument in self.instruments]

    def engine(
        self, policy: FillPolicy, calls: tuple[str, ...], strategies: int = 1, record_events: bool = True
    ) -> Engine:
        return Engine(
            self.symbols,
            [one.columns() for one in self.bars],
            ticks=self.ticks,
            calls=calls,
            strategies=strategies,
            cash=self.cash,
            policy=policy,
            fees=self.fees,
            slippage=self.slippage,
            size=self.size,
            risk=self.risk,
            instruments=self.instruments,
            account=self.account,
            latency_ns=self.latency_ns,
            record_events=record_events,
            dues=[dues_of(own) for own in self.actions],
            rates=rates_of(self.rates, self.account, self.symbols, self.instruments),
            sessions=sessions_of(self.instruments, self.bars)
            if self.ticks is None
            else tick_sessions_of(self.instruments, self.ticks),
        )

    def settings(self, policy: FillPolicy) -> dict[str, Any]:
        """What the run was told, JSON-able; msgspec.convert gives the settings back."""
        plain = msgspec.to_builtins
        return {
            "version": __version__,
            "cash": self.cash,
            "fees": plain(self.fees),
            "slippage": plain(self.slippage),
            "fill": plain(policy),
            "size": plain(self.size),
            "risk": None if self.risk is None else plain(self.risk),
            "instruments": {s: plain(i, enc_hook=str) for s, i in zip(self.symbols, self.instruments, strict=True)},
            "multipliers": {s: i.multiplier for s, i in zip(self.symbols, self.instruments, strict=True)},
            "account": plain(self.account),
            "latency_ns": self.latency_ns,
            "seed": self.seed,
            "actions": told(self.symbols, self.actions),
            "rates": {currency: len(series) for currency, series in self.rates.items()},
        }


@explains_keywords
def backtest(
    data: Bars | Panel | Ticks | Quotes | Trades | Depth,
    strategy: Any,
    cash: float = 10_000.0,
    fees: float | Fees = 0.0,
    slippage: float | Slippage = 0.0,
    fill: str | FillPolicy = "conservative",
    size: float | Size | None = None,
    risk: RiskLimits | None = None,
    recall: Recall | None = None,
    journal: Journal | None = None,
    advisor: Advisor | None = None,
    params: Mapping[str, Any] | None = None,
    instruments: Instrument | Mapping[str, Instrument] | None = None,
    account: Account | None = None,
    latency_ns: int = 0,
    bounds: bool = False,
    benchmark: Any = None,
    risk_free: float = 0.0,
    periods_per_year: float | None = None,
    seed: int = 0,
    progress: bool | Callable[[int, int], Any] = False,
    close_at_end: bool = False,
    actions: Any = None,
    rates: Mapping[str, Rates] | None = None,
) -> Result:
    """Run `strategy` over `data` through the native engine and return what it did.

    data : Bars, or a Panel for several symbols with shared cash; or Ticks (or one stream), for a strategy with
        on_quote, on_trade or on_depth: see docs/ticks.md.
    strategy : nt.Signals; a subclass or instance of nt.Strategy (interpreted); nt.compiled(...) of one. Or a list of
        them, or a mapping of names: one run, each with its own positions, cash shared, and a column
        `strategy` in what it leaves; see `result.by_strategy` and docs/strategies.md.
    cash : starting cash, > 0. fees : rate of notional or nt.Fees. slippage : rate of price or nt.Slippage.
    fill : a preset ("conservative", "backtesting_py", "vectorbt") or nt.FillPolicy.
    size : default order size: units, nt.Size, or None for all-in. risk : nt.RiskLimits, None = structural checks only.
    recall, journal, advisor : memory, see neuraltrade.ports. The journal gets every event before it acts.
    params : overrides of the strategy's parameters; of several a list of those, or by the strategies' names.
    instruments : symbol -> nt.Instrument, or one for all.
    latency_ns : how long an order takes to reach the market: bars that end earlier do not see it. Over ticks changes
        and cancels take as long.
    bounds : also run with the path inside each bar at its worst and at its best: `result.bounds`.
    benchmark, risk_free, periods_per_year : of the statistics, see nt.Result.
    seed : recorded with the run; nothing in it is random.
    progress : True for a bar on the terminal, or a callable(bars_done, bars_in_all).
    close_at_end : close what is open at the last bar, at its open.
    actions : symbol -> nt.Dividends, nt.Splits, nt.Funding, or several of them; see `result.flows`.
    rates : currency -> nt.Rates, for every currency of an instrument that is not the account's.

    Deterministic: equal input gives an equal `result.digest`, in any process, interpreted or compiled. The engine
    releases the GIL for Signals and compiled strategies. Raises InputError naming the argument; CompileError with the
    user's line; StrategyError when the strategy raises, carrying bar, time and the result up to there (`.result`).

    >>> import neuraltrade as nt
    >>> bars = nt.datasets.load("GOOG")
    >>> result = nt.backtest(bars, nt.compiled(nt.strategy.library.Momentum), cash=100_000.0, fees=0.0005)
    >>> result.digest == nt.backtest(bars, nt.strategy.library.Momentum, cash=100_000.0, fees=0.0005).digest
    True
    """
    setup = _setup(data, cash, fees, slippage, fill, size, risk, instruments, account, latency_ns, seed, actions, rates)
    checks.check_numbers(setup.cash, risk_free, periods_per_year)
    clock_ts_ns = data.ts_ns if setup.ticks is None else setup.ticks.local_ns
    checks.benchmark_values(benchmark, clock_ts_ns)
    check_flag("bounds", bounds)
    check_flag("close_at_end", close_at_end)
    check_port("recall", recall, "similar")
    check_port("journal", journal, "append")
    check_port("advisor", advisor, "enhance")
    if setup.ticks is not None and bounds:
        raise InputError("bounds must be False over ticks: there is no path inside a bar to be unsure of")
    if setup.ticks is not None:
        check_ticks(setup.actions)
    prepared, members = _ready(strategy, params, setup)
    statistics = {"benchmark": benchmark, "risk_free": risk_free, "periods_per_year": periods_per_year}

    def once(policy: FillPolicy, journal: Journal | None, label: str) -> Result:
        calls = () if prepared is None else prepared.calls
        engine = setup.engine(policy, calls, 1 if members is None else len(members))
        team = None if members is None else members.bind(engine)
        if team is None:
            _bind(engine, setup, strategy, prepared)
        settings = _settings(setup, policy, prepared, members, close_at_end)
        _attach(engine, setup, settings, recall, journal, advisor, members, team)
        try:
            _advance(engine, prepared, members, team, progress, label)
        except StrategyError as error:
            end_where_it_failed(engine)
            error.result = _result(engine, setup, settings, statistics, members, team, error.bar + 1)
            raise
        engine.finish(close_open=close_at_end)
        return _result(engine, setup, settings, statistics, members, team)

    result = once(setup.policy, journal, "backtest")
    if bounds:
        both = []
        for path in ("worst", "best"):
            same = setup.policy.path == path
            both.append(
                result if same else once(msgspec.structs.replace(setup.policy, path=path), None, f"{path} path")
            )
        result.bounds = (both[0], both[1])
    return result


# ---- arguments ----------------------------------------------------------------------------------------------------


def _ready(strategy: Any, params: Any, setup: Setup) -> tuple[Prepared | None, Members | None]:
    """The strategy of the run, or its several; neither where it is an nt.Signals, which runs as it is."""
    members = members_of(strategy, params, setup.bars, setup.ticks, setup.calendars)
    if members is not None:
        return None, members
    if not isinstance(strategy, Signals):
        return prepare(strategy, params, setup.bars, setup.ticks, calendars=setup.calendars), None
    if setup.ticks is not None:
        raise InputError("strategy must be an nt.Strategy over ticks: nt.Signals are a row per bar")
    if params:
        raise InputError(f"params must be None for nt.Signals, was {params!r}")
    return None, None


def _setup(
    data: Any,
    cash: Any,
    fees: Any,
    slippage: Any,
    fill: Any,
    size: Any,
    risk: Any,
    instruments: Any,
    account: Any,
    latency_ns: Any,
    seed: Any,
    actions: Any = None,
    rates: Any = None,
) -> Setup:
    """Arguments checked and brought to one form; InputError names the first that is wrong."""
    if isinstance(data, (Quotes, Trades, Depth)):
        data = Ticks([data])
    if not isinstance(data, (Bars, Panel, Ticks)):
        raise InputError(f"data must be nt.Bars, nt.Panel or nt.Ticks, was {type(data).__name__}")
    bars = () if isinstance(data, Ticks) else (data,) if isinstance(data, Bars) else data.bars
    symbols = data.symbols if isinstance(data, Ticks) else tuple(one.symbol for one in bars)
    if isinstance(fill, str):
        fill = FillPolicy.preset(fill)
    if isinstance(size, (int, float, np.integer, np.floating)) and not isinstance(size, bool):
        size = Size.units(size)  # type: ignore[arg-type]
    return Setup(
        data=data,
        bars=bars,
        symbols=symbols,
        cash=number("cash", cash),
        fees=fees if isinstance(fees, Fees) else Fees(rate=number("fees", fees, "nt.Fees")),
        slippage=slippage_of(slippage),
        policy=instance("fill", fill, FillPolicy, "a preset's name or nt.FillPolicy"),
        size=instance("size", Size.all_in() if size is None else size, Size, "None, units, or nt.Size"),
        risk=risk_of(risk, symbols),
        instruments=instruments_of(instruments, symbols),
        account=Account() if account is None else instance("account", account, Account, "None or nt.Account"),
        latency_ns=whole("latency_ns", latency_ns),
        seed=whole("seed", seed),
        actions=actions_of(actions, symbols),
        rates=check_rates(rates),
    )


# ---- the run --------------------------------------------------------------------------------------------------------


def _bind(engine: Engine, setup: Setup, signals: Any, prepared: Prepared | None) -> None:
    if prepared is None:
        engine.bind_signals(**signals.bound(engine.clock_count, len(setup.symbols)))
        return
    engine.set_indicators(prepared.columns, prepared.turns)
    engine.set_parameters(prepared.numbers)
    engine.set_state(prepared.state_size)
    engine.context.texts[:] = prepared.texts
    if prepared.native is not None:
        engine.bind_native(prepared.native.address, prepared.failure.address)
    elif setup.ticks is not None:
        engine.bind_events(prepared.on_event)
    elif prepared.on_bar is not None:
        engine.bind_python(prepared.on_bar, prepared.resident)


def _attach(
    engine: Engine,
    setup: Setup,
    settings: dict[str, Any],
    recall: Recall | None,
    journal: Journal | None,
    advisor: Advisor | None,
    members: Members | None = None,
    team: Team | None = None,
) -> None:
    """Memory behind the engine's ports. A journal with `begin` is told what the run is, and each signal's reasoning."""
    begin = getattr(journal, "begin", None)
    reasoning: dict[int, str] = {}
    if recall is not None:
        engine.set_recall(recall, engine.symbols)
    if advisor is not None or begin is not None:
        if members is not None and team is not None:
            names, texts = members.slot_names(), members.texts(team)
        else:
            names, texts = [settings["strategy"]] * len(engine.symbols), [engine.context.texts] * len(engine.symbols)
        engine.set_advisor(advice(advisor, engine.symbols, names, texts, reasoning))
    if journal is not None:
        if begin is not None:
            begin(engine.symbols, settings["strategy"], settings, reasoning)
        engine.set_journal(journal.append)


def _advance(
    engine: Engine,
    prepared: Prepared | None,
    members: Members | None,
    team: Team | None,
    progress: bool | Callable[[int, int], Any],
    label: str,
) -> None:
    """To the last bar, in chunks; an exception of compiled code is explained with the user's line."""
    total = engine.clock_count
    try:
        with _reporting(progress, total, label) as report:
            done = 0
            while done < total:
                done = engine.advance(min(_CHUNK_BARS, total - done))
                report(done, total)
    except StrategyError as error:
        if members is not None and team is not None:
            explained = members.explain(error, team)
        elif prepared is None or prepared.native is None:
            raise
        else:
            explained = prepared.failure.explain(error)
        raise explained from explained.__cause__


@contextmanager
def _reporting(
    progress: bool | Callable[[int, int], Any], total: int, label: str, unit: str = "bars"
) -> Iterator[Callable[[int, int], Any]]:
    """What to call after each chunk."""
    if progress is False or progress is None:
        yield lambda done, in_all: None
    elif callable(progress):
        yield progress
    elif progress is True:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

        done = TextColumn("{task.completed}/{task.total} " + unit)
        with Progress(TextColumn("{task.description}"), BarColumn(), done,
                      TimeRemainingColumn()) as bar:  # fmt: skip
            task = bar.add_task(label, total=total)
            yield lambda done, in_all: bar.update(task, completed=done)
    else:
        raise InputError(f"progress must be True, False or a callable(done, total), was {progress!r}")


def _settings(
    setup: Setup, policy: FillPolicy, prepared: Prepared | None, members: Members | None, close_at_end: bool
) -> dict[str, Any]:
    told = {
        "strategy": "Signals" if prepared is None else prepared.name,
        "params": {} if prepared is None else prepared.parameters,
        "mode": "signals" if prepared is None else "compiled" if prepared.native is not None else "interpreted",
        "close_at_end": bool(close_at_end),
    }
    return setup.settings(policy) | told | ({} if members is None else members.settings())


def _result(
    engine: Engine,
    setup: Setup,
    settings: dict[str, Any],
    statistics: Mapping[str, Any],
    members: Members | None = None,
    team: Team | None = None,
    count: int | None = None,
) -> Result:
    """What the run left; of its first `count` steps where it came to no end."""
    tables = {name: getattr(engine, name)() for name in ("fills", "trades", "orders", "signals", "denials", "flows")}
    record: TeamRecord | None = None
    texts: Sequence[str] = engine.context.texts
    if members is not None and team is not None:
        record = members.record(engine, team, tables)
        record.contributions = record.contributions[:count]
        each = [team.context(index).texts for index in range(len(members))]
        tables["signals"], texts = unified(tables["signals"], record.owners["signals"], each)
    tables["signals"], texts = _in_order_of_use(tables["signals"], texts)
    return Result(
        data=setup.data,
        symbols=setup.symbols,
        clock_ts_ns=engine.clock_ts_ns[:count],
        equity=engine.equity()[:count],
        margin_calls=engine.margin_calls(),
        controls=engine.counters()["controls"],
        events=engine.events(),
        cash=setup.cash,
        settings=settings,
        ambiguous_bars=engine.ambiguous_bars,
        reasoning=texts,
        is_checked=True,
        team=record,
        **tables,
        **(dict(statistics) | {"benchmark": _up_to(statistics["benchmark"], count)}),
    )


def _up_to(benchmark: Any, count: int | None) -> Any:
    return benchmark if count is None or benchmark is None or isinstance(benchmark, Bars) else benchmark[:count]


def _in_order_of_use(signals: np.ndarray, texts: Sequence[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Signals and texts renumbered by first use: compiled code numbers them as they stand in the source."""
    if len(signals) == 0:
        return signals, ()
    used, first = np.unique(signals["reasoning"], return_index=True)
    order = used[np.argsort(first)]
    order = order[order >= 0]
    number = np.full(len(texts) + 1, -1, np.int64)  # the last for -1, none
    number[order] = np.arange(len(order))
    renumbered = signals.copy()
    renumbered["reasoning"] = number[signals["reasoning"]]
    return renumbered, tuple(texts[index] for index in order)
