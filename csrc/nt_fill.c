/* nt_fill: what happens when an order meets its price. */
#include <stdlib.h>

#include "nt_book.h"
#include "nt_entries.h"
#include "nt_gate.h"
#include "nt_size.h"
#include "nt_tick.h"

/* What rounding the notional and the fee of a reversal's two halves apart may add up to. */
#define ROUNDING_MINOR 4

/* What one fill is going to be. Quantities in nano, absolute. */
typedef struct nt_plan {
    int64_t price;
    int64_t closing;
    int64_t opening;
    int64_t wanted; /* by the order, before volume, limits and cash cut it */
    int64_t fee;    /* of fee_quantity, once cash was checked */
    int64_t fee_quantity;
    int32_t reason; /* why it was cut; 0 = it was not */
    int32_t sized;  /* 1 = found at this price, so a smaller one is still whole */
} nt_plan;

/* How much the order still wants at plan->price. 0 or less: nothing is left to do. */
static nt_status plan_quantity(const nt_engine *engine, const nt_order *order, const nt_working *working, nt_plan *plan)
{
    int64_t held = engine->positions[order->symbol].quantity, target;
    plan->wanted = order->quantity - order->filled;
    if (working->size_kind != NT_SIZE_GIVEN) {
        nt_size size = {working->size_kind, working->size_value};
        nt_status status = nt_size_target(engine, order->symbol, size, working->target_side, plan->price, &target);
        if (status != NT_OK)
            return status;
        plan->wanted = order->side * (working->target_side * target - held);
        plan->sized = 1;
    }
    int opposite = held != 0 && (held > 0) != (order->side > 0);
    int64_t closable = opposite ? nt_absolute(held) : 0;
    if (order->role != NT_ROLE_ENTRY)
        plan->wanted = nt_smaller(plan->wanted, closable);
    plan->closing = nt_smaller(plan->wanted, closable);
    plan->opening = plan->wanted - plan->closing;
    return NT_OK;
}

static void cut_opening(nt_plan *plan, int64_t room, int64_t lot, int32_t reason)
{
    if (plan->opening <= room)
        return;
    plan->opening = room > 0 ? room - room % lot : 0;
    plan->reason = reason;
}

/* Limits hold at the fill too: a size found there, or a position that moved since the gate, is cut to them. */
static void plan_limits(const nt_engine *engine, const nt_order *order, nt_plan *plan)
{
    const nt_market *market = &engine->markets[order->symbol];
    if (plan->opening <= 0)
        return;
    if (!engine->account.shorting && order->side < 0)
        cut_opening(plan, 0, 1, NT_DENIED_SHORTING);
    if (!engine->gate.on)
        return;
    if (nt_gate_fits(engine, order, plan->closing + plan->opening, plan->price, plan->sized)) {
#ifdef NT_DEBUG
        int32_t none = 0;
        if (nt_gate_room(engine, order, plan->price, plan->sized, &none) < plan->closing + plan->opening)
            abort();
#endif
        return;
    }
    int32_t reason = 0;
    int64_t room = nt_gate_room(engine, order, plan->price, plan->sized, &reason);
    cut_opening(plan, room > plan->closing ? room - plan->closing : 0, plan->sized ? market->size_lot : market->lot, reason);
}

