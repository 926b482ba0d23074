/* nt_modify: what becomes of an order that already works: a new quantity or price, and orders joined so that one cancels the other. */
#include "nt_account.h"
#include "nt_book.h"
#include "nt_entries.h"
#include "nt_gate.h"
#include "nt_reach.h"
#include "nt_size.h"
#include "nt_tick.h"

int64_t nt_book_modify_refused(nt_engine *engine, int64_t order_id, nt_status reason, const nt_finding *finding)
{
    const nt_order *row = nt_orders_row(&engine->orders, order_id);
    int32_t slot = row ? row->symbol : (int32_t)engine->context.symbol;
    static const nt_finding NONE = {0, 0, 0};
    (void)nt_book_note_denial(engine, slot, order_id, reason, finding ? finding : &NONE);
    nt_engine_record(engine, NT_EVENT_MODIFIED, slot, order_id, row ? row->side : 0, (int16_t)reason, 0, 0, 0, 0);
    return reason;
}

/* A moved child must leave stop-loss and take-profit of its entry on their sides of each other. */
static nt_status check_siblings(const nt_engine *engine, int64_t order_id, int64_t price)
{
    const nt_orders *orders = &engine->orders;
    const nt_order *row = nt_orders_row(orders, order_id);
    for (int32_t index = orders->lists[row->symbol].head; index >= 0; index = orders->working[index].next) {
        const nt_working *working = &orders->working[index];
        const nt_order *other = nt_orders_row(orders, working->order_id);
        if (other->parent_id != row->parent_id || !nt_order_is_exit(other) || working->order_id == order_id || working->fired)
            continue;
        int64_t above = working->limit ? working->limit - price : price - working->stop; /* of the profit over the stop */
        if ((working->limit != 0) != (row->limit != 0) && -row->side * above <= 0)
            return NT_DENIED_BRACKET;
    }
    return NT_OK;
}

/* Whether the order can take these values at all; 0 = as it was. */
static nt_status check_change(const nt_engine *engine, const nt_order *row, const nt_working *working, int64_t quantity, int64_t limit,
                              int64_t stop)
{
    const nt_market *market = &engine->markets[row->symbol];
    /* A child is for what its entry filled, a spent stop has fired, and a trailing stop moves by itself. */
    if ((quantity && nt_order_is_exit(row)) || (limit && !working->limit) || (stop && (!working->stop || row->type == NT_TRAILING)))
        return NT_DENIED_CONFLICT;
    if (quantity && quantity <= row->filled)
        return NT_DENIED_QUANTITY_RANGE;
    if (quantity && quantity % market->lot)
        return NT_DENIED_LOT;
    if ((limit && limit % market->tick) || (stop && stop % market->tick))
        return NT_DENIED_TICK;
    if (row->parent_id && nt_order_is_exit(row))
        return check_siblings(engine, working->order_id, limit ? limit : stop);
    int64_t price = limit ? limit : working->limit ? working->limit : stop ? stop : working->stop;
    if (!price)
        price = nt_engine_last_price(engine, row->symbol);
    if (price && row->role == NT_ROLE_ENTRY) {
        nt_status status = nt_bracket_check(&working->bracket, row->side, price);
        if (status != NT_OK)
            return status;
    }
    int64_t left = (quantity ? quantity : row->quantity) - row->filled;
    if (left > 0 && !nt_book_fits_twice(engine, row->symbol, left, price))
        return NT_DENIED_QUANTITY_RANGE; /* a fill that does not fit would end the run */
    if (!engine->account.shorting && row->side < 0 && left > engine->positions[row->symbol].quantity)
        return NT_DENIED_SHORTING;
    return NT_OK;
}

/* The quantity the changed order still has to fill, found at its price or the last where it finds its size at its fill. */
static nt_status left_of(const nt_engine *engine, const nt_order *row, const nt_working *working, int64_t quantity, int64_t price,
                         int64_t *out)
{
    *out = (quantity ? quantity : row->quantity) - row->filled;
    if (quantity || working->size_kind == NT_SIZE_GIVEN || price == 0)
        return NT_OK;
    nt_size size = {working->size_kind, working->size_value};
    int64_t target;
    nt_status status = nt_size_target(engine, row->symbol, size, working->target_side, price, &target);
    if (status == NT_OK)
        *out = row->side * (working->target_side * target - engine->positions[row->symbol].quantity);
    return status;
}

/* What the changed order would be to the gate, which does not see it among those that work. */
static nt_status check_gate(nt_engine *engine, int64_t order_id, int64_t quantity, int64_t limit, int64_t stop, nt_finding *finding)
{
    const nt_order *row = nt_orders_row(&engine->orders, order_id);
    const nt_working *working = &engine->orders.working[row->working];
    nt_request request = {
        .slot = row->symbol,
        .side = row->side,
        .role = row->role,
        .limit = limit ? limit : working->limit,
        .stop = stop ? stop : working->stop,
    };
    int64_t reference = nt_engine_last_price(engine, row->symbol), left;
    int64_t price = request.limit ? request.limit : request.stop ? request.stop : reference;
    if (left_of(engine, row, working, quantity, price, &left) != NT_OK)
        return NT_DENIED_QUANTITY_RANGE;
    nt_status status = nt_gate_check(engine, &request, left, reference, order_id, finding);
    if (status == NT_OK && nt_gate_note(engine) != NT_OK)
        nt_engine_fail(engine, NT_NO_MEMORY);
    return status;
}

