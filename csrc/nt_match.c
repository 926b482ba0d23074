#include "nt_match.h"

#include "nt_reach.h"
#include "nt_sessions.h"

/* Most fills need the open or the close alone, and each further column is a cache miss: about 60 ns where orders are far apart. */
static nt_status load_one(const double *column, const nt_market *market, nt_prices *prices)
{
    if (nt_nano_from_double(column[market->bar], &prices->open) != NT_OK || prices->open <= 0)
        return NT_OVERFLOW;
    prices->high = prices->low = prices->close = prices->open;
    return NT_OK;
}

static nt_status load_open(const nt_market *market, nt_prices *prices)
{
    return load_one(market->series.open, market, prices);
}

static nt_status load_prices(const nt_market *market, nt_prices *prices)
{
    const nt_series *series = &market->series;
    int64_t bar = market->bar;
    if (load_open(market, prices) != NT_OK || nt_nano_from_double(series->high[bar], &prices->high) != NT_OK ||
        nt_nano_from_double(series->low[bar], &prices->low) != NT_OK ||
        nt_nano_from_double(series->close[bar], &prices->close) != NT_OK)
        return NT_OVERFLOW;
    return prices->high > 0 && prices->low > 0 && prices->close > 0 ? NT_OK : NT_OVERFLOW;
}

/* What becomes of a bar whose prices do not load: one that is not finite trades nothing, one beyond int64 ends the run. */
static nt_status without_prices(const nt_market *market)
{
    const nt_series *series = &market->series;
    int64_t bar = market->bar;
    int finite = isfinite(series->open[bar]) && isfinite(series->high[bar]) && isfinite(series->low[bar]) && isfinite(series->close[bar]);
    return finite ? NT_OVERFLOW : NT_OK;
}

/* Whether more of the bar than its open can matter to what works now. */
static int needs_whole_bar(const nt_engine *engine, int32_t slot)
{
    return engine->orders.lists[slot].trigger_count > 0 || engine->costs.slippage_capped ||
           engine->policy.stop_base == NT_BASE_ENTRY_CLOSE;
}

int nt_match_is_eligible(const nt_engine *engine, const nt_working *working, int64_t opens_ns)
{
    return working->from_bar <= engine->i && working->from_ns <= opens_ns;
}

/* Pool index of the first active order from `index` on, in order of arrival and after `last_id`, that may fill now; -1 = none. */
static int32_t next_eligible(const nt_engine *engine, int32_t index, int64_t last_id, int64_t opens_ns)
{
    for (; index >= 0; index = engine->orders.working[index].next) {
        const nt_working *working = &engine->orders.working[index];
        if (working->order_id > last_id && nt_match_is_eligible(engine, working, opens_ns))
            break;
    }
    return index;
}

/* Whether the order fills at the open, and where. A stop that the open has passed is spent, even if a limit then holds it. */
static int touches_open(nt_engine *engine, int32_t index, int64_t open, int64_t *price_out)
{
    const nt_policy *policy = &engine->policy;
    nt_working *working = &engine->orders.working[index];
    int64_t side = working->side;
    if (working->type == NT_MARKET || working->type >= NT_ON_OPEN || working->fired) {
        *price_out = open;
        if (working->type == NT_ON_OPEN && !working->fired)
            return nt_session_code(&engine->markets[working->symbol]) & NT_SESSION_FIRST;
        return working->fired || (working->type == NT_MARKET && policy->market_at == NT_MARKET_NEXT_OPEN);
    }
    if (working->stop) {
        if (side * (open - working->stop) < 0)
            return 0;
        *price_out = policy->stop_gap == NT_GAP_AT_OPEN ? open : working->stop;
        if (!working->limit)
            return 1;
        working->stop = 0;
        nt_orders_reprice(&engine->orders, index);
        return side * (working->limit - open) >= (policy->limit_fill == NT_LIMIT_PENETRATE);
    }
    int64_t beyond = side * (working->limit - open); /* > 0: the open is better than the limit */
    if (!working->limit || beyond < 0 || (beyond == 0 && policy->limit_fill == NT_LIMIT_PENETRATE))
        return 0;
    *price_out = policy->limit_gap == NT_GAP_IMPROVE ? open : working->limit;
    return 1;
}

