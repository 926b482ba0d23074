/* nt_flows: cash that comes and goes without a trade, and splits.
 *
 * Funding, dividends and splits are given with their times. What is due at t is booked after every bar of its symbol that ends at or
 * before t and before the first that ends later: whoever holds then pays or gets it, and it counts in that bar's equity. What falls
 * due together goes splits, dividends, funding.
 *
 *     funding    -quantity x last close x rate        (quantity and rate signed: with a positive rate longs pay)
 *     dividend   quantity x amount per unit           (a short pays it)
 *     split      quantity x ratio, prices of position, lots and working orders / ratio; cash and basis stay as they are
 *
 * Borrowing and interest are reckoned by day: at the first step after midnight UTC, for each midnight that went by, on what was held
 * then at its last close, 1/365 of the yearly rate a day, not compounded within a gap.
 *
 * Each amount is rounded once, half to even, after its notional. It is an event, a row, and part of the ledger's identity.
 */
#ifndef NT_FLOWS_H
#define NT_FLOWS_H

#include "nt_ledger.h"
#include "nt_rows.h"

struct nt_engine;

/* One thing that falls due. Mirrored in neuraltrade/core/layouts.py. */
typedef struct nt_due {
    int64_t ts_ns;
    int64_t value;       /* funding: pico; dividend: nano per unit; split: numerator */
    int64_t denominator; /* of a split */
    int32_t kind;        /* NT_FLOW_* */
    int32_t spare;
} nt_due;
_Static_assert(sizeof(nt_due) == 32, "DUE_DTYPE");

typedef struct nt_flows {
    nt_rows rows; /* nt_flow_row */
    int64_t day;  /* of the latest step; INT64_MIN before the first */
} nt_flows;

void nt_flows_open(struct nt_engine *engine);
void nt_flows_close(struct nt_engine *engine);

/* Book what every midnight since the step before costs. NT_OVERFLOW, NT_NO_MEMORY. */
nt_status nt_flows_accrue(struct nt_engine *engine);

/* Book what is due to a symbol before the bar it has in this step. NT_OVERFLOW, NT_NO_MEMORY. */
nt_status nt_flows_book(struct nt_engine *engine, int32_t slot);

/* The orders that work in a symbol, as its split leaves them (nt_split.c): what is left to fill x ratio, prices / ratio on the tick.
 * NT_OVERFLOW. */
nt_status nt_split_orders(struct nt_engine *engine, int32_t slot, int64_t numerator, int64_t denominator);

#endif
