/* nt_ledger: cash and positions in integers.
 *
 * A position's cost basis is held as cash (negative for shorts), so that after every fill, to the last unit,
 *
 *     cash + sum(basis) - sum(realised) + sum(fees) - sum(flows) - interest = deposits
 *
 * (nt_ledger_balance is that difference; a debug build checks it on each fill). Average cost, or first in, first out where the
 * ledger is given lots (nt_lots.h). One fill may close, open,
 * or both; notional of each part is rounded once, half to even. Nothing here allocates and nothing here is a float.
 */
#ifndef NT_LEDGER_H
#define NT_LEDGER_H

#include <stdint.h>

#include "nt_fixed.h"

typedef struct nt_position {
    int64_t quantity;    /* nano, signed */
    int64_t basis;       /* minor, signed like quantity */
    int64_t realised;    /* minor, before fees */
    int64_t fees;        /* minor, all fees ever paid */
    int64_t entry_price; /* nano, average; 0 while flat */
    int64_t entry_fees;  /* minor, paid for what is still open */
    int64_t multiplier;  /* nano */
    int64_t rate;        /* pico: account currency per unit of the position's; 0 = none is known, so nothing may trade */
    int64_t flows;       /* minor: funding, dividends, borrowing; negative = paid */
} nt_position;

struct nt_lots;

typedef struct nt_ledger {
    int64_t cash;     /* minor */
    int64_t deposits; /* minor */
    int64_t interest; /* minor, on cash; negative = paid */
    int64_t divisor;  /* nano x nano -> minor */
    int64_t scale;    /* minor units in one */
    int32_t position_count;
    int32_t spare;
    nt_position *positions; /* borrowed, as the lots */
    struct nt_lots *lots;   /* NULL = average cost */
} nt_ledger;

/* What a fill closed, for the row of the trade. All zero where it only opened. */
typedef struct nt_closing {
    int64_t quantity; /* nano, absolute */
    int64_t cost;     /* minor: basis released, signed like the position */
    int64_t realised; /* minor, before fees */
    int64_t fees;     /* minor: exit fee and the share of the entry's */
    int64_t entry_price;
} nt_closing;

/* `positions` is zeroed by the caller except for the multipliers, and outlives the ledger; rates become one. digits 0..9. */
void nt_ledger_open(nt_ledger *ledger, nt_position *positions, int32_t position_count, int digits, int64_t cash);

/* quantity x price of that position's instrument, in its currency, then in the account's: each rounded once. NT_OVERFLOW: out untouched. */
nt_status nt_ledger_notional(const nt_ledger *ledger, int32_t slot, int64_t quantity, int64_t price, int64_t *minor_out);

/* Book one fill of `quantity` (signed, not 0) at `price` with `fee` (minor). A reversal's fee is split by quantity.
 * NT_OVERFLOW: nothing booked. */
nt_status nt_ledger_fill(nt_ledger *ledger, int32_t slot, int64_t quantity, int64_t price, int64_t fee, nt_closing *closing_out);

/* Cash that comes (or goes, below 0) to a position without a trade, and for what cash itself earns or owes. NT_OVERFLOW: nothing
 * booked. */
nt_status nt_ledger_flow(nt_ledger *ledger, int32_t slot, int64_t amount);
nt_status nt_ledger_interest(nt_ledger *ledger, int64_t amount);

/* The position's quantity x numerator / denominator, never to nothing, and its prices by the inverse; money stays. Both above 0.
 * NT_OVERFLOW: unchanged. */
nt_status nt_ledger_split(nt_ledger *ledger, int32_t slot, int64_t numerator, int64_t denominator);

/* cash + basis - realised + fees - flows - interest - deposits: 0, always. */
int64_t nt_ledger_balance(const nt_ledger *ledger);

#endif
