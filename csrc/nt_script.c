#include "nt_script.h"

#include "nt_engine.h"

static int64_t named(const nt_context *context, int64_t back)
{
    int64_t id = context->engine->orders.count - back;
    return id > 0 ? id : 0;
}

static int64_t act(nt_context *context, nt_script_row *row)
{
    const nt_api *api = context->api;
    row->order_id = named(context, row->back);
    row->other_id = named(context, row->other_back);
    switch (row->action) {
    case NT_DO_PLACE:
        return api->place(context, row->side, row->quantity, row->limit, row->stop, row->stop_loss, row->take_profit, row->trail,
                          row->stop_loss_rate, row->take_profit_rate, row->trail_rate, row->tif, row->good_till, row->at);
    case NT_DO_TRADE:
        return api->trade(context, row->side);
    case NT_DO_TARGET:
        return api->target(context, row->quantity);
    case NT_DO_CLOSE:
        return api->close_position(context);
    case NT_DO_TRAIL:
        return api->trailing_stop(context, row->quantity, row->trail, row->trail_rate, row->side, row->tif, row->good_till);
    case NT_DO_CANCEL:
        return api->cancel(context, row->order_id);
    case NT_DO_CANCEL_ALL:
        return api->cancel_all(context);
    case NT_DO_MODIFY:
        return api->modify(context, row->order_id, row->quantity, row->limit, row->stop);
    case NT_DO_JOIN:
        return api->oco(context, row->order_id, row->other_id);
    case NT_DO_HALT:
        return api->halt(context, row->side);
    default:
        return NT_INVALID;
    }
}

int64_t nt_script_on_bar(nt_context *context, void *user)
{
    nt_script *script = user;
    for (; script->next < script->count; script->next++) {
        nt_script_row *row = &script->rows[script->next];
        if (row->bar > context->i || (row->bar == context->i && row->symbol > context->symbol))
            return 0;
        if (row->bar == context->i && row->symbol == context->symbol)
            row->answer = act(context, row);
    }
    return 0;
}
