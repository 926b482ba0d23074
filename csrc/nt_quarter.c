/* nt_quarter: a bar as four trades. Under depth "quarter_bar" each of open, high, low and close is a trade of a quarter of the bar's
 * volume, and what trades there is all that an order finds at that price: a market or stop order takes the rest one tick worse, a
 * limit that was only touched waits for the next of the four, one that was gone through fills. Orders do not use up each other's
 * quarter. A price equal to the one before it is no new trade. */
#include "nt_match.h"
#include "nt_reach.h"

/* The last bar with a trade: one whose four prices all equal the close before it has none. */
static int64_t bar_of_trade(const nt_market *market)
{
    const nt_series *series = &market->series;
    int64_t bar = market->bar;
    while (bar > 0 && series->high[bar] == series->low[bar] && series->close[bar] == series->close[bar - 1])
        bar--;
    return bar;
}

/* A quarter of the bar's volume in whole lots, one at least. */
static int64_t quarter_of(const nt_market *market)
{
    double volume = market->series.volume[bar_of_trade(market)];
    int64_t lot = market->lot > market->size_lot ? market->lot : market->size_lot, quarter, least = lot > 1 ? lot : NT_NANO;
    if (nt_nano_from_double(volume / 4, &quarter) != NT_OK)
        return volume > 0 ? INT64_MAX : least; /* NaN is no volume */
    quarter -= quarter % lot;
    return quarter > least ? quarter : least;
}

nt_status nt_match_fill(nt_engine *engine, int32_t slot, int64_t id, const nt_touch *touch, const nt_prices *prices, int through)
{
    if (engine->policy.depth == NT_DEPTH_UNLIMITED)
        return nt_book_fill(engine, id, touch, prices);
    nt_market *market = &engine->markets[slot];
    const nt_order *row = nt_orders_row(&engine->orders, id);
    int64_t side = row->side, limit = row->limit;
    int waits = row->type == NT_LIMIT || row->type == NT_STOP_LIMIT;
    market->depth_left = through ? INT64_MAX : quarter_of(market);
    nt_status status = nt_book_fill(engine, id, touch, prices);
    row = nt_orders_row(&engine->orders, id);
    nt_touch next = {touch->price + side * market->tick, touch->direction};
    if (status != NT_OK || !nt_order_is_active(row) || next.price <= 0 || (waits && side * (limit - next.price) < 0))
        return status;
    market->depth_left = INT64_MAX;
    return nt_book_fill(engine, id, &next, prices);
}

nt_status nt_match_again(nt_engine *engine, int32_t slot, const nt_walk *walk, int32_t point)
{
    const nt_orders *orders = &engine->orders;
    int64_t price = nt_path_point(&engine->policy, walk, point);
    if (price == nt_path_point(&engine->policy, walk, point - 1))
        return NT_OK;
    for (int64_t k = 0; k < orders->reached_count; k++) {
        int32_t index = nt_reach_at(orders, k);
        if (index < 0)
            continue;
        nt_working *working = &orders->working[index];
        const nt_order *row = nt_orders_row(orders, working->order_id);
        int64_t beyond = row->side * (working->limit - price);
        int waits = working->limit && !working->stop && row->status == NT_PARTIALLY_FILLED && working->from_bar == engine->i + 1;
        if (!waits || beyond < 0 || working->point >= point)
            continue;
        int64_t id = working->order_id;
        working->point = (uint8_t)point;
        nt_touch touch = {working->limit, row->side > 0 ? -1 : 1};
        nt_status status = nt_match_fill(engine, slot, id, &touch, walk->prices, beyond > 0);
        if (status != NT_OK)
            return status;
    }
    return NT_OK;
}
