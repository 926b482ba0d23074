/* Technical indicators: one step each, incremental and in batch.
 *
 * Windows. Sums kept by adding the newest and subtracting the oldest value drift without bound. Here a window is
 * folded instead, never unfolded: time is cut in blocks of `window` values; `slots` hold the suffix folds of the last
 * full block, `prefix` the running fold of the present one, and every window is one suffix joined with one prefix. Two
 * additions a value, amortised, no cancellation, error bounded by the window (not by the history), a NaN leaves with its
 * window, and any associative fold works: sum, minimum, moments (Chan, Golub, LeVeque 1979), co-moments, weighted sum.
 *
 * Conventions. `_init` borrows `slots` from the caller (size stated at each), `_push` takes the next value and returns
 * the indicator, NaN until warm. Leading NaNs are skipped, so indicators can be stacked. State is plain data, no
 * allocation, nothing can fail; the caller has checked 1 <= window. Batch functions are loops over `_push`: incremental
 * and batch agree bit for bit by construction. Warm-up rows and formulas follow TA-Lib where it has the indicator. */
#ifndef NT_INDICATORS_H
#define NT_INDICATORS_H

#include <math.h>
#include <stdint.h>

#include "nt_math.h"

/* sum and mean */

typedef struct { /* slots: window + 1 */
    double *slots;
    double prefix;
    int64_t window, position, seen;
} nt_sum;

static inline nt_sum nt_sum_init(double *slots, int64_t window) {
    slots[window] = 0.0;
    return (nt_sum){.slots = slots, .window = window};
}

static inline double nt_sum_push(nt_sum *s, double x) {
    if (s->seen < s->window) {
        if (s->seen == 0 && x != x) return NAN;
        s->seen++;
    }
    const int64_t j = s->position;
    s->prefix += x;
    const double total = s->seen == s->window ? s->slots[j + 1] + s->prefix : NAN;
    s->slots[j] = x;
    if (j + 1 < s->window) {
        s->position = j + 1;
    } else {
        double fold = 0.0;
        for (int64_t k = j; k >= 0; k--) s->slots[k] = fold += s->slots[k];
        s->prefix = 0.0;
        s->position = 0;
    }
    return total;
}

/* extremes: `sign` +1 for the maximum, -1 for the minimum */

typedef struct { /* slots: window + 1 */
    double *slots;
    double prefix, sign;
    int64_t window, position, seen;
} nt_extreme;

static inline nt_extreme nt_extreme_init(double *slots, int64_t window, double sign) {
    slots[window] = -INFINITY;
    return (nt_extreme){.slots = slots, .window = window, .sign = sign, .prefix = -INFINITY};
}

static inline double nt_larger(double a, double b) { /* NaN if either is */
    return a > b || a != a ? a : b;
}

static inline double nt_extreme_push(nt_extreme *s, double value) {
    if (s->seen < s->window) {
        if (s->seen == 0 && value != value) return NAN;
        s->seen++;
    }
    const double x = value * s->sign;
    const int64_t j = s->position;
    s->prefix = nt_larger(s->prefix, x);
    const double extreme = s->seen == s->window ? nt_larger(s->slots[j + 1], s->prefix) * s->sign : NAN;
    s->slots[j] = x;
    if (j + 1 < s->window) {
        s->position = j + 1;
    } else {
        double fold = -INFINITY;
        for (int64_t k = j; k >= 0; k--) s->slots[k] = fold = nt_larger(fold, s->slots[k]);
        s->prefix = -INFINITY;
        s->position = 0;
    }
    return extreme;
}

/* mean and squared deviations (Welford 1962 within a block, Chan et al. across) */

typedef struct {
    double mean, m2; /* m2: sum of squared deviations from the mean */
} nt_moment;

typedef struct { /* slots: 3 * (window + 1) doubles: the folds, then reciprocals of 0..window */
    nt_moment *slots;
    const double *reciprocal;
    nt_moment prefix;
    int64_t window, position, seen;
} nt_moments;

static inline nt_moments nt_moments_init(double *slots, int64_t window) {
    double *reciprocal = slots + 2 * (window + 1);
    for (int64_t k = 1; k <= window; k++) reciprocal[k] = 1.0 / (double)k;
    slots[2 * window] = slots[2 * window + 1] = 0.0;
    return (nt_moments){.slots = (nt_moment *)slots, .reciprocal = reciprocal, .window = window};
}

