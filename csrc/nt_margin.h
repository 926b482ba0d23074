/* nt_margin: maintenance margin, liquidation, bankruptcy.
 *
 * Once a step is marked, equity is held against `maintenance` x gross exposure, at the closes or at the worst prices of the step's
 * bars. Below it the account is called: every working entry is cancelled, the engine gives a market order of its own for all that is
 * held in each symbol, and no order passes until those are done. Equity below zero at the closes is bankruptcy: the same, for good.
 * Everything is integers; an account that has no maintenance is never looked at.
 */
#ifndef NT_MARGIN_H
#define NT_MARGIN_H

#include "nt_policy.h"
#include "nt_rows.h"
#include "nt_status.h"

struct nt_engine;

enum { NT_MARGIN_OPEN = 0, NT_MARGIN_CALLED = 1, NT_MARGIN_BANKRUPT = 2 };

typedef struct nt_margin {
    int32_t state; /* NT_MARGIN_* */
    int32_t spare;
    int64_t first_id; /* of the latest liquidation's orders, and the one after its last */
    int64_t end_id;
    nt_rows calls; /* nt_margin_row */
} nt_margin;

void nt_margin_open(struct nt_engine *engine);
void nt_margin_close(struct nt_engine *engine);

/* Judge the account as of the step just marked. NT_OVERFLOW, NT_NO_MEMORY, NT_STOPPED: the run cannot go on. */
nt_status nt_margin_watch(struct nt_engine *engine);

#endif
