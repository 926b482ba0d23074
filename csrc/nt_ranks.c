/* Windows that are kept sorted: rolling_median, rolling_rank. NaN while the window holds one. */
#include <math.h>
#include <string.h>

#include "nt_carve.h"
#include "nt_indicators.h"
#include "nt_sorted.h"

enum { LONG = 2048 }; /* windows above it are not moved as one array */

typedef struct {
    double *ring, *sorted; /* the window as it came; its values that are not NaN, ascending */
    nt_sorted runs;        /* the same of long windows */
    int64_t window, rows, at, held;
    int is_rank;
} ranked;

static int64_t ranked_open(const nt_indicator_kind *kind, void *block, const nt_indicator_parameters *p) {
    nt_carve carve = {block, 0};
    ranked *s = nt_carve_take(&carve, sizeof *s);
    double *ring = nt_carve_take(&carve, p->window * (int64_t)sizeof(double));
    double *sorted = NULL;
    nt_sorted runs = {0};
    if (p->window > LONG) runs = nt_sorted_carve(&carve, p->window);
    else sorted = nt_carve_take(&carve, p->window * (int64_t)sizeof(double));
    if (s) *s = (ranked){.ring = ring, .sorted = sorted, .runs = runs, .window = p->window, .is_rank = *(const int *)kind->own};
    return carve.used;
}

/* `old` leaves and `x` enters, either may be NaN: only what lies between their places moves. */
static void replace(ranked *s, double old, double x) {
    double *values = s->sorted;
    if (old != old && x != x) return;
    if (s->window > LONG) {
        if (old == old) nt_sorted_leave(&s->runs, old);
        if (x == x) nt_sorted_enter(&s->runs, x);
        s->held = s->runs.held;
        return;
    }
    if (old != old) {
        const int64_t to = nt_count_below(values, s->held, x);
        memmove(values + to + 1, values + to, (size_t)(s->held++ - to) * sizeof(double));
        values[to] = x;
    } else if (x != x) {
        const int64_t from = nt_count_below(values, s->held, old);
        memmove(values + from, values + from + 1, (size_t)(--s->held - from) * sizeof(double));
    } else {
        const int64_t from = nt_count_below(values, s->held, old);
        int64_t to = nt_count_below(values, s->held, x);
        if (to > from) { /* everything between steps down, into the place of `old` */
            to--;
            memmove(values + from, values + from + 1, (size_t)(to - from) * sizeof(double));
        } else {
            memmove(values + to + 1, values + to, (size_t)(from - to) * sizeof(double));
        }
        values[to] = x;
    }
}

static double median_of(const ranked *s) {
    const double *v = s->sorted;
    const int64_t half = s->window / 2;
    if (s->window > LONG) {
        const double upper = nt_sorted_at(&s->runs, half);
        return s->window % 2 ? upper : 0.5 * nt_sorted_at(&s->runs, half - 1) + 0.5 * upper;
    }
    return s->window % 2 ? v[half] : 0.5 * v[half - 1] + 0.5 * v[half];
}

/* 1 .. window; equal values share the mean of their places. */
static double rank_of(const ranked *s, double x) {
    const int is_long = s->window > LONG;
    const int64_t below = is_long ? nt_sorted_below(&s->runs, x) : nt_count_below(s->sorted, s->window, x);
    const int64_t upto = is_long ? nt_sorted_not_above(&s->runs, x)
                                 : below + nt_count_not_above(s->sorted + below, s->window - below, x);
    return (double)below + 0.5 * (double)(upto - below + 1);
}

static void ranked_feed(void *block, const double *const *in, int64_t n, double *const *out) {
    ranked *s = block;
    for (int64_t i = 0; i < n; i++) {
        const double x = in[0][i];
        replace(s, s->rows < s->window ? NAN : s->ring[s->at], x);
        s->rows += s->rows < s->window;
        s->ring[s->at] = x;
        s->at = s->at + 1 < s->window ? s->at + 1 : 0;
        out[0][i] = s->held < s->window ? NAN : s->is_rank ? rank_of(s, x) : median_of(s);
    }
}

const nt_indicator_kind nt_rank_kinds[] = {
    {"rolling_median", 1, 1, ranked_open, ranked_feed, &(const int){0}, 0},
    {"rolling_rank", 1, 1, ranked_open, ranked_feed, &(const int){1}, 0},
    {0},
};
