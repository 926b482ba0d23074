/* nt_depth: one symbol's book by price level, from a feed that tells the whole quantity at a price whenever it changes.
 *
 * Each side is one flat array sorted towards the best price, which stands last: most changes happen there, so that most cost a
 * few comparisons and move a few rows. Levels are found by bisection. One that is gone stays as an empty row, since most prices
 * come back (of 165,000 levels that came or went in a recorded book of 5,000 a side 19,000 were new, and moving the rows for the
 * others was most of the work); the best is never empty, and rows are closed up once half of them are. `taken` is what our own orders took of what the feed still
 * shows; it is forgotten when the feed shows another quantity there, and not when a snapshot shows the same once more.
 *
 * A book that is crossed or locked once a message is complete holds stale levels: one of the two best was not told that it is
 * gone. nt_depth_uncross removes the older of the two until bid < ask. That is also what heals a book after a gap.
 */
#ifndef NT_DEPTH_H
#define NT_DEPTH_H

#include <stdint.h>

#include "nt_status.h"

#define NT_LEVELS_MAX (1 << 20)

typedef struct nt_level {
    int64_t price;    /* nano */
    int64_t quantity; /* nano, as shown */
    int64_t taken;    /* nano, by us */
    int64_t stamp;    /* of the change that set it: later is larger */
} nt_level;

typedef struct nt_ladder {
    nt_level *levels; /* worst first, best last; quantity 0 = gone */
    nt_level *kept;   /* those we had taken of when the side was cleared, until they are shown anew; in no order */
    int32_t count;    /* rows, the last of which is not empty */
    int32_t empty;    /* of them */
    int32_t capacity;
    int32_t kept_count;
    int32_t kept_capacity;
    int32_t spare;
} nt_ladder;

typedef struct nt_depth {
    nt_ladder sides[2]; /* bids, asks */
    int64_t stamp;
    int64_t stale; /* levels that nt_depth_uncross removed so far */
} nt_depth;

static inline const nt_ladder *nt_depth_side(const nt_depth *depth, int64_t side)
{
    return &depth->sides[side < 0];
}

/* The best of a side (+1 bids, -1 asks); NULL = nobody there. */
static inline nt_level *nt_depth_best(const nt_depth *depth, int64_t side)
{
    const nt_ladder *ladder = nt_depth_side(depth, side);
    return ladder->count > 0 ? &ladder->levels[ladder->count - 1] : (nt_level *)0;
}

/* The next level of a side, best first; *walked: rows passed so far, 0 to begin with. NULL beyond the last. */
static inline nt_level *nt_depth_next(const nt_depth *depth, int64_t side, int32_t *walked)
{
    const nt_ladder *ladder = nt_depth_side(depth, side);
    while (*walked < ladder->count) {
        nt_level *level = &ladder->levels[ladder->count - 1 - (*walked)++];
        if (level->quantity > 0)
            return level;
    }
    return (nt_level *)0;
}

/* Level k of a side, 0 the best; NULL beyond the last. O(k). */
nt_level *nt_depth_level(const nt_depth *depth, int64_t side, int64_t k);

void nt_depth_close(nt_depth *depth);
/* Both sides are empty; what we took of them is remembered for the snapshot that follows. NT_NO_MEMORY: unchanged. */
nt_status nt_depth_clear(nt_depth *depth);

/* What stands at `price`; NULL = nothing. */
nt_level *nt_depth_find(const nt_depth *depth, int64_t side, int64_t price);

/* `quantity` stands at `price` from now on, 0 = nothing. *before_out: what stood there.
 * NT_NO_MEMORY, NT_FULL (NT_LEVELS_MAX on one side): unchanged. */
nt_status nt_depth_set(nt_depth *depth, int64_t side, int64_t price, int64_t quantity, int64_t *before_out);

/* Remove stale levels until bid < ask. Returns how many. */
int64_t nt_depth_uncross(nt_depth *depth);

#endif
