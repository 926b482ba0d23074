/* nt_team: several strategies in one run.
 *
 * A run of K strategies over S symbols has K x S slots: slot = strategy x S + symbol. The slots of one symbol read the same columns,
 * but each is a market, a position and a list of orders of its own, so a strategy holds what it bought itself, its brackets close
 * nothing of another's, and what each earned adds up to the whole because the ledger is one. They share what an account has one of:
 * cash, margin, the gate's limits on gross, net, leverage, loss and rates, the log, and the volume that a bar lets trade.
 *
 * In a step all that works is matched in order of slots, then each strategy is called for each symbol, the first before the second.
 * Over ticks the venue matches by price and time, whoever's order it is (nt_tick.h).
 */
#ifndef NT_TEAM_H
#define NT_TEAM_H

#include "nt_engine.h"

typedef struct nt_member {
    nt_strategy_fn call;
    void *user;
    double *state;
    const double *parameters;
    int64_t state_count;
    int64_t parameter_count;
    int64_t called; /* over ticks: bit 1 << NT_HEARD_*, events it is called for */
} nt_member;

typedef struct nt_team {
    nt_member *members;
    int32_t count;
    int32_t symbol_count;
    double *contributions; /* [clock][member]: what each has added to the cash the run began with, marked at each step */
} nt_team;

/* Make the run of `engine`, opened over count x symbol_count markets, one of `team`; all of it is borrowed. NT_STATE: it has begun, or
 * the numbers do not agree, with the ticks' either. */
nt_status nt_team_join(nt_engine *engine, nt_team *team);

/* An nt_strategy_fn: calls the member that the context's slot belongs to. `user` is an nt_team. */
int64_t nt_team_on_bar(nt_context *context, void *user);

/* The events that the strategy of a slot is called for. */
static inline uint32_t nt_team_called(const nt_team *team, int32_t slot)
{
    return (uint32_t)team->members[slot / team->symbol_count].called;
}

/* Write the contributions of the step at hand. */
void nt_team_mark(const nt_engine *engine);

#endif
