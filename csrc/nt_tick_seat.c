/* nt_tick_seat: sessions of the exchanges, and the columns that strategies read beside the ticks. */
#include "nt_sessions.h"
#include "nt_tick.h"

nt_status nt_ticks_sessions(nt_engine *engine, int32_t symbol, const int64_t *open_ns, const int64_t *close_ns, int64_t count)
{
    if (engine->ticks == NULL || engine->i != 0)
        return NT_STATE;
    engine->ticks->markets[symbol].sessions = (nt_tick_sessions){open_ns, close_ns, count, -1, -1, 1};
    engine->restrains = 1;
    return NT_OK;
}

/* Whether a session is on at `now`; *at is the last that has begun by then. Times only ever go on. */
static int is_on(const nt_tick_sessions *sessions, int64_t *at, int64_t now)
{
    while (*at + 1 < sessions->count && sessions->open_ns[*at + 1] <= now)
        ++*at;
    return *at >= 0 && now < sessions->close_ns[*at];
}

int nt_tick_session(nt_engine *engine, int32_t slot, int64_t *day_out)
{
    nt_tick_sessions *sessions = &nt_tick_market_of(engine, slot)->sessions;
    int64_t now = engine->ticks->now_ns;
    if (!sessions->given) {
        *day_out = now / NT_DAY_NS;
        return 1;
    }
    int on = is_on(sessions, &sessions->venue_at, now);
    *day_out = sessions->venue_at + !on;
    return on;
}

int nt_ticks_is_closed(const nt_engine *engine, int32_t slot)
{
    nt_tick_sessions *sessions = &nt_tick_market_of(engine, slot)->sessions;
    return sessions->given && !is_on(sessions, &sessions->heard_at, engine->clock_ts_ns[engine->i]);
}

nt_status nt_ticks_turns(nt_engine *engine, int32_t slot, const int64_t *turns, int64_t count, double *marks, double *sizes)
{
    nt_market *market = &engine->markets[slot];
    if (engine->ticks == NULL || engine->i != 0)
        return NT_STATE;
    nt_tick_seat *seat = &engine->ticks->seats[slot];
    seat->turns = turns;
    seat->turn_count = count;
    seat->marks = marks;
    seat->sizes = sizes;
    market->series = (nt_series){&engine->context.ts_ns, marks, marks, marks, marks, sizes, count + 1};
    for (int64_t row = 0; row <= count; row++)
        marks[row] = sizes[row] = NAN;
    nt_context_select(engine, (int32_t)engine->context.symbol);
    return NT_OK;
}

void nt_tick_turn(nt_engine *engine, int32_t slot)
{
    nt_market *market = &engine->markets[slot];
    nt_tick_seat *seat = &engine->ticks->seats[slot];
    if (seat->turn_next < seat->turn_count && seat->turns[seat->turn_next] == engine->i) {
        seat->turned = engine->i;
        market->bar = ++seat->turn_next;
    }
    seat->marks[market->bar] = market->last_close;
    seat->sizes[market->bar] = nt_tick_market_of(engine, slot)->last_size;
}
