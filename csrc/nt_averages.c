/* Averages with a memory: ema, dema, tema, kama, macd. A row with a NaN is NaN and left out of every average. */
#include "nt_average.h"
#include "nt_indicators.h"
#include "nt_window.h"

/* One block of values that are not NaN; 0 and nothing done if one is. */
static inline int feed_block(nt_average *s, const double *x, double *out) {
    const double about = x[0], gap = s->value - about;
    double own = 0.0, value[NT_AVERAGE_BLOCK];
    for (int j = 0; j < NT_AVERAGE_BLOCK; j++) {
        own = own * s->keep + (x[j] - about) * s->alpha;
        value[j] = about + (gap * s->powers[j] + own);
    }
    if (value[NT_AVERAGE_BLOCK - 1] != value[NT_AVERAGE_BLOCK - 1]) return 0;
    for (int j = 0; j < NT_AVERAGE_BLOCK; j++) out[j] = value[j];
    s->value = value[NT_AVERAGE_BLOCK - 1];
    return 1;
}

void nt_average_feed(nt_average *s, const double *x, int64_t n, double *out) {
    nt_average average = *s; /* a copy, so that it lives in registers */
    for (int64_t i = 0; i < n;) {
        if (average.at == 0 && average.seen >= average.window && i + NT_AVERAGE_BLOCK <= n &&
            feed_block(&average, x + i, out + i)) {
            i += NT_AVERAGE_BLOCK;
        } else {
            out[i] = nt_average_push(&average, x[i]);
            i++;
        }
    }
    *s = average;
}

/* ema, and the double and triple average of Mulloy 1994: 2 e1 - e2, 3 e1 - 3 e2 + e3, each the average of the last. */

typedef struct {
    nt_average average[3];
    int count;
} nested;

static int64_t nested_open(const nt_indicator_kind *kind, void *block, const nt_indicator_parameters *p) {
    nt_carve carve = {block, 0};
    nested *s = nt_carve_take(&carve, sizeof *s);
    if (s) {
        s->count = *(const int *)kind->own;
        for (int k = 0; k < s->count; k++) s->average[k] = nt_average_exponential(p->window);
    }
    return carve.used;
}

static void ema_feed(void *block, const double *const *in, int64_t n, double *const *out) {
    nested *s = block;
    nt_average_feed(s->average, in[0], n, out[0]);
}

static void nested_feed(void *block, const double *const *in, int64_t n, double *const *out) {
    nested *s = block;
    double first[NT_PASS], second[NT_PASS];
    for (int64_t i = 0, m; i < n; i += m) {
        m = n - i < NT_PASS ? n - i : NT_PASS;
        double *to = out[0] + i;
        nt_average_feed(&s->average[0], in[0] + i, m, first);
        nt_average_feed(&s->average[1], first, m, second);
        if (s->count == 2) {
            for (int64_t k = 0; k < m; k++) to[k] = 2.0 * first[k] - second[k];
        } else {
            nt_average_feed(&s->average[2], second, m, to);
            for (int64_t k = 0; k < m; k++) to[k] = (3.0 * first[k] - 3.0 * second[k]) + to[k];
        }
    }
}

/* kama (Kaufman 1995): alpha from the net change over the distance walked; starts at the price before. While the
 * window holds a NaN it is NaN, and goes on from the value it had. */

typedef struct {
    nt_window walked;
    nt_history past;
    double value;
    int64_t window;
} kama;

static int64_t kama_open(const nt_indicator_kind *kind, void *block, const nt_indicator_parameters *p) {
    (void)kind;
    nt_carve carve = {block, 0};
    kama *s = nt_carve_take(&carve, sizeof *s);
    const nt_window walked = nt_window_carve(&carve, p->window, &nt_fold_sum);
    const nt_history past = nt_history_carve(&carve, p->window + 1, 1);
    if (s) *s = (kama){walked, past, NAN, p->window};
    return carve.used;
}