/* Under "worst" a stop comes before a profit even where the open has reached the profit, as long as the bar reaches the stop too:
 * so do the systems whose preset says "worst". Only of two that exclude each other: exits of one position, or partners. */
static int stop_comes_first(const nt_engine *engine, const nt_working *order, const nt_prices *prices, int64_t opens_ns)
{
    const nt_orders *orders = &engine->orders;
    if (engine->policy.path != NT_PATH_WORST || order->type != NT_LIMIT || (order->role == NT_ROLE_ENTRY && !order->partner))
        return 0;
    for (int64_t k = 0; k < orders->reached_count; k++) {
        int32_t index = nt_reach_at(orders, k);
        if (index < 0)
            continue;
        const nt_working *working = &orders->working[index];
        int excludes = working->order_id == order->partner || (order->role != NT_ROLE_ENTRY && working->role != NT_ROLE_ENTRY);
        if (!excludes || !working->stop || working->limit || working->side != order->side ||
            !nt_match_is_eligible(engine, working, opens_ns))
            continue;
        if (working->side > 0 ? prices->high >= working->stop : prices->low <= working->stop)
            return 1;
    }
    return 0;
}

/* Quarters: whether a limit that the last close filled in part meets no new trade at this open. */
static int is_same_trade(const nt_engine *engine, const nt_order *order, const nt_working *working, int64_t open)
{
    return engine->policy.depth != NT_DEPTH_UNLIMITED && working->limit == open && order->status == NT_PARTIALLY_FILLED &&
           nt_engine_last_price(engine, order->symbol) == open;
}

/* Quarters: what is left of a fill has had its share of this trade. */
static void hold_rest(nt_engine *engine, int64_t id)
{
    const nt_order *order = nt_orders_row(&engine->orders, id);
    if (engine->policy.depth == NT_DEPTH_UNLIMITED || !nt_order_is_active(order) || order->filled == 0)
        return;
    engine->orders.working[order->working].from_bar = engine->i + 1;
    engine->orders.working[order->working].point = 0;
}

/* `whole`: whether prices hold the whole bar, which the first trigger that a fill brings to life needs. */
static nt_status match_open(nt_engine *engine, int32_t slot, nt_prices *prices, int64_t opens_ns, int *whole)
{
    const nt_orders *orders = &engine->orders;
    for (int64_t k = 0; k < orders->reached_count; k++) { /* what a fill brings to life is added as it comes */
        int32_t index = nt_reach_at(orders, k);
        if (index < 0 || !nt_match_is_eligible(engine, &orders->working[index], opens_ns))
            continue;
        const nt_working *working = &orders->working[index];
        int64_t id = working->order_id;
        nt_touch touch = {0, 0};
        if (!touches_open(engine, index, prices->open, &touch.price) || stop_comes_first(engine, working, prices, opens_ns))
            continue;
        int through = working->limit && touch.price == working->limit && touch.price != prices->open;
        nt_status status = is_same_trade(engine, nt_orders_row(orders, id), working, prices->open)
                               ? NT_OK
                               : nt_match_fill(engine, slot, id, &touch, prices, through);
        if (status != NT_OK)
            return status;
        hold_rest(engine, id);
        if (!*whole && orders->lists[slot].trigger_count > 0) {
            if (load_prices(&engine->markets[slot], prices) != NT_OK)
                return without_prices(&engine->markets[slot]);
            *whole = 1;
        }
    }
    return NT_OK;
}

/* Whether the price goes on beyond the limit that it has reached. */
static int goes_through(const nt_engine *engine, const nt_walk *walk, const nt_working *working, const nt_touch *touch)
{
    int path = engine->policy.path, knows_none = path == NT_PATH_WORST || path == NT_PATH_BEST;
    int64_t extreme = touch->direction > 0 ? walk->prices->high : walk->prices->low;
    return working->limit && touch->price == working->limit &&
           working->limit != (knows_none ? extreme : nt_path_point(&engine->policy, walk, walk->leg + 1));
}

/* Quarters: the points of the path between `seen` and where the walk stands now. */
static nt_status catch_up(nt_engine *engine, int32_t slot, const nt_walk *walk, int32_t *seen)
{
    nt_status status = NT_OK;
    if (engine->policy.depth != NT_DEPTH_UNLIMITED)
        for (; *seen < walk->leg && status == NT_OK; ++*seen)
            status = nt_match_again(engine, slot, walk, *seen + 1);
    return status;
}

