/* nt_tick: the loop over quotes, prints and depth, beside the one over bars; orders, gate, ledger and event log are the same.
 *
 * Two times. The venue's time decides what trades; the time an event is heard decides what the strategy knows. A step of the clock
 * is an event being heard, at local time L:
 *
 *   1. The venue goes on: events are taken in the order they happened, as far as each of them has been heard by now. What was on
 *      its way to the venue arrives in between, after every event of its own time or before. Fills carry the venue's time and
 *      become known in this step. So nothing the strategy sees in step i depends on an event that is heard later.
 *   2. The event joins what the strategy sees: best prices, last print, the book as heard.
 *   3. The strategy is called. Orders, changes and cancels it sends arrive at L + latency_ns; as nothing is heard before it
 *      happens, that is never in the venue's past. What arrives after the last event of the data has not happened.
 *
 * Where events are heard in the order they happen, one book serves both.
 *
 * Several strategies (nt_team.h) are called one after another in step 3. At the venue their orders are one account's: the better price
 * comes first, then the earlier order, whoever sent it, and a size that one of them took is gone for all.
 *
 * While an exchange is closed by the venue's time nothing of its symbols fills, triggers or follows; while it is by ours, orders and
 * changes are refused. What arrives in between waits for the next session.
 *
 * Matching (nt_tick_match.c, nt_tick_venue.c). A symbol with depth trades against its book, one without against its quotes. What an order takes of a
 * shown size is gone for our later orders until the feed shows another size there. Our orders never move the market.
 *
 *   market        takes the far side, best level first, a fill for each; what is left waits for the next size shown.
 *   limit         the same up to its price on arrival; then it rests. It fills at its own price when the far side reaches it (its
 *                 size respected), when a print goes beyond it (up to the print's size), and, of a print at its price by the other
 *                 side, what exceeds the line ahead of it (nt_queue.h). Better prices first, then earlier orders.
 *   stop          triggers when the far side, or the last print where the policy says so, reaches it; then a market or limit order.
 *   trailing      the same; its peak follows the same price.
 *   ioc, fok      end on arrival with what they did not take; fok takes all or nothing.
 */
#ifndef NT_TICK_H
#define NT_TICK_H

#include "nt_book.h"
#include "nt_depth.h"
#include "nt_queue.h"

enum { NT_HEARD_BAR = 0, NT_HEARD_QUOTE = 1, NT_HEARD_TRADE = 2, NT_HEARD_DEPTH = 3 };
enum { NT_STOP_ON_QUOTE = 0, NT_STOP_ON_LAST = 1 };

/* Columns of one stream, borrowed. Quotes: bid, bid_size, ask, ask_size. Trades: price, quantity, sign = aggressor. Depth: price,
 * quantity, sign = side. */
typedef struct nt_tick_stream {
    const double *columns[4];
    const int8_t *sign;
    int64_t count;
    int32_t kind; /* NT_HEARD_* */
    int32_t slot;
} nt_tick_stream;

/* Borrowed columns, an event a row, in the order they are heard; the clock of the run is when. */
typedef struct nt_tick_events {
    const int64_t *ts_ns;
    const int32_t *stream;
    const int64_t *first;
    const int32_t *rows;
    const int64_t *venue; /* the events in the order they happened; NULL = the same */
} nt_tick_events;

/* Something on its way to the venue. */
enum { NT_SENT_ORDER = 0, NT_SENT_CANCEL = 1, NT_SENT_CHANGE = 2 };
typedef struct nt_sent {
    int64_t arrives_ns;
    int64_t order_id;
    int64_t quantity; /* of a change, as the two below; 0 = as it was */
    int64_t limit;
    int64_t stop;
    int64_t kind;
} nt_sent;

/* What the venue knows of a working order; lies at the index of its nt_working. */
typedef struct nt_resting {
    int64_t order_id; /* whose row this is */
    int64_t ahead;    /* nano, in the line at its price */
    int64_t printed;  /* at its price since the level was last shown */
    int64_t matched;  /* number of the latest event it met */
    int32_t arrived;
    int32_t rests;   /* a limit order in the book */
    int32_t leaving; /* a cancel is on its way */
    int32_t spare;
} nt_resting;

/* When the exchange of a symbol is open: from open_ns until before close_ns, in the columns of neuraltrade/market/sessions.py. */
typedef struct nt_tick_sessions {
    const int64_t *open_ns;
    const int64_t *close_ns;
    int64_t count;    /* 0 = always open, unless they are given */
    int64_t venue_at; /* the last that has begun by the venue's time, and by ours; -1 before the first */
    int64_t heard_at;
    int64_t given;
} nt_tick_sessions;

