/* Ranges, and bands around a price. atr, natr, keltner, supertrend: a row with a NaN is NaN and left out of the averages;
 * donchian and ichimoku have windows. */
#include <math.h>

#include "nt_average.h"
#include "nt_chain.h"
#include "nt_indicators.h"
#include "nt_ranges.h"

#define OPEN(NAME) static int64_t NAME(const nt_indicator_kind *kind, void *block, const nt_indicator_parameters *p)
#define FEED(NAME) static void NAME(void *block, const double *const *in, int64_t n, double *const *out)

/* atr, natr (Wilder 1978). */

typedef struct {
    nt_average average;
    double previous;
    int in_percent;
} atr;

static atr atr_of(int64_t window, int in_percent) {
    return (atr){nt_average_wilder(window), NAN, in_percent};
}

OPEN(atr_open) {
    nt_carve carve = {block, 0};
    atr *s = nt_carve_take(&carve, sizeof *s);
    if (s) *s = atr_of(p->window, *(const int *)kind->own);
    return carve.used;
}

/* Blocks of eight rows without a NaN, in registers throughout; 0 if something was not finite. */
static int atr_blocks(atr *s, const double *high, const double *low, const double *close, int64_t m, double *to) {
    const nt_weights weights = nt_weights_of(&s->average);
    nt_chain chain = nt_chain_of(&s->average);
    nt_lanes odd = {0};
    const double ahead[8] = {s->previous, close[0], close[1], close[2], close[3], close[4], close[5], close[6]};
    NT_CHAIN_EACH(m, {
        nt_eight y[group];
        NT_EACH_BLOCK(group) {
            const nt_eight above = nt_eight_at(high + k + 8 * b), below = nt_eight_at(low + k + 8 * b);
            const nt_eight before = nt_eight_at(k + b ? close + k + 8 * b - 1 : ahead);
            NT_EACH_PART y[b].part[p] = nt_lanes_greater(before.part[p], above.part[p]) -
                                        nt_lanes_smaller(before.part[p], below.part[p]);
        }
        nt_chain_next(&chain, &weights, y, group);
        NT_EACH_BLOCK(group) {
            NT_EACH_PART odd += y[b].part[p] - y[b].part[p];
            nt_eight_put(to + k + 8 * b, y[b]);
        }
    })
    if (nt_lanes_any(odd)) return 0;
    nt_chain_return(&chain, &s->average, m);
    s->previous = close[m - 1];
    return 1;
}

/* m <= NT_PASS rows. */
static void atr_pass(atr *s, const double *high, const double *low, const double *close, int64_t m, double *to) {
    if (nt_chain_ready(&s->average, m) && atr_blocks(s, high, low, close, m, to)) return;
    nt_true_range(high, low, close, &s->previous, m, to);
    nt_average_feed(&s->average, to, m, to);
}

FEED(atr_feed) {
    atr *s = block;
    for (int64_t i = 0, m; i < n; i += m) {
        double *to = out[0] + i;
        m = nt_chain_room(&s->average, n - i);
        atr_pass(s, in[0] + i, in[1] + i, in[2] + i, m, to);
        if (s->in_percent)
            for (int64_t k = 0; k < m; k++) to[k] = 100.0 * (to[k] / in[2][i + k]);
    }
}

/* donchian: highest high, lowest low. */

OPEN(donchian_open) {
    (void)kind;
    return nt_extremes_open(block, p->window);
}

FEED(donchian_feed) {
    nt_extremes_feed(block, in[0], in[1], 0, n, out[0], out[1]);
}

/* keltner: an exponential average of the close, and so many true ranges around it (Raschke's form of Keltner 1960). */

typedef struct {
    nt_average middle;
    atr range;
    double width;
} keltner;

OPEN(keltner_open) {
    (void)kind;
    nt_carve carve = {block, 0};
    keltner *s = nt_carve_take(&carve, sizeof *s);
    if (s) *s = (keltner){nt_average_exponential(p->window), atr_of(p->second, 0), p->real};
    return carve.used;
}

FEED(keltner_feed) {
    keltner *s = block;
    double reach[NT_PASS], middle[NT_PASS];
    NT_EACH_PASS(n) {
        atr_pass(&s->range, in[0] + i, in[1] + i, in[2] + i, m, reach);
        nt_average_feed(&s->middle, in[2] + i, m, middle);
        for (int64_t k = 0; k < m; k++) {
            const double apart = s->width * reach[k];
            out[0][i + k] = middle[k] + apart;
            out[1][i + k] = middle[k] + 0.0 * apart;
            out[2][i + k] = middle[k] - apart;
        }
    }
}

