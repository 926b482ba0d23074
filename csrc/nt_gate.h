/* nt_gate: the state of the risk gate, and the facts that its rules (nt_risk.h) judge an order by.
 *
 * The mode is the kill switch. It only ever tightens by itself; nt_gate_resume alone opens it again.
 *
 *     reduce_only   what makes a position smaller passes; working entries that would enlarge one are cancelled
 *     halt          no new order passes; working entries are cancelled, brackets and closing orders go on
 *     cancel_all    no new order passes; every working order is cancelled
 *
 * In none of them does a fill open anything. Cost where no limit is set and the mode is open: one test an order, one a fill.
 */
#ifndef NT_GATE_H
#define NT_GATE_H

#include "nt_exposure.h"
#include "nt_recent.h"
#include "nt_risk.h"

struct nt_engine;
struct nt_request;
struct nt_order;

typedef struct nt_gate {
    int32_t on;      /* whether anything has to be asked at all */
    int32_t watches; /* whether equity is watched */
    int32_t mode;    /* NT_MODE_* */
    int32_t cause;   /* NT_DENIED_LOSS, NT_DENIED_DRAWDOWN, or 0 = by hand */
    int64_t cause_limit;
    int64_t cause_value;
    int64_t day;        /* of the latest look at equity, minor as the two below */
    int64_t day_equity; /* at the last close before that day */
    int64_t equity;
    int64_t peak;
    int64_t watched_step; /* of the latest look, with what had traded then; -1 = look again */
    int64_t watched_fills;
    int64_t watched_cash;
    int64_t executions; /* entries that traded since the gate was opened */
    nt_recents recents;
    nt_recent asked; /* what was judged last, where rate or duplicates are */
    nt_mark *marks; /* by symbol */
    nt_exposure_sums sums;
    nt_tally tally;
} nt_gate;

/* NT_NO_MEMORY: close it. */
nt_status nt_gate_open(struct nt_engine *engine);
void nt_gate_close(struct nt_engine *engine);

/* Judge a request of `quantity` (its size, or what that comes to now). changed_id: the working order that it is to replace, which
 * then does not count beside it; 0 = it is new. NT_OK, or a refusal and why. */
nt_status nt_gate_check(struct nt_engine *engine, const struct nt_request *request, int64_t quantity, int64_t reference,
                        int64_t changed_id, nt_finding *finding);
/* The order (or change) that was judged last passed every check: remember it for rate and duplicates. NT_NO_MEMORY. */
nt_status nt_gate_note(struct nt_engine *engine);

/* Whether `quantity` of `order` may trade at `price`, told without a division: 0 = nt_gate_room has to be asked. */
int nt_gate_fits(const struct nt_engine *engine, const struct nt_order *order, int64_t quantity, int64_t price, int sized);
/* How much of `order` may trade at `price`; `sized` = its quantity is being found there. reason_out: what bounds it. */
int64_t nt_gate_room(const struct nt_engine *engine, const struct nt_order *order, int64_t price, int sized, int32_t *reason_out);

/* Look at equity at the latest closes; beyond a limit of loss the mode tightens. */
void nt_gate_watch(struct nt_engine *engine);

/* Tighten the mode for `cause` (0 = by hand) and end what may no longer work. Returns how many orders it cancelled. */
int64_t nt_gate_halt(struct nt_engine *engine, int32_t mode, int32_t cause);
/* Open the mode again; losses, drawdown and executions count anew from here. */
void nt_gate_resume(struct nt_engine *engine);

#endif