static inline nt_moment nt_moment_add(nt_moment fold, double x, double reciprocal) {
    const double d = x - fold.mean;
    const double mean = fold.mean + d * reciprocal;
    return (nt_moment){.mean = mean, .m2 = fold.m2 + d * (x - mean)};
}

/* Returns 1 and sets *out once `window` values are seen, else 0. */
static inline int nt_moments_push(nt_moments *s, double x, nt_moment *out) {
    if (s->seen < s->window) {
        if (s->seen == 0 && x != x) return 0;
        s->seen++;
    }
    const int64_t j = s->position;
    s->prefix = nt_moment_add(s->prefix, x, s->reciprocal[j + 1]);
    if (s->seen == s->window) {
        const nt_moment old = s->slots[j + 1];
        const double older = (double)(s->window - j - 1) * s->reciprocal[s->window];
        const double d = old.mean - s->prefix.mean;
        out->mean = s->prefix.mean + d * older;
        out->m2 = s->prefix.m2 + old.m2 + d * d * older * (double)(j + 1);
    }
    s->slots[j].mean = x;
    if (j + 1 < s->window) {
        s->position = j + 1;
    } else {
        nt_moment fold = {0.0, 0.0};
        for (int64_t k = j; k >= 0; k--)
            s->slots[k] = fold = nt_moment_add(fold, s->slots[k].mean, s->reciprocal[s->window - k]);
        s->prefix = (nt_moment){0.0, 0.0};
        s->position = 0;
    }
    return s->seen == s->window;
}

/* co-moments of two series */

typedef struct {
    double x, y, xx, yy, xy; /* means; sums of products of deviations */
} nt_comoment;

typedef struct { /* slots: 6 * (window + 1) doubles */
    nt_comoment *slots;
    const double *reciprocal;
    nt_comoment prefix;
    int64_t window, position, seen;
} nt_comoments;

static inline nt_comoments nt_comoments_init(double *slots, int64_t window) {
    double *reciprocal = slots + 5 * (window + 1);
    for (int64_t k = 1; k <= window; k++) reciprocal[k] = 1.0 / (double)k;
    for (int64_t k = 5 * window; k < 5 * (window + 1); k++) slots[k] = 0.0;
    return (nt_comoments){.slots = (nt_comoment *)slots, .reciprocal = reciprocal, .window = window};
}

static inline nt_comoment nt_comoment_add(nt_comoment fold, double x, double y, double reciprocal) {
    const double dx = x - fold.x, dy = y - fold.y;
    const double mean_x = fold.x + dx * reciprocal, mean_y = fold.y + dy * reciprocal;
    return (nt_comoment){mean_x, mean_y, fold.xx + dx * (x - mean_x), fold.yy + dy * (y - mean_y),
                         fold.xy + dx * (y - mean_y)};
}

static inline int nt_comoments_push(nt_comoments *s, double x, double y, nt_comoment *out) {
    if (s->seen < s->window) {
        if (s->seen == 0 && (x != x || y != y)) return 0;
        s->seen++;
    }
    const int64_t j = s->position;
    s->prefix = nt_comoment_add(s->prefix, x, y, s->reciprocal[j + 1]);
    if (s->seen == s->window) {
        const nt_comoment old = s->slots[j + 1], now = s->prefix;
        const double older = (double)(s->window - j - 1) * s->reciprocal[s->window];
        const double weight = older * (double)(j + 1), dx = old.x - now.x, dy = old.y - now.y;
        *out = (nt_comoment){now.x + dx * older, now.y + dy * older, now.xx + old.xx + dx * dx * weight,
                             now.yy + old.yy + dy * dy * weight, now.xy + old.xy + dx * dy * weight};
    }
    s->slots[j].x = x;
    s->slots[j].y = y;
    if (j + 1 < s->window) {
        s->position = j + 1;
    } else {
        nt_comoment fold = {0.0, 0.0, 0.0, 0.0, 0.0};
        for (int64_t k = j; k >= 0; k--)
            s->slots[k] = fold = nt_comoment_add(fold, s->slots[k].x, s->slots[k].y, s->reciprocal[s->window - k]);
        s->prefix = (nt_comoment){0.0, 0.0, 0.0, 0.0, 0.0};
        s->position = 0;
    }
    return s->seen == s->window;
}

