#include "nt_gate.h"

#include <string.h>

#include "nt_book.h"
#include "nt_size.h"

#define DAY_NS (INT64_C(86400) * NT_NANO)
#define RECENT_KEPT 64 /* before expired ones are worth moving for */

static int64_t clamped(nt_wide value)
{
    return value > INT64_MAX ? INT64_MAX : value < -INT64_MAX ? -INT64_MAX : (int64_t)value;
}

/* ---- what works and what it could come to ---- */

/* Entries of one side that still work, in nano; those sized at their fill count with what they would be now. */
static int64_t working_entries(const nt_engine *engine, int32_t slot, int64_t side, int64_t but_id)
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

/* |quantity| at `price`, INT64_MAX where it does not fit or there is no price. */
static int64_t worth(const nt_engine *engine, int32_t slot, nt_wide quantity, int64_t price)
{
    int64_t notional, size = clamped(quantity < 0 ? -quantity : quantity);
    if (size == 0)
        return 0;
    if (price <= 0 || nt_ledger_notional(&engine->ledger, slot, size, price, &notional) != NT_OK)
        return INT64_MAX;
    return notional;
}

/* The larger of what a symbol's position could become on either side. */
static int64_t worst(const nt_engine *engine, int32_t slot, nt_wide up, nt_wide down, int64_t price)
{
    int64_t above = up > 0 ? worth(engine, slot, up, price) : 0, below = down < 0 ? worth(engine, slot, down, price) : 0;
    return above > below ? above : below;
}

/* Gross exposure and net exposure towards `side` (positive: on that side) of every symbol but one, with what works; a leg that works
 * the other way does not lessen the net. */
static void exposures_of_others(const nt_engine *engine, int32_t but, int64_t side, int with_working, nt_wide *gross, nt_wide *net)
{
    *gross = *net = 0;
    for (int32_t slot = 0; slot < engine->market_count; slot++) {
        nt_wide held = engine->positions[slot].quantity, up = held, down = held;
        if (slot == but || (held == 0 && engine->orders.lists[slot].count == 0))
            continue;
        int64_t price = nt_engine_last_price(engine, slot);
        if (with_working) {
            up += working_entries(engine, slot, 1, 0);
            down -= working_entries(engine, slot, -1, 0);
        }
        *gross += worst(engine, slot, up, down, price);
        nt_wide towards = side > 0 ? up : -down;
        int64_t amount = worth(engine, slot, towards, price);
        *net += towards > 0 ? amount : -(nt_wide)amount;
    }
}

static nt_status equity_now(const nt_engine *engine, int64_t *out)
{
    nt_wide sum = engine->ledger.cash;
    for (int32_t slot = 0; slot < engine->market_count; slot++) {
        int64_t held = engine->positions[slot].quantity, value;
        if (held == 0)
            continue;
        int64_t price = nt_engine_last_price(engine, slot);
        if (price == 0 || nt_ledger_notional(&engine->ledger, slot, held, price, &value) != NT_OK)
            return NT_OVERFLOW;
        sum += value;
    }
    *out = clamped(sum);
    return NT_OK;
}

static void find_exposure(const nt_engine *engine, int64_t changed_id, nt_intent *intent)
{
    int32_t slot = intent->slot;
    int64_t own = intent->limit > intent->stop ? intent->limit : intent->stop;
    int64_t price = own > intent->reference ? own : intent->reference;
    nt_wide held = intent->position, up = held, down = held, gross, net;
    up += working_entries(engine, slot, 1, changed_id);
    down -= working_entries(engine, slot, -1, changed_id);
    exposures_of_others(engine, slot, intent->side, 1, &gross, &net);
    intent->gross_before = clamped(gross + worst(engine, slot, up, down, price));
    if (intent->side > 0)
        up += intent->quantity;
    else
        down -= intent->quantity;
    intent->gross_after = clamped(gross + worst(engine, slot, up, down, price));
    nt_wide towards = intent->side > 0 ? up : -down;
    int64_t amount = worth(engine, slot, towards, price);
    intent->net_after = clamped(net + (towards > 0 ? amount : -(nt_wide)amount));
}

