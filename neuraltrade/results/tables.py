"""The engine's rows as users see them: symbol slots become names, and every table can become a DataFrame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.layouts import EVENT_DTYPE, EVENT_KINDS, FLOW_KINDS, ORDER_ROLES, ORDER_STATES, ORDER_TYPES, TIMES_IN_FORCE
from ..core.settings import Denial
from ..errors import DependencyMissing

if TYPE_CHECKING:
    import pandas

    from .result import Result
    from .team import TeamRecord


# The columns users were promised come first and in this order; what else the engine notes follows.
_FIRST = {
    "fills": ("bar", "ts_ns", "symbol", "side", "quantity", "price", "fee", "order_id"),
    "trades": ("symbol", "direction", "quantity", "entry_bar", "exit_bar", "entry_ts_ns", "exit_ts_ns", "entry_price",
               "exit_price", "fees", "pnl", "return_", "open"),
    "orders": ("order_id", "symbol", "side", "type", "quantity", "filled", "limit_price", "stop_price", "tif", "status",
               "reason", "role", "created_bar", "created_ts_ns", "done_bar", "done_ts_ns"),
    "signals": ("signal_id", "bar", "ts_ns", "symbol", "direction", "confidence", "enhanced", "reasoning"),
    "denials": ("order_id", "bar", "ts_ns", "symbol", "reason", "limit", "value"),
    "flows": ("bar", "ts_ns", "symbol", "kind", "amount", "quantity", "rate"),
    "margin_calls": ("bar", "ts_ns", "reason", "equity", "requirement", "orders"),
}  # fmt: skip
# Codes of an order's row that users read as words.
_WORDS = {"type": ORDER_TYPES, "status": ORDER_STATES, "tif": TIMES_IN_FORCE, "role": ORDER_ROLES}


def readable(table_name: str, rows: np.ndarray, symbols: tuple[str, ...], team: TeamRecord | None = None) -> np.ndarray:
    """The engine's rows, read-only, with words for codes: `symbol` by slot; an order's type, status, tif, role, reason.

    The engine's spare bytes are left out; `reason` is "" where there is none. With a team `strategy` comes last.
    """
    given = rows.dtype.names or ()
    names = [name for name in _FIRST[table_name] if name in given]
    names += [name for name in given if name not in names and name != "spare"]
    codes = {name: np.array(words) for name, words in _WORDS.items()} if table_name == "orders" else {}
    columns = {}
    for name in names:
        if name == "symbol":
            columns[name] = np.array([*symbols, ""], dtype=np.str_)[rows[name]]  # -1 = of no symbol
        elif name == "kind":
            columns[name] = np.array(FLOW_KINDS)[rows[name]]
        elif name in codes:
            columns[name] = codes[name][rows[name]]
        elif name == "reason":
            columns[name] = _reasons(rows[name])
        else:
            columns[name] = rows[name]
    if team is not None and table_name in team.owners:
        columns["strategy"] = np.array([*team.names, ""], dtype=np.str_)[team.owners[table_name]]
    table = np.empty(len(rows), dtype=[(name, values.dtype) for name, values in columns.items()])
    for name, values in columns.items():
        table[name] = values
    table.setflags(write=False)
    return table


def _reasons(codes: np.ndarray) -> np.ndarray:
    names = {0: ""} | {denial.value: denial.name.lower() for denial in Denial}
    found, inverse = np.unique(codes, return_inverse=True)
    words = [names.get(int(code), f"code {code}") for code in found]
    return np.array(words or [""], dtype=np.str_)[inverse]


def to_pandas(columns: dict[str, np.ndarray]) -> pandas.DataFrame:
    """A DataFrame of copies of the columns; each `*_ts_ns` gains a twin `*_time` of UTC datetimes before it."""
    pandas = load_pandas()
    frame: dict[str, Any] = {}
    for name, values in columns.items():
        if name == "ts_ns" or name.endswith("_ts_ns"):
            stamp = name.removesuffix("_ts_ns") + "_time" if name != "ts_ns" else "time"
            frame[stamp] = pandas.to_datetime(values, unit="ns", utc=True)
        frame[name] = np.ascontiguousarray(values)
    return pandas.DataFrame(frame)


def load_pandas() -> Any:
    try:
        import pandas  # noqa: PLC0415  (optional, and 0.4 s)
    except ImportError as error:
        raise DependencyMissing("to_frame needs pandas: pip install 'neuraltrade[frames]'") from error
    return pandas


def multipliers(result: Result, rows: np.ndarray, bar: str = "bar") -> np.ndarray | None:
    """float64[len(rows)]: account currency per point and unit of each row's symbol, at the rate of its fills in `bar`
    or before; None where all are one."""
    given = result.settings.get("multipliers") or {}
    table = np.array([float(given.get(symbol, 1.0)) for symbol in result.symbols])
    rates = _rates(result, rows, bar) if result.settings.get("rates") else None
    if rates is None:
        return None if (table == 1.0).all() else table[rows["symbol"]]
    return table[rows["symbol"]] * rates


def _rates(result: Result, rows: np.ndarray, bar: str) -> np.ndarray:
    """The rate of each row's symbol as the event log has it."""
    log = result.events.view(EVENT_DTYPE)
    told = log[log["kind"] == EVENT_KINDS.index("rate")]
    rates = np.ones(len(rows))
    for slot in np.unique(told["symbol"]):
        own, mine = told[told["symbol"] == slot], rows["symbol"] == slot
        at = np.searchsorted(own["bar"], rows[bar][mine], side="right") - 1
        rates[mine] = own["value"][np.maximum(at, 0)] / 1e12
    return rates
