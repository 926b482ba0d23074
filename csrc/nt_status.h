/* nt_status: every status code of the core, one meaning each.
 *
 * C functions return an nt_status and hand results over through out-pointers, which stay untouched on failure.
 * Codes at or below NT_DENIED_FIRST are refusals: expected answers of the gate or of the order book, reported to the
 * strategy as negative order ids and to Python as nt.Denial. The others are failures and become exceptions.
 * Values are part of the event log and of nt.Denial: append, never renumber.
 */
#ifndef NT_STATUS_H
#define NT_STATUS_H

#include <stdint.h>

typedef int32_t nt_status;

enum {
    NT_OK = 0,

    /* Failures. */
    NT_INVALID = -1,       /* an argument breaks the contract of the call */
    NT_NO_MEMORY = -2,     /* an allocation failed; state unchanged */
    NT_OVERFLOW = -3,      /* a fixed-point result does not fit; state unchanged */
    NT_FULL = -4,          /* a bounded container has no room; state unchanged */
    NT_NOT_FOUND = -5,     /* no such symbol, id or record */
    NT_IO = -6,            /* the operating system failed; errno is kept; the handle is poisoned */
    NT_CORRUPT = -7,       /* bytes on disk do not check */
    NT_END = -8,           /* no further record: a clean end */
    NT_TORN = -9,          /* the log ends inside a record: what precedes it is whole */
    NT_STATE = -10,        /* the object is not in a state that allows the call (closed, poisoned, finished) */
    NT_STOPPED = -11,      /* the strategy asked to stop, or raised */
    NT_CANCELLED = -12,    /* a long call was told to stop */
    NT_TOO_NEW = -13,      /* the file was written by a newer version */
    NT_UNBALANCED = -14,   /* the ledger does not add up: a build with NT_CHECK_BALANCE looks on every event */

    /* Refusals of orders. The order id a strategy gets back is one of these. */
    NT_DENIED_FIRST = -100,
    NT_DENIED_QUANTITY_RANGE = -100,     /* zero, negative, not finite, or beyond fixed-point range */
    NT_DENIED_PRICE_RANGE = -101,        /* the same of a price */
    NT_DENIED_LOT = -102,                /* quantity off the lot grid */
    NT_DENIED_TICK = -103,               /* price off the tick grid */
    NT_DENIED_UNKNOWN_SYMBOL = -104,
    NT_DENIED_TABLE_FULL = -105,         /* as many working orders as the table holds */
    NT_DENIED_UNKNOWN_ORDER = -106,
    NT_DENIED_ORDER_DONE = -107,         /* the order already finished */
    NT_DENIED_TRANSITION = -108,         /* the state machine has no such arrow */
    NT_DENIED_BRACKET = -109,            /* stop-loss or take-profit on the wrong side of the price */
    NT_DENIED_NO_CASH = -110,            /* cash or margin does not cover the order */
    NT_DENIED_SHORTING = -111,           /* the account may not sell short */
    NT_DENIED_TIME_IN_FORCE = -112,      /* GTD without a time, or a tif that does not exist */
    NT_DENIED_CONFLICT = -113,           /* arguments that exclude each other, or orders that cannot be joined */
    NT_DENIED_MAX_QUANTITY = -120,       /* gate: order quantity */
    NT_DENIED_MAX_NOTIONAL = -121,       /* gate: order notional */
    NT_DENIED_NO_REFERENCE = -122,       /* gate: no reference price to judge by */
    NT_DENIED_COLLAR = -123,             /* gate: price too far from the reference */
    NT_DENIED_MAX_POSITION = -124,       /* gate: position per symbol */
    NT_DENIED_HALTED = -125,             /* gate: kill switch on */
    NT_DENIED_REDUCE_ONLY = -126,        /* gate: only orders that reduce a position */
    NT_DENIED_MAX_EXPOSURE = -127,       /* gate: gross exposure */
    NT_DENIED_MAX_LEVERAGE = -128,
    NT_DENIED_RATE = -129,               /* gate: orders per second */
    NT_DENIED_RESTRICTED = -130,         /* gate: symbol on the restricted list */
    NT_DENIED_LOSS = -131,               /* gate: halted by the daily loss limit */
    NT_DENIED_MAX_NET_EXPOSURE = -132,   /* gate: net exposure */
    NT_DENIED_DUPLICATE = -133,          /* gate: like an order just given */
    NT_DENIED_REPEATED = -134,           /* gate: as many executions as may be before it is re-enabled */
    NT_DENIED_SELF_TRADE = -135,         /* gate: could trade with an own working order */
    NT_DENIED_DRAWDOWN = -136,           /* gate: halted by the drawdown limit */
    NT_DENIED_LIQUIDATION = -140,        /* account: a margin call; the engine closes what is held */
    NT_DENIED_BANKRUPT = -141,           /* account: equity fell below zero */
    NT_DENIED_NO_RATE = -142,            /* account: no rate yet from the symbol's currency to the account's */
    NT_DENIED_SESSION_CLOSED = -143      /* account: the symbol's calendar has no session now */
};

#endif
