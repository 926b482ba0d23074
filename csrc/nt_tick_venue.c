/* nt_tick_venue: what an event does to the orders of its symbol, those of every strategy that trades it. */
#include "nt_tick.h"

static void expire(nt_engine *engine, int32_t slot)
{
    nt_orders *orders = &engine->orders;
    int64_t now = engine->ticks->now_ns, day;
    (void)nt_tick_session(engine, slot, &day);
    int32_t next;
    for (int32_t index = orders->lists[slot].head; index >= 0; index = next) {
        const nt_working *working = &orders->working[index];
        next = working->next;
        const nt_resting *resting = nt_tick_resting(engine->ticks, working->order_id, index);
        uint8_t tif = nt_orders_row(orders, working->order_id)->tif;
        if (resting == NULL || !resting->arrived)
            continue;
        int late = (tif == NT_TIF_GTD && now > working->good_till) || (tif == NT_TIF_DAY && day != working->day);
        if (late && nt_book_end(engine, working->order_id, NT_EXPIRED, 0) > 1)
            next = orders->lists[slot].head;
    }
}

static void expire_all(nt_engine *engine, int32_t symbol)
{
    for (int32_t slot = symbol; slot < engine->market_count; slot += engine->symbol_count)
        if (engine->orders.lists[slot].transient_count > 0)
            expire(engine, slot);
}

static inline int has_orders(const nt_engine *engine, int32_t symbol)
{
    if (engine->team == NULL)
        return engine->orders.lists[symbol].count > 0;
    for (int32_t slot = symbol; slot < engine->market_count; slot += engine->symbol_count)
        if (engine->orders.lists[slot].count > 0)
            return 1;
    return 0;
}

/* From where each slot's list is to be looked at again: a fill links and unlinks at will. */
static void begin_again(nt_engine *engine, int32_t symbol)
{
    for (int32_t slot = symbol; slot < engine->market_count; slot += engine->symbol_count)
        engine->ticks->seats[slot].cursor = engine->orders.lists[slot].head;
}

/* The first order later than `last` of a slot that is to act in this event; each slot's cursor only ever goes on. 0 = none. */
static int64_t next_of(nt_engine *engine, int32_t slot, int64_t last)
{
    const nt_orders *orders = &engine->orders;
    int32_t *cursor = &engine->ticks->seats[slot].cursor;
    for (; *cursor >= 0; *cursor = orders->working[*cursor].next) {
        int64_t id = orders->working[*cursor].order_id;
        const nt_resting *resting = nt_tick_resting(engine->ticks, id, *cursor);
        if (id > last && resting != NULL && resting->arrived && !resting->rests && resting->matched != engine->ticks->number)
            return id;
    }
    return 0;
}

/* Everything that does not rest, in order of arrival. */
static nt_status act_all(nt_engine *engine, int32_t symbol)
{
    const nt_orders *orders = &engine->orders;
    nt_status status = nt_tick_take_in(engine, symbol);
    for (int32_t slot = symbol + engine->symbol_count; slot < engine->market_count && status == NT_OK; slot += engine->symbol_count)
        status = nt_tick_take_in(engine, slot);
    begin_again(engine, symbol);
    for (int64_t last = 0; status == NT_OK;) {
        int64_t id = 0;
        for (int32_t slot = symbol; slot < engine->market_count; slot += engine->symbol_count) {
            int64_t own = next_of(engine, slot, last);
            if (own != 0 && (id == 0 || own < id))
                id = own;
        }
        if (id == 0)
            return NT_OK;
        last = id;
        const nt_order *order = nt_orders_row(orders, id);
        int32_t slot = order->symbol;
        nt_tick_resting(engine->ticks, id, order->working)->matched = engine->ticks->number;
        int64_t count = orders->count, working_count = orders->working_count;
        status = nt_tick_act(engine, id);
        if (status == NT_OK)
            status = nt_tick_take_in(engine, slot);
        if (count != orders->count || working_count != orders->working_count)
            begin_again(engine, symbol);
    }
    return status;
}

