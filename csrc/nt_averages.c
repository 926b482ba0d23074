/* Averages with a memory: ema, dema, tema, kama, macd. A row with a NaN is NaN and left out of every average. */
#include "nt_average.h"
#include "nt_chain.h"
#include "nt_indicators.h"
#include "nt_window.h"

static int any_unknown(const double *x, int64_t n) {
    int64_t unknown = 0;
    for (int64_t k = 0; k < n; k++) unknown |= x[k] != x[k];
    return unknown != 0;
}

/* Whole blocks of values that are not NaN. */
static void feed_blocks(nt_average *s, const double *x, int64_t n, double *out) {
    const nt_weights weights = nt_weights_of(s);
    nt_chain chain = nt_chain_of(s);
    NT_CHAIN_EACH(n, {
        nt_eight y[group];
        NT_EACH_BLOCK(group) y[b] = nt_eight_at(x + k + 8 * b);
        nt_chain_next(&chain, &weights, y, group);
        NT_EACH_BLOCK(group) nt_eight_put(out + k + 8 * b, y[b]);
    })
    nt_chain_return(&chain, s, n);
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

/* Blocks of eight rows, the averages of one and the next still in registers; 0 if something was not finite. */
NT_LANES_INLINE int nested_blocks(nested *s, const double *x, int64_t m, double *to, const int count) {
    const nt_weights weights = nt_weights_of(s->average);
    nt_chain first = nt_chain_of(s->average), second = nt_chain_of(s->average + 1), third = second;
    if (count == 3) third = nt_chain_of(s->average + 2);
    nt_lanes odd = {0};
    NT_CHAIN_EACH(m, {
        nt_eight y[group], made[group];
        NT_EACH_BLOCK(group) y[b] = nt_eight_at(x + k + 8 * b);
        nt_chain_next(&first, &weights, y, group);
        NT_EACH_BLOCK(group) NT_EACH_PART made[b].part[p] = (count == 2 ? 2.0 : 3.0) * y[b].part[p];
        nt_chain_next(&second, &weights, y, group);
        NT_EACH_BLOCK(group)
            NT_EACH_PART made[b].part[p] -= count == 2 ? y[b].part[p] : 3.0 * y[b].part[p];
        if (count == 3) {
            nt_chain_next(&third, &weights, y, group);
            NT_EACH_BLOCK(group) NT_EACH_PART made[b].part[p] += y[b].part[p];
        }
        NT_EACH_BLOCK(group) NT_EACH_PART odd += made[b].part[p] - made[b].part[p];
        NT_EACH_BLOCK(group) nt_eight_put(to + k + 8 * b, made[b]);
    })
    if (nt_lanes_any(odd)) return 0;
    nt_chain_return(&first, s->average, m);
    nt_chain_return(&second, s->average + 1, m);
    if (count == 3) nt_chain_return(&third, s->average + 2, m);
    return 1;
}

static void nested_feed(void *block, const double *const *in, int64_t n, double *const *out) {
    nested *s = block;
    double first[NT_PASS], second[NT_PASS];
    for (int64_t i = 0, m; i < n; i += m) {
        const double *x = in[0] + i;
        double *to = out[0] + i;
        m = nt_chain_room(s->average, n - i);
        if (nt_chain_ready(s->average + s->count - 1, m) &&
            (s->count == 2 ? nested_blocks(s, x, m, to, 2) : nested_blocks(s, x, m, to, 3)))
            continue;
        nt_average_feed(&s->average[0], x, m, first);
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
 * window holds a NaN it is NaN, and goes on from the value it had.
 *
 * In blocks of eight rows as nt_average.h, about the block's first price (0 if that is NaN): a row's step is
 * gap = keep gap + part, keep = 1 - share, part = (x - about) share, and steps join by doubling, over two rows, four,
 * eight. A row without a share is the step that changes nothing. */

enum { BLOCK = NT_AVERAGE_BLOCK };

typedef struct {
    double keep, part;
} step;

typedef struct {
    nt_window walked;
    nt_history past;
    double about, gap, carry; /* carry: the last value less `about`; gap: the one before the block less it */
    int64_t window, rows;
    int started;
    step one[BLOCK], two[BLOCK], four[BLOCK]; /* over so many rows of the present block */
} kama;

static int64_t kama_open(const nt_indicator_kind *kind, void *block, const nt_indicator_parameters *p) {
    (void)kind;
    nt_carve carve = {block, 0};
    kama *s = nt_carve_take(&carve, sizeof *s);
    const nt_window walked = nt_window_carve(&carve, p->window, &nt_fold_sum);
    const nt_history past = nt_history_carve(&carve, p->window + 1, 1);
    if (s) *s = (kama){.walked = walked, .past = past, .window = p->window};
    return carve.used;
}

static inline step join(step older, step newer) {
    return (step){newer.keep * older.keep, newer.part + newer.keep * older.part};
}

static double kama_push(kama *s, double x, double before, double share) {
    const int64_t j = s->rows++ % BLOCK;
    if (j == 0) {
        const double about = x == x ? x : 0.0;
        s->gap = s->carry + (s->about - about);
        s->about = about;
    }
    const int known = share == share;
    if (known && !s->started) {
        s->started = 1;
        s->gap = before - s->about;
    }
    const step now = known ? (step){1.0 - share, (x - s->about) * share} : (step){1.0, 0.0};
    s->one[j] = now;
    s->two[j] = j >= 1 ? join(s->one[j - 1], now) : now;
    s->four[j] = j >= 2 ? join(s->two[j - 2], s->two[j]) : s->two[j];
    const step all = j >= 4 ? join(s->four[j - 4], s->four[j]) : s->four[j];
    s->carry = all.keep * s->gap + all.part;
    return known ? s->about + s->carry : NAN;
}

/* Rows joined with those BACK before them, which step as one that changes nothing where the block has none. */
#define JOIN_STEPS(BACK)                                                                                               \
    NT_EACH_BLOCK(group) oldest[b] = BACK(whole, keep[b]);                                                             \
    NT_EACH_BLOCK(group) older[b] = BACK(none, part[b]);                                                               \
    NT_EACH_BLOCK(group) NT_EACH_PART {                                                                                \
        part[b].part[p] += keep[b].part[p] * older[b].part[p];                                                         \
        keep[b].part[p] *= oldest[b].part[p];                                                                          \
    }

static const double FAST = 2.0 / 3.0, SLOW = 2.0 / 31.0;

/* The share that a row takes, of the distance walked over the window: NaN while that holds one. */
static inline double share_of(double net, double walked) {
    const double whole = walked != walked ? NAN : 1.0;
    const double ratio = net < walked ? net / walked : whole; /* nothing walked: 1, as TA-Lib */
    const double root = ratio * (FAST - SLOW) + SLOW;
    return root * root;
}

NT_LANES_INLINE nt_lanes shares_of(nt_lanes net, nt_lanes walked, const int holed) {
    const nt_lanes one = (nt_lanes){0} + 1.0, whole = holed ? nt_lanes_where(walked == walked, one, walked) : one;
    const nt_lanes root = nt_lanes_where(net < walked, net / walked, whole) * (FAST - SLOW) + SLOW;
    return root * root;
}

NT_LANES_INLINE nt_lanes size_of(nt_lanes x) {
    return (nt_lanes)((nt_places)x & INT64_MAX);
}

/* As so many pushes once started, for whole blocks. holed: rows may be NaN; else 0, nothing done, if one is. */
NT_LANES_INLINE int kama_blocks(kama *s, const double *x, const double *walked, int64_t m, double *to, const int holed) {
    const nt_lanes none = {0}, whole = none + 1.0;
    nt_lanes odd = none;
    double about = s->about, carry = s->carry;
    NT_CHAIN_EACH(m, {
        nt_eight keep[group], part[group], older[group], oldest[group], known[group];
        double first[group], gap[group];
        NT_EACH_BLOCK(group) {
            first[b] = !holed || x[k + BLOCK * b] == x[k + BLOCK * b] ? x[k + BLOCK * b] : 0.0;
            known[b] = nt_eight_at(walked + k + BLOCK * b);
            part[b] = nt_eight_at(x + k + BLOCK * b);
            older[b] = nt_eight_at(x + k + BLOCK * b - s->window);
            NT_EACH_PART {
                const nt_lanes net = size_of(part[b].part[p] - older[b].part[p]);
                const nt_lanes alpha = shares_of(net, known[b].part[p], holed);
                if (!holed) odd += known[b].part[p] - known[b].part[p];
                known[b].part[p] = alpha;
                keep[b].part[p] = 1.0 - alpha;
                part[b].part[p] = (part[b].part[p] - first[b]) * alpha;
                if (!holed) continue;
                keep[b].part[p] = nt_lanes_where(alpha == alpha, keep[b].part[p], whole);
                part[b].part[p] = nt_lanes_where(alpha == alpha, part[b].part[p], none);
            }
        }
        JOIN_STEPS(nt_eight_back_1)
        JOIN_STEPS(nt_eight_back_2)
        JOIN_STEPS(nt_eight_back_4)
        NT_EACH_BLOCK(group) {
            gap[b] = carry + (about - first[b]);
            carry = nt_eight_last(keep[b]) * gap[b] + nt_eight_last(part[b]);
            about = first[b];
        }
        NT_EACH_BLOCK(group) {
            NT_EACH_PART {
                const nt_lanes value = first[b] + (keep[b].part[p] * gap[b] + part[b].part[p]), alpha = known[b].part[p];
                if (!holed) odd += value - value;
                known[b].part[p] = holed ? nt_lanes_where(alpha == alpha, value, alpha) : value;
            }
            nt_eight_put(to + k + BLOCK * b, known[b]);
        }
    })
    if (!holed && nt_lanes_any(odd)) return 0;
    s->about = about;
    s->carry = carry;
    s->rows += m;
    return 1;
}

/* m <= NT_PASS rows, those of the window before them in front. */
static void kama_pass(kama *s, const double *x, int64_t m, double *to) {
    double walk[NT_PASS] __attribute__((aligned(64)));
    walk[0] = s->walked.fed == 0 ? NAN : fabs(x[0] - x[-1]); /* the first row has no change */
    for (int64_t k = 1; k < m; k++) walk[k] = fabs(x[k] - x[k - 1]);
    nt_window_feed(&s->walked, walk, 0, m, walk);
    for (int64_t k = 0; k < m;) {
        const int64_t whole = (m - k) & -BLOCK;
        if (whole && s->started && s->rows % BLOCK == 0) {
            if (!kama_blocks(s, x + k, walk + k, whole, to + k, 0)) kama_blocks(s, x + k, walk + k, whole, to + k, 1);
            k += whole;
        } else {
            to[k] = kama_push(s, x[k], x[k - 1], share_of(fabs(x[k] - x[k - s->window]), walk[k]));
            k++;
        }
    }
}

static void kama_feed(void *block, const double *const *in, int64_t n, double *const *out) {
    kama *s = block;
    int64_t i = 0;
    for (int64_t m; i < n && i <= s->window; i += m) {
        m = nt_history_room(&s->past, n - i);
        double *x = nt_history_here(&s->past).base;
        memcpy(x, in[0] + i, (size_t)m * sizeof(double));
        kama_pass(s, x, m, out[0] + i);
        nt_history_advance(&s->past, m);
    }
    if (i == n) return;
    for (int64_t m; i < n; i += m) { /* what came before stands in the input */
        m = NT_PASS - s->rows % BLOCK < n - i ? NT_PASS - s->rows % BLOCK : n - i;
        kama_pass(s, in[0] + i, m, out[0] + i);
    }
    nt_history_restart(&s->past, in[0] + n - s->window - 1, s->window + 1);
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

/* As nested_blocks. */
static int macd_blocks(macd *s, const double *x, int64_t m, double *line, double *signal, double *histogram) {
    const nt_weights of_fast = nt_weights_of(&s->fast), of_slow = nt_weights_of(&s->slow);
    const nt_weights of_signal = nt_weights_of(&s->signal);
    nt_chain fast = nt_chain_of(&s->fast), slow = nt_chain_of(&s->slow), smooth = nt_chain_of(&s->signal);
    nt_lanes odd = {0};
    NT_CHAIN_EACH(m, {
        nt_eight y[group], z[group];
        NT_EACH_BLOCK(group) y[b] = z[b] = nt_eight_at(x + k + 8 * b);
        nt_chain_next(&fast, &of_fast, y, group);
        nt_chain_next(&slow, &of_slow, z, group);
        NT_EACH_BLOCK(group) {
            NT_EACH_PART z[b].part[p] = y[b].part[p] -= z[b].part[p];
            nt_eight_put(line + k + 8 * b, y[b]);
        }
        nt_chain_next(&smooth, &of_signal, z, group);
        NT_EACH_BLOCK(group) {
            nt_eight_put(signal + k + 8 * b, z[b]);
            NT_EACH_PART {
                y[b].part[p] -= z[b].part[p];
                odd += y[b].part[p] - y[b].part[p];
            }
            nt_eight_put(histogram + k + 8 * b, y[b]);
        }
    })
    if (nt_lanes_any(odd)) return 0;
    nt_chain_return(&fast, &s->fast, m);
    nt_chain_return(&slow, &s->slow, m);
    nt_chain_return(&smooth, &s->signal, m);
    s->rows += m;
    return 1;
}

static void macd_feed(void *block, const double *const *in, int64_t n, double *const *out) {
    macd *s = block;
    double fast[NT_PASS], slow[NT_PASS];
    for (int64_t i = 0, m; i < n; i += m) {
        const double *x = in[0] + i;
        double *line = out[0] + i, *signal = out[1] + i, *histogram = out[2] + i;
        m = nt_chain_room(&s->signal, n - i);
        if (nt_chain_ready(&s->signal, m) && macd_blocks(s, x, m, line, signal, histogram)) continue;
        for (int64_t k = 0; k < m; k++) { /* values that count are skipped, not rows */
            fast[k] = s->rows < s->skip ? NAN : x[k];
            s->rows += x[k] == x[k];
        }
        nt_average_feed(&s->fast, fast, m, fast);
        nt_average_feed(&s->slow, x, m, slow);
        for (int64_t k = 0; k < m; k++) slow[k] = fast[k] - slow[k];
        nt_average_feed(&s->signal, slow, m, signal);
        for (int64_t k = 0; k < m; k++) {
            line[k] = signal[k] == signal[k] ? slow[k] : NAN;
            histogram[k] = slow[k] - signal[k];
        }
    }
}

const nt_indicator_kind nt_average_kinds[] = {
    {"ema", 1, 1, nested_open, ema_feed, &(const int){1}, 1},
    {"dema", 1, 1, nested_open, nested_feed, &(const int){2}, 1},
    {"tema", 1, 1, nested_open, nested_feed, &(const int){3}, 1},
    {"kama", 1, 1, kama_open, kama_feed, 0, 1},
    {"macd", 1, 3, macd_open, macd_feed, 0, 1},
    {0},
};
