/* nt_orders: every order of a run, and the state machine they obey.
 *
 *     pending -> submitted -> partially_filled -> filled | cancelled | expired
 *        |           +------> filled | cancelled | rejected | expired
 *        +-> denied
 *
 * An nt_order is kept for ever, at index id - 1. What only a working order needs is its nt_working, in a bounded pool, on its
 * symbol's list in order of arrival. Rows move when the table grows: hold ids and pool indices across a call, not pointers.
 */
#ifndef NT_ORDERS_H
#define NT_ORDERS_H

#include <stdint.h>

#include "nt_fixed.h"

enum { NT_MARKET = 0, NT_LIMIT = 1, NT_STOP = 2, NT_STOP_LIMIT = 3, NT_TRAILING = 4, NT_ON_OPEN = 5, NT_ON_CLOSE = 6 };
enum {
    NT_PENDING = 0,
    NT_SUBMITTED = 1,
    NT_PARTIALLY_FILLED = 2,
    NT_FILLED = 3,
    NT_CANCELLED_ORDER = 4,
    NT_REJECTED = 5,
    NT_EXPIRED = 6,
    NT_DENIED = 7
};
enum { NT_ROLE_ENTRY = 0, NT_ROLE_CLOSE = 1, NT_ROLE_STOP_LOSS = 2, NT_ROLE_TAKE_PROFIT = 3, NT_ROLE_TRAIL = 4, NT_ROLE_LIQUIDATION = 5 };

#define NT_WORKING_MAX 65536

/* Prices and distances in nano, rates in pico; 0 = not given. */
typedef struct nt_bracket {
    int64_t stop_loss;
    int64_t take_profit;
    int64_t trail;
    int64_t stop_loss_rate;
    int64_t take_profit_rate;
    int64_t trail_rate;
} nt_bracket;

typedef struct nt_order {
    int64_t signal_id;
    int64_t parent_id;
    int64_t created_bar;
    int64_t done_bar; /* -1 while working */
    int64_t quantity; /* nano; 0 until an order sized at its fill is filled */
    int64_t filled;   /* nano */
    int64_t limit;    /* nano; 0 = none */
    int64_t stop;     /* nano; 0 = none */
    int32_t symbol;
    int32_t reason;
    int32_t working; /* pool index; -1 once done */
    int8_t side;
    uint8_t type;
    uint8_t tif;
    uint8_t status;
    uint8_t role;
    uint8_t spare[7];
} nt_order;
_Static_assert(sizeof(nt_order) == 88, "a run keeps every order, so each byte counts");

typedef struct nt_working {
    int64_t order_id;
    int64_t limit; /* what still has to be met; 0 = nothing */
    int64_t stop;
    int64_t trail; /* nano below (above) the peak; or */
    int64_t trail_rate;
    int64_t peak;
    nt_bracket bracket; /* for the children of its fills */
    int64_t size_value;
    int64_t from_bar; /* clock index of the first bar that may fill it */
    int64_t from_ns;  /* and that bar must open at or after this time */
    int64_t day;      /* of the first bar it could fill in; -1 before */
    int64_t born_bar; /* where it came to life inside a bar: the price it did so at, and the way the price was going */
    int64_t born_price;
    int64_t good_till; /* the last end of a bar that may fill it; GTD only */
    int64_t partner;   /* the order that it cancels and that cancels it; 0 = none */
    int32_t next;
    int32_t previous;
    int32_t symbol;
    int8_t born_direction; /* 0 = at an open */
    int8_t target_side;
    uint8_t size_kind;
    uint8_t fired; /* a stop that was reached and could not fill in full: the rest is a market order */
    uint8_t point; /* quarters: of the bar's path, the one that last filled a part of it */
    int8_t side; /* as the order's, here so that a walk of what works reads nothing else */
    uint8_t type;
    uint8_t role;
    uint8_t tif;
    uint8_t reach_kind; /* the heap that has its key (nt_reach.h), and where */
    int32_t reach_place;
    int32_t counted_unfilled;
    int32_t side_next; /* among those of its side that nt_entries holds, in order of arrival */
    int32_t side_previous;
    int64_t counted; /* what nt_entries holds of it: in left, or -1 = among the sized; and, above, among the unfilled */
} nt_working;

/* What works of one symbol and side besides brackets, kept as it comes and goes (nt_entries.h) where a gate asks for it. */
typedef struct nt_entries {
    nt_wide left;     /* nano that entries of a given size have still to fill */
    int64_t from;     /* what orders are willing to trade at, never less than it is: those without an upper bound from here up, */
    int64_t up_to;    /* those without a lower one up to here, */
    int64_t low;      /* and the others (stop-limits) somewhere in between these */
    int64_t high;
    int32_t count;    /* entries and closing orders */
    int32_t sized;    /* entries that find their size at their fill */
    int32_t unfilled; /* entries that have not traded yet */
    int32_t head;
    int32_t tail;
    int32_t spare;
} nt_entries;

