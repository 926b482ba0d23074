/* An average with a memory: value += (x - value) * alpha, started with the mean of its first `window` values.
 *
 * Summed up anew every eight rows about the block's own first value, `about`. With keep = 1 - alpha, row j of a block is
 *   about + (value before the block - about) * keep^(j + 1) + sum over rows k <= j of (x_k - about) * alpha * keep^(j - k)
 * and the sum is found by doubling: over two rows, four, eight. So eight rows are one short run of vectors that waits
 * once for the block before, an average of equal values is that value to the last bit, and streaming, which takes the
 * same operations one row at a time, yields the same bits. A NaN gives NaN on its row and is otherwise left out. Blocks
 * are of rows fed, whatever was in them, so that one pass over several averages starts all their blocks together. */
#ifndef NT_AVERAGE_H
#define NT_AVERAGE_H

#include <math.h>
#include <stdint.h>

enum { NT_AVERAGE_BLOCK = 8 };

typedef struct {
    double alpha, keep, keep_2, keep_4, about, gap, carry, sum, divisor; /* the last value: about + carry */
    int64_t window, seen, rows;      /* seen: values of the first mean; rows: fed, NaN or not */
    int at;                          /* values in the present block */
    double powers[NT_AVERAGE_BLOCK]; /* keep^(j + 1) */
    double over_1[1 + NT_AVERAGE_BLOCK], over_2[2 + NT_AVERAGE_BLOCK], over_4[4 + NT_AVERAGE_BLOCK]; /* sums over so many
                                                                            rows of the block, behind as many zeros */
} nt_average;

/* 0 < alpha <= 1, window >= 1. */
static inline nt_average nt_average_of(double alpha, int64_t window) {
    nt_average s = {.alpha = alpha, .keep = 1.0 - alpha, .divisor = (double)window, .window = window};
    s.keep_2 = s.keep * s.keep;
    s.keep_4 = s.keep_2 * s.keep_2;
    double power = 1.0;
    for (int j = 0; j < NT_AVERAGE_BLOCK; j++) s.powers[j] = power *= s.keep;
    return s;
}

/* The usual one over `window` values. */
static inline nt_average nt_average_exponential(int64_t window) {
    return nt_average_of(2.0 / (double)(window + 1), window);
}

/* Wilder 1978. */
static inline nt_average nt_average_wilder(int64_t window) {
    return nt_average_of(1.0 / (double)window, window);
}

static inline double nt_average_push(nt_average *s, double x) {
    if (s->rows++ % NT_AVERAGE_BLOCK == 0) s->at = 0;
    if (x != x) return NAN;
    if (s->seen < s->window) {
        s->sum += x;
        if (++s->seen < s->window) return NAN;
        s->at = 0;
        return s->about = s->sum / s->divisor;
    }
    const int j = s->at;
    if (j == 0) {
        s->gap = s->carry + (s->about - x);
        s->about = x;
    }
    const double over_1 = s->over_1[1 + j] = (x - s->about) * s->alpha;
    const double over_2 = s->over_2[2 + j] = over_1 + s->over_1[j] * s->keep;
    const double over_4 = s->over_4[4 + j] = over_2 + s->over_2[j] * s->keep_2;
    const double over_8 = over_4 + s->over_4[j] * s->keep_4;
    s->at++;
    s->carry = s->powers[j] * s->gap + over_8;
    return s->about + s->carry;
}

/* As n pushes. `out` may be `x`. */
void nt_average_feed(nt_average *s, const double *x, int64_t n, double *out);

#endif
