"""Market making on quotes: both sides of the book, leaning against what is already held."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from ...core.settings import RiskLimits
from ..base import Strategy
from ..limits import check_parameters


class MarketMaker(Strategy):
    """One bid and one ask around a reservation price that moves away from the inventory; for runs over ticks.

    The reservation price is mid - skew x inventory / max_inventory x half spread, and each quote stands `half_spread`
    ticks from it, never through the other side's best price. A quote is moved when its price is off by `step` ticks or
    more, and the side that would take the inventory beyond `max_inventory` is pulled.

    tick : the instrument's price step. size : units of each quote. half_spread, skew : in ticks, and in half spreads
    for a full inventory. step : ticks. max_inventory : units, either side. patience_ns : least time between two moves
    of one side: exchanges count messages.

    Source: Avellaneda, Stoikov, "High-frequency trading in a limit order book", Quantitative Finance 8 (2008): their
    reservation price, with volatility and horizon folded into `skew`.

    >>> import neuraltrade as nt
    >>> import numpy as np
    >>> ts = np.arange(1, 2001) * 10**8
    >>> mid = 100.0 + np.round(np.cumsum(np.random.default_rng(1).choice([-0.01, 0.0, 0.01], 2000)), 2)
    >>> quotes = nt.Quotes("X", ts, np.round(mid - 0.01, 2), np.ones(2000), np.round(mid + 0.01, 2), np.ones(2000))
    >>> made = nt.strategy.library.MarketMaker(tick=0.01, size=1.0, max_inventory=5.0)
    >>> nt.backtest(quotes, made).digest == nt.backtest(quotes, nt.compiled(made)).digest
    True
    """

    tick: float = 0.1
    size: float = 0.01
    half_spread: float = 1.0
    skew: float = 2.0
    step: float = 1.0
    max_inventory: float = 0.05
    patience_ns: int = 100_000_000

    risk_defaults: ClassVar[RiskLimits] = RiskLimits(max_drawdown=0.05, max_orders_per_second=50)

    state_size = 8

    def init(self, data: Any) -> None:
        check_parameters(self, tick=(1e-9, 1e9), size=(1e-9, 9e9), half_spread=(0.0, 1e9), skew=(0.0, 1e9))
        check_parameters(self, step=(0.0, 1e9), max_inventory=(1e-9, 9e9), patience_ns=(0, 10**18))

    def on_quote(self, ctx: Any) -> None:
        if math.isnan(ctx.mid):
            return
        lean = self.skew * self.half_spread * ctx.position / self.max_inventory
        middle = ctx.mid / self.tick - lean
        bid = min(math.floor(middle - self.half_spread), round(ctx.ask / self.tick) - 1)
        ask = max(math.ceil(middle + self.half_spread), round(ctx.bid / self.tick) + 1)
        self._quote(ctx, 1, bid, ctx.position + self.size <= self.max_inventory + 1e-9)
        self._quote(ctx, -1, ask, ctx.position - self.size >= -self.max_inventory - 1e-9)

    def _quote(self, ctx: Any, side: int, level: int, wanted: bool) -> None:
        """Have one order of a side at `level` ticks, or none. state: id, level and time of the last move of each."""
        at = 0 if side > 0 else 3
        order_id = int(ctx.state[at])
        working = order_id > 0 and ctx.is_active(order_id)
        if working and wanted and abs(ctx.state[at + 1] - level) < self.step:
            return
        since = ctx.ts_ns / 1e9 - ctx.state[at + 2]
        if working and not wanted:
            ctx.cancel(order_id)
        elif since < self.patience_ns / 1e9:
            return
        elif working:
            ctx.cancel(order_id)
            ctx.state[at + 2] = ctx.ts_ns / 1e9
        elif wanted and level > 0:
            price = level * self.tick
            price = round(price * 1e6) / 1e6
            made = ctx.buy(self.size, limit=price) if side > 0 else ctx.sell(self.size, limit=price)
            ctx.state[at] = made
            ctx.state[at + 1] = level
            ctx.state[at + 2] = ctx.ts_ns / 1e9
