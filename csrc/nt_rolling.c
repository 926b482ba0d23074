/* Windows that are folded: each kind lifts rows into elements, has them folded, and finishes the folds into outputs.
 * NaN while the window holds one, or a row that has no predecessor where it needs one. */
#include <math.h>

#include "nt_indicators.h"
#include "nt_math.h"
#include "nt_window.h"

typedef struct rolling rolling;

/* Rows i .. i + m of the inputs as elements, the first rows of a series NaN where they need what came before. */
typedef void lifter(const rolling *s, const double *const *in, nt_span past, int64_t m, nt_span to);
/* Folded windows as outputs; x: the rows of input 0. */
typedef void finisher(const rolling *s, nt_span folded, const double *x, int64_t m, double *const *out);

typedef struct {
    const nt_fold *fold;
    lifter *lift; /* NULL: input 0 as it is */
    finisher *finish;
    int inputs, outputs, past; /* past: how many inputs are looked back at, from the first on */
    int lagged;                /* rows looked back: 0: the second parameter; else that many */
} shape;

struct rolling {
    const shape *shape;
    nt_indicator_parameters p;
    nt_window window;
    nt_history past;
};

static void fill(double *to, int64_t n, double value) {
    for (int64_t i = 0; i < n; i++) to[i] = value;
}

static int64_t rolling_open(const nt_indicator_kind *kind, void *block, const nt_indicator_parameters *p) {
    nt_carve carve = {block, 0};
    const shape *own = kind->own;
    rolling *s = nt_carve_take(&carve, sizeof *s);
    const nt_window window = nt_window_carve(&carve, p->window, own->fold);
    nt_history past = {0};
    if (own->past) past = nt_history_carve(&carve, own->lagged ? own->lagged : p->second, own->past);
    if (s && own->past) nt_history_forget(&past);
    if (s) *s = (rolling){own, *p, window, past};
    return carve.used;
}

static void rolling_feed(void *block, const double *const *in, int64_t n, double *const *out) {
    rolling *s = block;
    for (int64_t i = 0, m; i < n; i += m) {
        const double *rows[NT_INDICATOR_SERIES];
        double *to[NT_INDICATOR_SERIES];
        for (int k = 0; k < s->shape->inputs; k++) rows[k] = in[k] + i;
        for (int k = 0; k < s->shape->outputs; k++) to[k] = out[k] + i;
        m = nt_window_room(&s->window, n - i);
        nt_span past = {0};
        if (s->shape->past) {
            nt_history_room(&s->past, m);
            past = nt_history_here(&s->past);
            for (int k = 0; k < s->shape->past; k++)
                memcpy(past.base + k * past.stride, rows[k], (size_t)m * sizeof(double));
            nt_history_advance(&s->past, m);
        }
        const int64_t cold = nt_window_cold(&s->window, m);
        nt_span folded;
        if (s->shape->lift) {
            s->shape->lift(s, rows, past, m, nt_window_input(&s->window));
            folded = nt_window_advance(&s->window, m);
        } else {
            folded = nt_window_take(&s->window, rows[0], i, m, s->shape->fold->fields == 1 ? to[0] : NULL);
        }
        s->shape->finish(s, folded, rows[0], m, to);
        for (int k = 0; k < s->shape->outputs; k++) fill(to[k], cold, NAN);
    }
}

/* Lifting. */

#define LIFT(NAME) static void NAME(const rolling *s, const double *const *in, nt_span past, int64_t m, nt_span to)
#define UNUSED (void)s, (void)in, (void)past

static void copy(const double *x, int64_t m, double *to) {
    memcpy(to, x, (size_t)m * sizeof(double));
}

LIFT(lift_pair) {
    UNUSED;
    copy(in[0], m, to.base);
    copy(in[1], m, to.base + to.stride);
}

LIFT(lift_with_past) { /* (value, the value `second` rows before) */
    UNUSED;
    copy(in[0], m, to.base);
    copy(past.base - s->p.second, m, to.base + to.stride);
}

static inline double log_or_nan(double x) {
    const double y = nt_log(x);
    return x == x ? y : NAN;
}