/* ---- what else there has been ---- */

/* The prices at which an order is willing to trade: a buy from its stop up, to its limit; a sell mirrored. */
static void willing(int64_t side, int64_t limit, int64_t stop, int64_t *low, int64_t *high)
{
    int64_t floor = side > 0 ? stop : limit, ceiling = side > 0 ? limit : stop;
    *low = floor;
    *high = ceiling ? ceiling : INT64_MAX;
}

/* Whether an own order of the other side is willing to trade where this one is. Brackets go with the position: not counted. */
static void find_crossing(const nt_engine *engine, nt_intent *intent)
{
    const nt_orders *orders = &engine->orders;
    int64_t low, high, own_low, own_high;
    willing(intent->side, intent->limit, intent->stop, &own_low, &own_high);
    for (int32_t index = orders->lists[intent->slot].head; index >= 0; index = orders->working[index].next) {
        const nt_working *working = &orders->working[index];
        const nt_order *row = nt_orders_row(orders, working->order_id);
        if (row->side == intent->side || nt_order_is_exit(row))
            continue;
        willing(row->side, working->limit, working->stop, &low, &high);
        if (low > own_high || own_low > high)
            continue;
        intent->crosses = 1;
        intent->crossed_price = working->limit ? working->limit : working->stop;
        return;
    }
}

/* Orders of the last second, and those like this one in the window; the second and the window exclude their beginning. */
static void find_recent(const nt_engine *engine, nt_intent *intent)
{
    const nt_limits *limits = &engine->limits;
    const nt_gate *gate = &engine->gate;
    const nt_recent *rows = (const nt_recent *)gate->recent.data;
    int64_t now = engine->clock_ts_ns[engine->i];
    for (int64_t index = gate->recent.count - 1; index >= gate->recent_first; index--) {
        const nt_recent *row = &rows[index];
        nt_wide age = (nt_wide)now - row->ts_ns;
        if (age >= NT_NANO && age >= limits->duplicate_ns)
            break;
        intent->recent += age < NT_NANO;
        if (age < limits->duplicate_ns && row->slot == intent->slot && row->side == intent->side &&
            row->quantity == intent->quantity && row->limit == intent->limit && row->stop == intent->stop) {
            intent->like_age = intent->likes ? intent->like_age : (int64_t)age;
            intent->likes++;
        }
    }
}

/* Entries that traded, and those that work and have not yet. */
static int64_t executions_to_come(const nt_engine *engine, int64_t but_id)
{
    const nt_orders *orders = &engine->orders;
    int64_t count = engine->gate.executions;
    for (int32_t slot = 0; slot < engine->market_count; slot++)
        for (int32_t index = orders->lists[slot].head; index >= 0; index = orders->working[index].next) {
            int64_t id = orders->working[index].order_id;
            const nt_order *row = nt_orders_row(orders, id);
            if (row->role == NT_ROLE_ENTRY) /* one that is partly filled is in gate.executions */
                count += (row->filled == 0) - (id == but_id);
        }
    return count;
}

/* ---- the gate ---- */

void nt_gate_open(nt_engine *engine)
{
    nt_gate *gate = &engine->gate;
    const nt_limits *limits = &engine->limits;
    gate->mode = (int32_t)limits->mode;
    gate->on = limits->enabled != 0 || gate->mode != NT_MODE_OPEN;
    gate->watches = limits->max_loss || limits->max_drawdown;
    gate->day = INT64_MIN;
    gate->equity = gate->day_equity = gate->peak = engine->ledger.cash;
    nt_rows_open(&gate->recent, sizeof(nt_recent));
}

void nt_gate_close(nt_engine *engine)
{
    nt_rows_close(&engine->gate.recent);
}

