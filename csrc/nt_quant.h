/* nt_quant: vectors as int8 codes and as sign bits, and the distances between them.
 *
 * A float32 vector becomes code[j] = round_half_even(v[j] * (127 / max|v|)), in -127..127, and 1 / |codes| in float32.
 * Cosine needs no more: the scale cancels. Its signs are bit j = (code[j] < 0), 64 to a word. Dimensions are multiples
 * of 64 up to NT_DIMENSION_MAX.
 *
 * Each instruction set has a table of kernels in a file of its own, chosen once at import. The serial one is the oracle:
 * every other returns the same integers, for any int8 (-128 included), and the same codes. Floats are made from those
 * integers by the expressions below, so they are equal to the last bit as well.
 * Rows need no alignment to be read right; at 64 bytes they are read fastest.
 */
#ifndef NT_QUANT_H
#define NT_QUANT_H

#include <stddef.h>
#include <stdint.h>

#include "nt_status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { NT_DIMENSION_STEP = 64, NT_DIMENSION_MAX = 4096 };

/* Below this the largest magnitude of a vector gives it no usable direction in float32. */
#define NT_MAGNITUDE_MIN 1e-30f

typedef struct nt_kernels {
    const char *name;
    /* Sum of a[j] * b[j]. */
    int32_t (*dot)(const int8_t *a, const int8_t *b, size_t dimension);
    /* The same with a sum that depends on b alone given: nt_bias_of(b). For one b against many a. */
    int32_t (*dot_biased)(const int8_t *a, const int8_t *b, size_t dimension, int32_t bias);
    /* dots_out[i] = row i . query, for `count` rows one after another; bias = nt_bias_of(query). */
    void (*dots)(const int8_t *rows, size_t count, size_t dimension, const int8_t *query, int32_t bias,
                 int32_t *dots_out);
    /* dots_out[i] = rows[index[i]] . query. */
    void (*dots_at)(const int8_t *rows, const uint32_t *index, size_t count, size_t dimension, const int8_t *query,
                    int32_t bias, int32_t *dots_out);
    /* Differing bits of each row of `words` 64-bit words and the query. */
    void (*differences)(const uint64_t *signs, size_t count, size_t words, const uint64_t *query, uint16_t *bits_out);
    void (*differences_at)(const uint64_t *signs, const uint32_t *index, size_t count, size_t words,
                           const uint64_t *query, uint16_t *bits_out);
    /* Positions i, ascending, where values[i] < limit; returns how many. */
    size_t (*below)(const uint16_t *values, size_t count, uint16_t limit, uint16_t *positions_out);
    /* Codes of one vector. NT_INVALID: a NaN, an infinity, or no magnitude of NT_MAGNITUDE_MIN; codes undefined. */
    nt_status (*quantize)(const float *vector, size_t dimension, int8_t *codes_out);
    void (*signs)(const int8_t *codes, size_t dimension, uint64_t *signs_out);
} nt_kernels;

extern const nt_kernels nt_kernels_serial, nt_kernels_avx2, nt_kernels_avx512;

/* The table called `name`, or NULL if there is none or this processor cannot run it. */
const nt_kernels *nt_kernels_find(const char *name);
/* The fastest table that this processor can run. */
const nt_kernels *nt_kernels_best(void);

/* 128 x the sum of codes: what dot_biased takes off again, having read `a` as unsigned. */
static inline int32_t nt_bias_of(const int8_t *codes, size_t dimension) {
    int32_t sum = 0;
    for (size_t j = 0; j < dimension; j++) sum += codes[j];
    return 128 * sum;
}

float nt_inverse_norm(const nt_kernels *kernels, const int8_t *codes, size_t dimension);

/* Cosine distance. A dot of 1,024 codes is below 2^24, exact in float32. */
static inline float nt_cosine(int32_t dot, float inverse_norm_a, float inverse_norm_b) {
    return 1.0f - (float)dot * inverse_norm_a * inverse_norm_b;
}

#ifdef __cplusplus
}
#endif
#endif
