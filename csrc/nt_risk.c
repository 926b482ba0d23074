#include "nt_risk.h"

/* What a rule answers. */
enum { OFF, PASSED, REFUSED };

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

static int at_most(const nt_case *the, int64_t limit, int64_t value, int64_t scale)
{
    if (value <= limit)
        return PASSED;
    *the->finding = (nt_finding){limit, value, scale};
    return REFUSED;
}

static int mode_rule(const nt_case *the)
{
    const nt_intent *intent = the->intent;
    if (intent->mode == NT_MODE_OPEN || (intent->mode == NT_MODE_REDUCE_ONLY && intent->reduces))
        return PASSED;
    if (intent->cause)
        *the->finding = (nt_finding){intent->cause_limit, intent->cause_value,
                                     intent->cause == NT_DENIED_DRAWDOWN ? NT_PICO : the->ledger->scale};
    return REFUSED;
}

static int reference_rule(const nt_case *the)
{
    return !the->limits->enabled ? OFF : the->intent->reference > 0 ? PASSED : REFUSED;
}

static int restricted_rule(const nt_case *the)
{
    return the->intent->restricted ? REFUSED : the->limits->enabled ? PASSED : OFF;
}

static int quantity_rule(const nt_case *the)
{
    return !the->limits->max_quantity ? OFF : at_most(the, the->limits->max_quantity, the->intent->quantity, NT_NANO);
}

/* A buy pays its limit at most; anything else may get the better of its own price and the market's. */
static int64_t dearest(const nt_intent *intent)
{
    int64_t own = intent->limit > intent->stop ? intent->limit : intent->stop;
    if (intent->side > 0 && intent->limit)
        return intent->limit;
    return own > intent->reference ? own : intent->reference;
}

static int notional_rule(const nt_case *the)
{
    int64_t notional;
    if (!the->limits->max_notional)
        return OFF;
    if (nt_ledger_notional(the->ledger, the->intent->slot, the->intent->quantity, dearest(the->intent), &notional) != NT_OK)
        notional = INT64_MAX;
    return at_most(the, the->limits->max_notional, notional, the->ledger->scale);
}

static int collar_rule(const nt_case *the)
{
    const nt_intent *intent = the->intent;
    int64_t collar = the->limits->collar, far = 0;
    if (!collar)
        return OFF;
    if (intent->limit)
        far = nt_absolute(intent->limit - intent->reference);
    if (intent->stop && nt_absolute(intent->stop - intent->reference) > far)
        far = nt_absolute(intent->stop - intent->reference);
    if ((nt_wide)far * NT_PICO <= (nt_wide)intent->reference * collar)
        return PASSED;
    *the->finding = (nt_finding){collar, nt_risk_ratio(far, intent->reference, NT_PICO), NT_PICO};
    return REFUSED;
}

static int position_rule(const nt_case *the)
{
    const nt_intent *intent = the->intent;
    if (!the->limits->max_position)
        return OFF;
    if (intent->closes)
        return PASSED;
    nt_wide after = (nt_wide)intent->position + intent->side * ((nt_wide)intent->quantity + intent->working);
    nt_wide size = after < 0 ? -after : after;
    if (size <= nt_absolute(intent->position))
        return PASSED;
    return at_most(the, the->limits->max_position, size > INT64_MAX ? INT64_MAX : (int64_t)size, NT_NANO);
}

static int adds_nothing(const nt_intent *intent)
{
    return intent->closes || (intent->gross_after <= intent->gross_before && intent->gross_after != INT64_MAX);
}

static int gross_rule(const nt_case *the)
{
    const nt_intent *intent = the->intent;
    if (!the->limits->max_gross)
        return OFF;
    if (adds_nothing(intent))
        return PASSED;
    return at_most(the, the->limits->max_gross, intent->gross_after, the->ledger->scale);
}

static int net_rule(const nt_case *the)
{
    if (!the->limits->max_net)
        return OFF;
    return the->intent->reduces ? PASSED : at_most(the, the->limits->max_net, the->intent->net_after, the->ledger->scale);
}

static int leverage_rule(const nt_case *the)
{
    const nt_intent *intent = the->intent;
    int64_t most = the->limits->max_leverage;
    if (!most)
        return OFF;
    if (adds_nothing(intent))
        return PASSED;
    if (intent->equity > 0 && intent->gross_after != INT64_MAX &&
        (nt_wide)intent->gross_after * NT_NANO <= (nt_wide)intent->equity * most)
        return PASSED;
    *the->finding = (nt_finding){most, nt_risk_ratio(intent->gross_after, intent->equity, NT_NANO), NT_NANO};
    return REFUSED;
}

static int self_trade_rule(const nt_case *the)
{
    const nt_intent *intent = the->intent;
    if (!the->limits->self_trade)
        return OFF;
    if (!intent->crosses)
        return PASSED;
    *the->finding = (nt_finding){intent->crossed_price, intent->limit ? intent->limit : intent->stop, NT_NANO};
    return REFUSED;
}

static int duplicate_rule(const nt_case *the)
{
    if (!the->limits->duplicate_ns)
        return OFF;
    if (!the->intent->likes)
        return PASSED;
    *the->finding = (nt_finding){the->limits->duplicate_ns, the->intent->like_age, 1};
    return REFUSED;
}

/* One more than there have been must still be allowed; what only reduces is no execution of an entry. */
static int executions_rule(const nt_case *the)
{
    if (!the->limits->max_executions)
        return OFF;
    return the->intent->reduces ? PASSED : at_most(the, the->limits->max_executions, the->intent->executions + 1, 1);
}

static int rate_rule(const nt_case *the)
{
    return !the->limits->max_rate ? OFF : at_most(the, the->limits->max_rate, the->intent->recent + 1, 1);
}

typedef int (*nt_rule)(const nt_case *the);

static const nt_rule RULES[] = {
    [NT_CONTROL_MODE] = mode_rule,
    [NT_CONTROL_REFERENCE] = reference_rule,
    [NT_CONTROL_RESTRICTED] = restricted_rule,
    [NT_CONTROL_QUANTITY] = quantity_rule,
    [NT_CONTROL_NOTIONAL] = notional_rule,
    [NT_CONTROL_COLLAR] = collar_rule,
    [NT_CONTROL_POSITION] = position_rule,
    [NT_CONTROL_GROSS] = gross_rule,
    [NT_CONTROL_NET] = net_rule,
    [NT_CONTROL_LEVERAGE] = leverage_rule,
    [NT_CONTROL_SELF_TRADE] = self_trade_rule,
    [NT_CONTROL_DUPLICATE] = duplicate_rule,
    [NT_CONTROL_EXECUTIONS] = executions_rule,
    [NT_CONTROL_RATE] = rate_rule,
};
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

nt_status nt_risk_check(const nt_limits *limits, const nt_ledger *ledger, const nt_intent *intent, nt_tally *tally,
                        nt_finding *finding)
{
    const nt_case the = {limits, ledger, intent, finding};
    *finding = (nt_finding){0, 0, 0};
    for (int control = 0; control <= NT_CONTROL_RATE; control++) {
        int answer = RULES[control](&the);
        tally->checked[control] += answer != OFF;
        if (answer != REFUSED)
            continue;
        tally->denied[control]++;
        if (control != NT_CONTROL_MODE)
            return REFUSALS[control];
        return intent->cause ? intent->cause : intent->mode == NT_MODE_REDUCE_ONLY ? NT_DENIED_REDUCE_ONLY : NT_DENIED_HALTED;
    }
    return NT_OK;
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