/* A resting order of `side` that the far side has reached and that comes before `best`: better prices first, then earlier ones. */
static int64_t better_reached(nt_engine *engine, int32_t slot, int64_t side, int64_t far, int64_t found)
{
    const nt_orders *orders = &engine->orders;
    int64_t best = found ? orders->working[nt_orders_row(orders, found)->working].limit : 0;
    for (int32_t index = orders->lists[slot].head; index >= 0; index = orders->working[index].next) {
        const nt_working *working = &orders->working[index];
        const nt_resting *resting = nt_tick_resting(engine->ticks, working->order_id, index);
        if (resting == NULL || !resting->rests || resting->matched == engine->ticks->number)
            continue;
        if (nt_orders_row(orders, working->order_id)->side != side || side * (working->limit - far) < 0)
            continue;
        int64_t ahead = side * (working->limit - best);
        if (found == 0 || ahead > 0 || (ahead == 0 && working->order_id < found)) {
            found = working->order_id;
            best = working->limit;
        }
    }
    return found;
}

static int64_t first_reached(nt_engine *engine, int32_t symbol, int64_t side, int64_t far)
{
    int64_t found = 0;
    for (int32_t slot = symbol; slot < engine->market_count; slot += engine->symbol_count)
        found = better_reached(engine, slot, side, far, found);
    return found;
}

static nt_status meet_far_side(nt_engine *engine, int32_t symbol)
{
    const nt_tick_market *tick = &engine->ticks->markets[symbol];
    for (int64_t side = 1; side >= -1; side -= 2) {
        const nt_level *level;
        int64_t id;
        while ((level = nt_tick_far_best(tick, side)) != NULL && (id = first_reached(engine, symbol, side, level->price)) != 0) {
            const nt_order *order = nt_orders_row(&engine->orders, id);
            nt_resting *resting = nt_tick_resting(engine->ticks, id, order->working);
            int64_t limit = engine->orders.working[order->working].limit;
            int32_t slot = order->symbol;
            resting->matched = engine->ticks->number;
            resting->ahead = 0; /* nobody is left before an order that the other side has reached */
            nt_status status = nt_tick_take(engine, id, limit, limit);
            if (status == NT_OK)
                status = nt_tick_take_in(engine, slot);
            if (status != NT_OK)
                return status;
        }
    }
    return NT_OK;
}

/* What a change of the far side does to the orders of its symbol; while the exchange is closed, nothing. */
static nt_status meet(nt_engine *engine, int32_t symbol)
{
    if (!nt_tick_is_open(engine, symbol))
        return NT_OK;
    nt_status status = act_all(engine, symbol);
    return status == NT_OK ? meet_far_side(engine, symbol) : status;
}

nt_status nt_tick_write_book(nt_depth *depth, const nt_tick_stream *stream, int64_t first, int32_t rows)
{
    nt_status status = NT_OK;
    for (int64_t row = first; row < first + rows && status == NT_OK; row++) {
        int64_t price, quantity, before;
        if (stream->sign[row] == 0)
            status = nt_depth_clear(depth);
        else if (nt_nano_from_double(stream->columns[0][row], &price) != NT_OK ||
                 nt_nano_from_double(stream->columns[1][row], &quantity) != NT_OK)
            status = NT_OVERFLOW;
        else
            status = nt_depth_set(depth, stream->sign[row], price, quantity, &before);
    }
    if (status == NT_OK)
        (void)nt_depth_uncross(depth);
    return status;
}

/* The same, while orders of ours stand in some lines. */
static nt_status write_book_seen(nt_engine *engine, const nt_tick_stream *stream, int64_t first, int32_t rows)
{
    nt_depth *depth = engine->ticks->markets[stream->slot].venue;
    for (int64_t row = first; row < first + rows; row++) {
        int64_t price, quantity, before, side = stream->sign[row];
        if (side == 0) {
            if (nt_depth_clear(depth) != NT_OK)
                return NT_NO_MEMORY;
            continue;
        }
        if (nt_nano_from_double(stream->columns[0][row], &price) != NT_OK ||
            nt_nano_from_double(stream->columns[1][row], &quantity) != NT_OK)
            return NT_OVERFLOW;
        nt_status status = nt_depth_set(depth, side, price, quantity, &before);
        if (status != NT_OK)
            return status;
        nt_tick_level_changed(engine, stream->slot, side, price, before, quantity);
    }
    (void)nt_depth_uncross(depth);
    return NT_OK;
}

