#include "nt_engine.h"

#include <string.h>

#include "nt_account.h"
#include "nt_book.h"
#include "nt_match.h"
#include "nt_team.h"
#include "nt_tick.h"

#define UNLIKELY(x) __builtin_expect(!!(x), 0)

nt_status nt_engine_open(nt_engine *engine, const nt_engine_config *config, nt_market *markets, nt_position *positions,
                         int32_t market_count, const int64_t *clock_ts_ns, int64_t clock_count, double *equity)
{
    memset(engine, 0, sizeof *engine);
    nt_status status = nt_orders_open(&engine->orders, market_count);
    if (status != NT_OK)
        return status;
    engine->policy = config->policy;
    engine->costs = config->costs;
    engine->account = config->account;
    engine->limits = config->limits;
    engine->size = config->size;
    engine->latency_ns = config->latency_ns;
    engine->records_events = config->records_events;
    engine->markets = markets;
    engine->positions = positions;
    engine->market_count = engine->symbol_count = market_count;
    engine->clock_ts_ns = clock_ts_ns;
    engine->clock_count = clock_count;
    engine->equity = equity;
    nt_ledger_open(&engine->ledger, positions, market_count, (int)config->cash_digits, config->cash);
    nt_rows_open(&engine->events, sizeof(nt_event));
    nt_rows_open(&engine->trades, sizeof(nt_trade_row));
    nt_rows_open(&engine->signals, sizeof(nt_signal_row));
    nt_rows_open(&engine->denials, sizeof(nt_denial_row));
    if ((status = nt_gate_open(engine)) != NT_OK) {
        nt_engine_close(engine);
        return status;
    }
    for (int32_t slot = 0; slot < market_count; slot++) {
        nt_market *market = &markets[slot];
        market->bar = market->volume_bar = market->step = market->signal_bar = market->exit_bar = market->entry_bar = -1;
        market->last_close = NAN;
        market->exposure = 0;
    }
    nt_context_open(engine);
    status = nt_account_open(engine);
    if (status != NT_OK)
        nt_engine_close(engine);
    return status;
}

void nt_engine_close(nt_engine *engine)
{
    nt_ticks_close(engine);
    nt_orders_close(&engine->orders);
    nt_rows_close(&engine->events);
    nt_rows_close(&engine->trades);
    nt_rows_close(&engine->signals);
    nt_rows_close(&engine->denials);
    nt_account_close(engine);
    nt_gate_close(engine);
}

nt_status nt_engine_reserve(nt_engine *engine, int64_t orders, int32_t working, int64_t events)
{
    nt_status status = nt_orders_reserve(&engine->orders, orders, working);
    nt_rows *rows[] = {&engine->events, &engine->trades, &engine->denials};
    const int64_t counts[] = {events, orders, orders};
    for (int k = 0; k < 3 && status == NT_OK; k++)
        status = nt_rows_reserve(rows[k], counts[k]) ? NT_OK : NT_NO_MEMORY;
    return status == NT_OK ? nt_recents_reserve(&engine->gate.recents, working) : status;
}

void nt_engine_fail(nt_engine *engine, nt_status status)
{
    if (engine->failure == NT_OK)
        engine->failure = status;
    engine->attention |= NT_ATTEND_FAILURE;
}

int64_t nt_engine_now(const nt_engine *engine)
{
    return engine->ticks ? engine->ticks->now_ns : engine->clock_ts_ns[engine->i];
}

void nt_engine_record(nt_engine *engine, uint8_t kind, int32_t slot, int64_t id, int8_t side, int16_t code, int64_t quantity,
                      int64_t price, int64_t value, int64_t extra)
{
#ifdef NT_CHECK_BALANCE
    if (nt_account_balance(engine) != 0)
        nt_engine_fail(engine, NT_UNBALANCED);
#endif
    if (!engine->records_events && kind != NT_EVENT_FILL && kind != NT_EVENT_RATE)
        return;
    nt_event *event = nt_rows_add(&engine->events);
    if (event == NULL) {
        nt_engine_fail(engine, NT_NO_MEMORY);
        return;
    }
    *event = (nt_event){engine->i, nt_engine_now(engine), id, quantity, price, value, extra, slot, code, kind, side};
    if (engine->journal)
        engine->attention |= NT_ATTEND_JOURNAL;
}