/* Keys of orders that wait for one way of the price (nt_reach.h). */
typedef struct nt_reach_heap {
    int64_t most; /* no key is above it */
    int32_t count;
    int32_t last; /* block; -1 = none */
} nt_reach_heap;

/* An order that a bar may trigger. */
typedef struct nt_reached {
    int64_t order_id;
    int32_t index;
    int32_t spare;
} nt_reached;

typedef struct nt_order_list {
    int32_t head;
    int32_t tail;
    int32_t count;
    int32_t trigger_count;   /* of these: all that wait for a price or for a close */
    int32_t trail_count;     /* trailing stops */
    int32_t transient_count; /* good for less than until cancelled */
    int32_t close_count;     /* at the next close */
    int32_t reach_known;     /* whether the two below hold */
    double reach_down; /* a bar whose low stays above and whose high stays below these */
    double reach_up;   /* triggers nothing and moves no trailing stop */
    int32_t closing_counts[2]; /* sells, buys: all but entries */
    int32_t is_touched; /* whether nt_orders.touched has it */
    int32_t spare;
    nt_entries entries[2];     /* sells, buys */
    nt_reach_heap heaps[3];    /* by NT_REACH_* */
} nt_order_list;

typedef struct nt_orders {
    nt_order *rows;
    int64_t count;
    int64_t capacity;
    nt_working *working;
    int32_t working_count;
    int32_t working_capacity;
    int32_t free_head;
    int32_t symbol_count;
    int64_t counts_entries; /* whether the lists' entries are kept, */
    int64_t unfilled;       /* and then of all of them: entries that have not traded yet */
    nt_order_list *lists; /* by symbol */
    int32_t *touched; /* symbols of which close, position or entries changed since nt_exposure looked */
    int32_t touched_count;
    int32_t all_touched; /* 1 = every symbol */
    struct nt_reach_block *blocks; /* nt_reach.h, as the rest */
    int32_t block_capacity;
    int32_t block_count;
    int32_t block_free;
    int32_t reaching; /* the symbol whose bar is being matched; -1 = none */
    nt_reached *reached;
    int64_t reached_count;
    int64_t reached_capacity;
} nt_orders;

nt_status nt_orders_open(nt_orders *orders, int32_t symbol_count);
void nt_orders_close(nt_orders *orders);

/* Make room for `row_count` orders in all and `working_count` at a time, and touch it: until more come nothing is allocated.
 * NT_NO_MEMORY: as it was. */
nt_status nt_orders_reserve(nt_orders *orders, int64_t row_count, int32_t working_count);

/* Add `order` as pending; its id is assigned. With `working` it joins the end of its symbol's list.
 * NT_NO_MEMORY or NT_DENIED_TABLE_FULL: nothing added. */
nt_status nt_orders_add(nt_orders *orders, const nt_order *order, const nt_working *working, int64_t *id_out);

/* Move to `status`; a final one takes the order off its list and stamps it.
 * NT_DENIED_UNKNOWN_ORDER, NT_DENIED_ORDER_DONE, NT_DENIED_TRANSITION: unchanged. */
nt_status nt_orders_move(nt_orders *orders, int64_t id, uint8_t status, int32_t reason, int64_t bar);

/* Whether the state machine has that arrow: NT_OK, NT_DENIED_ORDER_DONE out of a final status, else NT_DENIED_TRANSITION. */
nt_status nt_orders_arrow(uint8_t from, uint8_t to);

/* Find reach_down and reach_up of a symbol's list; they hold until its orders or their prices change. */
void nt_orders_measure(nt_orders *orders, int32_t symbol);

/* After the limit or the stop of a working order changed, or it fired. */
void nt_orders_reprice(nt_orders *orders, int32_t index);

struct nt_order_row;
/* The whole table as nt_event.h has it, into `rows_out[orders->count]`. NaN stands for no price and for a size not found yet. */
void nt_orders_export(const nt_orders *orders, const int64_t *clock_ts_ns, struct nt_order_row *rows_out);

/* Note that close, position or entries of a symbol have changed. */
static inline void nt_orders_touch(nt_orders *orders, int32_t symbol)
{
    nt_order_list *list = &orders->lists[symbol];
    if (list->is_touched)
        return;
    list->is_touched = 1;
    orders->touched[orders->touched_count++] = symbol;
}

static inline nt_order *nt_orders_row(const nt_orders *orders, int64_t id)
{
    return id >= 1 && id <= orders->count ? &orders->rows[id - 1] : (nt_order *)0;
}

static inline int nt_order_is_active(const nt_order *order)
{
    return order != (nt_order *)0 && order->status <= NT_PARTIALLY_FILLED;
}

/* A market order, whenever it is for. */
static inline int nt_order_is_market(const nt_order *order)
{
    return order->type == NT_MARKET || order->type >= NT_ON_OPEN;
}

static inline int nt_order_is_exit(const nt_order *order)
{
    return order->role >= NT_ROLE_STOP_LOSS;
}

#endif
