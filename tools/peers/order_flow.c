/* P6: random order flow through gate, book and match, straight through the C interface of a run.
 *
 * Half of the symbols are quoted on both sides with limits (a market order there meets an own one); the other half trade one way for a while with market, limit, stop,
 * stop-limit and bracket orders, then turn. A bar's volume caps what may fill in it. Each call of the strategy sends `messages`: a new order where a place of its book is
 * free, else a cancel or a change of the order that works there. Every control of the gate is on.
 *
 * Built by order_flow.py against csrc/, with malloc and its kin and nt_gate_check wrapped by the linker: allocations are counted
 * after the first quarter of the run, and the gate is timed by the cycle counter in a run of its own. Prints one JSON object.
 *
 *     order_flow steps symbols places messages seed timed
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <x86intrin.h>

#include "nt_book.h"
#include "nt_gate.h"

#define MINUTE_NS INT64_C(60000000000)
#define SYMBOLS_MAX 256
#define TIMES_MAX (1 << 24)

typedef struct flow {
    uint64_t random;
    int64_t places; /* of a symbol's book */
    int64_t messages;
    int64_t *ids; /* [symbol][place] */
    int64_t placed, accepted, cancelled, modified, refused_changes;
    uint32_t *place_cycles;
    int64_t place_count;
} flow;

static int timed, counted;
static int64_t allocations, gate_count;
static uint32_t *gate_cycles;

/* ---- what the linker wraps ---- */

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *block, size_t bytes);
void *__real_nt_blocks_take(int64_t bytes);
void *__real_aligned_alloc(size_t alignment, size_t bytes);
nt_status __real_nt_gate_check(nt_engine *engine, const nt_request *request, int64_t quantity, int64_t reference,
                               int64_t changed_id, nt_finding *finding);

void *__wrap_malloc(size_t bytes)
{
    allocations += counted;
    return __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    allocations += counted;
    return __real_calloc(count, bytes);
}

void *__wrap_realloc(void *block, size_t bytes)
{
    allocations += counted;
    return __real_realloc(block, bytes);
}

void *__wrap_aligned_alloc(size_t alignment, size_t bytes)
{
    allocations += counted;
    return __real_aligned_alloc(alignment, bytes);
}

void *__wrap_nt_blocks_take(int64_t bytes)
{
    allocations += counted;
    return __real_nt_blocks_take(bytes);
}

static inline uint64_t cycles(void)
{
    unsigned cpu;
    _mm_lfence();
    uint64_t now = __rdtscp(&cpu);
    _mm_lfence();
    return now;
}

nt_status __wrap_nt_gate_check(nt_engine *engine, const nt_request *request, int64_t quantity, int64_t reference,
                               int64_t changed_id, nt_finding *finding)
{
    if (!timed)
        return __real_nt_gate_check(engine, request, quantity, reference, changed_id, finding);
    uint64_t before = cycles();
    nt_status status = __real_nt_gate_check(engine, request, quantity, reference, changed_id, finding);
    uint64_t taken = cycles() - before;
    if (counted && gate_count < TIMES_MAX)
        gate_cycles[gate_count++] = (uint32_t)(taken < UINT32_MAX ? taken : UINT32_MAX);
    return status;
}

/* ---- the flow ---- */

static inline uint64_t draw(flow *f)
{
    uint64_t x = f->random; /* Marsaglia 2003 */
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return f->random = x;
}

static inline double uniform(flow *f)
{
    return (double)(draw(f) >> 11) * 0x1p-53;
}

static inline double on_tick(double price)
{
    return (double)(int64_t)(price * 100.0 + 0.5) / 100.0;
}

/* How one new order is to be sent. */
typedef struct ticket {
    int64_t side;
    double quantity, limit, stop, loss_rate, profit_rate;
} ticket;

static ticket draw_ticket(flow *f, int64_t symbol, int64_t i, double close)
{
    ticket made = {1, (double)(1 + draw(f) % 100), NAN, NAN, NAN, NAN};
    double away = close * (0.0002 + 0.01 * uniform(f));
    if (symbol % 2 == 0) {
        made.side = draw(f) & 1 ? 1 : -1;
        if (draw(f) % 64) /* else at market, which meets an own quote */
            made.limit = on_tick(close - (double)made.side * away);
        return made;
    }
    made.side = (i / 256 + symbol / 2) % 2 ? 1 : -1;
    made.side = draw(f) % 32 ? made.side : -made.side;
    uint64_t kind = draw(f) % 100;
    if (kind < 50)
        made.limit = on_tick(close - (double)made.side * away);
    else if (kind < 70)
        made.stop = on_tick(close + (double)made.side * away);
    else if (kind < 80) {
        made.stop = on_tick(close + (double)made.side * away);
        made.limit = on_tick(made.stop + (double)made.side * close * 0.001);
    } else if (kind < 90) {
        made.loss_rate = 0.01;
        made.profit_rate = 0.02;
    }
    return made;
}

