/* nt_lot_trades: the rows of trades where lots are closed first in, first out. */
#include "nt_book.h"

static double money(const nt_engine *engine, int64_t minor)
{
    return (double)minor / (double)engine->ledger.scale;
}

static nt_status add_row(nt_engine *engine, int32_t slot, int64_t direction, const nt_lot_closing *lot, nt_trade_row **row_out)
{
    const nt_closing *closing = &lot->closing;
    double cost = money(engine, nt_absolute(closing->cost)), pnl = money(engine, closing->realised - closing->fees);
    nt_trade_row *row = nt_rows_add(&engine->trades);
    if (row == NULL)
        return NT_NO_MEMORY;
    *row = (nt_trade_row){
        .entry_bar = lot->entry_bar,
        .exit_bar = engine->i,
        .entry_ts_ns = lot->entry_ns,
        .exit_ts_ns = nt_engine_now(engine),
        .entry_order_id = lot->order_id,
        .signal_id = lot->signal_id,
        .quantity = nt_double_from_nano(closing->quantity),
        .entry_price = nt_double_from_nano(closing->entry_price),
        .fees = money(engine, closing->fees),
        .pnl = pnl,
        .return_ = cost > 0 ? pnl / cost : NAN,
        .symbol = slot,
        .direction = (int8_t)direction,
    };
    *row_out = row;
    return NT_OK;
}

nt_status nt_lot_trades_close(nt_engine *engine, int32_t slot, int64_t direction, int64_t price, int64_t order_id)
{
    const nt_lots *lots = &engine->lots;
    nt_trade_row *row;
    for (int32_t index = 0; index < lots->closed_count; index++) {
        nt_status status = add_row(engine, slot, direction, &lots->closed[index], &row);
        if (status != NT_OK)
            return status;
        row->exit_price = nt_double_from_nano(price);
        row->exit_order_id = order_id;
    }
    return NT_OK;
}

nt_status nt_lot_trades_leave_open(nt_engine *engine, int32_t slot)
{
    const nt_lots *lots = &engine->lots;
    int64_t price, direction = nt_sign(engine->positions[slot].quantity);
    nt_trade_row *row;
    if (nt_nano_from_double(engine->markets[slot].last_close, &price) != NT_OK)
        return NT_OVERFLOW;
    for (int32_t index = lots->lists[slot].head; index >= 0; index = lots->pool[index].next) {
        const nt_lot *lot = &lots->pool[index];
        int64_t value;
        if (nt_ledger_notional(&engine->ledger, slot, direction * lot->quantity, price, &value) != NT_OK)
            return NT_OVERFLOW;
        nt_lot_closing open = {.closing = {lot->quantity, lot->cost, value - lot->cost, lot->fees, lot->price},
                               .entry_bar = lot->entry_bar, .entry_ns = lot->entry_ns, .order_id = lot->order_id, .signal_id = lot->signal_id};
        nt_status status = add_row(engine, slot, direction, &open, &row);
        if (status != NT_OK)
            return status;
        row->exit_price = engine->markets[slot].last_close;
        row->open = 1;
    }
    return NT_OK;
}
