"""From what users wrote to what the core takes: fixed point, enum codes, contiguous columns. Called once a run."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import InputError
from .convert_account import account_codes, fixed
from .layouts import GATE_MODES
from .settings import Account, Fees, FillPolicy, Instrument, RiskLimits, Size, Slippage


def _at_least_one(value: float, scale: int, name: str) -> int:
    """`fixed`, for what must not round to nothing."""
    units = fixed(value, scale, name)
    if units < 1:
        raise InputError(f"{name} must be at least {1 / scale:g}, was {value!r}")
    return units


def nano(value: float, name: str) -> int:
    return fixed(value, 10**9, name)


def unique_symbols(symbols: Sequence[str]) -> tuple[str, ...]:
    """The names as a tuple; InputError for one that repeats or is no text."""
    names = tuple(symbols)
    for index, name in enumerate(names):
        if not isinstance(name, str) or not name:
            raise InputError(f"symbols: names must be text, number {index} was {name!r}")
    if len(set(names)) != len(names):
        repeated = next(name for name in names if names.count(name) > 1)
        raise InputError(f"symbols: each once, {repeated!r} repeats")
    return names


def repeated(rows: Sequence[Any] | None, count: int) -> Sequence[Any] | None:
    """What each of `count` strategies is given alike."""
    return rows if rows is None or count == 1 else [*rows] * count


def slot_names(symbols: Sequence[str]) -> list[Any]:
    """What a slot is called: its symbol; (strategy, symbol) where several strategies have it."""
    each = len(set(symbols))
    return [symbol if each == len(symbols) else (slot // each, symbol) for slot, symbol in enumerate(symbols)]


def check_columns(columns: Sequence[Sequence[Any]], symbols: Sequence[str]) -> None:
    """InputError unless there is a list of indicators for each slot, of one length for the slots of one strategy."""
    counts = [len(own) for own in columns]
    each = len(set(symbols))
    if len(columns) != len(symbols) or any(len(set(counts[k : k + each])) > 1 for k in range(0, len(counts), each)):
        raise InputError(f"columns: one list for each of {len(symbols)} symbols, of one length, got {counts}")


def column(array: Any, dtype: Any, name: str, count: int) -> np.ndarray:
    """`array` itself, which must be dtype[count] and C-contiguous."""
    if not isinstance(array, np.ndarray) or array.dtype != dtype or array.ndim != 1 or not array.flags.c_contiguous:
        kind = f"{array.dtype}[{array.ndim}-d]" if isinstance(array, np.ndarray) else type(array).__name__
        raise InputError(f"{name} must be a contiguous {np.dtype(dtype)} array of one dimension, was {kind}")
    if array.shape[0] != count:
        raise InputError(f"{name} must have {count} rows, has {array.shape[0]}")
    return array


def flat(array: Any, dtype: Any, name: str, count: int) -> np.ndarray:
    """A flat view of a C-contiguous [n] or [n, symbols] array of that dtype; bool passes for uint8."""
    found = np.asarray(array)
    if found.dtype == np.bool_ and np.dtype(dtype) == np.uint8:
        found = found.view(np.uint8)
    if found.dtype != dtype or not found.flags.c_contiguous or found.size != count:
        raise InputError(
            f"{name} must be a contiguous {np.dtype(dtype)} array of {count} values, was {found.dtype}{found.shape}"
        )
    return found.reshape(-1)


def grids(instrument: Instrument, policy: FillPolicy, slippage: Slippage) -> tuple[int, int, int]:
    """tick, lot of given quantities, lot of default sizes, in nano."""
    if slippage.ticks and instrument.tick is None:
        raise InputError("slippage: ticks need an instrument with a tick")
    tick = 1 if instrument.tick is None else nano(instrument.tick, "tick")
    lot = 1 if instrument.lot is None else nano(instrument.lot, "lot")
    size_lot = lot
    if instrument.lot is None and policy.default_lot is not None:
        size_lot = nano(policy.default_lot, "default_lot")
    return tick, lot, size_lot


def policy_codes(policy: FillPolicy, path: str | None) -> dict[str, Any]:
    """nt_policy: each choice as its index in FillPolicy.CHOICES."""
    choices = FillPolicy.CHOICES
    if path is not None and path not in choices["path"]:
        raise InputError(f"path must be one of {', '.join(choices['path'])}, was {path!r}")
    values = {name: getattr(policy, name) for name in choices}
    values["path"] = path or policy.path
    values["contingent_from_working"] = policy.contingent_from_working or policy.contingent_from
    codes: dict[str, Any] = {name: choices[name].index(value) for name, value in values.items()}
    codes["volume_cap"] = policy.volume_cap or 0.0
    return codes


def size_code(size: Size, scale: int) -> dict[str, int]:
    """nt_size: the kind's index and its value in nano units, minor cash or pico fraction."""
    unit = {"units": 10**9, "cash": scale, "equity": 10**12, "all_in": 10**12}[size.kind]
    return {"kind": Size.KINDS.index(size.kind), "value": _at_least_one(size.value, unit, "size")}


