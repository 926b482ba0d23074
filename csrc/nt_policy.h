/* nt_policy: what a run is told, in fixed point. Values are checked by neuraltrade/core/settings before they come here;
 * the order of every enum is the order of FillPolicy.CHOICES and Size.KINDS there.
 */
#ifndef NT_POLICY_H
#define NT_POLICY_H

#include <stdint.h>

enum { NT_MARKET_NEXT_OPEN = 0, NT_MARKET_SAME_CLOSE = 1 };
enum { NT_LIMIT_TOUCH = 0, NT_LIMIT_PENETRATE = 1 };
enum { NT_GAP_IMPROVE = 0, NT_GAP_AT_LIMIT = 1 };
enum { NT_GAP_AT_OPEN = 0, NT_GAP_AT_STOP = 1 };
enum { NT_PATH_WORST = 0, NT_PATH_BEST = 1, NT_PATH_OHLC = 2, NT_PATH_OLHC = 3, NT_PATH_NEAREST = 4 };
enum { NT_FROM_ENTRY_BAR = 0, NT_FROM_NEXT_BAR = 1, NT_FROM_CERTAIN_PROFIT = 2 };
enum { NT_BASE_FILL_PRICE = 0, NT_BASE_ENTRY_CLOSE = 1 };
enum { NT_TRAIL_AFTER_CHECK = 0, NT_TRAIL_BEFORE_CHECK = 1 };
enum { NT_TRAIL_EXTREMES = 0, NT_TRAIL_CLOSES = 1 };
enum { NT_LIMITS_NEXT_BAR = 0, NT_LIMITS_AT_ONCE = 1 };
enum { NT_DEPTH_UNLIMITED = 0, NT_DEPTH_QUARTER = 1 };
enum { NT_CASH_REJECT = 0, NT_CASH_SHRINK = 1 };

/* How an order is sized. NT_SIZE_GIVEN: its quantity is known. The others say where the position shall be after it. */
enum { NT_SIZE_UNITS = 0, NT_SIZE_CASH = 1, NT_SIZE_EQUITY = 2, NT_SIZE_ALL_IN = 3, NT_SIZE_GIVEN = 4 };

typedef struct nt_policy {
    int32_t market_at;
    int32_t limit_fill;
    int32_t limit_gap;
    int32_t stop_gap;
    int32_t path;
    int32_t contingent_from;
    int32_t contingent_from_working;
    int32_t stop_base;
    int32_t trail_update;
    int32_t trail_by;
    int32_t limits_from;
    int32_t depth;
    int32_t reject_on_cash;
    double volume_cap; /* 0 = none */
} nt_policy;

typedef struct nt_costs {
    int64_t fee_rate;      /* pico */
    int64_t fee_fixed;     /* minor */
    int64_t fee_per_unit;  /* nano of the currency, per unit */
    int64_t fee_minimum;   /* minor */
    int64_t slippage_rate; /* pico */
    int64_t slippage_ticks;
    int64_t slippage_capped; /* 1 = never beyond the bar */
} nt_costs;

typedef struct nt_account {
    int64_t leverage;    /* nano */
    int64_t shorting;    /* 1 = allowed */
    int64_t maintenance; /* pico of exposure; -1 = the account is not watched */
    int64_t borrow_rate; /* pico a year, on what is short */
    int64_t interest_rate; /* pico a year, on cash below zero */
    int64_t fifo;        /* 1 = lots are closed first in, first out; 0 = average cost */
    int64_t at_extremes; /* 1 = it is judged at the worst prices of each bar, 0 = at closes */
} nt_account;

/* What the gate lets through, each stricter than the one before. Entering the last two also ends what works: see nt_gate.h. */
enum { NT_MODE_OPEN = 0, NT_MODE_REDUCE_ONLY = 1, NT_MODE_HALT = 2, NT_MODE_CANCEL_ALL = 3 };

typedef struct nt_limits {
    int64_t enabled;        /* 0 = structural checks only */
    int64_t max_quantity;   /* nano; 0 = off, as below */
    int64_t max_notional;   /* minor */
    int64_t collar;         /* pico */
    int64_t max_position;   /* nano */
    int64_t mode;           /* NT_MODE_* that the run starts in */
    int64_t max_gross;      /* minor: sum of |position| at market */
    int64_t max_net;        /* minor: |sum of positions| at market */
    int64_t max_leverage;   /* nano: gross over equity */
    int64_t max_rate;       /* orders in one second */
    int64_t duplicate_ns;   /* window for a second order like the first */
    int64_t max_executions; /* entries, until re-enabled */
    int64_t self_trade;     /* 1 = refuse what would meet an own order */
    int64_t max_loss;       /* minor, since the last close of the day before */
    int64_t max_drawdown;   /* pico of the peak of equity */
    int64_t loss_mode;      /* NT_MODE_* that those two enter */
} nt_limits;

/* The default size of a run, or of one order. value: nano units, minor cash, or pico fraction. */
typedef struct nt_size {
    int64_t kind;
    int64_t value;
} nt_size;

#endif
