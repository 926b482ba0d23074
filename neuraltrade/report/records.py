"""What a page is made of. Plain records, so that anyone can fill them: times are int64 nanoseconds UTC, fractions are
fractions (0.01 is one percent), text is text and is escaped where it is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import InputError

LABELS = ("good", "bad", "inconclusive")


@dataclass(frozen=True, slots=True)
class PriceSeries:
    """Bars of one symbol: ts_ns int64[n], ends of bars, ascending; open, high, low, close float64[n].

    >>> import neuraltrade as nt
    >>> ibm = nt.datasets.load("IBM")
    >>> nt.report.PriceSeries("IBM", ibm.ts_ns, ibm.open, ibm.high, ibm.low, ibm.close).symbol
    'IBM'
    """

    symbol: str
    ts_ns: np.ndarray
    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray


@dataclass(frozen=True, slots=True)
class Statistic:
    """One number of the page: its group, what it is called, its value as text, and its definition.

    `sign` colours the text: -1 a loss, +1 a gain, 0 neither. `headline` makes it a card at the top.

    >>> import neuraltrade as nt
    >>> nt.report.Statistic("Risk", "Max drawdown", "-12.00%", "deepest fall from a peak", sign=-1).headline
    False
    """

    group: str
    label: str
    text: str
    definition: str = ""
    sign: int = 0
    headline: bool = False


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one symbol, or one strategy, did for a run: closed trades, the share of bars in which it held any, and cash.

    pnl is of closed trades, net of fees; open_pnl of what is open at the end; flows are dividends, funding, borrowing.

    >>> import neuraltrade as nt
    >>> nt.report.Contribution("IBM", trades=3, exposure=0.5, fees=2.0, pnl=120.0, open_pnl=-20.0).total
    100.0
    """

    name: str
    trades: int
    exposure: float
    fees: float
    pnl: float
    open_pnl: float = 0.0
    flows: float = 0.0

    @property
    def total(self) -> float:
        """All it earned or lost."""
        return self.pnl + self.open_pnl + self.flows


@dataclass(frozen=True, slots=True)
class Attribution:
    """Who earned what, one table of a page: by symbol, by strategy. what : heads the names, as in "Symbol".

    curves : float64[k, n], cash earned so far by each row on the run's clock, or None.

    >>> import neuraltrade as nt
    >>> row = nt.report.Contribution("IBM", trades=3, exposure=0.5, fees=2.0, pnl=120.0)
    >>> nt.report.Attribution("Symbol", [row]).rows[0].name
    'IBM'
    """

    what: str
    rows: Sequence[Contribution]
    curves: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.curves is not None and (np.ndim(self.curves) != 2 or len(self.curves) != len(self.rows)):
            raise InputError(f"curves must have a row for each of {len(self.rows)}, had shape {np.shape(self.curves)}")


