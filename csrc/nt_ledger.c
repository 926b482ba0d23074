#include "nt_ledger.h"

#include <stdlib.h>

#include "nt_lots.h"

void nt_ledger_open(nt_ledger *ledger, nt_position *positions, int32_t position_count, int digits, int64_t cash)
{
    ledger->cash = cash;
    ledger->deposits = cash;
    ledger->interest = 0;
    ledger->divisor = nt_power_of_ten(18 - digits);
    ledger->scale = nt_power_of_ten(digits);
    ledger->position_count = position_count;
    ledger->spare = 0;
    ledger->positions = positions;
    for (int32_t slot = 0; slot < position_count; slot++)
        positions[slot].rate = NT_PICO;
    ledger->lots = NULL;
}

nt_status nt_ledger_notional(const nt_ledger *ledger, int32_t slot, int64_t quantity, int64_t price, int64_t *minor_out)
{
    int64_t multiplier = ledger->positions[slot].multiplier, rate = ledger->positions[slot].rate, points, local;
    if (((multiplier ^ NT_NANO) | (rate ^ NT_PICO)) == 0)
        return nt_multiply_divide(quantity, price, ledger->divisor, minor_out);
    nt_status status;
    if (multiplier == NT_NANO)
        status = nt_multiply_divide(quantity, price, ledger->divisor, &local);
    else {
        status = nt_multiply_divide(quantity, price, NT_NANO, &points);
        status = status != NT_OK ? status : nt_multiply_divide(points, multiplier, ledger->divisor, &local);
    }
    if (status == NT_OK && rate != NT_PICO)
        status = nt_multiply_divide(local, rate, NT_PICO, &local);
    if (status == NT_OK)
        *minor_out = local;
    return status;
}

/* Average price after adding `opened` at `price` to what is open: exact for the first fill. */
static nt_status average_price(int64_t before, int64_t average, int64_t opened, int64_t price, int64_t *out)
{
    if (before == 0) {
        *out = price;
        return NT_OK;
    }
    nt_wide total = (nt_wide)nt_absolute(before) + nt_absolute(opened);
    if (total > INT64_MAX)
        return NT_OVERFLOW;
    nt_wide first = (nt_wide)nt_absolute(before) * average, second = (nt_wide)nt_absolute(opened) * price;
    return nt_divide_half_even(first + second, (int64_t)total, out);
}

/* The part of a fill that closes: what it releases, earns and costs. `closed` is signed like the fill. */
static nt_status close_part(const nt_ledger *ledger, int32_t slot, int64_t closed, int64_t price, int64_t fee,
                            nt_closing *closing, int64_t *entry_fees_out)
{
    const nt_position *position = &ledger->positions[slot];
    int64_t quantity = nt_absolute(closed), held = nt_absolute(position->quantity);
    int64_t proceeds, cost = position->basis, entry_fees = position->entry_fees;
    if (nt_ledger_notional(ledger, slot, -closed, price, &proceeds) != NT_OK)
        return NT_OVERFLOW;
    if (quantity < held && (nt_multiply_divide(position->basis, quantity, held, &cost) != NT_OK ||
                            nt_multiply_divide(position->entry_fees, quantity, held, &entry_fees) != NT_OK))
        return NT_OVERFLOW;
    closing->quantity = quantity;
    closing->cost = cost;
    closing->entry_price = position->entry_price;
    *entry_fees_out = entry_fees;
    if (__builtin_sub_overflow(proceeds, cost, &closing->realised))
        return NT_OVERFLOW;
    return nt_add(entry_fees, fee, &closing->fees);
}

