#include "nt_lots.h"

#include <stdlib.h>
#include <string.h>

/* What a fill is going to do, found before anything is touched. */
typedef struct nt_lot_plan {
    nt_position next;
    nt_closing total;
    nt_wide worth; /* of the symbol's list afterwards */
    int64_t closed; /* absolute */
    int64_t opened; /* signed */
    int64_t opened_cost;
    int64_t opened_fee;
    int64_t cash;
} nt_lot_plan;

nt_status nt_lots_open(nt_lots *lots, int32_t symbol_count)
{
    memset(lots, 0, sizeof *lots);
    lots->free_head = -1;
    lots->symbol_count = symbol_count;
    lots->lists = malloc((size_t)symbol_count * sizeof *lots->lists);
    if (lots->lists == NULL)
        return NT_NO_MEMORY;
    for (int32_t slot = 0; slot < symbol_count; slot++)
        lots->lists[slot] = (nt_lot_list){0, -1, -1};
    return NT_OK;
}

void nt_lots_close(nt_lots *lots)
{
    free(lots->pool);
    free(lots->lists);
    free(lots->closed);
    memset(lots, 0, sizeof *lots);
}

static nt_status reserve_lot(nt_lots *lots)
{
    if (lots->free_head >= 0)
        return NT_OK;
    int32_t before = lots->capacity, capacity = before ? before * 2 : 64;
    if (before >= NT_LOTS_MAX)
        return NT_FULL;
    nt_lot *pool = realloc(lots->pool, (size_t)capacity * sizeof *pool);
    if (pool == NULL)
        return NT_NO_MEMORY;
    lots->pool = pool;
    lots->capacity = capacity;
    for (int32_t index = capacity - 1; index >= before; index--) {
        pool[index].next = lots->free_head;
        lots->free_head = index;
    }
    return NT_OK;
}

static nt_lot_closing *add_closed(nt_lots *lots)
{
    if (lots->closed_count == lots->closed_capacity) {
        int32_t capacity = lots->closed_capacity ? lots->closed_capacity * 2 : 64;
        nt_lot_closing *closed = realloc(lots->closed, (size_t)capacity * sizeof *closed);
        if (closed == NULL)
            return NULL;
        lots->closed = closed;
        lots->closed_capacity = capacity;
    }
    return &lots->closed[lots->closed_count++];
}

/* Plan the closing of plan->closed units: which lots, and what each gets. */
static nt_status plan_closing(const nt_ledger *ledger, int32_t slot, int64_t price, int64_t exit_fee, nt_lot_plan *plan)
{
    nt_lots *lots = ledger->lots;
    int64_t sign = nt_sign(plan->next.quantity), left = plan->closed, done = 0, proceeds, paid = 0, charged = 0;
    if (nt_ledger_notional(ledger, slot, sign * plan->closed, price, &proceeds) != NT_OK)
        return NT_OVERFLOW;
    for (int32_t index = lots->lists[slot].head; left > 0; index = lots->pool[index].next) {
        const nt_lot *lot = &lots->pool[index];
        int64_t taken = nt_smaller(lot->quantity, left), cost = lot->cost, fees = lot->fees, gets, pays;
        if (taken < lot->quantity && (nt_multiply_divide(lot->cost, taken, lot->quantity, &cost) != NT_OK ||
                                      nt_multiply_divide(lot->fees, taken, lot->quantity, &fees) != NT_OK))
            return NT_OVERFLOW;
        left -= taken;
        done += taken;
        if (nt_multiply_divide(proceeds, done, plan->closed, &gets) != NT_OK ||
            nt_multiply_divide(exit_fee, done, plan->closed, &pays) != NT_OK)
            return NT_OVERFLOW;
        nt_lot_closing *row = add_closed(lots);
        if (row == NULL)
            return NT_NO_MEMORY;
        *row = (nt_lot_closing){.closing = {.quantity = taken, .cost = cost, .entry_price = lot->price},
                                .entry_fees = fees, .entry_bar = lot->entry_bar, .entry_ns = lot->entry_ns, .order_id = lot->order_id, .signal_id = lot->signal_id};
        if (__builtin_sub_overflow(gets - paid, cost, &row->closing.realised) ||
            nt_add(fees, pays - charged, &row->closing.fees) != NT_OK ||
            nt_add(plan->total.realised, row->closing.realised, &plan->total.realised) != NT_OK ||
            nt_add(plan->total.fees, row->closing.fees, &plan->total.fees) != NT_OK)
            return NT_OVERFLOW;
        paid = gets;
        charged = pays;
        plan->total.cost += cost; /* at most the basis */
        plan->next.entry_fees -= fees;
        plan->worth -= (nt_wide)taken * lot->price;
    }
    plan->total.quantity = plan->closed;
    plan->total.entry_price = plan->next.entry_price;
    plan->next.quantity -= sign * plan->closed;
    plan->next.basis -= plan->total.cost;
    if (nt_add(plan->cash, proceeds, &plan->cash) != NT_OK ||
        nt_add(plan->next.realised, plan->total.realised, &plan->next.realised) != NT_OK)
        return NT_OVERFLOW;
    return NT_OK;
}

