#include "nt_flows.h"

#include "nt_engine.h"

#define DAY_NS (INT64_C(86400) * NT_NANO)
#define YEAR_DAYS 365

/* The day that ends at or after `ts_ns`, so that midnight belongs to the day before it. */
static int64_t day_of(int64_t ts_ns)
{
    int64_t before = ts_ns - 1;
    return before / DAY_NS - (before % DAY_NS < 0);
}

/* One flow into the log and the table. Float face. */
static nt_status note(nt_engine *engine, int32_t slot, int32_t kind, int64_t due_ns, int64_t held, int64_t amount, int64_t price, double rate)
{
    nt_flow_row *row = nt_rows_add(&engine->flows.rows);
    if (row == NULL)
        return NT_NO_MEMORY;
    int of_cash = kind == NT_FLOW_INTEREST;
    *row = (nt_flow_row){
        .bar = engine->i,
        .ts_ns = due_ns,
        .amount = kind == NT_FLOW_SPLIT ? 0 : (double)amount / (double)engine->ledger.scale,
        .quantity = of_cash ? NAN : nt_double_from_nano(held),
        .rate = rate,
        .symbol = of_cash ? -1 : slot,
        .kind = kind,
    };
    nt_context_refresh(engine, slot);
    nt_engine_record(engine, NT_EVENT_FLOW, slot, 0, 0, (int16_t)kind, held, price, amount, due_ns);
    return engine->failure;
}

/* amount x rate (pico a year) x days / 365. */
static nt_status yearly(int64_t amount, int64_t rate, int64_t days, int64_t *out)
{
    return nt_divide_half_even((nt_wide)amount * rate * days, YEAR_DAYS * NT_PICO, out);
}

/* What shorts cost over `days` midnights. Float face, for the rate that is told. */
static nt_status borrow(nt_engine *engine, int64_t days, int64_t due_ns)
{
    int64_t rate = engine->account.borrow_rate, notional, cost;
    for (int32_t slot = 0; slot < engine->market_count; slot++) {
        int64_t held = engine->positions[slot].quantity, price = nt_engine_last_price(engine, slot);
        if (held >= 0 || price == 0)
            continue;
        if (nt_ledger_notional(&engine->ledger, slot, -held, price, &notional) != NT_OK || yearly(notional, rate, days, &cost) != NT_OK)
            return NT_OVERFLOW;
        if (cost == 0)
            continue;
        nt_status status = nt_ledger_flow(&engine->ledger, slot, -cost);
        if (status == NT_OK)
            status = note(engine, slot, NT_FLOW_BORROW, due_ns, held, -cost, price, (double)rate / 1e12);
        if (status != NT_OK)
            return status;
    }
    return NT_OK;
}

/* What a debt costs over `days` midnights. Float face, for the rate that is told. */
static nt_status interest(nt_engine *engine, int64_t days, int64_t due_ns)
{
    int64_t rate = engine->account.interest_rate, cost;
    if (engine->ledger.cash >= 0)
        return NT_OK;
    if (yearly(-engine->ledger.cash, rate, days, &cost) != NT_OK)
        return NT_OVERFLOW;
    if (cost == 0)
        return NT_OK;
    nt_status status = nt_ledger_interest(&engine->ledger, -cost);
    return status == NT_OK ? note(engine, 0, NT_FLOW_INTEREST, due_ns, 0, -cost, 0, (double)rate / 1e12) : status;
}

nt_status nt_flows_accrue(nt_engine *engine)
{
    nt_flows *flows = &engine->flows;
    int64_t day = day_of(engine->clock_ts_ns[engine->i]), days = flows->day == INT64_MIN ? 0 : day - flows->day;
    flows->day = day;
    if (days == 0)
        return NT_OK;
    nt_status status = NT_OK;
    int64_t debt_days = engine->account.interest_rate != 0 ? days : 0;
    if (debt_days != 0) /* on the debt there was, not on what borrowing makes of it */
        status = interest(engine, debt_days, day * DAY_NS);
    if (status == NT_OK && engine->account.borrow_rate != 0)
        status = borrow(engine, days, day * DAY_NS);
    return status;
}

