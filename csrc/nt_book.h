/* nt_book: orders in, fills out. Submitting passes the structural checks, then the gate, then joins the table; filling books
 * the ledger, the rows, the bracket's children and whatever a fill makes void, all in one step.
 */
#ifndef NT_BOOK_H
#define NT_BOOK_H

#include "nt_engine.h"

/* One order as asked, in fixed point. */
typedef struct nt_request {
    int32_t slot;
    int8_t side;        /* +1, -1 */
    int8_t target_side; /* of the position it aims at, where size.kind is not NT_SIZE_GIVEN */
    uint8_t tif;
    uint8_t role;
    nt_size size;       /* NT_SIZE_GIVEN: value is the quantity */
    int64_t limit;      /* 0 = none */
    int64_t stop;
    nt_bracket bracket;
    uint8_t at;         /* NT_AT_*, of a market order */
    int64_t good_till;  /* with NT_TIF_GTD; 0 = none */
    int64_t trail;      /* of a trailing stop: its distance, or */
    int64_t trail_rate; /* the fraction of the peak; 0 = none */
} nt_request;

/* How a fill came about. `direction`: the way the price was going inside the bar, 0 at an open or a close. */
typedef struct nt_touch {
    int64_t price; /* before slippage */
    int64_t direction;
} nt_touch;

/* Returns the id, or a refusal. A failure is noted in the engine and returned. */
int64_t nt_book_submit(nt_engine *engine, const nt_request *request);

/* Whether twice what it is worth at `price` fits: a fill that does not ends the run. */
int nt_book_fits_twice(const nt_engine *engine, int32_t slot, int64_t quantity, int64_t price);

/* Record that an order was refused before it could take shape. Returns `reason`, or a failure. */
int64_t nt_book_refuse(nt_engine *engine, int32_t slot, int64_t side, nt_status reason);

/* Leave the row that says why something was refused. NT_NO_MEMORY, noted in the engine. */
nt_status nt_book_note_denial(nt_engine *engine, int32_t slot, int64_t order_id, nt_status reason, const nt_finding *finding);

/* 1, or a refusal. */
int64_t nt_book_cancel(nt_engine *engine, int64_t order_id, int32_t reason);

/* A working order's new quantity, limit and stop; 0 = as it was. The gate judges what it becomes. 1, or a refusal that leaves it as it
 * was (nt_modify.c). */
int64_t nt_book_modify(nt_engine *engine, int64_t order_id, int64_t quantity, int64_t limit, int64_t stop);
/* A change that was checked takes effect, at the venue where there is one. NT_OK, or why it comes too late, which is recorded. */
nt_status nt_book_apply_change(nt_engine *engine, int64_t order_id, int64_t quantity, int64_t limit, int64_t stop);
/* Record that a change was refused, and by which limit (NULL: by none). Returns `reason`. */
int64_t nt_book_modify_refused(nt_engine *engine, int64_t order_id, nt_status reason, const nt_finding *finding);

/* From here on each of the two shrinks by what the other fills and ends with it. 1, or a refusal (nt_modify.c). */
int64_t nt_book_join(nt_engine *engine, int64_t order_id, int64_t other_id);

/* After a fill of `quantity`: what it does to the order it was joined to (nt_modify.c). */
void nt_book_settle_partner(nt_engine *engine, int64_t filled_id, int64_t partner_id, int64_t quantity);

/* Move to a final status for `reason`, with its event, and with it the order it was joined to. Returns how many ended: after two, an
 * index into the list that was kept across the call may name a free slot. */
int64_t nt_book_end(nt_engine *engine, int64_t order_id, uint8_t status, int32_t reason);

/* Fill an active order as far as size, volume, cash and limits allow; what cannot be filled is ended with its reason.
 * prices: the bar's, for the slippage cap and the base of brackets. */
nt_status nt_book_fill(nt_engine *engine, int64_t order_id, const nt_touch *touch, const nt_prices *prices);

/* What an order would fill at `price` and nothing is booked: how much it wants, and how much of that limits and cash allow if it
 * comes in `fills` parts none of which is dearer. NT_OVERFLOW. */
nt_status nt_book_probe(nt_engine *engine, int64_t order_id, int64_t price, int64_t fills, int64_t *wanted_out, int64_t *allowed_out);

/* Rows of closed and of open trades (nt_trades.c). */
nt_status nt_trades_close(nt_engine *engine, int32_t slot, const nt_closing *closing, int64_t direction, int64_t price,
                          int64_t order_id);
nt_status nt_trades_leave_open(nt_engine *engine, int32_t slot);

/* The same of an account with lots: one row for each lot that the latest fill closed, and that is left (nt_lot_trades.c). */
nt_status nt_lot_trades_close(nt_engine *engine, int32_t slot, int64_t direction, int64_t price, int64_t order_id);
nt_status nt_lot_trades_leave_open(nt_engine *engine, int32_t slot);

/* The children of an entry that just opened `quantity` at `price` (nt_bracket.c). */
nt_status nt_bracket_spawn(nt_engine *engine, int64_t parent_id, int64_t quantity, int64_t price, const nt_touch *touch,
                           const nt_prices *prices);
/* After a fill: one cancels the other, and no exit outlives what it would close. */
nt_status nt_bracket_settle(nt_engine *engine, int64_t filled_id, int64_t quantity);
/* Where a trailing exit of `side` stands: its distance below (above) the peak, on the nearest tick; 0 = nowhere. */
int64_t nt_bracket_trail(const nt_working *working, int64_t side, int64_t tick);
/* Whether stop-loss and take-profit lie on their sides of `reference` (nano). */
nt_status nt_bracket_check(const nt_bracket *bracket, int64_t side, int64_t reference);

#endif
