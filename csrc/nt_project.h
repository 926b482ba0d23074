/* Rows of numbers to unit vectors: a linear map beside cosine features, the same bits whatever the batch, the machine
 * or the width of its registers. Each output accumulates its products over the features in their order, in float32,
 * without contraction, so vectorising across outputs changes nothing; no BLAS, whose blocking depends on the shape. */
#ifndef NT_PROJECT_H
#define NT_PROJECT_H

#include <stdint.h>

/* out[i] = unit( [ rows[i] . linear , gain * cos(2 pi (rows[i] . turns + phase)) ] ) for n rows, each linear_count +
 * cosine_count wide, a multiple of 16. rows: n x features (at least 1). linear: features x linear_count.
 * turns: features x cosine_count, and phase: cosine_count, both in turns. Finite input; a row of norm 0 stays 0. All
 * row-major, borrowed, not overlapping. */
void nt_project_rows(const float *rows, int64_t n, int64_t features, const float *linear, int64_t linear_count,
                     const float *turns, const float *phase, int64_t cosine_count, float gain, float *out);

/* Scale each of n rows of `dimension` (a multiple of 16) to length 1 in place; rows of norm 0 stay. */
void nt_unit_rows(float *rows, int64_t n, int64_t dimension);

#endif
