/* nt_path: which trigger comes first inside one bar.
 *
 * "ohlc", "olhc" and "nearest" walk the bar as three straight legs. "worst" and "best" do not know the path: on each side of the
 * open the triggers come in order of price, and between the two sides the choice is what hurts (helps) the position. A child born
 * inside the bar may count on what must still happen (further the way the price was going, or the close); what merely may have
 * happened after it counts only where it hurts (helps).
 */
#include "nt_match.h"
#include "nt_reach.h"

enum { RANK_STOP = 0, RANK_ENTRY = 1, RANK_PROFIT = 2 };

/* One order's trigger in this bar. */
typedef struct nt_trigger {
    int64_t id;
    int64_t price;
    int64_t direction; /* of the price when it gets there: +1 up, -1 down */
    int32_t rank;
    int32_t certain;
} nt_trigger;

/* Whether a price going to `extreme` reaches the trigger at `price`. Limits may have to be gone through. */
static int reaches(const nt_policy *policy, int is_limit, int64_t direction, int64_t price, int64_t extreme)
{
    int64_t beyond = direction * (extreme - price);
    return is_limit && policy->limit_fill == NT_LIMIT_PENETRATE ? beyond > 0 : beyond >= 0;
}

static int32_t rank_of(const nt_engine *engine, const nt_working *working, int is_limit)
{
    int64_t held = engine->positions[working->symbol].quantity;
    if (!working->partner && (held == 0 || (held > 0) == (working->side > 0)))
        return RANK_ENTRY; /* of two that cancel each other the stop is the worse, whatever is held */
    return is_limit ? RANK_PROFIT : RANK_STOP;
}

/* The price and direction of what the order waits for. 0: for nothing that a bar can show. */
static int trigger_of(const nt_engine *engine, const nt_working *working, nt_trigger *trigger)
{
    int is_limit = working->stop == 0;
    trigger->id = working->order_id;
    trigger->price = is_limit ? working->limit : working->stop;
    trigger->direction = is_limit ? -working->side : working->side;
    trigger->rank = rank_of(engine, working, is_limit);
    trigger->certain = 1;
    return trigger->price != 0;
}

/* Whether it is a stop-limit whose stop was reached in this bar: if its limit allows that price, it trades at it. */
static int is_turned(const nt_engine *engine, const nt_working *working)
{
    return working->born_bar == engine->i && nt_orders_row(&engine->orders, working->order_id)->type == NT_STOP_LIMIT;
}

/* Under "worst" and "best": whether the order triggers in this bar. `possible` tells that it may. */
static int triggers_somewhere(const nt_engine *engine, const nt_working *working, const nt_prices *prices, nt_trigger *trigger,
                              int *possible)
{
    const nt_policy *policy = &engine->policy;
    if (!trigger_of(engine, working, trigger))
        return *possible = 0;
    int is_limit = working->stop == 0;
    int64_t direction = trigger->direction;
    *possible = reaches(policy, is_limit, direction, trigger->price, direction > 0 ? prices->high : prices->low);
    if (working->born_bar != engine->i || working->born_direction == 0 || !*possible)
        return *possible;
    if (reaches(policy, is_limit, direction, trigger->price, working->born_price)) { /* already there when it came to life */
        if (!is_limit || policy->limit_gap == NT_GAP_IMPROVE || is_turned(engine, working))
            trigger->price = working->born_price;
        return 1;
    }
    trigger->certain = direction == working->born_direction || reaches(policy, is_limit, direction, trigger->price, prices->close);
    if (trigger->certain)
        return 1;
    return policy->path == NT_PATH_BEST ? trigger->rank != RANK_STOP : trigger->rank == RANK_STOP;
}

static int32_t preference(const nt_policy *policy, int32_t rank)
{
    return policy->path == NT_PATH_BEST ? RANK_PROFIT - rank : rank;
}

/* Whether a comes before b among triggers of one direction: the nearer price, then the earlier order. */
static int is_nearer(const nt_trigger *a, const nt_trigger *b)
{
    int64_t closer = a->direction * (b->price - a->price);
    return b->id == 0 || closer > 0 || (closer == 0 && a->id < b->id);
}

/* Whether the bar comes as far as what the order waits for: most orders of a deep book need not be looked at further. */
static inline int is_in_range(const nt_working *working, const nt_prices *prices)
{
    int64_t price = working->stop ? working->stop : working->limit;
    int waits_above = (working->stop != 0) == (working->side > 0);
    return price != 0 && (waits_above ? prices->high >= price : prices->low <= price);
}

