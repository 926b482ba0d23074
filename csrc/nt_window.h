/* Trailing windows folded as fixed trees: what a window yields depends on the values in it and on nothing else.
 *
 * A running sum that adds the newest and subtracts the oldest value drifts without bound and never forgets a spike.
 * Here level k holds, for every row, the fold of the last 2^k values, made of two folds of level k - 1; a window of any
 * length joins the levels of its binary digits, the newest values in the smallest part. log2(window) vectorised passes
 * instead of one serial chain: about as fast as the running sum, the error bounded by the depth of the tree, and the
 * same bits wherever a series starts, however it is cut into chunks, and on any machine. Any associative fold works:
 * sum, extreme, moments (Chan, Golub and LeVeque 1979), co-moments, weighted sum. A NaN leaves with its window.
 *
 * Use: write up to nt_window_room() new elements at nt_window_input(), nt_window_advance(), read the span it returns
 * before the next call. Memory is the caller's, zeroed; nothing can fail. The caller has checked 1 <= window < 2^40. */
#ifndef NT_WINDOW_H
#define NT_WINDOW_H

#include <stdint.h>

enum { NT_WINDOW_STEP = 256 }; /* rows a pass: the levels of a usual window stay in the first cache */

/* Elements of some fields: field f of row i at base[f * stride + i]. */
typedef struct {
    double *base;
    int64_t stride;
} nt_span;

/* out[i] = older[i] joined with newer[i] for m rows; the parts fold `older_count` and `newer_count` values each. `out`
 * may be `newer`. */
typedef void (*nt_fold)(nt_span older, nt_span newer, nt_span out, int64_t m, double older_count, double newer_count);

typedef struct {
    double *slots;
    nt_fold fold;
    int64_t window, fed;
    int fields, top; /* top: the highest level, floor(log2(window)) */
} nt_window;

/* Doubles that nt_window_init needs, zeroed: at most fields * (4 * window + 256 * (log2(window) + 2)). */
int64_t nt_window_slots(int64_t window, int fields);
nt_window nt_window_init(double *slots, int64_t window, int fields, nt_fold fold);

/* How many of `wanted` rows the next advance may take, 1..wanted. Invalidates earlier spans. */
int64_t nt_window_room(nt_window *w, int64_t wanted);
/* Where the next rows' elements belong: each value lifted to a fold of one. */
nt_span nt_window_input(const nt_window *w);
/* How many of the next m rows come before the window is full. */
int64_t nt_window_cold(const nt_window *w, int64_t m);
/* Take m rows; returns their folded windows. Rows that are cold hold nothing of use. */
nt_span nt_window_advance(nt_window *w, int64_t m);

/* Folds of one field: sum; smallest and largest, NaN if either part is. */
void nt_fold_sum(nt_span older, nt_span newer, nt_span out, int64_t m, double older_count, double newer_count);
void nt_fold_minimum(nt_span older, nt_span newer, nt_span out, int64_t m, double older_count, double newer_count);
void nt_fold_maximum(nt_span older, nt_span newer, nt_span out, int64_t m, double older_count, double newer_count);
/* Two fields: sum; sum weighted 1 (oldest) .. count (newest). A value x enters as (x, x). */
void nt_fold_ramp(nt_span older, nt_span newer, nt_span out, int64_t m, double older_count, double newer_count);
/* Two fields: mean; sum of squared deviations. A value enters as (x, 0). */
void nt_fold_moments(nt_span older, nt_span newer, nt_span out, int64_t m, double older_count, double newer_count);
/* Five fields: means of x and y; sums of products xx, yy, xy of deviations. A pair enters as (x, y, 0, 0, 0). */
void nt_fold_comoments(nt_span older, nt_span newer, nt_span out, int64_t m, double older_count, double newer_count);

#endif
