/* nt_risk: the rules of the pre-trade gate, as one pure function over integers. nt_gate.h gathers the facts and keeps the state.
 *
 * Every order passes it, in backtest, paper and live; orders of the engine that only reduce a position (bracket children, the closing
 * at the end) are the exception. It denies by default: no reference price or an amount that does not fit is a refusal.
 * At a limit exactly an order passes, one unit of the fixed point above it does not.
 */
#ifndef NT_RISK_H
#define NT_RISK_H

#include "nt_ledger.h"
#include "nt_policy.h"

/* The controls, in the order in which they are asked; neuraltrade/core/layouts.py has their names. */
enum {
    NT_CONTROL_MODE,
    NT_CONTROL_REFERENCE,
    NT_CONTROL_RESTRICTED,
    NT_CONTROL_QUANTITY,
    NT_CONTROL_NOTIONAL,
    NT_CONTROL_COLLAR,
    NT_CONTROL_POSITION,
    NT_CONTROL_GROSS,
    NT_CONTROL_NET,
    NT_CONTROL_LEVERAGE,
    NT_CONTROL_SELF_TRADE,
    NT_CONTROL_DUPLICATE,
    NT_CONTROL_EXECUTIONS,
    NT_CONTROL_RATE,
    NT_CONTROL_LOSS, /* not asked of an order: these two trip the mode */
    NT_CONTROL_DRAWDOWN,
    NT_CONTROLS
};

/* What is asked, and the facts it is judged by; those of a control that is off may be left 0. Quantities in nano and absolute
 * unless said, prices in nano, amounts in minor units; an amount that does not fit is INT64_MAX. */
typedef struct nt_intent {
    int64_t side;
    int64_t quantity;
    int64_t limit;     /* the order's own; 0 = none */
    int64_t stop;
    int64_t reference; /* the last close; 0 = there is none */
    int64_t position;  /* signed */
    int64_t working;   /* of entries on the same side that still work */
    int32_t slot;
    int32_t closes;     /* 1 = cannot but make the position smaller */
    int32_t reduces;    /* 1 = as things are, it makes the position smaller and no more */
    int32_t mode;       /* NT_MODE_* now */
    int32_t cause;      /* the refusal that entered it; 0 = by hand */
    int32_t restricted; /* 1 = the symbol is on the list */
    int64_t cause_limit;
    int64_t cause_value;
    int64_t gross_before; /* all symbols with what works, at its worst, without this order */
    int64_t gross_after;
    int64_t is_within; /* 1 = which is within the limits of gross and of leverage */
    int64_t net_after; /* towards `side` */
    int64_t equity;
    int64_t crosses;       /* 1 = an own order on the other side could trade with it, */
    int64_t crossed_price; /* which is at this price; 0 = at market */
    int64_t likes;         /* orders like it in the window, and the age of the latest, ns */
    int64_t like_age;
    int64_t executions; /* since enabled, and entries that may yet execute */
    int64_t recent;     /* orders of the last second */
} nt_intent;

/* How often each control was asked and has refused. */
typedef struct nt_tally {
    int64_t checked[NT_CONTROLS];
    int64_t denied[NT_CONTROLS];
    int64_t asked[NT_CONTROLS]; /* 1 = every order that comes as far is asked: the limit is set */
} nt_tally;

/* The limit that was met and the value that exceeded it, in units of 1 / scale. scale 0: there is none to tell. */
typedef struct nt_finding {
    int64_t limit;
    int64_t value;
    int64_t scale;
} nt_finding;

/* Counts start at 0, for these limits. */
void nt_risk_open(const nt_limits *limits, nt_tally *tally);

/* NT_OK, or the first refusal with its finding. Counts in `tally`. */
nt_status nt_risk_check(const nt_limits *limits, const nt_ledger *ledger, const nt_intent *intent, nt_tally *tally,
                        nt_finding *finding);

/* The largest quantity that quantity, notional and position limits leave to an order of `side` that is sized at `price`, its fill. */
int64_t nt_risk_room(const nt_limits *limits, const nt_ledger *ledger, int32_t slot, int64_t side, int64_t price);

/* value / by at 1 / scale, value not negative, rounded up so that what is above a limit reads so; INT64_MAX where it does not fit or
 * by is not above 0. */
int64_t nt_risk_ratio(int64_t value, int64_t by, int64_t scale);

#endif
