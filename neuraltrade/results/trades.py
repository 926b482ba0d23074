"""How trades were distributed: by direction and symbol, held how long, and how far they went for and against."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.curves import DAY_NS
from ..errors import InputError
from . import excursions, tables
from .statistics import NAN, Statistics

if TYPE_CHECKING:
    import pandas

    from .result import Result

# name -> (unit, definition), over the closed trades of a group.
DEFINITIONS: dict[str, tuple[str, str]] = {
    "trades": ("count", "closed trades of the group"),
    "win_rate": ("fraction", "trades with pnl > 0 over trades"),
    "profit_factor": ("ratio", "sum of winning pnl over the absolute sum of losing pnl"),
    "payoff_ratio": ("ratio", "mean winning pnl over the absolute mean losing pnl"),
    "expectancy": ("cash", "mean pnl"),
    "sqn": ("ratio", "system quality number: sqrt(trades) x mean pnl / standard deviation of pnl (Van Tharp)"),
    "kelly": ("fraction", "win_rate - (1 - win_rate) / payoff_ratio (Kelly 1956)"),
    "pnl": ("cash", "sum of pnl, net of fees"),
    "fees": ("cash", "sum of the fees of entry and exit"),
    "avg_win": ("cash", "mean pnl of trades with pnl > 0"),
    "avg_loss": ("cash", "mean pnl of trades with pnl < 0; negative"),
    "avg_return": ("fraction", "mean return_"),
    "median_return": ("fraction", "median return_"),
    "std_return": ("fraction", "standard deviation of return_"),
    "best_trade": ("fraction", "highest return_"),
    "worst_trade": ("fraction", "lowest return_"),
    "avg_bars": ("bars", "mean of exit_bar - entry_bar"),
    "median_bars": ("bars", "median of exit_bar - entry_bar"),
    "max_bars": ("bars", "longest exit_bar - entry_bar"),
    "avg_days": ("days", "mean of exit_ts_ns - entry_ts_ns, in days of 24 hours"),
    "max_win_streak": ("count", "most trades with pnl > 0 in a row, in order of exit"),
    "max_loss_streak": ("count", "most trades with pnl < 0 in a row, in order of exit"),
    "avg_mae": ("fraction", "mean of mae; zero or negative"),
    "avg_mfe": ("fraction", "mean of mfe; zero or positive"),
    "worst_mae": ("fraction", "lowest mae"),
    "best_mfe": ("fraction", "highest mfe"),
    "edge_ratio": ("ratio", "avg_mfe over the absolute avg_mae"),
}
_COUNTS = ("trades", "max_win_streak", "max_loss_streak", "max_bars")
COLUMNS = ("return_", "pnl", "bars", "days", "mae", "mfe", "mae_cash", "mfe_cash")


class TradeStats(Mapping[str, Statistics]):
    """What `Result.trade_stats` returns: group -> Statistics, for the groups "all", "long" and "short".

    by_symbol : dict of symbol -> Statistics. rows : structured, one for each of `result.trades` (open ones included),
    with symbol, direction, open, return_, pnl, bars, days, mae, mfe, mae_cash, mfe_cash. Statistics, histogram and
    percentiles are of the closed trades.

    >>> import neuraltrade as nt
    >>> bars = nt.datasets.load("IBM")
    >>> up = bars.close > bars.open
    >>> stats = nt.backtest(bars, nt.Signals(entries=up, exits=~up)).trade_stats()
    >>> list(stats), stats["all"]["trades"] == stats["long"]["trades"] > 0, stats["short"]["trades"]
    (['all', 'long', 'short'], True, 0)
    >>> counts, edges = stats.histogram("return_", bins=10)
    >>> int(counts.sum()) == stats["all"]["trades"], len(edges)
    (True, 11)
    """

    def __init__(self, rows: np.ndarray, pnl: np.ndarray, fees: np.ndarray) -> None:
        self.rows = rows
        closed = ~rows["open"]
        self._closed = rows[closed]
        pnl, fees = pnl[closed], fees[closed]
        directions = self._closed["direction"]
        picks = {"all": np.ones(len(self._closed), bool), "long": directions > 0, "short": directions < 0}
        self._groups = {name: _statistics(self._closed[pick], fees[pick]) for name, pick in picks.items()}
        self.by_symbol = {}
        for symbol in np.unique(rows["symbol"]).tolist():
            pick = self._closed["symbol"] == symbol
            self.by_symbol[symbol] = _statistics(self._closed[pick], fees[pick])

    def __getitem__(self, group: str) -> Statistics:
        if group not in self._groups:
            raise UnknownGroupError(
                f"group must be one of {', '.join(self._groups)}, was {group!r}; symbols are in by_symbol"
            )
        return self._groups[group]

    def __iter__(self) -> Iterator[str]:
        return iter(self._groups)

    def __len__(self) -> int:
        return len(self._groups)

    def histogram(self, column: str = "return_", bins: int | Sequence[float] = 20) -> tuple[np.ndarray, np.ndarray]:
        """(counts int64[b], edges float64[b + 1]) of a column over the closed trades.

        column : "return_", "pnl", "bars", "days", "mae", "mfe", "mae_cash" or "mfe_cash". bins : how many of equal
        width from the lowest value to the highest, or ascending edges; a value on an edge counts above it, on the
        last below. Values that are NaN are left out. Raises InputError for another column or for bins < 1.
        """
        values = self._column(column)
        if isinstance(bins, bool) or (isinstance(bins, (int, np.integer)) and not 1 <= bins <= 1_000_000):
            raise InputError(f"bins must be in 1..1000000 or ascending edges, was {bins!r}")
        try:
            counts, edges = np.histogram(values[np.isfinite(values)], bins=bins)
        except (TypeError, ValueError) as error:
            raise InputError(f"bins must be an int or ascending edges, was {bins!r}") from error
        return counts.astype(np.int64), edges.astype(np.float64)

    def percentiles(
        self, column: str = "return_", q: Sequence[float] = (1, 5, 25, 50, 75, 95, 99)
    ) -> dict[float, float]:
        """{q: value} of a column (see `histogram`) over the closed trades, linear between order statistics.

        q : percentages, 0..100. NaN without trades. Raises InputError for another column or a q outside.
        """
        values = self._column(column)
        values = values[np.isfinite(values)]
        wanted = [float(one) for one in q]
        if not all(0.0 <= one <= 100.0 for one in wanted):
            raise InputError(f"q must be percentages in 0..100, was {q!r}")
        found = np.percentile(values, wanted).tolist() if len(values) else [NAN] * len(wanted)
        return dict(zip(wanted, found, strict=True))

    def to_frame(self) -> pandas.DataFrame:
        """A pandas DataFrame: a row per group and symbol, a column per statistic (extra `frames`)."""
        pandas = tables.load_pandas()
        records = {**self._groups, **{f"symbol {name}": stats for name, stats in self.by_symbol.items()}}
        return pandas.DataFrame({name: dict(stats) for name, stats in records.items()}).T

    def _column(self, column: str) -> np.ndarray:
        if column not in COLUMNS:
            raise InputError(f"column must be one of {', '.join(COLUMNS)}, was {column!r}")
        return np.asarray(self._closed[column], dtype=np.float64)

    def __repr__(self) -> str:
        lines = [f"{'':<16}" + "".join(f"{name:>16}" for name in self._groups)]
        for name in DEFINITIONS:
            lines.append(f"{name:<16}" + "".join(f"{stats[name]:>16,.6g}" for stats in self._groups.values()))
        return "\n".join(lines)


class UnknownGroupError(InputError, KeyError):
    """A group that trade statistics do not have."""

    __str__ = Exception.__str__


def trade_stats(result: Result) -> TradeStats:
    """The distribution of a result's trades; see `TradeStats`."""
    trades = result.slots["trades"]
    mae, mfe = excursions.of_trades(result)
    cash = trades["entry_price"] * trades["quantity"]
    scale = tables.multipliers(result, trades, "entry_bar")
    cash = cash if scale is None else cash * scale
    columns = {
        "symbol": np.array(result.symbols, dtype=np.str_)[trades["symbol"]],
        "direction": trades["direction"],
        "open": trades["open"].astype(bool),
        "return_": trades["return_"],
        "pnl": trades["pnl"],
        "bars": trades["exit_bar"] - trades["entry_bar"],
        "days": (trades["exit_ts_ns"] - trades["entry_ts_ns"]) / DAY_NS,
        "mae": mae,
        "mfe": mfe,
        "mae_cash": mae * cash,
        "mfe_cash": mfe * cash,
    }
    rows = np.empty(len(trades), dtype=[(name, values.dtype) for name, values in columns.items()])
    for name, values in columns.items():
        rows[name] = values
    rows.setflags(write=False)
    return TradeStats(rows, trades["pnl"], trades["fees"])


