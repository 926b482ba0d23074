/* nt_match: working orders meet a bar.
 *
 * A bar is taken in two phases. At the open, in order of arrival: market orders, then every stop and limit that the open itself has
 * reached. Inside the bar, in the order the path gives (nt_path.c): whatever the high and the low reach, children of fills
 * included. Then trailing stops move and what was good for this bar only ends.
 */
#ifndef NT_MATCH_H
#define NT_MATCH_H

#include "nt_book.h"

/* Match what works in `slot` on its current bar. Prices that are not finite trade nothing.
 * NT_OVERFLOW: a price is not a positive int64 of nano units. */
nt_status nt_match_bar(nt_engine *engine, int32_t slot);

/* Fill market orders at the close of the current bar, where the policy says so. */
nt_status nt_match_close(nt_engine *engine, int32_t slot);

/* Whether this order may fill in the bar at hand. */
int nt_match_is_eligible(const nt_engine *engine, const nt_working *working, int64_t opens_ns);

/* Fill an order that the price has met at `touch`: nt_book_fill, or where the policy gives a bar a depth, what that depth leaves of it
 * (nt_quarter.c). `through`: the price went beyond a limit, so that whoever waited there is filled. */
nt_status nt_match_fill(nt_engine *engine, int32_t slot, int64_t id, const nt_touch *touch, const nt_prices *prices, int through);

/* The next trigger inside a bar. State of the walk: where on its path the price stands. */
typedef struct nt_walk {
    const nt_prices *prices;
    int64_t opens_ns;
    int64_t at;
    int32_t leg;
    int32_t ambiguous; /* set once two triggers could each have come first */
} nt_walk;

/* Quarters: what a point of the path, reached anew, fills of limits that an earlier point could not fill in full. */
nt_status nt_match_again(nt_engine *engine, int32_t slot, const nt_walk *walk, int32_t point);

void nt_path_open(nt_walk *walk, const nt_prices *prices, int64_t opens_ns);
/* The prices a bar goes through under "ohlc", "olhc" and "nearest": 0 the open ... 3 the close. */
int64_t nt_path_point(const nt_policy *policy, const nt_walk *walk, int32_t point);
/* The order that triggers next of those that the bar reaches (nt_reach.h), 0 for none, with its touch. A stop-limit's stop counts as a trigger. */
int64_t nt_path_next(const nt_engine *engine, nt_walk *walk, nt_touch *touch_out);

#endif