nt_status nt_ledger_fill(nt_ledger *ledger, int32_t slot, int64_t quantity, int64_t price, int64_t fee, nt_closing *closing_out)
{
    if (ledger->lots != NULL)
        return nt_lots_fill(ledger, slot, quantity, price, fee, closing_out);
    nt_position next = ledger->positions[slot];
    nt_closing closing = {0, 0, 0, 0, 0};
    int64_t closed = 0, cash = ledger->cash, exit_fee = 0, entry_fees = 0, opened_cost = 0;
    if (next.quantity != 0 && (next.quantity > 0) != (quantity > 0))
        closed = nt_sign(quantity) * nt_smaller(nt_absolute(quantity), nt_absolute(next.quantity));
    int64_t opened = quantity - closed;

    if (closed != 0) {
        if (nt_multiply_divide(fee, nt_absolute(closed), nt_absolute(quantity), &exit_fee) != NT_OK ||
            close_part(ledger, slot, closed, price, exit_fee, &closing, &entry_fees) != NT_OK)
            return NT_OVERFLOW;
        next.quantity += closed;
        next.basis -= closing.cost;
        next.entry_fees -= entry_fees;
        /* proceeds = cost + realised */
        if (nt_add(cash, closing.cost, &cash) != NT_OK || nt_add(cash, closing.realised, &cash) != NT_OK ||
            nt_add(next.realised, closing.realised, &next.realised) != NT_OK)
            return NT_OVERFLOW;
        if (next.quantity == 0)
            next.entry_price = 0;
    }
    if (opened != 0) {
        if (nt_ledger_notional(ledger, slot, opened, price, &opened_cost) != NT_OK ||
            average_price(next.quantity, next.entry_price, opened, price, &next.entry_price) != NT_OK ||
            nt_add(next.quantity, opened, &next.quantity) != NT_OK || nt_add(next.basis, opened_cost, &next.basis) != NT_OK ||
            nt_add(next.entry_fees, fee - exit_fee, &next.entry_fees) != NT_OK ||
            __builtin_sub_overflow(cash, opened_cost, &cash))
            return NT_OVERFLOW;
    }
    if (nt_add(next.fees, fee, &next.fees) != NT_OK || __builtin_sub_overflow(cash, fee, &cash))
        return NT_OVERFLOW;
    ledger->positions[slot] = next;
    ledger->cash = cash;
    *closing_out = closing;
#ifdef NT_DEBUG
    if (nt_ledger_balance(ledger) != 0)
        abort();
#endif
    return NT_OK;
}

nt_status nt_ledger_flow(nt_ledger *ledger, int32_t slot, int64_t amount)
{
    int64_t cash, flows;
    if (nt_add(ledger->cash, amount, &cash) != NT_OK || nt_add(ledger->positions[slot].flows, amount, &flows) != NT_OK)
        return NT_OVERFLOW;
    ledger->cash = cash;
    ledger->positions[slot].flows = flows;
    return NT_OK;
}

nt_status nt_ledger_interest(nt_ledger *ledger, int64_t amount)
{
    int64_t cash, interest;
    if (nt_add(ledger->cash, amount, &cash) != NT_OK || nt_add(ledger->interest, amount, &interest) != NT_OK)
        return NT_OVERFLOW;
    ledger->cash = cash;
    ledger->interest = interest;
    return NT_OK;
}

nt_status nt_ledger_split(nt_ledger *ledger, int32_t slot, int64_t numerator, int64_t denominator)
{
    nt_position *position = &ledger->positions[slot];
    int64_t quantity, price;
    if (position->quantity == 0)
        return NT_OK;
    if (nt_multiply_divide(position->quantity, numerator, denominator, &quantity) != NT_OK ||
        nt_multiply_divide(position->entry_price, denominator, numerator, &price) != NT_OK)
        return NT_OVERFLOW;
    if (quantity == 0)
        quantity = nt_sign(position->quantity);
    if (ledger->lots != NULL) {
        nt_status status = nt_lots_split(ledger->lots, slot, nt_absolute(quantity), numerator, denominator);
        if (status == NT_OK)
            status = nt_divide_half_even(ledger->lots->lists[slot].worth, nt_absolute(quantity), &price);
        if (status != NT_OK)
            return status;
    }
    position->quantity = quantity;
    position->entry_price = price > 0 ? price : 1;
    return NT_OK;
}

int64_t nt_ledger_balance(const nt_ledger *ledger)
{
    nt_wide sum = (nt_wide)ledger->cash - ledger->interest - ledger->deposits;
    for (int32_t slot = 0; slot < ledger->position_count; slot++) {
        const nt_position *position = &ledger->positions[slot];
        sum += (nt_wide)position->basis - position->realised + position->fees - position->flows;
    }
    return sum > INT64_MAX ? INT64_MAX : sum < INT64_MIN ? INT64_MIN : (int64_t)sum;
}