/* Pearson correlation in [-1, 1]; NaN if either series was constant. */
static inline double nt_correlation_of(nt_comoment c) {
    const double scale = sqrt(c.xx) * sqrt(c.yy);
    if (!(scale > 0.0)) return NAN;
    const double r = c.xy / scale;
    return r > 1.0 ? 1.0 : r < -1.0 ? -1.0 : r;
}

/* linearly weighted mean: weights 1 (oldest) .. window (newest) */

typedef struct {
    double sum, weighted;
} nt_ramp;

typedef struct { /* slots: 2 * (window + 1) doubles */
    nt_ramp *slots;
    nt_ramp prefix;
    int64_t window, position, seen;
} nt_wma;

static inline nt_wma nt_wma_init(double *slots, int64_t window) {
    slots[2 * window] = slots[2 * window + 1] = 0.0;
    return (nt_wma){.slots = (nt_ramp *)slots, .window = window};
}

static inline double nt_wma_push(nt_wma *s, double x) {
    if (s->seen < s->window) {
        if (s->seen == 0 && x != x) return NAN;
        s->seen++;
    }
    const int64_t j = s->position, n = s->window;
    s->prefix.sum += x;
    s->prefix.weighted += (double)(j + 1) * x;
    double value = NAN;
    if (s->seen == n) /* the newer part's weights start after the older part's last */
        value = (s->slots[j + 1].weighted + s->prefix.weighted + (double)(n - j - 1) * s->prefix.sum) /
                (0.5 * (double)n * (double)(n + 1));
    s->slots[j].sum = x;
    if (j + 1 < n) {
        s->position = j + 1;
    } else {
        nt_ramp fold = {0.0, 0.0};
        for (int64_t k = j; k >= 0; k--) {
            fold.sum += s->slots[k].sum;
            fold.weighted += fold.sum; /* every later weight rises by one, the new oldest has weight one */
            s->slots[k] = fold;
        }
        s->prefix = (nt_ramp){0.0, 0.0};
        s->position = 0;
    }
    return value;
}

/* exponential averages */

typedef struct { /* starts as the mean of the first `window` values (TA-Lib); a later NaN gives NaN and is skipped */
    double alpha, value, sum;
    int64_t window, seen;
} nt_ema;

static inline nt_ema nt_ema_init(double alpha, int64_t window) {
    return (nt_ema){.alpha = alpha, .window = window};
}

static inline nt_ema nt_ema_of_window(int64_t window) { /* alpha = 2 / (window + 1) */
    return nt_ema_init(2.0 / (double)(window + 1), window);
}

static inline nt_ema nt_wilder_of_window(int64_t window) { /* Wilder 1978: alpha = 1 / window */
    return nt_ema_init(1.0 / (double)window, window);
}

static inline double nt_ema_push(nt_ema *s, double x) {
    if (x != x) return NAN;
    if (s->seen >= s->window) return s->value += (x - s->value) * s->alpha;
    s->sum += x;
    if (++s->seen < s->window) return NAN;
    return s->value = s->sum / (double)s->window;
}

typedef struct {
    nt_ema gain, loss;
    double previous;
    int started;
} nt_rsi;

static inline nt_rsi nt_rsi_init(int64_t window) {
    return (nt_rsi){.gain = nt_wilder_of_window(window), .loss = nt_wilder_of_window(window)};
}

static inline double nt_rsi_push(nt_rsi *s, double x) {
    if (x != x) return NAN;
    const double change = x - s->previous;
    s->previous = x;
    if (!s->started) {
        s->started = 1;
        return NAN;
    }
    const double gain = nt_ema_push(&s->gain, change > 0.0 ? change : 0.0);
    const double loss = nt_ema_push(&s->loss, change < 0.0 ? -change : 0.0);
    const double both = gain + loss;
    return both > 0.0 ? 100.0 * gain / both : both * 0.0; /* nothing moved: 0, as TA-Lib; not warm: NaN */
}

typedef struct { /* the fast average starts on the slow one's first row, from the values just before, as TA-Lib does */
    nt_ema fast, slow, signal;
    int64_t skip;
} nt_macd;

typedef struct {
    double macd, signal, histogram;
} nt_macd_value;

static inline nt_macd nt_macd_init(int64_t fast, int64_t slow, int64_t signal) {
    return (nt_macd){.fast = nt_ema_of_window(fast), .slow = nt_ema_of_window(slow), .signal = nt_ema_of_window(signal),
                     .skip = slow - fast};
}

