#include "nt_account.h"

#include "nt_sessions.h"
#include "nt_tick.h"

static int accrues(const nt_engine *engine)
{
    return engine->account.borrow_rate != 0 || engine->account.interest_rate != 0;
}

nt_status nt_account_open(nt_engine *engine)
{
    nt_status status = NT_OK;
    nt_margin_open(engine);
    nt_flows_open(engine);
    engine->rated = nt_rates_open(engine);
    int is_watched = engine->account.maintenance >= 0;
    engine->marks = engine->restrains = is_watched || engine->rated;
    engine->opens = accrues(engine);
    for (int32_t slot = 0; slot < engine->market_count; slot++)
        engine->opens |= engine->markets[slot].due_count > 0;
    for (int32_t slot = 0; slot < engine->market_count; slot++)
        engine->restrains |= engine->markets[slot].sessions != NULL;
    if (engine->account.fifo) {
        status = nt_lots_open(&engine->lots, engine->market_count);
        engine->ledger.lots = status == NT_OK ? &engine->lots : NULL;
    }
    return status;
}

void nt_account_close(nt_engine *engine)
{
    nt_margin_close(engine);
    nt_flows_close(engine);
    nt_lots_close(&engine->lots);
}

nt_status nt_account_before(nt_engine *engine, int32_t slot)
{
    nt_status status = accrues(engine) ? nt_flows_accrue(engine) : NT_OK;
    if (status == NT_OK && engine->markets[slot].due_ns < engine->clock_ts_ns[engine->i])
        status = nt_flows_book(engine, slot);
    return status;
}

nt_status nt_account_mark(nt_engine *engine)
{
    nt_status status = NT_OK;
    if (engine->rated)
        nt_rates_mark(engine);
    if (engine->gate.watches)
        nt_gate_watch(engine);
    if (engine->account.maintenance >= 0)
        status = nt_margin_watch(engine);
    return status != NT_OK ? status : engine->failure;
}

nt_status nt_account_refusal(const nt_engine *engine, int32_t slot)
{
    if (engine->ticks ? nt_ticks_is_closed(engine, slot) : nt_session_is_closed(&engine->markets[slot]))
        return NT_DENIED_SESSION_CLOSED;
    if (engine->positions[slot].rate == 0)
        return NT_DENIED_NO_RATE;
    if (engine->margin.state == NT_MARGIN_BANKRUPT)
        return NT_DENIED_BANKRUPT;
    return engine->margin.state == NT_MARGIN_CALLED ? NT_DENIED_LIQUIDATION : NT_OK;
}

int64_t nt_account_balance(const nt_engine *engine)
{
    int64_t balance = nt_ledger_balance(&engine->ledger);
    return balance == 0 && engine->ledger.lots != NULL ? !nt_lots_add_up(&engine->ledger) : balance;
}