static nt_status plan_opening(const nt_ledger *ledger, int32_t slot, int64_t price, nt_lot_plan *plan)
{
    if (nt_ledger_notional(ledger, slot, plan->opened, price, &plan->opened_cost) != NT_OK ||
        nt_add(plan->next.quantity, plan->opened, &plan->next.quantity) != NT_OK ||
        nt_add(plan->next.basis, plan->opened_cost, &plan->next.basis) != NT_OK ||
        nt_add(plan->next.entry_fees, plan->opened_fee, &plan->next.entry_fees) != NT_OK ||
        __builtin_sub_overflow(plan->cash, plan->opened_cost, &plan->cash))
        return NT_OVERFLOW;
    plan->worth += (nt_wide)nt_absolute(plan->opened) * price;
    return reserve_lot(ledger->lots);
}

static void release_head(nt_lots *lots, nt_lot_list *list)
{
    int32_t index = list->head;
    list->head = lots->pool[index].next;
    if (list->head < 0)
        list->tail = -1;
    lots->pool[index].next = lots->free_head;
    lots->free_head = index;
}

static void commit(nt_ledger *ledger, int32_t slot, int64_t price, const nt_lot_plan *plan)
{
    nt_lots *lots = ledger->lots;
    nt_lot_list *list = &lots->lists[slot];
    for (int32_t row = 0; row < lots->closed_count; row++) {
        nt_lot *lot = &lots->pool[list->head];
        if (lots->closed[row].closing.quantity == lot->quantity) {
            release_head(lots, list);
            continue;
        }
        lot->quantity -= lots->closed[row].closing.quantity;
        lot->cost -= lots->closed[row].closing.cost;
        lot->fees -= lots->closed[row].entry_fees;
    }
    if (plan->opened != 0) {
        int32_t index = lots->free_head;
        lots->free_head = lots->pool[index].next;
        lots->pool[index] = (nt_lot){.quantity = nt_absolute(plan->opened), .price = price, .cost = plan->opened_cost,
                                     .fees = plan->opened_fee, .entry_bar = -1, .next = -1};
        if (list->tail >= 0)
            lots->pool[list->tail].next = index;
        else
            list->head = index;
        list->tail = index;
    }
    list->worth = plan->worth;
    ledger->positions[slot] = plan->next;
    ledger->cash = plan->cash;
}

