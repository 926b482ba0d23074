/* nt_reach: working orders by the price they wait for, so that a bar finds those it reaches without walking the others.
 *
 * Each symbol has three heaps of keys, in no order: what a falling price triggers, what a rising one does, and what has to be looked
 * at in every bar (no price, or one that moves by itself). A heap is a chain of blocks of NT_REACH_KEYS, all full but the last, so that
 * coming and going cost a few stores and a bar compares keys that lie side by side. The blocks are taken with the pool of working
 * orders: as long as that does not grow nothing is allocated.
 */
#ifndef NT_REACH_H
#define NT_REACH_H

#include "nt_orders.h"

#define NT_REACH_KEYS 32

#define NT_NO_KEYS {.most = INT64_MIN, .last = -1}

enum { NT_REACH_FALLING = 0, NT_REACH_RISING = 1, NT_REACH_ALWAYS = 2 };

typedef struct nt_reach_block {
    int64_t keys[NT_REACH_KEYS]; /* falling: the price; rising: its negative */
    int32_t orders[NT_REACH_KEYS]; /* pool indices */
    int32_t before;
    int32_t spare;
} nt_reach_block;

/* Blocks for a pool of `working_count`. NT_NO_MEMORY: as it was. */
nt_status nt_reach_widen(nt_orders *orders, int32_t working_count);
void nt_reach_close(nt_orders *orders);

/* Room for one more to be collected, before an order joins the symbol that is being matched. NT_NO_MEMORY. */
nt_status nt_reach_room(nt_orders *orders);

/* As a working order joins its list and as it leaves, and after its limit, its stop or whether it has fired changed. */
void nt_reach_join(nt_orders *orders, int32_t index);
void nt_reach_leave(nt_orders *orders, int32_t index);
void nt_reach_move(nt_orders *orders, int32_t index);

/* Collect in orders->reached, in order of arrival, what a bar within low..high may trigger and what must be looked at. Until nt_reach_done
 * orders that join the symbol's list are added. NT_NO_MEMORY. */
nt_status nt_reach_find(nt_orders *orders, int32_t symbol, int64_t low, int64_t high);
static inline void nt_reach_done(nt_orders *orders)
{
    orders->reaching = -1;
}

/* The pool index of the k-th that was collected; -1 = it has ended. */
static inline int32_t nt_reach_at(const nt_orders *orders, int64_t k)
{
    const nt_reached *reached = &orders->reached[k];
    return orders->working[reached->index].order_id == reached->order_id ? reached->index : -1;
}

/* The nearest prices that a bar has to reach, found from what is kept: never farther than they are. */
void nt_reach_nearest(const nt_orders *orders, int32_t symbol, int64_t *down_out, int64_t *up_out);

#endif