static void send(nt_context *context, flow *f, int64_t *place)
{
    const nt_api *api = context->api;
    ticket t = draw_ticket(f, context->symbol, context->i, context->close[context->bar]);
    uint64_t before = timed ? cycles() : 0;
    int64_t id = api->place(context, t.side, t.quantity, t.limit, t.stop, NAN, NAN, NAN, t.loss_rate, t.profit_rate, NAN, NT_TIF_GTC,
                            0, NT_AT_ANY);
    if (timed && counted && f->place_count < TIMES_MAX)
        f->place_cycles[f->place_count++] = (uint32_t)(cycles() - before);
    f->placed++;
    f->accepted += id > 0;
    *place = id > 0 ? id : 0;
}

static void change(nt_context *context, flow *f, int64_t *place)
{
    const nt_api *api = context->api;
    if (draw(f) % 100 < 60) {
        f->cancelled += api->cancel(context, *place) > 0;
        *place = 0;
        return;
    }
    int64_t answer = api->modify(context, *place, (double)(1 + draw(f) % 100), NAN, NAN);
    f->modified++;
    f->refused_changes += answer < 0;
}

static int64_t on_bar(nt_context *context, void *user)
{
    flow *f = user;
    int64_t *ids = f->ids + context->symbol * f->places;
    if (context->symbol % 2 && context->i % 256 == 0)
        context->api->cancel_all(context);
    for (int64_t message = 0; message < f->messages; message++) {
        int64_t *place = &ids[draw(f) % (uint64_t)f->places];
        if (*place && context->api->is_active(context, *place))
            change(context, f, place);
        else
            send(context, f, place);
    }
    return 0;
}

/* ---- the world ---- */

static void make_bars(nt_series *series, int64_t *times, int64_t steps, flow *f)
{
    double *columns[5], close = 100.0;
    for (int k = 0; k < 5; k++)
        columns[k] = malloc((size_t)steps * sizeof(double));
    for (int64_t i = 0; i < steps; i++) {
        double open = close, range = 0.0005 * close;
        close *= 1.0 + 0.002 * (uniform(f) + uniform(f) - 1.0);
        close = close < 20.0 ? 20.0 : close > 500.0 ? 500.0 : close;
        columns[0][i] = open;
        columns[1][i] = (open > close ? open : close) + range * uniform(f);
        columns[2][i] = (open < close ? open : close) - range * uniform(f);
        columns[3][i] = close;
        columns[4][i] = 10000.0 * uniform(f);
    }
    *series = (nt_series){times, columns[0], columns[1], columns[2], columns[3], columns[4], steps};
}

static nt_engine_config all_controls(void)
{
    nt_engine_config config = {
        .policy = {.volume_cap = 0.05},
        .costs = {.fee_rate = 100000000},
        .account = {.leverage = 20 * NT_NANO, .shorting = 1, .maintenance = -1},
        .size = {NT_SIZE_UNITS, NT_NANO},
        .cash = INT64_C(100000000000000), /* 100,000,000 at 6 digits */
        .cash_digits = 6,
        .records_events = 1,
        .limits = {.enabled = 1, .max_quantity = 1000 * NT_NANO, .max_notional = INT64_C(1000000000000), .collar = NT_PICO / 10,
                   .max_position = 1000000 * NT_NANO, .max_gross = INT64_C(1000000000000000), .max_net = INT64_C(900000000000000),
                   .max_leverage = 10 * NT_NANO, .max_rate = 100000, .duplicate_ns = NT_NANO, .max_executions = INT64_C(1) << 40,
                   .self_trade = 1, .max_loss = INT64_C(90000000000000), .max_drawdown = NT_PICO / 10 * 9,
                   .loss_mode = NT_MODE_REDUCE_ONLY},
    };
    return config;
}

/* ---- what came of it ---- */

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void print_times(const char *name, uint32_t *times, int64_t count, double ns)
{
    qsort(times, (size_t)count, sizeof *times, by_size);
    if (count == 0)
        return;
    printf("\"%s\": {\"count\": %lld, \"p50_ns\": %.1f, \"p90_ns\": %.1f, \"p99_ns\": %.1f, \"p999_ns\": %.1f, \"max_ns\": %.1f}, ", name,
           (long long)count, ns * times[count / 2], ns * times[count * 9 / 10], ns * times[count * 99 / 100],
           ns * times[count * 999 / 1000], ns * times[count - 1]);
}

/* Nanoseconds of one cycle of the counter, and what reading it twice takes. */
static double calibrate(uint32_t *empty_cycles)
{
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    uint64_t from = cycles();
    uint32_t samples[1001];
    do
        clock_gettime(CLOCK_MONOTONIC, &b);
    while ((b.tv_sec - a.tv_sec) * 1000000000LL + b.tv_nsec - a.tv_nsec < 20000000);
    double ns = ((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec)) / (double)(cycles() - from);
    for (int k = 0; k < 1001; k++) {
        uint64_t before = cycles();
        samples[k] = (uint32_t)(cycles() - before);
    }
    qsort(samples, 1001, sizeof *samples, by_size);
    *empty_cycles = samples[500];
    return ns;
}

