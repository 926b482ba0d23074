/* nt_engine: the one loop. Per step of the clock: match what works -> ledger -> mark -> strategy -> gate -> book -> event log.
 *
 * A run is opened with everything it will need, advanced in pieces, finished, read and closed. Series, clock and indicator
 * columns are borrowed and must outlive it; equity is a buffer of the caller's. One thread at a time. Memory is taken only by
 * the growing tables (orders, rows); nothing else allocates once the run is open.
 *
 * Bars stay float64 until an order works on them: only then are prices turned into int64 (nt_match.c). So a bar in which
 * nothing works costs one multiplication, a few stores and the call of the strategy.
 */
#ifndef NT_ENGINE_H
#define NT_ENGINE_H

#include <stdint.h>

#include "nt_context.h"
#include "nt_event.h"
#include "nt_flows.h"
#include "nt_gate.h"
#include "nt_ledger.h"
#include "nt_lots.h"
#include "nt_margin.h"
#include "nt_orders.h"
#include "nt_policy.h"
#include "nt_rates.h"
#include "nt_rows.h"

/* One symbol's bars. Columns of `count` rows, ascending in ts_ns. */
typedef struct nt_series {
    const int64_t *ts_ns;
    const double *open;
    const double *high;
    const double *low;
    const double *close;
    const double *volume;
    int64_t count;
} nt_series;

typedef struct nt_market {
    nt_series series;
    const double *const *indicators;
    int64_t indicator_count;
    int64_t bar;        /* the latest bar reached; -1 before the first */
    int64_t step;       /* and the clock index it was reached at */
    double last_close;  /* NaN before the first */
    double exposure;    /* signed units x multiplier x fx: what one point of price is worth */
    int64_t tick;       /* nano, as the three below */
    int64_t lot;        /* of quantities that are given */
    int64_t size_lot;   /* of default sizes */
    int64_t volume_left; /* that the cap leaves in the bar `volume_bar` */
    int64_t volume_bar;
    int64_t depth_left; /* of what trades at the price at hand: nt_quarter.c */
    int64_t signal_id;  /* of the latest signal, and its bar */
    int64_t signal_bar;
    int64_t exit_bar;   /* clock index at which a stop-loss, take-profit or trail last filled; -1 = never */
    int64_t entry_bar;  /* of the fill that opened what is held, as the two below */
    int64_t entry_ns;   /* the venue's time of that fill */
    int64_t entry_order_id;
    int64_t entry_signal_id;
    int64_t restricted; /* 1 = the gate lets nothing through */
    const int32_t *sessions; /* a code for each bar: nt_sessions.h; NULL = always open */
    double fx;          /* the rate to the account's currency, as a float; 1 where it is that currency */
    nt_rate_series rates; /* of its currency; of count 0 where it is the account's */
    int64_t rate_told;  /* the one that the log has */
    const struct nt_due *dues; /* what will be due to it, ascending in time */
    int64_t due_count;
    int64_t due_next;
    int64_t due_ns;     /* when the next of them is; INT64_MAX = never */
    int64_t margin;     /* pico of notional that what is opened binds; 0 = as the leverage of the account says */
} nt_market;

/* Callbacks return 0, or anything else to stop the run with NT_STOPPED. `user` is engine.callback_user. */
typedef int64_t (*nt_journal_fn)(void *user, const nt_event *events, int64_t count);
typedef int64_t (*nt_advisor_fn)(void *user, const nt_signal_row *signal, double *confidence_out);
typedef int64_t (*nt_recall_fn)(void *user, int64_t symbol, int64_t ts_ns, int64_t k, const nt_similar **rows_out, int64_t *count_out);

struct nt_ticks;
struct nt_team;

enum { NT_ATTEND_CLOSE = 1, NT_ATTEND_JOURNAL = 2, NT_ATTEND_FAILURE = 4 };

