"""What each refusal means and what to do about it, by the name of its nt.Denial; docs/risk.md has the same table."""

from __future__ import annotations

MEANINGS: dict[str, tuple[str, str]] = {
    "QUANTITY_RANGE": (
        "the quantity is zero, negative, NaN, infinite or beyond 9.2e9 units, its worth is more than cash can count, "
        "or a change asks for no more than is filled",
        "give a positive quantity; use fewer `cash_digits` for very large accounts",
    ),
    "PRICE_RANGE": (
        "a price, distance or rate is zero, negative, NaN, infinite or beyond 9.2e9, "
        "or a trailing stop has no distance",
        "wait until the indicator is warm; leave out what is not wanted instead of giving 0 or NaN",
    ),
    "LOT": ("the quantity is off the instrument's lot", "round it down to a multiple of `Instrument.lot`"),
    "TICK": ("a price or distance is off the instrument's tick", "round it to a multiple of `Instrument.tick`"),
    "UNKNOWN_SYMBOL": ("the symbol is none of the run's", "trade the symbols of the data"),
    "TABLE_FULL": ("16,384 orders work already", "cancel what is no longer wanted"),
    "UNKNOWN_ORDER": ("no order has that id", "keep the id that the order call returned"),
    "ORDER_DONE": (
        "the order is filled, cancelled, expired, rejected or denied already",
        "ask `ctx.is_active(id)` first",
    ),
    "TRANSITION": ("the order cannot go from its status to that one", "report it: the engine should not ask for this"),
    "BRACKET": (
        "a stop-loss or take-profit lies on the wrong side of the order's price (or of the last close), "
        "or the stop would lie at or below zero",
        "a buy needs stop-loss < price < take-profit, a sale the reverse; rates that lower a price are below 1",
    ),
    "NO_CASH": ("cash or margin does not cover the fill", "order less, or `FillPolicy(reject_on_cash='shrink')`"),
    "SHORTING": ("more is sold than held and the account may not short", "sell less, or `Account(shorting=True)`"),
    "TIME_IN_FORCE": (
        "the time of a GTD order is missing or past, or the tif does not exist",
        "give `tif='gtd'` a `good_till` after this bar",
    ),
    "CONFLICT": (
        "arguments exclude each other (a level as price and as rate, `at` beside a limit or stop), "
        "the order has no such price to change, or the two orders cannot be joined",
        "give one of them; join two working entries of one symbol that are not joined yet",
    ),
    "MAX_QUANTITY": ("above `max_order_quantity`", "order less"),
    "MAX_NOTIONAL": ("above `max_order_notional`", "order less"),
    "NO_REFERENCE": ("there is no last price to judge the order by", "wait for the symbol's first bar"),
    "COLLAR": ("a limit or stop is further than `price_collar` from the last close", "price it nearer"),
    "MAX_POSITION": ("the position would exceed `max_position`", "order less, or cancel what works"),
    "HALTED": ("the gate is halted by hand", "`Engine.resume`"),
    "REDUCE_ONLY": ("only what makes a position smaller passes", "`Engine.resume`"),
    "MAX_EXPOSURE": ("gross exposure would exceed `max_gross_exposure`", "order less, or cancel what works"),
    "MAX_LEVERAGE": ("exposure over equity would exceed `max_leverage`", "order less"),
    "RATE": ("more orders in one second than `max_orders_per_second`", "order later"),
    "RESTRICTED": ("the symbol is on the `restricted` list", "leave it"),
    "LOSS": ("`max_daily_loss` has tripped the kill switch", "`Engine.resume`, which counts anew"),
    "MAX_NET_EXPOSURE": ("net exposure would exceed `max_net_exposure`", "order less"),
    "DUPLICATE": ("like an order given within `duplicate_window_ns`", "order once"),
    "REPEATED": ("`max_executions` entries have traded", "`Engine.resume`, which counts anew"),
    "SELF_TRADE": ("could trade with an own working order", "cancel that one first"),
    "DRAWDOWN": ("`max_drawdown` has tripped the kill switch", "`Engine.resume`, which counts anew"),
    "LIQUIDATION": ("the account is called and the engine closes what it holds", "wait until it has"),
    "BANKRUPT": ("equity fell below zero: trading has ended", "risk less"),
    "NO_RATE": ("no rate is known yet from the symbol's currency to the account's", "give rates from the first bar on"),
    "SESSION_CLOSED": ("the symbol's calendar has no session now", "order within its sessions"),
}