nt_status nt_engine_journal(nt_engine *engine)
{
    int64_t count = engine->events.count - engine->journalled;
    if (engine->journal == NULL || count <= 0)
        return NT_OK;
    const nt_event *events = (const nt_event *)engine->events.data + engine->journalled;
    if (engine->journal(engine->callback_user, events, count) != 0)
        return NT_STOPPED;
    engine->journalled += count;
    return NT_OK;
}

double nt_engine_equity(const nt_engine *engine)
{
    double equity = engine->cash;
    for (int32_t slot = 0; slot < engine->market_count; slot++)
        if (engine->markets[slot].exposure != 0)
            equity += engine->markets[slot].exposure * engine->markets[slot].last_close;
    return equity;
}

/* What the strategy's call left to do: failures, the journal, fills at this close. Decisions are journalled before they act. */
static nt_status attend(nt_engine *engine)
{
    uint32_t attention = engine->attention;
    engine->attention = 0;
    if (attention & NT_ATTEND_FAILURE)
        return engine->failure;
    nt_status status = nt_engine_journal(engine);
    if (status != NT_OK || !(attention & NT_ATTEND_CLOSE))
        return status;
    for (int32_t slot = 0; slot < engine->market_count && status == NT_OK; slot++)
        if (engine->markets[slot].step == engine->i && engine->orders.lists[slot].count > 0)
            status = nt_match_close(engine, slot);
    if (status == NT_OK)
        status = nt_engine_journal(engine);
    engine->attention &= (uint32_t)~(NT_ATTEND_JOURNAL | NT_ATTEND_CLOSE);
    return status;
}

static nt_status run_single(nt_engine *engine, int64_t stop)
{
    nt_market *market = engine->markets;
    nt_context *context = &engine->context;
    const nt_order_list *list = engine->orders.lists;
    const double *closes = market->series.close;
    const int64_t *times = engine->clock_ts_ns;
    nt_strategy_fn strategy = engine->strategy;
    void *user = engine->strategy_user;
    const int opens = engine->opens, watches = engine->gate.watches | engine->marks;
    for (int64_t i = engine->i; i < stop; i++) {
        nt_status status;
        engine->i = market->bar = market->step = i;
        if (UNLIKELY(opens) && (status = nt_account_before(engine, 0)) != NT_OK)
            return status;
        if (UNLIKELY(list->count != 0) && (status = nt_match_bar(engine, 0)) != NT_OK)
            return status;
        double close = closes[i];
        market->last_close = close;
        if (UNLIKELY(watches) && (status = nt_account_mark(engine)) != NT_OK)
            return status;
        context->i = context->bar = i;
        context->ts_ns = times[i];
        context->equity = engine->cash + market->exposure * close;
        if (UNLIKELY(strategy(context, user) != 0))
            return engine->failure != NT_OK ? engine->failure : NT_STOPPED;
        if (UNLIKELY(engine->attention != 0)) {
            if ((status = attend(engine)) != NT_OK)
                return status;
            context->equity = engine->cash + market->exposure * close;
        }
        engine->equity[i] = context->equity;
    }
    engine->i = stop;
    return NT_OK;
}

static nt_status step_panel(nt_engine *engine)
{
    int64_t i = engine->i, now = engine->clock_ts_ns[i];
    nt_status status;
    for (int32_t slot = 0; slot < engine->market_count; slot++) {
        nt_market *market = &engine->markets[slot];
        int64_t next = market->bar + 1;
        if (next >= market->series.count || market->series.ts_ns[next] != now)
            continue;
        market->bar = next;
        market->step = i;
        if (engine->opens && (status = nt_account_before(engine, slot)) != NT_OK)
            return status;
        if (engine->orders.lists[slot].count > 0 && (status = nt_match_bar(engine, slot)) != NT_OK)
            return status;
    }
    for (int32_t slot = 0; slot < engine->market_count; slot++)
        if (engine->markets[slot].step == i)
            engine->markets[slot].last_close = engine->markets[slot].series.close[engine->markets[slot].bar];
    engine->orders.all_touched = 1;
    if ((engine->gate.watches | engine->marks) && (status = nt_account_mark(engine)) != NT_OK)
        return status;
    engine->context.ts_ns = now;
    engine->context.i = i;
    engine->context.equity = nt_engine_equity(engine);
    for (int32_t slot = 0; slot < engine->market_count; slot++) {
        if (engine->markets[slot].step != i)
            continue;
        nt_context_select(engine, slot);
        if (engine->strategy(&engine->context, engine->strategy_user) != 0)
            return engine->failure != NT_OK ? engine->failure : NT_STOPPED;
        if (engine->attention != 0) {
            if ((status = attend(engine)) != NT_OK)
                return status;
            engine->context.equity = nt_engine_equity(engine);
        }
    }
    engine->equity[i] = engine->context.equity;
    if (engine->team)
        nt_team_mark(engine);
    return NT_OK;
}

