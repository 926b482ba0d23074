#include "nt_rates.h"

#include "nt_engine.h"

int nt_rates_open(nt_engine *engine)
{
    int found = 0;
    for (int32_t slot = 0; slot < engine->market_count; slot++) {
        nt_market *market = &engine->markets[slot];
        int is_foreign = market->rates.count > 0;
        market->fx = !is_foreign;
        market->rate_told = NT_PICO;
        market->rates.next = 0;
        if (is_foreign)
            engine->positions[slot].rate = 0;
        found |= is_foreign;
    }
    return found;
}

void nt_rates_mark(nt_engine *engine)
{
    int64_t now = engine->clock_ts_ns[engine->i];
    for (int32_t slot = 0; slot < engine->market_count; slot++) {
        nt_rate_series *series = &engine->markets[slot].rates;
        int64_t before = series->next;
        while (series->next < series->count && series->ts_ns[series->next] <= now)
            series->next++;
        if (series->next == before)
            continue;
        int64_t rate = series->rate[series->next - 1];
        engine->positions[slot].rate = rate;
        engine->markets[slot].fx = (double)rate / 1e12;
        engine->gate.marks[slot].is_known = 0; /* found at the rate before */
        nt_orders_touch(&engine->orders, slot);
        nt_context_refresh(engine, slot);
    }
}

void nt_rates_tell(nt_engine *engine, int32_t slot)
{
    int64_t rate = engine->positions[slot].rate;
    if (engine->markets[slot].rate_told == rate)
        return;
    engine->markets[slot].rate_told = rate;
    nt_engine_record(engine, NT_EVENT_RATE, slot, 0, 0, 0, 0, 0, rate, 0);
}
