/* nt_tick_line: the lines that resting orders stand in, and the prints that serve them. */
#include "nt_tick.h"

/* The order that rests there, with its row, where `side` is 0 or its own; NULL otherwise. */
static nt_resting *resting_at(const nt_engine *engine, int32_t index, int64_t side)
{
    const nt_working *working = &engine->orders.working[index];
    nt_resting *resting = nt_tick_resting(engine->ticks, working->order_id, index);
    if (resting == NULL || !resting->rests || nt_orders_row(&engine->orders, working->order_id)->side != side)
        return NULL;
    return resting;
}

/* Orders of one slot that rest at `price` learn that the level there changed. */
static void level_changed(nt_engine *engine, int32_t slot, int64_t side, int64_t price, int64_t before, int64_t after)
{
    const nt_orders *orders = &engine->orders;
    for (int32_t index = orders->lists[slot].head; index >= 0; index = orders->working[index].next) {
        nt_resting *resting = orders->working[index].limit == price ? resting_at(engine, index, side) : NULL;
        if (resting == NULL)
            continue;
        resting->ahead = nt_queue_after_change(&engine->ticks->queue, resting->ahead, before, after, resting->printed);
        resting->printed = 0;
    }
}

void nt_tick_level_changed(nt_engine *engine, int32_t symbol, int64_t side, int64_t price, int64_t before, int64_t after)
{
    for (int32_t slot = symbol; slot < engine->market_count; slot += engine->symbol_count)
        level_changed(engine, slot, side, price, before, after);
}

/* Quotes show one price a side: worse ones are not seen, and at better ones nobody stands. */
static void top_changed(nt_engine *engine, int32_t slot, const nt_level *tops, const nt_level *before)
{
    const nt_orders *orders = &engine->orders;
    for (int32_t index = orders->lists[slot].head; index >= 0; index = orders->working[index].next) {
        int64_t limit = orders->working[index].limit;
        int64_t side = nt_orders_row(orders, orders->working[index].order_id)->side;
        const nt_level *top = &tops[side < 0], *old = &before[side < 0];
        nt_resting *resting = resting_at(engine, index, side);
        if (resting == NULL || (top->price == old->price && top->quantity == old->quantity))
            continue;
        if (top->price == 0 || side * (limit - top->price) > 0)
            resting->ahead = resting->printed = 0;
        else if (top->price == limit) {
            int64_t seen = old->price == limit ? old->quantity : top->quantity;
            int64_t printed = old->price == limit ? resting->printed : 0;
            resting->ahead = nt_queue_after_change(&engine->ticks->queue, resting->ahead, seen, top->quantity, printed);
            resting->printed = 0;
        }
    }
}

void nt_tick_top_changed(nt_engine *engine, int32_t symbol, const nt_level *before)
{
    for (int32_t slot = symbol; slot < engine->market_count; slot += engine->symbol_count)
        top_changed(engine, slot, engine->ticks->markets[symbol].top, before);
}

/* What a print serves next: the order it went furthest beyond, of equals the earliest; id 0 = none. */
typedef struct served {
    int64_t id;
    int64_t beyond;
} served;

static void look_for_served(const nt_engine *engine, int32_t slot, int64_t price, int64_t aggressor, served *best)
{
    const nt_orders *orders = &engine->orders;
    for (int32_t index = orders->lists[slot].head; index >= 0; index = orders->working[index].next) {
        const nt_working *working = &orders->working[index];
        int64_t side = nt_orders_row(orders, working->order_id)->side, beyond = side * (working->limit - price);
        const nt_resting *resting = resting_at(engine, index, side);
        if (resting == NULL || resting->matched == engine->ticks->number || beyond < 0)
            continue;
        if (beyond == 0 && aggressor == side) /* its own side came to take: this line was not served */
            continue;
        if (best->id == 0 || beyond > best->beyond || (beyond == best->beyond && working->order_id < best->id))
            *best = (served){working->order_id, beyond};
    }
}

/* Those it went beyond, then those at its price; better prices first, then earlier ones. 0 = none. */
static int64_t next_served(const nt_engine *engine, int32_t symbol, int64_t price, int64_t aggressor)
{
    served best = {0, 0};
    for (int32_t slot = symbol; slot < engine->market_count; slot += engine->symbol_count)
        look_for_served(engine, slot, price, aggressor, &best);
    return best.id;
}

nt_status nt_tick_print(nt_engine *engine, int32_t symbol, int64_t price, int64_t quantity, int64_t aggressor)
{
    nt_ticks *ticks = engine->ticks;
    int64_t lot = engine->markets[symbol].lot, id;
    while (quantity > 0 && (id = next_served(engine, symbol, price, aggressor)) != 0) {
        const nt_order *order = nt_orders_row(&engine->orders, id);
        int32_t slot = order->symbol;
        nt_resting *resting = nt_tick_resting(ticks, id, order->working);
        int64_t limit = engine->orders.working[order->working].limit, room = quantity, filled;
        resting->matched = ticks->number;
        if (limit != price)
            resting->ahead = 0;
        else if (resting->ahead == NT_QUEUE_UNKNOWN)
            continue;
        else {
            int64_t ahead = resting->ahead;
            room = quantity > ahead ? quantity - ahead : 0;
            resting->ahead = ahead > quantity ? ahead - quantity : 0;
            resting->printed = quantity > INT64_MAX - resting->printed ? INT64_MAX : resting->printed + quantity;
        }
        room -= room % lot;
        if (room <= 0)
            continue;
        nt_status status = nt_tick_fill(engine, id, limit, room, &filled);
        quantity -= filled;
        if (status == NT_OK)
            status = nt_tick_take_in(engine, slot);
        if (status != NT_OK)
            return status;
    }
    return NT_OK;
}
