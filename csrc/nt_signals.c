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
            return 0;
    }
    return nt_book_submit(engine, &request);
}

static int entry_works(const nt_engine *engine, int32_t slot)
{
    const nt_orders *orders = &engine->orders;
    for (int32_t index = orders->lists[slot].head; index >= 0; index = orders->working[index].next)
        if (nt_orders_row(orders, orders->working[index].order_id)->role <= NT_ROLE_CLOSE)
            return 1;
    return 0;
}

int64_t nt_signals_on_bar(nt_context *context, void *user)
{
    const nt_signal_arrays *arrays = user;
    int64_t at = context->i * arrays->symbol_count + context->symbol;
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
    /* Orders of an earlier bar that still wait (no volume, latency) decide first. */
    if (entry_works(engine, slot))
        return 0;
    if (held <= 0 && enter_long)
        enter(engine, arrays, slot, at, 1);
    else if (held >= 0 && enter_short)
        enter(engine, arrays, slot, at, -1);
    else if ((held > 0 && exit_long) || (held < 0 && exit_short))
        context->api->close_position(context);
    return engine->failure != NT_OK;
}
