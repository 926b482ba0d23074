/* nt_risk: the pre-trade gate. Every order passes it, in backtest, paper and live; orders of the engine that only reduce a position
 * (bracket children) are the exception. It denies by default: with limits set and no reference price there is no order.
 */
#ifndef NT_RISK_H
#define NT_RISK_H

#include "nt_ledger.h"
#include "nt_policy.h"

/* What is asked. Quantities in nano and absolute unless said; prices in nano. */
typedef struct nt_intent {
    int64_t side;
    int64_t quantity;
    int64_t limit;     /* the order's own; 0 = none */
    int64_t stop;      /* likewise */
    int64_t reference; /* the last close; 0 = there is none */
    int64_t position;  /* signed */
    int64_t working;   /* of entries on the same side that still work */
    int32_t slot;
    int32_t reduces; /* 1 = can only make the position smaller */
} nt_intent;

/* NT_OK, or the first refusal of: halted, no reference, quantity, notional, collar, position. */
nt_status nt_risk_check(const nt_limits *limits, const nt_ledger *ledger, const nt_intent *intent);

/* The largest quantity those limits leave to an order of `side` that is sized at `price`, its fill. */
int64_t nt_risk_room(const nt_limits *limits, const nt_ledger *ledger, int32_t slot, int64_t side, int64_t price);

#endif
