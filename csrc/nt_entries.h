/* nt_entries: what the working orders of a symbol come to on each side, brackets apart, kept up to date instead of walked.
 *
 * The gate asks on every order how much could still be bought or sold, how many entries may yet execute, and whether an own order
 * could trade with it. With thousands of working orders a walk for each costs tens of microseconds; these sums cost a few
 * additions where an order comes, goes or changes. Kept only where orders.counts_entries is set; whoever changes the quantity,
 * the filled part or the kind of size of a working order calls nt_entries_recount, whoever changes a price nt_entries_widen.
 */
#ifndef NT_ENTRIES_H
#define NT_ENTRIES_H

#include "nt_orders.h"

#define NT_NO_ENTRIES {.head = -1, .tail = -1, .from = INT64_MAX, .up_to = -1, .low = INT64_MAX, .high = -1}

static inline nt_entries *nt_entries_of(nt_order_list *list, int64_t side)
{
    return &list->entries[side > 0];
}

/* The prices at which an order is willing to trade: a buy from its stop up, to its limit; a sell mirrored. */
static inline void nt_entries_willing(int64_t side, int64_t limit, int64_t stop, int64_t *low, int64_t *high)
{
    int64_t floor = side > 0 ? stop : limit, ceiling = side > 0 ? limit : stop;
    *low = floor;
    *high = ceiling ? ceiling : INT64_MAX;
}

/* As an order that is no exit joins its list and as it leaves. */
void nt_entries_join(nt_orders *orders, int32_t index, const nt_order *row);
void nt_entries_leave(nt_orders *orders, int32_t index, const nt_order *row);

/* After a change to a working order; nothing where it is an exit or nothing is kept. */
void nt_entries_recount(nt_orders *orders, int64_t order_id);
void nt_entries_widen(nt_orders *orders, const nt_working *working);

/* The sum of nt_entries.left less the order `but_id` (0 = none); only where nothing is sized. */
nt_wide nt_entries_left(const nt_orders *orders, int32_t symbol, int64_t side, int64_t but_id);

/* The first order but exits, in order of arrival, of the side other than `side` that is willing to trade in low..high; NULL = none. A walk
 * that finds none leaves the bounds exact. */
const nt_working *nt_entries_crossing(nt_orders *orders, int32_t symbol, int64_t side, int64_t low, int64_t high);

#endif
