/* nt_account: where what an account may be told to do joins the loop. Each of its parts is a room of its own (nt_margin,
 * nt_flows, nt_lots, nt_rates); an engine
 * that is told none of it never comes here.
 */
#ifndef NT_ACCOUNT_H
#define NT_ACCOUNT_H

#include "nt_engine.h"

/* NT_NO_MEMORY: the engine is to be closed. */
nt_status nt_account_open(nt_engine *engine);
void nt_account_close(nt_engine *engine);

/* Ahead of a symbol's bar: days that went by, then what is due to the symbol. A failure ends the run. */
nt_status nt_account_before(nt_engine *engine, int32_t slot);

/* After a step is marked, before the strategy: rates, the gate's look at equity, then margin. A failure ends the run. */
nt_status nt_account_mark(nt_engine *engine);

/* Whether the account refuses every order for this symbol now, and why; NT_OK: it does not. */
nt_status nt_account_refusal(const nt_engine *engine, int32_t slot);

/* The ledger's balance, or 1 where lots do not add up to their positions: 0, always. */
int64_t nt_account_balance(const nt_engine *engine);

#endif
