/* hurst: how the deviation of log price changes grows with the time between them (Di Matteo, Aste and Dacorogna 2003, of
 * second order, about the mean): the slope of log deviation on log lag over lags 1, 2, 4 .. within the window. */
#include <math.h>

#include "nt_indicators.h"
#include "nt_math.h"
#include "nt_window.h"

enum { SCALES_MAX = 16 };

typedef struct {
    nt_history logs;
    nt_window spread[SCALES_MAX];
    int64_t scales, rows;
} hurst;

static int64_t hurst_open(const nt_indicator_kind *kind, void *block, const nt_indicator_parameters *p) {
    (void)kind;
    nt_carve carve = {block, 0};
    hurst *s = nt_carve_take(&carve, sizeof *s);
    hurst made = {.logs = nt_history_carve(&carve, (int64_t)1 << (p->second - 1), 1), .scales = p->second};
    for (int64_t j = 0; j < made.scales; j++)
        made.spread[j] = nt_window_carve(&carve, p->window - ((int64_t)1 << j), &nt_fold_moments);
    if (s) *s = made;
    return carve.used;
}

/* Variance of the changes over 2^j rows, NaN before the window is full. */
static void variances(hurst *s, int64_t j, const double *logs, int64_t m, double *to) {
    nt_window *w = &s->spread[j];
    nt_window_room(w, m);
    const int64_t lag = (int64_t)1 << j, cold = nt_window_cold(w, m);
    const nt_span change = nt_window_input(w);
    for (int64_t k = 0; k < m; k++) change.base[k] = s->rows + k < lag ? NAN : logs[k] - logs[k - lag];
    const nt_span folded = nt_window_advance(w, m);
    for (int64_t k = 0; k < m; k++) to[k] = k < cold ? NAN : folded.base[folded.stride + k] / (double)w->window;
}

static void hurst_feed(void *block, const double *const *in, int64_t n, double *const *out) {
    hurst *s = block;
    const double scales = (double)s->scales, centre = 0.5 * (scales - 1.0);
    const double squares = scales * (scales * scales - 1.0) / 12.0; /* of 0 .. scales - 1 about their mean */
    const double per_doubling = 0.5 / 0.69314718055994530942;      /* deviation from variance, log 2 from log e */
    double variance[NT_PASS];
    for (int64_t i = 0, m; i < n; i += m) {
        m = nt_history_room(&s->logs, n - i);
        double *logs = nt_history_here(&s->logs).base, *to = out[0] + i;
        for (int64_t k = 0; k < m; k++) logs[k] = in[0][i + k] == in[0][i + k] ? nt_log(in[0][i + k]) : NAN;
        for (int64_t k = 0; k < m; k++) to[k] = 0.0;
        for (int64_t j = 0; j < s->scales; j++) {
            const double weight = ((double)j - centre) / squares * per_doubling;
            variances(s, j, logs, m, variance);
            for (int64_t k = 0; k < m; k++) to[k] += variance[k] > 0.0 ? nt_log(variance[k]) * weight : NAN;
        }
        nt_history_advance(&s->logs, m);
        s->rows += m;
    }
}

const nt_indicator_kind nt_hurst_kinds[] = {{"hurst", 1, 1, hurst_open, hurst_feed, 0, 0}, {0}};
