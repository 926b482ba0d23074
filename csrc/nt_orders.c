#include "nt_orders.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nt_entries.h"
#include "nt_event.h"
#include "nt_reach.h"
#include "nt_rows.h"

nt_status nt_orders_open(nt_orders *orders, int32_t symbol_count)
{
    memset(orders, 0, sizeof *orders);
    orders->free_head = orders->block_free = orders->reaching = -1;
    orders->symbol_count = symbol_count;
    orders->lists = malloc((size_t)symbol_count * sizeof *orders->lists);
    orders->touched = malloc((size_t)symbol_count * sizeof *orders->touched);
    if (orders->lists == NULL || orders->touched == NULL) {
        nt_orders_close(orders);
        return NT_NO_MEMORY;
    }
    for (int32_t symbol = 0; symbol < symbol_count; symbol++)
        orders->lists[symbol] = (nt_order_list){.head = -1, .tail = -1, .entries = {NT_NO_ENTRIES, NT_NO_ENTRIES}, .heaps = {NT_NO_KEYS, NT_NO_KEYS, NT_NO_KEYS}};
    return NT_OK;
}

void nt_orders_close(nt_orders *orders)
{
    nt_rows_free(orders->rows, orders->capacity * (int64_t)sizeof(nt_order));
    free(orders->working);
    free(orders->lists);
    free(orders->touched);
    nt_reach_close(orders);
    memset(orders, 0, sizeof *orders);
}

static nt_status grow_rows(nt_orders *orders)
{
    if (orders->count < orders->capacity)
        return NT_OK;
    int64_t width = sizeof(nt_order), capacity = nt_rows_next_capacity(orders->capacity, width);
    nt_order *rows = nt_rows_grow(orders->rows, orders->count * width, orders->capacity * width, capacity * width);
    if (rows == NULL)
        return NT_NO_MEMORY;
    orders->rows = rows;
    orders->capacity = capacity;
    return NT_OK;
}

static nt_status widen_pool(nt_orders *orders, int32_t capacity)
{
    int32_t before = orders->working_capacity;
    nt_working *working = realloc(orders->working, (size_t)capacity * sizeof *working);
    if (working == NULL)
        return NT_NO_MEMORY;
    if (nt_reach_widen(orders, capacity) != NT_OK) {
        orders->working = working;
        return NT_NO_MEMORY;
    }
    orders->working = working;
    orders->working_capacity = capacity;
    for (int32_t index = capacity - 1; index >= before; index--) {
        working[index].next = orders->free_head;
        orders->free_head = index;
    }
    return NT_OK;
}

static nt_status grow_working(nt_orders *orders)
{
    if (orders->free_head >= 0)
        return NT_OK;
    if (orders->working_capacity >= NT_WORKING_MAX)
        return NT_DENIED_TABLE_FULL;
    return widen_pool(orders, orders->working_capacity ? orders->working_capacity * 2 : 64);
}

nt_status nt_orders_reserve(nt_orders *orders, int64_t row_count, int32_t working_count)
{
    int64_t width = sizeof(nt_order);
    if (row_count > orders->capacity) {
        if (row_count > INT64_MAX / width)
            return NT_NO_MEMORY;
        nt_order *rows = nt_rows_grow(orders->rows, orders->count * width, orders->capacity * width, row_count * width);
        if (rows == NULL)
            return NT_NO_MEMORY;
        memset(rows + orders->count, 0, (size_t)((row_count - orders->count) * width));
        orders->rows = rows;
        orders->capacity = row_count;
    }
    working_count = working_count < NT_WORKING_MAX ? working_count : NT_WORKING_MAX;
    return working_count > orders->working_capacity ? widen_pool(orders, working_count) : NT_OK;
}

/* Count an order in (by = 1) or out (by = -1) of its list. */
static void tally(nt_order_list *list, const nt_order *row, int32_t by)
{
    list->count += by;
    list->trigger_count += row->type != NT_MARKET && row->type != NT_ON_OPEN ? by : 0;
    list->close_count += row->type == NT_ON_CLOSE ? by : 0;
    list->trail_count += row->type == NT_TRAILING ? by : 0;
    list->closing_counts[row->side > 0] += row->role != NT_ROLE_ENTRY ? by : 0;
    list->transient_count += row->tif != 0 ? by : 0;
    list->reach_known = 0;
}

static void link_last(nt_orders *orders, int32_t index, const nt_order *row)
{
    nt_working *working = &orders->working[index];
    nt_order_list *list = &orders->lists[working->symbol];
    working->next = -1;
    working->previous = list->tail;
    if (list->tail >= 0)
        orders->working[list->tail].next = index;
    else
        list->head = index;
    list->tail = index;
    tally(list, row, 1);
    nt_reach_join(orders, index);
    if (orders->counts_entries && !nt_order_is_exit(row))
        nt_entries_join(orders, index, row);
    orders->working_count++;
}

static void unlink_working(nt_orders *orders, int32_t index, const nt_order *row)
{
    nt_working *working = &orders->working[index];
    nt_order_list *list = &orders->lists[working->symbol];
    if (working->previous >= 0)
        orders->working[working->previous].next = working->next;
    else
        list->head = working->next;
    if (working->next >= 0)
        orders->working[working->next].previous = working->previous;
    else
        list->tail = working->previous;
    tally(list, row, -1);
    nt_reach_leave(orders, index);
    if (orders->counts_entries && !nt_order_is_exit(row))
        nt_entries_leave(orders, index, row);
    orders->working_count--;
    working->order_id = 0;
    working->next = orders->free_head;
    orders->free_head = index;
}