int64_t nt_book_modify(nt_engine *engine, int64_t order_id, int64_t quantity, int64_t limit, int64_t stop)
{
    nt_order *row = nt_orders_row(&engine->orders, order_id);
    if (!nt_order_is_active(row))
        return nt_book_modify_refused(engine, order_id, row ? NT_DENIED_ORDER_DONE : NT_DENIED_UNKNOWN_ORDER, NULL);
    if ((quantity | limit | stop) == 0)
        return 0;
    nt_working *working = &engine->orders.working[row->working];
    nt_status status = engine->restrains ? nt_account_refusal(engine, row->symbol) : NT_OK;
    if (status == NT_OK)
        status = check_change(engine, row, working, quantity, limit, stop);
    nt_finding finding = {0, 0, 0};
    if (status == NT_OK && engine->gate.on)
        status = check_gate(engine, order_id, quantity, limit, stop, &finding);
    if (!nt_order_is_active(row)) /* a limit of loss that was found exceeded has ended it */
        status = NT_DENIED_ORDER_DONE;
    if (status != NT_OK)
        return nt_book_modify_refused(engine, order_id, status, &finding);
    if (engine->ticks)
        return nt_ticks_send_change(engine, order_id, quantity, limit, stop);
    return nt_book_apply_change(engine, order_id, quantity, limit, stop) == NT_OK ? 1 : NT_DENIED_ORDER_DONE;
}

nt_status nt_book_apply_change(nt_engine *engine, int64_t order_id, int64_t quantity, int64_t limit, int64_t stop)
{
    nt_order *row = nt_orders_row(&engine->orders, order_id);
    nt_status late = NT_OK;
    if (!nt_order_is_active(row))
        late = NT_DENIED_ORDER_DONE;
    else if (quantity && quantity <= row->filled)
        late = NT_DENIED_QUANTITY_RANGE;
    else if (stop && !engine->orders.working[row->working].stop)
        late = NT_DENIED_CONFLICT;
    if (late != NT_OK)
        return (nt_status)nt_book_modify_refused(engine, order_id, late, NULL);
    nt_working *working = &engine->orders.working[row->working];
    if (quantity) {
        row->quantity = working->size_value = quantity;
        working->size_kind = NT_SIZE_GIVEN;
    }
    if (limit)
        row->limit = working->limit = limit;
    if (stop)
        row->stop = working->stop = stop;
    nt_reach_move(&engine->orders, row->working);
    if (row->type == NT_LIMIT && engine->policy.limits_from == NT_LIMITS_AT_ONCE) { /* it meets the close at hand anew */
        working->born_bar = engine->i;
        working->born_direction = 0;
        engine->attention |= NT_ATTEND_CLOSE;
    }
    nt_entries_recount(&engine->orders, order_id);
    nt_engine_record(engine, NT_EVENT_MODIFIED, row->symbol, order_id, row->side, 0, row->quantity, row->limit, row->stop, 0);
    return NT_OK;
}

static int is_joined(const nt_engine *engine, const nt_order *row)
{
    return nt_order_is_active(nt_orders_row(&engine->orders, engine->orders.working[row->working].partner));
}

static nt_status check_join(const nt_engine *engine, int64_t id, int64_t other_id)
{
    const nt_order *row = nt_orders_row(&engine->orders, id), *other = nt_orders_row(&engine->orders, other_id);
    if (row == NULL || other == NULL)
        return NT_DENIED_UNKNOWN_ORDER;
    if (!nt_order_is_active(row) || !nt_order_is_active(other))
        return NT_DENIED_ORDER_DONE;
    if (row->role == NT_ROLE_LIQUIDATION || other->role == NT_ROLE_LIQUIDATION)
        return NT_DENIED_LIQUIDATION;
    if (id == other_id || row->symbol != other->symbol || row->parent_id || other->parent_id)
        return NT_DENIED_CONFLICT;
    return is_joined(engine, row) || is_joined(engine, other) ? NT_DENIED_CONFLICT : NT_OK;
}

int64_t nt_book_join(nt_engine *engine, int64_t order_id, int64_t other_id)
{
    const nt_orders *orders = &engine->orders;
    nt_status status = check_join(engine, order_id, other_id);
    const nt_order *row = nt_orders_row(orders, order_id);
    int32_t slot = row ? row->symbol : (int32_t)engine->context.symbol;
    if (status == NT_OK) {
        orders->working[row->working].partner = other_id;
        orders->working[nt_orders_row(orders, other_id)->working].partner = order_id;
    } else {
        nt_finding none = {0, 0, 0};
        (void)nt_book_note_denial(engine, slot, order_id, status, &none);
    }
    nt_engine_record(engine, NT_EVENT_JOINED, slot, order_id, 0, (int16_t)status, 0, 0, other_id, 0);
    return status == NT_OK ? 1 : status;
}

void nt_book_settle_partner(nt_engine *engine, int64_t filled_id, int64_t partner_id, int64_t quantity)
{
    nt_order *partner = nt_orders_row(&engine->orders, partner_id);
    if (!nt_order_is_active(partner))
        return;
    nt_working *working = &engine->orders.working[partner->working];
    /* One that finds its size at its fill has nothing to shrink: the first part of the other ends it. */
    int ends = nt_orders_row(&engine->orders, filled_id)->status == NT_FILLED || working->size_kind != NT_SIZE_GIVEN;
    if (ends || partner->quantity - quantity <= partner->filled) {
        working->partner = 0; /* it ends alone: the rest of the one that filled works on */
        (void)nt_book_end(engine, partner_id, NT_CANCELLED_ORDER, 0);
    } else {
        partner->quantity -= quantity;
        nt_entries_recount(&engine->orders, partner_id);
    }
}
