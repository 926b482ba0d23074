"""Record layouts that C, numba and NumPy share: one dtype per C struct, checked against `sizeof` when the engine loads.

All are little-endian and without padding. `symbol` is a slot (the index of the symbol in the run); times are int64
nanoseconds UTC; `bar` is an index on the run's clock.
"""

from __future__ import annotations

import numpy as np

# nt_context of csrc/nt_context.h. Pointers are addresses.
CONTEXT_DTYPE = np.dtype(
    [
        ("i", "<i8"),
        ("bar", "<i8"),
        ("ts_ns", "<i8"),
        ("symbol", "<i8"),
        ("open", "<u8"),
        ("high", "<u8"),
        ("low", "<u8"),
        ("close", "<u8"),
        ("volume", "<u8"),
        ("indicators", "<u8"),
        ("state", "<u8"),
        ("parameters", "<u8"),
        ("position", "<f8"),
        ("entry_price", "<f8"),
        ("cash", "<f8"),
        ("equity", "<f8"),
        ("indicator_count", "<i8"),
        ("state_count", "<i8"),
        ("parameter_count", "<i8"),
        ("api", "<u8"),
        ("engine", "<u8"),
        ("similar", "<u8"),
        ("similar_count", "<i8"),
        ("event", "<i8"),  # index in EVENT_CALLS
        ("aggressor", "<i8"),
        ("bid", "<f8"),
        ("bid_size", "<f8"),
        ("ask", "<f8"),
        ("ask_size", "<f8"),
        ("last", "<f8"),
        ("last_size", "<f8"),
        ("mid", "<f8"),
    ]
)
# nt_api of csrc/nt_context.h: a table of function addresses, in this order.
API_NAMES = (
    "trade", "order", "close_position", "target", "cancel", "cancel_all", "is_active", "signal", "similar",
    "pow", "exp", "log", "sin", "cos", "tan", "tanh",
    "halt", "place", "trailing_stop", "modify", "oco",
    "depth_price", "depth_size", "queue_ahead",
)  # fmt: skip

# What a strategy is called for, in the order of NT_HEARD_* of csrc/nt_tick.h, and what each is called in `ctx.event`.
EVENT_CALLS = ("on_bar", "on_quote", "on_trade", "on_depth")
EVENT_NAMES = ("bar", "quote", "trade", "depth")

# One row of the event log; nt_event of csrc/nt_event.h. What `value` and `extra` hold depends on `kind` (EVENT_KINDS).
EVENT_DTYPE = np.dtype(
    [
        ("bar", "<i8"),
        ("ts_ns", "<i8"),
        ("id", "<i8"),  # order or signal
        ("quantity", "<i8"),  # 1e-9
        ("price", "<i8"),  # 1e-9
        ("value", "<i8"),
        ("extra", "<i8"),
        ("symbol", "<i4"),
        ("code", "<i2"),  # status, or reason of a refusal
        ("kind", "u1"),
        ("side", "i1"),
    ]
)
# signal: price = confidence and value = enhanced confidence, both as float64 bits; side = direction
# order: price = limit, value = stop, extra = signal id, code = type
# denied: the same, code = nt.Denial
# fill: value = cash after it, extra = fee, both in minor units of cash; code = order status after it
# cancelled, expired, rejected: quantity = what was filled, code = reason
# halted, resumed: of the whole run; value = index in GATE_MODES, code = nt.Denial of the loss limit, 0 = by hand
# modified: price = limit, value = stop, code = 0, or the reason it was refused for with all else 0
# rate: of the fills that follow in that symbol; value = account currency per unit of the symbol's, 1e-12
# margin_call: of the whole run; value = equity and extra = requirement, minor units; code = nt.Denial
# flow: quantity = what was held, value = amount in minor units, price = what it was reckoned at (a close, the amount
#   a unit), extra = when it was due, code = index in FLOW_KINDS; of a split price / value is the ratio, quantity what
#   came of it
# joined: value = id of the other order, code = 0 or the reason it was refused for
EVENT_KINDS = (
    "none", "signal", "order", "denied", "fill", "cancelled", "expired", "rejected", "halted", "resumed", "modified",
    "joined", "margin_call", "flow", "rate",
)  # fmt: skip
# What the gate lets through, each stricter than the one before; csrc/nt_policy.h.
GATE_MODES = ("open", "reduce_only", "halt", "cancel_all")
# The gate's controls in the order in which they are asked; csrc/nt_risk.h.
CONTROLS = (
    "mode", "reference", "restricted", "max_order_quantity", "max_order_notional", "price_collar", "max_position",
    "max_gross_exposure", "max_net_exposure", "max_leverage", "prevent_self_trade", "duplicate_window_ns",
    "max_executions", "max_orders_per_second", "max_daily_loss", "max_drawdown",
)  # fmt: skip