/* supertrend (Seban): a stop that only moves with the trend, so many true ranges from the bar's middle. */

typedef struct {
    atr range;
    double factor, upper, lower, close, direction;
} supertrend;

OPEN(supertrend_open) {
    (void)kind;
    nt_carve carve = {block, 0};
    supertrend *s = nt_carve_take(&carve, sizeof *s);
    if (s) *s = (supertrend){atr_of(p->window, 0), p->real, NAN, NAN, NAN, -1.0};
    return carve.used;
}

FEED(supertrend_feed) {
    supertrend *s = block;
    double reach[NT_PASS];
    NT_EACH_PASS(n) {
        atr_pass(&s->range, in[0] + i, in[1] + i, in[2] + i, m, reach);
        for (int64_t k = 0; k < m; k++) {
            const double middle = 0.5 * (in[0][i + k] + in[1][i + k]), apart = s->factor * reach[k];
            const double close = in[2][i + k], upper = middle + apart, lower = middle - apart;
            out[0][i + k] = out[1][i + k] = NAN;
            if (upper != upper) continue;
            const double held_upper = s->upper, held_lower = s->lower; /* NaN before the first: not held */
            s->upper = !(upper >= held_upper) || s->close > held_upper ? upper : held_upper;
            s->lower = !(lower <= held_lower) || s->close < held_lower ? lower : held_lower;
            if (s->direction < 0.0 ? close > s->upper : close < s->lower) s->direction = -s->direction;
            s->close = close;
            out[0][i + k] = s->direction > 0.0 ? s->lower : s->upper;
            out[1][i + k] = s->direction;
        }
    }
}

/* ichimoku (Hosoda 1969): middles of three ranges; the spans are those of `displacement` rows before. */

typedef struct {
    nt_extremes conversion, base, span;
    nt_history ahead; /* the two spans as they were found */
    int64_t displacement;
} ichimoku;

OPEN(ichimoku_open) { /* window: conversion, second: base, third: span, fourth: displacement */
    (void)kind;
    nt_carve carve = {block, 0};
    ichimoku *s = nt_carve_take(&carve, sizeof *s);
    const nt_extremes conversion = nt_extremes_carve(&carve, p->window);
    const nt_extremes base = nt_extremes_carve(&carve, p->second), span = nt_extremes_carve(&carve, p->third);
    nt_history ahead = nt_history_carve(&carve, p->fourth, 2);
    if (s) nt_history_forget(&ahead);
    if (s) *s = (ichimoku){conversion, base, span, ahead, p->fourth};
    return carve.used;
}

static void middle_of(nt_extremes *s, const double *high, const double *low, int64_t behind, int64_t m, double *to) {
    double lowest[NT_PASS];
    nt_extremes_feed(s, high, low, behind, m, to, lowest);
    for (int64_t k = 0; k < m; k++) to[k] = 0.5 * (to[k] + lowest[k]);
}

FEED(ichimoku_feed) {
    ichimoku *s = block;
    for (int64_t i = 0, m; i < n; i += m) {
        m = nt_history_room(&s->ahead, n - i);
        const nt_span ahead = nt_history_here(&s->ahead);
        double *a = ahead.base, *b = a + ahead.stride;
        const double *high = in[0] + i, *low = in[1] + i;
        middle_of(&s->conversion, high, low, i, m, out[0] + i);
        middle_of(&s->base, high, low, i, m, out[1] + i);
        middle_of(&s->span, high, low, i, m, b);
        for (int64_t k = 0; k < m; k++) a[k] = 0.5 * (out[0][i + k] + out[1][i + k]);
        memcpy(out[2] + i, a - s->displacement, (size_t)m * sizeof(double));
        memcpy(out[3] + i, b - s->displacement, (size_t)m * sizeof(double));
        nt_history_advance(&s->ahead, m);
    }
}

const nt_indicator_kind nt_channel_kinds[] = {
    {"atr", 3, 1, atr_open, atr_feed, &(const int){0}, 1},
    {"natr", 3, 1, atr_open, atr_feed, &(const int){1}, 1},
    {"donchian", 2, 2, donchian_open, donchian_feed, 0, 1},
    {"keltner", 3, 3, keltner_open, keltner_feed, 0, 0},
    {"supertrend", 3, 2, supertrend_open, supertrend_feed, 0, 0},
    {"ichimoku", 2, 4, ichimoku_open, ichimoku_feed, 0, 1},
    {0},
};
