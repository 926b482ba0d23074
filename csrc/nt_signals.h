/* nt_signals: a strategy made of arrays, behind the same function pointer as any other.
 *
 * Exits come before entries; both entries at once are neither; without short entries it is long only. An entry against an open
 * position reverses it; in the bar in which a stop-loss, take-profit or trail has filled, nothing enters.
 */
#ifndef NT_SIGNALS_H
#define NT_SIGNALS_H

#include <stdint.h>

#include "nt_engine.h"

/* Arrays of [clock][symbol], row-major; NULL = all false, or none. Rates are fractions, sizes are units; NaN = none. */
typedef struct nt_signal_arrays {
    const uint8_t *entries;
    const uint8_t *exits;
    const uint8_t *short_entries;
    const uint8_t *short_exits;
    const double *stop_loss;
    const double *take_profit;
    const double *size;
    int64_t symbol_count;
    int64_t first_slot; /* of the symbols that the columns are of */
} nt_signal_arrays;

/* An nt_strategy_fn; user is an nt_signal_arrays. */
int64_t nt_signals_on_bar(nt_context *context, void *user);

#endif
