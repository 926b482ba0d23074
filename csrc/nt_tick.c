/* nt_tick: the steps of the clock, what is heard, and what is sent. */
#include "nt_tick.h"

#include "nt_account.h"
#include "nt_team.h"

#include <stdlib.h>
#include <string.h>

#define SENT_KEPT 64 /* messages that arrived, before they are worth moving the others for */
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/* Columns that a strategy may read as it would a bar's: all of them show the mark. */
static void show_mark(nt_engine *engine, int32_t slot)
{
    nt_market *market = &engine->markets[slot];
    nt_tick_market *tick = nt_tick_market_of(engine, slot);
    market->series = (nt_series){&engine->context.ts_ns, &market->last_close, &market->last_close, &market->last_close,
                                 &market->last_close, &tick->last_size, 1};
    market->bar = 0;
    engine->ticks->seats[slot].turned = -1;
    tick->bid = tick->ask = tick->last_price = NAN;
    tick->bid_size = tick->ask_size = tick->last_size = tick->aggressor = 0;
}

/* A book for each symbol with depth, and a second where what is heard is not what has happened. */
static void give_books(nt_engine *engine)
{
    nt_ticks *ticks = engine->ticks;
    for (int64_t index = 0; index < ticks->stream_count; index++) {
        const nt_tick_stream *stream = &ticks->streams[index];
        nt_tick_market *tick = &ticks->markets[stream->slot];
        tick->has_quotes |= stream->kind == NT_HEARD_QUOTE;
        if (stream->kind != NT_HEARD_DEPTH)
            continue;
        tick->venue = &ticks->depths[2 * stream->slot];
        tick->heard = ticks->events.venue ? tick->venue + 1 : tick->venue;
    }
}

nt_status nt_ticks_open(nt_engine *engine, const nt_ticks_config *config, const nt_tick_stream *streams, int64_t stream_count,
                        const nt_tick_events *events)
{
    size_t count = (size_t)config->symbol_count;
    nt_ticks *ticks = calloc(1, sizeof *ticks);
    nt_tick_market *markets = calloc(count, sizeof *markets);
    nt_tick_seat *seats = calloc((size_t)engine->market_count, sizeof *seats);
    nt_depth *depths = calloc(2 * count, sizeof *depths);
    if (ticks == NULL || markets == NULL || seats == NULL || depths == NULL) {
        free(ticks);
        free(markets);
        free(seats);
        free(depths);
        return NT_NO_MEMORY;
    }
    ticks->events = *events;
    ticks->streams = streams;
    ticks->stream_count = stream_count;
    ticks->markets = markets;
    ticks->seats = seats;
    ticks->depths = depths;
    ticks->queue = config->queue;
    ticks->stop_trigger = (int32_t)config->stop_trigger;
    ticks->called = (uint32_t)config->called;
    ticks->room = INT64_MAX;
    nt_rows_open(&ticks->sent, sizeof(nt_sent));
    engine->ticks = ticks;
    engine->symbol_count = (int32_t)config->symbol_count;
    engine->policy.market_at = NT_MARKET_NEXT_OPEN; /* no bar closes */
    give_books(engine);
    for (int32_t slot = 0; slot < engine->market_count; slot++)
        show_mark(engine, slot);
    nt_context_select(engine, 0);
    return NT_OK;
}

void nt_ticks_close(nt_engine *engine)
{
    nt_ticks *ticks = engine->ticks;
    if (ticks == NULL)
        return;
    for (int32_t index = 0; index < 2 * engine->symbol_count; index++)
        nt_depth_close(&ticks->depths[index]);
    nt_rows_close(&ticks->sent);
    free(ticks->resting);
    free(ticks->depths);
    free(ticks->markets);
    free(ticks->seats);
    free(ticks);
    engine->ticks = NULL;
}

int64_t nt_ticks_stale_levels(const nt_engine *engine)
{
    int64_t sum = 0;
    for (int32_t symbol = 0; engine->ticks && symbol < engine->symbol_count; symbol++)
        sum += engine->ticks->depths[2 * symbol].stale;
    return sum;
}

