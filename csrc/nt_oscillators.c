/* Momentum, strength and direction. mom, roc, log_returns: NaN where either row is. obv, rsi, adx: a row with a NaN is NaN
 * and left out of totals and averages; obv and adx compare a row with the one before, so the next is too. expanding_zscore:
 * 0 there. The others have windows. */
#include <math.h>

#include "nt_average.h"
#include "nt_chain.h"
#include "nt_indicators.h"
#include "nt_math.h"
#include "nt_ranges.h"

#define OPEN(NAME) static int64_t NAME(const nt_indicator_kind *kind, void *block, const nt_indicator_parameters *p)
#define FEED(NAME) static void NAME(void *block, const double *const *in, int64_t n, double *const *out)

/* Differences from the row `window` before. */

typedef struct {
    nt_history past;
    int64_t window;
    int what; /* 0 difference, 1 percent, 2 logarithm */
} lagged;

OPEN(lagged_open) {
    nt_carve carve = {block, 0};
    lagged *s = nt_carve_take(&carve, sizeof *s);
    nt_history past = nt_history_carve(&carve, p->window, 1);
    if (s) nt_history_forget(&past);
    if (s) *s = (lagged){past, p->window, *(const int *)kind->own};
    return carve.used;
}

/* Rows are read before any of their block is written: what is read lies as far from the start of its page as what was
 * written a few rows before, and the processor takes one for the other until it knows better. In registers of four rows
 * and from a cache line of `to` on, for what is read seldom begins on one (0.26 -> 0.17 ns a row). */
static void subtract(const double *x, const double *before, int64_t m, double *to) {
    typedef double four __attribute__((vector_size(32), aligned(8), may_alias));
    enum { AT_ONCE = 8 };
    int64_t k = 0;
    for (; k < m && (uintptr_t)(to + k) % 64; k++) to[k] = x[k] - before[k];
    for (; k + 4 * AT_ONCE <= m; k += 4 * AT_ONCE) {
        four y[AT_ONCE];
        for (int j = 0; j < AT_ONCE; j++) y[j] = *(const four *)(x + k + 4 * j) - *(const four *)(before + k + 4 * j);
        for (int j = 0; j < AT_ONCE; j++) *(four *)(to + k + 4 * j) = y[j];
    }
    for (; k < m; k++) to[k] = x[k] - before[k];
}

static void compare(int what, const double *x, const double *before, int64_t m, double *restrict to) {
    if (what == 0) subtract(x, before, m, to);
    else if (what == 1)
        for (int64_t k = 0; k < m; k++) to[k] = (x[k] / before[k] - 1.0) * 100.0;
    else
        for (int64_t k = 0; k < m; k++) {
            const double grown = x[k] / before[k], change = nt_log(grown);
            to[k] = grown == grown ? change : NAN;
        }
}

FEED(lagged_feed) {
    lagged *s = block;
    const int64_t window = s->window;
    if (n >= window) { /* all but the first rows have their past in the input */
        compare(s->what, in[0], nt_history_here(&s->past).base - window, window, out[0]);
        compare(s->what, in[0] + window, in[0], n - window, out[0] + window);
        nt_history_restart(&s->past, in[0] + n - window, window);
        return;
    }
    for (int64_t i = 0, m; i < n; i += m) {
        m = nt_history_room(&s->past, n - i);
        double *x = nt_history_here(&s->past).base;
        memcpy(x, in[0] + i, (size_t)m * sizeof(double));
        compare(s->what, x, x - window, m, out[0] + i);
        nt_history_advance(&s->past, m);
    }
}

/* Running totals. */

typedef struct {
    double total, previous;
    int64_t rows;
} obv;

OPEN(obv_open) {
    (void)kind, (void)p;
    nt_carve carve = {block, 0};
    obv *s = nt_carve_take(&carve, sizeof *s);
    if (s) *s = (obv){0.0, NAN, 0};
    return carve.used;
}

