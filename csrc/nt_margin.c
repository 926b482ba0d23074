#include "nt_margin.h"

#include "nt_book.h"
#include "nt_match.h"
#include "nt_tick.h"

/* The account at one set of prices, minor units. */
typedef struct nt_standing {
    nt_wide equity;
    nt_wide exposure; /* gross */
} nt_standing;

static int64_t clamped(nt_wide value)
{
    return value > INT64_MAX ? INT64_MAX : value < -INT64_MAX ? -INT64_MAX : (int64_t)value;
}

/* The price that a position is judged at; 0 = there is none. */
static int64_t judged_price(const nt_engine *engine, int32_t slot, int64_t held, int at_extremes)
{
    const nt_market *market = &engine->markets[slot];
    int64_t price;
    if (!at_extremes || engine->ticks || market->step != engine->i)
        return nt_engine_last_price(engine, slot);
    double worst = held > 0 ? market->series.low[market->bar] : market->series.high[market->bar];
    return nt_nano_from_double(worst, &price) == NT_OK && price > 0 ? price : 0;
}

/* NT_NOT_FOUND: something that is held has no price in this step, so there is nothing to judge by. */
static nt_status stand(const nt_engine *engine, int at_extremes, nt_standing *out)
{
    out->equity = engine->ledger.cash;
    out->exposure = 0;
    for (int32_t slot = 0; slot < engine->market_count; slot++) {
        int64_t held = engine->positions[slot].quantity, price, value;
        if (held == 0)
            continue;
        if ((price = judged_price(engine, slot, held, at_extremes)) == 0)
            return NT_NOT_FOUND;
        if (nt_ledger_notional(&engine->ledger, slot, held, price, &value) != NT_OK)
            return NT_OVERFLOW;
        out->equity += value;
        out->exposure += nt_absolute(value);
    }
    return NT_OK;
}

static int is_short(const nt_engine *engine, const nt_standing *standing)
{
    return standing->equity * NT_PICO < standing->exposure * engine->account.maintenance;
}

/* Whether an order of the latest liquidation still works. */
static int is_liquidating(const nt_engine *engine)
{
    for (int64_t id = engine->margin.first_id; id < engine->margin.end_id; id++)
        if (nt_order_is_active(nt_orders_row(&engine->orders, id)))
            return 1;
    return 0;
}

static void cancel_entries(nt_engine *engine, int32_t slot)
{
    const nt_orders *orders = &engine->orders;
    int32_t next;
    for (int32_t index = orders->lists[slot].head; index >= 0; index = next) {
        int64_t id = orders->working[index].order_id;
        next = orders->working[index].next;
        if (nt_orders_row(orders, id)->role == NT_ROLE_ENTRY)
            if (nt_book_end(engine, id, NT_CANCELLED_ORDER, NT_DENIED_LIQUIDATION) > 1)
                next = orders->lists[slot].head;
    }
}

/* The engine's own market order for all that is held: no gate, never cancelled by the strategy; over bars without latency, over ticks
 * on its way like any other. */
static nt_status close_out(nt_engine *engine, int32_t slot)
{
    int64_t held = engine->positions[slot].quantity, id;
    nt_order order = {
        .created_bar = engine->i,
        .quantity = nt_absolute(held),
        .symbol = slot,
        .side = (int8_t)-nt_sign(held),
        .type = NT_MARKET,
        .role = NT_ROLE_LIQUIDATION,
        .reason = NT_DENIED_LIQUIDATION,
    };
    nt_working working = {
        .size_kind = NT_SIZE_GIVEN,
        .from_bar = engine->i + (engine->policy.market_at == NT_MARKET_NEXT_OPEN),
        .from_ns = INT64_MIN,
        .day = -1,
        .born_bar = -1,
    };
    nt_status status = nt_orders_add(&engine->orders, &order, &working, &id);
    if (status != NT_OK)
        return status == NT_DENIED_TABLE_FULL ? NT_FULL : status;
    (void)nt_orders_move(&engine->orders, id, NT_SUBMITTED, 0, 0);
    nt_engine_record(engine, NT_EVENT_ORDER, slot, id, order.side, NT_MARKET, order.quantity, 0, 0, 0);
    return engine->ticks ? nt_ticks_send(engine, id) : NT_OK;
}

