#include "nt_exposure.h"

#include <stdlib.h>

#include "nt_engine.h"
#include "nt_entries.h"
#include "nt_size.h"

static int64_t clamped(nt_wide value)
{
    return value > INT64_MAX ? INT64_MAX : value < -INT64_MAX ? -INT64_MAX : (int64_t)value;
}

nt_status nt_exposure_open(nt_engine *engine)
{
    engine->gate.marks = calloc((size_t)engine->market_count, sizeof *engine->gate.marks);
    engine->orders.all_touched = 1;
    return engine->gate.marks == NULL ? NT_NO_MEMORY : NT_OK;
}

void nt_exposure_close(nt_engine *engine)
{
    free(engine->gate.marks);
    engine->gate.marks = NULL;
}

static int64_t walk_working(const nt_engine *engine, int32_t slot, int64_t side, int64_t but_id)
{
    const nt_orders *orders = &engine->orders;
    nt_wide sum = 0;
    for (int32_t index = orders->lists[slot].head; index >= 0; index = orders->working[index].next) {
        const nt_working *working = &orders->working[index];
        const nt_order *row = nt_orders_row(orders, working->order_id);
        if (row->role != NT_ROLE_ENTRY || row->side != side || working->order_id == but_id)
            continue;
        int64_t quantity = row->quantity - row->filled;
        if (working->size_kind != NT_SIZE_GIVEN) {
            nt_size size = {working->size_kind, working->size_value};
            int64_t target, price = nt_engine_last_price(engine, slot);
            quantity = 0;
            if (price && nt_size_target(engine, slot, size, working->target_side, price, &target) == NT_OK)
                quantity = clamped(side * ((nt_wide)working->target_side * target - engine->positions[slot].quantity));
        }
        sum += quantity > 0 ? quantity : 0;
    }
    return clamped(sum);
}

int64_t nt_exposure_working(const nt_engine *engine, int32_t slot, int64_t side, int64_t but_id)
{
    const nt_orders *orders = &engine->orders;
    if (!orders->counts_entries || orders->lists[slot].entries[side > 0].sized > 0)
        return walk_working(engine, slot, side, but_id);
    int64_t sum = clamped(nt_entries_left(orders, slot, side, but_id));
#ifdef NT_DEBUG
    if (sum != walk_working(engine, slot, side, but_id))
        abort();
#endif
    return sum;
}

int64_t nt_exposure_worth(const nt_engine *engine, int32_t slot, nt_wide quantity, int64_t price)
{
    int64_t notional, size = clamped(quantity < 0 ? -quantity : quantity);
    if (size == 0)
        return 0;
    if (price <= 0 || nt_ledger_notional(&engine->ledger, slot, size, price, &notional) != NT_OK)
        return INT64_MAX;
    return notional;
}

/* What a larger position is worth is never less, so one of the two has to be found. */
int64_t nt_exposure_worst(const nt_engine *engine, int32_t slot, nt_wide up, nt_wide down, int64_t price)
{
    nt_wide most = up > 0 ? up : 0;
    return nt_exposure_worth(engine, slot, -down > most ? -down : most, price);
}

/* What `towards` units on one side add to the net on that side. */
static int64_t netted(const nt_engine *engine, int32_t slot, nt_wide towards, int64_t price)
{
    int64_t amount = nt_exposure_worth(engine, slot, towards, price);
    return towards > 0 ? amount : -amount;
}

static int is_held_known(const nt_mark *mark, const nt_engine *engine, int32_t slot)
{
    return mark->is_known && mark->close == engine->markets[slot].last_close && mark->held == engine->positions[slot].quantity;
}

/* The symbol's mark as far as position and close go. */
static nt_mark *held_mark(const nt_engine *engine, int32_t slot)
{
    nt_mark *mark = &engine->gate.marks[slot];
    if (is_held_known(mark, engine, slot))
        return mark;
    int64_t price = nt_engine_last_price(engine, slot), held = engine->positions[slot].quantity;
    mark->close = engine->markets[slot].last_close;
    mark->held = held;
    mark->price = price;
    mark->is_known = 1;
    mark->gross = nt_exposure_worth(engine, slot, held, price);
    mark->net = held > 0 ? mark->gross : -mark->gross;
    if (mark->gross == INT64_MAX || nt_size_bound(engine, slot, mark->gross, &mark->bound) != NT_OK)
        mark->bound = INT64_MAX;
    return mark;
}