/* ---- what is sent ---- */

static nt_status send(nt_engine *engine, nt_sent message)
{
    nt_ticks *ticks = engine->ticks;
    if (ticks->sent_first > SENT_KEPT && ticks->sent_first * 2 > ticks->sent.count) {
        nt_sent *rows = (nt_sent *)ticks->sent.data;
        ticks->sent.count -= ticks->sent_first;
        memmove(rows, rows + ticks->sent_first, (size_t)ticks->sent.count * sizeof *rows);
        ticks->sent_first = 0;
    }
    nt_sent *row = nt_rows_add(&ticks->sent);
    if (row == NULL) {
        nt_engine_fail(engine, NT_NO_MEMORY);
        return NT_NO_MEMORY;
    }
    int64_t now = ticks->now_ns;
    message.arrives_ns = now > INT64_MAX - engine->latency_ns ? INT64_MAX : now + engine->latency_ns;
    *row = message;
    return NT_OK;
}

nt_status nt_ticks_send(nt_engine *engine, int64_t order_id)
{
    nt_status status = nt_tick_enter(engine, order_id, 0);
    return status != NT_OK ? status : send(engine, (nt_sent){.order_id = order_id, .kind = NT_SENT_ORDER});
}

int64_t nt_ticks_send_change(nt_engine *engine, int64_t order_id, int64_t quantity, int64_t limit, int64_t stop)
{
    nt_sent message = {.order_id = order_id, .quantity = quantity, .limit = limit, .stop = stop, .kind = NT_SENT_CHANGE};
    nt_status status = send(engine, message);
    return status == NT_OK ? 1 : status;
}

int64_t nt_ticks_send_cancel(nt_engine *engine, int64_t order_id)
{
    const nt_order *row = nt_orders_row(&engine->orders, order_id);
    nt_resting *resting = nt_tick_resting(engine->ticks, order_id, row->working);
    if (resting != NULL && resting->leaving)
        return 0;
    nt_status status = send(engine, (nt_sent){.order_id = order_id, .kind = NT_SENT_CANCEL});
    if (status != NT_OK)
        return status;
    if (resting != NULL)
        resting->leaving = 1;
    return 1;
}

/* ---- what is heard ---- */

static double shown(const nt_level *level, int price)
{
    return level == NULL ? (price ? NAN : 0) : nt_double_from_nano(price ? level->price : level->quantity);
}

/* Level of a side as heard: its price, or its size. */
static double heard_level(const nt_context *context, int64_t side, int64_t level, int price)
{
    const nt_ticks *ticks = context->engine->ticks;
    double none = price ? NAN : 0;
    if (ticks == NULL || side == 0 || level < 0)
        return none;
    const nt_tick_market *tick = nt_tick_market_of(context->engine, (int32_t)context->symbol);
    if (tick->heard)
        return shown(nt_depth_level(tick->heard, side, level), price);
    if (level > 0)
        return none;
    return price ? (side > 0 ? tick->bid : tick->ask) : (side > 0 ? tick->bid_size : tick->ask_size);
}

double nt_tick_depth_price(nt_context *context, int64_t side, int64_t level)
{
    return heard_level(context, side, level, 1);
}

double nt_tick_depth_size(nt_context *context, int64_t side, int64_t level)
{
    return heard_level(context, side, level, 0);
}

double nt_tick_queue_ahead(nt_context *context, int64_t order_id)
{
    const nt_engine *engine = context->engine;
    const nt_order *row = nt_orders_row(&engine->orders, order_id);
    if (engine->ticks == NULL || !nt_order_is_active(row))
        return NAN;
    const nt_resting *resting = nt_tick_resting(engine->ticks, order_id, row->working);
    if (resting == NULL || !resting->rests)
        return NAN;
    return resting->ahead == NT_QUEUE_UNKNOWN ? INFINITY : nt_double_from_nano(resting->ahead);
}

