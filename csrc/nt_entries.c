#include "nt_entries.h"

#include <stdlib.h>

#include "nt_policy.h"

static void widen(nt_entries *entries, int64_t side, const nt_working *working)
{
    int64_t low, high;
    nt_entries_willing(side, working->limit, working->stop, &low, &high);
    if (high == INT64_MAX)
        entries->from = low < entries->from ? low : entries->from;
    else if (low == 0)
        entries->up_to = high > entries->up_to ? high : entries->up_to;
    else {
        entries->low = low < entries->low ? low : entries->low;
        entries->high = high > entries->high ? high : entries->high;
    }
}

/* Whether none of them can be willing to trade in low..high. Buy limits and sell stops lie together below, sell limits and buy stops
 * above: each kind has its own bound, else a quote between them would be walked for every time. */
static int is_clear(const nt_entries *entries, int64_t low, int64_t high)
{
    return (entries->from == INT64_MAX || high < entries->from) && low > entries->up_to && (high < entries->low || low > entries->high);
}

static void count_in(nt_orders *orders, nt_working *working, const nt_order *row)
{
    nt_entries *entries = nt_entries_of(&orders->lists[row->symbol], row->side);
    int64_t left = row->role == NT_ROLE_ENTRY ? row->quantity - row->filled : 0;
    working->counted = row->role == NT_ROLE_ENTRY && working->size_kind != NT_SIZE_GIVEN ? -1 : left > 0 ? left : 0;
    working->counted_unfilled = row->role == NT_ROLE_ENTRY && row->filled == 0;
    entries->left += working->counted > 0 ? working->counted : 0;
    entries->count++;
    entries->sized += working->counted < 0;
    entries->unfilled += working->counted_unfilled;
    orders->unfilled += working->counted_unfilled;
    nt_orders_touch(orders, row->symbol);
    widen(entries, row->side, working);
}

static void count_out(nt_orders *orders, const nt_working *working, const nt_order *row)
{
    nt_entries *entries = nt_entries_of(&orders->lists[row->symbol], row->side);
    entries->left -= working->counted > 0 ? working->counted : 0;
    entries->sized -= working->counted < 0;
    entries->unfilled -= working->counted_unfilled;
    orders->unfilled -= working->counted_unfilled;
    nt_orders_touch(orders, row->symbol);
    entries->count--;
}

void nt_entries_join(nt_orders *orders, int32_t index, const nt_order *row)
{
    nt_working *working = &orders->working[index];
    nt_order_list *list = &orders->lists[row->symbol];
    nt_entries *entries = nt_entries_of(list, row->side);
    working->side_next = -1;
    working->side_previous = entries->tail;
    if (entries->tail >= 0)
        orders->working[entries->tail].side_next = index;
    else
        entries->head = index;
    entries->tail = index;
    count_in(orders, working, row);
}

void nt_entries_leave(nt_orders *orders, int32_t index, const nt_order *row)
{
    const nt_working *working = &orders->working[index];
    nt_order_list *list = &orders->lists[row->symbol];
    nt_entries *entries = nt_entries_of(list, row->side);
    if (working->side_previous >= 0)
        orders->working[working->side_previous].side_next = working->side_next;
    else
        entries->head = working->side_next;
    if (working->side_next >= 0)
        orders->working[working->side_next].side_previous = working->side_previous;
    else
        entries->tail = working->side_previous;
    count_out(orders, working, row);
    if (entries->count == 0)
        *entries = (nt_entries)NT_NO_ENTRIES;
}

void nt_entries_recount(nt_orders *orders, int64_t order_id)
{
    const nt_order *row = nt_orders_row(orders, order_id);
    if (!orders->counts_entries || row->working < 0 || nt_order_is_exit(row))
        return;
    nt_working *working = &orders->working[row->working];
    count_out(orders, working, row);
    count_in(orders, working, row);
}

void nt_entries_widen(nt_orders *orders, const nt_working *working)
{
    if (orders->counts_entries && working->role < NT_ROLE_STOP_LOSS)
        widen(nt_entries_of(&orders->lists[working->symbol], working->side), working->side, working);
}

nt_wide nt_entries_left(const nt_orders *orders, int32_t symbol, int64_t side, int64_t but_id)
{
    nt_wide left = orders->lists[symbol].entries[side > 0].left;
    const nt_order *but = nt_orders_row(orders, but_id);
    if (but != NULL && but->working >= 0 && but->symbol == symbol && but->side == side && but->role == NT_ROLE_ENTRY)
        left -= orders->working[but->working].counted;
    return left;
}

const nt_working *nt_entries_crossing(nt_orders *orders, int32_t symbol, int64_t side, int64_t low, int64_t high)
{
    nt_entries *against = nt_entries_of(&orders->lists[symbol], -side), exact = NT_NO_ENTRIES;
    int none = orders->counts_entries && is_clear(against, low, high);
#ifndef NT_DEBUG
    if (none)
        return NULL;
#endif
    int32_t index = orders->counts_entries ? against->head : orders->lists[symbol].head;
    for (; index >= 0; index = orders->counts_entries ? orders->working[index].side_next : orders->working[index].next) {
        const nt_working *working = &orders->working[index];
        int64_t lowest, highest;
        if (working->side == side || working->role >= NT_ROLE_STOP_LOSS)
            continue;
        nt_entries_willing(working->side, working->limit, working->stop, &lowest, &highest);
        if (lowest <= high && low <= highest && none)
            abort();
        if (lowest <= high && low <= highest)
            return working;
        widen(&exact, working->side, working);
    }
    against->from = exact.from;
    against->up_to = exact.up_to;
    against->low = exact.low;
    against->high = exact.high;
    return NULL;
}
