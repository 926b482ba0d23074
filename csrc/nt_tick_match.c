/* nt_tick_match: what happens at the venue. */
#include <stdlib.h>
#include <string.h>

#include "nt_tick.h"

#define DAY_NS (INT64_C(86400) * NT_NANO)

nt_resting *nt_tick_resting(const nt_ticks *ticks, int64_t order_id, int32_t index)
{
    int rests = index >= 0 && index < ticks->resting_capacity && ticks->resting[index].order_id == order_id;
    return rests ? &ticks->resting[index] : NULL;
}

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

/* The next level of what an order of `side` can take, best first; *walked is 0 to begin with. NULL beyond the last. */
static nt_level *far_next(const nt_tick_market *tick, int64_t side, int32_t *walked)
{
    if (tick->venue)
        return nt_depth_next(tick->venue, -side, walked);
    if ((*walked)++ > 0)
        return NULL;
    nt_level *level = (nt_level *)(tick->has_quotes ? &tick->top[side > 0] : &tick->print);
    return level->price ? level : NULL;
}

static nt_level *far_best(const nt_tick_market *tick, int64_t side)
{
    int32_t walked = 0;
    return far_next(tick, side, &walked);
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
    const nt_tick_market *tick = &engine->ticks->markets[order->symbol];
    int64_t side = order->side, sum = 0, wanted = 0, allowed = 0, count = 0;
    const nt_level *level;
    int32_t walked = 0;
    *fits_out = 0;
    while ((level = far_next(tick, side, &walked)) != NULL) {
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

/* Take the far side, best first, up to `limit` (0 = any price), each level at its own price, or at `own` for one that rests. */
static nt_status take(nt_engine *engine, int64_t id, int64_t limit, int64_t own)
{
    int32_t slot = nt_orders_row(&engine->orders, id)->symbol;
    const nt_tick_market *tick = &engine->ticks->markets[slot];
    int64_t side = nt_orders_row(&engine->orders, id)->side;
    nt_level *level;
    int32_t walked = 0;
    while ((level = far_next(tick, side, &walked)) != NULL) {
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
    resting->ahead = line_at(&engine->ticks->markets[order->symbol], order->side, engine->orders.working[order->working].limit);
}

/* What a stop of `side` looks at; 0 = there is nothing to see. */
static int64_t trigger_price(const nt_ticks *ticks, const nt_tick_market *tick, int64_t side)
{
    if (ticks->stop_trigger == NT_STOP_ON_LAST || (!tick->venue && !tick->has_quotes))
        return tick->last;
    const nt_level *level = far_best(tick, side);
    return level ? level->price : 0;
}

/* Whether a stop is reached, after a trailing one has followed. */
static int is_reached(nt_engine *engine, nt_order *order, nt_working *working)
{
    int64_t side = order->side, price = trigger_price(engine->ticks, &engine->ticks->markets[order->symbol], side);
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

/* What an order that does not rest does now: stops look, market orders take, limits take on arrival and come to rest. */
static nt_status act(nt_engine *engine, int64_t id)
{
    nt_order *order = nt_orders_row(&engine->orders, id);
    nt_working *working = &engine->orders.working[order->working];
    const nt_tick_market *tick = &engine->ticks->markets[order->symbol];
    int reached = working->stop != 0;
    if (reached) {
        if (!is_reached(engine, order, working))
            return NT_OK;
        working->stop = 0;
        working->fired = working->limit == 0;
        nt_orders_reprice(&engine->orders, order->working);
    }
    int64_t limit = working->limit;
    if (reached && far_best(tick, order->side) == &tick->print) { /* it has traded already: the next one is ours */
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
    nt_status status = take(engine, id, limit, 0);
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
    working->day = engine->ticks->now_ns / DAY_NS;
    if (order->tif == NT_TIF_GTD && engine->ticks->now_ns > working->good_till) {
        nt_book_end(engine, id, NT_EXPIRED, 0);
        return engine->failure;
    }
    nt_status status = act(engine, id);
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
    resting->rests = 0;
    return act(engine, sent->order_id);
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

/* ---- an event ---- */

static void expire(nt_engine *engine, int32_t slot)
{
    nt_orders *orders = &engine->orders;
    int64_t now = engine->ticks->now_ns;
    int32_t next;
    for (int32_t index = orders->lists[slot].head; index >= 0; index = next) {
        const nt_working *working = &orders->working[index];
        next = working->next;
        const nt_resting *resting = nt_tick_resting(engine->ticks, working->order_id, index);
        uint8_t tif = nt_orders_row(orders, working->order_id)->tif;
        if (resting == NULL || !resting->arrived)
            continue;
        int late = (tif == NT_TIF_GTD && now > working->good_till) || (tif == NT_TIF_DAY && now / DAY_NS != working->day);
        if (late && nt_book_end(engine, working->order_id, NT_EXPIRED, 0) > 1)
            next = orders->lists[slot].head;
    }
}

/* Everything that does not rest, in order of arrival. */
static nt_status act_all(nt_engine *engine, int32_t slot)
{
    const nt_orders *orders = &engine->orders;
    int64_t last = 0, number = engine->ticks->number;
    nt_status status = nt_tick_take_in(engine, slot);
    if (status != NT_OK)
        return status;
    int32_t index = orders->lists[slot].head;
    while (index >= 0) {
        const nt_working *working = &orders->working[index];
        nt_resting *resting = nt_tick_resting(engine->ticks, working->order_id, index);
        if (working->order_id <= last || resting == NULL || !resting->arrived || resting->rests || resting->matched == number) {
            index = working->next;
            continue;
        }
        last = working->order_id;
        resting->matched = number;
        int64_t count = orders->count, working_count = orders->working_count;
        status = act(engine, last);
        if (status == NT_OK)
            status = nt_tick_take_in(engine, slot);
        if (status != NT_OK)
            return status;
        if (count != orders->count || working_count != orders->working_count)
            index = orders->lists[slot].head; /* a fill links and unlinks at will */
    }
    return NT_OK;
}

/* The resting order that the far side has reached and that comes first: better prices, then earlier ones. 0 = none. */
static int64_t first_reached(nt_engine *engine, int32_t slot, int64_t side, int64_t far)
{
    const nt_orders *orders = &engine->orders;
    int64_t found = 0, best = 0;
    for (int32_t index = orders->lists[slot].head; index >= 0; index = orders->working[index].next) {
        const nt_working *working = &orders->working[index];
        const nt_resting *resting = nt_tick_resting(engine->ticks, working->order_id, index);
        if (resting == NULL || !resting->rests || resting->matched == engine->ticks->number)
            continue;
        if (nt_orders_row(orders, working->order_id)->side != side || side * (working->limit - far) < 0)
            continue;
        if (found == 0 || side * (working->limit - best) > 0) {
            found = working->order_id;
            best = working->limit;
        }
    }
    return found;
}

static nt_status meet_far_side(nt_engine *engine, int32_t slot)
{
    const nt_tick_market *tick = &engine->ticks->markets[slot];
    for (int64_t side = 1; side >= -1; side -= 2) {
        const nt_level *level;
        int64_t id;
        while ((level = far_best(tick, side)) != NULL && (id = first_reached(engine, slot, side, level->price)) != 0) {
            const nt_order *order = nt_orders_row(&engine->orders, id);
            nt_resting *resting = nt_tick_resting(engine->ticks, id, order->working);
            int64_t limit = engine->orders.working[order->working].limit;
            resting->matched = engine->ticks->number;
            resting->ahead = 0; /* nobody is left before an order that the other side has reached */
            nt_status status = take(engine, id, limit, limit);
            if (status == NT_OK)
                status = nt_tick_take_in(engine, slot);
            if (status != NT_OK)
                return status;
        }
    }
    return NT_OK;
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
    if (engine->orders.lists[stream->slot].count == 0 || tick->venue)
        return NT_OK;
    nt_tick_top_changed(engine, stream->slot, before);
    nt_status status = act_all(engine, stream->slot);
    return status == NT_OK ? meet_far_side(engine, stream->slot) : status;
}

static nt_status print(nt_engine *engine, const nt_tick_stream *stream, int64_t row)
{
    int32_t slot = stream->slot;
    nt_tick_market *tick = &engine->ticks->markets[slot];
    int64_t price, quantity;
    if (nt_nano_from_double(stream->columns[0][row], &price) != NT_OK ||
        nt_nano_from_double(stream->columns[1][row], &quantity) != NT_OK)
        return NT_OVERFLOW;
    tick->last = price;
    if (engine->orders.lists[slot].count == 0)
        return NT_OK;
    tick->print = (nt_level){.price = price, .quantity = quantity};
    nt_status status = act_all(engine, slot);
    int64_t left = quantity - tick->print.taken;
    tick->print = (nt_level){.price = 0};
    return status == NT_OK && left > 0 ? nt_tick_print(engine, slot, price, left, stream->sign[row]) : status;
}

static nt_status depth(nt_engine *engine, const nt_tick_stream *stream, int64_t first, int32_t rows)
{
    int32_t slot = stream->slot;
    if (engine->orders.lists[slot].count == 0)
        return nt_tick_write_book(engine->ticks->markets[slot].venue, stream, first, rows);
    nt_status status = write_book_seen(engine, stream, first, rows);
    if (status == NT_OK)
        status = act_all(engine, slot);
    return status == NT_OK ? meet_far_side(engine, slot) : status;
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
    if (engine->orders.lists[stream->slot].transient_count > 0)
        expire(engine, stream->slot);
    if (stream->kind == NT_HEARD_QUOTE)
        return quote(engine, stream, first);
    if (stream->kind == NT_HEARD_TRADE)
        return print(engine, stream, first);
    return depth(engine, stream, first, ticks->events.rows[event]);
}