/* The same operations as `value += (x - value) * share`, with two of them off the chain. */
static double kama_chain(double value, const double *x, const double *share, int64_t m, double *to) {
    double keep[NT_PASS], part[NT_PASS];
    for (int64_t k = 0; k < m; k++) {
        keep[k] = 1.0 - share[k];
        part[k] = x[k] * share[k];
    }
    for (int64_t k = 0; k < m; k++) {
        if (share[k] != share[k]) {
            to[k] = NAN;
            continue;
        }
        if (value != value) value = x[k - 1];
        to[k] = value = value * keep[k] + part[k];
    }
    return value;
}

static void kama_feed(void *block, const double *const *in, int64_t n, double *const *out) {
    kama *s = block;
    const double fast = 2.0 / 3.0, slow = 2.0 / 31.0;
    double share[NT_PASS], step[NT_PASS];
    for (int64_t i = 0, m; i < n; i += m) {
        m = nt_history_room(&s->past, n - i);
        double *x = nt_history_here(&s->past).base;
        memcpy(x, in[0] + i, (size_t)m * sizeof(double));
        for (int64_t k = 0; k < m; k++) step[k] = fabs(x[k] - x[k - 1]);
        if (s->walked.fed == 0) step[0] = NAN; /* the first row has no change */
        nt_window_feed(&s->walked, step, m, share);
        for (int64_t k = 0; k < m; k++) {
            const double net = fabs(x[k] - x[k - s->window]);
            const double whole = share[k] != share[k] ? NAN : 1.0;
            const double ratio = net < share[k] ? net / share[k] : whole; /* nothing walked: 1, as TA-Lib */
            const double root = ratio * (fast - slow) + slow;
            share[k] = root * root;
        }
        s->value = kama_chain(s->value, x, share, m, out[0] + i);
        nt_history_advance(&s->past, m);
    }
}

/* macd (Appel 1979). The fast average starts on the slow one's first row from the values just before, as in TA-Lib. */

typedef struct {
    nt_average fast, slow, signal;
    int64_t skip, rows;
} macd;

static int64_t macd_open(const nt_indicator_kind *kind, void *block, const nt_indicator_parameters *p) {
    (void)kind;
    nt_carve carve = {block, 0};
    macd *s = nt_carve_take(&carve, sizeof *s);
    if (s)
        *s = (macd){nt_average_exponential(p->window), nt_average_exponential(p->second),
                    nt_average_exponential(p->third), p->second - p->window, 0};
    return carve.used;
}

static void macd_feed(void *block, const double *const *in, int64_t n, double *const *out) {
    macd *s = block;
    double fast[NT_PASS], slow[NT_PASS];
    for (int64_t i = 0, m; i < n; i += m) {
        m = n - i < NT_PASS ? n - i : NT_PASS;
        double *line = out[0] + i, *signal = out[1] + i, *histogram = out[2] + i;
        for (int64_t k = 0; k < m; k++) { /* values that count are skipped, not rows */
            fast[k] = s->rows < s->skip ? NAN : in[0][i + k];
            s->rows += in[0][i + k] == in[0][i + k];
        }
        nt_average_feed(&s->fast, fast, m, fast);
        nt_average_feed(&s->slow, in[0] + i, m, slow);
        for (int64_t k = 0; k < m; k++) slow[k] = fast[k] - slow[k];
        nt_average_feed(&s->signal, slow, m, signal);
        for (int64_t k = 0; k < m; k++) {
            line[k] = signal[k] == signal[k] ? slow[k] : NAN;
            histogram[k] = slow[k] - signal[k];
        }
    }
}

const nt_indicator_kind nt_average_kinds[] = {
    {"ema", 1, 1, nested_open, ema_feed, &(const int){1}},
    {"dema", 1, 1, nested_open, nested_feed, &(const int){2}},
    {"tema", 1, 1, nested_open, nested_feed, &(const int){3}},
    {"kama", 1, 1, kama_open, kama_feed, 0},
    {"macd", 1, 3, macd_open, macd_feed, 0},
    {0},
};