static inline double flow_of(double close, double before, double volume) {
    const double up = close > before ? 1.0 : 0.0, down = close < before ? 1.0 : 0.0;
    return (up - down + 0.0 * (close - before)) * volume;
}

FEED(obv_feed) {
    obv *s = block;
    double total = s->total, flow[NT_PASS];
    NT_EACH_PASS(n) {
        const double *close = in[0] + i, *volume = in[1] + i;
        double *to = out[0] + i;
        int64_t unknown = 0;
        flow[0] = flow_of(close[0], s->previous, volume[0]);
        for (int64_t k = 1; k < m; k++) flow[k] = flow_of(close[k], close[k - 1], volume[k]);
        if (s->rows == 0) flow[0] = volume[0] + 0.0 * close[0]; /* starts at the first volume, as in TA-Lib */
        for (int64_t k = 0; k < m; k++) unknown |= flow[k] != flow[k];
        if (!unknown)
            for (int64_t k = 0; k < m; k++) to[k] = total += flow[k];
        else
            for (int64_t k = 0; k < m; k++) {
                if (flow[k] == flow[k]) total += flow[k];
                to[k] = flow[k] == flow[k] ? total : NAN;
            }
        s->previous = close[m - 1];
        s->rows += m;
    }
    s->total = total;
}

typedef struct {
    double mean, m2, count, least, limit;
} expanding;

OPEN(expanding_open) {
    (void)kind;
    nt_carve carve = {block, 0};
    expanding *s = nt_carve_take(&carve, sizeof *s);
    if (s) *s = (expanding){.least = (double)p->window, .limit = p->real};
    return carve.used;
}

FEED(expanding_feed) {
    expanding s = *(expanding *)block;
    const double limit = s.limit;
    for (int64_t i = 0; i < n; i++) {
        const double x = in[0][i];
        out[0][i] = 0.0;
        if (x != x) continue;
        s.count += 1.0; /* Welford 1962 */
        const double d = x - s.mean;
        s.mean += d / s.count;
        s.m2 += d * (x - s.mean);
        if (s.count < s.least || !(s.m2 > 0.0)) continue;
        const double z = (x - s.mean) / sqrt(s.m2 / s.count);
        out[0][i] = z > limit ? limit : z < -limit ? -limit : z;
    }
    *(expanding *)block = s;
}

/* rsi (Wilder 1978) and where it stands in its own range. */

typedef struct {
    nt_average gains, losses;
    double previous;
} rsi;

OPEN(rsi_open) {
    (void)kind;
    nt_carve carve = {block, 0};
    rsi *s = nt_carve_take(&carve, sizeof *s);
    if (s) *s = (rsi){nt_average_wilder(p->window), nt_average_wilder(p->window), NAN};
    return carve.used;
}

/* Changes from the last value that was not NaN. */
static void changes_of(const double *x, double *previous, int64_t m, double *restrict to) {
    int64_t unknown = 0;
    to[0] = x[0] - *previous;
    for (int64_t k = 1; k < m; k++) to[k] = x[k] - x[k - 1];
    for (int64_t k = 0; k < m; k++) unknown |= x[k] != x[k];
    if (!unknown) {
        *previous = x[m - 1];
        return;
    }
    for (int64_t k = 0; k < m; k++) {
        to[k] = x[k] - *previous;
        if (x[k] == x[k]) *previous = x[k];
    }
}