/* Cash must cover margin and fee of what opens; what closes always may. */
static nt_status plan_cash(const nt_engine *engine, const nt_order *order, const nt_working *working, nt_plan *plan)
{
    const nt_market *market = &engine->markets[order->symbol];
    int32_t slot = order->symbol;
    int64_t held = engine->positions[slot].quantity, left, notional, fee, exit_fee = 0;
    if (plan->opening <= 0)
        return NT_OK;
    if (nt_size_free_cash(engine, slot, held + order->side * plan->closing, plan->price, &left) != NT_OK ||
        nt_ledger_notional(&engine->ledger, slot, plan->opening, plan->price, &notional) != NT_OK ||
        nt_size_fee(engine, slot, plan->closing + plan->opening, plan->price, &fee) != NT_OK)
        return NT_OVERFLOW;
    plan->fee = fee;
    plan->fee_quantity = plan->closing + plan->opening;
    if (nt_size_bound(engine, slot, notional, &notional) != NT_OK)
        return NT_OVERFLOW;
    nt_wide shortage = (nt_wide)notional + fee - left;
    if (shortage <= 0)
        return NT_OK;
    /* Rounding of the two halves of a reversal may leave a size found at this price a unit or two short. */
    int shrinks = engine->policy.reject_on_cash == NT_CASH_SHRINK ||
                  (plan->sized && (working->size_kind == NT_SIZE_ALL_IN || shortage <= ROUNDING_MINOR));
    plan->reason = NT_DENIED_NO_CASH;
    plan->opening = 0;
    if (!shrinks)
        return NT_OK;
    if (plan->closing && (nt_size_closing_fee(engine, slot, plan->closing, plan->price, &exit_fee) != NT_OK ||
                          nt_add(left, -exit_fee - ROUNDING_MINOR, &left) != NT_OK))
        return NT_OVERFLOW;
    plan->opening = nt_size_affordable(engine, slot, left, 1, plan->price,
                                       plan->sized ? market->size_lot : market->lot);
    return NT_OK;
}

/* The volume cap leaves the rest working, which is no reason to end the order. */
static int64_t volume_room(const nt_engine *engine, const nt_order *order)
{
    if (engine->ticks)
        return engine->ticks->room;
    const nt_market *market = &engine->markets[order->symbol];
    int64_t room = engine->policy.volume_cap > 0 ? nt_engine_volume_of(engine, order->symbol)->volume_left : INT64_MAX;
    return engine->policy.depth == NT_DEPTH_UNLIMITED ? room : nt_smaller(room, market->depth_left);
}

/* What the cap leaves of a stop that was reached does not wait for its price again. */
static void fire(nt_engine *engine, const nt_order *order, nt_working *working)
{
    if (order->type != NT_STOP && order->type != NT_TRAILING)
        return;
    working->fired = 1;
    working->stop = 0;
    nt_orders_reprice(&engine->orders, order->working);
}

static void note_entry(nt_engine *engine, const nt_order *order, int64_t order_id)
{
    nt_market *market = &engine->markets[order->symbol];
    market->entry_bar = engine->i;
    market->entry_ns = nt_engine_now(engine);
    market->entry_order_id = order_id;
    market->entry_signal_id = order->signal_id;
}

/* Book `quantity` into the ledger and leave its rows. */
static nt_status book(nt_engine *engine, int64_t order_id, const nt_plan *plan, int64_t quantity)
{
    nt_order *order = nt_orders_row(&engine->orders, order_id);
    int32_t slot = order->symbol;
    int64_t held = engine->positions[slot].quantity, fee = plan->fee;
    nt_closing closing;
    nt_status status = NT_OK;
    if (plan->fee_quantity != quantity)
        status = nt_size_fee(engine, slot, quantity, plan->price, &fee);
    if (engine->rated)
        nt_rates_tell(engine, slot);
    if (status == NT_OK)
        status = nt_ledger_fill(&engine->ledger, slot, order->side * quantity, plan->price, fee, &closing);
    if (status != NT_OK)
        return status;
    nt_orders_touch(&engine->orders, slot);
    if (closing.quantity && (status = nt_trades_close(engine, slot, &closing, nt_sign(held), plan->price, order_id)) != NT_OK)
        return status;
    if (quantity > closing.quantity && (held == 0 || closing.quantity))
        note_entry(engine, order, order_id);
    if (engine->ledger.lots != NULL && quantity > closing.quantity)
        nt_lots_stamp(engine->ledger.lots, slot, engine->i, nt_engine_now(engine), order_id, order->signal_id);
    engine->gate.executions += order->role == NT_ROLE_ENTRY && order->filled == 0;
    order->filled += quantity;
    nt_entries_recount(&engine->orders, order_id);
    if (nt_order_is_exit(order))
        engine->markets[slot].exit_bar = engine->i;
    int16_t after = order->filled >= order->quantity ? NT_FILLED : NT_PARTIALLY_FILLED;
    engine->fill_count++;
    nt_engine_record(engine, NT_EVENT_FILL, slot, order_id, order->side, after, quantity, plan->price, engine->ledger.cash, fee);
    nt_context_refresh(engine, slot);
    return engine->failure;
}