static nt_status match_inside(nt_engine *engine, int32_t slot, const nt_prices *prices, int64_t opens_ns)
{
    nt_walk walk;
    nt_touch touch;
    nt_status status;
    int64_t id;
    int32_t seen = 0;
    nt_path_open(&walk, prices, opens_ns);
    while ((id = nt_path_next(engine, &walk, &touch)) != 0) {
        if ((status = catch_up(engine, slot, &walk, &seen)) != NT_OK)
            return status;
        const nt_order *order = nt_orders_row(&engine->orders, id);
        if (!nt_order_is_active(order))
            continue;
        nt_working *working = &engine->orders.working[order->working];
        if (working->stop && working->limit) { /* from here on a limit order */
            working->stop = 0;
            nt_orders_reprice(&engine->orders, order->working);
            working->born_bar = engine->i;
            working->born_price = touch.price;
            working->born_direction = (int8_t)touch.direction;
            continue;
        }
        status = nt_match_fill(engine, slot, id, &touch, prices, goes_through(engine, &walk, working, &touch));
        if (status != NT_OK)
            return status;
        order = nt_orders_row(&engine->orders, id);
        if (!nt_order_is_active(order))
            continue;
        if (order->tif == NT_TIF_IOC || order->tif == NT_TIF_FOK)
            nt_book_end(engine, id, NT_CANCELLED_ORDER, 0);
        else { /* the volume cap is reached: the rest waits for the next bar, or for the next point of the path */
            engine->orders.working[order->working].from_bar = engine->i + 1;
            engine->orders.working[order->working].point = (uint8_t)(walk.leg + 1);
        }
    }
    engine->ambiguous_bars += walk.ambiguous;
    return catch_up(engine, slot, &walk, &seen);
}

/* Move the peaks of trailing stops by what this bar has shown. One that was born inside the bar saw its close, no more. */
static void move_trails(nt_engine *engine, int32_t slot, const nt_prices *prices)
{
    nt_orders *orders = &engine->orders;
    for (int64_t k = 0; k < orders->reached_count; k++) {
        int32_t index = nt_reach_at(orders, k);
        if (index < 0 || orders->working[index].type != NT_TRAILING || orders->working[index].fired)
            continue;
        nt_working *working = &orders->working[index];
        nt_order *row = nt_orders_row(orders, working->order_id);
        int inside = working->born_bar == engine->i && working->born_direction != 0;
        int by_close = inside || engine->policy.trail_by == NT_TRAIL_CLOSES;
        int64_t extreme = by_close ? prices->close : row->side < 0 ? prices->high : prices->low;
        if (row->side < 0 ? extreme > working->peak : extreme < working->peak)
            working->peak = extreme;
        row->stop = working->stop = nt_bracket_trail(working, row->side, engine->markets[slot].tick);
        nt_orders_reprice(orders, index);
    }
}

/* Days end orders that were good for the day of the first bar that could have filled them, and dates those that were good till then. */
static void expire(nt_engine *engine, int32_t slot, int64_t opens_ns)
{
    nt_orders *orders = &engine->orders;
    int32_t next;
    for (int32_t index = orders->lists[slot].head; index >= 0; index = next) {
        nt_working *working = &orders->working[index];
        next = working->next;
        uint8_t tif = nt_orders_row(orders, working->order_id)->tif;
        int late = tif == NT_TIF_GTD && engine->clock_ts_ns[engine->i] > working->good_till;
        if (tif == NT_TIF_DAY && nt_match_is_eligible(engine, working, opens_ns)) {
            int64_t day = nt_session_day(engine, slot);
            late = working->day != -1 && working->day != day;
            working->day = day;
        }
        if (late && nt_book_end(engine, working->order_id, NT_EXPIRED, 0) > 1)
            next = orders->lists[slot].head;
    }
}

/* Orders good for one bar: what the bar did not fill ends with it. */
static void end_immediate(nt_engine *engine, int32_t slot, int64_t opens_ns)
{
    nt_orders *orders = &engine->orders;
    int32_t next;
    for (int32_t index = orders->lists[slot].head; index >= 0; index = next) {
        const nt_working *working = &orders->working[index];
        next = working->next;
        uint8_t tif = nt_orders_row(orders, working->order_id)->tif;
        if ((tif == NT_TIF_IOC || tif == NT_TIF_FOK) && nt_match_is_eligible(engine, working, opens_ns) &&
            nt_book_end(engine, working->order_id, NT_CANCELLED_ORDER, 0) > 1)
            next = orders->lists[slot].head;
    }
}