/* Blocks of eight rows without a NaN, both averages in registers; 0 if something was not finite. */
static int rsi_blocks(rsi *s, const double *x, int64_t m, double *to) {
    const nt_weights weights = nt_weights_of(&s->gains);
    nt_chain gains = nt_chain_of(&s->gains), losses = nt_chain_of(&s->losses);
    nt_lanes odd = {0};
    const double ahead[8] = {s->previous, x[0], x[1], x[2], x[3], x[4], x[5], x[6]};
    NT_CHAIN_EACH(m, {
        nt_eight up[group], down[group];
        NT_EACH_BLOCK(group) {
            const nt_eight now = nt_eight_at(x + k + 8 * b);
            const nt_eight before = nt_eight_at(k + b ? x + k + 8 * b - 1 : ahead);
            NT_EACH_PART {
                const nt_lanes change = now.part[p] - before.part[p], zero = 0.0 * change;
                up[b].part[p] = nt_lanes_where(change > zero, change, zero);
                down[b].part[p] = up[b].part[p] - change;
            }
        }
        nt_chain_next(&gains, &weights, up, group);
        nt_chain_next(&losses, &weights, down, group);
        NT_EACH_BLOCK(group) {
            NT_EACH_PART {
                const nt_lanes both = up[b].part[p] + down[b].part[p], share = 100.0 * (up[b].part[p] / both);
                odd += both - both;
                up[b].part[p] = nt_lanes_where(both > 0.0, share, both * 0.0);
            }
            nt_eight_put(to + k + 8 * b, up[b]);
        }
    })
    if (nt_lanes_any(odd)) return 0;
    nt_chain_return(&gains, &s->gains, m);
    nt_chain_return(&losses, &s->losses, m);
    s->previous = x[m - 1];
    return 1;
}

/* m <= NT_PASS rows. */
static void rsi_pass(rsi *s, const double *x, int64_t m, double *restrict to) {
    if (nt_chain_ready(&s->losses, m) && rsi_blocks(s, x, m, to)) return;
    double up[NT_PASS] = {0}, down[NT_PASS];
    changes_of(x, &s->previous, m, down);
    for (int64_t k = 0; k < m; k++) {
        const double change = down[k], zero = 0.0 * change; /* NaN on the first row */
        up[k] = change > zero ? change : zero;
        down[k] = up[k] - change;
    }
    nt_average_feed(&s->gains, up, m, up);
    nt_average_feed(&s->losses, down, m, down);
    for (int64_t k = 0; k < m; k++) {
        const double both = up[k] + down[k];
        const double share = 100.0 * (up[k] / both);
        to[k] = both > 0.0 ? share : both * 0.0; /* nothing moved: 0, as TA-Lib; not warm: NaN */
    }
}

FEED(rsi_feed) {
    rsi *s = block;
    for (int64_t i = 0, m; i < n; i += m) {
        m = nt_chain_room(&s->losses, n - i);
        rsi_pass(s, in[0] + i, m, out[0] + i);
    }
}

/* stoch (Lane 1984), stochrsi (Chande and Kroll 1994), williams_r: where a value stands in its range. */

typedef struct {
    nt_extremes range;
    nt_window smooth, signal;
    rsi rsi;
    int of_rsi;
} stochastic;

OPEN(stochastic_open) { /* window, smooth, signal; for stochrsi the rsi's window, window, smooth, signal */
    nt_carve carve = {block, 0};
    const int of_rsi = *(const int *)kind->own;
    stochastic *s = nt_carve_take(&carve, sizeof *s);
    const nt_extremes range = nt_extremes_carve(&carve, of_rsi ? p->second : p->window);
    const nt_window smooth = nt_window_carve(&carve, of_rsi ? p->third : p->second, &nt_fold_sum);
    const nt_window signal = nt_window_carve(&carve, of_rsi ? p->fourth : p->third, &nt_fold_sum);
    const rsi strength = {nt_average_wilder(p->window), nt_average_wilder(p->window), NAN};
    if (s) *s = (stochastic){range, smooth, signal, strength, of_rsi};
    return carve.used;
}

/* (value - lowest) / (highest - lowest) in percent; 0 where the range is nothing, as in TA-Lib. */
static void position(const double *x, const double *highest, const double *lowest, int64_t m, double *to) {
    for (int64_t k = 0; k < m; k++) {
        const double range = highest[k] - lowest[k], above = x[k] - lowest[k], share = 100.0 * (above / range);
        to[k] = range != 0.0 ? share : 0.0 * above;
    }
}

