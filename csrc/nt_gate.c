#include "nt_gate.h"

#include <stdlib.h>

#include "nt_book.h"
#include "nt_entries.h"
#include "nt_size.h"

#define DAY_NS (INT64_C(86400) * NT_NANO)

static inline int64_t clamped(nt_wide value)
{
    int64_t low = (int64_t)value;
    return low == value ? low : value > 0 ? INT64_MAX : -INT64_MAX;
}

/* What entries of each side (sells, buys) still want but `but_id`: nt_exposure_working, mostly read off the sums. */
static inline void find_working(const nt_engine *engine, int32_t slot, int64_t but_id, int64_t working[2])
{
    const nt_orders *orders = &engine->orders;
    const nt_entries *entries = orders->lists[slot].entries;
    const nt_order *but = nt_orders_row(orders, but_id);
    int is_counted = but != NULL && but->working >= 0 && but->role == NT_ROLE_ENTRY;
    if (!orders->counts_entries || (entries[0].sized | entries[1].sized) != 0) {
        for (int side = 0; side < 2; side++)
            working[side] = nt_exposure_working(engine, slot, side ? 1 : -1, but_id);
        return;
    }
    for (int side = 0; side < 2; side++)
        working[side] = clamped(entries[side].left - (is_counted && (but->side > 0) == side ? orders->working[but->working].counted : 0));
#ifdef NT_DEBUG
    for (int side = 0; side < 2; side++)
        if (working[side] != nt_exposure_working(engine, slot, side ? 1 : -1, but_id))
            abort();
#endif
}

/* ---- what works and what it could come to ---- */

/* Whether gross exposure after the order is within its limits, whatever it was before. */
static int is_within(const nt_limits *limits, const nt_intent *intent)
{
    if (intent->gross_after == INT64_MAX || (limits->max_gross && intent->gross_after > limits->max_gross))
        return 0;
    return !limits->max_leverage ||
           (intent->equity > 0 && (nt_wide)intent->gross_after * NT_NANO <= (nt_wide)intent->equity * limits->max_leverage);
}

/* Gross before the order only matters where gross after it is beyond a limit: else it stays 0, which no rule reads. */
static void find_exposure(nt_engine *engine, const int64_t working[2], nt_intent *intent)
{
    int32_t slot = intent->slot;
    int64_t own = intent->limit > intent->stop ? intent->limit : intent->stop;
    int64_t price = own > intent->reference ? own : intent->reference;
    nt_wide held = intent->position, gross, net;
    nt_wide up = held + working[1], down = held - working[0];
    nt_wide up_after = up + (intent->side > 0 ? intent->quantity : 0), down_after = down - (intent->side > 0 ? 0 : intent->quantity);
    nt_exposure_others(engine, slot, intent->side, &gross, &net);
    int64_t worst = nt_exposure_worst(engine, slot, up_after, down_after, price);
    intent->gross_after = clamped(gross + worst);
    intent->is_within = is_within(&engine->limits, intent);
    if (!intent->is_within)
        intent->gross_before = clamped(gross + nt_exposure_worst(engine, slot, up, down, price));
    nt_wide towards = intent->side > 0 ? up_after : -down_after, against = intent->side > 0 ? -down_after : up_after;
    int64_t amount = towards > 0 && towards >= against ? worst : nt_exposure_worth(engine, slot, towards, price);
    intent->net_after = clamped(net + (towards > 0 ? amount : -(nt_wide)amount));
}

/* ---- what else there has been ---- */

/* Whether an own order of the other side, of any strategy, is willing to trade where this one is. Brackets go with the position: not
 * counted. */
static void find_crossing(nt_engine *engine, nt_intent *intent)
{
    int64_t low, high;
    nt_entries_willing(intent->side, intent->limit, intent->stop, &low, &high);
    const nt_working *met = NULL;
    for (int32_t slot = intent->slot % engine->symbol_count; slot < engine->market_count && met == NULL; slot += engine->symbol_count)
        met = nt_entries_crossing(&engine->orders, slot, intent->side, low, high);
    if (met == NULL)
        return;
    intent->crosses = 1;
    intent->crossed_price = met->limit ? met->limit : met->stop;
}

/* Orders of the last second, and whether one like this is in the window; the second and the window exclude their beginning. */
static void find_recent(nt_engine *engine, nt_intent *intent)
{
    int64_t now = engine->clock_ts_ns[engine->i];
    nt_recents *recents = &engine->gate.recents;
    nt_recent *row = &engine->gate.asked;
    *row = (nt_recent){now, intent->quantity, intent->limit, intent->stop, intent->slot, (int32_t)intent->side, -1, 0};
    row->hash = nt_recents_hash(row);
    intent->recent = nt_recents_last_second(recents, now);
    intent->likes = engine->limits.duplicate_ns && nt_recents_find(recents, row, engine->limits.duplicate_ns, &intent->like_age);
}

