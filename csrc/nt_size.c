#include "nt_size.h"

/* The fee of a fill whose notional is known. */
static nt_status fee_of(const nt_engine *engine, int64_t quantity, int64_t notional, int64_t *fee_out)
{
    const nt_costs *costs = &engine->costs;
    int64_t fee = costs->fee_fixed, part;
    if (costs->fee_rate != 0 &&
        (nt_multiply_divide(notional, costs->fee_rate, NT_PICO, &part) != NT_OK || nt_add(fee, part, &fee) != NT_OK))
        return NT_OVERFLOW;
    if (costs->fee_per_unit != 0 &&
        (nt_multiply_divide(quantity, costs->fee_per_unit, engine->ledger.divisor, &part) != NT_OK ||
         nt_add(fee, part, &fee) != NT_OK))
        return NT_OVERFLOW;
    *fee_out = fee < costs->fee_minimum ? costs->fee_minimum : fee;
    return NT_OK;
}

nt_status nt_size_fee(const nt_engine *engine, int32_t slot, int64_t quantity, int64_t price, int64_t *fee_out)
{
    int64_t notional = 0;
    if (engine->costs.fee_rate != 0 && nt_ledger_notional(&engine->ledger, slot, quantity, price, &notional) != NT_OK)
        return NT_OVERFLOW;
    return fee_of(engine, quantity, notional, fee_out);
}

nt_status nt_size_closing_fee(const nt_engine *engine, int32_t slot, int64_t quantity, int64_t price, int64_t *fee_out)
{
    int64_t notional, by_rate, by_unit;
    if (nt_ledger_notional(&engine->ledger, slot, quantity, price, &notional) != NT_OK ||
        nt_multiply_divide(notional, engine->costs.fee_rate, NT_PICO, &by_rate) != NT_OK ||
        nt_multiply_divide(quantity, engine->costs.fee_per_unit, engine->ledger.divisor, &by_unit) != NT_OK)
        return NT_OVERFLOW;
    return nt_add(by_rate, by_unit, fee_out);
}

int64_t nt_size_slipped(const nt_engine *engine, int32_t slot, int64_t side, int64_t price, int64_t low, int64_t high)
{
    const nt_costs *costs = &engine->costs;
    if (costs->slippage_rate == 0 && costs->slippage_ticks == 0)
        return price;
    int64_t by_rate = 0;
    (void)nt_multiply_divide(price, costs->slippage_rate, NT_PICO, &by_rate); /* a rate of at most one: it fits */
    int64_t tick = engine->markets[slot].tick;
    nt_wide wide = (nt_wide)price + side * ((nt_wide)by_rate + (nt_wide)costs->slippage_ticks * tick);
    if (costs->slippage_capped) {
        if (wide < low)
            wide = nt_smaller(low, price);
        if (wide > high)
            wide = high > price ? high : price;
    }
    /* A sale cannot go below one nano: prices are positive. */
    return wide < 1 ? 1 : wide > INT64_MAX ? 0 : (int64_t)wide;
}

nt_status nt_size_bound(const nt_engine *engine, int32_t slot, int64_t notional, int64_t *bound_out)
{
    int64_t margin = engine->markets[slot].margin, leverage = engine->account.leverage;
    if (margin != 0)
        return nt_multiply_divide(notional, margin, NT_PICO, bound_out);
    if (leverage != NT_NANO)
        return nt_multiply_divide(notional, NT_NANO, leverage, bound_out);
    *bound_out = notional;
    return NT_OK;
}

/* The equity that a position binds. */
static nt_status margin(const nt_engine *engine, int32_t slot, int64_t quantity, int64_t price, int64_t *out)
{
    int64_t notional = 0;
    nt_status status = NT_OK;
    if (quantity != 0)
        status = nt_ledger_notional(&engine->ledger, slot, nt_absolute(quantity), price, &notional);
    return status == NT_OK ? nt_size_bound(engine, slot, notional, out) : status;
}

/* Value of what the other symbols hold (`worth`) and the equity that binds (`bound`), at their last closes. */
static nt_status others(const nt_engine *engine, int32_t slot, int64_t *worth_out, int64_t *bound_out)
{
    int64_t worth = 0, bound = 0;
    for (int32_t other = 0; other < engine->market_count; other++) {
        int64_t quantity = engine->positions[other].quantity, price, value;
        if (other == slot || quantity == 0)
            continue;
        const nt_mark *mark = nt_exposure_held(engine, other);
        if (mark->bound != INT64_MAX) {
            if (nt_add(worth, mark->net, &worth) != NT_OK || nt_add(bound, mark->bound, &bound) != NT_OK)
                return NT_OVERFLOW;
            continue;
        }
        if (nt_nano_from_double(engine->markets[other].last_close, &price) != NT_OK ||
            nt_ledger_notional(&engine->ledger, other, quantity, price, &value) != NT_OK || nt_add(worth, value, &worth) != NT_OK ||
            margin(engine, other, quantity, price, &value) != NT_OK ||
            nt_add(bound, value, &bound) != NT_OK)
            return NT_OVERFLOW;
    }
    *worth_out = worth;
    *bound_out = bound;
    return NT_OK;
}