nt_status nt_gate_check(nt_engine *engine, const nt_request *request, int64_t quantity, int64_t reference,
                        int64_t changed_id, nt_finding *finding)
{
    const nt_limits *limits = &engine->limits;
    nt_gate *gate = &engine->gate;
    if (gate->watches)
        nt_gate_watch(engine);
    int64_t held = engine->positions[request->slot].quantity;
    nt_intent intent = {
        .side = request->side,
        .quantity = quantity > 0 ? quantity : 0,
        .limit = request->limit,
        .stop = request->stop,
        .reference = reference,
        .position = held,
        .working = working_entries(engine, request->slot, request->side, changed_id),
        .slot = request->slot,
        .closes = request->role != NT_ROLE_ENTRY,
        .mode = gate->mode,
        .cause = gate->cause,
        .cause_limit = gate->cause_limit,
        .cause_value = gate->cause_value,
        .restricted = engine->markets[request->slot].restricted != 0,
    };
    intent.reduces = intent.closes || (held * intent.side < 0 && (nt_wide)intent.quantity + intent.working <= nt_absolute(held));
    if (limits->max_gross || limits->max_net || limits->max_leverage)
        find_exposure(engine, changed_id, &intent);
    if (limits->max_leverage && equity_now(engine, &intent.equity) != NT_OK)
        intent.equity = 0;
    if (limits->self_trade)
        find_crossing(engine, &intent);
    if (limits->max_rate || limits->duplicate_ns)
        find_recent(engine, &intent);
    if (limits->max_executions)
        intent.executions = executions_to_come(engine, changed_id);
    return nt_risk_check(limits, &engine->ledger, &intent, &gate->tally, finding);
}

nt_status nt_gate_note(nt_engine *engine, const nt_request *request, int64_t quantity)
{
    nt_gate *gate = &engine->gate;
    int64_t now = engine->clock_ts_ns[engine->i], kept = engine->limits.duplicate_ns > NT_NANO ? engine->limits.duplicate_ns : NT_NANO;
    if (!engine->limits.max_rate && !engine->limits.duplicate_ns)
        return NT_OK;
    nt_recent *rows = (nt_recent *)gate->recent.data;
    while (gate->recent_first < gate->recent.count && (nt_wide)now - rows[gate->recent_first].ts_ns >= kept)
        gate->recent_first++;
    if (gate->recent_first > RECENT_KEPT && gate->recent_first * 2 > gate->recent.count) {
        gate->recent.count -= gate->recent_first;
        memmove(rows, rows + gate->recent_first, (size_t)gate->recent.count * sizeof *rows);
        gate->recent_first = 0;
    }
    nt_recent *row = nt_rows_add(&gate->recent);
    if (row == NULL)
        return NT_NO_MEMORY;
    *row = (nt_recent){now, quantity > 0 ? quantity : 0, request->limit, request->stop, request->slot, request->side};
    return NT_OK;
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
    exposures_of_others(engine, slot, side, 0, &gross, &net);
    if (limits->max_gross)
        narrow(room, reason, clamped((nt_wide)units_within(engine, slot, limits->max_gross - gross, mark) - held), NT_DENIED_MAX_EXPOSURE);
    if (limits->max_net)
        narrow(room, reason, clamped((nt_wide)units_within(engine, slot, limits->max_net - net, mark) - held), NT_DENIED_MAX_NET_EXPOSURE);
    if (limits->max_leverage) {
        nt_wide most = equity_now(engine, &equity) == NT_OK && equity > 0 ? (nt_wide)equity * limits->max_leverage / NT_NANO : 0;
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
    if (equity_now(engine, &equity) != NT_OK)
        return;
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
            nt_book_end(engine, id, NT_CANCELLED_ORDER, cause ? cause : NT_DENIED_HALTED);
            cancelled++;
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
    if (equity_now(engine, &gate->equity) == NT_OK)
        gate->day_equity = gate->peak = gate->equity;
    nt_engine_record(engine, NT_EVENT_RESUMED, 0, 0, 0, 0, 0, 0, NT_MODE_OPEN, 0);
}