/* After booking: children, the order's own status, then whatever the fill made void. */
static nt_status settle(nt_engine *engine, int64_t order_id, const nt_plan *plan, int64_t quantity, int capped,
                        const nt_touch *touch, const nt_prices *prices)
{
    const nt_order *order = nt_orders_row(&engine->orders, order_id);
    int64_t partner_id = engine->orders.working[order->working].partner;
    int64_t opened = quantity > plan->closing ? quantity - plan->closing : 0;
    nt_status status = NT_OK;
    if (opened > 0 && order->role == NT_ROLE_ENTRY)
        status = nt_bracket_spawn(engine, order_id, opened, plan->price, touch, prices);
    if (status != NT_OK)
        return status;
    order = nt_orders_row(&engine->orders, order_id); /* children may have moved the table */
    if (order->filled >= order->quantity)
        (void)nt_orders_move(&engine->orders, order_id, NT_FILLED, order->reason, engine->i);
    else if (capped && plan->reason == 0) {
        (void)nt_orders_move(&engine->orders, order_id, NT_PARTIALLY_FILLED, 0, engine->i);
        if (order->tif == NT_TIF_IOC && !engine->ticks)
            nt_book_end(engine, order_id, NT_CANCELLED_ORDER, 0);
    } else {
        (void)nt_orders_move(&engine->orders, order_id, NT_PARTIALLY_FILLED, 0, engine->i);
        nt_book_end(engine, order_id, NT_CANCELLED_ORDER, plan->reason);
    }
    if (partner_id)
        nt_book_settle_partner(engine, order_id, partner_id, quantity);
    return nt_bracket_settle(engine, order_id, quantity);
}

nt_status nt_book_fill(nt_engine *engine, int64_t order_id, const nt_touch *touch, const nt_prices *prices)
{
    nt_order *order = nt_orders_row(&engine->orders, order_id);
    nt_working *working = &engine->orders.working[order->working];
    nt_plan plan = {.price = touch->price};
    if (order->type != NT_LIMIT && order->type != NT_STOP_LIMIT)
        plan.price = nt_size_slipped(engine, order->symbol, order->side, touch->price, prices->low, prices->high);
    nt_status status = plan.price > 0 ? plan_quantity(engine, order, working, &plan) : NT_OVERFLOW;
    if (status != NT_OK)
        return status;
    if (plan.wanted <= 0) { /* the position is there already, or budget buys not one lot */
        int broke = working->size_kind != NT_SIZE_GIVEN && engine->positions[order->symbol].quantity == 0;
        nt_book_end(engine, order_id, broke ? NT_REJECTED : NT_CANCELLED_ORDER, broke ? NT_DENIED_NO_CASH : 0);
        return engine->failure;
    }
    plan_limits(engine, order, &plan);
    status = plan_cash(engine, order, working, &plan);
    if (status != NT_OK)
        return status;
    int64_t quantity = plan.closing + plan.opening, room = volume_room(engine, order);
    int capped = quantity > room;
    if (capped && order->tif == NT_TIF_FOK && !engine->ticks) { /* over ticks it is known to fit, level by level */
        nt_book_end(engine, order_id, NT_CANCELLED_ORDER, 0);
        return engine->failure;
    }
    if (capped) {
        fire(engine, order, working);
        quantity = room - room % engine->markets[order->symbol].lot;
    }
    if (quantity <= 0) {
        if (!capped)
            nt_book_end(engine, order_id, order->filled ? NT_CANCELLED_ORDER : NT_REJECTED, plan.reason);
        return engine->failure;
    }
    if (order->tif == NT_TIF_FOK && quantity < plan.wanted && !plan.sized && !engine->ticks) {
        nt_book_end(engine, order_id, NT_CANCELLED_ORDER, plan.reason);
        return engine->failure;
    }
    if (plan.sized) { /* from here on it is an order for what was found */
        order->quantity = plan.closing + plan.opening;
        working->size_kind = NT_SIZE_GIVEN;
        plan.reason = 0;
    } else if (order->role != NT_ROLE_ENTRY)
        order->quantity = order->filled + plan.wanted; /* an exit is for what there is to close */
    if (engine->policy.volume_cap > 0)
        nt_engine_volume_of(engine, order->symbol)->volume_left -= quantity;
    status = book(engine, order_id, &plan, quantity);
    return status != NT_OK ? status : settle(engine, order_id, &plan, quantity, capped, touch, prices);
}