nt_status nt_size_free_cash(const nt_engine *engine, int32_t slot, int64_t held, int64_t price, int64_t *free_out)
{
    int64_t worth, bound, value, left = engine->ledger.cash;
    if (others(engine, slot, &worth, &bound) != NT_OK ||
        nt_ledger_notional(&engine->ledger, slot, engine->positions[slot].quantity, price, &value) != NT_OK ||
        nt_add(left, worth - bound, &left) != NT_OK || nt_add(left, value, &left) != NT_OK ||
        margin(engine, slot, held, price, &value) != NT_OK || nt_add(left, -value, &left) != NT_OK)
        return NT_OVERFLOW;
    *free_out = left;
    return NT_OK;
}

/* What opening `quantity` takes from the budget. */
static nt_status cost_of(const nt_engine *engine, int32_t slot, int64_t quantity, int64_t price, int on_margin, int64_t *out)
{
    int64_t notional, fee;
    if (nt_ledger_notional(&engine->ledger, slot, quantity, price, &notional) != NT_OK ||
        fee_of(engine, quantity, notional, &fee) != NT_OK ||
        (on_margin && nt_size_bound(engine, slot, notional, &notional) != NT_OK))
        return NT_OVERFLOW;
    return nt_add(notional, fee, out);
}

/* What part of a notional it binds. */
static double bound_fraction(const nt_engine *engine, int32_t slot)
{
    int64_t margin = engine->markets[slot].margin;
    return margin != 0 ? (double)margin / 1e12 : 1e9 / (double)engine->account.leverage;
}

int64_t nt_size_affordable(const nt_engine *engine, int32_t slot, int64_t budget, int on_margin, int64_t price, int64_t lot)
{
    const nt_costs *costs = &engine->costs;
    double scale = (double)engine->ledger.scale, multiplier = nt_double_from_nano(engine->positions[slot].multiplier);
    double point = nt_double_from_nano(price) * multiplier * engine->markets[slot].fx, bound = on_margin ? bound_fraction(engine, slot) : 1;
    double each = point * (bound + (double)costs->fee_rate / 1e12) + nt_double_from_nano(costs->fee_per_unit);
    double units = ((double)budget - (double)costs->fee_fixed) / scale / each;
    if (costs->fee_minimum > costs->fee_fixed) {
        double least = ((double)budget - (double)costs->fee_minimum) / scale / (point * bound);
        units = least < units ? least : units;
    }
    if (!(units > 0))
        return 0;
    int64_t quantity = units < 9.2e9 ? (int64_t)(units * 1e9) : INT64_C(9200000000000000000);
    quantity -= quantity % lot;
    int64_t cost;
    int fits = 0;
    /* Downwards until the exact cost fits; each pass removes the whole excess, so two or three are enough. */
    for (int pass = 0; pass < 8 && quantity > 0; pass++) {
        int64_t less = lot;
        if (cost_of(engine, slot, quantity, price, on_margin, &cost) == NT_OK) {
            if ((fits = cost <= budget))
                break;
            double excess = ((double)cost - (double)budget) / scale / each * 1e9;
            less = excess < 9e18 ? (int64_t)excess / lot * lot + lot : quantity;
        } else
            less = quantity / 2 / lot * lot + lot;
        quantity = quantity > less ? quantity - less : 0;
    }
    if (quantity > 0 && !fits)
        return 0;
    /* Upwards once: the estimate may sit one rounding below a whole lot. Not where a lot is worth less than cash can tell. */
    if (each * (double)lot / 1e9 * scale >= 1 && quantity < INT64_MAX - lot &&
        cost_of(engine, slot, quantity + lot, price, on_margin, &cost) == NT_OK && cost <= budget)
        quantity += lot;
    return quantity;
}

nt_status nt_size_target(const nt_engine *engine, int32_t slot, nt_size size, int64_t target_side, int64_t price, int64_t *out)
{
    int64_t lot = engine->markets[slot].size_lot, held = engine->positions[slot].quantity, budget;
    int on_margin = size.kind == NT_SIZE_ALL_IN;
    if (target_side == 0 || size.value == 0) {
        *out = 0;
        return NT_OK;
    }
    if (size.kind == NT_SIZE_UNITS) {
        *out = size.value - size.value % lot;
        return NT_OK;
    }
    if (size.kind == NT_SIZE_CASH)
        budget = size.value;
    else {
        int64_t value, worth, bound, closing;
        if (others(engine, slot, &worth, &bound) != NT_OK ||
            nt_ledger_notional(&engine->ledger, slot, held, price, &value) != NT_OK ||
            nt_add(engine->ledger.cash, value, &budget) != NT_OK ||
            nt_add(budget, size.kind == NT_SIZE_ALL_IN ? worth - bound : worth, &budget) != NT_OK)
            return NT_OVERFLOW;
        /* What closing the other side costs comes off first. */
        if (held != 0 && (held > 0) != (target_side > 0) &&
            (nt_size_closing_fee(engine, slot, nt_absolute(held), price, &closing) != NT_OK ||
             nt_add(budget, -closing, &budget) != NT_OK))
            return NT_OVERFLOW;
        if (size.value != NT_PICO && nt_multiply_divide(budget, size.value, NT_PICO, &budget) != NT_OK)
            return NT_OVERFLOW;
    }
    *out = nt_size_affordable(engine, slot, budget, on_margin, price, lot);
    return NT_OK;
}