/* The event joins what the strategy sees. */
static nt_status hear(nt_engine *engine, const nt_tick_stream *stream, int64_t first, int32_t rows)
{
    nt_tick_market *tick = &engine->ticks->markets[stream->slot];
    const double *const *columns = stream->columns;
    if (stream->kind == NT_HEARD_QUOTE) {
        tick->bid = columns[0][first];
        tick->bid_size = columns[1][first];
        tick->ask = columns[2][first];
        tick->ask_size = columns[3][first];
        return NT_OK;
    }
    if (stream->kind == NT_HEARD_TRADE) {
        tick->last_price = columns[0][first];
        tick->last_size = columns[1][first];
        tick->aggressor = stream->sign[first];
        return NT_OK;
    }
    nt_status status = tick->heard == tick->venue ? NT_OK : nt_tick_write_book(tick->heard, stream, first, rows);
    if (status != NT_OK || tick->has_quotes)
        return status;
    const nt_level *bid = nt_depth_best(tick->heard, 1), *ask = nt_depth_best(tick->heard, -1);
    tick->bid = shown(bid, 1);
    tick->bid_size = shown(bid, 0);
    tick->ask = shown(ask, 1);
    tick->ask_size = shown(ask, 0);
    return NT_OK;
}

/* What one unit is worth by what was heard: the middle, else the last print, else the side there is; nothing new keeps the old. */
static double mark_of(const nt_tick_market *tick, double before)
{
    double middle = (tick->bid + tick->ask) * 0.5;
    if (middle == middle)
        return middle;
    if (tick->last_price == tick->last_price)
        return tick->last_price;
    if (tick->bid == tick->bid)
        return tick->bid;
    return tick->ask == tick->ask ? tick->ask : before;
}

static void show(nt_context *context, const nt_tick_market *tick, int32_t kind)
{
    context->event = kind;
    context->bid = tick->bid;
    context->bid_size = tick->bid_size;
    context->ask = tick->ask;
    context->ask_size = tick->ask_size;
    context->last = tick->last_price;
    context->last_size = tick->last_size;
    context->aggressor = (int64_t)tick->aggressor;
    context->mid = (tick->bid + tick->ask) * 0.5;
}

/* ---- the steps ---- */

static nt_status venue_goes_on(nt_engine *engine)
{
    nt_ticks *ticks = engine->ticks;
    const int64_t *venue = ticks->events.venue;
    if (venue == NULL) {
        ticks->venue_next = engine->i + 1;
        return nt_tick_happens(engine, engine->i);
    }
    nt_status status = NT_OK;
    while (status == NT_OK && ticks->venue_next < engine->clock_count && venue[ticks->venue_next] <= engine->i)
        status = nt_tick_happens(engine, venue[ticks->venue_next++]);
    return status;
}

static nt_status call(nt_engine *engine)
{
    if (UNLIKELY(engine->strategy(&engine->context, engine->strategy_user) != 0))
        return engine->failure != NT_OK ? engine->failure : NT_STOPPED;
    return NT_OK;
}

static double equity_of(const nt_engine *engine)
{
    if (engine->market_count != 1)
        return nt_engine_equity(engine);
    const nt_market *market = engine->markets;
    return market->exposure != 0 ? engine->cash + market->exposure * market->last_close : engine->cash;
}

/* After the call: failures, then the journal; decisions are journalled before they act, fills as they become known. */
static nt_status attend(nt_engine *engine)
{
    uint32_t attention = engine->attention;
    engine->attention = 0;
    return attention & NT_ATTEND_FAILURE ? engine->failure : nt_engine_journal(engine);
}

static inline void mark(nt_engine *engine, const nt_tick_market *tick, int32_t slot)
{
    nt_market *market = &engine->markets[slot];
    market->step = engine->i;
    market->last_close = mark_of(tick, market->last_close);
    nt_orders_touch(&engine->orders, slot);
    if (UNLIKELY(engine->ticks->seats[slot].marks != NULL))
        nt_tick_turn(engine, slot);
}

