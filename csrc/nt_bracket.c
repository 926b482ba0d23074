/* nt_bracket: stop-losses, take-profits and trails that an entry's fill brings to life. They are orders like any other, but sized
 * by what was filled, cancelled together, and never left to open a position. */
#include "nt_book.h"

/* Stop-loss, trail and take-profit. */
#define FAMILY_MOST 3

/* base moved by rate in `direction`, on the tick; at least one tick, so that no stop is lost to rounding. */
static nt_status moved(int64_t base, int64_t rate, int64_t direction, int64_t tick, int64_t *out)
{
    int64_t by, steps;
    if (nt_multiply_divide(base, rate, NT_PICO, &by) != NT_OK || nt_add(base, direction * by, &by) != NT_OK)
        return NT_OVERFLOW;
    if (tick > 1) {
        if (nt_divide_half_even(by, tick, &steps) != NT_OK || __builtin_mul_overflow(steps, tick, &by))
            return NT_OVERFLOW;
    }
    *out = by > tick ? by : tick;
    return NT_OK;
}

nt_status nt_bracket_check(const nt_bracket *bracket, int64_t side, int64_t reference)
{
    if (bracket->stop_loss && side * (reference - bracket->stop_loss) <= 0)
        return NT_DENIED_BRACKET;
    if (bracket->take_profit && side * (bracket->take_profit - reference) <= 0)
        return NT_DENIED_BRACKET;
    /* A child's price must be positive: a stop below zero protects nothing. */
    if (bracket->trail >= reference)
        return NT_DENIED_BRACKET;
    if (side > 0 ? bracket->stop_loss_rate >= NT_PICO : bracket->take_profit_rate >= NT_PICO)
        return NT_DENIED_BRACKET;
    if (bracket->trail_rate >= NT_PICO)
        return NT_DENIED_BRACKET;
    int64_t level;
    if ((bracket->stop_loss_rate && moved(reference, bracket->stop_loss_rate, -side, 1, &level) != NT_OK) ||
        (bracket->take_profit_rate && moved(reference, bracket->take_profit_rate, side, 1, &level) != NT_OK))
        return NT_DENIED_BRACKET;
    return NT_OK;
}

int64_t nt_bracket_trail(const nt_working *working, int64_t side, int64_t tick)
{
    int64_t distance = working->trail;
    if (working->trail_rate)
        (void)nt_multiply_divide(working->peak, working->trail_rate, NT_PICO, &distance); /* a rate below one: it fits */
    int64_t level, steps;
    if (nt_add(working->peak, side * distance, &level) != NT_OK || level <= 0)
        return 0;
    if (tick > 1 && (nt_divide_half_even(level, tick, &steps) != NT_OK || __builtin_mul_overflow(steps, tick, &level)))
        return 0;
    return level;
}

static nt_status add_child(nt_engine *engine, const nt_order *parent, int64_t parent_id, uint8_t role, int64_t price, int64_t quantity,
                           const nt_working *like)
{
    uint8_t type = role == NT_ROLE_TAKE_PROFIT ? NT_LIMIT : role == NT_ROLE_TRAIL ? NT_TRAILING : NT_STOP;
    nt_order order = {
        .signal_id = parent->signal_id,
        .parent_id = parent_id,
        .created_bar = engine->i,
        .quantity = quantity,
        .limit = role == NT_ROLE_TAKE_PROFIT ? price : 0,
        .stop = role == NT_ROLE_TAKE_PROFIT ? 0 : price,
        .symbol = parent->symbol,
        .side = (int8_t)-parent->side,
        .type = type,
        .tif = NT_TIF_GTC,
        .role = role,
    };
    nt_working working = *like;
    working.limit = order.limit;
    working.stop = order.stop;
    if (role != NT_ROLE_TRAIL)
        working.trail = working.trail_rate = 0;
    else
        order.stop = working.stop = nt_bracket_trail(&working, order.side, engine->markets[order.symbol].tick);
    int64_t id;
    nt_status status = nt_orders_add(&engine->orders, &order, &working, &id);
    if (status != NT_OK)
        return status;
    (void)nt_orders_move(&engine->orders, id, NT_SUBMITTED, 0, 0);
    nt_engine_record(engine, NT_EVENT_ORDER, order.symbol, id, order.side, type, quantity, order.limit, order.stop, order.signal_id);
    return NT_OK;
}

/* A further fill of the same entry: its children grow. Returns whether there were any. */
static int grow_children(nt_engine *engine, int32_t slot, int64_t parent_id, int64_t quantity)
{
    int found = 0;
    for (int32_t index = engine->orders.lists[slot].head; index >= 0; index = engine->orders.working[index].next) {
        nt_order *row = nt_orders_row(&engine->orders, engine->orders.working[index].order_id);
        if (row->parent_id == parent_id && nt_order_is_exit(row)) {
            row->quantity += quantity;
            found = 1;
        }
    }
    return found;
}

/* Whether a stop entry's take-profit may fire in its own bar: the bar reaches it and not the stop-loss, and both entry and profit
 * lie the way the price was going. */
static int profit_is_certain(const nt_engine *engine, const nt_order *parent, int64_t profit, int64_t loss, const nt_prices *prices)
{
    if (engine->policy.contingent_from_working != NT_FROM_CERTAIN_PROFIT || parent->type != NT_STOP)
        return 0;
    if (parent->side > 0)
        return profit <= prices->high && (loss == 0 || loss < prices->low);
    return profit >= prices->low && (loss == 0 || loss > prices->high);
}

