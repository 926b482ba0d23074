#include "nt_risk.h"

/* What is asked about; a rule answers whether it refuses. One that is off passes everything. */
typedef struct nt_case {
    const nt_limits *limits;
    const nt_ledger *ledger;
    const nt_intent *intent;
    nt_finding *finding;
} nt_case;

int64_t nt_risk_ratio(int64_t value, int64_t by, int64_t scale)
{
    if (by <= 0)
        return INT64_MAX;
    nt_wide ratio = ((nt_wide)value * scale + by - 1) / by;
    return ratio > INT64_MAX ? INT64_MAX : (int64_t)ratio;
}

static inline int is_above(const nt_case *the, int64_t limit, int64_t value, int64_t scale)
{
    if (limit == 0 || value <= limit)
        return 0;
    *the->finding = (nt_finding){limit, value, scale};
    return 1;
}

static inline int mode_refuses(const nt_case *the)
{
    const nt_intent *intent = the->intent;
    if (intent->mode == NT_MODE_OPEN || (intent->mode == NT_MODE_REDUCE_ONLY && intent->reduces))
        return 0;
    if (intent->cause)
        *the->finding = (nt_finding){intent->cause_limit, intent->cause_value,
                                     intent->cause == NT_DENIED_DRAWDOWN ? NT_PICO : the->ledger->scale};
    return 1;
}

/* A buy pays its limit at most; anything else may get the better of its own price and the market's. */
static inline int64_t dearest(const nt_intent *intent)
{
    int64_t own = intent->limit > intent->stop ? intent->limit : intent->stop;
    if (intent->side > 0 && intent->limit)
        return intent->limit;
    return own > intent->reference ? own : intent->reference;
}

static inline int notional_refuses(const nt_case *the)
{
    const nt_intent *intent = the->intent;
    const nt_position *position = &the->ledger->positions[intent->slot];
    int64_t limit = the->limits->max_notional, price = dearest(intent), notional;
    if (!limit)
        return 0;
    /* What is not above the limit unrounded is not above it rounded: no division. */
    if (((position->multiplier ^ NT_NANO) | (position->rate ^ NT_PICO)) == 0 &&
        (nt_wide)intent->quantity * price <= (nt_wide)limit * the->ledger->divisor)
        return 0;
    if (nt_ledger_notional(the->ledger, intent->slot, intent->quantity, price, &notional) != NT_OK)
        notional = INT64_MAX;
    return is_above(the, limit, notional, the->ledger->scale);
}

static inline int collar_refuses(const nt_case *the)
{
    const nt_intent *intent = the->intent;
    int64_t collar = the->limits->collar, far = 0;
    if (!collar)
        return 0;
    if (intent->limit)
        far = nt_absolute(intent->limit - intent->reference);
    if (intent->stop && nt_absolute(intent->stop - intent->reference) > far)
        far = nt_absolute(intent->stop - intent->reference);
    if ((nt_wide)far * NT_PICO <= (nt_wide)intent->reference * collar)
        return 0;
    *the->finding = (nt_finding){collar, nt_risk_ratio(far, intent->reference, NT_PICO), NT_PICO};
    return 1;
}

static inline int position_refuses(const nt_case *the)
{
    const nt_intent *intent = the->intent;
    if (!the->limits->max_position || intent->closes)
        return 0;
    int64_t towards = intent->side * intent->position, after, size = INT64_MAX;
    if (!__builtin_add_overflow(towards, intent->quantity, &after) && !__builtin_add_overflow(after, intent->working, &after))
        size = nt_absolute(after);
    if (size <= nt_absolute(intent->position))
        return 0;
    return is_above(the, the->limits->max_position, size, NT_NANO);
}

static inline int adds_nothing(const nt_intent *intent)
{
    return intent->is_within || intent->closes || (intent->gross_after <= intent->gross_before && intent->gross_after != INT64_MAX);
}

static inline int gross_refuses(const nt_case *the)
{
    return the->limits->max_gross && !adds_nothing(the->intent) &&
           is_above(the, the->limits->max_gross, the->intent->gross_after, the->ledger->scale);
}

