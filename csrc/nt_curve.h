/* nt_curve: what the statistics of a run take from its equity, in two passes over the cache and no temporaries but one.
 *
 * equity[0..n-1] is finite, n >= 1; start > 0 is the cash it began with. Returns are simple, equity[i + 1] / equity[i] - 1,
 * NaN from zero. Sums run in eight lanes and blocks, always the same, so equal input gives equal bits. Nothing can fail. */
#ifndef NT_CURVE_H
#define NT_CURVE_H

#include <stdint.h>

typedef struct nt_curve_facts {
    double mean;         /* of the returns; NaN if there are none, or one is NaN */
    double squares;      /* sum of (return - mean)^2; 0 where all returns are equal */
    double below;        /* sum of min(return - target, 0)^2 */
    double mean_equity;
    double deepest;      /* lowest equity over the running peak, less one; the peak starts at `start`. <= 0 */
    int64_t longest;     /* bars from a peak to the bar that regains it, or to the last; 0 without a fall */
} nt_curve_facts;

/* returns_out: n - 1 doubles of the caller's, filled with the returns. */
void nt_curve_measure(const double *equity, int64_t n, double start, double target, double *returns_out, nt_curve_facts *out);

/* Of x[0..n-1], n >= 1, the order statistic at share * (n - 1), 0 <= share <= 1/2, linear between two of them; and the
 * mean of those up to the lower of the two. NaNs come last. room: n doubles of the caller's. The mean is summed in the
 * order of x, in lanes and blocks as above, so equal input gives equal bits however they were found. */
void nt_curve_tail(const double *x, int64_t n, double share, double *room, double *quantile_out, double *mean_out);

/* The value of rank r (0 = lowest) of x[0..n-1], no NaNs. x is permuted: what stands before place r is at most as high,
 * what follows at least. */
double nt_curve_select(double *x, int64_t n, int64_t r);

/* The same sum: eight lanes, blocks of 1,024. */
double nt_curve_sum(const double *x, int64_t n);

#endif
