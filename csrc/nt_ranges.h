/* Parts that several indicators are made of: true range, highest and lowest, a rolling mean. */
#ifndef NT_RANGES_H
#define NT_RANGES_H

#include <math.h>

#include "nt_window.h"

/* How far the bar and the close before it reach (Wilder 1978). */
static inline double nt_reach(double high, double low, double before) {
    const double above = before > high ? before : high, below = before < low ? before : low;
    const double reach = above - below;
    return before == before ? reach : NAN;
}

/* m rows of the true range. *previous: the close before, NaN before the first row, which has no true range, as in
 * TA-Lib. */
static inline void nt_true_range(const double *high, const double *low, const double *close, double *previous,
                                 int64_t m, double *restrict out) {
    out[0] = nt_reach(high[0], low[0], *previous);
    for (int64_t k = 1; k < m; k++) out[k] = nt_reach(high[k], low[k], close[k - 1]);
    *previous = close[m - 1];
}

typedef struct {
    nt_window highest, lowest;
} nt_extremes;

static inline nt_extremes nt_extremes_carve(nt_carve *carve, int64_t window) {
    const nt_window highest = nt_window_carve(carve, window, &nt_fold_maximum);
    return (nt_extremes){highest, nt_window_carve(carve, window, &nt_fold_minimum)};
}

/* An indicator's state that is nothing else, as nt_indicator_kind.open makes it. */
static inline int64_t nt_extremes_open(void *block, int64_t window) {
    nt_carve carve = {block, 0};
    nt_extremes *s = nt_carve_take(&carve, sizeof *s);
    const nt_extremes range = nt_extremes_carve(&carve, window);
    if (s) *s = range;
    return carve.used;
}

/* behind: as nt_window_feed. */
static inline void nt_extremes_feed(nt_extremes *s, const double *high, const double *low, int64_t behind, int64_t n,
                                    double *highest, double *lowest) {
    nt_window_feed(&s->highest, high, behind, n, highest);
    nt_window_feed(&s->lowest, low, behind, n, lowest);
}

/* `out` may be `x`. */
static inline void nt_mean_feed(nt_window *sum, const double *x, int64_t n, double *out) {
    const double count = (double)sum->window;
    if (sum->window == 1) {
        if (out != x) memcpy(out, x, (size_t)n * sizeof(double));
        return;
    }
    nt_window_feed(sum, x, 0, n, out);
    for (int64_t k = 0; k < n; k++) out[k] /= count;
}

#define NT_EACH_PASS(n) for (int64_t i = 0, m = (n) < NT_PASS ? (n) : NT_PASS; i < (n);                               \
                             i += m, m = (n) - i < NT_PASS ? (n) - i : NT_PASS)

#endif
