#include "nt_reach.h"

#include <stdlib.h>

#include "nt_policy.h"

/* As few are all looked at: cheaper than to ask which. */
#define ALL_MOST 4

/* Up to here the few that a bar reaches are put in order by insertion; more are found in order by a walk. */
#define SORTED_MOST 64

static int kind_of(const nt_working *working)
{
    int64_t price = working->stop ? working->stop : working->limit;
    if (price == 0 || working->fired || working->type == NT_TRAILING)
        return NT_REACH_ALWAYS;
    return (working->stop != 0) == (working->side > 0) ? NT_REACH_RISING : NT_REACH_FALLING;
}

static int64_t key_of(const nt_working *working, int kind)
{
    int64_t price = working->stop ? working->stop : working->limit;
    return kind == NT_REACH_RISING ? -price : price;
}

nt_status nt_reach_widen(nt_orders *orders, int32_t working_count)
{
    int32_t capacity = working_count / NT_REACH_KEYS + 3 * orders->symbol_count + 1;
    if (capacity <= orders->block_capacity)
        return NT_OK;
    nt_reach_block *blocks = realloc(orders->blocks, (size_t)capacity * sizeof *blocks);
    if (blocks == NULL)
        return NT_NO_MEMORY;
    orders->blocks = blocks;
    orders->block_capacity = capacity;
    return NT_OK;
}

void nt_reach_close(nt_orders *orders)
{
    free(orders->blocks);
    free(orders->reached);
}

/* The blocks of all heaps are at most one for each NT_REACH_KEYS orders and a last one for each heap: there is always one. */
static int32_t take_block(nt_orders *orders, int32_t before)
{
    int32_t taken = orders->block_free;
    if (taken >= 0)
        orders->block_free = orders->blocks[taken].before;
    else
        taken = orders->block_count++;
    orders->blocks[taken].before = before;
    return taken;
}

static void push(nt_orders *orders, int32_t index)
{
    nt_working *working = &orders->working[index];
    nt_order_list *list = &orders->lists[working->symbol];
    int kind = kind_of(working);
    int64_t key = key_of(working, kind);
    nt_reach_heap *heap = &list->heaps[kind];
    int32_t at = heap->count++ & (NT_REACH_KEYS - 1);
    if (at == 0 && (heap->count > 1 || heap->last < 0)) /* a heap that was emptied keeps a block */
        heap->last = take_block(orders, heap->last);
    nt_reach_block *block = &orders->blocks[heap->last];
    block->keys[at] = key;
    block->orders[at] = index;
    working->reach_place = heap->last * NT_REACH_KEYS + at;
    working->reach_kind = (uint8_t)kind;
    heap->most = key > heap->most ? key : heap->most;
    list->reach_known = 0;
}

/* The last key takes the place of the one that goes. */
static void pull(nt_orders *orders, int32_t index)
{
    const nt_working *working = &orders->working[index];
    nt_order_list *list = &orders->lists[working->symbol];
    nt_reach_heap *heap = &list->heaps[working->reach_kind];
    int32_t last = --heap->count & (NT_REACH_KEYS - 1), place = working->reach_place;
    nt_reach_block *block = &orders->blocks[(uint32_t)place / NT_REACH_KEYS], *end = &orders->blocks[heap->last];
    int32_t moved = end->orders[last];
    block->keys[(uint32_t)place % NT_REACH_KEYS] = end->keys[last];
    block->orders[(uint32_t)place % NT_REACH_KEYS] = moved;
    orders->working[moved].reach_place = place;
    list->reach_known = 0;
    if (heap->count == 0)
        heap->most = INT64_MIN;
    if (last != 0 || heap->count == 0)
        return;
    int32_t before = end->before;
    end->before = orders->block_free;
    orders->block_free = heap->last;
    heap->last = before;
}

nt_status nt_reach_room(nt_orders *orders)
{
    if (orders->reached_count < orders->reached_capacity)
        return NT_OK;
    int64_t capacity = orders->reached_capacity ? 2 * orders->reached_capacity : 64;
    nt_reached *reached = realloc(orders->reached, (size_t)capacity * sizeof *reached);
    if (reached == NULL)
        return NT_NO_MEMORY;
    orders->reached = reached;
    orders->reached_capacity = capacity;
    return NT_OK;
}

static void note(nt_orders *orders, int32_t index)
{
    orders->reached[orders->reached_count++] = (nt_reached){orders->working[index].order_id, index, 0};
}

void nt_reach_join(nt_orders *orders, int32_t index)
{
    push(orders, index);
    if (orders->reaching == orders->working[index].symbol)
        note(orders, index);
}

void nt_reach_leave(nt_orders *orders, int32_t index)
{
    pull(orders, index);
}

void nt_reach_move(nt_orders *orders, int32_t index)
{
    const nt_working *working = &orders->working[index];
    const nt_reach_block *block = &orders->blocks[(uint32_t)working->reach_place / NT_REACH_KEYS];
    int kind = kind_of(working);
    orders->lists[working->symbol].reach_known = 0;
    if (kind == working->reach_kind && (kind == NT_REACH_ALWAYS || block->keys[(uint32_t)working->reach_place % NT_REACH_KEYS] == key_of(working, kind)))
        return;
    pull(orders, index);
    push(orders, index);
}