FEED(stochastic_feed) {
    stochastic *s = block;
    double highest[NT_PASS], lowest[NT_PASS], strength[NT_PASS];
    NT_EACH_PASS(n) {
        const double *high = in[0] + i, *low = in[1] + i, *x = in[2] + i;
        double *k_line = out[0] + i, *d_line = out[1] + i;
        if (s->of_rsi) {
            rsi_pass(&s->rsi, in[0] + i, m, strength);
            high = low = x = strength;
        }
        nt_extremes_feed(&s->range, high, low, s->of_rsi ? 0 : i, m, highest, lowest);
        position(x, highest, lowest, m, k_line);
        nt_mean_feed(&s->smooth, k_line, m, k_line);
        nt_mean_feed(&s->signal, k_line, m, d_line);
        for (int64_t k = 0; k < m; k++) k_line[k] = d_line[k] == d_line[k] ? k_line[k] : NAN;
    }
}

OPEN(williams_open) {
    (void)kind;
    return nt_extremes_open(block, p->window);
}

FEED(williams_feed) {
    double highest[NT_PASS], lowest[NT_PASS];
    NT_EACH_PASS(n) {
        nt_extremes_feed(block, in[0] + i, in[1] + i, i, m, highest, lowest);
        for (int64_t k = 0; k < m; k++) {
            const double range = highest[k] - lowest[k], below = highest[k] - in[2][i + k];
            const double share = -100.0 * (below / range);
            out[0][i + k] = range != 0.0 ? share : 0.0 * below;
        }
    }
}

/* cci (Lambert 1980): the mean deviation is taken over the window itself, its rows in their order. */

typedef struct {
    nt_window sum;
    nt_history typical;
    int64_t window;
} cci;

OPEN(cci_open) {
    (void)kind;
    nt_carve carve = {block, 0};
    cci *s = nt_carve_take(&carve, sizeof *s);
    const nt_window sum = nt_window_carve(&carve, p->window, &nt_fold_sum);
    const nt_history typical = nt_history_carve(&carve, p->window, 1);
    if (s) *s = (cci){sum, typical, p->window};
    return carve.used;
}

FEED(cci_feed) {
    cci *s = block;
    const double count = (double)s->window;
    double mean[NT_PASS], deviation[NT_PASS];
    for (int64_t i = 0, m; i < n; i += m) {
        m = nt_history_room(&s->typical, n - i);
        double *x = nt_history_here(&s->typical).base;
        for (int64_t k = 0; k < m; k++) x[k] = (in[0][i + k] + in[1][i + k] + in[2][i + k]) / 3.0;
        nt_mean_feed(&s->sum, x, m, mean);
        memset(deviation, 0, sizeof deviation);
        for (int64_t ago = s->window - 1; ago >= 0; ago--)
            for (int64_t k = 0; k < m; k++) deviation[k] += fabs(x[k - ago] - mean[k]);
        for (int64_t k = 0; k < m; k++) {
            const double apart = x[k] - mean[k], spread = 0.015 * (deviation[k] / count), share = apart / spread;
            out[0][i + k] = spread > 0.0 ? share : 0.0 * apart; /* all equal: 0, as TA-Lib */
        }
        nt_history_advance(&s->typical, m);
    }
}

/* adx with plus_di, minus_di (Wilder 1978). The sums begin over window - 1 rows, as TA-Lib's do. */

typedef struct {
    nt_average range, plus, minus, index;
    double high, low, close, last;
    int64_t window, rows;
} adx;

OPEN(adx_open) {
    (void)kind;
    nt_carve carve = {block, 0};
    adx *s = nt_carve_take(&carve, sizeof *s);
    nt_average sum = nt_average_of(1.0 / (double)p->window, p->window - 1);
    sum.divisor = (double)p->window;
    if (s) *s = (adx){sum, sum, sum, nt_average_wilder(p->window), NAN, NAN, NAN, NAN, p->window, 0};
    return carve.used;
}

/* One row: how far the bar went beyond the one before, up and down; only the larger counts. NaN in all three if
 * anything is. */
