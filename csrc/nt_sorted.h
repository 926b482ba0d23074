/* Many numbers kept in order: enter, leave, how many are below, the k-th. For windows too long to move as one array.
 *
 * Runs of at most NT_SORTED_RUN numbers, each ascending, in order; equal numbers may span runs. A run that is full is cut
 * in two, an empty one goes, two neighbours that together leave half a run free become one: so two neighbours always hold
 * more than half a run, and 4 * most / NT_SORTED_RUN + 3 runs suffice. A step searches the runs' largest numbers, moves
 * one run at most and adds up the counts of the runs before, by groups. rolling_median takes 170 ns a row over windows of
 * 2,049 to 100,000, 200 over a million. Memory: about 5 * most doubles, the caller's, zeroed. Nothing can fail. */
#ifndef NT_SORTED_H
#define NT_SORTED_H

#include <stdint.h>

#include "nt_carve.h"

enum { NT_SORTED_RUN = 512, NT_SORTED_GROUP = 64 };

typedef struct {
    double *values;     /* NT_SORTED_RUN a slot */
    double *largest;    /* of each run, in order, as are all that follow */
    int32_t *slot;      /* where its numbers lie */
    int32_t *count;     /* how many they are */
    int64_t *group;     /* and of NT_SORTED_GROUP runs together */
    int32_t *idle;      /* slots of runs that are no more */
    int64_t runs, idles, used, held; /* used: slots that ever held a run */
} nt_sorted;

/* Room for `most` numbers. */
nt_sorted nt_sorted_carve(nt_carve *carve, int64_t most);
void nt_sorted_enter(nt_sorted *s, double x);
/* One number equal to x leaves; there is one. */
void nt_sorted_leave(nt_sorted *s, double x);
/* How many are below x; how many are not above it. */
int64_t nt_sorted_below(const nt_sorted *s, double x);
int64_t nt_sorted_not_above(const nt_sorted *s, double x);
/* The k-th from below, 0 <= k < held. */
double nt_sorted_at(const nt_sorted *s, int64_t k);

/* How many of n ascending values are below x. */
static inline int64_t nt_count_below(const double *values, int64_t n, double x) {
    const double *base = values;
    while (n > 0) { /* no branch depends on a value */
        const int64_t half = n / 2;
        const int right = base[half] < x;
        base = right ? base + half + 1 : base;
        n = right ? n - half - 1 : half;
    }
    return base - values;
}

/* How many of them are not above it. */
static inline int64_t nt_count_not_above(const double *values, int64_t n, double x) {
    const double *base = values;
    while (n > 0) {
        const int64_t half = n / 2;
        const int right = base[half] <= x;
        base = right ? base + half + 1 : base;
        n = right ? n - half - 1 : half;
    }
    return base - values;
}

#endif
