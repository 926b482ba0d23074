/* Trailing windows folded as fixed trees: what a window yields depends on the values in it and on nothing else.
 *
 * A running sum that adds the newest and subtracts the oldest value drifts without bound and never forgets a spike.
 * Here level k holds, for every row, the fold of the last 2^k values, made of two folds of level k - 1 (or at once of
 * four of level k - 2, by the same operations); a window of any length joins the levels of its binary digits, the
 * newest values in the smallest part. log2(window) vectorised passes at most instead of one serial chain: the error
 * bounded by the depth of the tree, and the same bits wherever a series starts, however it is cut into chunks, and on
 * any machine. Any associative fold works: sum, extreme, moments (Chan, Golub and LeVeque 1979), co-moments, weighted
 * sum. A NaN leaves with its window.
 *
 * Use: write up to nt_window_room() new elements at nt_window_input(), nt_window_advance(), read the span it returns
 * before the next call. Memory is the caller's, zeroed; nothing can fail. The caller has checked 1 <= window < 2^40. */
#ifndef NT_WINDOW_H
#define NT_WINDOW_H

#include <stdint.h>

#include "nt_history.h"

typedef struct {
    /* out[i] = older[i] joined with newer[i] for m rows; the parts fold so many values each. `out` may be `newer`. */
    void (*two)(nt_span older, nt_span newer, nt_span out, int64_t m, double older_count, double newer_count);
    /* out[i] = level[i - 3 size] .. level[i] joined, the older two first; each folds `size` values. */
    void (*four)(nt_span level, int64_t size, nt_span out, int64_t m);
    /* The same of single values, of which only the given fields are written. */
    void (*first)(nt_span level, nt_span out, int64_t m);
    /* Writes the other fields of m single values. */
    void (*fill)(nt_span level, int64_t m);
    int given, fields; /* given: fields that whoever feeds a window writes */
    int repeats; /* folding a value twice changes nothing: any window is two overlapping ones of the top level */
} nt_fold;

enum { NT_WINDOW_LEVELS = 41 };

typedef struct {
    const nt_fold *fold;
    int64_t window, fed;
    double *joined;
    int levels, filled; /* filled: single values are joined as they are, so all their fields are needed */
    int power[NT_WINDOW_LEVELS]; /* levels that are held, ascending from 0: each the double or fourfold of the last */
    nt_history level[NT_WINDOW_LEVELS];
} nt_window;

/* Memory: at most about 8 * window * fields doubles. */
nt_window nt_window_carve(nt_carve *carve, int64_t window, const nt_fold *fold);

/* How many of `wanted` rows the next advance may take, 1..wanted. Invalidates earlier spans. */
int64_t nt_window_room(nt_window *w, int64_t wanted);
/* Where the next rows' values belong: the given fields of each, lifted to a fold of one. */
nt_span nt_window_input(const nt_window *w);
/* How many of the next m rows come before the window is full. */
int64_t nt_window_cold(const nt_window *w, int64_t m);
/* Take m rows; returns their folded windows. Rows that are cold hold nothing of use. */
nt_span nt_window_advance(nt_window *w, int64_t m);

/* For folds of one field: the next n rows, NaN while cold. `out` may be `x`. */
void nt_window_feed(nt_window *w, const double *x, int64_t n, double *out);

/* One field: sum; smallest and largest, NaN if either part is. */
extern const nt_fold nt_fold_sum, nt_fold_minimum, nt_fold_maximum;
/* Two fields: two sums, both given. */
extern const nt_fold nt_fold_sums;
/* Two fields: sum; sum weighted 1 (oldest) .. count (newest). A value enters as both: the first is given. */
extern const nt_fold nt_fold_ramp;
/* Two fields: mean; sum of products of deviations from the means of value and row number. A value enters as (x, 0): x is given. */
extern const nt_fold nt_fold_trend;
/* Two fields: mean; sum of squared deviations. A value enters as (x, 0): x is given. */
extern const nt_fold nt_fold_moments;
/* Five fields: means of x and y; sums of products xx, yy, xy of deviations. A pair enters as (x, y, 0, 0, 0): x and y are given. */
extern const nt_fold nt_fold_comoments;

#endif
