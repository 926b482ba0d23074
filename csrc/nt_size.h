/* nt_size: what a fill costs, and how large an order may be.
 *
 * Fees and cash are exact. A size is first estimated in float64 and then corrected with the exact cost, so that it is the largest
 * multiple of the lot whose cost, rounded as the ledger rounds, the budget covers.
 */
#ifndef NT_SIZE_H
#define NT_SIZE_H

#include "nt_engine.h"

/* max(minimum, rate x notional + fixed + per_unit x quantity); quantity is absolute. */
nt_status nt_size_fee(const nt_engine *engine, int32_t slot, int64_t quantity, int64_t price, int64_t *fee_out);

/* What closing `quantity` adds to the fee of an order that opens as well: the fixed part and the minimum are paid once. */
nt_status nt_size_closing_fee(const nt_engine *engine, int32_t slot, int64_t quantity, int64_t price, int64_t *fee_out);

/* The price a market or stop order of `side` gets where the market stands at `price`. low, high: of the bar, for the cap.
 * 0: beyond int64. */
int64_t nt_size_slipped(const nt_engine *engine, int32_t slot, int64_t side, int64_t price, int64_t low, int64_t high);

/* Cash free to open with, `held` (signed) being what this symbol still holds, all marked at `price`, others at their last close. */
nt_status nt_size_free_cash(const nt_engine *engine, int32_t slot, int64_t held, int64_t price, int64_t *free_out);

/* The largest multiple of `lot` that `budget` (minor) covers at `price`, fee included; on_margin: of the
 * notional only what it binds. */
int64_t nt_size_affordable(const nt_engine *engine, int32_t slot, int64_t budget, int on_margin, int64_t price, int64_t lot);

/* The equity that opening `notional` of a symbol binds: its own margin, else notional / leverage. */
nt_status nt_size_bound(const nt_engine *engine, int32_t slot, int64_t notional, int64_t *bound_out);

/* The absolute quantity a position of `target_side` shall have under `size`, if it trades at `price`. */
nt_status nt_size_target(const nt_engine *engine, int32_t slot, nt_size size, int64_t target_side, int64_t price, int64_t *out);

#endif
