/* nt_exposure: what positions and working entries are worth, symbol by symbol, for the gate.
 *
 * What a symbol adds to gross and net is kept, and so is the sum over all symbols. Whoever changes a close, a position or what works
 * of a symbol touches it (nt_orders_touch), and the next question finds what was touched again. So an order costs nothing for each
 * other symbol; the answer is the one that a walk would give, which a debug build takes as well.
 */
#ifndef NT_EXPOSURE_H
#define NT_EXPOSURE_H

#include "nt_fixed.h"

struct nt_engine;

typedef struct nt_mark {
    double close; /* what the first part was found from, with the position below */
    int64_t held;
    int64_t price; /* nano; 0 = none */
    int64_t gross; /* of what is held; INT64_MAX = no price, or it does not fit */
    int64_t net;
    int64_t bound; /* the equity that it binds (nt_size_bound); INT64_MAX as gross */
    int64_t all_gross; /* with what works, at its worst */
    int64_t all_up;    /* towards buys, towards sells; negative: on the other side */
    int64_t all_down;
    int64_t is_known; /* whether the first part holds for this close and position */
} nt_mark;

/* The second part of all marks, as they are kept: of what was touched since, it is what was found before. */
typedef struct nt_exposure_sums {
    nt_wide gross;
    nt_wide up;
    nt_wide down;
} nt_exposure_sums;

/* One nt_mark a symbol, zeroed, in engine->gate.marks. NT_NO_MEMORY. */
nt_status nt_exposure_open(struct nt_engine *engine);
void nt_exposure_close(struct nt_engine *engine);

/* Entries of one side that still work, in nano, but `but_id`; those sized at their fill count with what they would be now. */
int64_t nt_exposure_working(const struct nt_engine *engine, int32_t slot, int64_t side, int64_t but_id);

/* |quantity| at `price`, INT64_MAX where it does not fit or there is no price. */
int64_t nt_exposure_worth(const struct nt_engine *engine, int32_t slot, nt_wide quantity, int64_t price);
/* The larger of what a symbol's position could become on either side. */
int64_t nt_exposure_worst(const struct nt_engine *engine, int32_t slot, nt_wide up, nt_wide down, int64_t price);

/* Gross exposure and net exposure towards `side` (positive: on that side) of every symbol but one; with what works, where a leg that
 * works the other way does not lessen the net, or as held. */
void nt_exposure_others(struct nt_engine *engine, int32_t but, int64_t side, nt_wide *gross, nt_wide *net);
void nt_exposure_others_held(const struct nt_engine *engine, int32_t but, int64_t side, nt_wide *gross, nt_wide *net);

/* What a symbol holds at its latest close: gross, net and bound are known. */
const nt_mark *nt_exposure_held(const struct nt_engine *engine, int32_t slot);

/* Cash and positions at the latest closes. NT_OVERFLOW: one has no price, or does not fit. */
nt_status nt_exposure_equity(const struct nt_engine *engine, int64_t *out);

#endif
