"""What a call of the script asks for, and the structural refusal that it must get, if any."""

from __future__ import annotations

from typing import Any

from campaigns.books import half_even
from campaigns.sequence_order import Ask

PICO = 10**12
PLACE, TRADE, TARGET, CLOSE, TRAIL = range(5)
MARKET, LIMIT, STOP, STOP_LIMIT, TRAILING, ON_OPEN, ON_CLOSE = range(7)
GTD = 4
PRICE_RANGE, LOT, TICK, BRACKET, SHORTING, TIME_IN_FORCE, CONFLICT = -101, -102, -103, -109, -111, -112, -113


def shape_refusal(model: Any, row: tuple[int, ...]) -> tuple[Ask, int]:
    """The order that the call asks for, and the refusal due for its shape; 0 = none."""
    action, slot, side = row[2], row[1], row[3]
    held = model.books.positions[slot].quantity
    if action in (TRADE, TARGET):
        ask = Ask(slot, side, None, 0, 0, False, 0)
        ask.may_be_short = not model.shorting and (side < 0 or action == TARGET)
        return ask, 0
    if action == CLOSE:
        return Ask(slot, -1 if held > 0 else 1, abs(held), 0, 0, True, 0), 0
    if action == TRAIL:
        return trail_refusal(model, row, held)
    ask = Ask(slot, side, row[4] or None, row[5], row[6], False, 0)
    ask.kind = (
        (STOP_LIMIT if ask.limit else STOP)
        if ask.stop
        else LIMIT
        if ask.limit
        else (MARKET, ON_OPEN, ON_CLOSE)[row[15]]
    )
    return ask, place_refusal(model, row, ask)


def trail_level(tick: int, peak: int, side: int, distance: int, rate: int) -> int:
    """Where a trailing stop of `side` stands: on the nearest tick, 0 = nowhere."""
    level = peak + side * (distance or half_even(peak * rate, PICO))
    return max(0, half_even(level, tick) * tick)


def time_refusal(model: Any, row: tuple[int, ...]) -> int:
    return TIME_IN_FORCE if row[13] == GTD and row[14] <= model.now else 0


def place_refusal(model: Any, row: tuple[int, ...], ask: Ask) -> int:  # noqa: PLR0911
    tick = model.tick
    loss, profit, trail, loss_rate, profit_rate, trail_rate = row[7:13]
    refusal = time_refusal(model, row)
    if refusal:
        return refusal
    if row[15] and (ask.limit or ask.stop):
        return CONFLICT
    if ask.quantity is not None and ask.quantity % model.lot:
        return LOT
    if tick > 1 and any([price % tick for price in (ask.limit, ask.stop, loss, profit, trail)]):
        return TICK
    reference = ask.limit or ask.stop or model.closes[ask.slot]
    if (
        (loss and ask.side * (reference - loss) <= 0)
        or (profit and ask.side * (profit - reference) <= 0)
        or trail >= reference
    ):
        return BRACKET
    if (loss_rate if ask.side > 0 else profit_rate) >= PICO or trail_rate >= PICO:
        return BRACKET
    return short_refusal(model, ask)


def short_refusal(model: Any, ask: Ask) -> int:
    if model.shorting or ask.side > 0:
        return 0
    if ask.quantity is None:
        ask.may_be_short = True
        return 0
    return SHORTING if ask.quantity > model.books.positions[ask.slot].quantity else 0


def trail_refusal(model: Any, row: tuple[int, ...], held: int) -> tuple[Ask, int]:  # noqa: PLR0911
    """A trailing stop: against what is held (side 0), or an order of its own."""
    slot, quantity, distance, rate = row[1], row[4], row[9], row[12]
    side, closes = (row[3], False) if row[3] else (-1 if held > 0 else 1, True)
    close, lot = model.closes[slot], model.lot
    ask = Ask(slot, side, quantity or None, 0, 0, closes, 0)
    ask.kind = TRAILING
    if closes:
        ask.quantity = min(quantity, abs(held)) if quantity else abs(held)
        if quantity % lot:
            return ask, LOT
    if distance and rate:
        return ask, CONFLICT
    if not (distance or rate) > 0 or rate >= PICO:
        return ask, PRICE_RANGE
    ask.stop = trail_level(model.tick, close, side, distance, rate)
    if ask.stop <= 0:
        return ask, PRICE_RANGE
    refusal = time_refusal(model, row)
    if refusal:
        return ask, refusal
    if not closes and ask.quantity is not None and ask.quantity % lot:
        return ask, LOT
    if distance % model.tick:
        return ask, TICK
    return ask, 0 if closes else short_refusal(model, ask)
