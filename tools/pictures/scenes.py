"""What the pictures of docs/fills.md show: small markets, what is asked in them, and under which policy.

A scene says nothing of what happens: the engine is run, and what it did is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import neuraltrade as nt

DAY_NS = 86_400_000_000_000
Ohlc = tuple[float, float, float, float]
Action = Callable[[Any], Any]

# The market of the fixture table.
FIXTURE: tuple[Ohlc, ...] = (
    (100, 101, 99, 100), (100, 102, 99, 101), (103, 106, 98, 104), (90, 92, 88, 91), (91, 93, 90, 92), (92, 93, 91, 92),
)  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """One panel: what is set, the market, and what is asked after the close of which bar.

    given : further arguments of nt.backtest. paths : bars in which the way of the price is drawn, as the policy has it.
    """

    label: str
    actions: Mapping[int, Action]
    policy: Mapping[str, Any] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    rows: tuple[Ohlc, ...] = FIXTURE
    volume: tuple[float, ...] | float = 1000.0
    paths: tuple[int, ...] = ()

    def run(self, bars: int | None = None) -> nt.Result:
        """The engine's own account of it, over the first `bars` bars."""
        bars_of_it = market(self.rows, self.volume)[:bars]
        policy = nt.FillPolicy(**self.policy)
        return nt.backtest(bars_of_it, script(self.actions), fill=policy, **{"cash": 10_000.0, **self.given})


def market(rows: Sequence[Ohlc], volume: Sequence[float] | float) -> nt.Bars:
    """Daily bars, the first of which ends after a day."""
    columns = [np.array(column, dtype=float) for column in zip(*rows, strict=True)]
    volumes = np.array(np.broadcast_to(np.array(volume, dtype=float), len(rows)))
    return nt.Bars("X", DAY_NS * (1 + np.arange(len(rows))), *columns, volumes)


def script(actions: Mapping[int, Action]) -> type[nt.Strategy]:
    """A strategy that does after each bar what was written down for it."""
    return type("Script", (Script,), {"actions": dict(actions)})


class Script(nt.Strategy):
    """Asks `actions` what to do."""

    def on_bar(self, ctx):
        action = self.actions.get(ctx.i)
        if action is not None:
            action(ctx)


@dataclass(frozen=True)
class Picture:
    """A file of docs/pictures: its title, a description for those who cannot see it, its panels."""

    name: str
    title: str
    description: str
    scenes: tuple[Scene, ...]
    columns: int = 2


def buy(quantity: float = 10, **asked: Any) -> Action:
    return lambda ctx: ctx.buy(quantity, **asked)


def sell(quantity: float = 10, **asked: Any) -> Action:
    return lambda ctx: ctx.sell(quantity, **asked)


def per_value(choice: str, values: tuple[Any, ...], **scene: Any) -> tuple[Scene, ...]:
    """The same scene under each value of one choice, everything else as `policy` says, else the default."""
    base = scene.pop("policy", {})
    return tuple(
        Scene(label=f'{choice}="{value}"', policy={**base, choice: value}, **scene)
        if isinstance(value, str)
        else Scene(label=f"{choice}={value}", policy={**base, choice: value}, **scene)
        for value in values
    )


CLIMB: tuple[Ohlc, ...] = ((100, 101, 99, 100), (100, 101, 99, 100), (100, 106, 99, 105), (104, 105, 100, 102),
                           (101, 102, 94, 95))  # fmt: skip
BOTH: tuple[Ohlc, ...] = ((100, 101, 99, 100), (100, 102, 100, 101), (103, 106, 98, 104), (104, 105, 102, 103))
PEAK: tuple[Ohlc, ...] = ((100, 101, 99, 100), (100, 101, 99, 100), (102, 106, 102, 105), (104, 105, 101, 102),
                          (102, 103, 100, 101))  # fmt: skip
CALM: tuple[Ohlc, ...] = ((100, 101, 99, 100), (100, 102, 99, 101), (102, 104, 101, 103), (103, 105, 102, 104),
                          (104, 105, 102, 103))  # fmt: skip