/* Once a bar: what fills at its close shares the cap with what filled before. */
static void load_volume(const nt_engine *engine, nt_market *market)
{
    if (engine->policy.volume_cap <= 0 || market->volume_bar == market->bar)
        return;
    market->volume_bar = market->bar;
    double left = market->series.volume[market->bar] * engine->policy.volume_cap;
    if (nt_nano_from_double(left, &market->volume_left) != NT_OK || market->volume_left < 0)
        market->volume_left = left > 0 ? INT64_MAX : 0; /* NaN is no volume */
}

/* Fill orders of one type at the close of the bar. */
static nt_status fill_at_close(nt_engine *engine, int32_t slot, const nt_prices *prices, uint8_t type, int64_t opens_ns)
{
    const nt_orders *orders = &engine->orders;
    int64_t id = 0;
    int32_t index = orders->lists[slot].head;
    while ((index = next_eligible(engine, index, id, opens_ns)) >= 0) {
        nt_touch touch = {prices->close, 0};
        id = orders->working[index].order_id;
        if (nt_orders_row(orders, id)->type != type) {
            index = orders->working[index].next;
            continue;
        }
        nt_status status = nt_match_fill(engine, slot, id, &touch, prices, 0);
        if (status != NT_OK)
            return status;
        index = orders->lists[slot].head; /* a fill unlinks at will */
    }
    return NT_OK;
}

/* Where the policy lets limits work at once: those placed or changed after this close which it already satisfies. */
static nt_status fill_marketable(nt_engine *engine, int32_t slot, const nt_prices *prices, int64_t opens_ns)
{
    const nt_orders *orders = &engine->orders;
    int64_t id = 0;
    int32_t index = orders->lists[slot].head;
    while ((index = next_eligible(engine, index, id, opens_ns)) >= 0) {
        nt_working *working = &orders->working[index];
        id = working->order_id;
        const nt_order *row = nt_orders_row(orders, id);
        int is_new = row->created_bar == engine->i || (working->born_bar == engine->i && working->born_direction == 0);
        int64_t beyond = row->side * (working->limit - prices->close);
        if (!is_new || row->type != NT_LIMIT || nt_order_is_exit(row) || beyond < (engine->policy.limit_fill == NT_LIMIT_PENETRATE)) {
            index = working->next;
            continue;
        }
        working->from_bar = engine->i + 1; /* a panel may come back to this close */
        nt_touch touch = {prices->close, 0};
        nt_status status = nt_match_fill(engine, slot, id, &touch, prices, 0);
        if (status != NT_OK)
            return status;
        index = orders->lists[slot].head;
    }
    return NT_OK;
}

/* Of those, what is good for this moment only ends with it. */
static void end_marketable(nt_engine *engine, int32_t slot, int64_t opens_ns)
{
    nt_orders *orders = &engine->orders;
    int32_t next;
    for (int32_t index = orders->lists[slot].head; index >= 0; index = next) {
        const nt_working *working = &orders->working[index];
        const nt_order *row = nt_orders_row(orders, working->order_id);
        next = working->next;
        int immediate = row->tif == NT_TIF_IOC || row->tif == NT_TIF_FOK;
        if (immediate && row->type == NT_LIMIT && row->created_bar == engine->i && working->from_ns <= opens_ns &&
            nt_book_end(engine, working->order_id, NT_CANCELLED_ORDER, 0) > 1)
            next = orders->lists[slot].head;
    }
}

static nt_status match_at_once(nt_engine *engine, int32_t slot, const nt_prices *prices)
{
    int64_t now = engine->clock_ts_ns[engine->i];
    nt_status status = fill_marketable(engine, slot, prices, now);
    if (status == NT_OK)
        end_marketable(engine, slot, now);
    return status;
}

