#include "nt_signals.h"

#include <math.h>

#include "nt_book.h"

static int64_t rate_at(const double *rates, int64_t at)
{
    int64_t rate = 0;
    if (rates != NULL && rates[at] > 0)
        (void)nt_fixed_from_double(rates[at], 1e12, &rate);
    return rate;
}

static int64_t enter(nt_engine *engine, const nt_signal_arrays *arrays, int32_t slot, int64_t at, int8_t side)
{
    nt_request request = {
        .slot = slot,
        .side = side,
        .target_side = side,
        .role = NT_ROLE_ENTRY,
        .size = engine->size,
        .bracket = {.stop_loss_rate = rate_at(arrays->stop_loss, at), .take_profit_rate = rate_at(arrays->take_profit, at)},
    };
    if (arrays->size != NULL && !isnan(arrays->size[at])) {
        request.size = (nt_size){NT_SIZE_UNITS, 0};
        if (nt_nano_from_double(arrays->size[at], &request.size.value) != NT_OK || request.size.value <= 0)
            return nt_book_refuse(engine, slot, side, NT_DENIED_QUANTITY_RANGE);
    }
    return nt_book_submit(engine, &request);
}

/* Whether an order of an earlier bar still waits (for volume, for latency), which then decides first. The rest of an entry does
 * not outlive the exit of what it opened, nor does one that an exit overtakes before it has filled at all. */
static int waits(nt_engine *engine, int32_t slot, int64_t held, int exit_long, int exit_short)
{
    const nt_orders *orders = &engine->orders;
    int found = 0;
    int32_t next;
    for (int32_t index = orders->lists[slot].head; index >= 0; index = next) {
        int64_t id = orders->working[index].order_id;
        const nt_order *row = nt_orders_row(orders, id);
        next = orders->working[index].next;
        int overtaken = row->side > 0 ? exit_long && held >= 0 : exit_short && held <= 0;
        if (overtaken && row->role == NT_ROLE_ENTRY)
            (void)nt_book_end(engine, id, NT_CANCELLED_ORDER, 0); /* signals join no orders */
        else
            found |= row->role <= NT_ROLE_CLOSE;
    }
    return found;
}

int64_t nt_signals_on_bar(nt_context *context, void *user)
{
    const nt_signal_arrays *arrays = user;
    int64_t at = context->i * arrays->symbol_count + context->symbol - arrays->first_slot;
    int enter_long = arrays->entries != NULL && arrays->entries[at];
    int enter_short = arrays->short_entries != NULL && arrays->short_entries[at];
    int exit_long = arrays->exits != NULL && arrays->exits[at];
    int exit_short = arrays->short_exits != NULL && arrays->short_exits[at];
    if (!(enter_long | enter_short | exit_long | exit_short))
        return 0;
    nt_engine *engine = context->engine;
    int32_t slot = (int32_t)context->symbol;
    int64_t held = engine->positions[slot].quantity;
    if ((enter_long && enter_short) || engine->markets[slot].exit_bar == engine->i)
        enter_long = enter_short = 0;
    int leave = (held > 0 && exit_long) || (held < 0 && exit_short);
    if (waits(engine, slot, held, exit_long, exit_short))
        return engine->failure != NT_OK;
    int64_t reversed = 0;
    if (held <= 0 && enter_long)
        reversed = enter(engine, arrays, slot, at, 1);
    else if (held >= 0 && enter_short)
        reversed = enter(engine, arrays, slot, at, -1);
    /* One order for exit and entry; where the gate refuses it, the exit still holds. */
    if (leave && reversed <= 0 && engine->failure == NT_OK)
        context->api->close_position(context);
    return engine->failure != NT_OK;
}
