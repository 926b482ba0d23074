/* The oracle: one loop an idea, no intrinsics. */
#include <math.h>
#include <string.h>

#include "nt_quant.h"

static int32_t dot_serial(const int8_t *a, const int8_t *b, size_t dimension) {
    int32_t sum = 0;
    for (size_t j = 0; j < dimension; j++) sum += (int32_t)a[j] * b[j];
    return sum;
}

static int32_t dot_biased_serial(const int8_t *a, const int8_t *b, size_t dimension, int32_t bias) {
    (void)bias;
    return dot_serial(a, b, dimension);
}

static void dots_serial(const int8_t *rows, size_t count, size_t dimension, const int8_t *query, int32_t bias,
                        int32_t *dots_out) {
    (void)bias;
    for (size_t i = 0; i < count; i++) dots_out[i] = dot_serial(rows + i * dimension, query, dimension);
}

static void dots_at_serial(const int8_t *rows, const uint32_t *index, size_t count, size_t dimension,
                           const int8_t *query, int32_t bias, int32_t *dots_out) {
    (void)bias;
    for (size_t i = 0; i < count; i++) dots_out[i] = dot_serial(rows + index[i] * dimension, query, dimension);
}

static uint16_t difference_serial(const uint64_t *a, const uint64_t *b, size_t words) {
    int bits = 0;
    for (size_t w = 0; w < words; w++) bits += __builtin_popcountll(a[w] ^ b[w]);
    return (uint16_t)bits;
}

static void differences_serial(const uint64_t *signs, size_t count, size_t words, const uint64_t *query,
                               uint16_t *bits_out) {
    for (size_t i = 0; i < count; i++) bits_out[i] = difference_serial(signs + i * words, query, words);
}

static void differences_at_serial(const uint64_t *signs, const uint32_t *index, size_t count, size_t words,
                                  const uint64_t *query, uint16_t *bits_out) {
    for (size_t i = 0; i < count; i++) bits_out[i] = difference_serial(signs + index[i] * words, query, words);
}

static size_t below_serial(const uint16_t *values, size_t count, uint16_t limit, uint16_t *positions_out) {
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        if (values[i] < limit) positions_out[found++] = (uint16_t)i;
    return found;
}

/* Magnitudes are compared as integers: the bits of non-negative floats order as the floats do, infinity and NaN last. */
static nt_status quantize_serial(const float *vector, size_t dimension, int8_t *codes_out) {
    uint32_t largest_bits = 0;
    for (size_t j = 0; j < dimension; j++) {
        uint32_t bits;
        memcpy(&bits, vector + j, 4);
        bits &= 0x7FFFFFFFu;
        if (bits > largest_bits) largest_bits = bits;
    }
    float largest;
    memcpy(&largest, &largest_bits, 4);
    if (largest_bits >= 0x7F800000u || largest < NT_MAGNITUDE_MIN) return NT_INVALID;
    float scale = 127.0f / largest;
    for (size_t j = 0; j < dimension; j++) codes_out[j] = (int8_t)lrintf(vector[j] * scale);
    return NT_OK;
}

static void signs_serial(const int8_t *codes, size_t dimension, uint64_t *signs_out) {
    for (size_t w = 0; w < dimension / 64; w++) {
        uint64_t word = 0;
        for (size_t j = 0; j < 64; j++) word |= (uint64_t)(codes[64 * w + j] < 0) << j;
        signs_out[w] = word;
    }
}

const nt_kernels nt_kernels_serial = {
    "serial",           dot_serial,            dot_biased_serial, dots_serial,     dots_at_serial,
    differences_serial, differences_at_serial, below_serial,      quantize_serial, signs_serial};
