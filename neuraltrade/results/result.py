"""Result: everything one run decided, did and earned."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from blake3 import blake3

from ..core import curves
from ..core.layouts import DENIAL_DTYPE, FLOW_DTYPE, MARGIN_CALL_DTYPE
from ..errors import InputError
from . import attribution, checks, relative, statistics, storage, summary, tables, tick_data, trades
from . import team as teams
from .annual import infer_periods_per_year

if TYPE_CHECKING:
    import pandas
    from plotly.graph_objects import Figure

    from ..market import Bars, Panel, Ticks
    from ..report import AuditSection, ComparisonSection, NotesSection, ParameterSection, SimilarSection, VerdictSection
    from .compare import Comparison
    from .statistics import Statistics
    from .team import TeamRecord
    from .trades import TradeStats

DIGEST_HEADER = b"neuraltrade.events.1\n"


class Result:
    """What `nt.backtest` returns: fills, trades, orders, equity, statistics, a digest, plots.

    Arrays are read-only. Everything derived is computed on first use and kept.

    data : Bars, Panel or Ticks traded. symbols : names by slot. clock_ts_ns : int64[n], ends of the run's bars.
    equity : float64[n], cash plus positions at each close. cash : starting cash, > 0.
    fills, trades, orders, signals : rows of the engine (FILL_DTYPE ... of neuraltrade.core.engine), symbol as slot.
    events : uint8[...], the event log the digest is taken of. settings : JSON-able mapping that describes the run.
    benchmark : None (buy and hold of the data, equal weights), Bars, or float64[n] (a price or value per bar).
    risk_free : rate per year, > -1. periods_per_year : bars per year, None to infer them from the clock.
    reasoning : texts the signals refer to by index. bounds : (worst, best) results of the same run, or None.
    denials, margin_calls, flows : rows of DENIAL_DTYPE, MARGIN_CALL_DTYPE, FLOW_DTYPE.
    controls : how often each control of the risk gate was "checked" and "denied".
    team : of a run of several strategies, what is whose.
    is_checked : clock and rows come straight from an engine, which leaves none that would be refused.
    Raises InputError for lengths that do not agree and numbers out of range.

    >>> import neuraltrade as nt
    >>> bars = nt.datasets.load("GOOG")
    >>> up = bars.close > np.roll(bars.close, 20)
    >>> result = nt.backtest(bars, nt.Signals(entries=up, exits=~up), cash=10_000.0)
    >>> len(result.equity) == len(bars), result.stats["trades"] > 0
    (True, True)
    >>> result.digest == nt.backtest(bars, nt.Signals(entries=up, exits=~up), cash=10_000.0).digest
    True
    """

    def __init__(
        self,
        *,
        data: Bars | Panel | Ticks,
        symbols: Sequence[str],
        clock_ts_ns: np.ndarray,
        equity: np.ndarray,
        fills: np.ndarray,
        trades: np.ndarray,
        orders: np.ndarray,
        signals: np.ndarray,
        events: np.ndarray,
        cash: float,
        settings: Mapping[str, Any],
        ambiguous_bars: int = 0,
        benchmark: Bars | np.ndarray | None = None,
        risk_free: float = 0.0,
        periods_per_year: float | None = None,
        reasoning: Sequence[str] = (),
        bounds: tuple[Result, Result] | None = None,
        denials: np.ndarray | None = None,
        margin_calls: np.ndarray | None = None,
        flows: np.ndarray | None = None,
        controls: Mapping[str, Mapping[str, int]] | None = None,
        is_checked: bool = False,
        team: TeamRecord | None = None,
    ) -> None:
        self.ts_ns = _frozen(clock_ts_ns, np.int64)
        self.equity = _frozen(equity, np.float64)
        refused = np.zeros(0, DENIAL_DTYPE) if denials is None else denials
        self.slots = {"fills": fills, "trades": trades, "orders": orders, "signals": signals, "denials": refused}
        self.slots["flows"] = np.zeros(0, FLOW_DTYPE) if flows is None else flows
        self.slots["margin_calls"] = np.zeros(0, MARGIN_CALL_DTYPE) if margin_calls is None else margin_calls
        checks.check_curve(self.ts_ns, self.equity, strictly=not tick_data.is_ticks(data), is_checked=is_checked)
        checks.check_numbers(cash, risk_free, periods_per_year)
        if not is_checked:
            checks.check_rows(self.slots, symbols)
        self.data = data
        self.symbols = tuple(symbols)
        self.cash = float(cash)
        self.controls = {name: dict(counts) for name, counts in (controls or {}).items()}
        self.settings: dict[str, Any] = dict(settings)
        self.ambiguous_bars = int(ambiguous_bars)
        self.risk_free = float(risk_free)
        self.reasoning = tuple(reasoning)
        self.bounds = bounds
        self.periods_per_year = (
            infer_periods_per_year(self.ts_ns) if periods_per_year is None else float(periods_per_year)
        )
        self.events = np.asarray(events).reshape(-1).view(np.uint8)
        self.events.setflags(write=False)
        self.team = team
        self.given_benchmark = checks.benchmark_values(benchmark, self.ts_ns)

    @cached_property
    def fills(self) -> np.ndarray:
        """Structured: bar, ts_ns, symbol, side (+1/-1), quantity, price, fee, order_id; in order of time."""
        return tables.readable("fills", self.slots["fills"], self.symbols, self.team)

    @cached_property
    def trades(self) -> np.ndarray:
        """Structured, one row per closing fill and one (open=True, marked to the last close) per position still open;
        of an account with lots="fifo" one per lot that a fill closed, and per lot still open.

        symbol, direction (+1/-1), quantity, entry_bar, exit_bar, entry_ts_ns, exit_ts_ns, entry_price, exit_price,
        fees, pnl (net of fees), return_ (pnl over entry notional), open, entry_order_id, exit_order_id, signal_id.
        """
        return tables.readable("trades", self.slots["trades"], self.symbols, self.team)

    @cached_property
    def orders(self) -> np.ndarray:
        """Structured: every order, with type, tif, role, final status and reason (of a `Denial`, else "") in words."""
        return tables.readable("orders", self.slots["orders"], self.symbols, self.team)

    @cached_property
    def signals(self) -> np.ndarray:
        """Structured: every decision recorded by `ctx.signal`; `reasoning` indexes `Result.reasoning`, -1 for none."""
        return tables.readable("signals", self.slots["signals"], self.symbols, self.team)

    @cached_property
    def denials(self) -> np.ndarray:
        """Structured: each refused order with reason, limit and the value beyond it (NaN: the reason says all)."""
        return tables.readable("denials", self.slots["denials"], self.symbols, self.team)

    @cached_property
    def flows(self) -> np.ndarray:
        """Structured: cash that came or went without a trade: bar, ts_ns (when due), symbol ("" of interest),
        kind ("borrow", "interest", "funding", "dividend", "split" with amount 0), amount, quantity, rate."""
        return tables.readable("flows", self.slots["flows"], self.symbols, self.team)

    @cached_property
    def margin_calls(self) -> np.ndarray:
        """Structured: each time equity fell below maintenance (reason "liquidation") or zero ("bankrupt")."""
        return tables.readable("margin_calls", self.slots["margin_calls"], self.symbols)

    @cached_property
    def stats(self) -> Statistics:
        """Mapping of statistics; their definitions are in `nt.results.DEFINITIONS`. About 10 ms for a million bars."""
        return statistics.compute(
            self.equity,
            self.cash,
            self.slots["fills"],
            self.slots["trades"],
            periods_per_year=self.periods_per_year,
            risk_free=self.risk_free,
            ambiguous_bars=self.ambiguous_bars,
            multipliers=tables.multipliers(self, self.slots["fills"]),
        )

    @cached_property
    def digest(self) -> str:
        """Hex BLAKE3 of the symbols and the event log: equal runs have equal digests, in any process."""
        symbols = "\n".join(self.symbols).encode()
        hasher = blake3(DIGEST_HEADER + len(symbols).to_bytes(8, "little") + symbols)
        return hasher.update(self.events.data).hexdigest()

    @cached_property
    def returns(self) -> np.ndarray:
        """float64[n-1]: simple returns of equity per bar."""
        return statistics.simple_returns(self.equity)

    @cached_property
    def drawdown(self) -> np.ndarray:
        """float64[n]: equity over its running peak less one, the peak starting at cash; zero or negative."""
        return statistics.drawdowns(self.equity, self.cash)

    @cached_property
    def benchmark(self) -> np.ndarray:
        """float64[n]: the benchmark scaled to start with `cash`; NaN before its first value.

        The one given, else buy and hold of the data in equal weights from each symbol's first close.
        """
        if self.given_benchmark is not None:
            first = self.given_benchmark[np.isfinite(self.given_benchmark)][:1]
            return self.given_benchmark * (self.cash / first[0]) if len(first) else self.given_benchmark
        growth = np.ones(len(self.ts_ns))
        series = storage.each_bars(self.data)
        for bars in series:
            if len(bars.close) == 0:
                continue
            held = checks.aligned(bars.ts_ns, bars.close, self.ts_ns) / bars.close[0] - 1.0
            growth += np.nan_to_num(held, nan=0.0) / len(series)
        return self.cash * growth

    @cached_property
    def benchmark_stats(self) -> Statistics:
        """Mapping: alpha, beta, correlation, tracking error, information ratio, captures against `benchmark`.

        Definitions in `nt.results.BENCHMARK_DEFINITIONS`; risk_free and periods_per_year as in `stats`. Some 40 ms
        for a million bars.

        >>> import neuraltrade as nt
        >>> bars = nt.datasets.load("IBM")
        >>> held = nt.backtest(bars, nt.Signals(entries=bars.close > 0, exits=bars.close < 0), benchmark=bars)
        >>> round(held.benchmark_stats["beta"], 2), round(held.benchmark_stats["correlation"], 2)
        (1.0, 1.0)
        """
        return relative.compute(
            self.equity, self.benchmark, periods_per_year=self.periods_per_year, risk_free=self.risk_free
        )

    def monthly(self) -> np.ndarray:
        """Structured, one row per calendar year: year (int64), months (float64[12], January first), total (float64).

        Simple returns as fractions, from the equity at the end of the last month that had a bar (`cash` before the
        first) to the month's last bar; NaN without a bar, or from an equity <= 0. Months are UTC; a bar that ends at
        midnight belongs to the day it closes. The months of a year compound to its total.

        >>> import neuraltrade as nt
        >>> bars = nt.datasets.load("IBM")
        >>> table = nt.backtest(bars, nt.Signals(entries=bars.close > 0, exits=bars.close < 0)).monthly()
        >>> table["months"].shape, int(table["year"][0]), round(float(table["total"][8]), 4)
        ((14, 12), 2000, -0.2076)
        """
        rows, _ = curves.monthly(self.ts_ns, self.equity, self.cash)
        rows.setflags(write=False)
        return rows

    def rolling(self, window: int, metric: str = "sharpe") -> np.ndarray:
        """float64[n]: a statistic over the last `window` returns (bars), NaN until there are as many.

        metric : "total_return", "volatility", "sharpe", "sortino", "max_drawdown" (deepest fall inside the window),
        "drawdown" (equity over the window's highest, less one), "beta" or "correlation" (against `benchmark`); defined
        and annualised as in `stats` and `benchmark_stats`. Drawdowns are NaN in a window with an equity <= 0, a ratio
        where nothing varied. O(n), 10 to 60 ms for a million bars; windows are folded anew, so nothing drifts.
        Raises InputError for another metric, or a window below 1 (2 where there is a deviation) or above n - 1.

        >>> import neuraltrade as nt
        >>> bars = nt.datasets.load("IBM")
        >>> result = nt.backtest(bars, nt.Signals(entries=bars.close > 0, exits=bars.close < 0))
        >>> sharpe = result.rolling(len(bars) - 1, "sharpe")
        >>> round(float(sharpe[-1] - result.stats["sharpe"]), 12)
        0.0
        """
        curves.check_rolling(window, metric, len(self.equity))
        target = 0.0
        if self.risk_free and self.periods_per_year > 0.0:
            target = math.expm1(math.log1p(self.risk_free) / self.periods_per_year)
        other = self.benchmark if metric in curves.RELATIVE else None
        return curves.rolling(self.equity, int(window), metric, self.periods_per_year, target, other)

    def drawdowns(self, top: int | None = 10) -> np.ndarray:
        """Structured, deepest first: the `top` falls of equity below its running peak, None for all.

        depth (fraction < 0), peak_bar (last bar at the peak; -1: the starting cash, whose time is the first bar's),
        valley_bar (lowest), recovery_bar (first back at the peak or above; -1 while open), peak_ts_ns, valley_ts_ns,
        recovery_ts_ns (int64 minimum, NumPy's NaT, while open), bars and days (from the peak to the recovery, to the
        last bar while open), days_to_recover (from the valley; NaN while open), open. Days are of 24 hours.
        Raises InputError unless top is None or an int >= 0.

        >>> import neuraltrade as nt
        >>> bars = nt.datasets.load("IBM")
        >>> result = nt.backtest(bars, nt.Signals(entries=bars.close > 0, exits=bars.close < 0))
        >>> worst = result.drawdowns(top=1)[0]
        >>> bool(worst["depth"] == result.stats["max_drawdown"]), int(worst["bars"])
        (True, 1929)
        """
        if top is not None and (isinstance(top, bool) or not isinstance(top, (int, np.integer)) or top < 0):
            raise InputError(f"top must be None or an int >= 0, was {top!r}")
        rows = curves.drawdown_periods(self.ts_ns, self.equity, self.cash, top)
        rows.setflags(write=False)
        return rows

    def trade_stats(self) -> TradeStats:
        """How the trades were distributed: statistics of all, long and short and of each symbol, and the rows behind.

        Win rate, payoff, expectancy, SQN, Kelly, holding times, streaks, worst and best excursion while held (MAE and
        MFE, fractions of the entry price); `.histogram(column)`, `.percentiles(column)`, `.to_frame()`. Definitions in
        `nt.results.TRADE_DEFINITIONS`. O(trades + n log longest trade).

        >>> import neuraltrade as nt
        >>> bars = nt.datasets.load("IBM")
        >>> up = bars.close > bars.open
        >>> stats = nt.backtest(bars, nt.Signals(entries=up, exits=~up)).trade_stats()
        >>> stats["long"]["max_loss_streak"], stats["long"].definition("kelly")
        (13, '[fraction] win_rate - (1 - win_rate) / payoff_ratio (Kelly 1956)')
        """
        return trades.trade_stats(self)

    def by_symbol(self) -> np.ndarray:
        """Structured, one row per symbol in the run's order: what it was traded, held and earned.

        symbol, fills, trades (closed), exposure, long_exposure, short_exposure (bars at whose close a position is
        held, over all bars), notional (cash, of all fills, both sides), turnover (notional over mean equity), fees
        (cash), pnl (cash, of closed trades), open_pnl (cash, of what is open at the end), flows (cash: dividends,
        funding and borrowing, received less paid).

        >>> import neuraltrade as nt
        >>> bars = nt.datasets.load("IBM")
        >>> held = nt.backtest(bars, nt.Signals(entries=bars.close > 0, exits=bars.close < 0)).by_symbol()
        >>> str(held["symbol"][0]), int(held["fills"][0]), round(float(held["long_exposure"][0]), 3)
        ('IBM', 1, 1.0)
        """
        return attribution.by_symbol(self)

    @property
    def strategies(self) -> tuple[str, ...]:
        """Names of the strategies of a run that was given several, in its order; empty where it had one."""
        return () if self.team is None else self.team.names

    def by_strategy(self) -> np.ndarray:
        """Structured, one row per strategy of a run that was given several, in the run's order, and a last one, named
        "", for what is of none of them (interest).

        strategy, fills, trades (closed), exposure (bars at whose close it holds something, over all bars), notional,
        turnover, fees, realised (of closed trades, before fees), open_pnl (of what is open, before fees), flows,
        contribution (what it added to equity: realised - fees + open_pnl + flows; all in cash) and contribution_minor
        (the same in the ledger's integer units of 10**-cash_digits). Contributions add up to what the account
        earned: exactly so in integers. `contributions()` has them bar by bar. Raises InputError for a run of one.

        >>> import neuraltrade as nt
        >>> bars = nt.datasets.load("IBM")
        >>> up = bars.close > bars.open
        >>> both = {"hold": nt.Signals(up, up & False, size=10), "days": nt.Signals(up, ~up, size=20)}
        >>> result = nt.backtest(bars, both)
        >>> rows = result.by_strategy()
        >>> [str(name) for name in rows["strategy"]], [str(name) for name in result.fills["strategy"][:2]]
        (['hold', 'days', ''], ['hold', 'days'])
        >>> round(float(result.equity[-1] - 10_000.0 - rows["contribution"].sum()), 6)
        0.0
        """
        return teams.by_strategy(self, self._several("by_strategy"))

    def contributions(self) -> np.ndarray:
        """float64[n, strategies]: what each strategy of a run that was given several has added to the starting cash by
        each bar's close, fees and open positions included. Raises InputError for a run of one."""
        return self._several("contributions").contributions

    def _several(self, name: str) -> TeamRecord:
        if self.team is None:
            raise InputError(f"{name} is of a run that was given a list of strategies; this one had a single one")
        return self.team

    def to_frame(self, table: str = "trades") -> pandas.DataFrame:
        """A pandas DataFrame of one of the tables; "equity" comes with drawdown and benchmark.

        table : "trades", "fills", "orders", "signals", "denials", "margin_calls", "flows", "equity", "monthly" (a
        column per month), "drawdowns" (all of them), "by_symbol", "by_strategy". Columns are copies under the arrays'
        names; each nanosecond column also comes as a UTC datetime. Raises InputError for another name and
        DependencyMissing (extra `frames`) without pandas.
        """
        names = (*self.slots, "equity", "monthly", "drawdowns", "by_symbol", "by_strategy")
        if table not in names:
            raise InputError(f"table must be one of {', '.join(names)}, was {table!r}")
        if table == "equity":
            columns = {
                "ts_ns": self.ts_ns,
                "equity": self.equity,
                "drawdown": self.drawdown,
                "benchmark": self.benchmark,
            }
            return tables.to_pandas(columns)
        if table == "monthly":
            rows = self.monthly()
            months = {name: rows["months"][:, i] for i, name in enumerate(curves.MONTHS)}
            return tables.to_pandas({"year": rows["year"], **months, "total": rows["total"]})
        made = {"drawdowns": lambda: self.drawdowns(None), "by_symbol": self.by_symbol, "by_strategy": self.by_strategy}
        rows = made[table]() if table in made else getattr(self, table)
        return tables.to_pandas({name: rows[name] for name in rows.dtype.names or ()})

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the whole result, market data included, to one checksummed file (see `results/container.py`).

        Written beside its place and renamed, so it is whole or absent. Raises InputError for a missing folder.
        """
        storage.save(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Result:
        """Read what `save` wrote, with equal arrays, settings, statistics and digest.

        Raises InputError (absent, another kind of file), FormatTooNew, or LogCorrupt with the part that does not check.
        """
        return storage.load(cls, path)

    def plot(self, symbol: str | None = None) -> Figure:
        """A plotly figure: price with trades (of `symbol`, the first by default), equity and benchmark, drawdown.

        Raises InputError for a symbol that was not traded, DependencyMissing (extra `report`) without plotly.
        """
        from .. import report  # noqa: PLC0415  (with view a third of the time that the first run's imports take)
        from . import view  # noqa: PLC0415

        return report.figure(view.run_view(self), symbol)

    def report(
        self,
        path: str | os.PathLike[str],
        *,
        similar: SimilarSection | None = None,
        verdicts: VerdictSection | None = None,
        audit: AuditSection | None = None,
        notes: NotesSection | None = None,
        comparison: Comparison | ComparisonSection | None = None,
        parameters: ParameterSection | Any = None,
    ) -> Path:
        """Write one self-contained HTML page that works offline, and return its path; sections are optional records.

        comparison : of nt.compare. parameters : a search over parameters, or the record of its heat map.
        Raises InputError for a missing folder, DependencyMissing (extra `report`) without plotly or jinja2.
        """
        from .. import report  # noqa: PLC0415  (as in plot)
        from . import view  # noqa: PLC0415

        return report.write_page(
            path, view.run_view(self), similar=similar, verdicts=verdicts, audit=audit, notes=notes,
            comparison=view.section("comparison", comparison, report.ComparisonSection),
            parameters=view.section("parameters", parameters, report.ParameterSection),
        )  # fmt: skip

    def __repr__(self) -> str:
        return summary.text(self)

    def _repr_html_(self) -> str:
        return summary.html(self)


def _frozen(values: np.ndarray, dtype: type) -> np.ndarray:
    """A read-only view; the caller's own array keeps its flags."""
    view: np.ndarray = np.ascontiguousarray(values, dtype=dtype).view()
    view.setflags(write=False)
    return view