nt_status nt_bracket_spawn(nt_engine *engine, int64_t parent_id, int64_t quantity, int64_t price, const nt_touch *touch,
                           const nt_prices *prices)
{
    const nt_order *row = nt_orders_row(&engine->orders, parent_id);
    const nt_policy *policy = &engine->policy;
    nt_bracket bracket = engine->orders.working[row->working].bracket;
    if (!(bracket.stop_loss | bracket.take_profit | bracket.trail | bracket.stop_loss_rate | bracket.take_profit_rate |
          bracket.trail_rate))
        return NT_OK;
    nt_order parent = *row; /* children may move the table */
    if (parent.filled > quantity && grow_children(engine, parent.symbol, parent_id, quantity))
        return NT_OK;
    int64_t side = parent.side, tick = engine->markets[parent.symbol].tick;
    int64_t base = policy->stop_base == NT_BASE_ENTRY_CLOSE ? prices->close : price;
    int from = nt_order_is_market(&parent) ? policy->contingent_from : policy->contingent_from_working;
    /* A fill at the close has no bar left to fire in. */
    int same_close = parent.type == NT_ON_CLOSE || (parent.type == NT_MARKET && policy->market_at == NT_MARKET_SAME_CLOSE);
    nt_working like = {
        .from_bar = engine->i + (from != NT_FROM_ENTRY_BAR || same_close),
        .size_kind = NT_SIZE_GIVEN,
        .day = -1,
        .trail = bracket.trail,
        .trail_rate = bracket.trail_rate,
        .peak = base,
        .born_bar = engine->i,
        .born_price = touch->price, /* where the market stood: slippage is the entry's alone */
        .born_direction = (int8_t)touch->direction,
    };
    int64_t loss = bracket.stop_loss, profit = bracket.take_profit;
    if ((!loss && bracket.stop_loss_rate && moved(base, bracket.stop_loss_rate, -side, tick, &loss) != NT_OK) ||
        (!profit && bracket.take_profit_rate && moved(base, bracket.take_profit_rate, side, tick, &profit) != NT_OK))
        return NT_OVERFLOW;
    nt_status status = NT_OK;
    if (loss > 0)
        status = add_child(engine, &parent, parent_id, NT_ROLE_STOP_LOSS, loss, quantity, &like);
    if (status == NT_OK && (bracket.trail || bracket.trail_rate))
        status = add_child(engine, &parent, parent_id, NT_ROLE_TRAIL, 0, quantity, &like);
    if (status == NT_OK && profit > 0) {
        if (profit_is_certain(engine, &parent, profit, loss, prices))
            like.from_bar = engine->i;
        status = add_child(engine, &parent, parent_id, NT_ROLE_TAKE_PROFIT, profit, quantity, &like);
    }
    return status;
}

/* A fill of an exit that makes void nothing but its own family. Those of one fill of the entry were added one after another, and while one
 * of them works the entry adds no more: the others are next to it. */
static nt_status settle_family(nt_engine *engine, int64_t filled_id, int64_t quantity)
{
    const nt_order *filled = nt_orders_row(&engine->orders, filled_id);
    int64_t family = filled->parent_id;
    int is_done = filled->status == NT_FILLED;
    for (int64_t id = filled_id - (FAMILY_MOST - 1); id < filled_id + FAMILY_MOST; id++) {
        nt_order *row = nt_orders_row(&engine->orders, id);
        if (id == filled_id || !nt_order_is_active(row) || !nt_order_is_exit(row) || row->parent_id != family)
            continue;
        if (is_done || row->quantity - quantity <= row->filled)
            nt_book_end(engine, id, NT_CANCELLED_ORDER, 0);
        else
            row->quantity -= quantity;
    }
    return engine->failure;
}

nt_status nt_bracket_settle(nt_engine *engine, int64_t filled_id, int64_t quantity)
{
    nt_orders *orders = &engine->orders;
    const nt_order *filled = nt_orders_row(orders, filled_id);
    int32_t slot = filled->symbol, next;
    int64_t family = nt_order_is_exit(filled) ? filled->parent_id : 0, held = engine->positions[slot].quantity;
    const int32_t *counts = orders->lists[slot].closing_counts;
    if ((family == 0 && held != 0 ? counts[held > 0] : counts[0] + counts[1]) == 0)
        return engine->failure; /* nothing that this fill could make void */
    if (held != 0 && counts[held > 0] == 0)
        return settle_family(engine, filled_id, quantity);
    int family_done = filled->status == NT_FILLED;
    int64_t seen_id = 0;
    for (int32_t index = orders->lists[slot].head; index >= 0; index = next) {
        next = orders->working[index].next;
        int64_t id = orders->working[index].order_id;
        if (id == filled_id || orders->working[index].role == NT_ROLE_ENTRY)
            continue;
        nt_order *row = nt_orders_row(orders, id);
        int sibling = family != 0 && nt_order_is_exit(row) && row->parent_id == family;
        int64_t less = id > seen_id ? quantity : 0;
        int spent = sibling && (family_done || row->quantity - less <= row->filled);
        if (held == 0 || (held > 0) == (row->side > 0) || spent) {
            if (nt_book_end(engine, id, NT_CANCELLED_ORDER, 0) > 1)
                next = orders->lists[slot].head;
        } else if (sibling && id > seen_id)
            row->quantity -= quantity;
        seen_id = id > seen_id ? id : seen_id;
    }
    return engine->failure;
}