def limits(risk: RiskLimits | None, scale: int) -> dict[str, int]:
    """nt_limits; 0 = that control is off."""
    units = {
        "max_quantity": ("max_order_quantity", 10**9),
        "max_notional": ("max_order_notional", scale),
        "collar": ("price_collar", 10**12),
        "max_position": ("max_position", 10**9),
        "max_gross": ("max_gross_exposure", scale),
        "max_net": ("max_net_exposure", scale),
        "max_leverage": ("max_leverage", 10**9),
        "max_rate": ("max_orders_per_second", 1),
        "duplicate_ns": ("duplicate_window_ns", 1),
        "max_executions": ("max_executions", 1),
        "max_loss": ("max_daily_loss", scale),
        "max_drawdown": ("max_drawdown", 10**12),
    }
    if risk is None:
        return dict.fromkeys((*units, "enabled", "mode", "self_trade", "loss_mode"), 0)
    numbers = {field: _limit(getattr(risk, name), unit, name) for field, (name, unit) in units.items()}
    mode = "halt" if risk.kill_switch else "reduce_only" if risk.reduce_only else "open"
    return numbers | {
        "enabled": 1,
        "mode": GATE_MODES.index(mode),
        "self_trade": int(risk.prevent_self_trade),
        "loss_mode": GATE_MODES.index(risk.on_loss),
    }


def _limit(value: float | None, scale: int, name: str) -> int:
    # A limit too small to be told from "off" would switch its control off: it is one unit instead.
    return 0 if value is None else max(1, fixed(value, scale, name))


def config(
    cash: float,
    policy: FillPolicy,
    fees: Fees,
    slippage: Slippage,
    size: Size,
    risk: RiskLimits | None,
    account: Account,
    path: str | None,
    latency_ns: int,
    record_events: bool,
) -> dict[str, Any]:
    """nt_engine_config as nested dicts of integers."""
    scale = 10**account.cash_digits
    if isinstance(cash, bool) or not 0 < float(cash) < float("inf"):
        raise InputError(f"cash must be positive and finite, was {cash!r}")
    if latency_ns < 0:
        raise InputError(f"latency_ns must not be negative, was {latency_ns!r}")
    return _settings_codes(policy, fees, slippage, size, risk, account, path) | {
        "cash": _at_least_one(cash, scale, "cash"),
        "latency_ns": int(latency_ns),
        "records_events": int(record_events),
    }


@functools.lru_cache(maxsize=16)  # settings are frozen, and a sweep runs thousands of times with the same
def _settings_codes(
    policy: FillPolicy,
    fees: Fees,
    slippage: Slippage,
    size: Size,
    risk: RiskLimits | None,
    account: Account,
    path: str | None,
) -> dict[str, Any]:
    """What of nt_engine_config hangs on the settings alone."""
    scale = 10**account.cash_digits
    return {
        "policy": policy_codes(policy, path),
        "costs": {
            "fee_rate": fixed(fees.rate, 10**12, "fees.rate"),
            "fee_fixed": fixed(fees.fixed, scale, "fees.fixed"),
            "fee_per_unit": nano(fees.per_unit, "fees.per_unit"),
            "fee_minimum": fixed(fees.minimum, scale, "fees.minimum"),
            "slippage_rate": fixed(slippage.rate, 10**12, "slippage.rate"),
            "slippage_ticks": int(slippage.ticks),
            "slippage_capped": int(slippage.cap_to_bar),
        },
        "account": account_codes(account),
        "limits": limits(risk, scale),
        "size": size_code(size, scale),
        "cash_digits": account.cash_digits,
    }


def position(row: dict[str, int]) -> dict[str, int]:
    """nt_position as Python sees it: quantity and entry_price in nano, the rest in minor units of cash."""
    return {name: row[name] for name in ("quantity", "basis", "realised", "fees", "entry_price", "entry_fees", "flows")}