/* What plan_cash sees once only: each of `fills` pays the fixed part of the fee and rounds for itself. A size that is being found
 * leaves room for that, one that is given is not covered. */
static nt_status cover_fills(const nt_engine *engine, const nt_order *order, nt_plan *plan, int64_t fills)
{
    const nt_costs *costs = &engine->costs;
    int32_t slot = order->symbol;
    int64_t held = engine->positions[slot].quantity, left, notional, fee, exit_fee = 0;
    nt_wide each = (costs->fee_minimum > costs->fee_fixed ? costs->fee_minimum : costs->fee_fixed) + (nt_wide)ROUNDING_MINOR;
    if (nt_size_free_cash(engine, slot, held + order->side * plan->closing, plan->price, &left) != NT_OK ||
        nt_ledger_notional(&engine->ledger, slot, plan->opening, plan->price, &notional) != NT_OK ||
        nt_size_fee(engine, slot, plan->closing + plan->opening, plan->price, &fee) != NT_OK ||
        nt_size_bound(engine, slot, notional, &notional) != NT_OK)
        return NT_OVERFLOW;
    if ((nt_wide)notional + fee + (fills - 1) * each <= left)
        return NT_OK;
    plan->opening = 0;
    nt_wide budget = left - (fills - 1) * each;
    if (!plan->sized || budget <= 0)
        return NT_OK;
    if (plan->closing && nt_size_closing_fee(engine, slot, plan->closing, plan->price, &exit_fee) != NT_OK)
        return NT_OVERFLOW;
    budget -= exit_fee;
    plan->opening = budget > 0 ? nt_size_affordable(engine, slot, (int64_t)budget, 1, plan->price, engine->markets[slot].size_lot) : 0;
    return NT_OK;
}

nt_status nt_book_probe(nt_engine *engine, int64_t order_id, int64_t price, int64_t fills, int64_t *wanted_out, int64_t *allowed_out)
{
    const nt_order *order = nt_orders_row(&engine->orders, order_id);
    const nt_working *working = &engine->orders.working[order->working];
    nt_plan plan = {.price = price};
    if (order->type != NT_LIMIT && order->type != NT_STOP_LIMIT)
        plan.price = nt_size_slipped(engine, order->symbol, order->side, price, price, price);
    nt_status status = plan.price > 0 ? plan_quantity(engine, order, working, &plan) : NT_OVERFLOW;
    int64_t wanted = plan.wanted;
    if (status == NT_OK && wanted > 0) {
        plan_limits(engine, order, &plan);
        status = plan_cash(engine, order, working, &plan);
        if (status == NT_OK && fills > 1 && plan.opening > 0)
            status = cover_fills(engine, order, &plan, fills);
    }
    if (status != NT_OK)
        return status;
    *allowed_out = wanted > 0 ? plan.closing + plan.opening : 0;
    *wanted_out = plan.sized && *allowed_out > 0 ? *allowed_out : wanted;
    return NT_OK;
}
