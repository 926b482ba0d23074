"""How working orders meet a bar."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from ...errors import InputError
from .checks import Setting, choice, number
from .queue import QueueModel


class FillPolicy(Setting, frozen=True, kw_only=True):
    """How working orders meet a bar: eight choices, and what surrounds them.

    market_at : "next_open" | "same_close". Where a market order fills.
    limit_fill : "touch" (the bar's low reaches a buy limit) | "penetrate" (it goes beyond); mirrored for sells.
    limit_gap : "improve" (the open is beyond the limit: fill at the open) | "at_limit".
    stop_gap : "at_open" (the open is beyond the stop: fill at the open) | "at_stop".
    path : which trigger comes first in a bar. "worst" (stops before profits) | "best" | "ohlc" | "olhc" | "nearest"
        (the extreme nearer to the open first, a tie is the low).
    contingent_from : stop-losses, take-profits and trails may fire on the "entry_bar" | from the "next_bar".
    contingent_from_working : the same where the entry was a limit or stop order; None = as contingent_from;
        "certain_profit" = from the next bar, but the take-profit of a stop entry may fire in a bar that leaves the
        stop-loss alone.
    stop_base : fractions of a bracket are of the "fill_price" | of the "entry_close" (close of the bar of the fill).
    trail_update : a trailing stop's peak moves "after_check" | "before_check".
    trail_by : what moves that peak: the bars' "extremes" (highs, or lows for a buy) | their "closes".
    limits_from : a limit order meets prices from the "next_bar" on | "at_once": one that the close at hand satisfies
        fills there, at the close; so does one that was modified to that effect.
    depth : what an order finds at a price: "unlimited" | "quarter_bar": open, high, low and close are four trades of a
        quarter of the bar's volume each (one lot at least), a price equal to the one before it is none. A market or
        stop order takes that quarter and the rest one tick worse; a limit that is only touched takes it and waits for
        the next of the four; one that the price goes through fills. Orders do not use up each other's quarter.
    volume_cap : fraction of a bar's volume that our orders may take, the rest stays working; None = no cap.
    reject_on_cash : an order that cash does not cover is a "reject" | a "shrink" to what cash allows.
    default_lot : grid of default order sizes where the instrument names no lot; None = 1e-9.
    queue : of ticks, an nt.QueueModel or its kind. stop_trigger : of ticks, a stop looks at the "quote" it would trade
        at | the "last" print. Of the rest only reject_on_cash and default_lot concern ticks.

    >>> import neuraltrade as nt
    >>> nt.FillPolicy.preset("vectorbt").market_at
    'same_close'
    >>> nt.FillPolicy(limit_fill="touch").path
    'worst'
    """

    market_at: str = "next_open"
    limit_fill: str = "penetrate"
    limit_gap: str = "improve"
    stop_gap: str = "at_open"
    path: str = "worst"
    contingent_from: str = "entry_bar"
    contingent_from_working: str | None = None
    stop_base: str = "fill_price"
    trail_update: str = "after_check"
    trail_by: str = "extremes"
    limits_from: str = "next_bar"
    depth: str = "unlimited"
    volume_cap: float | None = None
    reject_on_cash: str = "reject"
    default_lot: float | None = None
    queue: QueueModel = QueueModel()
    stop_trigger: str = "quote"

    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {
        "market_at": ("next_open", "same_close"),
        "limit_fill": ("touch", "penetrate"),
        "limit_gap": ("improve", "at_limit"),
        "stop_gap": ("at_open", "at_stop"),
        "path": ("worst", "best", "ohlc", "olhc", "nearest"),
        "contingent_from": ("entry_bar", "next_bar"),
        "contingent_from_working": ("entry_bar", "next_bar", "certain_profit"),
        "stop_base": ("fill_price", "entry_close"),
        "trail_update": ("after_check", "before_check"),
        "trail_by": ("extremes", "closes"),
        "limits_from": ("next_bar", "at_once"),
        "depth": ("unlimited", "quarter_bar"),
        "reject_on_cash": ("reject", "shrink"),
    }
    STOP_TRIGGERS: ClassVar[tuple[str, ...]] = ("quote", "last")

    def __post_init__(self) -> None:
        for name, allowed in self.CHOICES.items():
            value = getattr(self, name)
            if not (name == "contingent_from_working" and value is None):
                choice("FillPolicy", name, value, allowed)
        if self.volume_cap is not None:
            number("FillPolicy", "volume_cap", self.volume_cap, 0.0, 1.0, above=True)
        if self.default_lot is not None:
            number("FillPolicy", "default_lot", self.default_lot, 1e-9, 1e9)
        choice("FillPolicy", "stop_trigger", self.stop_trigger, self.STOP_TRIGGERS)
        if isinstance(self.queue, str):
            msgspec.structs.force_setattr(self, "queue", QueueModel(self.queue))
        if not isinstance(self.queue, QueueModel):
            raise InputError(f"FillPolicy: queue must be an nt.QueueModel or its kind, was {self.queue!r}")

    @classmethod
    def preset(cls, name: str) -> FillPolicy:
        """The policy of that name: "conservative", "backtesting_py" (0.6.6), "vectorbt" (1.2.0, from_signals),
        "backtrader" (1.9.78.123), "nautilus_1_221" (1.221.0, on bars) or "lean_equity" (its documented fill model).

        InputError names the presets where `name` is none of them.
        """
        choice("FillPolicy.preset", "name", name, tuple(_PRESETS))
        return _PRESETS[name]

    @staticmethod
    def presets() -> tuple[str, ...]:
        """Names that `preset` takes."""
        return tuple(_PRESETS)


_PRESETS = {
    "conservative": FillPolicy(),
    # Relative orders are floored to whole units; a stop or limit entry's bracket waits for the next bar, but for the
    # one case that backtesting.py sees as certain: the price goes on from the entry's stop to its profit.
    "backtesting_py": FillPolicy(limit_fill="touch", contingent_from_working="certain_profit", default_lot=1.0),
    "vectorbt": FillPolicy(
        market_at="same_close",
        limit_fill="touch",
        contingent_from="next_bar",
        stop_base="entry_close",
        reject_on_cash="shrink",
    ),
    # Children are orders of their own and work from the bar after the parent's fill; trails follow closes.
    "backtrader": FillPolicy(limit_fill="touch", contingent_from="next_bar", trail_by="closes"),
    "nautilus_1_221": FillPolicy(
        market_at="same_close",
        limit_fill="touch",
        limit_gap="at_limit",
        stop_gap="at_stop",
        path="ohlc",
        limits_from="at_once",
        depth="quarter_bar",
    ),
    "lean_equity": FillPolicy(contingent_from="next_bar", default_lot=1.0),
}