/* Float face, for the rate that is told. */
static nt_status fund(nt_engine *engine, int32_t slot, const nt_due *due)
{
    int64_t held = engine->positions[slot].quantity, price = nt_engine_last_price(engine, slot), notional, amount;
    if (price == 0)
        return NT_OK;
    if (nt_ledger_notional(&engine->ledger, slot, held, price, &notional) != NT_OK ||
        nt_multiply_divide(notional, -due->value, NT_PICO, &amount) != NT_OK)
        return NT_OVERFLOW;
    if (amount == 0)
        return NT_OK;
    nt_status status = nt_ledger_flow(&engine->ledger, slot, amount);
    if (status != NT_OK)
        return status;
    return note(engine, slot, NT_FLOW_FUNDING, due->ts_ns, held, amount, price, (double)due->value / 1e12);
}

/* The last close goes ex with it, so that what is marked in this step before the symbol's own close counts it once. Float face. */
static nt_status pay_dividend(nt_engine *engine, int32_t slot, const nt_due *due)
{
    int64_t held = engine->positions[slot].quantity, amount;
    double each = nt_double_from_nano(due->value), *last = &engine->markets[slot].last_close;
    if (nt_ledger_notional(&engine->ledger, slot, held, due->value, &amount) != NT_OK)
        return NT_OVERFLOW;
    if (*last > each) {
        *last -= each;
        nt_orders_touch(&engine->orders, slot);
    }
    if (amount == 0)
        return NT_OK;
    nt_status status = nt_ledger_flow(&engine->ledger, slot, amount);
    return status == NT_OK ? note(engine, slot, NT_FLOW_DIVIDEND, due->ts_ns, held, amount, due->value, each) : status;
}

/* Float face, for the last close and the ratio that is told. */
static nt_status split(nt_engine *engine, int32_t slot, const nt_due *due)
{
    double ratio = (double)due->value / (double)due->denominator;
    nt_status status = nt_ledger_split(&engine->ledger, slot, due->value, due->denominator);
    if (status == NT_OK && engine->orders.lists[slot].count > 0)
        status = nt_split_orders(engine, slot, due->value, due->denominator);
    engine->markets[slot].last_close /= ratio;
    nt_orders_touch(&engine->orders, slot);
    int64_t held = engine->positions[slot].quantity;
    if (status != NT_OK || held == 0)
        return status;
    return note(engine, slot, NT_FLOW_SPLIT, due->ts_ns, held, due->denominator, due->value, ratio);
}

nt_status nt_flows_book(nt_engine *engine, int32_t slot)
{
    nt_market *market = &engine->markets[slot];
    int64_t now = engine->clock_ts_ns[engine->i];
    nt_status status = NT_OK;
    for (; market->due_ns < now && status == NT_OK;) {
        const nt_due *due = &market->dues[market->due_next++];
        market->due_ns = market->due_next < market->due_count ? market->dues[market->due_next].ts_ns : INT64_MAX;
        if (due->kind == NT_FLOW_SPLIT)
            status = split(engine, slot, due);
        else if (engine->positions[slot].quantity != 0)
            status = due->kind == NT_FLOW_DIVIDEND ? pay_dividend(engine, slot, due) : fund(engine, slot, due);
    }
    return status;
}

void nt_flows_open(nt_engine *engine)
{
    engine->flows.day = INT64_MIN;
    nt_rows_open(&engine->flows.rows, sizeof(nt_flow_row));
    for (int32_t slot = 0; slot < engine->market_count; slot++) {
        nt_market *market = &engine->markets[slot];
        market->due_next = 0;
        market->due_ns = market->due_count > 0 ? market->dues[0].ts_ns : INT64_MAX;
    }
}

void nt_flows_close(nt_engine *engine)
{
    nt_rows_close(&engine->flows.rows);
}
