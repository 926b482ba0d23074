/* nt_tick_match: what one order does at the venue: arrives, takes, rests, is changed. */
#include <stdlib.h>
#include <string.h>

#include "nt_tick.h"

nt_status nt_tick_enter(nt_engine *engine, int64_t order_id, int arrived)
{
    nt_ticks *ticks = engine->ticks;
    if (ticks->resting_capacity < engine->orders.working_capacity) {
        size_t capacity = (size_t)engine->orders.working_capacity, used = (size_t)ticks->resting_capacity;
        nt_resting *rows = realloc(ticks->resting, capacity * sizeof *rows);
        if (rows == NULL)
            return NT_NO_MEMORY;
        memset(rows + used, 0, (capacity - used) * sizeof *rows);
        ticks->resting = rows;
        ticks->resting_capacity = (int32_t)capacity;
    }
    int32_t index = nt_orders_row(&engine->orders, order_id)->working;
    ticks->resting[index] = (nt_resting){.order_id = order_id, .arrived = arrived};
    return NT_OK;
}

/* What is left to take of a level, in whole lots. */
static int64_t room_of(const nt_engine *engine, int32_t slot, const nt_level *level)
{
    int64_t room = level->quantity - level->taken;
    return room > 0 ? room - room % engine->markets[slot].lot : 0;
}

nt_status nt_tick_fill(nt_engine *engine, int64_t id, int64_t price, int64_t room, int64_t *filled_out)
{
    double *mark = &engine->markets[nt_orders_row(&engine->orders, id)->symbol].last_close;
    if (*mark != *mark) /* heard of nothing yet: what trades is worth what it trades at */
        *mark = nt_double_from_nano(price);
    nt_prices prices = {price, price, price, price};
    nt_touch touch = {price, 0};
    int64_t before = nt_orders_row(&engine->orders, id)->filled;
    engine->ticks->room = room;
    nt_status status = nt_book_fill(engine, id, &touch, &prices);
    *filled_out = nt_orders_row(&engine->orders, id)->filled - before; /* children may have moved the table */
    return status;
}

/* Whether the whole order can be taken at once: what is shown, and what limits and cash allow at the worst price it needs. An order
 * that finds its size at its fill finds it there. */
static nt_status fits_whole(nt_engine *engine, int64_t id, int64_t limit, int *fits_out)
{
    nt_order *order = nt_orders_row(&engine->orders, id);
    nt_working *working = &engine->orders.working[order->working];
    const nt_tick_market *tick = nt_tick_market_of(engine, order->symbol);
    int64_t side = order->side, sum = 0, wanted = 0, allowed = 0, count = 0;
    const nt_level *level;
    int32_t walked = 0;
    *fits_out = 0;
    while ((level = nt_tick_far_next(tick, side, &walked)) != NULL) {
        if (limit && side * (level->price - limit) > 0)
            break;
        int64_t room = room_of(engine, order->symbol, level);
        sum = room > INT64_MAX - sum ? INT64_MAX : sum + room;
        count += room > 0;
        nt_status status = nt_book_probe(engine, id, level->price, count, &wanted, &allowed);
        if (status != NT_OK)
            return status;
        if (sum < wanted)
            continue;
        *fits_out = wanted > 0 && allowed >= wanted;
        if (*fits_out && working->size_kind != NT_SIZE_GIVEN) {
            order->quantity = working->size_value = wanted;
            working->size_kind = NT_SIZE_GIVEN;
        }
        return NT_OK;
    }
    return NT_OK;
}

nt_status nt_tick_take(nt_engine *engine, int64_t id, int64_t limit, int64_t own)
{
    int32_t slot = nt_orders_row(&engine->orders, id)->symbol;
    const nt_tick_market *tick = nt_tick_market_of(engine, slot);
    int64_t side = nt_orders_row(&engine->orders, id)->side;
    nt_level *level;
    int32_t walked = 0;
    while ((level = nt_tick_far_next(tick, side, &walked)) != NULL) {
        if (limit && side * (level->price - limit) > 0)
            break;
        int64_t room = room_of(engine, slot, level), filled;
        if (room <= 0)
            continue;
        nt_status status = nt_tick_fill(engine, id, own ? own : level->price, room, &filled);
        level->taken += filled;
        if (status != NT_OK || !nt_order_is_active(nt_orders_row(&engine->orders, id)))
            return status;
    }
    return NT_OK;
}

/* The line an order finds on arrival at its price. */
static int64_t line_at(const nt_tick_market *tick, int64_t side, int64_t limit)
{
    if (tick->venue) {
        const nt_level *level = nt_depth_find(tick->venue, side, limit);
        return level ? level->quantity : 0;
    }
    if (!tick->has_quotes)
        return NT_QUEUE_UNKNOWN;
    const nt_level *top = &tick->top[side < 0];
    if (top->price == limit)
        return top->quantity;
    return top->price == 0 || side * (limit - top->price) > 0 ? 0 : NT_QUEUE_UNKNOWN;
}

static void come_to_rest(nt_engine *engine, int64_t id)
{
    const nt_order *order = nt_orders_row(&engine->orders, id);
    nt_resting *resting = nt_tick_resting(engine->ticks, id, order->working);
    resting->rests = 1;
    resting->printed = 0;
    resting->ahead = line_at(nt_tick_market_of(engine, order->symbol), order->side, engine->orders.working[order->working].limit);
}

/* What a stop of `side` looks at; 0 = there is nothing to see. */
static int64_t trigger_price(const nt_ticks *ticks, const nt_tick_market *tick, int64_t side)
{
    if (ticks->stop_trigger == NT_STOP_ON_LAST || (!tick->venue && !tick->has_quotes))
        return tick->last;
    const nt_level *level = nt_tick_far_best(tick, side);
    return level ? level->price : 0;
}