#ifdef NT_DEBUG
static int64_t walk_unfilled(const nt_orders *orders)
{
    int64_t count = 0;
    for (int64_t index = 0; index < orders->count; index++)
        count += orders->rows[index].working >= 0 && orders->rows[index].role == NT_ROLE_ENTRY && orders->rows[index].filled == 0;
    return count;
}
#endif

/* Entries that traded, and those that work and have not yet. */
static int64_t executions_to_come(const nt_engine *engine, int64_t but_id)
{
    const nt_orders *orders = &engine->orders;
    const nt_order *but = nt_orders_row(orders, but_id);
#ifdef NT_DEBUG
    if (orders->unfilled != walk_unfilled(orders))
        abort();
#endif
    /* One that is partly filled is in gate.executions. */
    return engine->gate.executions + orders->unfilled - (but != NULL && but->working >= 0 && but->role == NT_ROLE_ENTRY);
}

/* ---- the gate ---- */

nt_status nt_gate_open(nt_engine *engine)
{
    nt_gate *gate = &engine->gate;
    const nt_limits *limits = &engine->limits;
    gate->mode = (int32_t)limits->mode;
    gate->on = limits->enabled != 0 || gate->mode != NT_MODE_OPEN;
    gate->watches = limits->max_loss || limits->max_drawdown;
    gate->day = INT64_MIN;
    gate->watched_step = -1;
    gate->equity = gate->day_equity = gate->peak = engine->ledger.cash;
    engine->orders.counts_entries = limits->enabled;
    nt_risk_open(limits, &gate->tally);
    return nt_exposure_open(engine);
}

void nt_gate_close(nt_engine *engine)
{
    nt_recents_close(&engine->gate.recents);
    nt_exposure_close(engine);
}

/* Whether equity is what the latest look at it found. */
static int is_watched(const nt_engine *engine)
{
    const nt_gate *gate = &engine->gate;
    return gate->watched_step == engine->i && gate->watched_fills == engine->fill_count && gate->watched_cash == engine->ledger.cash;
}

/* Another look within a step: where nothing traded since the last it would find the same. */
static void watch_again(nt_engine *engine)
{
    nt_gate *gate = &engine->gate;
    if (!is_watched(engine)) {
        nt_gate_watch(engine);
        return;
    }
    gate->tally.checked[NT_CONTROL_LOSS] += gate->cause == 0 && engine->limits.max_loss;
    gate->tally.checked[NT_CONTROL_DRAWDOWN] += gate->cause == 0 && engine->limits.max_drawdown;
}

static int64_t equity_for(const nt_engine *engine)
{
    int64_t equity;
    if (engine->gate.watches && is_watched(engine))
        return engine->gate.equity;
    return nt_exposure_equity(engine, &equity) == NT_OK ? equity : 0;
}

nt_status nt_gate_check(nt_engine *engine, const nt_request *request, int64_t quantity, int64_t reference,
                        int64_t changed_id, nt_finding *finding)
{
    const nt_limits *limits = &engine->limits;
    nt_gate *gate = &engine->gate;
    if (gate->watches)
        watch_again(engine);
    int64_t held = engine->positions[request->slot].quantity, working[2];
    find_working(engine, request->slot, changed_id, working);
    nt_intent intent = {
        .side = request->side,
        .quantity = quantity > 0 ? quantity : 0,
        .limit = request->limit,
        .stop = request->stop,
        .reference = reference,
        .position = held,
        .working = working[request->side > 0],
        .slot = request->slot,
        .closes = request->role != NT_ROLE_ENTRY,
        .mode = gate->mode,
        .cause = gate->cause,
        .cause_limit = gate->cause_limit,
        .cause_value = gate->cause_value,
        .restricted = engine->markets[request->slot].restricted != 0,
    };
    intent.reduces = intent.closes || (held * intent.side < 0 && (nt_wide)intent.quantity + intent.working <= nt_absolute(held));
    if (limits->max_leverage)
        intent.equity = equity_for(engine);
    if (limits->max_gross || limits->max_net || limits->max_leverage)
        find_exposure(engine, working, &intent);
    if (limits->self_trade)
        find_crossing(engine, &intent);
    if (limits->max_rate || limits->duplicate_ns)
        find_recent(engine, &intent);
    if (limits->max_executions)
        intent.executions = executions_to_come(engine, changed_id);
    return nt_risk_check(limits, &engine->ledger, &intent, &gate->tally, finding);
}

