#include "nt_book.h"

#include "nt_account.h"
#include "nt_gate.h"
#include "nt_size.h"
#include "nt_tick.h"

/* The quantity a request comes to at `price`: exact if given, else what would be traded there. Not above 0: nothing to do. */
static nt_status estimate(const nt_engine *engine, const nt_request *request, int64_t price, int64_t *out)
{
    if (request->size.kind == NT_SIZE_GIVEN) {
        *out = request->size.value;
        return NT_OK;
    }
    int64_t target;
    nt_status status = nt_size_target(engine, request->slot, request->size, request->target_side, price, &target);
    if (status == NT_OK)
        *out = request->side * (request->target_side * target - engine->positions[request->slot].quantity);
    return status;
}

/* Whether the order says when it may fill, in one way only. */
static nt_status check_time(const nt_engine *engine, const nt_request *request)
{
    int is_dated = request->tif == NT_TIF_GTD;
    if (request->tif > NT_TIF_GTD || is_dated != (request->good_till != 0))
        return NT_DENIED_TIME_IN_FORCE;
    if (is_dated && request->good_till <= engine->clock_ts_ns[engine->i])
        return NT_DENIED_TIME_IN_FORCE;
    if (request->at != NT_AT_ANY && engine->ticks) /* no bar opens or closes */
        return NT_DENIED_CONFLICT;
    return request->at != NT_AT_ANY && (request->limit || request->stop) ? NT_DENIED_CONFLICT : NT_OK;
}

/* Whether a price lies off the grid. Most are not given, and a division costs more than asking. */
static int is_off(int64_t price, int64_t tick)
{
    return price != 0 && tick != 1 && price % tick != 0;
}

/* Most orders are small enough to tell unrounded. */
int nt_book_fits_twice(const nt_engine *engine, int32_t slot, int64_t quantity, int64_t price)
{
    int64_t notional;
    const nt_position *position = &engine->positions[slot];
    int plain = position->multiplier == NT_NANO && position->rate == NT_PICO;
    if (plain && (nt_wide)quantity * price < (nt_wide)(INT64_MAX / 4) * engine->ledger.divisor)
        return 1;
    return nt_ledger_notional(&engine->ledger, slot, quantity, price, &notional) == NT_OK && notional <= INT64_MAX / 2;
}

/* A level given twice, as a price and as a rate, means neither. */
static int is_given_twice(const nt_bracket *bracket)
{
    return (bracket->stop_loss && bracket->stop_loss_rate) || (bracket->take_profit && bracket->take_profit_rate) ||
           (bracket->trail && bracket->trail_rate);
}

/* Structural checks, on every order, with limits or without. */
static nt_status check_shape(const nt_engine *engine, const nt_request *request, int64_t quantity, int64_t reference)
{
    const nt_market *market = &engine->markets[request->slot];
    int64_t price = request->limit ? request->limit : request->stop;
    int trails = request->trail != 0 || request->trail_rate != 0;
    nt_status when = check_time(engine, request);
    if (when != NT_OK)
        return when;
    if (is_given_twice(&request->bracket))
        return NT_DENIED_CONFLICT;
    if (request->size.kind == NT_SIZE_GIVEN) {
        if (request->size.value <= 0)
            return NT_DENIED_QUANTITY_RANGE;
        if (request->role == NT_ROLE_ENTRY && is_off(request->size.value, market->lot))
            return NT_DENIED_LOT;
    }
    if (request->limit < 0 || request->stop < 0)
        return NT_DENIED_PRICE_RANGE;
    if (request->size.kind == NT_SIZE_GIVEN && request->role == NT_ROLE_ENTRY &&
        !nt_book_fits_twice(engine, request->slot, request->size.value, price > reference ? price : reference))
        return NT_DENIED_QUANTITY_RANGE;
    const nt_bracket *bracket = &request->bracket;
    int64_t tick = market->tick;
    if (is_off(request->limit, tick) || (!trails && is_off(request->stop, tick)) || is_off(request->trail, tick) ||
        is_off(bracket->stop_loss, tick) || is_off(bracket->take_profit, tick) || is_off(bracket->trail, tick))
        return NT_DENIED_TICK;
    if (price || reference) {
        nt_status status = nt_bracket_check(bracket, request->side, price ? price : reference);
        if (status != NT_OK)
            return status;
    }
    if (!engine->account.shorting && request->side < 0 && quantity > engine->positions[request->slot].quantity)
        return NT_DENIED_SHORTING;
    return engine->orders.working_count >= NT_WORKING_MAX / 4 ? NT_DENIED_TABLE_FULL : NT_OK;
}