def _statistics(rows: np.ndarray, fees: np.ndarray) -> Statistics:
    pnl, returns, bars = rows["pnl"], rows["return_"], rows["bars"]
    wins, losses = pnl[pnl > 0.0], pnl[pnl < 0.0]
    count = len(rows)
    won = _ratio(float(len(wins)), float(count))
    payoff = _ratio(_mean(wins), abs(_mean(losses)))
    mae, mfe = _mean(rows["mae"]), _mean(rows["mfe"])
    values: dict[str, Any] = {
        "trades": count,
        "win_rate": won,
        "profit_factor": _ratio(float(wins.sum()), abs(float(losses.sum()))),
        "payoff_ratio": payoff,
        "expectancy": _mean(pnl),
        "sqn": _ratio(math.sqrt(count) * _mean(pnl), _deviation(pnl)),
        "kelly": won - _ratio(1.0 - won, payoff),
        "pnl": float(pnl.sum()),
        "fees": float(fees.sum()),
        "avg_win": _mean(wins),
        "avg_loss": _mean(losses),
        "avg_return": _mean(returns),
        "median_return": float(np.median(returns)) if count else NAN,
        "std_return": _deviation(returns),
        "best_trade": float(returns.max()) if count else NAN,
        "worst_trade": float(returns.min()) if count else NAN,
        "avg_bars": _mean(bars),
        "median_bars": float(np.median(bars)) if count else NAN,
        "max_bars": int(bars.max()) if count else 0,
        "avg_days": _mean(rows["days"]),
        "max_win_streak": _longest(pnl > 0.0),
        "max_loss_streak": _longest(pnl < 0.0),
        "avg_mae": mae,
        "avg_mfe": mfe,
        "worst_mae": float(rows["mae"].min()) if count else NAN,
        "best_mfe": float(rows["mfe"].max()) if count else NAN,
        "edge_ratio": _ratio(mfe, abs(mae)),
    }
    return Statistics(values, DEFINITIONS)


def _longest(flags: np.ndarray) -> int:
    """Most true values in a row."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False]))))
    return int(np.diff(edges)[::2].max(initial=0))


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else NAN


def _deviation(values: np.ndarray) -> float:
    if len(values) < 2:
        return NAN
    return 0.0 if values.min() == values.max() else float(values.std(ddof=1))


def _ratio(numerator: float, denominator: float) -> float:
    return NAN if denominator == 0.0 else numerator / denominator
