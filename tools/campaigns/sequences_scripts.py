"""Random settings, bars and scripts of the sequences campaign, whole blocks at a time, in integers throughout.

Block b of seed s is a function of (s, b) alone, and so is every sequence in it. Fifty sequences share one set of
settings; each has its own bars and its own script.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import numpy as np

import neuraltrade as nt
from neuraltrade.core.layouts import TIMES_IN_FORCE
from neuraltrade.core.scripted import ACTIONS, SCRIPT_DTYPE

NANO, PICO = 10**9, 10**12
BLOCK, GROUP = 500, 50
STEPS, ROWS = 10, 11
SKIPPED = -9999  # the answer of a row whose symbol had no bar
CENT = 10**7
NS_DAY = 86_400 * NANO
NUMBERS = (
    "quantity",
    "limit",
    "stop",
    "stop_loss",
    "take_profit",
    "trail",
    "stop_loss_rate",
    "take_profit_rate",
    "trail_rate",
)
COLUMNS = SCRIPT_DTYPE.names
# Those that the model knows; what is listed twice is drawn more often.
CHOICES = {
    "market_at": ("next_open", "same_close"),
    "limit_fill": ("touch", "penetrate"),
    "limit_gap": ("improve", "at_limit"),
    "stop_gap": ("at_open", "at_stop"),
    "path": ("worst", "best", "ohlc", "olhc", "nearest"),
    "contingent_from": ("entry_bar", "next_bar"),
    "contingent_from_working": ("entry_bar", "next_bar", "certain_profit"),
    "stop_base": ("fill_price", "entry_close"),
    "trail_update": ("after_check", "before_check"),
    "trail_by": ("extremes", "extremes", "closes"),
    "limits_from": ("next_bar", "next_bar", "next_bar", "at_once"),
    "depth": ("unlimited",) * 7 + ("quarter_bar",),
    "reject_on_cash": ("reject", "shrink"),
}
_ACTION_WEIGHTS = {"place": 60, "trade": 4, "target": 4, "close": 6, "trail": 7, "cancel": 4, "cancel_all": 1,
                   "modify": 7, "join": 6, "halt": 1}  # fmt: skip
_TIF_WEIGHTS = {"gtc": 60, "day": 12, "ioc": 9, "fok": 9, "gtd": 10}


@dataclasses.dataclass
class Settings:
    """What the sequences of a group are run with: integers for the model, and the same as the engine takes it."""

    policy: nt.FillPolicy
    symbols: tuple[str, ...]
    step_ns: int
    cash_digits: int
    cash: int  # minor
    fee_rate: int  # pico
    fee_fixed: int  # minor
    fee_per_unit: int  # nano
    fee_minimum: int  # minor
    slippage_rate: int  # pico
    slippage_capped: bool
    leverage: int  # nano
    shorting: bool
    tick: int  # nano
    lot: int
    multiplier: int
    size: nt.Size
    limits: dict[str, Any] | None  # by RiskLimits' names; amounts as (integer, scale)
    latency_ns: int
    close_open: bool
    resume_at: int  # step before which the gate is halted and opened again from outside; 0 = never

    def limit(self, name: str) -> int:
        """The limit in the core's unit, 0 where it is off."""
        value = None if self.limits is None else self.limits.get(name)
        return 0 if value is None else value[0] if isinstance(value, tuple) else int(value)

    @functools.cached_property
    def engine_arguments(self) -> dict[str, Any]:
        scale = 10**self.cash_digits
        risk = None
        if self.limits is not None:
            given = {
                k: v[0] / v[1] if isinstance(v, tuple) and k != "restricted" else v for k, v in self.limits.items()
            }
            risk = nt.RiskLimits(**given)
        return {
            "cash": self.cash / scale,
            "policy": self.policy,
            "fees": nt.Fees(rate=self.fee_rate / PICO, fixed=self.fee_fixed / scale, per_unit=self.fee_per_unit / NANO,
                            minimum=self.fee_minimum / scale),
            "slippage": nt.Slippage(rate=self.slippage_rate / PICO, cap_to_bar=self.slippage_capped),
            "size": self.size,
            "risk": risk,
            "instruments": [nt.Instrument(tick=None if self.tick == 1 else self.tick / NANO,
                                          lot=None if self.lot == 1 else self.lot / NANO,
                                          multiplier=self.multiplier / NANO)] * len(self.symbols),
            "account": nt.Account(cash_digits=self.cash_digits, leverage=self.leverage / NANO, shorting=self.shorting),
            "latency_ns": self.latency_ns,
        }  # fmt: skip