static uint8_t type_of(const nt_request *request)
{
    if (request->trail || request->trail_rate)
        return NT_TRAILING;
    if (request->at != NT_AT_ANY)
        return request->at == NT_AT_OPEN ? NT_ON_OPEN : NT_ON_CLOSE;
    if (request->stop)
        return request->limit ? NT_STOP_LIMIT : NT_STOP;
    return request->limit ? NT_LIMIT : NT_MARKET;
}

static double told(int64_t value, int64_t scale)
{
    return scale ? (double)value / (double)scale : NAN;
}

nt_status nt_book_note_denial(nt_engine *engine, int32_t slot, int64_t order_id, nt_status reason, const nt_finding *finding)
{
    nt_denial_row *row = nt_rows_add(&engine->denials);
    if (row == NULL) {
        nt_engine_fail(engine, NT_NO_MEMORY);
        return NT_NO_MEMORY;
    }
    *row = (nt_denial_row){engine->i, engine->clock_ts_ns[engine->i], order_id, told(finding->limit, finding->scale),
                           told(finding->value, finding->scale), slot, reason};
    return NT_OK;
}

static int64_t deny(nt_engine *engine, const nt_order *order, nt_status reason, const nt_finding *finding)
{
    int64_t id;
    nt_status status = nt_orders_add(&engine->orders, order, NULL, &id);
    if (status != NT_OK) {
        nt_engine_fail(engine, status);
        return status;
    }
    (void)nt_orders_move(&engine->orders, id, NT_DENIED, reason, engine->i);
    status = nt_book_note_denial(engine, order->symbol, id, reason, finding);
    if (status != NT_OK)
        return status;
    nt_engine_record(engine, NT_EVENT_DENIED, order->symbol, id, order->side, (int16_t)reason, order->quantity, order->limit,
                     order->stop, order->signal_id);
    return reason;
}

int64_t nt_book_refuse(nt_engine *engine, int32_t slot, int64_t side, nt_status reason)
{
    nt_order order = {
        .created_bar = engine->i,
        .symbol = slot,
        .side = side < 0 ? -1 : 1,
    };
    nt_finding none = {0, 0, 0};
    return deny(engine, &order, reason, &none);
}

static nt_status gate(nt_engine *engine, const nt_request *request, int64_t quantity, int64_t reference, nt_finding *finding)
{
    nt_status status = engine->restrains ? nt_account_refusal(engine, request->slot) : NT_OK;
    if (status == NT_OK)
        status = check_shape(engine, request, quantity, reference);
    if (status != NT_OK || !engine->gate.on)
        return status;
    return nt_gate_check(engine, request, quantity, reference, 0, finding);
}