typedef struct nt_engine {
    nt_context context;
    nt_api api;
    nt_policy policy;
    nt_costs costs;
    nt_account account;
    nt_limits limits;
    nt_gate gate;
    nt_size size;
    nt_ledger ledger;
    nt_orders orders;
    nt_market *markets;
    nt_position *positions;
    int32_t market_count;
    uint32_t attention; /* NT_ATTEND_*: what the loop must look at after the strategy's call */
    int32_t symbol_count; /* markets a strategy has: all of them, unless there is a team */
    const int64_t *clock_ts_ns;
    int64_t clock_count;
    int64_t i; /* the step being taken; the next one between calls of nt_engine_advance */
    int64_t latency_ns;
    double *equity;
    double cash; /* of the ledger, as a float */
    nt_rows events;
    nt_rows trades;
    nt_rows signals;
    nt_rows denials;
    nt_lots lots; /* of an account that closes first in, first out */
    nt_margin margin;
    nt_flows flows;
    int32_t rated;     /* 1 = some symbol is in another currency */
    int32_t opens;     /* 1 = nt_account_before is to be called ahead of each bar */
    int32_t marks;     /* 1 = nt_account_mark is to be called once a step is marked */
    int32_t restrains; /* 1 = nt_account_refusal is to be asked about each order */
    int64_t records_events; /* 0 = the log keeps fills only */
    int64_t fill_count;
    int64_t journalled; /* events handed to the journal so far */
    int64_t ambiguous_bars;
    nt_status failure;
    int32_t finished;
    nt_strategy_fn strategy;
    void *strategy_user;
    void *callback_user;
    nt_journal_fn journal;
    nt_advisor_fn advisor;
    nt_recall_fn recall;
    struct nt_ticks *ticks; /* NULL = bars (nt_tick.h) */
    struct nt_team *team;   /* NULL = one strategy (nt_team.h) */
} nt_engine;

/* Prices in nano of the bar being matched. */
typedef struct nt_prices {
    int64_t open;
    int64_t high;
    int64_t low;
    int64_t close;
} nt_prices;

typedef struct nt_engine_config {
    nt_policy policy;
    nt_costs costs;
    nt_account account;
    nt_limits limits;
    nt_size size;
    int64_t cash; /* minor */
    int64_t cash_digits;
    int64_t latency_ns;
    int64_t records_events;
} nt_engine_config;

/* Opens a run over `market_count` symbols: of each market the caller has set series, tick, lot and size_lot, of each position the
 * multiplier; the arrays stay the caller's. NT_NO_MEMORY: nothing to close. */
nt_status nt_engine_open(nt_engine *engine, const nt_engine_config *config, nt_market *markets, nt_position *positions,
                         int32_t market_count, const int64_t *clock_ts_ns, int64_t clock_count, double *equity);
void nt_engine_close(nt_engine *engine);

/* Make room for `orders` in all, `working` of them at a time and `events`, and touch it: until more come, a run that has been opened
 * allocates nothing and faults on nothing of its own. NT_NO_MEMORY: the run goes on without. */
nt_status nt_engine_reserve(nt_engine *engine, int64_t orders, int32_t working, int64_t events);

/* Take up to `count` further steps. NT_STOPPED: the strategy or a callback said so at step engine->i. Any other failure ends
 * the run as well; engine->i tells where. */
nt_status nt_engine_advance(nt_engine *engine, int64_t count);

/* The kill switch from outside, between two calls of nt_engine_advance: as of the last step taken. NT_STATE: the run has ended. */
nt_status nt_engine_halt(nt_engine *engine, int32_t mode, int64_t *cancelled_out);
nt_status nt_engine_resume(nt_engine *engine);

/* End the run. close_open: close each position at the open of its symbol's last bar. Rows of open trades are added. */
nt_status nt_engine_finish(nt_engine *engine, int close_open);

/* The address table and the first context of a run (nt_context.c). */
void nt_context_open(nt_engine *engine);
/* Points the context at one symbol, before its strategy is called. */
void nt_context_select(nt_engine *engine, int32_t slot);
/* After a fill: what the context shows of cash and of this position. */
void nt_context_refresh(nt_engine *engine, int32_t slot);

/* The fills in the log as nt_event.h has them, into `rows_out[engine->fill_count]` (nt_trades.c). */
void nt_trades_fills(const nt_engine *engine, nt_fill_row *rows_out);

/* The time of what happens now: of the step, or the venue's where the run is over ticks. */
int64_t nt_engine_now(const nt_engine *engine);
/* Append one event, or set engine->failure. */
void nt_engine_record(nt_engine *engine, uint8_t kind, int32_t slot, int64_t id, int8_t side, int16_t code, int64_t quantity,
                      int64_t price, int64_t value, int64_t extra);
/* Note a failure; the loop stops after this step. */
void nt_engine_fail(nt_engine *engine, nt_status status);
/* Hand what is new to the journal, before it acts. */
nt_status nt_engine_journal(nt_engine *engine);
/* The latest close of a symbol in nano; 0 = there is none that the core can count in. */
static inline int64_t nt_engine_last_price(const nt_engine *engine, int32_t slot)
{
    int64_t price;
    return nt_nano_from_double(engine->markets[slot].last_close, &price) == NT_OK && price > 0 ? price : 0;
}

/* The market whose volume a slot takes from: slots of one symbol share what a bar lets trade. */
static inline nt_market *nt_engine_volume_of(const nt_engine *engine, int32_t slot)
{
    return &engine->markets[engine->team ? slot % engine->symbol_count : slot];
}

/* Equity at the latest closes. */
double nt_engine_equity(const nt_engine *engine);

#endif