const nt_mark *nt_exposure_held(const nt_engine *engine, int32_t slot)
{
    return held_mark(engine, slot);
}

/* What a symbol comes to with what works, found anew and counted in the sums. */
static void count_again(nt_engine *engine, int32_t slot)
{
    nt_exposure_sums *sums = &engine->gate.sums;
    nt_mark *mark = held_mark(engine, slot);
    sums->gross -= mark->all_gross;
    sums->up -= mark->all_up;
    sums->down -= mark->all_down;
    nt_wide up = (nt_wide)mark->held + nt_exposure_working(engine, slot, 1, 0);
    nt_wide down = (nt_wide)mark->held - nt_exposure_working(engine, slot, -1, 0);
    mark->all_gross = nt_exposure_worst(engine, slot, up, down, mark->price);
    mark->all_up = netted(engine, slot, up, mark->price);
    mark->all_down = netted(engine, slot, -down, mark->price);
    sums->gross += mark->all_gross;
    sums->up += mark->all_up;
    sums->down += mark->all_down;
}

/* Find again what was touched, but the one that is not asked for. Entries that find their size at their fill may come to something else
 * at any time: their symbol stays touched. */
static void find_touched(nt_engine *engine, int32_t but)
{
    nt_orders *orders = &engine->orders;
    int32_t kept = 0;
    if (orders->all_touched)
        for (int32_t slot = 0; slot < engine->market_count; slot++)
            nt_orders_touch(orders, slot);
    orders->all_touched = 0;
    for (int32_t index = 0; index < orders->touched_count; index++) {
        int32_t slot = orders->touched[index];
        const nt_entries *entries = orders->lists[slot].entries;
        int stays = slot == but || !orders->counts_entries || (entries[0].sized | entries[1].sized) != 0;
        if (slot != but)
            count_again(engine, slot);
        if (stays)
            orders->touched[kept++] = slot;
        else
            orders->lists[slot].is_touched = 0;
    }
    orders->touched_count = kept;
}

#ifdef NT_DEBUG
static void check_sums(nt_engine *engine)
{
    const nt_exposure_sums kept = engine->gate.sums;
    for (int32_t slot = 0; slot < engine->market_count; slot++) {
        if (engine->orders.lists[slot].is_touched)
            continue;
        engine->gate.marks[slot].is_known = 0;
        count_again(engine, slot);
    }
    if (kept.gross != engine->gate.sums.gross || kept.up != engine->gate.sums.up || kept.down != engine->gate.sums.down)
        abort();
}
#endif

void nt_exposure_others(nt_engine *engine, int32_t but, int64_t side, nt_wide *gross, nt_wide *net)
{
    const nt_exposure_sums *sums = &engine->gate.sums;
    const nt_mark *own = &engine->gate.marks[but];
    if (engine->orders.all_touched || engine->orders.touched_count > engine->orders.lists[but].is_touched)
        find_touched(engine, but);
#ifdef NT_DEBUG
    check_sums(engine);
#endif
    *gross = sums->gross - own->all_gross;
    *net = side > 0 ? sums->up - own->all_up : sums->down - own->all_down;
}

void nt_exposure_others_held(const nt_engine *engine, int32_t but, int64_t side, nt_wide *gross, nt_wide *net)
{
    nt_wide sum = 0, towards = 0;
    for (int32_t slot = 0; slot < engine->market_count; slot++) {
        if (slot == but || engine->positions[slot].quantity == 0)
            continue;
        const nt_mark *mark = held_mark(engine, slot);
        sum += mark->gross;
        towards += side > 0 ? mark->net : -mark->net;
    }
    *gross = sum;
    *net = towards;
}

nt_status nt_exposure_equity(const nt_engine *engine, int64_t *out)
{
    nt_wide sum = engine->ledger.cash;
    for (int32_t slot = 0; slot < engine->market_count; slot++) {
        if (engine->positions[slot].quantity == 0)
            continue;
        const nt_mark *mark = held_mark(engine, slot);
        if (mark->gross == INT64_MAX)
            return NT_OVERFLOW;
        sum += mark->net;
    }
    *out = clamped(sum);
    return NT_OK;
}