int64_t nt_book_submit(nt_engine *engine, const nt_request *request)
{
    const nt_market *market = &engine->markets[request->slot];
    __builtin_prefetch(&market->series.open[market->bar + 1]); /* where it will fill, most likely */
    int64_t now = engine->clock_ts_ns[engine->i], reference = nt_engine_last_price(engine, request->slot), quantity = 0, id;
    uint8_t type = type_of(request);
    int64_t price = request->limit ? request->limit : request->stop ? request->stop : reference;
    nt_status status = NT_OK;
    if (request->size.kind == NT_SIZE_GIVEN || (price > 0 && (engine->gate.on || !engine->account.shorting)))
        status = estimate(engine, request, price, &quantity);
    if (status != NT_OK)
        return nt_book_refuse(engine, request->slot, request->side, NT_DENIED_QUANTITY_RANGE);
    nt_order order = {
        .signal_id = market->signal_bar == engine->i ? market->signal_id : 0,
        .created_bar = engine->i,
        .quantity = request->size.kind == NT_SIZE_GIVEN ? request->size.value : 0,
        .limit = request->limit,
        .stop = request->stop,
        .symbol = request->slot,
        .side = request->side,
        .type = type,
        .tif = request->tif,
        .role = request->role,
    };
    nt_finding finding = {0, 0, 0};
    status = gate(engine, request, quantity, reference, &finding);
    if (status != NT_OK)
        return deny(engine, &order, status, &finding);
    int same_close = (type == NT_MARKET && engine->policy.market_at == NT_MARKET_SAME_CLOSE) ||
                     (type == NT_LIMIT && engine->policy.limits_from == NT_LIMITS_AT_ONCE);
    nt_working working = {
        .limit = request->limit,
        .stop = request->stop,
        .bracket = request->bracket,
        .size_kind = (uint8_t)request->size.kind,
        .size_value = request->size.value,
        .target_side = request->target_side,
        .from_bar = engine->i + !same_close,
        .from_ns = now > INT64_MAX - engine->latency_ns ? INT64_MAX : now + engine->latency_ns,
        .trail = request->trail,
        .trail_rate = request->trail_rate,
        .peak = reference,
        .good_till = request->good_till,
        .day = -1,
        .born_bar = -1,
    };
    status = nt_orders_add(&engine->orders, &order, &working, &id);
    if (status == NT_OK && engine->gate.on)
        status = nt_gate_note(engine);
    if (status != NT_OK) {
        nt_engine_fail(engine, status);
        return status;
    }
    (void)nt_orders_move(&engine->orders, id, NT_SUBMITTED, 0, 0);
    nt_engine_record(engine, NT_EVENT_ORDER, request->slot, id, request->side, type, order.quantity, order.limit, order.stop,
                     order.signal_id);
    if (engine->ticks)
        return nt_ticks_send(engine, id) == NT_OK ? id : NT_NO_MEMORY;
    if (same_close)
        engine->attention |= NT_ATTEND_CLOSE;
    return id;
}

int64_t nt_book_end(nt_engine *engine, int64_t order_id, uint8_t status, int32_t reason)
{
    const nt_order *row = nt_orders_row(&engine->orders, order_id);
    int64_t partner_id = nt_order_is_active(row) ? engine->orders.working[row->working].partner : 0;
    if (nt_orders_move(&engine->orders, order_id, status, reason, engine->i) != NT_OK)
        return 0;
    uint8_t kind = status == NT_EXPIRED ? NT_EVENT_EXPIRED : status == NT_REJECTED ? NT_EVENT_REJECTED : NT_EVENT_CANCELLED;
    nt_engine_record(engine, kind, row->symbol, order_id, row->side, (int16_t)reason, row->filled, 0, 0, 0);
    if (!nt_order_is_active(nt_orders_row(&engine->orders, partner_id)))
        return 1;
    return 1 + nt_book_end(engine, partner_id, NT_CANCELLED_ORDER, reason);
}

int64_t nt_book_cancel(nt_engine *engine, int64_t order_id, int32_t reason)
{
    const nt_order *row = nt_orders_row(&engine->orders, order_id);
    if (row == NULL)
        return NT_DENIED_UNKNOWN_ORDER;
    if (!nt_order_is_active(row))
        return NT_DENIED_ORDER_DONE;
    if (row->role == NT_ROLE_LIQUIDATION)
        return NT_DENIED_LIQUIDATION;
    if (engine->ticks)
        return nt_ticks_send_cancel(engine, order_id);
    (void)nt_book_end(engine, order_id, NT_CANCELLED_ORDER, reason);
    return 1;
}