@dataclasses.dataclass
class Sequence:
    """One run: bars of each symbol as the engine takes them, the same in nano, and the script."""

    number: int
    settings: Settings
    bars: list[tuple[np.ndarray, ...]]
    prices: list[list[tuple[int, ...]]]  # by symbol and bar: ts_ns, open, high, low, close in nano, and the volume
    rows: list[tuple[int, ...]]  # COLUMNS, in integers; 0 = not given
    ready: np.ndarray | None = None  # the rows as the engine takes them, while they are what was made

    def script(self) -> np.ndarray:
        """The rows as the engine takes them, a fresh copy."""
        return (
            script_rows(np.array(self.rows, dtype=np.int64).reshape(-1, len(COLUMNS)))
            if self.ready is None
            else self.ready.copy()
        )


def script_rows(table: np.ndarray) -> np.ndarray:
    """int64[..., COLUMNS] as SCRIPT_DTYPE[...]: numbers that are 0 are not given, but for a target of 0."""
    out = np.zeros(table.shape[:-1], SCRIPT_DTYPE)
    is_target = table[..., 2] == ACTIONS.index("target")
    for index, name in enumerate(COLUMNS):
        given = table[..., index]
        if name not in NUMBERS:
            out[name] = given
        elif name == "quantity":
            out[name] = np.where(is_target, given / PICO, np.where(given == 0, np.nan, given / NANO))
        else:
            out[name] = np.where(given == 0, np.nan, given / (PICO if name.endswith("_rate") else NANO))
    out["answer"] = SKIPPED
    return out


def pick(rng: np.random.Generator, values: Any) -> Any:
    return values[int(rng.integers(len(values)))]