LIFT(lift_log_change) {
    UNUSED;
    const double *x = past.base;
    for (int64_t k = 0; k < m; k++) to.base[k] = log_or_nan(x[k] / x[k - 1]);
}

LIFT(lift_changes) { /* relative changes of the market, then of the values */
    UNUSED;
    const double *y = past.base, *x = past.base + past.stride;
    for (int64_t k = 0; k < m; k++) to.base[k] = (x[k] - x[k - 1]) / x[k - 1];
    for (int64_t k = 0; k < m; k++) to.base[to.stride + k] = (y[k] - y[k - 1]) / y[k - 1];
}

LIFT(lift_reversion) { /* (the value before, the change from it) */
    UNUSED;
    const double *x = past.base;
    for (int64_t k = 0; k < m; k++) to.base[k] = x[k - 1];
    for (int64_t k = 0; k < m; k++) to.base[to.stride + k] = x[k] - x[k - 1];
}

LIFT(lift_turnover) { /* (typical price x volume, volume) */
    UNUSED;
    for (int64_t k = 0; k < m; k++) to.base[k] = (in[0][k] + in[1][k] + in[2][k]) / 3.0 * in[3][k];
    copy(in[3], m, to.base + to.stride);
}

LIFT(lift_flow) { /* (typical price x volume where the typical price rose, where it fell) */
    UNUSED;
    const double *h = past.base, *l = h + past.stride, *c = l + past.stride;
    for (int64_t k = 0; k < m; k++) {
        const double now = (h[k] + l[k] + c[k]) / 3.0, before = (h[k - 1] + l[k - 1] + c[k - 1]) / 3.0;
        const double flow = now * in[3][k], none = 0.0 * (now - before);
        to.base[k] = now > before ? flow : none;
        to.base[to.stride + k] = now < before ? flow : none;
    }
}

LIFT(lift_range) { /* log(high / low)^2 */
    UNUSED;
    for (int64_t k = 0; k < m; k++) {
        const double range = log_or_nan(in[0][k] / in[1][k]);
        to.base[k] = range * range;
    }
}

static const double LOG_2 = 0.69314718055994530942;

LIFT(lift_range_and_body) { /* Garman and Klass 1980, their estimator 5 without the overnight gap */
    UNUSED;
    for (int64_t k = 0; k < m; k++) {
        const double range = log_or_nan(in[1][k] / in[2][k]);
        const double body = log_or_nan(in[3][k] / in[0][k]);
        to.base[k] = 0.5 * (range * range) - (2.0 * LOG_2 - 1.0) * (body * body);
    }
}

/* Finishing. */

#define FINISH(NAME) static void NAME(const rolling *s, nt_span folded, const double *x, int64_t m, double *const *out)
#define EACH_FOLD                                                                                                      \
    const double *const a = folded.base, *const b = a + folded.stride;                                                 \
    double *const to = out[0];                                                                                         \
    const double count = (double)s->p.window, freedom = (double)(s->p.window - s->p.second);                           \
    (void)b, (void)count, (void)freedom, (void)x;                                                                      \
    _Pragma("GCC ivdep") for (int64_t k = 0; k < m; k++)

FINISH(finish_fold) {
    (void)s, (void)x;
    if (folded.base != out[0]) copy(folded.base, m, out[0]);
}

FINISH(finish_mean) { EACH_FOLD to[k] = a[k] / count; }
FINISH(finish_ramp) { EACH_FOLD to[k] = b[k] / (0.5 * count * (count + 1.0)); }
FINISH(finish_deviation) { EACH_FOLD to[k] = sqrt(b[k] / freedom); }
FINISH(finish_volatility) { EACH_FOLD to[k] = sqrt(b[k] / (count - 1.0)) * s->p.real; }
FINISH(finish_score) { EACH_FOLD to[k] = b[k] > 0.0 ? (x[k] - a[k]) / sqrt(b[k] / freedom) : NAN; }
FINISH(finish_slope) { EACH_FOLD to[k] = b[k] / (count * (count * count - 1.0) / 12.0); }
FINISH(finish_parkinson) { EACH_FOLD to[k] = sqrt(a[k] / (count * (4.0 * LOG_2))) * s->p.real; }
FINISH(finish_garman_klass) { EACH_FOLD to[k] = sqrt(a[k] / count) * s->p.real; }

