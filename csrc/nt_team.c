#include "nt_team.h"

nt_status nt_team_join(nt_engine *engine, nt_team *team)
{
    if (engine->i != 0 || (engine->ticks && engine->symbol_count != team->symbol_count))
        return NT_STATE;
    if ((int64_t)team->count * team->symbol_count != engine->market_count)
        return NT_STATE;
    engine->symbol_count = team->symbol_count;
    engine->team = team;
    engine->strategy = nt_team_on_bar;
    engine->strategy_user = team;
    return NT_OK;
}

int64_t nt_team_on_bar(nt_context *context, void *user)
{
    const nt_team *team = user;
    const nt_member *member = &team->members[context->symbol / team->symbol_count];
    context->state = member->state;
    context->state_count = member->state_count;
    context->parameters = member->parameters;
    context->parameter_count = member->parameter_count;
    return member->call(context, member->user);
}

/* Float face: the sum of one member's cash and of what it holds at the latest closes. */
void nt_team_mark(const nt_engine *engine)
{
    const nt_team *team = engine->team;
    double *out = team->contributions + engine->i * team->count;
    for (int32_t member = 0; member < team->count; member++) {
        nt_wide cash = 0;
        double worth = 0;
        for (int32_t slot = member * team->symbol_count; slot < (member + 1) * team->symbol_count; slot++) {
            const nt_position *position = &engine->positions[slot];
            cash += (nt_wide)position->realised - position->fees + position->flows - position->basis;
            if (engine->markets[slot].exposure != 0)
                worth += engine->markets[slot].exposure * engine->markets[slot].last_close;
        }
        out[member] = (double)cash / (double)engine->ledger.scale + worth;
    }
}