/* Whether the bar stays between the nearest triggers and there is nothing else to do in it. NaN is never between. */
static int is_out_of_reach(nt_engine *engine, int32_t slot)
{
    nt_order_list *list = &engine->orders.lists[slot];
    const nt_market *market = &engine->markets[slot];
    if (list->count != list->trigger_count || list->transient_count | list->close_count)
        return 0;
    if (!list->reach_known)
        nt_orders_measure(&engine->orders, slot);
    /* Open and close lie inside the range of a bar that was checked; one that was not is looked at. */
    const nt_series *series = &market->series;
    int64_t bar = market->bar;
    double down = list->reach_down, up = list->reach_up;
    return series->low[bar] > down && series->low[bar] < up && series->open[bar] > down && series->open[bar] < up &&
           series->high[bar] < up && series->close[bar] < up;
}

/* The bar, once its prices and what they reach are known. */
static nt_status match_reached(nt_engine *engine, int32_t slot, nt_prices *prices, int64_t opens_ns, int whole)
{
    const nt_market *market = &engine->markets[slot];
    const nt_order_list *list = &engine->orders.lists[slot];
    nt_status status = match_open(engine, slot, prices, opens_ns, &whole);
    if (status == NT_OK && list->trigger_count > 0 && whole) {
        if (list->trail_count > 0 && engine->policy.trail_update == NT_TRAIL_BEFORE_CHECK && engine->policy.trail_by == NT_TRAIL_EXTREMES)
            move_trails(engine, slot, prices);
        status = match_inside(engine, slot, prices, opens_ns);
        if (status == NT_OK && list->trail_count > 0)
            move_trails(engine, slot, prices);
    }
    if (status == NT_OK && list->close_count > 0 && whole && (nt_session_code(market) & NT_SESSION_LAST))
        status = fill_at_close(engine, slot, prices, NT_ON_CLOSE, opens_ns);
    return status;
}

/* Prices of a bar that nobody checked may be in any order. */
static nt_status find_reached(nt_engine *engine, int32_t slot, const nt_prices *prices)
{
    int64_t low = nt_smaller(nt_smaller(prices->open, prices->low), nt_smaller(prices->high, prices->close));
    int64_t high = -nt_smaller(nt_smaller(-prices->open, -prices->low), nt_smaller(-prices->high, -prices->close));
    return nt_reach_find(&engine->orders, slot, low, high);
}

nt_status nt_match_bar(nt_engine *engine, int32_t slot)
{
    nt_market *market = &engine->markets[slot];
    nt_prices prices;
    if (nt_session_is_closed(market) || is_out_of_reach(engine, slot))
        return NT_OK;
    engine->orders.lists[slot].reach_known = 0;
    int whole = needs_whole_bar(engine, slot);
    if ((whole ? load_prices(market, &prices) : load_open(market, &prices)) != NT_OK)
        return without_prices(market);
    /* A bar opens when the one before it ends. */
    int64_t opens_ns = market->bar > 0 ? market->series.ts_ns[market->bar - 1] : INT64_MIN;
    load_volume(engine, nt_engine_volume_of(engine, slot));
    const nt_order_list *list = &engine->orders.lists[slot];
    if (list->transient_count > 0)
        expire(engine, slot, opens_ns);
    nt_status status = find_reached(engine, slot, &prices);
    if (status == NT_OK)
        status = match_reached(engine, slot, &prices, opens_ns, whole);
    nt_reach_done(&engine->orders);
    if (status == NT_OK && list->transient_count > 0)
        end_immediate(engine, slot, opens_ns);
    if (engine->policy.market_at == NT_MARKET_SAME_CLOSE && list->count > list->trigger_count)
        engine->attention |= NT_ATTEND_CLOSE;
    return status;
}

nt_status nt_match_close(nt_engine *engine, int32_t slot)
{
    nt_market *market = &engine->markets[slot];
    nt_prices prices;
    if (nt_session_is_closed(market))
        return NT_OK;
    nt_status loaded = engine->costs.slippage_capped ? load_prices(market, &prices) : load_one(market->series.close, market, &prices);
    if (loaded != NT_OK)
        return without_prices(market);
    load_volume(engine, nt_engine_volume_of(engine, slot));
    nt_status status = NT_OK; /* a market order for the next open may wait out its latency here */
    if (engine->policy.market_at == NT_MARKET_SAME_CLOSE)
        status = fill_at_close(engine, slot, &prices, NT_MARKET, engine->clock_ts_ns[engine->i]);
    if (status == NT_OK && engine->policy.limits_from == NT_LIMITS_AT_ONCE)
        status = match_at_once(engine, slot, &prices);
    return status;
}