/* What the market of a symbol is, whoever trades it. */
typedef struct nt_tick_market {
    nt_level top[2]; /* best bid and ask of the quotes at the venue; price 0 = nobody */
    nt_level print;  /* of a symbol with prints alone, while one of them is met */
    int64_t last;    /* latest print, 0 before the first */
    nt_depth *venue; /* NULL without depth, as the one below */
    nt_depth *heard;
    int64_t has_quotes;
    double bid, bid_size, ask, ask_size, last_price, last_size, aggressor; /* as heard; NaN = none */
    nt_tick_sessions sessions;
} nt_tick_market;

/* What a slot, one strategy in one symbol, has beside it. Its indicator columns have a row for each stretch of events over which none
 * of them changes: they turn to the next row at the events `turns`. */
typedef struct nt_tick_seat {
    const int64_t *turns;
    int64_t turn_count;
    int64_t turn_next;
    int64_t turned;  /* the event it last turned at, -1 = none */
    double *marks;   /* by row: the mark, and the size of the last print, at the latest event of each; NULL = no columns */
    double *sizes;
    double closing;  /* what nt_engine_finish closes at */
    int32_t cursor;  /* of nt_tick_venue.c */
    int32_t spare;
} nt_tick_seat;

typedef struct nt_ticks {
    nt_tick_events events;
    const nt_tick_stream *streams; /* borrowed */
    nt_tick_market *markets; /* by symbol */
    nt_tick_seat *seats;     /* by slot */
    nt_depth *depths;
    int64_t stream_count;
    int64_t venue_next; /* the next event at the venue, in its order */
    int64_t now_ns;     /* venue's while it goes on, ours while the strategy is called */
    int64_t number;     /* of the event at the venue */
    int64_t room;       /* what the next fill may take */
    nt_rows sent;       /* nt_sent; in order of arrival from sent_first on */
    int64_t sent_first;
    nt_resting *resting;
    int32_t resting_capacity;
    uint32_t called; /* bit 1 << NT_HEARD_*: events the strategy is called for */
    nt_queue_model queue;
    int32_t stop_trigger;
    int32_t spare;
} nt_ticks;

typedef struct nt_ticks_config {
    nt_queue_model queue;
    int64_t stop_trigger;
    int64_t called;
    int64_t symbol_count; /* of the engine's markets, how many symbols: strategy x symbols + symbol (nt_team.h) */
} nt_ticks_config;

/* Makes an open engine one over ticks: its clock is when the events are heard. Streams and events stay the caller's.
 * NT_NO_MEMORY: unchanged. */
nt_status nt_ticks_open(nt_engine *engine, const nt_ticks_config *config, const nt_tick_stream *streams, int64_t stream_count,
                        const nt_tick_events *events);
void nt_ticks_close(nt_engine *engine);

/* Before the first step, all borrowed: the sessions of a symbol; the events, ascending, at which the columns of a slot turn to their
 * next row, with `count + 1` rows for what a strategy reads as close and volume. NT_STATE: the run has begun. */
nt_status nt_ticks_sessions(nt_engine *engine, int32_t symbol, const int64_t *open_ns, const int64_t *close_ns, int64_t count);
nt_status nt_ticks_turns(nt_engine *engine, int32_t slot, const int64_t *turns, int64_t count, double *marks, double *sizes);

/* Whether the exchange of a slot's symbol is closed by our time. */
int nt_ticks_is_closed(const nt_engine *engine, int32_t slot);

/* Steps up to `stop` (nt_engine_advance). */
nt_status nt_ticks_run(nt_engine *engine, int64_t stop);
/* Before nt_engine_finish closes what is open: at which price. */
void nt_ticks_closing(nt_engine *engine);

/* Stale levels removed from the books at the venue so far (nt_depth.h). */
int64_t nt_ticks_stale_levels(const nt_engine *engine);

/* An order was added by the strategy and is on its way. NT_NO_MEMORY. */
nt_status nt_ticks_send(nt_engine *engine, int64_t order_id);
/* A checked change, or a cancel: 1, 0 where one is on its way already, or a failure, noted. */
int64_t nt_ticks_send_change(nt_engine *engine, int64_t order_id, int64_t quantity, int64_t limit, int64_t stop);
int64_t nt_ticks_send_cancel(nt_engine *engine, int64_t order_id);