/* The strategy of a slot, if it wants this event or its columns turn at it. */
static inline nt_status call_one(nt_engine *engine, int32_t slot, uint32_t called, uint32_t kind)
{
    nt_context *context = &engine->context;
    if (!(called >> kind & 1) && engine->ticks->seats[slot].turned != engine->i)
        return NT_OK;
    if (context->symbol != slot)
        nt_context_select(engine, slot);
    context->bar = engine->markets[slot].bar;
    nt_status status = call(engine);
    return status == NT_OK && UNLIKELY(engine->attention != 0) ? attend(engine) : status;
}

/* Several strategies: what was heard becomes the mark of each, then each is called. */
static void mark_others(nt_engine *engine, const nt_tick_market *tick, int32_t symbol)
{
    for (int32_t slot = symbol + engine->symbol_count; slot < engine->market_count; slot += engine->symbol_count)
        mark(engine, tick, slot);
}

static nt_status call_members(nt_engine *engine, int32_t symbol, uint32_t kind)
{
    nt_status status = NT_OK;
    for (int32_t slot = symbol; slot < engine->market_count && status == NT_OK; slot += engine->symbol_count)
        status = call_one(engine, slot, nt_team_called(engine->team, slot), kind);
    return status;
}

static nt_status step(nt_engine *engine)
{
    nt_ticks *ticks = engine->ticks;
    nt_context *context = &engine->context;
    int64_t i = engine->i;
    nt_status status = NT_OK;
    for (int32_t slot = 0; UNLIKELY(engine->opens) && slot < engine->market_count && status == NT_OK; slot++)
        status = nt_account_before(engine, slot);
    if (status == NT_OK)
        status = venue_goes_on(engine);
    if (UNLIKELY(status != NT_OK))
        return status;
    const nt_tick_stream *stream = &ticks->streams[ticks->events.stream[i]];
    status = hear(engine, stream, ticks->events.first[i], ticks->events.rows[i]);
    if (UNLIKELY(status != NT_OK))
        return status;
    ticks->now_ns = engine->clock_ts_ns[i];
    int32_t symbol = stream->slot;
    const nt_tick_market *tick = &ticks->markets[symbol];
    mark(engine, tick, symbol);
    if (UNLIKELY(engine->team != NULL))
        mark_others(engine, tick, symbol);
    if (UNLIKELY(engine->gate.watches | engine->marks) && (status = nt_account_mark(engine)) != NT_OK)
        return status;
    context->i = i;
    context->ts_ns = ticks->now_ns;
    context->equity = equity_of(engine);
    show(context, tick, stream->kind);
    if (UNLIKELY(engine->team != NULL))
        status = call_members(engine, symbol, (uint32_t)stream->kind);
    else
        status = call_one(engine, symbol, ticks->called, (uint32_t)stream->kind);
    if (UNLIKELY(status != NT_OK))
        return status;
    if (UNLIKELY(engine->attention != 0) && (status = attend(engine)) != NT_OK)
        return status;
    engine->equity[i] = context->equity;
    if (UNLIKELY(engine->team != NULL))
        nt_team_mark(engine);
    return NT_OK;
}

nt_status nt_ticks_run(nt_engine *engine, int64_t stop)
{
    nt_status status = NT_OK;
    for (; engine->i < stop && status == NT_OK; engine->i += status == NT_OK)
        status = step(engine);
    return status;
}

void nt_ticks_closing(nt_engine *engine)
{
    nt_ticks *ticks = engine->ticks;
    ticks->room = INT64_MAX;
    for (int32_t slot = 0; slot < engine->market_count; slot++) {
        const nt_tick_market *tick = nt_tick_market_of(engine, slot);
        double near = engine->positions[slot].quantity > 0 ? tick->bid : tick->ask;
        ticks->seats[slot].closing = near == near ? near : engine->markets[slot].last_close;
        engine->markets[slot].series.open = &ticks->seats[slot].closing;
        engine->markets[slot].bar = 0;
    }
}