/* Cash and positions once more, from the fills alone: the sum of what they say must be what the ledger holds. */
static int agrees_with_fills(const nt_engine *engine, int64_t *fills_out)
{
    static nt_wide held[SYMBOLS_MAX];
    const nt_event *events = (const nt_event *)engine->events.data;
    int64_t cash = engine->ledger.deposits, fills = 0;
    for (int64_t index = 0; index < engine->events.count; index++) {
        if (events[index].kind != NT_EVENT_FILL)
            continue;
        held[events[index].symbol] += (nt_wide)events[index].side * events[index].quantity;
        cash = events[index].value;
        fills++;
    }
    *fills_out = fills;
    for (int32_t slot = 0; slot < engine->market_count; slot++)
        if (held[slot] != engine->positions[slot].quantity)
            return 0;
    return cash == engine->ledger.cash && nt_ledger_balance(&engine->ledger) == 0;
}

static double seconds_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
    if (argc != 7 || atoll(argv[2]) > SYMBOLS_MAX) {
        fprintf(stderr, "order_flow steps symbols places messages seed timed\n");
        return 2;
    }
    int64_t steps = atoll(argv[1]), warm = steps / 4;
    int32_t symbols = (int32_t)atoll(argv[2]);
    flow f = {.random = (uint64_t)atoll(argv[5]) * 2654435769u + 88172645463325252u, .places = atoll(argv[3]), .messages = atoll(argv[4])};
    timed = atoi(argv[6]);
    f.ids = calloc((size_t)(symbols * f.places), sizeof *f.ids);
    if (timed) {
        gate_cycles = malloc(TIMES_MAX * sizeof *gate_cycles);
        f.place_cycles = malloc(TIMES_MAX * sizeof *f.place_cycles);
    }
    int64_t *times = malloc((size_t)steps * sizeof *times);
    double *equity = malloc((size_t)steps * sizeof *equity);
    for (int64_t i = 0; i < steps; i++)
        times[i] = (i + 1) * MINUTE_NS;
    nt_market *markets = calloc((size_t)symbols, sizeof *markets);
    nt_position *positions = calloc((size_t)symbols, sizeof *positions);
    for (int32_t slot = 0; slot < symbols; slot++) {
        make_bars(&markets[slot].series, times, steps, &f);
        markets[slot].tick = NT_NANO / 100;
        markets[slot].lot = markets[slot].size_lot = NT_NANO;
        positions[slot].multiplier = NT_NANO;
    }
    nt_engine *engine = calloc(1, sizeof *engine);
    nt_engine_config config = all_controls();
    if (nt_engine_open(engine, &config, markets, positions, symbols, times, steps, equity) != NT_OK)
        return 1;
    int64_t sent = steps * symbols * f.messages + symbols * f.places * 8;
    if (nt_engine_reserve(engine, sent * 3 / 4, (int32_t)(symbols * f.places * 16), sent * 3 / 2) != NT_OK)
        return 1;
    engine->strategy = on_bar;
    engine->strategy_user = &f;
    uint32_t empty_cycles;
    double ns = calibrate(&empty_cycles);
    nt_status status = nt_engine_advance(engine, warm);
    flow before = f;
    counted = 1;
    double wall = seconds_of(CLOCK_MONOTONIC), cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    if (status == NT_OK)
        status = nt_engine_advance(engine, steps - warm);
    wall = seconds_of(CLOCK_MONOTONIC) - wall;
    cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    counted = 0;
    int64_t fills, working = engine->orders.working_count;
    int whole = agrees_with_fills(engine, &fills);
    printf("{\"status\": %d, \"ledger_agrees\": %s, \"allocations\": %lld, \"wall_s\": %.6f, \"cpu_s\": %.6f, ", status,
           whole ? "true" : "false", (long long)allocations, wall, cpu);
    printf("\"orders\": %lld, \"accepted\": %lld, \"cancels\": %lld, \"changes\": %lld, \"refused_changes\": %lld, \"fills_in_all\": %lld, "
           "\"working_at_end\": %lld, ",
           (long long)(f.placed - before.placed), (long long)(f.accepted - before.accepted), (long long)(f.cancelled - before.cancelled),
           (long long)(f.modified - before.modified), (long long)(f.refused_changes - before.refused_changes), (long long)fills,
           (long long)working);
    if (timed) {
        print_times("gate", gate_cycles, gate_count, ns);
        print_times("place", f.place_cycles, f.place_count, ns);
    }
    printf("\"denied\": [");
    for (int control = 0; control < NT_CONTROLS; control++)
        printf("%s%lld", control ? ", " : "", (long long)engine->gate.tally.denied[control]);
    printf("], \"timer_ns\": %.1f}\n", ns * empty_cycles);
    nt_engine_close(engine);
    return status == NT_OK && whole ? 0 : 1;
}
