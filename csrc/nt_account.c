#include "nt_account.h"

void nt_account_open(nt_engine *engine)
{
    nt_margin_open(engine);
    int is_watched = engine->account.maintenance >= 0;
    engine->marks = is_watched;
    engine->restrains = is_watched;
}

void nt_account_close(nt_engine *engine)
{
    nt_margin_close(engine);
}

nt_status nt_account_mark(nt_engine *engine)
{
    nt_status status = NT_OK;
    if (engine->gate.watches)
        nt_gate_watch(engine);
    if (engine->account.maintenance >= 0)
        status = nt_margin_watch(engine);
    return status != NT_OK ? status : engine->failure;
}

nt_status nt_account_refusal(const nt_engine *engine, int32_t slot)
{
    (void)slot;
    if (engine->margin.state == NT_MARGIN_BANKRUPT)
        return NT_DENIED_BANKRUPT;
    return engine->margin.state == NT_MARGIN_CALLED ? NT_DENIED_LIQUIDATION : NT_OK;
}

int64_t nt_account_balance(const nt_engine *engine)
{
    return nt_ledger_balance(&engine->ledger);
}