CHOICES = (
    Picture(
        "market_at", "market_at: where a market order fills",
        "A market order to buy, decided after bar b1, at the next open and at the close it was decided on.",
        per_value("market_at", ("next_open", "same_close"), actions={1: buy()}),
    ),
    Picture(
        "limit_fill", "limit_fill: what fills a resting limit order",
        "A limit order to buy at 98, which the low of bar b2 touches exactly: filled there, or only once the price "
        "goes beyond.",
        per_value("limit_fill", ("touch", "penetrate"), actions={1: buy(limit=98)}),
    ),
    Picture(
        "limit_gap", "limit_gap: a bar opens beyond the limit",
        "A limit order to buy at 95; bar b3 opens at 90: filled at the better open, or at the limit.",
        per_value("limit_gap", ("improve", "at_limit"), actions={1: buy(limit=95)}),
    ),
    Picture(
        "stop_gap", "stop_gap: a bar opens beyond the stop",
        "Long from bar b1, with a stop to sell at 95; bar b3 opens at 90: filled at the worse open, or at the stop.",
        per_value("stop_gap", ("at_open", "at_stop"), actions={0: buy(), 1: sell(stop=95)}),
    ),
    Picture(
        "path", "path: a stop-loss and a take-profit inside one bar",
        "Long from bar b1, with a stop-loss at 99 and a take-profit at 105, both inside bar b2: which comes first "
        "under each of the five paths.",
        per_value("path", nt.FillPolicy.CHOICES["path"], actions={0: buy(stop_loss=99, take_profit=105)}, rows=BOTH,
                  paths=(2,)),
        columns=3,
    ),
    Picture(
        "contingent_from", "contingent_from: when a bracket may first fire",
        "Bought at the open of bar b2 with a stop-loss at 99, which the same bar reaches: fired in the bar of the "
        "entry, or only from the next bar, at its open of 90.",
        per_value("contingent_from", ("entry_bar", "next_bar"), actions={1: buy(stop_loss=99)}),
    ),
    Picture(
        "stop_base", "stop_base: what a stop given as a fraction is a fraction of",
        "Bought at the open of bar b2, 100, with a stop-loss 4 percent away; the bar closes at 105. Four percent below "
        "the fill is 96, below the close of the entry bar 100.8.",
        per_value("stop_base", ("fill_price", "entry_close"), actions={1: buy(stop_loss_rate=0.04)}, rows=CLIMB,
                  policy={"contingent_from": "next_bar"}),
    ),
    Picture(
        "trail_update", "trail_update: whether a bar's own high moves its stop",
        "Long from bar b1 with a stop that trails by 3. Bar b2 makes a new high and then comes back: checked against "
        "the stop it began with, or against the stop its own high has moved.",
        per_value("trail_update", ("after_check", "before_check"), actions={0: buy(trail=3)}, rows=PEAK),
    ),
    Picture(
        "trail_by", "trail_by: what moves a trailing stop",
        "Long from bar b1 with a stop that trails by 3: by the high of bar b2, 106, or by its close, 105.",
        per_value("trail_by", ("extremes", "closes"), actions={0: buy(trail=3)}, rows=PEAK),
    ),
    Picture(
        "limits_from", "limits_from: a limit that the close at hand satisfies already",
        "A limit order to buy at 101.5, placed after bar b1 closed at 101: it meets prices from the next bar on, or at "
        "once.",
        per_value("limits_from", ("next_bar", "at_once"), actions={1: buy(limit=101.5)}),
    ),
    Picture(
        "depth", "depth: what an order finds at a price",
        "A market order to buy 10 where a bar trades 16: the whole at the open of 102, or a quarter of the bar's "
        "volume there and the rest one tick of a quarter worse.",
        per_value("depth", ("unlimited", "quarter_bar"), actions={1: buy()}, rows=CALM, volume=16.0,
                  given={"instruments": nt.Instrument(tick=0.25, lot=1)}),
    ),
)  # fmt: skip

