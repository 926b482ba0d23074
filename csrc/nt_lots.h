/* nt_lots: first in, first out. What the ledger (nt_ledger.h) keeps of an account that is told so: each opening fill is a lot of its
 * own, and what closes takes from the oldest. A position's basis is the sum of its lots' costs, always.
 *
 * Lots of all symbols share one pool that doubles; a lot that is used up is taken again before the pool grows, so a run in its
 * steady state allocates nothing. Proceeds and the exit fee are shared by quantity: each lot gets what the running sum comes to,
 * rounded half to even, less what went before it, so that the shares add up.
 */
#ifndef NT_LOTS_H
#define NT_LOTS_H

#include "nt_ledger.h"

#define NT_LOTS_MAX (1 << 26)

typedef struct nt_lot {
    int64_t quantity; /* nano, absolute */
    int64_t price;    /* nano */
    int64_t cost;     /* minor, signed like the position */
    int64_t fees;     /* minor, paid for what is left of it */
    int64_t entry_bar;
    int64_t entry_ns;
    int64_t order_id;
    int64_t signal_id;
    int32_t next; /* in the order of their fills; -1 = the newest */
    int32_t spare;
} nt_lot;

typedef struct nt_lot_list {
    nt_wide worth; /* sum of quantity x price */
    int32_t head;
    int32_t tail;
} nt_lot_list;

/* What one lot gave to a fill, and where that lot came from. */
typedef struct nt_lot_closing {
    nt_closing closing;
    int64_t entry_fees; /* of closing.fees, what the lot had paid */
    int64_t entry_bar;
    int64_t entry_ns;
    int64_t order_id;
    int64_t signal_id;
} nt_lot_closing;

typedef struct nt_lots {
    nt_lot *pool;
    nt_lot_list *lists; /* by symbol */
    nt_lot_closing *closed; /* of the latest fill, oldest lot first */
    int32_t capacity;
    int32_t free_head;
    int32_t symbol_count;
    int32_t closed_count;
    int32_t closed_capacity;
    int32_t spare;
} nt_lots;

/* NT_NO_MEMORY: nothing to close. */
nt_status nt_lots_open(nt_lots *lots, int32_t symbol_count);
void nt_lots_close(nt_lots *lots);

/* nt_ledger_fill for a ledger that has lots; lots->closed tells which. NT_OVERFLOW, NT_NO_MEMORY, NT_FULL (as many lots as there may
 * be): nothing booked. */
nt_status nt_lots_fill(nt_ledger *ledger, int32_t slot, int64_t quantity, int64_t price, int64_t fee, nt_closing *closing_out);

/* Say what the newest lot of a symbol was opened by. */
void nt_lots_stamp(nt_lots *lots, int32_t slot, int64_t bar, int64_t ts_ns, int64_t order_id, int64_t signal_id);

/* Position x numerator / denominator: every lot by its share of the running sum, a lot that comes to nothing adding its cost to the
 * next. `quantity` is what the position comes to, not 0. NT_OVERFLOW: unchanged. */
nt_status nt_lots_split(nt_lots *lots, int32_t slot, int64_t quantity, int64_t numerator, int64_t denominator);

/* Whether each symbol's lots add up to its position. */
int nt_lots_add_up(const nt_ledger *ledger);

#endif
