#include "nt_context.h"

#include <math.h>
#include <stddef.h>

#include "nt_book.h"
#include "nt_size.h"
#include "nt_tick.h"

_Static_assert(sizeof(nt_context) == 32 * 8 && offsetof(nt_context, event) == 23 * 8 && offsetof(nt_context, position) == 12 * 8 && offsetof(nt_context, api) == 19 * 8 &&
                   offsetof(nt_context, similar_count) == 22 * 8,
               "CONTEXT_DTYPE");
_Static_assert(sizeof(nt_api) == 24 * 8 && offsetof(nt_api, similar) == 8 * 8 && offsetof(nt_api, place) == 17 * 8, "API_NAMES");
_Static_assert(sizeof(nt_similar) == 32, "SIMILAR_DTYPE");

static int32_t slot_of(const nt_context *context)
{
    return (int32_t)context->symbol;
}

static int has_working(const nt_engine *engine, int32_t slot, uint8_t role, int64_t side)
{
    const nt_orders *orders = &engine->orders;
    for (int32_t index = orders->lists[slot].head; index >= 0; index = orders->working[index].next) {
        const nt_order *row = nt_orders_row(orders, orders->working[index].order_id);
        if (row->role == role && row->side == side)
            return 1;
    }
    return 0;
}

/* Already on that side, or on the way there. */
static int is_there(const nt_engine *engine, int32_t slot, int64_t side)
{
    return engine->positions[slot].quantity * side > 0 || has_working(engine, slot, NT_ROLE_ENTRY, side);
}

/* An optional price: NaN is none, anything but a positive number that fits is refused. */
static nt_status optional(double value, double scale, int64_t *out)
{
    *out = 0;
    if (isnan(value))
        return NT_OK;
    return value > 0 && nt_fixed_from_double(value, scale, out) == NT_OK && *out > 0 ? NT_OK : NT_DENIED_PRICE_RANGE;
}

/* The quantity of an order that may open: as given, or the default size, which is 0 = nothing to do once that side is there. */
static nt_status size_of(const nt_engine *engine, nt_request *request, double quantity, int *nothing)
{
    *nothing = isnan(quantity) && is_there(engine, request->slot, request->side);
    if (isnan(quantity))
        return NT_OK;
    request->size = (nt_size){NT_SIZE_GIVEN, 0};
    return nt_nano_from_double(quantity, &request->size.value) == NT_OK && request->size.value > 0 ? NT_OK : NT_DENIED_QUANTITY_RANGE;
}

static uint8_t tif_of(int64_t tif)
{
    return tif < 0 || tif > NT_TIF_GTD ? NT_TIF_GTD + 1 : (uint8_t)tif;
}

static int64_t api_place(nt_context *context, int64_t side, double quantity, double limit, double stop, double stop_loss,
                         double take_profit, double trail, double stop_loss_rate, double take_profit_rate, double trail_rate,
                         int64_t tif, int64_t good_till, int64_t at)
{
    nt_engine *engine = context->engine;
    int32_t slot = slot_of(context);
    nt_request request = {
        .slot = slot,
        .side = side > 0 ? 1 : -1,
        .target_side = side > 0 ? 1 : -1,
        .tif = tif_of(tif),
        .role = NT_ROLE_ENTRY,
        .size = engine->size,
        .good_till = good_till,
        .at = (uint8_t)(at == NT_AT_OPEN || at == NT_AT_CLOSE ? at : NT_AT_ANY),
    };
    int nothing;
    nt_status status = size_of(engine, &request, quantity, &nothing);
    if (status != NT_OK)
        return nt_book_refuse(engine, slot, side, status);
    if (nothing)
        return 0;
    nt_bracket *bracket = &request.bracket;
    if ((status = optional(limit, 1e9, &request.limit)) != NT_OK || (status = optional(stop, 1e9, &request.stop)) != NT_OK ||
        (status = optional(stop_loss, 1e9, &bracket->stop_loss)) != NT_OK ||
        (status = optional(take_profit, 1e9, &bracket->take_profit)) != NT_OK ||
        (status = optional(trail, 1e9, &bracket->trail)) != NT_OK ||
        (status = optional(stop_loss_rate, 1e12, &bracket->stop_loss_rate)) != NT_OK ||
        (status = optional(take_profit_rate, 1e12, &bracket->take_profit_rate)) != NT_OK ||
        (status = optional(trail_rate, 1e12, &bracket->trail_rate)) != NT_OK)
        return nt_book_refuse(engine, slot, side, status);
    return nt_book_submit(engine, &request);
}