nt_status nt_gate_note(nt_engine *engine)
{
    nt_gate *gate = &engine->gate;
    int64_t kept = engine->limits.duplicate_ns > NT_NANO ? engine->limits.duplicate_ns : NT_NANO;
    if (!engine->limits.max_rate && !engine->limits.duplicate_ns)
        return NT_OK;
    return nt_recents_add(&gate->recents, &gate->asked, kept);
}

/* Whether |quantity| at `price` is not above `most` minor: exact where multiplier and rate are one, as nt_gate_fits asks first. */
static int is_worth_at_most(const nt_engine *engine, nt_wide quantity, int64_t price, nt_wide most)
{
    if (most < 0 || most > INT64_MAX || quantity > INT64_MAX)
        return 0;
    return quantity * price <= most * engine->ledger.divisor;
}

int nt_gate_fits(const nt_engine *engine, const nt_order *order, int64_t quantity, int64_t price, int sized)
{
    const nt_limits *limits = &engine->limits;
    const nt_position *position = &engine->positions[order->symbol];
    nt_wide after = (nt_wide)order->side * position->quantity + quantity, gross, net;
    int64_t close = nt_engine_last_price(engine, order->symbol), mark = sized || !close ? price : close, equity;
    if (engine->gate.mode != NT_MODE_OPEN || position->multiplier != NT_NANO || position->rate != NT_PICO || after < 0)
        return 0;
    if (sized && ((limits->max_quantity && quantity > limits->max_quantity) ||
                  (limits->max_notional && !is_worth_at_most(engine, quantity, price, limits->max_notional))))
        return 0;
    if (limits->max_position && after > limits->max_position)
        return 0;
    if (!limits->max_gross && !limits->max_net && !limits->max_leverage)
        return 1;
    nt_exposure_others_held(engine, order->symbol, order->side, &gross, &net);
    if (limits->max_gross && !is_worth_at_most(engine, after, mark, limits->max_gross - gross))
        return 0;
    if (limits->max_net && !is_worth_at_most(engine, after, mark, limits->max_net - net))
        return 0;
    if (!limits->max_leverage)
        return 1;
    if (nt_exposure_equity(engine, &equity) != NT_OK || equity <= 0)
        return 0;
    return is_worth_at_most(engine, after, mark, (nt_wide)equity * limits->max_leverage / NT_NANO - gross);
}

/* The largest |position| whose worth at `price` is at most `left`. */
static int64_t units_within(const nt_engine *engine, int32_t slot, nt_wide left, int64_t price)
{
    nt_limits only = {.max_notional = clamped(left)};
    return left <= 0 ? 0 : nt_risk_room(&only, &engine->ledger, slot, 1, price);
}

static void narrow(int64_t *room, int32_t *reason, int64_t to, int32_t why)
{
    if (to >= *room)
        return;
    *room = to;
    *reason = why;
}

/* Exposure and leverage bound the position after the fill, marked at `mark`. */
static void narrow_exposure(const nt_engine *engine, int32_t slot, int64_t side, int64_t mark, int64_t *room, int32_t *reason)
{
    const nt_limits *limits = &engine->limits;
    int64_t held = side * engine->positions[slot].quantity, equity;
    nt_wide gross, net;
    nt_exposure_others_held(engine, slot, side, &gross, &net);
    if (limits->max_gross)
        narrow(room, reason, clamped((nt_wide)units_within(engine, slot, limits->max_gross - gross, mark) - held), NT_DENIED_MAX_EXPOSURE);
    if (limits->max_net)
        narrow(room, reason, clamped((nt_wide)units_within(engine, slot, limits->max_net - net, mark) - held), NT_DENIED_MAX_NET_EXPOSURE);
    if (limits->max_leverage) {
        nt_wide most = nt_exposure_equity(engine, &equity) == NT_OK && equity > 0 ? (nt_wide)equity * limits->max_leverage / NT_NANO : 0;
        narrow(room, reason, clamped((nt_wide)units_within(engine, slot, most - gross, mark) - held), NT_DENIED_MAX_LEVERAGE);
    }
}

int64_t nt_gate_room(const nt_engine *engine, const nt_order *order, int64_t price, int sized, int32_t *reason_out)
{
    const nt_limits *limits = &engine->limits;
    const nt_gate *gate = &engine->gate;
    int64_t room = INT64_MAX;
    if (gate->mode != NT_MODE_OPEN)
        narrow(&room, reason_out, 0, gate->cause ? gate->cause : gate->mode == NT_MODE_REDUCE_ONLY ? NT_DENIED_REDUCE_ONLY : NT_DENIED_HALTED);
    nt_limits each[] = {{.max_quantity = limits->max_quantity}, {.max_notional = limits->max_notional}, {.max_position = limits->max_position}};
    static const int32_t reasons[] = {NT_DENIED_MAX_QUANTITY, NT_DENIED_MAX_NOTIONAL, NT_DENIED_MAX_POSITION};
    for (int index = sized ? 0 : 2; index < 3; index++)
        narrow(&room, reason_out, nt_risk_room(&each[index], &engine->ledger, order->symbol, order->side, price), reasons[index]);
    if (limits->max_gross || limits->max_net || limits->max_leverage) {
        int64_t close = nt_engine_last_price(engine, order->symbol);
        narrow_exposure(engine, order->symbol, order->side, sized || !close ? price : close, &room, reason_out);
    }
    return room > 0 ? room : 0;
}