nt_status nt_orders_add(nt_orders *orders, const nt_order *order, const nt_working *working, int64_t *id_out)
{
    nt_status status = grow_rows(orders);
    if (status == NT_OK && working != NULL)
        status = grow_working(orders);
    if (status == NT_OK && orders->reaching == order->symbol)
        status = nt_reach_room(orders);
    if (status != NT_OK)
        return status;
    nt_order *row = &orders->rows[orders->count];
    *row = *order;
    int64_t id = ++orders->count;
    row->status = NT_PENDING;
    row->done_bar = -1;
    row->working = -1;
    if (working != NULL) {
        int32_t index = orders->free_head;
        orders->free_head = orders->working[index].next;
        orders->working[index] = *working;
        orders->working[index].order_id = id;
        orders->working[index].symbol = row->symbol;
        orders->working[index].side = row->side;
        orders->working[index].type = row->type;
        orders->working[index].role = row->role;
        orders->working[index].tif = row->tif;
        row->working = index;
        link_last(orders, index, row);
    }
    *id_out = id;
    return NT_OK;
}

/* Bit s of ARROWS[from]: whether the order may move on to status s. */
static const uint16_t ARROWS[] = {
    [NT_PENDING] = 1 << NT_SUBMITTED | 1 << NT_DENIED,
    [NT_SUBMITTED] = 1 << NT_PARTIALLY_FILLED | 1 << NT_FILLED | 1 << NT_CANCELLED_ORDER | 1 << NT_REJECTED | 1 << NT_EXPIRED,
    [NT_PARTIALLY_FILLED] = 1 << NT_PARTIALLY_FILLED | 1 << NT_FILLED | 1 << NT_CANCELLED_ORDER | 1 << NT_EXPIRED,
    [NT_FILLED] = 0,
    [NT_CANCELLED_ORDER] = 0,
    [NT_REJECTED] = 0,
    [NT_EXPIRED] = 0,
    [NT_DENIED] = 0,
};

nt_status nt_orders_arrow(uint8_t from, uint8_t to)
{
    if (from > NT_PARTIALLY_FILLED && from <= NT_DENIED)
        return NT_DENIED_ORDER_DONE;
    return from <= NT_DENIED && to <= NT_DENIED && (ARROWS[from] >> to & 1) ? NT_OK : NT_DENIED_TRANSITION;
}

nt_status nt_orders_move(nt_orders *orders, int64_t id, uint8_t status, int32_t reason, int64_t bar)
{
    nt_order *row = nt_orders_row(orders, id);
    if (row == NULL)
        return NT_DENIED_UNKNOWN_ORDER;
    nt_status arrow = nt_orders_arrow(row->status, status);
    if (arrow != NT_OK)
        return arrow;
    row->status = status;
    if (status <= NT_PARTIALLY_FILLED)
        return NT_OK;
    row->reason = reason;
    row->done_bar = bar;
    if (row->working >= 0) {
        unlink_working(orders, row->working, row);
        row->working = -1;
    }
    return NT_OK;
}

void nt_orders_measure(nt_orders *orders, int32_t symbol)
{
    nt_order_list *list = &orders->lists[symbol];
    int64_t down, up;
    nt_reach_nearest(orders, symbol, &down, &up);
    /* One nano and some rounding on the side of looking. */
    list->reach_down = ((double)down + 1) / 1e9 * (1 + 1e-15);
    list->reach_up = ((double)up - 1) / 1e9 * (1 - 1e-15);
    list->reach_known = 1;
}

void nt_orders_reprice(nt_orders *orders, int32_t index)
{
    nt_reach_move(orders, index);
    nt_entries_widen(orders, &orders->working[index]);
}

#define TIMES_AHEAD 16

static double or_nan(int64_t nano)
{
    return nano ? nt_double_from_nano(nano) : NAN;
}

void nt_orders_export(const nt_orders *orders, const int64_t *clock_ts_ns, nt_order_row *rows_out)
{
    for (int64_t index = 0; index < orders->count; index++) {
        const nt_order *order = &orders->rows[index];
        if (index + TIMES_AHEAD < orders->count) /* orders are far apart on the clock: each time is a cache miss */
            __builtin_prefetch(&clock_ts_ns[order[TIMES_AHEAD].created_bar]);
        rows_out[index] = (nt_order_row){
            .order_id = index + 1,
            .signal_id = order->signal_id,
            .parent_id = order->parent_id,
            .created_bar = order->created_bar,
            .created_ts_ns = clock_ts_ns[order->created_bar],
            .done_bar = order->done_bar,
            .done_ts_ns = order->done_bar >= 0 ? clock_ts_ns[order->done_bar] : 0,
            .quantity = or_nan(order->quantity),
            .filled = nt_double_from_nano(order->filled),
            .limit_price = or_nan(order->limit),
            .stop_price = or_nan(order->stop),
            .symbol = order->symbol,
            .reason = order->reason,
            .side = order->side,
            .type = order->type,
            .tif = order->tif,
            .status = order->status,
            .role = order->role,
        };
    }
}