/* All that a heap has at `bound` or beyond; the bound of the next bar is exact again. */
static nt_status collect(nt_orders *orders, nt_reach_heap *heap, int64_t bound)
{
    int64_t most = INT64_MIN;
    if (heap->count == 0 || heap->most < bound)
        return NT_OK;
    int32_t used = (heap->count - 1) % NT_REACH_KEYS + 1; /* of the last block; the others are full */
    for (int32_t at = heap->last; at >= 0; at = orders->blocks[at].before, used = NT_REACH_KEYS) {
        const nt_reach_block *block = &orders->blocks[at];
        int64_t here = INT64_MIN;
        for (int32_t k = 0; k < used; k++)
            here = block->keys[k] > here ? block->keys[k] : here;
        most = here > most ? here : most;
        for (int32_t k = 0; here >= bound && k < used; k++) {
            if (block->keys[k] < bound)
                continue;
            if (nt_reach_room(orders) != NT_OK)
                return NT_NO_MEMORY;
            note(orders, block->orders[k]);
        }
    }
    heap->most = most;
    return NT_OK;
}

static void put_in_order(nt_reached *reached, int64_t count)
{
    for (int64_t k = 1; k < count; k++) {
        nt_reached moved = reached[k];
        int64_t to = k;
        for (; to > 0 && reached[to - 1].order_id > moved.order_id; to--)
            reached[to] = reached[to - 1];
        reached[to] = moved;
    }
}

#ifdef NT_DEBUG
/* Once more by walking: as many as were collected have a key in reach, and each in the heap that its prices ask for. */
static void check_found(const nt_orders *orders, int32_t symbol, const int64_t bounds[3])
{
    int64_t count = 0;
    for (int32_t index = orders->lists[symbol].head; index >= 0; index = orders->working[index].next) {
        const nt_working *working = &orders->working[index];
        int kind = kind_of(working);
        const nt_reach_block *block = &orders->blocks[(uint32_t)working->reach_place / NT_REACH_KEYS];
        int64_t key = block->keys[(uint32_t)working->reach_place % NT_REACH_KEYS];
        if (kind != working->reach_kind || block->orders[(uint32_t)working->reach_place % NT_REACH_KEYS] != index ||
            (kind != NT_REACH_ALWAYS && key != key_of(working, kind)))
            abort();
        count += key_of(working, kind) >= bounds[kind];
    }
    if (count != orders->reached_count)
        abort();
}
#endif

nt_status nt_reach_find(nt_orders *orders, int32_t symbol, int64_t low, int64_t high)
{
    nt_order_list *list = &orders->lists[symbol];
    const int64_t bounds[] = {[NT_REACH_FALLING] = low, [NT_REACH_RISING] = -high, [NT_REACH_ALWAYS] = INT64_MIN};
    nt_status status = NT_OK;
    orders->reaching = symbol;
    orders->reached_count = 0;
    if (list->count <= ALL_MOST) {
        for (int32_t index = list->head; index >= 0 && (status = nt_reach_room(orders)) == NT_OK; index = orders->working[index].next)
            note(orders, index);
        return status;
    }
    for (int kind = 0; kind < 3 && status == NT_OK; kind++)
        status = collect(orders, &list->heaps[kind], bounds[kind]);
#ifdef NT_DEBUG
    check_found(orders, symbol, bounds);
#endif
    if (status != NT_OK || orders->reached_count <= SORTED_MOST) {
        put_in_order(orders->reached, orders->reached_count);
        return status;
    }
    orders->reached_count = 0;
    for (int32_t index = list->head; index >= 0 && status == NT_OK; index = orders->working[index].next) {
        const nt_working *working = &orders->working[index];
        if (key_of(working, working->reach_kind) < bounds[working->reach_kind])
            continue;
        if ((status = nt_reach_room(orders)) == NT_OK)
            note(orders, index);
    }
    return status;
}

void nt_reach_nearest(const nt_orders *orders, int32_t symbol, int64_t *down_out, int64_t *up_out)
{
    const nt_order_list *list = &orders->lists[symbol];
    const nt_reach_heap *falling = &list->heaps[NT_REACH_FALLING], *rising = &list->heaps[NT_REACH_RISING];
    int64_t down = falling->count > 0 ? falling->most : 0, up = rising->count > 0 ? -rising->most : INT64_MAX;
    const nt_reach_heap *always = &list->heaps[NT_REACH_ALWAYS];
    int32_t left = always->count;
    for (int32_t at = always->last; left > 0; at = orders->blocks[at].before) {
        int32_t here = (left - 1) % NT_REACH_KEYS + 1;
        for (int32_t k = 0; k < here; k++) {
            const nt_working *working = &orders->working[orders->blocks[at].orders[k]];
            if (working->fired || working->type != NT_TRAILING) {
                down = INT64_MAX;
                continue;
            }
            int64_t near = working->side < 0 ? working->stop : working->peak, far = working->side < 0 ? working->peak : working->stop;
            down = near > down ? near : down;
            up = far < up ? far : up;
        }
        left -= here;
    }
    *down_out = down;
    *up_out = up;
}