/* Of nt_api. */
double nt_tick_depth_price(nt_context *context, int64_t side, int64_t level);
double nt_tick_depth_size(nt_context *context, int64_t side, int64_t level);
double nt_tick_queue_ahead(nt_context *context, int64_t order_id);

/* The market that a slot trades in: strategies of one symbol share it. */
static inline nt_tick_market *nt_tick_market_of(const nt_engine *engine, int32_t slot)
{
    return &engine->ticks->markets[slot < engine->symbol_count ? slot : slot % engine->symbol_count];
}

/* A slot's columns at an event of its symbol: their next row, if it turns here, and what that row shows. */
void nt_tick_turn(nt_engine *engine, int32_t slot);
/* Whether the exchange is open at the venue now, and the day (of UTC, or the number of the session) that an order which arrives now is
 * good for: while it is closed, the next. */
int nt_tick_session(nt_engine *engine, int32_t slot, int64_t *day_out);

/* The same question without the day, which costs nothing where no calendar is given. */
static inline int nt_tick_is_open(nt_engine *engine, int32_t symbol)
{
    int64_t day;
    return !engine->ticks->markets[symbol].sessions.given || nt_tick_session(engine, symbol, &day);
}

/* The venue: an event has happened there (nt_tick_venue.c), or something arrived (nt_tick_match.c); engine->ticks->now_ns says when. */
nt_status nt_tick_happens(nt_engine *engine, int64_t event);
nt_status nt_tick_arrives(nt_engine *engine, const nt_sent *sent);
/* What an order that does not rest does now: stops look, market orders take, limits take on arrival and come to rest. */
nt_status nt_tick_act(nt_engine *engine, int64_t order_id);
/* Take the far side, best first, up to `limit` (0 = any price), each level at its own price, or at `own` for one that rests. */
nt_status nt_tick_take(nt_engine *engine, int64_t order_id, int64_t limit, int64_t own);
/* The next level of what an order of `side` can take, best first; *walked is 0 to begin with. NULL beyond the last. */
static inline nt_level *nt_tick_far_next(const nt_tick_market *tick, int64_t side, int32_t *walked)
{
    if (tick->venue)
        return nt_depth_next(tick->venue, -side, walked);
    if ((*walked)++ > 0)
        return NULL;
    nt_level *level = (nt_level *)(tick->has_quotes ? &tick->top[side > 0] : &tick->print);
    return level->price ? level : NULL;
}

/* The best of them. */
static inline nt_level *nt_tick_far_best(const nt_tick_market *tick, int64_t side)
{
    int32_t walked = 0;
    return nt_tick_far_next(tick, side, &walked);
}
/* A message of depth rows into a book, which is uncrossed after it. NT_OVERFLOW, NT_NO_MEMORY, NT_FULL: the run ends. */
nt_status nt_tick_write_book(nt_depth *depth, const nt_tick_stream *stream, int64_t first, int32_t rows);
/* The row of a working order, NULL where it has none yet. */
static inline nt_resting *nt_tick_resting(const nt_ticks *ticks, int64_t order_id, int32_t index)
{
    int rests = index >= 0 && index < ticks->resting_capacity && ticks->resting[index].order_id == order_id;
    return rests ? &ticks->resting[index] : NULL;
}
/* A fresh row for it. NT_NO_MEMORY. */
nt_status nt_tick_enter(nt_engine *engine, int64_t order_id, int arrived);
/* Fill an order at `price`, at most `room`. */
nt_status nt_tick_fill(nt_engine *engine, int64_t order_id, int64_t price, int64_t room, int64_t *filled_out);
/* What the engine itself brings to life, children of fills and liquidations, stands at the venue at once; theirs may fill and have
 * children in turn. */
nt_status nt_tick_take_in(nt_engine *engine, int32_t slot);
/* Orders that rest at `price` learn that the level there went from `before` to `after` (nt_tick_line.c). */
void nt_tick_level_changed(nt_engine *engine, int32_t symbol, int64_t side, int64_t price, int64_t before, int64_t after);
/* The quotes of a symbol without depth moved. */
void nt_tick_top_changed(nt_engine *engine, int32_t symbol, const nt_level *before);
/* A print meets the orders that rest. */
nt_status nt_tick_print(nt_engine *engine, int32_t symbol, int64_t price, int64_t quantity, int64_t aggressor);

#endif
