/* Trailing windows folded as fixed trees: what a window yields depends on the values in it and on nothing else.
 *
 * A running sum that adds the newest and subtracts the oldest value drifts without bound and never forgets a spike.
 * Here level k holds, for every row, the fold of the last 2^k values, made of two folds of level k - 1; a window of any
 * length joins the levels of its binary digits, the newest values in the smallest part. log2(window) steps instead of
 * one serial chain: the error bounded by the depth of the tree, and the same bits wherever a series starts, however it
 * is cut into chunks, and on any machine. Any associative fold works: sum, extreme, moments (Chan, Golub and LeVeque
 * 1979), co-moments, weighted sum. A NaN leaves with its window.
 *
 * Levels up to 16 values rise in registers, several rows at a time, from the values alone: only those that a window
 * joins are written. Longer ones are passes over the levels below.
 *
 * Use: write up to nt_window_room() new elements at nt_window_input(), nt_window_advance(), read the span it returns
 * before the next call. Memory is the caller's, zeroed; nothing can fail. The caller has checked 1 <= window < 2^40. */
#ifndef NT_WINDOW_H
#define NT_WINDOW_H

#include <stdint.h>

#include "nt_history.h"

enum {
    NT_WINDOW_LEVELS = 41,
    NT_WINDOW_RISE = 4,    /* levels up to 2^4 rise in registers */
    NT_WINDOW_BEHIND = 16, /* rows before a pass whose values they need */
};

typedef struct {
    /* Levels 0 .. top <= NT_WINDOW_RISE of m rows into to[level], all fields; not written where that has no base.
     * `values`: the given fields, NT_WINDOW_BEHIND rows before and NT_HISTORY_PAST after readable, `to` as many writable. */
    void (*rise)(nt_span values, const nt_span *to, int64_t m, int top);
    /* out[i] = older[i] joined with newer[i] for m rows; the parts fold so many values each. `out` may be `newer`. */
    void (*two)(nt_span older, nt_span newer, nt_span out, int64_t m, double older_count, double newer_count);
    /* out[i] = level[i - 3 size] .. level[i] joined, the older two first; each folds `size` values. NT_HISTORY_PAST more
     * rows readable and writable. */
    void (*four)(nt_span level, int64_t size, nt_span out, int64_t m);
    int given, fields; /* given: fields that whoever feeds a window writes */
    int repeats; /* folding a value twice changes nothing: any window is two overlapping ones of the top level */
} nt_fold;

typedef struct {
    const nt_fold *fold;
    int64_t window, fed;
    double *joined;
    nt_history values;
    int levels, top, alone; /* held; the last of them that rises in registers; the only one is the window */
    int power[NT_WINDOW_LEVELS]; /* levels that are held, ascending */
    nt_history level[NT_WINDOW_LEVELS];
} nt_window;

nt_window nt_window_carve(nt_carve *carve, int64_t window, const nt_fold *fold);

/* How many of `wanted` rows the next advance may take, 1..wanted. Invalidates earlier spans. */
int64_t nt_window_room(nt_window *w, int64_t wanted);
/* Where the next rows' values belong: the given fields of each. */
nt_span nt_window_input(const nt_window *w);
/* How many of the next m rows come before the window is full. */
int64_t nt_window_cold(const nt_window *w, int64_t m);
/* Take m rows; returns their folded windows. Rows that are cold hold nothing of use. */
nt_span nt_window_advance(nt_window *w, int64_t m);

/* The same where one field is given and its next m rows stand at x, `behind` of those fed before right before them: with
 * NT_WINDOW_BEHIND of them nothing is copied. What is joined goes to `out` if it is not NULL (folds of one field; not x),
 * or lies where the span returned says. */
nt_span nt_window_take(nt_window *w, const double *x, int64_t behind, int64_t m, double *out);

/* For folds of one field: the next n rows, NaN while cold. behind: how many of those fed before stand right before x.
 * `out` may be `x`, behind being 0. */
void nt_window_feed(nt_window *w, const double *x, int64_t behind, int64_t n, double *out);

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