/* ---- losses and the kill switch ---- */

void nt_gate_watch(nt_engine *engine)
{
    const nt_limits *limits = &engine->limits;
    nt_gate *gate = &engine->gate;
    int64_t equity, day = (engine->clock_ts_ns[engine->i] - 1) / DAY_NS;
    gate->watched_step = -1;
    if (nt_exposure_equity(engine, &equity) != NT_OK)
        return;
    gate->watched_step = engine->i;
    gate->watched_fills = engine->fill_count;
    gate->watched_cash = engine->ledger.cash;
    if (day != gate->day) {
        gate->day = day;
        gate->day_equity = gate->equity;
    }
    gate->equity = equity;
    if (equity > gate->peak)
        gate->peak = equity;
    if (gate->cause != 0)
        return;
    nt_wide loss = (nt_wide)gate->day_equity - equity, fall = (nt_wide)gate->peak - equity;
    if (limits->max_loss) {
        gate->tally.checked[NT_CONTROL_LOSS]++;
        if (loss > limits->max_loss) {
            gate->tally.denied[NT_CONTROL_LOSS]++;
            gate->cause_limit = limits->max_loss;
            gate->cause_value = clamped(loss);
            nt_gate_halt(engine, (int32_t)limits->loss_mode, NT_DENIED_LOSS);
            return;
        }
    }
    if (limits->max_drawdown) {
        gate->tally.checked[NT_CONTROL_DRAWDOWN]++;
        if (fall > 0 && fall * NT_PICO > (nt_wide)limits->max_drawdown * gate->peak) {
            gate->tally.denied[NT_CONTROL_DRAWDOWN]++;
            gate->cause_limit = limits->max_drawdown;
            gate->cause_value = nt_risk_ratio(clamped(fall), gate->peak, NT_PICO);
            nt_gate_halt(engine, (int32_t)limits->loss_mode, NT_DENIED_DRAWDOWN);
        }
    }
}

/* Whether a working order has to end as the mode is entered. */
static int must_end(const nt_engine *engine, const nt_order *row, int32_t mode)
{
    if (mode == NT_MODE_CANCEL_ALL)
        return row->role != NT_ROLE_LIQUIDATION;
    if (row->role != NT_ROLE_ENTRY)
        return 0;
    return mode == NT_MODE_HALT || engine->positions[row->symbol].quantity * row->side >= 0;
}

int64_t nt_gate_halt(nt_engine *engine, int32_t mode, int32_t cause)
{
    nt_gate *gate = &engine->gate;
    int64_t cancelled = 0;
    if (cause != 0)
        gate->cause = cause;
    if (mode <= gate->mode)
        return 0;
    gate->mode = mode;
    gate->on = 1;
    nt_engine_record(engine, NT_EVENT_HALTED, 0, 0, 0, (int16_t)cause, 0, 0, mode, 0);
    for (int32_t slot = 0; slot < engine->market_count; slot++) {
        int32_t next;
        for (int32_t index = engine->orders.lists[slot].head; index >= 0; index = next) {
            int64_t id = engine->orders.working[index].order_id;
            next = engine->orders.working[index].next;
            if (!must_end(engine, nt_orders_row(&engine->orders, id), mode))
                continue;
            int64_t ended = nt_book_end(engine, id, NT_CANCELLED_ORDER, cause ? cause : NT_DENIED_HALTED);
            cancelled += ended;
            if (ended > 1)
                next = engine->orders.lists[slot].head;
        }
    }
    return cancelled;
}

void nt_gate_resume(nt_engine *engine)
{
    nt_gate *gate = &engine->gate;
    gate->mode = NT_MODE_OPEN;
    gate->cause = 0;
    gate->on = engine->limits.enabled != 0;
    gate->executions = 0;
    gate->watched_step = -1;
    if (nt_exposure_equity(engine, &gate->equity) == NT_OK)
        gate->day_equity = gate->peak = gate->equity;
    nt_engine_record(engine, NT_EVENT_RESUMED, 0, 0, 0, 0, 0, 0, NT_MODE_OPEN, 0);
}