static inline int net_refuses(const nt_case *the)
{
    return !the->intent->reduces && is_above(the, the->limits->max_net, the->intent->net_after, the->ledger->scale);
}

static inline int leverage_refuses(const nt_case *the)
{
    const nt_intent *intent = the->intent;
    int64_t most = the->limits->max_leverage;
    if (!most || adds_nothing(intent))
        return 0;
    if (intent->equity > 0 && intent->gross_after != INT64_MAX &&
        (nt_wide)intent->gross_after * NT_NANO <= (nt_wide)intent->equity * most)
        return 0;
    *the->finding = (nt_finding){most, nt_risk_ratio(intent->gross_after, intent->equity, NT_NANO), NT_NANO};
    return 1;
}

static inline int self_trade_refuses(const nt_case *the)
{
    const nt_intent *intent = the->intent;
    if (!the->limits->self_trade || !intent->crosses)
        return 0;
    *the->finding = (nt_finding){intent->crossed_price, intent->limit ? intent->limit : intent->stop, NT_NANO};
    return 1;
}

static inline int duplicate_refuses(const nt_case *the)
{
    if (!the->limits->duplicate_ns || !the->intent->likes)
        return 0;
    *the->finding = (nt_finding){the->limits->duplicate_ns, the->intent->like_age, 1};
    return 1;
}

/* One more than there have been must still be allowed; what only reduces is no execution of an entry. */
static inline int executions_refuses(const nt_case *the)
{
    return !the->intent->reduces && is_above(the, the->limits->max_executions, the->intent->executions + 1, 1);
}

/* The first control that refuses; NT_CONTROLS where none does. */
static inline int first_refusal(const nt_case *the)
{
    const nt_limits *limits = the->limits;
    const nt_intent *intent = the->intent;
    return mode_refuses(the)                                                   ? NT_CONTROL_MODE
           : limits->enabled && intent->reference <= 0                         ? NT_CONTROL_REFERENCE
           : intent->restricted                                                ? NT_CONTROL_RESTRICTED
           : is_above(the, limits->max_quantity, intent->quantity, NT_NANO)    ? NT_CONTROL_QUANTITY
           : notional_refuses(the)                                             ? NT_CONTROL_NOTIONAL
           : collar_refuses(the)                                               ? NT_CONTROL_COLLAR
           : position_refuses(the)                                             ? NT_CONTROL_POSITION
           : gross_refuses(the)                                                ? NT_CONTROL_GROSS
           : net_refuses(the)                                                  ? NT_CONTROL_NET
           : leverage_refuses(the)                                             ? NT_CONTROL_LEVERAGE
           : self_trade_refuses(the)                                           ? NT_CONTROL_SELF_TRADE
           : duplicate_refuses(the)                                            ? NT_CONTROL_DUPLICATE
           : executions_refuses(the)                                           ? NT_CONTROL_EXECUTIONS
           : is_above(the, limits->max_rate, intent->recent + 1, 1)            ? NT_CONTROL_RATE
                                                                               : NT_CONTROLS;
}

static const nt_status REFUSALS[] = {
    [NT_CONTROL_REFERENCE] = NT_DENIED_NO_REFERENCE,
    [NT_CONTROL_RESTRICTED] = NT_DENIED_RESTRICTED,
    [NT_CONTROL_QUANTITY] = NT_DENIED_MAX_QUANTITY,
    [NT_CONTROL_NOTIONAL] = NT_DENIED_MAX_NOTIONAL,
    [NT_CONTROL_COLLAR] = NT_DENIED_COLLAR,
    [NT_CONTROL_POSITION] = NT_DENIED_MAX_POSITION,
    [NT_CONTROL_GROSS] = NT_DENIED_MAX_EXPOSURE,
    [NT_CONTROL_NET] = NT_DENIED_MAX_NET_EXPOSURE,
    [NT_CONTROL_LEVERAGE] = NT_DENIED_MAX_LEVERAGE,
    [NT_CONTROL_SELF_TRADE] = NT_DENIED_SELF_TRADE,
    [NT_CONTROL_DUPLICATE] = NT_DENIED_DUPLICATE,
    [NT_CONTROL_EXECUTIONS] = NT_DENIED_REPEATED,
    [NT_CONTROL_RATE] = NT_DENIED_RATE,
};

