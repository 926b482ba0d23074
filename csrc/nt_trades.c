#include "nt_book.h"

static double money(const nt_engine *engine, int64_t minor)
{
    return (double)minor / (double)engine->ledger.scale;
}

static void fill_row(const nt_engine *engine, nt_trade_row *row, int32_t slot, const nt_closing *closing, int64_t direction)
{
    const nt_market *market = &engine->markets[slot];
    double cost = money(engine, nt_absolute(closing->cost)), pnl = money(engine, closing->realised - closing->fees);
    *row = (nt_trade_row){
        .entry_bar = market->entry_bar,
        .exit_bar = engine->i,
        .entry_ts_ns = market->entry_ns,
        .exit_ts_ns = nt_engine_now(engine),
        .entry_order_id = market->entry_order_id,
        .signal_id = market->entry_signal_id,
        .quantity = nt_double_from_nano(closing->quantity),
        .entry_price = nt_double_from_nano(closing->entry_price),
        .fees = money(engine, closing->fees),
        .pnl = pnl,
        .return_ = cost > 0 ? pnl / cost : NAN,
        .symbol = slot,
        .direction = (int8_t)direction,
    };
}

nt_status nt_trades_close(nt_engine *engine, int32_t slot, const nt_closing *closing, int64_t direction, int64_t price,
                          int64_t order_id)
{
    if (engine->ledger.lots != NULL)
        return nt_lot_trades_close(engine, slot, direction, price, order_id);
    nt_trade_row *row = nt_rows_add(&engine->trades);
    if (row == NULL)
        return NT_NO_MEMORY;
    fill_row(engine, row, slot, closing, direction);
    row->exit_price = nt_double_from_nano(price);
    row->exit_order_id = order_id;
    return NT_OK;
}

/* What is still held, marked to the last close; its fees so far are the entry's. */
nt_status nt_trades_leave_open(nt_engine *engine, int32_t slot)
{
    const nt_position *position = &engine->positions[slot];
    int64_t price, value;
    if (position->quantity == 0)
        return NT_OK;
    if (engine->ledger.lots != NULL)
        return nt_lot_trades_leave_open(engine, slot);
    if (nt_nano_from_double(engine->markets[slot].last_close, &price) != NT_OK ||
        nt_ledger_notional(&engine->ledger, slot, position->quantity, price, &value) != NT_OK)
        return NT_OVERFLOW;
    nt_trade_row *row = nt_rows_add(&engine->trades);
    if (row == NULL)
        return NT_NO_MEMORY;
    nt_closing closing = {nt_absolute(position->quantity), position->basis, value - position->basis, position->entry_fees,
                          position->entry_price};
    fill_row(engine, row, slot, &closing, nt_sign(position->quantity));
    row->exit_price = engine->markets[slot].last_close;
    row->open = 1;
    return NT_OK;
}

void nt_trades_fills(const nt_engine *engine, nt_fill_row *rows_out)
{
    const nt_event *events = (const nt_event *)engine->events.data;
    for (int64_t index = 0; index < engine->events.count; index++) {
        const nt_event *event = &events[index];
        if (event->kind != NT_EVENT_FILL)
            continue;
        *rows_out++ = (nt_fill_row){
            .bar = event->bar,
            .ts_ns = event->ts_ns,
            .order_id = event->id,
            .quantity = nt_double_from_nano(event->quantity),
            .price = nt_double_from_nano(event->price),
            .fee = money(engine, event->extra),
            .symbol = event->symbol,
            .side = event->side,
        };
    }
}
