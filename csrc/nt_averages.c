/* Averages with a memory: ema, dema, tema, kama, macd. A row with a NaN is NaN and left out of every average. */
#include "nt_average.h"
#include "nt_indicators.h"
#include "nt_window.h"

typedef double eight __attribute__((vector_size(64)));
typedef double eight_anywhere __attribute__((vector_size(64), aligned(8), may_alias));
typedef int64_t places __attribute__((vector_size(64)));

static int any_unknown(const double *x, int64_t n) {
    int64_t unknown = 0;
    for (int64_t k = 0; k < n; k++) unknown |= x[k] != x[k];
    return unknown != 0;
}

/* Whole blocks of values that are not NaN. */
static void feed_blocks(nt_average *s, const double *x, int64_t n, double *out) {
    const eight none = {0}, powers = *(const eight_anywhere *)s->powers;
    const double whole = s->powers[7], alpha = s->alpha, keep = s->keep, keep_2 = s->keep_2, keep_4 = s->keep_4;
    double about = s->about, carry = s->carry;
    for (int64_t i = 0; i < n; i += NT_AVERAGE_BLOCK) {
        const double gap = carry + (about - x[i]);
        eight sum = (*(const eight_anywhere *)(x + i) - x[i]) * alpha;
        sum += __builtin_shuffle(sum, none, (places){8, 0, 1, 2, 3, 4, 5, 6}) * keep;
        sum += __builtin_shuffle(sum, none, (places){8, 8, 0, 1, 2, 3, 4, 5}) * keep_2;
        sum += __builtin_shuffle(sum, none, (places){8, 8, 8, 8, 0, 1, 2, 3}) * keep_4;
        carry = whole * gap + sum[7]; /* all that the next block waits for */
        about = x[i];
        *(eight_anywhere *)(out + i) = about + (powers * gap + sum);
    }
    s->about = about;
    s->carry = carry;
    s->rows += n;
}

void nt_average_feed(nt_average *s, const double *x, int64_t n, double *out) {
    for (int64_t i = 0; i < n;) {
        const int64_t whole = (n - i) & -NT_AVERAGE_BLOCK, into = s->rows % NT_AVERAGE_BLOCK;
        if (whole && into == 0 && s->seen >= s->window && !any_unknown(x + i, whole)) {
            feed_blocks(s, x + i, whole, out + i);
            i += whole;
        } else {
            const int64_t end = i + NT_AVERAGE_BLOCK - into < n ? i + NT_AVERAGE_BLOCK - into : n;
            for (; i < end; i++) out[i] = nt_average_push(s, x[i]);
        }
    }
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