FILL_DTYPE = np.dtype(
    [
        ("bar", "<i8"),
        ("ts_ns", "<i8"),
        ("order_id", "<i8"),
        ("quantity", "<f8"),
        ("price", "<f8"),
        ("fee", "<f8"),
        ("symbol", "<i4"),
        ("side", "<i4"),
    ]
)
ORDER_DTYPE = np.dtype(
    [
        ("order_id", "<i8"),
        ("signal_id", "<i8"),
        ("parent_id", "<i8"),
        ("created_bar", "<i8"),
        ("created_ts_ns", "<i8"),
        ("done_bar", "<i8"),  # -1 while it works
        ("done_ts_ns", "<i8"),
        ("quantity", "<f8"),  # NaN until an order sized at its fill is filled
        ("filled", "<f8"),
        ("limit_price", "<f8"),  # NaN where there is none
        ("stop_price", "<f8"),
        ("symbol", "<i4"),
        ("reason", "<i4"),  # 0, or why it was denied, rejected or cancelled: nt.Denial
        ("side", "i1"),
        ("type", "u1"),  # ORDER_TYPES
        ("tif", "u1"),  # TIMES_IN_FORCE
        ("status", "u1"),  # ORDER_STATES
        ("role", "u1"),  # ORDER_ROLES
        ("spare", "u1", 3),
    ]
)
ORDER_TYPES = ("market", "limit", "stop", "stop_limit", "trailing_stop", "market_on_open", "market_on_close")
ORDER_STATES = ("pending", "submitted", "partially_filled", "filled", "cancelled", "rejected", "expired", "denied")
ORDER_ROLES = ("entry", "close", "stop_loss", "take_profit", "trail", "liquidation")
MARKET_TIMES = ("open", "close")  # NT_AT_OPEN, NT_AT_CLOSE
TIMES_IN_FORCE = ("gtc", "day", "ioc", "fok", "gtd")

TRADE_DTYPE = np.dtype(
    [
        ("entry_bar", "<i8"),
        ("exit_bar", "<i8"),
        ("entry_ts_ns", "<i8"),
        ("exit_ts_ns", "<i8"),
        ("entry_order_id", "<i8"),
        ("exit_order_id", "<i8"),  # 0 where it is still open
        ("signal_id", "<i8"),  # of the entry
        ("quantity", "<f8"),
        ("entry_price", "<f8"),
        ("exit_price", "<f8"),
        ("fees", "<f8"),
        ("pnl", "<f8"),
        ("return_", "<f8"),
        ("symbol", "<i4"),
        ("direction", "i1"),
        ("open", "?"),
        ("spare", "u1", 2),
    ]
)
SIGNAL_DTYPE = np.dtype(
    [
        ("signal_id", "<i8"),
        ("bar", "<i8"),
        ("ts_ns", "<i8"),
        ("confidence", "<f8"),
        ("enhanced", "<f8"),  # after the Advisor; the same where there is none
        ("reasoning", "<i8"),  # index of a text, -1 = none
        ("symbol", "<i4"),
        ("direction", "<i4"),
    ]
)
DENIAL_DTYPE = np.dtype(
    [
        ("bar", "<i8"),
        ("ts_ns", "<i8"),
        ("order_id", "<i8"),
        ("limit", "<f8"),  # NaN where the reason says it all
        ("value", "<f8"),  # what exceeded it, in the same unit
        ("symbol", "<i4"),
        ("reason", "<i4"),  # nt.Denial
    ]
)
MARGIN_CALL_DTYPE = np.dtype(
    [
        ("bar", "<i8"),
        ("ts_ns", "<i8"),
        ("equity", "<f8"),  # as it was judged
        ("requirement", "<f8"),
        ("orders", "<i4"),  # closing orders that the engine gave
        ("reason", "<i4"),  # nt.Denial: LIQUIDATION or BANKRUPT
    ]
)
FLOW_DTYPE = np.dtype(
    [
        ("bar", "<i8"),  # the first that it counts in
        ("ts_ns", "<i8"),  # when it was due
        ("amount", "<f8"),  # account currency, negative = paid
        ("quantity", "<f8"),  # what was held; NaN of interest; of a split what came of it
        ("rate", "<f8"),  # yearly rate, funding rate, dividend per unit, ratio of a split
        ("symbol", "<i4"),  # -1 of interest
        ("kind", "<i4"),  # FLOW_KINDS
    ]
)
# Rates of one currency, as the engine takes them.
RATES_DTYPE = np.dtype(
    [
        ("ts_ns", "<i8"),
        ("rate", "<i8"),  # account currency per unit, 1e-12
    ]
)
FLOW_KINDS = ("borrow", "interest", "funding", "dividend", "split")
# What a run is told will fall due; nt_due of csrc/nt_flows.h.
DUE_DTYPE = np.dtype(
    [
        ("ts_ns", "<i8"),
        ("value", "<i8"),  # funding: 1e-12; dividend: 1e-9 per unit; split: numerator
        ("denominator", "<i8"),  # of a split
        ("kind", "<i4"),  # FLOW_KINDS
        ("spare", "<i4"),
    ]
)
# One working order, as neuraltrade.core.working hands it out: prices, distances and quantities 1e-9, rates 1e-12.
WORKING_DTYPE = np.dtype(
    [("order_id", "<i8"), ("created_bar", "<i8")]
    + [(name, "<i8") for name in ("quantity", "limit", "stop", "trail", "trail_rate", "stop_loss", "take_profit")]
    + [(name, "<i8") for name in ("trail_distance", "stop_loss_rate", "take_profit_rate", "trailing_rate")]
    + [(name, "<i8") for name in ("size_kind", "size_value", "target_side", "good_till", "partner")]
)
