"""At which price an order may fill in a bar, where the bar alone decides it; else between which prices."""

from __future__ import annotations

from typing import Any

from campaigns.books import PICO, Wrong, half_even

MARKET, LIMIT, STOP, STOP_LIMIT, TRAILING, ON_OPEN, ON_CLOSE = range(7)


def slipped(model: Any, side: int, price: int, low: int, high: int) -> int:
    if not model.slippage_rate:
        return price
    moved = price + side * half_even(price * model.slippage_rate, PICO)
    if model.slippage_capped:
        if moved < low:
            moved = min(low, price)
        if moved > high:
            moved = max(high, price)
    return max(1, moved)


def check_price(model: Any, order: Any, price: int, at_close: bool) -> None:
    """Wrong where `price` cannot be what the bar gave the order."""
    _, open_, high, low, close, _ = model.prices[order.slot][model.bars[order.slot]]
    if at_close and order.kind == LIMIT:
        within = order.limit - close if order.side > 0 else close - order.limit
        tick = model.tick if model.policy.depth != "unlimited" else 0
        if abs(price - close) > tick or within < (model.policy.limit_fill == "penetrate"):
            raise Wrong(f"order {order.id} filled at {price}, at the close of {open_, high, low, close}")
        return
    lowest, highest = allowed(model, order, open_, high, low, close)
    if order.may_have_fired and price == slipped(model, order.side, open_, low, high):
        return
    if not lowest <= price <= highest:
        bar = (open_, high, low, close)
        raise Wrong(f"order {order.id} filled at {price}, between {lowest} and {highest} was possible in {bar}")


def allowed(model: Any, order: Any, open_: int, high: int, low: int, close: int) -> tuple[int, int]:
    """The lowest and the highest price at which the order may fill in this bar."""
    policy, kind, side = model.policy, order.kind, order.side
    if kind in (LIMIT, STOP_LIMIT):
        return limit_range(policy, order, open_, high, low, model.step)
    if policy.depth != "unlimited":  # what a quarter of the volume leaves is filled one tick worse
        outside = policy.stop_gap == "at_stop" or policy.limit_gap == "at_limit"
        first, last = (1, 2**62) if outside else (low - model.tick, high + model.tick)
        return slipped(model, side, first, low, high), slipped(model, side, last, low, high)
    if kind == ON_CLOSE or (kind == MARKET and model.fills_at_close):
        first = last = close
    elif kind in (MARKET, ON_OPEN) or order.is_fired:
        first = last = open_
    elif (
        kind in (STOP, TRAILING)
        and not (order.parent and order.created == model.step)
        and not moves_first(policy, kind)
    ):
        stops = model.levels(order) if kind == TRAILING else (order.stop,)
        found = [at_stop(policy, side, stop, open_) for stop in stops if passes(side, stop, high, low)]
        if not found and not order.may_have_fired:
            raise Wrong(f"order {order.id} has its stop at {stops}, which {open_, high, low, close} did not reach")
        first, last = min(found or stops), max(found or stops)
    else:  # a trailing stop that its own bar moves, or a child born in this bar: the rest of the bar decides
        first, last = low, high
        if policy.stop_gap == "at_stop" or policy.limit_gap == "at_limit":  # a level, or an entry, may lie outside
            first, last = 1, 2**62
    return slipped(model, side, first, low, high), slipped(model, side, last, low, high)


def moves_first(policy: Any, kind: int) -> bool:
    """Whether the bar moves the stop before it is held against it."""
    return kind == TRAILING and policy.trail_update == "before_check" and policy.trail_by == "extremes"


def passes(side: int, stop: int, high: int, low: int) -> bool:
    """Whether a bar reaches a stop."""
    return side * ((high if side > 0 else low) - stop) >= 0


def at_stop(policy: Any, side: int, stop: int, open_: int) -> int:
    """Where a stop fills that is reached at the open, or in the bar."""
    return open_ if side * (open_ - stop) >= 0 and policy.stop_gap == "at_open" else stop


def limit_range(policy: Any, order: Any, open_: int, high: int, low: int, step: int) -> tuple[int, int]:
    limit, side = order.limit, order.side
    beyond = limit - open_ if side > 0 else open_ - limit
    reach = limit - low if side > 0 else high - limit
    if order.kind == STOP_LIMIT and policy.stop_gap == "at_stop":  # one that the open has passed trades at its stop
        low, high = min(low, order.stop), max(high, order.stop)
    if policy.depth != "unlimited":
        return (min(low, limit), limit) if side > 0 else (limit, max(high, limit))
    if reach < 0 or (reach == 0 and policy.limit_fill == "penetrate"):
        raise Wrong(f"order {order.id} has its limit at {limit}, which the bar {open_, high, low} did not give")
    if policy.limit_gap == "at_limit" and order.kind == LIMIT:
        return limit, limit
    fresh = order.created == step
    if order.kind == LIMIT and not fresh:
        improves = beyond > 0 or (beyond == 0 and policy.limit_fill == "touch")
        ends = sorted((open_, limit)) if improves else (limit, limit)
        if improves and policy.path != "worst":  # there a stop may come before, and the limit is met on the way back
            return open_, open_
        return ends[0], ends[1]
    return (min(low, limit), limit) if side > 0 else (limit, max(high, limit))
