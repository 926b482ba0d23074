#include "nt_risk.h"

/* The price at which an order counts: its own, else the reference. A sale limited below the market fills at the market. */
static int64_t price_of(const nt_intent *intent)
{
    if (intent->limit)
        return intent->side < 0 && !intent->stop && intent->limit < intent->reference ? intent->reference : intent->limit;
    return intent->stop ? intent->stop : intent->reference;
}

static int is_outside_collar(const nt_limits *limits, int64_t reference, int64_t price)
{
    nt_wide distance = (nt_wide)nt_absolute(price - reference) * NT_PICO;
    return price != 0 && distance > (nt_wide)reference * limits->collar;
}

nt_status nt_risk_check(const nt_limits *limits, const nt_ledger *ledger, const nt_intent *intent)
{
    if (!limits->enabled)
        return NT_OK;
    if (limits->halted)
        return NT_DENIED_HALTED;
    if (intent->reference <= 0)
        return NT_DENIED_NO_REFERENCE;
    if (limits->max_quantity && intent->quantity > limits->max_quantity)
        return NT_DENIED_MAX_QUANTITY;
    if (limits->max_notional) {
        int64_t notional;
        if (nt_ledger_notional(ledger, intent->slot, intent->quantity, price_of(intent), &notional) != NT_OK ||
            notional > limits->max_notional)
            return NT_DENIED_MAX_NOTIONAL;
    }
    if (limits->collar && (is_outside_collar(limits, intent->reference, intent->limit) ||
                           is_outside_collar(limits, intent->reference, intent->stop)))
        return NT_DENIED_COLLAR;
    if (limits->max_position && !intent->reduces) {
        nt_wide after = (nt_wide)intent->position + intent->side * ((nt_wide)intent->quantity + intent->working);
        nt_wide size = after < 0 ? -after : after;
        if (size > limits->max_position && size > nt_absolute(intent->position))
            return NT_DENIED_MAX_POSITION;
    }
    return NT_OK;
}

int64_t nt_risk_room(const nt_limits *limits, const nt_ledger *ledger, int32_t slot, int64_t side, int64_t price)
{
    int64_t room = INT64_MAX, notional;
    if (!limits->enabled)
        return room;
    if (limits->max_quantity)
        room = limits->max_quantity;
    if (limits->max_notional && room > 0) {
        /* notional is at least quantity x price less half a unit: divide, then step back while it rounds above. */
        int64_t one;
        if (nt_ledger_notional(ledger, slot, NT_NANO, price, &one) == NT_OK && one > 0) {
            nt_wide by_notional = (nt_wide)limits->max_notional * NT_NANO / one;
            room = by_notional < room ? (int64_t)by_notional : room;
        }
        while (room > 0 && (nt_ledger_notional(ledger, slot, room, price, &notional) != NT_OK || notional > limits->max_notional))
            room -= room / 1000000 + 1;
    }
    if (limits->max_position) {
        int64_t left = limits->max_position - side * ledger->positions[slot].quantity;
        room = left < room ? left : room;
    }
    return room > 0 ? room : 0;
}
