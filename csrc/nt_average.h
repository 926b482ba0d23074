/* An average with a memory: value += (x - value) * alpha, started with the mean of its first `window` values.
 *
 * Summed up anew every eight rows about the block's own first value, `about`: row j of a block is
 *   about + gap * (1 - alpha)^(j + 1) + own,  gap = value before the block - about,  own = own * (1 - alpha) + (x - about) * alpha
 * so that eight rows wait once for the chain, not eight times, an average of equal values is that value to the last bit,
 * and streaming yields the same bits as batch. A NaN gives NaN on its row and is otherwise left out. */
#ifndef NT_AVERAGE_H
#define NT_AVERAGE_H

#include <math.h>
#include <stdint.h>

enum { NT_AVERAGE_BLOCK = 8 };

typedef struct {
    double alpha, keep, value, about, gap, own, sum, divisor;
    int64_t window, seen;
    int at; /* rows of the present block */
    double powers[NT_AVERAGE_BLOCK];
} nt_average;

/* 0 < alpha <= 1, window >= 1. */
static inline nt_average nt_average_of(double alpha, int64_t window) {
    nt_average s = {.alpha = alpha, .keep = 1.0 - alpha, .divisor = (double)window, .window = window};
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
    if (x != x) return NAN;
    if (s->seen < s->window) {
        s->sum += x;
        if (++s->seen < s->window) return NAN;
        return s->value = s->sum / s->divisor;
    }
    if (s->at == 0) {
        s->about = x;
        s->gap = s->value - x;
        s->own = 0.0;
    }
    s->own = s->own * s->keep + (x - s->about) * s->alpha;
    s->value = s->about + (s->gap * s->powers[s->at] + s->own);
    s->at = (s->at + 1) % NT_AVERAGE_BLOCK;
    return s->value;
}

/* As n pushes. `out` may be `x`. */
void nt_average_feed(nt_average *s, const double *x, int64_t n, double *out);

#endif