static int64_t api_order(nt_context *context, int64_t side, double quantity, double limit, double stop, double stop_loss,
                         double take_profit, double trail, double stop_loss_rate, double take_profit_rate, double trail_rate,
                         int64_t tif)
{
    return api_place(context, side, quantity, limit, stop, stop_loss, take_profit, trail, stop_loss_rate, take_profit_rate,
                     trail_rate, tif, 0, NT_AT_ANY);
}

/* Where a trailing stop starts, seen from `peak`. */
static nt_status trail_from(nt_request *request, double trail, double trail_rate, int64_t peak, int64_t tick)
{
    if (!isnan(trail) && !isnan(trail_rate))
        return NT_DENIED_CONFLICT;
    if (optional(trail, 1e9, &request->trail) != NT_OK || optional(trail_rate, 1e12, &request->trail_rate) != NT_OK ||
        (request->trail | request->trail_rate) == 0 || request->trail_rate >= NT_PICO)
        return NT_DENIED_PRICE_RANGE;
    if (peak <= 0)
        return NT_DENIED_NO_REFERENCE;
    nt_working working = {.trail = request->trail, .trail_rate = request->trail_rate, .peak = peak};
    if (peak > INT64_MAX / 2 || request->trail > INT64_MAX / 2)
        return NT_DENIED_PRICE_RANGE;
    request->stop = nt_bracket_trail(&working, request->side, tick);
    return request->stop > 0 ? NT_OK : NT_DENIED_PRICE_RANGE;
}

/* The request to reduce what is held by at most `quantity`; NaN: all of it. */
static nt_status reduce_by(const nt_engine *engine, nt_request *request, double quantity)
{
    int64_t held = nt_absolute(engine->positions[request->slot].quantity), asked = held;
    request->role = NT_ROLE_TRAIL;
    if (!isnan(quantity) && (nt_nano_from_double(quantity, &asked) != NT_OK || asked <= 0))
        return NT_DENIED_QUANTITY_RANGE;
    if (!isnan(quantity) && asked % engine->markets[request->slot].lot != 0)
        return NT_DENIED_LOT;
    request->size = (nt_size){NT_SIZE_GIVEN, nt_smaller(asked, held)};
    return NT_OK;
}

static int64_t api_trailing_stop(nt_context *context, double quantity, double trail, double trail_rate, int64_t side, int64_t tif,
                                 int64_t good_till)
{
    nt_engine *engine = context->engine;
    int32_t slot = slot_of(context);
    int64_t held = engine->positions[slot].quantity, way = side ? nt_sign(side) : -nt_sign(held);
    if (way == 0)
        return 0;
    nt_request request = {
        .slot = slot,
        .side = (int8_t)way,
        .target_side = (int8_t)way,
        .tif = tif_of(tif),
        .role = NT_ROLE_ENTRY,
        .size = engine->size,
        .good_till = good_till,
    };
    if (side < -1 || side > 1)
        return nt_book_refuse(engine, slot, way, NT_DENIED_CONFLICT);
    int nothing = 0;
    nt_status status = side ? size_of(engine, &request, quantity, &nothing) : reduce_by(engine, &request, quantity);
    if (status == NT_OK && !nothing)
        status = trail_from(&request, trail, trail_rate, nt_engine_last_price(engine, slot), engine->markets[slot].tick);
    if (status != NT_OK)
        return nt_book_refuse(engine, slot, way, status);
    return nothing ? 0 : nt_book_submit(engine, &request);
}

