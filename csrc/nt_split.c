/* nt_split: what a split makes of the orders that work. What is left to fill grows by the ratio, prices shrink by it and go back on
 * the tick; what was filled stays what it was, so that fills still add up to it. */
#include "nt_book.h"
#include "nt_entries.h"
#include "nt_flows.h"

typedef struct nt_ratio {
    int64_t numerator;
    int64_t denominator;
    int64_t tick;
} nt_ratio;

/* 0 stays 0, and nothing else becomes it. */
static nt_status grow(const nt_ratio *ratio, int64_t *quantity)
{
    if (*quantity <= 0)
        return NT_OK;
    nt_status status = nt_multiply_divide(*quantity, ratio->numerator, ratio->denominator, quantity);
    *quantity += *quantity == 0;
    return status;
}

/* A price or a distance; `tick` 1 leaves it at what it comes to. */
static nt_status shrink(const nt_ratio *ratio, int64_t tick, int64_t *price)
{
    int64_t ticks;
    if (*price == 0)
        return NT_OK;
    nt_status status = nt_divide_half_even((nt_wide)*price * ratio->denominator, ratio->numerator, &ticks);
    if (status == NT_OK && tick > 1)
        status = nt_divide_half_even(ticks, tick, &ticks);
    if (status == NT_OK && __builtin_mul_overflow(ticks ? ticks : 1, tick, price))
        status = NT_OVERFLOW;
    return status;
}

static nt_status adjust(const nt_ratio *ratio, nt_order *row, nt_working *working)
{
    nt_bracket *bracket = &working->bracket;
    int64_t left = row->quantity - row->filled, *prices[] = {&row->limit,          &working->limit,       &working->trail,
                                                             &bracket->stop_loss,  &bracket->take_profit, &bracket->trail};
    for (size_t index = 0; index < sizeof prices / sizeof *prices; index++)
        if (shrink(ratio, ratio->tick, prices[index]) != NT_OK)
            return NT_OVERFLOW;
    int trails = row->type == NT_TRAILING && !working->fired;
    if (shrink(ratio, 1, &working->peak) != NT_OK || shrink(ratio, 1, &working->born_price) != NT_OK ||
        shrink(ratio, trails ? 1 : ratio->tick, &row->stop) != NT_OK ||
        shrink(ratio, trails ? 1 : ratio->tick, &working->stop) != NT_OK || grow(ratio, &left) != NT_OK)
        return NT_OVERFLOW;
    if (trails)
        row->stop = working->stop = nt_bracket_trail(working, row->side, ratio->tick);
    if (row->quantity != 0 && nt_add(row->filled, left, &row->quantity) != NT_OK)
        return NT_OVERFLOW;
    if (working->size_kind == NT_SIZE_GIVEN)
        working->size_value = row->quantity;
    return working->size_kind == NT_SIZE_UNITS ? grow(ratio, &working->size_value) : NT_OK;
}

nt_status nt_split_orders(nt_engine *engine, int32_t slot, int64_t numerator, int64_t denominator)
{
    const nt_orders *orders = &engine->orders;
    nt_ratio ratio = {numerator, denominator, engine->markets[slot].tick};
    for (int32_t index = orders->lists[slot].head; index >= 0; index = orders->working[index].next) {
        nt_working *working = &orders->working[index];
        nt_order *row = nt_orders_row(orders, working->order_id);
        nt_status status = adjust(&ratio, row, working);
        if (status != NT_OK)
            return status;
        nt_entries_recount(&engine->orders, working->order_id);
        nt_orders_reprice(&engine->orders, index);
        nt_engine_record(engine, NT_EVENT_MODIFIED, slot, working->order_id, row->side, 0, row->quantity, row->limit, row->stop, 0);
    }
    engine->orders.lists[slot].reach_known = 0;
    return engine->failure;
}
