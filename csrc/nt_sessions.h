/* nt_sessions: when a symbol's exchange is open. A market that has a calendar carries a code for each of its bars; one that has none
 * is always open, and asks nothing here.
 *
 * In a bar that no session overlaps every order and change is refused, and nothing fills. Orders good for a day are good for a
 * session, orders at the open wait for a session's first bar and orders at the close for the bar that its close lies in: by the
 * calendar, so that no later bar is asked.
 */
#ifndef NT_SESSIONS_H
#define NT_SESSIONS_H

#include "nt_engine.h"

/* Codes, as neuraltrade/market/sessions.py makes them: the session's number x 4, and these; negative = closed. */
enum { NT_SESSION_FIRST = 1, NT_SESSION_LAST = 2 };
#define NT_SESSION_CLOSED (-1)
#define NT_DAY_NS (INT64_C(86400) * NT_NANO)

static inline int32_t nt_session_code(const nt_market *market)
{
    return market->sessions == NULL || market->bar < 0 ? NT_SESSION_FIRST | NT_SESSION_LAST : market->sessions[market->bar];
}

static inline int nt_session_is_closed(const nt_market *market)
{
    return nt_session_code(market) < 0;
}

/* What an order good for the day is good for: the session, or without a calendar the day UTC. */
static inline int64_t nt_session_day(const nt_engine *engine, int32_t slot)
{
    const nt_market *market = &engine->markets[slot];
    return market->sessions != NULL ? nt_session_code(market) >> 2 : (engine->clock_ts_ns[engine->i] - 1) / NT_DAY_NS;
}

#endif