static int64_t api_modify(nt_context *context, int64_t order_id, double quantity, double limit, double stop)
{
    nt_engine *engine = context->engine;
    int64_t units = 0, limit_nano, stop_nano;
    if (!isnan(quantity) && (nt_nano_from_double(quantity, &units) != NT_OK || units <= 0))
        return nt_book_modify_refused(engine, order_id, NT_DENIED_QUANTITY_RANGE, NULL);
    if (optional(limit, 1e9, &limit_nano) != NT_OK || optional(stop, 1e9, &stop_nano) != NT_OK)
        return nt_book_modify_refused(engine, order_id, NT_DENIED_PRICE_RANGE, NULL);
    return nt_book_modify(engine, order_id, units, limit_nano, stop_nano);
}

static int64_t api_oco(nt_context *context, int64_t order_id, int64_t other_id)
{
    return nt_book_join(context->engine, order_id, other_id);
}

static int64_t api_trade(nt_context *context, int64_t side)
{
    nt_engine *engine = context->engine;
    nt_request request = {
        .slot = slot_of(context),
        .side = side > 0 ? 1 : -1,
        .target_side = side > 0 ? 1 : -1,
        .role = NT_ROLE_ENTRY,
        .size = engine->size,
    };
    return is_there(engine, request.slot, request.side) ? 0 : nt_book_submit(engine, &request);
}

static int64_t api_close_position(nt_context *context)
{
    nt_engine *engine = context->engine;
    int32_t slot = slot_of(context);
    int64_t held = engine->positions[slot].quantity, side = -nt_sign(held);
    if (held == 0 || has_working(engine, slot, NT_ROLE_CLOSE, side))
        return 0;
    nt_request request = {
        .slot = slot, .side = (int8_t)side, .role = NT_ROLE_CLOSE, .size = {NT_SIZE_GIVEN, nt_absolute(held)}};
    return nt_book_submit(engine, &request);
}

static int64_t api_target(nt_context *context, double fraction)
{
    nt_engine *engine = context->engine;
    int32_t slot = slot_of(context);
    int64_t price, target = 0;
    nt_request request = {.slot = slot, .role = NT_ROLE_ENTRY, .size = {NT_SIZE_EQUITY, 0}};
    if (!(fabs(fraction) <= 1000) || nt_fixed_from_double(fabs(fraction), 1e12, &request.size.value) != NT_OK)
        return nt_book_refuse(engine, slot, fraction < 0 ? -1 : 1, NT_DENIED_QUANTITY_RANGE);
    request.target_side = (int8_t)((fraction > 0) - (fraction < 0));
    request.side = request.target_side;
    if (nt_nano_from_double(engine->markets[slot].last_close, &price) == NT_OK && price > 0) {
        nt_status status = nt_size_target(engine, slot, request.size, request.target_side, price, &target);
        if (status != NT_OK)
            return nt_book_refuse(engine, slot, request.side, NT_DENIED_QUANTITY_RANGE);
        int64_t change = request.target_side * target - engine->positions[slot].quantity;
        if (change == 0)
            return 0;
        request.side = (int8_t)nt_sign(change);
    }
    return nt_book_submit(engine, &request);
}

static int64_t api_cancel(nt_context *context, int64_t order_id)
{
    return nt_book_cancel(context->engine, order_id, 0);
}

static int64_t api_cancel_all(nt_context *context)
{
    nt_engine *engine = context->engine;
    nt_orders *orders = &engine->orders;
    int64_t count = 0;
    int32_t next;
    for (int32_t index = orders->lists[slot_of(context)].head; index >= 0; index = next) {
        next = orders->working[index].next;
        int64_t before = orders->working_count;
        if (nt_book_cancel(engine, orders->working[index].order_id, 0) != 1)
            continue;
        int64_t ended = before - orders->working_count; /* none yet where the cancel has to travel first */
        count += ended > 0 ? ended : 1;
        if (ended > 1) /* `next` may have ended with it */
            next = orders->lists[slot_of(context)].head;
    }
    return count;
}

static int64_t api_is_active(nt_context *context, int64_t order_id)
{
    return nt_order_is_active(nt_orders_row(&context->engine->orders, order_id));
}

static int64_t bits_of(double x)
{
    union {
        double value;
        int64_t bits;
    } both = {.value = x};
    return both.bits;
}