nt_status nt_lots_fill(nt_ledger *ledger, int32_t slot, int64_t quantity, int64_t price, int64_t fee, nt_closing *closing_out)
{
    nt_lots *lots = ledger->lots;
    nt_lot_plan plan = {.next = ledger->positions[slot], .worth = lots->lists[slot].worth, .cash = ledger->cash};
    int64_t exit_fee = 0;
    nt_status status = NT_OK;
    lots->closed_count = 0;
    if (plan.next.quantity != 0 && (plan.next.quantity > 0) != (quantity > 0))
        plan.closed = nt_smaller(nt_absolute(quantity), nt_absolute(plan.next.quantity));
    plan.opened = quantity - nt_sign(quantity) * plan.closed;
    if (plan.closed != 0) {
        status = nt_multiply_divide(fee, plan.closed, nt_absolute(quantity), &exit_fee);
        if (status == NT_OK)
            status = plan_closing(ledger, slot, price, exit_fee, &plan);
    }
    plan.opened_fee = fee - exit_fee;
    if (status == NT_OK && plan.opened != 0)
        status = plan_opening(ledger, slot, price, &plan);
    if (status == NT_OK && (nt_add(plan.next.fees, fee, &plan.next.fees) != NT_OK || __builtin_sub_overflow(plan.cash, fee, &plan.cash)))
        status = NT_OVERFLOW;
    if (status == NT_OK && plan.next.quantity != 0)
        status = nt_divide_half_even(plan.worth, nt_absolute(plan.next.quantity), &plan.next.entry_price);
    if (status != NT_OK)
        return status;
    if (plan.next.quantity == 0)
        plan.next.entry_price = 0;
    commit(ledger, slot, price, &plan);
    *closing_out = plan.total;
    return NT_OK;
}

void nt_lots_stamp(nt_lots *lots, int32_t slot, int64_t bar, int64_t ts_ns, int64_t order_id, int64_t signal_id)
{
    nt_lot *lot = &lots->pool[lots->lists[slot].tail];
    lot->entry_bar = bar;
    lot->entry_ns = ts_ns;
    lot->order_id = order_id;
    lot->signal_id = signal_id;
}

/* Unlink a lot that came to nothing; `before` is the one that precedes it, -1 = none. */
static void drop_lot(nt_lots *lots, nt_lot_list *list, int32_t before, int32_t index)
{
    int32_t next = lots->pool[index].next;
    if (before >= 0)
        lots->pool[before].next = next;
    else
        list->head = next;
    if (next < 0)
        list->tail = before;
    lots->pool[index].next = lots->free_head;
    lots->free_head = index;
}

nt_status nt_lots_split(nt_lots *lots, int32_t slot, int64_t quantity, int64_t numerator, int64_t denominator)
{
    nt_lot_list *list = &lots->lists[slot];
    int64_t running = 0, after = 0, done = 0, cost = 0, fees = 0, price;
    int32_t before = -1, next;
    for (int32_t index = list->head; index >= 0; index = lots->pool[index].next)
        if (nt_multiply_divide(lots->pool[index].price, denominator, numerator, &price) != NT_OK)
            return NT_OVERFLOW;
    list->worth = 0;
    for (int32_t index = list->head; index >= 0; index = next) {
        nt_lot *lot = &lots->pool[index];
        next = lot->next;
        running += lot->quantity;
        (void)nt_multiply_divide(running, numerator, denominator, &after); /* at most `quantity`, which fits */
        (void)nt_multiply_divide(lot->price, denominator, numerator, &price);
        if (next < 0 && done == 0 && after == 0)
            after = quantity; /* all of it rounds to nothing: the least there is */
        lot->quantity = after - done;
        lot->price = price > 0 ? price : 1;
        lot->cost += cost;
        lot->fees += fees;
        cost = fees = 0;
        if (lot->quantity == 0) {
            cost = lot->cost;
            fees = lot->fees;
            drop_lot(lots, list, before, index);
            continue;
        }
        list->worth += (nt_wide)lot->quantity * lot->price;
        done = after;
        before = index;
    }
    if (before >= 0) {
        lots->pool[before].cost += cost;
        lots->pool[before].fees += fees;
    }
    return NT_OK;
}

int nt_lots_add_up(const nt_ledger *ledger)
{
    const nt_lots *lots = ledger->lots;
    for (int32_t slot = 0; slot < lots->symbol_count; slot++) {
        const nt_position *position = &ledger->positions[slot];
        nt_wide quantity = 0, cost = 0, fees = 0;
        for (int32_t index = lots->lists[slot].head; index >= 0; index = lots->pool[index].next) {
            quantity += lots->pool[index].quantity;
            cost += lots->pool[index].cost;
            fees += lots->pool[index].fees;
        }
        if (quantity != nt_absolute(position->quantity) || cost != position->basis || fees != position->entry_fees)
            return 0;
    }
    return 1;
}