/* Whether a stop is reached, after a trailing one has followed. */
static int is_reached(nt_engine *engine, nt_order *order, nt_working *working)
{
    int64_t side = order->side, price = trigger_price(engine->ticks, nt_tick_market_of(engine, order->symbol), side);
    if (price == 0)
        return 0;
    if (order->type == NT_TRAILING) {
        if (side < 0 ? price > working->peak : price < working->peak)
            working->peak = price;
        order->stop = working->stop = nt_bracket_trail(working, side, engine->markets[order->symbol].tick);
        nt_orders_reprice(&engine->orders, order->working);
    }
    return side * (price - working->stop) >= 0;
}

nt_status nt_tick_act(nt_engine *engine, int64_t id)
{
    nt_order *order = nt_orders_row(&engine->orders, id);
    nt_working *working = &engine->orders.working[order->working];
    const nt_tick_market *tick = nt_tick_market_of(engine, order->symbol);
    int reached = working->stop != 0;
    if (reached) {
        if (!is_reached(engine, order, working))
            return NT_OK;
        working->stop = 0;
        working->fired = working->limit == 0;
        nt_orders_reprice(&engine->orders, order->working);
    }
    int64_t limit = working->limit;
    if (reached && nt_tick_far_best(tick, order->side) == &tick->print) { /* it has traded already: the next one is ours */
        if (limit)
            come_to_rest(engine, id);
        nt_tick_resting(engine->ticks, id, order->working)->matched = engine->ticks->number;
        return NT_OK;
    }
    if (order->tif == NT_TIF_FOK) {
        int fits = 0;
        nt_status status = fits_whole(engine, id, limit, &fits);
        if (status != NT_OK || !fits)
            return status;
    }
    nt_status status = nt_tick_take(engine, id, limit, 0);
    if (status == NT_OK && limit && nt_order_is_active(nt_orders_row(&engine->orders, id)))
        come_to_rest(engine, id);
    return status;
}

static nt_status arrive(nt_engine *engine, int64_t id)
{
    const nt_order *order = nt_orders_row(&engine->orders, id);
    if (!nt_order_is_active(order)) /* ended on its way, by the kill switch */
        return NT_OK;
    nt_working *working = &engine->orders.working[order->working];
    nt_tick_resting(engine->ticks, id, order->working)->arrived = 1;
    int is_open = nt_tick_session(engine, order->symbol, &working->day);
    if (order->tif == NT_TIF_GTD && engine->ticks->now_ns > working->good_till) {
        nt_book_end(engine, id, NT_EXPIRED, 0);
        return engine->failure;
    }
    nt_status status = is_open ? nt_tick_act(engine, id) : NT_OK;
    order = nt_orders_row(&engine->orders, id);
    if (status == NT_OK && nt_order_is_active(order) && (order->tif == NT_TIF_IOC || order->tif == NT_TIF_FOK))
        nt_book_end(engine, id, NT_CANCELLED_ORDER, 0);
    return status;
}

nt_status nt_tick_take_in(nt_engine *engine, int32_t slot)
{
    const nt_orders *orders = &engine->orders;
    nt_status status = NT_OK;
    int32_t index = orders->lists[slot].tail; /* where they are linked */
    if (index < 0 || nt_tick_resting(engine->ticks, orders->working[index].order_id, index) != NULL)
        return NT_OK;
    while (index >= 0 && nt_tick_resting(engine->ticks, orders->working[index].order_id, index) == NULL)
        index = orders->working[index].previous;
    int64_t id = index >= 0 ? orders->working[index].order_id : 0;
    for (index = orders->lists[slot].head; index >= 0 && status == NT_OK;) {
        const nt_working *working = &orders->working[index];
        if (working->order_id <= id || nt_tick_resting(engine->ticks, working->order_id, index) != NULL) {
            index = working->next;
            continue;
        }
        id = working->order_id;
        status = nt_tick_enter(engine, id, 1);
        if (status == NT_OK)
            status = arrive(engine, id);
        index = orders->lists[slot].head;
    }
    return status;
}

static nt_status change(nt_engine *engine, const nt_sent *sent)
{
    nt_order *order = nt_orders_row(&engine->orders, sent->order_id);
    nt_order before = *order;
    nt_status refusal = nt_book_apply_change(engine, sent->order_id, sent->quantity, sent->limit, sent->stop);
    if (refusal != NT_OK)
        return engine->failure;
    nt_resting *resting = nt_tick_resting(engine->ticks, sent->order_id, order->working);
    int same_prices = order->limit == before.limit && order->stop == before.stop;
    if (same_prices && order->quantity <= before.quantity) /* a smaller one keeps its place in the line */
        return NT_OK;
    int64_t day;
    resting->rests = 0;
    return nt_tick_session(engine, order->symbol, &day) ? nt_tick_act(engine, sent->order_id) : NT_OK;
}

nt_status nt_tick_arrives(nt_engine *engine, const nt_sent *sent)
{
    const nt_order *order = nt_orders_row(&engine->orders, sent->order_id);
    nt_status status = NT_OK;
    if (sent->kind == NT_SENT_ORDER)
        status = arrive(engine, sent->order_id);
    else if (sent->kind == NT_SENT_CHANGE)
        status = change(engine, sent);
    else if (nt_order_is_active(order))
        nt_book_end(engine, sent->order_id, NT_CANCELLED_ORDER, 0);
    return status == NT_OK ? nt_tick_take_in(engine, order->symbol) : status;
}
