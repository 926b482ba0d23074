/* nt_context: what a strategy sees, the same in C, in numba and in Python.
 *
 * The engine owns one nt_context per run and refreshes it before each call of the strategy. A strategy is
 *
 *     int64_t on_bar(nt_context *ctx, void *user)     0 to go on, anything else stops the run
 *
 * called once per symbol and bar, after the bar's close. It reads fields and calls through `api`; it owns nothing here.
 * numba sees the struct as a record and `api` as a table of addresses, which is why every member is 8 bytes wide,
 * in a fixed place, and why the functions take plain scalars: layouts are asserted in nt_context.c and mirrored in
 * neuraltrade/core/engine.pyx (CONTEXT_DTYPE, API_NAMES). Members are appended, never moved.
 *
 * Columns are whole, so that they need no copy: read them at [bar] and before, never beyond. NaN stands for "not given"
 * in every double argument; tif is one of NT_TIF_*.
 */
#ifndef NT_CONTEXT_H
#define NT_CONTEXT_H

#include <stdint.h>

struct nt_engine;
struct nt_api;

enum { NT_AT_ANY = 0, NT_AT_OPEN = 1, NT_AT_CLOSE = 2 };
enum { NT_TIF_GTC = 0, NT_TIF_DAY = 1, NT_TIF_IOC = 2, NT_TIF_FOK = 3, NT_TIF_GTD = 4 };

/* One remembered situation, as handed back by the Recall port. outcome is NaN where none was known yet. */
typedef struct nt_similar {
    uint64_t id;
    int64_t ts_ns;
    double distance; /* cosine, 0..2 */
    double outcome;  /* forward return that followed, as known now */
} nt_similar;

typedef struct nt_context {
    int64_t i;      /* index on the run's clock */
    int64_t bar;    /* index into this symbol's own columns; equals i for a single symbol */
    int64_t ts_ns;  /* end of the bar, UTC */
    int64_t symbol; /* slot, in panel order */
    const double *open;
    const double *high;
    const double *low;
    const double *close;
    const double *volume;
    const double *const *indicators; /* this symbol's indicator columns, by handle */
    double *state;                   /* scratch, zeroed at the start, one block for the run */
    const double *parameters;        /* numeric parameters of the strategy, by index */
    double position;                 /* signed units of this symbol */
    double entry_price;              /* average, NaN while flat */
    double cash;
    double equity; /* at this bar's close */
    int64_t indicator_count;
    int64_t state_count;
    int64_t parameter_count;
    const struct nt_api *api;
    struct nt_engine *engine;
    const nt_similar *similar; /* filled by api->similar, valid until its next call */
    int64_t similar_count;
    /* Of ticks (nt_tick.h), as heard by now; NaN and 0 where there is none. */
    int64_t event;     /* NT_HEARD_*; 0 = a bar */
    int64_t aggressor; /* of the last print */
    double bid;
    double bid_size;
    double ask;
    double ask_size;
    double last;
    double last_size;
    double mid;
} nt_context;

typedef int64_t (*nt_strategy_fn)(nt_context *ctx, void *user);

/* Orders return an id > 0, 0 where nothing was to be done, or a refusal (NT_DENIED_*). side is +1 buy, -1 sell. */
typedef struct nt_api {
    /* Trade to the default size in that direction: one order, reversing if needed; 0 if already there or on the way. */
    int64_t (*trade)(nt_context *ctx, int64_t side);
    /* Everything a strategy can ask of one order. quantity NaN = default size as in trade. stop_loss, take_profit are
     * prices, trail a distance; the _rate twins are fractions of the fill price. */
    int64_t (*order)(nt_context *ctx, int64_t side, double quantity, double limit, double stop, double stop_loss,
                     double take_profit, double trail, double stop_loss_rate, double take_profit_rate,
                     double trail_rate, int64_t tif);
    int64_t (*close_position)(nt_context *ctx);
    /* Trade to `fraction` of equity in this symbol, signed; 0 is flat. */
    int64_t (*target)(nt_context *ctx, double fraction);
    int64_t (*cancel)(nt_context *ctx, int64_t order_id); /* 1 done, or a refusal */
    int64_t (*cancel_all)(nt_context *ctx);               /* how many, of this symbol */
    int64_t (*is_active)(nt_context *ctx, int64_t order_id); /* 1 while pending or working, else 0 */
    /* Record a decision: direction -1, 0, +1, confidence 0..1, reasoning = index of a text or -1. Returns the confidence
     * after the Advisor, the same where there is none. Orders of the same symbol in this bar carry the signal's id. */
    double (*signal)(nt_context *ctx, int64_t direction, double confidence, int64_t reasoning);
    int64_t (*similar)(nt_context *ctx, int64_t k); /* asks the Recall port; returns how many were found; 0 without one */
    /* Shared by both speeds: CPython's and numba's own differ in the last bit. */
    double (*pow)(double x, double y);
    double (*exp)(double x);
    double (*log)(double x);
    double (*sin)(double x);
    double (*cos)(double x);
    double (*tan)(double x);
    double (*tanh)(double x);
    /* The kill switch: mode is one of NT_MODE_*; never loosens. Returns how many orders it cancelled, of every symbol. */
    int64_t (*halt)(nt_context *ctx, int64_t mode);
    /* `order` with what it lacks. good_till: ts_ns of the last bar's end that may fill it, with NT_TIF_GTD; else 0. at: NT_AT_*, of a
     * market order: the open or the close of the next bar, whatever the fill policy does with others. */
    int64_t (*place)(nt_context *ctx, int64_t side, double quantity, double limit, double stop, double stop_loss,
                     double take_profit, double trail, double stop_loss_rate, double take_profit_rate, double trail_rate,
                     int64_t tif, int64_t good_till, int64_t at);
    /* A stop that follows the price at a distance of `trail`, or of `trail_rate` times its peak. side 0: against what is held,
     * never more than that (quantity NaN: all of it), 0 while flat. Else an order to buy or sell, sized as in `order`. */
    int64_t (*trailing_stop)(nt_context *ctx, double quantity, double trail, double trail_rate, int64_t side, int64_t tif,
                             int64_t good_till);
    /* NaN leaves a value as it is. 1 done, 0 nothing asked, or a refusal, with the order as it was. */
    int64_t (*modify)(nt_context *ctx, int64_t order_id, double quantity, double limit, double stop);
    /* One cancels the other: each shrinks by what the other fills, and ends with it, however it ends. 1 done, or a refusal. */
    int64_t (*oco)(nt_context *ctx, int64_t order_id, int64_t other_id);
    /* Of the book as heard: level 0 is the best of a side (+1 bids, -1 asks). Without depth level 0 is the quote. NaN and 0 beyond. */
    double (*depth_price)(nt_context *ctx, int64_t side, int64_t level);
    double (*depth_size)(nt_context *ctx, int64_t side, int64_t level);
    /* Units before a resting order in the line at its price; NaN where it does not rest, infinite where no feed shows the line. */
    double (*queue_ahead)(nt_context *ctx, int64_t order_id);
} nt_api;

#endif