static nt_status set_level(nt_level *level, double price, double size)
{
    int64_t nano = 0, quantity = 0;
    if (size > 0 && (nt_nano_from_double(price, &nano) != NT_OK || nt_nano_from_double(size, &quantity) != NT_OK))
        return NT_OVERFLOW;
    if (nano != level->price || quantity != level->quantity)
        *level = (nt_level){.price = nano, .quantity = quantity};
    return NT_OK;
}

static nt_status quote(nt_engine *engine, const nt_tick_stream *stream, int64_t row)
{
    nt_tick_market *tick = &engine->ticks->markets[stream->slot];
    const double *const *columns = stream->columns;
    nt_level before[2] = {tick->top[0], tick->top[1]};
    if (set_level(&tick->top[0], columns[0][row], columns[1][row]) != NT_OK ||
        set_level(&tick->top[1], columns[2][row], columns[3][row]) != NT_OK)
        return NT_OVERFLOW;
    if (tick->venue || !has_orders(engine, stream->slot))
        return NT_OK;
    nt_tick_top_changed(engine, stream->slot, before);
    return meet(engine, stream->slot);
}

static nt_status print(nt_engine *engine, const nt_tick_stream *stream, int64_t row)
{
    int32_t symbol = stream->slot;
    nt_tick_market *tick = &engine->ticks->markets[symbol];
    int64_t price, quantity;
    if (nt_nano_from_double(stream->columns[0][row], &price) != NT_OK ||
        nt_nano_from_double(stream->columns[1][row], &quantity) != NT_OK)
        return NT_OVERFLOW;
    if (!nt_tick_is_open(engine, symbol)) /* triggers nothing, now or later */
        return NT_OK;
    tick->last = price;
    if (!has_orders(engine, symbol))
        return NT_OK;
    tick->print = (nt_level){.price = price, .quantity = quantity};
    nt_status status = act_all(engine, symbol);
    int64_t left = quantity - tick->print.taken;
    tick->print = (nt_level){.price = 0};
    return status == NT_OK && left > 0 ? nt_tick_print(engine, symbol, price, left, stream->sign[row]) : status;
}

static nt_status depth(nt_engine *engine, const nt_tick_stream *stream, int64_t first, int32_t rows)
{
    if (!has_orders(engine, stream->slot))
        return nt_tick_write_book(engine->ticks->markets[stream->slot].venue, stream, first, rows);
    nt_status status = write_book_seen(engine, stream, first, rows);
    return status == NT_OK ? meet(engine, stream->slot) : status;
}

static nt_status deliver(nt_engine *engine, int64_t before_ns)
{
    nt_ticks *ticks = engine->ticks;
    nt_status status = NT_OK;
    while (status == NT_OK && ticks->sent_first < ticks->sent.count) {
        nt_sent sent = ((const nt_sent *)ticks->sent.data)[ticks->sent_first];
        if (sent.arrives_ns >= before_ns)
            return NT_OK;
        ticks->sent_first++;
        ticks->now_ns = sent.arrives_ns;
        ticks->number++;
        status = nt_tick_arrives(engine, &sent);
    }
    ticks->sent_first = ticks->sent.count = 0;
    return status;
}

nt_status nt_tick_happens(nt_engine *engine, int64_t event)
{
    nt_ticks *ticks = engine->ticks;
    const nt_tick_stream *stream = &ticks->streams[ticks->events.stream[event]];
    int64_t ts_ns = ticks->events.ts_ns[event], first = ticks->events.first[event];
    if (ticks->sent.count > 0) {
        nt_status status = deliver(engine, ts_ns);
        if (status != NT_OK)
            return status;
    }
    ticks->now_ns = ts_ns;
    ticks->number++;
    if (engine->orders.lists[stream->slot].transient_count > 0 || engine->team)
        expire_all(engine, stream->slot);
    if (stream->kind == NT_HEARD_QUOTE)
        return quote(engine, stream, first);
    if (stream->kind == NT_HEARD_TRADE)
        return print(engine, stream, first);
    return depth(engine, stream, first, ticks->events.rows[event]);
}