/* Where market orders fill at the close, so do these: in symbols that have one in this step. */
static nt_status fill_now(nt_engine *engine)
{
    nt_status status = nt_engine_journal(engine);
    for (int32_t slot = 0; slot < engine->market_count && status == NT_OK; slot++)
        if (engine->markets[slot].step == engine->i && engine->positions[slot].quantity != 0)
            status = nt_match_close(engine, slot);
    return status;
}

/* Call the account for `reason`; what is being closed already is not closed twice. */
static nt_status call(nt_engine *engine, const nt_standing *standing, int32_t reason)
{
    nt_margin *margin = &engine->margin;
    int pending = is_liquidating(engine);
    int32_t orders = 0;
    for (int32_t slot = 0; slot < engine->market_count && !pending; slot++)
        orders += engine->positions[slot].quantity != 0;
    nt_wide scaled = standing->exposure * engine->account.maintenance;
    int64_t equity = clamped(standing->equity), requirement = clamped((scaled + NT_PICO - 1) / NT_PICO);
    nt_margin_row *row = nt_rows_add(&margin->calls);
    if (row == NULL)
        return NT_NO_MEMORY;
    double scale = (double)engine->ledger.scale;
    *row = (nt_margin_row){engine->i, engine->clock_ts_ns[engine->i], (double)equity / scale, (double)requirement / scale, orders, reason};
    nt_engine_record(engine, NT_EVENT_MARGIN_CALL, 0, 0, 0, (int16_t)reason, 0, 0, equity, requirement);
    margin->state = reason == NT_DENIED_BANKRUPT ? NT_MARGIN_BANKRUPT : NT_MARGIN_CALLED;
    for (int32_t slot = 0; slot < engine->market_count; slot++)
        cancel_entries(engine, slot);
    if (pending)
        return engine->failure;
    margin->first_id = engine->orders.count + 1;
    nt_status status = NT_OK;
    for (int32_t slot = 0; slot < engine->market_count && status == NT_OK; slot++)
        if (engine->positions[slot].quantity != 0)
            status = close_out(engine, slot);
    margin->end_id = engine->orders.count + 1;
    if (status == NT_OK && orders > 0 && engine->policy.market_at == NT_MARKET_SAME_CLOSE && !engine->ticks)
        status = fill_now(engine);
    return status != NT_OK ? status : engine->failure;
}

void nt_margin_open(nt_engine *engine)
{
    engine->margin = (nt_margin){.state = NT_MARGIN_OPEN};
    nt_rows_open(&engine->margin.calls, sizeof(nt_margin_row));
}

void nt_margin_close(nt_engine *engine)
{
    nt_rows_close(&engine->margin.calls);
}

nt_status nt_margin_watch(nt_engine *engine)
{
    nt_margin *margin = &engine->margin;
    nt_standing now, worst;
    nt_status status = stand(engine, 0, &now);
    if (status != NT_OK)
        return status == NT_NOT_FOUND ? NT_OK : status;
    if (now.equity < 0 && margin->state != NT_MARGIN_BANKRUPT)
        return call(engine, &now, NT_DENIED_BANKRUPT);
    int pending = margin->state != NT_MARGIN_OPEN && is_liquidating(engine);
    if (margin->state == NT_MARGIN_BANKRUPT || pending)
        return NT_OK;
    margin->state = NT_MARGIN_OPEN;
    if (now.exposure == 0)
        return NT_OK;
    worst = now;
    if (engine->account.at_extremes && (status = stand(engine, 1, &worst)) != NT_OK)
        return status == NT_NOT_FOUND ? NT_OK : status;
    return is_short(engine, &worst) ? call(engine, &worst, NT_DENIED_LIQUIDATION) : NT_OK;
}