static double api_signal(nt_context *context, int64_t direction, double confidence, int64_t reasoning)
{
    nt_engine *engine = context->engine;
    int32_t slot = slot_of(context);
    nt_signal_row *row = nt_rows_add(&engine->signals);
    if (row == NULL) {
        nt_engine_fail(engine, NT_NO_MEMORY);
        return confidence;
    }
    direction = nt_sign(direction);
    *row = (nt_signal_row){engine->signals.count, engine->i, context->ts_ns, confidence, confidence, reasoning, slot,
                           (int32_t)direction};
    int64_t id = row->signal_id;
    if (engine->advisor) {
        nt_signal_row copy = *row; /* the callback may record further signals, which moves rows */
        double enhanced = confidence;
        if (engine->advisor(engine->callback_user, &copy, &enhanced) != 0)
            nt_engine_fail(engine, NT_STOPPED);
        row = (nt_signal_row *)engine->signals.data + (id - 1);
        row->enhanced = enhanced;
    }
    double enhanced = row->enhanced;
    engine->markets[slot].signal_id = id;
    engine->markets[slot].signal_bar = engine->i;
    nt_engine_record(engine, NT_EVENT_SIGNAL, slot, id, (int8_t)direction, 0, 0, bits_of(confidence), bits_of(enhanced), 0);
    return enhanced;
}

static int64_t api_similar(nt_context *context, int64_t k)
{
    nt_engine *engine = context->engine;
    context->similar = NULL;
    context->similar_count = 0;
    if (engine->recall == NULL || k < 1)
        return 0;
    if (engine->recall(engine->callback_user, context->symbol, context->ts_ns, k, &context->similar, &context->similar_count) != 0) {
        context->similar_count = 0;
        nt_engine_fail(engine, NT_STOPPED);
    }
    return context->similar_count;
}

static int64_t api_halt(nt_context *context, int64_t mode)
{
    return nt_gate_halt(context->engine, mode < NT_MODE_REDUCE_ONLY || mode > NT_MODE_CANCEL_ALL ? NT_MODE_CANCEL_ALL : (int32_t)mode, 0);
}

void nt_context_refresh(nt_engine *engine, int32_t slot)
{
    nt_context *context = &engine->context;
    const nt_position *position = &engine->positions[slot];
    double units = nt_double_from_nano(position->quantity);
    engine->cash = (double)engine->ledger.cash / (double)engine->ledger.scale;
    engine->markets[slot].exposure = units * nt_double_from_nano(position->multiplier) * engine->markets[slot].fx;
    context->cash = engine->cash;
    if (context->symbol == slot) {
        context->position = units;
        context->entry_price = position->quantity ? nt_double_from_nano(position->entry_price) : NAN;
    }
}

void nt_context_select(nt_engine *engine, int32_t slot)
{
    nt_context *context = &engine->context;
    const nt_market *market = &engine->markets[slot];
    const nt_position *position = &engine->positions[slot];
    context->symbol = slot;
    context->bar = market->bar;
    context->open = market->series.open;
    context->high = market->series.high;
    context->low = market->series.low;
    context->close = market->series.close;
    context->volume = market->series.volume;
    context->indicators = market->indicators;
    context->indicator_count = market->indicator_count;
    context->position = nt_double_from_nano(position->quantity);
    context->entry_price = position->quantity ? nt_double_from_nano(position->entry_price) : NAN;
}

void nt_context_open(nt_engine *engine)
{
    engine->api = (nt_api){api_trade, api_order, api_close_position, api_target, api_cancel, api_cancel_all, api_is_active,
                           api_signal, api_similar, pow, exp, log, sin, cos, tan, tanh, api_halt,
                           api_place, api_trailing_stop, api_modify, api_oco, nt_tick_depth_price, nt_tick_depth_size,
                           nt_tick_queue_ahead};
    engine->context.api = &engine->api;
    engine->context.engine = engine;
    engine->context.bid = engine->context.ask = engine->context.last = engine->context.mid = NAN;
    nt_context_select(engine, 0);
    nt_context_refresh(engine, 0);
}