nt_status nt_engine_advance(nt_engine *engine, int64_t count)
{
    if (engine->strategy == NULL || engine->finished || engine->failure != NT_OK || count < 0)
        return NT_STATE;
    int64_t stop = count < engine->clock_count - engine->i ? engine->i + count : engine->clock_count;
    nt_status status = NT_OK;
    if (engine->ticks)
        status = nt_ticks_run(engine, stop);
    else if (engine->market_count == 1 && engine->team == NULL)
        status = run_single(engine, stop);
    else
        for (; engine->i < stop && status == NT_OK; engine->i += status == NT_OK)
            status = step_panel(engine);
    if (status != NT_OK)
        nt_engine_fail(engine, status);
    return status;
}

/* Whether the run takes a word from outside now, and the step it is taken at. */
static nt_status step_before(nt_engine *engine, int64_t *reached_out)
{
    if (engine->finished || engine->failure != NT_OK || engine->clock_count == 0)
        return NT_STATE;
    *reached_out = engine->i;
    engine->i -= engine->i > 0;
    return NT_OK;
}

nt_status nt_engine_halt(nt_engine *engine, int32_t mode, int64_t *cancelled_out)
{
    int64_t reached;
    nt_status status = step_before(engine, &reached);
    if (status != NT_OK)
        return status;
    *cancelled_out = nt_gate_halt(engine, mode, 0);
    status = nt_engine_journal(engine);
    engine->i = reached;
    return status;
}

nt_status nt_engine_resume(nt_engine *engine)
{
    int64_t reached;
    nt_status status = step_before(engine, &reached);
    if (status != NT_OK)
        return status;
    nt_gate_resume(engine);
    status = nt_engine_journal(engine);
    engine->i = reached;
    return status;
}

/* The engine's own closing order, filled at the open of the symbol's last bar. It can only reduce, so no gate. */
static nt_status close_at_open(nt_engine *engine, int32_t slot)
{
    nt_market *market = &engine->markets[slot];
    int64_t held = engine->positions[slot].quantity, id;
    nt_order order = {
        .created_bar = engine->i,
        .quantity = nt_absolute(held),
        .symbol = slot,
        .side = (int8_t)-nt_sign(held),
        .type = NT_MARKET,
        .role = NT_ROLE_CLOSE,
    };
    nt_working working = {.size_kind = NT_SIZE_GIVEN, .day = -1, .born_bar = -1};
    nt_touch touch = {0, 0};
    nt_status status = nt_nano_from_double(market->series.open[market->bar], &touch.price);
    if (status != NT_OK)
        return status;
    nt_prices prices = {touch.price, touch.price, touch.price, touch.price};
    status = nt_orders_add(&engine->orders, &order, &working, &id);
    if (status != NT_OK)
        return status;
    (void)nt_orders_move(&engine->orders, id, NT_SUBMITTED, 0, 0);
    nt_engine_record(engine, NT_EVENT_ORDER, slot, id, order.side, NT_MARKET, order.quantity, 0, 0, 0);
    nt_engine_volume_of(engine, slot)->volume_left = INT64_MAX;
    return nt_book_fill(engine, id, &touch, &prices);
}

nt_status nt_engine_finish(nt_engine *engine, int close_open)
{
    if (engine->finished)
        return NT_STATE;
    engine->finished = 1;
    int64_t reached = engine->i;
    if (reached == 0)
        return NT_OK;
    nt_status status = NT_OK;
    engine->i = reached - 1;
    if (engine->ticks)
        nt_ticks_closing(engine);
    for (int32_t slot = 0; close_open && slot < engine->market_count && status == NT_OK; slot++)
        if (engine->positions[slot].quantity != 0)
            status = close_at_open(engine, slot);
    engine->equity[engine->i] = nt_engine_equity(engine);
    if (engine->team)
        nt_team_mark(engine);
    for (int32_t slot = 0; slot < engine->market_count && status == NT_OK; slot++)
        status = nt_trades_leave_open(engine, slot);
    if (status == NT_OK)
        status = nt_engine_journal(engine);
    engine->i = reached;
    return status;
}
