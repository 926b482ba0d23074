/* nt_rates: what one unit of another currency is worth in the account's.
 *
 * Cash is of one currency, the account's; what a fill in another one moves is converted there and then, once, half to even
 * (nt_ledger_notional), so one sum balances and a position's basis holds the rate it was bought at. Rates are given with their times.
 * A step is marked, and everything in it after that judged, at the latest rate of its time or before; what fills inside a bar fills
 * at the rate its opening saw: the one that the step before was marked at. No rate is ever of later than what it is used for.
 */
#ifndef NT_RATES_H
#define NT_RATES_H

#include <stdint.h>

struct nt_engine;

/* Borrowed columns, ascending; rate is pico, above 0. */
typedef struct nt_rate_series {
    const int64_t *ts_ns;
    const int64_t *rate;
    int64_t count;
    int64_t next; /* the first that is not known yet */
} nt_rate_series;

/* Symbols that have a series have no rate until it has one. Returns whether there are any. */
int nt_rates_open(struct nt_engine *engine);

/* Take every series on to the time of the step. */
void nt_rates_mark(struct nt_engine *engine);

/* Into the log, ahead of a fill that is converted by it, unless it stands there already. */
void nt_rates_tell(struct nt_engine *engine, int32_t slot);

#endif