void nt_risk_open(const nt_limits *limits, nt_tally *tally)
{
    const int64_t on[NT_CONTROLS] = {
        [NT_CONTROL_MODE] = 1,
        [NT_CONTROL_REFERENCE] = limits->enabled,
        [NT_CONTROL_RESTRICTED] = limits->enabled,
        [NT_CONTROL_QUANTITY] = limits->max_quantity,
        [NT_CONTROL_NOTIONAL] = limits->max_notional,
        [NT_CONTROL_COLLAR] = limits->collar,
        [NT_CONTROL_POSITION] = limits->max_position,
        [NT_CONTROL_GROSS] = limits->max_gross,
        [NT_CONTROL_NET] = limits->max_net,
        [NT_CONTROL_LEVERAGE] = limits->max_leverage,
        [NT_CONTROL_SELF_TRADE] = limits->self_trade,
        [NT_CONTROL_DUPLICATE] = limits->duplicate_ns,
        [NT_CONTROL_EXECUTIONS] = limits->max_executions,
        [NT_CONTROL_RATE] = limits->max_rate,
    };
    *tally = (nt_tally){{0}, {0}, {0}};
    for (int control = 0; control < NT_CONTROLS; control++)
        tally->asked[control] = on[control] != 0;
}

nt_status nt_risk_check(const nt_limits *limits, const nt_ledger *ledger, const nt_intent *intent, nt_tally *tally,
                        nt_finding *finding)
{
    const nt_case the = {limits, ledger, intent, finding};
    *finding = (nt_finding){0, 0, 0};
    int refusal = first_refusal(&the);
    if (__builtin_expect(refusal == NT_CONTROLS, 1)) {
        for (int control = 0; control < NT_CONTROLS; control++)
            tally->checked[control] += tally->asked[control];
        return NT_OK;
    }
    for (int control = 0; control < refusal; control++)
        tally->checked[control] += tally->asked[control];
    tally->checked[refusal]++;
    tally->denied[refusal]++;
    if (refusal != NT_CONTROL_MODE)
        return REFUSALS[refusal];
    return intent->cause ? intent->cause : intent->mode == NT_MODE_REDUCE_ONLY ? NT_DENIED_REDUCE_ONLY : NT_DENIED_HALTED;
}

int64_t nt_risk_room(const nt_limits *limits, const nt_ledger *ledger, int32_t slot, int64_t side, int64_t price)
{
    int64_t room = INT64_MAX, notional;
    if (limits->max_quantity)
        room = limits->max_quantity;
    if (limits->max_notional && room > 0) {
        nt_wide most = (nt_wide)limits->max_notional * ledger->divisor / price;
        int64_t multiplier = ledger->positions[slot].multiplier;
        if (multiplier != NT_NANO)
            most = (most < INT64_MAX ? most : INT64_MAX) * NT_NANO / multiplier;
        int64_t rate = ledger->positions[slot].rate;
        if (rate != NT_PICO)
            most = rate > 0 ? (most < INT64_MAX ? most : INT64_MAX) * NT_PICO / rate : 0;
        room = most < room ? (int64_t)most : room;
        /* With a multiplier or a rate the price of a unit is rounded on the way. */
        while (room > 0 && (nt_ledger_notional(ledger, slot, room, price, &notional) != NT_OK || notional > limits->max_notional))
            room -= room / 1000000 + 1;
    }
    if (limits->max_position) {
        nt_wide left = (nt_wide)limits->max_position - side * ledger->positions[slot].quantity;
        room = left < room ? (int64_t)left : room;
    }
    return room > 0 ? room : 0;
}