def random_limits(rng: np.random.Generator, scale: int, symbols: tuple[str, ...]) -> dict[str, Any] | None:
    """Limits of the gate, each on at random; None = no RiskLimits at all."""
    if rng.random() < 0.4:
        return None
    choices: dict[str, Any] = {
        "max_order_quantity": (int(rng.integers(10, 60)) * NANO, NANO),
        "max_order_notional": (int(rng.integers(1000, 6000)) * scale, scale),
        "price_collar": (int(rng.integers(5, 60)) * NANO, PICO),
        "max_position": (int(rng.integers(20, 90)) * NANO, NANO),
        "max_gross_exposure": (int(rng.integers(3000, 15000)) * scale, scale),
        "max_net_exposure": (int(rng.integers(2000, 9000)) * scale, scale),
        "max_leverage": (int(rng.integers(5, 25)) * NANO // 10, NANO),
        "max_orders_per_second": int(rng.integers(1, 5)),
        "duplicate_window_ns": int(pick(rng, (1, NANO, 3 * NS_DAY))),
        "max_executions": int(rng.integers(1, 7)),
        "max_daily_loss": (int(rng.integers(10, 400)) * scale, scale),
        "max_drawdown": (int(rng.integers(1, 60)) * NANO, PICO),
        "prevent_self_trade": True,
        "restricted": (str(pick(rng, symbols)),),
        "reduce_only": True,
        "kill_switch": True,
    }
    odds = {
        "restricted": 0.04,
        "reduce_only": 0.03,
        "kill_switch": 0.01,
        "price_collar": 0.12,
        "max_orders_per_second": 0.12,
    }
    found = {name: value for name, value in choices.items() if rng.random() < odds.get(name, 0.16)}
    return found | {"on_loss": str(pick(rng, nt.RiskLimits.MODES))}


def random_settings(rng: np.random.Generator) -> Settings:
    choices = {name: pick(rng, allowed) for name, allowed in CHOICES.items()}
    cap = pick(rng, (None, None, 0.01, 0.03))
    digits = int(pick(rng, (2, 6, 6, 9)))
    scale = 10**digits
    symbols = ("A", "B") if rng.random() < 0.35 else ("A",)
    return Settings(
        policy=nt.FillPolicy(**choices, volume_cap=cap),
        symbols=symbols,
        step_ns=int(pick(rng, (NS_DAY, NS_DAY, NS_DAY // 4, 2 * NANO // 5))),
        cash_digits=digits,
        cash=int(pick(rng, (3_000, 12_000, 50_000, 1_000_000))) * scale,
        fee_rate=int(pick(rng, (0, 0, 10**9, 1_230_000_000))),
        fee_fixed=int(pick(rng, (0, 0, 50, 125))) * scale // 100,
        fee_per_unit=int(pick(rng, (0, 0, 10**7, 3_500_000))),
        fee_minimum=int(pick(rng, (0, 0, 100))) * scale // 100,
        slippage_rate=int(pick(rng, (0, 0, 5 * 10**8))),
        slippage_capped=bool(rng.integers(2)),
        leverage=int(pick(rng, (1, 1, 2, 10))) * NANO,
        shorting=bool(rng.random() < 0.85),
        tick=int(pick(rng, (1, CENT, CENT))),
        lot=int(pick(rng, (1, CENT, NANO // 10, NANO))),
        multiplier=int(pick(rng, (NANO, NANO, NANO, 10 * NANO, NANO // 2))),
        size=pick(rng, (nt.Size.units(15), nt.Size.cash(1500), nt.Size.equity(0.3), nt.Size.all_in())),
        limits=random_limits(rng, scale, symbols),
        latency_ns=int(pick(rng, (0, 0, 0, 1, NS_DAY // 4))),
        close_open=bool(rng.integers(2)),
        resume_at=int(rng.integers(2, STEPS)) if rng.random() < 0.08 else 0,
    )


def random_bars(rng: np.random.Generator, count: int) -> np.ndarray:
    """int64[count, 2 symbols, 5, STEPS]: open, high, low, close in cents, and volume."""
    shape = (count, 2, STEPS)
    close = np.maximum(2_000, 10_000 + np.cumsum(np.rint(rng.normal(0, 160, shape)).astype(np.int64), axis=2))
    gaps = np.rint(rng.normal(0, 120, shape)).astype(np.int64) * (rng.random(shape) < 0.6)
    before = np.concatenate([np.full((count, 2, 1), 10_000), close[:, :, :-1]], axis=2)
    open_ = np.maximum(1_000, before + gaps)
    high = np.maximum(open_, close) + rng.integers(0, 180, shape)
    low = np.maximum(500, np.minimum(open_, close) - rng.integers(0, 180, shape))
    volume = rng.integers(0, 4_000, shape) * (rng.random(shape) < 0.95)
    return np.stack([open_, high, low, close, volume], axis=2)


def random_rows(rng: np.random.Generator, settings: Settings, bars: np.ndarray) -> np.ndarray:
    """int64[count, ROWS, COLUMNS] for as many sequences as there are bars."""
    count, two = bars.shape[0], len(settings.symbols)
    shape = (count, ROWS)
    key = np.sort(rng.integers(0, (STEPS - 1) * two, shape), axis=1)
    names, weights = list(_ACTION_WEIGHTS), np.array(list(_ACTION_WEIGHTS.values()), float)
    codes = np.array([ACTIONS.index(name) for name in names])
    action = codes[rng.choice(len(names), shape, p=weights / weights.sum())]
    prepare(action, key)
    bar, symbol = key // two, key % two
    close = bars[np.arange(count)[:, None], symbol, 3, bar]
    table = {name: np.zeros(shape, np.int64) for name in COLUMNS}
    table |= {"bar": bar, "symbol": symbol, "action": action, "side": 2 * rng.integers(0, 2, shape) - 1}

    def cents(spread: int, odds: float) -> np.ndarray:
        away = np.rint(rng.normal(0, spread, shape)).astype(np.int64)
        return np.maximum(1, close + away) * CENT * (rng.random(shape) < odds)

    units = rng.integers(1, 60, shape) * NANO if settings.lot == NANO else rng.integers(1, 60_00, shape) * CENT
    units = np.where(rng.random(shape) < 0.98, units // settings.lot * settings.lot, units + settings.lot // 2)
    units = np.maximum(units, settings.lot)
    is_sized = (action == ACTIONS.index("place")) & (rng.random(shape) < 0.12)
    table["quantity"] = np.where(is_sized, 0, units)
    table["limit"], table["stop"] = cents(140, 0.42), cents(140, 0.3)
    fill_bracket(rng, table, close)
    tifs, odds = list(_TIF_WEIGHTS), np.array(list(_TIF_WEIGHTS.values()), float)
    table["tif"] = np.array([TIMES_IN_FORCE.index(t) for t in tifs])[rng.choice(len(tifs), shape, p=odds / odds.sum())]
    till = (bar + 1 + rng.integers(0, 5, shape)) * settings.step_ns + rng.integers(0, 2, shape)
    table["good_till"] = np.where(table["tif"] == TIMES_IN_FORCE.index("gtd"), till, 0)
    bare = (table["limit"] == 0) & (table["stop"] == 0)
    table["at"] = np.where(bare & (rng.random(shape) < 0.25), rng.integers(1, 3, shape), 0)
    table["back"] = rng.integers(0, 4, shape) * (rng.random(shape) < 0.4)
    table["other_back"] = np.where(rng.random(shape) < 0.9, 1, rng.integers(0, 5, shape))
    shape_actions(rng, table)
    off = (rng.random(shape) < 0.01) * (CENT // 2)
    table["limit"] += np.where(table["limit"] > 0, off, 0)
    return np.stack([table[name] for name in COLUMNS], axis=2)


def prepare(action: np.ndarray, key: np.ndarray) -> None:
    """Something to join before each join, and something to modify before a modify, at the same step."""
    place = ACTIONS.index("place")
    for column in range(2, action.shape[1]):
        joins, modifies = action[:, column] == ACTIONS.index("join"), action[:, column] == ACTIONS.index("modify")
        for before in (1, 2):
            chosen = joins | (modifies & (before == 1))
            action[chosen, column - before] = place
            key[chosen, column - before] = key[chosen, column]


def fill_bracket(rng: np.random.Generator, table: dict[str, np.ndarray], close: np.ndarray) -> None:
    """Exits of entries, mostly on the right side of what they protect."""
    shape = close.shape
    base = np.where(
        table["limit"] > 0, table["limit"] // CENT, np.where(table["stop"] > 0, table["stop"] // CENT, close)
    )
    for name, way, odds in (("stop_loss", -1, 0.25), ("take_profit", 1, 0.25)):
        away = rng.integers(-8, 250, shape)
        table[name] = np.maximum(1, base + way * table["side"] * away) * CENT * (rng.random(shape) < odds)
        rates = rng.integers(1, 40, shape) * 10**9
        table[f"{name}_rate"] = rates * (rng.random(shape) < 0.12) * (table[name] == 0)
    table["trail"] = rng.integers(20, 300, shape) * CENT * (rng.random(shape) < 0.1)
    table["trail_rate"] = rng.integers(2, 40, shape) * 10**9 * (rng.random(shape) < 0.05) * (table["trail"] == 0)


def shape_actions(rng: np.random.Generator, table: dict[str, np.ndarray]) -> None:
    """What actions other than placing need of the shared columns."""
    action, shape = table["action"], table["action"].shape
    is_target, is_trail, is_modify, is_halt = (
        action == ACTIONS.index(n) for n in ("target", "trail", "modify", "halt")
    )
    fraction = rng.integers(-12, 13, shape) * (PICO // 10)
    table["quantity"] = np.where(is_target, fraction, table["quantity"])
    table["side"] = np.where(is_trail, rng.integers(-1, 2, shape) * (rng.random(shape) < 0.4), table["side"])
    distance = rng.integers(20, 300, shape) * CENT
    table["trail"] = np.where(is_trail & (table["trail_rate"] == 0), distance, table["trail"])
    table["side"] = np.where(is_halt, rng.integers(1, 4, shape), table["side"])
    which = rng.integers(0, 4, shape)  # of quantity, limit, stop: one; or limit and stop
    for index, name in enumerate(("quantity", "limit", "stop")):
        keep = (which == index) | ((which == 3) & (index > 0))
        table[name] = np.where(is_modify & ~keep, 0, table[name])


def block(seed: int, index: int) -> list[Sequence]:
    """The sequences index * BLOCK + 0 .. BLOCK - 1."""
    rng = np.random.default_rng([seed, index])
    found: list[Sequence] = []
    while len(found) < BLOCK:
        settings = random_settings(rng)
        bars = random_bars(rng, GROUP)
        present = rng.random((GROUP, STEPS)) < (0.85 if rng.random() < 0.5 else 1.0)
        table = random_rows(rng, settings, bars)
        rows, ready = table.tolist(), script_rows(table)
        columns, prices = bars_of(settings, bars, present)
        for member in range(GROUP):
            number, own = index * BLOCK + len(found), list(map(tuple, rows[member]))
            found.append(Sequence(number, settings, columns[member], prices[member], own, ready[member]))
    return found


def bars_of(settings: Settings, bars: np.ndarray, present: np.ndarray) -> tuple[list[Any], list[Any]]:
    """By sequence: columns for the engine, rows for the model. The second symbol lacks bars that are not `present`."""
    times = np.arange(1, STEPS + 1, dtype=np.int64) * settings.step_ns
    two, count = len(settings.symbols), len(bars)
    floats = bars[:, :two] / np.array([100.0, 100.0, 100.0, 100.0, 1.0])[:, None]
    whole = np.empty((count, two, STEPS, 6), np.int64)
    whole[..., 0] = times
    whole[..., 1:] = bars[:, :two].transpose(0, 1, 3, 2) * np.array([CENT, CENT, CENT, CENT, 1])
    columns = [[(times, *own) for own in member] for member in floats]
    prices = whole.tolist()
    gaps = present.any(axis=1) & ~present.all(axis=1) if two > 1 else np.zeros(count, bool)
    for member in np.flatnonzero(gaps).tolist():
        there = present[member]
        columns[member][1] = (times[there], *np.ascontiguousarray(floats[member, 1][:, there]))
        prices[member][1] = [row for row, kept in zip(prices[member][1], there.tolist(), strict=True) if kept]
    return columns, prices