FURTHER = (
    Picture(
        "volume_cap", "volume_cap: the share of a bar's volume we may take",
        "A market order to buy 10 where each bar trades 16: the whole at once without a cap; half of each bar with a "
        "cap of a half, so that the rest works on.",
        per_value("volume_cap", (None, 0.5, 0.25), actions={1: buy()}, rows=CALM, volume=16.0),
        columns=3,
    ),
    Picture(
        "slippage", "slippage: how much worse than the market",
        "A market order to buy at the open of 103, without slippage, with 2 percent, with four ticks of a quarter, and "
        "with 5 percent capped to the bar, whose high is 106.",
        tuple(
            Scene(label, {1: buy()}, given={"slippage": slippage, "instruments": nt.Instrument(tick=0.25)})
            for label, slippage in (
                ("slippage=0", 0.0),
                ("slippage=0.02", 0.02),
                ("nt.Slippage(ticks=4)", nt.Slippage(ticks=4)),
                ("nt.Slippage(rate=0.05, cap_to_bar=True)", nt.Slippage(rate=0.05, cap_to_bar=True)),
            )
        ),
    ),
    Picture(
        "latency", "latency_ns: how long an order takes to reach the market",
        "A limit order to buy at 102.5, decided after bar b1 of daily bars: it reaches the market at once, half a day "
        "later, a day and a half later. A bar sees only what reached the market before it began.",
        tuple(
            Scene(f"latency_ns={label}", {1: buy(limit=102.5)}, given={"latency_ns": int(days * DAY_NS)}, rows=CALM)
            for label, days in (("0", 0.0), ("12 h", 0.5), ("36 h", 1.5))
        ),
        columns=3,
    ),
    Picture(
        "reject_on_cash", "reject_on_cash: an order that cash does not cover",
        "A market order to buy 10 at 103 with 515 in cash, which pays for five: refused whole, or shrunk to five.",
        per_value("reject_on_cash", ("reject", "shrink"), actions={1: buy()}, given={"cash": 515.0}),
    ),
)  # fmt: skip

WIDE: tuple[Ohlc, ...] = ((100, 101, 99, 100), (100, 102, 99, 101), (101, 104, 97, 103), (104, 107, 102, 106),
                          (105, 106, 99, 100))  # fmt: skip

BRACKET: tuple[Ohlc, ...] = ((100, 101, 99, 100), (100, 102, 99, 101), (102, 104, 100, 103), (103, 106, 101, 105),
                             (105, 109, 104, 108), (107, 108, 104, 105))  # fmt: skip

LIVES = (
    Picture(
        "bounds",
        "bounds=True: an entry and its profit inside one bar",
        "A limit order to buy at 99 with a take-profit at 105, both inside bar b2, whose order nobody knows: on the "
        "worst path the high came before the entry, on the best after it.",
        per_value("path", ("worst", "best"), actions={1: buy(limit=99, take_profit=105, stop_loss=95)}),
    ),
    Picture(
        "order_types",
        "order types: what each waits for",
        "Orders to buy 10 decided after bar b1, one of each type, on the same bars: market, limit, stop, stop-limit, "
        "trailing stop, at the open and at the close of the next bar.",
        (
            Scene("ctx.buy(10)", {1: buy()}, rows=WIDE),
            Scene("ctx.buy(10, limit=98)", {1: buy(limit=98)}, rows=WIDE),
            Scene("ctx.buy(10, stop=106)", {1: buy(stop=106)}, rows=WIDE),
            Scene("ctx.buy(10, stop=106, limit=103)", {1: buy(stop=106, limit=103)}, rows=WIDE),
            Scene(
                "ctx.trailing_stop(10, trail=4, side=1)",
                {1: lambda ctx: ctx.trailing_stop(10, trail=4, side=1)},
                rows=WIDE,
            ),
            Scene('ctx.buy(10, at="close")', {1: buy(at="close")}, rows=WIDE),
        ),
        columns=3,
    ),
    Picture(
        "bracket_and_oco",
        "life of a bracket, and of two orders of which one cancels the other",
        "Left: an entry of 10 filled in two halves under a volume cap; each fill brings a stop-loss and a take-profit "
        "of its size; the take-profits fill, and the stop-losses end with them. Right: a stop to buy at 105 and a stop "
        "to sell at 97 joined by ctx.oco: the first to fill cancels the other.",
        (
            Scene(
                "ctx.buy(10, stop_loss=96, take_profit=107)",
                {0: buy(stop_loss=96, take_profit=107)},
                {"volume_cap": 0.5},
                rows=BRACKET,
                volume=(16, 10, 10, 40, 40, 40),
            ),
            Scene(
                "ctx.oco(ctx.buy(10, stop=105), ctx.sell(10, stop=97))",
                {0: lambda ctx: ctx.oco(ctx.buy(10, stop=105), ctx.sell(10, stop=97))},
                rows=BRACKET,
            ),
        ),
    ),
)

PICTURES = (*CHOICES, *FURTHER, *LIVES)