FINISH(finish_bands) {
    double *const middle = out[1], *const lower = out[2];
    EACH_FOLD {
        const double reach = s->p.real * sqrt(b[k] / count);
        to[k] = a[k] + reach;
        middle[k] = a[k];
        lower[k] = a[k] - reach;
    }
}

FINISH(finish_vwap) { EACH_FOLD to[k] = b[k] > 0.0 ? a[k] / b[k] : NAN; }

FINISH(finish_flow) { /* nothing flowed: 0, as TA-Lib; not known: NaN */
    EACH_FOLD {
        const double both = a[k] + b[k];
        to[k] = both > 0.0 ? 100.0 * (a[k] / both) : both * 0.0;
    }
}

FINISH(finish_correlation) {
    const double *xx = folded.base + 2 * folded.stride, *yy = xx + folded.stride, *xy = yy + folded.stride;
    EACH_FOLD {
        const double scale = sqrt(xx[k]) * sqrt(yy[k]);
        const double r = scale > 0.0 ? xy[k] / scale : NAN; /* undefined where either was constant */
        to[k] = r > 1.0 ? 1.0 : r < -1.0 ? -1.0 : r;
    }
}

FINISH(finish_beta) {
    const double *xx = folded.base + 2 * folded.stride, *xy = xx + 2 * folded.stride;
    EACH_FOLD to[k] = xx[k] > 0.0 ? xy[k] / xx[k] : NAN;
}

FINISH(finish_half_life) { /* Chan 2013: change = rate x value + noise; half of a gap is gone after -log 2 / rate */
    const double *xx = folded.base + 2 * folded.stride, *xy = xx + 2 * folded.stride;
    EACH_FOLD {
        const double rate = xx[k] > 0.0 ? xy[k] / xx[k] : NAN;
        to[k] = rate < 0.0 ? -LOG_2 / rate : rate != rate ? NAN : INFINITY;
    }
}

#define KIND(NAME, FOLD, LIFT, FINISH, INPUTS, OUTPUTS, PAST, LAGGED)                                                  \
    {NAME, INPUTS, OUTPUTS, rolling_open, rolling_feed,                                                                \
     &(const shape){&nt_fold_##FOLD, lift_##LIFT, finish_##FINISH, INPUTS, OUTPUTS, PAST, LAGGED}, 0}

#define OF_VALUES(NAME, FOLD, FINISH, OUTPUTS)                                                                         \
    {NAME, 1, OUTPUTS, rolling_open, rolling_feed,                                                                     \
     &(const shape){&nt_fold_##FOLD, NULL, finish_##FINISH, 1, OUTPUTS, 0, 0}, 1}

const nt_indicator_kind nt_rolling_kinds[] = {
    OF_VALUES("rolling_sum", sum, fold, 1),
    OF_VALUES("sma", sum, mean, 1),
    OF_VALUES("wma", ramp, ramp, 1),
    OF_VALUES("rolling_min", minimum, fold, 1),
    OF_VALUES("rolling_max", maximum, fold, 1),
    OF_VALUES("stdev", moments, deviation, 1),
    OF_VALUES("zscore", moments, score, 1),
    OF_VALUES("bbands", moments, bands, 3),
    OF_VALUES("linreg_slope", trend, slope, 1),
    KIND("realised_volatility", moments, log_change, volatility, 1, 1, 1, 1),
    KIND("parkinson", sum, range, parkinson, 2, 1, 0, 0),
    KIND("garman_klass", sum, range_and_body, garman_klass, 4, 1, 0, 0),
    KIND("correlation", comoments, pair, correlation, 2, 1, 0, 0),
    KIND("autocorrelation", comoments, with_past, correlation, 1, 1, 1, 0),
    KIND("beta", comoments, changes, beta, 2, 1, 2, 1),
    KIND("half_life", comoments, reversion, half_life, 1, 1, 1, 1),
    KIND("vwap", sums, turnover, vwap, 4, 1, 0, 0),
    KIND("mfi", sums, flow, flow, 4, 1, 3, 1),
    {0},
};
