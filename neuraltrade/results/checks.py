"""What a Result refuses, each with the argument, the value and the limit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.layouts import (
    DENIAL_DTYPE,
    FILL_DTYPE,
    FLOW_DTYPE,
    MARGIN_CALL_DTYPE,
    ORDER_DTYPE,
    SIGNAL_DTYPE,
    TRADE_DTYPE,
)
from ..errors import InputError

_LAYOUTS = {
    "fills": FILL_DTYPE,
    "trades": TRADE_DTYPE,
    "orders": ORDER_DTYPE,
    "signals": SIGNAL_DTYPE,
    "denials": DENIAL_DTYPE,
    "flows": FLOW_DTYPE,
    "margin_calls": MARGIN_CALL_DTYPE,
}
_MAX = float(np.finfo(np.float64).max)


def check_curve(
    clock_ts_ns: np.ndarray, equity: np.ndarray, *, strictly: bool = True, is_checked: bool = False
) -> None:
    """One finite value per bar of an ascending clock (of events: times may be equal; is_checked: it is known to)."""
    if equity.ndim != 1 or len(equity) == 0 or equity.shape != clock_ts_ns.shape:
        raise InputError(
            f"equity must have a value per bar of the clock ({len(clock_ts_ns)}), at least one, had {len(equity)}"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        total = equity.sum()  # finite only where every value is, and it takes no memory
    if not np.isfinite(total) and not np.isfinite(equity).all():
        bar = int(np.flatnonzero(~np.isfinite(equity))[0])
        raise InputError(f"equity must be finite, was {equity[bar]} at bar {bar}")
    if is_checked:
        return
    before, after = clock_ts_ns[:-1], clock_ts_ns[1:]
    backwards = np.flatnonzero(after <= before if strictly else after < before)
    if len(backwards):
        raise InputError(f"clock_ts_ns must ascend, does not at bar {int(backwards[0]) + 1}")


def check_numbers(cash: float, risk_free: float, periods_per_year: float | None) -> None:
    if not (np.isfinite(cash) and cash > 0.0):
        raise InputError(f"cash must be finite and > 0, was {cash}")
    if not (_is_finite(risk_free) and risk_free > -1.0):
        raise InputError(f"risk_free must be a finite rate per year > -1, was {risk_free!r}")
    if periods_per_year is not None and not (_is_finite(periods_per_year) and periods_per_year > 0.0):
        raise InputError(f"periods_per_year must be finite and > 0, was {periods_per_year!r}")


def _is_finite(value: Any) -> bool:
    number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    return number and bool(-_MAX <= value <= _MAX)  # unlike np.isfinite it takes any integer


def check_rows(tables: dict[str, np.ndarray], symbols: Sequence[str]) -> None:
    """Every column of the engine's layout, and slots that name a symbol."""
    for table, rows in tables.items():
        missing = [
            name for name in _LAYOUTS[table].names or () if name not in (rows.dtype.names or ()) and name != "spare"
        ]
        if missing:
            raise InputError(f"{table} must have the engine's columns, {', '.join(missing)} missing")
        if "symbol" not in (_LAYOUTS[table].names or ()):
            continue
        least = -1 if table == "flows" else 0  # interest is of no symbol
        if len(rows) and not least <= int(rows["symbol"].min()) <= int(rows["symbol"].max()) < len(symbols):
            raise InputError(f"{table} must have slots in 0..{len(symbols) - 1}, had {int(rows['symbol'].max())}")


def benchmark_values(benchmark: Any, clock_ts_ns: np.ndarray) -> np.ndarray | None:
    """float64[n] on the clock, NaN before the first; None stays None."""
    if benchmark is None:
        return None
    if hasattr(benchmark, "close") and hasattr(benchmark, "ts_ns"):
        return aligned(benchmark.ts_ns, benchmark.close, clock_ts_ns)
    try:
        values = np.asarray(benchmark, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"benchmark must be Bars or numbers, was {type(benchmark).__name__}") from error
    if values.shape != clock_ts_ns.shape:
        raise InputError(f"benchmark must have one value per bar ({len(clock_ts_ns)}), had shape {values.shape}")
    if np.isinf(values).any() or (values <= 0.0).any():
        raise InputError("benchmark must hold finite values > 0 (NaN where there is none yet)")
    return values


def aligned(ts_ns: np.ndarray, values: np.ndarray, clock_ts_ns: np.ndarray) -> np.ndarray:
    """float64[n]: the last value at or before each time of the clock, NaN before the first."""
    if len(ts_ns) == len(clock_ts_ns) and bool((ts_ns == clock_ts_ns).all()):
        return np.array(values, dtype=np.float64)
    at = np.searchsorted(ts_ns, clock_ts_ns, side="right") - 1
    return np.where(at >= 0, values[np.maximum(at, 0)], np.nan)
