#include "nt_depth.h"

#include <stdlib.h>
#include <string.h>

#define NEAR_BEST 8   /* levels looked at one by one before bisecting */
#define EMPTY_KEPT 64 /* rows that are not worth closing up */

void nt_depth_close(nt_depth *depth)
{
    free(depth->sides[0].levels);
    free(depth->sides[1].levels);
    free(depth->sides[0].kept);
    free(depth->sides[1].kept);
    memset(depth, 0, sizeof *depth);
}

static nt_status keep_taken(nt_ladder *ladder)
{
    int32_t count = 0;
    for (int32_t row = 0; row < ladder->count; row++)
        count += ladder->levels[row].taken > 0;
    if (count > ladder->kept_capacity) {
        nt_level *kept = realloc(ladder->kept, (size_t)count * sizeof *kept);
        if (kept == NULL)
            return NT_NO_MEMORY;
        ladder->kept = kept;
        ladder->kept_capacity = count;
    }
    ladder->kept_count = 0;
    for (int32_t row = 0; count > 0 && row < ladder->count; row++)
        if (ladder->levels[row].taken > 0)
            ladder->kept[ladder->kept_count++] = ladder->levels[row];
    return NT_OK;
}

/* What we had taken of a level that was cleared, if it shows the same quantity again; asked once. */
static int64_t taken_before(nt_ladder *ladder, int64_t price, int64_t quantity)
{
    for (int32_t row = 0; row < ladder->kept_count; row++) {
        nt_level level = ladder->kept[row];
        if (level.price != price)
            continue;
        ladder->kept[row] = ladder->kept[--ladder->kept_count];
        return level.quantity == quantity ? level.taken : 0;
    }
    return 0;
}

nt_status nt_depth_clear(nt_depth *depth)
{
    if (depth->sides[0].count + depth->sides[1].count == 0)
        return NT_OK;
    nt_status status = keep_taken(&depth->sides[0]);
    if (status == NT_OK)
        status = keep_taken(&depth->sides[1]);
    if (status != NT_OK)
        return status;
    depth->sides[0].count = depth->sides[1].count = 0;
    depth->sides[0].empty = depth->sides[1].empty = 0;
    depth->stamp++;
    return NT_OK;
}

/* Index of the first level that is not worse than `price`: where it stands, or belongs. */
static int32_t place_of(const nt_ladder *ladder, int64_t side, int64_t price)
{
    const nt_level *levels = ladder->levels;
    int32_t high = ladder->count, low = 0;
    for (int step = 0; step < NEAR_BEST && high > 0; step++, high--)
        if (side * (levels[high - 1].price - price) < 0)
            return high;
    while (low < high) {
        int32_t middle = (int32_t)(((uint32_t)low + (uint32_t)high) / 2);
        if (side * (levels[middle].price - price) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

nt_level *nt_depth_level(const nt_depth *depth, int64_t side, int64_t k)
{
    int32_t walked = 0;
    nt_level *level = nt_depth_next(depth, side, &walked);
    while (level != NULL && k-- > 0)
        level = nt_depth_next(depth, side, &walked);
    return level;
}

nt_level *nt_depth_find(const nt_depth *depth, int64_t side, int64_t price)
{
    const nt_ladder *ladder = nt_depth_side(depth, side);
    int32_t at = place_of(ladder, side, price);
    nt_level *level = &ladder->levels[at];
    return at < ladder->count && level->price == price && level->quantity > 0 ? level : NULL;
}

static nt_status make_room(nt_ladder *ladder)
{
    if (ladder->count < ladder->capacity)
        return NT_OK;
    if (ladder->count >= NT_LEVELS_MAX)
        return NT_FULL;
    int32_t capacity = ladder->capacity ? ladder->capacity * 2 : 256;
    nt_level *levels = realloc(ladder->levels, (size_t)capacity * sizeof *levels);
    if (levels == NULL)
        return NT_NO_MEMORY;
    ladder->levels = levels;
    ladder->capacity = capacity;
    return NT_OK;
}

/* Close up the rows once half of them are empty. */
static void compact(nt_ladder *ladder)
{
    int32_t kept = 0;
    for (int32_t row = 0; row < ladder->count; row++)
        if (ladder->levels[row].quantity > 0)
            ladder->levels[kept++] = ladder->levels[row];
    ladder->count = kept;
    ladder->empty = 0;
}

static void remove_level(nt_ladder *ladder, int32_t at)
{
    ladder->levels[at].quantity = ladder->levels[at].taken = 0;
    ladder->empty++;
    while (ladder->count > 0 && ladder->levels[ladder->count - 1].quantity == 0) { /* the best is never empty */
        ladder->count--;
        ladder->empty--;
    }
    if (ladder->empty > EMPTY_KEPT && ladder->empty > ladder->count / 2)
        compact(ladder);
}

nt_status nt_depth_set(nt_depth *depth, int64_t side, int64_t price, int64_t quantity, int64_t *before_out)
{
    nt_ladder *ladder = &depth->sides[side < 0];
    int32_t at = place_of(ladder, side, price);
    nt_level *level = at < ladder->count && ladder->levels[at].price == price ? &ladder->levels[at] : NULL;
    int64_t before = level ? level->quantity : 0;
    if (quantity <= 0) {
        *before_out = before;
        (void)taken_before(ladder, price, 0);
        if (before > 0)
            remove_level(ladder, at);
        return NT_OK;
    }
    if (level == NULL) {
        nt_status status = make_room(ladder);
        if (status != NT_OK)
            return status;
        level = &ladder->levels[at];
        memmove(level + 1, level, (size_t)(ladder->count - at) * sizeof *level);
        ladder->count++;
        *level = (nt_level){.price = price};
    } else
        ladder->empty -= before == 0;
    *before_out = before;
    if (quantity != before)
        level->taken = taken_before(ladder, price, quantity);
    level->quantity = quantity;
    level->stamp = ++depth->stamp;
    return NT_OK;
}

int64_t nt_depth_uncross(nt_depth *depth)
{
    int64_t removed = 0;
    const nt_level *bid, *ask;
    while ((bid = nt_depth_best(depth, 1)) != NULL && (ask = nt_depth_best(depth, -1)) != NULL && bid->price >= ask->price) {
        nt_ladder *older = &depth->sides[bid->stamp < ask->stamp ? 0 : 1];
        remove_level(older, older->count - 1);
        removed++;
    }
    depth->stale += removed;
    return removed;
}