static inline void moved(double up, double down, double *range, double *plus, double *minus) {
    const double none = 0.0 * (up + down + *range);
    const double larger_up = up > down ? up : none, larger_down = down > up ? down : none;
    *plus = none + (larger_up > none ? larger_up : none);
    *minus = none + (larger_down > none ? larger_down : none);
    *range += none;
}

static void movement(adx *s, const double *high, const double *low, int64_t m, double *restrict range,
                     double *restrict plus, double *restrict minus) {
    moved(high[0] - s->high, s->low - low[0], range, plus, minus);
    for (int64_t k = 1; k < m; k++)
        moved(high[k] - high[k - 1], low[k - 1] - low[k], range + k, plus + k, minus + k);
    s->high = high[m - 1];
    s->low = low[m - 1];
}

/* What is said of direction, row by row until the averages have begun, and wherever there is none or a NaN. */
static void index_slowly(adx *s, int64_t m, double *index, double *up, double *down) {
    for (int64_t k = 0; k < m; k++) {
        const int started = up[k] == up[k] && s->rows++ >= 1; /* the first sum is not yet shown */
        if (!started) up[k] = down[k] = NAN;
        const double both = up[k] + down[k];
        if (both > 0.0) s->last = nt_average_push(&s->index, 100.0 * (fabs(up[k] - down[k]) / both));
        else if (both == 0.0 && s->index.seen < s->window) s->last = nt_average_push(&s->index, 0.0);
        index[k] = started ? s->last : NAN; /* no direction: as it was, as TA-Lib */
    }
}

FEED(adx_feed) {
    adx *s = block;
    double range[NT_PASS], plus[NT_PASS], minus[NT_PASS];
    NT_EACH_PASS(n) {
        double *index = out[0] + i, *up = out[1] + i, *down = out[2] + i;
        nt_true_range(in[0] + i, in[1] + i, in[2] + i, &s->close, m, range);
        movement(s, in[0] + i, in[1] + i, m, range, plus, minus);
        nt_average_feed(&s->range, range, m, range);
        nt_average_feed(&s->plus, plus, m, plus);
        nt_average_feed(&s->minus, minus, m, minus);
        int64_t odd = s->rows == 0;
        for (int64_t k = 0; k < m; k++) {
            const double p = 100.0 * (plus[k] / range[k]), q = 100.0 * (minus[k] / range[k]);
            up[k] = range[k] > 0.0 ? p : 0.0 * range[k];
            down[k] = range[k] > 0.0 ? q : 0.0 * range[k];
            odd |= !(up[k] + down[k] > 0.0);
        }
        if (odd) {
            index_slowly(s, m, index, up, down);
            continue;
        }
        for (int64_t k = 0; k < m; k++) range[k] = 100.0 * (fabs(up[k] - down[k]) / (up[k] + down[k]));
        nt_average_feed(&s->index, range, m, index);
        s->rows += m;
        s->last = index[m - 1];
    }
}

const nt_indicator_kind nt_oscillator_kinds[] = {
    {"mom", 1, 1, lagged_open, lagged_feed, &(const int){0}, 1},
    {"roc", 1, 1, lagged_open, lagged_feed, &(const int){1}, 1},
    {"log_returns", 1, 1, lagged_open, lagged_feed, &(const int){2}, 1},
    {"obv", 2, 1, obv_open, obv_feed, 0, 0},
    {"expanding_zscore", 1, 1, expanding_open, expanding_feed, 0, 0},
    {"rsi", 1, 1, rsi_open, rsi_feed, 0, 1},
    {"stoch", 3, 2, stochastic_open, stochastic_feed, &(const int){0}, 0},
    {"stochrsi", 1, 2, stochastic_open, stochastic_feed, &(const int){1}, 1},
    {"williams_r", 3, 1, williams_open, williams_feed, 0, 0},
    {"cci", 3, 1, cci_open, cci_feed, 0, 0},
    {"adx", 3, 3, adx_open, adx_feed, 0, 0},
    {0},
};