static inline nt_macd_value nt_macd_push(nt_macd *s, double x) {
    double fast = NAN;
    if (x == x) {
        if (s->skip > 0) s->skip--;
        else fast = nt_ema_push(&s->fast, x);
    }
    const double macd = fast - nt_ema_push(&s->slow, x);
    const double signal = nt_ema_push(&s->signal, macd);
    return (nt_macd_value){signal == signal ? macd : NAN, signal, macd - signal};
}

/* bars */

typedef struct {
    nt_ema average;
    double previous_close;
    int started;
} nt_atr;

static inline nt_atr nt_atr_init(int64_t window) {
    return (nt_atr){.average = nt_wilder_of_window(window)};
}

static inline double nt_atr_push(nt_atr *s, double high, double low, double close) {
    const double up = fabs(high - s->previous_close), down = fabs(low - s->previous_close);
    double range = high - low;
    if (up > range) range = up;
    if (down > range) range = down;
    s->previous_close = close;
    if (!s->started) { /* the first bar has no previous close and does not count, as TA-Lib */
        s->started = 1;
        return NAN;
    }
    return nt_ema_push(&s->average, range);
}

/* lag */

typedef struct { /* slots: window; returns what was pushed `window` pushes ago */
    double *slots;
    int64_t window, position, seen;
} nt_lag;

static inline nt_lag nt_lag_init(double *slots, int64_t window) {
    return (nt_lag){.slots = slots, .window = window};
}

static inline double nt_lag_push(nt_lag *s, double x) {
    const double old = s->seen < s->window ? NAN : s->slots[s->position];
    s->slots[s->position] = x;
    s->position = s->position + 1 < s->window ? s->position + 1 : 0;
    s->seen += s->seen < s->window;
    return old;
}

/* batch: `in` and `out` hold n values and do not overlap; `slots` as the struct says */

void nt_sma_batch(const double *in, int64_t n, int64_t window, double *slots, double *out);
void nt_sum_batch(const double *in, int64_t n, int64_t window, double *slots, double *out);
void nt_wma_batch(const double *in, int64_t n, int64_t window, double *slots, double *out);
void nt_ema_batch(const double *in, int64_t n, int64_t window, double *out);
void nt_extreme_batch(const double *in, int64_t n, int64_t window, double sign, double *slots, double *out);
void nt_stdev_batch(const double *in, int64_t n, int64_t window, int64_t ddof, double *slots, double *out);
void nt_zscore_batch(const double *in, int64_t n, int64_t window, int64_t ddof, double *slots, double *out);
void nt_bbands_batch(const double *in, int64_t n, int64_t window, double width, double *slots, double *upper,
                     double *middle, double *lower);
void nt_rsi_batch(const double *in, int64_t n, int64_t window, double *out);
void nt_macd_batch(const double *in, int64_t n, int64_t fast, int64_t slow, int64_t signal_window, double *macd,
                   double *signal, double *histogram);
void nt_atr_batch(const double *high, const double *low, const double *close, int64_t n, int64_t window, double *out);
void nt_mom_batch(const double *in, int64_t n, int64_t window, double *slots, double *out);
void nt_roc_batch(const double *in, int64_t n, int64_t window, double *slots, double *out);
void nt_obv_batch(const double *close, const double *volume, int64_t n, double *out);
void nt_log_batch(const double *in, int64_t n, double *out);
/* log(in[i] / in[i - window]); NaN for the first `window` rows. slots: window. */
void nt_log_returns_batch(const double *in, int64_t n, int64_t window, double *slots, double *out);
/* Standard deviation (ddof 1) of `window` log returns times `scale`. slots: 3 * (window + 1). */
void nt_realised_volatility_batch(const double *close, int64_t n, int64_t window, double scale, double *slots,
                                  double *out);
void nt_correlation_batch(const double *x, const double *y, int64_t n, int64_t window, double *slots, double *out);
/* Correlation of the series with itself `lag` rows earlier over `window` pairs. slots: 6 * (window + 1) + lag. */
void nt_autocorrelation_batch(const double *in, int64_t n, int64_t window, int64_t lag, double *slots, double *out);
/* Expanding z-score: (x - mean) / deviation over all non-NaN values so far, clipped to +-limit; 0 where x is NaN, until
 * `least` values are seen, or where they were all equal. */
void nt_expanding_zscore_batch(const double *in, int64_t n, int64_t least, double limit, double *out);

#endif