/* Under "worst": whether the bar also reaches the stop that this limit excludes, which then comes first whatever else works. */
static int is_held_back(const nt_engine *engine, const nt_working *working, const nt_walk *walk)
{
    const nt_order *partner = nt_orders_row(&engine->orders, working->partner);
    if (engine->policy.path != NT_PATH_WORST || working->stop || !nt_order_is_active(partner))
        return 0;
    const nt_working *other = &engine->orders.working[partner->working];
    nt_trigger trigger;
    int possible;
    return other->stop && nt_match_is_eligible(engine, other, walk->opens_ns) &&
           triggers_somewhere(engine, other, walk->prices, &trigger, &possible);
}

/* The first of each side over the whole bar; notes ambiguity. */
static void scan_sides(const nt_engine *engine, nt_walk *walk, nt_trigger *up, nt_trigger *down)
{
    const nt_orders *orders = &engine->orders;
    up->id = down->id = 0;
    for (int64_t k = 0; k < orders->reached_count; k++) {
        int32_t index = nt_reach_at(orders, k);
        if (index < 0)
            continue;
        const nt_working *working = &orders->working[index];
        nt_trigger trigger;
        int possible;
        if (!is_in_range(working, walk->prices) || !nt_match_is_eligible(engine, working, walk->opens_ns))
            continue;
        int fires = triggers_somewhere(engine, working, walk->prices, &trigger, &possible);
        walk->ambiguous |= possible && !trigger.certain;
        nt_trigger *side = trigger.direction > 0 ? up : down;
        if (fires && is_nearer(&trigger, side) && !(working->partner && is_held_back(engine, working, walk)))
            *side = trigger;
    }
    walk->ambiguous |= up->id != 0 && down->id != 0;
}

/* Ends of the three legs, the open first. */
static void legs_of(const nt_policy *policy, const nt_prices *prices, int64_t ends[4])
{
    int up_first = policy->path == NT_PATH_OHLC ||
                   (policy->path == NT_PATH_NEAREST && prices->high - prices->open < prices->open - prices->low);
    ends[0] = prices->open;
    ends[1] = up_first ? prices->high : prices->low;
    ends[2] = up_first ? prices->low : prices->high;
    ends[3] = prices->close;
}

/* The first trigger between walk->at and `end`, to which the walk moves on. */
static int64_t next_on_leg(const nt_engine *engine, nt_walk *walk, int64_t end, nt_touch *touch)
{
    const nt_orders *orders = &engine->orders;
    int64_t way = nt_sign(end - walk->at);
    nt_trigger first = {0, 0, 0, 0, 0};
    for (int64_t k = 0; k < orders->reached_count; k++) {
        int32_t index = nt_reach_at(orders, k);
        if (index < 0)
            continue;
        const nt_working *working = &orders->working[index];
        nt_trigger trigger;
        if (!nt_match_is_eligible(engine, working, walk->opens_ns) || !trigger_of(engine, working, &trigger))
            continue;
        int is_limit = working->stop == 0;
        if (reaches(&engine->policy, is_limit, trigger.direction, trigger.price, walk->at)) {
            if (!is_limit || engine->policy.limit_gap == NT_GAP_IMPROVE || is_turned(engine, working))
                trigger.price = walk->at;
            *touch = (nt_touch){trigger.price, way ? way : trigger.direction};
            return trigger.id;
        }
        if (trigger.direction == way && reaches(&engine->policy, is_limit, way, trigger.price, end) && is_nearer(&trigger, &first))
            first = trigger;
    }
    if (first.id) {
        *touch = (nt_touch){first.price, first.direction};
        walk->at = first.price;
    }
    return first.id;
}

void nt_path_open(nt_walk *walk, const nt_prices *prices, int64_t opens_ns)
{
    *walk = (nt_walk){prices, opens_ns, prices->open, 0, 0};
}

int64_t nt_path_point(const nt_policy *policy, const nt_walk *walk, int32_t point)
{
    int64_t ends[4];
    legs_of(policy, walk->prices, ends);
    return ends[point];
}

int64_t nt_path_next(const nt_engine *engine, nt_walk *walk, nt_touch *touch_out)
{
    nt_trigger up, down;
    const nt_policy *policy = &engine->policy;
    scan_sides(engine, walk, &up, &down);
    if (policy->path == NT_PATH_WORST || policy->path == NT_PATH_BEST) {
        if (up.id == 0 && down.id == 0)
            return 0;
        int down_first = up.id == 0 || (down.id != 0 && preference(policy, down.rank) <= preference(policy, up.rank));
        const nt_trigger *first = down_first ? &down : &up;
        *touch_out = (nt_touch){first->price, first->direction};
        return first->id;
    }
    int64_t ends[4];
    legs_of(policy, walk->prices, ends);
    for (; walk->leg < 3; walk->leg++) {
        int64_t id = next_on_leg(engine, walk, ends[walk->leg + 1], touch_out);
        if (id)
            return id;
        walk->at = ends[walk->leg + 1];
    }
    return 0;
}