@dataclass(frozen=True, slots=True)
class Run:
    """One run, as the page and the figure draw it.

    cash : what it started with. On the run's clock: ts_ns int64[n], equity float64[n], drawdown float64[n] (fractions
    <= 0), benchmark float64[n] or None. prices : one PriceSeries per symbol, by slot. trades : structured rows with
    symbol (slot), direction, quantity, entry_bar, exit_bar, entry_ts_ns, exit_ts_ns, entry_price, exit_price, fees,
    pnl, return_, open. periods_per_year : bars, for the risk over a moving window; NaN leaves that out.
    long, short : float64[n], value of what is held over equity (short <= 0), or None. attribution : who earned what.
    strategies : names, where the run had several; trade_strategies : int[trades], whose each trade is, or None.

    >>> import neuraltrade as nt, numpy as np
    >>> from neuraltrade.core.layouts import TRADE_DTYPE
    >>> ts_ns, flat = np.arange(1, 4) * 86_400_000_000_000, np.full(3, 10.0)
    >>> prices = nt.report.PriceSeries("IBM", ts_ns, flat, flat, flat, flat)
    >>> run = nt.report.Run("Idle", "3 days", 100.0, ts_ns, 10 * flat, 0 * flat, [prices], np.zeros(0, TRADE_DTYPE))
    >>> len(run.equity)
    3
    """

    title: str
    subtitle: str
    cash: float
    ts_ns: np.ndarray
    equity: np.ndarray
    drawdown: np.ndarray
    prices: Sequence[PriceSeries]
    trades: np.ndarray
    benchmark: np.ndarray | None = None
    benchmark_label: str = "Buy and hold"
    statistics: Sequence[Statistic] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    digest: str = ""
    periods_per_year: float = float("nan")
    long: np.ndarray | None = None
    short: np.ndarray | None = None
    attribution: Sequence[Attribution] = ()
    strategies: Sequence[str] = ()
    trade_strategies: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A remembered situation and what came of it.

    before : closes up to it, oldest first, the last is its own bar. after : closes that came next, may be short or
    empty. distance : cosine. outcome : fraction that followed, NaN if unknown.

    >>> import neuraltrade as nt, numpy as np
    >>> nt.report.Neighbour("IBM", 0, 0.12, np.array([10.0, 11.0]), np.array([12.1]), outcome=0.1).distance
    0.12
    """

    symbol: str
    ts_ns: int
    distance: float
    before: np.ndarray
    after: np.ndarray
    outcome: float = float("nan")


@dataclass(frozen=True, slots=True)
class SimilarSection:
    """The situations most like one bar, and how they turned out.

    query : float64[w], closes up to the bar asked about. followed : closes after it where known, else empty.
    horizon : bars that `outcome` looks ahead. as_of_ns : what was known then (default: the query's own time).

    >>> import neuraltrade as nt, numpy as np
    >>> near = nt.report.Neighbour("IBM", 1_000_000_000, 0.12, np.array([10.0, 11.0]), np.array([12.0]), 1 / 11)
    >>> nt.report.SimilarSection("AAPL", 2_000_000_000, np.array([100.0, 101.0]), [near], horizon=1).horizon
    1
    """

    symbol: str
    ts_ns: int
    query: np.ndarray
    neighbours: Sequence[Neighbour]
    horizon: int
    followed: np.ndarray = field(default_factory=lambda: np.empty(0))
    as_of_ns: int | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if self.horizon < 1:
            raise InputError(f"horizon must be >= 1 bar, was {self.horizon}")
        if len(self.query) == 0 or any(len(neighbour.before) == 0 for neighbour in self.neighbours):
            raise InputError("query and every neighbour's before need at least one close")


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """One judged decision.

    regret : what the best alternative would have earned more, with its interval; like outcome, a fraction.
    counterfactuals : (what else, its outcome, its difference to what was done). An unknown label is an InputError.

    >>> import neuraltrade as nt
    >>> nt.report.VerdictRow(0, "IBM", "long", "bad", -0.5, -0.02, 0.05, counterfactuals=[("short", 0.03, 0.05)]).label
    'bad'
    """

    ts_ns: int
    symbol: str
    decision: str
    label: str
    score: float
    outcome: float
    regret: float
    regret_low: float = float("nan")
    regret_high: float = float("nan")
    explanation: str = ""
    counterfactuals: Sequence[tuple[str, float, float]] = ()

    def __post_init__(self) -> None:
        if self.label not in LABELS:
            raise InputError(f"label must be one of {', '.join(LABELS)}, was {self.label!r}")


@dataclass(frozen=True, slots=True)
class VerdictSection:
    """Judged decisions: counts, the spread of regret, a table.

    >>> import neuraltrade as nt
    >>> row = nt.report.VerdictRow(0, "AAPL", "long", "good", score=0.4, outcome=0.02, regret=0.001)
    >>> nt.report.VerdictSection([row]).counts()
    {'good': 1, 'bad': 0, 'inconclusive': 0}
    """

    rows: Sequence[VerdictRow]
    note: str = ""

    def counts(self) -> dict[str, int]:
        """How many rows carry each label."""
        return {label: sum(row.label == label for row in self.rows) for label in LABELS}


@dataclass(frozen=True, slots=True)
class AuditSection:
    """The state of an audit log: how many records its tree holds, its root, the signed checkpoint, what was checked.

    checks : (what was checked, whether it held, detail). "verified" is said only if there are checks and all hold.

    >>> import neuraltrade as nt
    >>> audit = nt.report.AuditSection(3, "ab" * 32, "cd" * 64, "ef" * 32, checks=[("signature", True, "")])
    >>> audit.verified
    True
    """

    size: int
    root: str
    signature: str
    public_key: str
    checkpoint: str = ""
    checks: Sequence[tuple[str, bool, str]] = ()

    @property
    def verified(self) -> bool:
        """Whether something was checked and everything held."""
        return bool(self.checks) and all(held for _, held, _ in self.checks)


@dataclass(frozen=True, slots=True)
class NotesSection:
    """Words of the author: a title and paragraphs of plain text.

    >>> import neuraltrade as nt
    >>> nt.report.NotesSection(["Costs are not included."], title="Read this first").title
    'Read this first'
    """

    paragraphs: Sequence[str]
    title: str = "Notes"


@dataclass(frozen=True, slots=True)
class ComparisonSection:
    """Runs beside each other. names : one a run. ts_ns : int64[m], times they share. growth : float64[k, m], equity
    over its value at the first of them. rows : (period, label, definition, a text per run). correlation : float64[k, k]
    of returns. common_trades : int64[k, k].

    >>> import neuraltrade as nt, numpy as np
    >>> one = np.ones((2, 2))
    >>> nt.report.ComparisonSection(("a", "b"), np.arange(2), one, (), one, one.astype(int)).names
    ('a', 'b')
    """

    names: Sequence[str]
    ts_ns: np.ndarray
    growth: np.ndarray
    rows: Sequence[tuple[str, str, str, Sequence[str]]]
    correlation: np.ndarray
    common_trades: np.ndarray

    def __post_init__(self) -> None:
        count = len(self.names)
        if np.shape(self.growth) != (count, len(self.ts_ns)) or any(len(row[3]) != count for row in self.rows):
            raise InputError(f"growth must have shape ({count}, {len(self.ts_ns)}), and each row a text per run")
        for name in ("correlation", "common_trades"):
            if np.shape(getattr(self, name)) != (count, count):
                raise InputError(f"{name} must have shape ({count}, {count}), had {np.shape(getattr(self, name))}")


@dataclass(frozen=True, slots=True)
class ParameterSection:
    """What two parameters do to a metric: a heat map of a search.

    x, y : names of the parameters. x_values, y_values : what was tried, ascending or as given. values : float64[len(y),
    len(x)], the metric, the best over whatever else varied; NaN where nothing was run. trials : runs in all.
    chosen : (row, column) to mark, None for the highest.

    >>> import neuraltrade as nt, numpy as np
    >>> sharpe = np.array([[0.1, 0.4], [0.3, np.nan]])
    >>> nt.report.ParameterSection("fast", "slow", [5, 10], [20, 50], sharpe, "sharpe").marked
    (0, 1)
    """

    x: str
    y: str
    x_values: Sequence[Any]
    y_values: Sequence[Any]
    values: np.ndarray
    metric: str
    trials: int = 0
    chosen: tuple[int, int] | None = None
    note: str = ""

    def __post_init__(self) -> None:
        shape = (len(self.y_values), len(self.x_values))
        if np.shape(self.values) != shape or 0 in shape:
            raise InputError(f"values must have shape {shape}, one or more each way, had {np.shape(self.values)}")

    @property
    def marked(self) -> tuple[int, int] | None:
        """The cell to mark; None where nothing was run."""
        if self.chosen is not None or not np.isfinite(self.values).any():
            return self.chosen
        row, column = np.unravel_index(int(np.nanargmax(self.values)), np.shape(self.values))
        return int(row), int(column)
